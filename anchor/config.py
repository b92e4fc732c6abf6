"""The configuration file: TOML, strict, one small value class a table. An error names file and key.

Paths in a configuration are relative to its file. ``${NAME}`` in a secret is replaced by that environment variable.
"""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, ValidationInfo

from anchor.errors import ConfigError, FormatError
from anchor.events import Mood
from anchor.media import VideoFormat
from anchor.registry import DEFAULT_AVATAR, DEFAULT_DRIVER


def _secret(value: Any) -> Any:
    """Take a secret from the environment; writing one into the file itself is refused."""
    if not isinstance(value, str):
        return value
    reference = re.fullmatch(r"\$\{(\w+)\}", value)
    if reference is None:
        raise ValueError('secrets come from the environment: write "${NAME}"')
    return os.environ.get(reference[1]) or None


def _path(value: Any, info: ValidationInfo) -> Any:
    folder: Path = (info.context or {}).get("folder", Path())
    return folder / value if isinstance(value, str) else value


def _avatar(value: Any, info: ValidationInfo) -> Any:
    """A package is told from a name by a slash or its ending."""
    if isinstance(value, str) and ("/" in value or value.lower().endswith(".zip")):
        return _path(value, info)
    return value


def _driver(value: Any, info: ValidationInfo) -> Any:
    """Files are told from a name by a slash or their ending."""
    if isinstance(value, str) and ("/" in value or value.lower().endswith(".onnx")):
        return _path(value, info)
    return value


Secret = Annotated[str | None, BeforeValidator(_secret)]
LocalPath = Annotated[Path, BeforeValidator(_path)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ServerConfig(_Table):
    """``[server]``: where to listen. Without a token only this machine may be listened on."""

    host: str = "127.0.0.1"
    port: int = Field(default=8010, ge=0, le=65535)
    token: Secret = None
    ice_servers: tuple[str, ...] = ()
    avatars: LocalPath | None = None
    """A folder of avatar packages to choose from, besides the bundled ones."""


class VoiceConfig(_Table):
    """``[voice]``: the engine that speaks, and options of its own."""

    engine: str = "espeak"
    options: dict[str, Any] = Field(default_factory=dict)


class ChannelConfig(_Table):
    """``[[channels]]``: one anchor on one stream."""

    name: Name
    title: str = ""
    avatar: Annotated[str | Path, BeforeValidator(_avatar)] = DEFAULT_AVATAR
    driver: Annotated[str | Path, BeforeValidator(_driver)] = DEFAULT_DRIVER
    driver_options: dict[str, Any] = Field(default_factory=dict)
    """For a driver made of files: ``device`` (auto, cpu, cuda) and ``half`` (16-bit floats)."""
    language: str = "en"
    size: str = "1280x720"
    fps: int = 25
    backdrop: LocalPath | None = None
    label: str | None = None
    scripts: tuple[LocalPath, ...] = ()
    loop: bool = True
    pause: float = Field(default=2.0, ge=0, le=3600)
    captions: Literal["page", "burn"] = "page"
    mood: Mood = "neutral"
    max_viewers: int = Field(default=50, ge=1)

    @property
    def video(self) -> VideoFormat:
        return VideoFormat.parse(self.size, self.fps)


class Config(_Table):
    server: ServerConfig = ServerConfig()
    voice: VoiceConfig = VoiceConfig()
    channels: tuple[ChannelConfig, ...] = Field(min_length=1)


def load_config(path: Path) -> Config:
    """Read and check a configuration. Raises `ConfigError` naming the file and the key at fault."""
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not UTF-8 text (byte {error.start})") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: is not valid TOML: {error}") from error
    try:
        config = Config.model_validate(tables, context={"folder": path.parent})
    except ValidationError as error:
        raise ConfigError("\n".join(_explain(path, problem) for problem in error.errors()[:3])) from error
    if config.server.avatars is not None and not config.server.avatars.is_dir():
        raise ConfigError(f"{path}: server.avatars: there is no folder {config.server.avatars}")
    _check_channels(path, config)
    return config


def _explain(path: Path, problem: Any) -> str:
    key = ".".join(str(part + 1) if isinstance(part, int) else part for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        return f"{path}: unknown key {key}"
    return f"{path}: {key}: {problem['msg'].removeprefix('Value error, ')}"


def _check_channels(path: Path, config: Config) -> None:
    seen: set[str] = set()
    for number, channel in enumerate(config.channels, start=1):
        where = f"{path}: channels.{number}"
        if channel.name in seen:
            raise ConfigError(f"{where}.name: there are two channels named {channel.name!r}")
        seen.add(channel.name)
        try:
            _ = channel.video
        except FormatError as error:
            raise ConfigError(f"{where}.size: {error}") from error
        for file in (*channel.scripts, *([channel.backdrop] if channel.backdrop else [])):
            if not file.is_file():
                raise ConfigError(f"{where}: there is no file {file}")
