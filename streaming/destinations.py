"""Where an output goes, as people write it: ``rtmp://...``, ``whip+https://...``, ``hls:DIR``, ``file:PATH``, ..."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from anchor.errors import ConfigError

Kind = Literal["rtmp", "whip", "hls", "file", "camera"]

FORMATS: Mapping[str, str] = {
    ".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".flv": "flv", ".ts": "mpegts",
}  # fmt: skip
"""FFmpeg's names of the containers that a file's ending stands for."""

_USUAL_PROFILE: Mapping[Kind, str] = {
    "rtmp": "live", "whip": "live", "hls": "live", "file": "archive", "camera": ""
}  # fmt: skip

# What the platforms' ingest hosts end in.
_PLATFORM_HOSTS = {
    "youtube.com": "youtube", "live-video.net": "twitch", "twitch.tv": "twitch", "facebook.com": "facebook",
    "bilivideo.com": "bilibili", "douyincdn.com": "douyin", "tiktokcdn.com": "tiktok",
}  # fmt: skip

_WAYS = "rtmp://, rtmps://, whip+https://, hls:DIR, file:PATH or camera:DEVICE"


@dataclass(frozen=True, slots=True)
class Destination:
    """`address` is a URL (for WHIP the http one) or a path; it may hold a stream key, which `shown` has not."""

    kind: Kind
    address: str = field(repr=False)
    shown: str

    @property
    def profile(self) -> str:
        """The name of the profile that suits it; empty where nothing is encoded."""
        if self.kind == "rtmp":
            host = (urlsplit(self.address).hostname or "").lower()
            for ending, name in _PLATFORM_HOSTS.items():
                if host == ending or host.endswith("." + ending):
                    return name
        return _USUAL_PROFILE[self.kind]


def destination(text: str, environment: Mapping[str, str] | None = None, *, folder: Path | None = None) -> Destination:
    """Read a destination; ``${NAME}`` in it is an environment variable, and paths are relative to `folder`.

    Raises `ConfigError`, whose text has no secret.
    """
    text = text.strip()
    address = _expanded(text, os.environ if environment is None else environment)
    scheme, colon, rest = address.partition(":")
    scheme = scheme.lower()
    if colon and scheme in ("rtmp", "rtmps"):
        return _rtmp(scheme, rest)
    if colon and scheme in ("whip+http", "whip+https"):
        return _whip(scheme.removeprefix("whip+"), rest)
    if colon and scheme in ("hls", "file", "camera"):
        return _local(scheme, rest, folder)
    known = scheme if colon and re.fullmatch(r"[a-z][a-z0-9+.-]*", scheme) else ""
    raise ConfigError(f"{known or _short(text)!r} is no way to send a program: write {_WAYS}")


def _expanded(text: str, environment: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        if not environment.get(match[1]):
            raise ConfigError(f"the output's address needs the environment variable {match[1]}, which is not set")
        return environment[match[1]]

    return re.sub(r"\$\{(\w+)\}", value, text)


def _host(scheme: str, rest: str) -> str:
    """Host and port of a URL. Raises `ConfigError`."""
    try:
        parts = urlsplit(f"{scheme}:{rest}")
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ConfigError(f"an output's {scheme}:// address cannot be read: {error}") from None
    if not host or any(ord(character) <= 32 for character in rest):
        raise ConfigError(
            f"an output's {scheme}:// address needs a host and no spaces, as in {scheme}://example.org/..."
        )
    named = f"[{host}]" if ":" in host else host
    return named if port is None else f"{named}:{port}"


def _rtmp(scheme: str, rest: str) -> Destination:
    host = _host(scheme, rest)
    app, slash, key = urlsplit(f"{scheme}:{rest}").path.strip("/").rpartition("/")
    query = urlsplit(f"{scheme}:{rest}").query
    if not slash and query:
        # Some platforms' keys are nothing but a query: rtmp://host/app/?streamname=...
        app, key = key, ""
    if not app or not (key or query):
        raise ConfigError(
            f"{scheme}://{host}: after the host come the application and the stream key, "
            f"as in {scheme}://example.org/live/KEY"
        )
    return Destination("rtmp", f"{scheme}:{rest}", f"{scheme}://{host}/{app}/***")


def _whip(scheme: str, rest: str) -> Destination:
    return Destination("whip", f"{scheme}:{rest}", f"whip+{scheme}://{_host(scheme, rest)}/***")


def _local(kind: str, rest: str, folder: Path | None) -> Destination:
    rest = rest.removeprefix("//") if rest.startswith("///") else rest
    if not rest or "\0" in rest:
        what = {"hls": "a folder", "file": "a file", "camera": "a device, such as /dev/video10"}[kind]
        raise ConfigError(f"{kind}: needs {what} after the colon")
    if kind == "camera":
        return Destination("camera", rest, f"camera:{rest}")
    if folder is not None:
        rest = str(folder / rest)
    if kind == "hls":
        return Destination("hls", rest, f"hls:{rest}")
    if Path(rest).suffix.lower() not in FORMATS:
        raise ConfigError(f"file:{_short(rest)}: a recording ends in {', '.join(FORMATS)}")
    return Destination("file", rest, f"file:{rest}")


def _short(text: str) -> str:
    return text if len(text) <= 20 else text[:20] + "..."
