"""A filmed anchor on air: footage shown as it is, a mouth moved in it, and packages that are broken."""

from __future__ import annotations

import re
import shutil
import tracemalloc
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

import cv2
import numpy as np
import pytest

from anchor.errors import AvatarError
from anchor.media import Blendshapes, Bytes, HeadPose, Picture, VideoFormat
from anchor.ports import Placement
from avatars import sheet
from avatars.film import Player
from avatars.footage import FootageAvatar
from avatars.landmarks import Tracker
from avatars.package import check, load_avatar
from avatars.probe import look
from tests.avatars import clips
from tests.avatars.mouths import bgr, face

VIDEO = VideoFormat(1280, 720, 25)
OPEN = face(jawOpen=0.6, mouthLowerDown=0.25, mouthUpperUp=0.1)
SHUT = face(jawOpen=0.03, mouthClose=0.05, mouthPress=0.45, mouthRollLower=0.25)


def as_filmed(avatar: FootageAvatar, fps: int = 25) -> tuple[VideoFormat, Placement]:
    """A picture of the film's own size, in which every pixel of it is one pixel."""
    film, (x, y) = avatar.film, avatar.middle
    video = VideoFormat(film.width, film.height, fps)
    return video, Placement(x / film.width, y / film.height, avatar.tall / film.height)


def drawn(avatar: FootageAvatar, faces: Iterable[Blendshapes], fps: int = 25) -> list[Picture]:
    video, placement = as_filmed(avatar, fps)
    view = avatar.open(video, np.zeros((video.height, video.width, 3), np.uint8), placement)
    canvas, pictures = Picture.black(video), []
    for one in faces:
        view.draw(one, canvas)
        pictures.append(canvas.copy())
    return pictures


def unmoved(avatar: FootageAvatar) -> list[int]:
    """Pictures in which the person's own mouth is shut."""
    return np.flatnonzero(np.abs(avatar.own).sum(axis=1) < 1e-4).tolist()


def test_at_rest_the_footage_is_shown_as_it_is(filmed: FootageAvatar) -> None:
    player = Player(filmed.film)
    pictures = drawn(filmed, [Blendshapes()] * 20)
    for index, picture in enumerate(pictures):
        shot = player.next()
        if index in unmoved(filmed):
            assert (picture.y == shot.y).all() and (picture.u == shot.u).all() and (picture.v == shot.v).all()


def test_speaking_moves_the_mouth_and_nothing_around_the_face(filmed: FootageAvatar) -> None:
    rest, spoken = drawn(filmed, [Blendshapes()])[0], drawn(filmed, [OPEN])[0]
    moved = rest.y != spoken.y
    rows, columns = np.flatnonzero(moved.any(axis=1)), np.flatnonzero(moved.any(axis=0))
    x, y = filmed.middle
    assert y - 0.6 * filmed.tall < rows[0] and rows[-1] < y + 1.1 * filmed.chin + 0.2 * filmed.tall
    assert x - 0.7 * filmed.tall < columns[0] and columns[-1] < x + 0.7 * filmed.tall
    mouth = np.abs(rest.y.astype(int) - spoken.y)[int(y + 0.5 * filmed.chin) : int(y + filmed.chin)]
    assert (mouth > 40).sum() > 200


def test_lips_part_and_close_in_the_pixels(filmed: FootageAvatar) -> None:
    faces = [OPEN, OPEN, SHUT, SHUT, OPEN, OPEN, SHUT, SHUT]
    seen = [item.lips for item in look(filmed, faces, VIDEO) if item is not None]
    assert len(seen) == len(faces)
    assert min(seen[0], seen[1], seen[4], seen[5]) > 0.12
    assert max(seen[2], seen[3], seen[6], seen[7]) < 0.12 * max(seen)


def test_the_moved_mouth_stays_on_the_moving_head(filmed: FootageAvatar) -> None:
    """Held open, the lips' middle keeps its distance from the eyes: it does not swim over the face."""
    with Tracker() as tracker:
        found = [tracker.find(bgr(picture)) for picture in drawn(filmed, [OPEN] * 60)]
    faces = [one[0] for one in found if one and min(one[0].eye_gaps) > 0.2][5:]
    assert len(faces) > 30
    away = np.array([
        (one.points[[13, 14], :2].mean(axis=0) - one.points[[468, 473], :2].mean(axis=0)) / one.inter_ocular
        for one in faces
    ])  # fmt: skip
    assert np.abs(np.diff(away, axis=0)).max() < 0.06


