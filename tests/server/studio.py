"""A hub of real viewers and a channel that writes down what it was told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from anchor.errors import AvatarError, CapacityError, MissingError, SignallingError, VoiceError
from anchor.events import Gesture, Mood, State
from anchor.media import VideoFormat
from anchor.metrics import Metrics
from anchor.onair import Desk, Outputs, VoiceState
from anchor.ports import Answer, AvatarEntry, AvatarInfo, ViewerSink
from anchor.server.api import ChannelInfo, create_app
from anchor.server.health import Health
from anchor.server.logs import RecentLog
from anchor.server.takeover import Takeover
from anchor.server.visitors import Visitors
from streaming.peer import WebRtcSink
from tests.server.newsroom import PIXEL, NoteDesk, NoteOutputs, NoteTakeover

VIDEO = VideoFormat(320, 240, 25)


@dataclass
class NotePerformance:
    """Lets one performer in, whatever they offer but nonsense."""

    performer: str = ""

    async def join(self, offer: str) -> Answer:
        if self.performer:
            raise CapacityError("somebody performs already; one performer a channel")
        if not offer.startswith("v=0"):
            raise SignallingError("the SDP offer does not begin with v=0")
        self.performer = "p1"
        return Answer(self.performer, "v=0 answer")

    async def leave(self, performer: str) -> None:
        if performer != self.performer:
            raise KeyError(performer)
        self.performer = ""


@dataclass
class NoteChannel:
    """Says nothing, but remembers; speaks English only, and has room for three utterances."""

    viewers: ViewerSink
    said: list[dict[str, object]] = field(default_factory=list)
    interrupts: int = 0
    manners: list[tuple[Mood | None, State | None, tuple[Gesture, ...]]] = field(default_factory=list)
    video: VideoFormat = VIDEO
    avatar: str = "lin"
    notice: str = ""
    performance: NotePerformance = field(default_factory=lambda: NotePerformance())
    talk: bool = False
    show: NoteDesk | None = None
    sent: NoteOutputs = field(default_factory=NoteOutputs)
    takeover: Takeover = field(default_factory=NoteTakeover)

    @property
    def desk(self) -> Desk:
        if self.show is None:
            raise MissingError("channel news has no show")
        return self.show

    @property
    def outputs(self) -> Outputs:
        return self.sent

    async def cast(self, name: str) -> None:
        if name not in ("lin", "mei"):
            raise MissingError(f"there is no avatar {name!r}; there are: lin, mei")
        self.avatar, self.notice = name, ""

    def hls(self) -> Path | None:
        return None

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
        if language not in (None, "en"):
            raise VoiceError(f"the voice does not speak {language!r}")
        if len(self.said) >= 3:
            raise CapacityError("three utterances are waiting already")
        note = {"text": text, "interrupt": interrupt, "priority": priority, "language": language}
        manner = {"mood": mood, "gestures": tuple(gestures)}
        self.said.append(note | {key: value for key, value in manner.items() if value})
        return f"utterance-{len(self.said)}"

    async def behave(self, *, mood: Mood | None, state: State | None, gestures: Sequence[Gesture]) -> None:
        self.manners.append((mood, state, tuple(gestures)))

    async def interrupt(self) -> bool:
        self.interrupts += 1
        return bool(self.said)

    def state(self) -> ChannelInfo:
        return ChannelInfo(
            "news",
            "Evening <News> & more",
            self.avatar,
            "en",
            self.video,
            self.viewers.viewers,
            False,
            waiting=len(self.said),
            notice=self.notice,
            performing="waiting" if self.performance.performer else "",
            talk=self.talk,
            show=self.show is not None,
            speaker=self.takeover.state,
        )


@dataclass
class NoteHub:
    news: NoteChannel
    on_air: bool = True
    speakers: Sequence[VoiceState] = (
        VoiceState("espeak", "espeak-ng", ("en", "zh-CN"), "GPL-3.0", phone_timings=True),
    )

    def channels(self) -> Sequence[ChannelInfo]:
        return [self.news.state()]

    def channel(self, name: str) -> NoteChannel:
        return {"news": self.news}[name]

    def voices(self) -> Sequence[VoiceState]:
        return self.speakers

    async def avatars(self) -> Sequence[AvatarEntry]:
        details = {"scope": "news", "until": "2030-12-31"}
        lin = AvatarInfo("lin", "Lin", "puppet", ("blendshapes",), "Apache-2.0", ("zh", "en"), details)
        mei = AvatarInfo("mei", "Mei <b>", "footage", ("blendshapes",), "all rights reserved", (), details)
        return [
            AvatarEntry("lin", Path("lin"), "1", lin),
            AvatarEntry("mei", Path("mei"), "1", mei),
            AvatarEntry("old", Path("old"), "1", problem="old/avatar.toml: consent.until: ended on 2020-01-01"),
        ]

    async def poster(self, name: str) -> bytes:
        if name == "old":
            raise AvatarError("avatar 'old' cannot be used: its consent has ended")
        if name not in ("lin", "mei"):
            raise MissingError(f"there is no avatar {name!r}")
        return PIXEL

    def ready(self) -> bool:
        return self.on_air


@asynccontextmanager
async def opened(
    *,
    token: str | None = None,
    max_viewers: int = 4,
    ice_servers: Sequence[str] = (),
    host: str = "127.0.0.1:8010",
    visitors: Visitors | None = None,
    desk: NoteDesk | None = None,
    health: Health | None = None,
    log: RecentLog | None = None,
) -> AsyncIterator[tuple[httpx.AsyncClient, NoteHub]]:
    """A client of the application, and the hub behind it."""
    async with WebRtcSink(VIDEO, max_viewers=max_viewers) as viewers:
        hub = NoteHub(NoteChannel(viewers, talk=visitors is not None, show=desk))
        app = create_app(
            hub, token=token, registry=Metrics().registry, ice_servers=ice_servers, visitors=visitors, health=health,
            log=log,
        )  # fmt: skip
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}") as client:
            yield client, hub
