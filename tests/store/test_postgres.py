"""The store on a real PostgreSQL, started for these tests where its programs are installed."""

import asyncio
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from anchor.errors import StoreError
from anchor.store import Store
from anchor.trust.pii import mask
from tests.store.test_store import converse


def program(name: str) -> str | None:
    """On the path, or where Debian keeps it."""
    return shutil.which(name) or next((str(path) for path in Path("/usr/lib/postgresql").glob(f"*/bin/{name}")), None)


class Server:
    def __init__(self, folder: Path, postgres: str, user: str | None) -> None:
        self._folder = folder
        self._user = user
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self._command = [postgres, "-D", str(folder / "data"), "-p", str(self.port), "-k", "", "-h", "127.0.0.1"]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"postgresql://anchor:secret@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Returns when it takes connections."""
        import psycopg

        log = (self._folder / "log").open("wb")
        with log:
            self._process = subprocess.Popen(
                [*self._command, "-c", "fsync=off"], stdout=log, stderr=log, user=self._user, cwd=self._folder
            )
        for _ in range(300):
            try:
                with psycopg.connect(self.url, connect_timeout=1):
                    return
            except psycopg.OperationalError:
                if self._process.poll() is not None:
                    break
                subprocess.run(["/bin/sleep", "0.1"], check=True)
        pytest.skip(f"PostgreSQL does not start: {(self._folder / 'log').read_text()[-300:]}")

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.send_signal(2)
            self._process.wait(20)
            self._process = None


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    initdb, postgres = program("initdb"), program("postgres")
    if initdb is None or postgres is None:
        pytest.skip("PostgreSQL is not installed here")
    # PostgreSQL refuses to run as root, and its owner must be able to reach its folder.
    user = None
    if os.geteuid() == 0:
        names = {entry.pw_name for entry in pwd.getpwall()}
        user = next((name for name in ("postgres", "nobody") if name in names), None)
        if user is None:
            pytest.skip("root may not run PostgreSQL, and there is no other user here")
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    folder.chmod(0o755)
    if user is not None:
        shutil.chown(folder, user)
    (folder / "password").write_text("secret")
    (folder / "password").chmod(0o644)
    made = subprocess.run(
        [initdb, "-D", str(folder / "data"), "-U", "anchor", "-A", "scram-sha-256", "-E", "UTF8", "--no-sync",
         "--pwfile", str(folder / "password")],
        capture_output=True, user=user, cwd=folder, check=False,
    )  # fmt: skip
    if made.returncode:
        shutil.rmtree(folder, ignore_errors=True)
        pytest.skip(f"initdb fails here: {made.stderr.decode()[-300:]}")
    found = Server(folder, postgres, user)
    try:
        found.start()
        yield found
    finally:
        found.stop()
        shutil.rmtree(folder, ignore_errors=True)


def test_postgresql_keeps_what_sqlite_keeps(server: Server) -> None:
    now = datetime.now(UTC)
    days = iter([now - timedelta(days=31)] * 5 + [now] * 20)

    async def main() -> None:
        store = Store(server.url, mask=mask, retention_days=30, wall=lambda: next(days))
        await store.open()
        converse(store, "old")
        converse(store, "one", "我的卡号是4111111111111111\0")
        lines = await store.transcript("one")
        assert [line.text for line in lines] == ["我的卡号是[card]", "Two yuan. Anything else?"]
        assert lines[0].at == now
        assert [record.id for record in await store.sessions()] == ["one", "old"]
        assert await store.sweep(now) == 1
        assert await store.forget("one")
        assert await store.sessions() == []
        assert store.dropped == 0
        await store.close()

    asyncio.run(main())


def test_two_stores_open_at_once_make_the_tables_once(server: Server) -> None:
    async def main() -> None:
        stores = [Store(server.url, mask=mask) for _ in range(4)]
        await asyncio.gather(*(store.open() for store in stores))
        for number, store in enumerate(stores):
            converse(store, f"at once {number}")
        await asyncio.gather(*(store.close() for store in stores))
        assert [store.dropped for store in stores] == [0] * 4

    asyncio.run(main())


def test_a_row_that_postgresql_refuses_takes_no_others_with_it(server: Server) -> None:
    async def main() -> None:
        store = Store(server.url, mask=mask)
        await store.open()
        converse(store, "long")
        store.said("long", turn=2, who="visitor", text="language", language="x" * 100)
        store.said("nobody", turn=1, who="visitor", text="no such session", language="en")
        store.said("long", turn=3, who="visitor", text="the end", language="en")
        assert [line.turn for line in await store.transcript("long")] == [1, 1, 3]
        assert store.dropped == 2
        await store.close()

    asyncio.run(main())


def test_lines_wait_while_the_server_is_down(server: Server) -> None:
    async def main() -> None:
        store = Store(server.url, mask=mask)
        await store.open()
        server.stop()
        converse(store, "meanwhile")
        with pytest.raises(StoreError, match=r"anchor:\*\*\*@127.0.0.1"):
            while True:
                await store.sessions()
        assert "secret" not in store.problem
        server.start()
        await store.close()
        assert (store.dropped, store.problem) == (0, "")
        again = Store(server.url, mask=mask)
        await again.open()
        assert len(await again.transcript("meanwhile")) == 2
        await again.close()

    asyncio.run(main())


def test_a_wrong_password_is_told_without_it(server: Server) -> None:
    async def main() -> None:
        await Store(server.url.replace("secret", "hunter2"), mask=mask).open()

    with pytest.raises(StoreError, match="password authentication failed") as caught:
        asyncio.run(main())
    assert "hunter2" not in str(caught.value)
