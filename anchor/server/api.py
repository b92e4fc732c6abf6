"""The HTTP side of the live server: pages, watching, driving an anchor, operations."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar
from urllib.parse import quote

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import RedirectResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from pydantic import BaseModel, ConfigDict, Field

import anchor
from anchor.errors import MissingError
from anchor.events import Gesture, Mood, State
from anchor.media import VideoFormat
from anchor.onair import Desk, Outputs, VoiceStanding, VoiceState
from anchor.ports import AvatarEntry, AvatarInfo, ViewerSink
from anchor.server import demo_bank as demo
from anchor.server.auth import Operator, SameSite
from anchor.server.health import Health
from anchor.server.hls import hls
from anchor.server.kiosk import kiosks
from anchor.server.logs import RecentLog
from anchor.server.mocap import Performance, mocap
from anchor.server.onair import rundowns, shows, watching
from anchor.server.pages import Page, Pages, assets
from anchor.server.refusals import MAX_TEXT, BodyLimit, answer_errors
from anchor.server.sessions import LANGUAGE, attending, visiting
from anchor.server.takeover import Takeover, takeovers
from anchor.server.visitors import Visitors
from anchor.server.whip_whep import browser_servers, whep


@dataclass(frozen=True, slots=True)
class ChannelInfo:
    """A channel as the outside sees it now. `burned_captions`: the picture carries them, so a page need not.

    `avatar` is empty while nobody is shown; `notice` says why. `performing` is empty without a performer, else what
    their camera shows: waiting, no face, calibrating or driving.
    """

    name: str
    title: str
    avatar: str
    language: str
    video: VideoFormat
    viewers: int
    speaking: bool
    utterance: str | None = None
    waiting: int = 0
    burned_captions: bool = False
    notice: str = ""
    performing: str = ""
    lips: str = ""
    """What the mouth was last made from: voice, aligned, network or energy."""
    talk: bool = False
    """Visitors converse with its anchor, each on a stream of their own, so there is none to watch."""
    show: bool = False
    """It has a running order, outputs and a place for a speaker: see `anchor.onair`."""
    speaker: str = ""
    """Of who speaks in place of the show: connecting, waiting or on air; empty with nobody there."""


class Channel(Protocol):
    """One anchor on one stream."""

    @property
    def viewers(self) -> ViewerSink: ...

    @property
    def performance(self) -> Performance:
        """Where a performer's camera comes in."""
        ...

    # Of a channel that has no show, these three raise `MissingError`.

    @property
    def desk(self) -> Desk: ...

    @property
    def outputs(self) -> Outputs: ...

    @property
    def takeover(self) -> Takeover: ...

    def hls(self) -> Path | None:
        """The folder of its HLS output, where it has one."""
        ...

    async def say(
        self,
        text: str,
        *,
        interrupt: bool,
        priority: int,
        language: str | None,
        mood: Mood | None = None,
        gestures: Sequence[Gesture] = (),
    ) -> str:
        """Queue speech and return the utterance's id. Raises `AnchorError`, `CapacityError` for a full queue."""
        ...

    async def behave(self, *, mood: Mood | None, state: State | None, gestures: Sequence[Gesture]) -> None:
        """Change how the anchor carries itself, and make gestures now; what is None stays."""
        ...

    async def cast(self, name: str) -> None:
        """Show another avatar from the next beat on. Raises `AnchorError` for one that cannot be shown."""
        ...

    async def interrupt(self) -> bool:
        """Stop speaking at the next beat; whether something was being said."""
        ...

    def state(self) -> ChannelInfo: ...


