"""A desk that behaves like a show's, with outputs and a place for a speaker, but says nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from anchor.broadcast.document import ensure_ids
from anchor.errors import CapacityError, ConflictError, OutputError, RundownError, ScriptError, SignallingError
from anchor.onair import Aired, Breaking, Item, ItemState, OutputInfo, Problem, RunningOrder
from anchor.ports import Answer

# The smallest WebP there is: one lossless pixel.
PIXEL = bytes.fromhex("524946461a000000574542505650384c0d0000002f00000010071011118888fe0700")

DOCUMENT: dict[str, Any] = {
    "title": "Evening bulletin",
    "language": "en",
    "ticker": ["Ferries run again from Friday", "Rain until noon"],
    "segments": [
        {
            "id": "hello", "text": "Good evening. Here is the news.", "mood": "warm",
            "lower_third": {"title": "Evening bulletin", "subtitle": "With Lin, an AI presenter"},
        },
        {
            "id": "harbour", "text": "The harbour grew again this year. <mark name=\"chart\"/> Here are the numbers.",
            "headline": {"text": "Harbour grows", "kicker": "Economy"},
            "chart": {
                "kind": "bar", "labels": ["2022", "2023", "2024"], "series": {"Containers": [310, None, 402]},
                "title": "Containers handled", "unit": "thousand",
            },
        },
        {"id": "weather", "text": "And the weather: rain until noon, then sun.", "pause": 0.5},
        {"id": "bye", "text": "That is all. Good night.", "gesture": ["nod"]},
    ],
}  # fmt: skip


@dataclass
class NoteDesk:
    """Keeps a rundown and airs it segment by segment, whenever `advance` is called. Notes its orders."""

    document: Mapping[str, Any] = field(default_factory=lambda: DOCUMENT)
    version: int = 1
    on_air: int | None = 0
    held: bool = False
    killed: bool = False
    elapsed: float = 2.0
    news: list[Breaking] = field(default_factory=list)
    orders: list[str] = field(default_factory=list)
    lines: list[Aired] = field(default_factory=list)
    wanted: str = ""
    speaking: Callable[[], bool] = lambda: False

    def __post_init__(self) -> None:
        self.document = ensure_ids(self.document)

    @property
    def ids(self) -> list[str]:
        return [segment["id"] for segment in self.document["segments"]]

    def advance(self) -> None:
        """What is on air has been said."""
        if self.on_air is None:
            self.on_air = 0
        else:
            self.lines.insert(0, self._aired(self.on_air, "said"))
            following = self.ids.index(self.wanted) if self.wanted else self.on_air + 1
            self.on_air = following if following < len(self.ids) else None
        self.wanted = ""
        self.elapsed = 0.0

    def _aired(self, index: int, outcome: Literal["said", "cancelled"]) -> Aired:
        segment = self.document["segments"][index]
        return Aired(
            segment["id"], self.document.get("title", ""), str(segment.get("text", "")), "en", "fake", "lin",
            "2026-11-26T18:00:00+00:00", 3.2, outcome,
        )  # fmt: skip

    def order(self) -> RunningOrder:
        items = [self._item(index, segment) for index, segment in enumerate(self.document["segments"])]
        items += [
            Item(f"breaking-{n}", news.text, news.language or "en", "ready", 2.0, breaking=True)
            for n, news in enumerate(self.news, start=1)
        ]
        at = self.on_air
        following = self.wanted or (self.ids[at + 1] if at is not None and at + 1 < len(self.ids) else "")
        return RunningOrder(
            self.version, str(self.document.get("title", "")), self.document, tuple(items),
            on_air=self.ids[at] if at is not None and not self.killed else "", next=following, held=self.held,
            killed=self.killed, lap=1, loop=True, takeover=self.speaking(), elapsed=self.elapsed,
        )  # fmt: skip

    def _item(self, index: int, segment: Mapping[str, Any]) -> Item:
        at = len(self.ids) if self.on_air is None else self.on_air
        state: ItemState = "aired" if index < at else "on air" if index == at else "waiting"
        if index == at + 1:
            state = "ready"
        text = segment.get("text", "")
        shown = next(iter(text.values())) if isinstance(text, Mapping) else str(text)
        return Item(segment["id"], shown, segment.get("language", "en"), state, len(shown) / 14)

    async def check(self, document: Mapping[str, Any]) -> Sequence[Problem]:
        found = []
        for index, segment in enumerate(document.get("segments", [])):
            if not segment.get("text"):
                found.append(Problem("text: there is nothing to say", 1, index, "text"))
            if segment.get("picture") == "missing.png":
                found.append(Problem("picture: there is no file missing.png", 1, index, "picture"))
        return found

    async def edit(self, document: Mapping[str, Any], version: int) -> RunningOrder:
        if version != self.version:
            raise ConflictError(f"the rundown has changed: it is at version {self.version}, not {version}")
        if problems := await self.check(document):
            raise RundownError(f"rundown: {problems[0].message}", problems)
        current = self.ids[self.on_air] if self.on_air is not None else ""
        self.document = ensure_ids(document)
        self.version += 1
        self.on_air = self.ids.index(current) if current in self.ids else 0
        return self.order()

    async def breaking(self, news: Breaking) -> str:
        if "FAIL" in news.text:
            raise ScriptError("text: there is nothing to say in it")
        self.news.append(news)
        self.version += 1
        return f"breaking-{len(self.news)}"

    async def hold(self) -> None:
        self.orders.append("hold")
        self.held = True

    async def go(self) -> None:
        self.orders.append("go")
        self.held = self.killed = False

    async def skip(self) -> None:
        self.orders.append("skip")
        self.advance()

    async def jump(self, segment: str) -> None:
        if segment not in self.ids:
            raise KeyError(segment)
        self.orders.append(f"jump {segment}")
        self.wanted = segment

    async def kill(self) -> None:
        self.orders.append("kill")
        self.killed = True

    async def preview(self, document: Mapping[str, Any], segment: int) -> bytes:
        if document["segments"][segment].get("picture") == "missing.png":
            problem = Problem("picture: there is no file missing.png", 1, segment, "picture")
            raise RundownError("rundown: picture: there is no file missing.png", [problem])
        return PIXEL

    async def draft(self, article: str, kind: Literal["text", "markdown", "html"]) -> Mapping[str, Any]:
        title, _, rest = article.strip().partition("\n")
        if not rest.strip():
            raise ScriptError("the article has no text under its title")
        return ensure_ids({"review": "required", "title": title, "segments": [{"text": rest.strip()}]})

    def aired(self, limit: int) -> Sequence[Aired]:
        return self.lines[:limit]


@dataclass
class NoteOutputs:
    """Two outputs: one is live, one has given up."""

    infos: dict[str, OutputInfo] = field(
        default_factory=lambda: {
            "youtube": OutputInfo(
                "youtube", "rtmp", "rtmp://a.example/live/•••", "youtube", "live", 61.0, 4_480_000.0, 61.0
            ),
            "archive": OutputInfo(
                "archive", "file", "/srv/archive", "archive", "failed", 5.0, problem="the disk is full"
            ),
        }
    )

    def outputs(self) -> Sequence[OutputInfo]:
        return list(self.infos.values())

    async def start(self, name: str) -> None:
        if name == "archive":
            raise OutputError("archive: the disk is full; make room")
        self.infos[name] = replace(self.infos[name], state="connecting", since=0.0)

    async def stop(self, name: str) -> None:
        self.infos[name] = replace(self.infos[name], state="stopped", since=0.0, bitrate=0.0)


@dataclass
class NoteTakeover:
    """Lets one speaker in, whatever they offer but nonsense."""

    state: str = ""

    async def join(self, offer: str) -> Answer:
        if self.state:
            raise CapacityError("somebody speaks already; one speaker a channel")
        if not offer.startswith("v=0"):
            raise SignallingError("the SDP offer does not begin with v=0")
        self.state = "on air"
        return Answer("s1", "v=0 answer")

    async def leave(self, speaker: str) -> None:
        if speaker != "s1" or not self.state:
            raise KeyError(speaker)
        self.state = ""
