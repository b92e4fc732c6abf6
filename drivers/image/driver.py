"""Drivers made of files: sound is heard as a network hears it, and the embedded driver goes along with everything.

Its faces give head, brows and the lips of every moment for which a network is late, silent or gone.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from anchor.channel import closing
from anchor.clock import Clock
from anchor.errors import LateError, ModelError
from anchor.media import ARKIT, Blendshapes, Bytes, FaceFrame, Floats, MouthPatch
from anchor.ports import Driver, DriverInfo, Paintable, SpeechChunk
from drivers.features import RATE, Ear
from drivers.image.nets import Hearing, MouthNet, Net
from drivers.image.paste import LightMatch, lower_face

FADE_SECONDS = 0.08
_QUIET = 10 ** (-52 / 20)
"""Loudness (root mean square of full scale) under which nothing is said."""
_AROUND = 0.12
"""Seconds around a moment in which nothing must be said for it to be silent: more than any closure of the lips."""
_PATIENCE = 0.2
"""Seconds that networks which only hear may take: they work ahead of what is shown."""
_PAST_SECONDS = 4.0
"""How much of what was heard is kept."""
_MOUTH = np.array([name.startswith(("jaw", "mouth", "cheekPuff", "tongue")) for name in ARKIT])
"""What a net of numbers says of a face; eyes, brows and head are the embedded driver's."""


def silent(ear: Ear, middle: float) -> bool:
    heard = ear.take(round((middle - _AROUND) * RATE), round((middle + _AROUND) * RATE))
    return float(np.sqrt(np.mean(heard**2))) < _QUIET


class _NetDriver:
    """What both kinds share: the embedded driver's faces, each held back until the network has heard enough for it."""

    def __init__(self, name: str, source: Path, net: Net, embedded: Driver, clock: Clock) -> None:
        self.net, self.clock = net, clock
        self._name, self._source, self._embedded = name, source, embedded

    @contextlib.asynccontextmanager
    async def session(self, fps: int) -> AsyncIterator[None]:
        """See `anchor.ports.SharesNetworks`."""
        async with contextlib.AsyncExitStack() as stack:
            for batcher in self.net.batchers:
                await stack.enter_async_context(batcher)
                stack.enter_context(batcher.admit(fps))
            yield

    @property
    def _lookahead(self) -> float:
        return max(self._embedded.info.lookahead_seconds, self.net.lookahead, _AROUND)

    async def _moments(
        self, speech: AsyncIterable[SpeechChunk], fps: int
    ) -> AsyncIterator[tuple[FaceFrame, float, Ear, Hearing]]:
        """Faces with their middles in seconds, as soon as all is known that they need."""
        ear, hearing = Ear(), self.net.hearing()
        waiting: deque[FaceFrame] = deque()
        number = 0

        async def heard() -> AsyncIterator[SpeechChunk]:
            async for chunk in speech:
                ear.push(chunk.audio)
                yield chunk
            ear.finish()

        async with closing(self._embedded.drive(heard(), fps)) as faces:
            async for face in faces:
                waiting.append(face)
                while waiting:
                    middle = (number + 0.5) / fps
                    if not ear.has(max(hearing.needs(middle), round((middle + _AROUND) * RATE))):
                        break
                    yield waiting.popleft(), middle, ear, hearing
                    number += 1
                    ear.forget(round((middle - _PAST_SECONDS) * RATE))
        ear.finish()
        for further, face in enumerate(waiting):
            yield face, (number + further + 0.5) / fps, ear, hearing

    async def _heard(self, ear: Ear, middle: float, hearing: Hearing, patience: float) -> Any:
        """What the network makes of a moment; None in silence, and when it takes longer than `patience` seconds."""
        if silent(ear, middle):
            return None
        try:
            return await hearing.cue(ear, middle, self.clock.now() + patience)
        except LateError:
            return None


class PatchNetDriver(_NetDriver):
    """Its faces carry what the network hears in each moment; `painter` makes mouths of that."""

    net: MouthNet

    @property
    def info(self) -> DriverInfo:
        return DriverInfo(self._name, "patch", self._lookahead, self._source)

    async def drive(self, speech: AsyncIterable[SpeechChunk], fps: int) -> AsyncIterator[FaceFrame]:
        async with closing(self._moments(speech, fps)) as moments:
            async for face, middle, ear, hearing in moments:
                cue = await self._heard(ear, middle, hearing, _PATIENCE)
                yield face if cue is None else replace(face, cue=cue, lips="network")

    def painter(self, avatar: Paintable) -> NetPainter:
        return NetPainter(self.net, avatar)


class NetPainter:
    """Paints over one avatar for one stream."""

    def __init__(self, net: MouthNet, avatar: Paintable, fps: float = 25) -> None:
        self._net = net
        left, top, right, bottom = box = net.box(avatar.shape)
        width, height = net.size
        self._crops: Sequence[Bytes] = avatar.crops(box, net.size)
        self._seen = net.look(self._crops)
        self._mask = lower_face(avatar.shape, box, net.size, net.painted)
        self._light = LightMatch(self._mask, fps)
        self._looked = False
        self._to_art: Floats = np.array(
            [[(right - left) / width, 0, left], [0, (bottom - top) / height, top]], np.float32
        )

    async def paint(self, cue: object, base: int, *, deadline: float) -> MouthPatch:
        index = base % len(self._crops)
        crop = self._crops[index]
        painted = await self._net.paint(cue, crop, self._seen[index], deadline)
        if not self._looked:
            self._looked = True
            self._check_colours(painted, crop)
        return MouthPatch(self._light.match(painted, crop), self._mask, self._to_art, base)

    def _check_colours(self, painted: Bytes, crop: Bytes) -> None:
        """Raise `ModelError` for red and blue that have changed places: skin is never blue."""
        rim = (self._mask > 20) & (self._mask < 215)
        skin, made = crop[rim].mean(axis=0), painted[rim].mean(axis=0)
        as_it_is, swapped = float(np.abs(made - skin).max()), float(np.abs(made[::-1] - skin).max())
        if as_it_is > 12 and swapped < 0.5 * as_it_is:
            bound = self._net.bounds[0]
            raise ModelError(
                f"{bound.model.path}: gives red and blue in each other's place; export it with the colours that it "
                "takes, or say in driver.json which those are: colour: rgb or bgr"
            )


class NumbersNetDriver(_NetDriver):
    """Its lips are the network's; when that is late they are faded into those of the embedded driver."""

    @property
    def info(self) -> DriverInfo:
        return DriverInfo(self._name, "blendshapes", self._lookahead, self._source)

    async def drive(self, speech: AsyncIterable[SpeechChunk], fps: int) -> AsyncIterator[FaceFrame]:
        step = np.float32(1 / max(1, round(FADE_SECONDS * fps)))
        share, last = np.float32(0), np.zeros(len(ARKIT), np.float32)
        async with closing(self._moments(speech, fps)) as moments:
            async for face, middle, ear, hearing in moments:
                found: Floats | None = await self._heard(ear, middle, hearing, 2 / fps)
                share = np.clip(share + (step if found is not None else -step), 0, 1)
                last = last if found is None else found
                yield _mixed(face, last, share)


def _mixed(face: Blendshapes, weights: Floats, share: np.float32) -> Blendshapes:
    if not share:
        return face
    mouth = np.where(_MOUTH, share, np.float32(0))
    return replace(face, weights=face.weights + mouth * (weights - face.weights), lips="network")
