import gc
import threading
import wave
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from anchor.errors import AvatarError, MissingError
from anchor.media import SAMPLE_RATE
from avatars.clip import pictures as clip_pictures
from avatars.clip_sound import sound
from avatars.reel import AHEAD, Reel, inspect
from tests.avatars import odd_clips
from tests.avatars.odd_clips import SIZE, shade

EVEN = [number / 25 for number in range(25)]


def brightness(reel: Reel, number: int) -> float | None:
    picture = reel.at(number, wait=True)
    return None if picture is None else float(picture.y.mean())


def grey(number: int) -> float:
    """The luma of a clip's picture, limited range."""
    return 16 + shade(number) * 219 / 255


@pytest.mark.parametrize(
    ("name", "codec", "form"),
    [
        ("a.mp4", "libx264", "yuv420p"),
        ("a.mov", "libx265", "yuv420p10le"),
        ("a.webm", "libvpx-vp9", "yuv420p"),
        ("a.mkv", "mjpeg", "yuvj444p"),
        ("a.avi", "mpeg4", "yuv420p"),
    ],
)
def test_clips_of_any_usual_make_play_at_their_times(tmp_path: Path, name: str, codec: str, form: str) -> None:
    base = Fraction(1, 25) if name.endswith(".avi") else Fraction(1, 90_000)
    clip = odd_clips.write(tmp_path / name, EVEN[:8], codec=codec, form=form, base=base)
    reel = Reel(clip, (64, 36), fps=25)
    assert [brightness(reel, number) for number in range(8)] == pytest.approx([grey(n) for n in range(8)], abs=5)


def test_a_beat_shows_the_picture_that_a_clip_of_uneven_times_shows_then(tmp_path: Path) -> None:
    times = [0.0, 0.013, 0.05, 0.12, 0.121, 0.4, 0.47, 1.1]
    clip = odd_clips.write(tmp_path / "phone.mp4", times)
    reel = Reel(clip, SIZE, fps=25)
    for number in range(30):
        seen = max(index for index, at in enumerate(times) if at <= number / 25 + 1e-3)
        assert brightness(reel, number) == pytest.approx(grey(seen), abs=3), number


def test_times_that_begin_late_begin_at_the_first_picture(tmp_path: Path) -> None:
    clip = odd_clips.write(tmp_path / "late.mkv", [7 + at for at in EVEN[:5]])
    assert brightness(Reel(clip, SIZE, fps=25), 3) == pytest.approx(grey(3), abs=3)


def test_a_clip_that_is_over_holds_its_last_picture(tmp_path: Path) -> None:
    reel = Reel(odd_clips.write(tmp_path / "short.mp4", EVEN[:4]), SIZE, fps=25)
    assert brightness(reel, 400) == pytest.approx(grey(3), abs=3)
    assert brightness(reel, 401) == pytest.approx(grey(3), abs=3)


def test_a_clip_goes_back_and_forth_to_the_same_pictures(tmp_path: Path) -> None:
    clip = odd_clips.write(tmp_path / "long.mp4", [n / 25 for n in range(200)])
    through = Reel(clip, SIZE, fps=25)
    straight = {n: bytes(shown.data) for n in range(200) if (shown := through.at(n, wait=True)) is not None}
    jumping = Reel(clip, SIZE, fps=25)
    for number in (5, 180, 181, 20, 0, 150, 149):
        found = jumping.at(number, wait=True)
        assert found is not None
        assert bytes(found.data) == straight[number], number


def test_a_turned_clip_stands_upright(tmp_path: Path) -> None:
    clip = odd_clips.write(tmp_path / "turned.mp4", EVEN[:3], turned=90)
    info = inspect(clip)
    assert (info.width, info.height) == SIZE[::-1]
    assert Reel(clip, (54, 96), fps=25).at(0, wait=True) is not None


