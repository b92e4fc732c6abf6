"""HiFi-GAN (Kong et al. 2020), the decoder of Coqui's VITS and XTTS, run over a stretch at a time.

The sound of a frame depends on some frames around it and no others: decoded with those, stretches joined are what
decoding all in one gives.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch

from anchor.media import Samples

FIRST_SECONDS, LATER_SECONDS = 0.3, 1.2
"""How much sound is decoded at once: little, then twice as much every time."""


def reach(generator: Any) -> int:
    """How many frames on each side the sound of one depends on."""
    kernels, rate = generator.num_kernels, 1.0
    frames = _width(generator.conv_pre)
    for index, up in enumerate(generator.ups):
        frames += up.kernel_size[0] / up.stride[0] / 2 / rate
        rate *= up.stride[0]
        blocks = generator.resblocks[index * kernels : (index + 1) * kernels]
        frames += (
            max(sum(_width(one) for one in block.modules() if hasattr(one, "dilation")) for block in blocks) / rate
        )
    return math.ceil(frames + _width(generator.conv_post) / rate) + 1


def _width(convolution: Any) -> float:
    return float((convolution.kernel_size[0] - 1) / 2 * convolution.dilation[0])


def factor(generator: Any) -> int:
    """Samples a frame."""
    return math.prod(int(up.stride[0]) for up in generator.ups)


@torch.inference_mode()  # type: ignore[untyped-decorator]
def decoded(generator: Any, frames: Any, condition: Any, rate: int) -> Iterator[Samples]:
    """The sound of frames of shape (1, channels, frames), early parts first, at `rate` samples a second."""
    margin, size, length = reach(generator), factor(generator), frames.shape[-1]
    start, seconds = 0, FIRST_SECONDS
    while start < length:
        end = min(length, start + max(1, round(seconds * rate / size)))
        first, last = max(0, start - margin), min(length, end + margin)
        sound = generator(frames[:, :, first:last], g=condition)[0, 0].cpu().numpy()
        yield sound[(start - first) * size : (end - first) * size]
        start, seconds = end, min(LATER_SECONDS, 2 * seconds)


class Withheld(torch.nn.Module):  # type: ignore[misc]
    """Stands where VITS has its decoder, and keeps what that would be given."""

    def __init__(self) -> None:
        super().__init__()
        self.given: tuple[Any, Any] = (None, None)

    def forward(self, frames: torch.Tensor, g: torch.Tensor | None = None) -> torch.Tensor:
        self.given = (frames, g)
        return frames[:, :1, :1]


class Growing(torch.nn.Module):  # type: ignore[misc]
    """Stands where XTTS has its decoder for one text, of which it decodes all that is said so far again and again.

    What cannot change any more is decoded only once.
    """

    def __init__(self, decoder: Any) -> None:
        super().__init__()
        self._decoder = decoder
        self._reach, self._size = reach(decoder.waveform_decoder), factor(decoder.waveform_decoder)
        self._sound: Any = None
        self._settled = 0

    def forward(self, latents: torch.Tensor, g: torch.Tensor | None = None) -> torch.Tensor:
        decoder = self._decoder
        frames = _resized(latents.transpose(1, 2), decoder.ar_mel_length_compression / decoder.output_hop_length)
        if decoder.output_sample_rate != decoder.input_sample_rate:
            frames = _resized(frames, decoder.output_sample_rate / decoder.input_sample_rate)
        first = max(0, self._settled - self._reach)
        sound = decoder.waveform_decoder(frames[:, :, first:], g=g)
        if self._settled:
            fresh = sound[..., (self._settled - first) * self._size :]
            sound = torch.cat([self._sound[..., : self._settled * self._size], fresh], -1)
        # The last frames lie between two latents, of which the second is still to come.
        self._sound, self._settled = sound, max(0, frames.shape[-1] - self._reach - 8)
        return sound


def _resized(frames: torch.Tensor, scale: float) -> torch.Tensor:
    return torch.nn.functional.interpolate(frames, scale_factor=[scale], mode="linear")
