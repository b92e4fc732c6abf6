"""The network: causal convolutions and a GRU over levelled features; what it says of a moment it says 100 ms later.

All of its state is one row of numbers that a request brings and takes away.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from drivers.speechnet.features import BANDS
from drivers.speechnet.inventory import SOUNDS

DELAY = 10
"""Frames of 10 ms between a sound and the answer to it: the look-ahead."""


class Causal(nn.Module):  # type: ignore[misc,unused-ignore]
    """A residual block: a dilated convolution that looks back only."""

    def __init__(self, channels: int, kernel: int, dilation: int) -> None:
        super().__init__()
        self.past = (kernel - 1) * dilation
        self.conv = nn.Conv1d(channels, channels, kernel, dilation=dilation)
        self.norm = nn.BatchNorm1d(channels)

    def forward(self, x: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        seen = torch.cat([past, x], 2)
        return x + functional.relu(self.norm(self.conv(seen))), seen[:, :, seen.shape[2] - self.past :]


class SpeechNet(nn.Module):  # type: ignore[misc,unused-ignore]
    """Whole convolutions, not depthwise ones: a runtime does them in one step, and steps are what a live call costs."""

    def __init__(self, channels: int = 128, hidden: int = 128) -> None:
        super().__init__()
        self.channels, self.hidden = channels, hidden
        self.front_past = 4
        self.front = nn.Conv1d(BANDS, channels, 5)
        self.front_norm = nn.BatchNorm1d(channels)
        self.blocks = nn.ModuleList(Causal(channels, 3, dilation) for dilation in (1, 2, 4, 8, 16))
        self.gru = nn.GRU(channels, hidden, batch_first=True)
        self.out = nn.Linear(hidden + channels, len(SOUNDS))

    @property
    def sizes(self) -> list[int]:
        """Parts of the state: features the first layer looks back on, each block's past, the GRU's memory."""
        return [BANDS * self.front_past, *(self.channels * block.past for block in self.blocks), self.hidden]

    def forward(self, features: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """`features` (batch, frames, 40) and `state` (batch, `sum(sizes)`) to logits (batch, frames, sounds), state."""
        parts = torch.split(state, self.sizes, 1)
        seen = torch.cat([parts[0].unflatten(1, (BANDS, self.front_past)), features.transpose(1, 2)], 2)
        after = [seen[:, :, seen.shape[2] - self.front_past :].flatten(1)]
        x = functional.relu(self.front_norm(self.front(seen)))
        for block, part in zip(self.blocks, parts[1:-1], strict=True):
            x, past = block(x, part.unflatten(1, (self.channels, block.past)))
            after.append(past.flatten(1))
        x = x.transpose(1, 2)
        y, memory = self.gru(x, parts[-1][None].contiguous())
        return self.out(torch.cat([x, y], 2)), torch.cat([*after, memory[0]], 1)
