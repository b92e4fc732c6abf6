"""What happens to a voice between a mouth and a network: rooms, lines, microphones, other people, noise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from tools.train_speechnet.spoken import RATE

Sound = NDArray[np.float32]


def stretched(sound: Sound, factor: float) -> Sound:
    """Play `sound` faster by `factor`: time, pitch and formants move together, as with a smaller head."""
    place = np.arange(0, sound.size - 1, factor)
    found: Sound = np.interp(place, np.arange(sound.size), sound).astype(np.float32)
    return found


def disturbed(sound: Sound, rng: np.random.Generator, others: Sequence[Sound], noisy: float = 0.65) -> Sound:
    """One of many ways in which `sound` can arrive; its length and timing stay. `noisy`: how often with noise."""
    if rng.random() < 0.7:
        sound = _equalised(sound, rng)
    if rng.random() < 0.35:
        sound = _in_a_room(sound, rng)
    if rng.random() < noisy:
        sound = _with_noise(sound, rng, others)
    if rng.random() < 0.2:
        sound = _telephoned(sound, rng)
    elif rng.random() < 0.2:
        sound = _band(sound, 20, float(rng.uniform(3200, 7000)))
    peak = float(np.abs(sound).max()) + 1e-6
    if rng.random() < 0.08:
        sound = np.clip(sound, -peak * rng.uniform(0.3, 0.8), peak * rng.uniform(0.3, 0.8))
    return (sound * (10 ** (rng.uniform(-32, -1) / 20) / peak)).astype(np.float32)


def _equalised(sound: Sound, rng: np.random.Generator) -> Sound:
    places = np.concatenate([[0], np.sort(rng.uniform(80, 7600, 6)), [RATE / 2]])
    gains = 10 ** (rng.uniform(-9, 9, 8) / 20)
    return np.asarray(signal.fftconvolve(sound, signal.firwin2(129, places, gains, fs=RATE), "same"), np.float32)


def _in_a_room(sound: Sound, rng: np.random.Generator) -> Sound:
    length = rng.uniform(0.08, 0.7)
    time = np.arange(int(length * RATE)) / RATE
    tail = rng.standard_normal(time.size) * np.exp(-6.9 * time / length)
    tail[: int(rng.uniform(0.001, 0.012) * RATE)] = 0
    tail *= rng.uniform(0.1, 0.8) / (np.sqrt(np.sum(tail**2)) + 1e-6)
    tail[0] = 1
    return np.asarray(signal.fftconvolve(sound, tail)[: sound.size], np.float32)


def _with_noise(sound: Sound, rng: np.random.Generator, others: Sequence[Sound]) -> Sound:
    kind = rng.random()
    if kind < 0.3 and others:
        noise = np.zeros(sound.size, np.float32)
        for _ in range(int(rng.integers(1, 6))):
            noise += np.resize(np.roll(others[int(rng.integers(len(others)))], int(rng.integers(RATE))), sound.size)
        ratio = rng.uniform(8, 35)
    else:
        white = np.fft.rfft(rng.standard_normal(sound.size))
        tilt = rng.uniform(-1.8, 0.3)
        noise = np.fft.irfft(white * np.maximum(np.arange(white.size), 3.0) ** tilt, sound.size).astype(np.float32)
        if rng.random() < 0.3:
            time = np.arange(sound.size) / RATE
            for order in range(1, 6):
                noise += np.std(noise) / order * np.sin(2 * np.pi * 50 * order * time + rng.uniform(0, 6)).astype("f4")
        ratio = rng.uniform(3, 40)
    scale = np.std(sound) / (np.std(noise) + 1e-9) * 10 ** (-ratio / 20)
    return (sound + noise * scale).astype(np.float32)


def _band(sound: Sound, low: float, high: float) -> Sound:
    taps = signal.butter(4, [low, high], "bandpass", fs=RATE, output="sos")
    return np.asarray(signal.sosfilt(taps, sound), np.float32)


def _telephoned(sound: Sound, rng: np.random.Generator) -> Sound:
    sound = _band(sound, float(rng.uniform(150, 350)), float(rng.uniform(3000, 3700)))
    if rng.random() < 0.6:
        peak = np.abs(sound).max() + 1e-6
        squeezed = np.sign(sound) * np.log1p(255 * np.abs(sound) / peak) / np.log(256)
        squeezed = np.round(squeezed * 127) / 127
        sound = np.sign(squeezed) * peak * (256 ** np.abs(squeezed) - 1) / 255
    return sound.astype(np.float32)
