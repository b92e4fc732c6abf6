import asyncio
import logging
import os
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest

from anchor.errors import StoreError
from anchor.store import Store
from anchor.store.records import Row
from anchor.trust.pii import mask

T = TypeVar("T")
CANARIES = ("4111 1111 1111 1111", "13800138000", "11010519491231002X", "482913")
NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


def run(main: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(main)


def store_at(path: Path, **options: Any) -> Store:
    return Store(f"sqlite:///{path}", mask=mask, **options)


def everything_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


def size_of(path: Path) -> int:
    return path.stat().st_size


def modes_in(folder: Path) -> list[int]:
    return [stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()]


def converse(store: Store, session: str, text: str = "What does a transfer cost?") -> None:
    store.session_opened(session, channel="hall", language="en")
    store.said(session, turn=1, who="visitor", text=text, language="en", confidence=0.5)
    store.said(session, turn=1, who="anchor", text="Two yuan. Anything else?", heard="Two yuan.", language="en")
    store.acted(session, turn=1, name="block_card", arguments={"amount": 5, "reason": text}, outcome="done")
    store.timed(session, turn=1, stages={"hearing": 0.2, "thinking": 0.1})
    store.session_closed(session, why="visitor", turns=1)


def test_a_conversation_is_kept_with_what_was_heard_of_it(tmp_path: Path) -> None:
    async def main() -> None:
        store = store_at(tmp_path / "a.db", wall=lambda: NOON)
        await store.open()
        converse(store, "one")
        lines = await store.transcript("one")
        assert [(line.who, line.text, line.heard) for line in lines] == [
            ("visitor", "What does a transfer cost?", ""),
            ("anchor", "Two yuan. Anything else?", "Two yuan."),
        ]
        assert (lines[0].confidence, lines[0].at, lines[0].turn, lines[0].language) == (0.5, NOON, 1, "en")
        (record,) = await store.sessions()
        assert (record.id, record.why, record.turns, record.closed_at) == ("one", "visitor", 1, NOON)
        assert await store.transcript("another") == []
        await store.close()

    run(main())
    rows = sqlite3.connect(tmp_path / "a.db").execute("select stage, seconds from latencies").fetchall()
    assert rows == [("hearing", 0.2), ("thinking", 0.1)]


def test_nothing_reaches_the_disk_unmasked(tmp_path: Path) -> None:
    async def main() -> bytes:
        store = store_at(tmp_path / "a.db")
        await store.open()
        for canary in CANARIES:
            converse(store, canary[:2], f"the code, card or number is {canary}, isn't it")
            store.acted(
                canary[:2], turn=2, name="x", arguments={"card": canary, "list": [{"n": canary}]}, outcome=canary
            )
        await store.sessions()
        # While it is open, so that the log of changes is there too.
        found = everything_in(tmp_path)
        assert size_of(tmp_path / "a.db-wal") > 0
        await store.close()
        return found + everything_in(tmp_path)

    raw = run(main())
    assert b"isn't it" in raw
    for canary in CANARIES:
        assert canary.encode() not in raw
        assert canary.replace(" ", "").encode() not in raw


def test_arguments_are_masked_in_the_light_of_their_names(tmp_path: Path) -> None:
    async def main() -> list[Any]:
        store = store_at(tmp_path / "a.db")
        await store.open()
        store.session_opened("one", channel="hall", language="en")
        arguments = {"pin": "4829", "amount": 500, "card_number": 4111111111111111, "yes": True, "note": None}
        store.acted("one", turn=1, name="pay", arguments=arguments, outcome="done")
        await store.close()
        return sqlite3.connect(tmp_path / "a.db").execute("select arguments from actions").fetchall()

    ((found,),) = run(main())
    assert found == '{"pin": "[password]", "amount": 500, "card_number": "[card]", "yes": true, "note": null}'


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    async def main() -> list[int]:
        store = store_at(tmp_path / "a.db")
        await store.open()
        converse(store, "one")
        await store.sessions()
        modes = modes_in(tmp_path)
        await store.close()
        return modes

    assert set(run(main())) == {0o600}


def test_what_is_old_is_deleted_and_cannot_be_read_in_the_file(tmp_path: Path) -> None:
    days = iter([NOON - timedelta(days=31)] * 5 + [NOON] * 20)

    async def main() -> None:
        store = store_at(tmp_path / "a.db", retention_days=30, wall=lambda: next(days))
        await store.open()
        converse(store, "old", "an unmistakable question")
        converse(store, "new")
        assert await store.sweep(NOON) == 1
        assert [record.id for record in await store.sessions()] == ["new"]
        assert b"unmistakable" not in everything_in(tmp_path)
        await store.close()

    run(main())
    for table in ("utterances", "actions", "latencies"):
        found = sqlite3.connect(tmp_path / "a.db").execute(f"select distinct session from {table}").fetchall()
        assert found == [("new",)]


def test_a_visitor_is_forgotten_with_all_that_still_comes(tmp_path: Path) -> None:
    async def main() -> None:
        store = store_at(tmp_path / "a.db")
        await store.open()
        converse(store, "one", "an unmistakable question")
        assert await store.forget("one")
        assert not await store.forget("one")
        converse(store, "two")
        store.said("one", turn=2, who="visitor", text="late", language="en")
        store.session_closed("one", why="visitor", turns=2)
        assert await store.transcript("one") == []
        assert len(await store.transcript("two")) == 2, "rows that are refused take no others with them"
        assert store.dropped == 1
        assert b"unmistakable" not in everything_in(tmp_path)
        await store.close()

    run(main())


def test_odd_text_is_written_as_far_as_it_can_be(tmp_path: Path) -> None:
    async def main() -> list[str]:
        store = store_at(tmp_path / "a.db")
        await store.open()
        store.session_opened("one", channel="hall", language="en")
        for text in ("a\0b", "half \ud83d", "'; drop table sessions; --", "\U0001f600"):
            store.said("one", turn=1, who="visitor", text=text, language="en")
        found = [line.text for line in await store.transcript("one")]
        await store.close()
        return found

    assert run(main()) == ["ab", "half ?", "'; drop table sessions; --", "\U0001f600"]


def test_without_an_address_nothing_is_kept() -> None:
    async def main() -> None:
        store = Store("", mask=mask)
        await store.open()
        converse(store, "one")
        assert (store.keeps, store.queued, store.dropped) == (False, 0, 0)
        assert await store.transcript("one") == []
        assert await store.sessions() == []
        assert await store.sweep(NOON) == 0
        assert not await store.forget("one")
        await store.close()

    run(main())


def test_while_the_database_is_away_lines_wait_and_then_come_in_order(tmp_path: Path) -> None:
    async def main() -> None:
        store = store_at(tmp_path / "a.db")
        await store.open()
        assert store._database is not None
        there, write = True, store._database.write

        def sometimes(rows: list[Row]) -> int:
            if not there:
                raise StoreError("the disk is full")
            return write(rows)

        store._database.write = sometimes  # type: ignore[method-assign, assignment]
        there = False
        converse(store, "one")
        with pytest.raises(StoreError, match="the disk is full"):
            while True:
                await store.sessions()
        assert store.problem == "the disk is full"
        converse(store, "two")
        there = True
        await store.close()
        assert (store.problem, store.dropped) == ("", 0)

    run(main())
    found = sqlite3.connect(tmp_path / "a.db").execute("select id, why from sessions order by rowid").fetchall()
    assert found == [("one", "visitor"), ("two", "visitor")]


def test_a_full_queue_drops_the_oldest_lines_but_no_beginning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> list[str]:
        store = store_at(tmp_path / "a.db", queue=5)
        await store.open()
        with store._changed:  # the writer waits
            store.session_opened("one", channel="hall", language="en")
            for number in range(10):
                store.said("one", turn=number, who="visitor", text=f"line {number}", language="en")
            assert store.queued == 5
        found = [line.text for line in await store.transcript("one")]
        assert store.dropped == 6
        await store.close()
        return found

    with caplog.at_level(logging.ERROR):
        assert run(main()) == ["line 6", "line 7", "line 8", "line 9"]
    assert "rows lost" in caplog.text


WRITER = """
import asyncio, sys
from anchor.store import Store
async def main():
    store = Store(sys.argv[1], mask=lambda text: text)
    await store.open()
    store.session_opened(sys.argv[2], channel="hall", language="en")
    number = 0
    while number < int(sys.argv[3]):
        for _ in range(20):
            store.said(sys.argv[2], turn=number, who="visitor", text=f"line {number}", language="en")
            number += 1
        if len(await store.transcript(sys.argv[2])) >= 100 and number >= 100:
            print("going", flush=True)
    await store.close()
    print("dropped", store.dropped, flush=True)
asyncio.run(main())
"""


def writer(path: Path, session: str, lines: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, f"sqlite:///{path}", session, str(lines)]
    root = str(Path(__file__).resolve().parents[2])
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": root})


def test_two_processes_write_at_once(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    processes = [writer(path, name, 300) for name in ("one", "two")]
    for process in processes:
        said, _ = process.communicate(timeout=60)
        assert process.returncode == 0
        assert said.endswith("dropped 0\n")
    rows = sqlite3.connect(path).execute("select session, count(*) from utterances group by session").fetchall()
    assert rows == [("one", 300), ("two", 300)]


def test_a_killed_process_leaves_a_whole_database(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    process = writer(path, "one", 1_000_000)
    assert process.stdout is not None
    assert process.stdout.readline() == "going\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    database = sqlite3.connect(path)
    assert database.execute("pragma integrity_check").fetchone() == ("ok",)
    numbers = [turn for (turn,) in database.execute("select turn from utterances order by id")]
    database.close()
    assert numbers == list(range(len(numbers)))
    assert len(numbers) >= 100

    async def main() -> None:
        store = store_at(path)
        await store.open()
        converse(store, "after")
        assert len(await store.transcript("after")) == 2
        await store.close()

    run(main())


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("sqlite:////nowhere/at/all/a.db", "nowhere/at/all/a.db: No such file"),
        ("not an address", "store.url is no database address"),
        ("mysql://root:secret@localhost/x", "store.url: mysql is not known"),
        ("postgresql://somebody:secret@127.0.0.1:1/x", r"somebody:\*\*\*@127.0.0.1:1/x: connection"),
        ("postgresql://127.0.0.1:1/x?user=somebody&password=secret", "127.0.0.1:1/x: connection"),
    ],
)
def test_a_database_that_cannot_be_opened_is_told_without_its_password(url: str, told: str) -> None:
    if url.startswith("postgresql"):
        pytest.importorskip("psycopg")
    with pytest.raises(StoreError, match=told) as caught:
        run(Store(url, mask=mask).open())
    assert "secret" not in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 2


def test_another_version_and_another_programs_tables_are_refused(tmp_path: Path) -> None:
    run(opened_and_closed(tmp_path / "a.db"))
    with sqlite3.connect(tmp_path / "a.db") as database:
        database.execute("update anchor_schema set version = 99")
    with pytest.raises(StoreError, match="of version 99, this program knows 1"):
        run(opened_and_closed(tmp_path / "a.db"))
    with sqlite3.connect(tmp_path / "b.db") as database:
        database.execute("create table sessions (x)")
    with pytest.raises(StoreError, match="has tables sessions of another program"):
        run(opened_and_closed(tmp_path / "b.db"))
    (tmp_path / "c.db").write_text("this is no database, but a text that somebody wrote\n" * 20)
    with pytest.raises(StoreError, match=r"c\.db: file is not a database"):
        run(opened_and_closed(tmp_path / "c.db"))


async def opened_and_closed(path: Path) -> None:
    store = store_at(path)
    await store.open()
    await store.close()


def test_a_database_that_cannot_be_written_is_told_at_once(tmp_path: Path) -> None:
    run(opened_and_closed(tmp_path / "a.db"))

    async def main() -> None:
        await Store(f"sqlite:///file:{tmp_path}/a.db?mode=ro&uri=true", mask=mask).open()

    with pytest.raises(StoreError, match="readonly"):
        run(main())


def test_a_closed_store_is_told_to_whoever_asks(tmp_path: Path) -> None:
    async def main() -> None:
        store = store_at(tmp_path / "a.db")
        with pytest.raises(StoreError, match="not open"):
            await store.sessions()
        await store.open()
        await store.close()
        await store.close()
        with pytest.raises(StoreError, match="not open"):
            await store.sessions()
        converse(store, "one")
        assert store.dropped == 7, "what is said then is counted as lost"

    run(main())
