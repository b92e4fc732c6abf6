"""The ports: what a voice, a driver, an avatar, a scene and a sink must do.

Back-ends are found by name in the entry-point groups ``anchor.voice``, ``anchor.driver``, ``anchor.avatar``,
``anchor.scene``, ``anchor.sink`` (see `anchor.registry`). `anchor.testing` has a fake and a conformance suite for each.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from anchor.events import Mood, Phone, Sentence, SpanKind, Word
from anchor.graphics import Graphics
from anchor.media import (
    Beat,
    Bytes,
    DrawnFace,
    FaceFrame,
    FaceKind,
    Floats,
    Look,
    MouthPatch,
    Picture,
    Samples,
    VideoFormat,
)
from anchor.onair import OutputInfo

TimingSource = Literal["voice", "aligned"]


class ConsentWatch(Protocol):
    def problem(self) -> str:
        """Why a person's face or voice that is on air may no longer be used, or nothing.

        Reads files: call it in a worker thread.
        """
        ...


@dataclass(frozen=True, slots=True)
class Flaws:
    """What a voice has said otherwise than its text: words that were not heard, speech that is no word of it.

    `missing` are display words, as `Word.text`; `extra_seconds` is said twice or made up. `cost` orders takes of one
    sentence, the best has the least.
    """

    missing: tuple[str, ...] = ()
    extra_seconds: float = 0.0
    cost: float = 0.0

    def __str__(self) -> str:
        parts = [f"not heard: {' '.join(word.strip() for word in self.missing)}"] if self.missing else []
        parts += [f"{self.extra_seconds:.1f} s that are not in the text"] if self.extra_seconds else []
        return "; ".join(parts)


@dataclass(frozen=True, slots=True)
class SpeechChunk:
    """A stretch of sound that follows the chunk before it without a gap, and what is said in it.

    Times of `words` and `phones` count from the start of the first chunk, not of this one. A word or phone comes in
    the chunk where it starts or in an earlier one, never later, and in order. `source` is who timed them. What is not
    `spoken`, such as a clip's own sound, moves no lips and has no captions. `consent`: whether the person whose voice
    it is still agrees, for what is prepared and not yet on air. The last chunk of a sentence whose words were not all
    heard, or others besides, has its `flaws`.
    """

    audio: Samples
    words: tuple[Word, ...] = ()
    phones: tuple[Phone, ...] = ()
    source: TimingSource = "voice"
    spoken: bool = True
    consent: ConsentWatch | None = None
    flaws: Flaws | None = None

    def shifted(self, samples: int) -> SpeechChunk:
        return replace(
            self,
            words=tuple(word.shifted(samples) for word in self.words),
            phones=tuple(phone.shifted(samples) for phone in self.phones),
        )

    @classmethod
    def silence(cls, samples: int, *, spoken: bool = True) -> SpeechChunk:
        return cls(np.zeros(samples, np.float32), spoken=spoken)


@dataclass(frozen=True, slots=True)
class VoiceInfo:
    """What a voice is: `languages` are BCP 47 tags it can speak, best first.

    `heeds`: the kinds of `Sentence.spans` that it sees to itself; `anchor.voice.spoken` does what it can of the others.
    `moods`: the moods that can be heard in it besides the neutral one. `version` is another one when the same text may
    sound otherwise: of the engine's program, of weights.
    """

    name: str
    engine: str
    languages: tuple[str, ...]
    licence: str
    phone_timings: bool
    heeds: tuple[SpanKind, ...] = ()
    moods: tuple[Mood, ...] = ()
    version: str = ""


class Voice(Protocol):
    """Turns sentences into sound with timed words (and phones where it knows them)."""

    @property
    def info(self) -> VoiceInfo: ...

    async def warm(self, languages: Sequence[str]) -> None:
        """Load what these languages need, so that the first sentence does not wait for it."""
        ...

    def speak(self, sentence: Sentence) -> AsyncIterator[SpeechChunk]:
        """Yield the sentence's sound from its first sample, without `Sentence.pause`.

        Text with nothing to say yields nothing. Raises `VoiceError`. Closing the iterator cancels at once.
        """
        ...

    async def close(self) -> None: ...


class Take(Protocol):
    """A performer's face as it was recorded, in seconds from its beginning."""

    @property
    def seconds(self) -> float: ...

    @property
    def notes(self) -> tuple[str, ...]:
        """What was found odd when it was read, each a line for whoever recorded it."""
        ...

    def at(self, seconds: float) -> FaceFrame | None:
        """The face then: all that it is, relative to the performer's rest; None outside the take."""
        ...


