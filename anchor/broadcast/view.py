"""The running order as operators see it."""

from __future__ import annotations

from collections.abc import Callable

from anchor.broadcast.entry import Entry
from anchor.broadcast.order import Order
from anchor.broadcast.run import Run, expected_seconds
from anchor.onair import Item, ItemState, RunningOrder


def running_order(order: Order, *, ready: Callable[[Entry], bool], next_start: str) -> RunningOrder:
    """`ready` tells whether enough of an entry is prepared to go on air."""
    run, on_air = order.current, order.on_air
    coming = [entry for entry in order.breaking if entry not in order.air] + order.planned
    return RunningOrder(
        order.version,
        run.rundown.script.title if run is not None else "",
        run.rundown.document if run is not None else {},
        _items(order, run, ready),
        on_air=on_air.id if on_air is not None else "",
        next=coming[0].id if coming else "",
        held=order.held,
        killed=order.killed,
        lap=run.lap if run is not None else 0,
        loop=order.program.loop,
        next_start=next_start,
        takeover=order.takeover,
    )


def _items(order: Order, run: Run | None, ready: Callable[[Entry], bool]) -> tuple[Item, ...]:
    """The segments of a run, with breaking news after what it goes in after."""
    planned = {entry.id: entry for entry in order.planned if entry.run is run}
    news = [_news(order, entry, ready) for entry in order.breaking]
    items: list[Item] = []
    at = 0
    for name, segment in run.segments.items() if run is not None else ():
        assert run is not None
        state: ItemState = run.fates.get(name) or _prepared(planned.get(name), ready)
        problem = run.problems.get(name, "")
        items.append(Item(name, segment.text, segment.language, state, run.seconds(name), problem))
        if state == "on air" or (state != "waiting" and name not in planned):
            at = len(items)
    return (*items[:at], *news, *items[at:])


def _news(order: Order, entry: Entry, ready: Callable[[Entry], bool]) -> Item:
    state: ItemState = "on air" if entry is order.on_air else _prepared(entry, ready)
    return Item(
        entry.id, entry.segment.text, entry.segment.language, state, expected_seconds(entry.segment), breaking=True
    )


def _prepared(entry: Entry | None, ready: Callable[[Entry], bool]) -> ItemState:
    if entry is None:
        return "waiting"
    return "ready" if ready(entry) else "preparing"
