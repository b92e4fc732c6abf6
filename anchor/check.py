"""``anchor check``: what works here, what is missing, and the exact command that mends it."""

from __future__ import annotations

import asyncio
import inspect
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from anchor import registry
from anchor.clock import LoopClock, today
from anchor.errors import AnchorError
from anchor.model_folder import all_installed, models_folder, offline
from anchor.models.usable import LANGUAGES, command, here, missing_packages, models_of, summary
from anchor.ports import Shelf

if TYPE_CHECKING:
    from anchor.store import Store
    from anchor.talking import Talk

SOON_DAYS = 30
"""How long before its end a consent is said to end."""

OWN_PACKAGES = ("anchor", "drivers", "avatars", "streaming")
OWN_NAME = "anchor-live"


@dataclass(frozen=True, slots=True)
class Finding:
    what: str
    level: Literal["good", "warning", "bad"]
    text: str
    mend: str = ""


def check_all(config: Path | None) -> list[Finding]:
    """Look at the environment and, when given, at a configuration."""
    return [
        _python(),
        *_packages(),
        *_back_ends(),
        *_models(),
        _fonts(),
        *_programs(),
        *(_configuration(config) if config is not None else []),
    ]


def _python() -> Finding:
    return Finding("python", "good", ".".join(map(str, sys.version_info[:3])))


def _packages() -> Iterator[Finding]:
    """Our top-level names are short; report another distribution that has taken one of them."""
    owners = packages_distributions()
    for package in OWN_PACKAGES:
        others = sorted({name for name in owners.get(package, []) if name != OWN_NAME})
        if others:
            yield Finding("packages", "bad", f"{package!r} is also in {', '.join(others)}",
                          f"pip uninstall {' '.join(others)}")  # fmt: skip


def _back_ends() -> Iterator[Finding]:
    for group in registry.GROUPS:
        kind = "kind of avatar" if group == "anchor.avatar" else group.rpartition(".")[2]
        for name in registry.names(group):
            what = f"{kind} {name}"
            if missing := missing_packages(registry.entry(group, name)):
                extra = ",".join(registry.entry(group, name).extras)
                mend = f".venv/bin/pip install -e '.[{extra}]'"
                yield Finding(what, "warning", f"packages are missing: {', '.join(missing)}", mend)
                continue
            try:
                found = registry.load(group, name)
            except AnchorError as error:
                yield _told(what, error)
                continue
            if (models := models_of(name)) and not here(name):
                yield Finding(what, "warning", "its packages are here, a model is not", command(models[0]))
                continue
            try:
                if group in ("anchor.voice", "anchor.driver") and _needs_nothing(found):
                    found()
            except AnchorError as error:
                yield _told(what, error)
            else:
                brought = f" with {', '.join(here(name))}" if models else ""
                yield Finding(what, "good", f"can be used{brought}")


def _told(what: str, error: AnchorError) -> Finding:
    text, _, mend = str(error).partition("; run: ")
    return Finding(what, "warning", text, mend)


def _needs_nothing(factory: Callable[..., Any]) -> bool:
    """Whether a back-end can be made without options."""
    parameters = inspect.signature(factory).parameters.values()
    return all(parameter.default is not parameter.empty for parameter in parameters)


def _models() -> Iterator[Finding]:
    """What is here of weights, and who would speak, hear and answer in each language."""
    names = all_installed()
    yield Finding("models", "good", f"{', '.join(names) or 'none'} in {models_folder()}")
    if offline():
        yield Finding("models", "good", "offline (ANCHOR_OFFLINE or HF_HUB_OFFLINE): pull with --from FOLDER")
    for language in LANGUAGES:
        text, better = summary(language)
        more = f"; better: {', '.join(better)}" if better else ""
        yield Finding(f"language {language}", "good", text + more)


def _fonts() -> Finding:
    report = registry.load("anchor.part", "fonts").fonts()
    if report.warnings:
        text, _, mend = report.warnings[0].partition("; ")
        return Finding("fonts", "warning", text, mend)
    return Finding("fonts", "good", f"{', '.join(report.draws)} can be drawn")


def _programs() -> Iterator[Finding]:
    for program, use in {"ffmpeg": "only the tests use it", "chromium": "only the tests use it"}.items():
        if shutil.which(program) is None:
            yield Finding(program, "warning", f"is not installed; {use}", f"sudo apt-get install {program}")
        else:
            yield Finding(program, "good", "is installed")


