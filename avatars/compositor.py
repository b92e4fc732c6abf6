"""The whole picture: the anchor in a studio, with captions, lower third and the AI label over it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from math import log
from pathlib import Path
from typing import Generic, TypeVar

import cv2

from anchor.errors import AnchorError
from anchor.events import Caption, LowerThird
from anchor.media import Blendshapes, Bytes, DrawnFace, Look, Picture, VideoFormat
from anchor.ports import Avatar, AvatarView, Placement, Setting
from avatars import backdrop as backdrops
from avatars import graphics
from avatars.desk import desk
from avatars.fontbook import FontBook
from avatars.graphics import DEFAULT_LABEL, Layout
from avatars.overlay import Overlay
from avatars.puppet_draw import Box, convert
from avatars.typeset import Typesetter

__all__ = ["DEFAULT_LABEL", "StudioScene", "place"]

CAPTION_FADE_SECONDS = 0.12
CAPTION_HOLD_SECONDS = 0.16
"""How long a caption waits for the next before it fades: a gap of a few beats would be seen as a blink."""
TITLE_IN_SECONDS = 0.5
TITLE_OUT_SECONDS = 0.28

_PLACES = ((9 / 16, 0.31, 0.28), (1.0, 0.34, 0.33), (16 / 9, 0.36, 0.40))
"""Aspect of the picture, height of the eyes, height of the head: a presenter's medium close-up."""


def place(video: VideoFormat) -> Placement:
    """Where the anchor's head belongs in a picture of this shape."""
    aspect = video.width / video.height
    aspect = min(max(aspect, _PLACES[0][0]), _PLACES[-1][0])
    for (narrow, eyes, head), (wide, eyes_wide, head_wide) in pairwise(_PLACES):
        if aspect <= wide:
            share = log(aspect / narrow) / log(wide / narrow)
            return Placement(0.5, eyes + share * (eyes_wide - eyes), head + share * (head_wide - head))
    return Placement(0.5, *_PLACES[-1][1:])


@dataclass(frozen=True, slots=True)
class _Set:
    """What is before the camera: an avatar in its room, the canvas it is drawn on, and the desk before it."""

    view: AvatarView
    canvas: Picture
    desk: Overlay | None


class _Nobody:
    """A view of a room without an anchor in it."""

    def __init__(self, room: Bytes) -> None:
        self._room = room

    def base(self, ahead: int) -> int:
        return 0

    def draw(self, face: DrawnFace, canvas: Picture) -> None:
        height, width = self._room.shape[:2]
        convert(self._room, Box(0, 0, width, height), canvas)


class StudioScene:
    """A stream's picture: `anchor.ports.Stage`.

    `backdrop` is a picture that takes the place of the avatar's own background or, where it has none, of the studio.
    `label` may be reworded but not left out; `cropped`: a page may cut the sides of the picture off.
    `languages` are BCP 47 tags of the show; the first decides the shape of ideographs. `book` holds the fonts, by
    default those of this machine.

    Raises `FormatError` for a label that does not name AI and generation, `MissingError` and `AvatarError` for the
    backdrop.
    """

    def __init__(
        self,
        avatar: Avatar,
        video: VideoFormat,
        *,
        backdrop: Path | None = None,
        label: str = DEFAULT_LABEL,
        cropped: bool = False,
        languages: tuple[str, ...] = ("zh-CN", "en"),
        book: FontBook | None = None,
    ) -> None:
        # A picture's parts are too small to share out: OpenCV's helpers would burn more time waiting than they save.
        cv2.setNumThreads(1)
        layout, setter = Layout.of(video), Typesetter(book, languages)
        self._label = graphics.label(label, layout, setter, middle=cropped)
        self._captions = _Fade(lambda page: graphics.caption(page, layout, setter), video.fps)
        self._titles = _Wipe(lambda words: graphics.lower_third(words, layout, setter), video.fps)
        self._video, self._backdrop = video, backdrop
        self._set = self._build(avatar)

    def cast(self, avatar: Avatar | None) -> Callable[[], None]:
        """Build the set for another avatar, or for nobody; the call that is returned puts it before the camera."""
        built = self._build(avatar)
        built.view.draw(Blendshapes(), built.canvas)

        def show() -> None:
            # One reference: `draw`, in its own thread, sees the old set or the new one.
            self._set = built

        return show

    def _build(self, avatar: Avatar | None) -> _Set:
        video = self._video
        if avatar is None:
            setting = Setting(place(video))
        else:
            setting = avatar.setting(video, place(video), own_background=self._backdrop is None)
        if self._backdrop is not None:
            room = backdrops.load(self._backdrop, video)
        else:
            room = backdrops.studio(video) if setting.background is None else setting.background
        studio = self._backdrop is None and setting.background is None
        view = _Nobody(room) if avatar is None else avatar.open(video, room, setting.placement)
        return _Set(view, Picture.black(video), desk(video) if studio else None)

    def base(self, ahead: int) -> int:
        """Which picture of the avatar's footage comes so many beats from now."""
        return self._set.view.base(ahead)

    def draw(self, look: Look) -> Picture:
        """Draw the next beat. Call it once a beat: fades and wipes move with every call."""
        now = self._set
        now.view.draw(look.face, now.canvas)
        picture = now.canvas.copy()
        if now.desk is not None:
            now.desk.blend(picture)
        self._titles.show(look.lower_third, picture)
        self._captions.show(look.caption, picture)
        self._label.blend(picture)
        return picture


