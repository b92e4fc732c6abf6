from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from playwright.async_api import Page, expect

from anchor.events import Caption
from anchor.media import Beat, Picture, VideoFormat
from tests.browser.stage import page, studio, until
from tests.streaming.beats import beat

pytestmark = pytest.mark.browser

VIDEO = VideoFormat(320, 240, 25)
SKIN = (220, 140, 90)

STATISTICS = """async () => {
  const found = {};
  const connection = window.connections.at(-1);
  for (const entry of (await connection.getStats()).values()) {
    if (entry.type === "inbound-rtp") found[entry.kind] = entry;
  }
  return found;
}"""

# Milliseconds by which the sound that plays now is ahead of the picture, by the media's own time stamps.
SKEW = f"""async () => {{
  const {{ audio, video }} = await ({STATISTICS})();
  const times = [audio, video].map((entry) => entry?.estimatedPlayoutTimestamp);
  return times.every(Boolean) ? times[0] - times[1] : null;
}}"""

MIDDLE_COLOUR = """() => {
  const canvas = new OffscreenCanvas(320, 240);
  const context = canvas.getContext("2d");
  context.drawImage(document.querySelector("video"), 0, 0, 320, 240);
  return [...context.getImageData(160, 120, 1, 1).data.slice(0, 3)];
}"""


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(main())


async def until_live(shown: Page) -> None:
    await expect(shown.locator(".stage")).to_have_attribute("data-state", "live", timeout=15_000)


async def until_moving(shown: Page) -> None:
    """Wait until pictures follow each other."""
    await until_live(shown)
    script = """async () => {
      const video = document.querySelector("video");
      for (let count = 0; count < 5; count++) await new Promise((done) => video.requestVideoFrameCallback(done));
    }"""
    await asyncio.wait_for(shown.evaluate(script), 10)


def captioned(video: VideoFormat, index: int) -> Beat:
    return replace(beat(video, index), caption=Caption(("今天上午，", "沿岸学校停课。"), 0, 1))


def coloured(video: VideoFormat, index: int) -> Beat:
    import cv2

    flat = np.full((video.height, video.width, 3), SKIN[::-1], np.uint8)
    picture = Picture(np.asarray(cv2.cvtColor(flat, cv2.COLOR_BGR2YUV_I420), np.uint8))
    return replace(beat(video, index), picture=picture)


def test_passer_by_sees_the_anchor_and_its_captions() -> None:
    async def main() -> None:
        async with studio(VIDEO, captioned) as live, page() as shown:
            await shown.goto(f"{live.address}/watch/news")
            await until_moving(shown)
            await expect(shown.locator("#badge")).to_have_text("Live")
            captions = shown.locator("#captions")
            await expect(captions).to_have_text("今天上午，沿岸学校停课。")
            await expect(captions).to_have_attribute("lang", "zh")
            await shown.keyboard.press("c")
            await expect(captions).to_be_hidden()
            await expect(shown.locator("#disclosure")).to_contain_text("AI")
            assert live.viewers.viewers == 1

    run(main)


def test_sound_and_picture_are_whole_and_together() -> None:
    async def main() -> None:
        async with studio(VIDEO) as live, page() as shown:
            await shown.goto(f"{live.address}/watch/news")
            await until_moving(shown)
            before = await shown.evaluate(STATISTICS)
            together = 0
            async with asyncio.timeout(20):
                while together < 3:  # the first sender reports come within two seconds, and Chromium moves gently
                    await shown.wait_for_timeout(200)
                    skew = await shown.evaluate(SKEW)
                    together = together + 1 if skew is not None and abs(skew) <= 40 else 0
            after = await shown.evaluate(STATISTICS)
            sent = (after["video"]["timestamp"] - before["video"]["timestamp"]) / 1000 * VIDEO.fps
            decoded = after["video"]["framesDecoded"] - before["video"]["framesDecoded"]
            assert decoded > 0.8 * sent
            assert after["video"]["packetsLost"] == after["audio"]["packetsLost"] == 0

    run(main)


def test_colours_in_the_browser_are_those_that_were_drawn() -> None:
    async def main() -> None:
        async with studio(VIDEO, coloured) as live, page() as shown:
            await shown.goto(f"{live.address}/watch/news")
            await until_moving(shown)
            assert np.abs(np.array(await shown.evaluate(MIDDLE_COLOUR)) - SKIN).max() <= 4

    run(main)


