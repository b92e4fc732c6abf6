"""Rhubarb Lip Sync (Daniel S. Wolf, MIT), run beside our drivers: its WebAssembly build from npm, under Node.

It is an offline tool that recognises words over the whole recording and draws nine mouths, so two mappings are needed.
For faces each mouth is the viseme that Rhubarb's documentation describes it as. For classes, of which a mouth serves
several, each mouth counts as that one of its classes that is labelled most often under it: the best that any mapping
could score.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soxr

from anchor import registry
from anchor.bench.lipsync.classes import CLASSES, INDEX, RATE, Classes
from anchor.bench.lipsync.feeding import FPS
from anchor.bench.measure import Tell
from anchor.errors import MissingError
from anchor.media import SAMPLE_RATE, Floats, Samples

PACKAGE = "rhubarb-lip-sync-wasm"
VERSION = "0.1.8"
MOUTHS = {
    "X": ("sil", ("sil",)),
    "A": ("PP", ("PP",)),
    "B": ("SS", ("kk", "CH", "SS", "DD", "TH", "nn", "I")),
    "C": ("E", ("E", "aa", "I")),
    "D": ("aa", ("aa",)),
    "E": ("O", ("O", "RR")),
    "F": ("U", ("U",)),
    "G": ("FF", ("FF",)),
    "H": ("ll", ("nn",)),
}
"""Its mouths: the viseme that each is drawn as, and the classes it serves."""
_RECOGNISER_RATE = 16_000
_PATIENCE = 300
_SCRIPT = """
import { readFileSync } from "node:fs";
import { Rhubarb } from "rhubarb-lip-sync-wasm";
for (const path of process.argv.slice(1)) {
  const found = await Rhubarb.getLipSync(readFileSync(path), {});
  console.log("cues " + JSON.stringify(found.mouthCues));
}
"""


@dataclass(frozen=True, slots=True)
class Cue:
    mouth: str
    start: float
    end: float


def cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "anchor" / "rhubarb"


def install() -> Path:
    """The folder in which Node finds the package. Raises `MissingError` with the reason why it is not to be had."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            raise MissingError(f"Rhubarb needs {program}, which is not here: apt-get install nodejs npm")
    folder = cache() / VERSION
    if not (folder / "node_modules" / PACKAGE).is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text('{"private": true}')
        command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", f"{PACKAGE}@{VERSION}"]
        try:
            subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_PATIENCE, check=True)
        except subprocess.TimeoutExpired:
            raise MissingError(f"npm did not bring {PACKAGE} {VERSION} in {_PATIENCE} s; is there a network?") from None
        except subprocess.CalledProcessError as error:
            last = (error.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise MissingError(f"npm cannot install {PACKAGE} {VERSION}: {last}") from error
    return folder


def cues(sounds: Sequence[Samples], tell: Tell) -> tuple[list[list[Cue]], float | None]:
    """Rhubarb's mouths for each recording, and processor seconds for all, unknown where cues of an earlier run served.

    What it says of a recording is kept: it always says the same. Raises `MissingError`.
    """
    folder = install()
    pcm = [_pcm(sound) for sound in sounds]
    kept = [cache() / f"{VERSION}-{hashlib.sha256(data).hexdigest()[:32]}.json" for data in pcm]
    missing = [number for number, path in enumerate(kept) if not path.is_file()]
    tell(f"rhubarb: {len(missing)} recordings, {len(kept) - len(missing)} known from an earlier run")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    for number, found in zip(missing, _recognise(folder, [pcm[number] for number in missing]), strict=True):
        kept[number].write_text(json.dumps(found))
        tell(f"rhubarb: {missing.index(number) + 1} of {len(missing)}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return [_cues(json.loads(path.read_text())) for path in kept], seconds if len(missing) == len(kept) else None


def _pcm(sound: Samples) -> bytes:
    heard: Floats = soxr.resample(sound, SAMPLE_RATE, _RECOGNISER_RATE)
    return np.clip(np.round(heard * 32767), -32768, 32767).astype("<i2").tobytes()


def _recognise(folder: Path, pcm: Sequence[bytes]) -> Iterator[Any]:
    """The cues of each recording as soon as they are known."""
    if not pcm:
        return
    with tempfile.TemporaryDirectory(prefix="anchor-rhubarb-") as scratch:
        paths = [Path(scratch) / f"{number}.pcm" for number in range(len(pcm))]
        for path, data in zip(paths, pcm, strict=True):
            path.write_bytes(data)
        with subprocess.Popen(
            ["node", "--input-type=module", "-e", _SCRIPT, *map(str, paths)],
            cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        ) as node:  # fmt: skip
            assert node.stdout is not None
            last, known = "it ended early", 0
            try:
                for line in node.stdout:
                    last = line.strip() or last
                    found = json.loads(line[5:]) if line.startswith("cues ") else ""
                    if isinstance(found, list):
                        known += 1
                        yield found
            finally:
                node.kill()
    if known != len(pcm):
        raise MissingError(f"Rhubarb cannot be run here: {last}")


def _cues(found: Any) -> list[Cue]:
    return [Cue(str(each["value"]), float(each["start"]), float(each["end"])) for each in found]


def mouths(said: Sequence[Cue], frames: int, rate: int = RATE) -> Classes:
    """The mouth at each of `frames` moments, an index into `MOUTHS`."""
    names = list(MOUTHS)
    found = np.zeros(frames, np.int64)
    middles = (np.arange(frames) + 0.5) / rate
    for cue in said:
        found[(middles >= cue.start) & (middles < cue.end)] = names.index(cue.mouth)
    return found


def faces(said: Sequence[Cue], seconds: float) -> Floats:
    """Its mouths as our visemes, changed at once as its users do: weights, shape (faces, 52)."""
    table = registry.load("anchor.part", "visemes")
    rows: Floats = table.MATRIX[[table.VISEME_INDEX[drawn] for drawn, _ in MOUTHS.values()]]
    shown: Floats = rows[mouths(said, -(-round(seconds * 1000) * FPS // 1000), FPS)]
    return shown


def best_classes(shown: Sequence[Classes], labels: Sequence[Classes]) -> list[Classes]:
    """Classes for mouths, each by that of its classes which is labelled most often under it."""
    counts = np.zeros((len(MOUTHS), len(CLASSES)), np.int64)
    for mouth, label in zip(shown, labels, strict=True):
        np.add.at(counts, (mouth, label), 1)
    chosen = []
    for row, (_, served) in zip(counts, MOUTHS.values(), strict=True):
        members = [INDEX[name] for name in served]
        chosen.append(members[int(np.argmax(row[members]))])
    return [np.array(chosen)[mouth] for mouth in shown]
