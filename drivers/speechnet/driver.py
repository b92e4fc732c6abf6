"""Drivers that listen: `AutoDriver` where a voice gives no phones, `SpeechnetDriver` always."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterable

import numpy as np
from numpy.typing import NDArray

from anchor.events import Phone
from anchor.ports import SpeechChunk
from drivers.phones import PhoneDriver
from drivers.speechnet.face import Heard
from drivers.speechnet.inventory import COLLAPSE, INDEX
from drivers.speechnet.network import NETWORK, STEP, Listening, warm
from drivers.visemes import FOLDED, OCULUS, visemes_of

log = logging.getLogger(__name__)


class AutoDriver(PhoneDriver):
    """Phones where they are known, from the voice or aligned; else the network; else, without it, loudness."""

    name = "auto"

    def __init__(self) -> None:
        super().__init__()
        try:
            warm()
        except Exception as error:  # Whatever keeps the network from loading, the anchor must speak.
            log.warning("%s does not load, lips follow loudness where a voice times no phones: %s", NETWORK.name, error)
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
    likeliest: NDArray[np.int64] = np.argmax(chances @ COLLAPSE, axis=1)
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
