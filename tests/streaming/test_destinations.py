from __future__ import annotations

from pathlib import Path

import pytest

from anchor.errors import ConfigError
from streaming.destinations import destination
from streaming.rtmp import Place


@pytest.mark.parametrize(
    ("text", "kind", "shown", "profile"),
    [
        ("rtmp://ingest.example.org/live/s3cret", "rtmp", "rtmp://ingest.example.org/live/***", "live"),
        ("rtmps://a.rtmps.youtube.com/live2/s3cret", "rtmp", "rtmps://a.rtmps.youtube.com/live2/***", "youtube"),
        ("rtmp://live.twitch.tv/app/s3cret?bandwidthtest=true", "rtmp", "rtmp://live.twitch.tv/app/***", "twitch"),
        (
            "rtmp://live-push.bilivideo.com/live-bvc/?streamname=s3cret&key=s3cret", "rtmp",
            "rtmp://live-push.bilivideo.com/live-bvc/***", "bilibili",
        ),
        ("rtmp://me:s3cret@[::1]:1936/live/s3cret", "rtmp", "rtmp://[::1]:1936/live/***", "live"),
        ("whip+https://s3cret@example.org/whip/s3cret", "whip", "whip+https://example.org/***", "live"),
        ("hls:out/hls", "hls", "hls:out/hls", "live"),
        ("file:/srv/news.MP4", "file", "file:/srv/news.MP4", "archive"),
        ("camera:/dev/video10", "camera", "camera:/dev/video10", ""),
    ],
)  # fmt: skip
def test_a_destination_has_a_kind_a_profile_and_no_secret_to_show(
    text: str, kind: str, shown: str, profile: str
) -> None:
    found = destination(text)
    assert (found.kind, found.shown, found.profile) == (kind, shown, profile)
    assert "s3cret" not in repr(found)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("udp://239.0.0.1:1234", "'udp' is no way"),
        ("news.mp4", "write rtmp://"),
        ("rtmp://example.org/live", "application and the stream key"),
        ("rtmp://example.org:port/live/key", "cannot be read"),
        ("rtmp:///live/key", "needs a host"),
        ("rtmp://example.org/live/two words", "no spaces"),
        ("file:news.avi", "ends in .mp4"),
        ("file:", "needs a file"),
        ("hls:", "needs a folder"),
        ("camera:", "needs a device"),
        ("", "write rtmp://"),
    ],
)
def test_what_cannot_work_is_refused_in_one_line(text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as refused:
        destination(text)
    assert "\n" not in str(refused.value)


def test_a_key_comes_from_the_environment_and_is_told_by_name_when_missing() -> None:
    assert destination("rtmp://example.org/live/${KEY}", {"KEY": "s3cret"}).address.endswith("/live/s3cret")
    with pytest.raises(ConfigError, match="variable KEY, which is not set"):
        destination("rtmp://example.org/live/${KEY}", {})


def test_errors_tell_no_key() -> None:
    for text in ("rtmp://example.org/s3cret-key", "rtmp://h:x/live/s3cret-key", "rtmpx://h/live/s3cret-key"):
        with pytest.raises(ConfigError) as refused:
            destination(text)
        assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "host", "port", "app", "key", "tc_url"),
    [
        ("rtmp://h/live/k", "h", 1935, "live", "k", "rtmp://h/live"),
        ("rtmps://h/app/inst/k?a=b/c", "h", 443, "app/inst", "k?a=b/c", "rtmps://h/app/inst"),
        ("rtmp://h:19350/live-bvc/?streamname=x&key=y", "h", 19350, "live-bvc", "?streamname=x&key=y",
         "rtmp://h:19350/live-bvc"),
        ("rtmp://u:p@[::1]:1936/live/k", "::1", 1936, "live", "k", "rtmp://[::1]:1936/live"),
    ],
)  # fmt: skip
def test_an_rtmp_url_falls_into_application_and_key(
    url: str, host: str, port: int, app: str, key: str, tc_url: str
) -> None:
    place = Place.parse(url)
    assert (place.host, place.port, place.app, place.key, place.tc_url) == (host, port, app, key, tc_url)


def test_paths_are_relative_to_a_folder_that_is_given() -> None:
    assert destination("file:out/news.mp4", folder=Path("/srv")).address == "/srv/out/news.mp4"
    assert destination("hls:/tmp/hls", folder=Path("/srv")).address == "/tmp/hls"
    assert destination("camera:/dev/video1", folder=Path("/srv")).address == "/dev/video1"
