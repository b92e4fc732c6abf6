"""Train: `python -m tools.train_speechnet.train --data DIR --out DIR`. Seeded; deterministic but for threads."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from drivers.speechnet.inventory import COLLAPSE, INDEX, SOUNDS
from tools.train_speechnet.corpus import examples
from tools.train_speechnet.net import DELAY, SpeechNet

FRAMES = 240
BATCH = 40
SEED = 7
COPIES = {"espeak": 3, "flite": 3, "festival": 3, "piper": 5, "kokoro": 6}
"""Disturbed copies of each sentence besides the clean one: most of the voices that are most like people."""
_COLLAPSE = torch.from_numpy(COLLAPSE)
_SHUT = torch.tensor([INDEX[sound] for sound in "pbm"])
_DENTAL = torch.tensor([INDEX[sound] for sound in "fv"])
FEWER = {"espeak": 1, "flite": 1, "festival": 1, "piper": 2, "kokoro": 3}


class Crops:
    """All examples end to end, and random crops of them."""

    def __init__(self, paths: list[Path], cache: Path, pause: float) -> None:
        """`cache` keeps what every file became, for the next time."""
        features, sounds = [], []
        cache.mkdir(parents=True, exist_ok=True)
        for path in paths:
            copies = (COPIES if pause < 1 else FEWER)[path.name.partition("-")[0]]
            kept = cache / f"{path.stem}-{copies}.npz"
            if not kept.exists():
                found = list(examples([path], copies, SEED, pause))
                np.savez(
                    kept,
                    features=np.concatenate([example.features for example in found]),
                    sounds=np.concatenate([example.sounds for example in found]),
                )
            with np.load(kept) as file:
                features.append(file["features"])
                sounds.append(file["sounds"])
        self.features: NDArray[np.float16] = np.concatenate(features)
        self.sounds: NDArray[np.uint8] = np.concatenate(sounds)

    def batch(self, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        starts = rng.integers(0, len(self.sounds) - FRAMES, BATCH)
        features = np.stack([self.features[start : start + FRAMES] for start in starts]).astype(np.float32)
        sounds = np.stack([self.sounds[start : start + FRAMES] for start in starts]).astype(np.int64)
        return torch.from_numpy(masked(features, rng)), torch.from_numpy(sounds)


def masked(features: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """SpecAugment (Park et al. 2019), two bands and a stretch of time; and a level that is a little off."""
    features = features + rng.normal(0, 0.35, (len(features), 1, 1)).astype(np.float32)
    for row in features:
        for _ in range(2):
            width = int(rng.integers(0, 6))
            low = int(rng.integers(0, row.shape[1] - width))
            row[:, low : low + width] = 0
        length = int(rng.integers(0, 12))
        start = int(rng.integers(0, len(row) - length))
        row[start : start + length] = 0
    return features


def events(sounds: Tensor, which: Tensor) -> Tensor:
    """Number the runs of the sounds in `which`, from 1; 0 elsewhere. `sounds` has shape (batch, frames)."""
    inside = torch.isin(sounds, which)
    before = functional.pad(inside[:, :-1], (1, 0))
    begun = (inside & ~before).flatten().cumsum(0).view_as(sounds)
    return begun * inside


def loss_of(logits: Tensor, sounds: Tensor, weights: Tensor) -> Tensor:
    """Cross entropy of sounds, that of visemes, and for each closure and each f or v the moment it shows best."""
    logits, sounds = logits[:, DELAY:], sounds[:, :-DELAY]
    settled = slice(30, None)
    logits, sounds = logits[:, settled], sounds[:, settled]
    total = functional.cross_entropy(logits.flatten(0, 1), sounds.flatten(), weights, label_smoothing=0.05)
    chances = logits.softmax(2)
    visemes = torch.log(chances @ _COLLAPSE + 1e-5)
    meant = _COLLAPSE[sounds]
    total = total + 0.5 * -(meant * visemes).sum(2).mean()
    for which in (_SHUT, _DENTAL):
        number = events(sounds, which)
        count = int(number.max())
        if count:
            shown = chances[:, :, which].sum(2)
            best = torch.zeros(count + 1).scatter_reduce(0, number.flatten(), shown.flatten(), "amax")[1:]
            total = total + 0.15 * -torch.log(best + 1e-3).mean()
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--pause", type=float, default=0.5, help="seconds of silence around sentences, at most")
    parser.add_argument("--resume", type=Path, help="weights to go on from, gently")
    parser.add_argument("--channels", type=int, default=128)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--kinds", default="", help="only files whose names begin so, separated by commas")
    given = parser.parse_args()
    torch.manual_seed(SEED)
    torch.set_num_threads(given.threads)
    rng = np.random.default_rng(SEED)
    kinds = tuple(given.kinds.split(","))
    paths = [path for path in sorted(given.data.glob("*.npz")) if path.name.startswith(kinds)]
    paths = [path for path in paths if "partial" not in path.name]
    crops = Crops(paths, given.out / "heard", given.pause)
    shares = np.bincount(crops.sounds, minlength=len(SOUNDS)) / len(crops.sounds)
    print(f"{len(crops.sounds) / 360_000:.1f} h;", dict(zip(SOUNDS, shares.round(3).tolist(), strict=True)), flush=True)
    weights = torch.from_numpy(((1 / np.maximum(shares, 1e-3)) ** 0.4).astype(np.float32))
    weights /= (weights * torch.from_numpy(shares.astype(np.float32))).sum()
    net = SpeechNet(given.channels, given.channels)
    print(sum(part.numel() for part in net.parameters()), "parameters", flush=True)
    if given.resume:
        net.load_state_dict(torch.load(given.resume, weights_only=True))
    fastest = 6e-4 if given.resume else 2e-3
    optimizer = torch.optim.AdamW(net.parameters(), fastest, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, fastest, given.steps, pct_start=0.1)
    began, mean = time.perf_counter(), 0.0
    net.train()
    given.out.mkdir(parents=True, exist_ok=True)
    for step in range(1, given.steps + 1):
        features, sounds = crops.batch(rng)
        logits, _ = net(features, torch.zeros(len(features), sum(net.sizes)))
        loss = loss_of(logits, sounds, weights)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        mean += 0.02 * (loss.item() - mean)
        if step % 100 == 0:
            print(f"{step} {mean / (1 - 0.98**step):.3f} {time.perf_counter() - began:.0f} s", flush=True)
        if step % 1000 == 0 or step == given.steps:
            torch.save(net.state_dict(), given.out / "net.pt")


if __name__ == "__main__":
    main()
