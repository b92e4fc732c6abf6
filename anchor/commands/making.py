"""Scripts, sentences and performances to files."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn

from anchor.commands.options import (
    LIPS,
    AvatarOption,
    BackdropOption,
    Captions,
    CaptionsOption,
    DeviceOption,
    DriverOption,
    FpsOption,
    LanguageOption,
    LogoOption,
    MocapOption,
    OutOption,
    SecondOption,
    SizeOption,
    TakeFpsOption,
    TemplateOption,
    VoiceOption,
    device_options,
    err,
    out,
    plain,
    run,
)
from anchor.registry import DEFAULT_AVATAR, DEFAULT_DRIVER

if TYPE_CHECKING:
    from anchor.broadcast.script import Script
    from anchor.rendering import Settings

COLUMNS = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())

WorkersOption = Annotated[
    int | None, typer.Option("--workers", min=1, max=64, help="For a folder: films at a time; one a core if not given.")
]


def render(
    script: Annotated[Path, typer.Argument(help="A .txt, .ssml or .yaml script, or a folder of them.")],
    target: Annotated[Path, typer.Option("-o", "--out", help="The MP4 to write, or the folder for a folder's films.")],
    avatar: AvatarOption = DEFAULT_AVATAR,
    voice: VoiceOption = "auto",
    size: SizeOption = "1280x720",
    fps: FpsOption = 25,
    captions: CaptionsOption = "burn",
    language: Annotated[
        str | None,
        typer.Option("--language", help="BCP 47 tag; 'all' makes a film for each language of a rundown in several."),
    ] = None,
    second_language: SecondOption = "",
    backdrop: BackdropOption = None,
    template: TemplateOption = "",
    logo: LogoOption = None,
    driver: DriverOption = DEFAULT_DRIVER,
    device: DeviceOption = "",
    mocap: MocapOption = None,
    take_fps: TakeFpsOption = None,
    workers: WorkersOption = None,
) -> None:
    """Render a scripted bulletin to a file, faster than real time; captions go beside it.

    Of a folder, all its scripts: what is there already is not made again, so that a stopped batch goes on.
    """
    from anchor.broadcast.script import languages_of, load_script

    settings = replace(
        _settings(avatar, voice, size, fps, captions, backdrop, driver, device), template=template, logo=logo,
        second_language=second_language,
    )  # fmt: skip
    every = language == "all"
    if script.is_dir():
        if mocap is not None:
            raise typer.BadParameter("goes with one script, not with a folder", param_hint="--mocap")
        _render_folder(script, target, settings, None if every else language, workers)
        return
    if workers is not None:
        raise typer.BadParameter("goes with a folder of scripts", param_hint="--workers")
    for tag in languages_of(script) if every else (language,):
        loaded = load_script(script, tag, second_language=second_language)
        film = target.with_suffix(f".{tag}{target.suffix}") if every else target
        _render(loaded, film, settings, mocap, take_fps)


def say(
    text: Annotated[str, typer.Argument(help="What to say.")],
    target: OutOption,
    avatar: AvatarOption = DEFAULT_AVATAR,
    voice: VoiceOption = "auto",
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
    settings = _settings(avatar, voice, size, fps, captions, backdrop, driver, device)
    _render(script, target, settings, mocap, take_fps)


def _settings(
    avatar: str, voice: str, size: str, fps: int, captions: Captions, backdrop: Path | None, driver: str, device: str
) -> Settings:
    from anchor.media import VideoFormat
    from anchor.rendering import Settings

    return Settings(VideoFormat.parse(size, fps), avatar, voice, captions, backdrop, driver, device_options(device))


def _render(script: Script, target: Path, settings: Settings, mocap: Path | None, take_fps: int | None) -> None:
    from anchor import rendering
    from anchor.performing import TakeActor, open_take

    if target.suffix.lower() != ".mp4":
        raise typer.BadParameter(f"{target}: only .mp4 files can be written", param_hint="--out")
    video = settings.video
    with Progress(*COLUMNS, console=err, transient=True) as progress:
        bar = progress.add_task("rendering", total=1.0)
        actor = TakeActor(open_take(mocap, fps=take_fps), video) if mocap is not None else None
        show = partial(_show, progress, bar)
        made: rendering.Rendered = run(rendering.render_as(settings, script, target, actor=actor, on_progress=show))
    lips = " and ".join(LIPS[source] for source in made.lips)
    out.print(
        f"{target}: {made.seconds:.1f} s, {video.width}x{video.height} at {video.fps}; lips: {lips}", highlight=False
    )


def _show(progress: Progress, bar: TaskID, now: Any) -> None:
    progress.update(bar, completed=now.said / max(1, now.total), description=f"{now.seconds:.0f} s of video")


def _render_folder(folder: Path, target: Path, settings: Settings, language: str | None, workers: int | None) -> None:
    import os

    from anchor import batch

    jobs = batch.jobs(folder, target, language)
    bars: dict[batch.Job, TaskID] = {}
    with Progress(*COLUMNS, console=err, transient=True) as progress:
        whole = progress.add_task(f"{len(jobs)} films", total=len(jobs))

        def tell(job: batch.Job, now: Any) -> None:
            if isinstance(now, batch.Done):
                progress.advance(whole)
                if job in bars:
                    progress.remove_task(bars.pop(job))
                return
            if job not in bars:
                bars[job] = progress.add_task(job.target.name, total=1.0)
            progress.update(bars[job], completed=now.said / max(1, now.total))

        done = batch.render_all(jobs, settings, workers=workers or os.cpu_count() or 1, tell=tell)
    failed = [one for one in done if one.error]
    for one in failed:
        err.print(f"[bold red]error:[/] {plain(one.error)}", soft_wrap=True)
    before, seconds = sum(one.before for one in done), sum(one.seconds for one in done)
    made = len(done) - before - len(failed)
    out.print(
        f"{target}: {made} films made, {seconds:.0f} s; {before} were there, {len(failed)} failed", highlight=False
    )
    if failed:
        raise typer.Exit(1)


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
            seconds = run(work)
    out.print(f"{target}: {seconds:.1f} s", highlight=False)