class Hub(Protocol):
    """What the server needs of the process it belongs to."""

    def channels(self) -> Sequence[ChannelInfo]: ...

    def channel(self, name: str) -> Channel:
        """Raises `KeyError` for an unknown name."""
        ...

    def voices(self) -> Sequence[VoiceState]: ...

    async def avatars(self) -> Sequence[AvatarEntry]: ...

    async def poster(self, name: str) -> bytes:
        """A WebP picture of an avatar. Raises `MissingError`, and `AvatarError` for one that cannot be used."""
        ...

    def ready(self) -> bool:
        """All channels are on air."""
        ...


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class SayRequest(_Body):
    """What to say. `interrupt` cuts off what is being said; the higher `priority` goes first."""

    text: str = Field(min_length=1, max_length=MAX_TEXT, pattern=r"\S")
    interrupt: bool = False
    priority: int = Field(default=10, ge=-100, le=100)
    mood: Mood | None = None
    gestures: list[Gesture] = Field(default=[], max_length=8)
    language: str | None = Field(default=None, pattern=LANGUAGE)


class MannerRequest(_Body):
    """How to carry oneself: the mood of all that brings none of its own, and what to do while silent."""

    mood: Mood | None = None
    state: State | None = None
    gestures: list[Gesture] = Field(default=[], max_length=8)


class CastRequest(_Body):
    """Who to show, by the name under which it is listed."""

    avatar: str = Field(min_length=1, max_length=80)


class SayResponse(_Body):
    utterance: str


class InterruptResponse(_Body):
    interrupted: bool


class ErrorResponse(_Body):
    error: str


class ChannelModel(_Body):
    name: str
    title: str
    avatar: str
    language: str
    width: int
    height: int
    fps: int
    viewers: int
    speaking: bool
    utterance: str | None
    waiting: int
    notice: str
    performing: str
    lips: str
    talk: bool
    show: bool
    speaker: str

    @classmethod
    def of(cls, info: ChannelInfo) -> ChannelModel:
        video = info.video
        values: dict[str, Any] = {name: getattr(info, name) for name in cls.model_fields if hasattr(info, name)}
        return cls(width=video.width, height=video.height, fps=video.fps, **values)


class VoiceModel(_Body):
    """A voice as it is now. `problem`: why it rests or is silenced, or what was not heard of it lately.

    `speaking`: the last sentence was its own. `switches`: sentences that the next voice took over; `swallowed`:
    sentences of which words were not heard.
    """

    name: str
    engine: str
    languages: list[str]
    licence: str
    phone_timings: bool
    moods: list[str]
    state: VoiceStanding
    problem: str
    speaking: bool
    sentences: int
    switches: int
    swallowed: int

    @classmethod
    def of(cls, state: VoiceState) -> VoiceModel:
        values = asdict(state)
        return cls(**values | {"languages": list(state.languages), "moods": list(state.moods)})


class AvatarModel(_Body):
    """An avatar; one with a `problem` cannot be used, and has neither consent nor poster."""

    name: str
    title: str
    kind: str
    licence: str
    languages: list[str]
    scope: str | None
    until: str | None
    poster: str | None
    problem: str | None

    @classmethod
    def of(cls, entry: AvatarEntry) -> AvatarModel:
        info = entry.info or AvatarInfo(entry.name, entry.name, "", ("blendshapes",), "")
        return cls(
            name=entry.name, title=info.title, kind=info.kind, licence=info.licence, languages=list(info.languages),
            scope=info.details.get("scope"), until=info.details.get("until"), problem=entry.problem or None,
            poster=f"/api/v1/avatars/{quote(entry.name)}/poster.webp?v={entry.version}" if entry.info else None,
        )  # fmt: skip


