"""Sound, pictures and faces, and the beat that binds them.

A *beat* is one video frame and exactly the audio samples under it. Two time lines exist: *utterance time*, in samples
since an utterance began, and *stream time*, in beats since the stream began. Only `anchor.pipeline.playout` converts.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from anchor.errors import FormatError
from anchor.events import Caption, LowerThird, Word
from anchor.graphics import NO_GRAPHICS, Graphics

SAMPLE_RATE = 48_000
"""Samples a second of all sound inside the project, mono."""

VIDEO_CLOCK = 90_000
"""Ticks a second of video time stamps (RFC 3551 and ISO/IEC 13818-1 use 90 kHz)."""

Samples = NDArray[np.float32]
"""Mono sound, shape (samples,), float32 in -1..1, at `SAMPLE_RATE`."""

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

FILES_ONLY = {
    "protocol_whitelist": "file", "format_whitelist": "mov,matroska,avi,mpegts,mpeg,flv,ogg,wav,mp3,flac,aac"
}  # fmt: skip
"""FFmpeg's options for a file that people bring: one that names other files or addresses is not opened."""

OCULUS = ("sil", "PP", "FF", "TH", "DD", "kk", "CH", "SS", "nn", "RR", "aa", "E", "I", "O", "U")
"""The fifteen visemes of Oculus and OpenXR face tracking."""

LipSource = Literal["", "voice", "aligned", "network", "energy"]
"""What a mouth was made from, best first: phones timed by the voice, phones aligned to the sound, the sound heard by a
network, its loudness."""

FaceKind = Literal["blendshapes", "patch"]
"""What a driver produces and an avatar accepts; a wrong pair is refused when the configuration is read.

A driver of patches yields blendshapes too, each with a `cue` from which its painter makes a `MouthPatch`.
"""

# Apple's ARFaceAnchor.BlendShapeLocation, in the order that Live Link Face and most tools use.
ARKIT = (
    "eyeBlinkLeft", "eyeLookDownLeft", "eyeLookInLeft", "eyeLookOutLeft", "eyeLookUpLeft", "eyeSquintLeft",
    "eyeWideLeft", "eyeBlinkRight", "eyeLookDownRight", "eyeLookInRight", "eyeLookOutRight", "eyeLookUpRight",
    "eyeSquintRight", "eyeWideRight", "jawForward", "jawRight", "jawLeft", "jawOpen", "mouthClose", "mouthFunnel",
    "mouthPucker", "mouthRight", "mouthLeft", "mouthSmileLeft", "mouthSmileRight", "mouthFrownLeft", "mouthFrownRight",
    "mouthDimpleLeft", "mouthDimpleRight", "mouthStretchLeft", "mouthStretchRight", "mouthRollLower", "mouthRollUpper",
    "mouthShrugLower", "mouthShrugUpper", "mouthPressLeft", "mouthPressRight", "mouthLowerDownLeft",
    "mouthLowerDownRight", "mouthUpperUpLeft", "mouthUpperUpRight", "browDownLeft", "browDownRight", "browInnerUp",
    "browOuterUpLeft", "browOuterUpRight", "cheekPuff", "cheekSquintLeft", "cheekSquintRight", "noseSneerLeft",
    "noseSneerRight", "tongueOut",
)  # fmt: skip
ARKIT_INDEX = {name: index for index, name in enumerate(ARKIT)}


@dataclass(frozen=True, slots=True)
class VideoFormat:
    """Picture size in pixels and frames a second.

    Raises `FormatError` when the size is odd or out of 64..4096, or when the frame rate does not divide
    `SAMPLE_RATE` and `VIDEO_CLOCK` (a beat holds a whole number of samples and ticks).
    """

    width: int = 1280
    height: int = 720
    fps: int = 25

    def __post_init__(self) -> None:
        for side in (self.width, self.height):
            if side % 2 or not 64 <= side <= 4096:
                raise FormatError(f"picture size {self.width}x{self.height}: sides must be even and from 64 to 4096")
        if not 5 <= self.fps <= 60 or SAMPLE_RATE % self.fps or VIDEO_CLOCK % self.fps:
            raise FormatError(f"{self.fps} frames a second: choose 10, 20, 24, 25, 30, 40, 48, 50 or 60")

    @classmethod
    def parse(cls, size: str, fps: int = 25) -> VideoFormat:
        """Read a size such as ``1280x720``."""
        width, x, height = size.lower().partition("x")
        if not (x and width.isascii() and width.isdigit() and height.isascii() and height.isdigit()):
            raise FormatError(f"picture size {size!r}: write WIDTHxHEIGHT, for example 1280x720")
        return cls(int(width), int(height), fps)

    @property
    def samples_per_beat(self) -> int:
        return SAMPLE_RATE // self.fps

    @property
    def ticks_per_beat(self) -> int:
        return VIDEO_CLOCK // self.fps

    @property
    def seconds_per_beat(self) -> float:
        return 1 / self.fps

    @property
    def shorter_side(self) -> int:
        return min(self.width, self.height)


