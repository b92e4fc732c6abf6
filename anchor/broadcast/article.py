"""A first draft of a rundown from an article, by rules; a language model may polish it, and people review it.

Nothing is added: words are the article's, numbers of charts stand in it. `anchor.broadcast.rundown` refuses a rundown
that says ``review: required`` until somebody has taken that line out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from anchor.broadcast.blocks import Block, markdown_blocks, text_blocks
from anchor.broadcast.blocks_html import html_blocks
from anchor.broadcast.document import ensure_ids
from anchor.broadcast.facts import block_fact, sentence_fact
from anchor.broadcast.prose import guess_language, speakable, without_cues
from anchor.broadcast.refining import refine
from anchor.broadcast.ssml import looks_marked
from anchor.errors import ScriptError
from anchor.linebreak import columns
from anchor.pipeline.segmenter import Segmenter
from anchor.tags import base

__all__ = ["draft", "refine"]

Kind = Literal["text", "markdown", "html"]

LONGEST_ARTICLE = 400_000
MOST_SENTENCES, FULL, ROOM = 4, 150, 340
"""A segment has four sentences at most; it is full with this many columns, and takes no sentence beyond these."""

LOWER_THIRD_COLUMNS = 36
HEADLINE_COLUMNS = 56
SILENT_SECONDS = 6.0
"""For a table that no text goes with."""

_ENDS = re.compile(r"[。！？!?.…;；][”’」』）)\"']*\s*$")
_CLAUSE = re.compile(r"[，,；;：:。！？!?—–]|\.\s")
_URL = re.compile(r"(?:https?://|www\.)[^\s，。；）),]+(?<![.])|[^\s，。；（(]+@[^\s，。；]+\.\w+")
_CLAUSE_END = re.compile(r"[。！？!?；;，,、]\s*|\.\s+")
_STOP = re.compile(r"[。！？!?]|\.(?=\s|$)")
_SIGNED = re.compile(r"[（(](?:责任)?(?:编辑|记者|责编|校对|作者|来源|摄影)[^）)]*[）)]")
_NOTE = re.compile(r"\[\d{1,3}\]|\[(?:note|citation needed|编辑|来源请求)[^\]]*\]", re.IGNORECASE)
_DATELINE = re.compile(
    r"^(?:[A-Z][A-Z .,'’/-]{2,40}(?:,\s\w+\.?\s\d{1,2})?\s*(?:\([A-Za-z .]{2,20}\))?\s*[-–—]{1,2}\s+|"
    r"(?:新华社|中新社|中新网|央视网|人民网|本报|本社)[^，。]{0,24}?(?:电|讯|消息)\s*[:：]?\s*|"
    r"[\u4e00-\u9fff]{2,8}\d{1,2}月\d{1,2}日(?:电|讯|消息)\s*[:：]?\s*)"
)
_CREDIT = re.compile(
    r"^(?:(?:(?:责任)?编辑|记者|来源|摄影|责编|校对|原标题|文|图|延伸阅读|相关阅读|更多精彩|photo|photograph|picture|image|"
    r"source|credit|read more|see also|related|(?:reporting|editing|photo(?:graph)?) by)\s*[:：/]|"
    r"advertisement$|(?:reporting|editing|photo(?:graph)?) by [^.]*$|"
    r"by (?-i:[A-Z][\w.'’-]+(?:,? (?:[A-Z][\w.'’-]+|and))+)$)",
    re.IGNORECASE,
)


def draft(article: str, kind: Kind, *, language: str | None = None, title: str = "") -> dict[str, Any]:
    """The document of a rundown: headline, summary, segments of two to four sentences, and what can be charted.

    `title` is the headline where the article has none or another is wanted. Raises `ScriptError` where there is
    nothing to say.
    """
    if len(article) > LONGEST_ARTICLE:
        raise ScriptError(f"article: {len(article):,} characters are more than {LONGEST_ARTICLE:,}; give a part of it")
    article = re.sub(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]", "", article.replace("\r\n", "\n").replace("\r", "\n"))
    named, blocks = _blocks(article, kind)
    blocks = [clean for block in blocks if (clean := _clean(block)) is not None]
    if not any(block.kind == "text" and speakable(block.text) for block in blocks):
        blocks = [Block("text", block.text) if block.kind == "heading" else block for block in blocks]
        if not any(speakable(block.text) for block in blocks):
            raise ScriptError("article: there is no text in it to say")
    spoken = language or guess_language(" ".join(block.text for block in blocks))
    return _Draft(blocks, spoken, title or named).document()


def _blocks(article: str, kind: Kind) -> tuple[str, list[Block]]:
    if kind == "html":
        return html_blocks(article)
    return "", list(markdown_blocks(article) if kind == "markdown" else text_blocks(article))


def _clean(block: Block) -> Block | None:
    """A block as it can be said; None for what is not part of the story."""
    if block.kind == "table":
        return Block("table", rows=tuple(tuple(_said(cell) for cell in row) for row in block.rows))
    if block.kind == "list":
        items = tuple(item for item in map(_said, block.items) if speakable(item))
        return Block("list", items=items) if items else None
    text = _said(block.text)
    if not speakable(text) or (_CREDIT.match(text) and columns(text) < 90):
        return None
    return Block(block.kind, text, block.level)


def _said(text: str) -> str:
    """Text without addresses and notes, and without what a rundown would take for cues or mark-up."""
    text = _SIGNED.sub("", _NOTE.sub("", text))
    while (found := _URL.search(text)) is not None:
        text = _without_clause(text, found.start(), found.end())
    while (bare := without_cues(text)) != text:
        text = bare
    if looks_marked(text):
        text = re.sub(r"[<>]", " ", text)
    text = re.sub(r"\(\s*\)|（\s*）", "", text)
    return " ".join(_DATELINE.sub("", text.strip()).split())


def _without_clause(text: str, start: int, end: int) -> str:
    """Text without the clause around an address: what is said of it makes no sense without it."""
    stops = [found.end() for found in _CLAUSE_END.finditer(text, 0, start)]
    begin = stops[-1] if stops else 0
    after = _STOP.search(text, end)
    before, rest = text[:begin].rstrip(), text[after.start() :] if after else ""
    if not before or before[-1] not in "，,、":
        return f"{before} {rest[1:].lstrip()}".strip()
    return before.rstrip("，,、 ") + rest


class _Draft:
    """Segments as they come about: sentences are gathered until there are enough, facts go with what was just said."""

    def __init__(self, blocks: list[Block], language: str, title: str) -> None:
        self._language = language
        self._unspaced = base(language) in ("zh", "ja")
        self._blocks = blocks
        self._segments: list[dict[str, Any]] = []
        self._sentences: list[str] = []
        self._section = ""
        self._headline = self._title(_said(title))
        self._lead_fact: dict[str, Any] = {}
        self._fact: dict[str, Any] = {}

    def document(self) -> dict[str, Any]:
        lead = self._lead()
        for block in self._blocks:
            self._add(block)
        self._flush()
        head = self._headline
        opening: dict[str, Any] = {"headline": head}
        opening["lower_third"] = {"title": shortened(head, LOWER_THIRD_COLUMNS)}
        if lead:
            self._segments.insert(0, {"id": "lead", "text": lead} | opening | self._lead_fact)
        elif self._segments:
            self._segments[0] |= opening
        sections = [block.text for block in self._blocks if block.kind == "heading" and block.text != head]
        ticker = [shortened(text, 80) for text in (head, *dict.fromkeys(sections))][:8]
        return ensure_ids(
            {"title": head, "review": "required", "language": self._language, "ticker": ticker}
            | {"segments": self._segments}
        )

    def _title(self, title: str) -> str:
        """The headline: what is given, the first heading, else the beginning of the first sentence."""
        first = self._blocks[0] if self._blocks else Block("text")
        if first.kind == "heading" or (title and first.text == title):
            self._blocks = self._blocks[1:]
        if not title and first.kind == "heading":
            title = first.text
        if not title:
            text = next((block.text for block in self._blocks if block.kind == "text"), "")
            title = next(iter(self._cut(text)), "")
            title = title.strip().rstrip("。.！!；;，,：:")
        return shortened(title, HEADLINE_COLUMNS)

    def _lead(self) -> str:
        """A summary: the article's own first one or two sentences, taken out of its body."""
        number = next((n for n, block in enumerate(self._blocks) if block.kind == "text"), None)
        if number is None:
            return ""
        sentences = list(self._cut(self._blocks[number].text))
        count = 1
        if len(sentences) > 1 and columns(sentences[0]) < 70:
            count = 2
        lead = self._joined(sentences[:count])
        rest = Block("text", self._joined(sentences[count:]))
        self._blocks = [*self._blocks[:number], *([rest] if rest.text else []), *self._blocks[number + 1 :]]
        self._lead_fact = next((fact for one in sentences[:count] if (fact := sentence_fact(one, self._headline))), {})
        return lead

    def _add(self, block: Block) -> None:
        if block.kind == "heading":
            self._flush()
            self._section = block.text
        elif block.kind == "text":
            self._say(block.text)
        elif block.kind == "list":
            # A stop after each entry, so that the voice does not run them together.
            stop = "。" if self._unspaced else "."
            fact = block_fact(block, self._about())
            if fact and self._fact:
                self._flush()
            self._fact = fact or self._fact
            self._say(" ".join(item if _ENDS.search(item) else item.rstrip("，,：:") + stop for item in block.items))
        elif fact := block_fact(block, self._about()):
            self._flush()
            self._show(fact)

    def _about(self) -> str:
        return shortened(self._section or self._headline, HEADLINE_COLUMNS)

    def _say(self, text: str) -> None:
        sentences = list(self._cut(text))
        if self._sentences and columns(self._joined(self._sentences + sentences)) > ROOM:
            self._flush()
        for sentence in sentences:
            length = columns(self._joined([*self._sentences, sentence]))
            if self._sentences and (len(self._sentences) >= MOST_SENTENCES or length > ROOM):
                self._flush()
            fact = sentence_fact(sentence, self._about()) or {}
            if fact and self._fact:
                self._flush()
            self._sentences.append(sentence)
            self._fact = fact or self._fact
        if columns(self._joined(self._sentences)) >= FULL:
            self._flush()

    def _cut(self, text: str) -> Iterator[str]:
        """Sentences, whole ones: a voice's cuts at commas are joined again."""
        cutter = Segmenter(self._language, eager=False)
        pending = ""
        for piece in (*cutter.feed(text), *cutter.finish()):
            pending += piece.text
            if _ENDS.search(pending):
                yield pending.strip()
                pending = ""
        if pending.strip():
            yield pending.strip()

    def _joined(self, sentences: list[str]) -> str:
        text = ""
        for sentence in sentences:
            apart = text and (not self._unspaced or (text[-1].isascii() and sentence[0].isascii()))
            text += (" " if apart else "") + sentence
        return text

    def _flush(self) -> None:
        if not self._sentences:
            return
        text = self._joined(self._sentences)
        self._segments.append({"text": text, "lower_third": {"title": self._third()}} | self._fact)
        self._sentences, self._fact = [], {}

    def _third(self) -> str:
        return shortened(self._section or self._headline, LOWER_THIRD_COLUMNS)

    def _show(self, fact: Mapping[str, Any]) -> None:
        """With the last thing said, where that shows nothing yet; else alone for a while."""
        last = self._segments[-1] if self._segments else None
        if last is not None and not {"chart", "table"} & last.keys():
            last |= fact
            if columns(last.get("text", "")) < FULL / 2:
                last["pause"] = SILENT_SECONDS
        else:
            self._segments.append(dict(fact) | {"pause": SILENT_SECONDS})


def shortened(text: str, most: int) -> str:
    """Text of at most so many columns: cut after a clause, else between words, with an ellipsis."""
    text = " ".join(text.split())
    if columns(text) <= most:
        return text
    if text[0] in '“"「『':
        text = text[1:]
    cuts = [found.start() for found in _CLAUSE.finditer(text) if most / 3 <= columns(text[: found.start()]) <= most]
    if cuts:
        return text[: cuts[-1]].strip()
    end = len(text)
    while columns(text[:end]) > most - 1:
        end -= 1
    if text[end : end + 1].isascii() and " " in text[:end]:
        end = text.rindex(" ", 0, end)
    return text[:end].rstrip(" ，,、的") + "…"