class SeenFace(Protocol):
    """A face found in a picture. `points`: float32, (478, 3), pixels; x right, y down, z away from the viewer."""

    @property
    def points(self) -> Floats: ...


class FaceTracker(Protocol):
    """Follows faces through the pictures of a film, MediaPipe's landmarks of each; belongs to one thread at a time."""

    def find(self, bgr: Bytes) -> Sequence[SeenFace]: ...

    def close(self) -> None: ...


class Onlooker(Protocol):
    """Takes in the pictures of a performer's camera, in a thread of its own. Stores and forwards none of them."""

    def look(self, bgr: Bytes, at: float) -> None:
        """Take in a picture that came at `at`, seconds of the event loop's clock."""
        ...

    def close(self) -> None: ...


class Capture(Onlooker, Protocol):
    """A performer before a camera, as a face; `now` is of the event loop's clock."""

    def face(self, now: float) -> FaceFrame | None:
        """The newest face, while it is fresh. Never waits."""
        ...

    def state(self, now: float) -> str:
        """``waiting``, ``no face``, ``calibrating`` or ``driving``."""
        ...


class GuestPort(Protocol):
    """Lets in one person at a time who sends a track by WebRTC. Keeps nothing of what they send."""

    @property
    def taken(self) -> bool: ...

    async def join(self, offer: str) -> Answer:
        """Answer an SDP offer. Raises `SignallingError`, and `CapacityError` when there is somebody already."""
        ...

    async def leave(self, guest: str) -> None:
        """Raises `KeyError` for one who is not there."""
        ...

    def dismiss(self) -> None:
        """Show out whoever is there."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class SpelledWord:
    """A display word, as `Word.text`, and how it is spoken: IPA symbols with their stress, as in `Phone`."""

    text: str
    phones: tuple[tuple[str, int], ...]


class Aligner(Protocol):
    """Finds the words and phones of a known text in sound that came without timings."""

    def warm(self) -> None:
        """Load what it needs. Blocks."""
        ...

    def align(
        self, speech: AsyncIterable[SpeechChunk], words: Sequence[SpelledWord], *, checked: bool = False
    ) -> AsyncIterator[SpeechChunk]:
        """Yield the sound of one sentence again, with its words and phones; it is held until they are settled.

        Sound that another text fits far better goes on without timings. With `checked` the last chunk tells `flaws`.
        """
        ...


@dataclass(frozen=True, slots=True)
class DriverInfo:
    name: str
    produces: FaceKind
    lookahead_seconds: float
    """How far ahead of a face frame the driver must know the speech."""
    source: Path | None = None
    """The files that somebody brought, which must pass the self-test on every avatar that they are to move."""


class Driver(Protocol):
    """Turns speech into face frames."""

    @property
    def info(self) -> DriverInfo: ...

    def drive(self, speech: AsyncIterable[SpeechChunk], fps: int) -> AsyncIterator[FaceFrame]:
        """Yield one frame for every started 1/fps of sound; frame n is the face in the middle of beat n.

        Frames come as soon as `DriverInfo.lookahead_seconds` of speech after them is known, and all of them when the
        speech ends.
        """
        ...


@runtime_checkable
class Classifies(Protocol):
    """A driver that can also say which viseme it takes each moment for, to be scored by."""

    async def classes(self, speech: AsyncIterable[SpeechChunk]) -> NDArray[np.int64]:
        """The class of each 10 ms of the speech: indices into sil PP FF TH DD kk CH SS nn RR aa E I O U."""
        ...


@dataclass(frozen=True, slots=True)
class FaceShape:
    """Where a face's parts are in its avatar's art coordinates, the same in all pictures of its footage.

    The origin lies between the eyes, x goes to the viewer's right and y down, and the unit is the avatar's own.
    `chin`: height of the chin under the eyes; `mouth`: middle of the line of the shut lips; `width`: of that line.
    """

    chin: float
    mouth: tuple[float, float]
    width: float


class Paintable(Protocol):
    """An avatar that accepts patches: a still face, or footage of one."""

    @property
    def shape(self) -> FaceShape: ...

    def crops(self, box: tuple[float, float, float, float], size: tuple[int, int]) -> Sequence[Bytes]:
        """What a box of art coordinates (left, top, right, bottom) shows in every picture of the footage.

        BGR, uint8, `size` is width and height. Takes seconds for long footage: call it in a worker thread.
        """
        ...


class Painter(Protocol):
    """Paints mouths for one stream over one avatar."""

    async def paint(self, cue: object, base: int, *, deadline: float) -> MouthPatch:
        """The mouth of a moment over a picture of the footage, by `deadline` on the clock.

        Raises `LateError` where that cannot be, and `ModelError` for a model that failed.
        """
        ...


class PatchDriver(Driver, Protocol):
    """A driver whose frames carry cues."""

    def painter(self, avatar: Paintable) -> Painter:
        """Prepare to paint over an avatar. Takes seconds: call it in a worker thread. Raises `ModelError`."""
        ...


@runtime_checkable
class SharesNetworks(Protocol):
    """A driver whose networks serve many streams: each asks for room before it goes on air."""

    def session(self, fps: int) -> AbstractAsyncContextManager[None]:
        """Room for one stream, for as long as the context lasts.

        Raises `CapacityError` on entering, when the networks' measured cost says that one more stream would be late.
        """
        ...


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the head is in the picture, in fractions of its width and height.

    `x`: middle of the face; `eyes`: height of the eye line from the top; `head`: crown to chin.
    """

    x: float
    eyes: float
    head: float


