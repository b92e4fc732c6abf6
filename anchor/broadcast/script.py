"""Scripts: what a presenter says, as plain text or as a YAML rundown.

Plain text: a blank line begins a new segment. YAML: a mapping of ``title``, ``language`` and ``segments``, each with
``text`` and, when wanted, ``language``, ``lower_third: {title, subtitle}``, ``pause`` (seconds after it), ``mood``,
``gesture`` (one or a list) and ``mocap``, a take whose performer drives the face meanwhile: a file beside the script,
or ``{take: FILE, mouth: performer}`` where the mouth is to be the performer's too. In any text, ``[mood: warm]`` holds
from its place to the next, ``[gesture: nod]`` is made at its place, and neither is spoken.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import yaml

from anchor.errors import ScriptError
from anchor.events import Gesture, LowerThird, Mood, Span
from anchor.graphics import NO_GRAPHICS, Graphics
from anchor.pipeline.manner import gesture_named, mood_named
from anchor.pipeline.utterance import Cue

Name = TypeVar("Name")

LARGEST_FILE = 32 * 2**20
LONGEST_SEGMENT = 20_000
"""Characters; twenty minutes of speech without a break is a mistake, most often a file that is not a script."""

LONGEST_PAUSE = 600.0


@dataclass(frozen=True, slots=True)
class Mocap:
    """A take that drives the face while a segment is said, all of it with `mouth`."""

    path: Path
    mouth: bool = False


@dataclass(frozen=True, slots=True)
class Segment:
    """One stretch of a script. `line` is where it begins in its file, from 1.

    `text` is as viewers read it, and `spans` are what SSML says of it. `id` is its own within the script and stays when
    others come or go; `cues` go by the names of marks. `voice` and `avatar` are names, empty for the show's own; an
    avatar with a slash in it or ending in .zip is a path. `translation` is the text in the script's second language.
    One without text shows its clip, or its pictures for `pause` seconds.
    """

    text: str
    language: str
    lower_third: LowerThird | None = None
    pause: float = 0.0
    line: int = 1
    mood: Mood | None = None
    gestures: tuple[Gesture, ...] = ()
    mocap: Mocap | None = None
    id: str = ""
    spans: tuple[Span, ...] = ()
    graphics: Graphics = NO_GRAPHICS
    cues: Mapping[str, Cue] = field(default_factory=dict)
    translation: str = ""
    voice: str = ""
    avatar: str = ""


@dataclass(frozen=True, slots=True)
class Script:
    title: str
    segments: tuple[Segment, ...]


def load_script(path: Path, language: str | None = None) -> Script:
    """Read a script. `language` is for text that does not name its own; without it, it is told from the letters.

    Raises `ScriptError` naming the file and line.
    """
    text = _read(path)
    if path.suffix.lower() in (".yaml", ".yml"):
        script = _Rundown(path, language).read(text)
    elif path.suffix.lower() in (".txt", ".md", ""):
        script = parse_text(text, language, title=path.stem, where=str(path))
    else:
        raise ScriptError(f"{path}: cannot read {path.suffix} scripts; write .txt or .yaml")
    if not script.segments:
        raise ScriptError(f"{path}: there is nothing to say in it")
    for segment in script.segments:
        if len(segment.text) > LONGEST_SEGMENT:
            raise ScriptError(
                f"{path}:{segment.line}: a segment of {len(segment.text):,} characters is longer than "
                f"{LONGEST_SEGMENT:,}; part it with blank lines"
            )
    return script


def languages_of(path: Path) -> tuple[str, ...]:
    """The languages a script is written in, each a script of its own; empty where it does not say."""
    return ()


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise ScriptError(f"{path}: is larger than {LARGEST_FILE // 2**20} MiB")
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ScriptError(f"{path}: is not UTF-8 text (byte {error.start}); save it as UTF-8") from error
    except OSError as error:
        raise ScriptError(f"{path}: cannot be read: {error.strerror}") from error
    for number, line in enumerate(text.split("\n"), start=1):
        if (found := _CONTROL.search(line)) is not None:
            raise ScriptError(f"{path}:{number}: there is a control character (U+{ord(found[0]):04X}); take it out")
    return text


_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")


def parse_text(text: str, language: str | None = None, *, title: str = "", where: str = "line") -> Script:
    """Plain text to a script: blank lines part segments. Text without a letter or digit is left out.

    Raises `ScriptError` that names the line of a mood or gesture that there is not.
    """
    segments: list[Segment] = []
    lines: list[str] = []
    for number, line in enumerate([*text.splitlines(), ""], start=1):
        if line.strip():
            lines.append(line.strip())
        elif lines:
            paragraph = "\n".join(lines)
            if speakable(paragraph):
                chosen = language or guess_language(_CUE.sub("", paragraph))
                segments.append(Segment(paragraph, chosen, line=number - len(lines)))
            lines = []
    return Script(title, directed(segments, where))


_CUE = re.compile(r"\[\s*(mood|gesture)\s*[:\uff1a]\s*([^\]\n]*)\]", re.IGNORECASE)


def directed(segments: Iterable[Segment], where: str) -> tuple[Segment, ...]:
    """Part segments at the cues in their text and take those out; a mood holds until the next."""
    found: list[Segment] = []
    mood: Mood | None = None
    gestures: tuple[Gesture, ...] = ()
    for segment in segments:
        mood = segment.mood or mood
        gestures += segment.gestures
        # Text, then kind, name and text of one cue after another.
        texts = _CUE.split(segment.text)
        cues = [("", ""), *zip(texts[1::3], texts[2::3], strict=True)]
        line, parts = segment.line, []
        for (kind, name), text in zip(cues, texts[::3], strict=True):
            try:
                if kind.lower() == "mood":
                    mood = mood_named(name)
                elif kind:
                    gestures += (gesture_named(name),)
            except ScriptError as error:
                raise ScriptError(f"{where}:{line}: {error}") from None
            if speakable(text):
                parts.append(replace(segment, text=text.strip(), line=line, mood=mood, gestures=gestures, pause=0.0))
                gestures = ()
            line += text.count("\n")
        if parts:
            parts[-1] = replace(parts[-1], pause=segment.pause)
        found += parts
    return tuple(found)


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


_KEYS = {"text", "language", "lower_third", "pause", "mood", "gesture", "mocap"}


class _Rundown:
    """Reads YAML through its nodes, which know their lines."""

    def __init__(self, path: Path, language: str | None) -> None:
        self._path = path
        self._language = language

    def read(self, text: str) -> Script:
        try:
            root = yaml.compose(text, yaml.SafeLoader)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            line = mark.line + 1 if mark else 1
            raise ScriptError(f"{self._path}:{line}: is not valid YAML: {getattr(error, 'problem', error)}") from error
        if root is None:
            return Script("", ())
        fields = self._mapping(root, "a rundown", {"title", "language", "segments"})
        if "language" in fields:
            self._language = self._string(fields["language"], "language")
        title = self._string(fields["title"], "title") if "title" in fields else self._path.stem
        nodes = fields.get("segments")
        if not isinstance(nodes, yaml.SequenceNode):
            raise self._error(nodes or root, "segments: a list of segments is needed")
        return Script(title, directed((self._segment(node) for node in nodes.value), str(self._path)))

    def _segment(self, node: Any) -> Segment:
        fields = {"text": node} if isinstance(node, yaml.ScalarNode) else self._mapping(node, "a segment", _KEYS)
        if "text" not in fields:
            raise self._error(node, "text: a segment needs one")
        text = self._string(fields["text"], "text").strip()
        if not speakable(_CUE.sub("", text)):
            raise self._error(fields["text"], "text: there is nothing to say in it")
        segment = Segment(text, self._language or guess_language(_CUE.sub("", text)), line=node.start_mark.line + 1)
        if "language" in fields:
            segment = replace(segment, language=self._string(fields["language"], "language"))
        if "lower_third" in fields:
            segment = replace(segment, lower_third=self._lower_third(fields["lower_third"]))
        if "pause" in fields:
            segment = replace(segment, pause=self._seconds(fields["pause"], "pause"))
        if "mood" in fields:
            segment = replace(segment, mood=self._named(mood_named, fields["mood"], "mood"))
        if "gesture" in fields:
            node = fields["gesture"]
            nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
            gestures = tuple(self._named(gesture_named, one, "gesture") for one in nodes)
            segment = replace(segment, gestures=gestures)
        if "mocap" in fields:
            segment = replace(segment, mocap=self._mocap(fields["mocap"]))
        return segment

    def _mocap(self, node: Any) -> Mocap:
        fields = {"take": node}
        if not isinstance(node, yaml.ScalarNode):
            fields = self._mapping(node, "mocap", {"take", "mouth"})
        if "take" not in fields:
            raise self._error(node, "mocap: take is needed, a clip or a table of ARKit weights")
        mouth = self._string(fields["mouth"], "mouth") if "mouth" in fields else "speech"
        if mouth not in ("speech", "performer"):
            raise self._error(fields["mouth"], f"mouth: {mouth!r} is unknown; there are speech, performer")
        path = self._path.parent / self._string(fields["take"], "take")
        if not path.is_file():
            raise self._error(fields["take"], f"mocap: there is no file {path}")
        return Mocap(path, mouth == "performer")

    def _named(self, reader: Callable[[str], Name], node: Any, key: str) -> Name:
        try:
            return reader(self._string(node, key))
        except ScriptError as error:
            raise error if str(self._path) in str(error) else self._error(node, str(error)) from None

    def _lower_third(self, node: Any) -> LowerThird:
        fields = self._mapping(node, "lower_third", {"title", "subtitle"})
        values = {name: self._string(value, name) for name, value in fields.items()}
        if not values.get("title"):
            raise self._error(node, "lower_third: title is needed")
        return LowerThird(**values)

    def _mapping(self, node: Any, what: str, known: set[str]) -> dict[str, Any]:
        if not isinstance(node, yaml.MappingNode):
            raise self._error(node, f"{what} is a mapping of {', '.join(sorted(known))}")
        fields: dict[str, Any] = {}
        for key, value in node.value:
            if key.value not in known:
                raise self._error(key, f"unknown key {key.value!r} in {what}; known: {', '.join(sorted(known))}")
            if key.value in fields:
                raise self._error(key, f"{key.value} is there twice")
            fields[key.value] = value
        return fields

    def _string(self, node: Any, key: str) -> str:
        if not isinstance(node, yaml.ScalarNode) or node.tag == "tag:yaml.org,2002:null":
            raise self._error(node, f"{key}: text is needed")
        return str(node.value)

    def _seconds(self, node: Any, key: str) -> float:
        try:
            value = float(node.value)
        except (TypeError, ValueError):
            value = math.nan
        if not 0 <= value <= LONGEST_PAUSE:
            raise self._error(node, f"{key}: a number of seconds from 0 to {LONGEST_PAUSE:g} is needed")
        return value

    def _error(self, node: Any, text: str) -> ScriptError:
        return ScriptError(f"{self._path}:{node.start_mark.line + 1}: {text}")
