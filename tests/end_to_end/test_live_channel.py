"""A live channel as `anchor serve` runs it, in virtual time: the real voice, driver, face and sink."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from anchor.app import Studio
from anchor.clock import LoopClock, run_virtual
from anchor.config import ChannelConfig, Config
from anchor.errors import CapacityError, ScriptError, VoiceError
from anchor.live import LONGEST_QUEUE, LiveChannel
from anchor.media import Beat, Look, Picture
from anchor.ports import Stage


@contextlib.asynccontextmanager
async def channel(**settings: object) -> AsyncIterator[LiveChannel]:
    config = ChannelConfig.model_validate({"name": "test", "size": "128x72", **settings})
    studio = Studio(Config(channels=(config,)))
    async with studio.on_air():
        await after(0.1)
        yield studio.live("test")


async def after(seconds: float) -> None:
    clock = LoopClock()
    await clock.sleep_until(clock.now() + seconds)


def listen(to: LiveChannel) -> list[Beat]:
    """Collect the beats that go to the channel's viewers."""
    beats: list[Beat] = []
    send = to.viewers.send

    async def also(beat: Beat) -> None:
        beats.append(beat)
        await send(beat)

    to.viewers.send = also  # type: ignore[method-assign]
    return beats


def test_what_is_asked_for_is_said_within_half_a_second() -> None:
    async def main() -> None:
        async with channel() as live:
            await after(1)
            beats = listen(live)
            await live.say("Hello there.")
            await after(0.5)
            assert any(beat.speaking for beat in beats)
            await after(2)
            assert "".join(word.text for beat in beats for word in beat.words) == "Hello there."

    run_virtual(main())


def test_cutting_in_stops_what_is_said_and_says_the_new(tmp_path: Path) -> None:
    async def main() -> None:
        script = tmp_path / "show.txt"
        script.write_text("This is a very long sentence that goes on and on until somebody cuts it off. " * 5)
        async with channel(scripts=(script,)) as live:
            await after(4)
            beats = listen(live)
            await live.say("Breaking.", interrupt=True)
            await after(1.0)
            heard = "".join(word.text for beat in beats for word in beat.words)
            assert "Breaking." in heard
            assert len(heard) < 30

    run_virtual(main())


def test_a_show_goes_round_in_two_languages(tmp_path: Path) -> None:
    async def main() -> None:
        script = tmp_path / "show.txt"
        script.write_text("Good evening.\n\n晚上好。\n", "utf-8")
        async with channel(scripts=(script,), pause=1.0) as live:
            beats = listen(live)
            await after(20)
            heard = "".join(word.text for beat in beats for word in beat.words)
            assert heard.count("Good evening.") >= 2
            assert heard.count("晚上好。") >= 2

    run_virtual(main())


class Stumbling:
    """A scene that cannot draw its first picture."""

    def __init__(self, scene: Stage) -> None:
        self._scene = scene
        self._falls = 1
        self.cast, self.base = scene.cast, scene.base
        self.prepare, self.settled, self.seconds = scene.prepare, scene.settled, scene.seconds

    def draw(self, look: Look) -> Picture:
        if self._falls:
            self._falls -= 1
            raise RuntimeError("no ink")
        return self._scene.draw(look)


def test_a_channel_that_falls_over_is_back_in_a_second_and_its_time_never_runs_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def main() -> list[Beat]:
        async with channel() as live:
            beats = listen(live)
            await after(1)
            live.stream._scene = Stumbling(live.stream._scene)
            live.performer.next = broken  # type: ignore[method-assign]
            await after(0.1)
            del live.performer.next
            await after(3)
            await live.say("Back again.")
            await after(3)
            return beats

    async def broken() -> None:
        raise RuntimeError("fell")

    beats = run_virtual(main())
    first = beats[0].index
    assert [beat.index for beat in beats] == list(range(first, first + len(beats)))
    assert "".join(word.text for beat in beats for word in beat.words) == "Back again."
    assert caplog.text.count("fell over") == 2, "once in the performer and once in the scene"


def test_what_cannot_be_said_is_refused_at_once() -> None:
    async def main() -> None:
        async with channel() as live:
            with pytest.raises(ScriptError, match="nothing to say"):
                await live.say("🎉")
            with pytest.raises(VoiceError, match="tlh"):
                await live.say("nuqneH", language="tlh")
            for _ in range(LONGEST_QUEUE):
                await live.say("Wait.")
            with pytest.raises(CapacityError):
                await live.say("One too many.")

    run_virtual(main())


def test_a_studio_leaves_no_task_and_no_process() -> None:
    async def main() -> None:
        before = asyncio.all_tasks()
        async with channel() as live:
            await live.say("Hello.")
            await after(1)
            voice = live.voice
        assert asyncio.all_tasks() == before
        assert voice.pids == ()  # type: ignore[attr-defined]

    run_virtual(main())
