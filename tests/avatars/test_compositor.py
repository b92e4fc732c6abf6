"""The whole picture: the label is always there and legible, graphics stay in their place, pictures are independent."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anchor.errors import AvatarError, FormatError, MissingError
from anchor.events import Caption, LowerThird
from anchor.media import Blendshapes, Bytes, Look, Picture, VideoFormat
from anchor.ports import Placement
from avatars import backdrop
from avatars.compositor import StudioScene, place
from avatars.fontbook import FontBook, FontSearch
from avatars.graphics import DEFAULT_LABEL, check_label
from avatars.layout import Layout
from tests.avatars.egg import Egg

SIZES = [VideoFormat(1280, 720), VideoFormat(640, 360), VideoFormat(1080, 1920), VideoFormat(720, 720)]
NO_FONTS = FontBook.find(FontSearch())
PAGE = Caption(("人工智能主播每秒25帧，", "a face and its voice"), 0, 48_000)
TITLE = LowerThird("光要走8分20秒", "Science & Technology")
STILL = Blendshapes()


class Make(Protocol):
    def __call__(
        self, ground: int, video: VideoFormat, *, label: str = DEFAULT_LABEL, book: FontBook | None = None
    ) -> StudioScene: ...


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Makes scenes over a flat picture, which loads faster than the studio paints."""
    room = tmp_path_factory.mktemp("room") / "room.png"
    cv2.imwrite(str(room), np.full((64, 64, 3), 90, np.uint8))

    def scene(
        ground: int, video: VideoFormat, *, label: str = DEFAULT_LABEL, book: FontBook | None = None
    ) -> StudioScene:
        return StudioScene(Egg(ground), video, backdrop=room, label=label, book=book)

    return scene


def rgb(picture: Picture) -> Bytes:
    return np.asarray(cv2.cvtColor(picture.data, cv2.COLOR_YUV2RGB_I420), np.uint8)


def luminance(colours: Bytes) -> np.ndarray:
    """Relative luminance (WCAG 2.2)."""
    c = colours.astype(np.float64) / 255
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    return np.asarray(linear @ np.array((0.2126, 0.7152, 0.0722)))


def label_area(
    make: Make, video: VideoFormat, book: FontBook | None = None, text: str = DEFAULT_LABEL
) -> tuple[slice, slice]:
    """Where the label is: the pixels it has changed on a white and on a black ground alike."""
    frames = [make(ground, video, label=text, book=book).draw(Look(STILL)) for ground in (16, 235)]
    bare = [Egg(ground).open(video, frames[0].data, place(video)) for ground in (16, 235)]
    changed = np.ones((video.height, video.width), bool)
    for view, frame in zip(bare, frames, strict=True):
        canvas = Picture.black(video)
        view.draw(STILL, canvas)
        changed &= canvas.y != frame.y
    rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def glyph_heights(area: Bytes) -> list[int]:
    """Heights of the white marks in the label, by connected components."""
    white = (luminance(area) > 0.5).astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(white, connectivity=8)
    return sorted((int(height) for height in stats[1:, cv2.CC_STAT_HEIGHT]), reverse=True)


@pytest.mark.parametrize("video", SIZES, ids=str)
@pytest.mark.parametrize("book", [None, NO_FONTS], ids=["fonts", "no fonts"])
def test_the_label_stands_on_frame_0_in_a_safe_corner_at_the_height_of_the_law(
    make: Make, video: VideoFormat, book: FontBook | None
) -> None:
    rows, columns = label_area(make, video, book)
    assert rows.start >= video.height * 0.045
    assert rows.stop < video.height * 0.25
    assert columns.start >= video.width * 0.045
    assert columns.stop <= video.width * 0.955
    frame = rgb(make(200, video, book=book).draw(Look(STILL)))
    heights = glyph_heights(frame[rows, columns])
    # The capitals A and I of "AI", twice, and at least one whole ideograph.
    assert heights[4] >= video.shorter_side * 0.05


