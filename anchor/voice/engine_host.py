"""The process a speech engine lives in: reads requests from stdin, writes sound to stdout as it is made.

Engines hold gigabytes, keep the interpreter busy and may crash; here they can do none of that to the pictures. Messages
are those of `anchor.workers`. A request is what the engine's `speak` takes; the answers are parts ``{"more": true,
"seconds", ...}`` with sound in 32-bit floats, made so long after the request, and a last one without ``more``.
``{"load": true}`` loads what can be loaded and is answered ``{"rate", ...}`` with what the engine tells of itself.
``{"stop": true}``, sent between parts, ends the sentence.

`anchor.voice.engine` starts it. By hand: ``python -m anchor.voice.engine_host MODULE:CLASS OPTIONS``, options as JSON.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any, BinaryIO, Protocol

import numpy as np

from anchor.errors import AnchorError
from anchor.media import Samples
from anchor.workers import HEADER

LEAVING_SECONDS = 1.0
"""How long work under way may go on after whoever asked for it has gone."""

POLITENESS = 5
"""Niceness of the process: a sentence may wait, the next picture not."""


class Engine(Protocol):
    """Made with keyword options; used by one thread. May raise `AnchorError` from anywhere, told as it is."""

    @property
    def facts(self) -> dict[str, Any]:
        """What it tells of itself once loaded: at least ``rate``, the samples a second of its sound."""
        ...

    def speak(self, request: dict[str, Any]) -> Iterator[tuple[dict[str, Any], Samples]]:
        """Give the sound of a sentence piece by piece, float32 mono at its rate, each with what it tells of it."""
        ...


def main() -> None:
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb", 0)
    # What a library prints must not get between the answers.
    os.dup2(2, 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(OSError):
        os.nice(POLITENESS)
    threading.Thread(target=_leave, args=(requests.fileno(),), daemon=True).start()
    module, _, name = sys.argv[1].partition(":")
    engine: Engine | None = None
    while (request := _read(requests)) is not None:
        if "stop" in request:
            continue  # for a sentence that has ended by itself
        try:
            if engine is None:
                engine = getattr(importlib.import_module(module), name)(**json.loads(sys.argv[2]))
            if "load" in request:
                _write(answers, engine.facts)
                continue
            stopped, begun = False, time.perf_counter()
            with contextlib.closing(engine.speak(request)) as pieces:  # type: ignore[type-var]
                for told, sound in pieces:
                    seconds = time.perf_counter() - begun
                    _write(answers, {"more": True, "seconds": seconds, **told}, np.asarray(sound, "<f4").tobytes())
                    if stopped := _asked_to_stop(requests):
                        break
            _write(answers, {"stopped": stopped})
        except AnchorError as error:
            _write(answers, {"error": str(error)})
        except ImportError as error:
            _write(answers, {"error": f"needs {error.name or error}, which is not installed"})
        except MemoryError:
            raise
        except Exception as error:
            _write(answers, {"error": f"{type(error).__name__}: {error}"})


def _leave(pipe: int) -> None:
    """End the process, whatever it does, soon after nobody can ask it anything any more."""
    gone = select.poll()
    gone.register(pipe, 0)
    gone.poll()
    threading.Event().wait(LEAVING_SECONDS)
    os._exit(0)


def _asked_to_stop(requests: BinaryIO) -> bool:
    """Whether the next message, if there is one yet, says so. Nothing else is sent while a sentence is made."""
    return bool(select.select([requests.fileno()], [], [], 0)[0]) and "stop" in (_read(requests) or {"stop": True})


def _read(requests: BinaryIO) -> dict[str, Any] | None:
    header = _exactly(requests, HEADER.size)
    if header is None:
        return None
    size, sound = HEADER.unpack(header)
    packed = _exactly(requests, size)
    if packed is None or (sound and _exactly(requests, sound) is None):
        return None
    request: dict[str, Any] = json.loads(packed)
    return request


def _exactly(requests: BinaryIO, size: int) -> bytes | None:
    # Not through the buffer of sys.stdin, in which `select` would not see what is there.
    data = b""
    while len(data) < size:
        part = os.read(requests.fileno(), size - len(data))
        if not part:
            return None
        data += part
    return data


def _write(answers: BinaryIO, told: dict[str, Any], sound: bytes = b"") -> None:
    packed = json.dumps(told, ensure_ascii=False).encode()
    data = memoryview(HEADER.pack(len(packed), len(sound)) + packed + sound)
    while data:
        data = data[answers.write(data) or 0 :]


if __name__ == "__main__":
    main()
