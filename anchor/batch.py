"""Many bulletins at once: a folder of scripts rendered by a pool of processes, each exactly once.

A film carries the fingerprint of all that it was made from, and appears whole or not at all; so the films themselves
are the record of what is done, and a batch that was killed goes on where it was.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import logging
import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path

from anchor import __version__
from anchor.broadcast.script import languages_of, load_script
from anchor.errors import AnchorError, OutputError, ScriptError
from anchor.graphics import Media
from anchor.rendering import Progress, Settings, render_as
from anchor.trust.label import read_tags

log = logging.getLogger(__name__)

SCRIPTS = (".yaml", ".yml", ".txt", ".ssml", ".md")
FINGERPRINT = "made_from"
"""The metadata of a film that says what it was made from."""


@dataclass(frozen=True, slots=True)
class Job:
    """One film: a script in one language."""

    script: Path
    language: str | None
    target: Path


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a job. `seconds` of film; 0 with an `error`. `before`: it was there already."""

    job: Job
    seconds: float = 0.0
    error: str = ""
    before: bool = False


def jobs(folder: Path, out: Path, language: str | None = None) -> list[Job]:
    """The films that the scripts of a folder make, in order; one for each language of a script.

    Raises `ScriptError` for a folder without scripts, and for two that would make the same film.
    """
    found: list[Job] = []
    for script in sorted(path for path in folder.rglob("*") if path.suffix.lower() in SCRIPTS and path.is_file()):
        if any(part.startswith(".") for part in script.relative_to(folder).parts):
            continue
        base = (out / script.relative_to(folder)).with_suffix("")
        try:
            tags: tuple[str, ...] = languages_of(script)
        except ScriptError:
            tags = ()  # told when its turn comes, like all that is wrong with it
        if language is not None or len(tags) < 2:
            found.append(Job(script, language, base.with_name(f"{base.name}.mp4")))
        else:
            found += [Job(script, tag, base.with_name(f"{base.name}.{tag}.mp4")) for tag in tags]
    if not found:
        raise ScriptError(f"{folder}: there are no scripts in it ({', '.join(SCRIPTS)})")
    seen: dict[Path, Path] = {}
    for job in found:
        if (other := seen.setdefault(job.target, job.script)) != job.script:
            raise ScriptError(f"{job.script}: would make the same film as {other.name}; rename one of them")
    return found


def fingerprint(job: Job, settings: Settings) -> str:
    """Of all that a film is made from: the script, the files it names, the settings, and this version.

    Raises `ScriptError` for a script that cannot be rendered.
    """
    script = load_script(job.script, job.language, second_language=settings.second_language)
    digest = hashlib.sha256(repr((__version__, script, settings)).encode())
    paths = [settings.backdrop, settings.logo, Path(settings.avatar), Path(settings.template)]
    for segment in script.segments:
        shown = [segment.graphics, *(cue.graphics for cue in segment.cues.values() if cue.graphics is not None)]
        paths += [graphics.inset.path for graphics in shown if isinstance(graphics.inset, Media)]
        paths += [segment.mocap.path if segment.mocap is not None else None, Path(segment.avatar)]
        paths.append(segment.recording.path if segment.recording is not None else None)
    for path in dict.fromkeys(paths):
        if path is not None and path.is_file():
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def render_all(
    found: Sequence[Job],
    settings: Settings,
    *,
    workers: int,
    tell: Callable[[Job, Progress | Done], None],
) -> list[Done]:
    """Render what is not there yet, `workers` at a time; one that fails does not keep the others from being made.

    `tell` hears of progress and of the end of each, from other threads. A worker that dies is replaced, and its job
    tried once more. Raises `OutputError` when another batch writes into the same folder.
    """
    outcomes: list[Done] = []

    def settle(done: Done) -> None:
        outcomes.append(done)
        tell(done.job, done)

    with _alone({job.target.parent for job in found}):
        rest: list[tuple[Job, str]] = []
        for job in found:
            try:
                mark = fingerprint(job, settings)
                if read_tags(job.target).get(FINGERPRINT) == mark:
                    settle(Done(job, before=True))
                    continue
                _sweep(job.target)
            except AnchorError as error:
                settle(Done(job, error=str(error)))
            else:
                rest.append((job, mark))
        for attempt in (1, 2):
            rest = _pooled(rest, settings, workers, tell, settle, last=attempt == 2)
    return outcomes


