"""What is shown beside and over the anchor besides captions and lower thirds. Values only; `avatars` draws them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Place = Literal["full", "shoulder", "corner"]
"""Full frame, over the anchor's shoulder, or picture in picture: there the anchor is the small one in the corner."""

ChartKind = Literal["line", "bar", "pie"]
Transition = Literal["cut", "fade", "wipe"]
Sound = Literal["off", "under", "full"]
"""Of a clip: silent, laid under what is said, or heard alone while nobody speaks."""


@dataclass(frozen=True, slots=True)
class Series:
    """A row of numbers, one for each label of its chart; None where there is no number."""

    name: str
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """Numbers as a picture. A pie has one series; `highlight` is a label that stands out."""

    kind: ChartKind
    labels: tuple[str, ...]
    series: tuple[Series, ...]
    title: str = ""
    unit: str = ""
    source: str = ""
    highlight: str = ""
    place: Place = "full"


@dataclass(frozen=True, slots=True)
class Grid:
    """A table: every row has as many cells as there are `columns`. Cells that are numbers are set to the right."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    title: str = ""
    source: str = ""
    highlight: str = ""
    """The first cell of the row that stands out."""
    place: Place = "full"


@dataclass(frozen=True, slots=True)
class Media:
    """A picture or a clip from a file. `credit` is written on it; `sound` is a clip's."""

    path: Path
    place: Place = "shoulder"
    clip: bool = False
    credit: str = ""
    sound: Sound = "off"


@dataclass(frozen=True, slots=True)
class Graphics:
    """All graphics of a moment. Equal graphics in a row go on; what differs comes in by `transition`.

    `inset` is what stands full, at the shoulder or behind the anchor in the corner. `headline` is a card, `kicker` the
    small line over it. `ticker` runs on as long as its lines stay the same. `credits` roll over the whole picture. Of a
    `slate` only these words are seen, full frame, and the label.
    """

    headline: str = ""
    kicker: str = ""
    ticker: tuple[str, ...] = ()
    inset: Chart | Grid | Media | None = None
    credits: tuple[str, ...] = ()
    slate: str = ""
    transition: Transition = "fade"


NO_GRAPHICS = Graphics()
