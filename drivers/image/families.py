"""From a path to a driver: the files are loaded, recognised, and made into the networks of one family."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from anchor.clock import Clock, FreeClock
from anchor.errors import ModelError
from anchor.ports import Driver
from drivers.image.driver import NumbersNetDriver, PatchNetDriver
from drivers.image.manifest import MANIFEST, Front, Manifest, files_of
from drivers.image.musetalk import MuseTalk
from drivers.image.nets import MouthNet, Net
from drivers.image.numbers import SequenceNet, WindowNet
from drivers.image.signature import Bound, bind, describe
from drivers.image.ultralight import Ultralight
from drivers.image.wav2lip import Wav2Lip
from drivers.runtime import OnnxModel
from drivers.speechnet.driver import AutoDriver

_MOST_BYTES = (2 << 30) - 1
"""The largest ONNX file there can be without weights beside it, which are refused."""

Parts = Mapping[str, Bound]


Solver = Path | None


@dataclass(frozen=True, slots=True)
class Family:
    """The parts of a family: the one by which it is told, and all that it needs besides."""

    name: str
    decides: str
    make: Callable[[Parts, Manifest, Clock, Solver], MouthNet | Net]
    needs: tuple[str, ...] = ()
    one_of: tuple[str, ...] = ()
    """Of these exactly one is needed."""
    fronts: tuple[Front, ...] = ()
    """What ``audio`` in a manifest may say; the nets of numbers look at that themselves where there is nothing here."""


def _ultralight(parts: Parts, said: Manifest, clock: Clock, _: Solver) -> Net:
    return Ultralight(parts["ultralight"], parts.get("hubert") or parts["wenet"], said, clock)


FAMILIES = (
    Family("musetalk", "unet", lambda parts, said, clock, _: MuseTalk(dict(parts), said, clock),
           needs=("vae_encoder", "vae_decoder", "whisper"), fronts=("whisper",)),
    Family("ultralight", "ultralight", _ultralight, one_of=("hubert", "wenet"),
           fronts=("waveform", "waveform-normalised", "kaldi-25-10")),
    Family("wav2lip", "wav2lip", lambda parts, said, clock, _: Wav2Lip(parts["wav2lip"], said, clock),
           fronts=("wav2lip-mel",)),
    Family("window-net", "window_net",
           lambda parts, said, clock, solver: WindowNet(parts["window_net"], said, clock, solver)),
    Family("sequence-net", "sequence_net",
           lambda parts, said, clock, solver: SequenceNet(parts["sequence_net"], said, clock, solver)),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Recognised:
    """Files, and what they are together."""

    family: Family
    parts: Parts
    manifest: Manifest
    path: Path
    solver: Path | None = None

    @property
    def name(self) -> str:
        return self.manifest.title or f"{self.family.name} ({self.path.name})"

    def report(self) -> list[tuple[str, str]]:
        """What there is to say of the files, by a word each."""
        lines = [("family", self.family.name)]
        for part, bound in self.parts.items():
            model = bound.model
            size = model.path.stat().st_size / (1 << 20)
            lines += [
                (part, f"{model.path.name}, {size:.1f} MB, on {model.device}"),
                ("", describe(model)),
                ("", f"sha256 {model.sha256}"),
            ]
        if self.solver is not None:
            lines.append(("solver", self.solver.name))
        unknown = f"not stated; find out before it goes on air, and say it in {MANIFEST}"
        return [*lines, ("licence", self.manifest.licence or unknown)]

    def net(self, clock: Clock) -> MouthNet | Net:
        return self.family.make(self.parts, self.manifest, clock, self.solver)


def recognise(path: Path, *, device: str = "auto", half: bool = False) -> Recognised:
    """Load what is at `path` and tell what it is. Raises `MissingError` and `ModelError`."""
    manifest, files = files_of(path)
    solver = files.pop("solver", None)
    parts: dict[str, Bound] = {}
    for file in files.values():
        bound = bind(OnnxModel.load(file, device=device, half=half, max_bytes=_MOST_BYTES))
        if bound.part in parts:
            other = parts[bound.part].model.path.name
            raise ModelError(f"{path}: {other} and {file.name} are both {bound.part}; give a folder with one of them")
        parts[bound.part] = bound
    family = _family(path, manifest, parts)
    missing = [part for part in (family.decides, *family.needs) if part not in parts]
    if family.one_of and not any(part in parts for part in family.one_of):
        missing.append(" or ".join(family.one_of))
    if missing:
        found = ", ".join(f"{bound.model.path.name} ({part})" for part, bound in parts.items())
        raise ModelError(f"{path}: {family.name} needs {', '.join(missing)} too; there is {found}")
    if manifest.audio and family.fronts and manifest.audio not in family.fronts:
        raise ModelError(
            f"{manifest.where}: audio: {family.name} does not hear {manifest.audio!r}, but {', '.join(family.fronts)}"
        )
    return Recognised(family, parts, manifest, path, solver)


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


def open_driver(path: Path, clock: Clock | None = None, *, device: str = "auto", half: bool = False) -> Driver:
    """A driver of the files at `path`. Raises `MissingError` and `ModelError`."""
    return driver_of(recognise(path, device=device, half=half), clock or FreeClock())


def driver_of(found: Recognised, clock: Clock) -> Driver:
    net, embedded = found.net(clock), AutoDriver()
    if isinstance(net, MouthNet):
        return PatchNetDriver(found.name, found.path, net, embedded, clock)
    return NumbersNetDriver(found.name, found.path, net, embedded, clock)
