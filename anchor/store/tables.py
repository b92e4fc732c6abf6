"""The tables, and one connection to the database they are in. Everything here blocks; it belongs to one thread."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.pool import StaticPool
from sqlalchemy.types import TypeDecorator

from anchor.errors import MissingError, StoreError
from anchor.store.records import Line, Row, SessionRecord

VERSION = 1
"""Of the tables. Another number in a database is another program's, or another release's."""

BUSY_SECONDS = 5
"""How long a writer waits for another process that writes to the same SQLite file."""
ANSWER_SECONDS = 10
"""How long PostgreSQL may take for one statement, or to take a packet."""
_LOCK = 0x616E63686F72
"""Any number: who makes the tables in PostgreSQL holds the advisory lock of this name."""


class Moment(TypeDecorator[datetime]):
    """A date and time in UTC; SQLite keeps no zone, so it is put back."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


tables = sa.MetaData()


def _session() -> sa.Column[str]:
    return sa.Column(
        "session", sa.String(64), sa.ForeignKey("sessions.id", ondelete="CASCADE"), nullable=False, index=True
    )


schema = sa.Table("anchor_schema", tables, sa.Column("version", sa.Integer, primary_key=True))
sessions = sa.Table(
    "sessions", tables,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("channel", sa.String(64), nullable=False),
    sa.Column("language", sa.String(35), nullable=False),
    sa.Column("opened_at", Moment, nullable=False, index=True),
    sa.Column("closed_at", Moment),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("turns", sa.Integer, nullable=False),
)  # fmt: skip
utterances = sa.Table(
    "utterances", tables,
    sa.Column("id", sa.Integer, primary_key=True),
    _session(),
    sa.Column("turn", sa.Integer, nullable=False),
    sa.Column("who", sa.String(16), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("heard", sa.Text, nullable=False),
    sa.Column("language", sa.String(35), nullable=False),
    sa.Column("confidence", sa.Float),
    sa.Column("at", Moment, nullable=False),
)  # fmt: skip
actions = sa.Table(
    "actions", tables,
    sa.Column("id", sa.Integer, primary_key=True),
    _session(),
    sa.Column("turn", sa.Integer, nullable=False),
    sa.Column("name", sa.String(64), nullable=False),
    sa.Column("arguments", sa.JSON, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
)  # fmt: skip
latencies = sa.Table(
    "latencies", tables,
    sa.Column("id", sa.Integer, primary_key=True),
    _session(),
    sa.Column("turn", sa.Integer, nullable=False),
    sa.Column("stage", sa.String(64), nullable=False),
    sa.Column("seconds", sa.Float, nullable=False),
)  # fmt: skip


class Database:
    """An open database. All methods raise `StoreError`, which names its address without a password."""

    def __init__(self, engine: sa.Engine, name: str) -> None:
        self._engine = engine
        self._name = name

    @classmethod
    def open(cls, address: str) -> Database:
        """Connect, make the tables where there are none, and check that they are ours.

        Raises `MissingError` where a driver is not installed.
        """
        url = _url(address)
        name = url.set(query={}).render_as_string(hide_password=True)
        if url.get_backend_name() == "sqlite":
            _make_file(url, name)
        try:
            engine = _engine(url)
        except ImportError as error:
            needed = "pip install -e '.[postgres]'" if url.get_backend_name() == "postgresql" else "its driver"
            raise MissingError(f"{name}: {error.name or error} is not installed: {needed}") from error
        database = cls(engine, name)
        try:
            database._prepare()
        except BaseException:
            engine.dispose()
            raise
        return database

    def _prepare(self) -> None:
        with self._told(), self._writing() as connection:
            if self._engine.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
            there = set(sa.inspect(connection).get_table_names())
            if schema.name not in there:
                if foreign := there & set(tables.tables):
                    raise StoreError(f"{self._name}: has tables {', '.join(sorted(foreign))} of another program")
                tables.create_all(connection)
                connection.execute(schema.insert().values(version=VERSION))
            found = connection.execute(sa.select(schema.c.version)).scalar()
            if found != VERSION:
                raise StoreError(
                    f"{self._name}: its tables are of version {found}, this program knows {VERSION}: "
                    "use the program that made them, or another database"
                )
            # Told now, not when the first visitor has come.
            connection.execute(sa.update(schema).values(version=VERSION))

    def write(self, rows: Sequence[Row]) -> int:
        """Write rows in one transaction; how many could not be, each for a fault of its own."""
        try:
            with self._told(), self._writing() as connection:
                for row in rows:
                    connection.execute(_statement(row))
            return 0
        except _RowError:
            return sum(self._refused(row) for row in rows)

    def _refused(self, row: Row) -> bool:
        """Write one row by itself; whether the database will not have it, as for a conversation that was forgotten."""
        try:
            with self._told(), self._writing() as connection:
                connection.execute(_statement(row))
            return False
        except _RowError:
            return True

    def transcript(self, session: str) -> list[Line]:
        columns = utterances.c
        query = sa.select(utterances).where(columns.session == session).order_by(columns.id)
        return [
            Line(row.who, row.text, row.language, row.at, row.turn, row.heard, row.confidence)
            for row in self._read(query)
        ]

    def sessions(self, limit: int) -> list[SessionRecord]:
        columns = sessions.c
        query = sa.select(sessions).order_by(columns.opened_at.desc(), columns.id).limit(limit)
        return [
            SessionRecord(row.id, row.channel, row.language, row.opened_at, row.closed_at, row.why, row.turns)
            for row in self._read(query)
        ]

    def delete_before(self, moment: datetime) -> int:
        ended = sa.func.coalesce(sessions.c.closed_at, sessions.c.opened_at, type_=Moment)
        return self._delete(ended < moment)

    def delete(self, session: str) -> bool:
        return self._delete(sessions.c.id == session) > 0

    def _delete(self, which: sa.ColumnElement[bool]) -> int:
        with self._told(), self._writing() as connection:
            count = connection.execute(sa.delete(sessions).where(which)).rowcount
        if count and self._engine.dialect.name == "sqlite":
            # What was deleted is still to be read in the log of changes until that is cut off.
            with self._told(), self._engine.connect().execution_options(anchor_bare=True) as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        return count

    def _read(self, query: sa.Select[Any]) -> list[sa.Row[Any]]:
        with self._told(), self._engine.connect() as connection:
            return list(connection.execute(query))

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        with self._engine.connect().execution_options(anchor_writes=True) as connection, connection.begin():
            yield connection

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (sa.exc.IntegrityError, sa.exc.DataError) as error:
            raise _RowError(f"{self._name}: {_reason(error)}") from None
        except sa.exc.SQLAlchemyError as error:
            raise StoreError(f"{self._name}: {_reason(error)}") from None

    def close(self) -> None:
        self._engine.dispose()


class _RowError(StoreError):
    """The database works, but will not have this row."""


def _reason(error: sa.exc.SQLAlchemyError) -> str:
    """In one line, without the statement and its values."""
    cause = getattr(error, "orig", None) or error
    first = str(cause).strip().partition("\n")[0]
    return first or type(cause).__name__


def _statement(row: Row) -> sa.Executable:
    table = tables.tables[row.table]
    if row.key:
        return sa.update(table).where(table.c.id == row.key).values(**row.values)
    return sa.insert(table).values(**row.values)


def _url(address: str) -> sa.URL:
    try:
        url = sa.make_url(address)
        backend = url.get_backend_name()
    except (sa.exc.ArgumentError, ValueError) as error:
        raise StoreError("store.url is no database address: write sqlite:///conversations.db") from error
    if backend == "postgres" or url.drivername == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    if backend not in ("sqlite", "postgresql"):
        raise StoreError(f"store.url: {backend} is not known here: use sqlite or postgresql")
    return url


def _make_file(url: sa.URL, name: str) -> None:
    """Make a new SQLite file for its owner alone; what SQLite puts beside it gets the same rights."""
    if not url.database or url.database == ":memory:" or url.query.get("uri"):
        return
    path = Path(url.database)
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        return
    except OSError as error:
        raise StoreError(f"{name}: {error.strerror}") from error


def _engine(url: sa.URL) -> sa.Engine:
    # SQLAlchemy puts the values of a failed statement into its errors, unless told not to.
    if url.get_backend_name() == "postgresql":
        return sa.create_engine(
            url, hide_parameters=True, json_serializer=_json, pool_size=1, max_overflow=0,
            pool_pre_ping=True, pool_timeout=ANSWER_SECONDS,
            connect_args={
                "connect_timeout": BUSY_SECONDS,
                "application_name": "anchor",
                "tcp_user_timeout": 1000 * ANSWER_SECONDS,
                "options": f"-c statement_timeout={1000 * ANSWER_SECONDS} -c lock_timeout={1000 * BUSY_SECONDS}",
            },
        )  # fmt: skip
    memory = not url.database or url.database == ":memory:"
    arguments: dict[str, Any] = {"poolclass": StaticPool} if memory else {}
    connect = {"timeout": BUSY_SECONDS, "check_same_thread": False}
    engine = sa.create_engine(url, hide_parameters=True, json_serializer=_json, connect_args=connect, **arguments)
    sa.event.listen(engine, "connect", _set_up_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _set_up_sqlite(connection: Any, _: object) -> None:
    # The driver would begin transactions by itself, and as readers; two writers then end in "locked".
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout={1000 * BUSY_SECONDS}", "journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON",
        "secure_delete=ON",
    ):  # fmt: skip
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    options = connection.get_execution_options()
    if not options.get("anchor_bare"):
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("anchor_writes") else "BEGIN")
