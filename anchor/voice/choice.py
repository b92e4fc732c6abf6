"""Which voices to use where nobody has chosen: the best of those that can speak here now.

Looked for by names of packages, libraries and files alone; nothing is loaded. A voice is taken by itself only where its
licence lets everybody use what it says.
"""

from __future__ import annotations

import asyncio
import functools
import importlib.util
import json
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any, cast

from anchor.events import Sentence
from anchor.media import SAMPLE_RATE
from anchor.model_folder import all_installed, installed, where
from anchor.ports import SpeechChunk, Voice
from anchor.tags import base
from anchor.voice import flite, kokoro_reading, languages, openjtalk

LIVE_LOAD = 0.6
"""Seconds of work for a second of sound above which a voice does not keep up live: pictures want their share."""

_PROBES = {
    "zh": "各位观众，晚上好，欢迎收看今天的新闻。", "ja": "こんばんは、今日のニュースをお伝えします。",
    "ko": "안녕하세요, 오늘의 뉴스를 전해 드리겠습니다.", "es": "Buenas noches y bienvenidos a las noticias de hoy.",
    "fr": "Bonsoir et bienvenue dans le journal de ce soir.", "de": "Guten Abend und willkommen zu den Nachrichten.",
}  # fmt: skip
_PROBE = "Good evening, and welcome to the news of today."


def preferred(language: str) -> tuple[str, ...]:
    """The engines to use for a language (a BCP 47 tag), best first; the embedded voice last."""
    tag = base(languages.resolve(language))
    order = ("kokoro", "piper", "openjtalk", "flite")
    return (*(engine for engine in order if _speaks(engine, tag) and not usable(engine)), "espeak")


def usable(engine: str) -> str:
    """Why an engine cannot be used here now, with what mends it; nothing where it can."""
    return _PROBLEMS[engine]() if engine in _PROBLEMS else f"no choice is made of {engine}"


def options_for(engine: str, language: str) -> dict[str, Any]:
    """What must be told an engine so that it speaks a language: which model. Raises `MissingError`."""
    if engine == "piper":
        found = piper_models().get(base(language))
        return {"model": str(found or where(f"piper-{base(language)}"))}
    return {"model": str(where("kokoro"))} if engine == "kokoro" else {}


async def keeps_up(voice: Voice, language: str = "en") -> float:
    """How long the voice works for a second of sound, measured over one sentence after it was warm.

    Above `LIVE_LOAD` another one should speak live; files can wait. Raises `VoiceError`.
    """
    await voice.warm((language,))
    loop = asyncio.get_running_loop()
    begun, samples = loop.time(), 0
    sentence = Sentence(_PROBES.get(base(language), _PROBE), language)
    async with aclosing(cast("AsyncGenerator[SpeechChunk, None]", voice.speak(sentence))) as chunks:
        async for chunk in chunks:
            samples += len(chunk.audio)
    return (loop.time() - begun) * SAMPLE_RATE / samples if samples else float("inf")


def piper_models() -> dict[str, Path]:
    """The Piper models that are here and may be used by everybody, by language; of several the first by name."""
    found: dict[str, Path] = {}
    for name in all_installed():
        folder = installed(name)
        for card in sorted(folder.glob("*.onnx.json")) if folder is not None else ():
            if card.with_suffix("").is_file() and (tag := _language_of(card)) and _commercial(card.parent):
                found.setdefault(tag, card.parent)
    return found


def _language_of(card: Path) -> str:
    """The bare language of a Piper model by its description; nothing where it has none."""
    try:
        told = json.loads(card.read_text("utf-8"))
        tag = told["language"]["code"] if "language" in told else told["espeak"]["voice"]
        return base(str(tag).replace("_", "-").replace("cmn", "zh"))
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _commercial(folder: Path) -> bool:
    """Whether a pulled model says that everybody may use it; one that was put there by hand is its owner's choice."""
    try:
        told = json.loads((folder / "model.json").read_text("utf-8"))
    except (OSError, ValueError):
        return True
    return not isinstance(told, Mapping) or told.get("commercial", "yes") in ("yes", True)


def _speaks(engine: str, tag: str) -> bool:
    if engine == "piper":
        return tag in piper_models()
    return tag in {"kokoro": kokoro_reading.LANGUAGES, "openjtalk": ("ja",), "flite": ("en",)}[engine]


@functools.cache
def _package(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


def _kokoro() -> str:
    folder = installed("kokoro")
    if folder is None or not any(folder.glob("*.onnx")):
        return "needs its model; run: anchor models pull kokoro"
    return ""


def _piper() -> str:
    return "" if piper_models() else "needs a model for the language; see: anchor models list --task voice"


def _openjtalk() -> str:
    return "" if openjtalk.available() else "needs its engine; run: .venv/bin/pip install -e '.[ja]'"


def _flite() -> str:
    return "" if flite.library() else "needs its library; run: apt install flite"


def _espeak() -> str:
    return "" if _package("espeakng_loader") else "needs its engine; run: .venv/bin/pip install espeakng-loader"


_PROBLEMS: Mapping[str, Callable[[], str]] = {
    "kokoro": _kokoro, "piper": _piper, "openjtalk": _openjtalk, "flite": _flite, "espeak": _espeak,
}  # fmt: skip
