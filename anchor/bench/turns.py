"""Turn taking: two hundred interruptions in virtual time, and sounds that must not interrupt."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import numpy as np

from anchor import registry
from anchor.bench import echo
from anchor.bench.measure import Figure, Tell
from anchor.bench.talking import QUESTIONS
from anchor.bench.virtual import Hall, after, hall
from anchor.clock import run_virtual
from anchor.config import VoiceConfig
from anchor.events import Sentence
from anchor.hearing.silero import SileroVad
from anchor.interactive.ears import Ears
from anchor.interactive.facts import Fact, Heard, ReplyBegan, SpeechStarted, SpeechStopped, Tick
from anchor.interactive.turns import Action, Cancel, CloseTurn, NotUnderstood, TurnRules, Turns
from anchor.media import SAMPLE_RATE, Samples
from anchor.parts import open_voice
from anchor.talk import HEARING_RATE, Recognizer
from anchor.testing import FakeDialogue

INTERRUPTIONS = 200
COUGHS = 12
EXCERPT_SECONDS = 2.0
EXCERPTS = 12

LONG = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"

HUMS = ("V'hV", "m'hm", "m:", "h@m", "o@", "jE@", "o@ aI s'i:", "raIt", "oUk'eI", "A:", "jVp", "@m")
"""What listeners say, as espeak's mnemonics: uh-huh, mm-hm, mm, hm, oh, yeah, oh I see, right, okay, ah, yup, um."""


async def measure(tell: Tell, *, speech: Path | None = None) -> list[Figure]:
    """`speech` is a folder of recorded room noise."""
    tell(f"{INTERRUPTIONS} interruptions in virtual time")
    exact, stale = await asyncio.to_thread(run_virtual, _interruptions())
    tell("the anchor's own voice in the microphone")
    own, onset = await asyncio.to_thread(run_virtual, _echo())
    tell("coughs, back-channels and noise")
    sounds = [*[_cough(seed) for seed in range(COUGHS)], *await _hums()]
    noises = [_room(seed) for seed in range(EXCERPTS)]
    recorded = await asyncio.to_thread(_excerpts, speech) if speech is not None else []
    kept = await asyncio.to_thread(run_virtual, _undisturbed([*sounds, *noises, *recorded]))
    count = len(sounds)
    return [
        Figure("hushes_by_own_echo_max", own, "hushes", 0),
        Figure("onset_over_echo_p50_ms_max", onset, "ms", 200),
        Figure("history_cut_to_the_heard_word_min", exact / INTERRUPTIONS, "share", 1.0),
        Figure("stale_words_after_a_cut_max", stale, "words", 0),
        Figure("resumed_after_coughs_and_back_channels_min", sum(kept[:count]) / count, "share", 0.95),
        Figure("resumed_in_noise_min", sum(kept[count:]) / len(kept[count:]), "share", 0.95),
    ]


async def _echo() -> tuple[int, float]:
    """Hushes by the anchor's own voice, and milliseconds until a visitor is noticed over it."""
    voice = open_voice(VoiceConfig())
    try:
        return await echo.own_echo(voice), await echo.onset_over_echo(voice, QUESTIONS)
    finally:
        await voice.close()


async def _interruptions() -> tuple[int, int]:
    """How many of the interruptions left exactly the heard words in the history, and words that came after a cut."""
    chance = random.Random(4)
    exact = stale = 0
    async with hall(FakeDialogue({"go on": LONG})) as there:
        for _ in range(INTERRUPTIONS):
            right, late = await _interruption(there, chance)
            exact, stale = exact + right, stale + late
    return exact, stale


async def _interruption(there: Hall, chance: random.Random) -> tuple[bool, int]:
    take, before = there.conversation.take, len(there.sink.beats)
    there.conversation.type("go on")
    await there.mode("speaking")
    await after(chance.uniform(0.05, 2.5))
    begun = there.now
    await after(chance.uniform(0.06, 0.12))
    take(SpeechStarted(begun))
    await after(chance.uniform(0.1, 0.45))
    take(Heard("what about", False, "en"))
    await after(1.2)
    last = there.conversation.history.messages()[-1]
    words = [word.text for beat in there.sink.beats[before:] for word in beat.words]
    right = (last.text if last.role == "assistant" else "") == "".join(words).strip()
    take(SpeechStopped(there.now))
    take(Heard("stop", True, "en"))
    await after(1.0)
    later = [word.text for beat in there.sink.beats[before:] for word in beat.words]
    return right, len(later) - len(words)


