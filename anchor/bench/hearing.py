"""How well visitors are heard: when speech is noticed, what noise passes for it, its cost, and what is understood."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import numpy as np
import soxr

from anchor.bench.measure import Figure, Tell, percentile
from anchor.errors import FormatError
from anchor.events import Sentence
from anchor.hearing.activity import Activity, Began, Moment
from anchor.hearing.audio_file import read_audio
from anchor.hearing.english import said
from anchor.hearing.silero import SileroVad
from anchor.hearing.sphinx import SphinxRecognizer
from anchor.interactive.listening import Listening, Timeline
from anchor.media import SAMPLE_RATE, Samples
from anchor.talk import HEARING_RATE, Hearing, Transcript
from anchor.voice.espeak import EspeakVoice

QUESTIONS = (
    "How do I open a savings account?", "What documents do I need to open an account?", "What are your opening hours?",
    "Are you open on Saturday?", "Where is the nearest ATM?", "How much does a transfer abroad cost?",
    "How long does an international transfer take?", "What is the interest rate for a fixed deposit?",
    "How can I apply for a credit card?", "I have lost my card. What should I do?", "How do I change my PIN?",
    "What is the exchange rate for US dollars?", "How do I activate mobile banking?", "I forgot my password.",
    "What fees do you charge for an account?", "How do I close my account?", "Where are the restrooms?",
    "Can I make an appointment with an adviser?", "How do I report a fraud?", "Check my balance",
)  # fmt: skip
ALWAYS = ("yes please", "no thank you", "a person please", "five five five one two three four", "tomorrow morning",
          "two hundred dollars")  # fmt: skip
UNEXPECTED = (
    "What is the weather like in Paris today?", "My grandmother plays the violin beautifully.",
    "The quick brown fox jumps over the lazy dog.", "Did you watch the football match last night?",
    "Please remember to feed the cat and water the plants.", "Scientists discovered a new species of frog.",
    "Where did you park the car, honey?", "This soup needs a little more salt.", "Turn left at the next traffic light.",
    "Which bus goes to the airport?",
)  # fmt: skip

ROOM = -60.0
"""Noise under what is spoken, in dB of full scale."""

CHUNK = 960


async def measure(tell: Tell, *, speech: Path | None = None) -> list[Figure]:
    """Figures of the embedded recogniser and ears. `speech`: a folder of recordings of anything but questions."""
    tell("speaking the questions")
    voice = EspeakVoice(workers=1)
    try:
        asked = [await _spoken(voice, text) for text in (*QUESTIONS, *ALWAYS)]
        other = [await _spoken(voice, text) for text in UNEXPECTED]
    finally:
        await voice.close()
    tell("when speech is noticed")
    delays = [delay for sound in (*asked, *other) if (delay := onset_delay(sound)) is not None]
    figures = [
        Figure("onset_p50_ms_max", 1000 * percentile(delays, 50), "ms", 100),
        Figure("onset_p95_ms_max", 1000 * percentile(delays, 95), "ms", 180),
        Figure("false_starts_per_minute_max", false_starts(noises()), "of generated noise", 1),
        Figure("listening_cpu_ms_per_second_max", listening_cost(asked), "ms of one core", 15),
    ]
    tell("what is understood")
    recognizer = SphinxRecognizer(workers=1)
    recognizer.expect({"en": QUESTIONS})
    try:
        await recognizer.warm(["en"])
        figures += await _understood(recognizer, asked, other)
        if speech is not None:
            tell(f"recordings in {speech}")
            figures += await _recorded(recognizer, speech)
    finally:
        await recognizer.close()
    return figures


async def _spoken(voice: EspeakVoice, text: str) -> Samples:
    """A sentence in a quiet room, at 48 kHz, with 0.5 s before and after it."""
    sound = np.concatenate([chunk.audio async for chunk in voice.speak(Sentence(text, "en"))])
    return _in_room(np.pad(sound, SAMPLE_RATE // 2))


def _in_room(sound: Samples) -> Samples:
    rng = np.random.default_rng(len(sound))
    return (sound + rng.standard_normal(len(sound)) * 10 ** (ROOM / 20)).astype(np.float32)


def moments(sound: Samples) -> list[tuple[float, Moment]]:
    """What ears make of sound that comes in chunks of 20 ms: moments, with the second at which each was noticed."""
    line, listening, activity, found = Timeline(), Listening(SileroVad()), Activity(), []
    for place in range(0, len(sound), CHUNK):
        now = (place + CHUNK) / SAMPLE_RATE
        for window in listening.judge([line.place(sound[place : place + CHUNK], now, SAMPLE_RATE)]):
            found += [(now, one) for one in activity.feed(window.end_seconds, window.probability, window.level)]
    return found


def onset(sound: Samples) -> float | None:
    """Where the level first comes within 25 dB of the loud parts and stays; None where it does from the start."""
    frames = sound[: len(sound) // 480 * 480].reshape(-1, 480)
    power = 10 * np.log10(np.mean(np.square(frames, dtype=np.float64), axis=1) + 1e-12)
    loud = power > np.percentile(power, 97) - 25
    found = next((place for place in range(len(loud) - 6) if loud[place] and loud[place : place + 6].sum() >= 5), 0)
    return found / 100 if found > 2 else None


def onset_delay(sound: Samples) -> float | None:
    """Seconds from the onset of speech to when its begin is noticed."""
    begin = onset(sound)
    noticed = next((at for at, moment in moments(sound) if isinstance(moment, Began)), None)
    return None if begin is None or noticed is None else noticed - begin


def noises(seconds: int = 15) -> list[Samples]:
    """A fan, a hum, keys and steps, each soft and loud."""
    rng = np.random.default_rng(5)
    count = seconds * SAMPLE_RATE
    white = rng.standard_normal(count)
    fan = np.convolve(white, np.ones(200) / 200, "same") * 14
    turns = 2 * np.pi * np.arange(count) / SAMPLE_RATE
    hum = np.sin(50 * turns) + 0.3 * np.sin(150 * turns)
    clicks = np.zeros(count)
    for place in rng.integers(0, count - 4800, seconds * 4):
        clicks[place : place + 2400] += rng.standard_normal(2400) * np.exp(-np.arange(2400) / 300) * 5
    return [(10 ** (level / 20) * one).astype(np.float32) for one in (white, fan, hum, clicks) for level in (-45, -25)]


def false_starts(sounds: Sequence[Samples]) -> float:
    """Begins of speech a minute in sound without any."""
    begins = sum(isinstance(moment, Began) for sound in sounds for _, moment in moments(sound))
    return begins / (sum(map(len, sounds)) / SAMPLE_RATE / 60)


def listening_cost(sounds: Sequence[Samples]) -> float:
    """Milliseconds of processor time for resampling and judging a second of sound."""
    moments(sounds[0])
    begun = time.process_time()
    for sound in sounds:
        moments(sound)
    return 1000 * (time.process_time() - begun) / (sum(map(len, sounds)) / SAMPLE_RATE)


async def _understood(recognizer: SphinxRecognizer, asked: Sequence[Samples], other: Sequence[Samples]) -> list[Figure]:
    wrong = words = right = 0
    waits = []
    for text, sound in zip((*QUESTIONS, *ALWAYS), asked, strict=True):
        final, wait = await understand(recognizer, sound)
        wanted, got = said(text), said(final.text)
        wrong += distance(wanted, got)
        words += len(wanted)
        right += wanted == got
        waits.append(wait)
    accepted = [(await understand(recognizer, sound))[0].text != "" for sound in other]
    return [
        Figure("word_accuracy_in_domain_min", 100 * (1 - wrong / words), "%", 90),
        Figure("questions_word_for_word_min", 100 * right / len(asked), "%", 75),
        Figure("unexpected_taken_for_expected_max", 100 * float(np.mean(accepted)), "%", 10),
        Figure("final_after_speech_p50_ms_max", 1000 * percentile(waits, 50), "ms", 100),
        Figure("final_after_speech_p95_ms_max", 1000 * percentile(waits, 95), "ms", 200),
    ]


def _recordings(folder: Path) -> list[Hearing]:
    found = []
    for path in sorted(one for one in folder.rglob("*") if one.is_file()):
        with contextlib.suppress(FormatError):
            found.append(read_audio(path.read_bytes(), path.name))
    return found


async def _recorded(recognizer: SphinxRecognizer, folder: Path) -> list[Figure]:
    delays, accepted = [], []
    for heard in await asyncio.to_thread(_recordings, folder):
        sound = soxr.resample(heard[: 10 * HEARING_RATE], HEARING_RATE, SAMPLE_RATE)
        sound = _in_room(np.pad(sound, (SAMPLE_RATE, SAMPLE_RATE // 2)))
        begin, delay = onset(sound), onset_delay(sound)
        # A recording whose own noise is loud has its onset where it was cut, not where somebody speaks.
        if delay is not None and begin is not None and begin > 1.02:
            delays.append(delay)
        accepted.append((await understand(recognizer, sound))[0].text != "")
    if not delays:
        return []
    return [
        Figure("recordings", len(accepted), "files"),
        Figure("recorded_onset_p50_ms_max", 1000 * percentile(delays, 50), "ms", 100),
        Figure("recorded_onset_p95_ms_max", 1000 * percentile(delays, 95), "ms", 180),
        Figure("recordings_taken_for_expected_max", 100 * float(np.mean(accepted)), "%", 5),
    ]


async def understand(recognizer: SphinxRecognizer, sound: Samples) -> tuple[Transcript, float]:
    """The final, and the seconds from the end of the sound to it: the sound comes faster than it is spoken."""
    heard: Hearing = soxr.resample(sound, SAMPLE_RATE, HEARING_RATE)
    ended = 0.0

    async def chunks() -> AsyncIterator[Hearing]:
        nonlocal ended
        for place in range(0, len(heard), 512):
            yield heard[place : place + 512]
        ended = time.perf_counter()

    found = [transcript async for transcript in recognizer.listen(chunks(), "en")]
    return found[-1], time.perf_counter() - ended


def distance(wanted: Sequence[str], got: Sequence[str]) -> int:
    """Words to change, leave out or put in: Levenshtein's distance."""
    row = list(range(len(got) + 1))
    for place, word in enumerate(wanted, 1):
        before, row[0] = row[0], place
        for column, other in enumerate(got, 1):
            before, row[column] = row[column], min(row[column] + 1, row[column - 1] + 1, before + (word != other))
    return row[-1]
