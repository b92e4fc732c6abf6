"""A person's own voice in place of the show: their microphone drives the avatar's lips.

Their sound is a `Voice` that says one endless sentence without words. It is evened over jitter, goes out a little later
than it came, and is stored nowhere.
"""

from __future__ import annotations

import logging
import math
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Literal, Self

import numpy as np

from anchor import registry
from anchor.clock import Clock
from anchor.errors import CapacityError
from anchor.events import Sentence
from anchor.loudness import Leveller
from anchor.media import SAMPLE_RATE, Samples, VideoFormat
from anchor.pipeline.performer import Performer
from anchor.pipeline.utterance import Performance, Utterance
from anchor.ports import Answer, GuestPort, SpeechChunk, VoiceInfo

log = logging.getLogger(__name__)

PRIORITY = 90
"""Over the show and over breaking news: a person who speaks is not interrupted by a machine."""

LEAD = 2
"""Beats that are prepared beyond what the driver looks ahead: what a viewer hears is as much later."""

_LEAST = round(0.06 * SAMPLE_RATE)
_MOST = round(0.2 * SAMPLE_RATE)
_STEP = round(0.02 * SAMPLE_RATE)
_FADE = round(0.004 * SAMPLE_RATE)
_CALM_SECONDS = 10.0
_QUIET = 0.004

SpeakerState = Literal["", "connecting", "waiting", "on air"]
"""Of a take-over: nobody; not heard yet; heard, until the sentence on air ends; in place of the show."""


