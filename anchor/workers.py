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
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from anchor.errors import AnchorError, VoiceError

log = logging.getLogger(__name__)

HEADER = struct.Struct("<II")
"""Bytes of JSON and bytes of sound, before every message in either direction."""

SILENCE_LIMIT = 30.0
"""Seconds without a byte from a worker after which it counts as hung. A sentence takes some ten milliseconds."""

ENDING_SECONDS = 2.0
"""How long work under way may take to end when its pool is closed."""

LARGEST_LOG = 1 << 20
"""Bytes of what a worker wrote to stderr, after which it is thrown away; a chatty library never stops."""

LARGEST_ANSWER = 256 << 20
"""Bytes; half an hour of speech has a third of that."""

Result = TypeVar("Result")


class WorkerDiedError(Exception):
    """The process ended, hung or spoke out of step; the text says what it wrote to stderr."""


class Worker:
    """One process that answers messages. Belongs to one thread at a time."""

    def __init__(self, name: str, command: Sequence[str], *, patience: float = SILENCE_LIMIT) -> None:
        self.name = name
        self.fresh = True
        """Whether it has answered nothing yet."""
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
        with self._watched():
            self._write(HEADER.pack(len(packed), len(data)) + packed + data)
        return next(self.parts())

    def tell(self, request: dict[str, Any]) -> None:
        """Send a request whose answers `parts` gives. Raises `WorkerDiedError`."""
        packed = json.dumps(request, ensure_ascii=False).encode()
        with self._watched():
            self._write(HEADER.pack(len(packed), 0) + packed)

    def parts(self, patience: float | None = None) -> Iterator[tuple[dict[str, Any], bytes]]:
        """The answers to what was told, up to and with the first one without ``more``. Raises `WorkerDiedError`."""
        while True:
            with self._watched():
                header, sound = HEADER.unpack(self._read(HEADER.size, patience))
                if header + sound > LARGEST_ANSWER:
                    raise ValueError(f"an answer of {header + sound} bytes: the stream is out of step")
                answer, data = json.loads(self._read(header, patience)), self._read(sound, patience)
                self.fresh, last = False, not answer.get("more")
                if last:
                    self._forget_log()
            yield answer, data
            if last:
                return

    @contextlib.contextmanager
    def _watched(self) -> Iterator[None]:
        """End the process when talking to it fails, and raise `WorkerDiedError` with its last words."""
        try:
            yield
        except (OSError, EOFError, ValueError, TimeoutError) as error:
            self.close(kill=True)
            words = self._last_words()
            if isinstance(error, ValueError | TimeoutError):
                words = f"{error}; it wrote: {words}" if words else str(error)
            raise WorkerDiedError(f"{self.name} ended: {words or error or 'without a word'}") from error

    def _write(self, data: bytes) -> None:
        assert self._process.stdin is not None
        pipe, view = self._process.stdin.fileno(), memoryview(data)
        while view:
            if not select.select([], [pipe], [], self._patience)[1]:
                raise TimeoutError(f"nothing was read for {self._patience:g} seconds")
            # So much has room when there is any, so that writing never waits for one who has stopped reading.
            view = view[os.write(pipe, view[: select.PIPE_BUF]) :]

    def _read(self, size: int, patience: float | None = None) -> bytes:
        limit = patience or self._patience
        assert self._process.stdout is not None
        pipe = self._process.stdout.fileno()
        data = bytearray()
        while len(data) < size:
            if not select.select([pipe], [], [], limit)[0]:
                raise TimeoutError(f"no answer for {limit:g} seconds")
            part = os.read(pipe, min(size - len(data), 1 << 20))
            if not part:
                raise EOFError
            data += part
        return bytes(data)

    def _forget_log(self) -> None:
        if os.fstat(self._errors.fileno()).st_size > LARGEST_LOG:
            # The process writes where this file stands, for it is the same one.
            self._errors.seek(0)
            self._errors.truncate()

    def _last_words(self) -> str:
        return self._stderr.strip().splitlines()[-1] if self._stderr.strip() else ""

    _stderr = ""

    def kill(self) -> None:
        """End the process at once, from any thread; whoever waits for its answer sees it die."""
        self._process.kill()

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
        self._errors.seek(max(0, os.fstat(self._errors.fileno()).st_size - (1 << 16)))
        self._stderr = self._errors.read().decode("utf-8", "replace")
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
        """Run blocking work in a thread of the pool, where `ask` may be called. Raises `error` when it closes."""
        working = self._submit(work)
        try:
            return await working
        except asyncio.CancelledError:
            if self._dropped(working):
                raise self._gone() from None
            raise

    def _dropped(self, working: asyncio.Future[Any]) -> bool:
        """Whether the pool, by closing, cancelled this work, and nobody the task that waits for it."""
        task = asyncio.current_task()
        return self._closed and working.cancelled() and not (task is not None and task.cancelling())

    def _gone(self) -> AnchorError:
        return self._error(f"{self._name} is closed: open a new one to go on")

    def _submit(self, work: Callable[[], Result]) -> asyncio.Future[Result]:
        if self._closed:
            raise self._gone()
        if self._executor is None:
            self._executor = ThreadPoolExecutor(self._size, thread_name_prefix=self._name)
        return asyncio.get_running_loop().run_in_executor(self._executor, work)

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

    async def stream(
        self, request: dict[str, Any], *, patience: float | None = None, starting: float | None = None
    ) -> AsyncIterator[tuple[dict[str, Any], bytes]]:
        """Give the parts of an answer as they come, the last one included. Raises `error`.

        Closing the iterator returns at once; the worker is told to stop, and what it gives until then is dropped. A
        worker that dies is replaced, and asked again if it had given nothing. `patience` are the seconds between two
        parts after which a worker counts as hung, `starting` those until the first answer of its life.
        """
        loop = asyncio.get_running_loop()
        parts: deque[tuple[dict[str, Any], bytes]] = deque()
        changed, stopped = asyncio.Event(), threading.Event()

        def feed(part: tuple[dict[str, Any], bytes]) -> None:
            parts.append(part)
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(changed.set)

        working = self._submit(lambda: self._stream(request, (patience, starting), feed, stopped))
        working.add_done_callback(lambda _: changed.set())
        try:
            while parts or not working.done():
                changed.clear()
                while parts:
                    yield parts.popleft()
                if not working.done():
                    await changed.wait()
            if self._dropped(working):
                raise self._gone()
            working.result()
        finally:
            stopped.set()
            # Unfinished, it goes on dropping parts in its thread; nobody waits for it, and its error is nobody's.
            working.add_done_callback(lambda done: done.cancelled() or done.exception())

    def _stream(
        self,
        request: dict[str, Any],
        patience: tuple[float | None, float | None],
        feed: Callable[[tuple[dict[str, Any], bytes]], None],
        stopped: threading.Event,
    ) -> None:
        for attempt in (1, 2):
            given = told = False
            if stopped.is_set():
                return
            try:
                worker = self._worker()
                worker.tell(request)
                for answer, data in worker.parts(patience[1] or patience[0] if worker.fresh else patience[0]):
                    if stopped.is_set():
                        if not told and answer.get("more"):
                            worker.tell({"stop": True})
                            told = True
                        continue
                    if "error" in answer:
                        raise self._error(str(answer["error"]))
                    given = True
                    feed((answer, data))
                return
            except WorkerDiedError as error:
                self._forget()
                if stopped.is_set():
                    return
                if attempt == 2 or given:
                    raise self._error(str(error)) from error
                log.warning("%s; starting another", error)

    def _worker(self) -> Worker:
        worker: Worker | None = getattr(self._own, "worker", None)
        if worker is None:
            with self._lock:
                if self._closed:
                    raise self._gone()
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
        impatience = threading.Timer(ENDING_SECONDS, self._kill)
        impatience.start()
        executor.shutdown(wait=True)
        impatience.cancel()
        with self._lock:
            workers, self._workers = self._workers, []
        for worker in workers:
            worker.close()

    def _kill(self) -> None:
        with self._lock:
            for worker in self._workers:
                worker.kill()
