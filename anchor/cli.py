"""The command line. Exit codes: 0 done, 1 failed, 2 wrong use, 130 stopped by Ctrl-C."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections.abc import Coroutine
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from anchor import __version__
from anchor.errors import AnchorError
from anchor.registry import DEFAULT_AVATAR, DEFAULT_DRIVER

app = typer.Typer(
    name="anchor", help="A real-time digital human: an AI anchor that speaks.", no_args_is_help=True,
    pretty_exceptions_enable=False, add_completion=False,
)  # fmt: skip
avatar_app = typer.Typer(help="The faces there are.", no_args_is_help=True)
models_app = typer.Typer(help="Networks in ONNX files that you bring.", no_args_is_help=True)
label_app = typer.Typer(help="The AI-content label of files.", no_args_is_help=True)
app.add_typer(avatar_app, name="avatar")
app.add_typer(models_app, name="models")
app.add_typer(label_app, name="label")

out = Console()
err = Console(stderr=True, highlight=False)

AvatarOption = Annotated[str, typer.Option("--avatar", help="Bundled name, folder or zip.")]
DriverOption = Annotated[str, typer.Option("--driver", help="What moves the lips: a name, or a path of ONNX files.")]
DeviceOption = Annotated[
    str, typer.Option("--device", help="Where ONNX files run: auto, cpu or cuda; +half for 16-bit floats.")
]
VoiceOption = Annotated[str, typer.Option("--voice", help="Voice engine; see 'anchor voices'.")]
SizeOption = Annotated[str, typer.Option("--size", help="Picture size, WIDTHxHEIGHT.")]
FpsOption = Annotated[int, typer.Option("--fps", help="Frames a second.")]
LIPS = {
    "voice": "the voice's own phones", "aligned": "phones aligned to the sound", "network": "heard by the network",
    "energy": "loudness",
}  # fmt: skip
"""What `anchor.media.LipSource` means."""
Captions = Literal["burn", "file", "none"]
CaptionsOption = Annotated[Captions, typer.Option("--captions", help="In the picture and beside it, beside it, or no.")]
LanguageOption = Annotated[
    str | None, typer.Option("--language", help="BCP 47 tag, e.g. zh-CN; told from the letters if not given.")
]
BackdropOption = Annotated[Path | None, typer.Option("--backdrop", help="A picture instead of the studio.")]
MocapOption = Annotated[
    Path | None, typer.Option("--mocap", help="A take whose performer drives all of the face but the mouth.")
]
TakeFpsOption = Annotated[
    int | None, typer.Option("--take-fps", min=1, max=1000, help="Rate of a take that only numbers its frames.")
]
OutOption = Annotated[Path, typer.Option("-o", "--out", help="The MP4 to write.")]


def main() -> None:
    """Run the command line; every error a user can mend is one or two lines."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        app()
    except AnchorError as error:
        err.print(f"[bold red]error:[/] {_plain(str(error))}", soft_wrap=True)
        sys.exit(1)
    except KeyboardInterrupt:
        err.print("stopped")
        sys.exit(130)


def _plain(text: str) -> str:
    return text.replace("[", r"\[")


def _run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)


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
    from anchor.serve import serve as run

    settings = load_config(config or demo_config())
    changes = {name: value for name, value in {"host": host, "port": port}.items() if value is not None}
    server = settings.server.model_copy(update=changes)
    _run(run(settings.model_copy(update={"server": server}), lambda text: out.print(text, highlight=False)))


def demo_config() -> Path:
    """The demo configuration of a checkout."""
    folder = Path(__file__).resolve().parents[1] / "configs"
    return folder / "demo.toml"


@app.command()
def render(
    script: Annotated[Path, typer.Argument(help="A .txt or .yaml script.")],
    target: OutOption,
    avatar: AvatarOption = DEFAULT_AVATAR,
    voice: VoiceOption = "espeak",
    size: SizeOption = "1280x720",
    fps: FpsOption = 25,
    captions: CaptionsOption = "burn",
    language: LanguageOption = None,
    backdrop: BackdropOption = None,
    driver: DriverOption = DEFAULT_DRIVER,
    device: DeviceOption = "",
    mocap: MocapOption = None,
    take_fps: TakeFpsOption = None,
) -> None:
    """Render a scripted bulletin to a file, faster than real time; captions go beside it."""
    from anchor.broadcast.script import load_script

    loaded = load_script(script, language)
    _render(
        loaded.segments,
        loaded.title,
        target,
        avatar,
        voice,
        size,
        fps,
        captions,
        backdrop,
        driver,
        device,
        mocap,
        take_fps,
    )


