"""A show on air: what is rendered is what is aired, and what operators do is seen and heard."""

import asyncio
import contextlib
import hashlib
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import av
import numpy as np
import pytest

from anchor.broadcast.aired import verify
from anchor.broadcast.script import load_script
from anchor.channel import closing
from anchor.clock import LoopClock, run_virtual
from anchor.config import ChannelConfig, Config, OutputConfig, ShowConfig, VoiceConfig
from anchor.errors import CapacityError, ConflictError, RundownError, VoiceError
from anchor.events import Sentence
from anchor.live import LiveChannel
from anchor.media import SAMPLE_RATE, Beat, VideoFormat
from anchor.metrics import Metrics
from anchor.onair import Breaking
from anchor.parts import open_shelf, open_voice
from anchor.pipeline.steadfast import SteadfastVoice
from anchor.ports import SpeechChunk, Voice
from anchor.rendering import HEAD_SECONDS, SEED, TAIL_SECONDS, Settings, render_as
from anchor.segments import Speakers
from anchor.testing import FakeVoice

RUNDOWN = """
title: Bulletin
language: en
ticker: [One, Two]
segments:
  - text: Good evening. <mark name="a"/>The markets closed higher. <break time="300ms"/> Here is the chart.
    lower_third: {title: Lin, subtitle: AI anchor}
    headline: Markets
    mood: warm
    gesture: nod
    cues:
      - mark: a
        chart: {kind: bar, labels: [A, B, C], values: [3, 5, 4], title: Points, place: shoulder}
  - text: And in other news, a table.
    avatar: yue
    table: {columns: [City, Degrees], rows: [[Paris, 21], [Rome, 27]], place: full}
  - text: Good night.
    pause: 0.5
"""


class Listener:
    """A sink that keeps what is heard and seen of every beat."""

    def __init__(self) -> None:
        self.beats: list[Beat] = []

    async def send(self, beat: Beat) -> None:
        self.beats.append(beat)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    @property
    def words(self) -> str:
        return "".join(word.text for beat in self.beats for word in beat.words)

    def silent(self, since: int) -> bool:
        return not any(np.abs(beat.audio).max() > 0.001 for beat in self.beats[since:])


@contextlib.asynccontextmanager
async def on_air(
    script: Path, voice: Voice | None = None, **options: Any
) -> AsyncIterator[tuple[LiveChannel, Listener]]:
    """A channel in virtual time, ready to run."""
    clock = LoopClock()
    begun = datetime(2026, 3, 1, 18, tzinfo=UTC)
    config = ChannelConfig(name="show", size="640x360", scripts=(script,), pause=0, captions="burn", **options)
    voice = voice or open_voice(VoiceConfig())
    channel = LiveChannel(
        config, Speakers(voice), Metrics(), open_shelf(Config(channels=(config,))), ends=True, clock=clock, live=False,
        wall=lambda: begun + timedelta(seconds=clock.now()), seed=SEED,
        head_seconds=HEAD_SECONDS, tail_seconds=TAIL_SECONDS,
    )  # fmt: skip
    listener = Listener()
    channel.stream._sinks = [*channel.stream._sinks, listener]
    await channel.prepare()
    try:
        yield channel, listener
    finally:
        await channel.release()
        await voice.close()


async def after(channel: LiveChannel, text: str, listener: Listener) -> None:
    clock = LoopClock()
    while text not in listener.words:
        await clock.sleep_until(clock.now() + 0.04)


def digests(path: Path) -> list[str]:
    """Of every picture and of the whole sound of a film."""
    found = []
    sound = hashlib.sha256()
    with av.open(str(path)) as film:
        for frame in film.decode(video=0):
            found.append(hashlib.sha256(frame.to_ndarray().tobytes()).hexdigest())
    with av.open(str(path)) as film:
        for heard in film.decode(audio=0):
            sound.update(heard.to_ndarray().tobytes())
    return [*found, sound.hexdigest()]


