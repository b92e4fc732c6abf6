"""The catalogue: that it is complete and honest, and how names are found in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from anchor import registry
from anchor.errors import ConfigError, MissingError
from anchor.models.catalogue import Model, Package, Web, catalogue, find, read_catalogue, recommended

GROUPS = {"voice": "anchor.voice", "recogniser": "anchor.recognizer", "llm": "anchor.dialogue", "lips": "anchor.part"}
TO_COME = {"kokoro", "piper", "coqui"}
"""Voices whose entry points may not be installed where these tests run."""


@pytest.mark.parametrize("model", catalogue(), ids=lambda model: model.name)
def test_an_entry_says_what_it_is_and_under_which_terms(model: Model) -> None:
    assert len(model.licence) >= 3
    assert model.terms.endswith(".")
    assert model.homepage.startswith("https://")
    assert (model.commercial == "yes") == model.terms.startswith("Free for any use")
    assert model.engine in {*registry.names(GROUPS[model.task]), *TO_COME}
    assert model.use


@pytest.mark.parametrize("model", catalogue(), ids=lambda model: model.name)
def test_sources_are_pinned_to_a_version(model: Model) -> None:
    for file in model.files:
        for part in (part for source in file.sources for part in source):
            if isinstance(part, Web):
                pinned = "/resolve/main/" not in part.url and "{" not in part.url
                assert pinned, part.url
            else:
                assert isinstance(part, Package)
                assert part.member


def test_all_but_one_model_have_published_checksums_and_sizes() -> None:
    assert [model.name for model in catalogue() if model.unsure] == ["wav2lip-gan"]
    large = [file for model in catalogue() if not model.unsure for file in model.files if not file.size]
    assert all(file.path.endswith(".json") for file in large)


def test_a_model_that_forbids_trade_is_marked_so() -> None:
    assert {model.name for model in catalogue() if model.commercial == "no"} == {
        "piper-en_US-lessac-medium", "xtts-v2", "wav2lip-gan",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("kokoro", "kokoro"),
        ("KOKORO", "kokoro"),
        ("piper-de_de-thorsten-medium", "piper-de_DE-thorsten-medium"),
        ("en_US-joe-medium", "piper-en_US-joe-medium"),
        ("piper-de", "piper-de_DE-thorsten-medium"),
        ("piper-en", "piper-en_US-ljspeech-high"),
        ("small", "whisper-small"),
    ],
)
def test_names_are_found(name: str, found: str) -> None:
    assert find(name).name == found


def test_a_name_that_is_not_there_is_answered_with_those_that_are_like_it() -> None:
    with pytest.raises(MissingError, match=r"no model named 'whisper-smal'; did you mean whisper-small"):
        find("whisper-smal")
    with pytest.raises(MissingError, match="see: anchor models list"):
        find("zzz")


def test_of_models_for_a_language_one_that_everybody_may_use_is_recommended() -> None:
    voice = recommended("zh-CN", task="voice")
    assert voice is not None
    assert (voice.name, voice.commercial) == ("kokoro", "yes")
    assert recommended("tlh", task="voice") is None


GOOD = {
    "name": '"x"', "task": '"voice"', "engine": '"piper"', "title": '"A"', "languages": '["en"]', "licence": '"CC0"',
    "commercial": '"yes"', "terms": '"Free."', "homepage": '"https://x.example"', "speed": '"none"', "use": '"so"',
}  # fmt: skip
FILES = f'[[model.files]]\nsources = ["https://x.example/{{path}}"]\nlist = """\n{"0" * 64} 5 m.onnx\n"""\n'


@pytest.mark.parametrize(
    ("changed", "files", "text"),
    [
        ({"licence": None}, FILES, "licence is missing"),
        ({"commercial": '"maybe"'}, FILES, "commercial = 'maybe': choose yes, no, ask"),
        ({"task": '"dance"'}, FILES, "task = 'dance': choose voice"),
        ({"name": '"../x"'}, FILES, "letters, digits, dots and dashes only"),
        ({"colour": '"red"'}, FILES, "unknown key 'colour'"),
        ({}, "", "needs files and languages"),
        ({}, FILES.replace("m.onnx", "../m.onnx"), "leads out of the model's folder"),
        ({}, FILES.replace("m.onnx", "/m.onnx"), "leads out of the model's folder"),
        ({}, FILES.replace("0" * 64, "0" * 63), "write SHA-256, bytes and path"),
        ({}, FILES.replace(" 5 ", " five "), "is no number of bytes"),
        ({}, FILES.replace("https://", "http://"), "a source is https://"),
        ({}, FILES.replace("https://x.example/{path}", "pypi:x#m"), "a source is https://"),
        ({}, FILES + FILES, "a file is listed twice"),
    ],
)
def test_a_bad_entry_is_named(changed: dict[str, str | None], files: str, text: str, tmp_path: Path) -> None:
    keys = "\n".join(f"{key} = {value}" for key, value in {**GOOD, **changed}.items() if value is not None)
    path = tmp_path / "catalogue.toml"
    path.write_text(f"[[model]]\n{keys}\n{files}", "utf-8")
    with pytest.raises(ConfigError) as caught:
        read_catalogue(path)
    assert text in str(caught.value)


def test_the_good_entry_is_read(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.toml"
    path.write_text(
        "[[model]]\n" + "\n".join(f"{key} = {value}" for key, value in GOOD.items()) + f"\n{FILES}", "utf-8"
    )
    (model,) = read_catalogue(path)
    assert model.files[0].sources == ((Web("https://x.example/m.onnx"),),)
