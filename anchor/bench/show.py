"""A show that runs for days, in virtual time: nothing is lost, nothing drifts, nothing grows; and breaking news."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import random
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from anchor.bench.measure import Figure, Tell, resident_mib
from anchor.broadcast.aired import verify
from anchor.broadcast.run import Rundown
from anchor.broadcast.schedule import Schedule, Slot
from anchor.broadcast.script import Script, Segment
from anchor.broadcast.show import Show
from anchor.clock import LoopClock, VirtualLoop
from anchor.media import SAMPLE_RATE, Beat, VideoFormat
from anchor.onair import Breaking
from anchor.pipeline.performer import Performer
from anchor.pipeline.playout import Playout
from anchor.pipeline.utterance import Utterance
from anchor.testing import FakeDriver, FakeScene, FakeVoice, StillLife

T = TypeVar("T")

HOURS = 72.0
ZONE = "Europe/Berlin"
BEGIN = "2026-03-28T06:20:00+01:00"
"""In these 72 hours clocks go forward."""
SLOW, USUAL = VideoFormat(64, 64, 5), VideoFormat(64, 64, 25)
SEGMENTS = 120
BREAKING_SECONDS = 1200.0
"""Between two breaking news, on average."""
STEP_SECONDS = 4 * 3600.0
"""Between two steps of the wall clock, a minute forward or back."""
WARM_HOURS = 6.0
NEWS = 60


async def measure(tell: Tell, *, hours: float = HOURS) -> list[Figure]:
    tell(f"a show of {hours:g} hours in virtual time")
    days = await asyncio.to_thread(_virtually, lambda: _days(hours, tell))
    tell("breaking news")
    late = await asyncio.to_thread(_virtually, _breaking)
    return [*days, Figure("news_after_the_sentence_end_max", max(late) * 1000, "ms", 2000)]


class _InlineLoop(VirtualLoop):
    """Virtual time in which jobs run at once: a picture of four bytes needs no thread."""

    def run_in_executor(  # type: ignore[override]
        self, executor: concurrent.futures.Executor | None, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        future: asyncio.Future[T] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:
            future.set_exception(error)
        return future


def _virtually(main: Callable[[], Any]) -> Any:
    with asyncio.Runner(loop_factory=_InlineLoop) as runner:
        return runner.run(main())


class _Scene(FakeScene):
    """Draws as ever and remembers nothing."""

    def draw(self, look: Any) -> Any:
        self.looks.clear()
        return super().draw(look)


@dataclass
class _Watcher:
    """A sink that notes how late beats are and the first word of every segment."""

    video: VideoFormat
    begun: list[str] = field(default_factory=list)
    beats: int = 0
    drift: float = 0.0
    start: float | None = None
    speaking: Callable[[Beat], None] | None = None

    async def send(self, beat: Beat) -> None:
        now = asyncio.get_running_loop().time()
        self.start = now if self.start is None else self.start
        self.drift = max(self.drift, abs(now - self.start - beat.index * self.video.seconds_per_beat))
        self.beats += 1
        self.begun += [text.strip() for text in (word.text for word in beat.words) if text[0] in "SHF"]
        if self.speaking is not None:
            self.speaking(beat)

    async def __aenter__(self) -> _Watcher:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass


@contextlib.asynccontextmanager
async def _on_air(video: VideoFormat, **options: Any) -> AsyncIterator[tuple[Show, Performer, _Watcher]]:
    clock = LoopClock()
    # Words of a second: as many beats, and fewer objects.
    voice = FakeVoice(word_samples=SAMPLE_RATE if video is SLOW else SAMPLE_RATE // 5)
    performer = Performer(FakeDriver(), video, clock)

    async def utter(segment: Segment, pause: float) -> Utterance:
        voice.spoken.clear()
        return Utterance(segment.text, segment.language, voice, pause=pause, lead=5)

    show = Show(performer, utter, clock, **options)
    watcher = _Watcher(video)
    playout = Playout(performer, StillLife(), _Scene(video), [watcher], clock)
    async with performer.open(), asyncio.TaskGroup() as tasks:
        playing = tasks.create_task(playout.run())
        running = tasks.create_task(show.run())
        yield show, performer, watcher
        running.cancel()
        playing.cancel()


def _rundown(name: str, *texts: str) -> Rundown:
    segments = [Segment(text, "en", id=text.split()[0]) for text in texts]
    return Rundown(name, Script(name, tuple(segments)), {"segments": list(texts)})


async def _days(hours: float, tell: Tell) -> list[Figure]:
    """A looping show with an hourly bulletin that cuts in, breaking news, and a wall clock that is set."""
    program = _rundown("program", *(f"S{n} " + "One two three four. " * (1 + n % 6) for n in range(SEGMENTS)))
    hourly = _rundown("hourly", *(f"H{n} one two three." for n in range(4)))
    slot = Slot("0 * * * *", hourly, ZONE, cut_in=True)
    loop, chance = asyncio.get_running_loop(), random.Random(3)
    epoch, step = datetime.fromisoformat(BEGIN).timestamp() - loop.time(), 0.0
    news, memory, tasks = 0, [], []
    with _scratch() as state:
        options: dict[str, Any] = {
            "rundowns": [program], "slots": [slot], "pause": 20.0, "state": state,
            "wall": lambda: epoch + loop.time() + step,
        }  # fmt: skip
        async with _on_air(SLOW, **options) as (show, _, watcher):
            end, hour, news_at, step_at = loop.time() + hours * 3600, 0, BREAKING_SECONDS, STEP_SECONDS
            while loop.time() < end:
                await _after(10.0)
                if loop.time() >= news_at:
                    news_at = loop.time() + chance.expovariate(1 / BREAKING_SECONDS)
                    await show.breaking(Breaking(f"F{news} flash news."))
                    news += 1
                if loop.time() >= step_at:
                    step_at, step = loop.time() + STEP_SECONDS, chance.choice((-60.0, 0.0, 60.0))
                if loop.time() >= (hour + 1) * 3600:
                    hour += 1
                    memory.append(resident_mib())
                    tasks.append(len(asyncio.all_tasks()))
                    if hour % 12 == 0:
                        tell(f"{hour} h, {memory[-1]:.0f} MiB")
            step = 0.0
            await show.hold()
            await _after(120.0)
        chain = len(verify(state / "aired"))
    first = datetime.fromisoformat(BEGIN).timestamp()
    reference = Schedule([slot], first)
    expected = sum(len(reference.due(first + second)) for second in range(0, round(hours * 3600), 60))
    return [
        Figure("hours_in_virtual_time", watcher.beats * SLOW.seconds_per_beat / 3600, "h"),
        Figure("segments_lost_or_repeated_max", _wrong(watcher.begun, expected, news), "segments", 0),
        Figure("beats_against_the_clock_max", watcher.drift * 1000, "ms", 20),
        Figure("memory_growth_max", _slope(memory[round(min(WARM_HOURS, hours / 2)) :]), "MB/h", 1),
        Figure("tasks_more_at_the_end_max", min(tasks[-6:]) - min(tasks[:6]), "tasks", 0),
        Figure("log_lines_that_do_not_verify_max", chain, "lines", 0),
    ]


@contextlib.contextmanager
def _scratch() -> Iterator[Path]:
    """A folder in memory where there is such a thing: the disk is not what is measured."""
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None) as folder:
        yield Path(folder)


async def _after(seconds: float) -> None:
    clock = LoopClock()
    await clock.sleep_until(clock.now() + seconds)


def _wrong(begun: list[str], bulletins: int, news: int) -> int:
    """How many segments are missing, twice or out of turn."""
    own = [int(word[1:]) for word in begun if word[0] == "S"]
    hourly = [word for word in begun if word[0] == "H"]
    flashes = [word for word in begun if word[0] == "F"]
    wrong = sum(number != place % SEGMENTS for place, number in enumerate(own))
    wrong += sum(word != f"H{place % 4}" for place, word in enumerate(hourly)) + abs(len(hourly) - 4 * bulletins)
    return wrong + sum(word != f"F{place}" for place, word in enumerate(flashes)) + abs(len(flashes) - news)


def _slope(values: list[float]) -> float:
    """Of a line through values an hour apart."""
    middle = (len(values) - 1) / 2
    spread = sum((place - middle) ** 2 for place in range(len(values)))
    mean = sum(values) / len(values)
    return sum((place - middle) * (value - mean) for place, value in enumerate(values)) / spread if spread else 0.0


async def _breaking(count: int = NEWS) -> list[float]:
    """Seconds from the end of the sentence in which news was typed to its first word, for news typed at any moment."""
    chance = random.Random(5)
    loop = asyncio.get_running_loop()
    program = _rundown("program", *(f"S{n} one two three four five. " * 4 for n in range(40)))
    late: list[float] = []
    async with _on_air(USUAL, rundowns=[program], loop=True) as (show, performer, watcher):
        ended: list[float] = []
        began: list[float] = []

        def note(beat: Beat) -> None:
            if any(word.text.strip().endswith(".") and word.text[0] != "F" for word in beat.words):
                ended.append(loop.time())
            news = performer.on_air is not None and str(performer.on_air.utterance.text).startswith("F")
            if news and beat.speaking and len(began) <= len(late):
                began.append(loop.time())

        watcher.speaking = note
        for number in range(count):
            await _after(chance.uniform(4, 12))
            typed = loop.time()
            await show.breaking(Breaking(f"F{number} flash."))
            await _after(6)
            after = next(moment for moment in ended if moment >= typed)
            late.append(began[-1] - after)
    return late
