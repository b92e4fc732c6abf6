"""A real server on a real port, and a real Chromium that looks at it."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
import uvicorn
from playwright.async_api import Page, async_playwright

from anchor.media import Beat, VideoFormat
from anchor.server.api import create_app
from anchor.server.health import Health
from anchor.server.logs import RecentLog
from streaming.peer import WebRtcSink
from tests.server.newsroom import NoteDesk
from tests.server.studio import NoteChannel, NoteHub
from tests.streaming.beats import beat
from tests.streaming.watching import on_air

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

FLAGS = (
    # Loopback candidates, which Chromium leaves out by default: tests run on machines without a network too.
    "--allow-loopback-in-peer-connection",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

# Keeps the connections that a page makes, so that a test can ask for their statistics.
KEEP_CONNECTIONS = """
window.connections = [];
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...values) { super(...values); window.connections.push(this); }
};
"""


def chromium() -> str:
    """Where Chromium is. Skips the test without one, but fails where tests are promised to be complete."""
    found = next((path for path in map(shutil.which, NAMES) if path), None)
    if found is None and os.environ.get("CI"):
        pytest.fail("no Chromium here, and CI must test the pages: install chromium")
    if found is None:
        pytest.skip("no Chromium on this machine")
    return found


@asynccontextmanager
async def page(*, width: int = 1280, height: int = 800, flags: Sequence[str] = ()) -> AsyncIterator[Page]:
    """A page of a fresh browser. An error in its scripts fails the test."""
    errors: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=[*FLAGS, *flags])
        try:
            opened = await browser.new_page(viewport={"width": width, "height": height}, locale="en-GB")
            await opened.add_init_script(KEEP_CONNECTIONS)
            opened.on("pageerror", lambda error: errors.append(str(error)))
            yield opened
        finally:
            await browser.close()
    assert errors == [], errors


async def until(shown: Page, script: str, seconds: float = 15) -> None:
    """Wait until an expression is true in the page; Playwright's own way needs eval, which our pages forbid."""
    async with asyncio.timeout(seconds):
        while not await shown.evaluate(script):
            await shown.wait_for_timeout(20)


@dataclass
class Studio:
    """A server that can be stopped and started again on its port."""

    address: str
    hub: NoteHub
    viewers: WebRtcSink


def free_socket(port: int = 0) -> socket.socket:
    opened = socket.socket()
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    opened.bind(("127.0.0.1", port))
    return opened


@asynccontextmanager
async def studio(
    video: VideoFormat,
    make: Callable[[VideoFormat, int], Beat] = beat,
    *,
    port: int = 0,
    max_viewers: int = 4,
    token: str | None = None,
    desk: NoteDesk | None = None,
    health: Health | None = None,
    log: RecentLog | None = None,
) -> AsyncIterator[Studio]:
    """Serve a channel called ``news`` that shows what `make` makes; with a `desk` it has a show."""
    with free_socket(port) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        async with WebRtcSink(video, max_viewers=max_viewers) as viewers, on_air(viewers, video, make):
            hub = NoteHub(NoteChannel(viewers, video=video, show=desk))
            app = create_app(hub, token=token, health=health, log=log)
            server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
            async with asyncio.TaskGroup() as group:
                group.create_task(server.serve(sockets=[listening]))
                try:
                    yield Studio(address, hub, viewers)
                finally:
                    server.should_exit = True
