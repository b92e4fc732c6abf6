"""A script as values: what a presenter says, one stretch after another, and what is shown meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from anchor.events import Gesture, LowerThird, Mood, Span
from anchor.graphics import NO_GRAPHICS, Graphics
from anchor.pipeline.utterance import Cue

LONGEST_SEGMENT = 20_000
"""Characters; twenty minutes of speech without a break is a mistake, most often a file that is not a script."""

LONGEST_PAUSE = 600.0


@dataclass(frozen=True, slots=True)
class Mocap:
    """A take that drives the face while a segment is said, all of it with `mouth`."""

    path: Path
    mouth: bool = False


@dataclass(frozen=True, slots=True)
class Recorded:
    """A sound file in which a person reads `text`: all of it, whatever part of it a segment is."""

    path: Path
    text: str


@dataclass(frozen=True, slots=True)
class Segment:
    """One stretch of a script. `line` is where it begins in its file, from 1; two that differ in it only are equal.

    `text` is as viewers read it, and `spans` are what SSML says of it. `id` is its own within the script and stays when
    others come or go; where a cue in the text parts it, the further parts are ``ID+2``, ``ID+3``. `cues` go by the
    names of marks. `voice` and `avatar` are names, empty for the show's own; an avatar with a slash in it or ending in
    .zip is a path. What has a `recording` is said by it, not by the voice. `translation` is the text in the script's
    second language. One without text shows its clip, rolls its credits, or shows its pictures for `pause` seconds.
    """

    text: str
    language: str
    lower_third: LowerThird | None = None
    pause: float = 0.0
    line: int = field(default=1, compare=False)
    mood: Mood | None = None
    gestures: tuple[Gesture, ...] = ()
    mocap: Mocap | None = None
    recording: Recorded | None = None
    id: str = ""
    spans: tuple[Span, ...] = ()
    graphics: Graphics = NO_GRAPHICS
    cues: Mapping[str, Cue] = field(default_factory=dict)
    translation: str = ""
    voice: str = ""
    avatar: str = ""

    @property
    def origin(self) -> str:
        """The `id` that the segment has in its rundown, which the parts that cues make of it share."""
        return self.id.partition("+")[0]


@dataclass(frozen=True, slots=True)
class Script:
    """`languages` are those there is text in; `segments` are in one. `ticker` is the show's own, in every segment's
    graphics already that has no other."""

    title: str
    segments: tuple[Segment, ...]
    languages: tuple[str, ...] = ()
    second_language: str = ""
    ticker: tuple[str, ...] = ()
    template: str = ""
