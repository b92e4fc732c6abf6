"""What is said, when: sentences, words, phones and captions. All times are samples of `anchor.media.SAMPLE_RATE`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

Mood = Literal["neutral", "warm", "serious", "cheerful", "concerned"]
Gesture = Literal[
    "nod", "shake", "tilt", "blink", "brows", "smile", "glance left", "glance right", "glance up", "glance down"
]
"""Left and right are the viewer's."""
State = Literal["presenting", "listening", "thinking"]
"""What an anchor does while it says nothing."""


SpanKind = Literal["say-as", "sub", "phoneme", "emphasis", "prosody", "lang", "mark", "break"]


@dataclass(frozen=True, slots=True)
class Span:
    """What SSML 1.1 says of the characters `start` to `end` of a text; a mark and a break stand between two of them.

    `value`: of say-as its interpret-as (with ``:format``), of sub the alias, of phoneme IPA, of emphasis the level, of
    lang the tag, of mark the name. `rate` and `pitch` are factors and `volume` decibels, of prosody; `seconds` of
    break.
    """

    start: int
    end: int
    kind: SpanKind
    value: str = ""
    rate: float = 1.0
    pitch: float = 1.0
    volume: float = 0.0
    seconds: float = 0.0

    def shifted(self, characters: int) -> Span:
        return replace(self, start=self.start + characters, end=self.end + characters)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A piece of text for a voice to speak in one breath.

    `text` is display text, as a viewer reads it; the voice decides how it is read aloud. `language` is a BCP 47 tag
    such as ``zh-CN`` or ``en``. `pause` is the silence that follows, in seconds. `spans` say how parts of the text are
    to be read, and `mood` in what mood the whole is said; a voice heeds what it can.
    """

    text: str
    language: str
    pause: float = 0.25
    spans: tuple[Span, ...] = ()
    mood: Mood = "neutral"


@dataclass(frozen=True, slots=True)
class Word:
    """A display word (for Chinese and Japanese a word or a character) with its place in the sound.

    `text` is as the viewer reads it ("2025", "CNY"), with attached punctuation and following space, so that joining
    the words of a sentence gives its display text back.
    """

    text: str
    start: int
    end: int

    def shifted(self, samples: int) -> Word:
        return replace(self, start=self.start + samples, end=self.end + samples)


@dataclass(frozen=True, slots=True)
class Phone:
    """A speech sound: IPA symbol without stress marks, samples, and stress (0 none, 1 secondary, 2 primary).

    `start` of a plosive is the start of its closure, not its burst.
    """

    symbol: str
    start: int
    end: int
    stress: int = 0

    def shifted(self, samples: int) -> Phone:
        return replace(self, start=self.start + samples, end=self.end + samples)


@dataclass(frozen=True, slots=True)
class Caption:
    """One or two lines on screen from `start` to `end`; `second`: the same in a second language, below them."""

    lines: tuple[str, ...]
    start: int
    end: int
    second: tuple[str, ...] = ()

    def shifted(self, samples: int) -> Caption:
        return replace(self, start=self.start + samples, end=self.end + samples)


@dataclass(frozen=True, slots=True)
class LowerThird:
    """Who or what this is about: a headline and a smaller line below."""

    title: str
    subtitle: str = ""
