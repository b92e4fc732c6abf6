"""The languages of the built-in voice, and how each is spoken."""

from __future__ import annotations

from dataclasses import dataclass

from anchor.errors import VoiceError
from anchor.voice.mastering import Curve

KLATT: Curve = (
    (0, 0.0), (900, 0.0), (1300, -2.0), (1800, -3.5), (3200, -3.5), (4200, -2.0), (6000, 1.0), (8000, 4.0),
    (24000, 4.0),
)  # fmt: skip
"""Half of the difference between the long-term spectrum of espeak-ng's Klatt voice and that of a woman's reading (LJ
Speech), which has less between 1 and 4 kHz and more air above."""


@dataclass(frozen=True, slots=True)
class Speaking:
    """How espeak-ng speaks a language.

    `voice` is a file of its ``lang`` folder, `reader` the bare language tag that the text reader knows. `rate` is in
    espeak-ng's words a minute, `pitch` and `range` are its 0 to 100. `gain` in decibels brings the voice to
    `anchor.voice.sound.LOUDNESS` (measured over twenty sentences; `tests/voice/test_sound.py` checks it).
    """

    voice: str
    reader: str
    gain: float
    rate: int = 165
    pitch: int = 50
    range: int = 50
    curve: Curve = KLATT


PRESENTER = "\n".join(
    (
        "gender female",
        "klatt 4",
        "pitch 145 225",
        "formant 0 105 100 100",
        *(f"formant {number} 105 100 100" for number in range(1, 9)),
        "",
    )
)
"""The timbre of the built-in presenter, in espeak-ng's voice-file language: the Klatt synthesizer with the pitch range
and the shorter vocal tract of a woman. Of 25 timbres a speech recogniser (pocketsphinx, its own US English models)
understood the Klatt ones best. Over the fifty sentences of `anchor.bench.intelligibility` it mistakes 18 % of the words
with formants at 105 %, 29 % at 110 % and 49 % of espeak-ng as it comes; a voice 20 Hz lower had 22 %."""

SPEAKING = {
    "en-US": Speaking("gmw/en-US", "en", 8.7),
    "en-GB": Speaking("gmw/en-GB-x-rp", "en", 8.6),
    "zh-CN": Speaking("sit/cmn", "zh", 6.4, rate=185),
    "zh-TW": Speaking("sit/cmn", "zh", 6.4, rate=185),
    "ja": Speaking("jpx/ja", "ja", 7.2, rate=148),
    "es": Speaking("roa/es", "es", 8.6, rate=155),
    "fr": Speaking("roa/fr", "fr", 9.5, rate=148),
    "de": Speaking("gmw/de", "de", 9.8),
    "ko": Speaking("ko", "ko", 8.4, rate=155),
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
