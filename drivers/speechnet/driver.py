"""Drivers that listen: `AutoDriver` where a voice gives no phones, `SpeechnetDriver` always."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterable
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from anchor.errors import ModelError
from anchor.events import Phone
from anchor.media import OCULUS, Floats
from anchor.ports import SpeechChunk
from drivers.phones import PhoneDriver
from drivers.speechnet.face import AHEAD, Heard
from drivers.speechnet.inventory import COLLAPSE, INDEX
from drivers.speechnet.network import STEP, Listening, warm
from drivers.visemes import FOLDED, visemes_of

log = logging.getLogger(__name__)

_CHANGE = 2.0
"""Nepers that a change from one viseme to another must gain."""


class AutoDriver(PhoneDriver):
    """Phones where they are known, from the voice or aligned; else the network; else, without it, loudness.

    Not `eager`, it loads the network when somebody first speaks without phones: where nobody waits for it.
    """

    name = "auto"

    def __init__(self, *, eager: bool = True) -> None:
        super().__init__()
        try:
            if eager or find_spec("onnxruntime") is None:
                warm()
        except (ModelError, ImportError) as error:
            log.warning("lips follow loudness where a voice times no phones: %s", error)
        else:
            self._listen = Heard

    async def classes(self, speech: AsyncIterable[SpeechChunk]) -> NDArray[np.int64]:
        """The viseme of each 10 ms by its phone; where there are none at all, what the network hears."""
        return await classes_of(speech, timed=True)


class SpeechnetDriver(PhoneDriver):
    """The network alone, whatever a voice says of its phones."""

    name = "speechnet"
    _timed = False

    def __init__(self) -> None:
        super().__init__()
        warm()
        self._listen = Heard

    async def classes(self, speech: AsyncIterable[SpeechChunk]) -> NDArray[np.int64]:
        """The likeliest viseme of each 10 ms, as the network hears it."""
        return await classes_of(speech, timed=False)


async def classes_of(speech: AsyncIterable[SpeechChunk], *, timed: bool) -> NDArray[np.int64]:
    """The viseme that each 10 ms is taken for; an h is taken for the mouth it has. See `anchor.ports.Classifies`."""
    listening = Listening()
    found, phones, samples = [], list[Phone](), 0
    async for chunk in speech:
        samples += chunk.audio.size
        found.append(listening.push(chunk.audio))
        phones += chunk.phones if timed else ()
    found.append(listening.finish())
    chances = np.exp(np.concatenate(found))
    chances[:, INDEX["h"]] = 0
    likeliest = settled(chances @ COLLAPSE)
    if phones:
        likeliest[:] = 0
    breath: int | None = None
    for phone in phones:
        edges = np.cumsum([0.0, *(share for _, share in visemes_of(phone.symbol))])
        places = np.round((phone.start + edges * (phone.end - phone.start)) / STEP).astype(int).tolist()
        for (viseme, _), low, high in zip(visemes_of(phone.symbol), places, places[1:], strict=False):
            if viseme == "hh":
                breath = low
                continue
            low, breath = low if breath is None else breath, None
            likeliest[low:high] = OCULUS.index(FOLDED.get(viseme, viseme))
    return likeliest


def settled(chances: Floats, ahead: int = AHEAD) -> NDArray[np.int64]:
    """The likeliest course of visemes that does not flicker: chances of shape (frames, visemes) to one index a frame.

    A change must be worth `_CHANGE`; what is decided of a frame has seen `ahead` frames after it and no more, as the
    mouth has.
    """
    scores = np.log(chances + 1e-4)
    frames = len(scores)
    score = scores[0].copy() if frames else np.zeros(0)
    came = np.zeros(scores.shape, np.int64)
    stay = np.arange(scores.shape[1])
    found = np.zeros(frames, np.int64)
    for frame in range(1, frames + ahead):
        if frame < frames:
            best = int(score.argmax())
            changed = score[best] - _CHANGE
            came[frame] = np.where(score >= changed, stay, best)
            score = np.maximum(score, changed) + scores[frame]
        decided = frame - ahead
        if decided >= 0:
            state = int(score.argmax())
            for step in range(min(frame, frames - 1), decided, -1):
                state = int(came[step, state])
            found[decided] = state
    return found
