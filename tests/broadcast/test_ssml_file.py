from pathlib import Path

import pytest

from anchor.broadcast.script import languages_of, load_script
from anchor.errors import ScriptError

NEWS = """\
<?xml version="1.0" encoding="UTF-8"?>
<speak version="1.1" xmlns="http://www.w3.org/2001/10/synthesis" xml:lang="en">
  <p>Good <emphasis level="strong">evening</emphasis>. [mood: serious] Here is the news.</p>
  <break time="1s"/>
  <prosody rate="slow">
    <p xml:lang="zh-CN">晚上好。<mark name="here"/>经济增长。</p>
  </prosody>
  <p>A &amp; B: 1 &lt; 2, <sub alias="World Wide Web">WWW</sub>.</p>
</speak>
"""


def load(folder: Path, text: str, language: str | None = None) -> list[tuple[str, str, int]]:
    path = folder / "news.ssml"
    path.write_text(text, "utf-8")
    return [(segment.text, segment.language, segment.line) for segment in load_script(path, language).segments]


def test_each_paragraph_is_a_segment_in_its_own_language(tmp_path: Path) -> None:
    assert load(tmp_path, NEWS) == [
        ("Good evening.", "en", 3), ("Here is the news.", "en", 3), ("晚上好。经济增长。", "zh-CN", 6),
        ("A & B: 1 < 2, WWW.", "en", 8),
    ]  # fmt: skip
    assert languages_of(tmp_path / "news.ssml") == ("en",)


def test_what_stands_around_and_between_paragraphs_goes_with_them(tmp_path: Path) -> None:
    load(tmp_path, NEWS)
    first, second, third, fourth = load_script(tmp_path / "news.ssml").segments
    assert [(span.kind, first.text[span.start : span.end]) for span in first.spans] == [("emphasis", "evening")]
    assert [(span.kind, span.seconds, span.start) for span in second.spans] == [("break", 1.0, len(second.text))]
    assert "here" in [span.value for span in third.spans]
    assert [span.value for span in fourth.spans] == ["World Wide Web"]


def test_without_paragraphs_all_of_it_is_one_segment(tmp_path: Path) -> None:
    assert load(tmp_path, "<speak>One. <break/>Two.</speak>") == [("One. Two.", "en", 1)]
    assert load(tmp_path, '<speak xml:lang="fr">Bonjour.</speak>', "en") == [("Bonjour.", "fr", 1)]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("<speak><p>One.</p></spek>", r"news\.ssml:1: is not proper SSML: "),
        ("<speak>\n<p>One.\n</speak>", r"news\.ssml:3: is not proper SSML"),
        ("<speak>\n<p>One.</p>\nTwo.\n<p>Three.</p></speak>", r"news\.ssml:2: 'Two\.' stands outside of <p>"),
        ("<speak>Zero.\n<p>One.</p></speak>", r"news\.ssml:2: 'Zero\.' stands outside of <p>"),
        ("<speak><p>One <p>two</p></p></speak>", r"news\.ssml:1: a <p> in a <p>"),
        ("<!DOCTYPE x [<!ENTITY a 'b'>]>\n<speak><p>&a;</p></speak>", r"news\.ssml:1: a DOCTYPE is not taken"),
        ("<speak>" + "<s>" * 100 + "</s>" * 100 + "</speak>", r"news\.ssml:1: is nested more than 64 deep"),
        ("Just text.", r"news\.ssml:1: there is no SSML in it"),
        ("<speak><p>...</p></speak>", "nothing to say"),
        ("<speak>\n<p>One [mood: odd] two.</p></speak>", r"news\.ssml:2: mood: 'odd' is unknown"),
    ],
)
def test_a_mistake_is_named_with_file_and_line(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(ScriptError, match=named):
        load(tmp_path, text)
