"""Performing, as an operator does it: the program in its own process, Chromium, and a film for its camera."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest
from playwright.async_api import Page, expect

from tests.browser.stage import page, until
from tests.browser.test_demo import demo
from tests.drivers.performers import FPS, drawn, filmed, swaying

pytestmark = pytest.mark.browser

CONFIGURATION = """
[[channels]]
name = "news"
size = "640x360"
avatar = "leo"
"""

# How far the upper face of the channel's picture is from the first picture seen, one picture after another.
WATCH = """() => {
  window.rows = [];
  const video = document.querySelector(".stage video");
  const canvas = new OffscreenCanvas(96, 54);
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  let first;
  const look = () => {
    pen.drawImage(video, 0, 0, 96, 54);
    const pixels = pen.getImageData(36, 4, 24, 24).data;
    first ??= pixels;
    let sum = 0;
    for (let at = 0; at < pixels.length; at++) sum += Math.abs(pixels[at] - first[at]);
    window.rows.push(sum / pixels.length);
    video.requestVideoFrameCallback(look);
  };
  video.requestVideoFrameCallback(look);
}"""


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Yue before a camera: still for two seconds, then her head turns to and fro; it plays round and round."""
    path = tmp_path_factory.mktemp("performer") / "yue.mjpeg"
    return filmed(path, drawn("yue", (swaying(number / FPS) for number in range(8 * FPS))), codec="mjpeg")


async def moved(shown: Page, seconds: float) -> float:
    """How far from the first picture it goes meanwhile, but for a tenth of the time, in which people blink."""
    start = await shown.evaluate("window.rows.length")
    await shown.wait_for_timeout(seconds * 1000)
    rows: list[float] = await shown.evaluate("window.rows")
    assert len(rows) > start
    return float(np.quantile(rows[start:], 0.9))


def camera(film: Path) -> tuple[str, ...]:
    return (
        "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
    )  # fmt: skip


def test_performers_head_moves_the_anchor_and_comes_to_rest_when_they_stop(tmp_path: Path, film: Path) -> None:
    configuration = tmp_path / "studio.toml"
    configuration.write_text(CONFIGURATION, "utf-8")

    async def main() -> None:
        async with demo(configuration) as address, page(flags=camera(film)) as shown:
            await shown.goto(f"{address}/")
            await expect(shown.locator(".stage")).to_have_attribute("data-state", "live", timeout=20_000)
            await shown.evaluate(WATCH)
            idle = await moved(shown, 3)
            perform, badge = shown.locator("[data-act=perform]"), shown.locator("[data-field=performing]")
            await perform.click()
            await expect(badge).to_have_text("Driving the face", timeout=40_000)
            await until(shown, "document.querySelector('.mirror').videoWidth > 0")
            assert await shown.locator(".mirror").evaluate("one => getComputedStyle(one).transform") == (
                "matrix(-1, 0, 0, 1, 0, 0)"
            )
            driven = await moved(shown, 7)
            await shown.screenshot(path=str(tmp_path / "performing.png"))
            await perform.click()
            await expect(badge).to_be_hidden(timeout=10_000)
            await expect(shown.locator(".mirror")).to_be_hidden()
            await shown.wait_for_timeout(1500)
            after = await moved(shown, 3)
            assert driven > 2 * idle
            assert driven > 2 * after

    asyncio.run(main())


def test_second_performer_is_told_that_there_is_one(tmp_path: Path, film: Path) -> None:
    configuration = tmp_path / "studio.toml"
    configuration.write_text(CONFIGURATION, "utf-8")

    async def main() -> None:
        async with demo(configuration) as address, page(flags=camera(film)) as one:
            await one.goto(f"{address}/")
            assert one.context.browser is not None
            two = await one.context.browser.new_page()
            await two.goto(f"{address}/")
            await expect(two.locator("[data-act=perform]")).to_be_enabled()
            await one.locator("[data-act=perform]").click()
            await expect(one.locator("[data-field=performing]")).to_be_visible(timeout=20_000)
            await expect(two.locator("[data-act=perform]")).to_be_disabled(timeout=10_000)
            answer = await two.evaluate(
                """async () => {
                  const connection = new RTCPeerConnection();
                  connection.addTransceiver("video", { direction: "sendonly" });
                  await connection.setLocalDescription();
                  const headers = { "Content-Type": "application/sdp" };
                  const body = connection.localDescription.sdp;
                  const response = await fetch("/api/v1/channels/news/mocap", { method: "POST", headers, body });
                  return [response.status, (await response.json()).error];
                }"""
            )
            assert answer == [409, "somebody performs already; one performer a channel"]

    asyncio.run(main())