def create_app(
    hub: Hub,
    *,
    token: str | None,
    registry: CollectorRegistry | None = None,
    ice_servers: Sequence[str] = (),
    visitors: Visitors | None = None,
    demo_bank: bool = False,
    health: Health | None = None,
    log: RecentLog | None = None,
) -> FastAPI:
    """The ASGI application. `ice_servers` are passed on to viewers as they are given to `streaming.peer.WebRtcSink`.

    `visitors` are those of the channels that talk, where there are any; `demo_bank`: an invented bank answers too.
    `health` and `log` are what operators see of the last minutes; nothing without.

    Run it on loopback only when `token` is None; `anchor.server.auth.check_bind` says so before the port is opened.
    """
    app = FastAPI(
        title="anchor-live",
        version=anchor.__version__,
        description="Watch an AI anchor, and tell it what to say.",
        docs_url=None,
        redoc_url=None,
    )
    guard = Operator(token)
    operator = Depends(guard)
    pages = Pages()
    find = _finder(hub)
    app.add_middleware(BodyLimit)
    app.add_middleware(SameSite, loopback_only=token is None)
    answer_errors(app)
    app.include_router(_operations(hub, registry, operator))
    app.include_router(_driving(hub, find), dependencies=[operator], responses=_errors(401, 403))
    performing = mocap(lambda name: find(name).performance)
    app.include_router(performing, dependencies=[operator], responses=_errors(400, 401, 403, 404, 409, 415))
    for router in _on_air(find, health, log):
        app.include_router(router, dependencies=[operator], responses=_errors(400, 401, 403, 404, 409, 415, 422))
    app.include_router(whep(_watched(find), ice_servers), responses=_errors(400, 404, 415, 503))
    app.include_router(hls(_streamed(find)), responses=_errors(404))
    if visitors is not None:
        app.include_router(visiting(visitors, guard))
        app.include_router(attending(visitors), dependencies=[operator], responses=_errors(401, 403))
        app.include_router(
            kiosks(visitors, lambda name: hub.poster(hub.channel(name).state().avatar), pages, ice_servers)
        )
    if demo_bank:
        app.include_router(demo.router())
    app.include_router(_pages(hub, pages, ice_servers, needs_token=token is not None))
    app.include_router(assets(pages))
    return app


def _errors(*codes: int) -> dict[int | str, dict[str, Any]]:
    return {code: {"model": ErrorResponse} for code in codes}


Part = TypeVar("Part")


class _Finder(Protocol):
    def __call__(self, name: str) -> Channel: ...


def _finder(hub: Hub) -> _Finder:
    def find(name: str) -> Channel:
        try:
            return hub.channel(name)
        except KeyError:
            raise HTTPException(404, f"there is no channel {name!r}") from None

    return find


def _on_air(find: _Finder, health: Health | None, log: RecentLog | None) -> list[APIRouter]:
    def desk(name: str) -> Desk:
        return _shown(lambda: find(name).desk)

    def outputs(name: str) -> Outputs:
        return _shown(lambda: find(name).outputs)

    def takeover(name: str) -> Takeover:
        return _shown(lambda: find(name).takeover)

    return [rundowns(desk), shows(desk, outputs), takeovers(takeover), watching(find, health, log)]


def _shown(part: Callable[[], Part]) -> Part:
    try:
        return part()
    except MissingError as error:
        raise HTTPException(404, str(error)) from None


def _streamed(find: _Finder) -> Callable[[str], Path]:
    def folder(name: str) -> Path:
        found = find(name).hls()
        if found is None:
            raise HTTPException(404, f"channel {name!r} has no HLS output")
        return found

    return folder


def _watched(find: _Finder) -> Callable[[str], ViewerSink]:
    def viewers(name: str) -> ViewerSink:
        channel = find(name)
        if channel.state().talk:
            raise HTTPException(404, f"nobody watches {name!r}, visitors talk with it: open /kiosk/{name}")
        return channel.viewers

    return viewers


def _operations(hub: Hub, registry: CollectorRegistry | None, operator: Any) -> APIRouter:
    router = APIRouter(tags=["operations"])

    @router.get("/healthz", summary="The process runs")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @router.get("/readyz", summary="All channels are on air", responses=_errors(503))
    async def readyz() -> dict[str, str]:
        if not hub.ready():
            raise HTTPException(503, "not all channels are on air", {"Retry-After": "1"})
        return {"status": "ready"}

    @router.get("/metrics", summary="Prometheus metrics", response_class=Response, dependencies=[operator])
    async def metrics() -> Response:
        text = generate_latest(registry) if registry is not None else b""
        return Response(text, headers={"Content-Type": CONTENT_TYPE_LATEST})

    return router


