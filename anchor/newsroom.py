"""A channel's rundowns: read, checked, edited, drafted and previewed as its operators see them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from anchor import registry
from anchor.broadcast import article as articles
from anchor.broadcast.document import ensure_ids, read_document, to_yaml
from anchor.broadcast.refining import refine
from anchor.broadcast.run import Rundown
from anchor.broadcast.rundown import check_rundown, read_rundown, rundown_languages
from anchor.broadcast.schedule import Slot
from anchor.broadcast.script import YAML, Segment, load_script, read_file
from anchor.config import ChannelConfig, EngineConfig
from anchor.errors import AnchorError, RundownError
from anchor.events import Caption, Word
from anchor.media import SAMPLE_RATE, Blendshapes, Look
from anchor.onair import Problem
from anchor.pipeline.captions import CaptionStyle, paginate
from anchor.ports import Stage
from anchor.tags import closest
from anchor.talk import Message, Question

Kind = Literal["text", "markdown", "html"]


class Newsroom:
    """`check` raises what would keep segments off air; `scene` makes a picture for previews and names its avatar."""

    def __init__(
        self,
        config: ChannelConfig,
        *,
        check: Callable[[Sequence[Segment]], None],
        scene: Callable[[str], Stage],
    ) -> None:
        self._config = config
        self._check = check
        self._scene = scene
        self._drawing = asyncio.Lock()

    def rundowns(self) -> list[Rundown]:
        """Those of the configuration, each in all its languages that the channel airs. Raises `ScriptError`."""
        return [rundown for path in self._config.scripts for rundown in self.read(path)]

    def slots(self) -> list[Slot]:
        return [
            Slot(entry.at, rundown, entry.zone, entry.cut_in)
            for entry in self._config.schedule
            for rundown in self.read(entry.script)
        ]

    def filler(self) -> Sequence[Segment]:
        path = self._config.show.filler
        return load_script(path).segments if path is not None else ()

    def read(self, path: Path) -> list[Rundown]:
        """A script as rundowns, one for each language that is aired. Raises `ScriptError`."""
        config = self._config
        named = rundown_languages(read_file(path), path) if path.suffix.lower() in YAML else ()
        spoken: list[str | None] = [None]
        if len(named) > 1:
            asked = config.languages or (config.language,)
            spoken = list(dict.fromkeys(tag for one in asked if (tag := closest(named, one)) is not None)) or [named[0]]
        found = []
        for tag in spoken:
            load_script(path, tag, second_language=config.second_language)  # whose errors know the lines of the file
            document = read_document(path)
            found.append(self._rundown(document, path, tag, anywhere=True))
        return found

    def _rundown(self, document: Mapping[str, Any], path: Path, language: str | None, *, anywhere: bool) -> Rundown:
        script = read_rundown(
            to_yaml(document), path, language, second_language=self._config.second_language, anywhere=anywhere
        )
        return Rundown(str(path), script, document, language or "")

    def edited(self, document: Mapping[str, Any], rundown: Rundown) -> Rundown:
        """A rundown in place of another. Raises `RundownError` with all that is wrong with it. Blocks."""
        made = self._rundown(ensure_ids(document), Path(rundown.name), rundown.language or None, anywhere=False)
        try:
            self._check(made.script.segments)
        except AnchorError as error:
            raise RundownError(str(error), [Problem(str(error))]) from error
        return made

    def problems(self, document: Mapping[str, Any], rundown: Rundown) -> Sequence[Problem]:
        """All that is wrong with a rundown. Blocks."""
        found = check_rundown(to_yaml(document), Path(rundown.name))
        if found:
            return found
        try:
            self.edited(document, rundown)
        except RundownError as error:
            return error.problems
        return ()

    async def preview(self, document: Mapping[str, Any], rundown: Rundown, segment: int) -> bytes:
        """A segment's picture with all its graphics. Raises `RundownError`, and `IndexError` for no such segment."""
        async with self._drawing:
            return await asyncio.to_thread(self._preview, ensure_ids(document), rundown, segment)

    def _preview(self, document: Mapping[str, Any], rundown: Rundown, number: int) -> bytes:
        wanted = document["segments"][number]["id"]
        made = self._rundown(document, Path(rundown.name), rundown.language or None, anywhere=False)
        found = [segment for segment in made.script.segments if segment.origin == wanted]
        if not found:
            raise RundownError("the segment has nothing to show in this language")
        segment = found[0]
        graphics, lower_third = segment.graphics, segment.lower_third
        for cue in segment.cues.values():  # as it looks at its end
            graphics, lower_third = cue.graphics or graphics, cue.lower_third or lower_third
        scene = self._scene(segment.avatar)
        scene.prepare(graphics)
        caption = _first_page(segment, self._config) if self._config.captions == "burn" else None
        picture = scene.settled(Look(Blendshapes(), caption, lower_third, graphics))
        webp: bytes = registry.load("anchor.part", "webp")(picture)
        return webp

    async def draft(self, article: str, kind: Kind) -> Mapping[str, Any]:
        """Raises `ScriptError`."""
        found = await asyncio.to_thread(articles.draft, article, kind, language=self._config.language)
        editor = self._config.show.editor
        return found if editor is None else await refined(found, article, editor)


async def refined(document: Mapping[str, Any], article: str, editor: EngineConfig) -> Mapping[str, Any]:
    """A draft that a language model has gone over; as it was where the model fails or makes things up."""
    dialogue = registry.build(
        registry.load("anchor.dialogue", editor.engine), editor.options, "channels.show.editor.options"
    )

    async def complete(prompt: str) -> str:
        question = Question((Message("user", prompt),), language=str(document.get("language", "en")))
        return "".join([part async for part in dialogue.reply(question) if isinstance(part, str)])

    try:
        return await refine(document, article, complete)
    finally:
        await dialogue.close()


def _first_page(segment: Segment, config: ChannelConfig) -> Caption | None:
    pages = paginate([Word(segment.text, 0, SAMPLE_RATE)], CaptionStyle.suits(config.video))
    return pages[0] if pages else None
