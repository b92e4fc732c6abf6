"""What a viewer in Chromium sees over a bad network, and whether a storm of requests for keyframes costs the others."""

from __future__ import annotations

import shutil
from contextlib import AsyncExitStack
from typing import Any

from anchor.bench.capacity import talking
from anchor.bench.chromium import CHROMIUM_FLAGS, KEEP_CONNECTIONS
from anchor.bench.fanout import skipped
from anchor.bench.measure import CHANNEL, Figure, Tell, cores_used, remote_viewers, running_studio
from anchor.bench.shim import Shim, Weather, loopback_port, through, without_candidates
from anchor.live import LiveChannel

SECONDS = 30
SETTLE_SECONDS = 5

STORMING = 10
PLEAS_A_SECOND = 200.0
STORM_SECONDS = 30

BAD = Weather(loss=0.05, delay=0.035, jitter=0.03)
"""5 % loss and 100 ms there and back, of which 30 ms each way come and go."""

WORSE = Weather(loss=0.20, delay=0.035, jitter=0.03)

WATCH = """
async () => {
  const video = await new Promise(found => {
    const look = () => { const v = document.querySelector('video');
                         v && v.videoWidth ? found(v) : setTimeout(look, 50); };
    look();
  });
  video.muted = false;
  await video.play().catch(() => {});
  window.__gaps = []; window.__skews = []; let last = null;
  const each = now => { if (last !== null) window.__gaps.push(now - last); last = now;
                        video.requestVideoFrameCallback(each); };
  video.requestVideoFrameCallback(each);
  return true;
}
"""

STATS = """
async () => {
  const all = window.__connections;
  const stats = [...(await all[all.length - 1].getStats()).values()].filter(s => s.type === 'inbound-rtp');
  const of = kind => stats.find(s => s.kind === kind);
  const v = of('video'), a = of('audio');
  return { decoded: v.framesDecoded, received: v.framesReceived, dropped: v.framesDropped, freezes: v.freezeCount,
           nacks: v.nackCount, plis: v.pliCount, keys: v.keyFramesDecoded, lost: v.packetsLost,
           retransmitted: v.retransmittedPacketsReceived || 0, at: performance.now(),
           delay: 1000 * v.jitterBufferDelay / v.jitterBufferEmittedCount,
           concealed: a.concealedSamples - a.silentConcealedSamples, samples: a.totalSamplesReceived,
           skew: v.estimatedPlayoutTimestamp - a.estimatedPlayoutTimestamp };
}
"""


async def measure(tell: Tell) -> list[Figure]:
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        tell("no Chromium here: nothing to measure with")
        return []
    from playwright.async_api import async_playwright

    figures: list[Figure] = []
    async with running_studio() as (channel, address), talking(channel), async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=list(CHROMIUM_FLAGS))
        try:
            for name, weather, least in (("bad", BAD, 99.5), ("worse", WORSE, 97.0)):
                tell(f"{name} network: {weather}, {SECONDS} s")
                figures += await _watch(browser, (channel, address), name, weather, least, tell)
        finally:
            await browser.close()
    return figures + await _storm(tell)


async def _storm(tell: Tell) -> list[Figure]:
    """All viewers ask for keyframes all the time."""
    async with running_studio() as (channel, address), talking(channel):
        seen = []
        for pleas in (0.0, PLEAS_A_SECOND):
            tell(f"{STORMING} viewers who each ask for {pleas:.0f} keyframes a second")
            async with remote_viewers(address, STORMING, pleas=pleas) as reports:
                await cores_used(STORM_SECONDS)
            seen.append(reports[0])
    calm, stormy = seen
    return [
        Figure("storm_keyframes_a_second_max", stormy["keyframes"], "", 2),
        Figure("storm_bitrate_to_calm_max", stormy["bits"] / calm["bits"], "", 1.1),
        Figure("storm_lost_pictures_max", stormy["lost"], "", 0),
    ]


async def _watch(
    browser: Any, stream: tuple[LiveChannel, str], name: str, weather: Weather, least: float, tell: Tell
) -> list[Figure]:
    channel, address = stream
    async with AsyncExitStack() as relays:
        page = await browser.new_page()
        await page.add_init_script(KEEP_CONNECTIONS)

        async def signal(route: Any) -> None:
            request = route.request
            if request.method == "PATCH":
                await route.fulfill(status=204)  # candidates of a viewer who cannot be reached but through the shim
            elif request.method != "POST":
                await route.continue_()
            else:
                response = await route.fetch(post_data=without_candidates(request.post_data))
                answer = await response.text()
                relay = await relays.enter_async_context(Shim(("127.0.0.1", loopback_port(answer)), weather))
                await route.fulfill(response=response, body=through(answer, await relay.open()))

        await page.route("**/whep/**", signal)
        await page.goto(f"{address}/watch/{CHANNEL}")
        await page.evaluate(WATCH)
        await page.wait_for_timeout(1000 * SETTLE_SECONDS)
        before, sent = await page.evaluate(STATS), _sent(channel)
        await page.evaluate("() => { window.__gaps = []; }")
        skews = []
        for _ in range(SECONDS):
            await page.wait_for_timeout(1000)
            skews.append(abs((await page.evaluate(STATS))["skew"]))
        after, sent = await page.evaluate(STATS), _sent(channel) - sent
        gaps = await page.evaluate("() => window.__gaps")
        await page.close()
    change = {key: after[key] - before[key] for key in after}
    tell(" ".join(f"{key} {value:.0f}" for key, value in change.items()) + f" delay {after['delay']:.0f} ms")
    return [
        Figure(f"{name}_pictures_percent_min", min(100, 100 * change["decoded"] / sent), "%", least),
        Figure(f"{name}_longest_freeze_ms_max", max(gaps), "ms", 300 if name == "bad" else None),
        Figure(f"{name}_sound_against_picture_ms_max", sorted(skews)[len(skews) // 2], "ms", 45),
        Figure(f"{name}_sound_concealed_percent", 100 * change["concealed"] / change["samples"], "%"),
        Figure(f"{name}_keyframes_a_minute", change["keys"] * 60000 / change["at"], ""),
    ]


def _sent(channel: LiveChannel) -> int:
    """Pictures that were given out so far."""
    assert channel.playout is not None
    return channel.playout.counters.beats - skipped(channel)
