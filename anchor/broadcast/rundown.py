"""Rundowns in YAML: what is wrong with them, all of it, and what they say in one language.

`configs/README.md` lists the keys. Text may hold SSML and ``[mood: warm]`` cues; what viewers read may be by language.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from anchor.broadcast.files import Reach
from anchor.broadcast.nodes import Fields, Items, Node, NodeError, Scalar, compose
from anchor.broadcast.prose import directed
from anchor.broadcast.reading import Known, Reading
from anchor.broadcast.segment_reader import Defaults, SegmentReader
from anchor.broadcast.segments import Script
from anchor.broadcast.showing import MOST_TICKER_LINES
from anchor.errors import RundownError
from anchor.onair import Problem
from anchor.tags import closest

MOST_SEGMENTS = 5000
MOST_LANGUAGES = 12
TOP_KEYS = (
    "title", "review", "language", "languages", "second_language", "voice", "voices", "avatar", "template", "ticker",
    "segments",
)  # fmt: skip


def check_rundown(
    text: str,
    path: Path,
    *,
    voices: Collection[str] | None = None,
    avatars: Collection[str] | None = None,
    anywhere: bool = False,
    draft: bool = False,
) -> Sequence[Problem]:
    """All that is wrong with a rundown, in all its languages, by line; empty when it can go on air.

    `path` is where it lies, for the files it names, which must be beside it or be named in the file that is there,
    but with `anywhere`. `voices` and `avatars` are the names there are, where that is known. A rundown that waits for
    review has that as a problem, but for a `draft`.
    """
    try:
        rundown = _Rundown(text, path, Known(Reach(path, anywhere=anywhere), voices, avatars), draft=draft)
    except RundownError as error:
        return error.problems
    found: dict[tuple[int, str], Problem] = {}
    for language in rundown.languages or ("",):
        reading, _ = rundown.read(language)
        for problem in reading.problems:
            found.setdefault((problem.line, problem.message), problem)
    return sorted(found.values(), key=lambda problem: problem.line)


def read_rundown(
    text: str,
    path: Path,
    language: str | None = None,
    *,
    second_language: str = "",
    anywhere: bool = False,
    draft: bool = False,
) -> Script:
    """A rundown in one language: of `languages` the one that is asked for, else the first.

    For a rundown in one language `language` is what it does not name itself. `second_language` is for one that names
    none; `anywhere` and `draft` are as for `check_rundown`. Raises `RundownError` with all problems of that language.
    """
    rundown = _Rundown(text, path, Known(Reach(path, anywhere=anywhere)), draft=draft)
    reading, script = rundown.read(rundown.chosen(language), second_language)
    if reading.problems:
        raise refusal(path, sorted(reading.problems, key=lambda problem: problem.line))
    return script


def rundown_languages(text: str, path: Path) -> tuple[str, ...]:
    """The languages that a rundown says it is in. Raises `RundownError` for what is no rundown."""
    return _Rundown(text, path, Known(Reach(path, anywhere=False)), draft=True).languages


def refusal(path: Path, problems: Sequence[Problem]) -> RundownError:
    """One error of problems: the first is named with file and line, and how many there are."""
    first = problems[0]
    more = f"\n(and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return RundownError(f"{path}:{first.line}: {first.message}{more}", problems)


class _Rundown:
    """A rundown whose head is known. Raises `RundownError` for what is no rundown at all."""

    def __init__(self, text: str, path: Path, known: Known, *, draft: bool) -> None:
        self._path = path
        self._known = known
        self._draft = draft
        try:
            root = compose(text)
        except NodeError as error:
            raise refusal(path, [Problem(str(error), error.line)]) from error
        if root is not None and not isinstance(root, Fields):
            raise refusal(path, [Problem(f"a rundown is a mapping of {', '.join(TOP_KEYS)}", root.line)])
        self._root = root or Fields(1)
        self.languages = self._languages(self._reading(""))

    def _reading(self, language: str, second: str = "") -> Reading:
        tags = getattr(self, "languages", ())
        if second and closest(tags, second) is None:
            tags = (*tags, second)
        return Reading(self._path, tags, language, self._known)

    def chosen(self, language: str | None) -> str:
        """Raises `RundownError` for a language that a rundown of several has not."""
        if language is None or len(self.languages) < 2:
            return self.languages[0] if self.languages else language or ""
        tag = closest(self.languages, language)
        if tag is None:
            line = self._root.keys["languages"].line
            raise refusal(
                self._path, [Problem(f"languages: is not in {language}; it is in {', '.join(self.languages)}", line)]
            )
        return tag

    def _languages(self, reading: Reading) -> tuple[str, ...]:
        values = self._root.values
        tags: list[str] = []
        if isinstance(node := values.get("languages"), Items):
            tags = [tag for item in node.items[:MOST_LANGUAGES] if (tag := reading.tag(item, "languages"))]
        if "language" in values and (own := reading.tag(values["language"], "language")):
            first = closest(tags, own) or own
            tags = [first, *(tag for tag in tags if tag != first)]
        return tuple(dict.fromkeys(tags))

    def read(self, language: str, second_language: str = "") -> tuple[Reading, Script]:
        """What the rundown says in a language, and what is wrong with that."""
        values = self._root.values
        second = second_language if self.languages else ""
        if isinstance(node := values.get("second_language"), Scalar) and not node.empty:
            second = node.value.strip()
        second = closest(self.languages, second) or second if second else ""
        if second.lower() == language.lower():
            second = ""
        reading = self._reading(language, second)
        reading.fields(self._root, "a rundown", TOP_KEYS)
        self._check_languages(reading)
        self._check_review(reading)
        title = reading.text(values["title"], "title") if "title" in values else self._path.stem
        ticker: tuple[str, ...] = ()
        if "ticker" in values:
            ticker = reading.lines(values["ticker"], "ticker", MOST_TICKER_LINES)
        template = reading.word(values["template"], "template") if "template" in values else ""
        defaults = Defaults(ticker, self._voice(reading), self._avatar(reading), second, self._voices(reading))
        segments = SegmentReader(reading, defaults).segments(self._nodes(reading))
        script = Script(title, directed(segments, str(self._path)), self.languages, second, ticker, template)
        if not self.languages and script.segments:
            spoken = tuple(dict.fromkeys(segment.language for segment in script.segments if segment.text))
            script = Script(title, script.segments, spoken[:1], second, ticker, template)
        return reading, script

    def _nodes(self, reading: Reading) -> list[Node]:
        node = self._root.values.get("segments")
        if not isinstance(node, Items):
            reading.fault(node or self._root, "segments: a list of segments is needed", "segments")
            return []
        if not node.items:
            reading.fault(node, "segments: there is nothing to say in it", "segments")
        if len(node.items) > MOST_SEGMENTS:
            reading.fault(node, f"segments: {len(node.items):,} are too many; at most {MOST_SEGMENTS:,}", "segments")
        return node.items[:MOST_SEGMENTS]

    def _check_languages(self, reading: Reading) -> None:
        values = self._root.values
        if "language" in values:
            reading.tag(values["language"], "language")
        if "second_language" in values:
            reading.tag(values["second_language"], "second_language")
        if "languages" not in values:
            return
        node = values["languages"]
        items = reading.items(node, "languages", "language tags")
        tags = [reading.tag(item, "languages") for item in items]
        if not items or len(items) > MOST_LANGUAGES:
            reading.fault(node, f"languages: from 1 to {MOST_LANGUAGES} language tags are needed", "languages")
        for number, tag in enumerate(tags):
            if tag and tag in tags[:number]:
                reading.fault(items[number], f"languages: {tag} is there twice", "languages")
        if "language" in values and tags and closest([tag for tag in tags if tag], _word(values["language"])) is None:
            reading.fault(values["language"], f"language: is none of languages ({', '.join(tags)})", "language")

    def _check_review(self, reading: Reading) -> None:
        node = self._root.values.get("review")
        if node is None:
            return
        value = reading.choice(node, "review", ("required", "done"))
        if value == "required" and not self._draft:
            reading.fault(
                node, "review: it was drafted by a machine; look through it, then take this line out", "review"
            )

    def _voice(self, reading: Reading) -> str:
        values = self._root.values
        return reading.name(values["voice"], "voice", self._known.voices) if "voice" in values else ""

    def _voices(self, reading: Reading) -> dict[str, str]:
        node = self._root.values.get("voices")
        if node is None:
            return {}
        if not isinstance(node, Fields):
            reading.fault(node, "voices: names of voices by language tag are needed, {zh: lin, en: amy}", "voices")
            return {}
        return {tag: reading.name(value, f"voices: {tag}", self._known.voices) for tag, value in node.values.items()}

    def _avatar(self, reading: Reading) -> str:
        values = self._root.values
        return SegmentReader.avatar(reading, values["avatar"]) if "avatar" in values else ""


def _word(node: Node) -> str:
    return node.value if isinstance(node, Scalar) else ""
