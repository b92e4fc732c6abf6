"""Sound as voice servers send it, and what is needed to listen to them."""

from __future__ import annotations

import asyncio
import io
import wave
from typing import cast

import av
import numpy as np

from anchor.channel import closing
from anchor.clock import LoopClock
from anchor.events import Sentence
from anchor.media import SAMPLE_RATE, Samples
from anchor.ports import Voice
from tests import back_end
from tests.back_end import Answer

RATE = 24_000
TEXT = "Good evening, and welcome to the news."
KEY = "sk-very-secret-0123456789"


def tone(seconds: float, rate: int = RATE, hertz: float = 220.0) -> Samples:
    """Something to hear, float32 at -14 dB."""
    return np.asarray(0.2 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate), np.float32)


def pcm(sound: Samples) -> bytes:
    return (sound * 32767).astype("<i2").tobytes()


def wav(sound: Samples, rate: int = RATE) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(pcm(sound))
    return file.getvalue()


def encoded(sound: Samples, container: str, codec: str, rate: int = RATE) -> bytes:
    """A file as FFmpeg writes it."""
    file = io.BytesIO()
    with av.open(file, "w", container) as out:
        stream = cast("av.AudioStream", out.add_stream(codec, rate=rate, layout="mono"))
        frame = av.AudioFrame.from_ndarray((sound * 32767).astype(np.int16)[np.newaxis], "s16", "mono")
        frame.sample_rate = rate
        resampler = av.AudioResampler(stream.format, "mono", rate, frame_size=stream.frame_size or 1024)
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            out.mux(stream.encode(piece))
        out.mux(stream.encode(None))
    return file.getvalue()


def says(body: bytes | str, kind: str = "audio/pcm", status: str = "200 OK") -> Answer:
    return back_end.says(body, kind, status)


def streams(*pieces: bytes, kind: str = "audio/pcm", every: float = 0.0, end: bool = True) -> Answer:
    """Pieces in packets of their own, each `every` seconds after the one before."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        clock = LoopClock()
        writer.write(back_end.head(kind))
        due = clock.now()
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            due += every
            await clock.sleep_until(due)
        if not end:
            await asyncio.Event().wait()

    return answer


async def heard(voice: Voice, text: str = TEXT, language: str = "en") -> Samples:
    """All the sound of a sentence."""
    async with closing(voice.speak(Sentence(text, language))) as chunks:
        found = [chunk.audio async for chunk in chunks]
    return np.concatenate(found) if found else np.zeros(0, np.float32)


def pitch(sound: Samples) -> float:
    """Hertz of the strongest partial."""
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)).astype(np.float32)))
    return float(np.argmax(spectrum) * SAMPLE_RATE / len(sound))
