"""One thing to say: from text to sound and face, beat by beat, in utterance time.

`Performance` runs the stages ``text -> sentences -> voice -> driver`` of one utterance as one task group, so that
cancelling it stops all of them together. What comes out waits in bounded channels for the performer.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import AsyncIterable, AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from anchor.channel import Channel, ChannelClosedError, closing
from anchor.clock import Clock
from anchor.errors import AnchorError
from anchor.events import Caption, Gesture, LowerThird, Mood, Sentence, Span, Word
from anchor.graphics import NO_GRAPHICS, Graphics
from anchor.linebreak import columns
from anchor.media import SAMPLE_RATE, FaceFrame, Samples, VideoFormat
from anchor.pipeline.captions import CaptionStyle, paginate
from anchor.pipeline.segmenter import segment
from anchor.ports import Driver, SpeechChunk, Take, Voice

log = logging.getLogger(__name__)

LEAD_IN_SECONDS = 0.08
"""Silence before the first word, so that the lips can part before they sound."""

TAIL_SECONDS = 0.24
"""Silence after the last word, so that the mouth comes to rest."""

DYING_SECONDS = 0.1

SECONDS_PER_COLUMN = 0.072
"""How long a letter or half an ideograph takes, where nothing better is known: 14 letters a second, 7 ideographs."""

_ENDLESS = 1 << 48
_HEARD = 0.003
"""Loudness, root mean square, over which a voice that times no words is taken to speak."""

Outcome = Literal["said", "cancelled", "failed"]

_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Part:
    """What a recorded performer does with the anchor's face while something is said; `mouth`: with the mouth too.

    Utterances that have the same part, and not one like it, share the take: it goes on from one to the next.
    """

    take: Take
    mouth: bool = False


@dataclass(frozen=True, slots=True)
class Cue:
    """What changes at a mark; what is None stays."""

    graphics: Graphics | None = None
    lower_third: LowerThird | None = None
    mood: Mood | None = None
    gestures: tuple[Gesture, ...] = ()


@dataclass(frozen=True, slots=True)
class Utterance:
    """Something to say. `text` may still be arriving.

    Of two waiting utterances the one of higher `priority` goes first; one of higher priority than what is on air goes
    in at the next sentence end. Speaking begins when `lead` beats are prepared. `gestures` are made as it begins; a
    `mood` lasts as long as it does. Every sentence passes the `gate` before the voice has it, which may change it or,
    with None, leave it out.

    `spans` are SSML's, of a text that is a string. `graphics` stand from its first beat to its last, but for what
    `cues` change at the marks of the text. `translation`: the text in a second language, for a further line of the
    captions. `bed`: sound that is laid under it from its first beat. `on_air` is called before its first beat is drawn.
    """

    text: str | AsyncIterable[str]
    language: str
    voice: Voice
    priority: int = 0
    interruptible: bool = True
    lead: int = 3
    lower_third: LowerThird | None = None
    pause: float = 0.0
    mood: Mood | None = None
    gestures: tuple[Gesture, ...] = ()
    part: Part | None = None
    gate: Callable[[Sentence], Sentence | None] | None = None
    spans: tuple[Span, ...] = ()
    graphics: Graphics = NO_GRAPHICS
    cues: Mapping[str, Cue] = field(default_factory=dict)
    translation: str = ""
    bed: Samples | None = None
    on_air: Callable[[], None] | None = None
    id: str = field(default_factory=lambda: f"u{next(_numbers)}")


@dataclass(frozen=True, slots=True)
class Block:
    """The sound of one beat of an utterance, and what happens in it.

    `words` end in this block, `begun` begin in it; after one that `ends_sentence` another utterance may go in.
    """

    audio: Samples
    words: tuple[Word, ...]
    begun: tuple[Word, ...]
    caption: Caption | None
    speaking: bool
    ends_sentence: bool


class Performance:
    """An utterance being prepared and played.

    `blocks` and `faces` fill up in step, as far ahead as `ahead_seconds` allows. `heard` holds the words of the beats
    that have been released, nothing else.
    """

    def __init__(
        self, utterance: Utterance, driver: Driver, video: VideoFormat, clock: Clock, *, ahead_seconds: float
    ) -> None:
        self.utterance = utterance
        self.blocks: Channel[Block] = Channel(ahead_seconds, lambda _: video.seconds_per_beat)
        self.faces: Channel[FaceFrame] = Channel(ahead_seconds, lambda _: video.seconds_per_beat)
        self.heard: list[Word] = []
        self.outcome: Outcome | None = None
        self.error: AnchorError | None = None
        self.missing_faces = 0
        self.requested_at = clock.now()
        self.spoken_at: float | None = None
        """When the first sound of the voice was there."""
        self.faced_at: float | None = None
        """When the first face was there."""
        self.sounded_at: float | None = None
        """When the first beat went out in which something is said."""
        self._driver = driver
        self._video = video
        self._clock = clock
        self._ahead = ahead_seconds
        self._ended = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def id(self) -> str:
        return self.utterance.id

    @property
    def heard_text(self) -> str:
        return "".join(word.text for word in self.heard)

    @property
    def exhausted(self) -> bool:
        """Everything that was prepared has been taken and nothing more will come."""
        return self.blocks.exhausted

    def ready(self, lead: int) -> bool:
        """Whether `lead` beats are prepared, or as many as there will be."""
        return min(len(self.blocks), len(self.faces)) >= lead or self.blocks.closed or self.blocks.full

    async def wait(self) -> Outcome:
        """Wait until the utterance has been said, cancelled or has failed."""
        await self._ended.wait()
        assert self.outcome is not None
        return self.outcome

    def end(self, outcome: Outcome) -> None:
        """Stop all stages and settle the outcome; only the first call counts."""
        if self.outcome is None:
            self.outcome = outcome
            if self._task is not None:
                self._task.cancel()
            self.blocks.close()
            self.faces.close()
            self._ended.set()

    def start(self, tasks: asyncio.TaskGroup) -> None:
        """Begin to prepare, as a task of `tasks`."""
        self._task = tasks.create_task(self._prepare(), name=f"prepare {self.id}")

    @property
    def started(self) -> bool:
        return self._task is not None

    async def _prepare(self) -> None:
        speech: Channel[SpeechChunk] = Channel(self._ahead, lambda chunk: len(chunk.audio) / SAMPLE_RATE)
        try:
            async with asyncio.TaskGroup() as stages:
                stages.create_task(self._voice(speech))
                stages.create_task(self._drive(speech))
        except ExceptionGroup as group:
            first = _first(group)
            expected = isinstance(first, AnchorError)
            self.error = first if isinstance(first, AnchorError) else AnchorError(f"{self.id}: {first!r}")
            log.error("utterance %s failed: %s", self.id, self.error, exc_info=None if expected else group)
        finally:
            self.blocks.close()
            self.faces.close()

    async def _voice(self, speech: Channel[SpeechChunk]) -> None:
        """Text to sound: into `speech` for the driver and, cut into blocks, for the performer."""
        cutter = _Cutter(self._video)
        try:
            async for piece in self._speak():
                await speech.send(piece.chunk)
                for block in cutter.cut(piece):
                    await self.blocks.send(block)
            for block in cutter.rest():
                await self.blocks.send(block)
        except ChannelClosedError:
            return
        finally:
            speech.close()
        self.blocks.close()

    async def _speak(self) -> AsyncIterator[_Piece]:
        text = self.utterance.text
        style = CaptionStyle.suits(self._video)
        position = round(LEAD_IN_SECONDS * SAMPLE_RATE)
        lead_in: _Piece | None = _Piece(SpeechChunk.silence(position))
        async for sentence in segment(_pieces(text) if isinstance(text, str) else text, self.utterance.language):
            begun = position
            if self.utterance.gate is not None:
                passed = self.utterance.gate(sentence)
                if passed is None:
                    continue
                sentence = passed
            pager = _Pager(sentence, begun, style)
            async with closing(self.utterance.voice.speak(sentence)) as chunks:
                async for chunk in chunks:
                    if lead_in is not None:
                        self.spoken_at = self._clock.now()
                        yield lead_in
                        lead_in = None
                    captions = pager.add(chunk.words)
                    yield _Piece(chunk.shifted(begun), captions, wordless=pager.wordless)
                    position += len(chunk.audio)
            if position > begun:
                pause = round(sentence.pause * SAMPLE_RATE)
                rest = replace(SpeechChunk.silence(pause), words=pager.unheard(position))
                yield _Piece(rest, (), ends_sentence=True, captions_until=pager.until(position))
                position += pause
        if lead_in is None:
            tail = round((TAIL_SECONDS + self.utterance.pause) * SAMPLE_RATE)
            yield _Piece(SpeechChunk.silence(tail))

    async def _drive(self, speech: Channel[SpeechChunk]) -> None:
        async with closing(self._driver.drive(speech, self._video.fps)) as frames:
            try:
                async for face in frames:
                    if self.faced_at is None:
                        self.faced_at = self._clock.now()
                    await self.faces.send(face)
            except ChannelClosedError:
                return


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    error = group.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error


async def _pieces(text: str) -> AsyncIterator[str]:
    yield text


@dataclass(frozen=True, slots=True)
class _Piece:
    """A chunk in utterance time, the captions that became known with it, and whether a sentence ends before it.

    `captions_until`: when those of the sentence that is over are gone. `wordless`: its voice times no words.
    """

    chunk: SpeechChunk
    captions: tuple[Caption, ...] = ()
    ends_sentence: bool = False
    captions_until: int | None = None
    wordless: bool = False


class _Pager:
    """Pages a sentence into captions, each as soon as it is known when it begins.

    A voice that knows all words from the start has its pages with the first sound. One whose words come while it speaks
    has its pages planned by what its pace lets expect, and each begins when its first word does; one that times no
    words at all has them by the usual pace.
    """

    def __init__(self, sentence: Sentence, begun: int, style: CaptionStyle) -> None:
        self._sentence = sentence
        self._begun = begun
        self._style = style
        self._words: list[Word] = []
        self._plan: list[tuple[int, Caption]] | None = None
        self._given = 0
        self._complete = False

    @property
    def wordless(self) -> bool:
        return not self._words

    def add(self, words: tuple[Word, ...]) -> tuple[Caption, ...]:
        self._words += words
        known = "".join(word.text for word in self._words)
        self._complete = known == self._sentence.text
        if self._plan is None:
            self._plan = self._planned(self._sentence.text[len(known) :])
        pages = []
        while self._given < len(self._plan) and (self.wordless or self._plan[self._given][0] < len(known)):
            place, page = self._plan[self._given]
            start = page.start if self.wordless else self._start_of(place)
            pages.append(Caption(page.lines, start, page.end if self._complete else _ENDLESS).shifted(self._begun))
            self._given += 1
        return tuple(pages)

    def unheard(self, end: int) -> tuple[Word, ...]:
        """The sentence as one word, in utterance time, where its voice timed none."""
        text = self._sentence.text
        return (Word(text, self._begun, end),) if self.wordless and text else ()

    def until(self, end: int) -> int:
        """When the captions of the sentence, whose sound ends at `end`, are gone."""
        # A voice's sound runs on a little after its last word; a caption that ends early would blink.
        last = self._begun + self._words[-1].end if self._words else end
        return last + round((self._sentence.pause + DYING_SECONDS) * SAMPLE_RATE)

    def _planned(self, rest: str) -> list[tuple[int, Caption]]:
        """Pages and the places in the text where they begin; words that are not known yet follow at a usual pace."""
        if not self._sentence.text:
            return []  # sound whose words nobody knows
        words, until = list(self._words), None
        if self._complete:
            until = words[-1].end + round((self._sentence.pause + DYING_SECONDS) * SAMPLE_RATE)
        elif rest:
            clock = words[-1].end if words else 0
            seconds = sum(columns(char) for char in rest) * SECONDS_PER_COLUMN
            words.append(Word(rest, clock, clock + round(seconds * SAMPLE_RATE)))
        plan, place = [], 0
        for page in paginate(words, self._style, until=until):
            place = self._sentence.text.index(page.lines[0], place)
            plan.append((place, page))
            place += sum(map(len, page.lines))
        return plan

    def _start_of(self, place: int) -> int:
        """When the word begins that holds a place of the text."""
        until = 0
        for word in self._words:
            until += len(word.text)
            if place < until:
                return word.start
        return self._words[-1].end


class _Cutter:
    """Cuts a stream of pieces into blocks of exactly one beat."""

    def __init__(self, video: VideoFormat) -> None:
        self._size = video.samples_per_beat
        self._audio: list[Samples] = []
        self._held = 0
        self._number = 0
        self._position = 0
        self._words: list[Word] = []
        self._captions: list[tuple[Caption, int]] = []
        self._wordless = False
        self._sentence_ends: list[int] = []

    def cut(self, piece: _Piece) -> list[Block]:
        if piece.ends_sentence:
            self._sentence_ends.append(self._position)
        self._position += len(piece.chunk.audio)
        self._audio.append(piece.chunk.audio)
        self._held += len(piece.chunk.audio)
        self._words += piece.chunk.words
        self._wordless = piece.wordless
        self._captions += [(caption, caption.end) for caption in piece.captions]
        if (until := piece.captions_until) is not None:
            self._captions = [(caption, min(end, until)) for caption, end in self._captions]
        if self._held < self._size:
            return []
        sound = np.concatenate(self._audio)
        whole = len(sound) // self._size * self._size
        self._audio = [sound[whole:]]
        self._held = len(sound) - whole
        return [self._block(sound[at : at + self._size]) for at in range(0, whole, self._size)]

    def rest(self) -> list[Block]:
        if not self._held:
            return []
        sound = np.concatenate(self._audio)
        return [self._block(np.concatenate([sound, np.zeros(self._size - len(sound), np.float32)]))]

    def _block(self, audio: Samples) -> Block:
        start = self._number * self._size
        end = start + self._size
        words = tuple(word for word in self._words if word.end <= end)
        begun = tuple(word for word in self._words if start <= word.start < end)
        speaking = any(word.start < end and word.end > start for word in self._words)
        if self._wordless and not speaking:
            speaking = bool(np.sqrt(np.mean(audio**2)) > _HEARD)
        self._words = [word for word in self._words if word.end > end]
        middle = (start + end) // 2
        self._captions = [(caption, gone) for caption, gone in self._captions if gone > middle]
        caption = next((caption for caption, _ in reversed(self._captions) if caption.start <= middle), None)
        ends = bool(self._sentence_ends) and self._sentence_ends[0] <= end
        if ends:
            self._sentence_ends = [at for at in self._sentence_ends if at > end]
        block = Block(audio, words, begun, caption, speaking, ends)
        self._number += 1
        return block
