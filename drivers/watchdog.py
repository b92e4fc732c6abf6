"""An end for what never ends: a file of a few bytes can hold a loop of 2**62 rounds."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

import onnxruntime

_TICK_SECONDS = 1.0

_running: dict[onnxruntime.RunOptions, float] = {}
_guard = threading.Lock()
_anything = threading.Event()
_thread: threading.Thread | None = None


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[onnxruntime.RunOptions]:
    """Options for one run of a session, which end it after `seconds`, to the second; it then fails.

    One thread counts for all runs, so that a run of a tenth of a millisecond is not made longer.
    """
    global _thread
    options = onnxruntime.RunOptions()
    with _guard:
        if _thread is None:
            _thread = threading.Thread(target=_count, name="network-watchdog", daemon=True)
            _thread.start()
        _running[options] = seconds
    _anything.set()
    try:
        yield options
    finally:
        with _guard:
            del _running[options]


def _count() -> None:
    while True:
        _anything.wait()
        threading.Event().wait(_TICK_SECONDS)
        with _guard:
            if not _running:
                _anything.clear()
            for options in _running:
                _running[options] -= _TICK_SECONDS
                if _running[options] < 0:
                    options.terminate = True
