"""The place of a running order as plain data, and back."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from anchor.broadcast.entry import SCHEDULED_LEVEL
from anchor.broadcast.order import Order
from anchor.broadcast.run import FATES, Run
from anchor.broadcast.script import Segment
from anchor.events import LowerThird
from anchor.graphics import Graphics

log = logging.getLogger(__name__)


def snapshot(order: Order) -> dict[str, Any]:
    """Where the order is. What is on air is named as such: it has its turn again when the show goes on from here."""
    return {
        "held": order.held,
        "killed": order.killed,
        "version": order.version,
        "breaking_number": order.breaking_number,
        "run_number": order.run_number,
        "own": [
            _run(run) | {"rundown": run.rundown.key, "index": run.index, "lap": run.lap} for run in order.program.runs
        ],
        "scheduled": [
            _run(run) | {"rundown": run.rundown.key, "slot": run.slot, "name": run.name, "level": run.level}
            for run in order.scheduled
        ],
        "breaking": [_news(entry.id, entry.segment) for entry in order.breaking],
    }


def _run(run: Run) -> dict[str, Any]:
    return {
        "ids": list(run.segments),
        "fates": dict(run.fates),
        "problems": dict(run.problems),
        "tries": dict(run.tries),
    }


def _news(name: str, segment: Segment) -> dict[str, Any]:
    third = segment.lower_third
    return {
        "id": name,
        "text": segment.text,
        "language": segment.language,
        "headline": segment.graphics.headline,
        "lower_third": [third.title, third.subtitle] if third is not None else None,
    }


def restore(order: Order, place: Mapping[str, Any]) -> None:
    """Go on at a place, with what was on air, from its beginning. Rundowns that have changed go by segment ids."""
    order.held, order.killed = bool(place["held"]), bool(place["killed"])
    order.version = int(place["version"]) + 1
    order.run_number = int(place["run_number"])
    for saved in place["breaking"]:
        third = saved["lower_third"]
        order.breaking_number = int(saved["id"].rpartition("-")[2]) - 1
        lower_third = LowerThird(*third) if third else None
        graphics = Graphics(headline=saved["headline"])
        order.news(
            Segment(saved["text"], saved["language"], lower_third=lower_third, id=saved["id"], graphics=graphics)
        )
    order.breaking_number = int(place["breaking_number"])
    _restore_own(order, place["own"])
    keys = [rundown.key for rundown in order.slots]
    for saved in place["scheduled"]:
        if saved["rundown"] in keys:
            slot = saved["slot"] if keys[min(saved["slot"], len(keys) - 1)] == saved["rundown"] else None
            slot = keys.index(saved["rundown"]) if slot is None else slot
            level = SCHEDULED_LEVEL if saved["level"] else 0
            run = Run(order.slots[slot], saved["name"], level=level, slot=slot)
            if _settled(run, saved):
                order.scheduled.append(run)


def _restore_own(order: Order, saved_runs: list[Mapping[str, Any]]) -> None:
    program = order.program
    keys = [rundown.key for rundown in program.rundowns]
    for number, saved in enumerate(saved_runs):
        if saved["rundown"] not in keys:
            if number == 0 and keys:
                log.warning("the show begins anew: its rundown %s is gone", saved["rundown"])
            return
        index = saved["index"]
        if index >= len(keys) or keys[index] != saved["rundown"]:
            index = keys.index(saved["rundown"])
        if number == 0:
            program.start(index, saved["lap"])
            run = program.runs[0]
        else:
            run = Run(program.rundowns[index], f"{saved['lap']}.{index}", index=index, lap=saved["lap"])
            program.runs.append(run)
        if not _settled(run, saved):
            log.warning("rundown %s begins anew: none of its segments was in it before", run.rundown.name)


def _settled(run: Run, saved: Mapping[str, Any]) -> bool:
    """Bring a run to where it was; False when it has nothing in common with what it was."""
    if saved["ids"] and run.segments and not set(saved["ids"]) & run.segments.keys():
        return False
    for name, fate in saved["fates"].items():
        if name in run.segments and fate in FATES and fate != "on air":
            run.settle(name, fate, saved["problems"].get(name, ""))
    run.tries = {name: tries for name, tries in saved["tries"].items() if name in run.segments}
    return True
