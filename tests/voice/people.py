"""Recordings and packages for tests: the embedded voice stands for the person, and a voice of tones for a clone."""

from __future__ import annotations

import asyncio
import zipfile
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from anchor.events import Sentence
from anchor.media import SAMPLE_RATE, Samples
from anchor.pipeline.segmenter import segment
from anchor.ports import SpeechChunk, Voice, VoiceInfo
from anchor.testing import FakeVoice, collect
from anchor.voice.espeak import EspeakVoice
from anchor.voice.maker import Spoken, consent_of, make_voice, write_wav

READ = "The quick brown fox jumps over the lazy dog, and nobody in the garden was very much surprised by any of it."


class Clone(FakeVoice):
    """A back-end that speaks like recordings: as tones. It keeps what it was made with."""

    def __init__(
        self,
        *,
        reference: Sequence[Path] = (),
        reference_texts: Sequence[str] = (),
        consented: bool = False,
        moods: Mapping[str, str] | None = None,
        model: str = "",
        sizes: Sequence[Any] = (),
        url: str = "",
    ) -> None:
        super().__init__()
        self.made_with = {
            "reference": reference, "reference_texts": reference_texts, "consented": consented, "moods": moods,
            "model": model, "sizes": sizes, "url": url,
        }  # fmt: skip


class Whole:
    """Says everything at once, as a cache does."""

    def __init__(self, voice: Voice) -> None:
        self._voice = voice

    @property
    def info(self) -> VoiceInfo:
        return self._voice.info

    async def warm(self, languages: Sequence[str]) -> None:
        await self._voice.warm(languages)

    async def speak(self, sentence: Sentence) -> AsyncIterator[SpeechChunk]:
        yield await collect(self._voice, sentence.text, sentence.language)

    async def close(self) -> None:
        await self._voice.close()


def said(text: str, *, pauses: float = 0.2, language: str = "en") -> tuple[Samples, list[tuple[str, float, float]]]:
    """A text as the embedded voice reads it, sentence by sentence, and when each begins and ends, in seconds."""

    async def work() -> tuple[Samples, list[tuple[str, float, float]]]:
        voice = EspeakVoice(workers=1)
        pieces, times, position = list[Samples](), list[tuple[str, float, float]](), 0
        try:
            async for sentence in segment(_only(text), language, eager=False):
                speech = await collect(voice, sentence.text, language)
                pause = np.zeros(round((sentence.pause + pauses) * SAMPLE_RATE), np.float32)
                pieces += [speech.audio, pause]
                end = speech.words[-1].end
                times.append((sentence.text, position / SAMPLE_RATE, (position + end) / SAMPLE_RATE))
                position += len(speech.audio) + len(pause)
        finally:
            await voice.close()
        return np.concatenate(pieces), times

    return asyncio.run(work())


async def _only(text: str) -> AsyncIterator[str]:
    yield text


def recorded(path: Path, text: str = READ, *, gain: float = 1.0) -> Path:
    sound, _ = said(text)
    write_wav(path, sound * np.float32(gain))
    return path


def package(folder: Path, source: Path, *, engine: str = "espeak", until: str = "2100-01-01", **more: Any) -> Path:
    """A package named like its folder; with references where its engine takes them."""
    consent = consent_of("Maria", f"the voice {folder.name}, in tests", until)
    references = [Spoken(source, READ)] if engine == "clone" else []
    make_voice(folder, engine=engine, references=references, consent=consent, **more)
    return folder


def zipped(folder: Path, prefix: str = "") -> Path:
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for item in sorted(folder.rglob("*")):
            archive.write(item, prefix + str(item.relative_to(folder)))
    return path


def shift(sound: Samples, part: Samples) -> int:
    """The sample of `sound` at which `part` is most alike."""
    size = 1 << (sound.size + part.size).bit_length()
    match = np.fft.irfft(np.fft.rfft(sound, size) * np.conj(np.fft.rfft(part, size)), size)
    at = int(match.argmax())
    return at if at < sound.size else at - size


def likeness(sound: Samples, part: Samples) -> float:
    """From 0 to 1: how much of `part` is in `sound`, wherever it is best, and of whatever loudness."""
    at = shift(sound, part)
    found = np.pad(sound, (max(0, -at), part.size))[max(0, at) :][: part.size]
    return float(found @ part / np.sqrt((found @ found) * (part @ part)))
