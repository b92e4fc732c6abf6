"""What is wrong with a package: everything that can be found at once, in words for the person who made it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from anchor.clock import today
from anchor.errors import AnchorError, AvatarError
from anchor.media import Blendshapes, Picture, VideoFormat
from anchor.packages.archive import ignored, unpacked
from anchor.packages.manifest import read_values
from anchor.ports import Placement
from avatars.files import AVATAR, FILMS, MANIFEST, NAMED, folder_problems, read_arrays, read_image
from avatars.package import HEAD, load_avatar
from avatars.puppet_parts import Place
from avatars.tables import Table, plain

POSTER = "poster.webp"
"""A picture that may lie in a package for people to see."""


def check(path: Path) -> list[str]:
    """All that can be found; an empty list for a good package, which has then been loaded and drawn, small.

    A figure is drawn once, footage picture by picture.
    """
    try:
        with unpacked(path, AVATAR) as folder:
            # Names of scratch folders help nobody.
            found = [text.replace(str(folder), str(path)) for text in _problems(folder) or _unread(folder)]
    except AvatarError as error:
        return [str(error)]
    return list(dict.fromkeys(found))


def _problems(folder: Path) -> list[str]:
    found = list(folder_problems(folder))
    try:
        values = read_values(folder, AVATAR)
    except AvatarError as error:
        return [*found, str(error)]
    steps: list[Callable[[], object]] = []
    if not found:
        steps.append(partial(_draw, folder))
    head = Table(values, str(folder / MANIFEST))
    steps += [partial(read, head, today()) for read in HEAD.values()]
    layers = values.get("layers")
    if isinstance(layers, dict):
        steps += [partial(_place, layers, folder, name) for name in layers]
    for file in sorted(_named(values)):
        suffix = Path(file).suffix.lower()
        # What is not even what its name says is not opened.
        if suffix not in FILMS and not any(text.startswith(f"{folder / file}:") for text in found):
            steps.append(partial(read_arrays if suffix == ".npz" else read_image, folder, file))
    for step in steps:
        try:
            step()
        except AnchorError as error:
            found.append(str(error))
    return found


def _unread(folder: Path) -> list[str]:
    """Files of a good package that nobody needs."""
    spare = {item.name for item in folder.iterdir() if item.suffix.lower() in NAMED and not ignored(item.name)}
    spare -= {*_named(read_values(folder, AVATAR)), POSTER}
    return [f"{plain(folder / name, 300)}: the manifest does not name this file; remove it" for name in sorted(spare)]


def _named(values: object) -> set[str]:
    return {text for text in _texts(values) if Path(text).suffix.lower() in NAMED}


def _place(layers: Mapping[str, Any], folder: Path, name: str) -> None:
    Place.read(Table(layers, str(folder / MANIFEST), "layers.").table(name))


def _texts(value: object) -> Iterator[str]:
    """All texts in a manifest, however deep: TOML's dotted keys nest deeper than Python recurses."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict | list):
            waiting += item.values() if isinstance(item, dict) else item


def _draw(folder: Path) -> None:
    video = VideoFormat(160, 90, 25)
    try:
        avatar = load_avatar(folder)
        view = avatar.open(video, np.zeros((90, 160, 3), np.uint8), Placement(0.5, 0.36, 0.4))
        canvas = Picture.black(video)
        for _ in range(int(avatar.info.details.get("frames", 1))):
            view.draw(Blendshapes(), canvas)
    except AnchorError:
        raise
    except Exception as error:  # numbers that are right one by one and cannot be drawn together
        raise AvatarError(f"{folder}: cannot be drawn ({plain(error)}); make it again") from error
