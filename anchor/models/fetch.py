"""Fetching one file over HTTP: resumed where it was cut off, and checked before anybody believes it.

What has come lies beside the target as ``NAME.part``, and survives everything: an end of the connection, of the process
or of the machine. What it was fetched from, and in which version, is in ``NAME.part.json``.
"""

from __future__ import annotations

import asyncio
import base64
import errno
import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import httpx

from anchor.clock import Clock
from anchor.errors import AddressError, FetchError, OutputError
from anchor.models.reach import Answer, Reach, shown

Watch = Callable[[int, int], None]
"""Is told how many bytes of how many are here (0: nobody says)."""

LARGEST_UNKNOWN = 8 << 30
"""Bytes of a file whose size nobody says."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_BRIEF = (408, 425, 429, 500, 502, 503, 504)
_PAGE = re.compile(rb"\s*<(!doctype html|html|head|body)", re.IGNORECASE)
_POINTER = b"version https://git-lfs.github.com/spec/"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a server is borne with: `tries` without news, the first again after `wait_seconds`, then twice that.

    Fewer than `least_bytes` in `window_seconds` is as good as nothing.
    """

    tries: int = 5
    wait_seconds: float = 1.0
    longest_wait_seconds: float = 30.0
    window_seconds: float = 30.0
    least_bytes: int = 30_000


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came. `declared`: whether its server said this checksum before we reckoned it."""

    sha256: str
    size: int
    declared: bool


class _BriefError(Exception):
    """What may be better the next time."""

    def __init__(self, text: str, wait_seconds: float = 0.0) -> None:
        super().__init__(text)
        self.wait_seconds = wait_seconds


class Fetcher:
    """Fetches files, one at a time. Close it after use."""

    def __init__(self, clock: Clock, reach: Reach, patience: Patience | None = None) -> None:
        self._clock = clock
        self._reach = reach
        self._patience = patience or Patience()

    async def close(self) -> None:
        await self._reach.close()

    async def fetch(self, url: str, target: Path, *, sha256: str, size: int, watch: Watch) -> Fetched:
        """Fetch `url` to `target`, which appears when it is whole and right.

        `sha256` may be empty and `size` 0: then what the server declares counts. Raises `FetchError`.
        """
        part = _Part(target)
        tries, again = 0, True
        while True:
            before = part.size
            try:
                return await self._once(url, part, sha256=sha256, size=size, watch=watch)
            except _WrongError as error:
                resumed, text = error.resumed, str(error)
                part.drop()
                # The beginning may have come from elsewhere, or been damaged on this disk.
                if not (resumed and again):
                    raise FetchError(f"{shown(url)}: {text}; what came is removed") from error
                again = False
            except _BriefError as error:
                tries = 0 if part.size - before >= self._patience.least_bytes else tries + 1
                if tries >= self._patience.tries:
                    raise FetchError(f"{shown(url)}: {error}; what came is kept, the next pull goes on") from error
                wait = error.wait_seconds or self._patience.wait_seconds * 2 ** max(0, tries - 1)
                await self._clock.sleep_until(
                    self._clock.now() + min(wait, self._patience.longest_wait_seconds)
                )  # fmt: skip
            except OSError as error:
                raise write_error(error, target) from error

    async def text(self, url: str, most: int = 4 << 20) -> str:
        """A small text, as it is now; raises `FetchError`."""
        try:
            answer = await self._reach.open(url, {})
            try:
                if answer.response.status_code != 200:
                    raise FetchError(f"{shown(url)}: status {answer.response.status_code}")
                data = b""
                async for chunk in answer.response.aiter_bytes():
                    data += chunk
                    if len(data) > most:
                        raise FetchError(f"{shown(url)}: an answer of more than {most >> 20} MiB")
                return data.decode("utf-8", "replace")
            finally:
                await answer.response.aclose()
        except (httpx.HTTPError, AddressError) as error:
            raise FetchError(f"{shown(url)}: {error or type(error).__name__}") from error

    async def _once(self, url: str, part: _Part, *, sha256: str, size: int, watch: Watch) -> Fetched:
        digest, offset = hashlib.sha256(), part.size
        if offset and (offset > (size or LARGEST_UNKNOWN) or not (sha256 or part.etag_of(url))):
            part.drop()
            offset = 0
        if offset:
            await asyncio.to_thread(_reckon, part.path, digest)
            watch(offset, size)
        resumed = offset > 0
        if not (size and offset == size):
            headers = {"Range": f"bytes={offset}-"} if offset else {}
            if offset and (etag := part.etag_of(url)):
                headers["If-Range"] = etag
            answer = await self._open(url, headers)
            try:
                told = _Told.read(answer, size)
                if not (answer.response.status_code == 416 and told.size == offset):
                    offset, digest = self._placed(answer.response, part, offset, digest)
                    resumed = offset > 0
                    size = size or told.size
                    _room(part.path, size - offset)
                    part.note(url, answer.response.headers.get("etag", ""), told.sha256)
                    await self._receive(answer.response, part, offset, size, digest, watch)
            finally:
                await answer.response.aclose()
        else:
            told = _Told("", 0)
        found, wanted = digest.hexdigest(), sha256 or told.sha256 or part.declared
        if wanted and found != wanted:
            raise _WrongError(f"its SHA-256 is {found}, and must be {wanted}", resumed)
        declared = bool(wanted)
        part.finish()
        return Fetched(found, part.target.stat().st_size, declared)

    async def _open(self, url: str, headers: dict[str, str]) -> Answer:
        try:
            answer = await self._reach.open(url, headers)
        except AddressError as error:
            raise FetchError(str(error)) from error
        except httpx.TimeoutException as error:
            raise _BriefError("does not answer") from error
        except httpx.HTTPError as error:
            raise _BriefError(f"cannot be reached ({error or type(error).__name__})") from error
        status = answer.response.status_code
        if status in (200, 206, 416):
            return answer
        await answer.response.aclose()
        if status in _BRIEF:
            after = answer.response.headers.get("retry-after", "")
            raise _BriefError(f"status {status}", float(after) if after.isdigit() else 0.0)
        meaning = {401: "asks for a password", 403: "refuses", 404: "does not have it", 410: "has it no more"}
        raise FetchError(f"{shown(url)}: {meaning.get(status, 'does not give it')} (status {status})")

    def _placed(self, response: httpx.Response, part: _Part, offset: int, digest: Any) -> tuple[int, Any]:
        """Where what comes belongs: behind what is here, or, where the server begins anew, at the beginning."""
        if response.status_code == 416:
            part.drop()
            raise _BriefError("the part that is here fits no more")
        _look(response)
        if response.status_code == 206:
            found = re.fullmatch(r"bytes (\d+)-\d+/(?:\d+|\*)", response.headers.get("content-range", "").strip())
            if offset and found and int(found[1]) == offset:
                return offset, digest
            part.drop()
            raise _BriefError("sent another part than it was asked for")
        return 0, hashlib.sha256()

    async def _receive(
        self, response: httpx.Response, part: _Part, offset: int, size: int, digest: Any, watch: Watch
    ) -> None:
        here, begin, marked = offset, self._clock.now(), offset
        with part.opened(offset) as file:
            try:
                async for chunk in response.aiter_raw():
                    if here == 0:
                        _sniff(chunk)
                    here += len(chunk)
                    if here > (size or LARGEST_UNKNOWN):
                        raise _WrongError(f"more than the {size or LARGEST_UNKNOWN} bytes that it must have", False)
                    file.write(chunk)
                    digest.update(chunk)
                    watch(here, size)
                    if self._clock.now() - begin >= self._patience.window_seconds:
                        if here - marked < self._patience.least_bytes:
                            raise _BriefError("sends too slowly")
                        begin, marked = self._clock.now(), here
            except httpx.TimeoutException as error:
                raise _BriefError("has stopped sending") from error
            except httpx.HTTPError as error:
                raise _BriefError(f"the connection broke after {here} of {size or '?'} bytes") from error
            file.flush()
            os.fsync(file.fileno())
        if size and here < size:
            raise _BriefError(f"the connection ended after {here} of {size} bytes")


class _WrongError(Exception):
    """Bytes that are not what they should be."""

    def __init__(self, text: str, resumed: bool) -> None:
        super().__init__(text)
        self.resumed = resumed


class _Part:
    """What has come of a file, and what is known of it."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.path = target.with_name(f"{target.name}.part")
        self._notes = target.with_name(f"{target.name}.part.json")

    @property
    def size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    @property
    def declared(self) -> str:
        """The checksum that the server declared when it began."""
        return str(self._read().get("sha256", ""))

    def etag_of(self, url: str) -> str:
        notes = self._read()
        return str(notes.get("etag", "")) if notes.get("url") == url else ""

    def note(self, url: str, etag: str, sha256: str) -> None:
        strong = "" if etag.startswith("W/") else etag
        beside = self._notes.with_suffix(".new")
        beside.write_text(json.dumps({"url": url, "etag": strong, "sha256": sha256 or self.declared}), "utf-8")
        beside.replace(self._notes)

    def opened(self, offset: int) -> BinaryIO:
        file = self.path.open("ab")
        file.truncate(offset)
        return file

    def drop(self) -> None:
        self.path.unlink(missing_ok=True)
        self._notes.unlink(missing_ok=True)

    def finish(self) -> None:
        self.path.replace(self.target)
        self._notes.unlink(missing_ok=True)

    def _read(self) -> dict[str, Any]:
        try:
            notes = json.loads(self._notes.read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return notes if isinstance(notes, dict) else {}


@dataclass(frozen=True, slots=True)
class _Told:
    """What a server says of a file before it sends it."""

    sha256: str
    size: int

    @classmethod
    def read(cls, answer: Answer, size: int) -> _Told:
        response = answer.response
        length = response.headers.get("content-length", "")
        whole = int(length) if length.isdigit() and response.status_code == 200 else 0
        if found := re.search(r"/(\d+)$", response.headers.get("content-range", "")):
            whole = int(found[1])
        if size and whole and whole != size and response.status_code != 416:
            _look(response)
            raise FetchError(f"{shown(answer.url)}: has {whole} bytes, and must have {size}: it is another file")
        return cls(declared_digest(answer.headers), whole)


def declared_digest(headers: httpx.Headers) -> str:
    """The SHA-256 that a server declares: Hugging Face in ``X-Linked-ETag``, others in ``ETag`` or RFC 9530's."""
    for name in ("x-linked-etag", "etag"):
        tag = str(headers.get(name, "")).removeprefix("W/").strip('"').lower()
        if _SHA256.fullmatch(tag):
            return tag
    for name in ("repr-digest", "digest"):
        if found := re.search(r"sha-256=:?([A-Za-z0-9+/]{43}=):?", headers.get(name, "")):
            return base64.b64decode(str(found[1])).hex()
    return ""


def _look(response: httpx.Response) -> None:
    kind = response.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind in ("text/html", "application/xhtml+xml"):
        raise FetchError(
            f"{shown(str(response.url))}: sent a web page instead of a model: is a login or a proxy between?"
        )
    if response.headers.get("content-encoding", "identity").lower() not in ("", "identity"):
        raise FetchError(f"{shown(str(response.url))}: sent it compressed, which was not asked for")


def _sniff(chunk: bytes) -> None:
    if _PAGE.match(chunk):
        raise _WrongError("a web page came instead of a model: is a login or a proxy between?", False)
    if chunk.startswith(_POINTER):
        raise _WrongError("a pointer of Git LFS came instead of the model: fetch that with git lfs", False)


def _room(path: Path, wanted: int) -> None:
    free = shutil.disk_usage(path.parent).free
    if wanted > free:
        raise OutputError(f"{path.parent}: {wanted >> 20} MiB are needed, and {free >> 20} MiB are free")


def _reckon(path: Path, digest: Any) -> None:
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)


def write_error(error: OSError, path: Path) -> OutputError:
    """What to say of a file that cannot be written."""
    if error.errno in _FULL:
        return OutputError(f"{path}: the disk is full; what came is kept: make room, and pull again")
    return OutputError(f"{error.filename or path}: cannot be written: {error.strerror or error}")
