"""One anchor on one stream: who is shown, what is said, and the gate through which it leaves."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from anchor.clock import Clock
from anchor.errors import AnchorError, AvatarError, ConfigError, VoiceError
from anchor.events import Mood
from anchor.media import Beat, LipSource, VideoFormat
from anchor.metrics import Metrics
from anchor.pipeline.acting import Actor
from anchor.pipeline.idle import Life
from anchor.pipeline.manner import Manner
from anchor.pipeline.painting import Painting
from anchor.pipeline.performer import Performer
from anchor.pipeline.playout import Playout
from anchor.pipeline.utterance import Performance
from anchor.ports import Avatar, AvatarEntry, ConsentWatch, Driver, SharesNetworks, Shelf, Sink, Stage
from anchor.selftest import fit, painter_for

log = logging.getLogger(__name__)

RESTART_SECONDS = 1.0

CONSENT_SECONDS = 0.25
"""How often a stream looks whether its avatar may still be shown: revoking stops output within a second."""


def check_pair(avatar: Avatar, driver: Driver) -> None:
    """Raise `ConfigError` for an avatar that cannot be moved by this driver."""
    if driver.info.produces in avatar.info.accepts:
        return
    mend = "; choose an avatar made from a clip or a photo" if driver.info.produces == "patch" else ""
    raise ConfigError(
        f"avatar {avatar.info.name!r} is driven by {' and '.join(avatar.info.accepts)}, "
        f"but driver {driver.info.name!r} produces {driver.info.produces}{mend}"
    )


@dataclass(slots=True)
class _Told:
    """What the gauges of a channel have been told of one stream already."""

    late_pictures: int = 0
    late_faces: int = 0
    starved: int = 0
    slips: int = 0


class AnchorStream:
    """An anchor that is shown, moved and heard on the beats that go to its sinks.

    `name` is its channel's, under which it is counted; `seed` makes its idle life its own. `on_beat` and `on_end` are
    told of every beat that leaves and every utterance that has ended.
    """

    def __init__(
        self,
        name: str,
        *,
        entry: AvatarEntry,
        avatar: Avatar,
        shelf: Shelf,
        driver: Driver,
        scene: Stage,
        video: VideoFormat,
        sinks: Sequence[Sink],
        clock: Clock,
        metrics: Metrics,
        mood: Mood = "neutral",
        seed: int = 0,
        burn_captions: bool = False,
        actor: Actor | None = None,
        on_beat: Callable[[Beat], None] | None = None,
        on_end: Callable[[Performance], None] | None = None,
        time_of_day: Callable[[int], str] | None = None,
        head_beats: int = 0,
        tail_beats: int = 0,
    ) -> None:
        self.name = name
        self.video = video
        self.driver = driver
        self.avatar: Avatar | None = avatar
        self.notice = ""
        """Why an avatar was taken off air, until another is chosen."""
        self.manner = Manner(video.fps, mood)
        self.playout: Playout | None = None
        self.lips: LipSource = ""
        """What the mouth was last made from."""
        self.performer = Performer(
            driver, video, clock, on_end=self._ended, head_beats=head_beats, tail_beats=tail_beats,
            mood=lambda: self.manner.mood,
        )  # fmt: skip
        self._on_beat, self._on_end, self._time_of_day = on_beat, on_end, time_of_day
        self._shelf = shelf
        self._consent = shelf.watch(entry)
        self._casting = asyncio.Lock()
        self._scene, self._sinks, self._clock, self._metrics = scene, sinks, clock, metrics
        self._painting = Painting(video, clock, scene)
        self._actor, self._seed, self._burn_captions = actor, seed, burn_captions
        self.opened = asyncio.Event()
        """Set when something can be said."""
        self._room = contextlib.AsyncExitStack()
        self._beats = 0
        self._told = _Told()

    async def prepare(self, *, tested: bool = False) -> None:
        """Make the driver ready for the avatar, and take room on the networks that it shares.

        `tested`: the two have passed the self-test together.

        Raises `ModelError` for a driver that does not pass its self-test, `CapacityError` where there is no room left.
        """
        if self.avatar is not None:
            self._painting.exchange(await (painter_for if tested else fit)(self.driver, self.avatar))
        if isinstance(self.driver, SharesNetworks):
            await self._room.enter_async_context(self.driver.session(self.video.fps))

    async def release(self) -> None:
        """Give the room back."""
        await self._room.aclose()

    async def run(self, *companions: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Stay on air until the performer has finished, with `companions` at its side.

        A defect costs a second, not the stream.
        """
        while True:
            try:
                return await self._play(companions)
            except Exception:
                log.exception("channel %s fell over and is started again", self.name)
                await self._clock.sleep_until(self._clock.now() + RESTART_SECONDS)

    async def _play(self, companions: Sequence[Callable[[], Coroutine[Any, Any, None]]]) -> None:
        self.playout = Playout(
            self.performer,
            Life(seed=self._seed, fps=self.video.fps),
            self._scene,
            self._sinks,
            self._clock,
            first=self._beats,
            manner=self.manner,
            painting=self._painting,
            actor=self._actor,
            burn_captions=self._burn_captions,
            on_beat=self._count,
            time_of_day=self._time_of_day,
        )
        self._told.late_pictures = self._told.slips = 0
        async with self.performer.open(), asyncio.TaskGroup() as tasks:
            self.opened.set()
            others = [tasks.create_task(companion()) for companion in (self._keep_consent, *companions)]
            await self.playout.run()
            for other in others:
                other.cancel()

    async def cast(self, name: str, *, tested: bool = False) -> None:
        """Show another avatar from the next beat on; until it is ready, the one before stays. `tested`: see `prepare`.

        Raises what `stand_by` raises.
        """
        async with self._casting:
            (await self.stand_by(name, tested=tested))()

    async def stand_by(self, name: str | Path, *, tested: bool = False) -> Callable[[], None]:
        """Make another avatar ready; the call that is returned shows it from the next beat on.

        Raises `MissingError` for a name that is not on the shelf, `AvatarError` for one that cannot be used, and
        `ConfigError` or `ModelError` for one that the driver cannot move.
        """
        avatar, consent, show = await asyncio.to_thread(self._prepare, name)
        painter = await (painter_for if tested else fit)(self.driver, avatar)

        def enter() -> None:
            show()
            self._painting.exchange(painter)
            self.avatar, self._consent, self.notice = avatar, consent, ""

        return enter

    def _prepare(self, name: str | Path) -> tuple[Avatar, ConsentWatch, Callable[[], None]]:
        entry = self._shelf.entry(name)
        try:
            avatar = self._shelf.load(entry)
            check_pair(avatar, self.driver)
            return avatar, self._shelf.watch(entry), self._scene.cast(avatar)
        except AnchorError:
            raise
        except Exception as error:
            log.exception("avatar %s cannot be drawn", entry.name)
            raise AvatarError(
                f"avatar {entry.name!r} cannot be drawn; run: anchor avatar check {entry.path}"
            ) from error

    async def _keep_consent(self) -> None:
        """Take the avatar off air when its consent ends, is revoked or cannot be found: the studio goes on, empty.

        What is said in a voice without consent breaks off, and what is prepared of it is dropped.
        """
        loop = asyncio.get_running_loop()
        # A thread of its own: drawing posters or preparing avatars must not delay this.
        with ThreadPoolExecutor(1, thread_name_prefix="consent") as thread:
            clear = await loop.run_in_executor(thread, self._scene.cast, None)
            while True:
                watch = self._consent
                problem = await loop.run_in_executor(thread, watch.problem)
                if problem and watch is self._consent and self.avatar is not None:
                    clear()
                    self._painting.exchange(None)
                    name, self.avatar = self.avatar.info.name, None
                    self.notice = f"{name} was taken off air: {problem}"
                    log.error("channel %s: %s", self.name, self.notice)
                await self._keep_voices(thread)
                await self._clock.sleep_until(self._clock.now() + CONSENT_SECONDS)

    async def _keep_voices(self, thread: ThreadPoolExecutor) -> None:
        loop = asyncio.get_running_loop()
        for heard in {consent for performance in self.performer.performances for consent in performance.consents}:
            if problem := await loop.run_in_executor(thread, heard.problem):
                error = VoiceError(f"a voice was taken off air: {problem}")
                for performance in self.performer.performances:
                    if heard in performance.consents and performance.outcome is None:
                        self.performer.drop(performance, error)

    def _count(self, beat: Beat) -> None:
        metrics, playout = self._metrics, self.playout
        # After a fall the stream goes on counting, or viewers would see time run backwards.
        self._beats = beat.index + 1
        metrics.beats.labels(self.name).inc()
        if beat.lips:
            self.lips = beat.lips
            metrics.lips.labels(self.name, beat.lips).inc()
        if playout is not None:
            metrics.release_lag.labels(self.name).observe(max(0.0, playout.counters.last_lag_seconds))
        if beat.index % self.video.fps == 0:
            self._publish()
        if self._on_beat is not None:
            self._on_beat(beat)

    def _publish(self) -> None:
        """Bring the gauges up to date, once a second; streams of one channel add up."""
        metrics, playout, told = self._metrics, self.playout, self._told
        counters = self.performer.counters
        now = _Told(
            playout.counters.late_pictures if playout is not None else 0, counters.late_faces, counters.starved,
            playout.counters.slips if playout is not None else 0,
        )  # fmt: skip
        metrics.late_pictures.labels(self.name).inc(now.late_pictures - told.late_pictures)
        metrics.late_faces.labels(self.name).inc(now.late_faces - told.late_faces)
        metrics.starved.labels(self.name).inc(now.starved - told.starved)
        metrics.slips.labels(self.name).inc(now.slips - told.slips)
        self._told = now
        for outcome, count in asdict(self._painting.counters).items():
            metrics.patches.labels(self.name, outcome).set(count)

    def _ended(self, performance: Performance) -> None:
        self._metrics.utterances.labels(self.name, performance.outcome).inc()
        if performance.sounded_at is not None:
            self._metrics.first_beat.labels(self.name).observe(performance.sounded_at - performance.requested_at)
        if self._on_end is not None:
            self._on_end(performance)
