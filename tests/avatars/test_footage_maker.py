"""Clips made into avatars: what is refused, what is written, and what the film then shows."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterable
from itertools import chain
from pathlib import Path

import cv2
import numpy as np
import pytest

from anchor.errors import AvatarError
from anchor.media import Blendshapes, Bytes, Floats, HeadPose, Picture, VideoFormat
from anchor.ports import Placement
from avatars.film import Player
from avatars.footage import FootageAvatar
from avatars.landmarks import Tracker
from avatars.maker import make_avatar
from avatars.package import check, read_manifest
from avatars.photo import Background
from tests.avatars import clips
from tests.avatars.conftest import CONSENT, loaded
from tests.avatars.mouths import bgr, face


def changes(avatar: FootageAvatar) -> Floats:
    """How much each picture of the film differs from the one before, the first from the last."""
    player = Player(avatar.film)
    shots = [player.next().y.astype(np.float32) for _ in range(avatar.film.count)]
    found = [float(np.abs(shot - before).mean()) for shot, before in zip(shots, [shots[-1], *shots[:-1]], strict=True)]
    return np.array(found, np.float32)


def shown(avatar: FootageAvatar, colour: tuple[int, int, int], faces: Iterable[Blendshapes]) -> Bytes:
    video = VideoFormat(480, 560, 25)
    ground = np.full((video.height, video.width, 3), colour, np.uint8)
    view, canvas = avatar.open(video, ground, Placement(0.5, 0.44, 0.5)), Picture.black(video)
    for one in faces:
        view.draw(one, canvas)
    return bgr(canvas)


def test_a_clip_becomes_a_package_that_is_good(package: Path, filmed: FootageAvatar) -> None:
    assert check(package) == []
    manifest = read_manifest(package)
    assert (manifest.name, manifest.title, manifest.kind) == ("kept", "Lin, filmed", "footage")
    assert (manifest.consent.who, manifest.consent.scope, manifest.consent.until) == ("somebody", "tests", None)
    assert 60 <= filmed.film.count <= clips.SECONDS * 25
    assert (filmed.film.width, filmed.film.height) == (clips.SIZE.width, clips.SIZE.height)


def test_the_loop_has_no_seam(filmed: FootageAvatar) -> None:
    """From the last picture to the first it changes no more than it does elsewhere."""
    change = changes(filmed)
    assert change[0] < 1.5 * np.percentile(change[1:], 75)


def test_the_head_is_followed_in_every_picture(filmed: FootageAvatar) -> None:
    """The maps bring the eyes of the art, which lie at its origin, to the eyes in each picture."""
    player = Player(filmed.film)
    with Tracker() as tracker:
        off = []
        for index in range(filmed.film.count):
            found = tracker.find(player.next().bgr())
            if found and min(found[0].eye_gaps) > 0.2:
                eyes = found[0].points[[468, 473], :2].mean(axis=0)
                off.append(np.linalg.norm(filmed.maps[index, :, 2] - eyes) / found[0].inter_ocular)
    assert len(off) > 0.7 * filmed.film.count
    assert np.percentile(off, 95) < 0.06


def test_a_film_of_somebody_who_talks_is_quiet_when_nothing_is_said(reel: Path) -> None:
    make_avatar(reel / "talking.mp4", reel / "talks", consent=CONSENT)
    avatar = loaded(reel / "talks")
    gaps: dict[bool, list[float]] = {}
    for taken_off in (False, True):
        setting = avatar.setting(clips.SIZE, Placement(0.5, 0.44, 0.5), own_background=True)
        assert setting.background is not None
        if not taken_off:
            keep, avatar.own = avatar.own, np.zeros_like(avatar.own)
        view, canvas = avatar.open(clips.SIZE, setting.background, setting.placement), Picture.black(clips.SIZE)
        with Tracker() as tracker:
            gaps[taken_off] = []
            for _ in range(avatar.film.count):
                view.draw(Blendshapes(), canvas)
                gaps[taken_off] += [one.lip_gap for one in tracker.find(bgr(canvas))]
        avatar.own = keep
    assert max(gaps[False]) > 0.15
    assert max(gaps[True]) < 0.6 * max(gaps[False])


def test_a_green_screen_is_keyed_to_the_last_pixel(keyed: FootageAvatar) -> None:
    dark, bright = (shown(keyed, (level, level, level), [Blendshapes()]) for level in (16, 240))
    gone = np.abs(dark.astype(int) - 16).max(axis=2) <= 2
    assert (np.abs(bright.astype(int) - 240).max(axis=2) <= 2)[gone].mean() > 0.99
    assert 0.2 < gone.mean() < 0.6
    solid = np.abs(dark.astype(int) - bright).max(axis=2) <= 2
    # Between what is gone and what is solid lies an edge of a few pixels, and there are no holes.
    assert (~gone & ~solid).mean() < 0.02
    away = cv2.distanceTransform((~solid).astype(np.uint8), cv2.DIST_L2, 5)
    assert away[~gone].max() < 8


def test_keyed_edges_have_no_colour_of_the_screen(keyed: FootageAvatar) -> None:
    dark, bright = (shown(keyed, (level, level, level), [Blendshapes()]).astype(int) for level in (16, 240))
    through = np.abs(dark - bright).max(axis=2)
    edge = (through > 12) & (through < 212)
    assert edge.sum() > 300
    for picture in (dark, bright):
        green = picture[..., 1] - np.maximum(picture[..., 0], picture[..., 2])
        purple = np.minimum(picture[..., 0], picture[..., 2]) - picture[..., 1]
        assert np.percentile(green[edge], 99) < 14
        assert np.percentile(purple[edge], 99) < 24


def test_a_person_is_cut_out_of_any_background(reel: Path) -> None:
    make_avatar(reel / "listening.mp4", reel / "cut", background="remove", consent=CONSENT)
    avatar = loaded(reel / "cut")
    red = shown(avatar, (40, 30, 220), [Blendshapes()] * 10)
    corner, cheek = red[:60, :60].astype(int), red[290:300, 215:225].astype(int)
    assert np.abs(corner - (40, 30, 220)).max() <= 4
    assert np.abs(cheek - (40, 30, 220)).min(axis=(0, 1)).max() > 60


def test_a_clip_that_never_comes_back_goes_to_and_fro(tmp_path: Path) -> None:
    def leaning(seconds: float) -> Blendshapes:
        head = HeadPose(yaw=0.03 * seconds - 0.08, roll=0.02 * seconds - 0.05)
        return face(head)

    path = clips.write(tmp_path / "lean.mp4", clips.filmed(leaning, clips.wall(), seconds=5))
    make_avatar(path, tmp_path / "lean", consent=CONSENT)
    avatar = loaded(tmp_path / "lean")
    assert avatar.film.count == 2 * 125 - 2
    change = changes(avatar)
    assert change[0] < 1.5 * change[1:].max()
    player = Player(avatar.film)
    shots = [player.next().y.astype(np.float32) for _ in range(avatar.film.count)]
    assert all(np.abs(shots[i] - shots[-i]).mean() < 2 for i in range(1, 124, 10))


def black(pictures: Iterable[Bytes], since: int, until: int) -> Iterable[Bytes]:
    for index, planes in enumerate(pictures):
        yield np.full_like(planes, 16) if since <= index < until else planes


def gaping(seconds: float) -> Blendshapes:
    return clips.listening(seconds) + face(jawOpen=0.5)


def landscape(seconds: float) -> Iterable[Bytes]:
    y, x = np.mgrid[0 : clips.SIZE.height, 0 : clips.SIZE.width].astype(np.float32)
    for index in range(round(seconds * 25)):
        hills = 300 + 40 * np.sin((x + 3 * index) / 70) + 20 * np.sin(x / 23)
        picture = np.where((y > hills)[..., None], (60, 130, 80), (230, 190, 150)).astype(np.uint8)
        yield np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420), np.uint8)


def pair() -> Iterable[Bytes]:
    for planes in clips.filmed(clips.listening, clips.wall(), seconds=5.2):
        one = cv2.cvtColor(planes, cv2.COLOR_YUV2BGR_I420)[:, 60:420]
        yield np.asarray(cv2.cvtColor(np.hstack([one, one]), cv2.COLOR_BGR2YUV_I420), np.uint8)


REFUSED: dict[str, tuple[Callable[[], Iterable[Bytes]], str]] = {
    "short": (lambda: clips.filmed(clips.listening, clips.wall(), seconds=2), r"is 2\.0 s long; give 5 to 60 s"),
    "landscape": (lambda: landscape(5.2), r"no face is found in most of it \(found in 0 %"),
    "black": (
        lambda: black(clips.filmed(clips.listening, clips.wall()), 50, 90),
        r"the face is lost for 1\.\d s from 2\.\d s on",
    ),
    "open": (lambda: clips.filmed(gaping, clips.wall()), r"the mouth is never shut"),
    "pair": (pair, r"2 faces are found"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_used_is_refused_by_name_and_nothing_is_left(tmp_path: Path, name: str) -> None:
    pictures, words = REFUSED[name]
    path = clips.write(tmp_path / f"{name}.mp4", pictures())
    with pytest.raises(AvatarError, match=words) as caught:
        make_avatar(path, tmp_path / "made", consent=CONSENT)
    assert str(caught.value).startswith(str(path)) and "\n" not in str(caught.value)
    assert [item.name for item in tmp_path.iterdir()] == [path.name]


def test_no_screen_to_key_is_said(reel: Path, tmp_path: Path) -> None:
    with pytest.raises(AvatarError, match="no green or blue screen"):
        make_avatar(reel / "listening.mp4", tmp_path / "made", background="key", consent=CONSENT)
    assert list(tmp_path.iterdir()) == []


def test_making_holds_a_few_pictures_at_a_time(reel: Path, tmp_path: Path) -> None:
    """What a clip three times as long takes more is far less than its pictures, 2.4 MB for each of 280."""
    once = [np.asarray(planes) for planes in clips.filmed(clips.listening, clips.wall())]
    clips.write(tmp_path / "long.mp4", chain(once, once, once))
    peaks = []
    for source in (reel / "listening.mp4", tmp_path / "long.mp4"):
        tracemalloc.start()
        try:
            make_avatar(source, tmp_path / f"{source.stem}-made", consent=CONSENT)
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    assert peaks[1] - peaks[0] < 60 << 20


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "background"),
    [("dh_anchor_man.mp4", "keep"), ("dh_anchor_man.mp4", "remove"), ("dh_anchor_man_green.mp4", "key")],
)
def test_real_clips_become_good_avatars_without_a_seam(
    shared: Path, tmp_path: Path, name: str, background: Background
) -> None:
    make_avatar(shared / "portraits" / name, tmp_path / "made", background=background, consent=CONSENT)
    assert check(tmp_path / "made") == []
    change = changes(loaded(tmp_path / "made"))
    assert change[0] < change[1:].max()
