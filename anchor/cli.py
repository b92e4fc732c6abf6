"""The command line. Exit codes: 0 done, 1 failed, 2 wrong use, 130 stopped by Ctrl-C."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from anchor import __version__
from anchor.commands import making, show
from anchor.commands.avatars import avatar_app
from anchor.commands.models import models_app
from anchor.commands.options import err, out, plain, run
from anchor.commands.voices import voice_app, voices
from anchor.errors import AnchorError

app = typer.Typer(
    name="anchor", help="A real-time digital human: an AI anchor that speaks.", no_args_is_help=True,
    pretty_exceptions_enable=False, add_completion=False,
)  # fmt: skip
label_app = typer.Typer(help="The AI-content label of files.", no_args_is_help=True)
app.add_typer(avatar_app, name="avatar")
app.add_typer(models_app, name="models")
app.add_typer(voice_app, name="voice")
app.add_typer(label_app, name="label")


def main() -> None:
    """Run the command line; every error a user can mend is one or two lines."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        app()
    except AnchorError as error:
        err.print(f"[bold red]error:[/] {plain(str(error))}", soft_wrap=True)
        sys.exit(1)
    except KeyboardInterrupt:
        err.print("stopped")
        sys.exit(130)


def _version(show: bool) -> None:
    if show:
        out.print(__version__)
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


