"""Speech to drive faces with: made by hand, or real recordings with phone labels."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from anchor.bench.lips import opening
from anchor.events import Phone
from anchor.media import SAMPLE_RATE, Blendshapes, Floats, Samples
from anchor.ports import SpeechChunk
from drivers.phones import PhoneDriver
from drivers.visemes import MATRIX, VISEMES, visemes_of

ARPABET = {
    "AA": "ɑ", "AE": "æ", "AH": "ʌ", "AO": "ɔ", "AW": "aʊ", "AX": "ə", "AXR": "ɚ", "AY": "aɪ", "B": "b", "CH": "tʃ",
    "D": "d", "DH": "ð", "DX": "ɾ", "EH": "ɛ", "ER": "ɝ", "EY": "eɪ", "F": "f", "G": "ɡ", "HH": "h", "IH": "ɪ",
    "IY": "i", "JH": "dʒ", "K": "k", "L": "l", "M": "m", "N": "n", "NG": "ŋ", "OW": "oʊ", "OY": "ɔɪ", "P": "p",
    "R": "ɹ", "S": "s", "SH": "ʃ", "T": "t", "TH": "θ", "UH": "ʊ", "UW": "u", "V": "v", "W": "w", "Y": "j", "Z": "z",
    "ZH": "ʒ",
}  # fmt: skip
PINYIN = {
    "b": "p", "p": "pʰ", "m": "m", "f": "f", "d": "t", "t": "tʰ", "n": "n", "l": "l", "g": "k", "k": "kʰ", "h": "x",
    "j": "tɕ", "q": "tɕʰ", "x": "ɕ", "zh": "tʂ", "ch": "tʂʰ", "sh": "ʂ", "r": "ɻ", "z": "ts", "c": "tsʰ", "s": "s",
    "ing": "iŋ", "uang": "uɑŋ", "ou": "ou", "iii": "ɨ", "ii": "ɨ", "ao": "ɑu", "eng": "əŋ", "ui": "uei", "e": "ɤ",
    "ian": "iɛn",
}  # fmt: skip


@dataclass(frozen=True)
class Recording:
    name: str
    speech: SpeechChunk


def make_speech(
    sounds: Sequence[tuple[str, float] | tuple[str, float, int]], *, lead: float = 0.4, tail: float = 0.5
) -> SpeechChunk:
    """Noise for every (symbol, seconds[, stress]) in turn, silence for the symbol ``_``."""
    noise = np.random.default_rng(1)
    phones: list[Phone] = []
    at = lead
    for symbol, seconds, *stress in sounds:
        if symbol != "_":
            start, end = round(at * SAMPLE_RATE), round((at + seconds) * SAMPLE_RATE)
            phones.append(Phone(symbol, start, end, *stress))
        at += seconds
    audio = np.zeros(round((at + tail) * SAMPLE_RATE), np.float32)
    for phone in phones:
        audio[phone.start : phone.end] = noise.normal(0, 0.1, phone.end - phone.start)
    return SpeechChunk(audio, phones=tuple(phones))


def cut(speech: SpeechChunk, edges: Sequence[int]) -> list[SpeechChunk]:
    """Cut speech into chunks at the samples `edges`; each phone comes in the chunk where it starts."""
    bounds = [0, *sorted(edges), len(speech.audio)]
    chunks = []
    for index, (low, high) in enumerate(itertools.pairwise(bounds)):
        last = index == len(bounds) - 2
        phones = tuple(phone for phone in speech.phones if low <= phone.start and (phone.start < high or last))
        chunks.append(SpeechChunk(speech.audio[low:high], phones=phones))
    return chunks


async def _in_order(chunks: Sequence[SpeechChunk]) -> AsyncIterator[SpeechChunk]:
    for chunk in chunks:
        yield chunk


def drive(*chunks: SpeechChunk, fps: int = 25) -> list[Blendshapes]:
    async def collect() -> list[Blendshapes]:
        return [face async for face in PhoneDriver().drive(_in_order(chunks), fps)]

    return asyncio.run(collect())


def track(faces: Sequence[Blendshapes], name: str) -> Floats:
    return np.array([face[name] for face in faces], np.float32)


def aperture(faces: Sequence[Blendshapes]) -> Floats:
    return opening(np.array([face.weights for face in faces]))


def opening_asked(speech: SpeechChunk, rate: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The opening of every phone's own viseme, without its neighbours, `rate` times a second; and where speech is."""
    openings = dict(zip(VISEMES, opening(MATRIX).tolist(), strict=True))
    size = len(speech.audio) * rate // SAMPLE_RATE
    asked, spoken = np.zeros(size), np.zeros(size, bool)
    for phone in speech.phones:
        parts = visemes_of(phone.symbol)
        edges = np.cumsum([0.0, *(share for _, share in parts)]) * (phone.end - phone.start) + phone.start
        places = np.round(edges / SAMPLE_RATE * rate).astype(int)
        for (viseme, _), (low, high) in zip(parts, itertools.pairwise(places), strict=True):
            asked[low:high] = openings[viseme]
            spoken[low:high] = True
    window = np.hanning(9)
    return np.convolve(asked, window / window.sum(), "same"), spoken


