import asyncio
import threading

import pytest

from anchor.clock import LoopClock, run_virtual
from anchor.media import Look, Picture
from anchor.pipeline.playout import Playout
from anchor.testing import FakeScene, StillLife
from tests.pipeline.stage import VIDEO, Stage, free_stage


def test_thirty_minutes_go_out_on_time_to_the_beat() -> None:
    async def main() -> None:
        stage = Stage()
        stage.sink.send = _dropping(stage)  # type: ignore[method-assign]
        async with stage.running():
            start = stage.clock.now()
            await stage.after(1800 - 0.01)
            assert stage.playout.counters.beats == 1800 * VIDEO.fps
            assert stage.playout.counters.late_pictures == 0
            assert stage.clock.now() - start == pytest.approx(1800, abs=0.05)

    run_virtual(main())


def _dropping(stage: Stage):  # type: ignore[no-untyped-def]
    async def send(beat: object) -> None:
        stage.scene.looks.clear()

    return send


def test_picture_and_sound_of_a_beat_belong_together() -> None:
    async def main() -> None:
        stage = free_stage()
        async with stage.performer.open():
            stage.say("alpha beta")
            beats = await stage.play()
        for beat in beats:
            assert (beat.picture.y[0, 0] > 60) == (float((beat.audio**2).mean()) > 0.01)

    run_virtual(main())


class SlowScene(FakeScene):
    """Draws each picture only when the test lets it."""

    def __init__(self) -> None:
        super().__init__(VIDEO)
        self.let = threading.Semaphore(0)

    def draw(self, look: Look) -> Picture:
        self.let.acquire(timeout=5)
        return super().draw(look)


def test_a_late_picture_repeats_the_one_before_and_the_sound_goes_on() -> None:
    async def main() -> None:
        stage = Stage(clock=LoopClock())
        scene = SlowScene()
        done = asyncio.Event()

        def seen(_: object) -> None:
            if len(stage.sink.beats) == 1:
                scene.let.release()  # the second picture, and none after it
            if len(stage.sink.beats) == 6:
                done.set()
                scene.let.release(1000)

        stage.sink._on_beat = seen
        playout = Playout(stage.performer, StillLife(), scene, [stage.sink], stage.clock)
        async with stage.performer.open(), asyncio.TaskGroup() as tasks:
            scene.let.release()
            running = tasks.create_task(playout.run())
            await asyncio.wait_for(done.wait(), 5)
            running.cancel()
        assert len(stage.sink.beats) >= 6, "beats went out while the drawing was stuck"
        assert playout.counters.late_pictures >= 3
        assert stage.sink.beats[4].picture is stage.sink.beats[3].picture

    asyncio.run(main())


def test_a_picture_that_cannot_be_drawn_does_not_end_the_stream(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        def before(number: int) -> None:
            if number == 3:
                stage.scene.looks.append(Look(StillLife().frame(False)))
                raise ValueError("no ink")

        stage = Stage()
        stage.scene._before = before
        async with stage.running():
            await stage.after(1.0)
        assert len(stage.sink.beats) >= 25
        assert stage.playout.counters.late_pictures == 1

    run_virtual(main())
    assert "could not be drawn" in caplog.text


def test_after_standing_still_the_stream_goes_on_without_a_burst() -> None:
    class Stumbling(LoopClock):
        async def sleep_until(self, deadline: float) -> None:
            if 1.0 < deadline < 1.05:
                deadline += 5.0
            await super().sleep_until(deadline)

    async def main() -> None:
        stage = Stage(clock=Stumbling())
        async with stage.running():
            await LoopClock().sleep_until(8.0)
        assert stage.playout.counters.slips == 1
        assert len(stage.sink.beats) == pytest.approx(3 * VIDEO.fps, abs=3)

    run_virtual(main())
