"""The notations of SSML 1.1 for speed, pitch, loudness and pauses, as numbers. All raise `ValueError` in sentences."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

RATES = {"x-slow": 0.6, "slow": 0.8, "medium": 1.0, "default": 1.0, "fast": 1.25, "x-fast": 1.6}
PITCHES = {"x-low": 0.7, "low": 0.85, "medium": 1.0, "default": 1.0, "high": 1.18, "x-high": 1.4}
VOLUMES = {"silent": -96.0, "x-soft": -12.0, "soft": -6.0, "medium": 0.0, "default": 0.0, "loud": 3.0, "x-loud": 6.0}
STRENGTHS = {"none": 0.0, "x-weak": 0.1, "weak": 0.2, "medium": 0.4, "strong": 0.8, "x-strong": 1.5}
"""Seconds; of the recommendation only their order is given."""

LONGEST_BREAK = 60.0
SLOWEST, FASTEST = 0.5, 2.0
"""As speech stays speech; out of it is a slip of the pen."""
LOWEST, HIGHEST = 0.5, 2.0
SOFTEST, LOUDEST = -96.0, 12.0

USUAL_HERTZ = 185.0
"""What hertz are relative to: the middle of the built-in presenter's pitch (`anchor.voice.languages.PRESENTER`)."""

_NUMBER = r"(?P<sign>[+-]?)(?P<number>\d{1,6}(?:\.\d{0,6})?|\.\d{1,6})"


def rate_of(text: str) -> float:
    """A factor on the speed: a name, ``150%``, ``+20%`` or ``1.5``."""
    if not text or text.lower() in RATES:
        return RATES.get(text.lower(), 1.0)
    match = re.fullmatch(_NUMBER + "(?P<unit>%?)", text)
    if match is None:
        raise ValueError(f"rate {text!r} is not understood: write 80%, +10% or one of {', '.join(RATES)}")
    value = _signed(match) / (100 if match["unit"] else 1)
    return _within("rate", text, 1 + value if match["sign"] else value, SLOWEST, FASTEST)


def pitch_of(text: str) -> float:
    """A factor on the pitch: a name, ``+10%``, ``-2st``, ``200Hz`` or ``+20Hz``."""
    if not text or text.lower() in PITCHES:
        return PITCHES.get(text.lower(), 1.0)
    match = re.fullmatch(_NUMBER + "(?P<unit>%|st|hz)", text, re.IGNORECASE)
    if match is None or (match["unit"].lower() == "st" and not match["sign"]):
        raise ValueError(f"pitch {text!r} is not understood: write +10%, -2st, 200Hz or one of {', '.join(PITCHES)}")
    value, unit = _signed(match), match["unit"].lower()
    if unit == "st":
        factor = 2.0 ** (max(-99.0, min(99.0, value)) / 12)
    else:
        share = value / (100 if unit == "%" else USUAL_HERTZ)
        factor = 1 + share if match["sign"] else share
    return _within("pitch", text, factor, LOWEST, HIGHEST)


def volume_of(text: str) -> float:
    """Decibels: a name, ``+6dB``, or as SSML 1.0 had it ``50`` of 100 and ``-20%``."""
    if not text or text.lower() in VOLUMES:
        return VOLUMES.get(text.lower(), 0.0)
    match = re.fullmatch(_NUMBER + "(?P<unit>db|%?)", text, re.IGNORECASE)
    if match is None:
        raise ValueError(f"volume {text!r} is not understood: write -6dB or one of {', '.join(VOLUMES)}")
    value = _signed(match)
    if match["unit"].lower() != "db":
        share = 1 + value / 100 if match["sign"] else value / 100
        value = 20 * math.log10(share) if share > 10 ** (SOFTEST / 20) else SOFTEST
    return _within("volume", text, value, SOFTEST, LOUDEST)


def seconds_of(attributes: Mapping[str, str]) -> float:
    """How long a break is, by its ``time`` or else its ``strength``."""
    time, strength = attributes.get("time", ""), attributes.get("strength", "medium").lower()
    if strength not in STRENGTHS:
        raise ValueError(f"break strength {strength!r} is not known; there are {', '.join(STRENGTHS)}")
    if not time:
        return STRENGTHS[strength]
    match = re.fullmatch(r"\+?(?P<number>\d{1,6}(?:\.\d{0,6})?|\.\d{1,6})(?P<unit>s|ms)", time, re.IGNORECASE)
    if match is None:
        raise ValueError(f"break time {time!r} is not understood: write 500ms or 1.5s")
    seconds = float(match["number"]) / (1000 if match["unit"].lower() == "ms" else 1)
    return _within("break time", time, seconds, 0.0, LONGEST_BREAK)


def _signed(match: re.Match[str]) -> float:
    return -float(match["number"]) if match["sign"] == "-" else float(match["number"])


def _within(what: str, text: str, value: float, least: float, most: float) -> float:
    if not least - 1e-9 <= value <= most + 1e-9:
        raise ValueError(f"{what} {text!r} is out of bounds: {_said(what, least)} to {_said(what, most)}")
    return value


def _said(what: str, value: float) -> str:
    unit = {"volume": " dB", "break time": " s"}.get(what)
    return f"{value:g}{unit}" if unit else f"{value * 100:g}%"
