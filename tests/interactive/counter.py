"""Harbour Bank's counter: the kiosk's actions and a clerk, against the demo bank over real HTTP or a noted back-end."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import uvicorn
from fastapi import FastAPI

from anchor.dialogue.actions import Action, load_actions
from anchor.dialogue.http_tool import HttpTool, Outcome
from anchor.interactive.business import ActionRecord, Clerk
from anchor.server.demo_bank import router
from anchor.trust.netguard import NetGuard
from tests.conftest import ROOT

TODAY = date(2026, 11, 26)
"""A Thursday."""

ACTIONS = load_actions(ROOT / "configs" / "kiosk" / "actions.toml")
ANSWERS: dict[str, Any] = {
    "book_appointment": {
        "reference": "4821", "branch_name": "Central", "branch_name_zh": "中环", "date": "2026-11-27", "time": "15:00",
    },
    "identity": {"verified": True, "session": "s"},
    "balance": {"balance": 12345.6, "currency": "CNY"},
    "exchange_rate": {"currency": "USD", "rate": 7.12},
    "find_branch": {"branches": [{"name": "Airport", "name_zh": "机场", "address": "T2", "address_zh": "二号楼"}]},
    "block_card": {"card": "4421", "reference": "1234"},
    "cancel_appointment": {"reference": "4821"},
    "free_times": {"times": []},
}  # fmt: skip
"""What a bank in good order answers."""


@dataclass
class Counter:
    """A clerk and what was done: `run` may be replaced to be slow or to fail."""

    run: Callable[[Action, Mapping[str, Any]], Awaitable[Outcome]] | None = None
    ran: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    records: list[ActionRecord] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clerk = Clerk(ACTIONS, self._run, today=lambda: TODAY, on_done=self.records.append)

    async def _run(self, action: Action, arguments: Mapping[str, Any]) -> Outcome:
        self.ran.append((action.name, dict(arguments)))
        if self.run is not None:
            return await self.run(action, arguments)
        return Outcome(ANSWERS[action.name])

    async def hears(self, text: str, language: str = "en") -> str | None:
        """What the clerk answers, in one piece; None for what is none of its business."""
        reply = self.clerk.take(text, language)
        return None if reply is None else ("" if language == "zh" else " ").join([part async for part in reply])


def conversed(*lines: str, counter: Counter | None = None, language: str = "en") -> tuple[list[str | None], Counter]:
    """The answers to lines said one after another."""
    counter = counter or Counter()

    async def main() -> list[str | None]:
        answers = [await counter.hears(line, language) for line in lines]
        await counter.clerk.close()
        return answers

    return asyncio.run(main()), counter


@asynccontextmanager
async def open_bank(today: Callable[[], date] = lambda: TODAY) -> AsyncIterator[str]:
    """The demo bank on a free port; yields its address."""
    app = FastAPI()
    app.include_router(router(today=today))
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(server.serve(sockets=[listening]))
            try:
                base = f"http://127.0.0.1:{listening.getsockname()[1]}"
                yield base
            finally:
                server.should_exit = True


@asynccontextmanager
async def open_counter() -> AsyncIterator[Counter]:
    """A clerk who works with the demo bank over HTTP."""
    async with open_bank() as base:
        tool = HttpTool(NetGuard(), base=base)
        counter = Counter(run=tool)
        try:
            yield counter
        finally:
            await counter.clerk.close()
            await tool.close()
