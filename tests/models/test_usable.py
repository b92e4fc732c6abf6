"""What ``anchor check`` says can be used, and what makes it better."""

from __future__ import annotations

from pathlib import Path

import pytest

from anchor import check
from anchor.models import usable


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ANCHOR_MODELS", str(tmp_path))
    for name in ("ANCHOR_OFFLINE", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def put(folder: Path, name: str, *files: str) -> None:
    for file in files:
        path = folder / name / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def test_a_language_without_models_is_spoken_by_the_embedded_voice_and_the_command_that_helps_is_told() -> None:
    text, better = usable.summary("zh")
    assert text.startswith("espeak speaks, nobody hears (visitors type), ")
    assert better[0] == "anchor models pull kokoro"


def test_a_model_that_is_here_is_used_and_not_recommended_again(folder: Path) -> None:
    put(folder, "kokoro", "model.onnx", "voices/zf_xiaobei.bin")
    text, better = usable.summary("zh")
    assert text.startswith("kokoro speaks")
    assert "anchor models pull kokoro" not in better


def test_english_is_heard_without_any_model() -> None:
    text, _ = usable.summary("en")
    assert "pocketsphinx hears" in text


def test_whisper_hears_once_its_model_is_here(folder: Path) -> None:
    pytest.importorskip("faster_whisper")
    assert "anchor models pull whisper-small" in usable.summary("zh")[1]
    put(folder, "whisper-base", "model.bin")
    text, better = usable.summary("zh")
    assert "whisper (whisper-base) hears" in text
    assert not [one for one in better if "whisper" in one]


def test_terms_are_told_before_a_voice_that_not_everybody_may_use_and_forbidden_ones_are_not_recommended() -> None:
    assert "anchor models show piper-de_DE-thorsten-medium" in usable.summary("de")[1]
    assert not [one for one in usable.summary("ko")[1] if "xtts" in one]


def test_a_missing_model_is_told_apart_from_missing_packages(folder: Path) -> None:
    pytest.importorskip("faster_whisper")
    findings = {finding.what: finding for finding in check._back_ends()}
    whisper = findings["recognizer whisper"]
    assert (whisper.level, whisper.text) == ("warning", "its packages are here, a model is not")
    assert whisper.mend == "anchor models pull whisper-small"
    put(folder, "whisper-tiny", "model.bin")
    findings = {finding.what: finding for finding in check._back_ends()}
    assert findings["recognizer whisper"].text == "can be used with whisper-tiny"
    assert findings["voice espeak"].text == "can be used"


def test_being_offline_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not any("offline (" in finding.text for finding in check._models())
    monkeypatch.setenv("ANCHOR_OFFLINE", "1")
    assert any("offline (" in finding.text for finding in check._models())
