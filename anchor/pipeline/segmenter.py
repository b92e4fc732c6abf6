"""A stream of text, cut into sentences for a voice.

Where it cuts depends on the text alone, not on the pieces it comes in nor on time. A cut needs to see what comes
after a stop ("3.14", "Dr. Smith", a closing quote, a blank line), so a sentence is released with the first character
of the next one, after a blank line, or at the end of the text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import AsyncIterable, AsyncIterator, Iterator, Sequence
from dataclasses import dataclass

from anchor.events import Sentence, Span
from anchor.linebreak import AWKWARD, penalties
from anchor.pipeline.carrier import Carrier, letter_of_text, spaces
from anchor.voice.text.scripts import is_cjk, script

STOP_PAUSE = 0.35
"""Seconds of silence after a sentence."""

LINE_PAUSE = 0.45
"""After a line that ends without a stop, such as a heading."""

PARAGRAPH_PAUSE = 0.8
"""After a blank line."""

COMMA_PAUSE = 0.15
"""Where a long sentence is cut at a comma."""

FORCED_PAUSE = 0.05
"""Where a text without any punctuation is cut."""

LONGEST = 200
"""Characters a sentence has at most."""

COMFORTABLE = 150
"""Weight past which a sentence is cut at its next comma. A Latin letter weighs 1, a Chinese character 2.5."""

FIRST = 30
"""Weight past which the very first sentence is cut at a comma, so that speech starts early."""

_STOPS = "。！？!?｡．"
_SOFT = "，、；：,;:—–…"
_CLOSERS = "”’」』）)】》〉]］｝}»"
_QUOTES = "\"'"
_STEP = 4096

# A full stop after these does not end a sentence.
_ABBREVIATIONS = frozenset(
    """mr mrs ms dr prof st jr sr gen sen rep gov lt col capt sgt rev hon vs inc ltd co corp dept approx est fig vol no
    nos ave blvd mt jan feb mar apr jun jul aug sept sep oct nov dec e.g i.e u.s u.k u.n e.u d.c ph.d a.k.a pp cf pres
    maj
    adm al sra srta ud uds núm pág mme mlle z.b d.h usw bzw ca nr str bd""".split()  # noqa: SIM905
)
_WORD_BEFORE = re.compile(r"([^\W\d_][\w.]*)$")


async def segment(
    text: AsyncIterable[str],
    language: str,
    *,
    spans: Sequence[Span] = (),
    longest: int = LONGEST,
    eager: bool = True,
) -> AsyncIterator[Sentence]:
    """Cut `text` into sentences of at most `longest` characters, each with its language and the pause after it.

    `language` is a BCP 47 tag; a sentence wholly in another script gets the language of that script. `eager` lets the
    first sentence end at a comma. Control characters are dropped and white space is made even; else no character is
    lost, except at the end where there is nothing left to say. Text with nothing to say yields nothing.

    `spans` are those of the whole text and go with their characters. No sentence is cut within a say-as, sub or
    phoneme, though it may get longer than `longest` for that. A break between two sentences is the pause there.
    """
    segmenter = Segmenter(language, spans=spans, longest=longest, eager=eager)
    async for piece in text:
        for sentence in segmenter.feed(piece):
            yield sentence
    for sentence in segmenter.finish():
        yield sentence


def language_of(text: str, language: str) -> str:
    """The language to speak `text` in: `language`, unless the text is wholly in a script of another one."""
    counts = {"han": 0, "kana": 0, "hangul": 0, "latin": 0, "other": 0, "": 0}
    for letter in text:
        counts[script(letter)] += 1
    given = language.replace("_", "-").lower().split("-")[0]
    east = counts["han"] + counts["kana"]
    if counts["hangul"] > east + counts["latin"]:
        return language if given == "ko" else "ko"
    if counts["kana"] * 5 > east and east > counts["latin"]:
        return language if given == "ja" else "ja"
    if counts["han"] and not counts["latin"] and given not in ("zh", "cmn", "yue", "ja"):
        return "zh-CN"
    if counts["latin"] and not east and not counts["hangul"] and given in ("zh", "cmn", "yue", "ja", "ko"):
        return "en"
    return language


@dataclass(frozen=True, slots=True)
class _Cut:
    end: int
    pause: float


class Segmenter:
    """The cutting itself, as a machine: text in, sentences out."""

    def __init__(
        self, language: str, *, spans: Sequence[Span] = (), longest: int = LONGEST, eager: bool = True
    ) -> None:
        self._language = language
        self._longest = longest
        self._eager = eager
        self._buffer = ""
        self._space = ""  # white space not yet passed on: what it is depends on all of it
        self._parted = False  # the white space ends a paragraph, and was passed on as that
        self._unsaid = ""  # what cannot be said alone and goes with the next sentence
        self._spans = Carrier(spans) if spans else None
        self._restart()

    def _restart(self) -> None:
        self._seen = 0
        self._soft = 0
        self._weight = 0.0

    def feed(self, piece: str) -> Iterator[Sentence]:
        for start in range(0, len(piece), _STEP):
            step = piece[start : start + _STEP]
            if self._spans is not None:
                self._spans.take([letter_of_text(letter) for letter in step])
            self._buffer += self._clean(step)
            yield from self._release(final=False)

    def finish(self) -> Iterator[Sentence]:
        yield from self._release(final=True)
        if self._buffer.strip():
            yield from self._sentence(len(self._buffer), STOP_PAUSE)
        if self._spans is not None:
            yield from self._spans.last()

    def _clean(self, piece: str) -> str:
        """Drop control characters; make white space a space, a line end or a blank line."""
        answer = []
        for letter in piece:
            if spaces(letter):
                self._space += "\n" if letter in "\n\u2028\x0b\x85" else "\n\n" if letter in "\u2029\x0c" else " "
                self._space = self._space[-2:] if self._space.count("\n") < 2 else "\n\n"
                if self._space == "\n\n" and not self._parted:
                    # A blank line always cuts, whatever comes after it: nobody has to wait for that.
                    answer.append(self._space)
                    self._parted = True
            elif not letter_of_text(letter):
                continue
            else:
                lines = self._space.count("\n")
                space = "" if self._parted else "\n" * lines if lines else " " if self._space else ""
                answer.append(space + letter)
                self._space, self._parted = "", False
        return "".join(answer)

    def _release(self, *, final: bool) -> Iterator[Sentence]:
        while (cut := self._cut(final)) is not None:
            yield from self._sentence(cut.end, cut.pause)

    def _sentence(self, end: int, pause: float) -> Iterator[Sentence]:
        piece, rest = self._buffer[:end], self._buffer[end:]
        self._buffer = rest.lstrip()
        self._restart()
        spaced = len(self._buffer) < len(rest) or piece[-1:].isspace() or not rest
        text = (self._unsaid + piece.replace("\n", " ")).strip()
        more = self._buffer or piece.endswith("\n\n") or rest.startswith("\n\n")
        joint = " " if spaced and more and text and not _is_wide(text) else ""
        if any(letter.isalnum() for letter in text):
            self._unsaid = ""
            self._eager = False
            sentence = Sentence(text + joint, language_of(text, self._language), pause)
            yield from (sentence,) if self._spans is None else self._spans.carried(sentence)
        elif len(text) < self._longest // 2:
            self._unsaid = text + joint
        else:
            self._unsaid = ""  # pages of rulers and emoji: nobody is to read them
            if self._spans is not None:
                self._spans.lose(text)

    def _cut(self, final: bool) -> _Cut | None:
        text = self._buffer
        limit = self._longest - len(self._unsaid)
        while self._seen < len(text):
            place = self._seen
            letter = text[place]
            if place >= limit:
                return self._unbroken(self._forced(limit), final)
            if letter == "\n":
                cut = self._line(place)
                if cut is not None and self._whole(cut.end):
                    return cut
            elif letter in _STOPS or letter in ".…":
                end = self._after_stop(place)
                if end >= len(text) and not final:
                    return None  # what follows decides
                if end <= limit and self._ends(place, end) and self._whole(end):
                    return _Cut(end, self._pause(end, STOP_PAUSE))
                if letter == "…":
                    self._soft = end
                self._weight += end - place
                self._seen = end
                continue
            elif letter in _SOFT and place + 1 >= len(text) and not final:
                return None
            elif letter in _SOFT and self._is_soft(place) and self._whole(self._after_stop(place)):
                self._soft = place + 1
                if self._weight >= (FIRST if self._eager else COMFORTABLE):
                    end = self._after_stop(place)
                    return _Cut(end, self._pause(end, COMMA_PAUSE))
            self._weight += 2.5 if is_cjk(letter) else 1
            self._seen += 1
        # A run of stops is passed over as one, and may have ended past the limit.
        return self._unbroken(self._forced(limit), final) if final and len(text) > limit else None

    def _whole(self, end: int) -> bool:
        """Whether a cut before the letter at `end` leaves whole what is to be read as one."""
        return self._spans is None or self._spans.around(self._unsaid + self._buffer[:end]) is None

    def _unbroken(self, cut: _Cut, final: bool) -> _Cut | None:
        """A forced cut, moved before or else behind what is to be read as one; None where that is not all there yet."""
        if self._spans is None or (around := self._spans.around(self._unsaid + self._buffer[: cut.end])) is None:
            return cut
        for letters in around:
            end = _place_of(self._buffer, letters - sum(map(letter_of_text, self._unsaid)))
            if end is not None and end > 0:
                return _Cut(end, cut.pause)
        return _Cut(len(self._buffer), cut.pause) if final else None

    def _after_stop(self, place: int) -> int:
        """The place after a run of stops and the quotes and brackets that close after it."""
        text, end = self._buffer, place + 1
        while end < len(text) and (text[end] in _STOPS or text[end] in ".…"):
            end += 1
        while end < len(text) and (
            text[end] in _CLOSERS or (text[end] in _QUOTES and text.count(text[end], 0, end) % 2 == 1)
        ):
            end += 1
        return end

    def _ends(self, place: int, end: int) -> bool:
        """Whether the stops at `place`..`end` end a sentence."""
        text = self._buffer
        after = text[end : end + 1]
        following = text[end:].lstrip()[:1]
        if not following:
            return True
        if text[place] in "。！？｡":
            return not (following in "，、；,;" or (following.islower() and not after.isspace()))
        if text[place] == "…" or text[place : place + 3] == "...":
            return after.isspace() and not following.islower() and following not in "，,"
        if not after.isspace():
            return is_cjk(after) and (place == 0 or text[place] != "." or not text[place - 1].isdigit())
        if following.islower():
            return False
        return text[place] != "." or not self._abbreviated(text[:place], following)

    @staticmethod
    def _abbreviated(before: str, following: str) -> bool:
        match = _WORD_BEFORE.search(before)
        if match is None:
            return before.strip().isdigit()  # "1. First"
        word = match[1].lower()
        if word in ("no", "nos", "fig", "al", "co", "mar", "sat", "est"):
            return following.isdigit() if word != "co" else following.islower()
        return word in _ABBREVIATIONS or (len(word) == 1 and word != "i" and match[1].isupper() and following.isalpha())

    def _is_soft(self, place: int) -> bool:
        """Whether a comma or the like parts clauses: not in "3,000", "10:30" or "a–b"."""
        text = self._buffer
        after = text[place + 1 : place + 2]
        if text[place] in ",:;–—":
            return after.isspace() or (bool(after) and is_cjk(after) and not text[place - 1 : place].isdigit())
        return not after or after not in _SOFT

    def _line(self, place: int) -> _Cut | None:
        """A line end: a blank line always cuts, a single one unless the text was only wrapped there."""
        text = self._buffer
        if text[place : place + 2] == "\n\n":
            return _Cut(place + 2, PARAGRAPH_PAUSE)
        following = text[place + 1 : place + 2]
        wrapped = following.islower() or (place > 60 and text[place - 1].isalnum() and not is_cjk(text[place - 1]))
        return None if wrapped else _Cut(place + 1, LINE_PAUSE)

    def _pause(self, end: int, pause: float) -> float:
        rest = self._buffer[end : end + 2]
        return PARAGRAPH_PAUSE if rest == "\n\n" else max(pause, LINE_PAUSE) if rest[:1] == "\n" else pause

    def _forced(self, limit: int) -> _Cut:
        """Cut a sentence that is too long: at its last comma, else at the space where a line would best end."""
        text = self._buffer
        if self._soft > limit // 3:
            return _Cut(self._soft, COMMA_PAUSE)
        if " " in text[limit // 2 : limit]:
            costs = penalties(text[: limit + 1])
            places = [place for place in range(limit // 2, limit + 1) if costs[place] < AWKWARD]
            if places:
                # Rather late than early: 25 letters are worth as much as a better kind of place.
                return _Cut(min(places, key=lambda place: (costs[place] + (limit - place) / 25, -place)), FORCED_PAUSE)
        space = text.rfind(" ", limit // 3, limit)
        if space > 0:
            return _Cut(space + 1, FORCED_PAUSE)
        end = limit
        while end > limit // 2 and (_joins(text[end]) or _joins(text[end - 1]) or _inside_word(text, end)):
            end -= 1
        if end == limit // 2:
            end = limit
            while end > 1 and (_joins(text[end]) or _joins(text[end - 1])):
                end -= 1
            end = end if end > 1 else limit
        return _Cut(end, FORCED_PAUSE)


def _place_of(text: str, letters: int) -> int | None:
    """The place in a text before which so many letters are; None where there are not that many."""
    for place, letter in enumerate(text):
        if letters <= 0 and letter_of_text(letter):
            return place
        letters -= letter_of_text(letter)
    return len(text) if letters == 0 else None


def _is_wide(text: str) -> bool:
    """Whether a text ends in a script that has no spaces; quotes, dashes and dots are of both kinds."""
    last = text.rstrip("”’…—")[-1:] or text[-1]
    return is_cjk(last) or unicodedata.east_asian_width(last) in ("W", "F")


def _joins(letter: str) -> bool:
    return unicodedata.category(letter) in ("Mn", "Me", "Mc", "Cf", "Sk") or "\ufe00" <= letter <= "\ufe0f"


def _inside_word(text: str, place: int) -> bool:
    before, after = text[place - 1], text[place]
    return (before.isalnum() or before in ".,") and after.isalnum() and not is_cjk(before) and not is_cjk(after)
