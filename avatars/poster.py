"""A small picture of an avatar at rest, by which people choose."""

from __future__ import annotations

import io

import cv2

from anchor.media import Blendshapes, Picture, VideoFormat
from anchor.ports import Avatar, Placement
from avatars import backdrop, graphics
from avatars.layout import Layout
from avatars.typeset import Typesetter

SIZE = VideoFormat(288, 360)
_NEAR = Placement(0.5, 0.47, 0.56)
"""Nearer than on air: what matters is the face, below the label."""


def poster(avatar: Avatar) -> bytes:
    """A WebP file of `SIZE`: the face where it is best shown, with the AI label."""
    setting = avatar.setting(SIZE, _NEAR, own_background=True)
    room = backdrop.studio(SIZE) if setting.background is None else setting.background
    picture = Picture.black(SIZE)
    avatar.open(SIZE, room, setting.placement).draw(Blendshapes(), picture)
    label = graphics.label(graphics.DEFAULT_LABEL, Layout.of(SIZE), Typesetter(None, ("zh-CN", "en")))
    label.blend(picture)
    return webp(picture)


def webp(picture: Picture) -> bytes:
    """A picture as a WebP file."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(cv2.cvtColor(picture.data, cv2.COLOR_YUV2RGB_I420)).save(file, "WEBP", quality=82, method=4)
    return file.getvalue()
