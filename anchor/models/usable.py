"""What can be used here now for a language, and the one command that makes it better."""

from __future__ import annotations

from importlib.metadata import EntryPoint, PackageNotFoundError, distribution

from packaging.requirements import Requirement

from anchor import registry
from anchor.errors import MissingError
from anchor.model_folder import installed
from anchor.models.catalogue import Model, catalogue, recommended
from anchor.registry import DEFAULT_DRIVER
from anchor.tags import base
from anchor.voice.choice import preferred

LANGUAGES = ("zh", "en", "ja", "es", "fr", "de", "ko")

_HEARD = {"pocketsphinx": ("en",)}
"""Recognisers that bring their model, and what they understand."""


def missing_packages(entry: EntryPoint) -> list[str]:
    """What of an extra that a back-end needs is not installed."""
    missing = []
    for text in (entry.dist.requires if entry.dist is not None else None) or ():
        wanted = Requirement(text)
        needed = wanted.marker is not None and any(wanted.marker.evaluate({"extra": extra}) for extra in entry.extras)
        if needed and not _distributed(wanted.name):
            missing.append(wanted.name)
    return missing


def _distributed(name: str) -> bool:
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True


def models_of(engine: str) -> tuple[Model, ...]:
    """The models of the catalogue that a back-end runs."""
    return tuple(model for model in catalogue() if model.engine == engine)


def here(engine: str, language: str = "") -> tuple[str, ...]:
    """Those of them that are here, and know a language."""
    known = (model for model in models_of(engine) if not language or model.speaks(language))
    return tuple(model.name for model in known if installed(model.name) is not None)


def command(model: Model) -> str:
    """The command that brings a model; of one that not everybody may use, the one that tells its terms."""
    return f"anchor models {'pull' if model.commercial == 'yes' else 'show'} {model.name}"


def summary(language: str) -> tuple[str, tuple[str, ...]]:
    """Who would speak, hear, answer and move the lips in a language, and commands that make it better."""
    voices = preferred(language)
    hears, better_ears = _hearing(language)
    answers = "transformers" if _works("anchor.dialogue", "transformers") and here("transformers") else "knowledge"
    text = f"{voices[0]} speaks, {hears}, {answers} answers, {DEFAULT_DRIVER} moves the lips"
    better = []
    model = recommended(language, task="voice")
    if model is not None and model.commercial != "no" and model.engine not in voices and not here(model.engine):
        better.append(command(model))
    return text, (*better, *better_ears)


def _hearing(language: str) -> tuple[str, tuple[str, ...]]:
    tag = base(language)
    model = recommended(language, task="recogniser")
    if _works("anchor.recognizer", "whisper"):
        if found := here("whisper", language):
            return f"whisper ({', '.join(found)}) hears", ()
        better = () if model is None else (command(model),)
    else:
        better = (".venv/bin/pip install -e '.[asr]'",)
    known = next((name for name, tags in _HEARD.items() if tag in tags and _works("anchor.recognizer", name)), None)
    return f"{known} hears" if known else "nobody hears (visitors type)", better


def _works(group: str, name: str) -> bool:
    """Whether a back-end is known, and its packages are here."""
    try:
        return not missing_packages(registry.entry(group, name))
    except MissingError:
        return False
