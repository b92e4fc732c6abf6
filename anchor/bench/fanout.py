"""What further viewers of one channel cost."""

from __future__ import annotations

from anchor.bench.capacity import talking
from anchor.bench.measure import Figure, Tell, cores_used, remote_viewers, resident_mib, running_studio

SECONDS = 20
MANY = 8


async def measure(tell: Tell) -> list[Figure]:
    async with running_studio() as (channel, address), talking(channel):
        used: dict[int, float] = {}
        for count in (1, MANY):
            tell(f"{count} viewers for {SECONDS} s")
            async with remote_viewers(address, count):
                await cores_used(4)
                used[count] = await cores_used(SECONDS)
        memory = resident_mib()
        tell(f"{MANY} viewers once more")
        async with remote_viewers(address, MANY):
            await cores_used(SECONDS / 2)
        grown = resident_mib() - memory
        further = (used[MANY] - used[1]) / (MANY - 1) * 1000 / channel.video.fps
    return [
        Figure("one_viewer_percent_of_core", 100 * used[1], "%"),
        Figure(f"viewers_{MANY}_percent_of_core", 100 * used[MANY], "%"),
        Figure(f"viewers_{MANY}_to_1_ratio_max", used[MANY] / used[1], "", 1.5),
        Figure("further_viewer_ms_per_frame_max", further, "ms", 1.2),
        Figure("memory_growth_mib_max", grown, "MiB", 5),
    ]
