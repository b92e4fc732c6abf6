"""Microphones as they should not be, over real WebRTC: the conversation goes on afterwards."""

from __future__ import annotations

import asyncio
import io
import os
import time
from collections.abc import Mapping
from pathlib import Path

import av
import httpx
import numpy as np
import pytest

from anchor.bench.measure import resident_mib
from anchor.bench.talking import greeted, kiosk, sound_of
from anchor.bench.virtual import after
from anchor.bench.visitor import Visitor
from anchor.config import HandOverConfig
from anchor.dialogue.phrases import UNKNOWN
from anchor.interactive.spoken import spoken
from anchor.media import SAMPLE_RATE, Samples
from tests.end_to_end.test_failing import answer
from tests.end_to_end.test_talking import wav

pytestmark = [pytest.mark.alone, pytest.mark.timeout(300 if os.environ.get("ANCHOR_LONG") else 120)]

QUESTION = "what are your opening hours"
MONOLOGUE_SECONDS = 180 if os.environ.get("ANCHOR_LONG") else 35


def band(sound: Samples, low: float, high: float) -> Samples:
    """Sound without what lies outside a band in Hz, as a telephone has it."""
    spectrum = np.fft.rfft(sound)
    hertz = np.fft.rfftfreq(len(sound), 1 / SAMPLE_RATE)
    spectrum[(hertz < low) | (hertz > high)] = 0
    return np.fft.irfft(spectrum, len(sound)).astype(np.float32)


def faulty(question: Samples) -> Mapping[str, Samples]:
    chance = np.random.default_rng(5)
    seconds = 3 * SAMPLE_RATE
    return {
        "silence": np.zeros(seconds, np.float32),
        "white noise": chance.normal(0, 0.2, seconds).astype(np.float32),
        "full scale": np.sign(chance.normal(0, 1, seconds)).astype(np.float32),
        "no numbers": np.full(seconds, np.nan, np.float32),
        "a hum": (0.4 * np.sin(2 * np.pi * 100 * np.arange(seconds) / SAMPLE_RATE)).astype(np.float32),
    }


def understandable(question: Samples) -> Mapping[str, Samples]:
    offset = np.full(len(question) + SAMPLE_RATE, 0.3, np.float32)
    offset[SAMPLE_RATE // 2 : SAMPLE_RATE // 2 + len(question)] += question
    return {"telephone": band(question, 300, 3400), "offset": offset, "loud": np.clip(8 * question, -1, 1)}


def flac(seconds: int) -> bytes:
    """Silence that hardly takes a byte."""
    file = io.BytesIO()
    with av.open(file, "w", format="flac") as container:
        stream = container.add_stream("flac", rate=8_000, layout="mono")
        for _ in range(seconds):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 8_000), np.int16), "s16", "mono")
            frame.sample_rate = 8_000
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()


async def ask(visitor: Visitor, sound: Samples) -> str:
    since = len(visitor.events)
    _, ended = visitor.microphone.say(sound)
    _, said = await answer(visitor, since, ended)
    return said


def test_noise_is_no_question_and_a_bad_microphone_is_understood(tmp_path: Path) -> None:
    async def one(address: str, sounds: Mapping[str, Samples], question: Samples, *, clear: bool) -> None:
        async with greeted(address) as visitor:
            for name, sound in sounds.items():
                since = len(visitor.events)
                if clear:
                    # Understood, or honestly not: the embedded voice through a telephone is hard to make out.
                    said = await ask(visitor, sound)
                    assert "nine to five" in said or said in (spoken("not_understood", "en"), UNKNOWN["en"]), name
                else:
                    visitor.microphone.say(np.nan_to_num(sound))
                    await after(len(sound) / SAMPLE_RATE + 1.5)
                    assert visitor.said_by("visitor", since=since) == [], name
                    if visitor.said_by("anchor", since=since):
                        await visitor.mode("listening", since=since)
            assert "nine to five" in await ask(visitor, question)

    async def main() -> None:
        question = await sound_of(QUESTION)
        async with kiosk(tmp_path, hand_over=HandOverConfig(failures=10)) as (_, address), asyncio.TaskGroup() as tasks:
            tasks.create_task(one(address, faulty(question), question, clear=False))
            tasks.create_task(one(address, understandable(question), question, clear=True))

    asyncio.run(main())


def test_who_talks_without_end_is_cut_into_pieces_and_costs_neither_memory_nor_the_others_their_answers(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        question = await sound_of(QUESTION)
        gap = np.zeros(SAMPLE_RATE // 10, np.float32)
        pieces = [await sound_of(text) for text in ("tell me about your transfer fees and", "where can I park and")]
        endless = np.concatenate([part for piece in pieces for part in (piece, gap)])
        endless = np.resize(endless, MONOLOGUE_SECONDS * SAMPLE_RATE)
        async with (
            kiosk(tmp_path, hand_over=HandOverConfig(failures=10)) as (studio, address),
            greeted(address) as talker,
            greeted(address) as other,
        ):
            before, cpu, begun = resident_mib(), time.process_time(), time.perf_counter()
            since = len(talker.events)
            _, ended = talker.microphone.say(endless)
            for _ in range(3):
                assert "nine to five" in await ask(other, question)
            await after(max(0.0, ended - asyncio.get_running_loop().time()) + 3)
            assert resident_mib() - before < 60
            assert (time.process_time() - cpu) / (time.perf_counter() - begun) < 1.5
            assert talker.events[since:]
            if talker.events[-1][1].get("mode") != "listening":
                await talker.mode("listening", since=len(talker.events))
            assert "nine to five" in await ask(talker, question)
            assert talker.session in studio.hall("hall").sessions

    asyncio.run(main())


def test_a_long_recording_is_taken_or_refused_and_others_are_answered_meanwhile(tmp_path: Path) -> None:
    async def main() -> None:
        question = await sound_of(QUESTION)
        minutes = np.resize(np.concatenate([question, np.zeros(SAMPLE_RATE // 4, np.float32)]), 60 * SAMPLE_RATE)
        endless = flac(31 * 60)
        async with kiosk(tmp_path) as (_, address), greeted(address) as sender, greeted(address) as other:
            place = f"{address}/api/v1/sessions/{sender.session}/audio"
            headers = {"Authorization": f"Session {sender.key}", "Content-Type": "audio/wav"}
            async with httpx.AsyncClient(timeout=60) as client, asyncio.TaskGroup() as tasks:
                sent = tasks.create_task(client.post(place, content=wav(minutes[::3], rate=16_000), headers=headers))
                assert "nine to five" in await ask(other, question)
                assert (await sent).status_code in (200, 422), (await sent).text
                refused = await client.post(place, content=endless, headers=headers)
                assert refused.status_code == 422
                assert "30 minutes" in refused.text
            sender.tell(type="text", text="stop")
            await after(0.5)
            assert "nine to five" in await ask(sender, question)

    asyncio.run(main())
