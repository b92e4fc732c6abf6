"""A kiosk on a real server, and visitors who come by real WebRTC and speak with the embedded voice."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from anchor.app import Studio
from anchor.bench.measure import serving
from anchor.bench.visitor import Visitor, spoken, visiting
from anchor.config import ChannelConfig, Config, ServerConfig, StoreConfig, TalkConfig, VoiceConfig
from anchor.media import SAMPLE_RATE, Samples
from anchor.parts import open_voice
from anchor.visitors import Hall

FACTS = """# Fees

## Transfers
A transfer inside the country is free of charge.

# Visiting us

## Opening hours
The branch is open from nine to five on weekdays, and closed on Sundays.

## Parking
There is a garage under the branch, and the first hour is free.
"""

FAQ = """topic,language,question,answer
hours,en,what are your opening hours|when are you open,We are open from nine to five.
hours,zh-CN,你们几点开门|营业时间,我们九点到五点营业。
card,en,I lost my card|my card was stolen,Call the number on the screen at once and we block the card.
parking,en,where can I park|is there a car park,There is a garage under the branch and the first hour is free.
"""


def knowledge(folder: Path) -> Path:
    """A small bank's knowledge."""
    place = folder / "knowledge"
    place.mkdir(exist_ok=True)
    (place / "fees.md").write_text(FACTS, "utf-8")
    (place / "faq.csv").write_text(FAQ, "utf-8")
    return place


def config(folder: Path, *, store: str = "", voice: VoiceConfig | None = None, **talk: Any) -> Config:
    greeting = {"en": "I am an AI.", "zh-CN": "我是人工智能。"}
    table = TalkConfig(languages=("en", "zh-CN"), knowledge=(knowledge(folder),), greeting=greeting, **talk)
    channel = ChannelConfig(name="hall", size="320x180", avatar="lin", talk=table)
    return Config(
        server=ServerConfig(port=0), channels=(channel,), store=StoreConfig(url=store), voice=voice or VoiceConfig()
    )


@contextlib.asynccontextmanager
async def kiosk(folder: Path, **values: Any) -> AsyncIterator[tuple[Studio, str]]:
    """A server, and its address."""
    async with serving(config(folder, **values)) as running:
        yield running


def hall(studio: Studio) -> Hall:
    channel = studio.channel("hall")
    assert isinstance(channel, Hall)
    return channel


@contextlib.asynccontextmanager
async def greeted(address: str, language: str = "en") -> AsyncIterator[Visitor]:
    """A visitor whose greeting is over."""
    async with visiting(address, "hall", language) as visitor:
        await visitor.mode("speaking")
        await visitor.mode("listening", since=len(visitor.events))
        yield visitor


async def sound_of(text: str, language: str = "en") -> Samples:
    voice = open_voice(VoiceConfig())
    try:
        return await spoken(voice, text, language)
    finally:
        await voice.close()


def seconds(sound: Samples) -> float:
    return len(sound) / SAMPLE_RATE