@dataclass(frozen=True, slots=True)
class AvatarInfo:
    name: str
    title: str
    kind: str
    accepts: tuple[FaceKind, ...]
    licence: str
    languages: tuple[str, ...] = ()
    details: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AvatarEntry:
    """An avatar that there is: with `info` when it can be used, else with the `problem`.

    `version` is another one after every change of the package at `path`.
    """

    name: str
    path: Path
    version: str
    info: AvatarInfo | None = None
    problem: str = ""


class AvatarView(Protocol):
    """An avatar opened at one picture size over one backdrop; belongs to one stream and one thread at a time."""

    def draw(self, face: DrawnFace, canvas: Picture) -> None:
        """Bring `canvas` from the face drawn last to this one, touching only what moved.

        The first call draws everything, backdrop included. Nobody else writes to `canvas`.
        """
        ...

    def base(self, ahead: int) -> int:
        """Which picture of its footage the view will show `ahead` calls of `draw` from now; 0 for a still one."""
        ...


@dataclass(frozen=True, slots=True)
class Setting:
    """Where an avatar is best shown, and its own background at that place, where it brings one."""

    placement: Placement
    background: Bytes | None = None
    """BGR, uint8, the size of the picture."""


class Avatar(Protocol):
    """A loaded avatar package, shared by all streams."""

    @property
    def info(self) -> AvatarInfo: ...

    def setting(self, video: VideoFormat, wanted: Placement, *, own_background: bool) -> Setting:
        """Where this avatar can be shown in such a picture, as near as it can to what is wanted.

        Without `own_background` the show brings its own, and the avatar is cut out.
        """
        ...

    def open(self, video: VideoFormat, backdrop: Bytes, placement: Placement) -> AvatarView:
        """Prepare layers at this size; `backdrop` is BGR, uint8, shape (height, width, 3)."""
        ...


