"""The configuration file: TOML, strict, one small value class a table. An error names file and key.

Paths in a configuration are relative to its file. ``${NAME}`` in a secret is replaced by that environment variable.
"""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, ValidationInfo, model_validator

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


_FILES = ("model", "folder", "lexicon")
"""Options of back-ends that may be files: where there is one beside the configuration, that is meant."""


def _options(options: Any, info: ValidationInfo) -> Any:
    """Replace each ``${NAME}`` that stands alone, and names of files."""
    if not isinstance(options, dict):
        return options
    for key in _FILES:
        value = options.get(key)
        if isinstance(value, str) and value and (path := Path(_path(value, info))).exists():
            options = options | {key: str(path)}
    found = {key: re.fullmatch(r"\$\{(\w+)\}", value) for key, value in options.items() if isinstance(value, str)}
    return options | {key: os.environ.get(name[1], "") for key, name in found.items() if name is not None}


def _path(value: Any, info: ValidationInfo) -> Any:
    folder: Path = (info.context or {}).get("folder", Path())
    return folder / value if isinstance(value, str) else value


def _destination(value: Any, info: ValidationInfo) -> Any:
    """Files and folders of outputs are relative to the configuration, like all others."""
    if isinstance(value, str):
        kind, colon, rest = value.partition(":")
        if colon and kind in ("file", "hls") and rest and not rest.startswith("${"):
            return f"{kind}:{_path(rest, info)}"
    return value


def _avatar(value: Any, info: ValidationInfo) -> Any:
    """A package is told from a name by a slash or its ending."""
    if isinstance(value, str) and ("/" in value or value.lower().endswith(".zip")):
        return _path(value, info)
    return value


def _voice(value: Any, info: ValidationInfo) -> Any:
    """A voice package is told from a name by a slash or its ending."""
    if isinstance(value, str) and ("/" in value or value.lower().endswith(".zip")):
        return str(_path(value, info))
    return value


def _driver(value: Any, info: ValidationInfo) -> Any:
    """Files are told from a name by a slash or their ending."""
    if isinstance(value, str) and ("/" in value or value.lower().endswith(".onnx")):
        return _path(value, info)
    return value


def _written(value: Any, info: ValidationInfo) -> Any:
    """A text, or the name of a file that holds it."""
    if isinstance(value, str) and value.lower().endswith((".md", ".txt")) and "\n" not in value:
        try:
            return Path(_path(value, info)).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"cannot be read: {error}") from error
    return value


Secret = Annotated[str | None, BeforeValidator(_secret)]
LocalPath = Annotated[Path, BeforeValidator(_path)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]


Texts = dict[str, str]
"""A text by language tag."""


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
    demo_bank: bool = False
    """Serve an invented bank under ``/demo/bank``, for actions to try."""


class VoiceConfig(_Table):
    """``[voice]``: who speaks. `engine` is a back-end by its entry-point name or a voice package (a folder or zip).

    Names in `fallback` and `languages` are of ``[voices]`` tables, back-ends or packages. Where a voice fails, the
    next one that speaks the language goes on: first those of its entry in `languages`, which come before `engine`, then
    `engine`, then `fallback`, then the embedded voice.
    """

    engine: Annotated[str, BeforeValidator(_voice)] = "espeak"
    options: Annotated[dict[str, Any], BeforeValidator(_options)] = Field(default_factory=dict)
    fallback: tuple[Annotated[str, BeforeValidator(_voice)], ...] = ()
    languages: dict[str, tuple[Annotated[str, BeforeValidator(_voice)], ...]] = Field(default_factory=dict)
    """Who speaks a language, by its tag, in order of preference."""
    swallowed: Literal["off", "report", "retry"] = "report"
    """What is done about words that a voice without timings has not said: with ``retry`` a sentence is held back until
    all of it is heard, and said once more."""
    cache: LocalPath | None = None
    """A folder in which spoken sentences are kept, for all channels."""
    cache_megabytes: int = Field(default=512, ge=1)


class EngineConfig(_Table):
    """A back-end by its entry-point name, and options of its own; a ``${NAME}`` in them is an environment variable."""

    engine: Annotated[str, BeforeValidator(_voice)]
    options: Annotated[dict[str, Any], BeforeValidator(_options)] = Field(default_factory=dict)


class ButtonConfig(_Table):
    """``[[channels.talk.buttons]]``: what a visitor may press; `says` is taken as if it had been typed."""

    label: Texts
    says: Texts


class HandOverConfig(_Table):
    """``[channels.talk.hand_over]``: how a person is fetched.

    `webhook` gets the transcript as JSON; operators see the session on their page in any case. `phrases` ask for a
    person, `crisis` phrases fetch one at once; both are added to the built-in ones.
    """

    webhook: str = ""
    token: Secret = None
    phrases: tuple[str, ...] = ()
    crisis: tuple[str, ...] = ()
    failures: int = Field(default=2, ge=1, le=10)
    """Turns without an answer after which a person is offered."""
    contact: Texts = Field(default_factory=dict)
    """Whom to turn to where nobody comes: a counter, a telephone number."""


