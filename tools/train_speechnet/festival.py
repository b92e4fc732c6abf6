"""Voices cut from recordings: Debian's festival and flite, which say when each sound ends.

Festival is asked for many sentences at once, for it takes a while to start.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections import deque
from pathlib import Path

import numpy as np
from scipy.io import wavfile

from tools.train_speechnet import texts
from tools.train_speechnet.spoken import Segment, Spoken, resampled

ENGLISH = {
    "aa": "ɑ", "ae": "æ", "ah": "ʌ", "ao": "ɔ", "aw": "aʊ", "ax": "ə", "axr": "ɚ", "ay": "aɪ", "b": "b", "ch": "tʃ",
    "d": "d", "dh": "ð", "dx": "ɾ", "eh": "ɛ", "el": "əl", "em": "m", "en": "n", "er": "ɚ", "ey": "eɪ", "f": "f",
    "g": "ɡ", "hh": "h", "hv": "h", "ih": "ɪ", "iy": "i", "jh": "dʒ", "k": "k", "l": "l", "m": "m", "n": "n",
    "nx": "ɾ", "ng": "ŋ", "ow": "oʊ", "oy": "ɔɪ", "p": "p", "r": "ɹ", "s": "s", "sh": "ʃ", "t": "t", "th": "θ",
    "uh": "ʊ", "uw": "u", "v": "v", "w": "w", "y": "j", "z": "z", "zh": "ʒ",
}  # fmt: skip
_ITALIAN = {
    "i": "i", "e": "e", "E": "ɛ", "a": "a", "o": "o", "O": "ɔ", "u": "u", "j": "j", "w": "w", "S": "ʃ", "Z": "ʒ",
    "ts": "ts", "tS": "tʃ", "dz": "dz", "dZ": "dʒ", "J": "ɲ", "ng": "ŋ", "nf": "ɱ", "l": "l", "L": "ʎ", "r": "r",
    **{name: name for name in "ptkbdfsvzmn"}, "g": "ɡ",
}  # fmt: skip
_ITALIAN |= {f"{vowel}1": _ITALIAN[vowel] for vowel in "ieEaoOu"}
_CZECH = {
    "a": "a", "e": "ɛ", "i": "ɪ", "o": "o", "u": "u", "a:": "a", "e:": "ɛ", "i:": "i", "o:": "o", "u:": "u",
    "c": "ts", "c~": "tʃ", "d~": "ɟ", "dz": "dz", "dz~": "dʒ", "g": "ɡ", "h": "ɦ", "j": "j", "n*": "ŋ", "n~": "ɲ",
    "r": "r", "r~": "rʒ", "r~*": "rʃ", "s~": "ʃ", "t~": "c", "z~": "ʒ", **{name: name for name in "bdfklmnpstvz"},
}  # fmt: skip
_FINNISH = {
    "a": "ɑ", "e": "e", "i": "i", "o": "o", "u": "u", "y": "y", "@": "æ", "7": "ø", "&": "ə", "T": "θ", "S": "ʃ",
    "N": "ŋ", "L": "ʎ", "D": "ð", "Z": "ʒ", "w": "w", "j": "j", "g": "ɡ", **{name: name for name in "ptkbdfsvhmnlrz"},
}  # fmt: skip
_FINNISH |= {f"{name}:": symbol for name, symbol in _FINNISH.items()}

FESTIVAL = {
    "kal_diphone": ("en", ENGLISH, "latin-1"),
    "ked_diphone": ("en", ENGLISH, "latin-1"),
    "pc_diphone": ("it", _ITALIAN, "latin-1"),
    "lp_diphone": ("it", _ITALIAN, "latin-1"),
    "czech_dita": ("cs", _CZECH, "iso-8859-2"),
    "czech_machac": ("cs", _CZECH, "iso-8859-2"),
    "czech_ph": ("cs", _CZECH, "iso-8859-2"),
    "suo_fi_lj_diphone": ("fi", _FINNISH, "latin-1"),
    "hy_fi_mv_diphone": ("fi", _FINNISH, "latin-1"),
}
_SHARES = np.array([0.25, 0.25, 0.1, 0.1, 0.06, 0.06, 0.06, 0.06, 0.06])
FLITE = {"slt": 185, "rms": 95, "awb": 125, "kal16": 105}
"""Voice and its middle pitch in hertz."""
_SILENT = ("pau", "#", "##", "_", "h#", "brth", "")


def _segments(ends: list[tuple[str, float]], symbols: dict[str, str]) -> tuple[Segment, ...] | None:
    """Segments from names with their ends in seconds; None when a name has no symbol."""
    found: list[Segment] = []
    start = 0.0
    for name, end in ends:
        if name not in _SILENT and name not in symbols:
            return None
        found.append(Segment("" if name in _SILENT else symbols[name], start, end))
        start = end
    return tuple(found)


def _sound(path: Path) -> np.ndarray:
    rate, sound = wavfile.read(path)
    return resampled((sound / 32768).astype(np.float32), rate)


class Festival:
    def __init__(self) -> None:
        self._ready: deque[Spoken] = deque()

    def say(self, rng: np.random.Generator) -> Spoken | None:
        if not self._ready:
            self._batch(rng)
        return self._ready.popleft() if self._ready else None

    def _batch(self, rng: np.random.Generator, count: int = 25) -> None:
        voice = str(rng.choice(list(FESTIVAL), p=_SHARES))
        language, symbols, encoding = FESTIVAL[voice]
        lines = [text for text in (texts.sentence(language, rng) for _ in range(count)) if _fits(text, encoding)]
        with tempfile.TemporaryDirectory() as folder:
            script = [f"(voice_{voice})"]
            for index, text in enumerate(lines):
                script += [
                    f"(Parameter.set 'Duration_Stretch {rng.uniform(0.8, 1.3):.2f})",
                    f'(set! utt (utt.synth (Utterance Text "{text}")))',
                    f'(utt.save.wave utt "{folder}/{index}.wav" \'riff)',
                    f'(utt.save.segs utt "{folder}/{index}.lab")',
                ]
            path = Path(folder) / "say.scm"
            path.write_bytes("\n".join(script).encode(encoding))
            subprocess.run(["festival", "-b", str(path)], check=False, capture_output=True)
            for index, text in enumerate(lines):
                wave, label = Path(folder) / f"{index}.wav", Path(folder) / f"{index}.lab"
                if not (wave.exists() and label.exists()):
                    continue
                rows = label.read_text(encoding).partition("#\n")[2].split("\n")
                ends = [(row.split()[2], float(row.split()[0])) for row in rows if len(row.split()) == 3]
                segments = _segments(ends, symbols)
                if segments:
                    self._ready.append(Spoken(_sound(wave), segments, language, f"festival:{voice}", text))


def _fits(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return '"' not in text and "\\" not in text


class Flite:
    def say(self, rng: np.random.Generator) -> Spoken | None:
        voice = str(rng.choice(list(FLITE)))
        text = texts.sentence("en", rng)
        with tempfile.TemporaryDirectory() as folder:
            wave = Path(folder) / "said.wav"
            settings = [f"duration_stretch={rng.uniform(0.8, 1.25):.2f}"]
            settings.append(f"int_f0_target_mean={FLITE[voice] * rng.uniform(0.8, 1.25):.0f}")
            command = ["flite", "-voice", voice, "-psdur", "-t", text, "-o", str(wave)]
            for setting in settings:
                command += ["--setf", setting]
            said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            ends = [(name, float(end)) for name, _, end in (part.partition(":") for part in said.split()) if end]
            segments = _segments(ends, ENGLISH)
            return Spoken(_sound(wave), segments, "en", f"flite:{voice}", text) if segments else None