@app.command()
def say(
    text: Annotated[str, typer.Argument(help="What to say.")],
    target: OutOption,
    avatar: AvatarOption = DEFAULT_AVATAR,
    voice: VoiceOption = "espeak",
    size: SizeOption = "1280x720",
    fps: FpsOption = 25,
    captions: CaptionsOption = "burn",
    language: LanguageOption = None,
    backdrop: BackdropOption = None,
    driver: DriverOption = DEFAULT_DRIVER,
    device: DeviceOption = "",
    mocap: MocapOption = None,
    take_fps: TakeFpsOption = None,
) -> None:
    """Render one sentence, or a few, to a file."""
    from anchor.broadcast.script import parse_text
    from anchor.errors import ScriptError

    script = parse_text(text, language)
    if not script.segments:
        raise ScriptError("TEXT: there is nothing to say in it")
    _render(script.segments, "", target, avatar, voice, size, fps, captions, backdrop, driver, device, mocap, take_fps)


def _render(
    segments: Any, title: str, target: Path, avatar: str, voice: str, size: str, fps: int, captions: Captions,
    backdrop: Path | None, driver: str, device: str, mocap: Path | None, take_fps: int | None,
) -> None:  # fmt: skip
    from anchor import parts, rendering
    from anchor.config import VoiceConfig
    from anchor.media import VideoFormat
    from anchor.performing import TakeActor, open_take

    if target.suffix.lower() != ".mp4":
        raise typer.BadParameter(f"{target}: only .mp4 files can be written", param_hint="--out")
    video = VideoFormat.parse(size, fps)

    async def work(progress: Progress) -> rendering.Rendered:
        bar = progress.add_task("rendering", total=1.0)
        actor = TakeActor(open_take(mocap, fps=take_fps), video) if mocap is not None else None
        speaker = parts.open_voice(VoiceConfig(engine=voice))

        def report(now: rendering.Progress) -> None:
            progress.update(bar, completed=now.said / max(1, now.total), description=f"{now.seconds:.0f} s of video")

        try:
            return await rendering.render(
                segments, target, voice=speaker, driver=parts.open_driver(driver, options=_device(device)),
                avatar=parts.open_avatar(avatar), video=video, captions=captions, backdrop=backdrop, title=title,
                actor=actor, on_progress=report,
            )  # fmt: skip
        finally:
            await speaker.close()

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        made = _run(work(progress))
    lips = " and ".join(LIPS[source] for source in made.lips)
    out.print(
        f"{target}: {made.seconds:.1f} s, {video.width}x{video.height} at {video.fps}; lips: {lips}", highlight=False
    )


def _device(text: str) -> dict[str, Any]:
    """``cuda+half`` as options of a driver."""
    device, _, half = text.partition("+")
    if half not in ("", "half"):
        raise typer.BadParameter(f"{text}: write a device, or a device and +half", param_hint="--device")
    return ({"device": device} if device else {}) | ({"half": True} if half else {})


