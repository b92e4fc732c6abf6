"""The segments of a rundown, one after another, in one language."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from anchor.broadcast.files import FileError, check_sound
from anchor.broadcast.nodes import Fields, Items, Node, Scalar, plain
from anchor.broadcast.prose import faulty_cues, guess_language, read_marked, speakable, without_cues
from anchor.broadcast.reading import Reading
from anchor.broadcast.segments import LONGEST_PAUSE, LONGEST_SEGMENT, Mocap, Recorded, Segment
from anchor.broadcast.showing import GRAPHICS_KEYS, cleared, read_graphics, read_lower_third
from anchor.broadcast.ssml import Marked
from anchor.errors import ScriptError
from anchor.events import Gesture, Mood
from anchor.graphics import Graphics, Media
from anchor.pipeline.manner import gesture_named, mood_named
from anchor.pipeline.utterance import Cue
from anchor.tags import closest

CUE_KEYS = {"mark", "lower_third", "mood", "gesture"} | GRAPHICS_KEYS
SEGMENT_KEYS = (
    "id", "text", "language", "voice", "recording", "avatar", "mood", "gesture", "mocap", "lower_third", "headline",
    "ticker", "picture", "clip", "chart", "table", "credits", "transition", "cues", "pause",
)  # fmt: skip
MOST_CUES = 100

_ID = re.compile(r"[^\W_][\w.-]{0,63}")
_PLACED = re.compile(r".*?:(\d+): (.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Defaults:
    """What the head of a rundown says for all its segments. `voices` are by language tag."""

    ticker: tuple[str, ...] = ()
    voice: str = ""
    avatar: str = ""
    second_language: str = ""
    voices: Mapping[str, str] = field(default_factory=dict)


def segment_id(segment: Any) -> str:
    """An id made of what a segment, as plain data, says and shows: the same wherever it stands."""
    if isinstance(segment, Mapping):
        segment = {key: value for key, value in segment.items() if key != "id"}
    text = json.dumps(segment, sort_keys=True, ensure_ascii=False)
    return f"s{hashlib.blake2s(text.encode('utf-8', 'surrogatepass'), digest_size=4).hexdigest()}"


class Ids:
    """Ids that are given out: one that is taken gets a number."""

    def __init__(self) -> None:
        self.taken: set[str] = set()

    def new(self, wanted: str) -> str:
        number, found = 2, wanted
        while found in self.taken:
            found, number = f"{wanted}-{number}", number + 1
        self.taken.add(found)
        return found


class SegmentReader:
    def __init__(self, reading: Reading, defaults: Defaults) -> None:
        self._reading = reading
        self._defaults = defaults
        self._path = str(reading.path)

    def segments(self, nodes: list[Node]) -> Iterator[Segment]:
        """Each segment; of a faulty one what is right."""
        ids = self._ids(nodes)
        for number, (node, name) in enumerate(zip(nodes, ids, strict=True)):
            self._reading.segment = number
            segment = self._segment(node)
            if segment is not None:
                yield replace(segment, id=name)
        self._reading.segment = None

    def _ids(self, nodes: list[Node]) -> list[str]:
        """The ids that are written, and others for the rest, which take none that is written further down."""
        ids = Ids()
        written: dict[int, str] = {}
        for number, node in enumerate(nodes):
            self._reading.segment = number
            if isinstance(node, Fields) and "id" in node.values:
                at = node.values["id"]
                name = self._reading.word(at, "id")
                if name and not _ID.fullmatch(name):
                    self._reading.fault(at, f"id: {name!r}: letters, digits, '.', '_' and '-' are taken", "id")
                elif name in ids.taken:
                    self._reading.fault(at, f"id: {name!r} is there twice", "id")
                elif name:
                    ids.taken.add(name)
                    written[number] = name
        return [written.get(number) or ids.new(segment_id(plain(node))) for number, node in enumerate(nodes)]

    def _segment(self, node: Node) -> Segment | None:
        read = self._reading
        if isinstance(node, Scalar) or read.by_language(node):
            fields: dict[str, Node] = {"text": node}
        else:
            fields = read.fields(node, "a segment", SEGMENT_KEYS)
        if not fields:
            return None
        said = "text" in fields
        marked, language = self._text(fields)
        mood, gestures = self._manner(fields)
        third = fields.get("lower_third")
        segment = Segment(
            marked.text,
            language,
            lower_third=None if third is None or cleared(third) else read_lower_third(read, third),
            pause=read.seconds(fields["pause"], "pause", LONGEST_PAUSE) if "pause" in fields else 0.0,
            line=node.line,
            mood=mood,
            gestures=gestures,
            mocap=self._mocap(fields["mocap"]) if "mocap" in fields else None,
            recording=self._recording(fields["recording"], marked.text) if "recording" in fields else None,
            spans=marked.spans,
            graphics=read_graphics(read, fields, Graphics(ticker=self._defaults.ticker), silent=not said),
            translation=self._translation(fields) if said else "",
            voice=self._voice(fields, language),
            avatar=self._avatar_of(fields),
        )
        if not said and not self._shows(segment, fields):
            read.fault(node, "text: a segment needs one, or a clip, credits, or a picture with a pause", "text")
        return replace(segment, cues=self._cues(fields["cues"], segment)) if "cues" in fields else segment

    def _text(self, fields: Mapping[str, Node]) -> tuple[Marked, str]:
        """The text, and the language it is in."""
        read = self._reading
        own = read.tag(fields["language"], "language") if "language" in fields else ""
        default = own or read.language
        node = fields.get("text")
        if node is None:
            return Marked("", ()), default or "en"
        if isinstance(node, Fields):
            if own:
                read.fault(fields["language"], "language: a text by language has its own; take this out", "language")
            elif not read.by_language(node):
                tags = ", ".join(node.values) or "en, zh"
                read.fault(node, f"text: it is by language; say which at the top, languages: [{tags}]", "text")
                return Marked("", ()), default or "en"
        elif len(read.tags) > 1 and not own and isinstance(node, Scalar) and self._several:
            missing = ", ".join(tag for tag in read.tags if tag != read.tags[0])
            read.fault(
                node,
                f"text: there is none in {missing}; write text: {{{read.tags[0]}: ...}} for each, or language",
                "text",
            )
        found = read.local(node, "text")
        if found is None:
            return Marked("", ()), default or "en"
        marked = self._marked(found, default)
        return marked, default or guess_language(without_cues(marked.text))

    @property
    def _several(self) -> bool:
        return len([tag for tag in self._reading.tags if tag != self._defaults.second_language]) > 1

    def _marked(self, node: Node, language: str, key: str = "text") -> Marked:
        read = self._reading
        if not isinstance(node, Scalar) or node.empty:
            read.fault(node, f"{key}: text is needed", key)
            return Marked("", ())
        line = node.line + node.block
        text = node.value.strip()
        if len(text) > LONGEST_SEGMENT:
            read.fault(
                node, f"{key}: a segment of {len(text):,} characters is longer than {LONGEST_SEGMENT:,}; part it", key
            )
            return Marked(text[:100], ())
        try:
            marked = read_marked(text, language or None, self._path, line)
        except ScriptError as error:
            placed = _PLACED.match(str(error).removeprefix(self._path))
            read.fault(int(placed[1]) if placed else line, f"{key}: {placed[2] if placed else error}", key)
            return Marked("", ())
        faults = [*faulty_cues(text)] or [(0, problem) for _, problem in faulty_cues(marked.text)]
        for below, problem in faults:
            read.fault(line + below, problem, key)
        if faults:
            return Marked("", ())
        if not speakable(without_cues(marked.text)):
            read.fault(node, f"{key}: there is nothing to say in it", key)
        return marked

    def _translation(self, fields: Mapping[str, Node]) -> str:
        """The text in the second language, with its cues; empty where there is none."""
        second, node = self._defaults.second_language, fields["text"]
        if not second or not isinstance(node, Fields):
            return ""
        tag = closest(node.values, second)
        return self._marked(node.values[tag], second).text if tag is not None else ""

    def _manner(self, fields: Mapping[str, Node]) -> tuple[Mood | None, tuple[Gesture, ...]]:
        read = self._reading
        mood = read.named(mood_named, fields["mood"], "mood") if "mood" in fields else None
        gestures: list[Gesture] = []
        if "gesture" in fields:
            node = fields["gesture"]
            for one in node.items if isinstance(node, Items) else [node]:
                gesture = read.named(gesture_named, one, "gesture")
                if gesture is not None:
                    gestures.append(gesture)
        return mood, tuple(gestures)

    def _mocap(self, node: Node) -> Mocap | None:
        read = self._reading
        fields = {"take": node} if isinstance(node, Scalar) else read.fields(node, "mocap", {"take", "mouth"}, "mocap")
        if "take" not in fields:
            read.fault(node, "mocap: take is needed, a clip or a table of ARKit weights", "mocap")
            return None
        mouth = read.choice(fields["mouth"], "mouth", ("speech", "performer")) if "mouth" in fields else "speech"
        path = read.file(fields["take"], "mocap")
        return Mocap(path, mouth == "performer") if path is not None else None

    def _recording(self, node: Node, text: str) -> Recorded | None:
        if not text:
            self._reading.fault(node, "recording: text is needed, what is read in it", "recording")
            return None
        path = self._reading.file(node, "recording", check_sound)
        return Recorded(path, without_cues(text)) if path is not None else None

    def _voice(self, fields: Mapping[str, Node], language: str) -> str:
        if "voice" in fields:
            return self._reading.name(fields["voice"], "voice", self._reading.known.voices)
        tag = closest(self._defaults.voices, language)
        return self._defaults.voices[tag] if tag is not None else self._defaults.voice

    def _avatar_of(self, fields: Mapping[str, Node]) -> str:
        return self.avatar(self._reading, fields["avatar"]) if "avatar" in fields else self._defaults.avatar

    @staticmethod
    def avatar(reading: Reading, node: Node) -> str:
        """A name, or the path of a folder or package beside the rundown."""
        found = reading.local(node, "avatar")
        value = reading.word(found, "avatar") if found is not None else ""
        if "/" not in value and not value.lower().endswith(".zip"):
            return reading.name(found, "avatar", reading.known.avatars) if found is not None and value else ""
        try:
            path = reading.known.reach.place(value)
        except FileError as error:
            reading.fault(node, f"avatar: {error}", "avatar")
            return ""
        if not path.exists():
            reading.fault(node, f"avatar: there is no {path}", "avatar")
        return str(path)

    def _shows(self, segment: Segment, fields: Mapping[str, Node]) -> bool:
        """Whether a segment without text has something to be on air for; a faulty clip counts, and is told of."""
        graphics = segment.graphics
        if graphics.credits or "clip" in fields or (isinstance(graphics.inset, Media) and graphics.inset.clip):
            return True
        shown = any(key in fields and not cleared(fields[key]) for key in ("picture", "chart", "table", "headline"))
        return shown and segment.pause > 0

    def _cues(self, node: Node, segment: Segment) -> dict[str, Cue]:
        """Cues in the order of their marks: each shows what the one before it did, changed."""
        self._reading.within = "cues"
        try:
            return self._read_cues(node, segment)
        finally:
            self._reading.within = ""

    def _read_cues(self, node: Node, segment: Segment) -> dict[str, Cue]:
        read = self._reading
        marks = [span.value for span in segment.spans if span.kind == "mark"]
        found: dict[str, dict[str, Node]] = {}
        items = read.items(node, "cues", "cues")
        if len(items) > MOST_CUES:
            read.fault(node, f"cues: {len(items)} are too many; at most {MOST_CUES}", "cues")
        for item in items[:MOST_CUES]:
            fields = read.fields(item, "a cue", CUE_KEYS, "cues")
            name = read.word(fields["mark"], "cues: mark") if "mark" in fields else ""
            if "mark" not in fields:
                if isinstance(item, Fields):
                    read.fault(item, 'cues: mark is needed, the name of a <mark name="..."/> in the text', "cues")
            elif name in found:
                read.fault(item, f"cues: {name!r} is there twice", "cues")
            elif name not in marks:
                read.fault(fields["mark"], f'cues: there is no <mark name="{name}"/> in its text', "cues")
            else:
                found[name] = fields
        cues: dict[str, Cue] = {}
        graphics = segment.graphics
        for name in sorted(found, key=marks.index):
            cues[name] = cue = self._cue(found[name], graphics)
            graphics = cue.graphics or graphics
        return cues

    def _cue(self, fields: Mapping[str, Node], graphics: Graphics) -> Cue:
        mood, gestures = self._manner(fields)
        lower_third = None
        if "lower_third" in fields and cleared(node := fields["lower_third"]):
            self._reading.fault(node, "lower_third: a cue changes it and cannot take it away; begin a segment", "cues")
        elif "lower_third" in fields:
            lower_third = read_lower_third(self._reading, node)
        changed = (
            read_graphics(self._reading, fields, graphics, silent=False) if GRAPHICS_KEYS & fields.keys() else None
        )
        return Cue(changed, lower_third, mood, gestures)
