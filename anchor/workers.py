"""Worker processes that hold a speech engine: one a thread, started when first needed, replaced when one dies."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import select
import struct
import subprocess
import tempfile
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from anchor.errors import AnchorError, VoiceError

log = logging.getLogger(__name__)

HEADER = struct.Struct("<II")
"""Bytes of JSON and bytes of sound, before every message in either direction."""

SILENCE_LIMIT = 30.0
"""Seconds without a byte from a worker after which it counts as hung. A sentence takes some ten milliseconds."""

LARGEST_ANSWER = 256 << 20
"""Bytes; half an hour of speech has a third of that."""

Result = TypeVar("Result")


class WorkerDiedError(Exception):
    """The process ended, hung or spoke out of step; the text says what it wrote to stderr."""


class Worker:
    """One process that answers messages. Belongs to one thread at a time."""

    def __init__(self, name: str, command: Sequence[str], *, patience: float = SILENCE_LIMIT) -> None:
        self.name = name
        self._patience = patience
        # A file, not a pipe: it never fills up and nobody has to read it until something goes wrong.
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed in `close`
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, bufsize=0
            )
        except OSError as error:
            self._errors.close()
            raise WorkerDiedError(f"{name} cannot be started: {error}") from error

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, request: dict[str, Any], data: bytes = b"") -> tuple[dict[str, Any], bytes]:
        """Send a request, with sound, and wait for the answer: its JSON and its sound. Raises `WorkerDiedError`."""
        packed = json.dumps(request, ensure_ascii=False).encode()
        try:
            self._write(HEADER.pack(len(packed), len(data)) + packed + data)
            header, sound = HEADER.unpack(self._read(HEADER.size))
            if header + sound > LARGEST_ANSWER:
                raise ValueError(f"an answer of {header + sound} bytes: the stream is out of step")
            return json.loads(self._read(header)), self._read(sound)
        except (OSError, EOFError, ValueError, TimeoutError) as error:
            self.close(kill=True)
            raise WorkerDiedError(f"{self.name} ended: {self._last_words() or error or 'without a word'}") from error

    def _write(self, data: bytes) -> None:
        assert self._process.stdin is not None
        view = memoryview(data)
        while view:
            view = view[self._process.stdin.write(view) or 0 :]

    def _read(self, size: int) -> bytes:
        assert self._process.stdout is not None
        pipe = self._process.stdout.fileno()
        data = bytearray()
        while len(data) < size:
            if not select.select([pipe], [], [], self._patience)[0]:
                raise TimeoutError(f"no answer for {self._patience:g} seconds")
            part = os.read(pipe, min(size - len(data), 1 << 20))
            if not part:
                raise EOFError
            data += part
        return bytes(data)

    def _last_words(self) -> str:
        return self._stderr.strip().splitlines()[-1] if self._stderr.strip() else ""

    _stderr = ""

    def close(self, kill: bool = False) -> None:
        """End the process (by closing its stdin, or at once) and log what it wrote to stderr. Twice does no harm."""
        if self._errors.closed:
            return
        if kill:
            self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        try:
            self._process.wait(2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._errors.seek(0)
        self._stderr = self._errors.read(1 << 16).decode("utf-8", "replace")
        self._errors.close()
        if self._stderr.strip():
            log.warning("%s (process %d) wrote: %s", self.name, self.pid, self._stderr.strip())


class WorkerPool:
    """`size` threads with a worker each. Blocking work runs in them and is given the thread's worker.

    `error` is what it raises.
    """

    def __init__(
        self, name: str, command: Callable[[], Sequence[str]], size: int, *, error: type[AnchorError] = VoiceError
    ) -> None:
        self._error = error
        self._name = name
        self._command = command
        self._size = size
        self._executor: ThreadPoolExecutor | None = None
        self._own = threading.local()
        self._lock = threading.Lock()
        self._workers: list[Worker] = []
        self._closed = False

    @property
    def pids(self) -> tuple[int, ...]:
        """The processes that run now."""
        with self._lock:
            return tuple(worker.pid for worker in self._workers)

    async def run(self, work: Callable[[], Result]) -> Result:
        """Run blocking work in a thread of the pool, where `ask` may be called."""
        if self._closed:
            raise self._error(f"{self._name} is closed: open a new one to go on")
        if self._executor is None:
            self._executor = ThreadPoolExecutor(self._size, thread_name_prefix=self._name)
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    def ask(self, request: dict[str, Any], data: bytes = b"") -> tuple[dict[str, Any], bytes]:
        """Ask this thread's worker, and once more a fresh one if that one dies. Raises `error`."""
        for attempt in (1, 2):
            try:
                answer, sound = self._worker().ask(request, data)
            except WorkerDiedError as error:
                self._forget()
                if attempt == 2:
                    raise self._error(f"{error}; it failed twice on the same request") from error
                log.warning("%s; starting another", error)
            else:
                if "error" in answer:
                    raise self._error(str(answer["error"]))
                return answer, sound
        raise AssertionError

    def _worker(self) -> Worker:
        worker: Worker | None = getattr(self._own, "worker", None)
        if worker is None:
            with self._lock:
                if self._closed:
                    raise self._error(f"{self._name} is closed: open a new one to go on")
                worker = self._own.worker = Worker(self._name, self._command())
                self._workers.append(worker)
        return worker

    def _forget(self) -> None:
        worker: Worker | None = getattr(self._own, "worker", None)
        self._own.worker = None
        with self._lock:
            if worker in self._workers:
                self._workers.remove(worker)

    async def close(self) -> None:
        """End every worker; what is under way fails. Twice does no harm."""
        self._closed = True
        executor, self._executor = self._executor, None
        if executor is None:
            return
        executor.shutdown(wait=False, cancel_futures=True)
        await asyncio.get_running_loop().run_in_executor(None, self._end, executor)

    def _end(self, executor: ThreadPoolExecutor) -> None:
        executor.shutdown(wait=True)  # a sentence takes milliseconds; a hung worker is given up by its own limit
        with self._lock:
            workers, self._workers = self._workers, []
        for worker in workers:
            worker.close()