def test_sound_is_a_tap_or_a_key_away() -> None:
    async def main() -> None:
        async with studio(VIDEO) as live, page() as shown:
            await shown.goto(f"{live.address}/watch/news")
            await until_live(shown)
            button = shown.locator("#sound")
            await expect(button).to_have_text("Tap for sound")
            assert await shown.evaluate("document.querySelector('video').muted")
            await button.click()
            await expect(button).to_have_attribute("aria-pressed", "true")
            assert not await shown.evaluate("document.querySelector('video').muted")
            await shown.keyboard.press("m")
            await expect(button).to_have_attribute("aria-pressed", "false")
            await shown.locator("#stage").click()
            await expect(button).to_have_attribute("aria-pressed", "true")

    run(main)


def test_page_comes_back_when_the_server_ends_its_session() -> None:
    async def main() -> None:
        async with studio(VIDEO) as live, page() as shown:
            await shown.goto(f"{live.address}/watch/news")
            await until_moving(shown)
            for name in list(live.viewers._viewers):
                await live.viewers.leave(name)
            async with asyncio.timeout(10):
                while await shown.evaluate("window.connections.length") < 2:
                    await shown.wait_for_timeout(50)
            await until_moving(shown)
            assert live.viewers.viewers == 1

    run(main)


def test_page_comes_back_when_the_server_was_restarted() -> None:
    async def main() -> None:
        async with page() as shown:
            async with studio(VIDEO) as live:
                await shown.goto(f"{live.address}/watch/news")
                await until_moving(shown)
            await expect(shown.locator(".stage")).to_have_attribute("data-state", "lost", timeout=10_000)
            await expect(shown.locator("#message")).to_contain_text("Coming back")
            async with studio(VIDEO, port=int(live.address.rpartition(":")[2])):
                await until_moving(shown)
                await expect(shown.locator("#badge")).to_have_text("Live")

    run(main)


def test_full_house_and_missing_channel_are_told_in_words() -> None:
    async def main() -> None:
        async with studio(VIDEO, max_viewers=0) as live, page() as shown:
            await shown.goto(f"{live.address}/watch/news")
            await expect(shown.locator("#message")).to_contain_text("All places are taken")
            await shown.goto(f"{live.address}/watch/nothing")
            await expect(shown.locator("h1")).to_contain_text("There is no channel “nothing”")

    run(main)


@pytest.mark.parametrize("video", [VideoFormat(320, 180), VideoFormat(180, 320)], ids=["landscape", "portrait"])
def test_whole_picture_and_controls_fit_every_screen(video: VideoFormat) -> None:
    async def fits(shown: Page, width: int, height: int) -> None:
        for part in ("#stage", "#sound", "#fullscreen"):
            box = await shown.locator(part).bounding_box()
            assert box is not None
            assert min(box["x"], box["y"]) >= 0
            assert box["x"] + box["width"] <= width
            assert box["y"] + box["height"] <= height
        stage = await shown.locator("#stage").bounding_box()
        assert stage is not None
        assert stage["width"] / stage["height"] == pytest.approx(video.width / video.height, rel=0.03)
        assert stage["width"] > 0.9 * width or stage["height"] > 0.7 * height
        assert await shown.evaluate("document.documentElement.scrollWidth <= innerWidth")

    async def main() -> None:
        async with studio(video) as live, page() as shown:
            await shown.goto(f"{live.address}/watch/news")
            for width, height in [(1280, 800), (1920, 1080), (390, 844), (844, 390), (768, 1024)]:
                await shown.set_viewport_size({"width": width, "height": height})
                await fits(shown, width, height)

    run(main)


def test_everything_on_the_viewer_page_has_a_name_and_can_be_reached_by_keyboard() -> None:
    async def main() -> None:
        async with studio(VIDEO) as live, page() as shown:
            await shown.goto(f"{live.address}/watch/news")
            await until_live(shown)
            names = await shown.evaluate(
                "[...document.querySelectorAll('button')].map((one) => one.ariaLabel || one.textContent.trim())"
            )
            assert names
            assert all(names)
            reached = []
            for _ in range(3):
                await shown.keyboard.press("Tab")
                reached.append(await shown.evaluate("document.activeElement.id"))
            assert reached == ["sound", "toggle-captions", "fullscreen"]

    run(main)


def test_operator_makes_the_anchor_speak_and_stop() -> None:
    async def main() -> None:
        async with studio(VIDEO) as live, page() as shown:
            await shown.goto(live.address)
            await until_live(shown)
            await shown.get_by_placeholder("What should the anchor say?").fill("Good evening.")
            await shown.get_by_text("cut in").click()
            await shown.get_by_role("button", name="Say it").click()
            await expect(shown.locator(".result[data-of=say]")).to_have_text("On its way.")
            assert live.hub.news.said[0]["text"] == "Good evening."
            assert live.hub.news.said[0]["interrupt"] is True
            await shown.get_by_role("button", name="Stop speaking").click()
            await expect(shown.locator(".result[data-of=say]")).to_have_text("Stopped.")
            assert live.hub.news.interrupts == 1
            await expect(shown.locator("[data-field=viewers]")).to_have_text("1")

    run(main)