class Evening:
    """A buffer for sound that comes unevenly and is wanted evenly.

    It waits until 60 ms are there, and longer, up to 140, after each time that it ran empty. What it holds beyond that
    goes where nobody speaks, and beyond 200 ms at once.
    """

    def __init__(self) -> None:
        self.silences = 0
        """Times that it ran empty in the middle of sound."""
        self.dropped = 0
        """Samples left out because it ran ahead."""
        self._pieces: deque[Samples] = deque()
        self._held = 0
        self._target = _LEAST
        self._filling = True
        self._calm = 0

    @property
    def held(self) -> int:
        """Samples in it."""
        return self._held

    def put(self, sound: Samples) -> None:
        self._pieces.append(sound)
        self._held += len(sound)
        if self._held > _MOST:
            self._drop(self._held - self._target)

    def take(self, count: int) -> Samples:
        """The next samples; silence where there are none."""
        if self._filling and self._held < self._target + count:
            return np.zeros(count, np.float32)
        if self._held < count:
            return self._last(count)
        self._slim(count)
        sound = self._cut(count)
        if self._filling:
            self._filling = False
            sound[:_FADE] *= np.linspace(0, 1, min(_FADE, count), dtype=np.float32)
        self._calm += count
        if self._calm > _CALM_SECONDS * SAMPLE_RATE:
            self._calm, self._target = 0, max(_LEAST, self._target - _STEP)
        return sound

    def clear(self) -> None:
        """Begin anew with what comes next."""
        self._pieces.clear()
        self._held = 0
        self._filling = True

    def _last(self, count: int) -> Samples:
        """What is left, faded out, and silence; then it fills up again, and waits longer."""
        rest = self._cut(self._held)
        fade = min(_FADE, len(rest))
        if fade:
            rest[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
        self._filling, self._calm = True, 0
        self._target = min(_LEAST + 4 * _STEP, self._target + _STEP)
        self.silences += 1
        return np.concatenate([rest, np.zeros(count - len(rest), np.float32)])

    def _slim(self, count: int) -> None:
        """Leave out a stretch in which nobody speaks, when more is held than is needed."""
        while self._held > self._target + count + _STEP and self._pieces:
            if float(np.abs(self._pieces[0]).max(initial=0.0)) > _QUIET:
                return
            self._drop(min(len(self._pieces[0]), self._held - self._target - count))

    def _drop(self, count: int) -> None:
        self.dropped += count
        self._cut(count)

    def _cut(self, count: int) -> Samples:
        parts: list[Samples] = []
        while count:
            piece = self._pieces.popleft()
            if len(piece) > count:
                self._pieces.appendleft(piece[count:])
                piece = piece[:count]
            parts.append(piece)
            count -= len(piece)
            self._held -= len(piece)
        return np.concatenate(parts) if parts else np.zeros(0, np.float32)


class MicrophoneVoice:
    """Says what a microphone hears, as loud as a voice, in chunks of a beat, from when it is `live` until `end`.

    `prepared` is how many beats wait to be shown: as many are kept ready as `ahead`, so that lips have what they look
    ahead for and nothing piles up. Before it is live, and where nothing comes, it says silence.
    """

    def __init__(
        self, video: VideoFormat, clock: Clock, *, language: str, ahead: int, prepared: Callable[[], int]
    ) -> None:
        self.info = VoiceInfo("microphone", "microphone", (language,), "the speaker's", phone_timings=False)
        self.evening = Evening()
        self.live = False
        self.level = 0.0
        """Loudness of what came last, root mean square."""
        self._video = video
        self._clock = clock
        self._ahead = ahead
        self._prepared = prepared
        self._ended = False
        self._leveller = Leveller()

    async def warm(self, languages: Sequence[str]) -> None:
        pass

    def hear(self, sound: Samples, at: float) -> None:
        """Take sound in as it comes; `at` is not needed, for what counts is when it is wanted."""
        if len(sound):
            self.level = float(np.sqrt(np.mean(sound**2)))
        # It is heard before it is live, too: the first word is as loud as the show.
        sound = self._leveller.level(sound)
        if self.live and not self._ended:
            self.evening.put(sound)

    def begin(self) -> None:
        """From now on what is heard goes out."""
        self.evening.clear()
        self.live = True

    def end(self) -> None:
        self._ended = True

    async def speak(self, sentence: Sentence) -> AsyncIterator[SpeechChunk]:
        size = self._video.samples_per_beat
        due = self._clock.now()
        while not self._ended:
            while self._prepared() < self._ahead and not self._ended:
                yield SpeechChunk(self.evening.take(size) if self.live else np.zeros(size, np.float32))
            # Twice a beat, so that it never runs dry between two looks.
            due = max(due + self._video.seconds_per_beat / 2, self._clock.now())
            await self._clock.sleep_until(due)

    async def close(self) -> None:
        self.end()


class LiveTakeover:
    """The person who speaks on one channel in place of its show, when there is one.

    Their sound comes by WebRTC. They are on air at the next sentence end; what was being said goes on when they have
    left, or when what stands for them is cancelled. `perform` puts the utterance that stands for them on air, or raises
    `CapacityError`; `changed` is told of every new state.
    """

    def __init__(
        self,
        performer: Performer,
        clock: Clock,
        *,
        language: str,
        lookahead_seconds: float,
        ice_servers: Sequence[str] = (),
        perform: Callable[[Utterance], Performance] | None = None,
        changed: Callable[[SpeakerState], None] | None = None,
    ) -> None:
        self._performer = performer
        self._clock = clock
        self._language = language
        self._ahead = LEAD + math.ceil(lookahead_seconds * performer.video.fps)
        self._put_on_air = perform or performer.perform
        self._changed = changed
        self._voice: MicrophoneVoice | None = None
        self._performance: Performance | None = None
        self._told: SpeakerState = ""
        self._door: GuestPort = registry.load("anchor.part", "speaker")(self._begin, ice_servers=tuple(ice_servers))

    @property
    def state(self) -> SpeakerState:
        performance = self._performance
        if performance is None:
            return "connecting" if self._voice is not None else ""
        if performance.outcome is not None:
            return ""
        return "on air" if self._voice is not None and self._voice.live else "waiting"

    @property
    def voice(self) -> MicrophoneVoice | None:
        """Of who speaks now."""
        return self._voice

    async def join(self, offer: str) -> Answer:
        """Let a speaker in. Raises `SignallingError`, and `CapacityError` when there is one or nothing is on air."""
        if not self._performer.is_open:
            raise CapacityError("the channel is not on air yet")
        return await self._door.join(offer)

    async def leave(self, speaker: str) -> None:
        """Raises `KeyError` for one who is not there."""
        await self._door.leave(speaker)

    def _begin(self) -> tuple[Callable[[Samples, float], None], Callable[[], None]]:
        """A voice for a speaker who is let in; it is put on air with the first sound that comes."""
        voice = MicrophoneVoice(
            self._performer.video, self._clock, language=self._language, ahead=self._ahead, prepared=self._prepared
        )
        self._voice, self._performance = voice, None
        self._tell()

        def hear(sound: Samples, at: float) -> None:
            if self._voice is voice and self._performance is None and self._performer.is_open:
                self._perform(voice)
            voice.hear(sound, at)
            if self._performance is not None and self._performance.outcome is not None:
                self._door.dismiss()  # somebody else has cut them off

        return hear, lambda: self._left(voice)

    def _prepared(self) -> int:
        return len(self._performance.blocks) if self._performance is not None else 0

    def _perform(self, voice: MicrophoneVoice) -> None:
        def on_air() -> None:
            voice.begin()
            self._tell()

        utterance = Utterance(
            "live", self._language, voice, priority=PRIORITY, lead=LEAD, gate=_wordless, on_air=on_air
        )
        try:
            self._performance = self._put_on_air(utterance)
        except CapacityError as error:
            log.warning("%s", error)
            self._door.dismiss()
        self._tell()

    def _left(self, voice: MicrophoneVoice) -> None:
        voice.end()
        performance = self._performance
        if self._voice is voice:
            self._voice = self._performance = None
            if performance is not None and performance in self._performer.waiting:
                self._performer.drop(performance)
            self._tell()

    def _tell(self) -> None:
        state = self.state
        if state != self._told:
            self._told = state
            if self._changed is not None:
                self._changed(state)

    async def __aenter__(self) -> Self:
        await self._door.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._door.__aexit__(kind, error, trace)


def _wordless(sentence: Sentence) -> Sentence:
    """Nobody knows the words, so there are none to show."""
    return replace(sentence, text="", pause=0.0)
