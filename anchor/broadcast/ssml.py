"""Marked-up text: the part of SSML 1.1 (W3C Recommendation, 7 September 2010) that a newsroom needs.

``speak`` (which may be left out), ``p``, ``s``, ``w``, ``token``, ``break``, ``mark``, ``say-as``, ``sub``,
``phoneme``, ``emphasis``, ``prosody`` (rate, pitch, volume), ``lang``, and ``xml:lang`` on all that hold text. What is
not listed is an error that names its line, so that a slip of the pen is never read aloud or lost. Phonemes are IPA, or
in Chinese pinyin with tone digits (``alphabet="x-pinyin"``). There is no DTD, and so no entity but XML's five and
numbers.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from xml.parsers import expat

from anchor.broadcast.prosody import pitch_of, rate_of, seconds_of, volume_of
from anchor.errors import ScriptError
from anchor.events import Span
from anchor.linebreak import wide
from anchor.voice.text.say_as import KINDS
from anchor.voice.text.scripts import HAN

NAMESPACE = "http://www.w3.org/2001/10/synthesis"
LARGEST = 1 << 20
"""Characters of marked-up text."""
DEEPEST = 32
MOST = 10_000
"""Elements."""
LONGEST_EXACT = 200
"""Characters inside say-as, sub and phoneme, which are read in one breath, and of what is said for them."""
LONGEST_NAME = 64

_XML = "http://www.w3.org/XML/1998/namespace "
_TEXT = ("lang",)
_ATTRIBUTES: Mapping[str, tuple[str, ...]] = {
    "speak": (), "p": _TEXT, "s": _TEXT, "w": (*_TEXT, "role"), "token": (*_TEXT, "role"),
    "break": ("time", "strength"), "mark": ("name",), "say-as": ("interpret-as", "format", "detail"),
    "sub": ("alias",), "phoneme": ("ph", "alphabet", "type"), "emphasis": ("level", *_TEXT),
    "prosody": ("rate", "pitch", "volume", *_TEXT), "lang": ("lang", "onlangfailure"),
}  # fmt: skip
_HOLDERS = tuple(name for name, known in _ATTRIBUTES.items() if "lang" in known)
_SPACE, _WRAP, _LINE, _PARAGRAPH = 1, 2, 3, 4
"""White space between two letters: a space, a line end of the source, the end of a sentence and of a paragraph."""
_WRITTEN = ("", " ", " ", "\n", "\n\n")
_UNCLOSED = ("mismatched tag", "no element found", "unclosed token")
_EXACT = ("say-as", "sub", "phoneme")
_LEVELS = ("strong", "moderate", "none", "reduced")

_TAG = re.compile(
    r"<(?P<end>/?)(?:\w+:)?(?P<name>speak|break|say-as|sub|phoneme|emphasis|prosody|mark|lang)(?:\s[^<>]*)?/?>"
)
_PAIR = re.compile(r"<(p|s|w|token)(?:\s[^<>]*)?>.*?</\1\s*>", re.DOTALL)
_ROOT = re.compile(r"\s*(?:<\?xml[^>]*\?>\s*)?(?:<!--.*?-->\s*)*<(?:!DOCTYPE|(?:\w+:)?speak[\s>/])", re.DOTALL)
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*")
_PINYIN = re.compile(r"[a-zü:]+[1-5](?: ?[a-zü:]+[1-5])*")


@dataclass(frozen=True, slots=True)
class Marked:
    """Text as viewers read it, and what its mark-up says of it, in order of where it begins."""

    text: str
    spans: tuple[Span, ...] = ()


def looks_marked(text: str) -> bool:
    """Whether a text is marked up: it has a tag of SSML. A stray ``&`` or ``<`` makes no mark-up."""
    return bool(_TAG.search(text) or _PAIR.search(text) or _ROOT.match(text))


def parse_ssml(text: str, language: str) -> Marked:
    """Read marked-up text, of which `language` is the language where it does not name another.

    White space is made even: single spaces, none between ideographs, a blank line around paragraphs. Raises
    `ScriptError` with the line, from 1.
    """
    if len(text) > LARGEST:
        raise ScriptError(f"line 1: marked-up text of {len(text):,} characters is longer than {LARGEST:,}; part it")
    stripped = text.lstrip("\ufeff \t\r\n")
    reader = _Reader(language, first=1 + text[: len(text) - len(stripped)].count("\n"))
    return reader.read(stripped if _ROOT.match(stripped) else f"<speak>{stripped}</speak>")


@dataclass(slots=True)
class _Open:
    """An element that is open; `start` is the place of its first character, once there is one."""

    name: str
    attributes: Mapping[str, str]
    line: int
    language: str
    start: int | None = None


@dataclass(slots=True)
class _Reader:
    language: str
    first: int
    _parser: expat.XMLParserType = field(init=False)
    _text: list[str] = field(default_factory=list)
    _space: int = 0
    _open: list[_Open] = field(default_factory=list)
    _points: list[Span] = field(default_factory=list)
    _spans: list[Span] = field(default_factory=list)
    _names: set[str] = field(default_factory=set)
    _count: int = 0

    def read(self, text: str) -> Marked:
        parser = self._parser = expat.ParserCreate("utf-8", " ")
        parser.buffer_text = True
        parser.StartElementHandler = self._begin
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._say
        parser.StartDoctypeDeclHandler = lambda *_: self._refuse("a document type is not allowed; leave <!DOCTYPE> out")
        parser.ProcessingInstructionHandler = lambda target, _: self._refuse(f"<?{target}?> is not SSML; leave it out")
        try:
            parser.Parse(text.encode(), True)
        except UnicodeEncodeError as error:
            raise ScriptError(f"line {self._line_of(text, error.start)}: half a character (a lone surrogate)") from None
        except expat.ExpatError as error:
            if expat.ErrorString(error.code) in _UNCLOSED and (around := self._open[1:] or self._open):
                self._refuse(f"<{around[-1].name}> is not closed", around[-1].line)
            raise ScriptError(_explained(error, text, self.first + error.lineno - 1)) from None
        self._place()
        return Marked("".join(self._text), tuple(sorted(self._spans, key=lambda span: (span.start, -span.end))))

    def _line_of(self, text: str, place: int) -> int:
        return self.first + text.count("\n", 0, place)

    @property
    def _line(self) -> int:
        return self.first + self._parser.CurrentLineNumber - 1

    def _refuse(self, text: str, line: int | None = None) -> None:
        raise ScriptError(f"line {line or self._line}: {text}")

    # Text.

    def _say(self, data: str) -> None:
        for letter in data:
            if letter.isspace():
                self._space = max(self._space, _WRAP if letter in "\r\n" else _SPACE)
            elif unicodedata.category(letter) == "Cc":
                self._refuse(f"there is a control character (U+{ord(letter):04X}); take it out")
            else:
                self._write(letter)

    def _write(self, letter: str) -> None:
        if self._text and self._space:
            # A line end between ideographs is where a line was full, not a space.
            joined = self._space == _WRAP and _unspaced(self._text[-1]) and _unspaced(letter)
            self._text += "" if joined else _WRITTEN[self._space]
        self._space = 0
        self._place()
        for element in self._open:
            if element.start is None:
                element.start = len(self._text)
        self._text.append(letter)

    def _place(self) -> None:
        """Marks and breaks stand before the next character, behind white space."""
        here = len(self._text)
        self._spans += (point.shifted(here) for point in self._points)
        self._points.clear()

    # Elements.

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if self._count > MOST:
            self._refuse(f"there are more than {MOST:,} elements; part the text")
        if len(self._open) >= DEEPEST:
            self._refuse(f"elements are nested deeper than {DEEPEST}")
        name = self._known(name)
        if self._open and (inside := self._open[-1].name) in (*_EXACT, "break", "mark"):
            self._refuse(
                f"<{inside}> holds text only, no <{name}>" if inside in _EXACT else f"<{inside}/> holds nothing"
            )
        if name == "speak" and self._open:
            self._refuse("<speak> stands around everything, once")
        found = self._attributes(name, attributes)
        language = found.get("lang", self._open[-1].language if self._open else self.language)
        if not _LANGUAGE.fullmatch(language) and "lang" in found:
            self._refuse(f"xml:lang {language!r} is no language tag; write one such as en or zh-CN")
        if name == "lang" and "lang" not in found:
            self._refuse('<lang> needs its language, for example xml:lang="en"')
        if name in ("p", "s"):
            self._space = max(self._space, _PARAGRAPH if name == "p" else _LINE)
        element = _Open(name, found, self._line, language)
        self._open.append(element)
        if name == "break":
            self._points.append(Span(0, 0, "break", seconds=self._read(seconds_of, found)))
        elif name == "mark":
            self._points.append(Span(0, 0, "mark", self._mark(found.get("name", ""))))

    def _known(self, name: str) -> str:
        namespace, _, local = name.rpartition(" ")
        if namespace not in ("", NAMESPACE) or local not in _ATTRIBUTES:
            self._refuse(f"<{local}> is not known here; there are {', '.join(_ATTRIBUTES)}")
        return local

    def _attributes(self, name: str, attributes: Mapping[str, str]) -> dict[str, str]:
        found = {}
        for key, value in attributes.items():
            local = key.removeprefix(_XML)
            if name == "speak" and local != "lang":
                continue
            if " " in local or (local not in _ATTRIBUTES[name] and local != "lang"):
                known = ", ".join(_ATTRIBUTES[name])
                self._refuse(f"<{name}> has no {local.rpartition(' ')[2]}" + (f"; it has {known}" if known else ""))
            if (local == "lang") != key.startswith(_XML) or (local == "lang" and name not in ("speak", *_HOLDERS)):
                self._refuse(f"<{name}> has no {local}; a language is written xml:lang, on an element around text")
            found[local] = value.strip()
        return found

    def _mark(self, name: str) -> str:
        if not name or len(name) > LONGEST_NAME:
            self._refuse(f"<mark> needs a name of at most {LONGEST_NAME} characters")
        if name in self._names:
            self._refuse(f"there are two marks named {name!r}")
        self._names.add(name)
        return name

    def _end(self, _: str) -> None:
        element = self._open.pop()
        if element.name in ("p", "s"):
            self._space = max(self._space, _PARAGRAPH if element.name == "p" else _LINE)
        around = self._open[-1].language if self._open else self.language
        end = len(self._text)
        if element.start is None:
            if element.name in _EXACT:
                self._refuse(f"<{element.name}> holds nothing to read", element.line)
            return
        kind = {"say-as": self._say_as, "sub": self._sub, "phoneme": self._phoneme, "emphasis": self._emphasis}
        if element.name in _EXACT and end - element.start > LONGEST_EXACT:
            self._refuse(f"<{element.name}> holds more than {LONGEST_EXACT} characters", element.line)
        if element.name in kind:
            self._spans.append(kind[element.name](element, end))
        elif element.name == "prosody":
            self._spans.append(self._prosody(element, end))
        if element.language != around:
            self._spans.append(Span(element.start, end, "lang", element.language))

    def _say_as(self, element: _Open, end: int) -> Span:
        assert element.start is not None
        kind, form = element.attributes.get("interpret-as", "").lower(), element.attributes.get("format", "").lower()
        if kind not in KINDS:
            self._refuse(f"say-as {kind!r} is not known; there are {', '.join(KINDS)}", element.line)
        if form and not re.fullmatch(r"[a-z0-9]{1,12}", form):
            self._refuse(f"say-as has no format {form[:20]!r}", element.line)
        return Span(element.start, end, "say-as", f"{kind}:{form}" if form else kind)

    def _sub(self, element: _Open, end: int) -> Span:
        assert element.start is not None
        alias = " ".join(element.attributes.get("alias", "").split())
        if not any(letter.isalnum() for letter in alias) or len(alias) > LONGEST_EXACT:
            self._refuse(f"<sub> needs an alias to say, of at most {LONGEST_EXACT} characters", element.line)
        return Span(element.start, end, "sub", alias)

    def _phoneme(self, element: _Open, end: int) -> Span:
        assert element.start is not None
        alphabet = element.attributes.get("alphabet", "ipa").lower()
        said = element.attributes.get("ph", "").strip()
        text = "".join(self._text[element.start : end])
        if not said or len(said) > LONGEST_EXACT:
            self._refuse(f"<phoneme> needs ph, at most {LONGEST_EXACT} characters", element.line)
        if alphabet in ("x-pinyin", "pinyin"):
            said = said.lower()
            if not _PINYIN.fullmatch(said):
                self._refuse(f"pinyin is syllables with tones 1 to 5, such as hang2 zhang3, not {said!r}", element.line)
        elif alphabet == "ipa":
            if (wrong := next((letter for letter in said if not _phonetic(letter)), "")) != "":
                self._refuse(f"{wrong!r} is no letter of the IPA", element.line)
            if re.search(f"[{HAN}]", text):
                self._refuse('Chinese is written in pinyin: alphabet="x-pinyin" ph="hang2 zhang3"', element.line)
        else:
            self._refuse(f"phonemes are in ipa or x-pinyin, not {alphabet!r}", element.line)
        return Span(element.start, end, "phoneme", said)

    def _emphasis(self, element: _Open, end: int) -> Span:
        assert element.start is not None
        level = element.attributes.get("level", "moderate").lower()
        if level not in _LEVELS:
            self._refuse(f"emphasis {level!r} is not known; there are {', '.join(_LEVELS)}", element.line)
        return Span(element.start, end, "emphasis", level)

    def _prosody(self, element: _Open, end: int) -> Span:
        assert element.start is not None
        rate = self._read(lambda values: rate_of(values.get("rate", "")), element.attributes, element.line)
        pitch = self._read(lambda values: pitch_of(values.get("pitch", "")), element.attributes, element.line)
        volume = self._read(lambda values: volume_of(values.get("volume", "")), element.attributes, element.line)
        return Span(element.start, end, "prosody", rate=rate, pitch=pitch, volume=volume)

    def _read(
        self, reading: Callable[[Mapping[str, str]], float], values: Mapping[str, str], line: int | None = None
    ) -> float:
        try:
            return reading(values)
        except ValueError as error:
            raise ScriptError(f"line {line or self._line}: {error}") from None


def _unspaced(letter: str) -> bool:
    return wide(letter) and not "\uac00" <= letter <= "\ud7a3"


def _phonetic(letter: str) -> bool:
    return letter in " .|‖‿()-\u200d" or (unicodedata.category(letter) in ("Ll", "Lo", "Lm", "Mn", "Sk"))


def _explained(error: expat.ExpatError, text: str, line: int) -> str:
    """What expat found wrong, for somebody who has typed it."""
    rows = text.split("\n")
    row = rows[error.lineno - 1].encode() if error.lineno <= len(rows) else b""
    at = row[error.offset :].decode("utf-8", "ignore")
    before = row[: error.offset].decode("utf-8", "ignore").rstrip()
    what = expat.ErrorString(error.code) or "it cannot be read"
    if at[:1] == "&" or re.search(r"&[\w#]*$", before):
        what = "a & in marked-up text is written &amp;"
    elif what == "undefined entity":
        what = "only &amp; &lt; &gt; &quot; &apos; and numbers such as &#8212; stand for characters"
    elif what in _UNCLOSED:
        what = "an element is not closed"
    elif what == "unbound prefix":
        what = "a name with a prefix is not known here; SSML's elements have none"
    elif before.endswith("<") or at[:1] == "<":
        what = "a < in marked-up text is written &lt;"
    return f"line {line}: {what}"
