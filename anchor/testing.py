"""Test doubles that are real implementations of the ports, and a conformance suite for each port.

A back-end's own tests call the suite of its port; the fakes pass the same suites. Nothing here imports a test runner.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterable, AsyncIterator, Callable, Mapping, Sequence
from types import TracebackType
from typing import Self, cast

import numpy as np

from anchor.channel import closing
from anchor.errors import DialogueError, RecognizerError, VoiceError
from anchor.events import Phone, Sentence, Word
from anchor.graphics import Graphics
from anchor.media import (
    ARKIT_INDEX,
    SAMPLE_RATE,
    Beat,
    Blendshapes,
    Bytes,
    DrawnFace,
    FaceFrame,
    Look,
    Picture,
    VideoFormat,
)
from anchor.ports import (
    Avatar,
    AvatarInfo,
    AvatarView,
    Driver,
    DriverInfo,
    Paintable,
    PatchDriver,
    Placement,
    Setting,
    SpeechChunk,
    Voice,
    VoiceInfo,
)
from anchor.talk import (
    HEARING_RATE,
    Cited,
    Dialogue,
    DialogueInfo,
    Hearing,
    NoAnswer,
    Question,
    Recognizer,
    RecognizerInfo,
    ReplyPart,
    ToolCall,
    Transcript,
)


class FakeVoice:
    """Says every word of a sentence as `word_samples` of a tone; phones are p and a in turns.

    A word "FAIL" raises `VoiceError`; "STALL" waits until `go_on` is set.
    """

    def __init__(self, *, word_samples: int = SAMPLE_RATE // 5, frequency: float = 220.0) -> None:
        self.info = VoiceInfo("fake", "tone", ("en", "zh"), "Apache-2.0", phone_timings=True)
        self.go_on = asyncio.Event()
        self.spoken: list[str] = []
        self.closed = False
        self._word_samples = word_samples
        self._frequency = frequency

    async def warm(self, languages: Sequence[str]) -> None:
        pass

    async def speak(self, sentence: Sentence) -> AsyncIterator[SpeechChunk]:
        words = split_words(sentence.text)
        size = self._word_samples
        tone = 0.3 * np.sin(2 * np.pi * self._frequency * np.arange(size) / SAMPLE_RATE).astype(np.float32)
        for index, text in enumerate(words):
            if text.strip() == "FAIL":
                raise VoiceError("the fake voice was told to fail")
            if text.strip() == "STALL":
                await self.go_on.wait()
            at = index * size
            self.spoken.append(text)
            phones = (Phone("p", at, at + size // 3), Phone("a", at + size // 3, at + size, stress=2))
            yield SpeechChunk(tone, (Word(text, at, at + size),), phones)

    async def close(self) -> None:
        self.closed = True


def split_words(text: str) -> list[str]:
    """Cut display text after spaces, so that joining gives it back; without spaces into characters."""
    if " " not in text.strip():
        return list(text) if any(ord(character) > 0x2E7F for character in text) else [text] if text.strip() else []
    pieces = text.split(" ")
    words = [f"{piece} " for piece in pieces[:-1]] + [pieces[-1]]
    return [word for word in words if word]


class FakeDriver:
    """Opens the jaw by the loudness of each beat."""

    info = DriverInfo("fake", "blendshapes", lookahead_seconds=0.0)

    async def drive(self, speech: AsyncIterable[SpeechChunk], fps: int) -> AsyncIterator[FaceFrame]:
        size = SAMPLE_RATE // fps
        held = np.zeros(0, np.float32)
        async for chunk in speech:
            held = np.concatenate([held, chunk.audio])
            while len(held) >= size:
                yield self._face(held[:size])
                held = held[size:]
        if len(held):
            yield self._face(held)

    @staticmethod
    def _face(audio: np.ndarray[tuple[int], np.dtype[np.float32]]) -> Blendshapes:
        weights = np.zeros(len(ARKIT_INDEX), np.float32)
        weights[ARKIT_INDEX["jawOpen"]] = min(1.0, 2 * float(np.sqrt(np.mean(audio**2))))
        return Blendshapes(weights)


class FakeAvatar:
    """A grey disc on the backdrop, whose brightness is jawOpen."""

    info = AvatarInfo("fake", "A disc", "fake", ("blendshapes",), "Apache-2.0")

    def setting(self, video: VideoFormat, wanted: Placement, *, own_background: bool) -> Setting:
        return Setting(wanted)

    def open(self, video: VideoFormat, backdrop: Bytes, placement: Placement) -> AvatarView:
        return _FakeView(video, backdrop, placement)


class _FakeView:
    def __init__(self, video: VideoFormat, backdrop: Bytes, placement: Placement) -> None:
        rows, columns = np.mgrid[: video.height, : video.width]
        radius = placement.head * video.height / 2
        x, y = placement.x * video.width, placement.eyes * video.height
        self._disc = (rows - y) ** 2 + (columns - x) ** 2 <= radius**2
        self._backdrop = (backdrop.mean(axis=2) * (219 / 255) + 16).astype(np.uint8)
        self._drawn = False

    def base(self, ahead: int) -> int:
        return 0

    def draw(self, face: DrawnFace, canvas: Picture) -> None:
        if not self._drawn:
            canvas.y[:] = self._backdrop
            canvas.u[:] = canvas.v[:] = 128
            self._drawn = True
        canvas.y[self._disc] = 60 + int(120 * face["jawOpen"])


class FakeScene:
    """Flat pictures whose brightness is jawOpen; `fail_on` and `before` let a test disturb the drawing."""

    def __init__(self, video: VideoFormat, before: Callable[[int], None] | None = None) -> None:
        self.looks: list[Look] = []
        self.prepared: list[Graphics] = []
        self._video = video
        self._before = before

    def base(self, ahead: int) -> int:
        """As footage without an end would play."""
        return len(self.looks) + ahead - 1

    def prepare(self, graphics: Graphics) -> None:
        self.prepared.append(graphics)

    def seconds(self, graphics: Graphics) -> float:
        return 0.0

    def settled(self, look: Look) -> Picture:
        return self.draw(look)

    def cast(self, avatar: Avatar | None) -> Callable[[], None]:
        return lambda: None

    def draw(self, look: Look) -> Picture:
        if self._before is not None:
            self._before(len(self.looks))
        self.looks.append(look)
        picture = Picture.black(self._video)
        picture.y[:] = 16 + int(200 * look.face["jawOpen"])
        return picture


class StillLife:
    """A face that does nothing by itself."""

    def frame(self, speaking: bool) -> Blendshapes:
        return Blendshapes()


class FakeSink:
    """Keeps every beat it is sent."""

    def __init__(self, on_beat: Callable[[Beat], None] | None = None) -> None:
        self.beats: list[Beat] = []
        self.closed_by: type[BaseException] | None = None
        self.closed = False
        self._on_beat = on_beat

    async def send(self, beat: Beat) -> None:
        self.beats.append(beat)
        if self._on_beat is not None:
            self._on_beat(beat)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closed = True
        self.closed_by = kind


class FakeDialogue:
    """Answers from a script: what is found in `replies` for the last message, or else that message again.

    Text comes word by word, other parts as they are. In text, "FAIL" raises `DialogueError`, "STALL" waits for
    `go_on`, and "EMPTY" yields nothing, as no dialogue should. `asked` is every question, `cancelled` how many replies
    were not heard to their end.
    """

    def __init__(self, replies: Mapping[str, str | Sequence[ReplyPart]] | None = None) -> None:
        self.info = DialogueInfo("fake", "script", "Apache-2.0", tools=True)
        self.go_on = asyncio.Event()
        self.asked: list[Question] = []
        self.cancelled = 0
        self.closed = False
        self._replies = dict(replies or {})

    async def warm(self) -> None:
        pass

    async def reply(self, question: Question) -> AsyncIterator[ReplyPart]:
        self.asked.append(question)
        text = question.messages[-1].text if question.messages else ""
        script = self._replies.get(text, text)
        if not script:
            raise DialogueError("the fake dialogue was asked nothing")
        whole = False
        try:
            for part in (script,) if isinstance(script, str) else script:
                if not isinstance(part, str):
                    yield part
                    continue
                for word in split_words(part):
                    if word.strip() == "FAIL":
                        raise DialogueError("the fake dialogue was told to fail")
                    if word.strip() == "STALL":
                        await self.go_on.wait()
                    elif word.strip() != "EMPTY":
                        yield word
            whole = True
        finally:
            self.cancelled += not whole

    async def close(self) -> None:
        self.closed = True


class FakeRecognizer:
    """Hears its script: one text for each stretch of speech, in the order in which they begin, a word every 0.2 s.

    A text "FAIL" raises `RecognizerError`; "STALL" waits until `go_on` is set; after the last text it hears nothing.
    """

    def __init__(self, script: Sequence[str] = (), *, languages: tuple[str, ...] = ("en", "zh")) -> None:
        self.info = RecognizerInfo("fake", "script", languages, "Apache-2.0", partials=True)
        self.go_on = asyncio.Event()
        self.script = list(script)
        self.heard: list[Hearing] = []
        """The sound of each stretch."""
        self.expected: Mapping[str, Sequence[str]] = {}
        self.cancelled = 0
        self.closed = False

    async def warm(self, languages: Sequence[str]) -> None:
        pass

    def expect(self, phrases: Mapping[str, Sequence[str]]) -> None:
        self.expected = phrases

    async def listen(self, speech: AsyncIterable[Hearing], language: str) -> AsyncIterator[Transcript]:
        if language.split("-")[0] not in self.info.languages:
            raise RecognizerError(f"the fake recogniser does not understand {language}")
        place = len(self.heard)
        self.heard.append(np.zeros(0, np.float32))
        text = self.script[place] if place < len(self.script) else ""
        words, told = split_words(text), 0
        try:
            async for sound in speech:
                self.heard[place] = np.concatenate([self.heard[place], sound])
                if text == "FAIL":
                    raise RecognizerError("the fake recogniser was told to fail")
                while text != "STALL" and told < min(len(words), 5 * len(self.heard[place]) // HEARING_RATE):
                    told += 1
                    yield Transcript("".join(words[:told]).strip(), False, language)
            if text == "STALL":
                await self.go_on.wait()
        except (asyncio.CancelledError, GeneratorExit):
            self.cancelled += 1
            raise
        yield Transcript(text, True, language, 0.9 if text else 0.0)

    async def close(self) -> None:
        self.closed = True


# Conformance suites


async def understand(recognizer: Recognizer, sound: Hearing, language: str, *, chunk: int = 512) -> list[Transcript]:
    """Everything a recogniser says of one stretch of speech, fed as fast as it takes it."""

    async def speech() -> AsyncIterator[Hearing]:
        for start in range(0, len(sound), chunk):
            yield sound[start : start + chunk]

    return [transcript async for transcript in recognizer.listen(speech(), language)]


async def check_recognizer(recognizer: Recognizer, sound: Hearing, other: Hearing, language: str) -> None:
    """The promises of `anchor.talk.Recognizer`, on two different stretches of speech in one language."""
    alone = [await understand(recognizer, one, language) for one in (sound, other)]
    for transcripts in alone:
        assert [one.final for one in transcripts].count(True) == 1, "there is exactly one final"
        assert transcripts[-1].final, "and it comes last"
        assert all(one.language.split("-")[0] == language.split("-")[0] for one in transcripts), "in that language"
        assert all(one.confidence is None or 0 <= one.confidence <= 1 for one in transcripts)
        assert all(a.text != b.text for a, b in itertools.pairwise(transcripts[:-1])), "partials come as they change"
        assert recognizer.info.partials or len(transcripts) == 1, "no partials where none are promised"
    together = await asyncio.gather(*(understand(recognizer, one, language) for one in (sound, other)))
    assert [one[-1].text for one in together] == [one[-1].text for one in alone], "two sessions do not mix"
    nothing = await understand(recognizer, np.zeros(0, np.float32), language)
    assert [(one.text, one.final) for one in nothing] == [("", True)], "no speech: an empty final"
    await _check_refusal(recognizer, sound)
    await _check_cancelled(recognizer, sound, language)


async def _check_refusal(recognizer: Recognizer, sound: Hearing) -> None:
    try:
        await understand(recognizer, sound[:HEARING_RATE], "tlh")
    except RecognizerError:
        return
    raise AssertionError("a language that is not understood is refused with RecognizerError")


async def _check_cancelled(recognizer: Recognizer, sound: Hearing, language: str) -> None:
    """Closing in the middle of speech leaves nothing behind, and the next stretch is heard as ever."""

    async def endless() -> AsyncIterator[Hearing]:
        yield sound
        await asyncio.Event().wait()

    before = asyncio.all_tasks()
    try:
        async with asyncio.timeout(0.2), closing(recognizer.listen(endless(), language)) as transcripts:
            async for _ in transcripts:
                pass
    except TimeoutError:
        pass
    assert asyncio.all_tasks() <= before, "a cancelled stretch leaves no task"
    assert (await understand(recognizer, sound, language))[-1].final


async def collect(voice: Voice, text: str, language: str) -> SpeechChunk:
    """Everything a voice yields for one sentence, as one chunk."""
    chunks = [chunk async for chunk in voice.speak(Sentence(text, language))]
    if not chunks:
        return SpeechChunk.silence(0)
    return SpeechChunk(
        np.concatenate([chunk.audio for chunk in chunks]),
        tuple(word for chunk in chunks for word in chunk.words),
        tuple(phone for chunk in chunks for phone in chunk.phones),
    )


async def check_voice(voice: Voice, text: str, other: str, language: str) -> None:
    """The promises of `anchor.ports.Voice`, on two different sentences of one language."""
    speech = await collect(voice, text, language)
    assert speech.audio.dtype == np.float32 and speech.audio.ndim == 1, "sound is mono float32"
    assert len(speech.audio) > SAMPLE_RATE // 20, "something is said"
    assert float(np.abs(speech.audio).max()) <= 1.0, "sound stays within -1..1"
    assert "".join(word.text for word in speech.words) == text, "the words give the display text back"
    _check_times([(word.start, word.end) for word in speech.words], len(speech.audio))
    if voice.info.phone_timings:
        assert speech.phones, "phones are promised"
        _check_times([(phone.start, phone.end) for phone in speech.phones], len(speech.audio))
    await _check_early(voice, text, language)
    assert not (await collect(voice, "", language)).words, "empty text gives nothing"
    await _check_no_mixing(voice, text, other, language)
    before = asyncio.all_tasks()
    async with closing(voice.speak(Sentence(text, language))) as chunks:
        async for _ in chunks:
            break
    assert asyncio.all_tasks() <= before, "a cancelled sentence leaves no task"


async def _check_early(voice: Voice, text: str, language: str) -> None:
    position = 0
    async for chunk in voice.speak(Sentence(text, language)):
        starts = [word.start for word in chunk.words] + [phone.start for phone in chunk.phones]
        for start in starts:
            assert start >= position, "words and phones come with the sound they start in, or before"
        position += len(chunk.audio)


def _check_times(spans: Sequence[tuple[int, int]], length: int) -> None:
    for start, end in spans:
        assert 0 <= start <= end <= length, f"{start}..{end} is inside the sound of {length} samples"
    assert all(a[0] <= b[0] for a, b in itertools.pairwise(spans)), "times go forward"


async def _check_no_mixing(voice: Voice, text: str, other: str, language: str) -> None:
    alone = [await collect(voice, sentence, language) for sentence in (text, other)]
    together = await asyncio.gather(*(collect(voice, sentence, language) for sentence in (text, other)))
    for one, both in zip(alone, together, strict=True):
        assert [word.text for word in one.words] == [word.text for word in both.words], "two sessions do not mix"
        # Engines may add a little chance to their sound, but a sentence stays as long as it is.
        assert abs(len(one.audio) - len(both.audio)) <= 0.05 * len(one.audio), "two sessions do not mix"


async def check_driver(driver: Driver, speech: Sequence[SpeechChunk], fps: int) -> None:
    """The promises of `anchor.ports.Driver`, on one utterance in chunks."""

    async def chunks() -> AsyncIterator[SpeechChunk]:
        for chunk in speech:
            yield chunk

    async def whole() -> AsyncIterator[SpeechChunk]:
        yield SpeechChunk(
            np.concatenate([chunk.audio for chunk in speech]),
            tuple(word for chunk in speech for word in chunk.words),
            tuple(phone for chunk in speech for phone in chunk.phones),
        )

    async def nothing() -> AsyncIterator[SpeechChunk]:
        return
        yield

    faces = [face async for face in driver.drive(chunks(), fps)]
    samples = sum(len(chunk.audio) for chunk in speech)
    assert len(faces) == -(-samples * fps // SAMPLE_RATE), "one frame for every started beat"
    for face in faces:
        assert face.weights.shape == (len(ARKIT_INDEX),) and face.weights.dtype == np.float32
        assert float(face.weights.min()) >= 0
        assert float(face.weights.max()) <= 1
    again = [face async for face in driver.drive(whole(), fps)]
    assert all(np.allclose(a.weights, b.weights, atol=1e-5) for a, b in zip(faces, again, strict=True)), (
        "how the speech is cut into chunks makes no difference"
    )
    assert [face async for face in driver.drive(nothing(), fps)] == [], "no speech, no frames"


def check_avatar(avatar: Avatar, video: VideoFormat, faces: Sequence[FaceFrame]) -> None:
    """The promises of `anchor.ports.Avatar`, on a few different faces."""
    backdrop = np.full((video.height, video.width, 3), (90, 60, 30), np.uint8)
    placement = Placement(0.5, 0.4, 0.4)
    views = [avatar.open(video, backdrop, placement) for _ in range(2)]
    canvases = [Picture.black(video) for _ in range(2)]
    for face in faces:
        # As many pictures: footage plays on with every one.
        views[0].draw(face, canvases[0])
        views[1].draw(faces[-1], canvases[1])
    difference = np.abs(canvases[0].data.astype(np.int16) - canvases[1].data).max()
    assert difference <= 2, "drawing what moved gives the same picture as drawing everything"


async def check_painter(driver: Driver, avatar: Avatar, chunks: Sequence[SpeechChunk]) -> None:
    """The promises of `anchor.ports.PatchDriver` and its painter, on an avatar that accepts patches."""
    assert driver.info.produces == "patch"
    assert "patch" in avatar.info.accepts

    async def speech() -> AsyncIterator[SpeechChunk]:
        for chunk in chunks:
            yield chunk

    cues = [face.cue async for face in driver.drive(speech(), 25) if face.cue is not None]
    assert cues, "what is said has cues"
    painter = cast(PatchDriver, driver).painter(cast(Paintable, avatar))
    for base in (0, 1):
        patch = await painter.paint(cues[len(cues) // 2], base, deadline=float("inf"))
        assert patch.base == base
        assert patch.pixels.dtype == patch.mask.dtype == np.uint8
        assert patch.pixels.shape == (*patch.mask.shape, 3)
        assert patch.to_art.shape == (2, 3)
        rim = np.concatenate([patch.mask[[0, -1]].ravel(), patch.mask[:, [0, -1]].ravel()])
        assert not rim.any(), "the mask ends inside the patch"
        assert patch.mask.max() == 255


async def check_dialogue(dialogue: Dialogue, question: Question, other: Question) -> None:
    """The promises of `anchor.talk.Dialogue`, on two questions that are answered differently and always alike."""
    await dialogue.warm()
    parts = [part async for part in dialogue.reply(question)]
    assert parts, "a reply says something, or an error is raised"
    assert all(isinstance(part, str | ToolCall | Cited | NoAnswer) for part in parts), "a reply is made of its parts"
    assert all(part for part in parts if isinstance(part, str)), "no piece of text is empty"
    calls = [part for part in parts if isinstance(part, ToolCall)]
    assert not calls or dialogue.info.tools, "only who can ask for tools does"
    assert calls or _text_of(parts).strip(), "without a call there is text"
    for part in parts:
        assert not isinstance(part, Cited) or part.passage in question.passages, "what is cited was given"
    alone = [await _replied(dialogue, one) for one in (question, other)]
    together = await asyncio.gather(*(_replied(dialogue, one) for one in (question, other, question, other)))
    assert alone[0] != alone[1], "the two questions were to be answered differently"
    assert list(together) == [*alone, *alone], "sessions do not mix, and nothing is kept between replies"
    before = asyncio.all_tasks()
    for _ in range(3):
        async with closing(dialogue.reply(question)) as reply:
            async for _part in reply:
                break
    assert asyncio.all_tasks() <= before, "a cancelled reply leaves no task"
    assert await _replied(dialogue, other) == alone[1], "after a cancelled reply the next is whole"


async def _replied(dialogue: Dialogue, question: Question) -> str:
    return _text_of([part async for part in dialogue.reply(question)])


def _text_of(parts: Sequence[ReplyPart]) -> str:
    return "".join(part for part in parts if isinstance(part, str))
