"""The bundled anchor, judged by the pixels she is drawn with."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest

from anchor.errors import AvatarError
from anchor.media import ARKIT, Blendshapes, Bytes, HeadPose, Picture, VideoFormat
from anchor.ports import Placement
from avatars.package import library
from avatars.puppet import PuppetAvatar
from tests.avatars.mouths import Mouth, bgr, face, mouth_of, weighted

WIDE, WIDE_PLACE = VideoFormat(1280, 720), Placement(0.5, 0.36, 0.40)
TALL, TALL_PLACE = VideoFormat(1080, 1920), Placement(0.5, 0.30, 0.25)
CLOSE, CLOSE_PLACE = VideoFormat(480, 480), Placement(0.5, 0.5, 0.95)
PBM = face(jawOpen=0.03, mouthClose=0.05, mouthPress=0.45, mouthRollLower=0.25)


@pytest.fixture(scope="module")
def lin() -> PuppetAvatar:
    return PuppetAvatar.load(library()["lin"])


def backdrop(video: VideoFormat, seed: int = 1) -> Bytes:
    rng = np.random.default_rng(seed)
    small = rng.integers(40, 200, (video.height // 8, video.width // 8, 3), np.uint8)
    return np.asarray(cv2.resize(small, (video.width, video.height), interpolation=cv2.INTER_CUBIC), np.uint8)


def shot(lin: PuppetAvatar, one: Blendshapes, video: VideoFormat = CLOSE, place: Placement = CLOSE_PLACE) -> Picture:
    canvas = Picture.black(video)
    lin.open(video, backdrop(video), place).draw(one, canvas)
    return canvas


def mouth(lin: PuppetAvatar, one: Blendshapes, video: VideoFormat = WIDE, place: Placement = WIDE_PLACE) -> Mouth:
    return mouth_of(shot(lin, one, video, place), video, place)


def changed(a: Picture, b: Picture, threshold: int = 6) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Where two pictures differ to the eye: (height, width)."""
    return np.asarray(np.abs(a.y.astype(np.int16) - b.y) > threshold)


@pytest.mark.parametrize(("video", "place"), [(WIDE, WIDE_PLACE), (TALL, TALL_PLACE)], ids=["wide", "tall"])
def test_lips_are_closed_at_rest_and_for_p_b_and_m(lin: PuppetAvatar, video: VideoFormat, place: Placement) -> None:
    for one in (
        face(),
        PBM,
        face(mouthSmile=0.5),
        face(jawOpen=0.06, mouthClose=0.06, mouthPress=0.4, mouthRollUpper=0.14),
    ):
        closed = mouth(lin, one, video, place)
        assert closed.open_pixels == 0
    assert mouth(lin, face(jawOpen=0.15), video, place).open_pixels > 20


def test_lips_stay_closed_over_an_open_jaw_when_mouth_close_says_so(lin: PuppetAvatar) -> None:
    assert mouth(lin, face(jawOpen=0.5)).aperture > 25
    assert mouth(lin, face(jawOpen=0.5, mouthClose=0.5)).open_pixels == 0


def test_the_mouth_opens_steadily_with_the_jaw(lin: PuppetAvatar) -> None:
    heights = [mouth(lin, face(jawOpen=jaw)).aperture for jaw in np.linspace(0.1, 1.0, 10)]
    assert heights[0] > 0
    assert all(b > a for a, b in itertools.pairwise(heights))


def test_the_chin_falls_with_the_jaw_and_the_nose_does_not(lin: PuppetAvatar) -> None:
    rest, opened = shot(lin, face(), WIDE, WIDE_PLACE), shot(lin, face(jawOpen=0.8), WIDE, WIDE_PLACE)
    difference = changed(rest, opened)
    chin, nose = slice(385, 425), slice(296, 316)
    assert difference[chin, 600:680].sum() > 300
    assert difference[nose, 600:680].sum() == 0


SHOWN = (
    {"jawOpen": 0.9},
    {"jawOpen": 0.6, "mouthFunnel": 0.6},
    {"mouthUpperUp": 1, "mouthLowerDown": 1},
    {"mouthStretch": 1, "jawOpen": 0.3},
    {"jawOpen": 0.5, "mouthPucker": 0.5},
    {"jawOpen": 0.5, "jawLeft": 1},
    {"tongueOut": 1, "jawOpen": 0.4},
)


