"""Drivers that listen: `AutoDriver` where a voice gives no phones, `SpeechnetDriver` always."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterable

import numpy as np
from numpy.typing import NDArray

from anchor.ports import SpeechChunk
from drivers.phones import PhoneDriver
from drivers.speechnet.face import Heard
from drivers.speechnet.inventory import COLLAPSE, INDEX
from drivers.speechnet.network import NETWORK, STEP, Listening, warm

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


class SpeechnetDriver(PhoneDriver):
    """The network alone, whatever a voice says of its phones."""

    name = "speechnet"
    _timed = False

    def __init__(self) -> None:
        super().__init__()
        warm()
        self._listen = Heard

    async def classes(self, speech: AsyncIterable[SpeechChunk]) -> NDArray[np.int64]:
        """The likeliest viseme of each 10 ms; an h is taken for the sound it may else be. See `ports.Classifies`."""
        listening = Listening()
        found, samples = [], 0
        async for chunk in speech:
            samples += chunk.audio.size
            found.append(listening.push(chunk.audio))
        found.append(listening.finish())
        chances = np.exp(np.concatenate(found))[: samples // STEP]
        chances[:, INDEX["h"]] = 0
        likeliest: NDArray[np.int64] = np.argmax(chances @ COLLAPSE, axis=1)
        return likeliest
