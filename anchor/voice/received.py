"""Sound as servers send it, told by what it is and not by what it is called, and decoded while it comes.

Raw samples, WAV whose sizes are right, unknown or too large, and what FFmpeg can read: MP3, Opus, FLAC, AAC.
"""

from __future__ import annotations

import asyncio
import struct
import threading
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, Protocol

import numpy as np

from anchor.media import Samples
from anchor.voice.remote import RATES, reason

SNIFFED = 64
"""Bytes by which sound is told from text."""

LONGEST_SECONDS = 30 * 60
"""A WAV that says it is longer does not know how long it is."""

FORMATS = ("pcm", "wav", "mp3", "opus", "flac", "aac")
"""What OpenAI's protocol can be asked for."""

RAW_RATE = 24_000
"""Samples a second of ``pcm``, where nobody says otherwise."""

MISSING_SECONDS = 0.05
"""What a WAV may lack of its length: nothing is said in that time."""

MOST_AT_ONCE = 300
"""Seconds of sound that a few bytes may be decoded to."""

_MAGIC = {b"OggS": "ogg", b"fLaC": "flac", b"ID3": "mp3"}
_CONTAINERS = {"audio/mpeg": "mp3", "audio/mp3": "mp3", "audio/aac": "aac", "audio/aacp": "aac"}
"""FFmpeg is told what it reads: some of its formats would open other files."""

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_DECODE: dict[tuple[int, int], tuple[str, float]] = {
    (_PCM, 8): ("u1", 128.0),
    (_PCM, 16): ("<i2", 32768.0),
    (_PCM, 32): ("<i4", 2147483648.0),
    (_FLOAT, 32): ("<f4", 1.0),
    (_FLOAT, 64): ("<f8", 1.0),
}


class UnsoundError(Exception):
    """What came is no sound; the text says what it is."""


class Decoder(Protocol):
    """Takes bytes as they come. Raises `UnsoundError`."""

    rate: int
    """Samples a second, once there is sound."""

    async def feed(self, data: bytes) -> Samples: ...

    async def end(self) -> Samples:
        """What is left when all has come."""
        ...

    def close(self) -> None: ...


async def decoder_for(
    pull: Callable[[], Awaitable[bytes | None]], *, kind: str, asked: str, rate: int | None
) -> tuple[Decoder, bytes]:
    """A decoder for what comes, and the bytes of it that were looked at.

    `pull` gives the next bytes, None at the end; `kind` is its content type, `asked` one of `FORMATS`, and `rate` that
    of raw samples where the user has said it. Raises `UnsoundError`.
    """
    head = b""
    while len(head) < SNIFFED and (data := await pull()) is not None:
        head += data
    name, _, parameters = kind.lower().partition(";")
    name = name.strip()
    if not head:
        raise UnsoundError("answered with nothing")
    if head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE":
        return Wav(), head
    for magic, container in _MAGIC.items():
        if head.startswith(magic):
            return Compressed(container), head
    if _is_text(head):
        while len(head) < 1 << 12 and (data := await pull()) is not None:
            head += data
        raise UnsoundError(_told(name, head))
    if (container := _CONTAINERS.get(name, "")) or asked in ("mp3", "aac"):
        return Compressed(container or asked), head
    if asked != "pcm" and name not in ("audio/pcm", "audio/l16"):
        raise UnsoundError(f"was asked for {asked} and sent something else ({name or 'of no type'})")
    told = dict(part.strip().partition("=")[::2] for part in parameters.split(";"))
    return Raw(rate or _number(told.get("rate", "")) or RAW_RATE, _number(told.get("channels", "")) or 1), head


def _number(text: str) -> int:
    return int(text.strip('" ')) if text.strip('" ').isdigit() else 0


def _is_text(head: bytes) -> bool:
    """Text has no control characters; samples have, as soon as there are a few."""
    for cut in range(4):
        try:
            text = head[: min(len(head), SNIFFED) - cut].decode("utf-8-sig")
        except UnicodeDecodeError:
            continue  # a letter may go on behind what is looked at
        return all(letter.isprintable() or letter in "\r\n\t" for letter in text)
    return False


def _told(kind: str, head: bytes) -> str:
    start = head.lstrip(b"\xef\xbb\xbf \r\n\t")[:15].lower()
    if kind == "text/html" or start.startswith((b"<!doctype", b"<html")):
        return f"sent a web page instead of sound; check its address: {reason(head)}"
    if start.startswith((b"{", b"[")):
        return f"sent JSON instead of sound: {reason(head)}"
    return f"sent text instead of sound: {reason(head)}"


