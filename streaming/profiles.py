"""How a program is encoded for where it goes: the archive, any receiver, and the usual platforms.

The platforms' figures are within what they publish for streamers, on the careful side: an ingest that gets more than it
allows ends the connection, one that gets less shows a picture that nobody can tell from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from anchor.errors import ConfigError
from anchor.media import VideoFormat
from streaming.packets import Profile
from streaming.recorder import QUALITY

_LOW, _HD, _FULL = 480, 720, 1080


@dataclass(frozen=True, slots=True)
class _Platform:
    """Bits a second by the shorter side of the picture; what is larger than the largest is scaled down to it."""

    bitrates: Mapping[int, int]
    h264: str = "high"


_PLATFORMS = {
    "youtube": _Platform({_LOW: 1_500_000, _HD: 4_000_000, _FULL: 9_000_000}),
    "twitch": _Platform({_LOW: 1_500_000, _HD: 3_500_000, _FULL: 6_000_000}),
    "facebook": _Platform({_LOW: 1_500_000, _HD: 3_000_000, _FULL: 5_000_000}),
    "bilibili": _Platform({_LOW: 1_200_000, _HD: 2_500_000, _FULL: 5_000_000}),
    "douyin": _Platform({_LOW: 1_200_000, _HD: 2_500_000, _FULL: 4_000_000}),
    "kuaishou": _Platform({_LOW: 1_200_000, _HD: 2_500_000, _FULL: 4_000_000}),
    "taobao": _Platform({_LOW: 1_200_000, _HD: 2_000_000, _FULL: 3_000_000}),
    "tiktok": _Platform({_LOW: 1_500_000, _HD: 3_000_000, _FULL: 4_500_000}),
    "wechat": _Platform({_LOW: 1_000_000, _HD: 2_000_000, _FULL: 3_000_000}, h264="main"),
}

_OURS = {
    "archive": Profile("archive", crf=float(QUALITY["crf"]), preset=QUALITY["preset"], stereo=False),
    "live": Profile("live"),
}


def _common(name: str, platform: _Platform) -> Profile:
    """A platform's profile where nothing is known of the program."""
    profile = Profile(name, bitrate=platform.bitrates[_HD])
    return replace(profile, h264="main") if platform.h264 == "main" else profile


PROFILES: Mapping[str, Profile] = MappingProxyType(
    _OURS | {name: _common(name, platform) for name, platform in _PLATFORMS.items()}
)
"""Each for 720 lines; `profile` suits one to a program."""

UPRIGHT = frozenset({"douyin", "kuaishou", "taobao", "tiktok", "wechat"})
"""Platforms whose viewers hold a telephone upright. A wide program goes there as it is: in a tall frame its AI
label would be smaller than the law asks for. What fills the screen is a channel of 720x1280."""


def profile(name: str, video: VideoFormat | None = None, *, bitrate: int | None = None) -> Profile:
    """A profile by its name, for programs of `video`, at `bitrate` if that is given. Raises `ConfigError`."""
    if name not in PROFILES:
        raise ConfigError(f"there is no profile {name!r}; there are: {', '.join(PROFILES)}")
    found = PROFILES[name]
    if video is not None and name in _PLATFORMS:
        found = _suited(found, _PLATFORMS[name], video)
    elif video is not None and name == "live":
        found = replace(found, bitrate=_scaled(found.bitrate, video))
    if bitrate is not None:
        found = replace(found, bitrate=bitrate, crf=None)
    return found


def _suited(found: Profile, platform: _Platform, video: VideoFormat) -> Profile:
    size = min(video.shorter_side, max(platform.bitrates))
    fitting = next(side for side in sorted(platform.bitrates) if side >= size)
    width, height = video.width, video.height
    if size < video.shorter_side:
        width, height = (_even(side * size / video.shorter_side) for side in (width, height))
    target = VideoFormat(width, height, video.fps)
    # Twice the pictures take half as much again, not twice as much: they differ less. No platform allows that above HD.
    rate = platform.bitrates[fitting] * (1.5 if video.fps > 30 and fitting < _FULL else 1)
    return replace(found, bitrate=round(rate), video=None if target == video else target)


def _scaled(bitrate: int, video: VideoFormat) -> int:
    """What 1280x720 at 25 a second gets, by the number of pixels to the power of 3/4: larger pictures are smoother."""
    share = video.width * video.height * video.fps / (1280 * 720 * 25)
    return int(min(12e6, max(400e3, bitrate * share**0.75)) // 1e5) * 100_000


def _even(length: float) -> int:
    return round(length / 2) * 2