def test_operator_chooses_who_is_on_air_by_mouse_and_by_keyboard() -> None:
    async def main() -> None:
        async with studio(VIDEO) as live, page() as shown:
            await shown.goto(live.address)
            faces = shown.get_by_role("group", name="Choose the anchor").get_by_role("button")
            await expect(faces).to_have_count(3)
            await expect(faces.nth(0)).to_have_attribute("aria-pressed", "true")
            assert await faces.locator("img").evaluate_all("images => images.every((image) => image.alt)")
            await until(shown, "document.querySelectorAll('.face img')[1].naturalWidth > 0")
            await expect(faces.nth(1)).to_have_accessible_name("Mei <b>, until 2030-12-31")
            await faces.nth(1).click()
            await expect(shown.locator("[data-of=cast]")).to_have_text("Mei <b> is on air.")
            await expect(faces.nth(1)).to_have_attribute("aria-pressed", "true")
            await expect(shown.locator("[data-field=avatar]")).to_contain_text("mei")
            assert live.hub.news.avatar == "mei"
            await shown.keyboard.press("Shift+Tab")
            await shown.keyboard.press("Enter")
            await expect(shown.locator("[data-of=cast]")).to_have_text("Lin is on air.")
            await expect(faces.nth(0)).to_be_focused()
            await faces.nth(2).click(force=True)  # it is reachable, so that it can say why
            await expect(shown.locator("[data-of=cast]")).to_contain_text("2020-01-01")
            assert live.hub.news.avatar == "lin"

    run(main)


def test_operator_is_told_who_was_taken_off_air_and_why() -> None:
    async def main() -> None:
        async with studio(VIDEO) as live, page() as shown:
            await shown.goto(live.address)
            await expect(shown.locator(".face")).to_have_count(3)
            await expect(shown.get_by_role("alert")).to_be_hidden()
            live.hub.news.avatar, live.hub.news.notice = "", "mei was taken off air: the consent ended"
            await expect(shown.get_by_role("alert")).to_have_text("mei was taken off air: the consent ended")
            await expect(shown.locator("[data-field=avatar]")).to_contain_text("nobody")
            await expect(shown.locator(".face[aria-pressed=true]")).to_have_count(0)

    run(main)


@pytest.mark.parametrize(("width", "height"), [(1366, 768), (1024, 768), (768, 1024), (390, 844)])
def test_operator_page_fits_every_screen(width: int, height: int) -> None:
    async def main() -> None:
        async with studio(VIDEO) as live, page(width=width, height=height) as shown:
            await shown.goto(live.address)
            await expect(shown.locator(".face")).to_have_count(3)
            assert await shown.evaluate("document.documentElement.scrollWidth <= innerWidth")
            for face in await shown.locator(".face").all():
                box = await face.bounding_box()
                assert box is not None and box["width"] >= 44 and box["x"] + box["width"] <= width

    run(main)


def test_operator_page_asks_for_the_token_once() -> None:
    async def main() -> None:
        token = "sixteen characters and more"
        async with studio(VIDEO, token=token) as live, page() as shown:
            await shown.goto(live.address)
            await shown.get_by_label("This server wants its token").fill("wrong")
            await shown.get_by_role("button", name="Unlock").click()
            await expect(shown.locator("#unlock-result")).to_contain_text("valid token")
            await shown.get_by_label("This server wants its token").fill(token)
            await shown.get_by_role("button", name="Unlock").click()
            await expect(shown.locator(".channel h2")).to_have_text("Evening <News> & more")
            await shown.reload()
            await expect(shown.locator(".channel h2")).to_have_text("Evening <News> & more")
            await expect(shown.locator("#unlock")).to_be_hidden()
            await until(shown, "document.querySelector('.face img')?.naturalWidth > 0")

    run(main)


def test_api_page_lists_every_operation() -> None:
    async def main() -> None:
        async with studio(VIDEO) as live, page() as shown:
            await shown.goto(f"{live.address}/docs")
            await expect(shown.locator("summary code").first).to_be_visible()
            paths = await shown.locator("summary code").all_text_contents()
            assert {"/api/v1/channels/{channel}/say", "/whep/{channel}", "/metrics"} <= set(paths)
            await shown.get_by_text(re.compile("^Say something$")).click()
            await expect(shown.locator("details[open]")).to_contain_text("characters at most 20000")

    run(main)
