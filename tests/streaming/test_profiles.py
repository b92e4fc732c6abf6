from __future__ import annotations

import pytest

from anchor.errors import ConfigError
from anchor.media import VideoFormat
from streaming.profiles import PROFILES, profile

WIDE, FULL, TALL = VideoFormat(1280, 720, 25), VideoFormat(1920, 1080, 25), VideoFormat(720, 1280, 25)
PLATFORMS = ("youtube", "twitch", "facebook", "bilibili", "douyin", "kuaishou", "taobao", "tiktok", "wechat")


def test_every_platform_has_two_seconds_between_keyframes_and_a_constant_rate() -> None:
    assert set(PROFILES) == {"archive", "live", *PLATFORMS}
    for name in PLATFORMS:
        found = PROFILES[name]
        assert (found.gop_seconds, found.crf, found.audio_bitrate, found.stereo) == (2.0, None, 128_000, True)
        assert found.bitrate + found.audio_bitrate <= 6_200_000


@pytest.mark.parametrize("name", PLATFORMS)
def test_a_larger_program_gets_more_bits(name: str) -> None:
    assert profile(name, FULL).bitrate > profile(name, WIDE).bitrate > profile(name, VideoFormat(640, 360)).bitrate


def test_what_is_larger_than_a_platform_takes_is_scaled_down_in_shape() -> None:
    assert profile("twitch", VideoFormat(2560, 1440, 25)).video == FULL
    assert profile("twitch", FULL).video is None
    assert profile("douyin", VideoFormat(1080, 1920, 25)).video is None


def test_no_platform_gets_bars_which_would_make_the_label_smaller() -> None:
    for name in PLATFORMS:
        for video in (WIDE, FULL, TALL, VideoFormat(2160, 3840, 25)):
            sent = profile(name, video).video or video
            assert sent.width * video.height == sent.height * video.width


def test_a_bitrate_that_is_asked_for_is_used() -> None:
    assert profile("live", WIDE, bitrate=1_000_000).bitrate == 1_000_000
    assert profile("archive", WIDE, bitrate=1_000_000).crf is None


def test_an_unknown_profile_names_those_there_are() -> None:
    with pytest.raises(ConfigError, match=r"no profile 'myspace'; there are: archive, live, youtube"):
        profile("myspace")
