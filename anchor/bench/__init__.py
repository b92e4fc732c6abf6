"""``anchor bench``: the figures that the README quotes, measured here and now.

A figure has a name that ends in ``_max`` or ``_min`` when it has a goal, and says whether the goal was met. Ratios
are of things measured in the same run, so that they travel from machine to machine.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from anchor.bench import avatars, batcher, capacity, fanout, latency, render
from anchor.bench.measure import Figure, Tell, machine

BENCHES: dict[str, Callable[..., Awaitable[list[Figure]]]] = {
    "avatars": avatars.measure,
    "batcher": batcher.measure,
    "render": render.measure,
    "latency": latency.measure,
    "capacity": capacity.measure,
    "fanout": fanout.measure,
}


def run(name: str, tell: Tell, portraits: Path | None = None) -> dict[str, Any]:
    """Run one bench; `tell` is told what is going on. `portraits` is a folder of pictures for the bench ``avatars``."""
    figures = asyncio.run(_measured(name, tell, *([portraits] if name == "avatars" else [])))
    return {"bench": name, "machine": machine(), "figures": [figure.as_dict() for figure in figures]}


async def _measured(name: str, tell: Tell, *more: Any) -> list[Figure]:
    return await BENCHES[name](tell, *more)
