"""A picture in another size: whole, undistorted, with black bars where the shapes differ."""

from __future__ import annotations

import cv2

from anchor.media import Bytes, Picture, VideoFormat


class Fitting:
    """Brings pictures of `source` to `target`. Raises `ValueError` when the frame rates differ.

    Every picture is a new one, which nothing changes later: encoders keep those they look ahead at.
    """

    def __init__(self, source: VideoFormat, target: VideoFormat) -> None:
        if source.fps != target.fps:
            raise ValueError(f"{source.fps} pictures a second cannot be fitted into {target.fps}")
        self._target = target
        self._same = (source.width, source.height) == (target.width, target.height)
        scale = min(target.width / source.width, target.height / source.height)
        # Chroma has half the size, so everything lies on even pixels.
        self._width = min(target.width, round(source.width * scale / 2) * 2)
        self._height = min(target.height, round(source.height * scale / 2) * 2)
        self._left = (target.width - self._width) // 4 * 2
        self._top = (target.height - self._height) // 4 * 2
        self._how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC

    def fit(self, picture: Picture) -> Picture:
        if self._same:
            return picture
        fitted = Picture.black(self._target)
        self._place(picture.y, fitted.y, 1)
        self._place(picture.u, fitted.u, 2)
        self._place(picture.v, fitted.v, 2)
        return fitted

    def _place(self, plane: Bytes, into: Bytes, share: int) -> None:
        width, height, left, top = (n // share for n in (self._width, self._height, self._left, self._top))
        into[top : top + height, left : left + width] = cv2.resize(plane, (width, height), interpolation=self._how)
