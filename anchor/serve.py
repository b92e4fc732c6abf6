"""``anchor serve``: the HTTP server and the studio in one event loop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import AsyncIterator, Callable
from functools import partial

import uvicorn

from anchor.app import Studio
from anchor.clock import LoopClock
from anchor.config import Config, ServerConfig
from anchor.errors import OutputError
from anchor.server.api import create_app
from anchor.server.auth import check_bind
from anchor.server.health import Health
from anchor.server.logs import RecentLog

SHUTDOWN_SECONDS = 3


async def serve(config: Config, tell: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM comes. Raises `OutputError` when the port is taken."""
    server = config.server
    check_bind(server.host, server.token)
    listening = listen(server)
    host, port = listening.getsockname()[:2]
    with listening:
        address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        studio = Studio(config, address)
        recent = RecentLog([server.token])
        health = Health(studio.metrics.registry, partial(_bitrates, studio))
        web = create_app(
            studio, token=server.token, registry=studio.metrics.registry, ice_servers=server.ice_servers,
            visitors=studio.visitors, demo_bank=server.demo_bank, health=health, log=recent,
        )  # fmt: skip
        settings = uvicorn.Config(
            web, log_level="warning", access_log=False, lifespan="off", timeout_graceful_shutdown=SHUTDOWN_SECONDS,
            server_header=False,
        )  # fmt: skip
        web_server = uvicorn.Server(settings)
        # uvicorn would send itself the signal once more when it is done, and cut our own ending short.
        web_server.capture_signals = contextlib.nullcontext  # type: ignore[assignment,method-assign]
        ending = _Ending(web_server)
        for signal_number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(signal_number, ending.ask, signal_number)
        async with _remembered(recent), studio.on_air(), _measured(health):
            tell(f"The operator page is at {address}/ (Ctrl-C stops the server)")
            for channel in config.channels:
                how, page = ("Talk with", "kiosk") if channel.talk is not None else ("Watch", "watch")
                tell(f"{how} {channel.name} at {address}/{page}/{channel.name}")
            await web_server.serve(sockets=[listening])
            await studio.stop(finish=ending.finish)


@contextlib.asynccontextmanager
async def _remembered(recent: RecentLog) -> AsyncIterator[None]:
    """Operators see what is logged meanwhile."""
    root = logging.getLogger()
    root.addHandler(recent)
    try:
        yield
    finally:
        root.removeHandler(recent)


@contextlib.asynccontextmanager
async def _measured(health: Health) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as tasks:
        measuring = tasks.create_task(health.run(LoopClock()))
        try:
            yield
        finally:
            measuring.cancel()


def _bitrates(studio: Studio, name: str) -> dict[str, float]:
    channel = studio.channel(name)
    return {output.name: output.bitrate for output in channel.outputs.outputs()} if channel.state().show else {}


class _Ending:
    """Ctrl-C ends at once; SIGTERM, as service managers send it, lets sentences be finished."""

    def __init__(self, server: uvicorn.Server) -> None:
        self.finish = False
        self._server = server

    def ask(self, number: int) -> None:
        self.finish = number == signal.SIGTERM and not self._server.should_exit
        self._server.should_exit = True


def listen(server: ServerConfig) -> socket.socket:
    """Open the port before anything else is started, so that a taken one is told at once."""
    family = socket.AF_INET6 if ":" in server.host else socket.AF_INET
    listening = socket.socket(family)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((server.host, server.port))
    except OSError as error:
        listening.close()
        raise OutputError(
            f"cannot listen on {server.host}:{server.port}: {error.strerror}; choose another port with --port"
        ) from error
    return listening
