"""What further viewers of one channel cost, and whether all of them see all of it."""

from __future__ import annotations

from anchor.bench.capacity import talking
from anchor.bench.measure import (
    SETTLE_SECONDS,
    Figure,
    LoopLag,
    Tell,
    cores_used,
    percentile,
    remote_viewers,
    resident_mib,
    running_studio,
)
from anchor.live import LiveChannel

SECONDS = 20
MANY = 24


async def measure(tell: Tell) -> list[Figure]:
    used: dict[int, float] = {}
    async with running_studio() as (channel, address), talking(channel):
        for count in (1, MANY):
            tell(f"{count} viewers for {SECONDS} s")
            async with remote_viewers(address, count) as reports:
                await cores_used(SETTLE_SECONDS)
                skipped = _skipped(channel)
                async with LoopLag() as lag:
                    used[count] = await cores_used(SECONDS)
                skipped = _skipped(channel) - skipped
        memory = resident_mib()
        tell(f"{MANY} viewers once more")
        async with remote_viewers(address, MANY):
            await cores_used(SECONDS / 2)
        grown = resident_mib() - memory
        further = (used[MANY] - used[1]) / (MANY - 1)
        fps = channel.video.fps
    return [
        Figure("one_viewer_percent_of_core", 100 * used[1], "%"),
        Figure(f"viewers_{MANY}_percent_of_core", 100 * used[MANY], "%"),
        Figure("further_viewer_percent_of_core_max", 100 * further, "%", 1),
        Figure("further_viewer_ms_per_frame_max", 1000 * further / fps, "ms", 1.2),
        Figure("viewers_seen_min", len(reports), "", MANY),
        Figure("lost_pictures_max", sum(report["lost"] for report in reports), "", 0),
        Figure("not_encoded_max", skipped, "pictures", 0),
        Figure("slowest_viewer_fps_min", min((report["fps"] for report in reports), default=0), "", fps - 0.1),
        Figure("loop_lag_p99_ms_max", percentile(lag.late_ms, 99), "ms", 20),
        Figure("memory_growth_mib_max", grown, "MiB", 5),
    ]


def _skipped(channel: LiveChannel) -> int:
    """Pictures that the shared encoder left out because it was behind."""
    return int(getattr(channel.viewers, "skipped", 0))
