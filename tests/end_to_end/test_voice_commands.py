"""``anchor voice``: a voice of a person is made, checked, listed, revoked and renewed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from anchor.commands.voices import voice_app
from anchor.errors import AnchorError, VoiceError
from anchor.voice.maker import write_wav
from anchor.voice.package import read_manifest
from tests.voice.conftest import clone
from tests.voice.people import READ, recorded, zipped

__all__ = ["clone"]

CONSENT = ["--consent-by", "Maria Perez", "--consent-until", "2100-01-01"]


def voice(*arguments: object) -> Result:
    return CliRunner().invoke(voice_app, [str(one) for one in arguments], catch_exceptions=False)


def flat(result: Result) -> str:
    return " ".join(result.output.split())


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recorded(tmp_path_factory.mktemp("recorded") / "maria.wav")


def make(folder: Path, source: Path, *more: object, scope: str = "the voice maria in the news") -> Result:
    return voice(
        "make", folder, "--engine", "clone", "--reference", source, "--text", READ, *CONSENT, "--consent-scope", scope,
        *more,
    )  # fmt: skip


@pytest.mark.parametrize("form", ["folder", "zip"])
def test_a_voice_is_made_checked_listed_revoked_and_renewed(
    tmp_path: Path, source: Path, clone: None, form: str
) -> None:
    maria = tmp_path / "voices" / "maria"
    made = make(maria, source, "--language", "en", "--mood", f"warm={source}", "--option", "sizes=[1, 2]")
    assert made.exit_code == 0 and "made" in made.output
    assert "does not seem" not in flat(made)
    manifest = read_manifest(maria)
    assert (manifest.consent.who, manifest.languages, manifest.options) == ("Maria Perez", ("en",), {"sizes": [1, 2]})
    assert manifest.references[0].text == READ and Path(manifest.moods["warm"]).is_file()
    path = maria if form == "folder" else zipped(maria, "maria/")
    assert "good" in voice("check", path).output
    assert "2100-01-01" in voice("list", path.parent).output
    assert "revoked" in voice("revoke", path).output
    checked = voice("check", path)
    assert checked.exit_code == 1 and "the consent of 'Maria Perez' ended" in flat(checked)
    assert "2031-02-03" in voice("consent", path, "--consent-until", "2031-02-03").output
    assert voice("check", path).exit_code == 0
    assert not list(path.parent.glob(".*"))


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        (["--consent-until", "2020-01-01"], "ended on 2020-01-01"),
        (["--consent-until", "soon"], "neither a date"),
        (["--consent-scope", "anything"], "does not name the voice"),
        (["--name", "a b"], "letters, digits"),
        (["--engine", "espeak"], "does not speak like a recording"),
        (["--engine", "nothing"], "there is no voice named 'nothing'"),
        (["--option", "model=../x.onnx"], "leaves the package"),
        (["--option", "consented=false"], "is not for a package to say"),
        (["--file", "gone.onnx"], "gone.onnx: cannot be copied"),
    ],
)  # fmt: skip
def test_a_voice_that_may_not_or_cannot_be_is_not_made(
    tmp_path: Path, source: Path, clone: None, more: list[str], reason: str
) -> None:
    with pytest.raises(AnchorError, match=reason):
        make(tmp_path / "maria", source, *more)
    assert list(tmp_path.iterdir()) == []


def test_a_bad_recording_is_refused_with_all_that_is_wrong_with_it(tmp_path: Path, source: Path, clone: None) -> None:
    short = tmp_path / "short.wav"
    write_wav(short, np.zeros(48_000, np.float32) + 0.001)
    with pytest.raises(VoiceError, match=r"short\.wav: .*record 6 to 30 s") as raised:
        make(tmp_path / "maria", source, "--reference", short, "--text", "Nothing at all.")
    assert str(source) not in str(raised.value)
    assert not (tmp_path / "maria").exists()


def test_every_recording_needs_its_text(tmp_path: Path, source: Path, clone: None) -> None:
    result = make(tmp_path / "maria", source, "--reference", source)
    assert result.exit_code == 2 and "2 recordings and 1 texts" in flat(result)


def test_a_text_that_is_not_what_is_said_is_told(tmp_path: Path, source: Path, clone: None) -> None:
    text = tmp_path / "text.txt"
    text.write_text(
        "We were married in a small church by the sea, many years ago, on a cold and windy afternoon in May."
    )
    result = voice(
        "make", tmp_path / "maria", "--engine", "clone", "--reference", source, "--text", text, *CONSENT,
        "--consent-scope", "the voice maria",
    )  # fmt: skip
    assert "does not seem to be its --text" in flat(result)


def test_weights_that_an_option_names_are_taken_into_the_package(tmp_path: Path, clone: None) -> None:
    weights = tmp_path / "maria.onnx"
    weights.write_bytes(b"weights")
    made = voice(
        "make", tmp_path / "maria", "--engine", "clone", "--file", weights, "--option", "model=maria.onnx", *CONSENT,
        "--consent-scope", "a voice model named maria",
    )  # fmt: skip
    assert made.exit_code == 0
    assert Path(read_manifest(tmp_path / "maria").options["model"]).read_bytes() == b"weights"
