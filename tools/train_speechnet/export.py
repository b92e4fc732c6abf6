"""Write the trained network as ONNX: `python -m tools.train_speechnet.export RUN/net.pt -o drivers/speechnet/net.onnx`.

The graph is put together by hand: it is small, batch norms are folded into the convolutions before them, and what an
exporter would make of the state is longer than the network.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from drivers.speechnet.features import BANDS
from drivers.speechnet.inventory import SOUNDS
from tools.train_speechnet.net import DELAY, Causal, SpeechNet

OPSET = 17


def load(path: Path) -> SpeechNet:
    weights = torch.load(path, weights_only=True)
    channels = weights["front.weight"].shape[0]
    net = SpeechNet(channels, channels)
    net.load_state_dict(weights)
    net.eval()
    return net


class _Graph:
    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, value: NDArray[Any] | list[int]) -> str:
        name = f"c{len(self.constants)}"
        array = np.array(value, np.int64) if isinstance(value, list) else np.ascontiguousarray(value)
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def add(self, kind: str, *inputs: str, outputs: int = 1, **attributes: Any) -> Any:
        names = [f"n{len(self.nodes)}_{index}" for index in range(outputs)]
        self.nodes.append(helper.make_node(kind, inputs, names, **attributes))
        return names[0] if outputs == 1 else names

    def name(self, value: str, name: str) -> None:
        self.nodes.append(helper.make_node("Identity", [value], [name]))

    def convolution(self, x: str, conv: nn.Conv1d, norm: nn.BatchNorm1d) -> str:
        scale = _numbers(norm.weight) / np.sqrt(_numbers(norm.running_var) + norm.eps)
        weight = _numbers(conv.weight) * scale[:, None, None]
        bias = (_numbers(conv.bias) - _numbers(norm.running_mean)) * scale + _numbers(norm.bias)
        constants = self.constant(weight.astype(np.float32)), self.constant(bias.astype(np.float32))
        return str(self.add("Relu", self.add("Conv", x, *constants, dilations=list(conv.dilation))))

    def remembered(self, x: str, past: str, channels: int, length: int) -> tuple[str, str]:
        """`x` behind its past, and the flat past for the next time."""
        seen = self.add("Concat", self.add("Reshape", past, self.constant([0, channels, length])), x, axis=2)
        last = self.add("Slice", seen, self.constant([-length]), self.constant([2**31]), self.constant([2]))
        return seen, self.add("Flatten", last, axis=1)


def _numbers(tensor: Any) -> NDArray[np.float32]:
    array: NDArray[np.float32] = tensor.detach().numpy()
    return array


def build(net: SpeechNet) -> Any:
    graph = _Graph()
    size = sum(net.sizes)
    parts = graph.add("Split", "state", graph.constant(net.sizes), outputs=len(net.sizes), axis=1)
    x = graph.add("Transpose", "features", perm=[0, 2, 1])
    seen, past = graph.remembered(x, parts[0], BANDS, net.front_past)
    after = [past]
    x = graph.convolution(seen, net.front, net.front_norm)
    for block, part in zip(net.blocks, parts[1:-1], strict=True):
        assert isinstance(block, Causal)
        seen, past = graph.remembered(x, part, net.channels, block.past)
        after.append(past)
        x = graph.add("Add", x, graph.convolution(seen, block.conv, block.norm))
    times_first = graph.add("Transpose", x, perm=[2, 0, 1])
    y, memory = graph.add("GRU", times_first, *_gru(graph, net), "", _memory(graph, parts[-1]), outputs=2,
                          hidden_size=net.hidden, linear_before_reset=1)  # fmt: skip
    y = graph.add("Squeeze", y, graph.constant([1]))
    both = graph.add("Concat", times_first, y, axis=2)
    weight, bias = _numbers(net.out.weight).T, _numbers(net.out.bias)
    logits = graph.add("Add", graph.add("MatMul", both, graph.constant(weight)), graph.constant(bias))
    graph.name(graph.add("LogSoftmax", graph.add("Transpose", logits, perm=[1, 0, 2]), axis=2), "sounds")
    after.append(graph.add("Squeeze", memory, graph.constant([0])))
    graph.name(graph.add("Concat", *after, axis=1), "next_state")
    kind = TensorProto.FLOAT
    made = helper.make_graph(
        graph.nodes, "speechnet",
        [helper.make_tensor_value_info("features", kind, ["batch", "frames", BANDS]),
         helper.make_tensor_value_info("state", kind, ["batch", size])],
        [helper.make_tensor_value_info("sounds", kind, ["batch", "frames", len(SOUNDS)]),
         helper.make_tensor_value_info("next_state", kind, ["batch", size])],
        graph.constants,
    )  # fmt: skip
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    helper.set_model_props(model, {"delay": str(DELAY), "sounds": " ".join(SOUNDS)})
    onnx.checker.check_model(model)
    return model


def _gru(graph: _Graph, net: SpeechNet) -> list[str]:
    """Weights in the order of ONNX (update, reset, new); PyTorch keeps them as reset, update, new."""

    def ordered(tensor: Any) -> NDArray[np.float32]:
        reset, update, new = np.split(_numbers(tensor), 3)
        return np.concatenate([update, reset, new])

    biases = np.concatenate([ordered(net.gru.bias_ih_l0), ordered(net.gru.bias_hh_l0)])
    weights = ordered(net.gru.weight_ih_l0)[None], ordered(net.gru.weight_hh_l0)[None], biases[None]
    return [graph.constant(weight) for weight in weights]


def _memory(graph: _Graph, part: str) -> str:
    return str(graph.add("Unsqueeze", part, graph.constant([0])))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", type=Path)
    parser.add_argument("-o", "--out", type=Path, required=True)
    given = parser.parse_args()
    net = load(given.weights)
    model = build(net)
    onnx.save(model, given.out)
    import onnxruntime

    session = onnxruntime.InferenceSession(str(given.out), providers=["CPUExecutionProvider"])
    features = np.random.default_rng(0).normal(size=(2, 50, BANDS)).astype(np.float32)
    state = np.zeros((2, sum(net.sizes)), np.float32)
    with torch.no_grad():
        wanted = torch.log_softmax(net(torch.from_numpy(features), torch.from_numpy(state))[0], 2).numpy()
    parts = []
    for at in (slice(0, 12), slice(12, 50)):
        found, state = session.run(None, {"features": features[:, at], "state": state})
        parts.append(found)
    print(f"{given.out}: {given.out.stat().st_size / 1e6:.2f} MB; largest difference "
          f"{np.abs(np.concatenate(parts, 1) - wanted).max():.1e}")  # fmt: skip


if __name__ == "__main__":
    main()