class Raw:
    """16-bit little-endian samples."""

    def __init__(self, rate: int, channels: int = 1) -> None:
        if rate not in RATES:
            raise UnsoundError(f"sends sound of {rate} samples a second")
        self.rate = rate
        self._channels = max(1, channels)
        self._rest = b""

    async def feed(self, data: bytes) -> Samples:
        data = self._rest + data
        whole = len(data) - len(data) % (2 * self._channels)
        self._rest = data[whole:]
        return _mixed(np.frombuffer(data[:whole], "<i2").astype(np.float32) / np.float32(32768), self._channels)

    async def end(self) -> Samples:
        """Half a sample is no reason to do without the others."""
        return np.zeros(0, np.float32)

    def close(self) -> None: ...


class Wav:
    """RIFF WAVE as it streams. Several files one after another are one, which is how some servers send sentences."""

    def __init__(self) -> None:
        self.rate = 0
        self._rest = bytearray()
        self._left: int | None = 0
        """Bytes of the chunk of samples; None where its size is not known."""
        self._format: tuple[int, int, int] | None = None
        """Kind of sample, its bits, and channels."""
        self._given = 0

    async def feed(self, data: bytes) -> Samples:
        self._rest += data
        found = list(self._sounds())
        return np.concatenate(found) if found else np.zeros(0, np.float32)

    async def end(self) -> Samples:
        if self._format is None or (self._left and not self._given):
            raise UnsoundError("sent a WAV without its sound")
        per_second = self._frame * self.rate
        if self._left and self._left > MISSING_SECONDS * per_second:
            raise UnsoundError(
                f"sent a WAV that breaks off {self._left / per_second:.1f} s before its end, "
                f"after {self._given / per_second:.1f} s"
            )
        return np.zeros(0, np.float32)

    def close(self) -> None: ...

    @property
    def _frame(self) -> int:
        """Bytes of a moment of all channels."""
        assert self._format is not None
        return self._format[1] // 8 * self._format[2]

    def _sounds(self) -> Iterator[Samples]:
        while True:
            if self._left != 0:
                size = len(self._rest) if self._left is None else min(len(self._rest), self._left)
                size -= size % self._frame
                if not size:
                    # The last bytes of a chunk that is no whole number of moments.
                    if self._left is not None and self._left < self._frame <= len(self._rest) + self._left:
                        self._left = 0
                        continue
                    return
                yield self._samples(bytes(self._rest[:size]))
                del self._rest[:size]
                self._given += size
                self._left = None if self._left is None else self._left - size
            elif not self._header():
                return

    def _header(self) -> bool:
        """Read one chunk's header, and with it all that is no sound; False where more must come first."""
        rest = self._rest
        if len(rest) < 8:
            return False
        name, size = bytes(rest[:4]), int.from_bytes(rest[4:8], "little")
        if name in (b"RIFF", b"RF64"):
            if len(rest) < 12:
                return False
            del rest[:12]
        elif name == b"data":
            if self._format is None:
                raise UnsoundError("sent a WAV that does not say what its samples are")
            del rest[:8]
            known = 0 < size <= LONGEST_SECONDS * self.rate * self._frame
            self._left = size if known else None
        else:
            if size > 1 << 20:
                raise UnsoundError("sent a WAV whose parts make no sense")
            if len(rest) < 8 + size + size % 2:
                return False
            if name == b"fmt ":
                self._format = self._read_format(bytes(rest[8 : 8 + size]))
            del rest[: 8 + size + size % 2]
        return True

    def _read_format(self, fields: bytes) -> tuple[int, int, int]:
        if len(fields) < 16:
            raise UnsoundError("sent a WAV that does not say what its samples are")
        kind, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", fields)
        if kind == _EXTENSIBLE and len(fields) >= 26:
            kind = int.from_bytes(fields[24:26], "little")
        if ((kind, bits) not in _DECODE and (kind, bits) != (_PCM, 24)) or not 1 <= channels <= 8:
            raise UnsoundError(
                f"sent a WAV of a kind that is not read here (format {kind}, {bits} bits, {channels} ch)"
            )
        if rate not in RATES:
            raise UnsoundError(f"sent a WAV of {rate} samples a second")
        if self.rate and rate != self.rate:
            raise UnsoundError(f"sent WAVs of {self.rate} and of {rate} samples a second in one sentence")
        self.rate = rate
        return kind, bits, channels

    def _samples(self, data: bytes) -> Samples:
        assert self._format is not None
        kind, bits, channels = self._format
        if bits == 24:
            padded = np.zeros((len(data) // 3, 4), np.uint8)
            padded[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
            return _mixed(padded.reshape(-1).view("<i4").astype(np.float32) / np.float32(2**31), channels)
        code, full = _DECODE[kind, bits]
        wave = np.frombuffer(data, code).astype(np.float32)
        return _mixed(((wave - 128) if bits == 8 else wave) / np.float32(full), channels)


def _mixed(wave: Samples, channels: int) -> Samples:
    return wave if channels == 1 else np.asarray(wave.reshape(-1, channels).mean(axis=1), np.float32)


class Compressed:
    """What FFmpeg reads, in a thread of its own that decodes as far as the bytes reach, and then waits for more."""

    def __init__(self, container: str) -> None:
        self.rate = 0
        self._container = container
        self._changed = threading.Condition()
        self._bytes = bytearray()
        self._whole = False
        self._hungry = False
        self._done = False
        self._error = ""
        self._sounds: deque[Samples] = deque()
        self._wake: Callable[[], None] = lambda: None
        self._thread = threading.Thread(target=self._decode, name="decoding a voice", daemon=True)

    async def feed(self, data: bytes) -> Samples:
        return await self._take(data, whole=False)

    async def end(self) -> Samples:
        sound = await self._take(b"", whole=True)
        if self._error:
            raise UnsoundError(f"sent what cannot be decoded: {self._error}")
        return sound

    def close(self) -> None:
        """Let the thread end; it does as soon as it asks for more."""
        with self._changed:
            self._whole = True
            self._bytes.clear()
            self._wake = lambda: None
            self._changed.notify()

    async def _take(self, data: bytes, *, whole: bool) -> Samples:
        loop = asyncio.get_running_loop()
        rested = asyncio.Event()

        def wake() -> None:
            loop.call_soon_threadsafe(rested.set)

        with self._changed:
            self._bytes += data
            self._whole = whole
            self._hungry = False
            self._wake = wake
            self._changed.notify()
        if self._thread.ident is None:
            self._thread.start()
        if not self._done:
            await rested.wait()
        if self._error:
            raise UnsoundError(f"sent what cannot be decoded: {self._error}")
        found = [self._sounds.popleft() for _ in range(len(self._sounds))]
        return np.concatenate(found) if found else np.zeros(0, np.float32)

    def read(self, size: int) -> bytes:
        """For FFmpeg, in the thread: the next bytes; none at the end."""
        with self._changed:
            while not self._bytes and not self._whole:
                if not self._hungry:
                    self._hungry = True
                    self._wake()
                self._changed.wait()
            data = bytes(self._bytes[:size])
            del self._bytes[:size]
            return data

    def _decode(self) -> None:
        import av

        try:
            options = {"probesize": "4096", "analyzeduration": "0"}
            with av.open(self, "r", self._container, buffer_size=4096, options=options) as file:
                if not file.streams.audio:
                    raise UnsoundError("no sound in it")
                self._decode_stream(file, av)
        except (av.FFmpegError, UnsoundError, ValueError, EOFError) as error:
            self._error = " ".join(str(error).split())[:120] or type(error).__name__
        finally:
            with self._changed:
                self._done = True
                self._wake()

    def _decode_stream(self, file: Any, av: Any) -> None:
        stream = file.streams.audio[0]
        resampler = None
        for frame in file.decode(stream):
            if resampler is None:
                self.rate = frame.sample_rate
                resampler = av.AudioResampler(format="flt", layout="mono", rate=self.rate)
            for one in resampler.resample(frame):
                self._sounds.append(np.asarray(one.to_ndarray()[0], np.float32))
            if sum(map(len, self._sounds)) > MOST_AT_ONCE * self.rate:
                raise UnsoundError("too much sound in few bytes")


async def pieces(
    decoder: Decoder, head: bytes, pull: Callable[[], Awaitable[bytes | None]], hear: Callable[[float], None]
) -> AsyncGenerator[Samples, None]:
    """Sound as it is decoded; `hear` is told how many seconds of it there are."""
    try:
        data: bytes | None = head
        while data is not None:
            sound = await decoder.feed(data)
            if len(sound):
                hear(len(sound) / decoder.rate)
                yield sound
            data = await pull()
        sound = await decoder.end()
        if len(sound):
            yield sound
    finally:
        decoder.close()


async def one_after(first: Samples, rest: AsyncIterator[Samples]) -> AsyncGenerator[Samples, None]:
    yield first
    async for sound in rest:
        yield sound
