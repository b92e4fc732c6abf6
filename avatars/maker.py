"""Making avatars from what people bring: a portrait or a clip, and the record of consent that goes with it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from anchor.clock import today
from anchor.errors import AvatarError, MissingError
from anchor.packages.consent import Consent, read_consent, rewrite_consent
from anchor.packages.manifest import valid_name
from anchor.packages.writer import new_folder
from avatars.files import AVATAR, MANIFEST
from avatars.package import Table, read_manifest
from avatars.package_writer import write_arrays, write_image, write_manifest
from avatars.photo import Background, figure
from avatars.source import check_face, read_picture

Note = Callable[[str], None]
"""Is told in a few words what is being done."""
_PICTURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")


def _is_picture(source: Path) -> bool:
    """Whether a file is a picture, not a clip, by its first bytes; it may still be damaged.

    Raises `MissingError` for what is no file, and `AvatarError` for what is neither.
    """
    if not source.is_file():
        raise MissingError(f"{source}: there is no such file")
    with source.open("rb") as file:
        head = file.read(12)
    if head.startswith(_PICTURES) or (head[:4] == b"RIFF" and head[8:] == b"WEBP"):
        return True
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free") or head[:4] == b"\x1aE\xdf\xa3":
        return False
    raise AvatarError(f"{source}: is neither a picture (JPEG, PNG, WebP) nor a clip (MP4, WebM, MOV)")


def consent_of(who: str, scope: str, until: str) -> Consent:
    """Raises `AvatarError` for a record that would not let the avatar load."""
    return read_consent(Table({"who": who, "scope": scope, "until": until}, "consent"), today(), AVATAR)


def make_avatar(
    source: Path, folder: Path, *, name: str = "", title: str = "", background: Background = "keep", consent: Consent,
    licence: str = "all rights reserved", note: Note = lambda _: None,
) -> None:  # fmt: skip
    """Write an avatar package from a portrait (JPEG, PNG, WebP) or a clip (MP4, WebM, MOV).

    Raises `MissingError` for no file or a part that is not installed, and `AvatarError` that says what is wrong with
    the source; nothing is written then.
    """
    name = name or re.sub(r"[^\w-]+", "-", folder.name.lower()).strip("-")
    if not valid_name(name):
        raise AvatarError(f"name {name!r}: use up to 64 letters, digits, - and _")
    head = {"name": name, "title": title.strip() or name, "licence": licence}
    picture = _is_picture(source)
    with new_folder(folder, AVATAR) as scratch:
        try:
            (_make_photo if picture else _make_clip)(source, scratch, head, background, consent, note)
        except AvatarError as error:
            text = str(error)
            raise AvatarError(text if text.startswith(str(source)) else f"{source}: {text}") from error


def _make_photo(
    source: Path, folder: Path, head: dict[str, Any], background: Background, consent: Consent, note: Note
) -> None:
    picture = read_picture(source)
    note("looking for the face")
    face = check_face(picture)
    note("measuring the face and cutting its layers")
    made = figure(picture, face, background)
    note("writing")
    for layer, found in made.layers.items():
        write_image(folder / f"{layer}.webp", found.pixels)
    write_arrays(folder / "fields.npz", made.arrays)
    places = {layer: {"file": f"{layer}.webp", "at": [found.left, found.top]} for layer, found in made.layers.items()}
    write_manifest(folder, {**head, "kind": "puppet"}, consent, {**made.tables, "layers": places})


def _make_clip(
    source: Path, folder: Path, head: dict[str, Any], background: Background, consent: Consent, note: Note
) -> None:
    from avatars.footage_maker import make

    make(source, folder, head, background, consent, note)


def record_consent(folder: Path, *, until: str, who: str = "", scope: str = "") -> Consent:
    """Write another record of consent into a package's manifest and return it; all else in it stays as it is.

    Who and scope stay as they were when they are empty; a date that is past revokes the consent. Raises `AvatarError`
    for a package that cannot be read or whose record cannot be found.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise AvatarError(f"{folder}: give the folder of an avatar; it holds {MANIFEST}")
    # For writing, it does not matter that the old one has ended, nor that the new one has.
    old = read_manifest(folder, day=date.min).consent
    consent = read_consent(
        Table({"who": who or old.who, "scope": scope or old.scope, "until": until}, "consent"), date.min, AVATAR
    )
    rewrite_consent(folder, AVATAR, consent)
    return consent
