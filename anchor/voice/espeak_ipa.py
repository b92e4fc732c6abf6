"""The process that spells words in IPA with espeak-ng: a line of JSON in, a line out. Standard library only.

Voices trained on espeak-ng's own transcription want it exactly as its program prints it. It runs apart, as the embedded
voice does, so that nothing of ours is linked with it: ``python -I -S espeak_ipa.py LIBRARY DATA``. ``{"voice": "en-us",
"text": "..."}`` is answered ``{"ipa": "..."}``, or ``{"ipa": null}`` where there is no such voice.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys

_RETRIEVAL, _DONT_EXIT = 1, 0x8000
_UTF8, _IPA = 1, 2


def main() -> None:
    library = ctypes.CDLL(sys.argv[1])
    library.espeak_TextToPhonemes.argtypes = [ctypes.POINTER(ctypes.c_char_p), ctypes.c_int, ctypes.c_int]
    library.espeak_TextToPhonemes.restype = ctypes.c_char_p
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # espeak-ng keeps the data path in 160 bytes; seen from its own folder the path is short wherever it is.
    os.chdir(os.path.dirname(sys.argv[2]))  # noqa: PTH120 - no pathlib: this process is to start at once
    if library.espeak_Initialize(_RETRIEVAL, 0, b".", _DONT_EXIT) < 0:
        raise SystemExit(f"espeak-ng does not start with the data in {sys.argv[2]}")
    voice = ""
    for line in sys.stdin.buffer:
        request = json.loads(line)
        known = request["voice"] == voice or _chosen(library, request["voice"])
        voice = request["voice"] if known else ""
        answer = json.dumps({"ipa": _spelled(library, request["text"]) if known else None})
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()


def _chosen(library: ctypes.CDLL, voice: str) -> bool:
    """Whether there is such a voice; ``fr-fr``, for which there is none of its own, is ``fr``."""
    names = (voice, voice.partition("-")[0])
    return any(library.espeak_SetVoiceByName(name.encode()) == 0 for name in names)


def _spelled(library: ctypes.CDLL, text: str) -> str:
    """The clauses of a text, joined as its program's lines are: each stripped, without a space between."""
    rest, found = ctypes.c_char_p(text.encode()), []
    while rest.value:
        found.append((library.espeak_TextToPhonemes(ctypes.byref(rest), _UTF8, _IPA) or b"").decode())
    return "".join(clause.strip() for clause in found)


if __name__ == "__main__":
    main()
