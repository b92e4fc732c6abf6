import time
from pathlib import Path

import pytest

from anchor.broadcast.rundown import check_rundown, read_rundown
from anchor.broadcast.script import languages_of, load_script
from anchor.errors import RundownError, ScriptError
from anchor.events import LowerThird
from anchor.graphics import Chart, Grid, Media, Series

PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
MP4 = b"\0\0\0\x18ftypisom" + bytes(40)

WHOLE = """\
title: {zh: 晚间新闻, en: Evening news}
languages: [zh, en]
second_language: en
voices: {zh: mei, en: amy}
avatar: lin
template: newsroom
ticker: {zh: [一, 二], en: [One, Two]}
segments:
  - id: top
    text:
      zh: '晚上好。<mark name="gdp"/>经济增长。'
      en: 'Good evening. <mark name="gdp"/>The economy grows.'
    lower_third: {title: {zh: 林, en: Lin}, subtitle: {zh: 主播, en: Anchor}}
    headline: {text: {zh: 头条, en: Top}, kicker: {zh: 今天, en: Today}}
    mood: warm
    gesture: [nod, smile]
    pause: 1.5
    cues:
      - mark: gdp
        headline: none
        mood: serious
        chart: {kind: bar, labels: [a, b], values: [1, 2.5], unit: "%", highlight: b}
  - id: film
    clip: {file: film.mp4, credit: Archive}
  - text: {zh: 图, en: Picture}
    picture: {file: moon.png, place: corner}
    ticker: none
    voice: bob
    avatar: leo
  - credits: [A, "", B]
    transition: cut
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "film.mp4").write_bytes(MP4)
    (tmp_path / "moon.png").write_bytes(PNG)
    (tmp_path / "news.yaml").write_text(WHOLE, "utf-8")
    return tmp_path


def problems(text: str, folder: Path) -> list[tuple[int, str]]:
    return [(problem.line, problem.message) for problem in check_rundown(text, folder / "new.yaml")]


def test_one_rundown_is_read_in_the_language_that_is_asked_for(folder: Path) -> None:
    path = folder / "news.yaml"
    zh, en = load_script(path), load_script(path, "en-GB")
    assert (zh.title, zh.languages, zh.second_language, zh.template) == ("晚间新闻", ("zh", "en"), "en", "newsroom")
    assert [segment.language for segment in zh.segments] == ["zh"] * 4
    assert en.segments[0].lower_third == LowerThird("Lin", "Anchor")
    assert [segment.text for segment in en.segments] == ["Good evening. The economy grows.", "", "Picture", ""]
    assert languages_of(path) == ("zh", "en")
    with pytest.raises(ScriptError, match=r"news\.yaml:2: languages: is not in fr; it is in zh, en"):
        load_script(path, "fr")


def test_the_second_language_is_the_translation(folder: Path) -> None:
    zh, en = load_script(folder / "news.yaml"), load_script(folder / "news.yaml", "en")
    assert zh.segments[0].translation == "Good evening. The economy grows."
    assert (en.segments[0].translation, en.second_language) == ("", "")


def test_a_second_language_may_be_the_channels(folder: Path) -> None:
    text = "languages: [zh, en]\nsegments:\n- text: {zh: 你好, en: Hello}\n"
    assert read_rundown(text, folder / "a.yaml", second_language="en").segments[0].translation == "Hello"


def test_voices_go_by_language_and_a_segment_may_have_its_own(folder: Path) -> None:
    zh, en = load_script(folder / "news.yaml"), load_script(folder / "news.yaml", "en")
    assert [segment.voice for segment in zh.segments] == ["mei", "mei", "bob", "mei"]
    assert [segment.voice for segment in en.segments] == ["amy", "amy", "bob", "amy"]
    assert [segment.avatar for segment in en.segments] == ["lin", "lin", "leo", "lin"]


def test_a_cue_shows_what_its_segment_does_changed(folder: Path) -> None:
    top = load_script(folder / "news.yaml", "en").segments[0]
    assert (top.graphics.headline, top.graphics.kicker, top.graphics.ticker) == ("Top", "Today", ("One", "Two"))
    cue = top.cues["gdp"]
    assert cue.graphics is not None
    assert (cue.graphics.headline, cue.graphics.kicker, cue.graphics.ticker) == ("", "", ("One", "Two"))
    assert cue.graphics.inset == Chart("bar", ("a", "b"), (Series("", (1.0, 2.5)),), unit="%", highlight="b")
    assert (cue.mood, cue.lower_third, top.mood, top.gestures) == ("serious", None, "warm", ("nod", "smile"))
    assert [(span.kind, span.value, span.start) for span in top.spans] == [("mark", "gdp", 14)]


def test_cues_build_on_each_other_in_the_order_of_their_marks(folder: Path) -> None:
    text = """\
