"""Cutting a stream of text into sentences."""

from __future__ import annotations

import asyncio
import re
import time
import unicodedata
from collections.abc import AsyncIterator, Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anchor.events import Sentence
from anchor.pipeline import segmenter
from anchor.pipeline.segmenter import Segmenter, language_of, segment


async def pieces(parts: Iterable[str]) -> AsyncIterator[str]:
    for part in parts:
        yield part


def cut(text: str | Iterable[str], language: str = "en", *, eager: bool = False, longest: int = 200) -> list[Sentence]:
    async def collect() -> list[Sentence]:
        parts = [text] if isinstance(text, str) else text
        return [one async for one in segment(pieces(parts), language, eager=eager, longest=longest)]

    return asyncio.run(collect())


def texts(text: str, language: str = "en", *, eager: bool = False, longest: int = 200) -> list[str]:
    return [sentence.text for sentence in cut(text, language, eager=eager, longest=longest)]


def test_english_sentences_end_at_stops_and_keep_the_space_between_them() -> None:
    assert texts("Good evening. Is it late? Yes! It is") == ["Good evening. ", "Is it late? ", "Yes! ", "It is"]


@pytest.mark.parametrize(
    "text",
    [
        "Dr. Smith met Mr. Jones in the U.S. Senate.",
        "It costs $3.14 or so.",
        "Visit https://a.example/b?c=d.e!f now.",
        "J. K. Rowling wrote it.",
        "It works, e.g. here, i.e. in the test.",
        "He asked “why?” and left.",
        "Wait... what is it?",
        "1. First of all",
        "See No. 5 on the list.",
        "At 3 p.m. today.",
        "Version 1.2.3 is out.",
    ],
)
def test_a_stop_that_does_not_end_a_sentence_does_not_cut(text: str) -> None:
    assert texts(text) == [text]


def test_chinese_sentences_end_at_full_width_stops() -> None:
    assert texts("今天天气很好。我们去公园吧！你觉得呢？", "zh") == ["今天天气很好。", "我们去公园吧！", "你觉得呢？"]


@pytest.mark.parametrize(
    ("text", "language", "wanted"),
    [
        ("他说：“好的。”然后走了。", "zh", ["他说：“好的。”", "然后走了。"]),
        ("「行吗？」她问。", "zh", ["「行吗？」", "她问。"]),
        ('他说"好。"我走了。', "zh", ['他说"好。"', "我走了。"]),
        ("He said, “Go!” Then he left.", "en", ["He said, “Go!” ", "Then he left."]),
        ('"Stop." She ran.', "en", ['"Stop." ', "She ran."]),
        ("(It ended.) Next.", "en", ["(It ended.) ", "Next."]),
    ],
)
def test_closing_quotes_and_brackets_stay_with_their_sentence(text: str, language: str, wanted: list[str]) -> None:
    assert texts(text, language) == wanted


def test_an_ellipsis_within_a_chinese_sentence_does_not_cut() -> None:
    assert texts("然后……他们走了。", "zh") == ["然后……他们走了。"]


def test_the_first_sentence_may_end_at_a_comma_so_that_speech_starts_early() -> None:
    text = "大家晚上好，欢迎收看今天的节目，我是主播小林，现在开始。"
    eager = cut(text, "zh", eager=True)
    assert eager[0].text == "大家晚上好，欢迎收看今天的节目，"
    assert eager[0].pause == segmenter.COMMA_PAUSE
    assert len(eager) == 2
    assert [one.text for one in cut(text, "zh", eager=False)] == [text]


def test_pauses_grow_from_comma_to_sentence_to_line_to_paragraph() -> None:
    long = "word " * 32
    sentences = cut(f"{long}, and on it goes. Next one.\nA heading\nThe text.\n\nA new paragraph.")
    pauses = [sentence.pause for sentence in sentences]
    assert pauses == [
        segmenter.COMMA_PAUSE,
        segmenter.STOP_PAUSE,
        segmenter.LINE_PAUSE,
        segmenter.LINE_PAUSE,
        segmenter.PARAGRAPH_PAUSE,
        segmenter.STOP_PAUSE,
    ]
    assert pauses[0] < pauses[1] < pauses[2] < pauses[4]


def test_a_line_that_was_only_wrapped_is_not_cut() -> None:
    wrapped = "This line is long because a mail program has wrapped it at the\nmargin and goes on here."
    assert texts(wrapped) == [wrapped.replace("\n", " ")]


@pytest.mark.parametrize("text", ["", "  \n ", "。", "……", "😀😀", "!?", "***", "\x00\x07", "—"])
def test_text_with_nothing_to_say_yields_nothing(text: str) -> None:
    assert cut(text) == []


def test_control_characters_are_dropped_and_white_space_is_made_even() -> None:
    assert texts("Good\x00 \t evening,\u200b all.\r\nHi") == ["Good evening, all. ", "Hi"]


def test_a_comma_in_a_number_and_a_colon_in_a_time_part_nothing() -> None:
    long = "x" * 160
    assert texts(f"{long} 3,000 at 10:30 sharp.") == [f"{long} 3,000 at 10:30 sharp."]


def test_a_long_sentence_is_cut_at_a_comma_past_a_comfortable_length() -> None:
    text = "这是一个非常长的句子，" * 12 + "完了。"
    sentences = cut(text, "zh")
    assert "".join(one.text for one in sentences) == text
    assert all(one.text.endswith(("，", "。")) for one in sentences)
    assert all(len(one.text) <= 80 for one in sentences)


