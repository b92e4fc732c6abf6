"""Which part of which family a network is, by the shapes of what it takes and gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from anchor.errors import ModelError
from drivers.runtime import OnnxModel, TensorSpec
from drivers.stacking import Layout

Part = Literal[
    "wav2lip", "ultralight", "hubert", "wenet", "unet", "vae_encoder", "vae_decoder", "whisper", "positions",
    "window_net", "sequence_net",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Bound:
    """A network whose tensors are known by the role each plays."""

    part: Part
    model: OnnxModel
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]

    def spec(self, role: str) -> TensorSpec:
        return self.model.inputs[self.inputs[role]]


def fits(spec: TensorSpec, *shape: int | None) -> bool:
    """Whether a tensor can have this shape; a dimension it leaves open fits all."""
    return len(spec.shape) == len(shape) and all(
        wanted is None or not isinstance(found, int) or found < 0 or found == wanted
        for found, wanted in zip(spec.shape, shape, strict=True)
    )


def fixed(spec: TensorSpec, axis: int) -> int:
    """The size of a dimension, 0 where the network leaves it open."""
    found = spec.shape[axis]
    return found if isinstance(found, int) and found > 0 else 0


def feed_shape(bound: Bound, role: str) -> tuple[int, ...]:
    """The shape of what one request feeds: without the batch, where this input has one; what is open counts as 1."""
    axis = Layout.of(bound.model).axes[bound.inputs[role]]
    spec = bound.spec(role)
    return tuple(fixed(spec, i) or 1 for i in range(len(spec.shape)) if i != axis)


def describe(model: OnnxModel) -> str:
    """What a network takes and gives, in a line."""

    def listed(specs: Iterable[TensorSpec]) -> str:
        return ", ".join(
            f"{spec.name} {spec.dtype}[{','.join('?' if not isinstance(n, int) else str(n) for n in spec.shape)}]"
            for spec in specs
        )

    return f"{listed(model.inputs.values())} -> {listed(model.outputs.values())}"


FACE_SIDES = (96, 128, 192, 256, 288, 384, 512)
"""Sides of faces that networks of the Wav2Lip family are made for."""


def _square(spec: TensorSpec, channels: int, sides: Iterable[int]) -> bool:
    """A picture with this many channels (exactly: an open number tells nothing) and one of these sides."""
    return len(spec.shape) == 4 and fixed(spec, 1) == channels and fixed(spec, 2) == fixed(spec, 3) in tuple(sides)


def bind(model: OnnxModel) -> Bound:
    """Raises `ModelError` for a network of no known family, or one whose numbers are not floats."""
    inputs, outputs = list(model.inputs.values()), list(model.outputs.values())
    for rule in (_wav2lip, _ultralight, _wenet, _unet, _vae, _whisper, _positions, _numbers, _hubert):
        found = rule(model, inputs, outputs)
        if found is not None:
            _check_types(found)
            return found
    raise ModelError(f"{model.path}: is of no known family: {describe(model)}")


def _check_types(bound: Bound) -> None:
    model = bound.model
    whole = {name for role, name in bound.inputs.items() if role in ("time", "offset")}
    for spec in (*model.inputs.values(), *model.outputs.values()):
        kinds = "iu" if spec.name in whole else "f"
        if spec.dtype.kind not in kinds:
            wanted = "whole numbers" if spec.name in whole else "floats"
            raise ModelError(
                f"{model.path}: {spec.name} is {spec.dtype}; {wanted} are needed: export it without quantised ends"
            )


def _layout(model: OnnxModel, spec: TensorSpec) -> None:
    if len(spec.shape) == 4 and fixed(spec, 3) in (3, 6) and fixed(spec, 1) == fixed(spec, 2) > 6:
        raise ModelError(f"{model.path}: {spec.name} has its colours last (NHWC); export it with colours first (NCHW)")


def _wav2lip(model: OnnxModel, inputs: list[TensorSpec], outputs: list[TensorSpec]) -> Bound | None:
    mel = next((spec for spec in inputs if fits(spec, None, 1, 80, 16) and fixed(spec, 3) == 16), None)
    if mel is None or len(inputs) != 2 or len(outputs) != 1:
        return None
    face = next(spec for spec in inputs if spec is not mel)
    _layout(model, face)
    if not _square(face, 6, FACE_SIDES):
        return None
    side = fixed(face, 2)
    _layout(model, outputs[0])
    if not fits(outputs[0], None, 3, side, side):
        raise ModelError(
            f"{model.path}: takes faces of {side} pixels a side, but does not give such: {describe(model)}"
        )
    return Bound("wav2lip", model, {"mel": mel.name, "face": face.name}, {"face": outputs[0].name})


def _ultralight(model: OnnxModel, inputs: list[TensorSpec], outputs: list[TensorSpec]) -> Bound | None:
    audio = next((s for s in inputs if fits(s, None, 16, 32, 32) or fits(s, None, 128, 16, 32)), None)
    if audio is None or fixed(audio, 1) not in (16, 128) or len(inputs) != 2 or len(outputs) != 1:
        return None
    face = next(spec for spec in inputs if spec is not audio)
    if not _square(face, 6, (160, 320)) or not fits(outputs[0], None, 3, fixed(face, 2), fixed(face, 2)):
        return None
    return Bound("ultralight", model, {"audio": audio.name, "face": face.name}, {"face": outputs[0].name})


def _wenet(model: OnnxModel, inputs: list[TensorSpec], outputs: list[TensorSpec]) -> Bound | None:
    chunk = next((s for s in inputs if fits(s, None, 67, 80) or fits(s, None, 1, 67, 80)), None)
    attention = next((s for s in inputs if fits(s, 3, 8, 16, 128)), None)
    convolution = next((s for s in inputs if fits(s, 3, 1, 512, 14)), None)
    offset = next((s for s in inputs if s.dtype.kind == "i"), None)
    if chunk is None or attention is None or convolution is None or offset is None or len(outputs) < 3:
        return None
    roles = {"chunk": chunk.name, "attention": attention.name, "convolution": convolution.name, "offset": offset.name}
    given = next((s for s in outputs if len(s.shape) == 3), outputs[0])
    left = [s for s in outputs if s is not given]
    gives = {"features": given.name}
    for spec in left:
        gives["attention" if fits(spec, 3, 8, None, 128) else "convolution"] = spec.name
    return Bound("wenet", model, roles, gives)


def _unet(model: OnnxModel, inputs: list[TensorSpec], outputs: list[TensorSpec]) -> Bound | None:
    latents = next((s for s in inputs if len(s.shape) == 4 and fixed(s, 1) == 8), None)
    audio = next((s for s in inputs if len(s.shape) == 3 and fixed(s, 2) == 384), None)
    time = next((s for s in inputs if len(s.shape) <= 1), None)
    if latents is None or audio is None or time is None or not fits(outputs[0], None, 4, 32, 32):
        return None
    return Bound(
        "unet", model, {"latents": latents.name, "audio": audio.name, "time": time.name}, {"latents": outputs[0].name}
    )


def _vae(model: OnnxModel, inputs: list[TensorSpec], outputs: list[TensorSpec]) -> Bound | None:
    if len(inputs) != 1 or not outputs or len(inputs[0].shape) != 4:
        return None
    given, got = inputs[0], outputs[0]
    if fixed(given, 1) == 3 and fits(given, None, 3, 256, 256) and fixed(got, 1) in (4, 8) and len(got.shape) == 4:
        return Bound("vae_encoder", model, {"picture": given.name}, {"latents": got.name})
    if fixed(given, 1) == 4 and fits(given, None, 4, 32, 32) and fits(got, None, 3, 256, 256):
        return Bound("vae_decoder", model, {"latents": given.name}, {"picture": got.name})
    return None


def _whisper(model: OnnxModel, inputs: list[TensorSpec], outputs: list[TensorSpec]) -> Bound | None:
    if len(inputs) != 1 or not fits(inputs[0], None, 80, 3000) or fixed(inputs[0], 1) != 80:
        return None
    states = next((s for s in outputs if len(s.shape) == 4 and fixed(s, 3) == 384), None)
    if states is None:
        raise ModelError(
            f"{model.path}: is an encoder of Whisper without its inner states; MuseTalk needs all five "
            f"(B x 5 x T x 384): {describe(model)}"
        )
    return Bound("whisper", model, {"mel": inputs[0].name}, {"states": states.name})


def _positions(model: OnnxModel, inputs: list[TensorSpec], outputs: list[TensorSpec]) -> Bound | None:
    if len(inputs) == 1 and len(outputs) == 1 and len(inputs[0].shape) == 3 and fixed(inputs[0], 2) == 384:
        return Bound("positions", model, {"audio": inputs[0].name}, {"audio": outputs[0].name})
    return None


_EXTRAS = {26: "emotion", 16: "emotion", 10: "emotion", 12: "identity"}
"""Widths of the vectors that nets of numbers take besides sound."""


def _numbers(model: OnnxModel, inputs: list[TensorSpec], outputs: list[TensorSpec]) -> Bound | None:
    """A net that gives numbers of a face: sound in one window gives one face, or a sequence of them."""
    sound = [s for s in inputs if _hears(s)]
    if len(sound) != 1:
        return None
    roles = {"sound": sound[0].name}
    for spec in inputs:
        if spec is sound[0]:
            continue
        width = fixed(spec, len(spec.shape) - 1) if spec.shape else 0
        role = _EXTRAS.get(width)
        if role is None or len(spec.shape) > 3:
            return None
        roles[role] = spec.name
    got = next((s for s in outputs if fixed(s, len(s.shape) - 1) >= 40), None) if outputs else None
    if got is None or len(got.shape) not in (2, 3):
        return None
    frames = fixed(got, 1) if len(got.shape) == 3 else 1
    return Bound("sequence_net" if frames != 1 else "window_net", model, roles, {"face": got.name})


def _hears(spec: TensorSpec) -> bool:
    """A window of samples, or of mel spectra with 80 bins."""
    if spec.dtype != np.float32 and spec.dtype != np.float16:
        return False
    last = fixed(spec, len(spec.shape) - 1) if spec.shape else 0
    if len(spec.shape) in (2, 3) and last >= 1600 and (len(spec.shape) == 2 or fixed(spec, 1) == 1):
        return True
    return len(spec.shape) >= 3 and 80 in (last, fixed(spec, len(spec.shape) - 2)) and last != 3000


def _hubert(model: OnnxModel, inputs: list[TensorSpec], outputs: list[TensorSpec]) -> Bound | None:
    """Sound of any length in, 1024 numbers every 20 ms out."""
    if len(inputs) != 1 or len(inputs[0].shape) != 2 or not outputs:
        return None
    if len(outputs[0].shape) == 3 and fixed(outputs[0], 2) == 1024:
        return Bound("hubert", model, {"sound": inputs[0].name}, {"features": outputs[0].name})
    return None
