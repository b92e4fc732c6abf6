"""Which voices are chosen, by what is here."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from anchor.errors import MissingError
from anchor.testing import FakeVoice
from anchor.voice import choice, flite, openjtalk


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ANCHOR_MODELS", str(tmp_path))
    return tmp_path


def put(folder: Path, name: str, text: str = "x") -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)


def piper(models: Path, name: str, code: str) -> Path:
    put(models / name, "voice.onnx")
    put(models / name, "voice.onnx.json", json.dumps({"language": {"code": code}}))
    return models / name


@pytest.mark.parametrize("language", ["zh-CN", "en", "ja", "es", "fr", "de", "ko"])
def test_the_embedded_voice_is_always_there_and_last(language: str) -> None:
    assert choice.preferred(language)[-1] == "espeak"


def test_what_is_installed_comes_first_best_first(models: Path) -> None:
    named = {"en": flite.library() and "flite", "ja": openjtalk.available() and "openjtalk"}
    for language, engine in named.items():
        assert choice.preferred(language) == ((engine, "espeak") if engine else ("espeak",))
    put(models / "kokoro", "model.onnx")
    piper(models, "some-german", "de_DE")
    piper(models, "english", "en_US")
    assert choice.preferred("de") == ("piper", "espeak")
    assert choice.preferred("en-GB")[:2] == ("kokoro", "piper")
    assert choice.preferred("ko") == ("espeak",)
    assert choice.options_for("piper", "de") == {"model": str(models / "some-german")}
    assert choice.options_for("kokoro", "zh") == {"model": str(models / "kokoro")}
    assert choice.options_for("espeak", "zh") == {}


def test_a_model_that_is_not_free_for_all_is_not_chosen_unasked(models: Path) -> None:
    put(piper(models, "a", "fr_FR"), "model.json", '{"commercial": "no"}')
    assert choice.preferred("fr") == ("espeak",)
    free = piper(models, "b", "fr_FR")
    assert choice.piper_models() == {"fr": free}


@pytest.mark.parametrize("card", ["", "[]", "{}", '{"language": 3}', '{"espeak": {"voice": 7}}'])
def test_a_broken_description_is_no_model(models: Path, card: str) -> None:
    put(piper(models, "broken", "es"), "voice.onnx.json", card)
    assert choice.preferred("es") == ("espeak",)


def test_what_cannot_be_used_says_what_mends_it() -> None:
    assert choice.usable("kokoro").endswith("anchor models pull kokoro")
    assert "anchor models list" in choice.usable("piper")
    assert choice.usable("espeak") == ""
    assert choice.usable("nobody")
    with pytest.raises(MissingError, match="anchor models pull"):
        choice.options_for("piper", "de")


def test_a_voice_that_answers_at_once_keeps_up() -> None:
    assert asyncio.run(choice.keeps_up(FakeVoice())) < choice.LIVE_LOAD
