"""The demo as a passer-by sees it: the program in its own process, its configuration, and Chromium."""

from __future__ import annotations

import asyncio
import itertools
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.browser.stage import page

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.browser

# Brightness of the mouth and loudness of the sound, sampled together as a viewer gets them.
WATCH_MOUTH = """async () => {
  const video = document.querySelector("video");
  const context = new AudioContext();
  await context.resume();
  const analyser = context.createAnalyser();
  analyser.fftSize = 2048;
  context.createMediaStreamSource(video.srcObject).connect(analyser);
  const canvas = new OffscreenCanvas(64, 48);
  const pen = canvas.getContext("2d", {willReadFrequently: true});
  const samples = new Float32Array(2048);
  const rows = [];
  while (rows.length < 150) {
    await new Promise((seen) => video.requestVideoFrameCallback(seen));
    const w = video.videoWidth, h = video.videoHeight;
    pen.drawImage(video, 0.46 * w, 0.44 * h, 0.08 * w, 0.1 * h, 0, 0, 64, 48);
    const pixels = pen.getImageData(0, 0, 64, 48).data;
    analyser.getFloatTimeDomainData(samples);
    const level = Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / samples.length);
    rows.push([Array.from(pixels.filter((_, i) => i % 4 === 1)), level]);
  }
  return rows;
}"""


@asynccontextmanager
async def demo(*configuration: Path) -> AsyncIterator[str]:
    """The address of ``anchor serve`` with the demo configuration, or another, on a free port."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-u", "-m", "anchor", "serve", *map(str, configuration), "--port", "0", cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        line = (await process.stdout.readline()).decode()
        found = re.search(r"http://[\d.:]+", line)
        assert found is not None, line
        yield found[0]
    finally:
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 20) == 0


async def mouth_and_sound(shown: Page) -> tuple[list[float], list[float]]:
    """How much the mouth changes from picture to picture, and how loud it is, picture by picture."""
    rows = await shown.evaluate(WATCH_MOUTH)
    moves = [
        sum(abs(a - b) for a, b in zip(now[0], before[0], strict=True)) / len(now[0])
        for before, now in itertools.pairwise(rows)
    ]
    return moves, [row[1] for row in rows[1:]]


def test_passer_by_sees_and_hears_the_demo_anchor_speak() -> None:
    async def main() -> None:
        async with demo() as address, page() as shown:
            await shown.goto(f"{address}/watch/demo")
            await expect(shown.locator(".stage")).to_have_attribute("data-state", "live", timeout=15_000)
            await shown.locator("#sound").click()
            await expect(shown.locator("#captions")).not_to_be_empty(timeout=15_000)
            moves, levels = await mouth_and_sound(shown)
            loud = [move for move, level in zip(moves, levels, strict=True) if level > 0.02]
            assert len(loud) > 30, "the anchor is heard"
            assert sum(loud) / len(loud) > 1.0, "the mouth moves while it is heard"

    asyncio.run(main())


def test_an_editor_makes_the_demo_anchor_say_something() -> None:
    async def main() -> None:
        async with demo() as address, page() as shown:
            await shown.goto(f"{address}/watch/demo")
            await expect(shown.locator(".stage")).to_have_attribute("data-state", "live", timeout=15_000)
            answer = await shown.request.post(
                f"{address}/api/v1/channels/demo/say", data={"text": "各位观众，现在插播一条消息。", "interrupt": True}
            )
            assert answer.status == 202
            captions = shown.locator("#captions")
            await expect(captions).to_contain_text("现在插播一条消息", timeout=10_000)
            await expect(captions).to_have_attribute("lang", "zh")

    asyncio.run(main())
