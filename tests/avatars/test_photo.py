"""Portraits made into figures: what is refused, what is written, and what their pictures then show."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import cv2
import numpy as np
import pytest

from anchor.errors import AvatarError, MissingError
from anchor.events import Mood
from anchor.media import Blendshapes, Bytes, HeadPose, Picture, VideoFormat
from anchor.pipeline.manner import Manner
from anchor.ports import Placement
from avatars import cutout
from avatars.landmarks import find_faces
from avatars.maker import consent_of, make_avatar, record_consent
from avatars.package import check, load_avatar, read_manifest
from avatars.probe import look, seam_percent, stray_pixels
from avatars.puppet import PuppetAvatar
from tests.avatars.mouths import bgr, face

VIDEO = VideoFormat(1280, 720, 25)
CONSENT = consent_of("somebody", "tests", "unlimited")
SHUT = face(jawOpen=0.03, mouthClose=0.05, mouthPress=0.45, mouthRollLower=0.25)
OPEN = face(jawOpen=0.62, mouthLowerDown=0.25, mouthUpperUp=0.1)


@pytest.fixture(scope="session")
def portrait(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A portrait that the project makes itself: its bundled anchor, as a photographer would take her."""
    size = VideoFormat(900, 1000, 25)
    y, x = np.mgrid[0:1000, 0:900]
    wall = np.dstack([170 + 20 * np.sin(x / 61), 150 + y / 40, 140 + 15 * np.cos(y / 47)]).astype(np.uint8)
    view, canvas = load_avatar("lin").open(size, wall, Placement(0.5, 0.42, 0.52)), Picture.black(size)
    view.draw(Blendshapes(), canvas)
    path = tmp_path_factory.mktemp("portrait") / "lin.png"
    assert cv2.imwrite(str(path), bgr(canvas))
    return path


@pytest.fixture(scope="session")
def made(portrait: Path) -> Path:
    folder = portrait.with_name("made")
    make_avatar(portrait, folder, title="Lin again", consent=CONSENT)
    return folder


@pytest.fixture(scope="session")
def avatar(made: Path) -> PuppetAvatar:
    found = load_avatar(made)
    assert isinstance(found, PuppetAvatar)
    return found


def read(path: Path) -> Bytes:
    return np.asarray(cv2.imread(str(path)), np.uint8)


def drawn(avatar: PuppetAvatar, *faces: Blendshapes) -> list[Bytes]:
    setting = avatar.setting(VIDEO, Placement(0.5, 0.42, 0.5), own_background=True)
    assert setting.background is not None
    view, canvas = avatar.open(VIDEO, setting.background, setting.placement), Picture.black(VIDEO)
    pictures = []
    for one in faces:
        view.draw(one, canvas)
        pictures.append(bgr(canvas))
    return pictures


def test_a_portrait_becomes_a_package_that_is_good(made: Path) -> None:
    assert check(made) == []
    manifest = read_manifest(made)
    assert (manifest.name, manifest.title, manifest.kind) == ("made", "Lin again", "puppet")
    assert (manifest.consent.who, manifest.consent.scope, manifest.consent.until) == ("somebody", "tests", None)
    assert sum(file.stat().st_size for file in made.iterdir()) < 8 << 20


def test_at_rest_it_looks_like_the_portrait(avatar: PuppetAvatar, portrait: Path) -> None:
    setting = avatar.setting(VIDEO, Placement(0.5, 0.42, 0.5), own_background=True)
    rest = drawn(avatar, Blendshapes())[0].astype(np.float32)
    scale = setting.placement.head * VIDEO.height / avatar.rig.tall
    origin = avatar.background
    assert origin is not None
    x = round(setting.placement.x * VIDEO.width) + origin.left * scale
    y = round(setting.placement.eyes * VIDEO.height) + origin.top * scale
    photo = read(portrait)
    shrink = origin.pixels.shape[1] / photo.shape[1]
    matrix = np.array([[scale * shrink, 0, x], [0, scale * shrink, y]])
    expected = cv2.warpAffine(photo, matrix, (VIDEO.width, VIDEO.height), flags=cv2.INTER_AREA).astype(np.float32)
    shown = cv2.warpAffine(np.ones(photo.shape[:2], np.float32), matrix, (VIDEO.width, VIDEO.height)) > 0.999
    assert shown.mean() > 0.2
    assert np.abs(rest - expected)[shown].mean() < 4


def test_lips_part_and_close_in_the_pixels(avatar: PuppetAvatar) -> None:
    seen = [item for item in look(avatar, [Blendshapes(), OPEN, SHUT, OPEN, SHUT], VIDEO) if item is not None]
    assert len(seen) == 5
    assert seen[1].lips > 0.15 and seen[3].lips > 0.15
    span = seen[3].lips - seen[4].lips
    assert seen[4].lips < seen[0].lips + 0.12 * span


