"""A model's text, as it streams in, turned into what can be said: no reasoning, markup, addresses or pictures."""

from __future__ import annotations

import re
from dataclasses import dataclass

UNKNOWN_MARK = "[unknown]"
"""What a model is told to write when it does not know."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A model points to the passage with this number."""

    number: int


@dataclass(frozen=True, slots=True)
class Unknown:
    """A model has marked that it does not know."""


Piece = str | Reference | Unknown

_LONGEST_HELD = 300
"""Characters that may wait for the end of a link or a bracket, after which they are taken as they are."""

_MARKS = re.compile(
    r"(?P<unknown>\[\s*(?:unknown|不知道|未知)\s*\])"
    r"|[\[【]\s*(?P<numbers>\d{1,2}(?:\s*[,，、-]\s*\d{1,2})*)(?:†[^\]】]*)?\s*[\]】]",
    re.IGNORECASE,
)
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_ADDRESS = re.compile(r"(?:https?://|www\.)[\w\-._~:/?#@!$&'()*+,;=%]*[\w/=&#]", re.ASCII)
_TAG = re.compile(r"</?[A-Za-z][^<>\n]{0,80}>|<\|[^<>\n]{0,80}\|>")
_LINE_START = re.compile(
    r"(?m)^[ \t]*(?:#{1,6}[ \t]+|[-*+•>][ \t]+|\d{1,2}[.)、][ \t]+|(?:[-*_][ \t]*){3,}$|\|?[ \t:|-]+\|[ \t]*$)+"
)
_EMPHASIS = re.compile(r"[*`_|]+|~~")
_EMOJI = re.compile(
    "[\U0001f000-\U0001faff\U0001fb00-\U0001fbff\u2600-\u27bf\u2b00-\u2bff\u2190-\u21ff\u2300-\u23ff\ufe0f\u200d\u20e3]"
)
_SPACES = re.compile(r"[ \t]{2,}")
_BEFORE_STOP = re.compile(r"[ \t]+(?=[,.;:!?，。；：！？])")
_TAIL = re.compile(r"[^\s\u3000-\u303f\u3400-\u9fff\uff00-\uffef]+$|\s+$")
_OPEN = re.compile(r"!?\[[^\]]*$|!?\[[^\]]*\]$|!?\[[^\]]*\]\([^)]*$|【[^】]*$|<\|[^>]*$|</?[A-Za-z][^<>\n]*$")
_MAYBE_MARKER = re.compile(r"[ \t]*(?:[-#*+•>|:_ \t]*|\d{1,2}[.)、]?[ \t]*)")
_THINK = re.compile(r"<(think|thinking|reasoning|thought)>", re.IGNORECASE)


class Speakable:
    """Takes a text in pieces of any size; how it is cut makes no difference to what comes out, put together."""

    def __init__(self) -> None:
        self._held = ""
        self._thought = ""
        self._line_start = True
        self._space = ""
        self._begun = False

    def feed(self, text: str) -> list[Piece]:
        """What can be said by now."""
        self._held += text
        return self._taken(last=False)

    def end(self) -> list[Piece]:
        """What was waiting for more."""
        return self._taken(last=True)

    def _taken(self, *, last: bool) -> list[Piece]:
        answer: list[Piece] = []
        while True:
            if self._thought:
                end = self._held.lower().find(f"</{self._thought}>")
                if end < 0:
                    # Only what may be the beginning of the end is kept.
                    self._held = "" if last else self._held[-(len(self._thought) + 2) :]
                    return answer
                self._held = self._held[end + len(self._thought) + 3 :]
                self._thought = ""
            begin = _THINK.search(self._held)
            if begin is None:
                break
            answer += self._said(self._held[: begin.start()])
            self._thought = begin[1].lower()
            self._held = self._held[begin.end() :]
        ready = len(self._held) if last else self._ready()
        answer += self._said(self._held[:ready])
        self._held = self._held[ready:]
        return answer

    def _ready(self) -> int:
        """How much may be looked at now: not the last word, and nothing from an open bracket on."""
        held = self._held
        tail = _TAIL.search(held)
        ready = tail.start() if tail is not None else len(held)
        line = held.rfind("\n") + 1
        if (line or self._line_start) and _MAYBE_MARKER.fullmatch(held, line):
            ready = min(ready, line)
        # A last word may stand inside a bracket that was opened before it.
        for until in (len(held), ready):
            opened = _OPEN.search(held, 0, until)
            if opened is not None:
                ready = min(ready, opened.start())
        return ready if len(held) - ready <= _LONGEST_HELD else len(held)

    def _said(self, text: str) -> list[Piece]:
        if not text:
            return []
        text = _LINK.sub(r"\1", text)
        answer: list[Piece] = []
        at = 0
        for mark in _MARKS.finditer(text):
            self._add(answer, text[at : mark.start()])
            if mark["unknown"]:
                answer.append(Unknown())
            else:
                answer += [Reference(int(number)) for number in re.findall(r"\d+", mark["numbers"])]
            at = mark.end()
        self._add(answer, text[at:])
        return answer

    def _add(self, answer: list[Piece], text: str) -> None:
        if not text:
            return
        # A sign that belongs to the beginning of a line is one only there.
        plain = _LINE_START.sub("", text) if self._line_start else _LINE_START.sub("", f"\0{text}")[1:]
        self._line_start = text.endswith("\n") or (self._line_start and not text.strip())
        plain = _EMOJI.sub("", _EMPHASIS.sub("", _TAG.sub("", _ADDRESS.sub("", plain))))
        # Space waits for what follows: before a full stop, or at the end, it is none.
        plain = self._space + plain
        kept = plain.rstrip()
        self._space = plain[len(kept) :]
        said = _BEFORE_STOP.sub("", _SPACES.sub(" ", kept if self._begun else kept.lstrip()))
        if said:
            self._begun = True
            answer.append(said)
