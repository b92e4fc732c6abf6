"""The pronunciation lexicon file."""

from __future__ import annotations

from pathlib import Path

import pytest

from anchor.errors import ConfigError
from anchor.voice.text import Entry, Lexicon, read

GOOD = """\
# ours
Nguyen\twin

[en]
Anthropic\tan throppic
Worcester\t[[w'Ust@]]
[zh-CN]
行长\thang2 zhang3
绿\tlü4
"""


def lexicon(tmp_path: Path, text: str) -> Lexicon:
    path = tmp_path / "lexicon.txt"
    path.write_text(text, "utf-8")
    return Lexicon.read(path)


def test_a_lexicon_has_respellings_phonemes_and_pinyin(tmp_path: Path) -> None:
    words = lexicon(tmp_path, GOOD)
    assert words.find("Anthropic", "en") == Entry("an throppic")
    assert words.find("Worcester", "en") == Entry("Worcester", "w'Ust@")
    assert words.find("行长", "zh") == Entry("行长", "hang2 zhang3")
    assert words.find("Nguyen", "de") == Entry("win")
    assert words.find("Anthropic", "de") is None


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("word\n", 1, "a tab"),
        ("# fine\nword\t\n", 2, "a tab"),
        ("[en]\na\tb\nword\t[[w3:d\n", 3, "both brackets"),
        ("[zh]\n行长\thang2 zhang9\n", 2, "tones 1 to 5"),
        ("word\t[[]]\n", 1, "both brackets"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, text: str, line: int, says: str) -> None:
    with pytest.raises(ConfigError, match=rf"lexicon\.txt:{line}: .*{says}"):
        lexicon(tmp_path, text)


def test_a_missing_or_unreadable_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.txt"):
        Lexicon.read(tmp_path / "nowhere.txt")
    (tmp_path / "binary.txt").write_bytes(b"\xff\xfe\x00word")
    with pytest.raises(ConfigError, match=r"binary\.txt"):
        Lexicon.read(tmp_path / "binary.txt")


def test_a_later_lexicon_wins() -> None:
    first = Lexicon({"en": {"a": Entry("x"), "b": Entry("y")}})
    both = first.merged(Lexicon({"en": {"a": Entry("z")}, "zh": {"c": Entry("c")}}))
    assert both.entries == {"en": {"a": Entry("z"), "b": Entry("y")}, "zh": {"c": Entry("c")}}


def test_a_phrase_of_the_lexicon_comes_before_every_rule(tmp_path: Path) -> None:
    words = lexicon(tmp_path, "[en]\nCOVID-19\tcorona\nNew Delhi\tnoo delly\n")
    assert [token.spoken for token in read("New Delhi has COVID-19.", "en", words) if token.spoken] == [
        "noo delly",
        "has",
        "corona",
    ]
    assert "corona" in [token.spoken for token in read("抗击COVID-19疫情", "zh", words)]
    assert "corona" not in [token.spoken for token in read("xCOVID-190", "en", words)]


def test_a_word_of_the_lexicon_is_kept_whole_where_words_are_not_spaced(tmp_path: Path) -> None:
    words = lexicon(tmp_path, "[zh]\n天气预\ttian1 qi4 yu4\n[ja]\n東海林\tショージ\n")
    assert "天气预" in [token.text for token in read("今天天气预报", "zh", words)]
    assert ("東海林", "ショージ") in [(token.text, token.spoken) for token in read("東海林さん", "ja", words)]
