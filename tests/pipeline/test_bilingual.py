"""Captions with a line in a second language."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anchor import chinese
from anchor.clock import run_virtual
from anchor.events import Caption, Sentence, Word
from anchor.linebreak import columns
from anchor.media import SAMPLE_RATE, Beat
from anchor.pipeline.bilingual import bilingual, paired, shared
from anchor.pipeline.captions import CaptionStyle, paginate
from anchor.pipeline.pager import SECONDS_PER_COLUMN
from anchor.pipeline.segmenter import segment
from anchor.pipeline.utterance import Utterance
from anchor.testing import split_words
from tests.pipeline.stage import free_stage

STYLE = CaptionStyle()


async def whole(text: str) -> AsyncIterator[str]:
    yield text


def sentences(text: str, language: str) -> list[Sentence]:
    async def collect() -> list[Sentence]:
        return [one async for one in segment(whole(text), language)]

    return asyncio.run(collect())


def timed(text: str) -> list[Word]:
    """Words at a newsreader's pace; Chinese is cut into its words."""
    texts = chinese.words(text, guess=True) if any(letter > "\u2e80" for letter in text) else split_words(text)
    words, clock = list[Word](), 0
    for one in texts:
        length = round(columns(one) * SECONDS_PER_COLUMN * SAMPLE_RATE)
        words.append(Word(one, clock, clock + length))
        clock += length
    return words


def pages(text: str, translation: str, language: str) -> list[list[Caption]]:
    """Captions of each sentence."""
    said = sentences(text, language)
    seconds = asyncio.run(paired(said, translation))
    return [list(bilingual(timed(one.text), STYLE, second)) for one, second in zip(said, seconds, strict=True)]


ZH = (
    "大家晚上好，欢迎收看今天的节目。国家统计局今天公布，今年前三季度国内生产总值同比增长百分之五点二。"
    "下面请看详细报道。"
)
EN = (
    "Good evening, everyone, and welcome to today's programme. The National Bureau of Statistics announced today that "
    "gross domestic product grew by 5.2 percent year on year in the first three quarters. Here is the full report."
)


@pytest.mark.parametrize(("text", "language", "translation"), [(ZH, "zh-CN", EN), (EN, "en", ZH)])
def test_each_sentence_has_its_own_translation_below(text: str, language: str, translation: str) -> None:
    def group(of: str, tongue: str) -> list[str]:
        # Put together what was cut at a comma, to begin early.
        found = [""]
        for one in sentences(of, tongue):
            found[-1] += one.text
            found += [""] if one.text.strip()[-1] in ".。" else []
        return [one.strip() for one in found if one]

    below, rest = group(translation, "en" if language == "zh-CN" else "zh-CN"), ""
    for captions in pages(text, translation, language):
        assert all(len(page.second) == 1 and columns(page.second[0]) <= 42 for page in captions)
        rest += " ".join(page.second[0] for page in captions) + " "
        if captions[-1].lines[-1][-1] in ".。":
            assert rest.replace(" ", "") == below.pop(0).replace(" ", "")
            rest = ""
    assert not below


def test_pages_are_shorter_where_a_translation_is_longer_than_its_line() -> None:
    long = "The figures " + "that were published this morning by the office " * 2 + "are good."
    text = "今天公布的数字总体良好，符合预期，好于去年同期。"
    captions = bilingual(timed(text), STYLE, long)
    assert len(captions) > len(paginate(timed(text)))
    assert all(columns(page.second[0]) <= 42 for page in captions)


def test_a_translation_with_another_number_of_sentences_is_shared_by_length() -> None:
    captions = [page for of in pages(ZH, "Good evening. All of the news, in a single breath.", "zh-CN") for page in of]
    below = [page.second[0] for page in captions if page.second]
    assert " ".join(below) == "Good evening. All of the news, in a single breath."
    assert len(below) >= 3


def test_a_translation_shorter_than_its_pages_leaves_no_empty_line() -> None:
    captions = [page for of in pages(EN, "好。", "en") for page in of]
    assert [page.second for page in captions if page.second] == [("好。",)]
    assert all(page.lines and all(page.lines) for page in captions)


@pytest.mark.parametrize("text", ["", " ", "\n"])
def test_without_a_translation_captions_are_as_ever(text: str) -> None:
    assert bilingual(timed(EN), STYLE, text) == paginate(timed(EN))


@settings(max_examples=200, deadline=None)
@given(
    st.text(max_size=80)
    | st.lists(st.sampled_from(["good ", "今天", "，", ". ", "x" * 50, "7"]), max_size=40).map("".join),
    st.lists(st.floats(0, 100), min_size=1, max_size=12),
)  # fmt: skip
def test_parts_give_the_text_back_and_there_is_one_for_each_weight(text: str, weights: list[float]) -> None:
    parts = shared(text, weights, widest=42)
    assert len(parts) == len(weights)
    assert "".join(parts) == text


def test_a_book_is_shared_quickly() -> None:
    text = "All the news that is fit to be read aloud is here. " * 400
    parts = shared(text, [float(1 + n % 7) for n in range(800)], widest=42)
    assert "".join(parts) == text
    assert sum(not part for part in parts) < 80


def test_the_second_line_comes_on_the_beats_of_its_sentence() -> None:
    async def main() -> list[Beat]:
        stage = free_stage()
        async with stage.performer.open():
            stage.performer.perform(Utterance("One two. Three four.", "en", stage.voice, translation="一二。三四。"))
            return await stage.play()

    shown = {beat.caption.lines: beat.caption.second for beat in run_virtual(main()) if beat.caption}
    assert shown == {("One two.",): ("一二。",), ("Three four.",): ("三四。",)}


@pytest.mark.shared
@pytest.mark.parametrize("reverse", [False, True])
def test_real_news_reads_well_in_two_languages(shared: Path, reverse: bool) -> None:
    chinese_news, english_news = (
        (shared / "texts/news" / name).read_text("utf-8").splitlines()[:60]
        for name in ("pud_zh_first200.txt", "pud_en_first200.txt")
    )
    total = wide = missing = 0
    for zh, en in zip(chinese_news, english_news, strict=True):
        text, translation = (en, zh) if reverse else (zh, en)
        captions = [page for of in pages(text, translation, "en" if reverse else "zh-TW") for page in of]
        below = "".join(page.second[0] for page in captions if page.second)
        assert below.replace(" ", "") == translation.replace(" ", "")
        total += len(captions)
        wide += sum(columns(page.second[0]) > 42 for page in captions if page.second)
        missing += sum(not page.second for page in captions)
    assert wide <= 0.02 * total
    assert missing <= 0.02 * total
