"""Fonts and text: real glyphs or nothing, whatever the machine has."""

from __future__ import annotations

import logging
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anchor.linebreak import NEVER_FIRST
from avatars import fontbook, glyphs
from avatars.fontbook import PACKAGES, FontBook, FontSearch, fonts, installed, script_of
from avatars.typeset import ASCENT, Typesetter

BARE = FontBook.find(FontSearch())
PACKED = FontBook.find(FontSearch(packages=PACKAGES))


def same(first: np.ndarray, second: np.ndarray) -> bool:
    return first.shape == second.shape and bool((first == second).all())


def test_the_dependency_draws_every_script_without_any_system_font() -> None:
    report = fonts(PACKED)
    assert report.draws == ("latin", "zh-Hans", "zh-Hant", "ja", "ko")
    assert report.warnings == ()
    assert [path.name for path in report.files] == ["NotoSansCJK-Regular.ttc"]


def test_a_machine_without_fonts_is_told_what_is_missing_and_how_to_mend_it() -> None:
    (warning,) = fonts(BARE).warnings
    assert "Chinese" in warning
    assert "pip install noto-cjk-sans-otc" in warning
    assert fonts(BARE).files == ()


def test_a_folder_of_broken_fonts_is_as_good_as_an_empty_one(tmp_path: Path) -> None:
    whole = next(path for path in fonts(PACKED).files).read_bytes()
    (tmp_path / "NotoSansCJK-Bold.ttc").write_bytes(whole[:5000])
    (tmp_path / "NotoSansSC-Bold.otf").write_text("not a font")
    (tmp_path / "NotoSans-Bold.ttf").write_bytes(b"ttcf\x00\x02\x00\x00\xff\xff\xff\xff")
    (tmp_path / "DejaVuSans.ttf").write_bytes(b"")
    found = FontBook.find(FontSearch(folders=(tmp_path,)))
    assert [face.path for face in found.faces] == [None]


def test_a_font_in_a_folder_is_found_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "notosanscjk-bold.TTC").symlink_to(fonts(PACKED).files[0])
    found = FontBook.find(FontSearch(folders=(tmp_path,)))
    assert fonts(found).draws == fonts(PACKED).draws


@pytest.mark.parametrize("book", [BARE, PACKED, installed()], ids=["bare", "packed", "system"])
def test_the_label_is_set_in_real_glyphs_not_boxes(book: FontBook) -> None:
    setter = Typesetter(book)
    text = "AI人工智能生成合成AI-generated"
    assert setter.clean(text) == text
    marks = [setter.draw(character, 48) for character in dict.fromkeys(text.replace("-", ""))]
    for number, mark in enumerate(marks):
        # A box for a missing glyph would look the same for every character.
        assert not any(same(mark, other) for other in marks[:number])
        assert (mark > 127).sum() > 60


def test_every_face_claims_only_characters_it_has_a_glyph_for() -> None:
    for face in PACKED.faces:
        font = face.load(40)
        missing = font.getmask("\uffff").getbbox(), bytes(font.getmask("\uffff"))
        for character in "A€é人한かㄅ﨑":
            if character in face.coverage:
                mask = font.getmask(character)
                assert (mask.getbbox(), bytes(mask)) != missing, (face.family, character)


def test_own_glyphs_look_like_the_characters_of_a_real_font() -> None:
    setter, size = Typesetter(PACKED), 64
    margin, top = setter.margin(size), round(size * ASCENT) - round(size * 0.88)
    real = {c: setter.draw(c, size)[top : top + size, margin : margin + size] > 127 for c in glyphs.CHARACTERS}
    for character in sorted(glyphs.CHARACTERS):
        ours = glyphs.draw(character, size) > 127
        likeness = {other: float((ours & mask).sum() / (ours | mask).sum()) for other, mask in real.items()}
        assert max(likeness, key=lambda other: likeness[other]) == character
        assert likeness[character] > 0.4


def test_ideographs_take_the_shape_of_the_language() -> None:
    drawn = {language: Typesetter(PACKED, (language,)).draw("直骨", 48) for language in ("zh-CN", "zh-TW", "ja")}
    assert not same(drawn["zh-CN"], drawn["ja"])
    assert not same(drawn["zh-TW"], drawn["ja"])
    assert same(Typesetter(PACKED, ("en",)).draw("直骨", 48), drawn["zh-CN"])