@pytest.mark.parametrize("ground", [16, 90, 160, 235])
def test_the_label_has_contrast_over_any_ground(make: Make, ground: int) -> None:
    video = SIZES[0]
    rows, columns = label_area(make, video)
    seen = luminance(rgb(make(ground, video).draw(Look(STILL)))[rows, columns])
    text, plate = np.median(seen[seen > 0.5]), np.median(seen[seen < 0.1])
    assert (text + 0.05) / (plate + 0.05) >= 4.5
    # The plate, not the ground, lies around the text: its share of the label's box is large.
    assert (seen < 0.1).mean() > 0.5


def test_the_label_is_the_same_on_every_frame_under_any_graphics(make: Make) -> None:
    video = SIZES[0]
    rows, columns = label_area(make, video)
    scene = make(200, video)
    looks = [Look(STILL), Look(STILL, PAGE, TITLE), Look(STILL, None, TITLE), Look(STILL, PAGE)] * 8
    frames = [scene.draw(look).y[rows, columns] for look in looks]
    inner = (slice(8, -8), slice(8, -8))
    assert all(np.array_equal(frame[inner], frames[0][inner]) for frame in frames)


@pytest.mark.parametrize("text", ["", " ", "Live", "AI", "生成", "email generated", "数字人直播", "AI\u200b assistant"])
def test_a_label_that_does_not_name_ai_and_generation_is_refused(make: Make, text: str) -> None:
    with pytest.raises(FormatError, match="AI label"):
        make(200, SIZES[1], label=text)


@pytest.mark.parametrize(
    "text", ["本画面由人工智能合成", "AI合成", "人工智能生成", "Made by AI · synthetic media", "ai-generated"]
)
def test_a_label_may_be_reworded(make: Make, text: str) -> None:
    assert check_label(text) == text
    rows, columns = label_area(make, SIZES[0], text=text)
    assert (rows.stop - rows.start) >= 36
    assert (columns.stop - columns.start) > 100


def test_a_label_too_long_for_the_picture_is_refused(make: Make) -> None:
    with pytest.raises(FormatError, match="too long for 640x360"):
        make(200, SIZES[1], label="AI生成" + "本节目画面与声音" * 20)


def test_without_fonts_a_label_in_other_characters_gives_way_to_one_that_can_be_drawn(make: Make) -> None:
    # 慧 is not among our own glyphs, and without it the text no longer names AI.
    traditional = make(200, SIZES[0], book=NO_FONTS, label="人工智慧合成").draw(Look(STILL))
    simplified = make(200, SIZES[0], book=NO_FONTS, label="人工智能合成").draw(Look(STILL))
    default = make(200, SIZES[0], book=NO_FONTS).draw(Look(STILL))
    assert np.array_equal(traditional.data, default.data)
    assert not np.array_equal(simplified.data, default.data)


def changed_rows(before: Picture, after: Picture) -> slice:
    rows = np.flatnonzero((before.y != after.y).any(axis=1))
    return slice(int(rows[0]), int(rows[-1]) + 1)


@pytest.mark.parametrize("video", SIZES, ids=str)
def test_graphics_never_overlap_nor_reach_the_mouth(make: Make, video: VideoFormat) -> None:
    bare = make(200, video).draw(Look(STILL))
    titled, captioned = make(200, video), make(200, video)
    for _ in range(30):
        with_title = titled.draw(Look(STILL, None, TITLE))
        with_page = captioned.draw(Look(STILL, PAGE))
    title, page = changed_rows(bare, with_title), changed_rows(bare, with_page)
    chin = (place(video).eyes + 0.55 * place(video).head) * video.height
    assert title.start > chin
    assert title.stop <= page.start
    assert page.stop <= video.height * 0.955


