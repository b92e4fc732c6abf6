"""The process pocketsphinx lives in: reads sound from stdin, writes what it hears to stdout, ends when stdin ends.

Decoding holds the interpreter, and a crash of the C library ends only this process. It imports nothing of the project.
A message is two little-endian uint32 (bytes of JSON, bytes of sound), the JSON, and the sound: mono int16 at 16 kHz.

Requests: ``{"load": model}`` gets a decoder ready. ``{"stream", "model", "start", "last", "drop"}`` with sound goes on
with a stream, which has had `start` samples before; `drop` lists streams that nobody waits for any more. `model` is
``{"lm", "dict"}``, paths, or null for the package's own. Answer: ``{"words": [[word, chance, posterior, seconds]]}``:
`chance` is the language model's, as a logarithm to base 10, the posterior is 0..1, known once the stream has ended, and
the seconds are how long the word is. A stream that this process does not know is answered ``{"lost": true}``: send it
from the start.

Run it as ``python sphinx_worker.py MODEL_FOLDER``.
"""

from __future__ import annotations

import json
import math
import os
import signal
import struct
import sys
from typing import Any, BinaryIO

HEADER = struct.Struct("<II")
LARGEST = 64 << 20
MOST_STREAMS = 64
SPARE = 2
"""Decoders of one model that are kept for the next streams."""

WORD_WEIGHT = 6.5
SCORE_SHIFT = 1 << 10
"""pocketsphinx keeps scores shifted by 10 bits."""

FRAMES = 100
"""A second."""

CMN = "41.00,-5.29,-0.12,5.09,2.48,-4.07,-1.37,-1.78,-5.08,-2.05,-6.45,-1.42,1.17"
"""Cepstral mean that every stream starts from, so that no visitor's voice colours the next one's."""


class Decoders:
    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._spare: dict[str, list[Any]] = {}
        self._streams: dict[int, tuple[str, Any, int]] = {}

    def answer(self, request: dict[str, Any], sound: bytes) -> dict[str, Any]:
        if "load" in request:
            key = json.dumps(request["load"])
            self._give_back(key, self._take(key))
            return {}
        for stream in request["drop"]:
            self._end(stream)
        number, key, start = request["stream"], json.dumps(request["model"]), request["start"]
        if start == 0:
            self._end(number)
            self._begin(number, key)
        if number not in self._streams or self._streams[number][2] != start:
            return {"lost": True}
        decoder = self._streams[number][1]
        self._streams[number] = (key, decoder, start + len(sound) // 2)
        if sound:
            decoder.process_raw(sound, False, False)
        if request["last"]:
            del self._streams[number]
            decoder.end_utt()
            words = _words(decoder)
            self._give_back(key, decoder)
        else:
            words = _words(decoder)
        return {"words": words}

    def _begin(self, number: int, key: str) -> None:
        while len(self._streams) >= MOST_STREAMS:
            self._end(next(iter(self._streams)))
        decoder = self._take(key)
        decoder.set_cmn(CMN)
        decoder.start_utt()
        self._streams[number] = (key, decoder, 0)

    def _end(self, number: int) -> None:
        if number in self._streams:
            key, decoder, _ = self._streams.pop(number)
            decoder.end_utt()
            self._give_back(key, decoder)

    def _take(self, key: str) -> Any:
        spare = self._spare.setdefault(key, [])
        if spare:
            return spare.pop()
        from pocketsphinx import Config, Decoder

        model = json.loads(key)
        en = os.path.join(self._folder, "en-us")  # noqa: PTH118 - no pathlib: this process is to start at once
        return Decoder(
            Config(
                hmm=os.path.join(en, "en-us"),  # noqa: PTH118
                lm=model["lm"] or os.path.join(en, "en-us.lm.bin"),  # noqa: PTH118
                dict=model["dict"] or os.path.join(en, "cmudict-en-us.dict"),  # noqa: PTH118
                lw=WORD_WEIGHT,
                loglevel="FATAL",
            )
        )

    def _give_back(self, key: str, decoder: Any) -> None:
        spare = self._spare.setdefault(key, [])
        if len(spare) < SPARE:
            spare.append(decoder)


def _words(decoder: Any) -> list[tuple[str, float, float, float]]:
    if decoder.hyp() is None:
        return []
    return [
        (
            segment.word.split("(")[0],
            round(math.log10(max(segment.lscore, 1e-300)) * SCORE_SHIFT / WORD_WEIGHT, 4),
            round(min(1.0, segment.prob), 4),
            (segment.end_frame - segment.start_frame + 1) / FRAMES,
        )
        for segment in decoder.seg()
        if segment.word[0] not in "<["
    ]


def serve(decoders: Decoders, answers: BinaryIO) -> None:
    requests = sys.stdin.buffer
    while len(head := requests.read(HEADER.size)) == HEADER.size:
        size, sound = HEADER.unpack(head)
        if size + sound > LARGEST:
            raise RuntimeError(f"a request of {size + sound} bytes: the stream is out of step")
        body = requests.read(size + sound)
        if len(body) < size + sound:
            return
        try:
            answer = decoders.answer(json.loads(body[:size]), body[size:])
        except RuntimeError as error:
            answer = {"error": f"pocketsphinx: {error}"}
        packed = json.dumps(answer).encode()
        answers.write(HEADER.pack(len(packed), 0) + packed)
        answers.flush()


def main() -> None:
    # Ctrl-C reaches the whole process group; the parent decides when this process ends, by closing its stdin.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(Decoders(sys.argv[1]), answers)


if __name__ == "__main__":
    main()