@pytest.mark.parametrize(
    ("tag", "script"),
    [
        ("zh-CN", "zh-Hans"), ("zh", "zh-Hans"), ("cmn", "zh-Hans"), ("zh-TW", "zh-Hant"), ("zh_HK", "zh-Hant"),
        ("zh-Hant-CN", "zh-Hant"), ("yue", "zh-Hant"), ("ja-JP", "ja"), ("ko", "ko"), ("en-GB", "latin"), ("", "latin"),
    ],
)  # fmt: skip
def test_a_language_tag_names_its_script(tag: str, script: str) -> None:
    assert script_of(tag) == script


def test_emoji_and_control_characters_are_left_out() -> None:
    setter = Typesetter(PACKED)
    assert setter.clean("Hi\x00 there\u200b 😀👩‍💻\u2066!\ufe0f\ud800") == "Hi there !"
    assert setter.clean("two\nlines\tand\u3000more") == "two lines and more"


def test_what_no_font_has_is_spelled_plainer_before_it_is_left_out() -> None:
    setter = Typesetter(BARE)
    assert setter.clean("naïve café, Ｈｉ—５％") == "naive cafe, Hi-5%"
    assert setter.clean("大家好") == ""


def test_what_is_left_out_is_logged_once_for_its_kind(caplog: pytest.LogCaptureFixture) -> None:
    setter = Typesetter(BARE)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            setter.clean("大家好欢迎收看")
    assert len(caplog.records) == 1
    assert "CJK" in caplog.text


def test_english_quotes_stay_narrow_between_latin_letters_and_wide_in_chinese() -> None:
    setter = Typesetter(PACKED)
    assert setter.width("it’s", 100) < setter.width("its", 100) + 40
    assert setter.width("“新”", 100) == 300


def test_text_is_shrunk_and_then_cut_to_fit() -> None:
    setter = Typesetter(PACKED)
    text = "A headline that is rather too long"
    width = setter.width(text, 40)
    assert setter.fit(text, 40, width + 1, 30) == (text, 40)
    kept, size = setter.fit(text, 40, width * 0.9, 30)
    assert kept == text
    assert 30 <= size < 40
    cut, size = setter.fit(text, 40, width * 0.5, 30)
    assert size == 30
    assert cut.endswith("…")
    assert text.startswith(cut[:-1])
    assert setter.width(cut, size) <= width * 0.5


def test_wrapped_lines_fit_and_keep_kinsoku() -> None:
    setter = Typesetter(PACKED)
    text = "人工智能主播每秒生成二十五帧画面，配上四万八千个声音采样。"
    for room in (200, 240, 330):
        lines = setter.wrap(text, 30, room, 9)
        assert lines is not None
        assert "".join(lines) == text
        assert all(setter.width(line, 30) <= room and line[0] not in NEVER_FIRST for line in lines)
    assert setter.wrap(text, 30, 200, 2) is None


def test_no_stroke_is_cut_at_the_edge_of_a_mask() -> None:
    setter = Typesetter(installed())
    for text in ("ÅjgŁQ", "国龍鬱", "fÝ,", "Ệg"):
        mask = setter.draw(text, 50)
        assert not mask[0].any()
        assert not mask[-1].any()
        assert not mask[:, 0].any()
        assert not mask[:, -1].any()


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=40), st.sampled_from([BARE, PACKED]))
def test_any_text_can_be_cleaned_measured_and_drawn(text: str, book: FontBook) -> None:
    setter = Typesetter(book)
    clean = setter.clean(text)
    assert setter.clean(clean) == clean
    assert not any(unicodedata.category(character) in ("Cc", "Cf", "Cs", "Cn", "Co") for character in clean)
    mask = setter.draw(clean, 20)
    assert mask.dtype == np.uint8
    assert mask.shape[1] >= setter.width(clean, 20)


def test_own_characters_are_those_the_label_needs() -> None:
    assert frozenset("人工智能生成合") == fontbook.OWN