def _driving(hub: Hub, find: _Finder) -> APIRouter:
    router = APIRouter(prefix="/api/v1", tags=["drive"])

    @router.get("/channels", summary="The channels and what they do now")
    async def channels() -> list[ChannelModel]:
        return [ChannelModel.of(info) for info in hub.channels()]

    @router.get("/channels/{channel}", summary="One channel", responses=_errors(404))
    async def channel_state(channel: str) -> ChannelModel:
        return ChannelModel.of(find(channel).state())

    @router.get("/voices", summary="What can speak, and how it does")
    async def voices() -> list[VoiceModel]:
        return [VoiceModel.of(state) for state in hub.voices()]

    @router.get("/avatars", summary="Who can be seen")
    async def avatars() -> list[AvatarModel]:
        return [AvatarModel.of(entry) for entry in await hub.avatars()]

    @router.get(
        "/avatars/{avatar}/poster.webp", summary="A picture of an avatar", responses=_errors(404, 422),
        response_class=Response,
    )  # fmt: skip
    async def poster(avatar: str, request: Request) -> Response:
        try:
            return Page(await hub.poster(avatar), "image/webp").respond(request)
        except MissingError as error:
            raise HTTPException(404, str(error)) from None

    @router.post("/channels/{channel}/avatar", summary="Show another avatar", responses=_errors(404, 422))
    async def cast(channel: str, body: CastRequest) -> ChannelModel:
        live = find(channel)
        await live.cast(body.avatar)
        return ChannelModel.of(live.state())

    @router.post(
        "/channels/{channel}/say", status_code=202, summary="Say something", responses=_errors(400, 404, 422, 503)
    )
    async def say(channel: str, body: SayRequest) -> SayResponse:
        utterance = await find(channel).say(
            body.text, interrupt=body.interrupt, priority=body.priority, language=body.language,
            mood=body.mood, gestures=body.gestures,
        )  # fmt: skip
        return SayResponse(utterance=utterance)

    @router.post(
        "/channels/{channel}/manner", status_code=204, summary="Change mood, state or make gestures",
        responses=_errors(404, 422),
    )  # fmt: skip
    async def manner(channel: str, body: MannerRequest) -> None:
        await find(channel).behave(mood=body.mood, state=body.state, gestures=body.gestures)

    @router.post("/channels/{channel}/interrupt", summary="Stop speaking", responses=_errors(404))
    async def interrupt(channel: str) -> InterruptResponse:
        return InterruptResponse(interrupted=await find(channel).interrupt())

    return router


def _pages(hub: Hub, pages: Pages, ice_servers: Sequence[str], *, needs_token: bool) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    async def console(request: Request) -> Response:
        values = {"version": anchor.__version__, "needs_token": "true" if needs_token else "false"}
        return pages.fill("console.html", values).respond(request, camera=True, microphone=True)

    @router.get("/watch/{channel}")
    async def watch(channel: str, request: Request) -> Response:
        try:
            info = hub.channel(channel).state()
        except KeyError:
            return pages.fill("missing.html", {"channel": channel}).respond(request, 404)
        if info.talk:
            return RedirectResponse(f"/kiosk/{quote(info.name)}", 307)
        values = {
            "channel": info.name,
            "title": info.title or info.name,
            "language": info.language,
            "width": info.video.width,
            "height": info.video.height,
            "captions": "picture" if info.burned_captions else "page",
            "ice": json.dumps(browser_servers(ice_servers)),
        }
        return pages.fill("watch.html", values).respond(request)

    @router.get("/docs")
    async def docs(request: Request) -> Response:
        return pages["docs.html"].respond(request)

    return router
