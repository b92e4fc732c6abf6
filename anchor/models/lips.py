"""``anchor models check``: what networks in files are, and whether they move lips as they should."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

from anchor import registry
from anchor.clock import FreeClock
from anchor.ports import Avatar, Driver, Paintable, PatchDriver
from anchor.selftest import TEXT, VIDEO, Verdict, drawn, say, seen_on

Tell = Callable[[str, str], None]
"""Is told a word, or nothing, and what there is to say of it."""


async def check(path: Path, avatar: str, options: Mapping[str, Any], tell: Tell) -> Verdict:
    """Tell of the files at `path` and test them on an avatar; one that was drawn is taken for a photo.

    Raises `MissingError` for what is not there, and `ModelError` for files that are of no family or fail.
    """
    nets = registry.load("anchor.part", "nets")
    found = await asyncio.to_thread(nets.recognise, path, **options)
    for word, text in found.report():
        tell(word, text)
    driver: Driver = nets.driver_of(found, FreeClock())
    figure: Avatar = await asyncio.to_thread(registry.load("anchor.part", "avatars").load_for_painting, avatar)
    painter = None
    if driver.info.produces == "patch":
        painter = await asyncio.to_thread(cast(PatchDriver, driver).painter, cast(Paintable, figure))
    speech = await say()
    start = time.perf_counter()
    faces = await drawn(driver, painter, speech, VIDEO.fps)
    each = 1000 * (time.perf_counter() - start) / len(faces)
    tell("look-ahead", f"{1000 * driver.info.lookahead_seconds:.0f} ms")
    tell("time", f"{each:.1f} ms a picture here, one by one; {VIDEO.fps} a second leave {1000 / VIDEO.fps:.0f} ms")
    verdict = await seen_on(figure, faces, speech, VIDEO.fps)
    tell("self-test", f"{figure.info.name} says {TEXT!r}: {verdict}")
    return verdict
