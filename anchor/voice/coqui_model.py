"""What a folder of a Coqui model says of itself: its kind, languages, weights and licence, without loading it."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anchor.errors import ConfigError, MissingError, ModelError
from anchor.tags import base

XTTS_LANGUAGES = (
    "en", "es", "fr", "de", "it", "pt", "pl", "tr", "ru", "nl", "cs", "ar", "zh-cn", "hu", "ko", "ja", "hi",
)  # fmt: skip
XTTS_LICENCE = "Coqui Public Model License 1.0.0: no commercial use"
UNKNOWN_LICENCE = "not told by the model: ask where it is from"

_NAME = re.compile(r"(?:tts_models/)[\w.-]+/[\w.-]+/[\w.-]+")
_USUAL = ("model.pth", "model_file.pth", "model_file.pth.tar", "best_model.pth", "checkpoint.pth")
# What else lies beside the weights of a model.
_OTHER = re.compile(r"speaker|language|d_vector|embedding|encoder|dvae|mel_stats|vocoder|optim", re.IGNORECASE)
_FILE_KEY = re.compile(r"_(?:file|path|dir)$")
_COMMENT = re.compile(r'("(?:[^"\\]|\\.)*")|/\*.*?\*/|//[^\n]*', re.DOTALL)
_LICENCES = ("LICENSE*", "LICENCE*", "license*")
_TAGS = {"cmn": "zh", "zh-cn": "zh-CN", "zh-tw": "zh-TW", "jp": "ja"}


@dataclass(frozen=True, slots=True)
class CoquiModel:
    """`kind` is Coqui's name of the architecture (``vits``, ``xtts``, ``tacotron2``).

    `languages`: the model's own name of each by its BCP 47 tag, best first. `weights` is the file, and for XTTS the
    folder. `folder` is None for a model that is still to be downloaded.
    """

    name: str
    kind: str
    languages: Mapping[str, str]
    licence: str
    version: str
    folder: Path | None = None
    weights: Path | None = None
    vocoder: Path | None = None


def is_name(model: str) -> bool:
    """Whether this is one of Coqui's names, such as ``tts_models/en/ljspeech/vits``, and not a folder."""
    return _NAME.fullmatch(model) is not None


def find(model: str, *, language: str = "", download: bool = False) -> CoquiModel:
    """The model in a folder, or the one of a name that is on this machine.

    `language` is what it speaks where it does not tell. Raises `MissingError`, `ModelError` and `ConfigError`.
    """
    if not is_name(model):
        return inspect(Path(model), language=language)
    catalogued = _catalogued(model)
    folder = _downloaded(model, catalogued)
    licence = str(catalogued.get("license") or "")
    if folder is not None:
        default = catalogued.get("default_vocoder") or ""
        return inspect(
            folder, language=language, name=model, licence=licence, vocoder=_downloaded(default, _catalogued(default))
        )
    if not download:
        raise MissingError(
            f"voice.options.model: {model} is not on this machine; set voice.options.download = true to fetch it, "
            "or give a folder with its config.json and weights"
        )
    kind = "xtts" if "xtts" in model else model.rpartition("/")[2]
    told = XTTS_LANGUAGES if kind == "xtts" else (model.split("/")[1],)
    return CoquiModel(model, kind, tags((language,) if language else told), _licence(None, kind, licence), "")


def inspect(
    folder: Path, *, language: str = "", name: str = "", licence: str = "", vocoder: Path | None = None
) -> CoquiModel:
    """The model in a folder, as `find` finds it. Of a file, the folder it lies in, with that file as weights."""
    chosen = folder if folder.is_file() else None
    folder = folder.parent if chosen else folder
    if not folder.is_dir():
        raise MissingError(f"voice.options.model: there is no folder {folder}")
    config = read_config(folder / "config.json")
    kind = str(config.get("model") or config.get("generator_model") or "").lower()
    if not kind:
        raise ModelError(f'{folder / "config.json"}: is no configuration of a Coqui model: it has no "model"')
    if kind == "xtts":
        for needed in ("model.pth", "vocab.json"):
            if not (folder / needed).is_file():
                raise MissingError(f"voice.options.model: {folder} has no {needed}")
        weights = folder
    else:
        weights = chosen or _weights(folder)
    beside = folder / "vocoder"
    spoken = tags((language,) if language else _spoken(config, kind, folder))
    if not spoken:
        raise ConfigError(f'voice.options.language: {folder} does not tell what it speaks: say it, such as "en"')
    return CoquiModel(
        name or folder.name, kind, spoken, _licence(folder, kind, licence), _version(folder, vocoder), folder, weights,
        vocoder or (beside if beside.is_dir() else None),
    )  # fmt: skip


