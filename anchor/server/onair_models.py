"""What the API takes and gives of a show on air; see `anchor.onair`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from anchor.events import LowerThird
from anchor.onair import Aired, Breaking, ItemState, OutputInfo, OutputState, Problem, RunningOrder
from anchor.server.refusals import MAX_TEXT
from anchor.server.sessions import LANGUAGE

LONGEST_ARTICLE = 500_000
"""Characters; a long newspaper article has 20,000."""


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class ProblemModel(_Body):
    """What is wrong: `line` in the YAML, from 1; `segment` from 0, null for the rundown as a whole."""

    message: str
    line: int
    segment: int | None
    key: str

    @classmethod
    def of(cls, problem: Problem) -> ProblemModel:
        return cls(message=problem.message, line=problem.line, segment=problem.segment, key=problem.key)


class ItemModel(_Body):
    """A segment in the running order. `seconds` it took, or is thought to take."""

    id: str
    text: str
    language: str
    state: ItemState
    seconds: float | None
    problem: str
    breaking: bool


class OrderModel(_Body):
    """A show as it is now. `document` is null where the version asked for is still right."""

    version: int
    title: str
    document: dict[str, Any] | None
    items: list[ItemModel]
    on_air: str
    next: str
    held: bool
    killed: bool
    lap: int
    loop: bool
    next_start: str
    takeover: bool
    elapsed: float | None

    @classmethod
    def of(cls, order: RunningOrder, known: int | None = None) -> OrderModel:
        return cls(
            version=order.version, title=order.title, on_air=order.on_air, next=order.next, held=order.held,
            document=None if known == order.version else dict(order.document),
            items=[ItemModel(**{name: getattr(item, name) for name in ItemModel.model_fields}) for item in order.items],
            killed=order.killed, lap=order.lap, loop=order.loop, next_start=order.next_start, takeover=order.takeover,
            elapsed=order.elapsed,
        )  # fmt: skip


class EditRequest(_Body):
    """The whole rundown, and the version that it was made from."""

    document: dict[str, Any]
    version: int = Field(ge=0)


class CheckRequest(_Body):
    """A rundown as a document or as YAML."""

    document: dict[str, Any] | None = None
    yaml: str | None = Field(default=None, max_length=2**21)

    @model_validator(mode="after")
    def _one(self) -> CheckRequest:
        if (self.document is None) == (self.yaml is None):
            raise ValueError("either document or yaml is needed")
        return self


class CheckResponse(_Body):
    """`document` and `yaml` are the rundown that was checked, null where it is no YAML; lines are those of `yaml`."""

    problems: list[ProblemModel]
    document: dict[str, Any] | None
    yaml: str | None


class PreviewRequest(_Body):
    document: dict[str, Any]
    segment: int = Field(ge=0)


class DraftRequest(_Body):
    article: str = Field(min_length=1, max_length=LONGEST_ARTICLE, pattern=r"\S")
    kind: Literal["text", "markdown", "html"] = "text"


class DraftResponse(_Body):
    """A rundown for review; nothing of it is aired before somebody applies it."""

    document: dict[str, Any]


class JumpRequest(_Body):
    segment: str = Field(min_length=1, max_length=200)


class LowerThirdModel(_Body):
    title: str = Field(min_length=1, max_length=200)
    subtitle: str = Field(default="", max_length=200)


class BreakingRequest(_Body):
    """News that goes in at the next sentence end."""

    text: str = Field(min_length=1, max_length=MAX_TEXT, pattern=r"\S")
    language: str | None = Field(default=None, pattern=LANGUAGE)
    headline: str = Field(default="", max_length=200)
    lower_third: LowerThirdModel | None = None

    def news(self) -> Breaking:
        third = self.lower_third
        return Breaking(
            self.text, self.language or "", self.headline, LowerThird(third.title, third.subtitle) if third else None
        )


class BreakingResponse(_Body):
    item: str


class AiredModel(_Body):
    segment: str
    rundown: str
    text: str
    language: str
    voice: str
    avatar: str
    started: str
    seconds: float
    outcome: str

    @classmethod
    def of(cls, line: Aired) -> AiredModel:
        return cls(**asdict(line))


class OutputModel(_Body):
    """An output as it is now: `bitrate` in bits a second, `dropped` beats, `since` seconds in its state."""

    name: str
    kind: str
    address: str
    profile: str
    state: OutputState
    since: float
    bitrate: float
    sent_seconds: float
    dropped: int
    attempts: int
    problem: str

    @classmethod
    def of(cls, info: OutputInfo) -> OutputModel:
        return cls(**asdict(info))


class SampleModel(_Body):
    """One second of a channel; what was not measured in it is null."""

    at: str
    viewers: int
    late: int
    lag_ms: float | None
    first_word_seconds: float | None
    bitrates: dict[str, float]


class HealthResponse(_Body):
    """Samples after the number asked for, at most those of ten minutes; `last` is the number of the newest."""

    last: int
    samples: list[SampleModel]


class RecordModel(_Body):
    number: int
    at: str
    level: str
    logger: str
    message: str


class LogResponse(_Body):
    last: int
    records: list[RecordModel]


def told(problems: Sequence[Problem]) -> list[Mapping[str, Any]]:
    return [ProblemModel.of(problem).model_dump() for problem in problems]
