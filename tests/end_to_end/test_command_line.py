"""The command line as a person uses it: a process, its files, its exit codes and its errors."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]


def anchor(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "anchor", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=240,
        cwd=cwd or ROOT,
        env={**os.environ, "COLUMNS": "200", "NO_COLOR": "1"},
    )


def sound_of(path: Path) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    with av.open(str(path)) as container:
        return np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])


def seconds(stream: av.VideoStream | av.AudioStream) -> float:
    assert stream.duration is not None
    assert stream.time_base is not None
    return float(stream.duration * stream.time_base)


def left_over(folder: Path, *expected: str) -> set[str]:
    return {path.name for path in folder.iterdir()} - set(expected)


def test_say_writes_a_film_with_sound_captions_and_label(tmp_path: Path) -> None:
    target = tmp_path / "hello.mp4"
    done = anchor("say", "Good evening. This is a test.", "-o", target, "--size", "320x180")
    assert done.returncode == 0, done.stderr
    with av.open(str(target)) as film:
        video, audio = film.streams.video[0], film.streams.audio[0]
        assert (video.codec_context.name, video.width, video.height) == ("h264", 320, 180)
        assert video.average_rate == 25
        assert (audio.codec_context.name, audio.rate) == ("aac", 48000)
        label = json.loads(film.metadata["AIGC"])
        assert label["Label"] == "1"
        assert len(label) == 7
        assert abs(seconds(video) - seconds(audio)) < 0.05
    assert np.abs(sound_of(target)).max() > 0.1
    srt = (tmp_path / "hello.srt").read_text("utf-8")
    assert "Good evening." in srt
    assert "This is a test." in srt
    assert (tmp_path / "hello.vtt").read_text("utf-8").startswith("WEBVTT")
    assert not left_over(tmp_path, "hello.mp4", "hello.srt", "hello.vtt")
    told = anchor("label", "read", target)
    assert json.loads(told.stdout) == label


def test_captions_can_be_left_out(tmp_path: Path) -> None:
    done = anchor("say", "Hello.", "-o", tmp_path / "a.mp4", "--size", "160x90", "--captions", "none")
    assert done.returncode == 0, done.stderr
    assert not left_over(tmp_path, "a.mp4")


@pytest.mark.parametrize(
    ("arguments", "code", "named"),
    [
        (["say", "", "-o", "a.mp4"], 1, "nothing to say"),
        (["say", "🎉", "-o", "a.mp4"], 1, "nothing to say"),
        (["say", "Hello", "-o", "a.avi"], 2, ".mp4"),
        (["say", "Hello", "-o", "a.mp4", "--size", "1281x720"], 1, "1281x720"),
        (["say", "Hello", "-o", "a.mp4", "--fps", "23"], 1, "23 frames"),
        (["say", "Hello", "-o", "a.mp4", "--language", "tlh"], 1, "tlh"),
        (["say", "Hello", "-o", "a.mp4", "--voice", "nobody"], 1, "nobody"),
        (["say", "Hello", "-o", "a.mp4", "--avatar", "nobody"], 1, "nobody"),
        (["say", "Hello", "-o", "no/such/folder/a.mp4"], 1, "no/such/folder"),
        (["say", "Hello", "-o", "a.mp4", "--backdrop", "none.png"], 1, "none.png"),
        (["say", "Hello", "-o", "a.mp4", "--captions", "maybe"], 2, "maybe"),
        (["render", "none.txt", "-o", "a.mp4"], 1, "none.txt"),
        (["serve", "none.toml"], 1, "none.toml"),
        (["frobnicate"], 2, "frobnicate"),
        (["bench", "nothing"], 2, "nothing"),
        (["bench", "render", "--no-pixels"], 2, "lipsync"),
        (["bench", "lipsync", "--speech", "none"], 2, "folder"),
        (["bench", "lipsync", "--driver", "none"], 1, "phones"),
        (["avatar", "check", "nobody"], 1, "nobody"),
        (["label", "read", "none.mp4"], 1, "none.mp4"),
    ],
)
def test_wrong_use_is_told_in_two_lines_and_leaves_no_file(
    tmp_path: Path, arguments: list[str], code: int, named: str
) -> None:
    done = anchor(*arguments, cwd=tmp_path)
    assert done.returncode == code, done.stdout + done.stderr
    assert named in done.stderr
    assert "Traceback" not in done.stderr
    if code == 1:
        assert len(done.stderr.strip().splitlines()) <= 2
    assert not left_over(tmp_path)


def test_an_interrupted_render_leaves_no_file(tmp_path: Path) -> None:
    script = tmp_path / "long.txt"
    script.write_text("One sentence after another, on and on.\n\n" * 200)
    process = subprocess.Popen(
        [sys.executable, "-m", "anchor", "render", str(script), "-o", str(tmp_path / "long.mp4")],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        # Whoever started the tests may have told their children to ignore Ctrl-C, as shells do in the background.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    wait_for(lambda: any(path.name.endswith(".part") for path in tmp_path.iterdir()))
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in told
    assert not left_over(tmp_path, "long.txt")


def wait_for(true: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.perf_counter() + seconds
    while not true():
        assert time.perf_counter() < end, "it never happened"
        threading.Event().wait(0.02)


def test_the_lists_tell_what_there_is() -> None:
    voices = anchor("voices")
    assert "espeak" in voices.stdout
    assert "zh" in voices.stdout
    avatars = anchor("avatar", "list")
    assert "lin" in avatars.stdout


def test_check_finds_the_demo_in_order() -> None:
    done = anchor("check")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "channel demo" in done.stdout


def test_check_tells_what_a_kiosk_hears_knows_and_can_do() -> None:
    done = anchor("check", ROOT / "configs" / "kiosk.toml")
    assert done.returncode == 0, done.stdout + done.stderr
    for told in ("understands en", "does not understand zh-CN", "questions in zh-CN", "8 actions", "nothing of conver"):
        assert told in done.stdout


def test_check_names_what_is_wrong_in_a_talk_table(tmp_path: Path) -> None:
    (tmp_path / "faq.csv").write_text("topic,language,question\nhours,en,when\n")
    for table, told in (
        ('[channels.talk]\nknowledge = ["faq.csv"]', "faq.csv"),
        ('[channels.talk]\nrecognizer = {engine = "none"}', "none"),
        ("[channels.talk]\nhearing = 1", "channels.1.talk.hearing"),
        ('[channels.talk]\nlanguages = ["xx"]', "xx"),
    ):
        config = tmp_path / "bad.toml"
        config.write_text(f'[[channels]]\nname = "x"\n{table}\n')
        done = anchor("check", config)
        assert done.returncode == 1
        assert told in done.stdout


def test_check_names_what_is_wrong_in_a_configuration(tmp_path: Path) -> None:
    config = tmp_path / "bad.toml"
    config.write_text("[[channels]]\nname = 'x'\navatar = 'nobody'\n")
    done = anchor("check", config)
    assert done.returncode == 1
    assert "nobody" in done.stdout


def test_an_avatar_is_shown_by_a_sheet_and_a_clip_in_which_it_speaks_both_labelled(tmp_path: Path) -> None:
    from PIL import Image

    done = anchor("avatar", "show", "lin", "-o", tmp_path / "sheet.png")
    assert done.returncode == 0, done.stderr
    assert not left_over(tmp_path, "sheet.png", "sheet.mp4")
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert min(sheet.size) > 600
    with av.open(str(tmp_path / "sheet.mp4")) as film:
        assert 4 < seconds(film.streams.video[0]) < 15
    assert np.abs(sound_of(tmp_path / "sheet.mp4")).max() > 0.1
    for name in ("sheet.png", "sheet.mp4"):
        assert json.loads(anchor("label", "read", tmp_path / name).stdout)["Label"] == "1"


def test_the_clip_can_be_left_out_and_neither_is_there_when_one_cannot_be(tmp_path: Path) -> None:
    assert anchor("avatar", "show", "lin", "-o", tmp_path / "a.png", "--no-clip").returncode == 0
    assert not left_over(tmp_path, "a.png")
    for arguments, named in [
        (("lin", "-o", tmp_path / "b.jpg"), "only .png"),
        (("nobody", "-o", tmp_path / "b.png"), "nobody"),
        (("lin", "-o", tmp_path / "b.png", "--voice", "nobody"), "nobody"),
        (("lin", "-o", tmp_path / "none" / "b.png"), "none"),
        (("lin", "-o", tmp_path / "none" / "b.png", "--no-clip"), "none"),
    ]:
        done = anchor("avatar", "show", *arguments)
        assert done.returncode == 1 and named in done.stderr and "Traceback" not in done.stderr
    assert not left_over(tmp_path, "a.png")


def test_consent_is_renewed_and_revoked_and_the_lists_tell_of_it(tmp_path: Path) -> None:
    from tests.avatars.figures import relative

    mei = relative(tmp_path / "faces", "mei", until="2100-01-01")
    config = tmp_path / "anchor.toml"
    config.write_text('[server]\navatars = "faces"\n[[channels]]\nname = "x"\n')
    assert "2100-01-01" in anchor("avatar", "list", "--folder", tmp_path / "faces").stdout
    assert "avatar mei: consent until 2100-01-01" in anchor("check", config).stdout
    done = anchor("avatar", "consent", mei, "--consent-until", "2020-01-01")
    assert done.returncode == 0 and "has ended" in done.stdout
    listed = anchor("avatar", "list", "--folder", tmp_path / "faces").stdout
    assert "cannot be used" in listed and "lin" in listed
    for command in (["avatar", "check", mei], ["say", "Hello.", "-o", tmp_path / "a.mp4", "--avatar", mei]):
        refused = anchor(*command)
        assert refused.returncode == 1 and "2020-01-01" in refused.stderr and "nobody" in refused.stderr
    told = anchor("check", config)
    assert told.returncode == 0 and "2020-01-01" in told.stdout
    done = anchor("avatar", "consent", mei, "--consent-until", "unlimited", "--consent-scope", "news")
    assert done.returncode == 0 and "has ended" not in done.stdout
    assert anchor("avatar", "check", mei).returncode == 0
    assert 'scope = "news"' in (mei / "avatar.toml").read_text("utf-8")


def test_a_port_that_is_taken_is_told_at_once() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = anchor("serve", "--port", port)
    assert done.returncode == 1
    assert str(port) in done.stderr
    assert "--port" in done.stderr


def test_listening_to_the_world_needs_a_token() -> None:
    done = anchor("serve", "--host", "0.0.0.0", "--port", 0)
    assert done.returncode == 1
    assert "token" in done.stderr


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_server_stops_cleanly_when_told_to(how: signal.Signals) -> None:
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "anchor", "serve", "--port", "0"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert "operator page" in process.stdout.readline()
    process.send_signal(how)
    _, told = process.communicate(timeout=30)
    assert process.returncode == 0, told
    assert "Traceback" not in told
