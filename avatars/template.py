"""Templates: what a channel's graphics look like, in TOML. Sizes are shares of the shorter side of the picture."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from anchor.config import read_toml
from anchor.errors import ConfigError, MissingError
from avatars.overlay import Colour

FOLDER = Path(str(resources.files("avatars"))) / "templates"

CONTRAST = 4.5
"""Least contrast of letters to what is behind them (WCAG 2.2, 1.4.3; TRUST.md C1)."""


def contrast(first: Colour, second: Colour) -> float:
    """Contrast ratio of two colours, 1..21 (WCAG 2.2)."""
    light, dark = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: Colour) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (part / 255 for part in colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _colour(value: object) -> object:
    if isinstance(value, str):
        if not re.fullmatch(r"#[0-9a-fA-F]{6}", value):
            raise ValueError(f"{value!r} is no colour; write it like #103470")
        return tuple(bytes.fromhex(value[1:]))
    return value


Ink = Annotated[tuple[int, int, int], BeforeValidator(_colour)]
Share = Annotated[float, Field(ge=0, le=1)]
Letters = Annotated[float, Field(ge=0.02, le=0.2)]
Legible = Annotated[float, Field(ge=0.033, le=0.2)]
"""Letters of charts and tables are at least 3.3 % of the shorter side."""
Seconds = Annotated[float, Field(gt=0, le=10)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Colours(_Table):
    plate: Ink
    """Behind the label, captions, and second lines."""
    strip: Ink
    strip_end: Ink
    """Of headlines and names, from the left to the right."""
    accent: Ink
    text: Ink
    dim: Ink
    """Of smaller lines: units, sources, second lines."""
    kicker: Ink
    """Behind the small line over a headline; its letters are `kicker_text`."""
    kicker_text: Ink
    ticker: Ink
    ticker_text: Ink
    ground: Ink
    ground_end: Ink
    """Of charts, tables and cards, from the top down."""
    line: Ink
    """Grid lines and rules."""
    highlight: Ink
    muted: Ink
    """What a highlight stands out from."""
    series: Annotated[tuple[Ink, ...], Field(min_length=6, max_length=12)]

    @model_validator(mode="after")
    def _legible(self) -> Colours:
        pairs = [
            ("text", "plate"), ("text", "strip"), ("text", "strip_end"), ("text", "ground"), ("text", "ground_end"),
            ("dim", "plate"), ("dim", "ground"), ("dim", "ground_end"), ("kicker_text", "kicker"),
            ("ticker_text", "ticker"),
        ]  # fmt: skip
        pairs += [("highlight", "ground"), ("highlight", "ground_end"), ("muted", "ground"), ("muted", "ground_end")]
        for number, ink in enumerate(self.series):
            found = min(contrast(ink, self.ground), contrast(ink, self.ground_end))
            if found < CONTRAST:
                raise ValueError(f"series {number + 1} has a contrast of {found:.1f} on ground; it must be {CONTRAST}")
        for letters, behind in pairs:
            found = contrast(getattr(self, letters), getattr(self, behind))
            if found < CONTRAST:
                raise ValueError(f"{letters} on {behind} has a contrast of {found:.1f}; it must be {CONTRAST} at least")
        return self


class Sizes(_Table):
    caption: Letters
    caption_tall: Letters
    second: Letters
    title: Letters
    headline: Letters
    kicker: Letters
    ticker: Letters
    clock: Letters
    logo: Letters
    credits: Letters
    slate: Letters
    chart_title: Legible
    chart: Legible

    def share(self, name: str, *, tall: bool) -> float:
        """A size by its name; tall pictures may have one of their own."""
        share: float = getattr(self, f"{name}_tall", None) or getattr(self, name) if tall else getattr(self, name)
        return share


class Shapes(_Table):
    caption_radius: Share
    """Of corners, in ems."""
    caption_alpha: Annotated[float, Field(ge=0.55, le=1)]
    card_radius: Share
    bar: Share
    """Width of the bar at the left of names and headlines, in ems."""
    frame: Annotated[float, Field(ge=0, le=0.02)]
    """Width of the frame around insets."""


class Places(_Table):
    safe: Annotated[float, Field(ge=0.05, le=0.1)]
    """Margin around the title-safe area, which is 90 % of each side (EBU R 95; SMPTE ST 2046-1)."""
    foot: Annotated[float, Field(ge=0.05, le=0.2)]
    foot_tall: Annotated[float, Field(ge=0.05, le=0.25)]
    """Margin below captions and ticker; phone players cover the foot of tall pictures."""
    gap: Annotated[float, Field(ge=0.01, le=0.05)]
    corner_width: Annotated[float, Field(ge=0.2, le=0.5)]
    corner_height: Annotated[float, Field(ge=0.2, le=0.6)]
    """Of the anchor who is the small one, in shares of the shorter side."""


class Animation(_Table):
    caption: Seconds
    title_in: Seconds
    title_out: Seconds
    transition: Seconds
    chart: Seconds
    ticker_in: Seconds
    ticker_speed: Annotated[float, Field(ge=0.05, le=0.5)]
    """Shares of the shorter side a second."""
    credits_speed: Annotated[float, Field(ge=0.02, le=0.5)]
    """Shares of the shorter side a second."""


class Template(_Table):
    name: str
    colours: Colours
    sizes: Sizes
    shapes: Shapes
    places: Places
    animation: Animation

    def __hash__(self) -> int:
        return hash(self.name)


def bundled() -> tuple[str, ...]:
    """Names of the templates that come with the project."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


def load_template(name: str | Path) -> Template:
    """A bundled template by its name, or one from a .toml file.

    Raises `MissingError` for one that is not there, `ConfigError` naming file and key for one that is wrong.
    """
    path = FOLDER / f"{name}.toml" if str(name) in bundled() else Path(name)
    if not path.is_file():
        raise MissingError(f"template {name}: there is none; choose {', '.join(bundled())} or the path of a .toml file")
    try:
        return Template.model_validate(read_toml(path))
    except ValidationError as error:
        raise ConfigError("\n".join(_explain(path, problem) for problem in error.errors()[:3])) from error


def _explain(path: Path, problem: Any) -> str:
    key = ".".join(str(part + 1) if isinstance(part, int) else str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        return f"{path}: unknown key {key}"
    if problem["type"] == "missing":
        return f"{path}: {key} is missing"
    return f"{path}: {key}: {problem['msg'].removeprefix('Value error, ')}"


HOUSE = load_template("house")
