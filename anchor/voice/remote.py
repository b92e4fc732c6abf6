"""What voices on servers have in common: how they are named in errors, whom they speak to, and how long one waits."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from urllib.parse import urlsplit

from anchor.errors import ConfigError, VoiceError
from anchor.tags import among, base, closest
from anchor.voice.text import read

LANGUAGES = (
    "en", "zh", "ja", "ko", "es", "fr", "de", "af", "ar", "az", "be", "bg", "bs", "ca", "cs", "cy", "da", "el", "et",
    "fa", "fi", "gl", "he", "hi", "hr", "hu", "hy", "id", "is", "it", "kk", "kn", "lt", "lv", "mi", "mk", "mr", "ms",
    "ne", "nl", "no", "pl", "pt", "ro", "ru", "sk", "sl", "sr", "sv", "sw", "ta", "th", "tl", "tr", "uk", "ur", "vi",
)  # fmt: skip
"""What OpenAI says that its voices speak; what a server speaks of them is for whoever configures it to say."""

RATES = range(8_000, 192_001)
"""Samples a second that sound may have."""

_SHOWN = 200
_SECRET = 6
"""Characters from which on a key is one: local servers are given "none" or "EMPTY"."""
_PRIVATE = ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128")


class Server:
    """A server by its address, as errors name it. Raises `ConfigError` for an address that cannot be."""

    def __init__(self, url: str, key: str, *, option: str, schemes: tuple[str, str]) -> None:
        """`option` is what the user calls the address, `schemes` the plain and the encrypted one."""
        where = f"voice.options.{option}"
        try:
            parts = urlsplit(url)
            port = parts.port or (443 if parts.scheme == schemes[1] else 80)
        except ValueError as error:
            raise ConfigError(f"{where} = {url!r}: {error}") from error
        if parts.username or parts.password:
            raise ConfigError(f"{where}: a password does not belong in an address; use api_key")
        if parts.scheme not in schemes or not parts.hostname:
            raise ConfigError(f"{where} = {url!r}: should be like {schemes[1]}://host/path")
        self.host = parts.hostname
        self._name = f"the voice server {parts.hostname}:{port}"
        self._key = key if len(key) >= _SECRET else ""
        self._option = where

    @property
    def local(self) -> bool:
        """Whether it runs on this machine, where no proxy leads."""
        try:
            address = ipaddress.ip_address(self.host)
        except ValueError:
            return self.host == "localhost"
        return any(address in network for network in _PRIVATE if network.version == address.version)

    def voice(self, name: str) -> str:
        """What a voice of this server is called where its sound is judged."""
        return f"{name} at {self.host}"

    def failed(self, what: str) -> VoiceError:
        return VoiceError(self.without_key(f"{self._name}: {what}"))

    def unreachable(self, error: Exception) -> VoiceError:
        if "SSL" in str(error) or "ertificate" in str(error):
            return self.failed(f"cannot be trusted ({' '.join(str(error).split())[:_SHOWN]}); check {self._option}")
        return self.failed(f"cannot be reached; check {self._option}, and whether it runs")

    def without_key(self, text: str) -> str:
        # Servers repeat a key that they refuse.
        return text.replace(self._key, "***") if self._key else text

    def refusal(self, status: int, body: bytes) -> VoiceError:
        """What a status means, with what the server says of it."""
        what = {
            400: "did not accept the request",
            401: "did not accept the key; check voice.options.api_key",
            403: "refuses this key; check voice.options.api_key",
            404: "does not know the address, model or voice; check voice.options",
            422: "did not accept the request",
            429: "has too much to do, or the quota is used up",
        }.get(status, "failed" if status >= 500 else "redirects" if 300 <= status < 400 else "refused")
        said = reason(body)
        return self.failed(f"{what} (status {status}{f': {said}' if said else ''})")


def reason(body: bytes) -> str:
    """What a server says of its refusal, in one short line."""
    text = body[: 1 << 16].decode("utf-8", "replace")
    try:
        found = json.loads(text)
        for key in ("error", "detail", "message", "msg"):
            found = found.get(key, found) if isinstance(found, dict) else found
        text = found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)
    except (ValueError, RecursionError):
        text = re.sub(r"<(style|script).*?</\1>|<[^>]*>", " ", text, flags=re.DOTALL | re.IGNORECASE)
    text = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(text.split())[:_SHOWN]


class Patience:
    """How long one waits for a server: `timeout` seconds for the first sound, then as a listener would.

    A listener hears what there is in the time that it takes, so a server may pause when it is ahead; it is late when
    its sound would have stood still for `stall` seconds. Time that whoever takes the sound needs is not counted.
    """

    def __init__(self, timeout: float, stall: float) -> None:
        self._timeout = timeout
        self._stall = stall
        self._waited = 0.0
        self._heard: float | None = None

    def hear(self, seconds: float) -> None:
        """So much sound came."""
        if seconds > 0 and self._heard is None:
            self._waited, self._heard = 0.0, 0.0
        self._heard = None if self._heard is None else self._heard + seconds

    @contextmanager
    def waiting(self) -> Iterator[asyncio.Timeout]:
        """Time what is awaited inside, by a time-out to be entered. Raises `LateServer` for one that struck."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        left = (self._timeout if self._heard is None else self._stall + self._heard) - self._waited
        limit = asyncio.timeout_at(begun + left)
        try:
            yield limit
        except TimeoutError as error:
            if limit.expired():
                raise LateServerError(self._late()) from error
            raise
        finally:
            self._waited += loop.time() - begun

    def _late(self) -> str:
        if self._heard is None:
            return f"gave no sound within {self._timeout:g} s"
        return (
            f"gives its sound slower than it is spoken ({self._heard:.1f} s of it so far); where nobody waits for it, "
            "set voice.options.stall"
        )


class LateServerError(Exception):
    """A server is late; the text says how."""


def check_seconds(timeout: float, stall: float) -> None:
    """Raise `ConfigError` for time-outs that cannot be."""
    for name, value in (("timeout", timeout), ("stall", stall)):
        if not 0 < value <= 600:
            raise ConfigError(f"voice.options.{name} = {value}: choose seconds up to 600")


def check_rate(rate: float) -> None:
    """Raise `ConfigError` for a factor on the speed that cannot be."""
    if not 0.5 <= rate <= 2:
        raise ConfigError(f"voice.options.rate = {rate}: choose a factor between 0.5 and 2")


def check_language(language: str, spoken: Sequence[str], name: str) -> None:
    if not among(language, spoken):
        raise VoiceError(f"voice {name!r} does not speak {language!r}; it speaks {', '.join(spoken)}")


def voice_for(voice: str | Mapping[str, str], language: str) -> str:
    """The name of the voice for a language, where there is one for each."""
    if isinstance(voice, str):
        return voice
    tag = closest(voice, language)
    return voice[tag] if tag is not None else ""


def in_words(text: str, language: str) -> str:
    """A text with its numbers, dates, money and units in words, as the embedded voice reads them."""
    tokens = read(text, base(language))
    return "".join(token.spoken or (token.text if not says_something(token.text) else "") for token in tokens)


def says_something(text: str) -> bool:
    return any(letter.isalnum() for letter in text)
