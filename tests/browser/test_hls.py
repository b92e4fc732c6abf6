"""An HLS stream as a browser plays it, with hls.js: all pictures, across a restart, with its captions in time."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.responses import FileResponse, HTMLResponse

from anchor.config import ServerConfig
from anchor.events import Caption
from anchor.media import VideoFormat
from anchor.serve import listen
from anchor.server.hls import hls
from streaming.hls import HlsWriter
from streaming.packets import Cue
from tests.browser.stage import page, until
from tests.streaming.encoded import Encoded

pytestmark = pytest.mark.browser

VIDEO = VideoFormat(320, 180, 25)

PAGE = """<!doctype html><meta charset="utf-8"><title>HLS</title><video muted playsinline></video>
<script src="/hls.js"></script><script>
const video = document.querySelector('video');
const errors = window.errors = [], times = window.times = [], cues = window.cues = new Map();
const player = new Hls({ enableWorker: false, renderTextTracksNatively: true });
player.on(Hls.Events.ERROR, (_, data) => errors.push(data.details));
player.on(Hls.Events.SUBTITLE_TRACKS_UPDATED, () => { player.subtitleTrack = 0; });
const each = (now, frame) => { times.push(frame.mediaTime); video.requestVideoFrameCallback(each); };
video.requestVideoFrameCallback(each);
setInterval(() => { for (const track of video.textTracks) for (const cue of track.cues || [])
  cues.set(cue.startTime.toFixed(2), [cue.startTime, cue.endTime, cue.text]); }, 50);
player.loadSource('/hls/news/index.m3u8'); player.attachMedia(video);
video.defaultPlaybackRate = video.playbackRate = 2; video.play();
</script>"""


@pytest.fixture(scope="module")
def player(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """hls.js: where ANCHOR_HLS_JS says, or as npm gets it."""
    if given := os.environ.get("ANCHOR_HLS_JS"):
        return Path(given)
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("plays with hls.js, and there is no npm to get it")
    folder = tmp_path_factory.mktemp("player")
    command = [npm, "install", "--prefix", str(folder), "--no-audit", "--no-fund", "--ignore-scripts", "hls.js@1"]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=60)
    except (subprocess.SubprocessError, OSError):
        pytest.skip("plays with hls.js, which npm cannot get here")
    return folder / "node_modules" / "hls.js" / "dist" / "hls.min.js"


@asynccontextmanager
async def served(folder: Path, player: Path) -> AsyncIterator[str]:
    app = FastAPI()
    app.include_router(hls(lambda channel: folder))
    app.add_api_route("/", lambda: HTMLResponse(PAGE))
    app.add_api_route("/hls.js", lambda: FileResponse(player))
    with listen(ServerConfig(port=0)) as listening:
        web = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off", timeout_graceful_shutdown=1))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(web.serve(sockets=[listening]))
            try:
                yield f"http://127.0.0.1:{listening.getsockname()[1]}"
            finally:
                web.should_exit = True


@pytest.mark.alone
@pytest.mark.parametrize("b_frames", [0, 2])
def test_browser_plays_all_of_a_stream_that_was_broken_off_and_goes_on(
    tmp_path: Path, player: Path, b_frames: int
) -> None:
    for first in (0, 5000):
        encoded = Encoded(VIDEO, 125, first=first, b_frames=b_frames)
        writer = HlsWriter(tmp_path, window=None, language="en")
        writer.open(encoded.header)
        writer.caption(Cue(first + 25, Caption(("Good evening",), 0, 1, ("晚上好",))))
        writer.caption(Cue(first + 75, None))
        for packet in encoded.packets:
            writer.write(packet)
        writer.finish()

    async def main() -> None:
        async with served(tmp_path, player) as address, page() as shown:
            await shown.goto(address)
            await until(shown, "document.querySelector('video').ended", 30)
            assert await shown.evaluate("window.errors") == []
            quality = "document.querySelector('video').getVideoPlaybackQuality()"
            # A restart takes the old and the new length from the lists: 10 s, every picture of both.
            assert await shown.evaluate("document.querySelector('video').duration") == pytest.approx(10, abs=0.15)
            assert await shown.evaluate(f"{quality}.totalVideoFrames") >= 249
            times = await shown.evaluate("window.times")
            steps = [after - before for before, after in pairwise(times)]
            assert min(steps) > 0 and max(steps) < 0.5, "it plays on, forwards"
            cues = sorted(await shown.evaluate("[...window.cues.values()]"))
            assert [(round(begin, 1), round(end, 1)) for begin, end, _ in cues] == [(1, 2), (2, 3), (6, 7), (7, 8)]
            assert {text for _, _, text in cues} == {"Good evening\n晚上好"}

    asyncio.run(main())
