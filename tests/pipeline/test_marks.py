"""Spans of a text: through the segmenter to the voice, and marks out on beats."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anchor.broadcast.ssml import parse_ssml
from anchor.clock import run_virtual
from anchor.events import LowerThird, Sentence, Span
from anchor.graphics import Graphics
from anchor.media import SAMPLE_RATE, Beat
from anchor.pipeline.carrier import letter_of_text
from anchor.pipeline.performer import Step
from anchor.pipeline.segmenter import Segmenter
from anchor.pipeline.utterance import Cue, Utterance
from anchor.testing import FakeVoice
from tests.pipeline.stage import Stage, free_stage, heard


def cut(text: str, spans: tuple[Span, ...] = (), *, longest: int = 200) -> list[Sentence]:
    segmenter = Segmenter("en", spans=spans, longest=longest)
    return [*segmenter.feed(text), *segmenter.finish()]


def letters(text: str) -> str:
    return "".join(filter(letter_of_text, text))


PIECES = st.lists(
    st.sampled_from(["Good evening", ". ", ", ", "! ", "\n", "\n\n", "  ", "\t", "\x00", "\u200b", "你好", "。", "，",
                     "3.14", "Dr. ", "a", "B", "😀", "…", "“", "”", "word " * 12, "字" * 60, "\r\n"]),
    max_size=30,
).map("".join)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(PIECES, st.lists(st.tuples(st.integers(0, 400), st.integers(0, 60)), max_size=6))
def test_spans_stay_on_their_characters(text: str, places: list[tuple[int, int]]) -> None:
    kinds = ("emphasis", "sub", "prosody", "say-as", "lang", "phoneme")
    spans, end = [], 0
    for number, (start, length) in enumerate(sorted(places)):
        first = min(len(text), max(start, end))
        end = min(len(text), first + length)
        spans.append(Span(first, end, kinds[number], str(number)))  # type: ignore[arg-type]
    sentences = cut(text, tuple(spans))
    # No letter has gone (where there is nothing to say, none comes): what a span holds is what it held.
    said = "".join(letters(sentence.text) for sentence in sentences)
    for span in spans:
        parts = [
            sentence.text[one.start : one.end]
            for sentence in sentences
            for one in sentence.spans
            if one.value == span.value
        ]
        assert all(part and part.strip() == part for part in parts)
        held = letters(text[span.start : span.end])
        if said == letters(text):
            assert letters("".join(parts)) == held
        else:
            assert held.startswith(letters("".join(parts)))
        if span.kind in ("sub", "say-as", "phoneme"):
            assert len(parts) <= 1, "it is read as one"


@settings(max_examples=300, deadline=None)
@given(PIECES, st.lists(st.integers(0, 400), max_size=6, unique=True))
def test_no_mark_is_lost_and_each_stands_before_the_letter_it_stood_before(text: str, places: list[int]) -> None:
    spans = [
        Span(min(at, len(text)), min(at, len(text)), "mark", str(number)) for number, at in enumerate(sorted(places))
    ]
    sentences = cut(text, tuple(spans))
    if not sentences:
        return
    found: dict[str, int] = {}
    gone = 0
    for sentence in sentences:
        for span in sentence.spans:
            found[span.value] = gone + len(letters(sentence.text[: span.start]))
        gone += len(letters(sentence.text))
    if gone == len(letters(text)):
        assert found == {span.value: len(letters(text[: span.start])) for span in spans}
    assert found.keys() == {span.value for span in spans}


def test_the_same_text_is_cut_alike_with_and_without_spans() -> None:
    text = "Good evening, all of you. Here is the news!\n\nIt is late. " + "word " * 80
    plain = cut(text)
    marked = cut(text, (Span(5, 9, "emphasis", "strong"), Span(30, 30, "mark", "a")))
    assert [(one.text, one.pause) for one in plain] == [(one.text, one.pause) for one in marked]


def test_a_break_between_sentences_is_their_pause() -> None:
    marked = parse_ssml('One.<break time="2s"/> Two <break time="1s"/>three.<break strength="none"/> Four.', "en")
    sentences = cut(marked.text, marked.spans)
    assert [sentence.pause for sentence in sentences] == pytest.approx([1.98, 0.0, 0.35])
    assert [span.seconds for span in sentences[1].spans] == [1.0]


SCRIPT = parse_ssml('<mark name="first"/>One two <mark name="middle"/>three four. Five <mark name="last"/>six.', "en")


def utterance(voice: FakeVoice, **further: object) -> Utterance:
    return Utterance(SCRIPT.text, "en", voice, spans=SCRIPT.spans, **further)  # type: ignore[arg-type]


def begins(beats: list[Beat], word: str) -> int:
    """The beat in which a word begins, of a voice whose words are 0.2 s."""
    return next(beat.index for beat in beats for one in beat.words if one.text.startswith(word)) - 5


def test_marks_come_on_the_beat_in_which_the_next_word_begins() -> None:
    async def main() -> list[Beat]:
        stage = free_stage()
        async with stage.performer.open():
            stage.performer.perform(utterance(stage.voice))
            return await stage.play()

    beats = run_virtual(main())
    marks = {mark: beat.index for beat in beats for mark in beat.marks}
    assert list(marks) == ["first", "middle", "last"]
    assert marks["middle"] == pytest.approx(begins(beats, "three"), abs=1)
    assert marks["last"] == pytest.approx(begins(beats, "six"), abs=1)
    assert heard(beats) == "One two three four. Five six."


def test_a_mark_behind_the_last_word_comes_when_that_is_over() -> None:
    async def main() -> list[Beat]:
        stage = free_stage()
        async with stage.performer.open():
            marked = parse_ssml('One two.<mark name="end"/>', "en")
            stage.performer.perform(Utterance(marked.text, "en", stage.voice, spans=marked.spans))
            return await stage.play()

    beats = run_virtual(main())
    (end,) = [beat for beat in beats if beat.marks]
    assert end.marks == ("end",)
    assert end.index >= max(beat.index for beat in beats if beat.words)


NEWS, MAP = Graphics(headline="News"), Graphics(headline="Map")
CUES = {
    "middle": Cue(graphics=MAP, gestures=("nod",)),
    "last": Cue(lower_third=LowerThird("Six"), mood="serious"),
}


def test_cues_change_what_is_shown_until_they_are_changed_again() -> None:
    async def main() -> list[Step]:
        stage = free_stage()
        steps: list[Step] = []
        async with stage.performer.open():
            stage.performer.perform(utterance(stage.voice, graphics=NEWS, cues=CUES, mood="warm"))
            stage.performer.finish()
            while (step := await stage.performer.next()) is not None:
                stage.performer.release(step)
                steps.append(step)
        return steps

    steps = [step for step in run_virtual(main()) if step.performance is not None]
    marks = {mark: number for number, step in enumerate(steps) if step.block for mark in step.block.marks}
    for number, step in enumerate(steps):
        assert step.graphics == (NEWS if number < marks["middle"] else MAP)
        assert step.lower_third == (None if number < marks["last"] else LowerThird("Six"))
        assert step.mood == ("warm" if number < marks["last"] else "serious")
        assert step.gestures == (("nod",) if number == marks["middle"] else ())


def test_after_an_aside_what_is_shown_is_as_it_was() -> None:
    async def main() -> list[str]:
        stage = Stage()
        shown: list[str] = []
        next_step = stage.performer.next

        async def watched() -> Step | None:
            step = await next_step()
            if step is not None and step.performance is not None and (not shown or shown[-1] != step.graphics.headline):
                shown.append(step.graphics.headline)
            return step

        stage.performer.next = watched  # type: ignore[method-assign]
        async with stage.running():
            long = stage.performer.perform(utterance(stage.voice, graphics=NEWS, cues=CUES))
            await stage.after(0.3)
            stage.performer.perform(
                Utterance("Breaking news.", "en", stage.voice, priority=5, graphics=Graphics(headline="Breaking"))
            )
            assert await long.wait() == "said"
        return shown

    assert run_virtual(main()) == ["News", "Map", "Breaking", "Map"]


def test_resuming_makes_no_gesture_twice() -> None:
    async def main() -> int:
        stage = Stage()
        gestures = 0
        async with stage.performer.open():
            stage.performer.perform(utterance(stage.voice, cues=CUES))
            await stage.after(0.1)
            hushed = False
            for _ in range(60):
                step = await stage.performer.next()
                assert step is not None
                gestures += len(step.gestures)
                if step.gestures and not hushed:
                    stage.performer.hush()
                stage.performer.release(step)
                if step.gestures and not hushed:
                    hushed = True
                    stage.performer.resume()
                await stage.after(0.04)
        return gestures

    assert run_virtual(main()) == 1


def test_a_break_is_silence_that_captions_and_words_go_around() -> None:
    async def main() -> list[Beat]:
        stage = free_stage()
        async with stage.performer.open():
            marked = parse_ssml('One two <break time="1s"/>three.', "en")
            stage.performer.perform(Utterance(marked.text, "en", stage.voice, spans=marked.spans))
            return await stage.play()

    beats = run_virtual(main())
    sound = np.concatenate([beat.audio for beat in beats])
    quiet = np.flatnonzero(np.abs(sound) > 0.01)
    assert np.diff(quiet).max() / SAMPLE_RATE == pytest.approx(1.0, abs=0.02)
    assert {beat.caption.lines for beat in beats if beat.caption} == {("One two three.",)}
    assert heard(beats) == "One two three."


def test_a_sentence_that_is_left_out_leaves_its_marks() -> None:
    async def main() -> list[Beat]:
        stage = free_stage()
        async with stage.performer.open():
            gate = lambda sentence: None if "One" in sentence.text else sentence  # noqa: E731
            stage.performer.perform(utterance(stage.voice, gate=gate))
            return await stage.play()

    beats = run_virtual(main())
    assert [mark for beat in beats for mark in beat.marks] == ["first", "middle", "last"]
    assert heard(beats) == "Five six."