@pytest.mark.parametrize("mood", get_args(Mood))
def test_bilabials_close_in_the_pixels_under_every_mood(avatar: PuppetAvatar, mood: Mood) -> None:
    manner = Manner(VIDEO.fps, mood)
    offsets = [manner.frame(speaking=True, mood=mood) for _ in range(2 * VIDEO.fps)][-1]
    faces = [one + offsets for one in (OPEN, SHUT, OPEN, SHUT)]
    seen = [item.lips for item in look(avatar, faces, VIDEO) if item is not None]
    assert len(seen) == 4
    assert seen[3] < 0.12 * seen[2]


def test_nothing_of_the_picture_comes_off_its_border_when_the_head_turns(portrait: Path, tmp_path: Path) -> None:
    """A person whom the picture cuts at its sides and below goes on beyond them: there nothing may move."""
    whole = read(portrait)
    left, _, right, bottom = find_faces(whole)[0].box
    close = whole[:, round(left - 60) : round(right + 60)]
    cv2.imwrite(str(tmp_path / "close.png"), close[: round(bottom + 110)])
    make_avatar(tmp_path / "close.png", tmp_path / "out", consent=CONSENT)
    found = load_avatar(tmp_path / "out")
    assert isinstance(found, PuppetAvatar) and found.background is not None
    setting = found.setting(VIDEO, Placement(0.5, 0.42, 0.5), own_background=True)
    scale = setting.placement.head * VIDEO.height / found.rig.tall
    x = setting.placement.x * VIDEO.width + found.background.left * scale
    edges = [round(x) + 1, round(x + found.background.pixels.shape[1] * scale) - 2]
    rest, turned = drawn(found, Blendshapes(), face(HeadPose(yaw=0.2, roll=0.1)))
    assert np.abs(rest.astype(int) - turned).max() > 60, "the head turns"
    assert np.abs(rest.astype(int) - turned)[:, edges].max() < 24


def test_shut_lips_show_no_teeth_and_nothing_of_the_inside(avatar: PuppetAvatar) -> None:
    """Between lips that press together nothing of the mouth's inside is drawn: without it the picture is the same."""
    before = drawn(avatar, SHUT)[0]
    inside = {name: avatar.layers[name] for name in ("cavity", "teeth_upper", "teeth_lower", "tongue")}
    try:
        for name, layer in inside.items():
            green = layer.pixels.copy()
            green[..., :3] = np.minimum(green[..., 3:], np.array([0, 255, 0], np.uint8))
            avatar.layers[name] = type(layer)(green, layer.left, layer.top)
        after, opened = drawn(avatar, SHUT, OPEN)
    finally:
        avatar.layers.update(inside)
    assert np.abs(before.astype(int) - after).max() < 24
    assert (opened.astype(int)[..., 1] - opened[..., 2] > 100).sum() > 200


def test_eyes_shut_in_a_blink(avatar: PuppetAvatar) -> None:
    seen = [item for item in look(avatar, [Blendshapes(), *[face(eyeBlink=1.0)] * 3], VIDEO) if item is not None]
    assert seen[0].eyes > 0.2 and seen[-1].eyes < 0.15


def test_no_seam_is_seen_around_the_mouth_and_nothing_else_moves(avatar: PuppetAvatar) -> None:
    faces = [face(jawOpen=0.5 * t, mouthFunnel=0.3 * t) for t in np.linspace(0, 1, 9)]
    assert seam_percent(avatar, faces, VIDEO) < 10
    turns = [face(HeadPose(yaw=0.1 * t, pitch=0.06 * t), breath=t) for t in np.linspace(-1, 1, 7)]
    assert stray_pixels(avatar, [*faces, *turns], VIDEO) == 0


def test_a_person_cut_out_stands_in_front_of_anything(portrait: Path, tmp_path: Path) -> None:
    make_avatar(portrait, tmp_path / "cut", background="remove", consent=CONSENT)
    cut = load_avatar(tmp_path / "cut")
    assert isinstance(cut, PuppetAvatar) and cut.background is None
    pictures = []
    for colour in ((0, 0, 200), (200, 0, 0)):
        ground = np.full((VIDEO.height, VIDEO.width, 3), colour, np.uint8)
        setting = cut.setting(VIDEO, Placement(0.5, 0.42, 0.5), own_background=False)
        view, canvas = cut.open(VIDEO, ground, setting.placement), Picture.black(VIDEO)
        view.draw(Blendshapes(), canvas)
        pictures.append(bgr(canvas).astype(int))
    same = np.abs(pictures[0] - pictures[1]).max(axis=2) < 12
    x, y = round(0.5 * VIDEO.width), round(0.42 * VIDEO.height)
    assert same[y - 60 : y + 160, x - 60 : x + 60].all(), "the face is opaque"
    assert not same[:200, :300].any() and not same[:200, -300:].any(), "the wall is gone"
    rim = ~same & (np.abs(pictures[0] - np.array((0, 0, 200))).max(axis=2) > 40)
    assert rim.mean() < 0.02, "the edge is narrow"


