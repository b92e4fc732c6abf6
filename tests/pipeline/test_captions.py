"""Captions: nothing lost, in step with the words, broken where readers want them to be."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anchor.events import Caption, Word
from anchor.linebreak import NEVER_FIRST, NEVER_LAST, columns
from anchor.media import SAMPLE_RATE, VideoFormat
from anchor.pipeline.captions import CaptionStyle, close_gaps, paginate

WIDE = CaptionStyle()
TALL = CaptionStyle.suits(VideoFormat(1080, 1920))

CHINESE = (
    "大家好，欢迎收看今天的科技快报，我是您的数字主播小安，今天是2026年11月21日，星期六。",
    "光在真空中每秒大约走三十万公里，从太阳到地球，大约需要8分20秒，也就是说，我们看到的太阳，总是八分多钟以前的样子。",
    "他说：“这台电脑（双核）每秒能生成25帧画面，价格只要￥3,999.00，比去年便宜了12.5%！”大家都笑了……",
)
ENGLISH = (
    "Good evening, and welcome to the Science and Technology Bulletin, brought to you by an anchor who is never late.",
    "Light needs about 8 minutes and 20 seconds to travel the 150 million kilometres from the Sun to the Earth, "
    "so the Sun that you see is always a little out of date.",
)


def spoken(text: str, *, seconds: float = 0.2) -> list[Word]:
    """Time a text as voices do: characters in Chinese, words in English, punctuation with the word before it."""
    words: list[str] = []
    for character in text:
        new = not words or words[-1][-1].isspace() or (character.isalnum() and not _latin(words[-1][-1] + character))
        if not words or (new and not character.isspace() and character not in NEVER_FIRST):
            words.append(character)
        else:
            words[-1] += character
    timed, clock = [], 0
    for word in words:
        length = round(SAMPLE_RATE * seconds * (1 + 0.25 * sum(c.isascii() and c.isalnum() for c in word)))
        timed.append(Word(word, clock, clock + length))
        clock += length
    return timed


def _latin(pair: str) -> bool:
    return all(character.isascii() and (character.isalnum() or character in ".,'-$%") for character in pair)


def squeezed(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize("style", [WIDE, TALL], ids=["16:9", "9:16"])
@pytest.mark.parametrize("text", [*CHINESE, *ENGLISH])
def test_captions_give_the_sentence_back_in_lines_that_fit(text: str, style: CaptionStyle) -> None:
    pages = paginate(spoken(text), style)
    assert squeezed("".join(line for page in pages for line in page.lines)) == squeezed(text)
    assert all(1 <= len(page.lines) <= 2 for page in pages)
    assert all(columns(line) <= style.columns and line == line.strip() for page in pages for line in page.lines)


@pytest.mark.parametrize("style", [WIDE, TALL], ids=["16:9", "9:16"])
@pytest.mark.parametrize("text", CHINESE)
def test_no_line_begins_or_ends_with_what_kinsoku_forbids(text: str, style: CaptionStyle) -> None:
    for page in paginate(spoken(text), style):
        for line in page.lines:
            assert line[0] not in NEVER_FIRST
            assert line[-1] not in NEVER_LAST


@pytest.mark.parametrize("style", [WIDE, TALL], ids=["16:9", "9:16"])
@pytest.mark.parametrize("text", [*CHINESE, *ENGLISH])
def test_pages_begin_with_a_word_and_follow_each_other_without_a_blink(text: str, style: CaptionStyle) -> None:
    words = spoken(text)
    pages = paginate(words, style)
    assert {page.start for page in pages} <= {word.start for word in words}
    assert pages[0].start == words[0].start
    assert pages[-1].end == words[-1].end
    assert all(earlier.end == later.start for earlier, later in pairwise(pages))
    assert all(page.end - page.start >= SAMPLE_RATE for page in pages)


def test_lines_end_where_the_sense_does() -> None:
    (first, *rest) = paginate(spoken(CHINESE[0]))
    assert first.lines[-1].endswith("，")
    assert all(page.lines[-1][-1] in "，。" for page in rest)
    lines = [line for page in paginate(spoken(ENGLISH[0])) for line in page.lines]
    assert all(line.split()[-1] not in ("the", "and", "by", "an", "to") for line in lines)


@pytest.mark.parametrize(
    "text",
    [
        "今天是2026年11月21日，温度是25摄氏度，湿度百分之六十五，" * 2,
        "It costs 3 999 yuan, or 12 % less, than in 2025 when " * 3,
    ],
)
def test_numbers_stay_with_their_units(text: str) -> None:
    for style in (WIDE, TALL):
        lines = [line for page in paginate(spoken(text), style) for line in page.lines]
        for before, after in pairwise(lines):
            assert not after.startswith(("年", "月", "日", "%", "摄", "999", "yuan", "less")), (before, after)


def test_the_two_lines_of_a_page_are_balanced() -> None:
    page = paginate(spoken("The anchor reads the evening news to everyone who listens.", seconds=0.1))[0]
    assert len(page.lines) == 2
    assert abs(len(page.lines[0]) - len(page.lines[1])) <= 12


def test_words_of_two_characters_are_not_torn_apart_when_the_voice_times_words() -> None:
    parts = [
        "人工智能",
        "主播",
        "每天",
        "准时",
        "播报",
        "全球",
        "科技",
        "新闻",
        "观众",
        "朋友",
        "可以",
        "随时",
        "打断",
        "提问",
        "主播",
        "会",
        "立刻",
        "回答",
    ]
    words = [Word(part, 9_000 * number, 9_000 * (number + 1)) for number, part in enumerate(parts)]
    ends = {sum(map(len, parts[: number + 1])) for number in range(len(parts))}
    place = 0
    for page in paginate(words, TALL):
        for line in page.lines:
            place += len(line)
            assert place in ends


def test_a_word_wider_than_a_line_is_cut_but_not_lost() -> None:
    address = "https://example.org/" + "a" * 120
    pages = paginate([Word("See ", 0, 9_600), Word(address + " ", 9_600, 480_000), Word("now.", 480_000, 490_000)])
    assert squeezed("".join(line for page in pages for line in page.lines)) == f"See{address}now."
    assert all(columns(line) <= WIDE.columns for page in pages for line in page.lines)


def test_nothing_to_read_gives_no_captions() -> None:
    assert paginate([]) == ()
    assert paginate([Word(" ", 0, 100), Word("\n", 100, 200)]) == ()


def test_the_last_page_may_stay_through_the_pause_but_not_longer_than_needed() -> None:
    words = [Word("Hi.", 4_800, 9_600)]
    assert paginate(words) == (Caption(("Hi.",), 4_800, 9_600),)
    assert paginate(words, until=21_600)[0].end == 21_600
    assert paginate(words, until=480_000)[0].end == 4_800 + SAMPLE_RATE
    late = [Word("Good evening to you. ", 0, 96_000)]
    assert paginate(late, until=480_000)[0].end == 96_000


def test_a_long_pause_inside_a_sentence_clears_the_screen_when_the_page_has_been_read() -> None:
    words = [*spoken("One moment please, while I look at my notes for you, "), Word("yes.", 1_000_000, 1_048_000)]
    pages = paginate(words, CaptionStyle(columns=60, lines=1))
    assert pages[-1].start == 1_000_000
    assert pages[-2].end < 1_000_000


def test_gaps_of_a_finished_show_are_closed_when_short_and_overlaps_removed() -> None:
    times = [(0, 48_000), (60_000, 100_000), (90_000, 91_000), (400_000, 410_000)]
    closed = close_gaps([Caption(("words",), start, end) for start, end in times])
    expected = [(0, 60_000), (60_000, 90_000), (90_000, 138_000), (400_000, 410_000)]
    assert [(page.start, page.end) for page in closed] == expected


def test_style_suits_the_picture() -> None:
    assert CaptionStyle.suits(VideoFormat(1280, 720)).columns == 42
    assert CaptionStyle.suits(VideoFormat(1080, 1920)).columns < CaptionStyle.suits(VideoFormat(720, 720)).columns < 42


texts = st.text(alphabet=st.sampled_from("ab 1，。“”（）人工智能ー、.-%$😀\u0301\n"), max_size=12)
lengths = st.integers(0, 60_000)


@given(st.lists(st.tuples(texts, lengths, lengths), max_size=30), st.integers(4, 60), st.integers(1, 2))
def test_any_words_give_captions_in_order_with_nothing_lost(
    parts: list[tuple[str, int, int]], width: int, lines: int
) -> None:
    words, clock = [], 0
    for text, gap, length in parts:
        words.append(Word(text, clock + gap, clock + gap + length))
        clock += gap + length
    pages = paginate(words, CaptionStyle(columns=width, lines=lines))
    joined = "".join(line for page in pages for line in page.lines)
    assert squeezed(joined) == squeezed("".join(word.text for word in words))
    assert all(page.start < page.end for page in pages)
    assert all(earlier.end <= later.start or earlier.end == earlier.start + 1 for earlier, later in pairwise(pages))
    assert all(len(page.lines) <= lines for page in pages)
    assert all(columns(line) <= width for page in pages for line in page.lines)
