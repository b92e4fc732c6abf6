"""What a visitor notices when something that the anchor depends on hangs, breaks, drips or says nothing."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from anchor.bench.talking import greeted, kiosk, sound_of
from anchor.bench.virtual import after
from anchor.bench.visitor import Visitor
from anchor.channel import closing
from anchor.config import EngineConfig, HandOverConfig, VoiceConfig
from anchor.errors import VoiceError
from anchor.events import Sentence
from anchor.media import SAMPLE_RATE, Beat
from anchor.ports import SpeechChunk
from anchor.testing import FakeVoice
from anchor.visitors import Session
from tests.back_end import Answer, BackEnd, back_end, drips, hangs, resets, says, says_json
from tests.dialogue import completions

pytestmark = [pytest.mark.alone, pytest.mark.timeout(120)]

PATIENCE = 1.5
"""Seconds from the end of a turn to the first sound, whatever fails."""
SLACK = 0.4
"""For a test machine that has other things to do."""


class Releases:
    """When each beat of a session went out."""

    def __init__(self, session: Session) -> None:
        self.times: list[float] = []
        send = session.sink.send

        async def noting(beat: Beat) -> None:
            self.times.append(asyncio.get_running_loop().time())
            await send(beat)

        session.sink.send = noting  # type: ignore[method-assign]

    @property
    def gap(self) -> float:
        """Seconds: of a hundred gaps the second longest."""
        gaps = sorted(b - a for a, b in zip(self.times, self.times[1:], strict=False))
        return gaps[int(0.99 * len(gaps))]


async def asked(visitor: Visitor, text: str) -> tuple[float, str]:
    """Ask in writing: seconds until the anchor is heard, and what it says."""
    since, begun = len(visitor.events), asyncio.get_running_loop().time()
    visitor.tell(type="text", text=text)
    return await answer(visitor, since, begun)


async def answer(visitor: Visitor, since: int, begun: float) -> tuple[float, str]:
    spoken = await visitor.mode("speaking", since=since, seconds=10)
    place = next(n for n, (at, _) in enumerate(visitor.events) if at == spoken and n >= since)
    await visitor.mode("listening", since=place)
    return spoken - begun, "".join(visitor.said_by("anchor", since=since))


def heard(visitor: Visitor, session: Session) -> None:
    """What is remembered of the anchor is what was said of its words, whole."""
    said = [line for line in session.conversation.history if line.who == "anchor"]
    assert all(line.text == line.said for line in said)


def test_a_recogniser_that_fails_in_every_way_costs_a_turn_each_and_no_more(tmp_path: Path) -> None:
    async def main() -> None:
        question = await sound_of("when are you open")
        async with back_end(hangs) as ears:
            options = {"base_url": ears.address, "api_key": "k"}
            async with (
                kiosk(
                    tmp_path, recognizer=EngineConfig(engine="openai", options=options),
                    hand_over=HandOverConfig(failures=10),
                ) as (studio, address),
                greeted(address) as visitor,
            ):  # fmt: skip
                (session,) = studio.hall("hall").sessions.values()
                releases = Releases(session)
                for manner in (hangs, resets, drips, says('{"text": ""}'), says("<html>", "text/html")):
                    ears.answer, since = manner, len(visitor.events)
                    _, ended = visitor.microphone.say(question)
                    waited, said = await answer(visitor, since, ended)
                    assert waited <= 1.0 + PATIENCE + SLACK
                    assert "could not hear" in said or "did not quite understand" in said
                ears.answer, since = says('{"text": "When are you open?"}'), len(visitor.events)
                _, ended = visitor.microphone.say(question)
                waited, said = await answer(visitor, since, ended)
                assert said == "We are open from nine to five."
                assert waited <= PATIENCE + SLACK
                assert releases.gap <= 0.1
                heard(visitor, session)

    asyncio.run(main())


def test_a_language_model_that_fails_in_every_way_is_covered_for_in_one_conversation(tmp_path: Path) -> None:
    scripts: dict[str, Sequence[object]] = {
        "when are you open": ["HANG"],
        "where can I park": ["BREAK"],
        "how much is a transfer": ["DRIP"],
        "I lost my card": [],
        "what are your opening hours": ["We open at ni", "BREAK"],
        "my card was stolen": ["GARBAGE"],
        "is there a car park": ["There is a garage under the branch."],
    }

    def script(text: str) -> Sequence[object]:
        return next(parts for question, parts in scripts.items() if question in text)

    async def main() -> None:
        async with completions.serving(completions.Server(script)) as model:
            options = {"base_url": model.url, "model": completions.MODEL, "api_key": completions.KEY}
            async with (
                kiosk(tmp_path, dialogue=EngineConfig(engine="openai", options=options)) as (studio, address),
                greeted(address) as visitor,
            ):
                (session,) = studio.hall("hall").sessions.values()
                releases = Releases(session)
                wanted = (
                    "nine to five", "garage", "free of charge", "Call the number", "nine to five", "Call the number",
                    "There is a garage under the branch.",
                )  # fmt: skip
                for question, part in zip(scripts, wanted, strict=True):
                    waited, said = await asked(visitor, question)
                    assert waited <= PATIENCE + SLACK, question
                    assert part in said
                assert len(model.requests) == len(scripts)
                assert releases.gap <= 0.1
                heard(visitor, session)

    asyncio.run(main())


class MoodyVoice(FakeVoice):
    """A voice of tones that fails as its `manner` says."""

    manner = "well"

    async def speak(self, sentence: Sentence) -> AsyncIterator[SpeechChunk]:
        async with closing(super().speak(sentence)) as chunks:
            count = 0
            async for chunk in chunks:
                count += 1
                match MoodyVoice.manner:
                    case "hangs":
                        await asyncio.Event().wait()
                    case "resets":
                        raise VoiceError("the connection was reset")
                    case "drips":
                        yield SpeechChunk(chunk.audio[: SAMPLE_RATE // 100], (), ())
                        await after(0.5)
                        continue
                    case "says nothing":
                        return
                    case "breaks off" if count > 2:
                        await asyncio.Event().wait()
                yield chunk


def test_a_voice_that_fails_in_every_way_is_spoken_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = tmp_path / "site" / "moody-1.0.dist-info"
    installed.mkdir(parents=True)
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: moody\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text(f"[anchor.voice]\nmoody = {__name__}:MoodyVoice\n")
    monkeypatch.syspath_prepend(str(installed.parent))
    monkeypatch.setattr("anchor.pipeline.steadfast.REST", 0.0)

    async def main() -> None:
        async with kiosk(tmp_path, voice=VoiceConfig(engine="moody")) as (studio, address), greeted(address) as visitor:
            (session,) = studio.hall("hall").sessions.values()
            releases = Releases(session)
            for manner in ("hangs", "resets", "drips", "says nothing", "breaks off", "well"):
                monkeypatch.setattr(MoodyVoice, "manner", manner)
                waited, said = await asked(visitor, "when are you open")
                assert waited <= PATIENCE + SLACK, manner
                assert said == "We are open from nine to five."
                assert visitor.last_loud > asyncio.get_running_loop().time() - 3
            assert releases.gap <= 0.1
            heard(visitor, session)

    asyncio.run(main())


def test_while_the_database_is_away_visitors_talk_on_and_what_they_said_is_written_later(tmp_path: Path) -> None:
    file = tmp_path / "kiosk.db"

    async def main() -> None:
        async with kiosk(tmp_path, store=f"sqlite:///{file}") as (studio, address), greeted(address) as visitor:
            with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as other:
                other.execute("BEGIN EXCLUSIVE")
                for question in ("when are you open", "where can I park"):
                    waited, _ = await asked(visitor, question)
                    assert waited <= PATIENCE
                other.execute("ROLLBACK")
            visitor.tell(type="end")
            await visitor.until(lambda event: event["type"] == "ended")
            kept = [line.text for line in await studio.store.transcript(visitor.session)]
            assert "when are you open" in kept
            assert "where can I park" in kept
            assert studio.store.dropped == 0

    asyncio.run(main())


def test_while_a_webhook_hangs_the_visitor_is_told_that_somebody_comes_and_talks_on(tmp_path: Path) -> None:
    async def main() -> None:
        async with back_end(hangs) as desk:
            hand_over = HandOverConfig(webhook=f"{desk.base}/visitors")
            async with kiosk(tmp_path, hand_over=hand_over) as (_, address), greeted(address) as visitor:
                waited, said = await asked(visitor, "I want to talk to a human")
                assert waited <= PATIENCE
                assert "get a person" in said
                waited, said = await asked(visitor, "when are you open")
                assert waited <= PATIENCE
                assert said == "We are open from nine to five."
                assert len(desk.requests) == 1
                assert b"I want to talk to a human" in desk.requests[0].body
                closing_at = asyncio.get_running_loop().time()
            assert asyncio.get_running_loop().time() - closing_at < 5

    asyncio.run(main())


ACTION = """
[[actions]]
name = "block"
title.en = "Block my card"
method = "POST"
url = "BASE/block"
confirm = true
timeout = 1.5
read_back.en = "Your card will be blocked. Shall I do it?"
say.en = "Your card is blocked."
say_error.en = "I could not block it."
triggers.en = ["block my card"]
"""


@pytest.mark.parametrize(
    ("manner", "told"),
    [
        (hangs, "could not find out whether it was done"),
        (resets, "could not find out whether it was done"),
        (says_json({"problem": "x"}, "409 Conflict"), "Nothing was done"),
        (says_json({}), "Your card is blocked"),
    ],
    ids=["hangs", "resets", "refuses", "well"],
)
def test_what_came_of_an_action_is_told_although_the_visitor_spoke_meanwhile_and_it_is_done_once(
    tmp_path: Path, manner: Answer, told: str
) -> None:
    async def main() -> None:
        async with back_end(manner) as bank:
            table = tmp_path / "actions.toml"
            table.write_text(ACTION.replace("BASE", bank.base))
            store = f"sqlite:///{tmp_path / 'kiosk.db'}"
            async with (
                kiosk(tmp_path, store=store, actions=table, allow=("127.0.0.1",)) as (_, address),
                greeted(address) as visitor,
            ):
                _, said = await asked(visitor, "block my card")
                assert said == "Your card will be blocked. Shall I do it?"
                since = len(visitor.events)
                visitor.tell(type="text", text="yes")
                await after(0.3)
                _, aside = await asked(visitor, "when are you open")
                assert "We are open from nine to five." in aside
                await after(0.5)
                await asked(visitor, "did it work?")
                everything = "".join(visitor.said_by("anchor", since=since))
                assert told in everything, everything
                assert everything.count(told) == 1
                again = ""
                if "whether" in told:
                    await asked(visitor, "block my card")
                    _, again = await asked(visitor, "yes")
                assert len(requests(bank)) == 1, again

    asyncio.run(main())
    with contextlib.closing(sqlite3.connect(tmp_path / "kiosk.db")) as kept:
        assert kept.execute("SELECT name FROM actions").fetchall() == [("block",)]


def requests(bank: BackEnd) -> list[str]:
    return [line for line, _, _ in bank.requests]
