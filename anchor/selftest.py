"""The self-test of drivers made of files: what it does to the lips of the very avatar is measured on pixels.

The embedded voice says "apa"; the lips must be shut in every p, open in every a, and neither early nor late. Whoever
brings a network hears the measured reason when it is refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from anchor import registry
from anchor.errors import ModelError
from anchor.events import Phone, Sentence
from anchor.media import SAMPLE_RATE, DrawnFace, Floats, PatchedFace, VideoFormat
from anchor.ports import Avatar, Driver, Paintable, Painter, PatchDriver, SpeechChunk

TEXT, LANGUAGE = "Apa, papa, apapa.", "es"
"""Spanish is read as it is written: open a and shut p, nothing between."""
VIDEO = VideoFormat(640, 720, 25)
_PAUSE = 0.4

LEAST_RANGE = 0.06
"""How much farther apart, in eye distances, lips must be in a than in p: speech opens them by .1 to .4."""
MOST_GAP = 0.07
"""How far apart, in eye distances, lips may be in p: a mouth that is shut is seen at .00 to .03."""
MOST_SHUT = 0.35
"""The part of the way from shut to open under which lips count as closed in p."""
LEAST_OPEN = 0.5
"""The part of that way they must reach in every a."""
MOST_LAG = 2
"""Beats by which lips may be early or late."""
_LOOK = 8
"""Beats of lag that are looked at."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was measured. `problem` is empty for a driver that may be used."""

    shut: float
    """Opening of the lips in p: the median of the smallest ones, in eye distances."""
    open: float
    """Opening of the lips in a: the median of the widest ones."""
    closed: int
    closures: int
    lag_seconds: float
    problem: str = ""

    def __str__(self) -> str:
        return (
            f"lips {self.shut:.3f} apart in p and {self.open:.3f} in a (eye distances), shut in {self.closed} of "
            f"{self.closures} p, {1000 * self.lag_seconds:+.0f} ms"
        )


async def fit(driver: Driver, avatar: Avatar) -> Painter | None:
    """Make a driver ready for an avatar that it fits: the painter, if it paints, and the self-test, if it must pass it.

    Raises `ModelError` for one that does not pass, with the file and what was measured.
    """
    painter = await painter_for(driver, avatar)
    if driver.info.source is not None:
        verdict = await check_lips(driver, avatar, painter)
        if verdict.problem:
            raise ModelError(
                f"{driver.info.source}: refused by the self-test on avatar {avatar.info.name!r}: {verdict.problem}"
            )
    return painter


async def painter_for(driver: Driver, avatar: Avatar) -> Painter | None:
    """What paints for one stream, where the driver does, without the self-test: for a pair that has passed it."""
    if driver.info.produces != "patch":
        return None
    return await asyncio.to_thread(cast(PatchDriver, driver).painter, cast(Paintable, avatar))


async def say() -> SpeechChunk:
    """The sentence between two pauses, from the embedded voice."""
    voice = registry.load("anchor.voice", "espeak")()
    try:
        chunks = [chunk async for chunk in voice.speak(Sentence(TEXT, LANGUAGE))]
    finally:
        await voice.close()
    pause = round(_PAUSE * SAMPLE_RATE)
    still = np.zeros(pause, np.float32)
    return SpeechChunk(
        np.concatenate([still, *(chunk.audio for chunk in chunks), still]),
        phones=tuple(phone.shifted(pause) for chunk in chunks for phone in chunk.phones),
    )


async def drawn(driver: Driver, painter: Painter | None, speech: SpeechChunk, fps: int) -> list[DrawnFace]:
    """What an avatar is given to draw, as if it were shown from the first picture of its footage on."""

    async def once() -> AsyncIterator[SpeechChunk]:
        yield speech

    faces: list[DrawnFace] = []
    async for face in driver.drive(once(), fps):
        if painter is None or face.cue is None:
            faces.append(face)
        else:
            mouth = await painter.paint(face.cue, len(faces), deadline=float("inf"))
            faces.append(PatchedFace(face, mouth))
    return faces


