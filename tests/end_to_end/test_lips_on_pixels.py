"""From text to pixels: the voice speaks, the driver moves, the bundled anchor is drawn, and the mouth is measured."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import get_args

import numpy as np
import pytest
from numpy.typing import NDArray

from anchor.events import Mood, Phone
from anchor.media import ARKIT_INDEX, SAMPLE_RATE, Blendshapes, Floats, Picture, VideoFormat
from anchor.pipeline.idle import Life
from anchor.pipeline.manner import Manner
from anchor.ports import AvatarView, Placement, SpeechChunk
from anchor.testing import collect
from anchor.voice.espeak import EspeakVoice
from avatars.package import load_avatar
from drivers.visemes import OPEN_VOWELS, visemes_of
from tests.avatars.mouths import face
from tests.drivers.speech import aperture, drive, lag, opening_asked

FPS = 25
VIDEO = VideoFormat(720, 720, FPS)
HEAD = Placement(x=0.5, eyes=0.4, head=0.9)
# Where the mouth may be, in head heights from the middle of the eye line: left, right, top, bottom.
MOUTH = (-0.12, 0.12, 0.215, 0.44)
MIDDLE = 0.05
SHUT = 0.12
"""Part of the range of apertures under which lips count as closed."""

TEXTS = {
    "en": [
        "Papa bought a big map of Bohemia.",
        "Five very fine views.",
        "People have been putting up umbrellas, because the weather bureau promised a humid summer.",
    ],
    "zh": [
        "爸爸妈妈买面包，不怕麻烦。",
        "明天北部平原部分地区有暴风雨，朋友们出门别忘了把门关好。",
    ],
}


@dataclass(frozen=True)
class Shown:
    """One sentence with a second of silence before and after, and the aperture of the drawn mouth in pixels."""

    text: str
    speech: SpeechChunk
    faces: list[Blendshapes]
    pixels: Floats
    teeth: Floats

    @cached_property
    def range(self) -> float:
        return float(np.percentile(self.pixels, 97) - self.pixels.min())

    @cached_property
    def gap(self) -> Floats:
        gap: Floats = (self.pixels - self.pixels.min()) / np.float32(self.range)
        return gap

    def frames(self, phone: Phone, slack: float = 0.0) -> NDArray[np.intp]:
        middles = (np.arange(len(self.faces)) + 0.5) / FPS
        start, end = phone.start / SAMPLE_RATE - slack, phone.end / SAMPLE_RATE + slack
        return np.flatnonzero((middles >= start) & (middles <= end))

    def phones(self, *visemes: str) -> Iterator[Phone]:
        return (phone for phone in self.speech.phones if visemes_of(phone.symbol)[0][0] in visemes)


def with_silence(speech: SpeechChunk) -> SpeechChunk:
    second = np.zeros(SAMPLE_RATE, np.float32)
    return SpeechChunk(np.concatenate([second, speech.audio, second]), phones=speech.shifted(SAMPLE_RATE).phones)


class Mouth:
    """Measures how far the lips of a drawn face are apart.

    Teeth and the dark between the lips are bluer than any skin or lip (the second plane of I420), so whatever is bluer
    than all of the closed mouth's surroundings lies between the lips.
    """

    def __init__(self, view: AvatarView) -> None:
        self._view = view
        self._canvas = Picture.black(VIDEO)
        height = HEAD.head * VIDEO.height
        x, y = HEAD.x * VIDEO.width, HEAD.eyes * VIDEO.height
        left, right, top, bottom = (round(side * height / 2) for side in MOUTH)
        self._box = (slice(round(y / 2) + top, round(y / 2) + bottom), slice(round(x / 2) + left, round(x / 2) + right))
        middle, reach = (right - left) // 2, round(MIDDLE * height / 2)
        self._columns = slice(middle - reach, middle + reach)
        closed = np.zeros(len(ARKIT_INDEX), np.float32)
        for side in ("Left", "Right"):
            closed[ARKIT_INDEX[f"mouthPress{side}"]] = 0.4
        self._view.draw(Blendshapes(closed), self._canvas)
        self._skin = int(self._canvas.u[self._box].max())

    def draw(self, face: Blendshapes) -> tuple[float, float]:
        """Height of the opening in rows of the picture, and how much of it is teeth (0..1)."""
        self._view.draw(face, self._canvas)
        inside = (self._canvas.u[self._box] > self._skin + 1)[:, self._columns]
        if not inside.any():
            return 0.0, 0.0
        rows = inside.shape[0]
        spans = np.where(inside.any(axis=0), rows - inside[::-1].argmax(axis=0) - inside.argmax(axis=0), 0)
        bright = self._canvas.y[::2, ::2][self._box][:, self._columns] > 140
        return 2.0 * float(np.mean(np.sort(spans)[-5:])), float((inside & bright).sum() / inside.sum())


@pytest.fixture(scope="module")
def shown() -> list[Shown]:
    async def speak() -> list[tuple[str, SpeechChunk]]:
        voice = EspeakVoice()
        try:
            return [(text, await collect(voice, text, tag)) for tag, texts in TEXTS.items() for text in texts]
        finally:
            await voice.close()

    backdrop = np.full((VIDEO.height, VIDEO.width, 3), (120, 90, 70), np.uint8)
    mouth = Mouth(load_avatar("lin").open(VIDEO, backdrop, HEAD))
    found = []
    for text, spoken in asyncio.run(speak()):
        speech = with_silence(spoken)
        faces, life = drive(speech, fps=FPS), Life(seed=1, fps=FPS)
        drawn = np.array([mouth.draw(face + life.frame(speaking=True)) for face in faces], np.float32)
        found.append(Shown(text, speech, faces, drawn[:, 0], drawn[:, 1]))
    return found


def test_the_mouth_opens_wide_enough_to_be_seen(shown: list[Shown]) -> None:
    for one in shown:
        assert one.range > 0.035 * HEAD.head * VIDEO.height, one.text
        assert one.pixels.max() < 0.14 * HEAD.head * VIDEO.height, one.text


def test_every_bilabial_closes_the_drawn_lips(shown: list[Shown]) -> None:
    closed = [float(one.gap[one.frames(phone, 0.02)].min()) < SHUT for one in shown for phone in one.phones("PP")]
    assert len(closed) >= 30
    assert np.mean(closed) >= 0.95


def test_open_vowels_are_drawn_open(shown: list[Shown]) -> None:
    shut = [
        float(one.gap[frames].max()) < SHUT
        for one in shown
        for phone in one.phones(*OPEN_VOWELS)
        if (frames := one.frames(phone)).size
    ]
    assert len(shut) >= 20
    assert np.mean(shut) <= 0.05


def test_teeth_stand_on_the_lip_at_every_labiodental(shown: list[Shown]) -> None:
    seen = [
        bool(((one.teeth > 0.5) & (one.pixels > 0) & (one.gap < 0.6))[one.frames(phone, 0.02)].any())
        for one in shown
        for phone in one.phones("FF")
    ]
    assert len(seen) >= 8
    assert np.mean(seen) >= 0.9


def test_lips_are_still_while_nothing_is_said(shown: list[Shown]) -> None:
    for one in shown:
        middles = (np.arange(len(one.faces)) + 0.5) / FPS
        first, last = one.speech.phones[0].start / SAMPLE_RATE, one.speech.phones[-1].end / SAMPLE_RATE
        for silence in (middles < first - 0.25, middles > last + 0.25):
            assert silence.sum() >= 12
            assert one.gap[silence].std() <= 0.01, one.text
            assert one.gap[silence].max() <= 0.05, one.text


def test_the_picture_does_what_the_driver_means(shown: list[Shown]) -> None:
    for one in shown:
        assert np.corrcoef(aperture(one.faces), one.pixels)[0, 1] >= 0.9, one.text


def test_lips_and_sound_are_within_a_frame_of_each_other(shown: list[Shown]) -> None:
    rate = 100
    for one in shown:
        asked, _ = opening_asked(one.speech, rate)
        times, middles = (np.arange(asked.size) + 0.5) / rate, (np.arange(one.gap.size) + 0.5) / FPS
        late = lag(np.interp(times, middles, one.gap), asked, 15)
        assert abs(late) <= rate // FPS, one.text


@pytest.mark.parametrize("mood", get_args(Mood))
def test_bilabials_close_in_every_mood(mood: Mood) -> None:
    mouth = Mouth(load_avatar("lin").open(VIDEO, np.full((720, 720, 3), 90, np.uint8), HEAD))
    manner, life = Manner(FPS, mood), Life(seed=4, fps=FPS)
    for _ in range(2 * FPS):
        living = life.frame(True) + manner.frame(speaking=True)
    shut = face(jawOpen=0.03, mouthClose=0.05, mouthPress=0.45, mouthRollLower=0.25)
    wide = face(jawOpen=0.62, mouthLowerDown=0.25, mouthUpperUp=0.1)
    assert mouth.draw(wide + living)[0] > 30
    assert mouth.draw(shut + living)[0] == 0
