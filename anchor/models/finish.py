"""What is made of a model's files when they are here."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from anchor.errors import ConfigError

Tell = Callable[[str], None]

QUANTISED, GRAPH = "kokoro-v1.0.int8.onnx", "model.onnx"


def room(step: str) -> int:
    """Bytes that a step may need on the disk."""
    return 360 << 20 if step == "kokoro" else 0


def finished(step: str, folder: Path) -> bool:
    """Whether there is nothing left to make: all of it is here, or what makes more of it is not installed."""
    if not step:
        return True
    graph = folder / GRAPH
    if not graph.is_file():
        return False
    plain = graph.stat().st_size == (folder / QUANTISED).stat().st_size
    return not (plain and find_spec("onnx") is not None)


def finish(step: str, folder: Path, tell: Tell) -> tuple[str, ...]:
    """Make what is to be made of the files in `folder`. Returns the paths of what was made.

    Kokoro's graph is quantised for size: as a float one it is quicker, and tells when each sound is heard. That takes
    the package onnx; without it the graph is used as it is.
    """
    if not step:
        return ()
    if step != "kokoro":
        raise ConfigError(f"catalogue: finish = {step!r}: there is no such step")
    source, target = folder / QUANTISED, folder / GRAPH
    beside = target.with_name(f".{GRAPH}.new")
    beside.unlink(missing_ok=True)
    if find_spec("onnx") is None:
        tell(
            "the package onnx is not installed: words are timed by listening, not exactly; pip install onnx, pull again"
        )
        os.link(source, beside)
    else:
        tell("making the float graph with timings")
        importlib.import_module("anchor.voice.kokoro_graph").float_with_durations(source, beside)
    beside.replace(target)
    return (GRAPH,)
