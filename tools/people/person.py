"""Who the people are: their heads, complexions, hair and clothes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tools.people import strands
from tools.people.cloth import Suit
from tools.people.paint import Complexion
from tools.people.strands import MIDDLE, Style, toward


@dataclass(frozen=True)
class Brows:
    count: int
    length: float
    thick: float
    arch: float


@dataclass(frozen=True)
class Person:
    name: str
    title: str
    languages: tuple[str, ...]
    seed: int
    spread: float
    own: dict[int, float]
    complexion: Complexion
    iris: tuple[float, float, float]
    brows: Brows
    lash: float
    lash_radius: float
    lashes: int
    melanin: float
    redness: float
    hair: Style
    suit: Suit
    pores: float = 1.0
    gaze: float = 0.0
    """How far below the middle of their balls irises rest, in pixels."""
    roughness: float = 0.50
    long: bool = False
    """Whether hair is seen behind the neck."""
    neck: float = 0.30
    """Where the neck ends, in head heights below the chin."""
    expression: dict[str, float] = field(default_factory=dict)
    """What the face is like at rest."""


def _sides(root: Any, parting: float) -> Any:
    """To which side hair falls: along a clear parting in front, at random around it further back."""
    stray = np.sin(root @ np.array([[37.0], [53.0], [71.0]]))[:, 0] * np.clip((9.5 - root[:, 2]) / 4, 0, 1) * 1.3
    return np.where(root[:, 0] + stray > parting, 1.0, -1.0)


def _combed_back(points: Any, t: float, root: Any) -> Any:
    """From a parting at the side, over the head and behind the ears, then down."""
    side = _sides(root, 1.9)
    back = np.clip((6.0 - root[:, 2]) / 14, 0, 1)
    goal = np.stack([side * (8.6 - 2.2 * back), -1.0 - 2.0 * back, -1.6 - 6.0 * back], axis=1)
    on = toward(points, goal)
    away = np.stack([side, np.zeros_like(side), np.full_like(side, 0.15)], axis=1)
    out = (points - MIDDLE) / np.linalg.norm(points - MIDDLE, axis=1, keepdims=True)
    away = away - (away * out).sum(axis=1, keepdims=True) * out
    near = np.clip(1 - np.abs(root[:, 0] - 1.9) / 3.5, 0, 1)[:, None] * np.clip(1 - t / 0.10, 0, 1)
    way = on + 0.5 * near * away
    down = np.array([0.0, -1.0, -0.02]) + np.stack([-0.05 * side, 0 * side, 0 * side], axis=1)
    passed = np.clip((1.6 - points[:, 1]) / 2.5, 0, 1)[:, None]
    return way * (1 - passed) + down * passed


def _long_lift(t: float, root: Any) -> Any:
    crown = np.clip((root[:, 1] - 5) / 8, 0, 1)
    return (0.10 + (0.75 + 0.75 * crown) * min(1.0, t / 0.14)) * np.ones(len(root))


WOMAN_LINE = np.array(
    [(0, 9.7), (12, 9.8), (24, 9.4), (34, 8.9), (42, 8.2), (50, 7.2), (58, 6.3), (66, 5.4), (74, 4.6), (80, 4.4),
     (88, 4.8), (96, 6.0), (104, 6.4), (116, 4.6), (124, 1.5), (134, -1.0), (150, -3.6), (180, -4.6)]
)  # fmt: skip

YUE = Person(
    name="yue", title="Yue", languages=("zh", "en", "ja", "ko", "es", "fr", "de"), seed=17, spread=0.75,
    own={0: 0.35, 3: -0.7},
    complexion=Complexion((0.74, 0.455, 0.325), (0.56, 0.155, 0.150), (0.02, 0.015, 0.012), 0.34, 0.0, 0.45, 5),
    iris=(0.085, 0.036, 0.014), brows=Brows(430, 0.70, 0.95, 0.0), lash=0.95, lash_radius=0.016, lashes=70,
    melanin=0.93, redness=0.35,
    hair=Style(
        26000, (24.0, 30.0), 34, _combed_back, _long_lift, lambda p, t: np.clip((p[:, 1] - 0.0) / 2.5, 0, 1),
        0.5, 900, 0.05, WOMAN_LINE,
    ),
    suit=Suit(18.2, 14.6, 1.6, (0.60, 0.555, 0.49), (0.012, 0.012, 0.014), None, -41.0),
    pores=0.7, gaze=1.0, long=True, neck=0.38, expression={"mouthSmile": 0.12, "mouthClose": 0.06, "eyeWide": 0.10},
)  # fmt: skip


def _parted(points: Any, t: float, root: Any) -> Any:
    """Short hair from a side parting, forward and across on top, down at the sides."""
    out = (points - MIDDLE) / np.linalg.norm(points - MIDDLE, axis=1, keepdims=True)
    side = _sides(root, 3.4)
    across = np.stack([side * 0.9, 0 * side, np.full_like(side, 0.10)], axis=1)
    top = np.clip((root[:, 1] - 9.6) / 2.4, 0, 1)[:, None]
    front = np.clip((root[:, 2] - 2.0) / 5.0, 0, 1)[:, None]
    rising = out * (0.85 - 1.15 * t) + np.array([0, 0.2, 0.0])
    down = np.stack([0.1 * side, np.full_like(side, -1.0), np.full_like(side, -0.35)], axis=1)
    back = np.stack([0 * side, np.full_like(side, -0.2), np.full_like(side, -1.0)], axis=1)
    upper = across * (0.7 + 0.3 * front) + rising * (0.55 + 0.5 * front) + back * (0.9 * (1 - front) + 0.55 * front)
    lower = down + 0.10 * out
    return upper * top + lower * (1 - top)


MAN_LINE = strands.HAIRLINE - np.array([0, 0.5]) * (strands.HAIRLINE[:, :1] < 40)

LEO = Person(
    name="leo", title="Leo", languages=("en", "zh", "ja", "ko", "es", "fr", "de"), seed=15, spread=0.75, own={0: -0.7},
    complexion=Complexion((0.66, 0.39, 0.265), (0.47, 0.215, 0.165), (0.03, 0.02, 0.015), 0.30, 0.55, 0.0, 9),
    iris=(0.10, 0.055, 0.025), brows=Brows(500, 0.82, 1.25, -0.06), lash=0.7, lash_radius=0.0095, lashes=34,
    melanin=0.94, redness=0.3,
    hair=Style(
        30000, (2.6, 4.2), 14, _parted,
        lambda t, root: 0.06 + t * np.interp(root[:, 1], [0, 5, 9, 12], [0.15, 0.35, 0.45, 1.6]),
        lambda p, t: 0.85 * np.clip((13.2 - p[:, 1]) / 3.0, 0, 1), 0.45, 1500, 0.13, MAN_LINE, radius=0.009,
        length_of=lambda root: np.interp(root[:, 1], [-3, 1, 5, 8.0, 9.5, 11], [0.12, 0.20, 0.30, 0.45, 0.9, 1.25]),
    ),
    suit=Suit(21.6, 16.8, 0.3, (0.020, 0.024, 0.036), (0.70, 0.71, 0.72), (0.17, 0.014, 0.022), -41.0),
    pores=1.15, gaze=3.5, neck=0.22, roughness=0.54,
    expression={"mouthSmile": 0.16, "mouthClose": 0.06, "eyeSquint": 0.12},
)  # fmt: skip

PEOPLE = {person.name: person for person in (YUE, LEO)}
