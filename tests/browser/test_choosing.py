"""Choosing who is on air, as an operator sees it: the program in its own process, and Chromium over real WebRTC."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.avatars.figures import relative, renew
from tests.browser.stage import page, until
from tests.browser.test_demo import demo

pytestmark = pytest.mark.browser

CONFIGURATION = """
[server]
avatars = "faces"

[[channels]]
name = "news"
size = "640x360"
avatar = "lin"
"""

# Every picture that comes: when, its number, how green its face is over how red, how bright all of it is.
WATCH = """() => {
  window.rows = [];
  const video = document.querySelector("video");
  const canvas = new OffscreenCanvas(64, 36);
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const look = (now, { presentedFrames }) => {
    pen.drawImage(video, 0, 0, 64, 36);
    const mean = (x, y, width, height) => {
      const pixels = pen.getImageData(x, y, width, height).data;
      const sums = [0, 0, 0];
      for (let at = 0; at < pixels.length; at += 4) for (let c = 0; c < 3; c++) sums[c] += pixels[at + c];
      return sums.map((sum) => (sum * 4) / pixels.length);
    };
    const face = mean(29, 10, 6, 5);
    const all = mean(0, 0, 64, 36);
    window.rows.push([now, presentedFrames, face[1] - face[0], (all[0] + all[1] + all[2]) / 3]);
    video.requestVideoFrameCallback(look);
  };
  video.requestVideoFrameCallback(look);
}"""


@dataclass(frozen=True)
class Row:
    """One picture: milliseconds, its number, green over red in the face, brightness of all."""

    at: float
    number: int
    green: float
    light: float


async def rows(shown: Page) -> list[Row]:
    found: list[list[Any]] = await shown.evaluate("window.rows")
    return [Row(*row) for row in found]


async def until_green(shown: Page, low: float, high: float) -> None:
    await until(shown, f"window.rows.length && window.rows.at(-1)[2] > {low} && window.rows.at(-1)[2] < {high}")


def test_an_operator_puts_another_face_on_air_in_the_middle_of_a_sentence_and_revoking_takes_it_off(
    tmp_path: Path,
) -> None:
    mei = relative(tmp_path / "faces", "mei", until="2100-01-01")
    (tmp_path / "faces" / "broken").mkdir()
    config = tmp_path / "anchor.toml"
    config.write_text(CONFIGURATION, "utf-8")

    async def main() -> None:
        async with demo(config) as address, page(width=1366, height=900) as shown:
            await shown.goto(address)
            await expect(shown.locator(".stage")).to_have_attribute("data-state", "live", timeout=15_000)
            loaded = "[...document.querySelectorAll('.face img')].filter((one) => one.src.startsWith('blob:')).length"
            await until(shown, f"{loaded} >= 2")
            await expect(shown.locator(".face[data-name=broken]")).to_contain_text("cannot be used")
            await shown.evaluate(WATCH)
            await until_green(shown, -200, -10)
            await shown.get_by_placeholder("What should the anchor say?").fill("Here comes somebody else. " * 6)
            await shown.get_by_role("button", name="Say it").click()
            await expect(shown.locator("[data-field=state]")).to_have_text("Speaking")
            await shown.get_by_role("button", name="Mei").click()
            await expect(shown.locator("[data-of=cast]")).to_have_text("Mei is on air.", timeout=10_000)
            await until_green(shown, 60, 200)
            await expect(shown.locator("[data-field=state]")).to_have_text("Speaking")
            before = await rows(shown)
            now = await shown.evaluate("performance.now()")
            renew(mei, "2020-01-01")
            await until_green(shown, 10, 60)
            gone = next(row for row in reversed(await rows(shown)) if row.green > 60)
            assert gone.at - now < 1000, "revoked, and seen to be a second later at most"
            await expect(shown.get_by_role("alert")).to_contain_text("2020-01-01")
            await expect(shown.locator(".face[data-name=mei]")).to_contain_text("cannot be used", timeout=10_000)
            await shown.get_by_role("button", name="Lin", exact=True).click()
            await until_green(shown, -200, -10)
            await expect(shown.get_by_role("alert")).to_be_hidden()
            seen = await rows(shown)
            assert len(before) > 10
            gaps = [b.at - a.at for a, b in itertools.pairwise(seen)]
            assert max(gaps) < 1000, "pictures keep coming"
            assert min(row.light for row in seen) > 20, "none is black"
            leaps = [abs(b.green - a.green) for a, b in itertools.pairwise(seen)]
            assert sum(leap > 15 for leap in leaps) <= 6, "three cuts, not a flicker"

    asyncio.run(main())
