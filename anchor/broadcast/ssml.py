"""SSML 1.1 in a text: what viewers read, and what the tags say of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from xml.parsers import expat

from anchor.errors import ScriptError
from anchor.events import Span

_TAG = re.compile(r"</?(?:speak|p|s|break|mark|say-as|sub|phoneme|emphasis|prosody|lang|w|token)\b[^<]*>")


@dataclass(frozen=True, slots=True)
class Marked:
    text: str
    spans: tuple[Span, ...]


def looks_marked(text: str) -> bool:
    return _TAG.search(text) is not None


def parse_ssml(text: str, language: str) -> Marked:
    """Raises `ScriptError` ("line N: ...", N from 1)."""
    parser = expat.ParserCreate()
    out: list[str] = []
    spans: list[Span] = []
    opened: list[tuple[str, dict[str, str], int]] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        opened.append((name, attributes, sum(map(len, out))))

    def end(name: str) -> None:
        _, attributes, begun = opened.pop()
        now = sum(map(len, out))
        if name == "mark":
            spans.append(Span(now, now, "mark", attributes.get("name", "")))
        elif name == "break":
            spans.append(Span(now, now, "break", seconds=float(attributes.get("time", "0.5s").rstrip("s"))))
        elif name == "sub":
            spans.append(Span(begun, now, "sub", attributes.get("alias", "")))
        elif name == "emphasis":
            spans.append(Span(begun, now, "emphasis", attributes.get("level", "moderate")))
        elif name == "p":
            out.append("\n\n")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = out.append
    try:
        parser.Parse(f"<x>{text}</x>", True)
    except expat.ExpatError as error:
        raise ScriptError(f"line {error.lineno}: {expat.errors.messages[error.code]}") from None
    return Marked("".join(out).rstrip(), tuple(sorted(spans, key=lambda span: span.start)))
