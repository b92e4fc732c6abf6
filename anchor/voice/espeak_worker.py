"""The process espeak-ng lives in: reads requests from stdin, writes speech to stdout, ends when stdin ends.

espeak-ng keeps its state in C globals and is GPL-3.0-or-later, so nothing else of the project runs in this process, and
this file imports nothing of the project. A message is two little-endian uint32 (bytes of JSON, bytes of sound), the
JSON, and the sound: mono int16 at ``rate``.

Request: ``{"text", "voice", "timbre", "rate", "pitch", "range", "phonemes"}``, where `voice` is a file of espeak-ng's
``lang`` folder, and `timbre` either lines of a voice file that are added to it or the name of a variant. Answer:
``{"rate", "events"}``, where an event is ``[type, character, sample, phone]``: type 1 a word and 7 a phone, `character`
its place in the text, from 0.

Request ``{"ipa": [[voice, text]...]}``, where `voice` is one of espeak-ng's names (``en-us``) and text in ``[[...]]``
is phoneme mnemonics. Answer: ``{"ipa": [...]}``, the phonemes of each text as espeak-ng writes them in IPA: words
parted by spaces where it parts them, ``(en)`` where it speaks another language.

A request that cannot be done is answered ``{"error": reason}``.

Run it as ``python espeak_worker.py LIBRARY DATA``.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import struct
import sys
import tempfile
from collections.abc import Callable
from typing import Any, BinaryIO

# Constants of espeak-ng/speak_lib.h, version 1.52.
SYNCHRONOUS = 2
PHONEME_EVENTS_IN_IPA = 3
POSITION_CHARACTER = 1
UTF8, PHONEME_INPUT = 0x1, 0x100
IPA = 0x2
RATE, VOLUME, PITCH, RANGE = 1, 2, 3, 4
EVENT_END, EVENT_WORD, EVENT_PHONEME = 0, 1, 7

HEADER = struct.Struct("<II")
HEADROOM = 55
"""Volume in percent at which no voice reaches full scale; the caller evens loudness anyway."""

LARGEST = 64 << 20


class EventId(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class Event(ctypes.Structure):
    """espeak_EVENT."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", EventId),
    )


CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(Event))