def read_config(path: Path) -> dict[str, Any]:
    """A model's configuration, comments allowed. Raises `MissingError` and `ModelError`."""
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError as error:
        raise MissingError(f"voice.options.model: {path.parent} has no {path.name}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"{path}: cannot be read: {error}") from error
    try:
        config = json.loads(text)
    except json.JSONDecodeError:
        try:
            config = json.loads(_COMMENT.sub(lambda match: match[1] or "", text))
        except json.JSONDecodeError as error:
            raise ModelError(f"{path}:{error.lineno}: is not valid JSON: {error.msg}") from error
    if not isinstance(config, dict):
        raise ModelError(f"{path}: is no configuration of a Coqui model")
    return config


def at_home(config: dict[str, Any], folder: Path) -> dict[str, Any]:
    """A configuration whose files are those in `folder`, wherever they lay when the model was trained.

    Raises `ModelError` for one that would fetch something from the network.
    """
    answer: dict[str, Any] = {}
    for key, value in config.items():
        if isinstance(value, dict):
            value = at_home(value, folder)
        elif _FILE_KEY.search(key) and isinstance(value, list):
            value = [_beside(key, one, folder) if isinstance(one, str) else one for one in value]
        elif _FILE_KEY.search(key) and isinstance(value, str):
            value = _beside(key, value, folder)
        answer[key] = value
    return answer


def _beside(key: str, value: str, folder: Path) -> str | None:
    if "://" in value:
        raise ModelError(f"{folder / 'config.json'}: {key} = {value!r}: models name files, not addresses")
    beside = folder / Path(value.replace("\\", "/")).name
    if value and beside.is_file():
        return str(beside)
    # Only needed to speak as somebody else; left out of many models.
    return None if key.startswith("speaker_encoder") and not Path(value).is_file() else value


def tags(names: Sequence[str]) -> dict[str, str]:
    """A model's names of languages by BCP 47 tags: for each the whole tag and, first, the bare language."""
    found: dict[str, str] = {}
    for name in names:
        low = name.replace("_", "-").lower()
        language, _, region = low.partition("-")
        tag = _TAGS.get(low) or "-".join(filter(None, (_TAGS.get(language, language), region.upper())))
        found.setdefault(base(tag), name)
        found.setdefault(tag, name)
    return found


def _spoken(config: Mapping[str, Any], kind: str, folder: Path) -> Sequence[str]:
    """In the order in which Coqui itself asks for them."""
    arguments = config.get("model_args") or {}
    file = arguments.get("language_ids_file") or config.get("language_ids_file")
    if file and (arguments.get("use_language_embedding") or config.get("use_language_embedding")):
        path = folder / Path(str(file)).name
        if path.is_file() and path.suffix == ".json":
            return list(read_config(path))
    if listed := config.get("languages"):
        return [str(language) for language in listed]
    if kind == "xtts":
        return XTTS_LANGUAGES
    datasets = [one for one in config.get("datasets") or () if isinstance(one, dict)]
    if listed := sorted({str(one["language"]) for one in datasets if one.get("language")}):
        return listed
    return [str(config["phoneme_language"])] if config.get("phoneme_language") else []


def _weights(folder: Path) -> Path:
    there = {path.name: path for path in sorted(folder.iterdir()) if path.name.endswith((".pth", ".pth.tar", ".pt"))}
    for name in _USUAL:
        if name in there:
            return there[name]
    likely = [path for name, path in there.items() if not _OTHER.search(name)]
    if len(likely) == 1:
        return likely[0]
    if not likely:
        raise MissingError(f"voice.options.model: {folder} has no weights (model.pth)")
    names = ", ".join(path.name for path in likely[:4])
    raise ConfigError(f"voice.options.model: {folder} has several weights ({names}): name the file")


def _licence(folder: Path | None, kind: str, licence: str) -> str:
    if kind == "xtts" or licence == "CPML":
        return XTTS_LICENCE
    if not licence and folder is not None:
        for path in _licence_files(folder):
            first = next((line.strip() for line in path.read_text("utf-8", "replace").splitlines() if line.strip()), "")
            licence = first[:80]
    return licence or UNKNOWN_LICENCE


def _licence_files(folder: Path) -> Iterator[Path]:
    for pattern in _LICENCES:
        yield from (path for path in sorted(folder.glob(pattern)) if path.is_file())


def _version(folder: Path, vocoder: Path | None) -> str:
    digest = hashlib.sha256((folder / "config.json").read_bytes())
    for place in filter(None, (folder, vocoder)):
        for path in sorted(place.rglob("*")):
            if path.is_file() and path.suffix in (".pth", ".pt", ".tar", ".json"):
                about = path.stat()
                digest.update(f"{path.relative_to(place)} {about.st_size} {about.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:16]


def _catalogued(name: str) -> Mapping[str, Any]:
    """What coqui-tts, which is not imported for it, knows of a model by its name."""
    found = importlib.util.find_spec("TTS")
    if not is_name(name.replace("vocoder_models/", "tts_models/")) or found is None:
        return {}
    entry: Any = {}
    for place in found.submodule_search_locations or ():
        file = Path(place) / ".models.json"
        if file.is_file():
            entry = json.loads(file.read_text("utf-8"))
    for part in name.split("/"):
        entry = entry.get(part) if isinstance(entry, dict) else None
    return entry if isinstance(entry, dict) else {}


def _downloaded(name: str, catalogued: Mapping[str, Any]) -> Path | None:
    """Where coqui-tts puts what it downloads: a folder of its own, or the Hugging Face hub's."""
    if not name:
        return None
    home = Path(os.environ.get("TTS_HOME") or os.environ.get("XDG_DATA_HOME") or "~/.local/share").expanduser()
    places = [home / "tts" / name.replace("/", "--")]
    if repository := catalogued.get("repo_id"):
        hub = Path(os.environ.get("HF_HOME") or "~/.cache/huggingface").expanduser() / "hub"
        hub = Path(os.environ.get("HF_HUB_CACHE") or hub)
        places += sorted((hub / f"models--{repository.replace('/', '--')}" / "snapshots").glob("*"))
    return next((place for place in places if (place / "config.json").is_file()), None)
