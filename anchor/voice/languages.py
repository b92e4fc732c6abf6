"""The languages of the built-in voice, and how each is spoken."""

from __future__ import annotations

from dataclasses import dataclass

from anchor.errors import VoiceError


@dataclass(frozen=True, slots=True)
class Speaking:
    """How espeak-ng speaks a language.

    `reader` is the bare language tag that the text reader knows. `rate` is in espeak-ng's words a minute, `pitch` and
    `range` are its 0 to 100. `gain` in decibels brings the voice to -16 LUFS (`tools` of the tests measure it).
    """

    voice: str
    reader: str
    variant: str = "f3"
    rate: int = 165
    pitch: int = 50
    range: int = 50
    gain: float = 0.0


SPEAKING = {
    "en-US": Speaking("en-us", "en"),
    "en-GB": Speaking("en-gb-x-rp", "en"),
    "zh-CN": Speaking("cmn", "zh", rate=170),
    "zh-TW": Speaking("cmn", "zh", rate=170),
    "ja": Speaking("ja", "ja"),
    "es": Speaking("es", "es"),
    "fr": Speaking("fr", "fr"),
    "de": Speaking("de", "de"),
    "ko": Speaking("ko", "ko"),
}
"""By BCP 47 tag. The first tag of a language is what the language alone means."""

_ALIASES = {"cmn": "zh", "jp": "ja", "zh-hans": "zh-CN", "zh-hant": "zh-TW", "zh-hk": "zh-TW", "zh-mo": "zh-TW"}


def resolve(tag: str) -> str:
    """The key of `SPEAKING` for a BCP 47 tag. Raises `VoiceError` for a language that cannot be spoken."""
    wanted = tag.strip().replace("_", "-").lower()
    keys = {key.lower(): key for key in SPEAKING}
    parts = wanted.split("-")
    for length in range(len(parts), 0, -1):
        name = "-".join(parts[:length])
        name = _ALIASES.get(name, name).lower()
        if name in keys:
            return keys[name]
    for low, key in keys.items():
        if low.split("-")[0] == _ALIASES.get(parts[0], parts[0]):
            return key
    raise VoiceError(f"no voice for language {tag!r}: choose one of {', '.join(languages())}")


def languages() -> tuple[str, ...]:
    """Every tag that is spoken: those of `SPEAKING` and the bare languages."""
    bare = dict.fromkeys(key.split("-")[0] for key in SPEAKING)
    return tuple(dict.fromkeys((*bare, *SPEAKING)))