segments:
- text: 'One <mark name="a"/>two <mark name="b"/>three.'
  cues:
  - {mark: b, headline: Second}
  - {mark: a, picture: moon.png}
"""
    cues = read_rundown(text, folder / "a.yaml").segments[0].cues
    assert list(cues) == ["a", "b"]
    assert cues["b"].graphics is not None
    assert cues["b"].graphics.inset == Media(folder / "moon.png")
    assert cues["b"].graphics.headline == "Second"


def test_what_stands_alone_fills_the_picture_and_is_heard(folder: Path) -> None:
    _, film, picture, rolled = load_script(folder / "news.yaml").segments
    assert film.graphics.inset == Media(folder / "film.mp4", "full", clip=True, credit="Archive", sound="full")
    assert picture.graphics.inset == Media(folder / "moon.png", "corner")
    assert picture.graphics.ticker == ()
    assert (rolled.graphics.credits, rolled.graphics.transition) == (("A", "", "B"), "cut")


def test_what_a_mark_changed_stays_in_the_parts_after_a_mood(folder: Path) -> None:
    text = """\
segments:
- id: x
  text: 'One. <mark name="a"/>Two. [mood: serious] <emphasis>Three</emphasis>.'
  cues: [{mark: a, headline: New, lower_third: {title: Her}}]
"""
    first, second = read_rundown(text, folder / "a.yaml").segments
    assert (first.id, second.id, second.origin) == ("x", "x+2", "x")
    assert (second.graphics.headline, second.lower_third, second.mood) == ("New", LowerThird("Her"), "serious")
    assert [(second.text[span.start : span.end], span.kind) for span in second.spans] == [("Three", "emphasis")]


def test_a_translation_is_parted_where_the_text_is(folder: Path) -> None:
    text = """\
language: zh
second_language: en
segments:
- text:
    zh: '你好。[mood: serious] 今天的新闻。明天的天气。'
    en: 'Hello. [mood: serious] News of today. Weather of tomorrow.'
- text:
    zh: '你好。[mood: warm] 今天的新闻。明天的天气。'
    en: Hello. News of today. Weather of tomorrow.
"""
    found = [segment.translation for segment in read_rundown(text, folder / "a.yaml").segments]
    assert found == ["Hello.", "News of today. Weather of tomorrow."] * 2


def test_segments_without_an_id_get_one_of_what_they_say(folder: Path) -> None:
    first = read_rundown("segments: [One, Two, One]", folder / "a.yaml").segments
    turned = read_rundown("segments: [Two, One]", folder / "a.yaml").segments
    assert len({segment.id for segment in first}) == 3
    assert [segment.id for segment in turned] == [first[1].id, first[0].id]


def test_all_problems_are_told_with_line_segment_and_key(folder: Path) -> None:
    text = """\
titel: News
languages: [zh, en]
segments:
  - text: {zh: 你好}
  - {id: a, text: {zh: 一, en: One}, moood: warm}
  - {id: a, text: {zh: 二, en: Two}, picture: none.png}
  - text: Nobody knows in which language.
  - pause: 3