def _configuration(path: Path) -> Iterator[Finding]:
    from anchor.config import load_config
    from anchor.live import LiveChannel
    from anchor.metrics import Metrics
    from anchor.parts import Cast, open_shelf
    from anchor.segments import Speakers
    from anchor.store import Store
    from anchor.talking import Talk
    from anchor.trust.pii import mask

    try:
        config = load_config(path)
        speakers = Speakers.of(config.voice, config.voices)
    except AnchorError as error:
        yield Finding("configuration", "bad", str(error))
        return
    yield Finding("configuration", "good", str(path))
    for state in speakers.states():
        yield Finding(f"voice {state.name}", "good", f"{state.engine}; {', '.join(state.languages)}; {state.licence}")
    shelf = open_shelf(config)
    yield from _avatars(shelf)
    store = Store(config.store.url, mask=mask, retention_days=config.store.retention_days)
    yield from _store(store)
    for channel in config.channels:
        try:
            if channel.talk is None:
                live = LiveChannel(channel, speakers, Metrics(), shelf)
                asyncio.run(live.prepare())
                driver = live.stream.driver
            else:
                driver = Cast(channel, (), shelf, LoopClock(), Metrics()).driver
                talk = Talk(channel, speakers.voice, store, f"http://{config.server.host}:{config.server.port}")
                yield from asyncio.run(_talking(channel.name, talk))
        except AnchorError as error:
            text = str(error).removeprefix(f"channel {channel.name}: ")
            yield Finding(f"channel {channel.name}", "bad", text)
        else:
            what = f"{channel.size} at {channel.fps}, {channel.avatar}, {driver.info.name}"
            yield Finding(f"channel {channel.name}", "good", what)
    yield _port(config.server.host, config.server.port)


def _store(store: Store) -> Iterator[Finding]:
    if not store.keeps:
        yield Finding("store", "good", "nothing of conversations is kept")
        return

    async def open_and_close() -> None:
        await store.open()
        await store.close()

    try:
        asyncio.run(open_and_close())
    except AnchorError as error:
        yield Finding("store", "bad", str(error))
    else:
        yield Finding("store", "good", "can be written")


async def _talking(channel: str, talk: Talk) -> list[Finding]:
    """Whether visitors are heard, understood and answered."""
    what, findings = f"channel {channel}", []
    try:
        await talk.prepare()
        info, known = talk.recognizer.info, talk.knowledge
        for language in talk.welcome.languages:
            if talk.understands(language):
                findings.append(Finding(what, "good", f"{info.name} understands {language}"))
            else:
                mend = "set talk.recognizer to whisper (pip install -e '.[asr]') or openai"
                findings.append(Finding(what, "warning", f"{info.name} does not understand {language}: typing", mend))
            asked = len(known.questions(language)) if known is not None else 0
            findings.append(Finding(what, "good" if asked else "warning", f"knows {asked} questions in {language}"))
        try:
            await talk.dialogue.warm()
        except AnchorError as error:
            findings.append(Finding(what, "warning", f"dialogue: {error}; what is known answers instead"))
        findings.append(Finding(what, "good", f"{talk.dialogue.info.name} answers, {len(talk.actions)} actions"))
    finally:
        await talk.close()
    return findings


def _avatars(shelf: Shelf) -> Iterator[Finding]:
    """Every package that the configuration's server would list, opened and drawn."""
    look_at = registry.load("anchor.part", "avatars").check
    for entry in shelf.entries():
        what = f"avatar {entry.name}"
        problems = look_at(entry.path) or ([entry.problem] if entry.problem else [])
        until = entry.info.details["until"] if entry.info else ""
        renew = f"anchor avatar consent {entry.path} --consent-until DATE"
        if problems:
            yield from (Finding(what, "warning", problem) for problem in problems)
        elif until != "unlimited" and date.fromisoformat(until) <= today() + timedelta(days=SOON_DAYS):
            yield Finding(what, "warning", f"its consent ends on {until}", renew)
        else:
            yield Finding(what, "good", f"consent until {until}" if until != "unlimited" else "consent without end")


def _port(host: str, port: int) -> Finding:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return Finding("port", "warning", f"{host}:{port}: {error.strerror}", "anchor serve --port 8011")
    return Finding("port", "good", f"{host}:{port} is free")
