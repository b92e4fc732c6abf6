"""A program and its outputs: what one of them does, the others do not notice."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import av
import pytest

from anchor.clock import LoopClock
from anchor.config import OutputConfig
from anchor.errors import ConfigError, MissingError, OutputError, RefusedError
from anchor.events import Caption
from anchor.media import Beat, VideoFormat
from anchor.onair import OutputInfo
from streaming.outputs import open_program
from streaming.packets import Cue, Header, Packet
from streaming.profiles import PROFILES
from streaming.program import DeviceTarget, Program, Target
from tests.streaming.beats import beat

VIDEO = VideoFormat(64, 64, 25)
LIVE = PROFILES["live"]


class Kept:
    """A place that keeps what is written to it; one object for all connections."""

    def __init__(self) -> None:
        self.headers: list[Header] = []
        self.packets: list[Packet] = []
        self.cues: list[Cue] = []
        self.finished = 0
        self.closed = 0

    def __call__(self) -> Kept:
        return self

    def open(self, header: Header) -> None:
        self.headers.append(header)

    def write(self, packet: Packet) -> None:
        self.packets.append(packet)

    def caption(self, cue: Cue) -> None:
        self.cues.append(cue)

    def finish(self) -> None:
        self.finished += 1

    def close(self) -> None:
        self.closed += 1

    @property
    def beats(self) -> list[int]:
        return [packet.pts // VIDEO.ticks_per_beat for packet in self.packets if packet.kind == "video"]


class Stuck(Kept):
    """Takes a few packets and then hangs until it is closed from another thread."""

    def __init__(self) -> None:
        super().__init__()
        self.woken = threading.Event()

    def write(self, packet: Packet) -> None:
        super().write(packet)
        if len(self.packets) > 20:
            self.woken.wait()
            raise OutputError("aborted")

    def close(self) -> None:
        super().close()
        self.woken.set()


class Slow(Kept):
    """Takes a few packets, and the next only when it is woken."""

    def __init__(self) -> None:
        super().__init__()
        self.woken = threading.Event()

    def write(self, packet: Packet) -> None:
        if len(self.packets) == 20:
            self.woken.wait()
        super().write(packet)


class Falling(Kept):
    """Fails at its tenth packet, the first time."""

    def write(self, packet: Packet) -> None:
        if len(self.packets) == 10 and len(self.headers) == 1:
            raise OutputError("the cable was pulled")
        super().write(packet)


class Refusing(Kept):
    def open(self, header: Header) -> None:
        raise RefusedError("wrong key")


def target(name: str, place: Kept, *, start: bool = True, kind: str = "test") -> Target:
    return Target(name, kind, f"{kind}:{name}", LIVE, place, start)


def info(program: Program, name: str) -> OutputInfo:
    return next(found for found in program.outputs() if found.name == name)


async def paced(program: Program, beats: Sequence[Beat], each: Callable[[int], None] = lambda index: None) -> float:
    """Send beats at four times their pace; the longest that `send` took."""
    clock = LoopClock()
    start, longest = clock.now(), 0.0
    for place, shot in enumerate(beats):
        await clock.sleep_until(start + place / 100)
        began = clock.now()
        await program.send(shot)
        longest = max(longest, clock.now() - began)
        each(place)
    return longest


def beats(count: int, first: int = 0) -> list[Beat]:
    return [beat(VIDEO, index) for index in range(first, first + count)]


def test_every_output_gets_every_beat_from_one_encode() -> None:
    one, two = Kept(), Kept()

    async def main() -> Program:
        async with Program(VIDEO, [target("one", one), target("two", two)], live=False) as program:
            for shot in beats(120):
                await program.send(shot)
        return program

    program = asyncio.run(main())
    assert one.beats == two.beats == list(range(120))
    assert one.packets == two.packets
    assert (one.finished, info(program, "one").state) == (1, "stopped")
    assert [encoded.beats for encoded in program.encoded()] == [120]


def test_a_stuck_output_holds_up_neither_the_program_nor_another_output() -> None:
    stuck, kept = Stuck(), Kept()

    async def main() -> tuple[Program, float]:
        async with Program(VIDEO, [target("stuck", stuck, kind="rtmp"), target("kept", kept)]) as program:
            longest = await paced(program, beats(300))
            assert info(program, "stuck").dropped >= 100
            stuck.close()
        return program, longest

    program, longest = asyncio.run(main())
    assert longest < 0.5
    (encoded,) = program.encoded()
    assert encoded.blocked_seconds_max < 0.5
    # A machine that is busy with other things may leave pictures out before they are encoded, none after.
    assert len(kept.beats) == encoded.beats == 300 - encoded.dropped
    assert info(program, "kept").dropped == 0


def test_an_output_that_was_too_slow_goes_on_with_a_keyframe() -> None:
    slow = Slow()

    async def main() -> OutputInfo:
        async with Program(VIDEO, [target("slow", slow, kind="rtmp")]) as program:

            def each(place: int) -> None:
                if info(program, "slow").dropped > 20:
                    slow.woken.set()

            for first in range(0, 3000, 50):
                await paced(program, beats(50, first), each)
                if slow.woken.is_set() and len(slow.packets) > 200:
                    break
            return info(program, "slow")

    found = asyncio.run(main())
    after = [packet for packet in slow.packets[21:] if packet.kind == "video"]
    assert after[0].keyframe
    assert [packet.pts for packet in slow.packets if packet.kind == "video"] == sorted(
        {packet.pts for packet in slow.packets if packet.kind == "video"}
    )
    assert (found.attempts, len(slow.headers)) == (1, 1)


def test_an_output_that_fell_is_back_at_once_with_a_keyframe_of_its_own() -> None:
    falling, kept = Falling(), Kept()

    async def main() -> tuple[OutputInfo, Program]:
        async with Program(VIDEO, [target("falling", falling), target("kept", kept)]) as program:
            await paced(program, beats(130))
            return info(program, "falling"), program

    found, program = asyncio.run(main())
    beats_encoded = program.encoded()[0].beats
    again = falling.packets[10:]
    assert again[0].keyframe
    assert again[0].pts % (50 * VIDEO.ticks_per_beat)  # not one of the regular ones
    assert (found.attempts, found.state, found.problem) == (2, "live", "")
    assert len(kept.beats) == beats_encoded


def test_who_refuses_is_shown_as_failed() -> None:
    async def main() -> OutputInfo:
        async with Program(VIDEO, [target("refusing", Refusing())]) as program:
            await paced(program, beats(60))
            return info(program, "refusing")

    found = asyncio.run(main())
    assert (found.state, found.problem, found.attempts) == ("failed", "wrong key", 1)


def test_nothing_is_encoded_while_no_output_is_started_and_one_started_later_begins_with_a_keyframe() -> None:
    late = Kept()

    async def main() -> Program:
        async with Program(VIDEO, [target("late", late, start=False)]) as program:
            await paced(program, beats(60))
            assert program.encoded()[0].beats == 0
            assert info(program, "late").state == "stopped"
            await program.start("late")
            await paced(program, beats(60, 60))
            await program.stop("late")
            await paced(program, beats(30, 120))
            assert info(program, "late").state == "stopped"
            await program.start("late")
            await paced(program, beats(30, 150))
        return program

    program = asyncio.run(main())
    assert program.encoded()[0].beats < 95
    assert len(late.headers) == late.finished == 2
    assert late.packets[0].keyframe
    assert late.beats[0] in range(60, 64)
    assert late.beats[-1] == 179


def test_an_output_that_joins_a_running_encode_waits_for_no_regular_keyframe() -> None:
    one, late = Kept(), Kept()

    async def main() -> None:
        async with Program(VIDEO, [target("one", one), target("late", late, start=False)]) as program:
            await paced(program, beats(85))
            await program.start("late")
            await paced(program, beats(40, 85))

    asyncio.run(main())
    assert late.packets[0].keyframe
    assert late.beats[0] not in (50, 100)
    assert one.beats[-1] == late.beats[-1] == 124


def test_an_unknown_output_is_a_key_error() -> None:
    async def main() -> None:
        async with Program(VIDEO, []) as program:
            await program.send(beat(VIDEO, 0))
            with pytest.raises(KeyError):
                await program.start("nobody")
            with pytest.raises(KeyError):
                await program.stop("nobody")

    asyncio.run(main())


def test_captions_come_with_the_picture_that_shows_them_first() -> None:
    kept, late = Kept(), Kept()
    one, two = Caption(("One.",), 0, 0), Caption(("Two.",), 0, 0)
    shown = [None] * 10 + [one] * 30 + [two] * 40 + [None] * 20
    shots = [replace(shot, caption=caption) for shot, caption in zip(beats(100), shown, strict=True)]

    async def main() -> None:
        async with Program(VIDEO, [target("kept", kept), target("late", late, start=False)], live=False) as program:
            for shot in shots[:60]:
                await program.send(shot)
            await program.start("late")
            for shot in shots[60:]:
                await program.send(shot)

    asyncio.run(main())
    assert kept.cues == [Cue(10, one), Cue(40, two), Cue(80, None)]
    assert late.cues[0] == Cue(40, two)


def test_two_outputs_of_one_name_or_place_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="two outputs are named 'one'"):
        Program(VIDEO, [target("one", Kept()), target("one", Kept())])
    wish = OutputConfig(to=f"file:{tmp_path / 'a.mp4'}")
    with pytest.raises(ConfigError, match="two outputs go to file:"):
        open_program(VIDEO, [wish, wish])


def test_outputs_without_a_name_are_named_after_their_kind() -> None:
    wishes = [OutputConfig(to=f"rtmp://example.org/live/{key}", start=False) for key in "abc"]
    wishes += [OutputConfig(to="camera:/dev/video9", start=False)]

    async def main() -> Sequence[OutputInfo]:
        async with open_program(VIDEO, wishes) as program:
            return program.outputs()

    assert [found.name for found in asyncio.run(main())] == ["rtmp", "rtmp-2", "rtmp-3", "camera"]


def test_a_kind_that_is_no_output_of_a_program_is_missing() -> None:
    with pytest.raises(MissingError, match="kind 'whip'"):
        open_program(VIDEO, [OutputConfig(to="whip+https://example.org/whip/key")])


def test_a_folder_of_hls_has_every_picture(tmp_path: Path) -> None:
    async def main() -> None:
        async with open_program(VIDEO, [OutputConfig(to=f"hls:{tmp_path / 'hls'}")], live=False) as program:
            for shot in beats(160):
                await program.send(shot)

    asyncio.run(main())
    with av.open(str(tmp_path / "hls" / "media.m3u8")) as container:
        assert len([frame.pts for frame in container.decode(video=0)]) == 160


def test_a_camera_that_is_not_there_says_what_to_do() -> None:
    async def main() -> OutputInfo:
        async with open_program(VIDEO, [OutputConfig(to="camera:/dev/video98")]) as program:
            await paced(program, beats(40))
            return info(program, "camera")

    found = asyncio.run(main())
    assert found.state == "failed"
    assert "modprobe v4l2loopback" in found.problem or "pip install" in found.problem


class Screen:
    """A device that keeps the beats it has shown."""

    def __init__(self) -> None:
        self.shown: list[int] = []

    def open(self, video: VideoFormat) -> None:
        assert video == VIDEO

    def show(self, beat: Beat) -> None:
        self.shown.append(beat.index)

    def close(self) -> None: ...


def test_a_device_shows_the_beats_as_they_are() -> None:
    screen = Screen()

    async def main() -> None:
        async with Program(VIDEO, [DeviceTarget("screen", "camera", "camera:x", lambda: screen)]) as program:
            await paced(program, beats(50))

    asyncio.run(main())
    assert screen.shown == sorted(set(screen.shown))
    assert len(screen.shown) >= 45
