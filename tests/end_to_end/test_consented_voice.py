"""A person's voice on a live channel: revoked in the middle of a sentence, it is off air within a second."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from anchor import parts, registry
from anchor.broadcast.script import Segment
from anchor.clock import LoopClock, run_virtual
from anchor.config import ChannelConfig, Config
from anchor.errors import VoiceError
from anchor.live import LiveChannel
from anchor.media import Beat, VideoFormat
from anchor.metrics import Metrics
from anchor.ports import Voice
from anchor.rendering import render
from anchor.segments import Speakers
from anchor.testing import collect
from anchor.voice.cache import CachedVoice
from anchor.voice.maker import revoke
from anchor.voice.package import open_package
from tests.end_to_end.test_live_channel import after, listen
from tests.voice.people import Whole, package

LONG = "This sentence goes on for quite a while, so that there is time enough to change one's mind about all of it."


def opened(maria: Path, wrap: Callable[[Voice], Voice]) -> Voice:
    def make(engine: str, options: Mapping[str, Any], meaning: Mapping[str, Any]) -> Voice:
        return wrap(registry.build(registry.load("anchor.voice", engine), options, "voice.options"))

    return open_package(maria, make)


def loud(beat: Beat) -> bool:
    return bool(np.sqrt(np.mean(beat.audio**2)) > 1e-3)


@pytest.mark.parametrize("way", ["as it is made", "from the cache"])
def test_a_revoked_voice_is_off_air_within_a_second_and_the_stream_goes_on(tmp_path: Path, way: str) -> None:
    """Also what was prepared before; here all of the sentence."""
    maria = package(tmp_path / "maria", tmp_path)

    def wrap(voice: Voice) -> Voice:
        return CachedVoice(Whole(voice), tmp_path / "kept", megabytes=8) if way == "from the cache" else voice

    async def main() -> tuple[list[Beat], int]:
        voice = opened(maria, wrap)
        config = ChannelConfig.model_validate({"name": "test", "size": "128x72"})
        live = LiveChannel(
            config, Speakers(voice), Metrics(), parts.open_shelf(Config(channels=(config,))), clock=LoopClock()
        )
        try:
            await live.prepare()
            async with asyncio.TaskGroup() as tasks:
                running = tasks.create_task(live.run())
                await after(0.5)
                beats = listen(live)
                if way == "from the cache":
                    await live.say(LONG)
                    await after(8)
                    assert sum(map(loud, beats)) > 100
                first = len(beats)
                await live.say(LONG)
                await after(2)
                assert any(map(loud, beats[first:]))
                revoke(maria)
                revoked = len(beats)
                await after(5)
                with pytest.raises(VoiceError, match="may not be heard"):
                    await collect(voice, LONG, "en")
                running.cancel()
            return beats, revoked
        finally:
            await live.release()
            await voice.close()

    beats, revoked = run_virtual(main())
    assert not any(map(loud, beats[revoked + 25 :]))
    assert len(beats) - revoked >= 120, "the picture goes on"


def test_a_film_in_a_voice_without_consent_is_not_made(tmp_path: Path) -> None:
    maria = package(tmp_path / "maria", tmp_path)

    async def main() -> None:
        voice = opened(maria, lambda voice: voice)
        revoke(maria)
        try:
            with pytest.raises(VoiceError, match="may not be heard"):
                await render(
                    [Segment(LONG, "en")], tmp_path / "film.mp4", voice=voice, driver=parts.open_driver("phones"),
                    avatar=parts.open_avatar("lin"), video=VideoFormat(128, 72), captions="file",
                )  # fmt: skip
        finally:
            await voice.close()

    asyncio.run(main())
    assert [path.name for path in tmp_path.iterdir()] == ["maria"]