@pytest.mark.parametrize(
    "spoil, words",
    [
        (lambda path: path.write_bytes(b"GIF89a nothing of use"), "neither a picture"),
        (lambda path: path.write_bytes(b"\xff\xd8\xff\xe0 cut short"), "not a picture|damaged"),
        (lambda path: path.write_text("name,price\n"), "neither a picture"),
        (lambda path: cv2.imwrite(str(path), np.full((400, 500, 3), 90, np.uint8)), "no face is found"),
    ],
)
def test_what_cannot_be_used_is_refused_and_leaves_nothing(
    tmp_path: Path, spoil: Callable[[Path], object], words: str
) -> None:
    source = tmp_path / "face.png"
    spoil(source)
    with pytest.raises(AvatarError, match=words) as error:
        make_avatar(source, tmp_path / "out", consent=CONSENT)
    assert str(source) in str(error.value) and "\n" not in str(error.value)
    assert [item.name for item in tmp_path.iterdir()] == ["face.png"]


def test_nothing_is_made_of_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match=r"nobody\.jpg"):
        make_avatar(tmp_path / "nobody.jpg", tmp_path / "out", consent=CONSENT)


def test_an_avatar_is_never_written_over_another(portrait: Path, made: Path) -> None:
    before = (made / "avatar.toml").read_bytes()
    with pytest.raises(AvatarError, match="is there already"):
        make_avatar(portrait, made, consent=CONSENT)
    assert (made / "avatar.toml").read_bytes() == before


def test_two_people_are_refused(portrait: Path, tmp_path: Path) -> None:
    one = read(portrait)
    cv2.imwrite(str(tmp_path / "two.png"), np.hstack([one, one[:, ::-1]]))
    with pytest.raises(AvatarError, match="2 faces are found"):
        make_avatar(tmp_path / "two.png", tmp_path / "out", consent=CONSENT)


def test_a_head_that_the_picture_cuts_cannot_be_cut_out(portrait: Path, tmp_path: Path) -> None:
    picture = read(portrait)
    top = int(find_faces(picture)[0].box[1])
    cv2.imwrite(str(tmp_path / "close.png"), picture[max(0, top - 10) :])
    with pytest.raises(AvatarError, match="cuts the top of the head"):
        make_avatar(tmp_path / "close.png", tmp_path / "out", background="remove", consent=CONSENT)


@pytest.mark.parametrize(
    "who, scope, until, key",
    [("", "x", "unlimited", "who"), ("x", " ", "unlimited", "scope"), ("x", "y", "soon", "until"),
     ("x", "y", "2020-01-31", "until")],
)  # fmt: skip
def test_no_avatar_without_a_record_of_consent_that_holds(who: str, scope: str, until: str, key: str) -> None:
    with pytest.raises(AvatarError, match=key):
        consent_of(who, scope, until)


def test_consent_is_recorded_anew_and_all_else_stays(made: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    folder.mkdir()
    for file in made.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    record_consent(folder, who='Ann "Annie" [Lee]', scope="news = only", until="2099-12-31")
    manifest = read_manifest(folder)
    assert (manifest.consent.who, manifest.consent.scope) == ('Ann "Annie" [Lee]', "news = only")
    old, new = ((path / "avatar.toml").read_text().split("[figure]")[1] for path in (made, folder))
    assert old == new and check(folder) == []


def test_the_command_says_what_it_made_and_what_to_do_next(portrait: Path, tmp_path: Path) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "anchor", "avatar", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=120)

    target = tmp_path / "anna"
    record = ("--consent-who", "Anna", "--consent-scope", "news", "--consent-until", "2099-01-01")
    made = run("make", str(portrait), "-o", str(target), "--title", "Anna", *record)
    assert made.returncode == 0, made.stderr
    assert f"anchor avatar show {target}" in made.stdout
    assert run("check", str(target)).returncode == 0
    again = run("make", str(portrait), "-o", str(target), *record)
    assert again.returncode == 1 and "is there already" in again.stderr and "Traceback" not in again.stderr
    missing = run("make", str(portrait), "-o", str(tmp_path / "b"))
    assert missing.returncode == 2 and "--consent-who" in missing.stderr
    ended = run("consent", str(target), *record[:-1], "2001-01-01")
    assert ended.returncode == 0 and "has ended" in ended.stdout
    refused = run("check", str(target))
    assert refused.returncode == 1 and "ended on 2001-01-01" in refused.stderr
    assert run("consent", str(target), "--consent-until", "2099-01-01").returncode == 0
    assert run("check", str(target)).returncode == 0