def test_somebody_who_watches_is_never_kept_waiting_for_a_clip(tmp_path: Path) -> None:
    reel = Reel(odd_clips.write(tmp_path / "a.mp4", EVEN), SIZE, fps=25)
    gate = threading.Event()
    reel._thread.submit(gate.wait)  # the decoder is kept busy from here on
    for waiting in list(reel._next):
        waiting.result()
    seen = [reel.at(number, wait=False) for number in range(20)]
    gate.set()
    assert seen[-1] is not None
    assert float(seen[-1].y.mean()) == pytest.approx(grey(AHEAD - 1), abs=3), "the last that was ready is repeated"


def test_no_more_than_a_few_pictures_wait(tmp_path: Path) -> None:
    reel = Reel(odd_clips.write(tmp_path / "a.mp4", EVEN), SIZE, fps=25)
    reel.at(0, wait=True)
    assert len(reel._next) == AHEAD


def test_a_reel_that_nobody_holds_leaves_no_thread(tmp_path: Path) -> None:
    reel = Reel(odd_clips.write(tmp_path / "a.mp4", EVEN), SIZE, fps=25)
    reel.at(0, wait=True)
    thread = next(iter(reel._thread._threads))
    del reel
    gc.collect()
    thread.join(5)
    assert not thread.is_alive()


def test_a_clip_that_was_cut_off_plays_as_far_as_it_goes(tmp_path: Path) -> None:
    clip = odd_clips.write(tmp_path / "whole.mkv", [n / 25 for n in range(100)])
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(clip.read_bytes()[: clip.stat().st_size * 2 // 3])
    reel = Reel(cut, SIZE, fps=25)
    assert brightness(reel, 10) == pytest.approx(grey(10), abs=3)
    assert reel.at(99, wait=True) is not None


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("text.mp4", b"This is not a clip at all.\n" * 50),
        ("list.mp4", b"ffconcat version 1.0\nfile a.mp4\n"),
        ("list.m3u8", b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\na.mp4\n#EXT-X-ENDLIST\n"),
        ("address.sdp", b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n"),
        ("empty.mp4", b""),
        ("head.mp4", b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom"),
    ],
)
def test_what_is_no_clip_is_refused_by_its_name(tmp_path: Path, name: str, content: bytes) -> None:
    odd_clips.write(tmp_path / "a.mp4", EVEN[:3])
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(AvatarError, match=name.replace(".", r"\.")):
        inspect(path)
    with pytest.raises(AvatarError, match=name.replace(".", r"\.")):
        Reel(path, SIZE, fps=25).warm()
    with pytest.raises(AvatarError):
        next(clip_pictures(path))


def test_a_clip_that_is_not_there_or_too_large_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match=r"none\.mp4"):
        inspect(tmp_path / "none.mp4")
    odd_clips.write(tmp_path / "huge.mkv", [0.0], codec="mjpeg", form="yuvj420p", size=(4100, 16))
    with pytest.raises(AvatarError, match="4100x16"):
        inspect(tmp_path / "huge.mkv")


def test_sound_alone_is_no_clip(tmp_path: Path) -> None:
    path = tmp_path / "sound.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes(bytes(9600))
    with pytest.raises(AvatarError, match=r"sound\.wav: holds no picture"):
        inspect(path)


def test_sound_keeps_its_place_under_the_pictures(tmp_path: Path) -> None:
    clip = odd_clips.write(tmp_path / "beep.mp4", EVEN, tone=(0.3, 0.6))
    whole = np.concatenate(list(sound(clip)))
    loud = np.flatnonzero(np.abs(whole) > 0.1) / SAMPLE_RATE
    assert loud[0] == pytest.approx(0.3, abs=0.005)
    assert loud[-1] == pytest.approx(0.6, abs=0.005)


def test_a_clip_without_sound_gives_none(tmp_path: Path) -> None:
    assert list(sound(odd_clips.write(tmp_path / "mute.mp4", EVEN[:3]))) == []
