"""How soon an anchor answers, and how soon a viewer sees it."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from typing import Any

import httpx
from aiortc.mediastreams import MediaStreamError

from anchor.bench import barge
from anchor.bench.capacity import talking
from anchor.bench.chromium import CHROMIUM_FLAGS, KEEP_CONNECTIONS
from anchor.bench.measure import CHANNEL, Figure, Tell, join, percentile, remote_viewers, running_studio
from anchor.bench.talking import measure_turns
from anchor.live import LiveChannel

SAYS = 20
JOINS = 10


async def measure(tell: Tell) -> list[Figure]:
    async with running_studio() as (channel, address), httpx.AsyncClient(timeout=30) as client:
        tell(f"{SAYS} times POST .../say")
        async with remote_viewers(address, 1):
            says = [await _say(client, address, channel, number) for number in range(SAYS)]
        figures = [
            Figure("say_to_first_speaking_beat_p50_ms_max", 1000 * percentile(says, 50), "ms", 200),
            Figure("say_to_first_speaking_beat_p95_ms_max", 1000 * percentile(says, 95), "ms", 350),
        ]
        tell(f"{JOINS} joins by aiortc")
        joins = [await _join(client, f"{address}/whep/{CHANNEL}") for _ in range(JOINS)]
        figures.append(Figure("offer_to_first_frame_aiortc_p95_ms", 1000 * percentile(joins, 95), "ms"))
        program = shutil.which("chromium") or shutil.which("google-chrome")
        if program is None:
            tell("no Chromium here: its figures are left out")
        else:
            async with talking(channel):
                figures += await _in_chromium(program, f"{address}/watch/{CHANNEL}", tell)
    return figures + await measure_turns(tell) + await barge.measure(tell)


async def _say(client: httpx.AsyncClient, address: str, channel: LiveChannel, number: int) -> float:
    """Seconds from the request to the release of the first beat that speaks."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    response = await client.post(
        f"{address}/api/v1/channels/{CHANNEL}/say", json={"text": f"This is answer number {number}."}
    )
    response.raise_for_status()
    wanted = response.json()["utterance"]
    found = next(
        performance
        for performance in (*channel.performer.waiting, channel.performer.on_air)
        if performance is not None and performance.id == wanted
    )
    await found.wait()
    assert found.sounded_at is not None
    return found.sounded_at - start


async def _join(client: httpx.AsyncClient, address: str) -> float:
    """Seconds from the offer to the first decoded picture."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    connection = await join(client, address)
    try:
        track = next(receiver.track for receiver in connection.getReceivers() if receiver.track.kind == "video")
        with contextlib.suppress(MediaStreamError):
            await asyncio.wait_for(track.recv(), 20)
        return loop.time() - start
    finally:
        await connection.close()


# The page's own element is watched, so that what is measured is what a person sees.
FIRST_FRAME = """
async () => {
  const video = await new Promise(found => {
    const look = () => { const v = document.querySelector('video'); v ? found(v) : setTimeout(look, 5); };
    look();
  });
  await new Promise(seen => video.requestVideoFrameCallback(seen));
  const offers = performance.getEntriesByType('resource').filter(entry => entry.name.includes('/whep/'));
  return performance.now() - offers[0].startTime;
}
"""

PLAYOUT = """
async () => {
  const all = window.__connections.flatMap(c => [c]);
  const stats = [...(await all[all.length - 1].getStats()).values()].filter(s => s.type === 'inbound-rtp');
  const at = kind => stats.find(s => s.kind === kind).estimatedPlayoutTimestamp;
  return at('video') - at('audio');
}
"""


async def _in_chromium(program: str, page_address: str, tell: Tell) -> list[Figure]:
    try:
        from playwright.async_api import async_playwright
    except ImportError:
        tell("playwright is not installed: Chromium's figures are left out")
        return []
    tell(f"{JOINS} joins by Chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=list(CHROMIUM_FLAGS))
        try:
            firsts = [await _first_frame(browser, page_address) for _ in range(JOINS)]
            tell("sound against picture in Chromium")
            offset = await _offset(browser, page_address)
        finally:
            await browser.close()
    return [
        Figure("offer_to_first_frame_chromium_p50_ms", percentile(firsts, 50), "ms"),
        Figure("offer_to_first_frame_chromium_p95_ms_max", percentile(firsts, 95), "ms", 500),
        Figure("av_offset_in_browser_ms_max", abs(offset), "ms", 40),
    ]


async def _first_frame(browser: Any, address: str) -> float:
    page = await browser.new_page()
    try:
        await page.goto(address, wait_until="commit")
        return float(await page.evaluate(FIRST_FRAME))
    finally:
        await page.close()


async def _offset(browser: Any, address: str) -> float:
    """Median of picture time minus sound time at the moment of play-out, in milliseconds."""
    page = await browser.new_page()
    try:
        await page.add_init_script(KEEP_CONNECTIONS)
        await page.goto(address)
        await page.evaluate(FIRST_FRAME)
        await page.evaluate("() => { const v = document.querySelector('video'); v.muted = false; return v.play(); }")
        await page.wait_for_timeout(6000)
        values = []
        for _ in range(15):
            values.append(float(await page.evaluate(PLAYOUT)))
            await page.wait_for_timeout(200)
        return percentile(values, 50)
    finally:
        await page.close()
