"""Marked-up text: what is read, and what is refused with its line."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from anchor.broadcast.ssml import LARGEST, looks_marked, parse_ssml
from anchor.errors import ScriptError
from anchor.events import Span


def spans(text: str, language: str = "en") -> list[tuple[str, str, str]]:
    """Kind, text and value of every span."""
    marked = parse_ssml(text, language)
    return [(span.kind, marked.text[span.start : span.end], span.value) for span in marked.spans]


def refusal(text: str, language: str = "en") -> str:
    with pytest.raises(ScriptError) as caught:
        parse_ssml(text, language)
    return str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "AT&T pays 3 < 5 & more",
        "if a <b and b> c",
        "<3 to all of you",
        "see <https://example.org>",
        "a <p without an end",
        "Tom & Jerry &amp; friends",
        "",
    ],
)
def test_plain_text_with_stray_signs_is_not_taken_for_marked_up(text: str) -> None:
    assert not looks_marked(text)


@pytest.mark.parametrize(
    "text",
    ["<speak>Hi</speak>", "Hi <break/> you", "<?xml version='1.0'?><speak>Hi</speak>", "<p>Hi</p>", "<mark name='a'/>"],
)
def test_text_with_a_tag_of_ssml_is_marked_up(text: str) -> None:
    assert looks_marked(text)


def test_text_is_as_viewers_read_it_and_spans_lie_on_its_characters() -> None:
    text = """<?xml version="1.0"?>
    <speak version="1.1" xmlns="http://www.w3.org/2001/10/synthesis" xml:lang="en">
      <p>The <sub alias="World Wide Web Consortium">W3C</sub> says
         <say-as interpret-as="date" format="dmy">3/4/2025</say-as>.</p>
      <p><s>AT&amp;T &#8212; <emphasis level="strong">yes</emphasis></s></p>
    </speak>"""
    assert parse_ssml(text, "en").text == "The W3C says 3/4/2025.\n\nAT&T — yes"
    assert spans(text) == [
        ("sub", "W3C", "World Wide Web Consortium"),
        ("say-as", "3/4/2025", "date:dmy"),
        ("emphasis", "yes", "strong"),
    ]


def test_a_line_end_between_ideographs_is_no_space() -> None:
    assert (
        parse_ssml("<speak>今天\n  天气 <emphasis>很好</emphasis>\n在Tokyo\n市</speak>", "zh").text
        == "今天天气 很好在Tokyo 市"
    )


def test_marks_and_breaks_stand_before_the_next_character() -> None:
    marked = parse_ssml('One. <mark name="a"/> <break time="1.5s"/> Two<mark name="b"/>', "en")
    assert marked.text == "One. Two"
    assert marked.spans == (Span(5, 5, "mark", "a"), Span(5, 5, "break", seconds=1.5), Span(8, 8, "mark", "b"))


def test_a_language_is_a_span_only_where_it_changes() -> None:
    text = '<speak xml:lang="en"><p xml:lang="en">A <lang xml:lang="fr">bon <s xml:lang="de">gut</s></lang></p></speak>'
    assert spans(text) == [
        ("lang", "bon\ngut", "fr"),
        ("lang", "gut", "de"),
    ]  # fmt: skip
    assert spans('<speak xml:lang="zh-CN">好</speak>') == [("lang", "好", "zh-CN")]


@pytest.mark.parametrize(
    ("attributes", "rate", "pitch", "volume"),
    [
        ('rate="150%"', 1.5, 1.0, 0.0),
        ('rate="-20%"', 0.8, 1.0, 0.0),
        ('rate="1.5"', 1.5, 1.0, 0.0),
        ('rate="slow"', 0.8, 1.0, 0.0),
        ('pitch="+10%"', 1.0, 1.1, 0.0),
        ('pitch="-12st"', 1.0, 0.5, 0.0),
        ('pitch="185Hz"', 1.0, 1.0, 0.0),
        ('pitch="+18.5Hz"', 1.0, 1.1, 0.0),
        ('pitch="x-low"', 1.0, 0.7, 0.0),
        ('volume="-6dB"', 1.0, 1.0, -6.0),
        ('volume="50"', 1.0, 1.0, -6.0206),
        ('volume="-50%"', 1.0, 1.0, -6.0206),
        ('volume="silent"', 1.0, 1.0, -96.0),
        ('volume="0"', 1.0, 1.0, -96.0),
        ('rate="default" pitch="medium" volume="loud"', 1.0, 1.0, 3.0),
    ],
)
def test_prosody_is_read_in_every_notation(attributes: str, rate: float, pitch: float, volume: float) -> None:
    (span,) = parse_ssml(f"<prosody {attributes}>x</prosody>", "en").spans
    assert (span.rate, span.pitch, span.volume) == pytest.approx((rate, pitch, volume), abs=1e-4)


@pytest.mark.parametrize(
    ("attributes", "seconds"),
    [('time="500ms"', 0.5), ('time="1.5s"', 1.5), ('time="+2s"', 2.0), ('strength="none"', 0.0), ("", 0.4)],
)
def test_breaks_are_read_by_time_or_strength(attributes: str, seconds: float) -> None:
    (span,) = parse_ssml(f"a<break {attributes}/>b", "en").spans
    assert span.seconds == seconds


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ("<speak>\n\n<audio src='x'/></speak>", 3, "<audio>"),
        ("a\n<break tiem='1s'/>", 2, "tiem"),
        ("<break time='1 hour'/>", 1, "1 hour"),
        ("<break time='90s'/>", 1, "60 s"),
        ("<prosody rate='900%'>x</prosody>", 1, "200%"),
        ("<prosody rate='quick'>x</prosody>", 1, "quick"),
        ("<prosody pitch='3st'>x</prosody>", 1, "3st"),
        ("<prosody volume='+40dB'>x</prosody>", 1, "12 dB"),
        ("<say-as interpret-as='poem'>x</say-as>", 1, "poem"),
        ("<say-as interpret-as='date'></say-as>", 1, "nothing"),
        ("<say-as interpret-as='date'>1<break/>2</say-as>", 1, "text only"),
        ("<sub alias=''>x</sub>", 1, "alias"),
        ("<phoneme ph='Q7'>x</phoneme>", 1, "IPA"),
        ("<phoneme ph='x' alphabet='x-sampa'>x</phoneme>", 1, "x-sampa"),
        ("<phoneme alphabet='x-pinyin' ph='hang zhang'>行长</phoneme>", 1, "hang2 zhang3"),
        ("<phoneme ph='xaŋ'>行</phoneme>", 1, "x-pinyin"),
        ("<emphasis level='huge'>x</emphasis>", 1, "huge"),
        ("<mark/>", 1, "name"),
        ("<mark name='a'/><mark name='a'/>", 1, "two marks"),
        ("<mark name='a'><p>x</p></mark>", 1, "nothing"),
        ("<lang>x</lang>", 1, "xml:lang"),
        ("<lang xml:lang='!'>x</lang>", 1, "language tag"),
        ("<p><speak>x</speak></p>", 1, "once"),
        ("x\n<p>\nx", 2, "<p> is not closed"),
        ("<p>x</s>", 1, "<p> is not closed"),
        ("<speak>x", 1, "<speak> is not closed"),
        ("<p>AT&T</p>", 1, "&amp;"),
        ("<p>\n3 < 5</p>", 2, "&lt;"),
        ("<p>&nbsp;</p>", 1, "&amp;"),
        ("<mstts:x/>", 1, "prefix"),
        ("<?php echo?><break/>", 1, "php"),
        ("<!DOCTYPE speak [<!ENTITY a 'b'>]><speak>&a;</speak>", 1, "DOCTYPE"),
        ("<speak>" + "<p>" * 100 + "x", 1, "deeper"),
        ("\n\n<speak>\n" + "<break/>" * 20_000 + "</speak>", 4, "elements"),
        ("<p>" + "x" * LARGEST, 1, "longer"),
        ("<p>\x01</p>", 1, "token"),
        ("<p>a\ud800b</p>", 1, "surrogate"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, line: int, word: str) -> None:
    told = refusal(text)
    assert told.startswith(f"line {line}: ")
    assert word in told
    assert len(told) < 250


def test_a_bomb_of_entities_is_refused_before_it_goes_off() -> None:
    levels = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    assert "DOCTYPE" in refusal(f'<!DOCTYPE speak [<!ENTITY l0 "ha">{levels}]><speak>&l11;</speak>')


def test_cdata_comments_and_prefixes_of_ssml_are_read() -> None:
    text = '<s:speak xmlns:s="http://www.w3.org/2001/10/synthesis"><!-- no --><![CDATA[a < b]]><s:break/></s:speak>'
    assert parse_ssml(text, "en").text == "a < b"


TAGS = st.sampled_from(
    [
        "<speak>",
        "</speak>",
        "<p>",
        "</p>",
        "<s>",
        "</s>",
        "<break/>",
        "<break time='1s'/>",
        "<mark name='m'/>",
        "<emphasis>",
        "</emphasis>",
        "<sub alias='x'>",
        "</sub>",
        "<say-as interpret-as='date'>",
        "</say-as>",
        "<prosody rate='80%'>",
        "</prosody>",
        "<lang xml:lang='fr'>",
        "</lang>",
        "<phoneme ph='a'>",
        "</phoneme>",
        "&amp;",
        "&#65;",
        "&",
        "<",
        ">",
        "<![CDATA[",
        "]]>",
        "<!--",
        "-->",
        "<?",
        "?>",
        "<!DOCTYPE",
        "<b>",
        "xmlns:a='b'",
        "\n",
        "\x00",
        "你好",
        "word",
        "3/4",
        "\ud800",
    ]
)


@settings(max_examples=400, deadline=1000)
@given(st.one_of(st.text(), st.lists(TAGS, max_size=40).map("".join), st.lists(TAGS, max_size=40).map(" ".join)))
@example("<speak><![CDATA[</speak>")
def test_nonsense_is_either_read_or_refused_as_a_script(text: str) -> None:
    looks_marked(text)
    try:
        marked = parse_ssml(text, "zh-CN")
    except ScriptError as error:
        assert str(error).startswith("line ")
        return
    for span in marked.spans:
        assert 0 <= span.start <= span.end <= len(marked.text)
        if span.kind not in ("mark", "break"):
            assert marked.text[span.start : span.end].strip() == marked.text[span.start : span.end] != ""
