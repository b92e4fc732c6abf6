"""What can be said of a model's text."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from anchor.dialogue.speakable import Piece, Reference, Speakable, Unknown

RICH = (
    "<think>Let me see [1] ...</think># Fees\n\nA **transfer** costs `5` yuan [1].\n"
    "- See [the list](https://a.b/c?d=e) 😀\n2. Or www.bank.example/fees, [2, 3] please.\n"
    "| a | b |\n|---|---|\n[unknown] 转账收费【2】。一共 5 元！_Really_"
)


def said(*pieces: str) -> list[Piece]:
    """What comes out, texts that follow one another put together."""
    speakable = Speakable()
    found = [piece for text in pieces for piece in speakable.feed(text)] + speakable.end()
    whole: list[Piece] = []
    for piece in found:
        if isinstance(piece, str) and whole and isinstance(whole[-1], str):
            whole[-1] += piece
        else:
            whole.append(piece)
    return whole


def test_markup_addresses_and_pictures_are_left_out() -> None:
    text = "".join(piece for piece in said(RICH) if isinstance(piece, str))
    for sign in ("*", "_", "`", "#", "|", "http", "www", "😀", "think", "Let me", "](", "2. "):
        assert sign not in text
    for kept in ("transfer costs 5 yuan.", "See the list", "转账收费。一共 5 元！", "Really"):
        assert kept in text


def test_references_and_the_mark_of_not_knowing_are_found() -> None:
    marks = [piece for piece in said(RICH) if not isinstance(piece, str)]
    assert marks == [Reference(1), Reference(2), Reference(3), Unknown(), Reference(2)]


@given(st.lists(st.integers(0, len(RICH)), max_size=12))
def test_how_a_text_is_cut_makes_no_difference(cuts: list[int]) -> None:
    bounds = [0, *sorted(cuts), len(RICH)]
    assert said(*(RICH[a:b] for a, b in itertools.pairwise(bounds))) == said(RICH)


@given(st.text(alphabet="a1 [](){}<>*_`#|-\n.think/中。", max_size=60))
def test_no_text_breaks_it_and_nothing_waits_for_ever(text: str) -> None:
    assert said(*text) == said(text)
    speakable = Speakable()
    held = sum(len(piece) for piece in speakable.feed("[" + "long " * 200) if isinstance(piece, str))
    assert held > 0


def test_plain_text_comes_word_by_word_as_it_is() -> None:
    speakable = Speakable()
    assert speakable.feed("It costs fi") == ["It costs"]
    assert speakable.feed("ve yuan. ") == [" five yuan."]
    assert speakable.feed("您好，欢迎") == [" 您好，欢迎"]
