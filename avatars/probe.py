"""What an avatar's pictures show: where the lips and lids are, whether a seam is seen, whether anything else moves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np

from anchor.media import Blendshapes, Bytes, DrawnFace, Floats, Picture, VideoFormat
from anchor.ports import Avatar, AvatarView, Placement, Setting
from avatars.film import Player
from avatars.footage import FootageAvatar, FootageView
from avatars.landmarks import Tracker
from avatars.puppet import PuppetAvatar
from avatars.puppet_draw import affine

_LOOKED_AT = 640
"""Side in pixels of the square around the face in which landmarks are found."""
_STIRRED = 0.10
"""How far, in head heights, a head moves about."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Openings in one picture, as MediaPipe sees them: of the lips in eye distances, of the eyes in eye widths."""

    lips: float
    eyes: float


def _opened(avatar: Avatar, video: VideoFormat) -> tuple[AvatarView, Picture, Setting]:
    setting = avatar.setting(video, Placement(0.5, 0.42, 0.5), own_background=True)
    ground: Bytes = np.full((video.height, video.width, 3), 96, np.uint8)
    if setting.background is not None:
        ground = setting.background
    return avatar.open(video, ground, setting.placement), Picture.black(video), setting


def look(avatar: Avatar, faces: Iterable[DrawnFace], video: VideoFormat) -> Iterator[Seen | None]:
    """Draw faces and find their landmarks again in the pixels; None where no face is found."""
    view, canvas, setting = _opened(avatar, video)
    place = setting.placement
    x, y, reach = place.x * video.width, place.eyes * video.height, place.head * video.height
    rows = slice(max(0, int(y - reach)), int(y + reach))
    columns = slice(max(0, int(x - reach)), int(x + reach))
    with Tracker() as tracker:
        for face in faces:
            view.draw(face, canvas)
            part = cv2.cvtColor(canvas.data, cv2.COLOR_YUV2BGR_I420)[rows, columns]
            scale = _LOOKED_AT / part.shape[0]
            part = cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
            found = tracker.find(cast(Bytes, part))
            yield Seen(found[0].lip_gap, max(found[0].eye_gaps)) if found else None


def _cover(avatar: PuppetAvatar, names: Sequence[str], video: VideoFormat, setting: Setting) -> Bytes:
    """How much of the picture layers cover at rest: uint8, (height, width)."""
    place = setting.placement
    scale = place.head * video.height / avatar.rig.tall
    x, y = round(place.x * video.width), round(place.eyes * video.height)
    cover = np.zeros((video.height, video.width), np.uint8)
    for name in names:
        layer = avatar.layers[name]
        matrix = [[scale, 0, x + layer.left * scale], [0, scale, y + layer.top * scale]]
        alpha = np.ascontiguousarray(layer.pixels[..., 3])
        cover = np.maximum(cover, affine(alpha, matrix, (video.width, video.height)))
    return cover


def _edges(picture: Picture) -> Floats:
    """Length of the brightness gradient: float32, (height, width)."""
    y = picture.y.astype(np.float32)
    return cast(Floats, cv2.magnitude(cv2.Sobel(y, cv2.CV_32F, 1, 0), cv2.Sobel(y, cv2.CV_32F, 0, 1)))


def seam_percent(avatar: PuppetAvatar, faces: Iterable[Blendshapes], video: VideoFormat) -> float:
    """How much the brightness gradient across the border of the mouth's patch differs from the same border at rest.

    In percent, either way, the mean over `faces`, which shall hold the head still. The border is where the patch is
    neither whole nor transparent.
    """
    view, canvas, setting = _opened(avatar, video)
    cover = _cover(avatar, ("lip_upper", "lip_lower"), video, setting)
    border = (cover > 12) & (cover < 243)
    view.draw(Blendshapes(), canvas)
    untouched = float(_edges(canvas)[border].mean())
    off = []
    for face in faces:
        view.draw(face, canvas)
        off.append(abs(float(_edges(canvas)[border].mean()) / untouched - 1))
    return 100 * float(np.mean(off))


def footage_seam_percent(avatar: FootageAvatar, faces: Iterable[Blendshapes], video: VideoFormat) -> float:
    """As `seam_percent`, for a mouth moved in footage: against the same picture of it with the mouth at rest."""
    (view, canvas, _), (untouched, rest, _) = (_opened(avatar, video) for _ in range(2))
    off = []
    for face in faces:
        view.draw(face, canvas)
        untouched.draw(Blendshapes(), rest)
        cover = cast(FootageView, view).patch()
        border = (cover > 12) & (cover < 243)
        off.append(abs(float(_edges(canvas)[border].mean()) / float(_edges(rest)[border].mean()) - 1))
    return 100 * float(np.mean(off))


def loop_seam(avatar: FootageAvatar) -> float:
    """How much the film changes from its last picture to its first, in parts of the largest change elsewhere in it."""
    player = Player(avatar.film)
    before = first = player.next().y.astype(np.float32)
    changes = []
    for _ in range(avatar.film.count - 1):
        shot = player.next().y.astype(np.float32)
        changes.append(float(np.abs(shot - before).mean()))
        before = shot
    return float(np.abs(first - before).mean()) / max(1e-6, *changes)


def stray_pixels(avatar: PuppetAvatar, faces: Iterable[Blendshapes], video: VideoFormat) -> int:
    """How many pixels away from the figure ever differ from the ground it stands on, in brightness or colour."""
    view, canvas, setting = _opened(avatar, video)
    cover = _cover(avatar, ("face", "body", "hair", "back", "neck"), video, setting)
    reach = round(_STIRRED * setting.placement.head * video.height)
    near = cv2.dilate((cover > 0).astype(np.uint8), np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))
    ground: Bytes = np.full((video.height, video.width, 3), 96, np.uint8)
    still = cv2.cvtColor(ground if setting.background is None else setting.background, cv2.COLOR_BGR2YUV_I420)
    height = video.height
    away = near == 0
    halves = np.concatenate(
        [cv2.resize(away.astype(np.uint8), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_NEAREST)] * 2
    )
    outside = np.concatenate([away, halves.reshape(height // 2, video.width) > 0])
    changed = np.zeros_like(outside)
    for face in faces:
        view.draw(face, canvas)
        changed |= (canvas.data != still) & outside
    return int(changed.sum())