class Espeak:
    """The C library, set up once."""

    def __init__(self, library: str, data: str) -> None:
        self._library = ctypes.CDLL(library)
        # espeak-ng keeps the data path in 160 bytes; seen from its own folder the path is short wherever it is.
        os.chdir(os.path.dirname(data))  # noqa: PTH120 - no pathlib: this process is to start at once
        self.rate = self._library.espeak_Initialize(SYNCHRONOUS, 0, b".", PHONEME_EVENTS_IN_IPA)
        if self.rate <= 0:
            raise RuntimeError(f"espeak-ng does not start with the data in {data}")
        self._sound = bytearray()
        self._events: list[list[Any]] = []
        self._callback = CALLBACK(self._take)
        self._library.espeak_SetSynthCallback(self._callback)
        self._library.espeak_SetParameter(VOLUME, HEADROOM, 0)
        self._library.espeak_TextToPhonemes.restype = ctypes.c_char_p
        self._data = data

    def _take(self, wave: int | None, samples: int, events: Any) -> int:
        if wave and samples > 0:
            self._sound += ctypes.string_at(wave, samples * 2)
        index = 0
        while (event := events[index]).type != EVENT_END:
            if event.type == EVENT_WORD:
                self._events.append([EVENT_WORD, event.text_position - 1, event.sample, ""])
            elif event.type == EVENT_PHONEME:
                name = ctypes.string_at(ctypes.addressof(event) + Event.id.offset, 8)
                phone = name.split(b"\0")[0].decode("utf-8", "ignore")
                self._events.append([EVENT_PHONEME, event.text_position - 1, event.sample, phone])
            index += 1
        return 0

    def _select(self, voice: str, timbre: str) -> None:
        """Load a voice of espeak-ng with lines of our own added. Raises `OSError`."""
        with open(f"{self._data}/lang/{voice}", "rb") as file:  # noqa: PTH123
            lines = file.read()
        if timbre and "\n" not in timbre:
            with open(f"{self._data}/voices/!v/{timbre}", "rb") as file:  # noqa: PTH123
                added = b"\n".join(line for line in file.read().splitlines() if not line.startswith(b"language"))
        else:
            added = timbre.encode()
        # The name must be short (espeak-ng keeps 60 bytes of it), hence a file in /tmp and not in $TMPDIR.
        with tempfile.NamedTemporaryFile(dir="/tmp" if os.path.isdir("/tmp") else None) as own:  # noqa: PTH112
            own.write(lines + b"\n" + added + b"\n")
            own.flush()
            status = self._library.espeak_ng_SetVoiceByFile(own.name.encode())
        if status != 0:
            raise OSError(f"status {status}")

    def speak(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """Speak in a copy of this process, so that a sentence sounds the same whatever was said before it.

        The Klatt synthesizer counts its own time from the first sample it ever made, and its breath is rand().
        """
        if "ipa" in request:
            return self._phonemes(request["ipa"]), b""
        source, target = os.pipe()
        copy = os.fork()
        if not copy:
            try:
                with os.fdopen(target, "wb") as answer:
                    write_message(answer, *self._synthesize(request))
            finally:
                os._exit(0)
        os.close(target)
        with os.fdopen(source, "rb") as answer:
            data = answer.read()
        os.waitpid(copy, 0)
        header, sound = HEADER.unpack_from(data) if len(data) >= HEADER.size else (0, 0)
        if len(data) != HEADER.size + header + sound or not header:
            # As if it had been this process: a new one is started and asked again.
            raise RuntimeError("espeak-ng has fallen")
        return json.loads(data[HEADER.size : HEADER.size + header]), data[HEADER.size + header :]

    def _phonemes(self, asked: list[list[str]]) -> dict[str, Any]:
        told, before = [], ""
        for voice, text in asked:
            names = (voice, voice.split("-")[0])
            if voice != before and all(self._library.espeak_SetVoiceByName(name.encode()) for name in names):
                return {"error": f"espeak-ng has no voice {voice!r}"}
            before, data = voice, text.replace("\0", "").encode()
            if text.startswith("[["):
                self._events = []
                self._library.espeak_Synth(
                    data + b"\0",
                    ctypes.c_size_t(len(data) + 1),
                    0,
                    POSITION_CHARACTER,
                    0,
                    UTF8 | PHONEME_INPUT,
                    None,
                    None,
                )
                told.append("".join(name for kind, _, _, name in self._events if kind == EVENT_PHONEME))
                continue
            # It reads up to the end of a clause, and moves on.
            place, clauses = ctypes.c_char_p(data), list[str]()
            while place.value is not None:
                clause = self._library.espeak_TextToPhonemes(ctypes.byref(place), UTF8, IPA)
                clauses.append((clause or b"").decode("utf-8", "ignore"))
            told.append(" ".join(filter(None, clauses)))
        return {"ipa": told}

    def _synthesize(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        voice, timbre = str(request["voice"]), str(request["timbre"])
        try:
            self._select(voice, timbre)
        except OSError as error:
            return {"error": f"espeak-ng has no voice {voice!r} with timbre {timbre!r}: {error}"}, b""
        for parameter, key in ((RATE, "rate"), (PITCH, "pitch"), (RANGE, "range")):
            self._library.espeak_SetParameter(parameter, int(request[key]), 0)
        self._sound.clear()
        self._events = []
        text = str(request["text"]).replace("\0", "").encode() + b"\0"
        flags = UTF8 | (PHONEME_INPUT if request["phonemes"] else 0)
        status = self._library.espeak_Synth(
            text, ctypes.c_size_t(len(text)), 0, POSITION_CHARACTER, 0, flags, None, None
        )
        if status != 0:
            return {"error": f"espeak-ng failed with status {status}"}, b""
        return {"rate": self.rate, "events": self._events}, bytes(self._sound)


def write_message(stream: BinaryIO, header: dict[str, Any], sound: bytes = b"") -> None:
    packed = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    stream.write(HEADER.pack(len(packed), len(sound)))
    stream.write(packed)
    stream.write(sound)
    stream.flush()


def serve(speak: Callable[[dict[str, Any]], tuple[dict[str, Any], bytes]], answers: BinaryIO) -> None:
    """Answer requests from stdin until it ends."""
    requests = sys.stdin.buffer
    while len(head := requests.read(HEADER.size)) == HEADER.size:
        size, sound = HEADER.unpack(head)
        if size + sound > LARGEST:
            raise RuntimeError(f"a request of {size + sound} bytes: the stream is out of step")
        body = requests.read(size + sound)
        if len(body) < size + sound:
            return
        write_message(answers, *speak(json.loads(body[:size])))


def claim_stdout() -> BinaryIO:
    """Take stdout for answers. What a library prints goes to stderr, and Ctrl-C is left to the parent."""
    # Ctrl-C reaches the whole process group; the parent decides when this process ends, by closing its stdin.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


def main() -> None:
    answers = claim_stdout()
    serve(Espeak(sys.argv[1], sys.argv[2]).speak, answers)


if __name__ == "__main__":
    main()
