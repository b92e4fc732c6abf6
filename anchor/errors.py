"""The exceptions of the project.

AnchorError
├── ConfigError      a configuration file: names file and key
├── ScriptError      a script or rundown: names file and line
│   ├── RundownError with all that is wrong with a rundown
│   └── ConflictError an edit of a rundown that has changed meanwhile
├── LabelError       a file of phone labels: names file and line
├── FormatError      a size, rate or other media parameter that cannot work
├── MissingError     a back-end, package, font or file that is not here: says how to get it
│   └── FetchError   a model that could not be fetched: what came of it is kept for the next try
├── VoiceError       a voice that cannot speak what it was given
│   ├── UnsaidError   one text that a voice, which is well, cannot say
│   └── ConsentError  a person's voice that may not, or no longer, be used
├── AvatarError      an avatar package that cannot be used
├── TakeError        a recording of a performer's face that cannot be read: names file, line and column
├── ModelError       a network's file that cannot be used, or was fed what it does not take
├── RecognizerError  a recogniser that failed, or does not understand a language
├── DialogueError    a dialogue that failed, answered nothing, or speaks no protocol we know
├── KnowledgeError   a document or table of knowledge that cannot be read: names file and line
├── ActionError      business that could not be done: says whether anything was
├── AddressError     an address that may not be reached from here
├── StoreError       a database that cannot be opened or written
├── OutputError      a file or stream that cannot be written
│   └── RefusedError a stream that its receiver refuses, or that cannot work as it is set up
├── CapacityError    no room for another viewer or session now
├── LateError        work that cannot be done by the time it is due
└── SignallingError  an SDP offer or trickle fragment that cannot be answered

The text of an error is one or two lines for the person who made the mistake: what, where (``file:line`` or key), and
what to do. Anything that is not an `AnchorError` is a defect of ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from anchor.onair import Problem


class AnchorError(Exception):
    """Base of every error a user can cause and mend."""


class ConfigError(AnchorError):
    """A configuration file is wrong; the text names the file and the key."""


class ScriptError(AnchorError):
    """A script or rundown is wrong; the text names the file and the line."""


class RundownError(ScriptError):
    """A rundown has problems; `problems` are all of them, and the text has the first few."""

    def __init__(self, text: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__(text)
        self.problems = tuple(problems)


class ConflictError(ScriptError):
    """What was to be edited has changed meanwhile; nothing was done."""


class LabelError(AnchorError):
    """A file of phone labels cannot be read; the text names the file and the line."""


class FormatError(AnchorError):
    """A size, frame rate or other media parameter cannot work."""


class MissingError(AnchorError):
    """Something that is needed is not installed or not there; the text says how to get it."""


class FetchError(MissingError):
    """A model could not be fetched; the text says from where, why, and what to do."""


class VoiceError(AnchorError):
    """A voice cannot speak what it was given, or has failed."""


class UnsaidError(VoiceError):
    """A voice cannot say this one text, such as a recording that is not there; others it can."""


class ConsentError(VoiceError):
    """A person's voice may not be used, or no longer; asking again is no use."""


class AvatarError(AnchorError):
    """An avatar package cannot be used; the text names the file in it."""


class TakeError(AnchorError):
    """A recording of a performer's face cannot be read; the text names the file, and line and column where it has."""


class ModelError(AnchorError):
    """A file with a neural network cannot be used, or does not take what it was given; the text names the file."""


class RecognizerError(AnchorError):
    """A recogniser has failed, or does not understand a language."""


class DialogueError(AnchorError):
    """A dialogue has failed, answered nothing, or speaks no protocol we know."""


class KnowledgeError(AnchorError):
    """A document or table of knowledge cannot be read; the text names the file and the line."""


class ActionError(AnchorError):
    """Business could not be done; the text says whether anything was, and so does `done`: None is "nobody knows"."""

    def __init__(self, text: str, *, done: bool | None = False) -> None:
        super().__init__(text)
        self.done = done


class AddressError(AnchorError):
    """An address may not be reached from here, or leads nowhere; the text names it and says how to allow it."""


class StoreError(AnchorError):
    """A database cannot be opened or written."""


class OutputError(AnchorError):
    """A file or stream cannot be written."""


class RefusedError(OutputError):
    """A receiver refuses a stream, or it cannot work as it is set up; trying again at once is no use."""


class CapacityError(AnchorError):
    """There is no room for another viewer or session now; trying again later may work."""


class LateError(AnchorError):
    """Work that cannot be done by the time it is due; who asked for it goes on with what it has."""


class SignallingError(AnchorError):
    """An SDP offer or a trickle fragment cannot be answered."""
