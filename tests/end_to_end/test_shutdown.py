"""The end of a server in whose hall people are talking."""

from __future__ import annotations

import asyncio
import contextlib
import re
import signal
import sqlite3
import sys
from pathlib import Path

import pytest

from anchor.bench.visitor import visiting
from tests.conftest import ROOT

CONFIG = """
[server]
port = 0
[store]
url = "sqlite:///{folder}/kiosk.db"
[[channels]]
name = "hall"
size = "320x180"
[channels.talk]
"""


@pytest.mark.timeout(60)
def test_at_the_end_of_a_server_its_visitors_are_told_and_their_conversations_are_closed(tmp_path: Path) -> None:
    file = tmp_path / "kiosk.toml"
    file.write_text(CONFIG.format(folder=tmp_path))

    async def main() -> None:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "anchor", "serve", str(file), cwd=ROOT,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(40):
            told = ""
            while (found := re.search(r"(http://127\.0\.0\.1:\d+)/kiosk/hall", told)) is None:
                line = await process.stdout.readline()
                assert line, (await process.stderr.read()).decode()
                told += line.decode()
            address = found[1]
            async with visiting(address, "hall") as first, visiting(address, "hall") as second:
                await asyncio.gather(first.mode("speaking"), second.mode("speaking"))
                begun = loop.time()
                process.send_signal(signal.SIGTERM)
                for visitor in (first, second):
                    await visitor.until(lambda event: event == {"type": "ended", "why": "shutdown"}, seconds=5)
                errors = (await process.stderr.read()).decode()
                assert await process.wait() == 0
                assert loop.time() - begun < 5
                assert "Traceback" not in errors, errors

    asyncio.run(main())
    with contextlib.closing(sqlite3.connect(tmp_path / "kiosk.db")) as kept:
        rows = kept.execute("SELECT closed_at IS NOT NULL, why FROM sessions").fetchall()
    assert rows == [(1, "shutdown")] * 2
