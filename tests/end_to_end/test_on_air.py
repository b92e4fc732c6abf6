"""A show on air: what is rendered is what is aired, and what operators do is seen and heard."""

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import av

from anchor.broadcast.script import load_script
from anchor.clock import LoopClock, run_virtual
from anchor.config import ChannelConfig, Config, OutputConfig, VoiceConfig
from anchor.live import LiveChannel
from anchor.media import VideoFormat
from anchor.metrics import Metrics
from anchor.parts import open_shelf, open_voice
from anchor.rendering import HEAD_SECONDS, SEED, TAIL_SECONDS, Settings, render_as

RUNDOWN = """
title: Bulletin
language: en
ticker: [One, Two]
segments:
  - text: Good evening. <mark name="a"/>The markets closed higher. <break time="300ms"/> Here is the chart.
    lower_third: {title: Lin, subtitle: AI anchor}
    headline: Markets
    mood: warm
    gesture: nod
    cues:
      - mark: a
        chart: {kind: bar, labels: [A, B, C], values: [3, 5, 4], title: Points, place: shoulder}
  - text: And in other news, a table.
    avatar: yue
    table: {columns: [City, Degrees], rows: [[Paris, 21], [Rome, 27]], place: full}
  - text: Good night.
    pause: 0.5
"""


def digests(path: Path) -> list[str]:
    """Of every picture and of the whole sound of a film."""
    found = []
    sound = hashlib.sha256()
    with av.open(str(path)) as film:
        for frame in film.decode(video=0):
            found.append(hashlib.sha256(frame.to_ndarray().tobytes()).hexdigest())
    with av.open(str(path)) as film:
        for heard in film.decode(audio=0):
            sound.update(heard.to_ndarray().tobytes())
    return [*found, sound.hexdigest()]


def test_what_is_aired_in_virtual_time_is_what_is_rendered_picture_by_picture(tmp_path: Path) -> None:
    script = tmp_path / "bulletin.yaml"
    script.write_text(RUNDOWN)
    asyncio.run(render_as(Settings(VideoFormat(640, 360)), load_script(script), tmp_path / "rendered.mp4"))

    async def air() -> None:
        clock = LoopClock()
        begun = datetime(2026, 3, 1, 18, tzinfo=UTC)
        config = ChannelConfig(
            name="show", size="640x360", scripts=(script,), loop=False, pause=0, captions="burn",
            outputs=(OutputConfig(to=f"file:{tmp_path / 'aired.mp4'}"),),
        )  # fmt: skip
        voice = open_voice(VoiceConfig())
        channel = LiveChannel(
            config, voice, Metrics(), open_shelf(Config(channels=(config,))), ends=True, clock=clock, live=False,
            wall=lambda: begun + timedelta(seconds=clock.now()), seed=SEED,
            head_seconds=HEAD_SECONDS, tail_seconds=TAIL_SECONDS,
        )  # fmt: skip
        await channel.prepare()
        try:
            await channel.run()
        finally:
            await channel.release()
            await voice.close()

    run_virtual(air())
    rendered, aired = digests(tmp_path / "rendered.mp4"), digests(tmp_path / "aired.mp4")
    assert len(rendered) > 150
    same = sum(one == other for one, other in zip(rendered, aired, strict=False))
    assert (len(aired), same) == (len(rendered), len(rendered))