class TalkConfig(_Table):
    """``[channels.talk]``: visitors converse with the channel's anchor, each on a stream of their own."""

    languages: tuple[str, ...] = ()
    """What visitors may choose from; the channel's own language when empty."""
    recognizer: EngineConfig = EngineConfig(engine="pocketsphinx")
    dialogue: EngineConfig = EngineConfig(engine="knowledge")
    knowledge: tuple[LocalPath, ...] = ()
    """Documents and tables, or folders of them."""
    actions: LocalPath | None = None
    """A TOML file of what can be done for a visitor."""
    allow: tuple[str, ...] = ()
    """Hosts or networks that actions may reach although they are private."""
    persona: Annotated[str, BeforeValidator(_written)] = ""
    """Who the anchor is, and its rules, for a language model; or the .md or .txt file that says so."""
    greeting: Texts = Field(default_factory=dict)
    privacy: Texts = Field(default_factory=dict)
    buttons: tuple[ButtonConfig, ...] = ()
    banned: tuple[str, ...] = ()
    """Words that a reply may not hold: its sentence is left out."""
    hand_over: HandOverConfig = HandOverConfig()
    max_sessions: int = Field(default=4, ge=1, le=1000)
    barge_in: bool = True
    patience: float = Field(default=1.0, gt=0, le=60)
    """Seconds until the first word of a dialogue, after which its fallback answers."""
    invite_after: float = Field(default=20.0, gt=0)
    absence: float = Field(default=60.0, gt=0)
    """Seconds without a sign of the visitor after which the conversation is over and forgotten."""
    return_within: float = Field(default=120.0, ge=0)
    """Seconds for which a lost visitor finds the same conversation again."""


class StoreConfig(_Table):
    """``[store]``: what is kept of conversations, masked. Nothing without a `url` (SQLAlchemy's)."""

    url: str = ""
    retention_days: float = Field(default=30.0, gt=0)


class OutputConfig(_Table):
    """``[[channels.outputs]]``: where a channel is sent besides its viewers.

    `to` is ``rtmp://...``, ``rtmps://...``, ``whip+http(s)://...``, ``hls:DIR``, ``file:PATH`` or ``camera:DEVICE``;
    ``${NAME}`` in it is an environment variable, for stream keys.
    """

    to: Annotated[str, BeforeValidator(_destination)]
    name: str = ""
    profile: str = ""
    """The platform or profile it is encoded for; what suits `to` when empty."""
    bitrate: int | None = Field(default=None, ge=100_000, le=50_000_000)
    token: Secret = None
    """A bearer token for a WHIP server."""
    part_minutes: float = Field(default=60.0, ge=1, le=1440)
    """How long each part of a recording is; they begin at multiples of it since midnight."""
    start: bool = True
    """Sent from the beginning; else when an operator says so."""


class ScheduleConfig(_Table):
    """``[[channels.schedule]]``: a rundown that begins by the clock."""

    at: str
    """Five cron fields."""
    zone: str = "UTC"
    """IANA name of the time zone."""
    script: LocalPath
    cut_in: bool = False
    """Begin at the next sentence end, not after what is on air."""


class GraphicsConfig(_Table):
    """``[channels.graphics]``: how the channel's graphics look."""

    template: str | Annotated[Path, BeforeValidator(_path)] = "house"
    """A bundled template by its name, or the .toml file of one."""
    logo: LocalPath | None = None
    clock: str = ""
    """IANA name of the time zone whose time is shown."""
    ticker: tuple[str, ...] = ()
    """What runs along the foot of the picture when a rundown has no ticker of its own."""


class ShowConfig(_Table):
    """``[channels.show]``: how a show keeps going."""

    state: LocalPath | None = None
    """A folder for what has been aired and where to go on after a fall; nothing is kept without."""
    filler: LocalPath | None = None
    """A script for when there is nothing else to say, or what there is fails."""
    retention_days: float = Field(default=0.0, ge=0)
    """How long the log of what was aired is kept; for ever with 0."""
    slate: str = "Technical break"
    """What is shown after the kill switch."""
    editor: EngineConfig | None = None
    """A dialogue that goes over drafts made from articles."""

    @model_validator(mode="before")
    @classmethod
    def _moved(cls, tables: Any) -> Any:
        for key in ("cache", "cache_megabytes"):
            if isinstance(tables, dict) and key in tables:
                raise ValueError(f"{key} is for all channels now: write it under [voice]")
        return tables


class ChannelConfig(_Table):
    """``[[channels]]``: one anchor on one stream, or with `talk` one anchor who converses with visitors."""

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
    languages: tuple[str, ...] = ()
    """Of rundowns in several, those that are aired, one after another; `language` when empty."""
    second_language: str = ""
    """Captions have a further line in it, where a rundown has the text."""
    graphics: GraphicsConfig = GraphicsConfig()
    show: ShowConfig = ShowConfig()
    schedule: tuple[ScheduleConfig, ...] = ()
    outputs: tuple[OutputConfig, ...] = ()
    talk: TalkConfig | None = None

    @property
    def video(self) -> VideoFormat:
        return VideoFormat.parse(self.size, self.fps)


class Config(_Table):
    server: ServerConfig = ServerConfig()
    voice: VoiceConfig = VoiceConfig()
    voices: dict[str, EngineConfig] = Field(default_factory=dict)
    """``[voices.NAME]``: further voices, which rundowns may name."""
    store: StoreConfig = StoreConfig()
    channels: tuple[ChannelConfig, ...] = Field(min_length=1)


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a TOML file. Raises `ConfigError` naming the file."""
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not UTF-8 text (byte {error.start})") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: is not valid TOML: {error}") from error


def load_config(path: Path) -> Config:
    """Read and check a configuration. Raises `ConfigError` naming the file and the key at fault."""
    tables = read_toml(path)
    try:
        config = Config.model_validate(tables, context={"folder": path.parent})
    except ValidationError as error:
        # Of a list with a faulty entry pydantic says, besides what is wrong with it, that the list is too short.
        problems = [problem for problem in error.errors() if problem["type"] != "too_short"] or error.errors()
        raise ConfigError("\n".join(_explain(path, problem) for problem in problems[:3])) from error
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
