"""How stretches of a sentence are said: faster, higher, louder, by SSML's prosody and emphasis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from anchor.events import Span
from anchor.media import SAMPLE_RATE, Samples
from anchor.voice.sound import limited
from anchor.voice.text.tokens import Token

RAMP_SECONDS = 0.01
"""Over which loudness changes, so that nothing clicks."""


@dataclass(frozen=True, slots=True)
class Manner:
    """Factors on speed and pitch, and decibels."""

    rate: float = 1.0
    pitch: float = 1.0
    volume: float = 0.0

    def and_(self, other: Manner) -> Manner:
        return Manner(self.rate * other.rate, self.pitch * other.pitch, self.volume + other.volume)


USUAL = Manner()

EMPHASIS = {
    "strong": Manner(0.8, 1.15, 3.0),
    "moderate": Manner(0.9, 1.07, 1.5),
    "none": USUAL,
    "reduced": Manner(1.1, 0.96, -3.0),
}
"""Stressed words are longer, higher and louder, in this order of weight (Fry 1958; Cooper et al. 1985)."""


def manners(tokens: Sequence[Token], spans: Sequence[Span]) -> list[Manner]:
    """The manner of each token, by where it begins in the text."""
    shaping = [span for span in spans if span.kind in ("prosody", "emphasis")]
    found, place, start = [], 0, 0
    for token in tokens:
        # One without text of its own is said for the text of the token before.
        start = place if token.text else start
        found.append(manner_at(start, shaping))
        place += len(token.text)
    return found


def manner_at(place: int, spans: Sequence[Span]) -> Manner:
    manner = USUAL
    for span in spans:
        if span.start <= place < span.end and span.kind == "prosody":
            manner = manner.and_(Manner(span.rate, span.pitch, span.volume))
        elif span.start <= place < span.end and span.kind == "emphasis":
            manner = manner.and_(EMPHASIS.get(span.value, USUAL))
    return manner


def louder(audio: Samples, volumes: Mapping[tuple[int, int], float]) -> Samples:
    """Sound with stretches of it louder or softer: decibels by samples from and to. Between them it changes evenly."""
    if not any(volumes.values()):
        return audio
    ramp = round(RAMP_SECONDS * SAMPLE_RATE)
    places, levels = list[float](), list[float]()
    for (start, end), decibels in sorted(volumes.items()):
        inset = min(ramp, (end - start) // 2)
        places += (max(start + inset, places[-1] if places else 0), max(end - inset, start + inset))
        levels += [10 ** (decibels / 20)] * 2
    gain = np.interp(np.arange(len(audio)), places, levels).astype(np.float32)
    return limited(audio * gain)