async def _undisturbed(sounds: Sequence[Samples]) -> list[bool]:
    """Whether the anchor spoke on, for each sound into its words."""
    recognizer: Recognizer = registry.load("anchor.recognizer", "pocketsphinx")()
    recognizer.expect({"en": QUESTIONS})
    await recognizer.warm(["en"])
    try:
        return [await _spoke_on(recognizer, sound) for sound in sounds]
    finally:
        await recognizer.close()


async def _spoke_on(recognizer: Recognizer, sound: Samples) -> bool:
    loop = asyncio.get_running_loop()
    turns = Turns(TurnRules(invite_after=1e6, absence=2e6), "en", now=loop.time())
    actions: list[Action] = []

    def take(fact: Fact) -> None:
        actions.extend(turns.take(fact, loop.time()))

    ears = Ears(recognizer, SileroVad, "en", take)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(ears.run())
        take(ReplyBegan())
        async for piece in _heard_in_a_room(sound):
            ears.hear(piece, loop.time())
            take(Tick())
        await after(1.0)
        running.cancel()
    return not any(isinstance(action, Cancel | CloseTurn | NotUnderstood) for action in actions)


async def _heard_in_a_room(sound: Samples) -> AsyncIterator[Samples]:
    frame = SAMPLE_RATE // 50
    silence = np.zeros(SAMPLE_RATE // 2, np.float32)
    whole = np.concatenate([silence, sound, np.tile(silence, 3)])
    whole += np.random.default_rng(1).standard_normal(len(whole)).astype(np.float32) * 0.0005
    for start in range(0, len(whole) - frame, frame):
        await after(frame / SAMPLE_RATE)
        yield whole[start : start + frame]


def _cough(seed: int) -> Samples:
    """A burst of noise that dies away, a quarter of them double."""
    chance = np.random.default_rng(seed)
    bursts = []
    for _ in range(2 if seed % 4 == 0 else 1):
        count = round(SAMPLE_RATE * chance.uniform(0.15, 0.4))
        burst = chance.standard_normal(count) * np.exp(-np.linspace(0, 5, count))
        burst = np.convolve(burst, np.ones(12) / 12, "same")
        bursts += [burst / np.abs(burst).max() * 0.5, np.zeros(SAMPLE_RATE // 10)]
    cough: Samples = np.concatenate(bursts).astype(np.float32)
    return cough


def _room(seed: int) -> Samples:
    """Two seconds of air conditioning and crockery: low noise, and a click or a clink now and then."""
    chance = np.random.default_rng(100 + seed)
    count = round(EXCERPT_SECONDS * SAMPLE_RATE)
    brown = np.cumsum(chance.standard_normal(count))
    brown -= np.convolve(brown, np.ones(4000) / 4000, "same")
    sound = brown / np.abs(brown).max() * chance.uniform(0.02, 0.08)
    for _ in range(int(chance.integers(1, 4))):
        at = int(chance.integers(0, count - 9600))
        ring = np.arange(9600) / SAMPLE_RATE
        sound[at : at + 9600] += 0.2 * np.exp(-ring * 40) * np.sin(2 * np.pi * chance.uniform(1800, 5200) * ring)
    room: Samples = sound.astype(np.float32)
    return room


async def _hums() -> list[Samples]:
    voice = open_voice(VoiceConfig())
    try:
        spoken = []
        for hum in HUMS:
            chunks = [chunk.audio async for chunk in voice.speak(Sentence(f"[[{hum}]]", "en"))]
            sound = np.concatenate(chunks)
            loud = np.flatnonzero(np.abs(sound) > 0.01)
            spoken.append(sound[loud[0] : loud[-1] + 1])
        return spoken
    finally:
        await voice.close()


def _excerpts(folder: Path) -> list[Samples]:
    """Two seconds each from the recordings of a folder, at a usual loudness."""
    import soxr

    from anchor.hearing.audio_file import read_audio

    found = []
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in (".wav", ".mp3", ".flac", ".ogg"):
            continue
        sound = soxr.resample(read_audio(path.read_bytes(), str(path)), HEARING_RATE, SAMPLE_RATE)
        sound = sound * (0.3 / max(1e-6, float(np.abs(sound).max())))
        count = round(EXCERPT_SECONDS * SAMPLE_RATE)
        found += [sound[start : start + count] for start in range(0, max(1, len(sound) - count), count)][:EXCERPTS]
    return found