def lag(shown: NDArray[np.float64], asked: NDArray[np.float64], reach: int) -> int:
    """Steps by which `shown` comes after `asked`, where both fit best."""
    shown, asked = shown - shown.mean(), asked - asked.mean()
    inner = asked[reach : asked.size - reach]
    fits = [shown[reach + late : asked.size - reach + late] @ inner for late in range(-reach, reach + 1)]
    return int(np.argmax(fits)) - reach


def read_sound(path: Path) -> Samples:
    resampler = av.AudioResampler("flt", "mono", SAMPLE_RATE)
    with av.open(str(path)) as file:
        parts = [out.to_ndarray()[0] for frame in file.decode(audio=0) for out in resampler.resample(frame)]
        parts += [out.to_ndarray()[0] for out in resampler.resample(None)]
    return np.concatenate(parts).astype(np.float32)


Label = tuple[str, float, float]


def _phones(labels: Sequence[Label]) -> tuple[Phone, ...]:
    phones = []
    for symbol, start, end in labels:
        base = re.sub(r"[0-9]|\(.*", "", symbol)
        if (ipa := ARPABET.get(base.upper()) or PINYIN.get(base)) is not None:
            stress = 2 if symbol.endswith("1") else 0
            phones.append(Phone(ipa, round(start * SAMPLE_RATE), round(end * SAMPLE_RATE), stress))
    return tuple(phones)


def _read_arctic(path: Path) -> list[Label]:
    rows = [line.split() for line in path.read_text().splitlines()]
    return [(re.search(r"-(\w+)\+", row[2]).group(1), int(row[0]) / 1e7, int(row[1]) / 1e7) for row in rows]  # type: ignore[union-attr]


def _read_long_text_grid(path: Path, tier: str) -> list[Label]:
    text = path.read_text()
    start = re.search(rf'name = "{tier}"', text, re.IGNORECASE)
    assert start is not None, f"{path} has no tier {tier}"
    body = text[start.end() :].split("item [")[0]
    found = re.findall(r'xmin = ([\d.]+)\s*\n\s*xmax = ([\d.]+)\s*\n\s*text = "([^"]*)"', body)
    return [(label, float(low), float(high)) for low, high, label in found]


def _read_short_text_grid(path: Path) -> list[Label]:
    lines = [line.strip() for line in path.read_text().splitlines()]
    first = lines.index('"phones"') + 4
    rows = lines[first : first + 3 * int(lines[first - 1])]
    return [(rows[at + 2].strip('"'), float(rows[at]), float(rows[at + 1])) for at in range(0, len(rows), 3)]


def _read_pocketsphinx(path: Path) -> list[Label]:
    words = json.loads(path.read_text())["w"]
    return [(phone["t"], phone["b"], phone["b"] + phone["d"]) for word in words for phone in word.get("w", [])]


def recordings(data: Path) -> Iterator[Recording]:
    """Every recording with phone labels: hand-made ones first, then those made by aligners."""
    aligned = data / "aligned"
    sources: list[tuple[Path, list[Label]]] = [
        (aligned / "arctic/arctic_a0009.wav", _read_arctic(aligned / "arctic/arctic_a0009_phone.lab")),
        (aligned / "praatio/bobby.wav", _read_long_text_grid(aligned / "praatio/bobby_phones.TextGrid", "phone")),
        (aligned / "zh_charsiu/SSB00050015.wav", _read_short_text_grid(aligned / "zh_charsiu/SSB00050015.TextGrid")),
    ]
    for number in ("0870", "0880"):
        sound = aligned / f"librivox/austen-{number}.wav"
        sources.append((sound, _read_pocketsphinx(sound.with_suffix(".phone.json"))))
    for name, entry in json.loads((aligned / "auto_phones.json").read_text()).items():
        path = data / "speech" / name.split("shared/")[1] if "shared/" in name else aligned / name
        if path.exists():
            sources.append((path, [tuple(row) for row in entry["phones"]]))
    for path, labels in sources:
        yield Recording(path.stem, SpeechChunk(read_sound(path), phones=_phones(labels)))
