"""``anchor bench``: the figures that the README quotes, measured here and now.

A figure has a name that ends in ``_max`` or ``_min`` when it has a goal, and says whether the goal was met. Ratios
are of things measured in the same run, so that they travel from machine to machine.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from anchor.bench import capacity, fanout, latency, render
from anchor.bench.measure import Figure, Tell, machine

BENCHES: dict[str, Callable[[Tell], Awaitable[list[Figure]]]] = {
    "render": render.measure,
    "latency": latency.measure,
    "capacity": capacity.measure,
    "fanout": fanout.measure,
}


def run(name: str, tell: Tell) -> dict[str, Any]:
    """Run one bench; `tell` is told what is going on."""
    figures = asyncio.run(_measured(name, tell))
    return {"bench": name, "machine": machine(), "figures": [figure.as_dict() for figure in figures]}


async def _measured(name: str, tell: Tell) -> list[Figure]:
    return await BENCHES[name](tell)
