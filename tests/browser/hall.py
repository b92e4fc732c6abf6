"""A talking channel on a real port, whose visitors a test writes to."""

from __future__ import annotations

import asyncio
import wave
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import uvicorn

from anchor.media import SAMPLE_RATE, Beat, VideoFormat
from anchor.server.api import create_app
from streaming.peer import WebRtcSink
from tests.browser.stage import free_socket
from tests.server.hall import NoteVisitors
from tests.server.studio import NoteChannel, NoteHub
from tests.streaming.beats import beat
from tests.streaming.watching import on_air

FAKE_DEVICE = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")


def tone_file(path: Path) -> tuple[str, ...]:
    """Flags by which Chromium takes a tone of half its full scale for its microphone."""
    when = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes((0.5 * 32767 * np.sin(2 * np.pi * 440 * when)).astype(np.int16).tobytes())
    return (*FAKE_DEVICE, f"--use-file-for-fake-audio-capture={path}")


@dataclass
class Hall:
    address: str
    visitors: NoteVisitors
    viewers: WebRtcSink

    @property
    def kiosk(self) -> str:
        return f"{self.address}/kiosk/news"

    async def until(self, true: Callable[[], bool], seconds: float = 15) -> None:
        async with asyncio.timeout(seconds):
            while not true():
                await asyncio.wait([asyncio.get_running_loop().create_future()], timeout=0.01)


@asynccontextmanager
async def hall(
    video: VideoFormat,
    make: Callable[[VideoFormat, int], Beat] = beat,
    *,
    visitors: NoteVisitors | None = None,
    port: int = 0,
) -> AsyncIterator[Hall]:
    """Serve a talking channel called ``news`` that shows what `make` makes."""
    noted = visitors or NoteVisitors()
    with free_socket(port) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        async with WebRtcSink(video, listener=noted) as viewers, on_air(viewers, video, make):
            noted.viewers = viewers
            hub = NoteHub(NoteChannel(viewers, video=video, talk=True))
            app = create_app(hub, token=None, visitors=noted)
            server = uvicorn.Server(
                uvicorn.Config(app, log_level="warning", lifespan="off", timeout_graceful_shutdown=1)
            )
            async with asyncio.TaskGroup() as group:
                group.create_task(server.serve(sockets=[listening]))
                try:
                    yield Hall(address, noted, viewers)
                finally:
                    server.should_exit = True
