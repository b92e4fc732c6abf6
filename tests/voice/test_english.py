"""How English text is read aloud."""

from __future__ import annotations

from pathlib import Path

import pytest

from anchor.bench import readings
from anchor.voice.text import grouped, read


def spoken(text: str, language: str = "en") -> str:
    tokens = read(text, language)
    assert "".join(token.text for token in tokens) == text
    return " ".join(token.spoken for token in tokens if token.spoken)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("3,215.6", "three thousand two hundred and fifteen point six"),
        ("-40", "minus forty"),
        ("1,234,567", "one million two hundred and thirty four thousand five hundred and sixty seven"),
        ("in 1999", "in nineteen ninety nine"),
        ("in 1900", "in nineteen hundred"),
        ("the 1980s", "the nineteen eighties"),
        ("mid-1990s", "mid nineteen nineties"),
        ("March 5, 2025", "March fifth twenty twenty five"),
        ("Monday, May 5th", "Monday May fifth"),
        ("2025-03-05", "March fifth, twenty twenty five"),
        ("3/5/2025", "March fifth, twenty twenty five"),
        ("the 31st of October", "the thirty first of October"),
        ("May 3-5", "May third to fifth"),
        ("5 March 2025", "the fifth of March twenty twenty five"),
        ("14:30", "fourteen thirty"),
        ("3 p.m.", "three PM"),
        ("3:05 pm", "three oh five PM"),
        ("9:00-17:30", "nine o'clock to seventeen thirty"),
        ("$1.5 billion", "one point five billion dollars"),
        ("$3.50", "three dollars and fifty cents"),
        ("$1", "one dollar"),
        ("$0.99", "ninety nine cents"),
        ("$0.00", "zero dollars"),
        ("$5-10 million", "five to ten million dollars"),
        ("€20", "twenty euros"),
        ("£1.5m", "one point five million pounds"),
        ("¥100", "one hundred yuan"),
        ("RMB 100", "one hundred yuan"),
        ("3.5%", "three point five percent"),
        ("3-5%", "three to five percent"),
        ("10%-15%", "ten to fifteen percent"),
        ("+2.4%", "plus two point four percent"),
        ("25 bps", "twenty five basis points"),
        ("25°C", "twenty five degrees Celsius"),
        ("-5 °F", "minus five degrees Fahrenheit"),
        ("60 km/h", "sixty kilometers per hour"),
        ("1 kg", "one kilogram"),
        ("16GB", "sixteen gigabytes"),
        ("6 ft", "six feet"),
        ("22nd", "twenty second"),
        ("12th-century", "twelfth century"),
        ("3 1/2", "three and one half"),
        ("3-5 days", "three to five days"),
        ("2019-2020", "twenty nineteen to twenty twenty"),
        ("won 3-2", "won three to two"),
        ("(202) 555-0123", "two zero two, five five five, zero one two three"),
        ("Call 555 1234 now", "Call five five five, one two three four now"),
        ("call 200 people", "call two hundred people"),
        ("Dial 911.", "Dial nine one one"),
        ("A Boeing 737", "A Boeing seven thirty seven"),
        ("info@example.com", "info at example dot com"),
        ("https://www.bbc.co.uk/news", "B B C dot co dot U K slash news"),
        ("Dr. Smith", "doctor Smith"),
        ("the U.S. and U.K.", "the U S and U K"),
        ("e.g. this", "for example this"),
        ("GDP", "G D P"),
        ("NASA", "Nasa"),
        ("CEOs", "C E O's"),
        ("the EU's plan", "the E U's plan"),
        ("AT&T", "A T and T"),
        ("WebRTC", "Web R T C"),
        ("iPhone 15", "i Phone fifteen"),
        ("MH370", "M H three seventy"),
        ("COVID-19", "Covid nineteen"),
        ("World War II", "World War two"),
        ("Elizabeth II", "Elizabeth the second"),
        ("St. Louis", "Saint Louis"),
        ("Main St.", "Main Street"),
        ("No. 5", "number five"),
        ("±5", "plus or minus five"),
        ("5 + 3 = 8", "five plus three equals eight"),
        ("24/7", "twenty four seven"),
        ("10x", "ten times"),
        ("192.168.1.1", "one nine two point one six eight point one point one"),
        ("18-year-old", "eighteen year old"),
        ("don’t", "don't"),
        ("Q3 2022", "Q three twenty twenty two"),
        ("FED HIKES RATES IN US", "Fed Hikes Rates In U S"),
        ("Grade A.", "Grade A"),
        ("This is NOT it", "This is Not it"),
        ("100000000000000000000000", " ".join(["one"] + ["zero"] * 23)),
    ],
)
def test_english_is_read_as_a_newsreader_would(text: str, said: str) -> None:
    assert spoken(text) == said


def test_emoji_and_control_characters_are_silent() -> None:
    assert spoken("Hello 😀\u0007 world \u200b!") == "Hello world"


def test_the_letter_a_is_not_the_article() -> None:
    def letters(text: str, language: str) -> list[str]:
        return [token.text for token in read(text, language) if token.phonemes]

    assert letters("It got a grade A again.", "en") == ["A"]
    assert letters("A380. A story", "en") == ["A"]
    assert letters("A股上涨，A4纸", "zh") == ["A", "A"]
    assert letters("A story of a girl, A Story", "en") == []


def test_chinese_in_an_english_sentence_is_given_to_the_chinese_voice() -> None:
    tokens = [token for token in read("The word 你好 means hello.", "en") if token.spoken]
    assert [token.language for token in tokens] == ["en", "en", "zh", "en", "en"]


@pytest.mark.shared
def test_english_readings_agree_with_a_published_normaliser(shared: Path) -> None:
    pairs = [pair for of_class in readings.published(shared / "texts/tn_english").values() for pair in of_class]
    missed, total = readings.wrong(pairs, "en", readings.alike)
    assert total >= 79
    assert len(missed) <= total * 0.02, missed


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("It was here (quoted) at last.", ["It ", "was ", "here ", "(quoted) ", "at ", "last."]),
        ("He said... “Quoted,” and left.", ["He ", "said... ", "“Quoted,” ", "and ", "left."]),
    ],
)
def test_what_opens_a_word_goes_with_it_and_not_with_the_one_before(text: str, words: list[str]) -> None:
    assert [word for word, _ in grouped(read(text, "en"))] == words
