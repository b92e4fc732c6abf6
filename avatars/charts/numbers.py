"""Numbers as viewers read them: round ticks of an axis, short forms in Chinese, Japanese, Korean and English."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, floor, isfinite, log10

from anchor.graphics import Chart, Grid

MOST_TICKS, TIGHT = 6, 4
"""Ticks of an axis at most, and how few must fit for it to end at the values."""

MINUS = "\u2212"


LARGEST, SMALLEST = 1e18, 1e-9
"""What is larger is taken for a mistake, what is smaller for nothing."""


@dataclass(frozen=True, slots=True)
class Wording:
    """The few words that charts need in a language, and its powers of ten with names, largest first."""

    unit: str
    source: str
    other: str
    more: str
    nothing: str
    powers: tuple[tuple[float, str], ...]


_ENGLISH = Wording(
    "{}", "Source: {}", "Other", "and {} more", "No figures", ((1e12, "tn"), (1e9, "bn"), (1e6, "M"), (1e3, "k"))
)
_WORDINGS = {
    "zh": Wording("单位：{}", "来源：{}", "其他", "另有 {} 项", "暂无数据", ((1e12, "万亿"), (1e8, "亿"), (1e4, "万"))),
    "hant": Wording("單位：{}", "來源：{}", "其他", "另有 {} 項", "暫無資料", ((1e12, "兆"), (1e8, "億"), (1e4, "萬"))),
    "ja": Wording(
        "単位：{}", "出典：{}", "その他", "ほか {} 件", "データなし", ((1e12, "兆"), (1e8, "億"), (1e4, "万"))
    ),
    "ko": Wording("단위: {}", "출처: {}", "기타", "외 {}건", "자료 없음", ((1e12, "조"), (1e8, "억"), (1e4, "만"))),
}


def wording(content: Chart | Grid, language: str) -> Wording:
    """The words for a chart by the script of its own words; where it has none, by a BCP 47 tag."""
    words = [content.title, content.source]
    if isinstance(content, Chart):
        words += [content.unit, *content.labels, *(series.name for series in content.series)]
    else:
        words += [*content.columns, *(cell for row in content.rows for cell in row)]
    text = "".join(words)
    traditional = language.lower().startswith(("zh-hant", "zh-tw", "zh-hk", "zh-mo"))
    if any("\u3041" <= character <= "\u30ff" and character != "・" for character in text):
        return _WORDINGS["ja"]
    if any("\uac00" <= character <= "\ud7a3" for character in text):
        return _WORDINGS["ko"]
    if any("\u4e00" <= character <= "\u9fff" for character in text):
        if language.lower().startswith("ja"):
            return _WORDINGS["ja"]
        return _WORDINGS["hant" if traditional else "zh"]
    if any(character.isalpha() for character in text):
        return _ENGLISH
    return _WORDINGS["hant"] if traditional else _WORDINGS.get(language.lower().partition("-")[0], _ENGLISH)


def figure(value: float | None) -> float | None:
    """A value as a figure: None for what is none, or beyond all that has a name."""
    if value is None or not isfinite(value) or abs(value) > LARGEST:
        return None
    return value if abs(value) >= SMALLEST else 0.0


def usable(values: Iterable[float | None]) -> list[float]:
    """The figures among values."""
    return [known for value in values if (known := figure(value)) is not None]


@dataclass(frozen=True, slots=True)
class Axis:
    """A range with round ends, and its ticks."""

    low: float
    high: float
    ticks: tuple[float, ...]

    def share(self, value: float) -> float:
        """Where a value is between the ends, 0..1."""
        return min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))


def axis(values: Iterable[float | None], *, zero: bool, most: int = MOST_TICKS) -> Axis:
    """An axis for values, with steps of 1, 2, 2.5 or 5 times a power of ten. `zero`: it has to be on it.

    It has `most` ticks at most. Where that is few, the axis ends where the values do and not at a tick.
    """
    known = usable(values) or [0.0]
    low, high = min(known), max(known)
    if zero or (low > 0 and low < 0.5 * high) or (high < 0 and high > 0.5 * low):
        low, high = min(low, 0.0), max(high, 0.0)
    if high - low <= max(abs(high), abs(low)) * 1e-9:
        # All the same: a line in the middle, or an empty axis from zero.
        room = abs(high) * 0.5 or 1.0
        low, high = (0.0, room) if zero else (low - room, high + room)
    most = max(2, most)
    step = _step((high - low) / most)
    if most < TIGHT:
        while floor(high / step + 1e-9) - ceil(low / step - 1e-9) + 1 > most:
            step = _step(step * 1.01)
        first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
        return Axis(low, high, tuple(number * step for number in range(first, last + 1)))
    while ceil(high / step - 1e-9) - floor(low / step + 1e-9) + 1 > most:
        step = _step(step * 1.01)
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    return Axis(first * step, last * step, tuple(number * step for number in range(first, last + 1)))


def _step(least: float) -> float:
    power = 10.0 ** floor(log10(least))
    return next(factor * power for factor in (1.0, 2.0, 2.5, 5.0, 10.0) if factor * power >= least * (1 - 1e-9))


@dataclass(frozen=True, slots=True)
class NumberStyle:
    """How the numbers of one chart are written: divided by `divisor`, with `places` decimals and `suffix`."""

    divisor: float
    places: int
    suffix: str

    def write(self, value: float) -> str:
        short = round(value / self.divisor, self.places)
        body = f"{abs(short):,.{self.places}f}"
        return (MINUS if short < 0 else "") + body + self.suffix


def style(values: Iterable[float | None], words: Wording, unit: str = "", *, exact: bool = False) -> NumberStyle:
    """One style for all of these numbers. `exact`: as many decimals as they have; else three digits are enough."""
    known = usable(values) or [0.0]
    largest = max(map(abs, known))
    divisor, name = 1.0, ""
    for power, short in words.powers:
        # "8,500" is easier to grasp than "8.5k"; a Chinese reader counts in 万 from there.
        if largest >= max(power, 10_000):
            divisor, name = power, short
            break
    places = next(
        (count for count in range(4) if all(_near(value / divisor, count) for value in known)), 3 if largest < 1 else 2
    )
    if exact:
        # What three digits cannot tell apart, nobody takes in from a screen.
        scale = largest / divisor
        places = min(places, 2 if scale < 10 else 1 if scale < 1000 else 0) if largest else 0
        if 0 < scale < 1:
            places = max(places, 2)
    return NumberStyle(divisor, places, name + ("%" if unit.strip() in ("%", "％") else ""))


def _near(value: float, places: int) -> bool:
    return abs(value - round(value, places)) <= 1e-9 * max(1.0, abs(value))
