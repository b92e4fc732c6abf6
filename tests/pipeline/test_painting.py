"""Patches are asked for ahead, over the picture they will be shown on, and never hold up the stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from anchor.clock import Clock, FreeClock, LoopClock, run_virtual
from anchor.errors import LateError, ModelError
from anchor.media import SAMPLE_RATE, Blendshapes, DrawnFace, FaceFrame, MouthPatch, PatchedFace, VideoFormat
from anchor.pipeline.painting import Painting
from anchor.ports import DriverInfo, SpeechChunk
from anchor.testing import FakeDriver, FakeScene

VIDEO = VideoFormat(64, 64, 25)
BEAT = 0.04


class SlowPainter:
    """Paints a grey of the cue's number in `seconds`; a number in `fails` raises."""

    def __init__(self, clock: Clock, seconds: float = 0.0, fails: tuple[object, ...] = ()) -> None:
        self.clock, self.seconds, self.fails = clock, seconds, fails
        self.asked: list[tuple[object, int]] = []
        self.cancelled = 0

    async def paint(self, cue: object, base: int, *, deadline: float) -> MouthPatch:
        self.asked.append((cue, base))
        try:
            await self.clock.sleep_until(self.clock.now() + self.seconds)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if cue in self.fails:
            raise ModelError("net.onnx: failed")
        if self.clock.live and self.clock.now() > deadline:
            raise LateError("late")
        grey = np.full((4, 4, 3), cue, np.uint8)
        return MouthPatch(grey, grey[..., 0], np.eye(2, 3, dtype=np.float32), base)


def cued(*cues: int | None) -> list[Blendshapes]:
    return [Blendshapes(cue=cue) for cue in cues]


async def shown(
    clock: Clock, painter: SlowPainter, faces: list[Blendshapes], *, ahead: int = 4
) -> tuple[Painting, list[DrawnFace]]:
    """Play faces a beat apart, each with `ahead` of the next in sight."""
    scene = FakeScene(VIDEO)
    painting = Painting(VIDEO, clock, scene, painter)
    found: list[DrawnFace] = []
    start = clock.now() + 2 * BEAT
    async with painting.open():
        for index in range(len(faces)):
            painting.ahead(faces[index : index + 1 + ahead], start + index * BEAT)
            found.append(await painting.face(faces[index]))
            scene.looks.append(None)  # type: ignore[arg-type]
            await clock.sleep_until(start + index * BEAT)
    return painting, found


def strengths(faces: list[DrawnFace]) -> list[float]:
    return [face.strength if isinstance(face, PatchedFace) else 0.0 for face in faces]


def test_patches_fade_in_within_80_ms_and_out_in_silence() -> None:
    async def main() -> None:
        clock = LoopClock()
        faces = cued(None, 1, 2, 3, 4, None, None, None)
        painting, found = await shown(clock, SlowPainter(clock), faces)
        assert strengths(found) == [0, 0.5, 1, 1, 1, 0.5, 0, 0]
        assert painting.counters.painted == 4
        assert painting.counters.late == painting.counters.failed == 0

    run_virtual(main())


def test_each_patch_is_painted_once_over_the_picture_it_is_shown_on() -> None:
    async def main() -> None:
        clock = LoopClock()
        painter = SlowPainter(clock)
        _, found = await shown(clock, painter, cued(10, 11, 12, 13, 14, 15))
        assert painter.asked == [(10 + index, index) for index in range(6)]
        assert [face.mouth.base for face in found if isinstance(face, PatchedFace)] == list(range(6))

    run_virtual(main())


def test_a_painter_that_takes_two_beats_is_in_time_because_it_is_asked_ahead() -> None:
    async def main() -> None:
        clock = LoopClock()
        painting, found = await shown(clock, SlowPainter(clock, 1.8 * BEAT), cued(*[None] * 4, *range(1, 9)))
        assert painting.counters.late == 0
        assert strengths(found)[4:7] == [0.5, 1, 1]

    run_virtual(main())


def test_an_overrun_falls_back_within_80_ms_and_comes_back() -> None:
    async def main() -> None:
        clock = LoopClock()
        painter = SlowPainter(clock)
        faces = cued(*range(1, 21))

        class Stumbling(SlowPainter):
            async def paint(self, cue: object, base: int, *, deadline: float) -> MouthPatch:
                self.seconds = 1.0 if cue in (8, 9, 10) else 0.0
                return await super().paint(cue, base, deadline=deadline)

        painter = Stumbling(clock)
        painting, found = await shown(clock, painter, faces)
        assert strengths(found) == [0.5, *[1.0] * 6, 0.5, 0.0, 0.0, 0.5, *[1.0] * 9]
        assert painting.counters.late == 3
        assert painter.cancelled == 3
        # While it fades out, the last patch that was there is seen.
        faded = found[7]
        assert isinstance(faded, PatchedFace)
        assert faded.mouth.pixels[0, 0, 0] == 7
        assert faded.face is faces[7]

    run_virtual(main())


