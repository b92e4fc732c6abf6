"""What is known of a Piper voice without its network: the JSON file beside it, as Piper's own tools write it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anchor.errors import MissingError, ModelError

PAD, BEGIN, END = "_", "^", "$"
MOST_BYTES = 16 << 20
"""Of the JSON file; real ones have a thousandth of it."""

_LANGUAGES = {"cmn": "zh", "nb": "no"}
_CARDS = ("MODEL_CARD", "MODEL_CARD.md", "README.md", "LICENSE")
_LICENCE = re.compile(r"^\W*licen[cs]e\W*:\W*(\S.{0,80})$", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class PiperModel:
    """A voice's files and what they say. `ids` by symbol, a character each; `languages` best first.

    `espeak`: the voice of espeak-ng that phonemes come from, "" for a voice that is given text. `scales`: noise, length
    and noise_w as trained.
    """

    network: Path
    name: str
    rate: int
    espeak: str
    ids: Mapping[str, Sequence[int]]
    replaced: Mapping[str, Sequence[str]]
    languages: tuple[str, ...]
    speakers: Mapping[str, int]
    speaker_count: int
    scales: tuple[float, float, float]
    licence: str
    version: str

    @classmethod
    def read(cls, path: Path) -> PiperModel:
        """Read the voice at a .onnx file, or in a folder that holds one. Raises `ModelError` and `MissingError`."""
        network = _network(path)
        facts, told = _facts(network)
        where = str(told)
        kind = str(facts.get("phoneme_type") or "espeak")
        if kind not in ("espeak", "text"):
            raise ModelError(f"{where}: phoneme_type {kind!r}: only voices of type espeak and text can be spoken")
        espeak = _table(facts, "espeak", where).get("voice")
        if kind == "espeak" and not (isinstance(espeak, str) and re.fullmatch(r"[A-Za-z0-9_-]{1,32}", espeak)):
            raise ModelError(f"{where}: no espeak.voice, such as en-us, in it: take the file that belongs to the voice")
        rate = _table(facts, "audio", where).get("sample_rate")
        if not isinstance(rate, int) or not 8_000 <= rate <= 48_000:
            raise ModelError(f"{where}: audio.sample_rate = {rate!r}: it is a number from 8000 to 48000")
        spoken = _table(facts, "inference", where)
        count = facts.get("num_speakers", 1)
        return cls(
            network, network.name.removesuffix(".onnx"), rate, str(espeak) if kind == "espeak" else "",
            _ids(facts, where), _replaced(facts, where), _languages(facts, str(espeak or ""), where),
            _speakers(facts, where), count if isinstance(count, int) and count > 1 else 1,
            tuple(_number(spoken, key, usual, where) for key, usual in _SCALES),  # type: ignore[arg-type]
            _licence(network), _version(network, told),
        )  # fmt: skip

    def speaker(self, wanted: str | int | None, where: str) -> int | None:
        """The number of a speaker by name or number; None for a voice of one. Raises `ModelError`."""
        if wanted is None:
            return 0 if self.speaker_count > 1 else None
        number = int(wanted) if str(wanted).isdecimal() else self.speakers.get(str(wanted), -1)
        if 0 <= number < self.speaker_count:
            return number if self.speaker_count > 1 else None
        named = ", ".join(list(self.speakers)[:8]) + (", ..." if len(self.speakers) > 8 else "")
        choice = f"numbers from 0 to {self.speaker_count - 1}{' or ' + named if named else ''}"
        raise ModelError(f"{where} = {wanted!r}: {self.network.name} has no such speaker; it has {choice}")


_SCALES = (("noise_scale", 0.667), ("length_scale", 1.0), ("noise_w", 0.8))


def _network(path: Path) -> Path:
    if path.is_dir():
        found = sorted(path.glob("*.onnx"))
        if len(found) != 1:
            names = ", ".join(one.name for one in found[:5]) or "none"
            raise MissingError(f"{path}: has {names} of the .onnx files that a Piper voice is: name the file itself")
        return found[0]
    if not path.is_file():
        raise MissingError(f"{path}: no such file: a Piper voice is a .onnx file and the .onnx.json file beside it")
    return path


def _facts(network: Path) -> tuple[dict[str, Any], Path]:
    for told in (network.with_name(f"{network.name}.json"), network.with_suffix(".json")):
        try:
            if told.stat().st_size > MOST_BYTES:
                raise ModelError(f"{told}: is larger than {MOST_BYTES >> 20} MB, so it is no voice's")
            facts = json.loads(told.read_text("utf-8-sig"))
        except FileNotFoundError:
            continue
        except (OSError, ValueError, RecursionError) as error:
            raise ModelError(f"{told}: cannot be read: {str(error)[:120]}") from error
        if not isinstance(facts, dict):
            raise ModelError(f"{told}: is not what Piper says of a voice: a table of keys")
        return facts, told
    raise MissingError(f"{network}.json: no such file: take the one that belongs to the voice, which has its phonemes")


def _table(facts: Mapping[str, Any], key: str, where: str) -> Mapping[str, Any]:
    value = facts.get(key) or {}
    if not isinstance(value, dict):
        raise ModelError(f"{where}: {key} is no table of keys")
    return value


def _number(table: Mapping[str, Any], key: str, usual: float, where: str) -> float:
    value = table.get(key, usual)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 10:
        raise ModelError(f"{where}: inference.{key} = {value!r}: it is a number from 0 to 10")
    return float(value)


def _ids(facts: Mapping[str, Any], where: str) -> dict[str, tuple[int, ...]]:
    ids: dict[str, tuple[int, ...]] = {}
    for symbol, numbers in _table(facts, "phoneme_id_map", where).items():
        numbers = numbers if isinstance(numbers, list) else [numbers]
        if not numbers or not all(isinstance(one, int) and 0 <= one < 1 << 20 for one in numbers):
            raise ModelError(f"{where}: phoneme_id_map[{symbol!r}] is no list of numbers")
        ids[symbol] = tuple(numbers)
    missing = {PAD, BEGIN, END} - ids.keys()
    if len(ids) < 5 or missing:
        raise ModelError(f"{where}: no phoneme_id_map with the numbers of its symbols, {PAD} {BEGIN} {END} among them")
    return ids


def _replaced(facts: Mapping[str, Any], where: str) -> dict[str, tuple[str, ...]]:
    table = _table(facts, "phoneme_map", where)
    return {key: tuple(map(str, value if isinstance(value, list) else [value])) for key, value in table.items()}


def _languages(facts: Mapping[str, Any], espeak: str, where: str) -> tuple[str, ...]:
    code = _table(facts, "language", where).get("code") or espeak
    if not isinstance(code, str) or not re.fullmatch(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]+)*", code):
        raise ModelError(f"{where}: language.code = {code!r}: it is a tag such as en_US")
    first, *rest = code.replace("_", "-").split("-")
    base = _LANGUAGES.get(first.lower(), first.lower())
    tag = "-".join((base, *(part.upper() if len(part) == 2 else part for part in rest)))
    return tuple(dict.fromkeys((tag, base)))


def _speakers(facts: Mapping[str, Any], where: str) -> dict[str, int]:
    table = _table(facts, "speaker_id_map", where)
    if not all(isinstance(number, int) for number in table.values()):
        raise ModelError(f"{where}: speaker_id_map has a speaker without a number")
    return dict(table)


def _licence(network: Path) -> str:
    for name in _CARDS:
        card = network.parent / name
        try:
            text = card.read_bytes()[: 64 << 10].decode("utf-8", "replace")
        except OSError:
            continue
        if match := _LICENCE.search(text):
            return f"{match[1].strip()} (says {name})"
    return "unknown: see where the voice comes from"


def _version(*files: Path) -> str:
    found = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    return hashlib.sha256(repr(found).encode()).hexdigest()[:12]
