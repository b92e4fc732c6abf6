"""A real RTMP server for tests, which skip where it is not installed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from anchor.bench.ingest import Ingest
from anchor.errors import MissingError


@contextmanager
def nginx(folder: Path) -> Iterator[Ingest]:
    try:
        server = Ingest(folder)
    except MissingError as error:
        pytest.skip(str(error))
    server.start()
    try:
        yield server
    finally:
        server.kill()
