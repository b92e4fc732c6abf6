"""Where models lie."""

from pathlib import Path

import pytest

from anchor import model_folder
from anchor.errors import MissingError


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ANCHOR_MODELS", "XDG_CACHE_HOME", "ANCHOR_OFFLINE", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)


def test_models_lie_in_the_users_cache_unless_the_environment_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/somebody")
    assert model_folder.models_folder() == Path("/somebody/.cache/anchor/models")
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    assert model_folder.models_folder() == Path("/caches/anchor/models")
    monkeypatch.setenv("ANCHOR_MODELS", "~/weights")
    assert model_folder.models_folder() == Path("/somebody/weights")


def test_a_model_is_installed_when_its_folder_holds_something(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANCHOR_MODELS", str(tmp_path))
    assert model_folder.installed("kokoro") is None
    (tmp_path / "kokoro").mkdir()
    assert model_folder.installed("kokoro") is None
    (tmp_path / "kokoro" / "model.onnx").write_bytes(b"x")
    (tmp_path / ".partial").mkdir()
    (tmp_path / ".partial" / "x").write_bytes(b"x")
    assert model_folder.installed("kokoro") == model_folder.where("kokoro") == tmp_path / "kokoro"
    assert model_folder.all_installed() == ("kokoro",)


@pytest.mark.parametrize("name", ["", "..", ".partial", "../kokoro", "/etc", "a/b", "a" * 81])
def test_a_name_never_leads_out_of_the_folder(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANCHOR_MODELS", str(tmp_path / "models"))
    (tmp_path / "models" / ".partial" / "x").mkdir(parents=True)
    (tmp_path / "kokoro").mkdir()
    (tmp_path / "kokoro" / "x").write_bytes(b"x")
    assert model_folder.installed(name) is None


def test_a_missing_model_is_told_with_the_command_that_fetches_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANCHOR_MODELS", str(tmp_path))
    with pytest.raises(MissingError, match=r"run: anchor models pull kokoro"):
        model_folder.where("kokoro")


@pytest.mark.parametrize(("value", "expected"), [("1", True), ("yes", True), ("", False), ("0", False), ("off", False)])
def test_either_variable_forbids_fetching(value: str, expected: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not model_folder.offline()
    for name in ("ANCHOR_OFFLINE", "HF_HUB_OFFLINE"):
        monkeypatch.setenv(name, value)
        assert model_folder.offline() is expected
        monkeypatch.delenv(name)


def test_an_option_names_a_model_or_a_path_and_a_path_that_is_there_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANCHOR_MODELS", str(tmp_path / "models"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models" / "joe").mkdir(parents=True)
    (tmp_path / "models" / "joe" / "m.onnx").write_bytes(b"x")
    assert model_folder.resolve("joe") == tmp_path / "models" / "joe"
    assert model_folder.resolve("none/of.onnx") == Path("none/of.onnx")
    (tmp_path / "joe").mkdir()
    assert model_folder.resolve("joe") == Path("joe")
