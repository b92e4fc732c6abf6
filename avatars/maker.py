"""Making avatars from what people bring: ``anchor avatar make``, and records of consent."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from anchor.errors import AvatarError
from avatars.package import Consent
from avatars.package_writer import new_folder, write_arrays, write_image, write_manifest
from avatars.photo import Background, figure
from avatars.source import check_face, read_picture


def make_photo(
    source: Path, folder: Path, *, name: str, title: str, background: Background, consent: Consent, licence: str,
    note: Callable[[str], None] = lambda _: None,
) -> None:  # fmt: skip
    """Write a package from one portrait. Raises `AvatarError` that says what is wrong with it; nothing is left then."""
    with new_folder(folder) as scratch:
        picture = read_picture(source)
        note("looking for the face")
        try:
            face = check_face(picture)
            note("measuring and cutting")
            made = figure(picture, face, background)
        except AvatarError as error:
            raise AvatarError(f"{source}: {error}") from error
        note("writing")
        for layer, found in made.layers.items():
            write_image(scratch / f"{layer}.webp", found.pixels)
        write_arrays(scratch / "fields.npz", made.arrays)
        places = {layer: {"file": f"{layer}.webp", "at": [found.left, found.top]} for layer, found in made.layers.items()}
        head = {"name": name, "title": title, "kind": "puppet", "licence": licence}
        write_manifest(scratch, head, consent, {**made.tables, "layers": places})
