"""SSML files: each paragraph is a segment."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.parsers import expat

from anchor.broadcast.prose import directed, guess_language, read_marked, speakable, without_cues
from anchor.broadcast.segments import Script, Segment
from anchor.broadcast.ssml import looks_marked
from anchor.errors import ScriptError

DEEPEST = 64

_DECLARATION = re.compile(r"\s*<\?xml[^>]*\?>")
_TAGS = re.compile(r"<!--.*?-->|<[^>]*>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A ``<p>`` as it is written, in the elements that it stands in but ``speak``. `line` is where it begins."""

    text: str
    line: int
    language: str


def read_ssml(text: str, path: Path, language: str | None = None) -> Script:
    """Read the text of an SSML file. Raises `ScriptError` with file and line."""
    segments = []
    for paragraph in ssml_paragraphs(text, str(path)):
        own = paragraph.language or language
        marked = read_marked(paragraph.text, own, str(path), paragraph.line)
        if speakable(without_cues(marked.text)):
            chosen = own or guess_language(without_cues(marked.text))
            segments.append(Segment(marked.text, chosen, line=paragraph.line, spans=marked.spans))
    found = directed(segments, str(path))
    return Script(path.stem, found, tuple(dict.fromkeys(segment.language for segment in found))[:1])


def ssml_paragraphs(text: str, where: str) -> Iterator[Paragraph]:
    """The paragraphs of an SSML document, all of it as one where there are none. Raises `ScriptError`.

    Breaks and marks between paragraphs go with the one before. Words outside of paragraphs are an error where there
    are any.
    """
    body = _DECLARATION.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text, count=1)
    if not looks_marked(body):
        raise ScriptError(f"{where}:1: there is no SSML in it; it begins with <speak>")
    scan = _Scan(body, where)
    if not scan.found:
        yield Paragraph(scan.inner, scan.line, scan.language)
        return
    raw = body.encode()
    for number, (start, end, line, language, around) in enumerate(scan.found):
        following = scan.found[number + 1][0] if number + 1 < len(scan.found) else scan.end
        between = raw[end:following].decode()
        if number == 0:
            scan.refuse_words(raw[scan.begin : start].decode(), line)
        scan.refuse_words(between, line)
        apart = "".join(re.findall(r"<(?:break|mark)\b[^>]*/>", between))
        opened = "".join(tag for _, tag in around)
        closed = "".join(f"</{name}>" for name, _ in reversed(around))
        yield Paragraph(f"{opened}{raw[start:end].decode()}{apart}{closed}", line, language)


class _Scan:
    """Where the paragraphs of a document are, in bytes of UTF-8. Raises `ScriptError`."""

    def __init__(self, text: str, where: str) -> None:
        self.found: list[tuple[int, int, int, str, tuple[tuple[str, str], ...]]] = []
        self.language = ""
        self.line = 1
        self.begin = self.end = 0
        self._where = where
        self._raw = text.encode()
        self._open: list[tuple[str, str, int, str]] = []
        self._parser = parser = expat.ParserCreate("utf-8")
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._finish
        parser.StartDoctypeDeclHandler = self._doctype
        try:
            parser.Parse(self._raw, True)
        except expat.ExpatError as error:
            raise ScriptError(
                f"{where}:{error.lineno}: is not proper SSML: {expat.errors.messages[error.code]}"
            ) from None
        self.inner = self._raw[self.begin : self.end].decode() if self.end else text

    def refuse_words(self, between: str, line: int) -> None:
        words = _TAGS.sub("", between).strip()
        if words:
            raise ScriptError(f"{self._where}:{line}: {words[:40]!r} stands outside of <p>; each <p> is a segment")

    def _doctype(self, *_: object) -> None:
        raise ScriptError(f"{self._where}:{self._parser.CurrentLineNumber}: a DOCTYPE is not taken; take it out")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        at = self._parser.CurrentByteIndex
        if len(self._open) >= DEEPEST:
            raise ScriptError(f"{self._where}:{self._parser.CurrentLineNumber}: is nested more than {DEEPEST} deep")
        language = attributes.get("xml:lang", self._open[-1][3] if self._open else "")
        tag = self._raw[at : self._tag_end(at)].decode()
        if name == "speak" and not self._open:
            self.language, self.line = language, self._parser.CurrentLineNumber
            self.begin = at + len(tag.encode())
        if name == "p" and any(opened[0] == "p" for opened in self._open):
            raise ScriptError(f"{self._where}:{self._parser.CurrentLineNumber}: a <p> in a <p>; close the first")
        if name == "p":
            around = tuple((one, opening) for one, opening, _, _ in self._open if one != "speak")
            self.found.append((at, at, self._parser.CurrentLineNumber, language, around))
        self._open.append((name, tag, at, language))

    def _tag_end(self, at: int) -> int:
        """Where the tag ends that begins at a byte; a ``>`` may stand in an attribute."""
        quote = b""
        for place in range(at, len(self._raw)):
            byte = self._raw[place : place + 1]
            if quote:
                quote = b"" if byte == quote else quote
            elif byte in (b'"', b"'"):
                quote = byte
            elif byte == b">":
                return place + 1
        return len(self._raw)

    def _finish(self, name: str) -> None:
        self._open.pop()
        at = self._parser.CurrentByteIndex
        if name == "p":
            start, _, line, language, around = self.found[-1]
            end = self._tag_end(at)
            self.found[-1] = (start, max(end, start), line, language, around)
        elif name == "speak" and not self._open:
            self.end = at