def test_head_eyes_and_brows_move_as_they_were_filmed(filmed: FootageAvatar) -> None:
    asked = face(HeadPose(yaw=0.2, pitch=0.1), gaze=(0.2, 0.1), eyeBlink=1.0, browInnerUp=0.8, cheekSquint=0.4)
    assert (drawn(filmed, [asked])[0].data == drawn(filmed, [Blendshapes()])[0].data).all()


def test_the_film_goes_round(filmed: FootageAvatar) -> None:
    count = filmed.film.count
    pictures = drawn(filmed, [Blendshapes()] * (count + 3))
    assert all((pictures[i].data == pictures[count + i].data).all() for i in range(3))
    assert (pictures[0].data != pictures[count // 2].data).any()


@pytest.mark.parametrize("fps", [10, 24, 30, 50])
def test_the_film_keeps_its_pace_at_any_rate(filmed: FootageAvatar, fps: int) -> None:
    player = Player(filmed.film)
    shots = [player.next().y.astype(int) for _ in range(30)]
    last = drawn(filmed, [Blendshapes()] * (fps + 1), fps)[-1].y
    nearest = int(np.argmin([np.abs(shot - last).mean() for shot in shots]))
    assert abs(nearest - 25) <= 1


def test_streams_do_not_share_their_place_in_the_film(filmed: FootageAvatar) -> None:
    video, placement = as_filmed(filmed)
    ground = np.zeros((video.height, video.width, 3), np.uint8)
    views = [filmed.open(video, ground, placement) for _ in range(2)]
    canvases = [Picture.black(video) for _ in views]
    for _ in range(20):
        views[0].draw(Blendshapes(), canvases[0])
    views[1].draw(Blendshapes(), canvases[1])
    assert (canvases[1].data == drawn(filmed, [Blendshapes()])[0].data).all()


def test_outside_the_footage_the_backdrop_is_untouched(keyed: FootageAvatar) -> None:
    ground = np.random.default_rng(2).integers(0, 256, (720, 1280, 3), np.uint8)
    plain = Picture.black(VIDEO)
    placement = Placement(0.5, 0.42, 0.5)
    keyed.open(VIDEO, ground, placement).draw(OPEN, plain)
    x0, x1 = (int(640 + side * 0.65 * keyed.film.width * 360 / keyed.tall) for side in (-1, 1))
    expected = Picture(np.asarray(cv2.cvtColor(ground, cv2.COLOR_BGR2YUV_I420), np.uint8))
    assert (plain.y[:, : max(0, x0)] == expected.y[:, : max(0, x0)]).all()
    assert (plain.y[:, x1:] == expected.y[:, x1:]).all()
    assert (plain.y[:20] == expected.y[:20]).mean() > 0.99


def test_kept_backgrounds_come_along_and_keyed_ones_do_not(filmed: FootageAvatar, keyed: FootageAvatar) -> None:
    for own in (True, False):
        wanted = Placement(0.5, 0.36, 0.4)
        assert filmed.setting(VIDEO, wanted, own_background=own).background is not None
        assert keyed.setting(VIDEO, wanted, own_background=own).background is None


@pytest.mark.parametrize("head", [0.05, 0.3, 0.9, 2.5])
def test_it_is_drawn_at_any_size(keyed: FootageAvatar, head: float) -> None:
    view, canvas = (
        keyed.open(VIDEO, np.zeros((720, 1280, 3), np.uint8), Placement(0.5, 0.5, head)),
        Picture.black(VIDEO),
    )
    for one in (Blendshapes(), OPEN, SHUT):
        view.draw(one, canvas)
    assert canvas.y.max() > 100


def test_a_place_that_shows_nothing_of_it_is_refused(keyed: FootageAvatar) -> None:
    with pytest.raises(AvatarError, match="shows nothing"):
        keyed.open(VIDEO, np.zeros((720, 1280, 3), np.uint8), Placement(-2, 0.5, 0.1))


def test_playing_on_takes_no_more_memory(keyed: FootageAvatar) -> None:
    view, canvas = (
        keyed.open(VIDEO, np.zeros((720, 1280, 3), np.uint8), Placement(0.5, 0.42, 0.5)),
        Picture.black(VIDEO),
    )
    for _ in range(10):
        view.draw(OPEN, canvas)
    tracemalloc.start()
    try:
        for index in range(2 * keyed.film.count):
            view.draw(OPEN if index % 2 else SHUT, canvas)
        left, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert left < 8 << 20 and peak < 30 << 20


def test_a_zip_plays_on_after_it_was_unpacked(package: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "lin.zip", "w") as archive:
        for file in package.iterdir():
            archive.write(file, file.name)
    avatar = load_avatar(tmp_path / "lin.zip")
    (tmp_path / "lin.zip").unlink()
    assert isinstance(avatar, FootageAvatar)
    assert not avatar.film.path.exists()
    assert drawn(avatar, [OPEN] * 3)[2].y.max() > 100


def test_its_contact_sheet_has_mouths_and_later_pictures_but_no_turned_heads(filmed: FootageAvatar) -> None:
    cells = sheet._cells(filmed)
    assert {"rest", "smile", "after 1 s", *sheet.MOUTHS} <= set(cells)
    assert not {"blink", "glance left", "turn left", "nod", "brows up"} & set(cells)
    assert "after 1 s" not in sheet._cells(load_avatar("lin"))


def edit(pattern: str, replacement: str) -> Callable[[Path], None]:
    def act(folder: Path) -> None:
        path = folder / "avatar.toml"
        text, count = re.subn(pattern, replacement, path.read_text(encoding="utf-8"))
        assert count == 1
        path.write_text(text, encoding="utf-8")

    return act


def cut(share: float) -> Callable[[Path], None]:
    def act(folder: Path) -> None:
        film = folder / "footage.mp4"
        film.write_bytes(film.read_bytes()[: int(film.stat().st_size * share)])

    return act


def garbled(folder: Path) -> None:
    """All that is not index is made noise."""
    film = folder / "footage.mp4"
    data = bytearray(film.read_bytes())
    at, index = data.index(b"mdat") + 4, data.index(b"moov") - 4
    middle = (at + index) // 2
    data[middle:index] = np.random.default_rng(3).bytes(index - middle)
    film.write_bytes(data)


def shorter(folder: Path) -> None:
    frames: list[Bytes] = [np.full((clips.SIZE.height * 3 // 2, clips.SIZE.width), 90, np.uint8)] * 9
    clips.write(folder / "footage.mp4", frames)


def smaller(folder: Path) -> None:
    clips.write(folder / "footage.mp4", [np.full((96, 64), 90, np.uint8)] * 9)


def arrays(change: Callable[[dict[str, np.ndarray]], None]) -> Callable[[Path], None]:
    def act(folder: Path) -> None:
        with np.load(folder / "fields.npz") as found:
            values = dict(found)
        change(values)
        np.savez(folder / "fields.npz", **values)

    return act


BROKEN: dict[str, tuple[Callable[[Path], None], str]] = {
    "film missing": (lambda folder: (folder / "footage.mp4").unlink(), "footage.mp4"),
    "film cut off": (cut(0.5), r"footage\.mp4: cannot be played"),
    "film empty": (cut(0), r"footage\.mp4: is not an MP4 film"),
    "film garbled": (garbled, r"footage\.mp4: "),
    "film shorter": (shorter, r"footage\.mp4: is 9 pictures long, the manifest says \d+"),
    "film smaller": (smaller, r"footage\.mp4: is 64 wide, the manifest says 480"),
    "film not named": (edit(r'file = "footage.mp4"', 'file = "../footage.mp4"'), r"footage\.mp4"),
    "frames wrong": (edit(r"frames = \d+", "frames = 40"), r"needs an array 'maps' of shape \(40, 2, 3\)"),
    "frames huge": (edit(r"frames = \d+", "frames = 1000000"), r"footage\.frames: .* outside"),
    "size odd": (edit(r"size = \[480", "size = [481"), r"footage\.size: sides must be even"),
    "keyed lie": (edit(r"keyed = 0", "keyed = 1"), r"is 560 high, the manifest says 1120"),
    "unknown key": (edit(r"keyed = 0", "keyed = 0\nspeed = 2"), r"footage\.speed: unknown key"),
    "shape unknown": (edit(r'"jawOpen"', '"jawAjar"'), r"'jawAjar' is not an ARKit coefficient"),
    "no arrays": (lambda folder: (folder / "fields.npz").unlink(), r"fields\.npz"),
    "arrays short": (arrays(lambda a: a.update(lines=a["lines"][1:])), r"needs an array 'lines' of shape"),
    "arrays endless": (arrays(lambda a: a["maps"].fill(np.inf)), r"array 'maps' must hold finite numbers"),
    "map singular": (arrays(lambda a: a["maps"].fill(0)), r"'maps' holds one that cannot be inverted"),
    "nothing moves": (arrays(lambda a: a["head"].fill(0)), r"'head' moves nothing"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_package_is_refused_by_the_name_of_what_is_wrong(package: Path, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "broken"
    shutil.copytree(package, folder)
    spoil, words = BROKEN[name]
    spoil(folder)
    problems = check(folder)
    assert problems and re.search(words, "\n".join(problems))
    assert all("\n" not in problem and str(folder) in problem for problem in problems)
