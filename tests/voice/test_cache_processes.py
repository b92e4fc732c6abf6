"""Spoken sentences are kept in one folder by many processes, some of which are killed."""

from __future__ import annotations

import asyncio
import contextlib
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from anchor.voice.cache import CachedVoice, unpacked
from tests.voice import hammer

ROOT = Path(__file__).resolve().parents[2]


@contextlib.contextmanager
def hammering(folder: Path, *, megabytes: int, seed: int, sentences: int) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.voice.hammer", str(folder), str(megabytes), str(seed), str(sentences)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def size_of(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.glob("*.speech"))


def test_processes_that_share_a_folder_never_get_what_the_other_has_half_written(tmp_path: Path) -> None:
    # Room for three of twelve sentences, so that each is written, read and removed all the time.
    with contextlib.ExitStack() as stack:
        processes = [
            stack.enter_context(hammering(tmp_path, megabytes=2, seed=seed, sentences=60)) for seed in range(3)
        ]
        for process in processes:
            told, _ = process.communicate(timeout=60)
            assert process.returncode == 0, told
            hits, misses = (int(number) for number in told.split()[-2:])
            assert hits + misses == 60 and misses > 0
    assert size_of(tmp_path) <= 2 * 2**20 + 3 * 500_000, "bounded but for what was written in the same moment"
    assert not list(tmp_path.glob(".*.part"))


def test_after_processes_were_killed_while_writing_no_damaged_sentence_is_ever_spoken(tmp_path: Path) -> None:
    rng = random.Random(5)
    unfinished = 0
    for round_ in range(8):
        with hammering(tmp_path, megabytes=2, seed=round_, sentences=100_000) as process:
            assert process.stdout is not None and process.stdout.readline() == "begun\n"
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(timeout=rng.uniform(0.02, 0.12))
            process.kill()
        unfinished += len(list(tmp_path.glob(".*.part")))
    for file in tmp_path.glob("*.speech"):
        unpacked(file.read_bytes())  # raises for what is damaged
    assert asyncio.run(hammer.main(tmp_path, 2, 1, 40)) == 0


def test_a_file_that_is_cut_at_any_place_is_never_spoken(tmp_path: Path) -> None:
    # What a power cut may leave: a name in its place with less in it than was written.
    assert asyncio.run(hammer.main(tmp_path, 20, 1, 1)) == 0
    (file,) = tmp_path.glob("*.speech")
    whole = file.read_bytes()
    for share in (0.0, 0.001, 0.1, 0.5, 0.9, 0.999999):
        file.write_bytes(whole[: int(len(whole) * share)])
        assert asyncio.run(hammer.main(tmp_path, 20, 1, 1)) == 0
        assert file.read_bytes() == whole


def test_a_disk_on_which_there_is_no_room_is_no_reason_to_be_silent(tmp_path: Path) -> None:
    # A file system of 1 MB where the user may make one; the sentence has some 200 kB, so the third does not fit.
    small = tmp_path / "small"
    small.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", small], capture_output=True, check=False)
    if mount.returncode:
        pytest.skip("no file system can be mounted here")
    try:
        assert asyncio.run(hammer.main(small, 100, 1, 30)) == 0
        assert not list(small.glob(".*.part"))
        assert 1 <= len(list(small.glob("*.speech"))) <= 5
        assert isinstance(CachedVoice(hammer.Noisy(), small, megabytes=1), CachedVoice)
    finally:
        subprocess.run(["umount", small], check=True)
