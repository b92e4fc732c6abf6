"""A voice on a server over WebSocket, with moods, timings and a word when to stop: the protocol of ``PROTOCOL.md``.

A connection says one sentence at a time and is kept for the next; sentences at the same time have one each. Nobody
reads between sentences: what a server still sends of one that was cancelled is dropped when the next is asked for.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from itertools import count
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus, WebSocketException

from anchor.errors import ConfigError
from anchor.events import Mood, Sentence
from anchor.ports import SpeechChunk, VoiceInfo
from anchor.voice import remote
from anchor.voice.moods import MOODS, styles
from anchor.voice.received import UnsoundError, one_after
from anchor.voice.remote import LateServerError, Patience, Server
from anchor.voice.sounding import Level, sounding
from anchor.voice.websocket_link import CLOSING_SECONDS, BrokenError, Link, Message, Saying

log = logging.getLogger(__name__)
_connections = log.getChild("connections")
_connections.setLevel(logging.INFO)  # at DEBUG the library writes the key

LARGEST_MESSAGE = 128 << 10
AHEAD = 1024
"""Messages that are taken in before anybody asks: a sentence that waits for its turn must not stop the pings."""
PING_SECONDS = 10.0
KEPT = 4
"""Connections kept open while nothing is said."""


class _Direct(connect):
    """Follows no redirect: the server is whom the user has named."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


