"""Painted mouths over footage and photos: in place, soft at the rim, and nothing else touched."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from anchor.errors import AvatarError
from anchor.media import Blendshapes, Bytes, DrawnFace, HeadPose, MouthPatch, PatchedFace, Picture, VideoFormat
from anchor.ports import Placement
from avatars.footage import FootageAvatar
from avatars.maker import consent_of, make_avatar
from avatars.package import load_avatar
from avatars.puppet import PuppetAvatar
from tests.avatars import clips
from tests.avatars.mouths import bgr, face

VIDEO = VideoFormat(480, 560, 25)
PLACE = Placement(0.5, 0.44, 0.5)
BLUE = (250, 40, 10)


def patch_of(avatar: FootageAvatar | PuppetAvatar, base: int = 0, *, colour: tuple[int, ...] = BLUE) -> MouthPatch:
    """A disc of one colour over the mouth."""
    shape, side = avatar.shape, 64
    (x, y), reach = shape.mouth, 0.3 * shape.chin
    to_art = np.array([[2 * reach / side, 0, x - reach], [0, 2 * reach / side, y - reach]], np.float32)
    rows, columns = np.mgrid[:side, :side] + 0.5
    away = np.hypot(rows - side / 2, columns - side / 2) / (side / 2)
    mask = (255 * np.clip((0.9 - away) / 0.2, 0, 1)).astype(np.uint8)
    return MouthPatch(np.full((side, side, 3), colour, np.uint8), mask, to_art, base)


def drawn(avatar: FootageAvatar | PuppetAvatar, *faces: DrawnFace) -> list[Picture]:
    view, canvas = avatar.open(VIDEO, clips.wall(), PLACE), Picture.black(VIDEO)
    pictures = []
    for one in faces:
        view.draw(one, canvas)
        pictures.append(canvas.copy())
    return pictures


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> PuppetAvatar:
    """An avatar of a portrait, which is one of the bundled anchor."""
    folder = tmp_path_factory.mktemp("photo")
    view, canvas = load_avatar("lin").open(VIDEO, clips.wall(), PLACE), Picture.black(VIDEO)
    view.draw(Blendshapes(), canvas)
    cv2.imwrite(str(folder / "portrait.png"), bgr(canvas))
    make_avatar(folder / "portrait.png", folder / "made", consent=consent_of("somebody", "tests", "unlimited"))
    found = load_avatar(folder / "made")
    assert isinstance(found, PuppetAvatar)
    return found


def test_clips_and_photos_accept_patches_and_drawn_figures_do_not(filmed: FootageAvatar, photo: PuppetAvatar) -> None:
    assert filmed.info.accepts == photo.info.accepts == ("blendshapes", "patch")
    lin = load_avatar("lin")
    assert lin.info.accepts == ("blendshapes",)
    assert isinstance(lin, PuppetAvatar)
    with pytest.raises(AvatarError, match="lin: accepts no patches"):
        _ = lin.shape


def test_outside_the_mask_footage_is_bit_for_bit_what_it_was(filmed: FootageAvatar) -> None:
    patch = patch_of(filmed)
    own = face()
    for with_it, without in zip(drawn(filmed, *[PatchedFace(own, patch)] * 6), drawn(filmed, *[own] * 6), strict=True):
        changed = with_it.y != without.y
        assert 300 < changed.sum() < 0.03 * changed.size
        rows, columns = np.nonzero(changed)
        disc = 0.6 * filmed.shape.chin * filmed.zoom * PLACE.head * VIDEO.height / filmed.tall
        assert np.ptp(rows) < disc
        assert np.ptp(columns) < disc
        for plane, base in ((with_it.u, without.u), (with_it.v, without.v)):
            near = cv2.dilate(changed.astype(np.uint8), np.ones((5, 5), np.uint8))[::2, ::2] > 0
            assert np.array_equal(plane[~near], base[~near])


def test_the_middle_of_the_mask_shows_the_patch(filmed: FootageAvatar, photo: PuppetAvatar) -> None:
    for avatar in (filmed, photo):
        [picture] = drawn(avatar, PatchedFace(face(), patch_of(avatar)))
        blue = np.abs(bgr(picture).astype(int) - BLUE).max(axis=2) < 12
        assert blue.sum() > 800
        rows, columns = np.nonzero(blue)
        assert abs(columns.mean() - 0.5 * VIDEO.width) < 12
        assert 0.44 * VIDEO.height < rows.mean() < 0.70 * VIDEO.height


def test_lips_by_numbers_do_nothing_under_a_whole_patch(filmed: FootageAvatar, photo: PuppetAvatar) -> None:
    for avatar in (filmed, photo):
        patch = patch_of(avatar)
        wide, shut = (drawn(avatar, PatchedFace(face(jawOpen=jaw), patch))[0] for jaw in (0.8, 0.0))
        assert np.array_equal(wide.data, shut.data)


def test_half_a_patch_is_half_as_strong(filmed: FootageAvatar, photo: PuppetAvatar) -> None:
    for avatar in (filmed, photo):
        patch = patch_of(avatar)
        none, half, whole = (
            bgr(drawn(avatar, one)[0]).astype(int)
            for one in (face(), PatchedFace(face(), patch, 0.5), PatchedFace(face(), patch))
        )
        place = np.abs(whole - BLUE).max(axis=2) < 12
        assert np.abs(half[place] - (none[place] + whole[place]) / 2).mean() < 6


def test_a_patch_follows_the_head(filmed: FootageAvatar, photo: PuppetAvatar) -> None:
    def middles(pictures: list[Picture]) -> list[float]:
        blues = [np.abs(bgr(one).astype(int) - BLUE).max(axis=2) < 20 for one in pictures]
        return [float(np.nonzero(blue)[1].mean()) for blue in blues]

    sway = middles(drawn(filmed, *[PatchedFace(face(), patch_of(filmed))] * 70))
    mouths = [(matrix @ [*filmed.shape.mouth, 1])[0] for matrix in filmed.maps[:70]]
    assert np.ptp(mouths) > 4
    assert np.corrcoef(sway, mouths)[0, 1] > 0.98
    still, turned = middles(
        drawn(photo, *(PatchedFace(face(HeadPose(yaw=yaw)), patch_of(photo)) for yaw in (0.0, 0.1)))
    )
    assert turned > still + 3


def test_a_photo_painted_with_its_own_crop_looks_as_before(photo: PuppetAvatar, filmed: FootageAvatar) -> None:
    for avatar in (photo, filmed):
        c = avatar.shape.chin
        box = (-0.7 * c, -0.7 * c, 0.7 * c, 1.1 * c)
        crop = avatar.crops(box, (256, 256))[0]
        whole = patch_of(avatar)
        to_art = np.array([[1.4 * c / 256, 0, box[0]], [0, 1.8 * c / 256, box[1]]], np.float32)
        mask = np.zeros((256, 256), np.uint8)
        cv2.ellipse(mask, (128, 190), (70, 40), 0, 0, 360, (255,), -1)
        again = MouthPatch(crop, cv2.GaussianBlur(mask, (0, 0), 6).astype(np.uint8), to_art, 0)
        base, painted = (bgr(drawn(avatar, one)[0]).astype(int) for one in (face(), PatchedFace(face(), again)))
        assert whole.mask.any()
        assert np.abs(base - painted).max() < 30
        assert np.abs(base - painted).mean() < 0.3


def test_crops_are_those_of_the_film_in_its_order(filmed: FootageAvatar) -> None:
    c = filmed.shape.chin
    crops = filmed.crops((-0.6 * c, -0.6 * c, 0.6 * c, 1.0 * c), (96, 96))
    assert len(crops) == filmed.film.count
    assert crops[0].shape == (96, 96, 3)
    assert crops[0].dtype == np.uint8
    # The head stays where it is in the crop while it moves about in the picture; eyes blink.
    steady = [crops[index][55:].astype(int) for index in (0, 10, 20)]
    assert max(float(np.abs(steady[0] - other).mean()) for other in steady[1:]) < 6


@pytest.mark.parametrize("fps", [25, 50, 10, 20])
def test_a_view_knows_which_picture_of_the_film_comes(filmed: FootageAvatar, fps: int) -> None:
    video = VideoFormat(240, 280, fps)
    backdrop: Bytes = np.zeros((280, 240, 3), np.uint8)
    view, canvas = filmed.open(video, backdrop, PLACE), Picture.black(video)
    foretold = [view.base(ahead) for ahead in range(1, 200)]
    shown: list[int] = []
    for _ in range(199):
        assert view.base(1) == foretold[len(shown)]
        view.draw(face(), canvas)
        shown.append(view.base(0))
    assert shown == foretold
    assert max(shown) < filmed.film.count


def test_packages_keep_where_the_face_of_a_photo_is(photo: PuppetAvatar, tmp_path: Path) -> None:
    shape = photo.shape
    assert 0.4 * shape.chin < shape.mouth[1] < 0.8 * shape.chin
    assert 0.2 * shape.chin < shape.width < shape.chin


def test_light_is_matched_on_the_rim_and_slowly() -> None:
    from drivers.image.paste import LightMatch

    rng = np.random.default_rng(0)
    base = (90 + 60 * rng.random((64, 64, 3))).astype(np.uint8)
    rows, columns = np.mgrid[:64, :64] - 31.5
    mask = (255 * np.clip((26 - np.hypot(rows, columns)) / 8, 0, 1)).astype(np.uint8)
    darker = (base * 0.9).astype(np.uint8)
    match = LightMatch(mask, 25)
    first = match.match(darker, base)
    assert abs(float(first.mean()) - float(base.mean())) < 1.5
    assert abs(float(darker.mean()) - float(base.mean())) > 10
    # One picture that is off does not make the next ones flicker.
    again = match.match(base, base)
    assert float(again.mean()) > float(base.mean()) + 5
    for _ in range(60):
        again = match.match(base, base)
    assert abs(float(again.mean()) - float(base.mean())) < 1.5