def test_what_is_aired_in_virtual_time_is_what_is_rendered_picture_by_picture(tmp_path: Path) -> None:
    script = tmp_path / "bulletin.yaml"
    script.write_text(RUNDOWN)
    asyncio.run(render_as(Settings(VideoFormat(640, 360)), load_script(script), tmp_path / "rendered.mp4"))

    async def air() -> None:
        outputs = (OutputConfig(to=f"file:{tmp_path / 'aired.mp4'}"),)
        async with on_air(script, outputs=outputs, loop=False) as (channel, _):
            await channel.run()

    run_virtual(air())
    rendered, aired = digests(tmp_path / "rendered.mp4"), digests(tmp_path / "aired.mp4")
    assert len(rendered) > 150
    same = sum(one == other for one, other in zip(rendered, aired, strict=False))
    assert (len(aired), same) == (len(rendered), len(rendered))


PLAIN = """
title: Bulletin
language: en
segments:
  - {id: one, text: First comes the weather. It will rain.}
  - {id: two, text: Second comes the sport. We have won. Nobody lost.}
  - {id: three, text: Third comes the end.}
"""


def test_after_a_fall_the_show_goes_on_at_its_segment_and_the_log_is_whole(tmp_path: Path) -> None:
    script, state = tmp_path / "plain.yaml", tmp_path / "state"
    script.write_text(PLAIN)

    async def fall() -> str:
        async with on_air(script, loop=False, show=ShowConfig(state=state)) as (channel, listener):
            async with asyncio.TaskGroup() as tasks:
                running = tasks.create_task(channel.run())
                await after(channel, "sport", listener)
                running.cancel()
            return listener.words

    async def again() -> str:
        async with on_air(script, loop=False, show=ShowConfig(state=state)) as (channel, listener):
            await channel.run()
            return listener.words

    assert "First comes" in run_virtual(fall())
    words = run_virtual(again())
    assert words.startswith("Second comes the sport.") and words.rstrip().endswith("the end.")
    assert verify(state / "aired") == []


