"""Ears of one conversation: from a visitor's microphone to facts of when they speak and what they say.

``hear`` takes sound on the event loop and never waits. `Listening` turns it into judged windows, in a thread of a small
pool that all conversations share. `Ears` makes stretches of speech of them, has each understood, and tells the facts.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from anchor.channel import Channel, closing
from anchor.errors import AnchorError
from anchor.hearing.activity import PREROLL, UNLIKELY, Activity, Began, Ended, Moment, VoiceActivity
from anchor.hearing.echo import Echo
from anchor.interactive.facts import Fact, Heard, HearingFailed, SpeechStarted, SpeechStopped
from anchor.interactive.listening import Listening, Piece, Timeline, Window
from anchor.media import SAMPLE_RATE, Samples
from anchor.tags import among
from anchor.talk import Hearing, Recognizer, Transcript

log = logging.getLogger(__name__)

THREADS = 2
"""For all conversations of the process together; a second of sound takes some 5 ms."""

BACKLOG_SECONDS = 4.0
"""Sound that waits to be looked at; when there is more, the oldest goes."""

LONGEST_SECONDS = 30.0
"""Of speech understood in one go. From `SOFT_SECONDS` on it is cut where nobody speaks, or hardly, as time runs out."""
SOFT_SECONDS = 12.0

PATIENCE_PER_SECOND = 0.08
"""What a recogniser may take longer for each second of a stretch: on a busy machine it lags behind."""

STARVED_SECONDS = 1.0
"""Without sound for so long, nobody speaks."""


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(THREADS, thread_name_prefix="ears")


class Stretch:
    """Speech from a begin to an end, as the recogniser gets it."""

    def __init__(self, language: str, began: float) -> None:
        """`began` is in seconds of the time line."""
        self.language = language
        self.began = began
        self.limit: asyncio.Timeout | None = None
        self.ended_at: float | None = None
        self.seconds = 0.0
        """How long it is, once it has ended."""
        self.done = asyncio.Event()
        self._ended = asyncio.Event()
        # Without a limit of its own: a stretch is no longer than `LONGEST_SECONDS`.
        self._sound: Channel[Hearing] = Channel(float("inf"))

    async def add(self, sound: Hearing) -> None:
        await self._sound.send(sound)

    def end(self, now: float, at: float) -> None:
        """It has ended at `at` of the time line, as is known at `now` on the event loop's clock."""
        self.ended_at, self.seconds = now, at - self.began
        self._ended.set()
        self._sound.close()

    async def wait_ended(self) -> None:
        await self._ended.wait()

    async def speech(self) -> AsyncIterator[Hearing]:
        async for sound in self._sound:
            yield sound


