"""What the columns of a recording mean: ARKit's names in any spelling, head pose, and time.

Live Link Face writes angles as radians about ARKit's axes: positive `HeadYaw` turns to the viewer's right and positive
`HeadRoll` leans there, both as `HeadPose` has them; positive `HeadPitch` looks down, which is the other way round. The
same holds for the eyes, whose angles say nothing that the eyeLook weights do not, so that they are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from anchor.media import ARKIT

Time = Literal["timecode", "seconds", "milliseconds", "frame"]

POSE = {"headyaw": (0, 1.0), "headpitch": (1, -1.0), "headroll": (2, 1.0)}
"""Places in `HeadPose`, and signs."""
_TIMES: Mapping[str, Time] = {
    "timecode": "timecode",
    "time": "seconds", "times": "seconds", "timesec": "seconds", "timeseconds": "seconds", "seconds": "seconds",
    "timestamp": "seconds", "t": "seconds", "sec": "seconds", "s": "seconds",
    "timems": "milliseconds", "ms": "milliseconds", "milliseconds": "milliseconds", "timestampms": "milliseconds",
    "frame": "frame", "frames": "frame", "frameindex": "frame", "framenumber": "frame",
}  # fmt: skip
_PASSED_OVER = {"blendshapecount"} | {
    f"{side}eye{angle}" for side in ("left", "right") for angle in ("yaw", "pitch", "roll")
}
_ARKIT = {name.lower(): place for place, name in enumerate(ARKIT)}
_KNOWN = (*ARKIT, "HeadYaw", "HeadPitch", "HeadRoll", "Timecode", "time", "time_ms", "frame")


@dataclass(frozen=True, slots=True)
class Columns:
    """Places of what is known among the cells of a line. `pose` has places in `HeadPose`, and signs."""

    time: int | None
    unit: Time | None
    weights: Mapping[int, int]
    pose: Mapping[int, tuple[int, float]]


def plain(name: str) -> str:
    """A name without its spelling: ``Eye_Blink_L`` and ``eyeBlinkLeft`` are the same."""
    letters = re.sub(r"[\s_.()\[\]-]", "", name)
    if name.rstrip().endswith(("_L", "_R")):
        letters = letters[:-1] + ("Left" if letters.endswith("L") else "Right")
    return letters.lower()


def read_header(names: list[str]) -> Columns:
    """Raises `LookupError` with the place (from 1), what is wrong with it, and the nearest names there are."""
    time, unit = None, None
    weights: dict[int, int] = {}
    pose: dict[int, tuple[int, float]] = {}
    seen: dict[str, int] = {}
    for place, name in enumerate(names):
        key = plain(name)
        if not key or key in _PASSED_OVER:
            continue
        if key in seen:
            raise LookupError(place + 1, f"{name.strip()!r} is there twice, in column {seen[key] + 1} too")
        seen[key] = place
        if key in _TIMES:
            # A timecode or a time says more than the number of a frame beside it.
            if unit is None or unit == "frame":
                time, unit = place, _TIMES[key]
        elif key in POSE:
            pose[place] = POSE[key]
        elif key in _ARKIT:
            weights[place] = _ARKIT[key]
        else:
            near = get_close_matches(key, [known.lower() for known in _KNOWN], 3, 0.5)
            names_ = [known for one in near for known in _KNOWN if known.lower() == one]
            told = f"the nearest known are {', '.join(names_)}" if names_ else "known are ARKit's 52 names and HeadYaw"
            raise LookupError(place + 1, f"unknown column {name.strip()[:60]!r}; {told}")
    return Columns(time, unit, weights, pose)
