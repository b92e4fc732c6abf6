"""How Spanish, French, German and Korean text is read aloud."""

from __future__ import annotations

import pytest

from anchor.voice.text import read


@pytest.mark.parametrize(
    ("language", "text", "said"),
    [
        ("es", "3.215,6 €", "3215,6 euros"),
        ("es", "sube un 50%", "sube un 50 por ciento"),
        ("es", "de 10-20 km/h", "de 10 a 20 kilómetros por hora"),
        ("es", "el 20/03/2025", "el 20 de marzo de 2025"),
        ("es", "-5 °C", "menos 5 grados"),
        ("fr", "3 215,6 €", "3215,6 euros"),
        ("fr", "50 %", "50 pour cent"),
        ("fr", "le 01/05/2025 à 14:30", "le 1er mai 2025 à 14:30"),
        ("fr", "l’économie", "l'économie"),
        ("de", "3.215,6 €", "3215,6 Euro"),
        ("de", "am 3. März 1985", "am dritten März neunzehnhundert 85"),
        ("de", "der 20.03.2025", "der zwanzigste März 2025"),
        ("de", "um 14:30 Uhr", "um 14:30"),
        ("de", "10–20 %", "10 bis 20 Prozent"),
        ("de", "Im Jahr 2010", "Im Jahr 2010"),
        ("ko", "3,215.6원", "삼천이백십오 점 육 원"),
        ("ko", "50%", "오십 퍼센트"),
        ("ko", "2025년 6월 5일", "이천이십오 년 유월 오 일"),
        ("ko", "3시 20분", "세 시 이십 분"),
        ("ko", "5명", "다섯 명"),
        ("ko", "10,000원", "만 원"),
        ("ko", "14:30", "십사 시 삼십 분"),
        ("ko", "$5", "오 달러"),
        ("ko", "010-1234-5678", "공일공, 일이삼사, 오육칠팔"),
    ],
)
def test_numbers_are_read_as_the_language_writes_them(language: str, text: str, said: str) -> None:
    tokens = read(text, language)
    assert "".join(token.text for token in tokens) == text
    assert " ".join(token.spoken.replace("’", "'") for token in tokens if token.spoken) == said
    assert {token.language for token in tokens if token.spoken} == {language}


def test_latin_words_in_korean_are_given_to_the_english_voice() -> None:
    assert [token.language for token in read("GDP 성장", "ko") if token.spoken] == ["en", "ko"]


@pytest.mark.parametrize("language", ["es", "fr", "de"])
def test_chinese_names_in_a_european_sentence_are_given_to_the_chinese_voice(language: str) -> None:
    assert [token.language for token in read("Es 北京 .", language) if token.spoken] == [language, "zh"]
