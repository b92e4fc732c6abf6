"""Scripts: what a presenter says, as plain text, SSML or a YAML rundown.

Plain text: a blank line begins a new segment. SSML: each ``<p>`` is one. YAML: see `anchor.broadcast.rundown`.
"""

from __future__ import annotations

import re
from pathlib import Path

from anchor.broadcast.prose import directed, guess_language, parse_text, speakable
from anchor.broadcast.rundown import read_rundown, rundown_languages
from anchor.broadcast.segments import LONGEST_PAUSE, LONGEST_SEGMENT, Mocap, Recorded, Script, Segment
from anchor.broadcast.ssml_file import read_ssml
from anchor.errors import ScriptError

__all__ = [
    "LONGEST_PAUSE",
    "LONGEST_SEGMENT",
    "Mocap",
    "Recorded",
    "Script",
    "Segment",
    "directed",
    "guess_language",
    "languages_of",
    "load_script",
    "parse_text",
    "read_file",
    "speakable",
]

LARGEST_FILE = 32 * 2**20
YAML = (".yaml", ".yml")
TEXT = (".txt", ".md", "")
SSML = (".ssml", ".xml")

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")


def load_script(path: Path, language: str | None = None, *, second_language: str = "") -> Script:
    """Read a script. Of a rundown in several languages `language` picks one, the first by default.

    Else it is for text that does not name its own; without it, it is told from the letters. `second_language` is for
    captions of a rundown that names none itself. Raises `ScriptError` naming file and line; for a rundown a
    `RundownError` with all its problems, one that waits for review included.
    """
    text = read_file(path)
    suffix = path.suffix.lower()
    if suffix in YAML:
        script = _rundown(text, path, language, second_language)
    elif suffix in SSML:
        script = read_ssml(text, path, language)
    elif suffix in TEXT:
        script = parse_text(text, language, title=path.stem, where=str(path))
    else:
        raise ScriptError(f"{path}: cannot read {path.suffix} scripts; write .txt, .ssml or .yaml")
    if not script.segments:
        raise ScriptError(f"{path}: there is nothing to say in it")
    for segment in script.segments:
        if len(segment.text) > LONGEST_SEGMENT:
            raise ScriptError(
                f"{path}:{segment.line}: a segment of {len(segment.text):,} characters is longer than "
                f"{LONGEST_SEGMENT:,}; part it with blank lines"
            )
    return script


def _rundown(text: str, path: Path, language: str | None, second_language: str) -> Script:
    """Who has a file on this machine may name any other in it."""
    if not text.strip():
        return Script("", ())
    return read_rundown(text, path, language, second_language=second_language, anywhere=True)


def languages_of(path: Path) -> tuple[str, ...]:
    """The languages that a script is in, the one first that it is read in when none is asked for.

    Raises `ScriptError` for a file that cannot be read.
    """
    if path.suffix.lower() in YAML:
        named = rundown_languages(read_file(path), path)
        if named:
            return named
    return load_script(path).languages


def read_file(path: Path) -> str:
    """The text of a script's file. Raises `ScriptError` for what is not text, with the line."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise ScriptError(f"{path}: is larger than {LARGEST_FILE // 2**20} MiB")
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ScriptError(f"{path}: is not UTF-8 text (byte {error.start}); save it as UTF-8") from error
    except OSError as error:
        raise ScriptError(f"{path}: cannot be read: {error.strerror}") from error
    if _CONTROL.search(text):
        for number, line in enumerate(text.split("\n"), start=1):
            if (found := _CONTROL.search(line)) is not None:
                raise ScriptError(f"{path}:{number}: there is a control character (U+{ord(found[0]):04X}); take it out")
    return text