@pytest.mark.parametrize("video", SIZES, ids=str)
def test_overlays_change_no_pixel_outside_their_own_place(make: Make, video: VideoFormat) -> None:
    scene = make(200, video)
    for _ in range(30):
        frame = scene.draw(Look(STILL, PAGE, TITLE))
    canvas = Picture.black(video)
    Egg().open(video, frame.data, place(video)).draw(STILL, canvas)
    layout = Layout.of(video)
    above = slice(round(0.25 * video.height), round((place(video).eyes + place(video).head / 2) * video.height))
    assert np.array_equal(frame.y[above], canvas.y[above])
    below = slice(layout.captions_bottom + 2, None)
    assert np.array_equal(frame.y[below], canvas.y[below])
    margin = round(video.width * 0.045) // 2
    for mine, theirs in ((frame.u, canvas.u), (frame.v, canvas.v)):
        assert np.array_equal(mine[:, :margin], theirs[:, :margin])
        assert np.array_equal(mine[:, -margin:], theirs[:, -margin:])


def test_pictures_are_independent_of_later_ones_and_of_each_other(make: Make) -> None:
    scene = make(200, SIZES[1])
    first = scene.draw(Look(STILL, PAGE, TITLE))
    kept = first.data.copy()
    weights = STILL.weights.copy()
    weights[:] = 1
    second = scene.draw(Look(Blendshapes(weights), PAGE, TITLE))
    assert np.array_equal(first.data, kept)
    assert not np.array_equal(first.data, second.data)
    second.data[:] = 0
    assert scene.draw(Look(STILL)).data.any()


def test_captions_fade_in_change_at_once_and_fade_out_without_a_blink(make: Make) -> None:
    video = SIZES[1]
    scene = make(200, video)
    bare = scene.draw(Look(STILL))
    fading = [scene.draw(Look(STILL, PAGE)) for _ in range(4)]
    ink = [int(np.abs(frame.y.astype(int) - bare.y).sum()) for frame in fading]
    assert 0 < ink[0] < ink[1] < ink[2] == ink[3]
    other = scene.draw(Look(STILL, Caption(("Another page entirely",), 48_000, 96_000)))
    fresh = make(200, video)
    for _ in range(4):
        settled = fresh.draw(Look(STILL, Caption(("Another page entirely",), 48_000, 96_000)))
    assert np.array_equal(other.data, settled.data)
    held = [scene.draw(Look(STILL)) for _ in range(4)]
    assert all(np.array_equal(frame.data, settled.data) for frame in held)
    leaving = [scene.draw(Look(STILL)) for _ in range(3)]
    left = [int(np.abs(frame.y.astype(int) - bare.y).sum()) for frame in leaving]
    assert left[0] > left[1] > left[2] == 0


def test_a_lower_third_opens_to_the_right_and_a_new_one_waits_for_the_old_to_close(make: Make) -> None:
    video = SIZES[1]
    scene = make(200, video)
    bare = scene.draw(Look(STILL))

    def reach(frame: Picture) -> int:
        columns = np.flatnonzero((frame.y != bare.y).any(axis=0))
        return int(columns[-1]) if columns.size else 0

    opening = [reach(scene.draw(Look(STILL, None, TITLE))) for _ in range(15)]
    assert opening == sorted(opening)
    assert opening[0] < opening[-1]
    changing = [reach(scene.draw(Look(STILL, None, LowerThird("Other", "words")))) for _ in range(30)]
    low = changing.index(0)
    assert changing[:low] == sorted(changing[:low], reverse=True)
    assert changing[-1] > 0


def test_what_no_font_can_draw_gives_no_caption_rather_than_its_commas(make: Make) -> None:
    scene = make(200, SIZES[1], book=NO_FONTS)
    bare = scene.draw(Look(STILL))
    chinese = Look(STILL, Caption(("大家好，2026年！",), 0, 1), LowerThird("科技快报"))
    for _ in range(10):
        frame = scene.draw(chinese)
    assert np.array_equal(frame.data, bare.data)
    for _ in range(10):
        frame = scene.draw(Look(STILL, Caption(("Good evening.",), 0, 1), LowerThird("News")))
    assert not np.array_equal(frame.data, bare.data)


