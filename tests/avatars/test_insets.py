"""Pictures and clips beside, behind and instead of the anchor."""

import struct
import threading
import tracemalloc
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from anchor.errors import AnchorError, AvatarError, MissingError
from anchor.events import Caption, LowerThird
from anchor.graphics import Graphics, Media, Place
from anchor.media import Blendshapes, Bytes, Look, Picture, VideoFormat
from anchor.testing import FakeAvatar
from avatars.compositor import StudioScene
from avatars.fitting import fitted
from avatars.insets import Library, _box
from avatars.layout import Layout
from avatars.pictures import read_picture
from avatars.typeset import Typesetter
from tests.avatars import odd_clips

WIDE, TALL = VideoFormat(320, 180, 25), VideoFormat(360, 640, 25)
RED, ORANGE = (220, 30, 30), (255, 128, 0)


def scene(video: VideoFormat = WIDE, *, live: bool = False) -> StudioScene:
    return StudioScene(FakeAvatar(), video, live=live)


def look(media: Media | None, *, since: int = 0) -> Look:
    return Look(Blendshapes(), graphics=Graphics(inset=media, transition="cut"), since=since)


def painted(path: Path, colour: tuple[int, int, int] = RED, size: tuple[int, int] = (64, 36)) -> Path:
    Image.new("RGB", size, colour).save(path)
    return path


def red_share(picture: Picture) -> float:
    return float((picture.v > 190).mean())


@pytest.mark.parametrize(
    ("place", "least", "most"), [("full", 0.7, 1.0), ("corner", 0.6, 0.92), ("shoulder", 0.025, 0.3)]
)
@pytest.mark.parametrize("video", [WIDE, TALL])
def test_a_picture_is_seen_where_it_belongs(
    tmp_path: Path, place: Place, least: float, most: float, video: VideoFormat
) -> None:
    media = Media(painted(tmp_path / "red.png", size=(video.width, video.height)), place)
    assert red_share(scene(video).draw(look(media))) == pytest.approx((least + most) / 2, abs=(most - least) / 2)


@pytest.mark.parametrize("video", [WIDE, TALL, VideoFormat(1280, 720, 25)])
@pytest.mark.parametrize("aspect", [0.1, 0.5, 1.0, 1.5, 2.0, 20.0])
def test_a_framed_picture_keeps_off_the_face_the_label_and_the_captions(video: VideoFormat, aspect: float) -> None:
    layout = scene(video)._layout
    for ticker in (False, True):
        for second in (False, True):
            now = layout.showing(ticker=ticker, second=second, beside=True)
            box = _box(Media(Path("x")), now, aspect)
            assert now.label is not None
            assert not box.overlaps(now.label)
            assert not box.overlaps(now.captions_box)
            assert not (now.names_beside and box.overlaps(now.title_box))
            assert box.right <= now.beside_head if now.wide else box.y >= now.chin


def test_the_credit_is_read_over_the_picture(tmp_path: Path) -> None:
    video = VideoFormat(1280, 720, 25)
    path = painted(tmp_path / "red.png")
    for place in ("full", "corner", "shoulder"):
        without = scene(video).draw(look(Media(path, place)))
        credited = scene(video).draw(look(Media(path, place, credit="Photo: somebody / 图片：某人")))
        changed = np.argwhere(without.y != credited.y)
        assert 14 <= changed[:, 0].max() - changed[:, 0].min() <= 40, place
        assert credited.y[tuple(changed.T)].max() > 150


def test_a_picture_of_another_shape_is_shown_whole() -> None:
    tall = np.zeros((400, 100, 3), np.uint8)
    tall[:] = (0, 255, 0)
    tall[0], tall[-1] = (0, 0, 255), (255, 0, 0)
    shown = fitted(tall, 320, 180)
    middle = shown[:, 160].astype(int)
    assert middle[90, 1] > 200
    assert middle[0, 2] > middle[90, 2]
    assert middle[-1, 0] > middle[90, 0]
    assert 0 < shown[90, 20, 1] < 140, "around it is a dim copy"


