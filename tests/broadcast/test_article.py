import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anchor.broadcast.article import Kind, draft, refine, shortened
from anchor.broadcast.document import to_yaml
from anchor.broadcast.facts import list_fact, sentence_fact, table_fact
from anchor.broadcast.rundown import check_rundown, read_rundown
from anchor.clock import run_virtual
from anchor.errors import DialogueError, RundownError, ScriptError
from anchor.linebreak import columns

PATH = Path("draft.yaml")

MARKDOWN = """\
---
title: "City budget grows"
---
![photo](a.png)

CITY HALL (Local News) - The council passed its **budget** on Monday. Spending will be $3.2 billion, the mayor said.[3]

The number of passengers rose from 12.5 million in 2019 to 18 million in 2024. "We are proud," said Ms. Lee.

## Where the money goes

Schools get 42 %, transport 31 % and housing 27 %. The rest is [open](http://a.b), see https://x.example/y.

| Year | Tax (million) | Fees (million) |
|------|--------------:|---|
| 2021 | 1,200 | 12 |
| 2022 | 1,350 | 13 |
| 2023 | 1,400 | NA |

```
code = "not read"
```
"""

HTML = """\
<html><head><title>Bridge opens &amp; traffic flows | The Daily</title><style>p {}</style>
<script>document.write("<p>never</p>")</script></head><body>
<nav><ul><li><a href=/>Home</a><li><a href=/x>Sport</a></ul></nav>
<div class="cookie-banner"><p>We use cookies. Accept them all.</p></div>
<article><h1>Bridge opens</h1><p class="byline">By Someone</p>
<p>The new bridge opened on Friday. It is 2.4&nbsp;km long and cost &euro;310&nbsp;million.
<p>Toll income grew from $1.2 million in 2020 to $3.4 million in 2023, officials said.
<table><tr><th>Lane</th><th>Cars a day</th></tr><tr><td>North<td>12,000<tr><td>South<td>14,500</table>
<aside><p>Advertisement: buy this.</p></aside>
<div class="related-links"><ul><li><a href=x>Another story</a></ul></div></article>
<footer><p>All rights reserved.</p></footer></body></html>
"""


def texts(document: dict[str, Any]) -> str:
    return " ".join(segment.get("text", "") for segment in document["segments"])


