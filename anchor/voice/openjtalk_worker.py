"""The process Open JTalk lives in. Messages are those of `anchor.voice.espeak_worker`.

Request: ``{"text", "part"}``. A text is spoken in parts, from pause to pause, with the melody of the whole. Answer:
``{"rate", "parts", "items", "phones"}`` and the sound of that part: `items` are the words of the whole text
(``[first character, past the last]``), `phones` of this part are ``[name, first sample, past the last, item, accent]``.
"""

from __future__ import annotations

import re
from importlib.resources import as_file, files
from typing import Any

from anchor.voice.espeak_worker import claim_stdout, serve

PAUSES = ("sil", "pau")
UNSAID = (*PAUSES, "sp", "unk", "")
_ACCENT = re.compile(r"/A:(-?\d+)\+")


class OpenJtalk:
    """The engine and its Japanese voice, loaded once."""

    def __init__(self) -> None:
        import pyopenjtalk
        from pyopenjtalk.htsengine import HTSEngine

        self._engine: Any = pyopenjtalk
        with as_file(files("pyopenjtalk") / "htsvoice" / "mei_normal.htsvoice") as voice:
            self._synthesizer: Any = HTSEngine(str(voice).encode())
        self._rate = int(self._synthesizer.get_sampling_frequency())
        self._text: str | None = None
        self._items: list[list[int]] = []
        self._parts: list[list[tuple[str, str, int]]] = []

    def speak(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        text, part = str(request["text"]), int(request["part"])
        if text != self._text:
            self._analyse(text)
            self._text = text
        answer = {"rate": self._rate, "parts": len(self._parts), "items": self._items, "phones": []}
        if part >= len(self._parts):
            return answer, b""
        labels = self._parts[part]
        sound = self._synthesizer.synthesize([label for label, _, _ in labels])
        phones, start = [], 0
        for label, name, item in labels:
            # A state lasts as its label alone says, so a phone spoken by itself is as long as in the sentence.
            end = start + len(self._synthesizer.synthesize([label]))
            accent = _ACCENT.search(label)
            phones.append([name, start, end, item, bool(accent and accent[1] == "0")])
            start = end
        if start != len(sound):
            raise RuntimeError(f"phones of {start} samples in a sound of {len(sound)}")
        return {**answer, "phones": phones}, sound.clip(-32768, 32767).astype("<i2").tobytes()

    def _analyse(self, text: str) -> None:
        """Labels of the text in parts that end with a pause, each with its phone and the word it belongs to."""
        options = {"use_sudachi_kanji_yomi": False}
        mapping = self._engine.g2p_mapping(text, **options)
        labels = self._engine.extract_fullcontext(text, **options)
        self._items, owners = [], []
        for one in mapping:
            first, last = one["char_span"]
            # A word the engine put in (二百 of 200 is two) has no characters of its own.
            if last > first or not self._items:
                self._items.append([first, last])
            owners += [(len(self._items) - 1, name) for name in one["phonemes"] if name not in UNSAID]
        names = [label.split("-", 1)[1].split("+", 1)[0] for label in labels]
        spoken = sum(name not in PAUSES for name in names)
        exact = [name for _, name in owners] == [name for name in names if name not in PAUSES]
        self._parts = [[]]
        count, item = 0, 0
        for label, name in zip(labels, names, strict=True):
            if name not in PAUSES:
                place = count if exact else count * len(owners) // max(1, spoken)
                item = owners[min(place, len(owners) - 1)][0] if owners else 0
                count += 1
            self._parts[-1].append((label, name, item))
            if name == "pau":
                self._parts.append([])
        self._parts = [part for part in self._parts if any(name not in PAUSES for _, name, _ in part)]


def main() -> None:
    answers = claim_stdout()
    serve(OpenJtalk().speak, answers)


if __name__ == "__main__":
    main()