def test_alike_shapes_are_cropped_and_heads_stay_in() -> None:
    portrait = np.zeros((400, 400, 3), np.uint8)
    portrait[40:80] = 255
    assert fitted(portrait, 400, 300).max() == 255


def rotated(path: Path) -> Path:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (40, 20), RED).save(path, exif=exif)
    return path


def test_pictures_of_any_usual_make_are_read(tmp_path: Path) -> None:
    def saved(name: str, picture: Image.Image, **options: object) -> Bytes:
        picture.save(tmp_path / name, **options)  # type: ignore[arg-type]
        return read_picture(tmp_path / name, longest=64, ground=(255, 255, 255))

    red = Image.new("RGB", (32, 16), RED)
    for name, picture in {
        "rgb.jpg": red, "cmyk.jpg": red.convert("CMYK"), "palette.png": red.convert("P"), "plain.webp": red,
    }.items():  # fmt: skip
        blue, green, crimson = saved(name, picture)[8, 16].astype(int)
        assert crimson > 180, name
        assert max(blue, green) < 75, name
    assert saved("grey.png", Image.new("L", (8, 8), 128))[4, 4].tolist() == [128] * 3
    assert saved("deep.png", Image.fromarray(np.full((8, 8), 0x8000, np.uint16)))[4, 4].tolist() == [128] * 3
    assert saved("clear.png", Image.new("RGBA", (8, 8), (255, 0, 0, 0)))[4, 4].tolist() == [255] * 3
    frames = [Image.new("RGB", (8, 8), colour) for colour in (RED, (0, 0, 255))]
    first = saved("moving.webp", frames[0], save_all=True, append_images=frames[1:], lossless=True)
    assert first[4, 4, 2] > 180
    assert read_picture(rotated(tmp_path / "turned.jpg"), longest=64).shape == (40, 20, 3)


def bomb(path: Path) -> Path:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(1 << 20))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b""))
    return path


def broken(folder: Path) -> Iterator[Path]:
    yield bomb(folder / "bomb.png")
    (folder / "text.png").write_text("not a picture " * 100)
    yield folder / "text.png"
    whole = painted(folder / "whole.jpg", size=(400, 300)).read_bytes()
    (folder / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    yield folder / "cut.jpg"
    (folder / "empty.webp").touch()
    yield folder / "empty.webp"
    yield folder / "none.png"
    yield folder


def test_what_is_no_picture_is_refused_by_its_name_and_costs_nothing(tmp_path: Path) -> None:
    library = Library(Layout.of(WIDE), Typesetter(None, ("en",)))
    painted(tmp_path / "first.png")
    library.prepare(Media(tmp_path / "first.png"))
    for path in broken(tmp_path):
        tracemalloc.start()
        with pytest.raises(AnchorError, match=path.name.replace(".", r"\.")) as caught:
            library.prepare(Media(path))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert isinstance(caught.value, AvatarError | MissingError)
        assert peak < 64 << 20


def test_an_inset_that_is_broken_on_air_is_left_out_and_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "text.mp4").write_text("no clip")
    for media in (Media(tmp_path / "none.png"), Media(tmp_path / "text.mp4", "full", clip=True)):
        caplog.clear()
        stage, plain = scene(), scene()
        assert np.array_equal(stage.draw(look(media)).data, plain.draw(look(None)).data)
        assert media.path.name in caplog.text


def test_a_prepared_picture_needs_its_file_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    media = Media(painted(tmp_path / "red.png"), "full")
    stage = scene()
    stage.prepare(Graphics(inset=media))
    monkeypatch.setattr("avatars.insets.read_picture", None)
    assert red_share(stage.draw(look(media))) > 0.7


def test_a_picture_whose_file_changed_is_read_again(tmp_path: Path) -> None:
    media = Media(painted(tmp_path / "a.png", (0, 0, 255)), "full")
    stage = scene()
    stage.prepare(Graphics(inset=media))
    painted(media.path, RED, (80, 45))
    assert red_share(stage.draw(look(media))) > 0.7


