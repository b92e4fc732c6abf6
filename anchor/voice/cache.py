"""Spoken sentences kept on disk, so that a show that repeats itself speaks at once and every time the same.

A file holds one sentence as a voice gave it, chunk by chunk: six bytes that name the format, the length of a JSON
header and the header (chunks with their words and phones), the sound in 32-bit floats, and the SHA-256 of all that. Its
name is the hash of what was asked of whom. Files are written beside their names and renamed, so processes may share a
folder; one that is cut off or altered is ignored and made anew.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
import logging
import os
import struct
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import astuple
from pathlib import Path
from typing import Any, get_args

import numpy as np

from anchor import __version__
from anchor.channel import closing
from anchor.clock import wall_time
from anchor.events import Phone, Sentence, Word
from anchor.media import SAMPLE_RATE
from anchor.ports import SpeechChunk, TimingSource, Voice, VoiceInfo

log = logging.getLogger(__name__)

_MAGIC = b"ANSP1\n"
_LENGTH = struct.Struct("<I")
_DIGEST = hashlib.sha256().digest_size
_ENDING = ".speech"
_ABANDONED_SECONDS = 3600.0
"""Age at which an unfinished file belongs to nobody any more."""

_numbers = itertools.count()


class CachedVoice:
    """A voice whose sentences are kept in `folder`, at most `megabytes` of them; those not asked for longest go first.

    `options` are what the voice was made with: other options, or another lexicon file, are another voice. Sentences
    that failed, were cancelled or have flaws are not kept. Where the disk is full or cannot be read or written, the
    voice speaks. `hits` and `misses` count sentences.
    """

    def __init__(self, voice: Voice, folder: Path, *, megabytes: int, options: Mapping[str, Any] | None = None) -> None:
        self.hits = 0
        self.misses = 0
        self._voice = voice
        self._shelf = _Shelf(folder, megabytes * 2**20)
        self._options = _written(options or {})

    @property
    def info(self) -> VoiceInfo:
        return self._voice.info

    async def warm(self, languages: Sequence[str]) -> None:
        await self._voice.warm(languages)

    async def speak(self, sentence: Sentence) -> AsyncIterator[SpeechChunk]:
        name = self._name(sentence)
        kept = await asyncio.to_thread(self._shelf.take, name)
        if kept is not None:
            self.hits += 1
            for chunk in kept:
                yield chunk
            return
        self.misses += 1
        chunks: list[SpeechChunk] = []
        async with closing(self._voice.speak(sentence)) as speech:
            async for chunk in speech:
                chunks.append(chunk)
                yield chunk
        if chunks and not any(chunk.flaws for chunk in chunks):
            await asyncio.to_thread(self._shelf.put, name, chunks)

    def _name(self, sentence: Sentence) -> str:
        info = self._voice.info  # some know their weights only when they are warm
        spans = [astuple(span) for span in sentence.spans if span.kind != "mark"]
        asked = [
            _MAGIC.decode(), __version__, SAMPLE_RATE, info.name, info.engine, info.version, self._options,
            sentence.language, sentence.text, spans, sentence.mood,
        ]  # fmt: skip
        return hashlib.sha256(json.dumps(asked, ensure_ascii=True).encode()).hexdigest()

    async def close(self) -> None:
        await self._voice.close()


def _written(options: Mapping[str, Any]) -> dict[str, str]:
    """Options as texts that change with what they mean: a file by what is in it."""
    return {key: _meaning(value) for key, value in sorted(options.items())}


def _meaning(value: Any) -> str:
    if isinstance(value, str | Path):
        with suppress(OSError, ValueError):
            if Path(value).is_file():
                return hashlib.sha256(Path(value).read_bytes()).hexdigest()
    return repr(value)


class _Shelf:
    """The folder. Called from threads; raises nothing."""

    def __init__(self, folder: Path, largest: int) -> None:
        self._folder = folder
        self._largest = largest
        self._share = largest // 32
        self._written = largest
        """Bytes since the folder was last looked through: others may have written before."""
        self._failing = False

    def take(self, name: str) -> list[SpeechChunk] | None:
        """A sentence that is kept, or None."""
        path = self._folder / (name + _ENDING)
        try:
            data = path.read_bytes()
        except OSError:
            return None
        try:
            chunks = unpacked(data)
        except (ValueError, KeyError, TypeError, IndexError, struct.error, RecursionError):
            log.warning("%s is damaged; the sentence is spoken anew", path)
            with suppress(OSError):
                path.unlink()
            return None
        with suppress(OSError):
            os.utime(path)
        return chunks

    def put(self, name: str, chunks: Sequence[SpeechChunk]) -> None:
        data = packed(chunks)
        if len(data) > self._largest // 2:
            return
        part = self._folder / f".{name[:16]}.{os.getpid()}.{next(_numbers)}.part"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._written += len(data)
            if self._written > self._share:
                self._make_room(len(data) + self._share)
                self._written = 0
            part.write_bytes(data)
            part.replace(self._folder / (name + _ENDING))
            self._failing = False
        except OSError as error:
            if not self._failing:
                log.warning("%s: spoken sentences are not kept: %s", self._folder, error.strerror or error)
            self._failing = True
        finally:
            with suppress(OSError):
                part.unlink(missing_ok=True)

    def _make_room(self, size: int) -> None:
        """Remove what was not asked for longest until so many bytes more are allowed, and what nobody will finish."""
        files: list[tuple[float, int, str]] = []
        with os.scandir(self._folder) as entries:
            for entry in entries:
                with suppress(OSError):
                    status = entry.stat(follow_symlinks=False)
                    if entry.name.endswith(_ENDING):
                        files.append((status.st_mtime, status.st_size, entry.path))
                    elif entry.name.endswith(".part"):
                        self._sweep(entry.path, status.st_mtime)
        total = sum(length for _, length, _ in files)
        for _, length, path in sorted(files):
            if total + size <= self._largest:
                return
            # Another process may have been quicker.
            with suppress(OSError):
                Path(path).unlink()
            total -= length

    @staticmethod
    def _sweep(path: str, changed: float) -> None:
        if wall_time().timestamp() - changed > _ABANDONED_SECONDS:
            Path(path).unlink()


def packed(chunks: Sequence[SpeechChunk]) -> bytes:
    """Chunks as bytes of the format that this module's docstring tells."""
    header = json.dumps(
        [
            {
                "samples": len(chunk.audio),
                "words": [astuple(word) for word in chunk.words],
                "phones": [astuple(phone) for phone in chunk.phones],
                "source": chunk.source,
            }
            for chunk in chunks
        ],
        ensure_ascii=True,
        separators=(",", ":"),
    ).encode()
    sound = b"".join(np.asarray(chunk.audio, "<f4").tobytes() for chunk in chunks)
    data = _MAGIC + _LENGTH.pack(len(header)) + header + sound
    return data + hashlib.sha256(data).digest()


def unpacked(data: bytes) -> list[SpeechChunk]:
    """The chunks again. Raises `ValueError` and the like for anything that `packed` has not made."""
    body, digest = data[:-_DIGEST], data[-_DIGEST:]
    if not data.startswith(_MAGIC) or hashlib.sha256(body).digest() != digest:
        raise ValueError("damaged")
    start = len(_MAGIC) + _LENGTH.size
    (size,) = _LENGTH.unpack_from(data, len(_MAGIC))
    place, chunks = start + size, list[SpeechChunk]()
    for told in json.loads(body[start:place]):
        samples = int(told["samples"])
        audio = np.frombuffer(body, "<f4", samples, place).astype(np.float32)
        place += samples * 4
        if told["source"] not in get_args(TimingSource):
            raise ValueError("damaged")
        words = tuple(Word(str(text), int(begin), int(end)) for text, begin, end in told["words"])
        phones = tuple(Phone(str(name), int(a), int(b), int(stress)) for name, a, b, stress in told["phones"])
        chunks.append(SpeechChunk(audio, words, phones, told["source"]))
    return chunks
