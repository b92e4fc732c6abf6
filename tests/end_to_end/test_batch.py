"""A folder of scripts becomes a folder of films: each once, whatever happens in between."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from anchor import batch
from anchor.errors import OutputError, ScriptError
from anchor.media import VideoFormat
from anchor.rendering import Progress, Settings
from anchor.trust.label import read_label

SMALL = Settings(VideoFormat(320, 180, 10), captions="file")


def scripts(folder: Path, count: int, words: str = "Good evening. This is the news.") -> Path:
    folder.mkdir()
    for number in range(count):
        (folder / f"bulletin-{number}.txt").write_text(f"{words} Number {number}.")
    return folder


def films(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.suffix == ".mp4")


def nothing(job: batch.Job, now: Progress | batch.Done) -> None:
    pass


def test_a_folder_is_rendered_whole_and_a_second_run_makes_nothing_anew(tmp_path: Path) -> None:
    source, out = scripts(tmp_path / "in", 3), tmp_path / "out"
    heard: list[Progress] = []
    first = batch.render_all(
        batch.jobs(source, out), SMALL, workers=2,
        tell=lambda job, now: heard.append(now) if isinstance(now, Progress) else None,
    )  # fmt: skip
    assert [done.error for done in first] == ["", "", ""] and all(done.seconds > 1 for done in first)
    assert films(out) == ["bulletin-0.mp4", "bulletin-1.mp4", "bulletin-2.mp4"]
    assert (out / "bulletin-0.srt").read_text() and read_label(out / "bulletin-0.mp4")
    assert heard
    made = {path: path.stat().st_mtime_ns for path in out.iterdir()}
    second = batch.render_all(batch.jobs(source, out), SMALL, workers=2, tell=nothing)
    assert all(done.before for done in second)
    (source / "bulletin-1.txt").write_text("Another text.")
    third = batch.render_all(batch.jobs(source, out), SMALL, workers=2, tell=nothing)
    assert sorted(done.before for done in third) == [False, True, True]
    changed = {path.name for path in out.iterdir() if path.stat().st_mtime_ns != made.get(path)}
    assert changed == {"bulletin-1.mp4", "bulletin-1.srt", "bulletin-1.vtt"}


def test_a_script_that_fails_is_named_and_the_others_are_made(tmp_path: Path) -> None:
    source, out = scripts(tmp_path / "in", 2), tmp_path / "out"
    (source / "broken.yaml").write_text("title: x\nsegments:\n  - txt: hello\n")
    done = batch.render_all(batch.jobs(source, out), SMALL, workers=2, tell=nothing)
    (failed,) = [one for one in done if one.error]
    assert "broken.yaml:3" in failed.error
    assert films(out) == ["bulletin-0.mp4", "bulletin-1.mp4"]


def test_a_batch_that_is_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    source, out = scripts(tmp_path / "in", 6, "Good evening. " * 10), tmp_path / "out"
    command = [
        sys.executable,
        "-m",
        "anchor",
        "render",
        str(source),
        "-o",
        str(out),
        "--size",
        "320x180",
        "--fps",
        "10",
    ]
    with subprocess.Popen(
        [*command, "--workers", "2"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as process:
        while not (out.is_dir() and films(out)):
            assert process.poll() is None, "it was over before it could be killed"
            os.sched_yield()
        process.send_signal(signal.SIGKILL)
    before = {name: (out / name).stat().st_mtime_ns for name in films(out)}
    assert 0 < len(before) < 6
    again = subprocess.run(command, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    assert len(films(out)) == 6
    assert all((out / name).stat().st_mtime_ns == made for name, made in before.items())
    assert not list(out.glob(".*.part"))


def test_a_worker_that_dies_costs_nobody_a_film(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, out = scripts(tmp_path / "in", 3, "Good evening. " * 10), tmp_path / "out"
    killed: list[int] = []

    def kill_once(job: batch.Job, now: Progress | batch.Done) -> None:
        if not killed:
            (child, *_) = workers_of(os.getpid())
            killed.append(child)
            os.kill(child, signal.SIGKILL)

    done = batch.render_all(batch.jobs(source, out), SMALL, workers=1, tell=kill_once)
    assert killed and [one.error for one in done] == ["", "", ""]
    assert len(films(out)) == 3


def workers_of(parent: int) -> list[int]:
    """The processes of a pool, by what the system tells of their command lines."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                stat, line = (folder / "stat").read_text(), (folder / "cmdline").read_bytes()
            except OSError:
                continue
            if int(stat.rpartition(")")[2].split()[1]) == parent and b"spawn_main" in line:
                found.append(int(folder.name))
    return found


def test_two_batches_do_not_write_into_one_folder(tmp_path: Path) -> None:
    source, out = scripts(tmp_path / "in", 1), tmp_path / "out"
    found = batch.jobs(source, out)
    with batch._alone({out}), pytest.raises(OutputError, match="another batch"):
        batch.render_all(found, SMALL, workers=1, tell=nothing)


def test_scripts_that_would_make_the_same_film_are_refused(tmp_path: Path) -> None:
    source = scripts(tmp_path / "in", 1)
    (source / "bulletin-0.yaml").write_text("segments: [{text: hello}]")
    with pytest.raises(ScriptError, match="same film"):
        batch.jobs(source, tmp_path / "out")


def test_a_folder_without_scripts_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ScriptError, match="no scripts"):
        batch.jobs(tmp_path, tmp_path / "out")
