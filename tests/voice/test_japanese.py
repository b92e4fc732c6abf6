"""How Japanese text is read aloud."""

from __future__ import annotations

import pytest

from anchor.voice.text import read


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("日本銀行は", "ニッポンギンコー ワ"),
        ("3月5日", "サンガツ イツカ"),
        ("2024年9月20日", "ニセンニジュウヨネン クガツ ハツカ"),
        ("14時30分", "ジュウヨジ サンジュップン"),
        ("4:10", "ヨジ ジュップン"),
        ("300人", "サンビャクニン"),
        ("1人", "ヒトリ"),
        ("6本", "ロッポン"),
        ("3本", "サンボン"),
        ("8,600円", "ハッセンロッピャクエン"),
        ("￥1200", "センニヒャクエン"),
        ("1.5倍", "イッテンゴバイ"),
        ("0.5%", "ゼロテンゴパーセント"),
        ("100万", "ヒャクマン"),
        ("10000", "イチマン"),
        ("03-1234-5678", "ゼロサン イチニサンヨン ゴロクナナハチ"),
    ],
)
def test_japanese_is_read_in_kana(text: str, said: str) -> None:
    tokens = read(text, "ja")
    assert "".join(token.text for token in tokens) == text
    assert " ".join(token.spoken for token in tokens if token.spoken) == said


def test_latin_words_in_japanese_are_given_to_the_english_voice() -> None:
    assert next((token.spoken, token.language) for token in read("AIの時代", "ja")) == ("A I", "en")