@pytest.mark.parametrize("shape", SHOWN, ids=lambda shape: "+".join(shape))
def test_teeth_and_cavity_are_framed_by_lips_on_every_side(lin: PuppetAvatar, shape: dict[str, float]) -> None:
    seen = mouth(lin, Blendshapes(weighted(shape)), CLOSE, CLOSE_PLACE)
    count, labels, stats, _ = cv2.connectedComponentsWithStats((seen.dark | seen.white).astype(np.uint8))
    assert count > 1
    opening = labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    assert stats[1:, cv2.CC_STAT_AREA].max() > 40
    # Going out from the opening, the first colour above and below is that of lips, in every column but the corners.
    columns = np.flatnonzero(opening.any(axis=0))
    for column in columns[len(columns) // 6 : -len(columns) // 6]:
        rows = np.flatnonzero(opening[:, column])
        assert seen.red[max(0, rows[0] - 9) : rows[0], column].sum() >= 3, ("above", column)
        assert seen.red[rows[-1] + 1 : rows[-1] + 10, column].sum() >= 3, ("below", column)


def iris_pixels(
    picture: Picture, side: int, place: Placement = CLOSE_PLACE, video: VideoFormat = CLOSE
) -> tuple[float, float, int]:
    """Middle (x, y) and number of dark brown pixels inside the eye at the viewer's right (1) or left (-1)."""
    unit = place.head * video.height / 1000
    x, y = place.x * video.width + side * 127 * unit, place.eyes * video.height + 4 * unit
    x0, y0, x1, y1 = round(x - 62 * unit), round(y - 14 * unit), round(x + 62 * unit), round(y + 20 * unit)
    part = bgr(picture)[y0:y1, x0:x1].astype(np.int16)
    brown = (
        (part[..., 2] < 190)
        & (part[..., 2] - part[..., 0] > 28)
        & (part[..., 2] - part[..., 0] < 110)
        & (part[..., 1] < 120)
    )
    rows, columns = np.nonzero(brown)
    return (float(columns.mean()), float(rows.mean()), len(rows)) if len(rows) else (0.0, 0.0, 0)


def test_a_blink_hides_the_eyes(lin: PuppetAvatar) -> None:
    def whites(one: Blendshapes) -> int:
        part = bgr(shot(lin, one))[220:268, 100:380].astype(np.int16)
        return int(((part.min(axis=2) > 185) & (np.ptp(part, axis=2) < 26)).sum())

    assert whites(face()) > 150
    assert whites(face(eyeBlink=1.0)) == 0
    opened = iris_pixels(shot(lin, face()), 1)[2]
    for side in (1, -1):
        assert iris_pixels(shot(lin, face()), side)[2] > 100
    half = iris_pixels(shot(lin, face(eyeBlink=0.5)), 1)[2]
    assert half < opened


@pytest.mark.parametrize("side", [1, -1])
def test_gaze_moves_the_iris_where_it_looks(lin: PuppetAvatar, side: int) -> None:
    rest = iris_pixels(shot(lin, face()), side)
    right, left = (iris_pixels(shot(lin, face(gaze=(angle, 0.0))), side) for angle in (0.3, -0.3))
    up, down = (iris_pixels(shot(lin, face(gaze=(0.0, angle))), side) for angle in (0.3, -0.3))
    assert left[0] + 4 < rest[0] < right[0] - 4
    assert up[1] < down[1] - 1


def test_look_in_and_out_are_the_eyes_own_directions(lin: PuppetAvatar) -> None:
    def x(name: str, side: int) -> float:
        return iris_pixels(shot(lin, Blendshapes(weighted({name: 0.8}))), side)[0]

    # The anchor's left eye is at the viewer's right; outwards is farther to the right.
    assert x("eyeLookInLeft", 1) + 6 < x("eyeLookOutLeft", 1)
    assert x("eyeLookOutRight", -1) + 6 < x("eyeLookInRight", -1)


NEEDS_COMPANY = {"mouthClose": {"jawOpen": 0.5}}


@pytest.mark.parametrize("name", ARKIT)
def test_every_coefficient_shows(lin: PuppetAvatar, name: str) -> None:
    company = NEEDS_COMPANY.get(name, {})
    assert (
        changed(
            shot(lin, Blendshapes(weighted(company))), shot(lin, Blendshapes(weighted({**company, name: 1.0})))
        ).sum()
        > 12
    )


@pytest.mark.parametrize("name", [n for n in ARKIT if n.endswith("Left") and n not in ("jawLeft", "mouthLeft")])
def test_left_is_the_anchors_own_left(lin: PuppetAvatar, name: str) -> None:
    left = changed(shot(lin, face()), shot(lin, Blendshapes(weighted({name: 1.0}))))
    right = changed(shot(lin, face()), shot(lin, Blendshapes(weighted({name.removesuffix("Left") + "Right": 1.0}))))
    middle = CLOSE.width // 2
    assert left[:, middle:].sum() > 2.5 * left[:, :middle].sum()
    assert right[:, :middle].sum() > 2.5 * right[:, middle:].sum()


@pytest.mark.parametrize("name", ["jaw", "mouth"])
def test_jaw_and_mouth_slide_to_the_anchors_own_side(lin: PuppetAvatar, name: str) -> None:
    def lips(one: Blendshapes) -> float:
        return float(np.nonzero(mouth(lin, one, CLOSE, CLOSE_PLACE).red)[1].mean())

    assert (
        lips(Blendshapes(weighted({f"{name}Left": 1.0})))
        > lips(face()) + 2
        > lips(Blendshapes(weighted({f"{name}Right": 1.0}))) + 4
    )


@pytest.mark.parametrize(
    ("pose", "axis", "sign"),
    [
        (HeadPose(yaw=0.2), 1, 1), (HeadPose(yaw=-0.2), 1, -1), (HeadPose(pitch=0.15), 0, -1),
        (HeadPose(pitch=-0.15), 0, 1), (HeadPose(x=0.05), 1, 1), (HeadPose(y=0.05), 0, -1),
    ],
    ids=["yaw right", "yaw left", "pitch up", "pitch down", "x", "y"],
)  # fmt: skip
def test_the_head_turns_the_right_way(lin: PuppetAvatar, pose: HeadPose, axis: int, sign: int) -> None:
    def lips(one: Blendshapes) -> float:
        part = bgr(shot(lin, one))[300:460, 130:350].astype(np.int16)
        return float(np.nonzero((part[..., 2] - part[..., 1] > 70) & (part[..., 2] > 140))[axis].mean())

    assert sign * (lips(face(pose)) - lips(face())) > 6


def test_roll_leans_clockwise_in_the_picture(lin: PuppetAvatar) -> None:
    def top(one: Blendshapes) -> float:
        dark = shot(lin, one).y[:90] < 52
        return float(np.nonzero(dark)[1].mean())

    assert top(face(HeadPose(roll=0.12))) > top(face(HeadPose(roll=-0.12))) + 40


def test_breath_lifts_the_shoulders_and_leaves_the_face(lin: PuppetAvatar) -> None:
    out, breath_in = shot(lin, face(), WIDE, WIDE_PLACE), shot(lin, face(breath=1.0), WIDE, WIDE_PLACE)
    difference = changed(out, breath_in)
    assert difference[470:620].sum() > 200
    assert difference[:400].sum() == 0


def random_face(rng: np.random.Generator) -> Blendshapes:
    weights = (rng.random(len(ARKIT)) * (rng.random(len(ARKIT)) < 0.3)).astype(np.float32)
    pose = HeadPose(*(rng.uniform(-0.12, 0.12, 3).tolist()), *(rng.uniform(-0.03, 0.03, 2).tolist()))
    gaze = (float(rng.uniform(-0.3, 0.3)), float(rng.uniform(-0.2, 0.2)))
    return Blendshapes(weights, pose, gaze, float(rng.random()))


def steps(rng: np.random.Generator) -> list[Blendshapes]:
    """Faces that change now in one thing, now in another, now in everything."""
    faces = [Blendshapes()]
    for kind in ["eyes", "breath", "pose", "mouth", "all", "eyes", "pose", "breath", "mouth", "all", "rest"]:
        now, new = faces[-1], random_face(rng)
        mixed = {
            "eyes": Blendshapes(now.weights, now.head, new.gaze, now.breath),
            "breath": Blendshapes(now.weights, now.head, now.gaze, new.breath),
            "pose": Blendshapes(now.weights, new.head, now.gaze, now.breath),
            "mouth": Blendshapes(new.weights, now.head, now.gaze, now.breath),
            "all": new,
            "rest": Blendshapes(),
        }
        faces.append(mixed[kind])
    return faces


@pytest.mark.parametrize(
    ("video", "place"),
    [
        (VideoFormat(640, 360), WIDE_PLACE),
        (VideoFormat(180, 320), TALL_PLACE),
        (VideoFormat(320, 180), Placement(0.9, 0.2, 0.9)),
    ],
    ids=["wide", "tall", "cut off"],
)  # fmt: skip
def test_drawing_step_by_step_gives_the_picture_drawn_at_once(
    lin: PuppetAvatar, video: VideoFormat, place: Placement
) -> None:
    canvas, view = Picture.black(video), lin.open(video, backdrop(video), place)
    for one in steps(np.random.default_rng(7)):
        view.draw(one, canvas)
        once = shot(lin, one, video, place)
        assert np.abs(canvas.data.astype(np.int16) - once.data).max() <= 1


def test_nothing_is_drawn_for_a_face_that_did_not_change(lin: PuppetAvatar) -> None:
    canvas, view = Picture.black(CLOSE), lin.open(CLOSE, backdrop(CLOSE), CLOSE_PLACE)
    view.draw(PBM, canvas)
    canvas.data[:] = 77
    view.draw(PBM, canvas)
    assert (canvas.data == 77).all()


def test_the_backdrop_beside_the_figure_is_untouched(lin: PuppetAvatar) -> None:
    behind = backdrop(WIDE)
    plain = Picture(np.asarray(cv2.cvtColor(behind, cv2.COLOR_BGR2YUV_I420), np.uint8))
    canvas, view = Picture.black(WIDE), lin.open(WIDE, behind, WIDE_PLACE)
    for one in steps(np.random.default_rng(3)):
        view.draw(one, canvas)
    for plane, clean, half in ((canvas.y, plain.y, 1), (canvas.u, plain.u, 2), (canvas.v, plain.v, 2)):
        assert (plane[: 90 // half] == clean[: 90 // half]).all()
        assert (plane[:, : 380 // half] == clean[:, : 380 // half]).all()
        assert (plane[:, 900 // half :] == clean[:, 900 // half :]).all()
    assert (canvas.y[360] != plain.y[360]).any()


def test_views_do_not_influence_each_other(lin: PuppetAvatar) -> None:
    first, second = (lin.open(CLOSE, backdrop(CLOSE, seed), CLOSE_PLACE) for seed in (1, 2))
    one, two, alone = (Picture.black(CLOSE) for _ in range(3))
    third = lin.open(CLOSE, backdrop(CLOSE, 1), CLOSE_PLACE)
    rng, other = np.random.default_rng(5), np.random.default_rng(6)
    for _ in range(4):
        now = random_face(rng)
        first.draw(now, one)
        second.draw(random_face(other), two)
        third.draw(now, alone)
    assert (one.data == alone.data).all()
    assert (one.data != two.data).any()


@pytest.mark.parametrize("size", ["1280x720", "1080x1920", "720x1280", "640x360", "1920x1080", "64x64"])
def test_the_figure_fills_the_bottom_at_every_size(lin: PuppetAvatar, size: str) -> None:
    video = VideoFormat.parse(size)
    place = TALL_PLACE if video.height > video.width else WIDE_PLACE
    behind = np.full((video.height, video.width, 3), 128, np.uint8)
    canvas = Picture.black(video)
    lin.open(video, behind, place).draw(face(), canvas)
    plain = cv2.cvtColor(behind, cv2.COLOR_BGR2YUV_I420)[0, 0]
    assert (canvas.y[-1, round(video.width * 0.45) : round(video.width * 0.55)] != plain).all()
    assert (canvas.y[0] == plain).all()


def test_extreme_and_broken_numbers_draw_something(lin: PuppetAvatar) -> None:
    wild = Blendshapes(np.full(len(ARKIT), 9, np.float32), HeadPose(9, -9, 9, 9, -9), (9, -9), 9)
    nan = float("nan")
    void = Blendshapes(np.full(len(ARKIT), nan, np.float32), HeadPose(nan, nan, nan, nan, nan), (nan, nan), nan)
    for one in (wild, void):
        assert np.ptp(shot(lin, one, VideoFormat(320, 180), WIDE_PLACE).y) > 50


@pytest.mark.parametrize("place", [Placement(0.5, 0.3, 0.0), Placement(0.5, 9, 0.4), Placement(float("nan"), 0.3, 0.4)])
def test_a_placement_that_cannot_be_is_refused(lin: PuppetAvatar, place: Placement) -> None:
    with pytest.raises(AvatarError, match="Placement"):
        lin.open(CLOSE, backdrop(CLOSE), place)


def test_a_backdrop_of_another_size_is_refused(lin: PuppetAvatar) -> None:
    with pytest.raises(AvatarError, match="480x480"):
        lin.open(CLOSE, backdrop(WIDE), CLOSE_PLACE)
