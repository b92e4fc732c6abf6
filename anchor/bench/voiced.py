"""Sound against picture, for voices of every kind: in a film, and in Chromium."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import av
import numpy as np
import yaml

from anchor import parts, rendering
from anchor.bench.chromium import CHROMIUM_FLAGS, KEEP_CONNECTIONS
from anchor.bench.latency import FIRST_FRAME, PLAYOUT
from anchor.bench.measure import CHANNEL, Figure, Tell, percentile, serving
from anchor.broadcast.script import Segment
from anchor.config import ChannelConfig, Config, EngineConfig, ServerConfig, VoiceConfig
from anchor.events import Sentence
from anchor.media import SAMPLE_RATE, Samples, VideoFormat
from anchor.pipeline.utterance import LEAD_IN_SECONDS
from anchor.ports import SpeechChunk, Voice, VoiceInfo

UNMUTE = "() => { const v = document.querySelector('video'); v.muted = false; return v.play(); }"

VIDEO = VideoFormat(640, 360)
TEXT = "The bridge over the river is closed. Its lamps are being changed."
SETTLE_SECONDS = 5.0
SAMPLES = 12


async def measure(voices: Mapping[str, EngineConfig], folder: Path, tell: Tell) -> list[Figure]:
    """For each voice by name: its film, and then all of them one after another in a show that Chromium watches."""
    figures = list[Figure]()
    for name, config in voices.items():
        offset, lips = await film_offset(config, folder / f"{name}.mp4")
        figures.append(Figure(f"{name}_av_offset_in_file_ms_max", abs(offset), "ms", 20))
        tell(f"{name}: its lips come from {lips}")
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        tell("no Chromium here: its figures are left out")
        return figures
    skews = await watched(voices, folder, program)
    return figures + [Figure(f"{name}_av_offset_in_browser_ms_max", skew, "ms", 40) for name, skew in skews.items()]


class Overheard:
    """A voice, and the sound of the first sentence it has said."""

    def __init__(self, voice: Voice) -> None:
        self._voice = voice
        self.sound: list[Samples] = []

    @property
    def info(self) -> VoiceInfo:
        return self._voice.info

    async def warm(self, languages: Any) -> None:
        await self._voice.warm(languages)

    async def speak(self, sentence: Sentence) -> AsyncIterator[SpeechChunk]:
        first = not self.sound
        async for chunk in self._voice.speak(sentence):
            if first:
                self.sound.append(chunk.audio)
            yield chunk

    async def close(self) -> None:
        await self._voice.close()


async def film_offset(config: EngineConfig, target: Path) -> tuple[float, str]:
    """Milliseconds by which the voice is late in its film, against where its pictures are; and what moved the lips.

    The first sample of an utterance belongs to the picture after its head and lead-in.
    """
    voice = Overheard(parts.open_voice(VoiceConfig(engine=config.engine, options=config.options)))
    try:
        await voice.warm(["en"])
        made = await rendering.render(
            [Segment(TEXT, "en")], target, voice=voice, driver=parts.open_driver("auto"),
            avatar=parts.open_avatar("lin"), video=VIDEO,
        )  # fmt: skip
    finally:
        await voice.close()
    wanted = np.concatenate(voice.sound)[: SAMPLE_RATE * 2]
    begins = rendering.HEAD_SECONDS + LEAD_IN_SECONDS
    with av.open(str(target)) as container:
        heard = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
    with av.open(str(target)) as container:
        pictures = [_seconds(frame) for frame in container.decode(video=0)]
    # The picture that was made for the first sample of the voice, by its place among the pictures.
    shown = pictures[round(begins * VIDEO.fps)]
    reach = SAMPLE_RATE // 4
    around = heard[max(0, round(begins * SAMPLE_RATE) - reach) :][: len(wanted) + 2 * reach]
    size = 1 << (len(around) + len(wanted)).bit_length()
    likeness = np.fft.irfft(np.fft.rfft(around, size) * np.conj(np.fft.rfft(wanted, size)))[: 2 * reach]
    # A louder stretch beside it is not more like it.
    energy = np.concatenate([[0.0], np.cumsum(around.astype(np.float64) ** 2)])
    spans = np.arange(min(2 * reach, len(around) - len(wanted)))
    likeness = likeness[: len(spans)] / np.sqrt(energy[spans + len(wanted)] - energy[spans] + 1e-9)
    found = round(begins * SAMPLE_RATE) - reach + int(np.argmax(likeness))
    return 1000 * (found / SAMPLE_RATE - shown), ", ".join(made.lips) or "nothing"


def _seconds(frame: av.VideoFrame) -> float:
    assert frame.pts is not None
    assert frame.time_base is not None
    return float(frame.pts * frame.time_base)


async def watched(voices: Mapping[str, EngineConfig], folder: Path, program: str) -> dict[str, float]:
    """For each voice the median of sound against picture in Chromium, in milliseconds, while that voice speaks."""
    from playwright.async_api import async_playwright

    script = folder / "voices.yaml"
    segments = [{"id": name, "text": TEXT, "voice": name} for name in voices]
    script.write_text(yaml.safe_dump({"title": "Voices", "language": "en", "segments": segments}))
    channel = ChannelConfig(name=CHANNEL, size="640x360", scripts=(script,), pause=0)
    config = Config(server=ServerConfig(port=0), voices=dict(voices), channels=(channel,))
    skews: dict[str, list[float]] = {name: [] for name in voices}
    async with serving(config) as (studio, address), async_playwright() as playwright:
        live = studio.live(CHANNEL)
        speaking = {id(studio.speakers.named(name)): name for name in voices}
        browser = await playwright.chromium.launch(executable_path=program, args=list(CHROMIUM_FLAGS))
        try:
            page = await browser.new_page()
            await page.add_init_script(KEEP_CONNECTIONS)
            await page.goto(f"{address}/watch/{CHANNEL}")
            await page.evaluate(FIRST_FRAME)
            await page.evaluate(UNMUTE)
            await page.wait_for_timeout(1000 * SETTLE_SECONDS)
            async with asyncio.timeout(60 + 30 * len(voices)):
                while min(map(len, skews.values())) < SAMPLES:
                    await page.wait_for_timeout(150)
                    now = live.performer.on_air
                    if now is None or not now.heard:
                        continue
                    name = speaking.get(id(now.utterance.voice))
                    if name is not None:
                        skews[name].append(float(await page.evaluate(PLAYOUT)))
        finally:
            await browser.close()
    return {name: abs(percentile(found, 50)) for name, found in skews.items()}