async def check_lips(driver: Driver, avatar: Avatar, painter: Painter | None) -> Verdict:
    """Run the self-test. Raises `ModelError` for a network that fails, `MissingError` where lips cannot be measured."""
    speech = await say()
    return await seen_on(avatar, await drawn(driver, painter, speech, VIDEO.fps), speech, VIDEO.fps)


async def seen_on(avatar: Avatar, faces: Sequence[DrawnFace], speech: SpeechChunk, fps: int) -> Verdict:
    """Draw the faces and judge the lips that are seen. Raises what `check_lips` raises."""
    gaps = await asyncio.to_thread(_gaps, avatar, faces)
    return judge(gaps, speech.phones, fps)


def _gaps(avatar: Avatar, faces: Sequence[DrawnFace]) -> Floats:
    """Opening of the lips in every picture, as landmarks find it again; where no face is found, as before."""
    found = [seen.lips if seen else np.nan for seen in registry.load("anchor.part", "probe").look(avatar, faces, VIDEO)]
    gaps = np.array(found, np.float32)
    seen = np.flatnonzero(np.isfinite(gaps))
    if seen.size < 0.8 * gaps.size:
        raise ModelError(f"no face is found any more in {gaps.size - seen.size} of {gaps.size} pictures")
    return np.interp(np.arange(gaps.size), seen, gaps[seen]).astype(np.float32)


def judge(gaps: Floats, phones: Sequence[Phone], fps: int) -> Verdict:
    """Compare openings, one a beat, with when the sounds were."""

    def beats(phone: Phone, spare: float) -> slice:
        """The beats whose middles lie in a sound, or near it by `spare` seconds."""
        first = int(np.ceil((phone.start / SAMPLE_RATE - spare) * fps - 0.5))
        last = int(np.floor((phone.end / SAMPLE_RATE + spare) * fps - 0.5))
        return slice(max(0, first), max(last, first) + 1)

    shut = [float(gaps[beats(phone, 0.02)].min()) for phone in phones if phone.symbol.startswith("p")]
    wide = [float(gaps[beats(phone, 0.0)].max()) for phone in phones if phone.symbol.startswith(("a", "ɐ"))]
    low, high = float(np.median(shut)), float(np.median(wide))
    lag = _lag(gaps, phones, fps)
    closed = sum(gap <= low + MOST_SHUT * (high - low) for gap in shut)
    problem = ""
    if high - low < LEAST_RANGE:
        state = "stay open" if low > 0.1 else "stay shut"
        problem = (
            f"the lips {state}: {low:.3f} apart in p and {high:.3f} in a (eye distances), at least {LEAST_RANGE:g} "
            "more are needed in a"
        )
    elif low > MOST_GAP:
        problem = f"the lips do not close: {low:.3f} eye distances apart in p, at most {MOST_GAP:g} are allowed"
    elif abs(lag) > MOST_LAG:
        way = "late" if lag > 0 else "early"
        problem = (
            f"the lips are {1000 * abs(lag) / fps:.0f} ms {way}; at most {1000 * MOST_LAG / fps:.0f} ms are allowed"
        )
    elif closed < 0.75 * len(shut):
        problem = f"the lips close in {closed} of {len(shut)} p only"
    elif (opened := sum(gap >= low + LEAST_OPEN * (high - low) for gap in wide)) < 0.6 * len(wide):
        problem = f"the lips open in {opened} of {len(wide)} a only"
    return Verdict(low, high, closed, len(shut), lag / fps, problem)


def _lag(gaps: Floats, phones: Sequence[Phone], fps: int) -> int:
    """By how many beats lips follow the sounds, where the two agree best: positive is late."""
    middles = (np.arange(gaps.size) + 0.5) / fps * SAMPLE_RATE
    wanted = np.zeros(gaps.size)
    for phone in phones:
        if phone.symbol.startswith(("a", "ɐ")):
            wanted[(middles >= phone.start) & (middles < phone.end)] = 1.0

    def agreement(lag: int) -> float:
        moved = np.roll(wanted, lag)
        return float(np.corrcoef(moved, gaps)[0, 1]) if gaps.std() > 1e-6 else 0.0

    return max(range(-_LOOK, _LOOK + 1), key=lambda lag: (agreement(lag), -abs(lag)))
