"""A small picture of an avatar at rest, by which people choose."""

from __future__ import annotations

import io

import cv2

from anchor.media import Blendshapes, Look, VideoFormat
from anchor.ports import Avatar
from avatars.compositor import StudioScene

SIZE = VideoFormat(288, 360)


def poster(avatar: Avatar) -> bytes:
    """A WebP file of `SIZE`: the avatar where it is best shown, with the AI label."""
    from PIL import Image

    picture = StudioScene(avatar, SIZE).draw(Look(Blendshapes()))
    file = io.BytesIO()
    Image.fromarray(cv2.cvtColor(picture.data, cv2.COLOR_YUV2RGB_I420)).save(file, "WEBP", quality=82, method=4)
    return file.getvalue()
