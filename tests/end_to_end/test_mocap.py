"""Takes on anchors, from the command line to pictures and sound."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from typer.testing import CliRunner

from anchor.cli import app
from anchor.errors import ScriptError, TakeError
from anchor.media import Blendshapes, Bytes, HeadPose
from drivers.mocap.table import write_table
from drivers.mocap.take import Take
from tests.avatars.mouths import face

SIZE = ("--size", "320x180", "--avatar", "lin")
ONSET = 1.0
"""Seconds after which the performer opens their mouth and is heard."""


def table(path: Path, how: Blendshapes, seconds: float = 2.0) -> Path:
    """A performer who is at rest until `ONSET`."""
    frames = range(round(seconds * 50))
    write_table(path, Take.of([n / 50 for n in frames], [how if n / 50 >= ONSET else face() for n in frames]))
    return path


def tone(path: Path, seconds: float = 2.0) -> Path:
    """Silence, then a tone from `ONSET` on."""
    times = np.arange(round(seconds * 48_000)) / 48_000
    sound = np.where(times >= ONSET, 0.4 * np.sin(2 * np.pi * 300 * times), 0).astype(np.float32)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=48_000, layout="mono")
        frame = av.AudioFrame.from_ndarray((sound * 32767).astype(np.int16).reshape(1, -1), "s16", "mono")
        frame.sample_rate = 48_000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def shown(path: Path) -> tuple[list[Bytes], np.ndarray]:
    """Pictures (grey) and sound (48 kHz) of a film."""
    with av.open(str(path)) as film:
        pictures = [np.asarray(frame.to_ndarray(format="gray"), np.uint8) for frame in film.decode(video=0)]
    with av.open(str(path)) as film:
        resampler = av.AudioResampler("flt", "mono", 48_000)
        parts = [part for frame in film.decode(audio=0) for part in resampler.resample(frame)]
    return pictures, np.concatenate([part.to_ndarray()[0] for part in parts])


def run(*arguments: object) -> None:
    result = CliRunner().invoke(app, [str(one) for one in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output


def moved(pictures: list[Bytes], part: tuple[slice, slice]) -> np.ndarray:
    """How far each picture's part is from that of the picture in which the take begins."""
    first = pictures[12][part].astype(int)
    return np.array([np.abs(picture[part].astype(int) - first).mean() for picture in pictures])


def test_performance_plays_face_and_sound_together(tmp_path: Path) -> None:
    take, sound, film = table(tmp_path / "a.csv", face(jawOpen=0.8)), tone(tmp_path / "a.wav"), tmp_path / "a.mp4"
    run("perform", take, "-o", film, "--sound", sound, *SIZE)
    pictures, heard = shown(film)
    mouth = moved(pictures, (slice(60, 110), slice(140, 180)))
    seen = next(n for n in range(15, len(pictures)) if mouth[n] > 0.5 * mouth.max()) / 25
    sounds = int(np.argmax(np.abs(heard) > 0.1)) / 48_000
    # HEAD_SECONDS and LEAD_IN_SECONDS of rest come before the take.
    assert sounds == pytest.approx(0.48 + ONSET, abs=0.03)
    assert abs(seen - sounds) <= 0.045


def test_take_drives_the_head_while_speech_drives_the_mouth(tmp_path: Path) -> None:
    take = table(tmp_path / "turn.csv", face(HeadPose(yaw=0.3)), seconds=4)
    still, turned = tmp_path / "still.mp4", tmp_path / "turned.mp4"
    run("say", "Good evening and welcome.", "-o", still, "--captions", "none", *SIZE)
    run("say", "Good evening and welcome.", "-o", turned, "--captions", "none", "--mocap", take, *SIZE)
    head = (slice(20, 70), slice(130, 190))
    assert moved(shown(turned)[0], head).max() > 2 * moved(shown(still)[0], head).max()


def test_segment_brings_its_own_performer(tmp_path: Path) -> None:
    table(tmp_path / "turn.csv", face(HeadPose(yaw=0.3)), seconds=4)
    script, film = tmp_path / "news.yaml", tmp_path / "news.mp4"
    script.write_text("segments:\n- text: Good evening and welcome.\n  mocap: turn.csv\n- text: Bye.\n", "utf-8")
    run("render", script, "-o", film, "--captions", "none", *SIZE)
    pictures, _ = shown(film)
    head = moved(pictures, (slice(20, 70), slice(130, 190)))
    assert head[36 : 12 + 60].max() > 3
    assert head[-1] < 0.6 * head.max()


@pytest.mark.parametrize(
    ("mocap", "told"),
    [
        ("none.csv", r"news.yaml:3: mocap: there is no file .*none\.csv"),
        ("{take: turn.csv, mouth: hers}", r"news.yaml:3: mouth: 'hers' is unknown; there are speech, performer"),
        ("{mouth: speech}", r"news.yaml:3: mocap: take is needed"),
        ("{take: turn.csv, eyes: hers}", r"news.yaml:3: unknown key 'eyes' in mocap"),
    ],
)
def test_wrong_performer_of_a_segment_is_told_with_its_line(tmp_path: Path, mocap: str, told: str) -> None:
    table(tmp_path / "turn.csv", face())
    script = tmp_path / "news.yaml"
    script.write_text(f"segments:\n- text: Good evening.\n  mocap: {mocap}\n", "utf-8")
    with pytest.raises(ScriptError, match=told):
        run("render", script, "-o", tmp_path / "news.mp4")


@pytest.mark.parametrize(("name", "told"), [("take.doc", "neither a clip"), ("take.csv", "there is no such file")])
def test_take_that_cannot_be_read_is_refused(tmp_path: Path, name: str, told: str) -> None:
    with pytest.raises(TakeError, match=told):
        run("perform", tmp_path / name, "-o", tmp_path / "out.mp4", *SIZE)
    assert list(tmp_path.iterdir()) == []
