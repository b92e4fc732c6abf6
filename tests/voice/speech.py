"""Helpers to listen to a voice."""

from __future__ import annotations

import numpy as np

from anchor.events import Phone, Sentence, Word
from anchor.media import Samples
from anchor.ports import SpeechChunk, Voice


async def chunks_of(voice: Voice, text: str, language: str) -> list[SpeechChunk]:
    return [chunk async for chunk in voice.speak(Sentence(text, language))]


async def hear(voice: Voice, text: str, language: str) -> tuple[Samples, list[Word], list[Phone]]:
    """All sound, words and phones of a sentence."""
    chunks = await chunks_of(voice, text, language)
    audio = np.concatenate([chunk.audio for chunk in chunks]) if chunks else np.zeros(0, np.float32)
    return audio, [word for chunk in chunks for word in chunk.words], [p for chunk in chunks for p in chunk.phones]


def level(audio: Samples) -> float:
    """Root mean square in dB of full scale."""
    return float(20 * np.log10(np.sqrt(np.mean(np.square(audio, dtype=np.float64))) + 1e-9))
