"""How moods sound: as speed, pitch and loudness for voices that have no styles of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from anchor.errors import ConfigError
from anchor.events import Mood
from anchor.voice.manner import USUAL, Manner

MANNERS: Mapping[Mood, Manner] = {
    "neutral": USUAL,
    "warm": Manner(0.97, 1.02, -0.5),
    "serious": Manner(0.95, 0.95, 0.0),
    "cheerful": Manner(1.05, 1.09, 1.0),
    "concerned": Manner(0.92, 0.97, -1.0),
}
"""In the directions that listeners tell moods by (Banse and Scherer 1996; Juslin and Laukka 2003): joy is faster,
higher and louder, sadness slower, lower and softer; by less than actors do, as an anchor on air would."""

MOODS: tuple[Mood, ...] = tuple(mood for mood in get_args(Mood) if mood != "neutral")


def styles(value: Mapping[str, Any] | None, where: str) -> dict[Mood, str]:
    """A table of moods from a configuration, each with what the back-end calls it. Raises `ConfigError`."""
    found: dict[Mood, str] = {}
    for key, style in (value or {}).items():
        if key not in get_args(Mood) or not isinstance(style, str):
            raise ConfigError(f"{where}.{key} = {style!r}: moods are {', '.join(get_args(Mood))}, each with a text")
        found[key] = style  # type: ignore[index]
    return found