"""
    found = check_rundown(text, folder / "new.yaml")
    assert [(one.line, one.segment, one.key) for one in found] == [
        (1, None, "titel"), (4, 0, "text"), (5, 1, "moood"), (6, 2, "id"), (6, 2, "picture"), (7, 3, "text"),
        (8, 4, "text"),
    ]  # fmt: skip
    assert [one.message[:35] for one in found] == [
        "unknown key 'titel' in a rundown; d", "text: there is none in en; there is",
        "unknown key 'moood' in a segment; d",
        "id: 'a' is there twice", "picture: there is no file " + str(folder)[:9], "text: there is none in en; write te",
        "text: a segment needs one, or a cli",
    ]  # fmt: skip
    with pytest.raises(RundownError, match=r"new\.yaml:1: .*\n\(and \d more\)") as caught:
        read_rundown(text, folder / "new.yaml", "en")
    assert set(caught.value.problems) <= set(found)


@pytest.mark.parametrize(
    ("text", "line", "named"),
    [
        ("segments:\n- text: [mood: warm] Hello.\n", 2, "quotes around text that begins with ["),
        ("segments:\n- text: Today: rain.\n", 2, "quotes around text that has ': ' in it"),
        ("title: A\ntitle: B\nsegments: [x]", 2, "title is there twice"),
        ("segments: [x]\n---\nsegments: [y]", 2, "second document"),
        ("segments: *x", 1, "x"),
        ("? [a]\n: b", 1, "key must be a word"),
        ("segments: " + "[" * 500 + "]" * 500, 1, "nest"),
        ("segments: " + "[" * 100_000, 1, "nest"),
        ("segments: []", 1, "nothing to say"),
        ('segments:\n- "Ring \\x07 now."\n', 2, "control character (U+0007)"),
        ("segments:\n- Ring \x07 now.\n", 2, "control characters are not allowed"),
        ("segments:\n- {text: x, picture: " + "y" * 5000 + "}\n", 2, "y… is no name of a file"),
        ("segments:\n- text: 2026-11-26\n- text: null\n", 3, "text is needed"),
        ("segments:\n- text: Hi\n  clip: moon.png\n", 3, "is a PNG file, not a clip"),
        ("segments:\n- text: Hi\n  picture: film.mp4\n", 3, "is a MP4 file, not a picture"),
        ("segments:\n- text: Hi\n  picture: https://x.example/a.png\n", 3, "is an address"),
        ("segments:\n- text: Hi\n  picture: moon.png\n  chart: {kind: bar, labels: [a], values: [1]}\n", 4, "at once"),
        ("segments:\n- text: Hi\n  picture: {file: moon.png, place: left}\n", 3, "'left' is unknown; there are full"),
        ("segments:\n- text: Hi\n  picture: {file: moon.png, sound: off}\n", 3, "unknown key 'sound'"),
        ("segments:\n- text: Hi\n  transition: blink\n", 3, "'blink' is unknown"),
        ("segments:\n- text: Hi\n  ticker: {a: b}\n", 3, "a line of text or a list of lines"),
        ("segments:\n- text: Hi\n  cues: [{mark: x, headline: y}]\n", 3, 'no <mark name="x"/>'),
        ("segments:\n- text: Hi\n  cues: [{headline: y}]\n", 3, "mark is needed"),
        ("segments:\n- text: '<mark name=\"x\"/>Hi'\n  cues: [{mark: x, lower_third: none}]\n", 3, "take it away"),
        ("segments:\n- text: 'Hi <sub alias=\"x\">y'\n", 2, "text: "),
        ("segments:\n- text: |\n    Hi there,\n    <emphasis>you.\n", 4, "text: "),
        ("segments:\n- text: |\n    Hi there,\n    [mood: odd] you.\n", 4, "mood: 'odd' is unknown"),
        ("segments:\n- text: {zh: 你好, en: Hello}\n", 2, "languages: [zh, en]"),
        ("languages: [zh, en]\nsegments:\n- {text: {zh: 你好, en: Hi, fr: Salut}}\n", 3, "'fr' is none of"),
        ("languages: [zh, en]\nsegments:\n- text: {zh: 你好, en: Hi}\n  headline: {zh: 头}\n", 4, "none in en"),
        ("languages: [zh, zh]\nsegments: [x]", 1, "zh is there twice"),
        ("languages: [zh]\nlanguage: en\nsegments: [{language: zh, text: x}]", 2, "none of languages"),
        ("language: 'not a tag'\nsegments: [x]", 1, "no language tag"),
        ("segments:\n- {id: 'a b', text: x}\n", 2, "letters, digits"),
        ("segments:\n- {text: x, avatar: none/there.zip}\n", 2, "avatar: there is no"),
        ("segments:\n- {text: x, headline: " + "y" * 600 + "}\n", 2, "do not fit"),
        ("segments:\n- {text: x, pause: .nan}\n", 2, "number of seconds"),
        ("voices: mei\nsegments: [x]", 1, "by language tag"),
        ("review: soon\nsegments: [x]", 1, "there are required, done"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_line(folder: Path, text: str, line: int, named: str) -> None:
    found = problems(text, folder)
    assert [(at, message) for at, message in found if at == line and named in message], found


def test_yaml_types_do_not_change_what_is_written(folder: Path) -> None:
    text = """\
language: no
segments:
- text: 2026-11-26
  headline: 1e3
  lower_third: {title: yes, subtitle: 0x10}
  ticker: [12:30, 007]