def test_holes_are_filled_with_what_lies_around_them() -> None:
    x = np.linspace(0, 200, 240, dtype=np.float32)
    picture = np.repeat(np.tile(x, (160, 1))[..., None], 3, axis=2).astype(np.uint8)
    hole = np.zeros((160, 240), np.float32)
    hole[40:120, 60:180] = 1
    spoiled = picture.copy()
    spoiled[hole > 0] = (0, 255, 0)
    found = cutout.filled(spoiled, hole)
    assert (found[hole == 0] == picture[hole == 0]).all()
    assert np.abs(found.astype(int) - picture)[hole > 0].max() < 40


@pytest.mark.parametrize("colour", [(236, 240, 244), (120, 160, 215), (30, 28, 26)])
def test_soft_edges_before_a_green_screen_show_neither_green_nor_magenta(colour: tuple[int, int, int]) -> None:
    screen = np.array([60, 190, 70], np.float32)
    y, x = np.mgrid[0:200, 0:240].astype(np.float32)
    person = np.clip((70 - np.hypot(x - 120, y - 130)) / 12 + 0.5, 0, 1)[..., None]
    picture = (person * np.array(colour, np.float32) + (1 - person) * screen + 0.5).astype(np.uint8)
    found = cutout.screen_colour(picture)
    assert found is not None and np.abs(found - screen).max() < 3
    clean, alpha = cutout.keyed(picture, found)
    assert alpha[:20].max() == 0 and alpha[130, 120] == 1
    shown = clean[alpha > 0.1].astype(int)
    assert (shown[:, 1] - shown[:, [0, 2]].max(axis=1)).max() <= 2, "green"
    assert (shown[:, [0, 2]].min(axis=1) - shown[:, 1]).max() <= 2, "magenta"


@pytest.mark.shared
@pytest.mark.parametrize(
    "name", ["cc0/001_1000.jpg", "cc0/066_1000.jpg", "cc0/088_1000.jpg", "cc0/030_500.jpg", "painting_s9.jpg"]
)
def test_real_portraits_speak(shared: Path, tmp_path: Path, name: str) -> None:
    make_avatar(shared / "portraits" / name, tmp_path / "out", consent=CONSENT)
    real = load_avatar(tmp_path / "out")
    assert isinstance(real, PuppetAvatar)
    faces = [Blendshapes(), SHUT, OPEN, SHUT, face(eyeBlink=1.0), face(eyeBlink=1.0)]
    seen = [item for item in look(real, faces, VIDEO) if item is not None]
    assert len(seen) == len(faces), "the face is found in every picture"
    span = seen[2].lips - seen[3].lips
    assert span > 0.1
    assert seen[1].lips < seen[3].lips + 0.12 * span
    assert seen[-1].eyes < 0.16
    opening = [face(jawOpen=0.4 * t) for t in np.linspace(0, 1, 5)]
    assert seam_percent(real, opening, VIDEO) < 10
    assert stray_pixels(real, [*opening, OPEN], VIDEO) == 0


@pytest.mark.shared
@pytest.mark.parametrize(
    "name, words",
    [("004_500.jpg", "sunglasses"), ("017_500.jpg", "turned aside"), ("024_500.jpg", "no face")],
)
def test_real_portraits_that_cannot_work_are_refused(shared: Path, tmp_path: Path, name: str, words: str) -> None:
    with pytest.raises(AvatarError, match=words):
        make_avatar(shared / "portraits" / "cc0" / name, tmp_path / "out", consent=CONSENT)
    assert not list(tmp_path.iterdir())


def test_the_measured_basis_opens_the_jaw_and_nothing_above_it() -> None:
    from avatars.face_basis import displacements, neutral

    moves = displacements()
    assert json.dumps(sorted(moves)) and len(moves) >= 40
    assert moves["jawOpen"][14, 1] > 0.3 > 0.1 > abs(moves["jawOpen"][13, 1])
    assert abs(moves["jawOpen"][10, 1]) < 0.02
    assert neutral()[473, 0] == pytest.approx(0.5, abs=0.02)
    assert moves["mouthSmileLeft"][291, 0] > 0 > moves["mouthSmileRight"][61, 0]