def test_prepared_pictures_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("avatars.insets.MOST_BYTES", 64 * 36 * 3 * 4)
    library = Library(Layout.of(WIDE), Typesetter(None, ("en",)))
    for number in range(9):
        library.prepare(Media(painted(tmp_path / f"{number}.png")))
    assert len(library._stills) == 4


def test_a_clip_for_the_shoulder_is_ready_where_it_goes_to_the_corner(tmp_path: Path) -> None:
    media = Media(odd_clips.write(tmp_path / "a.mp4", [0, 0.04]), clip=True)
    stage = scene(VideoFormat(240, 240, 25))
    stage.prepare(Graphics(inset=media))
    stage.draw(look(media))
    assert not stage._library._reels, "what was prepared is what is shown"


def test_waiting_clips_are_bounded_and_end_their_threads(tmp_path: Path) -> None:
    library = Library(Layout.of(WIDE), Typesetter(None, ("en",)))
    for number in range(5):
        clip = odd_clips.write(tmp_path / f"{number}.mp4", [0, 0.04])
        library.prepare(Media(clip, "full", clip=True))
    assert len(library._reels) == 3


def test_a_clip_runs_by_the_beat_and_holds_its_last_picture(tmp_path: Path) -> None:
    media = Media(odd_clips.write(tmp_path / "a.mp4", [0, 0.04, 0.08]), "full", clip=True)
    stage = scene()
    stage.prepare(Graphics(inset=media))
    seen = [int(stage.draw(look(media)).y[100, 10]) for _ in range(5)]
    assert seen == pytest.approx([16 + odd_clips.shade(n) * 219 / 255 for n in (0, 1, 2, 2, 2)], abs=3)


def test_a_clip_that_is_heard_keeps_to_its_utterance(tmp_path: Path) -> None:
    times = [n / 25 for n in range(100)]
    media = Media(odd_clips.write(tmp_path / "a.mp4", times), "full", clip=True, sound="full")
    stage = scene()
    # Hushed at the third beat, resumed from the first, and played once more from its beginning.
    places = [0, 1, 2, 2, 2, 0, 1, 2, 3, 90, 0]
    seen = [int(stage.draw(look(media, since=place)).y[100, 10]) for place in places]
    assert seen == pytest.approx([16 + odd_clips.shade(n) * 219 / 255 for n in places], abs=3)


def test_preparing_does_not_change_one_pixel(tmp_path: Path) -> None:
    clip = odd_clips.write(tmp_path / "a.mp4", [n / 30 for n in range(30)], size=(96, 96))
    photo = tmp_path / "noise.png"
    Image.fromarray(np.random.default_rng(1).integers(0, 255, (200, 150, 3), np.uint8)).save(photo)
    for media in (Media(clip, "shoulder", clip=True), Media(clip, "full", clip=True), Media(photo)):
        graphics = Graphics(inset=media, ticker=("news",))
        shown = Look(Blendshapes(), Caption(("one",), 0, 1, ("zwei",)), LowerThird("Name"), graphics)
        prepared, cold = scene(VideoFormat(640, 360, 25)), scene(VideoFormat(640, 360, 25))
        prepared.prepare(graphics)
        for _ in range(12):
            assert np.array_equal(prepared.draw(shown).data, cold.draw(shown).data)


def test_a_live_scene_goes_on_while_a_clip_is_stuck(tmp_path: Path) -> None:
    media = Media(odd_clips.write(tmp_path / "a.mp4", [n / 25 for n in range(50)]), "full", clip=True)
    stage, gate = scene(live=True), threading.Event()
    stage.prepare(Graphics(inset=media))
    _, reel = stage._library._reels[media]
    reel._thread.submit(gate.wait)
    pictures = [stage.draw(look(media)) for _ in range(30)]
    gate.set()
    assert len(pictures) == 30
