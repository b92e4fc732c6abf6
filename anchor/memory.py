"""The C library's memory: streams that come and go would leave it in pieces that nobody gives back.

glibc keeps a heap for every few threads, and each stream brings some; what one small block holds on to, none of them
returns. With two heaps, and trimmed now and then, a process is after 500 conversations as large as after 50.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import sys
from collections.abc import Iterator
from functools import cache
from typing import Any

_ARENA_MAX = -8
"""``M_ARENA_MAX`` of malloc.h."""
_MMAP_THRESHOLD = -3
"""``M_MMAP_THRESHOLD``."""


@cache
def _library() -> Any:
    """glibc, or None elsewhere."""
    if not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None


def few_heaps() -> None:
    """Have the process use two heaps. Before threads are started; does nothing where there is no glibc."""
    library = _library()
    if library is not None:
        library.mallopt(_ARENA_MAX, 2)


def large_blocks_apart() -> None:
    """Have blocks of a picture's size come from the system and go back to it: heaps do not grow with pictures' holes.

    Costs a tenth of a picture's time; before threads are started.
    """
    library = _library()
    if library is not None:
        library.mallopt(_MMAP_THRESHOLD, 1 << 20)


@contextlib.contextmanager
def settled() -> Iterator[None]:
    """Leave what is loaded now out of Python's search for garbage, which would take a tenth of a second with it."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def trim() -> None:
    """Give free memory back to the system. Takes some milliseconds: call it in a worker thread."""
    gc.collect()
    library = _library()
    if library is not None:
        library.malloc_trim(0)