"""
    (segment,) = read_rundown(text, folder / "a.yaml").segments
    assert (segment.language, segment.text, segment.graphics.headline) == ("no", "2026-11-26", "1e3")
    assert segment.lower_third == LowerThird("yes", "0x10")
    assert segment.graphics.ticker == ("12:30", "007")


def test_a_lower_third_may_be_its_title_alone(folder: Path) -> None:
    text = "languages: [zh, en]\nsegments:\n- text: {zh: 你好, en: Hi}\n  lower_third: {zh: 林, en: Lin}\n"
    assert read_rundown(text, folder / "a.yaml", "en").segments[0].lower_third == LowerThird("Lin")
    (plain,) = read_rundown("segments:\n- {text: Hi, lower_third: Lin}\n", folder / "a.yaml").segments
    assert plain.lower_third == LowerThird("Lin")


def test_anchors_are_followed_and_a_bomb_of_them_is_refused(folder: Path) -> None:
    text = "segments:\n- text: One\n  lower_third: &third {title: Lin}\n- text: Two\n  lower_third: *third\n"
    assert [one.lower_third for one in read_rundown(text, folder / "a.yaml").segments] == [LowerThird("Lin")] * 2
    bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n"
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    begun = time.process_time()
    (problem,) = check_rundown(bomb, folder / "a.yaml")
    assert "200,000 values" in problem.message
    assert time.process_time() - begun < 1


def test_five_hundred_segments_in_three_languages_are_checked_at_once(folder: Path) -> None:
    text = "languages: [zh, en, ja]\nsegments:\n" + "".join(
        f"- text: {{zh: 第{number}条。, en: Item {number}., ja: ニュース{number}。}}\n"
        f"  lower_third: {{title: {{zh: 题, en: Title, ja: 題}}}}\n  picture: moon.png\n"
        for number in range(500)
    )
    begun = time.process_time()
    assert check_rundown(text, folder / "a.yaml") == []
    assert time.process_time() - begun < 2


def test_a_rundown_of_nothing_but_mistakes_is_answered_at_once(folder: Path) -> None:
    text = "segments:\n- text: Hi\n" + "".join(f"  k{number}: 1\n" for number in range(90_000))
    begun = time.process_time()
    assert len(check_rundown(text, folder / "a.yaml")) == 200
    assert time.process_time() - begun < 4


def test_a_draft_is_not_aired_before_somebody_has_looked_through_it(folder: Path) -> None:
    path = folder / "draft.yaml"
    path.write_text("review: required\nsegments: [Hello]\n")
    with pytest.raises(RundownError, match=r"draft\.yaml:1: review: .*look through it, then take this line out"):
        load_script(path)
    assert check_rundown(path.read_text(), path, draft=True) == []
    assert read_rundown(path.read_text(), path, draft=True).segments[0].text == "Hello"


def test_text_from_elsewhere_names_no_files_but_the_rundowns_own(folder: Path) -> None:
    below = folder / "rundowns"
    below.mkdir()
    (below / "link.csv").symlink_to(folder / "secret.csv")
    (folder / "secret.csv").write_text("a,b\n1,2\n")
    path = below / "show.yaml"
    for name in ("../secret.csv", str(folder / "secret.csv"), "link.csv"):
        text = f"segments:\n- text: Hi\n  table: {{data: {name}}}\n"
        (problem,) = check_rundown(text, path)
        assert "lies outside" in problem.message
        assert check_rundown(text, path, anywhere=True) == []
    path.write_text("segments:\n- text: Hi\n  table: {data: ../secret.csv}\n")
    assert check_rundown("segments:\n- text: Ho\n  table: {data: ../secret.csv}\n", path) == []
    table = load_script(path).segments[0].graphics.inset
    assert isinstance(table, Grid) and table.rows == (("1", "2"),)


def test_names_of_voices_and_avatars_are_checked_where_they_are_known(folder: Path) -> None:
    text = "voice: ammy\nsegments:\n- {text: Hi, avatar: linn}\n"
    found = check_rundown(text, folder / "a.yaml", voices=["amy"], avatars=["lin", "yue"])
    assert [problem.message for problem in found] == [
        "voice: there is no 'ammy'; did you mean amy?", "avatar: there is no 'linn'; did you mean lin?",
    ]  # fmt: skip


def test_a_text_renamed_to_a_picture_is_told(folder: Path) -> None:
    (folder / "fake.png").write_text("hello, I am text")
    (folder / "empty.png").write_bytes(b"")
    text = "segments:\n- {text: Hi, picture: fake.png}\n- {text: Hi, picture: empty.png}\n"
    assert [message.partition(" is ")[2] for _, message in problems(text, folder)] == [
        "text, not a picture; save it as PNG, JPEG or WebP", "empty, not a picture; save it as PNG, JPEG or WebP",
    ]  # fmt: skip
