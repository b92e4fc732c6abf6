"""How soon the anchor falls silent in a browser when its visitor speaks: Chromium, and a file for a microphone."""

from __future__ import annotations

import itertools
import shutil
import tempfile
import wave
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from anchor.bench.chromium import CHROMIUM_FLAGS, KEEP_CONNECTIONS
from anchor.bench.measure import Figure, Tell, percentile
from anchor.bench.talking import kiosk, sound_of
from anchor.bench.virtual import after
from anchor.media import SAMPLE_RATE, Samples

ONSETS = 15
LOOP_SECONDS = 10.0
ASK_BEFORE = 2.6
"""Seconds before the visitor speaks at which a question is typed, so that the anchor is answering by then."""

_LOUD = 0.01
_QUIET_SECONDS = 0.08

FLAGS = (
    *CHROMIUM_FLAGS, "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
)  # fmt: skip

# Both sides of the conversation as they are in the page, every 10 ms: the microphone, and what the loudspeaker gets.
METERS = """
() => {
  const connection = window.__connections.at(-1), video = document.querySelector('video');
  const context = new AudioContext(), meters = [];
  const meter = track => {
    const analyser = new AnalyserNode(context, { fftSize: 512 });
    context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
    const samples = new Float32Array(512);
    return () => {
      analyser.getFloatTimeDomainData(samples);
      return Math.sqrt(samples.reduce((sum, one) => sum + one * one, 0) / samples.length);
    };
  };
  const own = meter(connection.getSenders().find(s => s.track?.kind === 'audio').track);
  const theirs = meter(connection.getReceivers().find(r => r.track.kind === 'audio').track);
  setInterval(() => {
    const gain = video.muted ? 0 : video.volume;
    meters.push([performance.now() / 1000, own(), theirs() * gain]);
  }, 10);
  window.__meters = meters;
}
"""


def write_loop(path: Path, sound: Samples) -> None:
    """A file with the sound at its end, after silence, to be played over and over."""
    whole = np.zeros(round(LOOP_SECONDS * SAMPLE_RATE), np.float32)
    whole[-len(sound) :] = sound
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(SAMPLE_RATE)
        out.writeframes((np.clip(whole, -1, 1) * 32767).astype("<i2").tobytes())


async def measure(tell: Tell) -> list[Figure]:
    program = shutil.which("chromium") or shutil.which("google-chrome")
    try:
        from playwright.async_api import async_playwright
    except ImportError:
        program = None
    if program is None:
        tell("no Chromium or no playwright here: barge-in is left out")
        return []
    sound = await sound_of("where can I park")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "loop.wav"
        write_loop(file, sound)
        async with kiosk(Path(folder), size="1280x720") as (_, address), async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=program, args=[*FLAGS, f"--use-file-for-fake-audio-capture={file}"]
            )
            try:
                tell(f"{ONSETS} times the visitor speaks into an answer, in Chromium")
                rows = await _interrupted(await browser.new_page(locale="en-GB"), address)
            finally:
                await browser.close()
    waits = silences(rows)
    return [
        Figure("barge_in_to_silence_p50_ms_max", 1000 * percentile(waits, 50), "ms", 250),
        Figure("barge_in_to_silence_p95_ms_max", 1000 * percentile(waits, 95), "ms", 400),
        Figure("barge_ins_measured", len(waits), "times"),
    ]


async def _interrupted(page: Any, address: str) -> list[tuple[float, float, float]]:
    await page.add_init_script(KEEP_CONNECTIONS)
    await page.goto(f"{address}/kiosk/hall")
    await page.locator("#begin").click()
    await page.locator("#text").wait_for(state="visible", timeout=20_000)
    await page.wait_for_timeout(3000)
    await page.evaluate(METERS)
    await page.wait_for_timeout(1000 * (LOOP_SECONDS + 1))
    # When the file's sound began last, on the page's clock.
    rows = await page.evaluate("() => window.__meters")
    first = onsets([(at, own) for at, own, _ in rows])[-1]
    for number in itertools.count(1):
        if number > ONSETS:
            break
        wanted = first + number * LOOP_SECONDS - ASK_BEFORE
        now = float(await page.evaluate("() => performance.now() / 1000"))
        if wanted < now:
            continue
        await after(wanted - now)
        await page.locator("#text").fill("I lost my card")
        await page.locator("#text").press("Enter")
    await page.wait_for_timeout(1000 * (ASK_BEFORE + 2))
    found: list[tuple[float, float, float]] = await page.evaluate("() => window.__meters")
    return found


def onsets(levels: Sequence[tuple[float, float]]) -> list[float]:
    """When loudness begins after at least two seconds without any."""
    found, last = [], float("-inf")
    for at, level in levels:
        if level > _LOUD:
            if at - last > 2:
                found.append(at)
            last = at
    return found


def silences(rows: Sequence[tuple[float, float, float]]) -> list[float]:
    """Seconds from each onset of the visitor, while the anchor was heard, to the end of the anchor's sound."""
    waits = []
    for onset in onsets([(at, own) for at, own, _ in rows]):
        heard = [at for at, _, theirs in rows if theirs > _LOUD and onset - 0.4 <= at]
        if not heard or heard[0] > onset + 0.05:
            continue  # the anchor was not speaking
        last = heard[0]
        for at in heard:
            if at - last > 0.35:
                break
            last = at
        waits.append(max(0.0, last - onset))
    return waits