@app.command()
def perform(
    take: Annotated[Path, typer.Argument(help="A performer's clip, or a table of ARKit weights (Live Link Face).")],
    target: Annotated[Path, typer.Option("-o", "--out", help="The MP4 to write, or a CSV of the face alone.")],
    avatar: AvatarOption = DEFAULT_AVATAR,
    size: SizeOption = "1280x720",
    fps: FpsOption = 25,
    sound: Annotated[Path | None, typer.Option("--sound", help="Sound for a take that has none.")] = None,
    backdrop: BackdropOption = None,
    take_fps: TakeFpsOption = None,
) -> None:
    """Play a performer's take, sound and whole face, on any avatar."""
    from anchor import performing, rendering
    from anchor.media import VideoFormat

    if target.suffix.lower() not in (".mp4", ".csv"):
        raise typer.BadParameter(f"{target}: only .mp4 and .csv files can be written", param_hint="--out")
    video = VideoFormat.parse(size, fps)
    columns = (TextColumn("{task.description}"), BarColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        bar = progress.add_task("looking at the take", total=None)

        def tell(what: str, seconds: float) -> None:
            progress.update(bar, description=f"{what}: {seconds:.0f} s")

        loaded = performing.open_take(take, fps=take_fps, tell=partial(tell, "looking at the take"))
        if target.suffix.lower() == ".csv":
            performing.write_take(target, loaded)
            seconds = loaded.seconds
        else:
            filmed = take.suffix.lower() in performing.CLIPS
            heard = performing.open_sound(sound or take) if sound is not None or filmed else None
            work = rendering.perform(
                loaded, heard, target, avatar=avatar, video=video, backdrop=backdrop, tell=partial(tell, "rendering")
            )
            seconds = _run(work)
    out.print(f"{target}: {seconds:.1f} s", highlight=False)


@app.command()
def voices() -> None:
    """List what can speak."""
    from anchor import registry

    table = Table("engine", "voice", "languages", "phones", "licence", box=None)
    for engine in registry.names("anchor.voice"):
        try:
            info = registry.load("anchor.voice", engine)().info
        except AnchorError as error:
            table.add_row(engine, "", _plain(str(error)), "", "")
            continue
        timed = "timed" if info.phone_timings else "aligned"
        table.add_row(engine, info.name, ", ".join(info.languages), timed, info.licence)
    out.print(table)


FolderOption = Annotated[Path | None, typer.Option("--folder", help="A folder of packages to list as well.")]


@avatar_app.command("list")
def avatar_list(folder: FolderOption = None) -> None:
    """List the bundled avatars, and those of a folder: until when consent lasts, and which cannot be used."""
    from anchor import registry

    table = Table("name", "title", "kind", "licence", "consent until", box=None)
    for entry in registry.load("anchor.part", "shelf")(folder).entries():
        if entry.info is None:
            table.add_row(entry.name, "[red]cannot be used[/]", "", _plain(entry.problem), "")
        else:
            info = entry.info
            table.add_row(entry.name, _plain(info.title), info.kind, _plain(info.licence), info.details["until"])
    out.print(table)


@avatar_app.command("show")
def avatar_show(
    name: Annotated[str, typer.Argument(help="Bundled name, folder or zip.")],
    target: Annotated[Path, typer.Option("-o", "--out", help="The PNG to write; the clip is an MP4 beside it.")],
    clip: Annotated[bool, typer.Option("--clip/--no-clip", help="With a clip in which it speaks, or without.")] = True,
    voice: VoiceOption = "espeak",
) -> None:
    """Draw a contact sheet of an avatar's expressions, and a short clip in which it speaks."""
    from anchor import parts, rendering
    from anchor.config import VoiceConfig

    async def work() -> list[Path]:
        speaker = parts.open_voice(VoiceConfig(engine=voice))
        try:
            return await rendering.show_avatar(name, target, clip=clip, voice=speaker)
        finally:
            await speaker.close()

    for path in _run(work()):
        out.print(str(path), highlight=False, soft_wrap=True)


WhoOption = Annotated[str, typer.Option("--consent-who", help="Who agreed to be shown.")]
ScopeOption = Annotated[str, typer.Option("--consent-scope", help="What they agreed to, in words.")]
UntilOption = Annotated[
    str, typer.Option("--consent-until", help="Until when: a date such as 2030-12-31, or unlimited.")
]


@avatar_app.command("make")
def avatar_make(
    source: Annotated[
        Path, typer.Argument(help="A portrait (JPEG, PNG, WebP) or a clip of 5 to 60 s (MP4, WebM, MOV).")
    ],
    target: Annotated[Path, typer.Option("-o", "--out", help="The folder to write; it must not be there yet.")],
    who: WhoOption,
    scope: ScopeOption,
    until: UntilOption,
    name: Annotated[str, typer.Option("--name", help="A short name; the folder's, if not given.")] = "",
    title: Annotated[str, typer.Option("--title", help="The name that is shown.")] = "",
    background: Annotated[
        Literal["keep", "remove", "key"],
        typer.Option("--background", help="Keep the picture's own, cut the person out, or key a green or blue screen."),
    ] = "keep",
    licence: Annotated[str, typer.Option("--licence", help="Under what terms the picture may be used.")] = (
        "all rights reserved"
    ),
) -> None:
    """Make an avatar of a person who agreed to it, from one portrait or a short clip."""
    from anchor import registry

    record = registry.load("anchor.part", "consent_of")(who, scope, until)
    registry.load("anchor.part", "make_avatar")(
        source, target, name=name, title=title, background=background, consent=record, licence=licence,
        note=lambda text: err.print(_plain(text)),
    )  # fmt: skip
    out.print(f"{target}: made. See it with: anchor avatar show {target} -o sheet.png", highlight=False, soft_wrap=True)


@avatar_app.command("consent")
def avatar_consent(
    folder: Annotated[Path, typer.Argument(help="The folder of an avatar.")],
    until: UntilOption,
    who: Annotated[str, typer.Option("--consent-who", help="Who agreed; as it was, if not given.")] = "",
    scope: Annotated[str, typer.Option("--consent-scope", help="To what; as it was, if not given.")] = "",
) -> None:
    """Renew the record of consent. A date that is past revokes it: the avatar goes off air within a second."""
    from anchor import registry

    record = registry.load("anchor.part", "record_consent")(folder, until=until, who=who, scope=scope)
    ended = "; it has ended: the avatar cannot be used" if record.ended else ""
    out.print(f"{folder}: {_plain(record.who)}, until {until}{ended}", highlight=False, soft_wrap=True)


@avatar_app.command("check")
def avatar_check(path: Annotated[str, typer.Argument(help="Bundled name, folder or zip.")]) -> None:
    """Check an avatar package and say what is wrong with it."""
    from anchor import registry

    problems = registry.load("anchor.part", "avatars").check(path)
    for problem in problems:
        err.print(_plain(problem))
    if problems:
        raise typer.Exit(1)
    out.print(f"{path}: good", highlight=False)


@models_app.command("check")
def models_check(
    path: Annotated[Path, typer.Argument(help="An ONNX file, or a folder of those that belong together.")],
    avatar: AvatarOption = DEFAULT_AVATAR,
    device: DeviceOption = "",
) -> None:
    """Say what networks are, and test on pixels whether they move the lips of an avatar as they should."""
    from anchor.models import check as look

    def tell(word: str, text: str) -> None:
        out.print(f"{word:<12} {_plain(text)}", highlight=False, soft_wrap=True)

    verdict = _run(look(path, avatar, _device(device), tell))
    if verdict.problem:
        err.print(f"[bold red]refused:[/] {path}: {_plain(verdict.problem)}", soft_wrap=True)
        raise typer.Exit(1)
    out.print(f"{path}: good", highlight=False, soft_wrap=True)


@app.command()
def check(
    config: Annotated[Path | None, typer.Argument(help="A configuration to check as well.")] = None,
) -> None:
    """Check the environment and a configuration: what works, what is missing, and what mends it."""
    from anchor.check import check_all

    marks = {"good": "[green]good[/]   ", "warning": "[yellow]warning[/]", "bad": "[bold red]bad[/]    "}
    findings = check_all(config or demo_config())
    for finding in findings:
        out.print(f"{marks[finding.level]}  {finding.what}: {_plain(finding.text)}", highlight=False, soft_wrap=True)
        if finding.mend:
            out.print(f"         mend it with: {_plain(finding.mend)}", highlight=False, soft_wrap=True)
    if any(finding.level == "bad" for finding in findings):
        raise typer.Exit(1)


@app.command()
def bench(
    name: Annotated[
        str,
        typer.Argument(
            help="answers, avatars, batcher, capacity, fanout, hearing, latency, lipsync, privacy, render or turns."
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
    if questions is not None and not questions.is_file():
        raise typer.BadParameter("must be a table of questions", param_hint="--questions")
    given = {
        "speech": speech, "drivers": driver, "avatar": avatar, "plots": plots, "pixels": pixels, "rhubarb": rhubarb,
        "questions": questions,
    }  # fmt: skip
    options = {key: value for key, value in given.items() if value is not None and value != []}
    for key in options:
        wanted = {"speech": ("lipsync", "hearing", "turns"), "questions": ("answers",)}.get(key, ("lipsync",))
        if name not in wanted:
            raise typer.BadParameter(f"goes with {' or '.join(wanted)}", param_hint=f"--{key}")
    if portraits is not None:
        options["portraits"] = portraits
    report = benches.run(name, lambda text: err.print(_plain(text), highlight=False), options)
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
