"""The process flite lives in: its C library by ctypes. Messages are those of `anchor.voice.espeak_worker`.

Request: ``{"voice", "words", "rate", "pitch"}``, where `words` are ``[text, mark, rate, pitch]``, the factors on speed
and pitch of each word besides those of the whole. Answer: ``{"rate", "phones"}`` and the sound, mono int16: a phone is
``[name, start, end, word, stress]``, in samples, with the index of its word; pauses have the name ``pau`` and word -1.

Run it as ``python flite_worker.py LIBRARY FOLDER``: the engine, and the folder of this file.
"""

from __future__ import annotations

import ctypes
import sys
from ctypes import POINTER, Structure, c_char_p, c_float, c_int, c_short, c_void_p
from typing import Any

if __name__ == "__main__":
    # The process is isolated: what its neighbour offers is imported as a module of its own.
    sys.path.insert(0, sys.argv[2])
    from espeak_worker import claim_stdout, serve  # type: ignore[import-not-found]


class Utterance(Structure):
    """The beginning of cst_utterance."""

    _fields_ = (("features", c_void_p),)


class Wave(Structure):
    """cst_wave."""

    _fields_ = (
        ("type", c_char_p),
        ("rate", c_int),
        ("count", c_int),
        ("channels", c_int),
        ("samples", POINTER(c_short)),
    )


_FUNCTIONS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "flite_init": (c_int, ()),
    "new_utterance": (POINTER(Utterance), ()),
    "delete_utterance": (None, (POINTER(Utterance),)),
    "utt_init": (c_void_p, (POINTER(Utterance), c_void_p)),
    "utt_relation_create": (c_void_p, (POINTER(Utterance), c_char_p)),
    "utt_relation": (c_void_p, (POINTER(Utterance), c_char_p)),
    "utt_synth_tokens": (c_void_p, (POINTER(Utterance),)),
    "utt_wave": (POINTER(Wave), (POINTER(Utterance),)),
    "relation_append": (c_void_p, (c_void_p, c_void_p)),
    "relation_head": (c_void_p, (c_void_p,)),
    "item_next": (c_void_p, (c_void_p,)),
    "item_daughter": (c_void_p, (c_void_p,)),
    "item_as": (c_void_p, (c_void_p, c_char_p)),
    "item_parent": (c_void_p, (c_void_p,)),
    "item_feat_string": (c_char_p, (c_void_p, c_char_p)),
    "item_feat_float": (c_float, (c_void_p, c_char_p)),
    "item_set_string": (None, (c_void_p, c_char_p, c_char_p)),
    "item_set_float": (None, (c_void_p, c_char_p, c_float)),
    "item_set_int": (None, (c_void_p, c_char_p, c_int)),
    "item_feat_int": (c_int, (c_void_p, c_char_p)),
    "feat_set_float": (None, (c_void_p, c_char_p, c_float)),
}
_NUMBER = b"anchor_word"
"""The feature of a token that says which word of the request it is."""


class Flite:
    """The C library with its voices, each loaded when it first speaks. Raises `OSError`."""

    def __init__(self, library: str) -> None:
        self._library = ctypes.CDLL(library, mode=ctypes.RTLD_GLOBAL)
        for name, (result, arguments) in _FUNCTIONS.items():
            function = getattr(self._library, name)
            function.restype, function.argtypes = result, arguments
        self._library.flite_init()
        self._beside = library
        self._voices: dict[str, int] = {}

    def _voice(self, name: str) -> int:
        if name not in self._voices:
            found = ctypes.CDLL(self._beside.replace("libflite", f"libflite_cmu_us_{name}"))
            register = getattr(found, f"register_cmu_us_{name}")
            register.restype, register.argtypes = c_void_p, (c_char_p,)
            self._voices[name] = register(None)
        return self._voices[name]

    def speak(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        try:
            voice = self._voice(str(request["voice"]))
        except (OSError, AttributeError) as error:
            return {"error": f"flite has no voice {request['voice']!r}: {error}"}, b""
        lib = self._library
        utterance = lib.new_utterance()
        try:
            lib.utt_init(utterance, voice)
            features = utterance.contents.features
            lib.feat_set_float(features, b"duration_stretch", 1 / float(request["rate"]))
            lib.feat_set_float(features, b"f0_shift", float(request["pitch"]))
            tokens = lib.utt_relation_create(utterance, b"Token")
            for number, (text, mark, rate, pitch) in enumerate(request["words"]):
                token = lib.relation_append(tokens, None)
                for key, value in ((b"name", text), (b"punc", mark), (b"prepunctuation", ""), (b"whitespace", " ")):
                    lib.item_set_string(token, key, str(value).replace("\0", "").encode())
                lib.item_set_int(token, _NUMBER, number)
                if rate != 1:
                    lib.item_set_float(token, b"local_duration_stretch", 1 / rate)
                if pitch != 1:
                    lib.item_set_float(token, b"local_f0_shift", pitch)
            if not lib.utt_synth_tokens(utterance):
                return {"error": "flite failed"}, b""
            wave = lib.utt_wave(utterance).contents
            sound = ctypes.string_at(wave.samples, wave.count * wave.channels * 2)
            return {"rate": wave.rate, "phones": self._phones(utterance, wave.rate, wave.count)}, sound
        finally:
            lib.delete_utterance(utterance)

    def _phones(self, utterance: Any, rate: int, count: int) -> list[list[Any]]:
        lib = self._library
        found: list[list[Any]] = []
        start, segment = 0, lib.relation_head(lib.utt_relation(utterance, b"Segment"))
        while segment:
            end = min(count, round(lib.item_feat_float(segment, b"end") * rate))
            name = lib.item_feat_string(segment, b"name").decode()
            syllable = lib.item_as(segment, b"SylStructure") and lib.item_parent(lib.item_as(segment, b"SylStructure"))
            word, stress = -1, 0
            if syllable:
                stress = int(lib.item_feat_string(syllable, b"stress") == b"1")
                token = lib.item_parent(lib.item_as(lib.item_parent(syllable), b"Token"))
                word = lib.item_feat_int(token, _NUMBER)
            found.append([name, start, end, word, stress])
            start, segment = end, lib.item_next(segment)
        return found


def main() -> None:
    answers = claim_stdout()
    serve(Flite(sys.argv[1]).speak, answers)


if __name__ == "__main__":
    main()