class Shelf(Protocol):
    """The avatars there are to choose from. Reads files: call it in a worker thread."""

    def entries(self) -> list[AvatarEntry]: ...

    def entry(self, name: str | Path) -> AvatarEntry:
        """One that can be used, by name or path. Raises `MissingError`, and `AvatarError` for one that cannot."""
        ...

    def load(self, entry: AvatarEntry) -> Avatar: ...

    def poster(self, name: str) -> bytes:
        """A WebP file. Raises what `entry` raises."""
        ...

    def watch(self, entry: AvatarEntry) -> ConsentWatch: ...


class Scene(Protocol):
    """The whole picture: backdrop, avatar, graphics, captions and the AI label; belongs to one stream."""

    def draw(self, look: Look) -> Picture:
        """Draw a picture of its own that no later call changes. Blocks for milliseconds; call it in a worker thread."""
        ...


class Stage(Scene, Protocol):
    """A scene in which another avatar can take over while it is drawn."""

    def cast(self, avatar: Avatar | None) -> Callable[[], None]:
        """Prepare everything for `avatar`, or for nobody, in a worker thread; the call that is returned is instant.

        The first picture drawn after that call shows the new one, and captions go on. Raises `AvatarError`.
        """
        ...

    def base(self, ahead: int) -> int:
        """Which picture of the avatar's footage will be shown `ahead` calls of `draw` from now. Instant."""
        ...

    def prepare(self, graphics: Graphics) -> None:
        """Load the picture or clip of graphics before they are shown. Blocks: call it in a worker thread.

        Raises `MissingError`, and `AvatarError` for one that cannot be shown; shown all the same, it is left out.
        """
        ...

    def seconds(self, graphics: Graphics) -> float:
        """How long what moves by itself in graphics takes, such as credits; 0 where nothing does."""
        ...

    def settled(self, look: Look) -> Picture:
        """The picture of a look when all movement in it is over. Blocks for longer than `draw`."""
        ...


class Sink(Protocol):
    """Takes beats in order. Leaving its context by an exception discards what can be discarded."""

    async def send(self, beat: Beat) -> None:
        """Take a beat. A file sink returns when it has room for another; a live sink never waits."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a viewer's SDP offer, and the name under which the viewer is known from now on."""

    viewer: str
    sdp: str


class ViewerSink(Sink, Protocol):
    """A live sink that WebRTC viewers join: one encoder for all of them."""

    async def join(self, offer: str) -> Answer:
        """Answer an SDP offer. Raises `SignallingError` for one that cannot be answered."""
        ...

    async def trickle(self, viewer: str, fragment: str) -> None:
        """Take an SDP fragment (RFC 8840). Raises `SignallingError`, and `KeyError` for an unknown viewer."""
        ...

    async def leave(self, viewer: str) -> None:
        """End a viewer. Raises `KeyError` for an unknown one."""
        ...

    def tell(self, message: Mapping[str, Any]) -> None:
        """Send a JSON object to every viewer's page, as far as it is there to take it."""
        ...

    @property
    def viewers(self) -> int: ...


class Pushed(Protocol):
    """A stream that is sent to a server."""

    def info(self) -> OutputInfo: ...

    def start(self) -> None: ...

    def stop(self) -> None: ...


@runtime_checkable
class PushesOutputs(Protocol):
    """A live sink whose stream can be sent to WHIP servers as well."""

    def push(self, url: str, *, token: str | None = None, name: str = "", start: bool = True) -> Pushed:
        """From now on, until the sink ends. Raises `FormatError` for an odd address."""
        ...
