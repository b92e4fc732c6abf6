"""Engines that do what real ones do, good and bad, in no time: run by `anchor.voice.engine_host` in the tests."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np

from anchor.errors import ModelError, VoiceError
from anchor.media import Samples

RATE = 8_000


def _hang() -> None:
    threading.Event().wait()


class Toy:
    """Each piece of a sentence is `samples` of the number of the piece. A request says in ``do`` what goes wrong."""

    def __init__(self, *, samples: int = 10, fails: str = "", marker: str = "") -> None:
        print("loading the weights")
        if fails == "model":
            raise ModelError("/voices/toy.bin: is damaged")
        if fails == "import":
            import a_package_that_is_nowhere  # type: ignore[import-not-found] # noqa: F401
        if fails == "hang":
            _hang()
        if marker and not os.path.exists(marker):  # noqa: PTH110
            with open(marker, "w"):  # noqa: PTH123
                os._exit(3)
        self._samples = samples

    @property
    def facts(self) -> dict[str, Any]:
        return {"rate": RATE, "pid": os.getpid(), "niceness": os.nice(0)}

    def speak(self, request: dict[str, Any]) -> Iterator[tuple[dict[str, Any], Samples]]:
        do = request.get("do", "")
        for piece in range(request["pieces"]):
            if piece == request.get("at", 0):
                self._go_wrong(do)
            yield {"piece": piece, "pid": os.getpid()}, np.full(self._samples, piece, np.float32)

    def _go_wrong(self, do: str) -> None:
        if do == "print":
            print("progress: 100 %")
            os.write(1, b"from C, past Python\n")
            sys.stdout.flush()
        elif do == "chatter":
            os.write(2, b"x" * (2 << 20))
        elif do == "voice error":
            raise VoiceError("no such speaker")
        elif do == "error":
            raise ZeroDivisionError("division by zero")
        elif do == "last words":
            os.write(2, b"x" * (1 << 17) + b"\nout of memory on the GPU\n")
            os._exit(1)
        elif do == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        elif do == "hang":
            _hang()
