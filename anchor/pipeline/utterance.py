"""One thing to say: from text to sound and face, beat by beat, in utterance time.

`Performance` runs the stages ``text -> sentences -> voice -> driver`` of one utterance as one task group, so that
cancelling it stops all of them together. What comes out waits in bounded channels for the performer.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from anchor.channel import Channel, ChannelClosedError, closing
from anchor.clock import Clock
from anchor.errors import AnchorError
from anchor.events import Caption, Gesture, LowerThird, Mood, Sentence, Span, Word
from anchor.graphics import NO_GRAPHICS, Graphics
from anchor.loudness import limited
from anchor.media import SAMPLE_RATE, FaceFrame, Samples, VideoFormat
from anchor.pipeline.bilingual import paired
from anchor.pipeline.captions import CaptionStyle
from anchor.pipeline.pager import Marker, Pager
from anchor.pipeline.segmenter import segment
from anchor.ports import ConsentWatch, Driver, SpeechChunk, Take, Voice
from anchor.voice.spoken import spoken

log = logging.getLogger(__name__)

LEAD_IN_SECONDS = 0.08
"""Silence before the first word, so that the lips can part before they sound."""

TAIL_SECONDS = 0.24
"""Silence after the last word, so that the mouth comes to rest."""

BED_FADE_SECONDS = 1.0
"""How long a bed takes to die away at the end of what it lies under; as long as the silence there when that is less."""

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
    """Something to say. `text` may still be arriving; where it is empty the voice plays something without words.

    Of two waiting utterances the one of higher `priority` goes first; one of higher priority than what is on air goes
    in at the next sentence end. One below 0 fills gaps: it is played while what should go first is not ready. Speaking
    begins when `lead` beats are prepared. `gestures` are made as it begins; a `mood` lasts as long as it does. Every
    sentence passes the `gate` before the voice has it, which may change it or, with None, leave it out.

    `spans` are SSML's, of a text that is a string. `graphics` stand from its first beat to its last, but for what
    `cues` change at the marks of the text. `translation`: the text in a second language, for a further line of the
    captions. `bed`: sound that is laid under it from its first beat, as loud as it is to be there. `on_air` is called
    before its first beat is drawn.
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

    `words` end in this block, `begun` begin in it; after one that `ends_sentence` another utterance may go in. `marks`
    of the text are reached in it: each where the next word begins. `number` counts the blocks of the utterance from 0.
    """

    audio: Samples
    words: tuple[Word, ...]
    begun: tuple[Word, ...]
    caption: Caption | None
    speaking: bool
    ends_sentence: bool
    marks: tuple[str, ...] = ()
    number: int = 0


class Performance:
    """An utterance being prepared and played.

    `blocks` and `faces` fill up in step, as far ahead as `ahead_seconds` allows. `heard` holds the words of the beats
    that have been released, nothing else. `graphics`, `lower_third` and `mood` are as the marks reached have left them.
    """

    def __init__(
        self,
        utterance: Utterance,
        driver: Driver,
        video: VideoFormat,
        clock: Clock,
        *,
        ahead_seconds: float,
        mood: Mood = "neutral",
    ) -> None:
        """`mood` is what an utterance is said in that brings none."""
        self._mood: Mood = mood
        self.utterance = utterance
        self.graphics = utterance.graphics
        self.lower_third = utterance.lower_third
        self.mood = utterance.mood
        self.blocks: Channel[Block] = Channel(ahead_seconds, lambda _: video.seconds_per_beat)
        self.faces: Channel[FaceFrame] = Channel(ahead_seconds, lambda _: video.seconds_per_beat)
        self.heard: list[Word] = []
        self.consents: set[ConsentWatch] = set()
        """Of the people whose voices are in what was prepared."""
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

    def reach(self, marks: Sequence[str]) -> tuple[Gesture, ...]:
        """Change what is shown as the cues of `marks` say; the gestures that they ask for."""
        gestures: tuple[Gesture, ...] = ()
        for mark in marks:
            cue = self.utterance.cues.get(mark)
            if cue is None:
                continue
            self.graphics = cue.graphics if cue.graphics is not None else self.graphics
            self.lower_third = cue.lower_third if cue.lower_third is not None else self.lower_third
            self.mood = cue.mood or self.mood
            gestures += cue.gestures
        return gestures

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
        cutter = _Cutter(self._video, self.utterance.bed)
        try:
            async for piece in self._speak():
                chunk = piece.chunk
                if chunk.consent is not None:
                    self.consents.add(chunk.consent)
                await speech.send(chunk if chunk.spoken else SpeechChunk.silence(len(chunk.audio)))
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
        position = round(LEAD_IN_SECONDS * SAMPLE_RATE)
        lead_in: _Piece | None = _Piece(SpeechChunk.silence(position))
        marks: tuple[tuple[int, str], ...] = ()
        mood: Mood = self.utterance.mood or self._mood
        async for sentence, style, second in self._sentences():
            begun = position
            mood, after = self._moods(sentence, mood)
            sentence = replace(sentence, mood=mood)
            mood = after
            pager = Pager(sentence, begun, style, second)
            marker = Marker(sentence, begun)
            async with closing(spoken(self.utterance.voice, sentence)) as chunks:
                async for chunk in chunks:
                    if lead_in is not None:
                        self.spoken_at = self._clock.now()
                        yield lead_in
                        lead_in = None
                    if chunk.spoken:
                        captions = pager.add(chunk.words)
                        marks += marker.add(chunk.words)
                        yield _Piece(chunk.shifted(begun), captions, wordless=pager.wordless, marks=marks)
                        marks = ()
                    else:
                        # Nothing would be cut in two by what goes in here.
                        yield _Piece(chunk, ends_sentence=True)
                    position += len(chunk.audio)
            marks += marker.rest(position)
            if position > begun and sentence.text:
                pause = round(sentence.pause * SAMPLE_RATE)
                rest = replace(SpeechChunk.silence(pause), words=pager.unheard(position))
                yield _Piece(rest, (), ends_sentence=True, captions_until=pager.until(position), marks=marks)
                marks = ()
                position += pause
        if lead_in is None:
            # In pieces: an hour of silence at once is 700 MB.
            tails = list(_seconds_of(round((TAIL_SECONDS + self.utterance.pause) * SAMPLE_RATE)))
            for number, tail in enumerate(tails, start=1):
                yield _Piece(SpeechChunk.silence(tail), marks=marks, last=number == len(tails))
                marks = ()

    def _moods(self, sentence: Sentence, mood: Mood) -> tuple[Mood, Mood]:
        """The mood that a sentence is said in, which a mark at its beginning may set, and that of what follows it."""
        after = mood
        for span in sentence.spans:
            cue = self.utterance.cues.get(span.value) if span.kind == "mark" else None
            if cue is not None and cue.mood is not None:
                after = cue.mood
                if not sentence.text[: span.start].strip():
                    mood = after
        return mood, after

    async def _sentences(self) -> AsyncIterator[tuple[Sentence, CaptionStyle, str]]:
        """The sentences that are to be said, each with the style of its captions and its second line."""
        text, language, spans = self.utterance.text, self.utterance.language, self.utterance.spans
        style = CaptionStyle.suits(self._video)
        if text == "":
            yield Sentence("", language, pause=0.0), style, ""
            return
        given = _pieces(text) if isinstance(text, str) else text
        translated: deque[str] = deque()
        if self.utterance.translation and isinstance(text, str):
            everything = [sentence async for sentence in segment(_pieces(text), language, spans=spans)]
            translated += await paired(everything, self.utterance.translation)
        async for sentence in segment(given, language, spans=spans):
            second = translated.popleft() if translated else ""
            passed = sentence if self.utterance.gate is None else self.utterance.gate(sentence)
            marks = tuple(span for span in sentence.spans if span.kind == "mark")
            if passed is not None:
                yield passed, style, second
            elif marks:
                yield replace(sentence, text="", spans=marks), style, ""

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


def _seconds_of(samples: int) -> Iterator[int]:
    while samples > 0:
        yield min(samples, SAMPLE_RATE)
        samples -= SAMPLE_RATE


async def _pieces(text: str) -> AsyncIterator[str]:
    yield text


async def _only(sentence: Sentence) -> AsyncIterator[Sentence]:
    yield sentence


@dataclass(frozen=True, slots=True)
class _Piece:
    """A chunk in utterance time, the captions that became known with it, and whether a sentence ends before it.

    `captions_until`: when those of the sentence that is over are gone. `wordless`: its voice times no words. `marks`
    with their places in utterance time. `last`: nothing comes after it.
    """

    chunk: SpeechChunk
    captions: tuple[Caption, ...] = ()
    ends_sentence: bool = False
    captions_until: int | None = None
    wordless: bool = False
    marks: tuple[tuple[int, str], ...] = ()
    last: bool = False


class _Cutter:
    """Cuts a stream of pieces into blocks of exactly one beat, with a `bed` under them."""

    def __init__(self, video: VideoFormat, bed: Samples | None = None) -> None:
        self._size = video.samples_per_beat
        self._bed = bed
        self._fade: tuple[int, int] | None = None
        self._audio: list[Samples] = []
        self._held = 0
        self._number = 0
        self._position = 0
        self._words: list[Word] = []
        self._captions: list[tuple[Caption, int]] = []
        self._wordless = False
        self._marks: list[tuple[int, str]] = []
        self._sentence_ends: list[int] = []

    def cut(self, piece: _Piece) -> list[Block]:
        if piece.ends_sentence:
            self._sentence_ends.append(self._position)
        begin, self._position = self._position, self._position + len(piece.chunk.audio)
        if piece.last:
            self._fade = (max(begin, self._position - round(BED_FADE_SECONDS * SAMPLE_RATE)), self._position)
        self._audio.append(piece.chunk.audio)
        self._held += len(piece.chunk.audio)
        self._words += piece.chunk.words
        self._marks += piece.marks
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
        self._marks = [(min(place, self._position - 1), name) for place, name in self._marks]
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
        marks = tuple(name for place, name in self._marks if place < end)
        self._marks = [(place, name) for place, name in self._marks if place >= end]
        block = Block(self._laid(audio, start), words, begun, caption, speaking, ends, marks, self._number)
        self._number += 1
        return block

    def _laid(self, audio: Samples, start: int) -> Samples:
        """The sound of a block that begins at `start`, with what lies under it."""
        if self._bed is None or not (bed := self._bed[start : start + audio.size]).size:
            return audio
        if self._fade is not None:
            begin, end = self._fade
            left = (end - np.arange(start, start + bed.size)) / max(1, end - begin)
            bed = bed * np.clip(left, 0, 1).astype(np.float32)
        mixed = audio.copy()
        mixed[: bed.size] += bed
        return limited(mixed)
