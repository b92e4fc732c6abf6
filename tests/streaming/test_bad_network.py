"""Viewers behind a network that loses, delays and reorders packets."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from anchor.bench.shim import Shim, Weather, loopback_port, through, without_candidates
from anchor.media import VideoFormat
from streaming.peer import WebRtcSink
from tests.streaming.watching import Watcher, on_air

VIDEO = VideoFormat(160, 96, 25)


@pytest.mark.parametrize(("loss", "least"), [(0.05, 1.0), (0.2, 0.97)])
def test_pictures_arrive_through_a_bad_network(loss: float, least: float) -> None:
    async def main() -> None:
        async with WebRtcSink(VIDEO) as sink, on_air(sink, VIDEO), Watcher() as watcher:
            answer = await sink.join(without_candidates(await watcher.offer()))
            clear = Weather()
            async with Shim(("127.0.0.1", loopback_port(answer.sdp)), clear) as shim:
                await watcher.accept(through(answer.sdp, await shim.open()))
                await watcher.until_pictures(3)
                shim.weather = Weather(loss=loss, delay=0.035, jitter=0.03)
                begin = len(watcher.pictures)
                await watcher.until_pictures(75, 20)
                shim.weather = clear
                assert shim.down.lost > 5
                times = [frame.pts or 0 for frame in watcher.pictures[begin - 1 :]]
                steps = [after - before for before, after in itertools.pairwise(times)]
                assert len(steps) / (sum(steps) / VIDEO.ticks_per_beat) >= least

    asyncio.run(main())