class Moody(FakeVoice):
    """Fails in another way at each sentence."""

    def __init__(self, ways: Sequence[str]) -> None:
        super().__init__(word_samples=SAMPLE_RATE // 4)
        self.info = replace(self.info, name="moody")
        self._ways = iter(ways)

    async def speak(self, sentence: Sentence) -> AsyncIterator[SpeechChunk]:
        way, clock = next(self._ways, "well"), LoopClock()
        async with closing(super().speak(sentence)) as chunks:
            number = 0
            async for chunk in chunks:
                number += 1
                match way:
                    case "hangs":
                        await asyncio.Event().wait()
                    case "resets":
                        raise VoiceError("the connection was reset")
                    case "gives nothing":
                        return
                    case "is silent":
                        yield SpeechChunk.silence(len(chunk.audio))
                        continue
                    case "drips":
                        yield SpeechChunk(chunk.audio[:480])
                        await clock.sleep_until(clock.now() + 0.5)
                        continue
                    case "breaks off" if number > 2:
                        raise OSError("reset")
                    case "stalls" if number > 2:
                        await asyncio.Event().wait()
                yield chunk


SENTENCES = ("One is the first of seven.", "Two is the next one here.", "Three is the third by now.",
             "Four is the fourth of all.", "Five is a prime of course.", "Six is not a prime at all.",
             "Seven is the last of them.")  # fmt: skip


def test_a_show_whose_voice_fails_in_every_way_loses_no_word_and_no_picture_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("anchor.pipeline.steadfast.REST", 0.0)
    script = tmp_path / "plain.yaml"
    script.write_text(f"language: en\nsegments:\n  - text: {' '.join(SENTENCES)}\n")
    ways = ("hangs", "resets", "gives nothing", "is silent", "drips", "breaks off", "stalls")

    async def air() -> None:
        voice = SteadfastVoice(Moody(ways), FakeVoice(frequency=330))
        async with on_air(script, voice, loop=False) as (channel, listener):
            await channel.run()
            beats = listener.beats
            assert [beat.index for beat in beats] == list(range(len(beats)))
            for sentence in SENTENCES:
                assert sentence in listener.words, "said whole, or from its beginning once more"
            spoken = [beat.index for beat in beats if np.abs(beat.audio).max() > 0.001]
            waits = np.diff(spoken) / channel.video.fps
            assert waits.max() <= 1.5
            moody, other = voice.states()
            assert moody.switches == len(ways) and other.sentences == len(ways)

    run_virtual(air())


def test_an_operator_is_told_which_voice_rests_and_who_speaks(tmp_path: Path) -> None:
    script = tmp_path / "plain.yaml"
    script.write_text(PLAIN)

    async def air() -> None:
        voice = SteadfastVoice(Moody(["hangs"]), FakeVoice())
        async with on_air(script, voice, loop=False) as (channel, listener), asyncio.TaskGroup() as tasks:
            running = tasks.create_task(channel.run())
            await after(channel, "weather", listener)
            assert channel.state().notice == "voice moody resting: gave no sound within 1 s; fake speaks"
            running.cancel()

    run_virtual(air())


def test_breaking_news_goes_in_at_the_sentence_end_and_the_rest_follows(tmp_path: Path) -> None:
    script = tmp_path / "plain.yaml"
    script.write_text(PLAIN)

    async def main() -> str:
        async with on_air(script, loop=False) as (channel, listener), asyncio.TaskGroup() as tasks:
            running = tasks.create_task(channel.run())
            await after(channel, "Second", listener)
            await channel.desk.breaking(Breaking("This just <emphasis>in</emphasis>: it works.", headline="News"))
            await running
            return listener.words

    words = run_virtual(main())
    assert words.index("sport.") < words.index("This just in: it works.") < words.index("We have won.")
    assert words.index("Nobody lost.") < words.index("Third")


def test_the_kill_switch_is_silent_at_once_and_shows_a_card_until_the_show_goes_on(tmp_path: Path) -> None:
    script = tmp_path / "plain.yaml"
    script.write_text(PLAIN)

    async def main() -> tuple[Listener, int]:
        clock = LoopClock()
        async with on_air(script, loop=False) as (channel, listener), asyncio.TaskGroup() as tasks:
            running = tasks.create_task(channel.run())
            await after(channel, "Second", listener)
            killed = len(listener.beats)
            await channel.desk.kill()
            await clock.sleep_until(clock.now() + 5)
            assert listener.silent(killed + 5), "within 200 ms"
            assert channel.performer.standing.slate
            with pytest.raises(CapacityError):
                await channel.say("Nobody hears this.")
            await channel.desk.go()
            await running
            return listener, killed

    listener, killed = run_virtual(main())
    assert "Second Second comes the sport." in listener.words, "what was cut is said again"
    dark = listener.beats[killed + 60].picture.y
    assert np.abs(dark[:, :200].astype(int) - dark[:, -200:].astype(int)).mean() < 25, "no anchor, only the card"


def test_an_edit_replaces_what_is_prepared_and_an_old_one_is_refused(tmp_path: Path) -> None:
    script = tmp_path / "plain.yaml"
    script.write_text(PLAIN)

    async def main() -> str:
        async with on_air(script, loop=False) as (channel, listener), asyncio.TaskGroup() as tasks:
            running = tasks.create_task(channel.run())
            await after(channel, "First", listener)
            order = channel.desk.order()
            document = json.loads(json.dumps(order.document))
            document["segments"][1]["text"] = "Second comes something new."
            with pytest.raises(RundownError):
                await channel.desk.edit({**document, "segments": [{"txt": "x"}]}, order.version)
            await channel.desk.edit(document, order.version)
            with pytest.raises(ConflictError):
                await channel.desk.edit(document, order.version)
            picture = await channel.desk.preview(document, 1)
            assert picture[:4] == b"RIFF" and len(picture) > 2000
            await running
            return listener.words

    words = run_virtual(main())
    assert "First comes the weather. It will rain." in words
    assert "something new." in words and "sport" not in words and "the end." in words
