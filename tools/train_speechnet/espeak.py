"""Voices of espeak-ng: many languages, timbres, rates and pitches, with exact times."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from anchor.media import SAMPLE_RATE
from anchor.voice.espeak_worker import EVENT_PHONEME, Espeak
from anchor.voice.languages import PRESENTER
from anchor.voice.phones import Mark, sounded
from tools.train_speechnet import texts
from tools.train_speechnet.spoken import Segment, Spoken, resampled

VOICES = {
    "en": ("gmw/en-US", "gmw/en-GB-x-rp", "gmw/en", "gmw/en-GB-scotland"),
    "zh": ("sit/cmn",),
    "es": ("roa/es", "roa/es-419"),
    "fr": ("roa/fr",),
    "de": ("gmw/de",),
    "it": ("roa/it",),
    "pt": ("roa/pt-BR",),
    "nl": ("gmw/nl",),
    "pl": ("zlw/pl",),
    "ru": ("zle/ru",),
}
_SHARES = np.array([0.3, 0.3, 0.07, 0.05, 0.07, 0.05, 0.04, 0.04, 0.04, 0.04])


class EspeakVoices:
    """Says sentences as someone else each time; espeak-ng's C library runs in this process."""

    def __init__(self) -> None:
        import espeakng_loader

        data = Path(espeakng_loader.get_data_path())
        self._engine = Espeak(str(espeakng_loader.get_library_path()), str(data))
        self._timbres = [PRESENTER, *sorted(path.name for path in (data / "voices" / "!v").iterdir())]

    def say(self, rng: np.random.Generator) -> Spoken | None:
        language = str(rng.choice(list(VOICES), p=_SHARES))
        voice = str(rng.choice(VOICES[language]))
        timbre = PRESENTER if rng.random() < 0.1 else str(rng.choice(self._timbres))
        text = texts.sentence(language, rng)
        request = {
            "text": text, "voice": voice, "timbre": timbre, "phonemes": False, "rate": int(rng.integers(120, 240)),
            "pitch": int(rng.integers(15, 85)), "range": int(rng.integers(20, 90)),
        }  # fmt: skip
        answer, sound = self._engine.speak(request)
        audio = (np.frombuffer(sound, np.int16) / 32768).astype(np.float32)
        if "error" in answer or not audio.size:
            return None
        marks = [Mark(event[2], event[3], event[1]) for event in answer["events"] if event[0] == EVENT_PHONEME]
        wide = np.interp(np.arange(audio.size * SAMPLE_RATE // answer["rate"]) * answer["rate"] / SAMPLE_RATE,
                         np.arange(audio.size), audio).astype(np.float32)  # fmt: skip
        segments = tuple(
            Segment(one.phone.symbol, one.phone.start / SAMPLE_RATE, one.phone.end / SAMPLE_RATE)
            for one in sounded(marks, answer["rate"], wide)
        )
        name = timbre if "\n" not in timbre else "presenter"
        return Spoken(resampled(audio, answer["rate"]), segments, language, f"espeak:{voice}+{name}", text)
