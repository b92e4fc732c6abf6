"""A camera that other programs on this machine can choose: v4l2loopback on Linux, OBS's on Windows and macOS."""

from __future__ import annotations

import importlib
from typing import Any

from anchor.errors import OutputError, RefusedError
from anchor.media import Beat, VideoFormat


class VirtualCamera:
    """Shows beats on `device`, such as ``/dev/video10``. Its sound stays behind: a camera has none.

    `open` raises `RefusedError` where there is no such device or its driver is not there.
    """

    def __init__(self, device: str) -> None:
        self._device = device
        self._camera: Any = None

    def open(self, video: VideoFormat) -> None:
        try:
            library = importlib.import_module("pyvirtualcam")
        except ImportError as error:
            raise RefusedError("a virtual camera needs pyvirtualcam: .venv/bin/pip install -e '.[camera]'") from error
        try:
            self._camera = library.Camera(
                video.width, video.height, video.fps, fmt=library.PixelFormat.I420, device=self._device
            )
        except (RuntimeError, OSError, ValueError) as error:
            reason = " ".join(str(error).split())[:160]
            raise RefusedError(
                f"camera:{self._device}: cannot be used: {reason}; on Linux run: "
                "sudo modprobe v4l2loopback exclusive_caps=1"
            ) from error

    def show(self, beat: Beat) -> None:
        try:
            self._camera.send(beat.picture.data.reshape(-1))
        except (RuntimeError, OSError, ValueError) as error:
            raise OutputError(f"camera:{self._device}: takes no pictures any more: {error}") from error

    def close(self) -> None:
        camera, self._camera = self._camera, None
        if camera is not None:
            camera.close()
