"""The whole picture: the anchor in a studio, with captions, lower third and the AI label over it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import cv2

from anchor.errors import AnchorError
from anchor.events import Caption, LowerThird
from anchor.graphics import Graphics
from anchor.media import Blendshapes, Bytes, DrawnFace, Look, Picture, VideoFormat
from anchor.ports import Avatar, AvatarView, Setting
from avatars import backdrop as backdrops
from avatars import graphics
from avatars.desk import desk
from avatars.fontbook import FontBook
from avatars.graphics import DEFAULT_LABEL
from avatars.ident import Ident, read_logo
from avatars.insets import Library
from avatars.layout import Layout, place
from avatars.overlay import Overlay
from avatars.puppet_draw import Box, convert
from avatars.stack import Panels, Stack
from avatars.template import load_template
from avatars.typeset import Typesetter

__all__ = ["DEFAULT_LABEL", "StudioScene", "place"]


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
    default those of this machine. `template` is a bundled template or a .toml file; with `clock` the time of the looks
    is shown. `second`: room is kept for captions in a second language from the start. `live`: somebody is watching, so
    clips are not waited for.

    Raises `FormatError` for a label that does not name AI and generation, `MissingError` and `AvatarError` for the
    backdrop or the logo, `MissingError` and `ConfigError` for the template.
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
        template: str | Path = "house",
        logo: Path | None = None,
        clock: bool = False,
        second: bool = False,
        live: bool = False,
    ) -> None:
        # A picture's parts are too small to share out: OpenCV's helpers would burn more time waiting than they save.
        cv2.setNumThreads(1)
        layout, setter = Layout.of(video, load_template(template)), Typesetter(book, languages)
        mark = graphics.label(label, layout, setter, middle=cropped)
        self._layout, self._setter, self._label = replace(layout, label=mark.box), setter, mark
        self._second = second
        self._logo, self._clock = read_logo(logo) if logo is not None else None, clock
        self._panels = Panels(setter, languages[0] if languages else "en")
        self._library = Library(self._layout, setter, live=live)
        self._stack = self._stacked()
        self._video, self._backdrop = video, backdrop
        self._set = self._build(avatar)

    def _stacked(self) -> Stack:
        ident = Ident(self._layout, self._setter, logo=self._logo, clock=self._clock)
        return Stack(ident, self._setter, self._label, self._panels, self._library, second=self._second)

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
        picture = self._anchor(look)
        self._stack.show(look, picture)
        return picture

    def prepare(self, graphics: Graphics) -> None:
        """Draw and load ahead what takes long, so that it is there at once when it goes on air; for any thread.

        Raises `MissingError`, and `AvatarError` for a picture or clip that cannot be shown.
        """
        self._stack.prepare(graphics)

    def seconds(self, graphics: Graphics) -> float:
        """How long what moves by itself in graphics takes; 0 where nothing does."""
        return self._stack.seconds(graphics)

    def settled(self, look: Look) -> Picture:
        """The picture of a look when all movement in it is over. What was shown before is forgotten."""
        picture = self._anchor(look)
        self._stack = self._stacked()
        self._stack.settle(look, picture)
        return picture

    def _anchor(self, look: Look) -> Picture:
        now = self._set
        now.view.draw(look.face, now.canvas)
        picture = now.canvas.copy()
        if now.desk is not None:
            now.desk.blend(picture)
        return picture


def main() -> None:
    """Draw one finished picture: ``python -m avatars.compositor lin -o still.png --size 1080x1920 --show bar``."""
    import argparse

    from avatars.charts.examples import EXAMPLES
    from avatars.package import load_avatar
    from avatars.template import bundled

    parser = argparse.ArgumentParser(prog="python -m avatars.compositor", description=main.__doc__)
    parser.add_argument("avatar", nargs="?", default="lin", help="a bundled name, a folder or a zip")
    parser.add_argument("-o", "--output", default="still.png")
    parser.add_argument("--size", default="1280x720")
    parser.add_argument("--backdrop", type=Path)
    parser.add_argument("--template", default="house", help=f"{', '.join(bundled())}, or a .toml file")
    parser.add_argument("--logo", type=Path)
    parser.add_argument("--clock", default="", help="the time of day to show")
    parser.add_argument("--caption", default="大家好，欢迎收看。")
    parser.add_argument("--second", default="", help="the caption in a second language")
    parser.add_argument("--title", default="AI anchor", help="of the lower third")
    parser.add_argument("--headline", default="")
    parser.add_argument("--kicker", default="")
    parser.add_argument("--ticker", action="append", default=[], help="a line of the ticker; may be given again")
    parser.add_argument("--show", choices=tuple(EXAMPLES), help="an example of a chart or a table")
    parser.add_argument("--place", choices=("full", "shoulder", "corner"), default="full")
    asked = parser.parse_args()
    try:
        scene = StudioScene(
            load_avatar(asked.avatar), VideoFormat.parse(asked.size), backdrop=asked.backdrop, template=asked.template,
            logo=asked.logo, clock=bool(asked.clock),
        )  # fmt: skip
    except AnchorError as error:
        parser.error(str(error))
    inset = replace(EXAMPLES[asked.show], place=asked.place) if asked.show else None
    shown = Graphics(asked.headline, asked.kicker, tuple(asked.ticker), inset)
    caption = Caption((asked.caption,), 0, 1, (asked.second,) if asked.second else ())
    picture = scene.settled(Look(Blendshapes(), caption, LowerThird(asked.title, asked.avatar), shown, asked.clock))
    cv2.imwrite(asked.output, cv2.cvtColor(picture.data, cv2.COLOR_YUV2BGR_I420))


if __name__ == "__main__":
    main()
