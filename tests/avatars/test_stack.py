"""Graphics in motion: how they come, go and run, and that the label stays over all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from anchor.errors import AvatarError, MissingError
from anchor.events import Caption, LowerThird
from anchor.graphics import Chart, Graphics, Grid, Series, Transition
from anchor.media import Blendshapes, Bytes, Look, Picture, VideoFormat
from avatars.compositor import StudioScene
from avatars.rolling import even_step
from tests.avatars.egg import Egg

VIDEO = VideoFormat(640, 360)
SHAPES = [VIDEO, VideoFormat(360, 640), VideoFormat(360, 360)]
STILL = Blendshapes()
PAGE = Caption(("人工智能主播每秒25帧，", "a face and its voice"), 0, 48_000)
TWO = replace(PAGE, second=("Twenty-five pictures a second",))
TITLE = LowerThird("光要走8分20秒", "Science")
TICKER = ("沪指收涨0.42%", "Hang Seng slips in late trade", "北京今天晴，最高气温12摄氏度")
BARS = Chart("bar", ("甲", "乙", "丙"), (Series("", (3, 5, 2)),), title="三个数")
GRID = Grid(("a", "b"), (("x", "1"), ("y", "2")), title="Table")


class Stage:
    """Makes scenes over a flat picture, and shows them looks."""

    def __init__(self, folder: Path) -> None:
        self.room = folder / "room.png"
        cv2.imwrite(str(self.room), np.full((64, 64, 3), 90, np.uint8))

    def scene(
        self, video: VideoFormat = VIDEO, *, logo: Path | None = None, clock: bool = False, ground: int = 200,
        template: str = "house",
    ) -> StudioScene:  # fmt: skip
        return StudioScene(Egg(ground), video, backdrop=self.room, logo=logo, clock=clock, template=template)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return Stage(tmp_path_factory.mktemp("stage"))


def look(
    graphics: Graphics | None = None, *, page: Caption | None = None, title: LowerThird | None = None, clock: str = ""
) -> Look:
    return Look(STILL, page, title, graphics or Graphics(), clock)


def play(scene: StudioScene, looks: Sequence[Look]) -> list[Picture]:
    return [scene.draw(entry) for entry in looks]


def changed(one: Picture, other: Picture) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    return np.asarray(one.y != other.y)


def label_of(scene: StudioScene) -> tuple[slice, slice]:
    box = scene._label.box
    # Rounded corners let the ground through.
    return slice(box.y + 6, box.bottom - 6), slice(box.x + 6, box.right - 6)


EVERYTHING = [
    look(Graphics(headline="标题", kicker="快讯", ticker=TICKER), page=PAGE, title=TITLE, clock="20:15"),
    look(Graphics(ticker=TICKER, inset=replace(BARS, place="shoulder")), page=TWO, title=TITLE, clock="20:15"),
    look(Graphics(inset=BARS, transition="wipe"), page=TWO, clock="20:16"),
    look(Graphics(inset=replace(GRID, place="corner"), transition="cut"), page=PAGE),
    look(Graphics(credits=("制作", "张三", "李四")), page=PAGE),
    look(Graphics(slate="技术调整中，请稍候"), page=PAGE, title=TITLE),
    look(),
]


@pytest.mark.parametrize("video", SHAPES, ids=str)
def test_the_label_is_whole_in_every_picture_whatever_comes_and_goes(stage: Stage, video: VideoFormat) -> None:
    scene = stage.scene(video, clock=True)
    area = label_of(scene)
    first = scene.draw(look()).y[area].copy()
    for entry in EVERYTHING:
        for picture in play(scene, [entry] * 12):
            assert np.array_equal(picture.y[area], first)


def test_the_same_looks_give_the_same_pictures(stage: Stage) -> None:
    looks = [entry for entry in EVERYTHING for _ in range(8)]
    one, other = (play(stage.scene(clock=True), looks) for _ in range(2))
    assert all(np.array_equal(a.data, b.data) for a, b in zip(one, other, strict=True))


def test_what_stands_still_gives_equal_pictures_and_is_what_settles(stage: Stage) -> None:
    for entry in (
        look(Graphics(headline="标题", kicker="快讯"), page=TWO, title=TITLE, clock="20:15"),
        look(Graphics(inset=BARS), page=PAGE),
        look(Graphics(inset=replace(GRID, place="shoulder"), headline="Headline"), page=PAGE),
    ):
        scene = stage.scene(clock=True)
        frames = play(scene, [entry] * 45)
        assert np.array_equal(frames[-1].data, frames[-2].data)
        assert np.array_equal(stage.scene(clock=True).settled(entry).data, frames[-1].data)


def test_a_settled_picture_does_not_depend_on_what_was_shown_before(stage: Stage) -> None:
    scene = stage.scene()
    first = scene.settled(EVERYTHING[0])
    scene.settled(EVERYTHING[2])
    assert np.array_equal(scene.settled(EVERYTHING[0]).data, first.data)


def test_a_ticker_moves_by_the_same_step_every_beat_without_a_seam(stage: Stage) -> None:
    scene = stage.scene()
    frames = play(scene, [look(Graphics(ticker=TICKER))] * 400)
    box = scene._stack._arranged(Graphics(ticker=TICKER)).ticker_box
    strips = [frame.y[box.y + 4 : box.bottom] for frame in frames[12:]]
    step = even_step(0.16, VIDEO)
    assert step % 2 == 0
    for one, other in pairwise(strips):
        assert np.array_equal(one[:, step:], other[:, :-step])
    # It has come round: the same picture again.
    assert any(np.array_equal(strips[0], strip) for strip in strips[20:])


def test_captions_make_room_for_a_ticker_and_a_second_language(stage: Stage) -> None:
    scene = stage.scene()
    bare = scene.draw(look())
    low = play(scene, [look(page=PAGE)] * 6)[-1]
    scene = stage.scene()
    both = play(scene, [look(Graphics(ticker=TICKER), page=TWO)] * 16)[-1]
    scene = stage.scene()
    ticker = play(scene, [look(Graphics(ticker=TICKER))] * 16)[-1]
    middle = slice(VIDEO.width // 2 - 40, VIDEO.width // 2 + 40)
    page = np.flatnonzero(changed(bare, low)[VIDEO.height // 2 :, middle].any(axis=1)) + VIDEO.height // 2
    over = np.flatnonzero(changed(ticker, both)[:, middle].any(axis=1))
    strip = np.flatnonzero(changed(bare, ticker)[VIDEO.height // 2 :, middle].any(axis=1)) + VIDEO.height // 2
    assert over[-1] < strip[0]
    assert over[-1] - over[0] > page[-1] - page[0]


def test_names_and_headlines_step_aside_for_figures_that_fill_the_picture(stage: Stage) -> None:
    chart = play(stage.scene(), [look(Graphics(inset=BARS))] * 40)[-1]
    crowded = look(Graphics(inset=BARS, headline="标题", kicker="快讯"), title=TITLE)
    assert np.array_equal(play(stage.scene(), [crowded] * 40)[-1].data, chart.data)


def test_a_slate_covers_all_but_the_label_in_the_very_next_picture_and_goes_as_fast(stage: Stage) -> None:
    scene = stage.scene()
    play(scene, [EVERYTHING[0]] * 20)
    slate = scene.draw(look(Graphics(slate="请稍候", ticker=TICKER), page=PAGE, title=TITLE))
    other = stage.scene(ground=30).draw(look(Graphics(slate="请稍候")))
    area = label_of(scene)
    inner = np.ones(slate.y.shape, bool)
    box = scene._label.box
    inner[box.y : box.bottom, box.x : box.right] = False
    assert np.array_equal(slate.y[inner], other.y[inner])
    assert np.array_equal(slate.y[area], other.y[area])
    back = scene.draw(look())
    assert (back.y == 200).mean() > 0.3


@pytest.mark.parametrize("transition", ["cut", "fade", "wipe"])
def test_insets_come_in_by_their_transition(stage: Stage, transition: Transition) -> None:
    scene = stage.scene()
    bare = play(scene, [look()] * 2)[-1]
    frames = play(scene, [look(Graphics(inset=BARS, transition=transition))] * 14)
    shares = [changed(bare, frame).mean() for frame in frames]
    left = [changed(bare, frame)[:, : VIDEO.width // 4].mean() for frame in frames]
    right = [changed(bare, frame)[: VIDEO.height // 4, -20:].mean() for frame in frames]
    if transition == "cut":
        assert shares[0] > 0.9
    elif transition == "fade":
        ground = [int(frame.y[VIDEO.height - 8, 8]) for frame in frames]
        assert ground == sorted(ground, reverse=True)
        assert ground[0] > ground[4] > ground[9]
    else:
        assert left[3] > right[3]
        assert shares[2] < shares[5] < shares[9]
    assert shares[-1] > 0.9


def test_in_the_corner_the_anchor_is_small_and_alive(stage: Stage) -> None:
    entry = look(Graphics(inset=replace(GRID, place="corner"), transition="cut"))
    scene = stage.scene()
    rest = play(scene, [entry] * 40)[-1]
    weights = STILL.weights.copy()
    weights[:] = 1
    spoken = scene.draw(replace(entry, face=Blendshapes(weights)))
    rows, columns = np.nonzero(changed(rest, spoken))
    box = scene._stack._arranged(entry.graphics).corner_box
    assert rows.size
    assert box.y <= rows.min() and rows.max() < box.bottom
    assert box.x <= columns.min() and columns.max() < box.right


def test_where_there_is_no_room_at_the_shoulder_the_anchor_goes_to_the_corner(stage: Stage) -> None:
    square = SHAPES[2]
    shown = [
        play(stage.scene(square), [look(Graphics(inset=replace(BARS, place=place)))] * 45)[-1]
        for place in ("shoulder", "corner")
    ]
    assert np.array_equal(shown[0].data, shown[1].data)


def test_a_prepared_chart_is_not_drawn_again_as_it_goes_on_air(stage: Stage) -> None:
    scene = stage.scene()
    scene.prepare(Graphics(inset=BARS, ticker=TICKER))
    kept = dict(scene._panels._kept)
    play(scene, [look(Graphics(inset=BARS, ticker=TICKER))] * 3)
    assert dict(scene._panels._kept) == kept
    assert len(kept) == 1


def test_credits_roll_up_once_over_the_darkened_picture(stage: Stage) -> None:
    scene = stage.scene()
    names = ("制作", "", "张三", "李四")
    frames = play(scene, [look(Graphics(credits=names))] * 260)
    white = [np.flatnonzero((frame.y[60:, 200:440] > 190).any(axis=1)) for frame in frames[20:]]
    tops = [int(rows[0]) for rows in white if rows.size]
    assert tops[10] > tops[40] > tops[60]
    assert not white[-1].size
    assert frames[-1].y[VIDEO.height - 10, 10] < 80


def test_the_digits_of_the_clock_do_not_jitter(stage: Stage) -> None:
    scene = stage.scene(clock=True)
    bare = scene.draw(look())
    edges = set()
    for time in ("11:11:11", "20:48:56", "07:40:00"):
        columns = np.flatnonzero(changed(bare, scene.draw(look(clock=time)))[:80, :300].any(axis=0))
        edges.add((int(columns[0]), int(columns[-1])))
    assert len(edges) == 1


def png(path: Path, pixels: Bytes) -> Path:
    assert cv2.imwrite(str(path), pixels)
    return path


def test_a_logo_stands_in_the_free_corner_with_its_transparency(stage: Stage, tmp_path: Path) -> None:
    pixels = np.zeros((100, 300, 4), np.uint8)
    pixels[20:80, 50:250] = (0, 0, 255, 255)
    scene = stage.scene(logo=png(tmp_path / "logo.png", pixels))
    rows, columns = np.nonzero(changed(stage.scene().draw(look()), scene.draw(look())))
    assert rows.min() >= 0.045 * VIDEO.height
    assert columns.min() >= 0.045 * VIDEO.width
    # The empty margin is cut off: it is as high as the template says.
    assert rows.max() - rows.min() + 1 == pytest.approx(0.085 * VIDEO.height, abs=2)
    assert (columns.max() - columns.min()) / (rows.max() - rows.min()) == pytest.approx(200 / 60, rel=0.1)


def test_a_logo_that_cannot_be_shown_is_one_clear_error(stage: Stage, tmp_path: Path) -> None:
    with pytest.raises(MissingError, match=r"logo .*none\.png: there is no such file"):
        stage.scene(logo=tmp_path / "none.png")
    (tmp_path / "text.png").write_text("not a picture")
    with pytest.raises(AvatarError, match=r"text\.png: not a picture"):
        stage.scene(logo=tmp_path / "text.png")
    with pytest.raises(AvatarError, match=r"clear\.png: nothing of it can be seen"):
        stage.scene(logo=png(tmp_path / "clear.png", np.zeros((9, 9, 4), np.uint8)))
    with pytest.raises(AvatarError, match=r"huge\.png is too large"):
        stage.scene(logo=png(tmp_path / "huge.png", np.zeros((4200, 4200, 1), np.uint8)))


@pytest.mark.parametrize("video", SHAPES, ids=str)
@pytest.mark.parametrize("template", ["newsroom", "market"])
def test_every_template_serves_every_shape(stage: Stage, video: VideoFormat, template: str) -> None:
    scene = stage.scene(video, clock=True, template=template)
    for entry in EVERYTHING:
        assert scene.settled(entry).data.shape == (video.height * 3 // 2, video.width)
