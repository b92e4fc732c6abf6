"""``anchor bench``: the figures that the README quotes, measured here and now.

A figure has a name that ends in ``_max`` or ``_min`` when it has a goal, and says whether the goal was met. Ratios
are of things measured in the same run, so that they travel from machine to machine.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from anchor.bench import (
    answers,
    avatars,
    batcher,
    capacity,
    fanout,
    hearing,
    intelligibility,
    latency,
    network,
    outputs,
    privacy,
    readings,
    render,
    show,
    soak,
    swallowed,
    turns,
    voices,
)
from anchor.bench.lipsync import report
from anchor.bench.lipsync.report import Report
from anchor.bench.measure import Figure, Tell, machine

BENCHES: dict[str, Callable[..., Awaitable[list[Figure] | Report]]] = {
    "answers": answers.measure,
    "avatars": avatars.measure,
    "batcher": batcher.measure,
    "capacity": capacity.measure,
    "fanout": fanout.measure,
    "hearing": hearing.measure,
    "intelligibility": intelligibility.measure,
    "latency": latency.measure,
    "lipsync": report.measure,
    "network": network.measure,
    "outputs": outputs.measure,
    "privacy": privacy.measure,
    "readings": readings.measure,
    "render": render.measure,
    "show": show.measure,
    "soak": soak.measure,
    "swallowed": swallowed.measure,
    "turns": turns.measure,
    "voices": voices.measure,
}


def run(name: str, tell: Tell, options: Mapping[str, Any]) -> dict[str, Any]:
    """Run one bench; `tell` is told what is going on, and `options` are what this bench can be given."""
    found = asyncio.run(_measured(name, tell, options))
    figures = found.figures if isinstance(found, Report) else found
    more = {"material": found.material, "rows": found.table()} if isinstance(found, Report) else {}
    return {"bench": name, "machine": machine(), "figures": [figure.as_dict() for figure in figures]} | more


async def _measured(name: str, tell: Tell, options: Mapping[str, Any]) -> list[Figure] | Report:
    return await BENCHES[name](tell, **options)
