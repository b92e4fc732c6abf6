"""A person takes the microphone of a real channel: Chromium's own, by WebRTC, to lips and ears."""

from __future__ import annotations

import asyncio
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
import uvicorn
from playwright.async_api import Page, expect

from anchor.app import Studio
from anchor.config import ChannelConfig, Config
from anchor.live import LiveChannel
from anchor.media import SAMPLE_RATE
from anchor.server.api import create_app
from tests.browser.hall import FAKE_DEVICE
from tests.browser.stage import free_socket, page, until

pytestmark = pytest.mark.browser

EVERY_SECONDS = 3.0
BEEP_SECONDS = 0.3

# When a beep begins in the microphone, and when in what the channel sends; milliseconds of one clock.
LISTEN = """async () => {
  const context = new AudioContext({ latencyHint: "interactive" });
  const found = (window.beeps = { mouth: [], ear: [], loud: 0 });
  const listen = (stream, name) => {
    const analyser = context.createAnalyser();
    analyser.fftSize = 512;
    context.createMediaStreamSource(stream).connect(analyser);
    const samples = new Float32Array(512);
    let quiet = 0;
    setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      const loud = Math.hypot(...samples) / Math.sqrt(512) > 0.02;
      if (loud && quiet > 60) found[name].push(performance.now());
      quiet = loud ? 0 : quiet + 1;
    }, 5);
  };
  listen(window.microphones[0], "mouth");
  listen(document.querySelector(".stage video").srcObject, "ear");
}"""

# Keeps the streams that a page is given, so that a test can listen to them as well.
KEEP_MICROPHONES = """
window.microphones = [];
const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (wanted) => {
  const stream = await ask(wanted);
  window.microphones.push(stream);
  return stream;
};
"""


def beeps(path: Path) -> tuple[str, ...]:
    """Flags by which Chromium takes a beep every three seconds for its microphone."""
    when = np.arange(round(EVERY_SECONDS * SAMPLE_RATE)) / SAMPLE_RATE
    voiced = sum(np.sin(2 * np.pi * 150 * k * when) / k for k in range(1, 12))
    sound = np.where(when < BEEP_SECONDS, 0.25 * voiced, 0.0)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes((32767 * sound).astype(np.int16).tobytes())
    return (*FAKE_DEVICE, f"--use-file-for-fake-audio-capture={path}", "--autoplay-policy=no-user-gesture-required")


@asynccontextmanager
async def serving() -> AsyncIterator[tuple[str, LiveChannel]]:
    studio = Studio(Config(channels=(ChannelConfig(name="news", size="320x180", avatar="lin"),)))
    with free_socket() as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        server = uvicorn.Server(
            uvicorn.Config(create_app(studio, token=None), log_level="warning", timeout_graceful_shutdown=1)
        )
        async with studio.on_air(), asyncio.TaskGroup() as tasks:
            tasks.create_task(server.serve(sockets=[listening]))
            try:
                yield address, studio.live("news")
            finally:
                server.should_exit = True


async def pairs(shown: Page, count: int) -> list[float]:
    """Seconds from mouth to ear, of so many beeps that were heard in both."""
    async with asyncio.timeout(60):
        while True:
            found = await shown.evaluate("window.beeps")
            delays = [
                (min(later) - mouth) / 1000
                for mouth in found["mouth"]
                if (later := [ear for ear in found["ear"] if mouth < ear < mouth + 2500])
            ]
            if len(delays) >= count:
                return delays
            await shown.wait_for_timeout(200)


def test_person_is_heard_through_the_anchor_and_moves_its_lips(tmp_path: Path) -> None:
    async def main() -> None:
        async with serving() as (address, channel), page(flags=beeps(tmp_path / "beeps.wav")) as shown:
            await shown.add_init_script(KEEP_MICROPHONES)
            await shown.goto(address)
            await expect(shown.locator(".stage")).to_have_attribute("data-state", "live", timeout=20_000)
            await shown.get_by_role("button", name="Take the microphone").click()
            await expect(shown.locator(".speaking .badge")).to_have_text("You are on air", timeout=10_000)
            await shown.evaluate(LISTEN)
            await until(shown, "document.querySelector('.speaking meter').value > 0.3")
            delays = await pairs(shown, 4)
            assert delays
            performance = channel.performer.on_air
            assert performance is not None
            # What the server adds: at most these, and the fifth of a second that sound may wait for its turn.
            assert len(performance.blocks) / 25 <= 0.7
            assert channel.state().lips == "network"
            await shown.get_by_role("button", name="Give the show back").click()
            await expect(shown.locator(".speaking .badge")).to_be_hidden()
            assert channel.takeover.state == ""

    asyncio.run(main())


def test_speaker_who_is_cut_off_is_told(tmp_path: Path) -> None:
    async def main() -> None:
        async with serving() as (address, channel), page(flags=beeps(tmp_path / "beeps.wav")) as shown:
            await shown.add_init_script(KEEP_MICROPHONES)
            await shown.goto(address)
            await shown.get_by_role("button", name="Take the microphone").click()
            await expect(shown.locator(".speaking .badge")).to_have_text("You are on air", timeout=20_000)
            channel.performer.cancel(everything=True)
            await expect(shown.locator(".speaking .result")).to_have_text("You were taken off air.", timeout=10_000)
            await expect(shown.get_by_role("button", name="Take the microphone")).to_be_enabled()

    asyncio.run(main())
