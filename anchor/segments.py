"""Segments of a script become utterances: with their voices, faces, takes and insets ready before they go on air.

Files and live shows make them here, so that both are the same to the beat.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from anchor.broadcast.script import Mocap, Segment
from anchor.chain import Chain
from anchor.clips import Heard, heard_with
from anchor.config import EngineConfig, VoiceConfig
from anchor.errors import AnchorError, AvatarError, MissingError, VoiceError
from anchor.graphics import Graphics
from anchor.onair import VoiceState
from anchor.parts import check_language
from anchor.performing import open_take
from anchor.pipeline.steadfast import states
from anchor.pipeline.utterance import Part, Utterance
from anchor.ports import Stage, Take, Voice
from anchor.recordings import Recordings, as_recorded

log = logging.getLogger(__name__)


class Speakers:
    """The voices of a show, or of all of a process: its own, and others by the names under ``[voices]``, of their
    back-ends or packages.
    """

    def __init__(self, voice: Voice, open_named: Callable[[str], Voice] | None = None) -> None:
        """`open_named` opens a further voice, which is closed here; whoever opened `voice` closes it."""
        self.voice = voice
        self._open = open_named or Chain(VoiceConfig(), live=False).named
        self._opened: dict[str, Voice] = {}
        self.recordings = Recordings()
        self._warm = set[tuple[str, str]]()
        self._opening = threading.Lock()

    @classmethod
    def of(cls, config: VoiceConfig, further: Mapping[str, EngineConfig]) -> Speakers:
        """Those of a configuration, for people who listen. Raises `AnchorError`."""
        chain = Chain(config, further, live=True)
        return cls(chain.house(), chain.named)

    def named(self, name: str) -> Voice:
        """Raises `MissingError` for a name that there is not, and what opening a voice raises. Blocks."""
        if not name:
            return self.voice
        with self._opening:
            if name not in self._opened:
                self._opened[name] = self._open(name)
            return self._opened[name]

    async def warm(self, languages: Sequence[str]) -> None:
        """Load all that have been named so far. Raises `VoiceError` where the show's own cannot be."""
        voices = [("", self.voice), *self._opened.items()]
        self._warm |= {(name, language) for name, _ in voices for language in languages}
        await asyncio.gather(*(voice.warm(languages) for _, voice in voices))

    async def ready(self, name: str, language: str) -> Voice:
        """A voice that is to speak next, loaded. Raises what `named` raises, and `VoiceError`."""
        if not name:
            return self.voice
        voice = await asyncio.to_thread(self.named, name)
        if (name, language) not in self._warm:
            self._warm.add((name, language))
            await voice.warm([language])
        return voice

    def states(self) -> list[VoiceState]:
        """All voices as they are now, the show's own first."""
        return [state for voice in (self.voice, *self._opened.values()) for state in states(voice)]

    async def close(self) -> None:
        """Close the further voices."""
        await self.recordings.close()
        for voice in self._opened.values():
            with contextlib.suppress(AnchorError):
                await voice.close()


class Faces:
    """Whose face a segment wants: that of the show, its `house`, or another's for as long as segments name it."""

    def __init__(self, stand_by: Callable[[str | Path], Awaitable[Callable[[], None]]], house: str | Path) -> None:
        self.house = house
        self._stand_by = stand_by
        self._seen: str | Path | None = None
        self._asked = False

    async def ready(self, name: str) -> Callable[[], None] | None:
        """Make a face ready; the call that is returned shows it. None where nothing has to change."""
        wanted = Path(name) if "/" in name or name.lower().endswith(".zip") else name or self.house
        self._asked = self._asked or wanted != self.house
        if not self._asked:
            return None
        enter = await self._stand_by(wanted)

        def show() -> None:
            if self._seen != wanted:
                enter()
                self._seen = wanted

        return show


class Utterer:
    """Makes utterances for one stream. `lead` beats are prepared before each begins.

    `scene` is where their graphics are made ready; `ticker` runs where a segment has none of its own;
    `lenient`: a picture that cannot be shown is left out where there is something to say.
    """

    def __init__(
        self,
        speakers: Speakers,
        faces: Faces,
        *,
        lead: int,
        scene: Stage,
        ticker: tuple[str, ...] = (),
        lenient: bool = False,
    ) -> None:
        self.speakers = speakers
        self.faces = faces
        self._lead, self._scene, self._ticker, self._lenient = lead, scene, ticker, lenient
        self._takes: dict[Path, Take] = {}
        self._parts: dict[Mocap, Part] = {}

    def check(self, segments: Sequence[Segment]) -> None:
        """Raise what would keep one of the segments off air: a voice, its language, a take. Reads files."""
        for segment in segments:
            voice = self.speakers.named(segment.voice)
            if segment.text and segment.recording is None:
                check_language(voice, segment.language)
            self.speakers.recordings.check(segment)
            self._part(segment.mocap)

    def _part(self, wanted: Mocap | None) -> Part | None:
        """A take, read once; segments made of one at its cues share it."""
        if wanted is None:
            return None
        if wanted not in self._parts:
            if wanted.path not in self._takes:
                self._takes[wanted.path] = open_take(wanted.path)
            self._parts[wanted] = Part(self._takes[wanted.path], wanted.mouth)
        return self._parts[wanted]

    async def utter(self, segment: Segment, pause: float) -> Utterance:
        """Raises `AnchorError` for a segment that cannot go on air. `pause` seconds of silence follow it."""
        recorded = await self._recorded(segment)
        voice = recorded or await self.speakers.ready(segment.voice, segment.language)
        if segment.text and recorded is None:
            check_language(voice, segment.language)
        part, heard = await asyncio.to_thread(self._load, segment)
        cues = {
            mark: replace(cue, graphics=self._with_ticker(cue.graphics)) if cue.graphics is not None else cue
            for mark, cue in segment.cues.items()
        }
        return Utterance(
            segment.text, segment.language, heard.voice or voice, lead=self._lead, lower_third=segment.lower_third,
            pause=pause if segment.text else max(0.0, pause - segment.pause), mood=segment.mood,
            gestures=segment.gestures, part=part, spans=segment.spans, graphics=self._with_ticker(segment.graphics),
            cues=cues, translation=segment.translation, bed=heard.bed,
            gate=as_recorded if recorded is not None else None, on_air=await self.faces.ready(segment.avatar),
        )  # fmt: skip

    async def _recorded(self, segment: Segment) -> Voice | None:
        try:
            return await self.speakers.recordings.voice(segment)
        except VoiceError as error:
            # A story on air whose recording cannot be used is said by the voice.
            if not self._lenient:
                raise
            log.error("segment %s: %s", segment.id or segment.line, error)
            return None

    def _load(self, segment: Segment) -> tuple[Part | None, Heard]:
        for graphics in (segment.graphics, *(cue.graphics for cue in segment.cues.values())):
            try:
                if graphics is not None:
                    self._scene.prepare(graphics)
            except (AvatarError, MissingError) as error:
                # A story on air goes on without its picture, which the scene leaves out.
                if not self._lenient or not segment.text:
                    raise
                log.error("segment %s: %s", segment.id or segment.line, error)
        pause = max(segment.pause, 0.0 if segment.text else self._scene.seconds(segment.graphics))
        try:
            heard = heard_with(segment.graphics, segment.text, pause)
        except (AvatarError, MissingError):
            if not self._lenient or not segment.text:
                raise
            heard = Heard()
        return self._part(segment.mocap), heard

    def _with_ticker(self, graphics: Graphics) -> Graphics:
        return replace(graphics, ticker=graphics.ticker or self._ticker)
