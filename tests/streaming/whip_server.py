"""A WHIP endpoint of aiortc behind real HTTP: what it is sent, it decodes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import av
import uvicorn
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from fastapi import FastAPI, Request, Response

from anchor.config import ServerConfig
from anchor.serve import listen

TOKEN = "letmein"


@dataclass
class Session:
    connection: RTCPeerConnection
    pictures: list[av.VideoFrame] = field(default_factory=list)
    sounds: list[av.AudioFrame] = field(default_factory=list)
    ended: bool = False


class Endpoint:
    """`answers` are handed out, first to last, instead of sessions: a status and headers each."""

    def __init__(self) -> None:
        self.sessions: list[Session] = []
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.answers: list[tuple[int, dict[str, str]]] = []
        self.links = ['<stun:127.0.0.1:9>; rel="ice-server"', '<http://x>; rel="help"']
        self.changed = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.app = FastAPI()
        self.app.add_api_route("/whip/{name}", self.options, methods=["OPTIONS"])
        self.app.add_api_route("/whip/{name}", self.publish, methods=["POST"])
        self.app.add_api_route("/session/{number}", self.end, methods=["DELETE"])

    def _note(self, request: Request) -> None:
        self.requests.append((request.method, request.url.path, dict(request.headers)))
        self.changed.set()

    async def options(self, request: Request) -> Response:
        self._note(request)
        response = Response(status_code=204)
        for link in self.links:
            response.headers.append("link", link)
        return response

    async def publish(self, request: Request) -> Response:
        self._note(request)
        if self.answers:
            status, headers = self.answers.pop(0)
            return Response("<p>no\nway</p>", status, headers)
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return Response("wrong token", 401)
        connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        session = Session(connection)
        connection.on("track", lambda track: self._tasks.append(self._take(session, track)))
        await connection.setRemoteDescription(RTCSessionDescription((await request.body()).decode(), "offer"))
        await connection.setLocalDescription(await connection.createAnswer())
        self.sessions.append(session)
        headers = {"Location": f"../session/{len(self.sessions) - 1}", "ETag": '"1"'}
        return Response(connection.localDescription.sdp, 201, headers, "application/sdp")

    def _take(self, session: Session, track: Any) -> asyncio.Task[None]:
        async def take() -> None:
            try:
                while True:
                    frame = await track.recv()
                    (session.pictures if track.kind == "video" else session.sounds).append(frame)
                    self.changed.set()
            except MediaStreamError:
                pass

        return asyncio.get_running_loop().create_task(take())

    async def end(self, number: int, request: Request) -> Response:
        self._note(request)
        self.sessions[number].ended = True
        await self.sessions[number].connection.close()
        return Response(status_code=200)

    async def until(self, true: Callable[[], bool], seconds: float = 10) -> None:
        async with asyncio.timeout(seconds):
            while not true():
                self.changed.clear()
                try:
                    async with asyncio.timeout(0.1):
                        await self.changed.wait()
                except TimeoutError:
                    pass  # what is waited for may be the sender's

    async def close(self) -> None:
        for session in self.sessions:
            await session.connection.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def endpoint() -> AsyncIterator[tuple[Endpoint, str]]:
    """The endpoint and its address."""
    served = Endpoint()
    with listen(ServerConfig(port=0)) as listening:
        web = uvicorn.Server(uvicorn.Config(served.app, log_level="error", lifespan="off", timeout_graceful_shutdown=1))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(web.serve(sockets=[listening]))
            try:
                yield served, f"http://127.0.0.1:{listening.getsockname()[1]}/whip/news"
            finally:
                await served.close()
                web.should_exit = True
