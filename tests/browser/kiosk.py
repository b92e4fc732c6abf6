"""The kiosk of ``configs/kiosk.toml`` on a real server, and a Chromium whose microphone says what a test wants."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import tempfile
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
from playwright.async_api import Page

from anchor.app import Studio
from anchor.bench.measure import serving
from anchor.bench.talking import sound_of
from anchor.config import ServerConfig, load_config
from anchor.media import SAMPLE_RATE, Samples
from tests.browser.hall import FAKE_DEVICE
from tests.browser.stage import page, until
from tests.conftest import ROOT

# Everything that the page is told, and how loud the anchor is in it: the most since `quiet` was called last.
NOTE = """
window.told = [];
const create = RTCPeerConnection.prototype.createDataChannel;
RTCPeerConnection.prototype.createDataChannel = function (...values) {
  const channel = create.apply(this, values);
  channel.addEventListener("message", ({ data }) => window.told.push(JSON.parse(data)));
  return channel;
};
window.listen = () => {
  const track = window.connections.at(-1).getReceivers().find((one) => one.track.kind === "audio").track;
  const context = new AudioContext();
  const analyser = new AnalyserNode(context, { fftSize: 1024 });
  context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
  const samples = new Float32Array(1024), video = document.querySelector("video");
  window.loudness = 0;
  setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    const level = Math.sqrt(samples.reduce((sum, one) => sum + one * one, 0) / samples.length);
    window.loudness = Math.max(window.loudness, video.muted ? 0 : level * video.volume);
  }, 20);
};
"""


@dataclass
class Visitor:
    """Somebody before the page. The file at `voice` is their microphone, from its beginning each time it is opened."""

    page: Page
    voice: Path

    async def come(self, address: str, button: str = "#begin", *, language: str = "en") -> None:
        """Touch the button, and wait until the picture stands and the greeting is over."""
        await self.page.goto(f"{address}/kiosk/hall")
        if language != "en":
            await self.page.locator(f"#languages input[value={language}]").check(force=True)
        await self.page.locator(button).click()
        await self.live()
        await self.page.evaluate("window.listen()")
        await self.answered(since=0)

    async def live(self, seconds: float = 15) -> None:
        await until(self.page, "document.querySelector('#scene').dataset.state === 'live'", seconds)

    async def say(self, sound: Samples, *, level: float = 1.0) -> int:
        """Say something, as if the microphone had been opened just before; the place of the next message."""
        write(self.voice, level * sound)
        since = await self.place()
        button = self.page.locator("#microphone")
        if await button.get_attribute("aria-pressed") == "true":
            await button.click()
        await button.click()
        await until(self.page, "document.querySelector('#microphone').getAttribute('aria-pressed') === 'true'")
        return since

    async def say_until(self, sound: Samples, condition: str) -> None:
        """Say something, and again where it is not understood, as people do; at most three times."""
        for attempt in range(3):
            await self.say(sound)
            try:
                await until(self.page, condition, 12)
                return
            except TimeoutError:
                if attempt == 2:
                    raise

    async def write(self, text: str) -> int:
        since = await self.place()
        await self.page.locator("#text").fill(text)
        await self.page.locator("#text").press("Enter")
        return since

    async def place(self) -> int:
        count: int = await self.page.evaluate("window.told.length")
        return count

    async def told(self, kind: str, since: int = 0) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = await self.page.evaluate(
            "([kind, since]) => window.told.slice(since).filter((one) => one.type === kind)", [kind, since]
        )
        return found

    async def mode(self, mode: str, since: int, seconds: float = 20) -> None:
        wanted = f"window.told.slice({since}).some((one) => one.type === 'mode' && one.mode === '{mode}')"
        await until(self.page, wanted, seconds)

    async def answered(self, since: int) -> str:
        """Wait until the anchor has spoken and listens again; what it said."""
        await self.mode("speaking", since)
        kinds = f"window.told.slice({since}).filter((one) => one.type === 'mode').map((one) => one.mode)"
        await until(self.page, f"{kinds}.includes('speaking') && {kinds}.at(-1) === 'listening'", 30)
        return "".join(one["text"] for one in await self.told("anchor", since))

    async def understood(self, since: int) -> list[str]:
        return [one["text"] for one in await self.told("visitor", since) if one["final"]]


def write(path: Path, sound: Samples) -> None:
    """A microphone's file: a breath, the sound, and silence for as long as anybody listens."""
    noise = np.random.default_rng(3).standard_normal(12 * SAMPLE_RATE).astype(np.float32) * 0.0003
    begin = SAMPLE_RATE // 2
    noise = np.concatenate([noise, np.zeros(max(0, begin + len(sound) - len(noise)), np.float32)])
    noise[begin : begin + len(sound)] += sound
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(SAMPLE_RATE)
        out.writeframes((np.clip(noise, -1, 1) * 32767).astype("<i2").tobytes())


@asynccontextmanager
async def kiosk(**talk: Any) -> AsyncIterator[tuple[Studio, str]]:
    """The shipped kiosk on a free port, with a small picture; `talk` are values that replace its own."""
    config = load_config(ROOT / "configs" / "kiosk.toml")
    (hall,) = config.channels
    assert hall.talk is not None
    hall = hall.model_copy(update={"size": "320x180", "talk": hall.talk.model_copy(update=talk)})
    server = ServerConfig(port=0, demo_bank=True)
    async with serving(config.model_copy(update={"server": server, "channels": (hall,)})) as running:
        yield running


@asynccontextmanager
async def visitor(folder: Path) -> AsyncIterator[Visitor]:
    """A browser with a microphone in which nobody speaks yet."""
    voice = folder / "microphone.wav"
    write(voice, np.zeros(0, np.float32))
    async with page(flags=(*FAKE_DEVICE, f"--use-file-for-fake-audio-capture={voice}%noloop")) as shown:
        await shown.add_init_script(NOTE)
        yield Visitor(shown, voice)


async def says(text: str) -> Samples:
    """A visitor's sentence in a voice that is not the anchor's, where there is one: flite's, else the embedded one."""
    if (flite := shutil.which("flite")) is None:
        return await sound_of(text)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "said.wav"
        command = [flite, "-voice", "slt", "-t", text, "-o", str(file)]
        await asyncio.to_thread(subprocess.run, command, check=True, capture_output=True)
        return recording(file)


def recording(path: Path) -> Samples:
    """Any audio file as a microphone gives it: mono, at `SAMPLE_RATE`."""
    resampler = av.AudioResampler("flt", "mono", SAMPLE_RATE)
    with av.open(str(path)) as container:
        frames = [frame for one in container.decode(audio=0) for frame in resampler.resample(one)]
    return np.concatenate([frame.to_ndarray()[0] for frame in (*frames, *resampler.resample(None))])