Content = TypeVar("Content")


class _Layer(Generic[Content]):
    """A graphic that comes and goes: drawn anew only when its content changes."""

    def __init__(self, render: Callable[[Content], Overlay | None]) -> None:
        self._render = render
        self._content: Content | None = None
        self._overlay: Overlay | None = None

    def _take(self, content: Content | None) -> None:
        self._content = content
        self._overlay = self._render(content) if content is not None else None


class _Fade(_Layer[Caption]):
    """Captions fade in from nothing and out to nothing; pages follow each other at once, across short gaps too."""

    def __init__(self, render: Callable[[Caption], Overlay | None], fps: int) -> None:
        super().__init__(render)
        self._step = 1 / max(1, round(CAPTION_FADE_SECONDS * fps))
        self._patience = round(CAPTION_HOLD_SECONDS * fps)
        self._strength = 0.0
        self._absent = 0

    def show(self, page: Caption | None, picture: Picture) -> None:
        if page is not None:
            self._absent = 0
            if self._content is None or page.lines != self._content.lines:
                self._take(page)
            self._strength = min(1.0, self._strength + self._step)
        elif self._content is not None:
            self._absent += 1
            if self._absent > self._patience:
                self._strength -= self._step
            if self._strength < self._step / 2:
                self._take(None)
                self._strength = 0.0
        if self._overlay is not None:
            self._overlay.blend(picture, strength=self._strength)


class _Wipe(_Layer[LowerThird]):
    """Lower thirds open from their bar to the right and close the same way; a new one waits until the old is gone."""

    def __init__(self, render: Callable[[LowerThird], Overlay | None], fps: int) -> None:
        super().__init__(render)
        self._open, self._shut = 1 / max(1, TITLE_IN_SECONDS * fps), 1 / max(1, TITLE_OUT_SECONDS * fps)
        self._phase = 0.0

    def show(self, words: LowerThird | None, picture: Picture) -> None:
        if self._phase == 0.0 and words != self._content:
            self._take(words)
        wanted = words is not None and words == self._content
        self._phase = min(1.0, max(0.0, self._phase + (self._open if wanted else -self._shut)))
        if self._overlay is not None:
            # Ease out: fast at first, settling gently (the mirror of a cubic).
            share = 1 - (1 - self._phase) ** 3
            self._overlay.blend(picture, width=round(self._overlay.width * share / 2) * 2)


def main() -> None:
    """Draw one finished picture: ``python -m avatars.compositor lin -o still.png --size 1080x1920``."""
    import argparse

    import cv2

    from avatars.package import load_avatar

    parser = argparse.ArgumentParser(prog="python -m avatars.compositor", description=main.__doc__)
    parser.add_argument("avatar", nargs="?", default="lin", help="a bundled name, a folder or a zip")
    parser.add_argument("-o", "--output", default="still.png")
    parser.add_argument("--size", default="1280x720")
    parser.add_argument("--backdrop", type=Path)
    parser.add_argument("--caption", default="大家好，欢迎收看。")
    parser.add_argument("--title", default="AI anchor")
    asked = parser.parse_args()
    try:
        scene = StudioScene(load_avatar(asked.avatar), VideoFormat.parse(asked.size), backdrop=asked.backdrop)
    except AnchorError as error:
        parser.error(str(error))
    look = Look(Blendshapes(), Caption((asked.caption,), 0, 1), LowerThird(asked.title, asked.avatar))
    for _ in range(30):
        picture = scene.draw(look)
    cv2.imwrite(asked.output, cv2.cvtColor(picture.data, cv2.COLOR_YUV2BGR_I420))


if __name__ == "__main__":
    main()