@app.command()
def serve(
    config: Annotated[Path | None, typer.Argument(help="Configuration; without one, the demo.")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
) -> None:
    """Run the live server: viewer pages, operator page and API."""
    from anchor.config import load_config
    from anchor.serve import serve as serving

    settings = load_config(config or demo_config())
    changes = {name: value for name, value in {"host": host, "port": port}.items() if value is not None}
    server = settings.server.model_copy(update=changes)
    run(serving(settings.model_copy(update={"server": server}), lambda text: out.print(text, highlight=False)))


def demo_config() -> Path:
    """The demo configuration of a checkout."""
    folder = Path(__file__).resolve().parents[1] / "configs"
    return folder / "demo.toml"


app.command()(making.render)
app.command()(making.say)
app.command()(making.perform)
app.command()(show.broadcast)
app.command()(show.draft)
app.command()(show.aired)


app.command()(voices)


@app.command()
def check(
    config: Annotated[Path | None, typer.Argument(help="A configuration to check as well.")] = None,
) -> None:
    """Check the environment and a configuration: what works, what is missing, and what mends it."""
    from anchor.check import check_all

    marks = {"good": "[green]good[/]   ", "warning": "[yellow]warning[/]", "bad": "[bold red]bad[/]    "}
    findings = check_all(config or demo_config())
    for finding in findings:
        out.print(f"{marks[finding.level]}  {finding.what}: {plain(finding.text)}", highlight=False, soft_wrap=True)
        if finding.mend:
            out.print(f"         mend it with: {plain(finding.mend)}", highlight=False, soft_wrap=True)
    if any(finding.level == "bad" for finding in findings):
        raise typer.Exit(1)


@app.command()
def bench(
    name: Annotated[
        str,
        typer.Argument(
            help="answers, avatars, batcher, capacity, fanout, hearing, intelligibility, latency, lipsync, network, "
            "outputs, privacy, readings, render, show, soak, swallowed, turns or voices."
        ),
    ],
    portraits: Annotated[
        Path | None, typer.Option("--portraits", help="With avatars: a folder of portraits and clips to make more of.")
    ] = None,
    speech: Annotated[
        Path | None,
        typer.Option(
            "--speech",
            help="With lipsync: labelled recordings; with hearing: speech; with turns: room noise. A folder.",
        ),
    ] = None,
    questions: Annotated[
        Path | None, typer.Option("--questions", help="With answers: a table of questions and topics of banking77.")
    ] = None,
    driver: Annotated[
        list[str] | None,
        typer.Option("--driver", help="With lipsync: NAME or NAME:audio, NAME:text, NAME:timings; may be repeated."),
    ] = None,
    avatar: Annotated[str | None, typer.Option("--avatar", help="With lipsync: whose lips are looked at.")] = None,
    plots: Annotated[Path | None, typer.Option("--plots", help="With lipsync: a folder for PNG pictures.")] = None,
    pixels: Annotated[
        bool | None, typer.Option("--pixels/--no-pixels", help="With lipsync: look at rendered lips, too.")
    ] = None,
    rhubarb: Annotated[
        bool | None, typer.Option("--rhubarb/--no-rhubarb", help="With lipsync: run Rhubarb beside, under Node.")
    ] = None,
    texts: Annotated[
        Path | None,
        typer.Option("--texts", help="With readings: folders tn_chinese and tn_english of pairs TEXT => READING."),
    ] = None,
    minutes: Annotated[float | None, typer.Option("--minutes", min=0.5, help="With soak: how long.")] = None,
    kills: Annotated[
        int | None, typer.Option("--kills", min=1, help="With outputs: how often the ingest is killed.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure on this machine the figures that the README quotes."""
    from anchor import bench as benches

    if name not in benches.BENCHES:
        raise typer.BadParameter(f"{name!r}: choose {', '.join(benches.BENCHES)}", param_hint="NAME")
    if portraits is not None and (name != "avatars" or not portraits.is_dir()):
        raise typer.BadParameter("goes with avatars, and must be a folder of pictures", param_hint="--portraits")
    if speech is not None and not speech.is_dir():
        raise typer.BadParameter("must be a folder of recordings", param_hint="--speech")
    if texts is not None and not texts.is_dir():
        raise typer.BadParameter("must be a folder of pairs", param_hint="--texts")
    if questions is not None and not questions.is_file():
        raise typer.BadParameter("must be a table of questions", param_hint="--questions")
    given = {
        "speech": speech, "drivers": driver, "avatar": avatar, "plots": plots, "pixels": pixels, "rhubarb": rhubarb,
        "questions": questions, "minutes": minutes, "kills": kills, "texts": texts,
    }  # fmt: skip
    options = {key: value for key, value in given.items() if value is not None and value != []}
    for key in options:
        wanted = {
            "speech": ("lipsync", "hearing", "turns"), "questions": ("answers",), "minutes": ("soak",),
            "kills": ("outputs",), "texts": ("readings",),
        }.get(key, ("lipsync",))  # fmt: skip
        if name not in wanted:
            raise typer.BadParameter(f"goes with {' or '.join(wanted)}", param_hint=f"--{key}")
    if portraits is not None:
        options["portraits"] = portraits
    report = benches.run(name, lambda text: err.print(plain(text), highlight=False), options)
    if as_json:
        print(json.dumps(report, indent=2))
        return
    for row in report.get("rows", [])[:1]:
        _print_rows(list(row), report["rows"])
    table = Table("figure", "value", "unit", "goal", "", box=None)
    for figure in report["figures"]:
        mark = {True: "[green]ok[/]", False: "[bold red]missed[/]", None: ""}[figure["ok"]]
        goal = "" if figure["goal"] is None else f"{figure['goal']:g}"
        value = "-" if figure["value"] is None else f"{figure['value']:.4g}"
        if "rows" not in report or figure["goal"] is not None:
            table.add_row(figure["name"], value, figure["unit"], goal, mark)
    if table.row_count:
        out.print(table)


def _print_rows(titles: list[str], rows: list[dict[str, Any]]) -> None:
    table = Table(*titles, box=None, padding=(0, 1, 0, 0))
    for row in rows:
        table.add_row(*("-" if row[title] is None else f"{row[title]}" for title in titles))
    out.print(table)


@label_app.command("read")
def label_read(path: Annotated[Path, typer.Argument(help="A media file.")]) -> None:
    """Print the AI-content label a file carries."""
    from anchor.trust.label import read_label

    label = read_label(path)
    if label is None:
        err.print(f"{path}: carries no AI-content label")
        raise typer.Exit(1)
    out.print_json(json.dumps(label, ensure_ascii=False))


if __name__ == "__main__":
    main()