def test_a_model_that_fails_ends_the_patches_and_not_the_stream() -> None:
    async def main() -> None:
        clock = LoopClock()
        painting, found = await shown(clock, SlowPainter(clock, fails=(3, 4, 5)), cued(1, 2, 3, 4, 5, 6))
        assert strengths(found) == [0.5, 1, 0.5, 0, 0, 0.5]
        assert painting.counters.failed == 3

    run_virtual(main())


def test_a_file_waits_for_every_patch_and_fails_with_the_model() -> None:
    async def main() -> None:
        clock = FreeClock()
        _, found = await shown(clock, SlowPainter(clock, 5.0), cued(*range(1, 6)))
        assert strengths(found) == [0.5, 1, 1, 1, 1]
        with pytest.raises(ModelError, match=r"net\.onnx: failed"):
            await shown(clock, SlowPainter(clock, fails=(3,)), cued(1, 2, 3, 4))

    run_virtual(main())


def test_what_will_not_be_shown_is_dropped() -> None:
    async def main() -> None:
        clock = LoopClock()
        painter = SlowPainter(clock, 10.0)
        painting = Painting(VIDEO, clock, FakeScene(VIDEO), painter)
        async with painting.open():
            painting.ahead(cued(1, 2, 3), clock.now() + BEAT)
            await clock.sleep_until(clock.now() + 0.01)
            painting.ahead([], clock.now() + BEAT)
            await clock.sleep_until(clock.now() + 0.01)
            assert painter.cancelled == 3

    run_virtual(main())


def test_another_avatar_never_wears_the_mouth_of_the_one_before() -> None:
    async def main() -> None:
        clock = LoopClock()
        old, new = SlowPainter(clock), SlowPainter(clock)
        painting = Painting(VIDEO, clock, FakeScene(VIDEO), old)
        faces = cued(1, 2, 3, 4, 5)
        async with painting.open():
            for index in range(2):
                painting.ahead(faces[index : index + 3], clock.now() + BEAT)
                await painting.face(faces[index])
            painting.exchange(new)
            painting.ahead(faces[2:], clock.now() + BEAT)
            found = await painting.face(faces[2])
        assert strengths([found]) == [0.5]
        assert [cue for cue, _ in new.asked] == [3, 4, 5]
        painting.exchange(None)
        assert await painting.face(faces[3]) is faces[3]

    run_virtual(main())


def test_a_performer_whose_mouth_is_shown_takes_the_patch_away() -> None:
    async def main() -> None:
        clock = FreeClock()
        painting = Painting(VIDEO, clock, FakeScene(VIDEO), SlowPainter(clock))
        faces, other = cued(1, 2, 3, 4), Blendshapes(breath=1.0)
        found: list[DrawnFace] = []
        async with painting.open():
            for face, theirs in zip(faces, (0.0, 0.0, 0.25, 1.0), strict=True):
                painting.ahead([face], 0.0)
                found.append(await painting.face(face, other, theirs=theirs))
        assert strengths(found) == [0.5, 1.0, 0.75, 0.0]
        assert all(one is other or (isinstance(one, PatchedFace) and one.face is other) for one in found)

    run_virtual(main())


def test_without_a_painter_lips_go_by_numbers() -> None:
    async def main() -> None:
        clock = LoopClock()
        painting = Painting(VIDEO, clock, FakeScene(VIDEO))
        async with painting.open():
            [face] = cued(1)
            painting.ahead([face], clock.now())
            assert await painting.face(face) is face

    run_virtual(main())


class CuedDriver(FakeDriver):
    """Blendshapes of the loudness, with the number of the beat as cue."""

    info = DriverInfo("cued", "patch", 0.0)

    async def drive(self, speech: AsyncIterable[SpeechChunk], fps: int) -> AsyncIterator[FaceFrame]:
        number = 0
        async for face in super().drive(speech, fps):
            number += 1
            yield replace(face, cue=number if face["jawOpen"] > 0 else None)


def test_a_stream_asks_for_patches_over_the_footage_that_it_shows() -> None:
    """From text to pictures: what is asked for is what is shown, at the place where it is shown."""
    from anchor.pipeline.performer import Performer
    from anchor.pipeline.playout import Playout
    from anchor.pipeline.utterance import Utterance
    from anchor.testing import FakeVoice, StillLife

    class Counting(FakeScene):
        def draw(self, look: Any) -> Any:
            picture = super().draw(look)
            if isinstance(look.face, PatchedFace) and look.face.strength == 1:
                drawn.append((len(self.looks) - 1, look.face.mouth.base))
            return picture

    drawn: list[tuple[int, int]] = []

    async def main() -> None:
        clock = FreeClock()
        scene, performer = Counting(VIDEO), Performer(CuedDriver(), VIDEO, clock, head_beats=5, tail_beats=5)
        painter = SlowPainter(clock)
        painting = Painting(VIDEO, clock, scene, painter)
        async with performer.open():
            performer.perform(Utterance("one two three", "en", FakeVoice(word_samples=SAMPLE_RATE // 4)))
            performer.finish()
            await Playout(performer, StillLife(), scene, [], clock, painting=painting).run()
        assert len(drawn) > 10
        assert all(beat == base for beat, base in drawn)

    run_virtual(main())
