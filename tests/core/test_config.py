from pathlib import Path

import pytest

from anchor.config import load_config
from anchor.errors import ConfigError

GOOD = """
[server]
token = "${TEST_ANCHOR_TOKEN}"

[[channels]]
name = "news"
scripts = ["news.txt"]
"""


def write(folder: Path, text: str) -> Path:
    (folder / "news.txt").write_text("Good evening.", "utf-8")
    path = folder / "anchor.toml"
    path.write_text(text, "utf-8")
    return path


def test_paths_are_relative_to_the_file_and_secrets_come_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_ANCHOR_TOKEN", "s3cret")
    config = load_config(write(tmp_path, GOOD))
    assert config.server.token == "s3cret"
    assert config.channels[0].scripts == (tmp_path / "news.txt",)


def test_a_secret_that_is_not_set_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEST_ANCHOR_TOKEN", raising=False)
    assert load_config(write(tmp_path, GOOD)).server.token is None


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[server]\nprot = 1\n[[channels]]\nname='a'", "unknown key server.prot"),
        ("[[channels]]\nname = 'a'\navatra = 'lin'", "unknown key channels.1.avatra"),
        ("[[channels]]\nname = 'A b'", "channels.1.name"),
        ("[[channels]]\nname = 'a'\nsize = '721x720'", "channels.1.size"),
        ("[[channels]]\nname = 'a'\nscripts = ['none.txt']", "none.txt"),
        ("[[channels]]\nname = 'a'\n[[channels]]\nname = 'a'", "channels.2.name"),
        ("[server]\ntoken = 'plain'\n[[channels]]\nname='a'", "server.token"),
        ("[server]\nport = 99999\n[[channels]]\nname='a'", "server.port"),
        ("channels = []", "channels"),
        ("[[channels]\nname = 'a'", "not valid TOML"),
        ("", "channels"),
    ],
)
def test_a_mistake_is_named_with_file_and_key(tmp_path: Path, text: str, named: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert str(path) in str(caught.value)
    assert named in str(caught.value)


def test_a_missing_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml"):
        load_config(tmp_path / "none.toml")


@pytest.mark.parametrize("line", ['cache = "kept"', "cache_megabytes = 9"])
def test_where_spoken_sentences_are_kept_is_no_matter_of_a_channel_any_more(tmp_path: Path, line: str) -> None:
    with pytest.raises(
        ConfigError, match=r"channels\.1\.show: cache\w* is for all channels now: write it under \[voice\]"
    ):
        load_config(write(tmp_path, f"{GOOD}\n[channels.show]\n{line}\n"))


def test_voices_that_stand_behind_one_another_are_names_or_packages_beside_the_file(tmp_path: Path) -> None:
    text = """
[voice]
engine = "kokoro"
fallback = ["voices/maria", "flite"]
languages = { zh = ["cosyvoice", "mine.zip"] }
cache = "kept"
"""
    voice = load_config(write(tmp_path, text + GOOD)).voice
    assert voice.fallback == (str(tmp_path / "voices/maria"), "flite")
    assert voice.languages == {"zh": ("cosyvoice", str(tmp_path / "mine.zip"))}
    assert voice.cache == tmp_path / "kept"


def test_files_in_options_are_found_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("[en]\n")
    path = tmp_path / "show.toml"
    path.write_text(
        '[voice]\nengine = "espeak"\noptions = {lexicon = "words.txt"}\n'
        '[voices.other]\nengine = "piper"\noptions = {model = "piper-de"}\n[[channels]]\nname = "news"\n'
    )
    config = load_config(path)
    assert config.voice.options == {"lexicon": str(tmp_path / "words.txt")}
    assert config.voices["other"].options == {"model": "piper-de"}
