"""From a path to a driver: the files are loaded, recognised, and made into the networks of one family."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from anchor.clock import Clock, FreeClock
from anchor.errors import ModelError
from anchor.ports import Driver
from drivers.image.driver import NumbersNetDriver, PatchNetDriver
from drivers.image.manifest import Manifest, files_of
from drivers.image.nets import MouthNet, NumbersNet
from drivers.image.signature import Bound, bind, describe
from drivers.image.wav2lip import Wav2Lip
from drivers.phones import PhoneDriver
from drivers.runtime import OnnxModel

Parts = Mapping[str, Bound]


@dataclass(frozen=True, slots=True)
class Family:
    """The parts that make up a family: those it needs, of which one decides that it is this one, and those it can use."""

    name: str
    decides: str
    needs: tuple[str, ...]
    make: Callable[[Parts, Manifest, Clock], MouthNet | NumbersNet]
    uses: tuple[str, ...] = ()


FAMILIES = (
    Family("wav2lip", "wav2lip", ("wav2lip",), lambda parts, said, clock: Wav2Lip(parts["wav2lip"], said, clock)),
)


@dataclass(frozen=True, slots=True)
class Recognised:
    """Files, and what they are together."""

    family: Family
    parts: Parts
    manifest: Manifest
    path: Path

    @property
    def name(self) -> str:
        return self.manifest.title or f"{self.family.name} ({self.path.name})"


def recognise(path: Path, *, device: str = "auto", half: bool = False) -> Recognised:
    """Load what is at `path` and tell what it is. Raises `MissingError` and `ModelError`."""
    manifest, files = files_of(path)
    parts: dict[str, Bound] = {}
    for file in files.values():
        bound = bind(OnnxModel.load(file, device=device, half=half))
        if bound.part in parts:
            other = parts[bound.part].model.path.name
            raise ModelError(f"{path}: {other} and {file.name} are both {bound.part}; give a folder with one of them")
        parts[bound.part] = bound
    family = _family(path, manifest, parts)
    missing = [part for part in family.needs if part not in parts]
    if missing:
        found = ", ".join(f"{bound.model.path.name} ({part})" for part, bound in parts.items())
        raise ModelError(f"{path}: {family.name} needs {', '.join(missing)} too; there is {found}")
    return Recognised(family, parts, manifest, path)


def _family(path: Path, manifest: Manifest, parts: Parts) -> Family:
    if manifest.family:
        found = next((family for family in FAMILIES if family.name == manifest.family), None)
        if found is None:
            known = ", ".join(family.name for family in FAMILIES)
            raise ModelError(f"{manifest.where}: family: {manifest.family!r} is unknown; there are {known}")
        return found
    for family in FAMILIES:
        if family.decides in parts:
            return family
    bound = next(iter(parts.values()))
    raise ModelError(f"{path}: is a {bound.part} alone, which drives nothing: {describe(bound.model)}")


def open_driver(path: Path, *, clock: Clock | None = None, device: str = "auto", half: bool = False) -> Driver:
    """A driver of the files at `path`. Raises `MissingError` and `ModelError`."""
    clock = clock or FreeClock()
    found = recognise(path, device=device, half=half)
    net = found.family.make(found.parts, found.manifest, clock)
    embedded = PhoneDriver()
    if hasattr(net, "paint"):
        return PatchNetDriver(found.name, path, net, embedded, clock)
    return NumbersNetDriver(found.name, path, net, embedded, clock)