def charts(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [segment["chart"] for segment in document["segments"] if "chart" in segment]


def test_a_draft_is_a_rundown_that_waits_for_review() -> None:
    document = draft(MARKDOWN, "markdown")
    text = to_yaml(document)
    assert (document["title"], document["language"]) == ("City budget grows", "en")
    assert check_rundown(text, PATH, draft=True) == []
    with pytest.raises(RundownError, match="review"):
        read_rundown(text, PATH)
    opening = document["segments"][0]
    assert (opening["id"], opening["headline"]) == ("lead", "City budget grows")
    assert opening["text"].startswith("The council passed its budget on Monday. Spending")
    assert document["ticker"] == ["City budget grows", "Where the money goes"]


def test_links_notes_pictures_and_code_are_not_read() -> None:
    said = texts(draft(MARKDOWN, "markdown"))
    for unread in ("http", "[3]", "photo", "not read", "**", "CITY HALL", "see"):
        assert unread not in said


def test_numbers_that_can_be_charted_are() -> None:
    rise, shares, years = charts(draft(MARKDOWN, "markdown"))
    assert (rise["kind"], rise["labels"], rise["values"], rise["unit"]) == (
        "bar",
        ["2019", "2024"],
        [12.5, 18],
        "million",
    )
    assert rise["title"] == "Number of passengers"
    assert (shares["kind"], shares["labels"], shares["values"]) == (
        "pie",
        ["Schools", "Transport", "Housing"],
        [42, 31, 27],
    )
    assert (years["kind"], years["labels"]) == ("line", ["2021", "2022", "2023"])
    assert years["series"] == [
        {"name": "Tax", "values": [1200, 1350, 1400]},
        {"name": "Fees", "values": [12, 13, None]},
    ]


def test_of_a_page_only_the_article_is_read() -> None:
    document = draft(HTML, "html")
    said = texts(document)
    assert document["title"] == "Bridge opens"
    assert "2.4 km long and cost €310 million." in said
    for unread in ("never", "Home", "cookies", "Someone", "Advert", "Another", "rights"):
        assert unread not in said
    trend, lanes = charts(document)
    assert (trend["unit"], trend["values"], lanes["values"]) == ("$ million", [1.2, 3.4], [12000, 14500])


def test_a_frame_with_an_adverts_name_hides_no_article() -> None:
    said = "The council met today and agreed on a plan for the old harbour that had been waiting for years."
    page = f"<body><div class='layout with-sidebar'><p>{said}</p><p>{said}</p></div></body>"
    assert texts(draft(page, "html")).count(said) == 2


def test_chinese_articles_are_cut_and_charted_too() -> None:
    document = draft(
        "今年用电量增长\n\n新华社北京11月26日电 该国新能源汽车销量从2020年的136.7万辆增至2024年的1286.6万辆。"
        "专家说，“这是一个里程碑”。\n\n其中，煤炭占56%，石油占18%，天然气占9%，其他占17%。\n\n责任编辑：张三\n",
        "text",
    )
    assert (document["title"], document["language"]) == ("今年用电量增长", "zh-CN")
    sales, shares = charts(document)
    assert (sales["title"], sales["unit"], sales["values"]) == ("今年用电量增长", "万辆", [136.7, 1286.6])
    assert (shares["kind"], shares["labels"]) == ("pie", ["煤炭", "石油", "天然气", "其他"])
    assert "新华社" not in texts(document) and "张三" not in texts(document)


@pytest.mark.parametrize(
    "sentence",
    [
        "Exports rose 5 % and imports fell 3 %.",
        "出口增长5%，进口下降3%。",
        "It cost $5 in 1990, and $12 in 2020.",
        "They won 3 games, lost 2 and drew 1.",
        "Sales went from 5 million in 2024 to 3 billion in 2020.",
        "He was born in 1980, she in 1982 and they in 1990.",
        "从2020年的3亿元增至2024年的5.1亿人。",
        "About 40 % of voters chose red, 60 % blue.",
        "Ads made 35 %, devices 20 % and the cloud, which grew, had nearly 45 %.",
    ],
)
def test_what_can_be_read_in_two_ways_is_no_chart(sentence: str) -> None:
    assert sentence_fact(sentence) is None


def test_parts_are_charted_without_their_total() -> None:
    fact = sentence_fact(
        "总面积11平方公里，总人口1579人，其中男性741人，女性838人（2011年12月31日），人口密度139人/平方公里。"
    )
    assert fact == {"chart": {"kind": "bar", "unit": "人", "labels": ["男性", "女性"], "values": [741, 838]}}


def test_lists_and_tables_are_charts_only_where_all_of_them_is_numbers() -> None:
    assert list_fact(["North: 12 %", "South: 30 %", "West: 58 %"]) == {
        "chart": {"kind": "pie", "unit": "%", "labels": ["North", "South", "West"], "values": [12, 30, 58]}
    }
    assert list_fact(["North: 12 %", "South: 30 km"]) is None
    assert list_fact(["North: 12 %", "South is nice"]) is None
    rows = (("Who", "What"), ("A", "walks"), ("B", "5"))
    assert table_fact(rows) == {"table": {"columns": ["Who", "What"], "rows": [["A", "walks"], ["B", "5"]]}}


def test_marks_and_cues_in_an_article_are_words_or_nothing() -> None:
    document = draft(
        "He wrote <break time='99s'/> and [mood: angry] [mood: [mood: x]] on the wall. It stayed there.", "text"
    )
    (segment,) = read_rundown(to_yaml(document), PATH, draft=True).segments
    assert (segment.spans, segment.mood) == ((), None)
    assert "break time" in segment.text and "[mood" not in segment.text


def test_bylines_and_addresses_are_left_out_and_sentences_that_look_like_them_are_not() -> None:
    said = texts(
        draft(
            "By 2030, the town wants trees. Source code is free, see https://x.example/a.b.\n\n"
            "By Ann Lee and Bo Day\n\nThe rest follows. Write to a@b.example for more. Done.\n\nSource: the town\n",
            "text",
            title="Trees",
        )
    )
    assert said == "By 2030, the town wants trees. Source code is free. The rest follows. Done."


def test_headlines_are_cut_after_a_clause_or_a_word() -> None:
    assert shortened("短标题", 20) == "短标题"
    assert shortened("今天上午，市政府宣布了一项新的计划，将在明年开始", 24) == "今天上午"
    assert shortened("A long line of words without any stop in it", 20) == "A long line of…"
    assert all(columns(shortened("字" * count, 21)) <= 21 for count in range(1, 30))


@pytest.mark.parametrize(
    ("article", "kind"),
    [("", "text"), (" \n\n", "markdown"), ("!!! ???", "text"), ("<p></p>", "html"), ("![a](b)", "markdown")],
)
def test_an_article_with_nothing_to_say_is_refused(article: str, kind: Kind) -> None:
    with pytest.raises(ScriptError, match="no text"):
        draft(article, kind)


@given(st.text(max_size=300), st.sampled_from(["text", "markdown", "html"]))
def test_any_article_makes_a_rundown_without_problems_or_is_refused(article: str, kind: Kind) -> None:
    try:
        document = draft(article, kind)
    except ScriptError:
        return
    assert check_rundown(to_yaml(document), PATH, draft=True) == []


@pytest.mark.shared
@pytest.mark.parametrize("name", ["pud_en", "pud_zh", "gsdsimp_zh"])
def test_news_is_cut_into_segments_that_can_be_spoken(shared: Path, name: str) -> None:
    article = (shared / "texts" / "news" / f"{name}_first200.txt").read_text("utf-8")
    document = draft(article, "text")
    assert check_rundown(to_yaml(document), PATH, draft=True) == []
    lengths = [columns(segment["text"]) for segment in document["segments"]]
    assert max(lengths) < 700 and sum(lengths) / len(lengths) > 100
    words = "".join("".join(texts(document).split()).split("\u00a0"))
    missing = [line for line in article.splitlines() if "".join(line.split())[:12] not in words]
    assert len(missing) <= 8, missing


def refined(document: dict[str, Any], article: str, answer: str | Exception) -> dict[str, Any]:
    asked: list[str] = []

    async def complete(prompt: str) -> str:
        asked.append(prompt)
        if isinstance(answer, Exception):
            raise answer
        return answer

    result = run_virtual(refine(document, article, complete))
    assert article.strip()[:20] in asked[0]
    return result


def test_a_model_may_rewrite_a_draft_with_what_the_article_says() -> None:
    document = draft(MARKDOWN, "markdown")
    ids = [segment["id"] for segment in document["segments"] if "text" in segment]
    answer = {"headline": "Budget passed", "segments": [
        {"id": ids[1], "text": "Passengers: 12.5 million in 2019, 18 million in 2024.", "lower_third": "More of them"},
        {"id": ids[0], "text": "The council has passed a budget of $3.2 billion."},
    ]}  # fmt: skip
    found = refined(document, MARKDOWN, f"Here you are:\n```json\n{json.dumps(answer)}\n```")
    assert (found["title"], found["review"]) == ("Budget passed", "required")
    assert [segment["id"] for segment in found["segments"]][:2] == [ids[1], ids[0]]
    assert found["segments"][0]["chart"]["values"] == [12.5, 18]
    assert found["segments"][0]["lower_third"] == {"title": "More of them"}


@pytest.mark.parametrize(
    "text",
    [
        "The council passed a budget of $3.3 billion.", "Fourteen members voted.", "三分之二的议员赞成。",
        'The mayor said: "I am very happy today."', "Wait <break/> for it.", "[mood: cheerful] Hurray.", "", 5,
    ],
)  # fmt: skip
def test_what_the_article_does_not_say_leaves_the_draft_as_it_was(text: Any) -> None:
    document = draft(MARKDOWN, "markdown")
    answer = json.dumps({"segments": [{"id": "lead", "text": text}]})
    assert refined(document, MARKDOWN, answer) == document


@pytest.mark.parametrize(
    "answer",
    [
        "no JSON", "{", '{"segments": 3}', '{"segments": []}', '{"segments": [{"id": "other", "text": "Hello."}]}',
        '{"segments": [{"id": "lead", "text": "The council."}, {"id": "lead", "text": "The council."}]}',
        '{"segments": [["lead"]]}', "[" * 5000, DialogueError("the model does not answer"),
    ],
)  # fmt: skip
def test_an_answer_that_is_no_good_leaves_the_draft_as_it_was(answer: str | Exception) -> None:
    document = draft(MARKDOWN, "markdown")
    assert refined(document, MARKDOWN, answer) == document
