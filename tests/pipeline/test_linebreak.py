"""Where lines may break, and where they had better."""

from __future__ import annotations

from itertools import accumulate
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anchor.linebreak import AWKWARD, CLAUSE, IDEOGRAPH, SENTENCE, columns, penalties


def cost(text: str) -> float:
    """The penalty of a break where the bar stands."""
    before, after = text.split("|")
    return penalties(before + after)[len(before)]


@pytest.mark.parametrize(
    "text",
    [
        "你好|，世界", "他说|：好", "（|好）", "《|快报》", "“|新闻", "新闻|”", "结束|。", "百分之五|％", "カ|ード",
        "き|ょう", "……|…", "inter|national", "3.|14", "20|26", "$|5", "(|yes", "Hi |!", "a|b", "한|국어",
    ],
)  # fmt: skip
def test_some_places_never_break(text: str) -> None:
    assert cost(text) == inf


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ("他来了。|我走了", "他来了，|我走了"),
        ("他来了，|我走了", "他来了我|走了"),
        ("我们的|主播", "我们|的主播"),
        ("今天是|2026年", "今天是2026|年"),
        ("大约三十|公里", "大约三|十公里"),
        ("The end. |And then", "the end, |and then"),
        ("the end, |and then", "the evening |news"),
        ("she reads |and writes", "she quickly |reads"),
        ("read the news |today", "read the |news today"),
        ("we met |Doctor Li", "we met Doctor |Li"),
        ("it took |8 minutes", "it took 8 |minutes"),
        ("held on |July 20", "held on July |20"),
        ("say it. |Then go", "say it to Dr. |Who"),
    ],
)
def test_readers_like_one_break_better_than_another(better: str, worse: str) -> None:
    assert cost(better) < cost(worse)


def test_penalties_have_the_stated_levels() -> None:
    assert cost("好。|好") == SENTENCE
    assert cost("好，|好") == CLAUSE
    assert cost("天|地") == IDEOGRAPH
    assert cost("of |it") == AWKWARD
    assert cost("“好。”|他说") == SENTENCE


def test_a_word_segmenter_moves_breaks_between_words() -> None:
    text = "人工智能主播"
    costs = penalties(text, frozenset({0, 4}))
    assert costs[4] < min(costs[1], costs[2], costs[3], costs[5])


def test_width_counts_ideographs_twice_and_combining_marks_not_at_all() -> None:
    assert columns("AI生成") == 6
    assert columns("e\u0301") == 1
    assert columns("") == 0


@given(st.text(max_size=80))
def test_every_place_has_a_price(text: str) -> None:
    found = penalties(text)
    assert len(found) == len(text)
    assert all(price >= 0 for price in found)
    assert not found or found[0] == inf


def test_a_line_begins_with_and_or_a_count_and_ends_with_neither() -> None:
    words = ["该岛", "还", "设有", "8", "个", "网球场", "和", "1", "个", "环绕", "山峰", "的", "马术", "中心"]
    text = "".join(words)
    costs = penalties(text, frozenset(accumulate(len(word) for word in words)))
    assert costs[text.index("和")] < costs[text.index("和") + 1]
    assert costs[text.index("环绕")] >= AWKWARD


def test_and_inside_a_word_is_no_place_to_break() -> None:
    costs = penalties("中华人民共和国成立", frozenset((2, 4, 7)))
    assert costs[5] > AWKWARD
