"""What a folder of a Coqui model says of itself. Needs no coqui-tts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from anchor.errors import AnchorError, ConfigError, MissingError, ModelError
from anchor.voice.coqui_model import UNKNOWN_LICENCE, at_home, find, inspect, read_config, tags

CONFIG: dict[str, Any] = {"model": "vits", "phoneme_language": "en-us"}


def folder_of(place: Path, config: dict[str, Any] | str = CONFIG, *files: str) -> Path:
    text = config if isinstance(config, str) else json.dumps(config)
    (place / "config.json").write_text(text, "utf-8")
    for name in files or ("model.pth",):
        (place / name).write_bytes(b"weights")
    return place


@pytest.mark.parametrize(
    ("config", "files", "kind", "message"),
    [
        ("{", (), ModelError, r"config\.json:1: is not valid JSON"),
        ("[]", (), ModelError, r"config\.json: is no configuration"),
        ("{}", (), ModelError, r'it has no "model"'),
        (CONFIG, ("speakers.pth",), MissingError, "has no weights"),
        (CONFIG, ("one.pth", "two.pth"), ConfigError, r"several weights \(one\.pth, two\.pth\): name the file"),
        ({"model": "vits"}, (), ConfigError, r"voice\.options\.language: .* does not tell what it speaks"),
        ({"model": "xtts"}, (), MissingError, r"has no vocab\.json"),
    ],
)
def test_what_a_folder_lacks_is_named(
    tmp_path: Path, config: dict[str, Any] | str, files: tuple[str, ...], kind: type[AnchorError], message: str
) -> None:
    with pytest.raises(kind, match=message):
        inspect(folder_of(tmp_path, config, *files))


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match=r"voice\.options\.model: there is no folder .*gone"):
        find(str(tmp_path / "gone"))
    with pytest.raises(MissingError, match=r"has no config\.json"):
        find(str(tmp_path))


def test_comments_in_a_configuration_are_no_fault_but_addresses_stay(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text('{"model": "vits", // an old one\n "url": "https://example.org/a" /* both\n kinds */}', "utf-8")
    assert read_config(path) == {"model": "vits", "url": "https://example.org/a"}


def test_languages_are_told_by_tags_and_the_bare_one_comes_first() -> None:
    names = tags(["en-us", "fr-fr", "zh-cn", "pt"])
    assert names == {
        "en": "en-us", "en-US": "en-us", "fr": "fr-fr", "fr-FR": "fr-fr", "zh": "zh-cn", "zh-CN": "zh-cn", "pt": "pt",
    }  # fmt: skip


def test_languages_come_from_where_coqui_itself_looks(tmp_path: Path) -> None:
    datasets = {"model": "vits", "datasets": [{"language": "de"}, {"language": "da"}], "phoneme_language": "en"}
    assert list(inspect(folder_of(tmp_path, datasets)).languages) == ["da", "de"]
    assert list(inspect(tmp_path, language="nl").languages) == ["nl"]
    (tmp_path / "language_ids.json").write_text('{"en": 0, "fr-fr": 1}')
    multi = {
        "model": "vits",
        "model_args": {"use_language_embedding": True, "language_ids_file": "/x/language_ids.json"},
    }
    assert list(inspect(folder_of(tmp_path, multi)).languages) == ["en", "fr", "fr-FR"]


def test_weights_may_have_any_name_when_they_are_alone_or_named(tmp_path: Path) -> None:
    folder_of(tmp_path, CONFIG, "checkpoint_1000.pth", "speakers.pth", "language_ids.pth")
    assert inspect(tmp_path).weights == tmp_path / "checkpoint_1000.pth"
    (tmp_path / "checkpoint_2000.pth").write_bytes(b"")
    assert inspect(tmp_path / "checkpoint_2000.pth").weights == tmp_path / "checkpoint_2000.pth"


def test_other_weights_are_another_version(tmp_path: Path) -> None:
    before = inspect(folder_of(tmp_path)).version
    assert inspect(tmp_path).version == before
    (tmp_path / "model.pth").write_bytes(b"other weights")
    assert inspect(tmp_path).version != before


def test_a_licence_is_told_as_far_as_it_is_known(tmp_path: Path) -> None:
    assert inspect(folder_of(tmp_path)).licence == UNKNOWN_LICENCE
    (tmp_path / "LICENSE.txt").write_text("\n  MIT License\n\nCopyright\n")
    assert inspect(tmp_path).licence == "MIT License"
    folder_of(tmp_path, {"model": "xtts"}, "model.pth", "vocab.json")
    assert "no commercial use" in inspect(tmp_path).licence


def test_files_are_taken_from_the_folder_wherever_they_lay_in_training(tmp_path: Path) -> None:
    (tmp_path / "speakers.json").write_text("{}")
    config = {
        "model_args": {"speakers_file": "/home/run/speakers.json", "speaker_encoder_model_path": "/gone/se.pth"},
        "d_vector_file": ["/home/trainer/speakers.json"], "name": "/home/trainer",
    }  # fmt: skip
    assert at_home(config, tmp_path) == {
        "model_args": {"speakers_file": str(tmp_path / "speakers.json"), "speaker_encoder_model_path": None},
        "d_vector_file": [str(tmp_path / "speakers.json")], "name": "/home/trainer",
    }  # fmt: skip


def test_a_model_that_would_fetch_something_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="models name files, not addresses"):
        at_home({"model_args": {"speakers_file": "http://example.org/speakers.pth"}}, tmp_path)


def test_a_name_is_loaded_only_from_this_machine_unless_it_may_be_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TTS_HOME", str(tmp_path))
    with pytest.raises(MissingError, match=r"voice\.options\.download = true"):
        find("tts_models/en/ljspeech/vits")
    to_come = find("tts_models/en/ljspeech/vits", download=True)
    assert (to_come.folder, list(to_come.languages)) == (None, ["en"])
    here = tmp_path / "tts" / "tts_models--en--ljspeech--vits"
    here.mkdir(parents=True)
    folder_of(here, CONFIG, "model_file.pth")
    assert find("tts_models/en/ljspeech/vits").weights == here / "model_file.pth"
