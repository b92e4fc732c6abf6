"""Recordings of faces as tables: what is read, what is refused and where, and what is written."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from anchor.errors import TakeError
from anchor.media import ARKIT, Blendshapes, HeadPose
from drivers.mocap.table import read_table, write_table
from drivers.mocap.take import EASE_SECONDS, HOLD_SECONDS, Take, bridged
from tests.avatars.mouths import face

LIVE_LINK = (
    "Timecode,BlendShapeCount,"
    + ",".join(name[0].upper() + name[1:] for name in ARKIT)
    + (",HeadYaw,HeadPitch,HeadRoll,LeftEyeYaw,LeftEyePitch,LeftEyeRoll,RightEyeYaw,RightEyePitch,RightEyeRoll")
)


def write(folder: Path, text: str, *, encoding: str = "utf-8") -> Path:
    path = folder / "take.csv"
    path.write_bytes(text.encode(encoding))
    return path


def line(timecode: str, head: tuple[float, float, float] = (0, 0, 0), **weights: float) -> str:
    values = [weights.get(name, 0.0) for name in ARKIT]
    return ",".join([timecode, "61", *(str(value) for value in (*values, *head, *[0.0] * 6))])


def at(take: Take, seconds: float) -> Blendshapes:
    found = take.at(seconds)
    assert found is not None
    return found


def test_live_link_face_take_is_read_at_sixty_frames_a_second(tmp_path: Path) -> None:
    lines = [LIVE_LINK, line("23:59:59:58.500", jawOpen=0.2), line("23:59:59:59.500", jawOpen=0.4)]
    take = read_table(write(tmp_path, "\n".join([*lines, line("00:00:00:00.500", jawOpen=0.6)])))
    assert take.times == pytest.approx([0, 1 / 60, 2 / 60])
    assert take.seconds == pytest.approx(3 / 60)
    assert at(take, 0)["jawOpen"] == pytest.approx(0.2)
    assert at(take, 1.5 / 60)["jawOpen"] == pytest.approx(0.5)
    assert take.at(take.seconds + 0.01) is None


def test_head_angles_are_radians_with_pitch_the_other_way_round_and_counted_from_rest(tmp_path: Path) -> None:
    still = [line(f"00:00:00:{frame:02}.000", head=(0.1, 0.2, 0.0)) for frame in range(9)]
    turned = line("00:00:00:09.000", head=(0.3, 0.25, -0.1))
    take = read_table(write(tmp_path, "\n".join([LIVE_LINK, *still, turned])))
    assert at(take, 0).head == HeadPose(0, 0, 0)
    head = at(take, 9 / 60).head
    assert (head.yaw, head.pitch, head.roll) == pytest.approx((0.2, -0.05, -0.1))


def test_head_angles_larger_than_pi_are_degrees(tmp_path: Path) -> None:
    take = read_table(write(tmp_path, "time,HeadYaw\n0,0\n1,0\n2,10\n"))
    assert at(take, 2).head.yaw == pytest.approx(math.radians(10))
    assert "degrees" in take.notes[0]


@pytest.mark.parametrize(
    "text",
    [
        "time,jawOpen,eyeBlinkLeft\n0,0.5,1\n0.5,0.5,1\n",
        "\ufefftime,jawOpen,eyeBlinkLeft\r\n0,0.5,1\r\n\r\n0.5,0.5,1\r\n",
        "time_ms;jawOpen;eyeBlinkLeft\n1000;0.5;1\n1500;;\n",
        "Frame\tJawOpen\tEye_Blink_L\n0\t0.5\t1\n15\t0.5\t1\n",
        "frame,timestamp_ms,JAWOPEN,eyeBlink_L\n0,40,.5,1\n1,540,.5,1\n",
    ],
)
def test_table_is_read_however_it_is_spelt(tmp_path: Path, text: str) -> None:
    take = read_table(write(tmp_path, text), fps=30)
    assert take.times == pytest.approx([0, 0.5])
    assert at(take, 0.5)["jawOpen"] == pytest.approx(0.5)
    assert at(take, 0.5)["eyeBlinkLeft"] == pytest.approx(1)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("time,jawOpn\n0,1\n", "take.csv:1:2: unknown column 'jawOpn'; the nearest known are jawOpen"),
        ("time,jawOpen,JawOpen\n0,1,1\n", "take.csv:1:3: 'JawOpen' is there twice, in column 2 too"),
        ("time,jawOpen\n0,wide\n", "take.csv:2:2: 'wide' is no number"),
        ("time,jawOpen\n0,nan\n", "take.csv:2:2: 'nan' is no number"),
        ("time,jawOpen\n0,0\n1,0\n0.5,0\n", "take.csv:4:1: time goes back by 0.500 s"),
        ("time,jawOpen\n,0\n", "take.csv:2:1: there is no time"),
        ("Timecode,jawOpen\n1:2:3,0\n", "take.csv:2:1: '1:2:3' is no timecode"),
        ("Timecode,jawOpen\n00:00:00:60.0,0\n", "take.csv:2:1: frame 60.0 of a second that has 60"),
        ("frame,jawOpen\n0,0\n", "take.csv:1:1: frames are numbered, but not how many a second"),
        ("jawOpen\n0\n", "take.csv:1: there is no column of time"),
        ("time\n0\n", "take.csv:1: no column is of ARKit's"),
        ("time,jawOpen\n", "take.csv: there is a header, but no frame under it"),
        ("", "take.csv:1: no column is of ARKit's"),
        ("time,jawOpen\n0,0\n4000,0\n", "take.csv:3:1: is longer than 3600 s"),
    ],
)
def test_what_is_wrong_is_told_with_file_line_and_column(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(TakeError) as error:
        read_table(write(tmp_path, text))
    assert told in str(error.value)
    assert "\n" not in str(error.value)


def test_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TakeError, match="is not UTF-8 text"):
        read_table(write(tmp_path, "time,jawOpen\n0,\u00e9\n", encoding="latin-1"))


def test_values_out_of_range_are_clipped_and_counted(tmp_path: Path) -> None:
    take = read_table(write(tmp_path, "time,jawOpen,mouthClose\n0,1.5,-0.2\n1,1.0002,0.5\n"))
    assert take.clipped == 2
    assert (at(take, 0)["jawOpen"], at(take, 0)["mouthClose"]) == (1, 0)
    assert "2 values" in take.notes[0]


def test_take_that_was_written_is_read_again(tmp_path: Path) -> None:
    faces = [
        face(HeadPose(yaw=0.2 * math.sin(n), pitch=0.1 * math.cos(n), roll=-0.1 * math.sin(2 * n)), jawOpen=n / 20)
        for n in range(20)
    ]
    take = Take.of([n / 25 for n in range(20)], faces)
    path = tmp_path / "again.csv"
    write_table(path, take)
    assert path.read_text("utf-8").startswith("Timecode,BlendShapeCount,EyeBlinkLeft,EyeLookDownLeft")
    again = read_table(path)
    assert again.times == pytest.approx(take.times, abs=1e-4)
    assert again.values[:, :52] == pytest.approx(take.values[:, :52], abs=1e-5)
    # Angles are counted from what the file's own rest is.
    rest = np.median(take.values[:, 52:55], axis=0)
    assert again.values[:, 52:55] == pytest.approx(take.values[:, 52:55] - rest, abs=1e-5)


def test_lost_face_is_held_then_eases_to_rest_and_comes_back_without_a_jump() -> None:
    times = [n / 50 for n in range(100)]
    faces = [None if 20 <= n < 70 else face(HeadPose(yaw=0.2), jawOpen=0.8) for n in range(100)]
    jaw = bridged(times, faces)[:, ARKIT.index("jawOpen")]
    assert jaw[19 : 20 + round(HOLD_SECONDS * 50) - 1] == pytest.approx(0.8)
    assert jaw[19 + round((HOLD_SECONDS + EASE_SECONDS) * 50) + 1] == pytest.approx(0, abs=1e-6)
    assert np.abs(np.diff(jaw)).max() < 0.08
    assert jaw[-1] == pytest.approx(0.8)
