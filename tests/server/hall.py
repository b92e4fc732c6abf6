"""A hall with one talking channel called ``news``, whose visitors are written down, and who hear what a test tells."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from anchor.errors import CapacityError, MissingError, RecognizerError, ScriptError
from anchor.media import Samples
from anchor.ports import ViewerSink
from anchor.server.visitors import Button, KioskInfo, Line, SessionInfo, Visit

KIOSK = KioskInfo(
    "Harbour Bank <Hall>",
    ("en", "zh-CN"),
    privacy={"en": "Your voice is not recorded.", "zh-CN": "您的声音不会被录制。"},
    buttons=(
        Button({"en": "Opening hours", "zh-CN": "营业时间"}, {"en": "When are you open?", "zh-CN": "几点开门？"}),
        Button({"en": "Lost card", "zh-CN": "银行卡挂失"}, {"en": "I lost my card.", "zh-CN": "我的卡丢了。"}),
        Button(
            {"en": "Transfer fees", "zh-CN": "转账费用"}, {"en": "What does a transfer cost?", "zh-CN": "转账收费吗？"}
        ),
    ),
    contact={"en": "counter 1", "zh-CN": "1号柜台"},
)


@dataclass
class NoteVisitors:
    """One session at a time; a listener that remembers what the page said and how much of it was heard."""

    viewers: ViewerSink | None = None
    room: int = 4
    languages: tuple[str, ...] = KIOSK.languages
    opened: list[dict[str, str | None]] = field(default_factory=list)
    keys: dict[str, str] = field(default_factory=dict)
    infos: dict[str, SessionInfo] = field(default_factory=dict)
    done: list[tuple[str, ...]] = field(default_factory=list)
    messages: list[Mapping[str, Any]] = field(default_factory=list)
    comings: list[str] = field(default_factory=list)
    loudness: float = 0.0
    samples: int = 0

    # What the page does, as `anchor.talk.Listener`.

    def hear(self, sound: Samples, at: float) -> None:
        self.samples += len(sound)
        self.loudness = max(self.loudness, float(abs(sound).max(initial=0.0)))

    def told(self, message: Mapping[str, Any]) -> None:
        self.messages.append(message)

    def arrived(self) -> None:
        self.comings.append("arrived")
        session = next(reversed(self.keys))
        resumed = bool(self.opened[-1]["session"])
        self.tell(
            "session", session=session, language=self.infos[session].language, languages=list(self.languages),
            resumed=resumed, hearing={"available": True, "why": ""},
        )  # fmt: skip
        if resumed:
            entries = [{"who": line.who, "text": line.text, "language": line.language} for line in LINES]
            self.tell("log", entries=entries)
        self.tell("mode", mode="listening")

    def left(self) -> None:
        self.comings.append("left")

    def tell(self, kind: str, **values: object) -> None:
        assert self.viewers is not None
        self.viewers.tell({"type": kind, **values})

    def sent(self, kind: str) -> list[Mapping[str, Any]]:
        return [message for message in self.messages if message.get("type") == kind]

    # What the server does.

    def kiosk(self, channel: str) -> KioskInfo:
        _check(channel)
        return replace(KIOSK, languages=self.languages)

    async def open(
        self, channel: str, offer: str, *, language: str | None, session: str | None, key: str | None
    ) -> Visit:
        _check(channel)
        if self.room < 1:
            raise CapacityError("all anchors are talking; please wait a moment")
        answer = await self.viewers.join(offer) if self.viewers is not None else None
        resumed = session in self.keys and secrets.compare_digest(self.keys[session or ""], key or "")
        name = session if resumed and session else f"s{len(self.keys) + 1}"
        self.opened.append({"channel": channel, "language": language, "session": name if resumed else None})
        if not resumed:
            self.keys[name] = secrets.token_urlsafe(24)
            self.infos[name] = SessionInfo(
                name, channel, "listening", language or "en", 12.5, lines=LINES,
                latencies=TURNS,
            )  # fmt: skip
        return Visit(name, self.keys[name], answer.sdp if answer is not None else "v=0 answer", resumed)

    def _prove(self, session: str, key: str) -> None:
        if not secrets.compare_digest(self.keys[session].encode(), key.encode()):
            raise KeyError(session)

    async def close(self, session: str, key: str) -> None:
        self._prove(session, key)
        self.done.append(("close", session))
        self._forget(session)

    async def say_text(self, session: str, key: str, text: str) -> None:
        self._prove(session, key)
        self.done.append(("text", session, text))

    async def hear_file(self, session: str, key: str, data: bytes) -> str:
        self._prove(session, key)
        if not data.startswith(b"RIFF"):
            raise RecognizerError("the recording cannot be read; send WAV, MP3, Ogg or WebM")
        return f"{len(data)} bytes of speech"

    def sessions(self) -> Sequence[SessionInfo]:
        return list(self.infos.values())

    async def transcript(self, session: str) -> Sequence[Line]:
        return (*self.infos[session].lines, Line("anchor", "Anything else?", "en", 9.0))

    async def take(self, session: str, who: str) -> None:
        self.infos[session] = replace(self.infos[session], mode="person", person=who or "A colleague")
        self.done.append(("take", session, who))

    async def release(self, session: str) -> None:
        self.infos[session] = replace(self.infos[session], mode="listening", person="")
        self.done.append(("release", session))

    async def say_as_person(self, session: str, text: str) -> None:
        if not self.infos[session].person:
            raise ScriptError("take the conversation over first")
        self.done.append(("say", session, text))

    async def end(self, session: str) -> None:
        self.done.append(("end", session))
        self._forget(session)

    def _forget(self, session: str) -> None:
        del self.keys[session]
        del self.infos[session]


TURNS = (
    {"endpoint": 0.3, "hearing": 0.2, "dialogue": 0.35, "voice": 0.12},
    {"endpoint": 0.3, "hearing": 0.25, "dialogue": 0.5, "voice": 0.1},
)
LINES = (
    Line("visitor", "When are you open?", "en", 2.0),
    Line("anchor", "We are open from nine to five on working days.", "en", 3.5),
)


def _check(channel: str) -> None:
    if channel == "bulletin":
        raise MissingError("channel 'bulletin' does not talk: it has no [channels.talk]")
    if channel != "news":
        raise KeyError(channel)