class Ears:
    """Hears one visitor. Facts come on the event loop, in order, through `on_fact`.

    Every `SpeechStarted` is followed by one `SpeechStopped`, and every `SpeechStopped`, where the language is
    understood, by exactly one final `Heard` or one `HearingFailed`, `patience` seconds later at most, and
    `PATIENCE_PER_SECOND` more for each second of speech. When a visitor goes on meanwhile, that may come after the next
    `SpeechStarted`, but before any `Heard` of the next stretch. Longer speech than `LONGEST_SECONDS` stops and starts
    at the same moment.
    """

    def __init__(
        self,
        recognizer: Recognizer,
        voice_activity_factory: Callable[[], VoiceActivity],
        language: str,
        on_fact: Callable[[Fact], None],
        *,
        patience: float = 1.0,
    ) -> None:
        self.language = language
        """Of what is said next; a stretch that has begun stays in the one it began in."""
        self.muted = False
        """While it is set nothing is heard, and what is being said ends."""
        self.echo = Echo()
        """What is known of the anchor's own voice in the microphone."""
        self._recognizer = recognizer
        self._make_activity = voice_activity_factory
        self._on_fact = on_fact
        self._patience = patience
        self._timeline = Timeline()
        self._waiting: deque[Piece] = deque()
        self._waiting_samples = 0
        self._came = asyncio.Event()
        self._dropped = 0
        self._level = -120.0
        self._activity = Activity()
        self._preroll: deque[Window] = deque(maxlen=round(PREROLL / 0.032) + 3)
        self._stretch: Stretch | None = None
        self._before: Stretch | None = None

    @property
    def wary(self) -> bool:
        """Whether soft and doubtful sound begins no speech; for while the anchor is heard in the room."""
        return self._activity.wary

    @wary.setter
    def wary(self, wary: bool) -> None:
        self._activity.wary = wary

    @property
    def level(self) -> float:
        """Loudness of what comes in now, in dB of full scale; -120 is nothing."""
        return self._level

    @property
    def dropped_seconds(self) -> float:
        """Sound that came faster than it could be looked at, and was let go."""
        return self._dropped / SAMPLE_RATE

    def available(self, language: str) -> tuple[bool, str]:
        """Whether speech in a language is understood, and why not."""
        info = self._recognizer.info
        if among(language, info.languages):
            return True, ""
        return False, f"the recogniser {info.name} understands {', '.join(info.languages) or 'nothing'}, not {language}"

    def hear(self, sound: Samples, at: float) -> None:
        """Take sound of the microphone, 48 kHz mono, of any length, that came in at `at` on the event loop's clock."""
        most = round(BACKLOG_SECONDS * SAMPLE_RATE)
        piece = self._timeline.place(sound, at, most, muted=self.muted)
        self._dropped += len(sound) - len(piece.sound)
        self._waiting.append(piece)
        self._waiting_samples += len(piece.sound)
        while self._waiting_samples > most:
            oldest = len(self._waiting.popleft().sound)
            self._waiting_samples -= oldest
            self._dropped += oldest
        self._came.set()

    def sent(self, sound: Samples, at: float) -> None:
        """Know that the anchor's sound, 48 kHz mono, goes out from `at` on: it may come back through the microphone."""
        self.echo.sent(sound, at)

    async def run(self) -> None:
        """Listen until cancelled. Raises `MissingError` when voice activity cannot be found out."""
        loop = asyncio.get_running_loop()
        listening = await loop.run_in_executor(_pool(), lambda: Listening(self._make_activity(), self.echo))
        try:
            async with asyncio.TaskGroup() as tasks:
                while True:
                    pieces = await self._next()
                    if pieces:
                        windows = await loop.run_in_executor(_pool(), listening.judge, pieces)
                        for window in windows:
                            await self._take(window, tasks)
                    elif self._activity.speaking:
                        await self._moments(self._activity.end(), tasks)
        finally:
            if self._stretch is not None:
                self._stretch.end(loop.time(), self._stretch.began)

    async def _next(self) -> Sequence[Piece]:
        """What has come since last time; nothing when the microphone has fallen silent."""
        if not self._waiting:
            self._came.clear()
            patience = STARVED_SECONDS if self._activity.speaking else None
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    await self._came.wait()
        pieces = tuple(self._waiting)
        self._waiting.clear()
        self._waiting_samples = 0
        return pieces

    async def _take(self, window: Window, tasks: asyncio.TaskGroup) -> None:
        self._level = window.level
        if not window.follows:
            self._preroll.clear()
        moments = self._activity.feed(window.end_seconds, window.probability, window.level, echo=window.echo)
        if any(isinstance(moment, Ended) for moment in moments):
            # The window that ended it was in the pause: it may be the soft begin of what comes next.
            await self._moments(moments, tasks)
            self._preroll.append(window)
            return
        self._preroll.append(window)
        if self._stretch is not None:
            self._preroll.clear()
            await self._stretch.add(window.sound)
            await self._cut_if_long(window, tasks)
        await self._moments(moments, tasks)

    async def _moments(self, moments: Sequence[Moment], tasks: asyncio.TaskGroup) -> None:
        for moment in moments:
            match moment:
                case Began(at):
                    await self._begin(at, tasks)
                case Ended(at):
                    self._end(at)

    async def _begin(self, at: float, tasks: asyncio.TaskGroup) -> None:
        self._on_fact(SpeechStarted(self._timeline.time_of(at)))
        stretch = self._stretch = Stretch(self.language, at)
        for window in self._preroll:
            await stretch.add(window.sound)
        self._preroll.clear()
        if self.available(stretch.language)[0]:
            tasks.create_task(self._understand(stretch, self._before))
            self._before = stretch

    def _end(self, at: float) -> None:
        stretch, self._stretch = self._stretch, None
        assert stretch is not None
        self._on_fact(SpeechStopped(self._timeline.time_of(at)))
        now = asyncio.get_running_loop().time()
        stretch.end(now, at)
        if stretch.limit is not None:
            stretch.limit.reschedule(now + self._patience_with(stretch))

    def _patience_with(self, stretch: Stretch) -> float:
        return self._patience + PATIENCE_PER_SECOND * stretch.seconds

    async def _cut_if_long(self, window: Window, tasks: asyncio.TaskGroup) -> None:
        assert self._stretch is not None
        at = window.end_seconds
        seconds = at - self._stretch.began
        if seconds < SOFT_SECONDS:
            return
        forced = seconds >= LONGEST_SECONDS
        will_do = UNLIKELY * (seconds - SOFT_SECONDS) / (LONGEST_SECONDS - SOFT_SECONDS)
        if forced or window.probability <= will_do:
            self._end(at)
            # In the middle of a word both halves would be lost; what is heard twice is not.
            self._preroll.extend([window] if forced else [])
            await self._begin(at, tasks)

    async def _understand(self, stretch: Stretch, before: Stretch | None) -> None:
        try:
            final = await self._transcribe(stretch, before)
            failure = "" if final is not None else f"{self._recognizer.info.name} ended without a word"
        except TimeoutError:
            final, failure = None, f"{self._recognizer.info.name} took longer than {self._patience_with(stretch):.1f} s"
        except AnchorError as error:
            final, failure = None, str(error)
        except Exception as error:  # whatever a back-end does, the conversation goes on
            log.exception("the recogniser %s failed", self._recognizer.info.name)
            final, failure = None, f"{self._recognizer.info.name} failed: {type(error).__name__}"
        await stretch.wait_ended()
        if before is not None:
            await before.done.wait()
        self._on_fact(HearingFailed(failure) if final is None else _heard(final))
        stretch.done.set()
        if self._before is stretch:
            self._before = None

    async def _transcribe(self, stretch: Stretch, before: Stretch | None) -> Transcript | None:
        """Tell partials as they come, and return the final."""
        final = None
        try:
            async with asyncio.timeout(None) as stretch.limit:
                if stretch.ended_at is not None:
                    stretch.limit.reschedule(stretch.ended_at + self._patience_with(stretch))
                async with closing(self._recognizer.listen(stretch.speech(), stretch.language)) as transcripts:
                    async for transcript in transcripts:
                        if transcript.final:
                            final = transcript
                            break
                        if before is None or before.done.is_set():
                            self._on_fact(_heard(transcript))
        finally:
            stretch.limit = None
        return final


def _heard(transcript: Transcript) -> Heard:
    return Heard(transcript.text, transcript.final, transcript.language, transcript.confidence)
