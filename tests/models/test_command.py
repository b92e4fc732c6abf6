"""``anchor models`` as a person uses it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from anchor.commands.models import models_app
from anchor.errors import FetchError
from anchor.models.catalogue import find
from tests.end_to_end.test_command_line import anchor


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ANCHOR_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("COLUMNS", "200")
    for name in ("ANCHOR_OFFLINE", "HF_HUB_OFFLINE", "ANCHOR_MIRROR"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "models"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(models_app, [str(argument) for argument in arguments])


def plain(result: Result) -> str:
    return " ".join(result.output.split())


def test_the_list_tells_size_licence_and_whether_what_is_made_may_be_sold() -> None:
    lines = run("list").output.splitlines()
    rows = {line.split()[0]: line for line in lines if line.strip()}
    assert "Apache-2.0" in rows["kokoro"]
    assert "121 MB" in rows["kokoro"]
    assert rows["kokoro"].split()[-1] == "yes"
    assert rows["xtts-v2"].split()[-1] == "no"


def test_the_list_can_be_narrowed() -> None:
    names = [model["name"] for model in json.loads(run("list", "--task", "voice", "--language", "zh", "--json").stdout)]
    assert "kokoro" in names
    assert "piper-de_DE-thorsten-medium" not in names
    assert "whisper-small" not in names
    heard = [model["name"] for model in json.loads(run("list", "--task", "recogniser", "--json").stdout)]
    assert heard[0] == "whisper-small"
    assert run("list", "--task", "dance").exit_code == 2


def test_json_has_every_file_with_its_checksum() -> None:
    (kokoro,) = [model for model in json.loads(run("list", "--json").stdout) if model["name"] == "kokoro"]
    assert len(kokoro["files"]) == 56
    assert all(len(file["sha256"]) == 64 for file in kokoro["files"])
    assert kokoro["here"] is False


def test_what_is_here_is_marked_and_so_is_what_somebody_put_there(folder: Path) -> None:
    for name in ("whisper-tiny", "my-voice"):
        (folder / name).mkdir(parents=True)
        (folder / name / "model.bin").write_bytes(b"x")
    rows = {line.split()[0]: line.split() for line in run("list").output.splitlines() if line.strip()}
    assert rows["whisper-tiny"][-1] == rows["my-voice"][-1] == "yes"
    assert "brought by you" in run("list").output


def test_terms_are_shown_in_words_with_how_it_is_used() -> None:
    text = plain(run("show", "xtts-v2"))
    assert "no: The Coqui Public Model License allows non-commercial use only" in text
    assert "pip install -e '.[tts]'" in text
    assert "checksum: from the server" in plain(run("show", "wav2lip-gan"))


def test_a_licence_that_restricts_must_be_agreed_to(tmp_path: Path) -> None:
    refused = run("pull", "xtts-v2", "--from", tmp_path)
    assert refused.exit_code == 2
    assert "not for commercial use" in plain(refused)
    assert "to agree, add --accept-licence" in plain(refused)
    agreed = run("pull", "xtts-v2", "--from", tmp_path, "--accept-licence")
    assert isinstance(agreed.exception, FetchError)


def test_nothing_is_fetched_offline_and_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    for result in (run("pull", "kokoro", "--offline"),):
        assert isinstance(result.exception, FetchError)
        assert "nothing is fetched offline" in str(result.exception)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    done = anchor("models", "pull", "kokoro")
    assert done.returncode == 1
    assert done.stderr.startswith("error: kokoro: kokoro-v1.0.int8.onnx is not here, and nothing is fetched offline; ")
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_mirror_of_the_environment_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANCHOR_MIRROR", str(tmp_path))
    result = run("pull", "whisper-tiny")
    assert str(result.exception).startswith(f"whisper-tiny: {tmp_path}/whisper-tiny/model.bin is not there")


def test_an_unknown_name_is_answered_with_one_like_it() -> None:
    done = anchor("models", "pull", "kokorro")
    assert done.returncode == 1
    assert done.stderr == "error: there is no model named 'kokorro'; did you mean kokoro?\n"


def test_check_names_each_bad_file_and_the_command_that_mends_it(folder: Path) -> None:
    model = find("whisper-tiny")
    (folder / model.name).mkdir(parents=True)
    (folder / model.name / "config.json").write_bytes(b"x" * 2249)
    result = run("check")
    assert result.exit_code == 1
    text = plain(result)
    assert f"whisper-tiny: config.json: its SHA-256 is {hashlib.sha256(b'x' * 2249).hexdigest()}, and must be" in text
    assert "whisper-tiny: model.bin: is missing; run: anchor models pull whisper-tiny" in text
    assert run("check", "tiny").exit_code == 1


def test_check_of_what_was_brought_by_hand_says_that_it_knows_no_checksum(folder: Path) -> None:
    (folder / "my-voice").mkdir(parents=True)
    (folder / "my-voice" / "m.onnx").write_bytes(b"x")
    result = run("check")
    assert result.exit_code == 0
    assert "my-voice: brought by you; there is no checksum" in plain(result)


def test_check_of_a_model_that_is_not_here_says_how_to_get_it() -> None:
    assert "run: anchor models pull kokoro" in str(run("check", "kokoro").exception)
    assert "There are no models" in plain(run("check"))


def test_remove_takes_what_is_here_and_what_was_broken_off(folder: Path) -> None:
    (folder / "kokoro").mkdir(parents=True)
    (folder / "kokoro" / "model.onnx").write_bytes(b"x")
    (folder / ".partial" / "kokoro").mkdir(parents=True)
    (folder / ".partial" / "kokoro" / "voices.part").write_bytes(b"x")
    assert run("remove", "kokoro").exit_code == 0
    assert not (folder / "kokoro").exists()
    assert not (folder / ".partial" / "kokoro").exists()
    again = run("remove", "kokoro")
    assert again.exit_code == 1
    assert "kokoro: is not in" in plain(again)