class Picture:
    """One I420 frame: BT.601 matrix, limited range, as OpenCV's ``COLOR_BGR2YUV_I420`` makes it.

    `data` is uint8 of shape (height * 3 // 2, width), C-contiguous; `y`, `u` and `v` are views into it.
    """

    __slots__ = ("data", "height", "u", "v", "width", "y")

    def __init__(self, data: Bytes) -> None:
        rows, self.width = data.shape
        self.height = rows * 2 // 3
        self.data = data
        chroma = data[self.height :].reshape(2, self.height // 2, self.width // 2)
        self.y, self.u, self.v = data[: self.height], chroma[0], chroma[1]

    @classmethod
    def black(cls, video: VideoFormat) -> Picture:
        data = np.full((video.height * 3 // 2, video.width), 128, np.uint8)
        data[: video.height] = 16
        return cls(data)

    def copy(self) -> Picture:
        return Picture(self.data.copy())


@dataclass(frozen=True, slots=True)
class HeadPose:
    """Where the head is, relative to rest: radians, and offsets in head heights.

    Positive yaw turns to the viewer's right, positive pitch looks up, positive roll leans to the viewer's right
    (clockwise in the picture); x is to the viewer's right, y is up.
    """

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    x: float = 0.0
    y: float = 0.0

    def __add__(self, other: HeadPose) -> HeadPose:
        return HeadPose(
            self.yaw + other.yaw, self.pitch + other.pitch, self.roll + other.roll, self.x + other.x, self.y + other.y
        )


def _zeros() -> Floats:
    return np.zeros(len(ARKIT), np.float32)


@dataclass(frozen=True, slots=True)
class Blendshapes:
    """A face by numbers.

    `weights`: float32, shape (52,), 0..1, in the order of `ARKIT`; "left" is the anchor's own left, as in ARKit.
    `gaze`: radians (to the viewer's right, up) added to what the eyeLook weights say. `breath`: 0 (out) to 1 (in).
    `cue`: what the driver's own painter needs to paint the mouth of this moment; None in silence, and for drivers
    without a painter. It belongs to the moment: a sum of faces has none.
    `lips`: what the mouth was made from, or nothing at rest.
    """

    weights: Floats = field(default_factory=_zeros)
    head: HeadPose = HeadPose()
    gaze: tuple[float, float] = (0.0, 0.0)
    breath: float = 0.0
    cue: object | None = None
    lips: LipSource = ""

    def __getitem__(self, name: str) -> float:
        return float(self.weights[ARKIT_INDEX[name]])

    def __add__(self, other: Blendshapes) -> Blendshapes:
        """Lay one face over another: weights add up to at most 1, poses and gaze add."""
        return Blendshapes(
            np.clip(self.weights + other.weights, 0, 1),
            self.head + other.head,
            (self.gaze[0] + other.gaze[0], self.gaze[1] + other.gaze[1]),
            min(1.0, self.breath + other.breath),
            self.lips or other.lips,
        )


FaceFrame = Blendshapes
"""What drivers produce, one for every beat."""


@dataclass(frozen=True, slots=True)
class MouthPatch:
    """A mouth by pixels, to be laid over one picture of an avatar's footage.

    `pixels`: BGR, uint8, shape (rows, columns, 3). `mask`: uint8, (rows, columns); where it is 0, the footage stays
    as it is, bit for bit. `to_art`: float32, (2, 3), from pixels to the avatar's art coordinates (see
    `anchor.ports.FaceShape`). `base`: the picture of the footage that it was painted on.
    """

    pixels: Bytes
    mask: Bytes
    to_art: Floats
    base: int


@dataclass(frozen=True, slots=True)
class PatchedFace:
    """A face whose mouth is a patch.

    `face` has the lips by numbers for the same moment; `strength`, 0..1, is how far the patch stands for them.
    """

    face: Blendshapes
    mouth: MouthPatch
    strength: float = 1.0

    def __getitem__(self, name: str) -> float:
        return self.face[name]

    def __add__(self, other: Blendshapes) -> PatchedFace:
        return replace(self, face=self.face + other)


DrawnFace = Blendshapes | PatchedFace
"""What avatars draw; one that accepts no patches is never given any."""


@dataclass(frozen=True, slots=True)
class Look:
    """Everything that can change in the picture from one beat to the next."""

    face: DrawnFace
    caption: Caption | None = None
    lower_third: LowerThird | None = None
    graphics: Graphics = NO_GRAPHICS
    clock: str = ""
    """The time of day, as it is shown; nothing where no clock is."""
    since: int = 0
    """Beats since the utterance on air began, as it is heard: what plays with its sound keeps to this."""


@dataclass(frozen=True, slots=True)
class Beat:
    """One video frame and exactly the sound under it: the only thing that leaves the system.

    `index` is stream time; video time stamps are ``index * ticks_per_beat``, audio ``index * samples_per_beat``.
    `words` are those that end in this beat: once it is out, they have been heard. `lips`: what its mouth was made from.
    `marks` of the text are reached in this beat.
    """

    index: int
    picture: Picture
    audio: Samples
    speaking: bool = False
    utterance: str | None = None
    words: tuple[Word, ...] = ()
    caption: Caption | None = None
    lips: LipSource = ""
    marks: tuple[str, ...] = ()
