"""Networks of the shapes of real ones, with random weights, written as ONNX files without the package ``onnx``.

Field numbers are those of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

FLOAT, FLOAT16, INT = 1, 10, 7
_INTS = 7
Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class MadeNetwork:
    content: bytes
    parameters: int
    flops: float
    """For a batch of one; a multiplication and an addition are two."""


@dataclass(frozen=True, slots=True)
class _Map:
    """What flows between two layers: its name and size."""

    name: str
    channels: int
    height: int
    width: int


def _varint(number: int) -> bytes:
    head = b""
    while number >= 0x80:
        head, number = head + bytes([number & 0x7F | 0x80]), number >> 7
    return head + bytes([number])


def _field(number: int, value: int | str | bytes) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    data = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(data)) + data


class _Maker:
    """Writes layers one after another; weights are small, so that sums stay in the range of 16-bit numbers."""

    def __init__(self, half: bool, seed: int = 1) -> None:
        self._kind = FLOAT16 if half else FLOAT
        self._dtype = np.float16 if half else np.float32
        self._noise = np.random.default_rng(seed).standard_normal(99_991, np.float32)
        self._nodes: list[bytes] = []
        self._weights: list[bytes] = []
        self.parameters = 0
        self.flops = 0.0

    def _weight(self, *shape: int) -> str:
        fan_in = max(1, int(np.prod(shape[1:])))
        values = np.resize(self._noise, shape) * np.float32(0.7 / fan_in**0.5 if len(shape) > 1 else 0.01)
        name = f"w{len(self._weights)}"
        self._weights.append(
            b"".join(_field(1, size) for size in shape)
            + _field(2, self._kind) + _field(8, name) + _field(9, values.astype(self._dtype).tobytes())
        )  # fmt: skip
        self.parameters += values.size
        return name

    def node(self, operator: str, inputs: Sequence[str], name: str = "", **attributes: Sequence[int] | int) -> str:
        name = name or f"n{len(self._nodes)}"
        parts = [_field(1, one) for one in inputs] + [_field(2, name), _field(4, operator)]
        for key, value in attributes.items():
            if isinstance(value, int):
                body = _field(3, value) + _field(20, 2)
            else:
                body = b"".join(_field(8, one) for one in value) + _field(20, _INTS)
            parts.append(_field(5, _field(1, key) + body))
        self._nodes.append(b"".join(parts))
        return name

    def conv(
        self, x: _Map, channels: int, kernel: int, stride: Pair = (1, 1), pad: int = 0, *, relu: bool = True,
        rest: bool = False,
    ) -> _Map:  # fmt: skip
        """A convolution with its norm folded in; `rest` adds what came in, as in a residual block."""
        height, width = (
            (size + 2 * pad - kernel) // step + 1 for size, step in zip((x.height, x.width), stride, strict=True)
        )
        weight, bias = self._weight(channels, x.channels, kernel, kernel), self._weight(channels)
        name = self.node("Conv", [x.name, weight, bias], kernel_shape=[kernel] * 2, strides=stride, pads=[pad] * 4)
        self.flops += 2 * channels * x.channels * kernel**2 * height * width
        if rest:
            name = self.node("Add", [name, x.name])
        return _Map(self.node("Relu", [name]) if relu else name, channels, height, width)

    def rests(self, x: _Map, count: int) -> _Map:
        for _ in range(count):
            x = self.conv(x, x.channels, 3, pad=1, rest=True)
        return x

    def grow(self, x: _Map, channels: int, kernel: int, stride: int, pad: int) -> _Map:
        """A transposed convolution that multiplies the size by `stride`, or makes one `kernel` large of one point."""
        more = stride - 1
        height, width = ((size - 1) * stride - 2 * pad + kernel + more for size in (x.height, x.width))
        weight, bias = self._weight(x.channels, channels, kernel, kernel), self._weight(channels)
        name = self.node(
            "ConvTranspose", [x.name, weight, bias], kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=[pad] * 4,
            output_padding=[more] * 2,
        )  # fmt: skip
        self.flops += 2 * channels * x.channels * kernel**2 * x.height * x.width
        return _Map(self.node("Relu", [name]), channels, height, width)

    def beside(self, x: _Map, y: _Map) -> _Map:
        return _Map(self.node("Concat", [x.name, y.name], axis=1), x.channels + y.channels, x.height, x.width)

    def _value(self, name: str, shape: Sequence[int]) -> bytes:
        sizes = [_field(2, "batch"), *(_field(1, size) for size in shape)]
        tensor = _field(1, self._kind) + _field(2, b"".join(_field(1, size) for size in sizes))
        return _field(1, name) + _field(2, _field(1, tensor))

    def finish(self, inputs: Mapping[str, Sequence[int]], output: str, shape: Sequence[int]) -> MadeNetwork:
        graph = [_field(1, node) for node in self._nodes] + [_field(2, "made"), *(_field(5, w) for w in self._weights)]
        graph += [_field(11, self._value(name, sizes)) for name, sizes in inputs.items()]
        graph.append(_field(12, self._value(output, shape)))
        model = _field(1, 8) + _field(7, b"".join(graph)) + _field(8, _field(1, "") + _field(2, 17))
        return MadeNetwork(model, self.parameters, self.flops)


MEL = (1, 80, 16)


def _sound(make: _Maker, x: _Map, wide: float) -> _Map:
    """Wav2Lip's encoder of 200 ms of sound to one point."""
    for channels, stride, count in ((32, (1, 1), 2), (64, (3, 1), 2), (128, (3, 3), 2), (256, (3, 2), 1)):
        x = make.rests(make.conv(x, _width(channels, wide), 3, stride, 1), count)
    return make.conv(make.conv(x, _width(512, wide), 3), _width(512, wide), 1)


