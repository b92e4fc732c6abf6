"""A whole channel on air for a while, with its show and three outputs: what drifts, grows, stalls or is lost."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path

import av
import numpy as np

from anchor.bench.ingest import Ingest
from anchor.bench.measure import Figure, Tell, cores_used, resident_mib
from anchor.broadcast.aired import verify
from anchor.clock import LoopClock
from anchor.config import ChannelConfig, Config, OutputConfig, ShowConfig, VoiceConfig
from anchor.errors import MissingError
from anchor.live import LiveChannel
from anchor.media import Beat
from anchor.memory import few_heaps
from anchor.metrics import Metrics
from anchor.parts import open_shelf, open_voice
from anchor.segments import Speakers

MINUTES = 20.0
WARM_SHARE = 0.5
"""Of the run, after which memory is looked at: until then caches fill and heaps find their size."""

PART_MINUTES = 2.0
"""A part's index grows until it ends; several parts in a run show what stays."""

LOOK_SECONDS = 10.0

RUNDOWN = """
title: Soak
language: en
ticker: [Measured on this machine, Pictures and voice made by AI]
segments:
  - text: Good evening. This is a bulletin that goes on and on, to see what becomes of it.
    lower_third: {title: Lin, subtitle: AI anchor}
    headline: On and on
  - text: Here are some numbers. <mark name="chart"/> They rise, they fall, and they rise again.
    cues:
      - mark: chart
        chart: {kind: line, labels: [Mon, Tue, Wed, Thu, Fri], values: [3, 5, 4, 7, 6], title: Points}
  - text: And a table of what was counted.
    table: {columns: [What, How many], rows: [[Beats, 25], [Words, 3]], place: shoulder}
    pause: 1
"""


@dataclass
class _Seen:
    """What went out: how late beats were, and when."""

    beats: int = 0
    start: float | None = None
    soonest: list[float] = field(default_factory=list)
    """How late the most punctual beat of every minute was."""
    memory: list[tuple[float, float]] = field(default_factory=list)
    threads: list[int] = field(default_factory=list)

    def beat(self, beat: Beat, now: float, seconds_per_beat: float) -> None:
        self.start = now - beat.index * seconds_per_beat if self.start is None else self.start
        self.beats += 1
        late, minute = now - self.start - beat.index * seconds_per_beat, int((now - self.start) / 60)
        if minute == len(self.soonest):
            self.soonest.append(late)
        self.soonest[-1] = min(self.soonest[-1], late)

    def slope(self) -> float:
        """MiB an hour, a line through what was seen."""
        times, sizes = np.array(self.memory).T
        return float(np.polyfit(times / 3600, sizes, 1)[0])


async def measure(tell: Tell, *, minutes: float = MINUTES) -> list[Figure]:
    few_heaps()  # as the commands do that put a channel on air
    with tempfile.TemporaryDirectory(prefix="anchor-soak-") as folder:
        return await _measure(Path(folder), minutes, tell)


async def _measure(folder: Path, minutes: float, tell: Tell) -> list[Figure]:
    script = folder / "soak.yaml"
    script.write_text(RUNDOWN)
    ingest: Ingest | None = None
    outputs = [
        OutputConfig(to=f"file:{folder}/archive.mp4", name="archive", part_minutes=PART_MINUTES),
        OutputConfig(to=f"hls:{folder}/hls"),
    ]
    try:
        ingest = Ingest(folder / "nginx")
        ingest.start()
        outputs.append(OutputConfig(to=ingest.address(), name="ingest"))
    except MissingError as error:
        tell(f"two outputs only: {error}")
    config = ChannelConfig(
        name="soak", scripts=(script,), captions="burn", outputs=tuple(outputs), show=ShowConfig(state=folder / "state")
    )
    voice = open_voice(VoiceConfig())
    channel = LiveChannel(config, Speakers(voice), Metrics(), open_shelf(Config(channels=(config,))))
    seen, clock = _Seen(), LoopClock()
    counted = channel.stream._on_beat

    def beat(beat: Beat) -> None:
        seen.beat(beat, clock.now(), channel.video.seconds_per_beat)
        if counted is not None:
            counted(beat)

    channel.stream._on_beat = beat
    await channel.prepare()
    try:
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(channel.run())
            used = await _watch(channel, seen, clock, minutes * 60, tell)
            infos = {info.name: info for info in channel.outputs.outputs()}
            failed = [item for item in channel.desk.order().items if item.state == "failed"]
            await channel.stop(finish=True)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(running), 30)
            running.cancel()
    finally:
        await channel.release()
        await voice.close()
        if ingest is not None:
            ingest.kill()
    playout = channel.playout
    assert playout is not None
    parts = await asyncio.to_thread(lambda: sorted(folder.glob("archive*.mp4")))
    apart = [await asyncio.to_thread(_drift, part) for part in parts]
    lost = [info.dropped for info in infos.values()]
    return [
        Figure("soak_minutes", minutes, "min"),
        Figure("outputs", len(infos), ""),
        Figure("outputs_live_at_the_end_min", sum(info.state == "live" for info in infos.values()), "", len(infos)),
        Figure("av_drift_in_recordings_ms_max", max(apart) * 1000, "ms", 20),
        Figure("clock_drift_ms_max", abs(seen.soonest[-1] - seen.soonest[0]) * 1000, "ms", 20),
        Figure("memory_slope_mib_per_hour_max", seen.slope(), "MiB/h", 1),
        Figure("threads_more_max", seen.threads[-1] - seen.threads[0], "", 0),
        Figure("beats_dropped_by_outputs_max", max(lost), "", 0),
        Figure("late_pictures_max", 100 * playout.counters.late_pictures / max(1, seen.beats), "%", 1),
        Figure("clock_slips_max", playout.counters.slips, "", 0),
        Figure("segments_lost_max", len(failed), "", 0),
        Figure("log_faults_max", len(verify(folder / "state")), "", 0),
        Figure("processor_cores", used, "cores"),
    ]


async def _watch(channel: LiveChannel, seen: _Seen, clock: LoopClock, seconds: float, tell: Tell) -> float:
    begun = clock.now()
    warm = WARM_SHARE * seconds
    used: list[float] = []
    while (gone := clock.now() - begun) < seconds:
        used.append(await cores_used(LOOK_SECONDS))
        if gone > warm:
            seen.memory.append((gone, resident_mib()))
            seen.threads.append(threading.active_count())
        if int(gone / 60) != int((gone - LOOK_SECONDS) / 60):
            states = ", ".join(f"{info.name} {info.state} {info.dropped}" for info in channel.outputs.outputs())
            tell(f"{gone / 60:.0f} min: {resident_mib():.0f} MiB, {states}")
    return sum(used) / len(used)


def _drift(path: Path) -> float:
    """By how much sound and picture of a recording differ in length, in seconds, less a beat and an AAC frame."""
    ends: dict[str, float] = {}
    with av.open(str(path)) as film:
        for packet in film.demux():
            if packet.pts is not None and packet.time_base is not None and packet.duration is not None:
                end = float((packet.pts + packet.duration) * packet.time_base)
                ends[packet.stream.type] = max(end, ends.get(packet.stream.type, 0.0))
    return max(0.0, abs(ends["video"] - ends["audio"]) - 0.04 - 1024 / 48000)
