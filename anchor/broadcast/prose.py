"""Text for a presenter: its language, the cues in it, and plain-text scripts.

In any text, ``[mood: warm]`` holds from its place to the next, ``[gesture: nod]`` is made at its place, and neither is
spoken. SSML tags may stand beside them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import replace

from anchor.broadcast.segments import Script, Segment
from anchor.broadcast.ssml import Marked, looks_marked, parse_ssml
from anchor.errors import ScriptError
from anchor.events import Gesture, Mood, Span
from anchor.pipeline.manner import gesture_named, mood_named

_CUE = re.compile(r"\[\s*(mood|gesture)\s*[:\uff1a]\s*([^\]\n]*)\]", re.IGNORECASE)
_LINE = re.compile(r"line (\d+): (.*)", re.DOTALL)
_SENTENCE = re.compile(r"[^。！？!?.]*(?:[。！？!?]+|\.(?=\s|$)|\.)?[”’」』）)\"']*\s*")


def parse_text(text: str, language: str | None = None, *, title: str = "", where: str = "line") -> Script:
    """Plain text to a script: blank lines part segments. Text without a letter or digit is left out.

    Raises `ScriptError` that names the line of a mood or gesture that there is not.
    """
    segments: list[Segment] = []
    for number, paragraph in paragraphs(text):
        marked = read_marked(paragraph, language, where, number)
        if speakable(marked.text):
            chosen = language or guess_language(without_cues(marked.text))
            segments.append(Segment(marked.text, chosen, line=number, spans=marked.spans))
    found = directed(segments, where)
    return Script(title, found, tuple(segment.language for segment in found[:1]))


def paragraphs(text: str) -> Iterator[tuple[int, str]]:
    """What stands between blank lines, with the line where it begins, from 1."""
    lines: list[str] = []
    for number, line in enumerate([*text.splitlines(), ""], start=1):
        if line.strip():
            lines.append(line.strip())
        elif lines:
            yield number - len(lines), "\n".join(lines)
            lines = []


def read_marked(text: str, language: str | None, where: str, line: int) -> Marked:
    """A text that begins in `line` of a file, with SSML or without. Raises `ScriptError` with `where` and line."""
    if not looks_marked(text):
        return Marked(text, ())
    try:
        return parse_ssml(text, language or guess_language(re.sub(r"<[^>]*>", "", text)))
    except ScriptError as error:
        found = _LINE.match(str(error))
        number = line + int(found[1]) - 1 if found else line
        raise ScriptError(f"{where}:{number}: {found[2] if found else error}") from None


def without_cues(text: str) -> str:
    return _CUE.sub("", text)


def faulty_cues(text: str) -> Iterator[tuple[int, str]]:
    """Moods and gestures in a text that there are not: how many lines down, and what is wrong."""
    for found in _CUE.finditer(text):
        try:
            mood_named(found[2]) if found[1].lower() == "mood" else gesture_named(found[2])
        except ScriptError as error:
            yield text.count("\n", 0, found.start()), str(error)


def directed(segments: Iterable[Segment], where: str) -> tuple[Segment, ...]:
    """Part segments at the cues in their text and take those out; a mood holds until the next.

    Spans stay with their words, and what a mark has changed stays changed in the parts after it.
    """
    found: list[Segment] = []
    mood: Mood | None = None
    gestures: tuple[Gesture, ...] = ()
    for segment in segments:
        mood = segment.mood or mood
        gestures += segment.gestures
        now, parts = segment, []
        for start, end, kind, name in _stretches(segment.text):
            line = segment.line + segment.text.count("\n", 0, start)
            try:
                if kind == "mood":
                    mood = mood_named(name)
                elif kind:
                    gestures += (gesture_named(name),)
            except ScriptError as error:
                raise ScriptError(f"{where}:{line}: {error}") from None
            text, spans = cut(segment.text, segment.spans, start, end)
            if speakable(text):
                parts.append(replace(now, text=text, spans=spans, line=line, mood=mood, gestures=gestures, pause=0.0))
                gestures = ()
            now, mood = _after_marks(now, spans, mood)
        if parts:
            parts[-1] = replace(parts[-1], pause=segment.pause)
            found += _numbered(parts, segment)
        elif not segment.text:
            found.append(replace(segment, text="", spans=(), mood=mood, gestures=gestures))
            gestures = ()
    return tuple(found)


def _stretches(text: str) -> Iterator[tuple[int, int, str, str]]:
    """Start and end of the text between cues, and the kind and name of the cue before it."""
    start, kind, name = 0, "", ""
    for found in _CUE.finditer(text):
        yield start, found.start(), kind, name
        start, kind, name = found.end(), found[1].lower(), found[2]
    yield start, len(text), kind, name


def cut(text: str, spans: Iterable[Span], start: int, end: int) -> tuple[str, tuple[Span, ...]]:
    """A part of a text without the white space around it, and what the spans say of it."""
    piece = text[start:end]
    first, over = start, end if end < len(text) else end + 1
    start += len(piece) - len(piece.lstrip())
    end = max(start, end - (len(piece) - len(piece.rstrip())))
    kept = []
    for span in spans:
        if span.start == span.end:
            if first <= min(span.start, len(text)) < over:
                place = min(max(span.start, start), end) - start
                kept.append(replace(span, start=place, end=place))
        elif span.start < end and span.end > start:
            kept.append(replace(span, start=max(span.start, start) - start, end=min(span.end, end) - start))
    return piece.strip(), tuple(kept)


def _after_marks(segment: Segment, spans: Iterable[Span], mood: Mood | None) -> tuple[Segment, Mood | None]:
    for span in spans:
        cue = segment.cues.get(span.value) if span.kind == "mark" else None
        if cue is not None:
            mood = cue.mood or mood
            segment = replace(
                segment,
                graphics=segment.graphics if cue.graphics is None else cue.graphics,
                lower_third=segment.lower_third if cue.lower_third is None else cue.lower_third,
            )
    return segment, mood


def _numbered(parts: list[Segment], whole: Segment) -> Iterator[Segment]:
    """Parts with ids of their own, each with its share of the translation."""
    if len(parts) == 1:
        yield replace(parts[0], translation=without_cues(whole.translation).strip())
        return
    shares = _shared(whole.translation, [len(part.text) for part in parts])
    for number, (part, translation) in enumerate(zip(parts, shares, strict=True), start=1):
        own = f"{whole.id}+{number}" if whole.id and number > 1 else whole.id
        yield replace(part, id=own, translation=translation)


def _shared(translation: str, lengths: list[int]) -> list[str]:
    """A translation cut at its own cues where there are as many, else between sentences, by the parts' lengths."""
    pieces = [
        translation[start:end].strip()
        for start, end, _, _ in _stretches(translation)
        if speakable(translation[start:end])
    ]
    if len(pieces) == len(lengths):
        return pieces
    sentences = [sentence for sentence in _SENTENCE.findall(" ".join(pieces)) if sentence]
    total, whole = sum(map(len, sentences)) or 1, sum(lengths)
    ends = [sum(lengths[: number + 1]) / whole for number in range(len(lengths))]
    shares, place, done = [""] * len(lengths), 0, 0
    for sentence in sentences:
        middle = (done + len(sentence) / 2) / total
        while place < len(ends) - 1 and middle > ends[place]:
            place += 1
        shares[place] += sentence
        done += len(sentence)
    return [share.strip() for share in shares]


def speakable(text: str) -> bool:
    """Whether there is a letter, digit or ideograph to say."""
    return any(unicodedata.category(character)[0] in "LN" for character in text)


def guess_language(text: str) -> str:
    """Tell Chinese, Japanese and Korean from the rest by their letters; the rest is English."""
    han = len(re.findall(r"[\u3400-\u9fff]", text))
    kana = len(re.findall(r"[\u3040-\u30ff]", text))
    hangul = len(re.findall(r"[\uac00-\ud7af]", text))
    latin = len(re.findall(r"[A-Za-z\u00c0-\u024f]", text)) / 3
    if kana * 5 > han and kana > latin:
        return "ja"
    if hangul > max(han, latin):
        return "ko"
    return "zh-CN" if han > latin else "en"
