"""A kiosk on a real server with a small bank's knowledge, and what visitors there wait for."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

from anchor.app import Studio
from anchor.bench.measure import Figure, Tell, cores_used, other_process, percentile, resident_mib, serving
from anchor.bench.virtual import after
from anchor.bench.visitor import Visitor, spoken, visiting
from anchor.config import ChannelConfig, Config, ServerConfig, StoreConfig, TalkConfig, VoiceConfig
from anchor.media import Samples
from anchor.parts import open_voice
from anchor.pipeline.playout import PlayoutCounters
from anchor.visitors import TIDY_SECONDS, Session

QUESTIONS = (
    "what are your opening hours", "I lost my card", "where can I park", "how much is a transfer",
    "when are you open", "my card was stolen", "is there a car park", "what does a transfer cost",
)  # fmt: skip
ROUNDS = 3

FACTS = """# Fees

## Transfers
A transfer inside the country is free of charge.

# Visiting us

## Opening hours
The branch is open from nine to five on weekdays, and closed on Sundays.

## Parking
There is a garage under the branch, and the first hour is free.
"""

FAQ = """topic,language,question,answer
hours,en,what are your opening hours|when are you open,We are open from nine to five.
hours,zh-CN,你们几点开门|营业时间,我们九点到五点营业。
card,en,I lost my card|my card was stolen,Call the number on the screen at once and we block the card.
parking,en,where can I park|is there a car park,There is a garage under the branch and the first hour is free.
fee,en,how much is a transfer|what does a transfer cost,A transfer inside the country is free of charge.
"""


def knowledge(folder: Path) -> Path:
    """A small bank's knowledge, written into a folder."""
    place = folder / "knowledge"
    place.mkdir(exist_ok=True)
    (place / "fees.md").write_text(FACTS, "utf-8")
    (place / "faq.csv").write_text(FAQ, "utf-8")
    return place


@contextlib.asynccontextmanager
async def kiosk(
    folder: Path, *, store: str = "", voice: VoiceConfig | None = None, size: str = "320x180", **talk: Any
) -> AsyncIterator[tuple[Studio, str]]:
    """A server with a hall, and its address. `talk` are values of `TalkConfig`."""
    values = {"greeting": {"en": "I am an AI.", "zh-CN": "我是人工智能。"}} | talk
    table = TalkConfig(languages=("en", "zh-CN"), knowledge=(knowledge(folder),), **values)
    channel = ChannelConfig(name="hall", size=size, avatar="lin", talk=table)
    config = Config(
        server=ServerConfig(port=0), channels=(channel,), store=StoreConfig(url=store), voice=voice or VoiceConfig()
    )
    async with serving(config) as running:
        yield running


@contextlib.asynccontextmanager
async def greeted(address: str, language: str = "en") -> AsyncIterator[Visitor]:
    """A visitor whose greeting is over."""
    async with visiting(address, "hall", language) as visitor:
        await visitor.mode("speaking")
        await visitor.mode("listening", since=len(visitor.events))
        yield visitor


async def sound_of(text: str, language: str = "en") -> Samples:
    voice = open_voice(VoiceConfig())
    try:
        return await spoken(voice, text, language)
    finally:
        await voice.close()


async def measure_turns(tell: Tell) -> list[Figure]:
    """From the last sound of a spoken question to the first beat of its answer, and where the time goes."""
    sounds = [await sound_of(question) for question in QUESTIONS]
    waits: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        async with kiosk(Path(folder), size="1280x720") as (studio, address), greeted(address) as visitor:
            (session,) = studio.hall("hall").sessions.values()
            tell(f"{ROUNDS * len(sounds)} spoken questions")
            latencies = []
            for number in range(ROUNDS * len(sounds)):
                since = len(visitor.events)
                _, ended = visitor.microphone.say(sounds[number % len(sounds)])
                with contextlib.suppress(TimeoutError):
                    began = await visitor.mode("speaking", since=since, seconds=8)
                    waits.append(began - ended)
                    # The rest of the answer is not waited for: the next question would only come later.
                    visitor.tell(type="text", text="stop")
                    await visitor.mode("listening", since=len(visitor.events))
                    latencies.append(dict(session.latencies[-1]))
                await after(0.5)
    stages = ("turn_closed", "first_token", "first_sound", "first_face", "first_beat")
    found = [
        Figure(f"turn_{stage}_p50_ms", 1000 * percentile([one[stage] for one in latencies if stage in one], 50), "ms")
        for stage in stages
    ]
    return [
        Figure("end_of_speech_to_first_beat_p50_ms_max", 1000 * percentile(waits, 50), "ms", 700),
        Figure("end_of_speech_to_first_beat_p95_ms_max", 1000 * percentile(waits, 95), "ms", 1200),
        Figure("questions_answered_min", len(waits) / (ROUNDS * len(sounds)), "share", 0.95),
        *found,
    ]


TALKERS = 4
TALK_SECONDS = 60
WARM_VISITS, VISITS = 200, 500
"""The heaps find their size with the first; the rest tell what stays of a visitor."""


async def measure_halls(tell: Tell) -> list[Figure]:
    """Four conversations at once, and visitors who come and go."""
    with tempfile.TemporaryDirectory() as folder:
        async with kiosk(Path(folder), size="1280x720", max_sessions=TALKERS + 2) as (studio, address):
            async with other_process("anchor.bench.talkers", address, "talk", str(TALKERS)):
                sessions = list(studio.hall("hall").sessions.values())
                tell(f"{TALKERS} conversations for {TALK_SECONDS} s")
                await cores_used(5)
                before = [_beats(session) for session in sessions]
                cores = await cores_used(TALK_SECONDS)
                beats, late = (
                    sum(now[place] - then[place] for now, then in zip(map(_beats, sessions), before, strict=True))
                    for place in (0, 1)
                )
            figures = [
                Figure("four_conversations_late_beats_percent_max", 100 * late / beats, "%", 1),
                Figure("four_conversations_beats_of_due_min", beats / (TALKERS * 25 * TALK_SECONDS), "share", 0.99),
                Figure("four_conversations_percent_of_core", 100 * cores, "%"),
            ]
        async with kiosk(Path(folder), max_sessions=TALKERS + 2) as (studio, address):
            tell(f"{WARM_VISITS + VISITS} visitors come and go")
            async with _visits(address, WARM_VISITS):
                await after(2 * TIDY_SECONDS)
                memory = resident_mib()
            async with _visits(address, VISITS):
                await after(2 * TIDY_SECONDS)
                grown = resident_mib() - memory
            left = len(studio.hall("hall").sessions)
    return [
        *figures,
        Figure("memory_after_500_sessions_mib_max", grown, "MiB", 10),
        Figure("sessions_left_over_max", left, "sessions", 0),
    ]


def _beats(session: Session) -> tuple[int, int]:
    """Beats released, and those that repeated a picture."""
    counters = session.stream.playout.counters if session.stream.playout is not None else PlayoutCounters()
    return counters.beats, counters.late_pictures


def _visits(address: str, count: int) -> AbstractAsyncContextManager[list[str]]:
    """So many visitors come and go before the context is entered."""
    return other_process("anchor.bench.talkers", address, "come", str(count), seconds=60 + 3 * count)