def _pooled(
    work: Sequence[tuple[Job, str]],
    settings: Settings,
    workers: int,
    tell: Callable[[Job, Progress | Done], None],
    settle: Callable[[Done], None],
    *,
    last: bool,
) -> list[tuple[Job, str]]:
    """Render in a pool; return what was lost when one of its processes died."""
    lost: list[tuple[Job, str]] = []
    if not work:
        return lost
    context = multiprocessing.get_context("spawn")
    hears, says = context.Pipe(duplex=False)
    listener = threading.Thread(target=_listen, args=(hears, [job for job, _ in work], tell))
    listener.start()
    try:
        # On the second attempt one process a job: whoever dies takes nobody along.
        with ProcessPoolExecutor(
            min(workers, len(work)), mp_context=context, initializer=_begin, initargs=(says,),
            max_tasks_per_child=1 if last else 50,
        ) as pool:  # fmt: skip
            futures: dict[Future[Done], tuple[Job, str]] = {
                pool.submit(_make, number, job, settings, mark): (job, mark) for number, (job, mark) in enumerate(work)
            }
            try:
                for future in as_completed(futures):
                    try:
                        settle(future.result())
                    except BrokenProcessPool:
                        if last:
                            settle(Done(futures[future][0], error="the process that rendered it died, twice"))
                        else:
                            lost.append(futures[future])
                    except Exception as error:
                        log.exception("%s could not be rendered", futures[future][0].script)
                        settle(Done(futures[future][0], error=f"{futures[future][0].script}: {error!r}"))
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
    finally:
        says.close()
        listener.join()
    return lost


def _listen(hears: Connection, work: Sequence[Job], tell: Callable[[Job, Progress | Done], None]) -> None:
    with hears:
        while True:
            try:
                number, progress = hears.recv()
            except (EOFError, OSError):
                return
            tell(work[number], progress)


_says: Connection


def _begin(says: Connection) -> None:
    """In a worker: tell of progress by `says`, and do not outlive the batch."""
    global _says
    _says = says
    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=_die_with, args=(parent.sentinel,), daemon=True).start()


def _die_with(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)


def _make(number: int, job: Job, settings: Settings, mark: str) -> Done:
    def report(progress: Progress) -> None:
        # Shorter than PIPE_BUF: messages of several workers do not mix, and one that dies leaves no half of one.
        _says.send((number, progress))

    try:
        job.target.parent.mkdir(parents=True, exist_ok=True)
        script = load_script(job.script, job.language, second_language=settings.second_language)
        work = render_as(settings, script, job.target, tags={FINGERPRINT: mark}, on_progress=report)
        made = asyncio.run(work)
    except AnchorError as error:
        return Done(job, error=str(error))
    except OSError as error:
        return Done(job, error=f"{job.target}: {error.strerror or error}")
    return Done(job, made.seconds)


def _sweep(target: Path) -> None:
    """Remove what a killed batch left half-done of this film."""
    for rest in target.parent.glob(f".{target.name}.*.part"):
        rest.unlink(missing_ok=True)


@contextmanager
def _alone(folders: set[Path]) -> Iterator[None]:
    """Hold the folders against other batches; the system lets go of them when this process dies."""
    held: list[int] = []
    try:
        for folder in sorted(folders):
            try:
                folder.mkdir(parents=True, exist_ok=True)
                held.append(os.open(folder, os.O_RDONLY))
                fcntl.flock(held[-1], fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise OutputError(f"{folder}: another batch is writing into it") from None
            except OSError as error:
                raise OutputError(f"{folder}: cannot be written: {error.strerror}") from error
        yield
    finally:
        for descriptor in held:
            os.close(descriptor)