AWKWARD = st.text(max_size=60) | st.sampled_from(
    ["😀👍🏽", "\x00\x07", "W" * 300, "国" * 300, "مرحبا", "\ud800", "e\u0301" * 9]
)


@settings(max_examples=25, deadline=None)
@given(st.lists(AWKWARD, max_size=3), AWKWARD, AWKWARD)
def test_no_text_makes_drawing_fail_or_leave_the_safe_area(
    make: Make, lines: list[str], title: str, subtitle: str
) -> None:
    video = VideoFormat(640, 360)
    for book in (None, NO_FONTS):
        scene = make(200, video, book=book)
        frame = scene.draw(Look(STILL))
        bare = frame.y.copy()
        for _ in range(14):
            frame = scene.draw(Look(STILL, Caption(tuple(lines), 0, 1), LowerThird(title, subtitle)))
        changed = np.flatnonzero((frame.y != bare).any(axis=0))
        if changed.size:
            assert changed[0] >= video.width * 0.045
            assert changed[-1] <= video.width * 0.955


def test_the_head_keeps_its_place_in_every_format() -> None:
    assert place(VideoFormat(1280, 720)) == Placement(0.5, 0.36, 0.40)
    assert place(VideoFormat(1080, 1920)) == Placement(0.5, 0.31, 0.28)
    square = place(VideoFormat(720, 720))
    assert 0.31 < square.eyes < 0.36
    assert 0.28 < square.head < 0.40
    assert place(VideoFormat(2560, 720)) == place(VideoFormat(1280, 720))


@pytest.mark.parametrize("video", SIZES, ids=str)
def test_the_studio_fills_the_frame_without_bands_and_is_always_the_same(video: VideoFormat) -> None:
    painted = backdrop.studio(video)
    assert painted.shape == (video.height, video.width, 3)
    assert painted.dtype == np.uint8
    assert np.array_equal(painted, backdrop.studio(video))
    # A band is a run of equal rows in a smooth gradient; dither leaves no two neighbouring rows equal.
    assert not (painted[:-1] == painted[1:]).all(axis=(1, 2)).any()


def test_a_users_picture_fills_the_frame(tmp_path: Path) -> None:
    wide = np.zeros((100, 400, 3), np.uint8)
    wide[:, 150:250] = (10, 200, 30)
    cv2.imwrite(str(tmp_path / "room.png"), wide)
    filled = backdrop.load(tmp_path / "room.png", VideoFormat(64, 64))
    assert filled.shape == (64, 64, 3)
    assert tuple(filled[32, 32]) == (10, 200, 30)


def test_a_backdrop_that_is_missing_broken_or_huge_is_one_clear_error(tmp_path: Path) -> None:
    video = VideoFormat(64, 64)
    with pytest.raises(MissingError, match=r"none\.png"):
        backdrop.load(tmp_path / "none.png", video)
    (tmp_path / "text.png").write_text("not a picture")
    with pytest.raises(AvatarError, match=r"text\.png: not a picture"):
        backdrop.load(tmp_path / "text.png", video)
    cv2.imwrite(str(tmp_path / "cut.png"), np.random.default_rng(1).integers(0, 255, (64, 64, 3), np.uint8))
    whole = (tmp_path / "cut.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(AvatarError, match=r"cut\.png cannot be read"):
        backdrop.load(tmp_path / "cut.png", video)
    chunk = b"IHDR" + (30_000).to_bytes(4, "big") * 2 + whole[24:29]
    (tmp_path / "bomb.png").write_bytes(whole[:12] + chunk + zlib.crc32(chunk).to_bytes(4, "big") + whole[33:])
    with pytest.raises(AvatarError, match=r"bomb\.png is too large"):
        backdrop.load(tmp_path / "bomb.png", video)