def _width(channels: int, wide: float) -> int:
    return max(1, round(channels * wide))


def speech_network() -> MadeNetwork:
    """Sound to the 52 coefficients of a face, of a size for the CPU: 0.2 M parameters, 12 MFLOP."""
    make = _Maker(half=False)
    x = _sound(make, _Map("mel", *MEL), 0.25)
    x = make.conv(x, 52, 1, relu=False)
    flat = make.node("Flatten", [make.node("Sigmoid", [x.name])], axis=1)
    return make.finish({"mel": MEL}, flat, [52])


def lip_network(size: int = 256, wide: float = 1.0, *, half: bool = True) -> MadeNetwork:
    """Wav2Lip's generator (https://github.com/Rudrabha/Wav2Lip) for faces of `size` pixels, a power of two from 8.

    At 256 it has 56 M parameters and takes 56 GFLOP a picture, like those in circulation. `wide` thins all layers.
    """
    make = _Maker(half)
    levels = size.bit_length() - 3
    x = make.conv(_Map("face", 6, size, size), _width(16, wide), 7, pad=3)
    skips = [x]
    for channels, count in ((32, 2), (64, 3), (128, 2), (256, 2), (512, 1), (512, 1))[:levels]:
        x = make.rests(make.conv(x, _width(channels, wide), 3, (2, 2), 1), count)
        skips.append(x)
    x = make.conv(make.conv(x, _width(512, wide), 4), _width(512, wide), 1)
    sound = make.conv(_sound(make, _Map("mel", *MEL), wide), _width(512, wide), 1)
    x = make.beside(sound, x)
    for level, channels in enumerate((512, 512, 512, 384, 256, 128, 64)[-levels - 1 :]):
        x = make.grow(x, _width(channels, wide), *((4, 1, 0) if level == 0 else (3, 2, 1)))
        x = make.beside(make.rests(x, 1 if level == 0 else 2), skips.pop())
    x = make.conv(make.conv(x, _width(32, wide), 3, pad=1), 3, 1, relu=False)
    lips = make.node("Sigmoid", [x.name], name="lips")
    return make.finish({"mel": MEL, "face": (6, size, size)}, lips, [3, size, size])
