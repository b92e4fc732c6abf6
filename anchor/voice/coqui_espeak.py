"""espeak-ng's transcription for Coqui's models, from the wheel that is there anyway, in a process of its own.

coqui-tts itself runs the program espeak-ng, once for every stretch between two marks, and fails where it is not
installed.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import espeakng_loader
from TTS.tts.utils.text import phonemizers
from TTS.tts.utils.text.phonemizers.base import BasePhonemizer
from TTS.tts.utils.text.punctuation import Punctuation

from anchor.errors import VoiceError
from anchor.voice import espeak_ipa

# Names of languages where espeak-ng changes into another and back.
_SWITCH = re.compile(r"\(.+?\)")
_NAMES = {"en": "en-us", "zh-cn": "cmn"}


def provide(languages: Sequence[str]) -> None:
    """Let Coqui's models take their transcription from here. `languages` are those it is the default for."""
    phonemizers._register_phonemizers()
    phonemizers.PHONEMIZERS["espeak"] = Espeak
    for language in languages:
        phonemizers.DEF_LANG_TO_PHONEMIZER.setdefault(language, "espeak")


class _Speller:
    """The process; ends with the one it was started by, as its stdin does."""

    def __init__(self) -> None:
        library, data = espeakng_loader.get_library_path(), espeakng_loader.get_data_path()
        command = [sys.executable, "-I", "-S", str(Path(espeak_ipa.__file__)), library, data]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def spell(self, voice: str, text: str) -> str | None:
        """None where there is no such voice. Raises `VoiceError`."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None
        try:
            stdin.write(json.dumps({"voice": voice, "text": text}).encode() + b"\n")
            stdin.flush()
            answer = json.loads(stdout.readline())
        except (OSError, ValueError) as error:
            _speller.cache_clear()
            raise VoiceError(f"espeak-ng ended while it spelled {text[:60]!r}") from error
        spelled: str | None = answer["ipa"]
        return spelled


@lru_cache(1)
def _speller() -> _Speller:
    return _Speller()


class Espeak(BasePhonemizer):  # type: ignore[misc]
    """Coqui's phonemizer ``espeak``."""

    def __init__(self, language: str, punctuations: str = Punctuation.default_puncs(), keep_puncs: bool = True) -> None:
        super().__init__(_NAMES.get(language, language), punctuations=punctuations, keep_puncs=keep_puncs)

    @staticmethod
    def name() -> str:
        return "espeak"

    @classmethod
    def is_available(cls) -> bool:
        return True

    def version(self) -> str:
        return "1.52"

    @staticmethod
    def supported_languages() -> dict[str, str]:
        return {}

    def is_supported_language(self, language: str) -> bool:
        return _speller().spell(language, "") is not None

    def _phonemize(self, text: str, separator: str = "") -> str:
        spelled = _speller().spell(self._language, text) or ""
        return _SWITCH.sub("", spelled)