def test_two_megabytes_without_punctuation_are_cut_and_lose_nothing() -> None:
    text = "字" * (2 * 1024 * 1024 // 3)
    sentences = cut(text, "zh")
    assert all(len(sentence.text) <= 200 for sentence in sentences)
    assert "".join(sentence.text for sentence in sentences) == text


def test_time_to_cut_grows_no_faster_than_the_text() -> None:
    def cost(size: int) -> float:
        segmenter = Segmenter("zh")
        start = time.process_time()
        sentences = [*segmenter.feed("a字" * size), *segmenter.finish()]
        assert len(sentences) > size / 200
        return time.process_time() - start

    small = min(cost(20_000) for _ in range(3))
    assert cost(200_000) < 40 * small


def test_a_long_word_is_cut_only_where_there_is_no_other_place() -> None:
    sentences = texts("word " * 30 + "x" * 150, longest=100)
    assert sentences[-1].strip("x") in ("", " ")
    assert all(len(sentence) <= 101 for sentence in sentences)
    assert texts("é" * 250)[0] == "é" * 200


def test_a_combining_mark_is_not_cut_from_its_letter() -> None:
    for sentence in texts("e\u0301" * 300):
        assert not unicodedata.combining(sentence[0])


@pytest.mark.parametrize(
    ("text", "given", "language"),
    [
        ("今天", "zh-TW", "zh-TW"),
        ("Hello world.", "zh-CN", "en"),
        ("你好。", "en", "zh-CN"),
        ("使用WebRTC技术", "zh-CN", "zh-CN"),
        ("The word 你好", "en", "en"),
        ("これは日本語です。", "zh", "ja"),
        ("日本銀行", "ja", "ja"),
        ("안녕하세요", "en", "ko"),
        ("Buenos días", "es", "es"),
        ("2025", "zh", "zh"),
        ("Hello", "ja", "en"),
    ],
)
def test_a_sentence_wholly_in_another_script_changes_the_language(text: str, given: str, language: str) -> None:
    assert language_of(text, given) == language


def test_emoji_between_sentences_go_with_the_next() -> None:
    assert texts("Great! 🎉 Thanks.") == ["Great! ", "🎉 Thanks."]


_PIECES = (
    "Hello", "Dr.", "3.14", "U.S.", "今天", "天气", "。", "！", "？", ".", "!", "?", "…", "...", "，", ",", "、", ";",
    "”", "“", '"', "'", "）", "(", " ", "  ", "\n", "\n\n", "\r\n", "\t", "😀", "\x07", "\u200b", "안녕", "です", "https://a.b/c?d",
)  # fmt: skip
_TEXT = st.lists(st.sampled_from(_PIECES) | st.text(max_size=4), max_size=60).map("".join)


def _bare(text: str) -> str:
    """Text without white space and without what is dropped."""
    kept = (letter for letter in text if unicodedata.category(letter) not in ("Cc", "Cs", "Co", "Cn"))
    return re.sub(r"[\s\u200b\u2060\ufeff\u00ad\u0085]", "", "".join(kept))


def test_a_blank_line_releases_a_sentence_at_once() -> None:
    cutter = Segmenter("en")
    assert [sentence.text for sentence in cutter.feed("One moment, let me check.\n\n")] == [
        "One moment, let me check. "
    ]
    assert list(cutter.feed("\n\n")) == []
    assert [sentence.text for sentence in (*cutter.feed("It is free."), *cutter.finish())] == ["It is free."]


def test_dots_at_the_very_end_do_not_make_a_sentence_too_long() -> None:
    assert all(len(sentence.text) <= 21 for sentence in cut("HelloHelloHello3.14...", "en", longest=20))


@settings(max_examples=300, deadline=None)
@given(text=_TEXT, language=st.sampled_from(["en", "zh-CN"]), eager=st.booleans(), longest=st.sampled_from([20, 200]))
def test_no_character_is_lost_and_no_sentence_is_silent(text: str, language: str, eager: bool, longest: int) -> None:
    sentences = cut(text, language, eager=eager, longest=longest)
    joined, whole = "".join(_bare(sentence.text) for sentence in sentences), _bare(text)
    # A ruler, half a sentence of signs and spaces without a word, is not kept.
    if not re.search(rf"[^\w]{{{longest // 2},}}", text):
        assert whole.startswith(joined)
        assert not any(letter.isalnum() for letter in whole[len(joined) :])
    for sentence in sentences:
        assert any(letter.isalnum() for letter in sentence.text)
        assert not sentence.text[0].isspace()
        assert len(sentence.text) <= longest + 1
        assert sentence.pause > 0


@settings(max_examples=200, deadline=None)
@given(text=_TEXT, sizes=st.lists(st.integers(1, 7), min_size=1, max_size=5))
def test_cuts_do_not_depend_on_the_pieces_a_text_comes_in(text: str, sizes: list[int]) -> None:
    parts: list[str] = []
    place = 0
    while place < len(text):
        size = sizes[len(parts) % len(sizes)]
        parts.append(text[place : place + size])
        place += size
    assert cut(parts, "zh-CN", eager=True) == cut(text, "zh-CN", eager=True)


def test_a_sentence_is_released_with_the_first_character_of_the_next() -> None:
    machine = Segmenter("zh-CN")
    assert list(machine.feed("今天天气很好。")) == []
    (sentence,) = machine.feed("我")
    assert sentence.text == "今天天气很好。"


def test_a_sentence_that_is_too_long_is_cut_where_a_line_would_end_not_between_their_and_its_noun() -> None:
    text = (
        "The results from this experiment provides further support that rocket seeds can be flown and stored on the "
        "International Space Station for six months without having any significant impacts on their ability to grow."
    )
    first, second = texts(text)
    assert first.endswith("impacts ")
    assert second.startswith("on their ability")
