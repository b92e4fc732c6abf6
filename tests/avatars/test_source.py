"""Pictures people bring: what is read, what is refused, and why."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from anchor.errors import AvatarError, MissingError
from anchor.media import Bytes
from avatars.landmarks import find_faces, person_mask
from avatars.source import WORKING_SIDE, check_face, measure, read_picture

pytest.importorskip("mediapipe", reason="MediaPipe is not installed (make setup brings it)")

GOOD = ["001_1000", "011_1000", "030_500", "046_1000", "057_1000", "066_1000", "074_1000", "088_1000"]


Portrait = Callable[[str], Bytes]


@pytest.fixture
def portrait(shared: Path) -> Portrait:
    return lambda name: read_picture(shared / "portraits" / "cc0" / f"{name}.jpg")


def refusal(picture: Bytes) -> str:
    with pytest.raises(AvatarError) as caught:
        check_face(picture)
    return str(caught.value)


def landscape() -> Bytes:
    random = np.random.default_rng(3)
    hills = cv2.resize(random.integers(0, 255, (6, 8, 3), np.uint8), (640, 480), interpolation=cv2.INTER_CUBIC)
    return np.ascontiguousarray(hills)


def cat() -> Bytes:
    picture = np.full((480, 480, 3), 210, np.uint8)
    cv2.circle(picture, (240, 260), 130, (60, 110, 180), -1)
    for side in (-1, 1):
        ear = np.array([(240 + side * 40, 150), (240 + side * 130, 60), (240 + side * 120, 220)])
        cv2.fillPoly(picture, [ear], (60, 110, 180))
        cv2.ellipse(picture, (240 + side * 50, 240), (24, 16), 0, 0, 360, (60, 220, 120), -1)
        cv2.ellipse(picture, (240 + side * 50, 240), (5, 16), 0, 0, 360, (0, 0, 0), -1)
        for tilt in (-12, 0, 12):
            cv2.line(picture, (240 + side * 30, 300), (240 + side * 160, 300 + tilt), (255, 255, 255), 2)
    return picture


@pytest.mark.parametrize("make", [landscape, cat])
def test_a_picture_without_a_person_has_no_face(make: object) -> None:
    assert callable(make)
    assert "no face" in refusal(make())


def test_a_picture_is_read_upright_and_in_colour(tmp_path: Path) -> None:
    pixels = np.zeros((40, 80, 3), np.uint8)
    pixels[:, :40] = (255, 0, 0)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(pixels).save(tmp_path / "turned.png", exif=exif)
    read = read_picture(tmp_path / "turned.png")
    assert read.shape == (80, 40, 3)
    assert tuple(read[10, 20]) == (0, 0, 255) and tuple(read[70, 20]) == (0, 0, 0)


@pytest.mark.parametrize("mode", ["L", "CMYK", "RGBA", "P"])
def test_every_colour_mode_becomes_three_channels(tmp_path: Path, mode: str) -> None:
    name = tmp_path / ("x.jpg" if mode in ("L", "CMYK") else "x.png")
    Image.new("RGB", (64, 48), (200, 100, 50)).convert(mode).save(name)
    read = read_picture(name)
    assert read.shape == (48, 64, 3) and read.dtype == np.uint8
    assert read.max() > 90


def test_sixteen_bits_of_grey_are_read_as_bright_as_they_are(tmp_path: Path) -> None:
    ramp = np.tile(np.linspace(0, 65_535, 64, dtype=np.uint16), (48, 1))
    cv2.imwrite(str(tmp_path / "deep.png"), ramp)
    read = read_picture(tmp_path / "deep.png")
    assert read.shape == (48, 64, 3)
    assert np.abs(read[..., 0].astype(int) - ramp // 256).max() <= 1


def test_a_large_picture_is_made_smaller(tmp_path: Path) -> None:
    Image.new("RGB", (4800, 3000), (9, 9, 9)).save(tmp_path / "large.jpg")
    assert max(read_picture(tmp_path / "large.jpg").shape) == WORKING_SIDE


def test_a_picture_of_30000_pixels_is_refused_by_its_header(tmp_path: Path) -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
    (tmp_path / "bomb.png").write_bytes(bomb)
    with pytest.raises(AvatarError, match=r"bomb\.png: is 30000x30000 pixels; at most 12000"):
        read_picture(tmp_path / "bomb.png")


def test_a_truncated_jpeg_is_refused_as_damaged(tmp_path: Path) -> None:
    whole = tmp_path / "whole.jpg"
    Image.fromarray(np.random.default_rng(1).integers(0, 255, (200, 200, 3), np.uint8)).save(whole)
    (tmp_path / "half.jpg").write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with pytest.raises(AvatarError, match=r"half\.jpg: is damaged"):
        read_picture(tmp_path / "half.jpg")


def test_what_is_no_picture_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "notes.jpg").write_text("not a picture")
    with pytest.raises(AvatarError, match=r"notes\.jpg: is not a picture"):
        read_picture(tmp_path / "notes.jpg")
    with pytest.raises(MissingError, match=r"none\.jpg"):
        read_picture(tmp_path / "none.jpg")


@pytest.mark.shared
@pytest.mark.parametrize("name", GOOD)
def test_a_frontal_portrait_is_accepted(portrait: Portrait, name: str) -> None:
    face = check_face(portrait(name))
    assert face.points.shape == (478, 3) and face.inter_ocular > 60
    left, top, right, bottom = face.box
    assert left < face.points[1, 0] < right and top < face.points[1, 1] < bottom


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "reason"),
    [("004_500", "sunglasses"), ("017_500", "turned aside: yaw is 5"), ("024_500", "no face")],
)
def test_a_face_that_cannot_be_used_is_refused_with_its_reason(portrait: Portrait, name: str, reason: str) -> None:
    assert reason in refusal(portrait(name))


@pytest.mark.shared
def test_a_face_on_its_head_is_refused(portrait: Portrait) -> None:
    assert "stands on its head: after half a turn it fits" in refusal(portrait("011_1000")[::-1, ::-1].copy())
    assert "looks up or down" in refusal(portrait("001_1000")[::-1, ::-1].copy())


@pytest.mark.shared
def test_two_people_are_refused_by_their_number(portrait: Portrait) -> None:
    one, other = (cv2.resize(portrait(name), (600, 600)) for name in ("001_1000", "074_1000"))
    assert "2 faces" in refusal(np.ascontiguousarray(np.hstack([one, other])))


@pytest.mark.shared
def test_what_is_wrong_with_a_face_is_said_with_the_value_measured(portrait: Portrait) -> None:
    good = portrait("001_1000")
    assert "blurred: sharpness is" in refusal(np.ascontiguousarray(cv2.GaussianBlur(good, (0, 0), 9)))
    assert "too small: distance between the eyes is 2" in refusal(np.ascontiguousarray(cv2.resize(good, (160, 160))))
    assert "too dark or too bright: brightness is" in refusal((good * 0.15).astype(np.uint8))
    face = check_face(good)
    chin = int(face.points[152, 1] - 0.1 * face.inter_ocular)
    assert "cuts the face" in refusal(np.ascontiguousarray(good[:chin]))


@pytest.mark.shared
def test_angles_say_where_the_face_is_turned(portrait: Portrait) -> None:
    (face,) = find_faces(portrait("017_500"))
    assert face.yaw > 40
    upright = portrait("074_1000")
    turn = cv2.getRotationMatrix2D((500, 500), -12, 1)
    (leant,) = find_faces(np.ascontiguousarray(cv2.warpAffine(upright, turn, (1000, 1000))))
    (straight,) = find_faces(upright)
    assert leant.roll - straight.roll == pytest.approx(12, abs=2)


@pytest.mark.shared
def test_a_face_that_is_small_in_its_picture_is_found(portrait: Portrait) -> None:
    wide = np.full((1500, 2400, 3), 190, np.uint8)
    wide[500:900, 1000:1400] = cv2.resize(portrait("074_1000"), (400, 400), interpolation=cv2.INTER_AREA)
    (face,) = find_faces(wide)
    assert 1100 < face.points[1, 0] < 1300 and all(finding.good for finding in measure(wide, face))


@pytest.mark.shared
def test_the_person_is_told_from_the_background(portrait: Portrait) -> None:
    picture = portrait("001_1000")
    mask = person_mask(picture)
    face = check_face(picture)
    x, y = face.points[1, :2].astype(int)
    assert mask.shape == picture.shape[:2] and mask.dtype == np.float32
    assert mask[y, x] > 0.9 and mask[20, 20] < 0.1
