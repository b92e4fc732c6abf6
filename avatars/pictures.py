"""Pictures that people bring, read as if their makers meant harm: their size is looked at before they are decoded."""

from __future__ import annotations

from pathlib import Path
from threading import Lock

import numpy as np

from anchor.errors import AvatarError, MissingError
from anchor.media import Bytes

FORMATS = ("JPEG", "PNG", "WEBP")
MOST_SIDE, MOST_PIXELS = 12_000, 80_000_000
GREY, WHITE = (128, 128, 128), (255, 255, 255)

_opening = Lock()


def read_picture(path: Path, *, longest: int, ground: tuple[int, int, int] = GREY) -> Bytes:
    """Read a JPEG, PNG or WebP as it is meant to be seen: BGR, uint8, at most `longest` pixels a side.

    What is transparent shows the `ground`, red, green and blue. Of an animation it is the first picture.

    Raises `MissingError` where there is no file and `AvatarError` for one that is no picture, too large or damaged;
    its size is read before it is decoded.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    if not path.is_file():
        raise MissingError(f"{path}: there is no such file")
    try:
        # Pillow's own limit is one for all threads, and its error does not say the size.
        with _opening:
            limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
            try:
                opened = Image.open(path, formats=FORMATS)
            finally:
                Image.MAX_IMAGE_PIXELS = limit
        with opened as picture:
            width, height = picture.size
            if max(width, height) > MOST_SIDE or width * height > MOST_PIXELS:
                raise AvatarError(
                    f"{path}: is {width}x{height} pixels; at most {MOST_SIDE} a side and {MOST_PIXELS // 1_000_000} "
                    "million in all. Make it smaller"
                )
            picture.draft("RGB", (longest, longest))
            upright = ImageOps.exif_transpose(picture)
            if upright.mode.startswith("I"):
                # Sixteen bits of grey, of which Pillow would keep the lower eight.
                upright = Image.fromarray((np.asarray(upright, np.int32) >> 8).clip(0, 255).astype(np.uint8))
            if upright.has_transparency_data:
                upright = upright.convert("RGBA")
                upright = Image.alpha_composite(Image.new("RGBA", upright.size, (*ground, 255)), upright)
            upright = upright.convert("RGB")
            upright.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    except UnidentifiedImageError as error:
        raise AvatarError(f"{path}: is not a picture; give a JPEG, PNG or WebP") from error
    except (OSError, ValueError, SyntaxError) as error:
        raise AvatarError(f"{path}: is damaged ({error}); export it again") from error
    return np.ascontiguousarray(np.asarray(upright, np.uint8)[..., ::-1])
