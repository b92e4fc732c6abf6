"""``anchor models``: weights one can pull, and those one brings."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.table import Table

from anchor.commands.options import AvatarOption, DeviceOption, device_options, err, out, plain, run
from anchor.registry import DEFAULT_AVATAR

if TYPE_CHECKING:
    from anchor.models.catalogue import Model
    from anchor.models.ledger import Record

models_app = typer.Typer(help="Weights: what there is, fetching it, and checking what is here.", no_args_is_help=True)

SHOWN = 8
"""Files that are shown one by one."""

Task = Literal["voice", "recogniser", "llm", "lips"]
NamesArgument = Annotated[list[str], typer.Argument(help="Names of 'anchor models list'.", metavar="NAME...")]


@models_app.command("list")
def models_list(
    task: Annotated[Task | None, typer.Option("--task", help="Only voice, recogniser, llm or lips.")] = None,
    language: Annotated[str | None, typer.Option("--language", help="Only those for a language, e.g. zh.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON: all that the catalogue says.")] = False,
) -> None:
    """List recommended weights: for what, how large, under which licence, and which are here."""
    from anchor.model_folder import all_installed, models_folder, offline
    from anchor.models.catalogue import catalogue

    chosen = [
        model
        for model in catalogue()
        if (task is None or model.task == task) and (language is None or model.speaks(language))
    ]
    here = set(all_installed())
    if as_json:
        print(json.dumps([_as_data(model, model.name in here) for model in chosen], ensure_ascii=False, indent=2))
        return
    table = Table(box=None, padding=(0, 1, 0, 0))
    for title in ("name", "task", "languages", "size", "licence", "sold?", "here"):
        table.add_column(title, no_wrap=title in ("name", "task", "size"))
    for model in chosen:
        colour = {"yes": "green", "no": "red", "ask": "yellow"}[model.commercial]
        table.add_row(
            model.name, model.task, _languages(model), _size(model), plain(model.licence),
            f"[{colour}]{model.commercial}[/]", "yes" if model.name in here else "",
        )  # fmt: skip
    for name in sorted(here - {model.name for model in catalogue()}) if task is None and language is None else ():
        table.add_row(name, "", "", "", "brought by you", "", "yes")
    out.print(table)
    out.print(
        "sold?: whether what you make with it may be used commercially; all of it in words: anchor models show NAME\n"
        f"They lie in {models_folder()}", highlight=False, soft_wrap=True,
    )  # fmt: skip
    if offline():
        out.print("Offline: nothing is fetched (ANCHOR_OFFLINE or HF_HUB_OFFLINE is set).", highlight=False)


@models_app.command("show")
def models_show(name: Annotated[str, typer.Argument(help="A name of 'anchor models list'.")]) -> None:
    """Say all that is known of weights: terms, speed, files, checksums, and how they are used."""
    from anchor.model_folder import installed
    from anchor.models.catalogue import find

    model = find(name)
    rows = {
        "name": model.name, "what": model.title, "task": f"{model.task}, by the back-end {model.engine}",
        "languages": _languages(model), "size": _size(model), "speed": model.speed, "licence": model.licence,
        "commercial": f"{model.commercial}: {model.terms}", "homepage": model.homepage, "use": model.use,
        "needs": f".venv/bin/pip install -e '.[{model.needs}]'" if model.needs else "nothing else",
        "here": str(installed(model.name) or f"no; run: anchor models pull {model.name}"),
    }  # fmt: skip
    for word, text in rows.items():
        out.print(f"{word:<11} {plain(text)}", highlight=False, soft_wrap=True)
    for file in model.files[:SHOWN]:
        sources = " or ".join(" + ".join(str(part) for part in source) for source in file.sources)
        out.print(f"{file.path}: {file.sha256 or 'checksum: from the server'}", highlight=False, soft_wrap=True)
        out.print(f"    {plain(sources)}", highlight=False, soft_wrap=True)
    if more := model.files[SHOWN:]:
        out.print(f"and {len(more)} files such as {more[0].path}: anchor models list --json", highlight=False)


@models_app.command("pull")
def models_pull(
    names: NamesArgument,
    origin: Annotated[
        str,
        typer.Option(
            "--from", help="A folder or mirror to take files from instead of the network.", show_default=False
        ),
    ] = "",
    offline: Annotated[bool, typer.Option("--offline", help="Fetch nothing; say what is missing.")] = False,
    accept: Annotated[
        bool, typer.Option("--accept-licence", help="Agree to licences that are not free for commercial use.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before a large download.")] = False,
) -> None:
    """Fetch weights, resumed where they were cut off, and check them. ANCHOR_MIRROR is another way to say --from."""
    from anchor import model_folder
    from anchor.clock import LoopClock
    from anchor.models.catalogue import find
    from anchor.models.pull import Puller

    models = [find(name) for name in names]
    for model in models:
        _agree(model, accept)
    origin = origin or os.environ.get("ANCHOR_MIRROR", "")
    offline = offline or model_folder.offline()
    size = sum(model.size for model in models if model_folder.installed(model.name) is None)
    if size > 1 << 30 and not (yes or offline) and out.is_terminal:
        typer.confirm(f"{size / (1 << 30):.1f} GiB are fetched to {model_folder.models_folder()}: go on?", abort=True)

    async def work() -> None:
        with _bar() as bar:
            async with Puller(LoopClock(), origin=origin, offline=offline, tell=_tell, progress=bar) as puller:
                for model in models:
                    folder = await puller.pull(model)
                    _tell(f"{model.name}: {folder}; use it: {model.use}")

    run(work())


@models_app.command("check")
def models_check(
    target: Annotated[
        str, typer.Argument(help="A model's name, or the path of ONNX files that you bring; all models if not given.")
    ] = "",
    avatar: AvatarOption = DEFAULT_AVATAR,
    device: DeviceOption = "",
) -> None:
    """Check the weights that are here by their checksums; of a path, whether it moves the lips of an avatar."""
    from anchor.model_folder import all_installed, installed, models_folder, where

    path = Path(target)
    if target and (path.exists() or "/" in target or target.lower().endswith(".onnx")) and installed(target) is None:
        _check_lips(path, avatar, device)
        return
    names = (_named(target),) if target else all_installed()
    if not names:
        out.print(f"There are no models in {models_folder()}; see: anchor models list", highlight=False)
    bad = [name for name in names if not _check_model(name, where(name))]
    if bad:
        raise typer.Exit(1)


@models_app.command("remove")
def models_remove(
    names: NamesArgument,
    forget: Annotated[
        bool, typer.Option("--forget", help="Forget the checksums that were kept at the first pull, too.")
    ] = False,
) -> None:
    """Remove weights, and what is left of a pull that was broken off."""
    from anchor.model_folder import installed, models_folder
    from anchor.models.ledger import Ledger

    for name in (_named(name) for name in names):
        left = [models_folder() / ".partial" / f"{name}{end}" for end in ("", ".packages", ".old")]
        there = [path for path in (installed(name), *left) if path is not None and path.is_dir()]
        if not there and not forget:
            err.print(f"{name}: is not in {models_folder()}", soft_wrap=True)
            raise typer.Exit(1)
        for path in there:
            shutil.rmtree(path)
        ledger = Ledger(models_folder())
        if forget and ledger.read(name) is not None:
            ledger.write(name, None)
        out.print(f"{name}: removed", highlight=False)


def _check_lips(path: Path, avatar: str, device: str) -> None:
    from anchor.models.lips import check

    def tell(word: str, text: str) -> None:
        out.print(f"{word:<12} {plain(text)}", highlight=False, soft_wrap=True)

    verdict = run(check(path, avatar, device_options(device), tell))
    if verdict.problem:
        err.print(f"[bold red]refused:[/] {path}: {plain(verdict.problem)}", soft_wrap=True)
        raise typer.Exit(1)
    out.print(f"{path}: good", highlight=False, soft_wrap=True)


def _check_model(name: str, folder: Path) -> bool:
    from anchor.model_folder import models_folder
    from anchor.models.catalogue import catalogue
    from anchor.models.ledger import Ledger
    from anchor.models.verify import expected, problems

    model = next((model for model in catalogue() if model.name == name), None)
    record: Record | None = Ledger(models_folder()).read(name)
    known = expected(model, record)
    if not known:
        out.print(f"{name}: brought by you; there is no checksum to check it by", highlight=False, soft_wrap=True)
        return True
    wrong = problems(folder, known)
    for path, text in wrong.items():
        err.print(f"[bold red]bad:[/] {name}: {path}: {plain(text)}; run: anchor models pull {name}", soft_wrap=True)
    if not wrong:
        unsure = sum(not entry.sha256 for entry in known.values())
        less = f", {unsure} of them by size only" if unsure else ""
        out.print(f"{name}: good, {len(known)} files{less}", highlight=False, soft_wrap=True)
    return not wrong


def _agree(model: Model, accept: bool) -> None:
    if model.commercial == "yes":
        return
    meaning = "not for commercial use" if model.commercial == "no" else "unclear for commercial use"
    err.print(f"[yellow]{model.name}[/]: {plain(model.licence)}: {meaning}. {plain(model.terms)}", soft_wrap=True)
    if not accept:
        err.print(f"Read {model.homepage}; to agree, add --accept-licence", soft_wrap=True)
        raise typer.Exit(2)


def _named(name: str) -> str:
    """The name as the catalogue spells it, or that of a folder that is here."""
    from anchor.model_folder import installed
    from anchor.models.catalogue import find

    return name if installed(name) is not None else find(name).name


def _as_data(model: Model, here: bool) -> dict[str, Any]:
    return {
        "name": model.name, "task": model.task, "engine": model.engine, "title": model.title,
        "languages": list(model.languages), "size": model.size, "speed": model.speed, "licence": model.licence,
        "commercial": model.commercial, "terms": model.terms, "homepage": model.homepage, "use": model.use,
        "needs": model.needs, "here": here,
        "files": [{"path": file.path, "size": file.size, "sha256": file.sha256 or None} for file in model.files],
    }  # fmt: skip


def _languages(model: Model) -> str:
    names = ["many" if language == "*" else language for language in model.languages]
    return " ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def _size(model: Model) -> str:
    if not model.size:
        return "not told"
    return f"{model.size / 1e9:.1f} GB" if model.size >= 1e9 else f"{model.size / 1e6:.0f} MB"


def _tell(text: str) -> None:
    err.print(plain(text), soft_wrap=True)


@contextmanager
def _bar() -> Iterator[Any]:
    """A bar for the file that is under way; nothing where nobody looks."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        tasks: dict[str, Any] = {}

        def advance(path: str, here: int, size: int) -> None:
            if path not in tasks:
                for old in tasks.values():
                    progress.update(old, visible=False)
                tasks[path] = progress.add_task(plain(path), total=size or None)
            progress.update(tasks[path], completed=here, total=size or None)

        yield advance
