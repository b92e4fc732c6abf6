"""Rundowns as plain data, such as JSON carries between a console and the show, and back to YAML.

What a rundown says is kept, word for word; comments and how it was written are not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from anchor.broadcast.nodes import DEEPEST, MOST_NODES, Fields, NodeError, compose, plain
from anchor.broadcast.prose import paragraphs
from anchor.broadcast.rundown import TOP_KEYS, refusal
from anchor.broadcast.script import SSML, YAML, read_file
from anchor.broadcast.segment_reader import SEGMENT_KEYS, Ids, segment_id
from anchor.broadcast.ssml_file import ssml_paragraphs
from anchor.errors import RundownError
from anchor.onair import Problem

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_NOWHERE = Path("rundown")


def to_document(text: str, path: Path = _NOWHERE) -> dict[str, Any]:
    """The YAML of a rundown as plain data. Raises `RundownError` for what is no YAML mapping."""
    try:
        root = compose(text)
    except NodeError as error:
        raise refusal(path, [Problem(str(error), error.line)]) from error
    if root is not None and not isinstance(root, Fields):
        raise refusal(path, [Problem(f"a rundown is a mapping of {', '.join(TOP_KEYS)}", root.line)])
    return dict(plain(root)) if root is not None else {}


def read_document(path: Path) -> dict[str, Any]:
    """Any script as the document of a rundown, every segment with an id. Raises `ScriptError`."""
    text, suffix = read_file(path), path.suffix.lower()
    if suffix in YAML:
        return ensure_ids(to_document(text, path))
    segments: list[dict[str, Any]]
    if suffix in SSML:
        segments = [
            {"text": part.text} | ({"language": part.language} if part.language else {})
            for part in ssml_paragraphs(text, str(path))
        ]
    else:
        segments = [{"text": paragraph} for _, paragraph in paragraphs(text)]
    return ensure_ids({"title": path.stem, "segments": segments})


def to_yaml(document: Mapping[str, Any]) -> str:
    """The YAML of a rundown: keys in their usual order, text of several lines as a block.

    Raises `RundownError` for what is no plain data of a sensible size, as a console may send.
    """
    root = _checked(document, 0, [0])
    if not isinstance(root, dict):
        raise RundownError("a rundown is a mapping", [Problem("a rundown is a mapping")])
    return yaml.dump(
        _ordered(root), Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=100, default_flow_style=False
    )


def ensure_ids(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document with an id in every segment: what is there stays, the rest is made of what the segment says.

    Read again, in any order and in any language, a segment has the same id.
    """
    segments = document.get("segments")
    if not isinstance(segments, list):
        return dict(document)
    ids = Ids()
    ids.taken |= {str(one["id"]) for one in segments if isinstance(one, Mapping) and one.get("id")}
    found: list[Any] = []
    for segment in segments:
        if isinstance(segment, Mapping) and segment.get("id"):
            found.append(dict(segment))
        elif segment is not None and not isinstance(segment, list):
            whole = segment if isinstance(segment, Mapping) and not _by_language(segment) else {"text": segment}
            found.append(
                {"id": ids.new(segment_id(segment)), **{key: value for key, value in whole.items() if key != "id"}}
            )
        else:
            found.append(segment)
    return {**document, "segments": found}


def _by_language(segment: Mapping[str, Any]) -> bool:
    """Whether a segment is nothing but its text in several languages."""
    return bool(segment) and not any(key in SEGMENT_KEYS for key in segment)


def _checked(value: Any, depth: int, count: list[int]) -> Any:
    """A copy of plain data, of a size that can be read again; text without what YAML cannot hold."""
    count[0] += 1
    if count[0] > MOST_NODES or depth > DEEPEST:
        raise RundownError("the rundown is too large", [Problem("the rundown is too large or too deep")])
    if isinstance(value, Mapping):
        return {_clean(str(key)): _checked(item, depth + 1, count) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_checked(item, depth + 1, count) for item in value]
    if isinstance(value, str):
        return _clean(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    raise RundownError(f"{value!r} is no text", [Problem(f"{type(value).__name__} cannot stand in a rundown")])


def _clean(text: str) -> str:
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def _ordered(document: dict[str, Any]) -> dict[str, Any]:
    ordered = _in_order(document, TOP_KEYS)
    if isinstance(ordered.get("segments"), list):
        ordered["segments"] = [
            _in_order(one, SEGMENT_KEYS) if isinstance(one, dict) else one for one in ordered["segments"]
        ]
    return ordered


def _in_order(values: dict[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    known = {key: values[key] for key in keys if key in values}
    return known | {key: value for key, value in values.items() if key not in known}


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> Any:
        return super().increase_indent(flow, False)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


def _row(dumper: yaml.SafeDumper, items: list[Any]) -> yaml.SequenceNode:
    short = all(isinstance(item, int | float | None) or (isinstance(item, str) and len(item) <= 24) for item in items)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", items, flow_style=short)


_Dumper.add_representer(str, _text)
_Dumper.add_representer(list, _row)