class WebSocketVoice:
    """`anchor.ports.Voice` over WebSocket.

    `voice` is a name or a table of one for each language, `rate` a factor on the speed; `moods` is what the server
    calls them, where it is not as we do. What the server speaks is known once it has said so, and `languages` until
    then. With `phones` its timings of words and phones are used; with `in_words` numbers, dates and the like are sent
    in words, and cannot be timed. Seconds: `timeout` until the first sound, `stall` that sound may stand still after
    it. The key is in no error and no log. Raises `ConfigError` for values that cannot be.
    """

    def __init__(
        self,
        *,
        url: str,
        api_key: str = "",
        voice: str | Mapping[str, str] = "",
        rate: float = 1.0,
        in_words: bool = False,
        moods: Mapping[str, Any] | None = None,
        languages: Sequence[str] = (),
        phones: bool = False,
        timeout: float = 10.0,
        stall: float = 2.0,
        licence: str = "",
    ) -> None:
        self._server = Server(url, api_key, option="url", schemes=("ws", "wss"))
        remote.check_seconds(timeout, stall)
        remote.check_rate(rate)
        if phones and in_words:
            raise ConfigError("voice.options.in_words: words that are put otherwise cannot be timed; leave one out")
        self._url, self._key, self._voice, self._rate, self._phones = url, api_key, voice, rate, phones
        self._moods: dict[Mood, str] = styles(moods, "voice.options.moods")
        self._in_words = in_words
        self._languages, self._licence = tuple(languages), licence
        self._timeout, self._stall = timeout, stall
        self._idle: list[Link] = []
        self._links = set[Link]()
        self._numbers = count(1)
        self._level = Level()
        self._closed = False
        spoken = self._languages or (remote.LANGUAGES if isinstance(voice, str) else tuple(voice))
        self._info = VoiceInfo("websocket", self._server.host, spoken, licence or "a service", phone_timings=phones)

    @property
    def info(self) -> VoiceInfo:
        return self._info

    async def warm(self, languages: Sequence[str] = ()) -> None:
        """Connect, and hear what the server speaks. Raises `VoiceError`."""
        patience = Patience(self._timeout, self._stall)
        try:
            self._keep(await self._link(patience))
        except (LateServerError, BrokenError) as error:
            raise self._server.failed(str(error)) from error

    async def speak(self, sentence: Sentence) -> AsyncGenerator[SpeechChunk, None]:
        remote.check_language(sentence.language, self._info.languages, self._info.name)
        if not remote.says_something(sentence.text):
            return
        patience = Patience(self._timeout, self._stall)
        saying: Saying | None = None
        try:
            saying = await self._ask(sentence, patience)
            async with aclosing(saying.sounds()) as sounds:
                first = await anext(sounds, None)
                whole = one_after(first, sounds) if first is not None else sounds
                chunks = sounding(whole, saying.rate, sentence, self._level, name=self._server.voice(self._info.name))
                async with aclosing(chunks):
                    async for chunk in chunks:
                        yield saying.timed(chunk)
                if (rest := saying.rest()) is not None:
                    yield rest
        except (LateServerError, BrokenError, UnsoundError) as error:
            raise self._server.failed(str(error)) from error
        finally:
            if saying is not None:
                await self._leave(saying)

    async def close(self) -> None:
        """End what is under way, too."""
        self._closed = True
        self._idle.clear()
        links, self._links = self._links, set()
        if links:
            async with asyncio.TaskGroup() as tasks:
                for link in links:
                    tasks.create_task(link.close())

    async def _ask(self, sentence: Sentence, patience: Patience) -> Saying:
        """Ask for a sentence on a kept connection, and on a new one where that is of no use any more."""
        while True:
            link = self._idle.pop() if self._idle else None
            kept = link is not None
            link = link or await self._link(patience)
            saying = Saying(link, f"{next(self._numbers)}", sentence.text, patience, timed=self._phones)
            try:
                await saying.begin(self._request(sentence))
                return saying
            except UnsoundError:
                self._keep(link) if saying.ended else self._drop(link)
                raise
            except BrokenError as error:
                self._drop(link)
                if not kept:
                    raise
                log.info("%s", self._server.without_key(f"a connection to {self._server.host} is replaced: {error}"))
            except BaseException:
                self._drop(link)
                raise

    def _request(self, sentence: Sentence) -> Message:
        text = remote.in_words(sentence.text, sentence.language) if self._in_words else sentence.text
        request: Message = {"text": text, "language": sentence.language}
        if sentence.mood != "neutral" or "neutral" in self._moods:
            request["mood"] = self._moods.get(sentence.mood, sentence.mood)
        if voice := remote.voice_for(self._voice, sentence.language):
            request["voice"] = voice
        if self._rate != 1:
            request["rate"] = self._rate
        return request

    async def _leave(self, saying: Saying) -> None:
        """Keep the connection of a sentence that has ended, or was cut off and is left to end; drop one in doubt."""
        good = saying.ended
        try:
            good = good or await saying.cancel()
        finally:
            self._keep(saying.link) if good else self._drop(saying.link)

    def _keep(self, link: Link) -> None:
        if len(self._idle) < KEPT and link in self._links:
            self._idle.append(link)
        else:
            self._drop(link)

    def _drop(self, link: Link) -> None:
        self._links.discard(link)
        link.abort()

    async def _link(self, patience: Patience) -> Link:
        """A new connection whose server has said what it is."""
        if self._closed:
            raise self._server.failed("is closed here: open a new voice to go on")
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        connection: ClientConnection | None = None
        try:
            with patience.waiting() as limit:
                async with limit:
                    connection = await _Direct(
                        self._url, additional_headers=headers, compression=None, logger=_connections, open_timeout=None,
                        proxy=None if self._server.local else True, max_size=LARGEST_MESSAGE, max_queue=AHEAD,
                        ping_interval=PING_SECONDS, ping_timeout=PING_SECONDS, close_timeout=CLOSING_SECONDS,
                    )  # fmt: skip
            link = Link(connection)
            hello = await link.receive(patience)
            if not isinstance(hello, dict) or hello.get("type") != "hello":
                raise BrokenError("does not say hello: it speaks another protocol; check voice.options.url")
            self._learn(hello)
        except BaseException as error:
            if connection is not None:
                connection.transport.abort()
            if isinstance(error, InvalidStatus):
                raise self._server.refusal(error.response.status_code, bytes(error.response.body or b"")) from error
            if isinstance(error, OSError):
                raise self._server.unreachable(error) from error
            if isinstance(error, WebSocketException | ValueError):
                raise BrokenError(f"does not speak WebSocket there ({error}); check voice.options.url") from error
            raise
        self._links.add(link)
        return link

    def _learn(self, hello: Message) -> None:
        """What the server says that it is; what the user says of it goes before."""
        if self._phones and hello.get("phones") is not True:
            raise BrokenError("does not time its phones: leave voice.options.phones out")
        if hello.get("phones") is True and not self._phones and not self._links:
            log.info("%s times its phones: with voice.options.phones = true they need not be found", self._server.host)
        info, loudness = self._info, hello.get("loudness")
        if not self._level.known and isinstance(loudness, int | float) and -50 < loudness < 0:
            self._level = Level(float(loudness))
        languages = self._languages or (tuple(self._voice) if isinstance(self._voice, Mapping) else ())
        listed = tuple(tag for tag in _list(hello, "languages") if tag)
        told = set(_list(hello, "moods"))
        self._info = replace(
            info,
            engine=str(hello.get("name") or info.engine)[:80],
            languages=languages or listed or info.languages,
            licence=self._licence or str(hello.get("licence") or "a service")[:120],
            moods=tuple(mood for mood in MOODS if mood in self._moods or mood in told),
            version=str(hello.get("version") or "")[:80],
        )


def _list(message: Message, key: str) -> list[str]:
    values = message.get(key)
    return [value for value in values if isinstance(value, str)] if isinstance(values, list) else []
