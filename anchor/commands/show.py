"""Shows on air, and rundowns made from articles."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from anchor.commands.options import (
    AvatarOption,
    BackdropOption,
    DriverOption,
    FpsOption,
    LanguageOption,
    LogoOption,
    SecondOption,
    SizeOption,
    TemplateOption,
    VoiceOption,
    err,
    out,
    plain,
    run,
)
from anchor.registry import DEFAULT_AVATAR, DEFAULT_DRIVER

KINDS = {".md": "markdown", ".markdown": "markdown", ".html": "html", ".htm": "html", ".txt": "text", "": "text"}


def broadcast(
    rundown: Annotated[Path, typer.Argument(help="A .yaml, .ssml or .txt script.")],
    to: Annotated[
        list[str],
        typer.Option(
            "--to",
            help="rtmp://..., rtmps://..., whip+https://..., hls:DIR, file:PATH.mp4 or camera:DEVICE; may be repeated. "
            "${NAME} in it is an environment variable, for stream keys.",
        ),
    ],
    loop: Annotated[bool, typer.Option("--loop", help="Again and again.")] = False,
    pause: Annotated[float, typer.Option("--pause", min=0, max=3600, help="Seconds between two rounds.")] = 2.0,
    avatar: AvatarOption = DEFAULT_AVATAR,
    voice: VoiceOption = "auto",
    size: SizeOption = "1280x720",
    fps: FpsOption = 25,
    captions: Annotated[
        Literal["burn", "none"],
        typer.Option("--captions", help="In the picture, or only as tracks."),
    ] = "burn",
    language: LanguageOption = None,
    backdrop: BackdropOption = None,
    driver: DriverOption = DEFAULT_DRIVER,
    second_language: SecondOption = "",
    template: TemplateOption = "",
    logo: LogoOption = None,
    clock: Annotated[str, typer.Option("--clock", help="Show the time of a zone, such as Asia/Shanghai.")] = "",
    profile: Annotated[
        str, typer.Option("--profile", help="The platform it is encoded for, where a destination does not say.")
    ] = "",
    state: Annotated[
        Path | None, typer.Option("--state", help="A folder for what was aired and where to go on after a fall.")
    ] = None,
    cache: Annotated[Path | None, typer.Option("--cache", help="A folder that keeps spoken sentences.")] = None,
) -> None:
    """Air a show: to platforms, servers, files and devices, all at once, from one picture."""
    from anchor.airing import air
    from anchor.broadcast.script import load_script
    from anchor.config import ChannelConfig, Config, GraphicsConfig, OutputConfig, ShowConfig, VoiceConfig

    script = load_script(rundown, language, second_language=second_language)
    channel = ChannelConfig(
        name="show", title=rundown.stem, avatar=_path_or_name(avatar), driver=_path_or_name(driver),
        language=language or script.segments[0].language,
        second_language=second_language,
        size=size, fps=fps, backdrop=backdrop, scripts=(rundown,), loop=loop, pause=pause,
        captions="burn" if captions == "burn" else "page",
        graphics=GraphicsConfig(template=template or script.template or "house", logo=logo, clock=clock),
        show=ShowConfig(state=state),
        outputs=tuple(OutputConfig(to=one, profile=profile) for one in to),
    )  # fmt: skip
    config = Config(voice=VoiceConfig(engine=voice, cache=cache), channels=(channel,))
    run(air(config, lambda text: out.print(plain(text), highlight=False, soft_wrap=True)))


def _path_or_name(text: str) -> str | Path:
    return Path(text) if "/" in text or text.lower().endswith((".zip", ".onnx")) else text


def draft(
    article: Annotated[Path, typer.Argument(help="A .txt, .md or .html file.")],
    target: Annotated[Path, typer.Option("-o", "--out", help="The rundown to write, a .yaml file.")],
    language: LanguageOption = None,
    title: Annotated[str, typer.Option("--title", help="The bulletin's title; the article's if not given.")] = "",
) -> None:
    """Make a rundown of an article: headline, summary, segments and charts, for somebody to look through."""
    from anchor.broadcast.article import draft as drafted
    from anchor.broadcast.document import to_yaml
    from anchor.broadcast.script import read_file
    from anchor.errors import OutputError, ScriptError

    kind = KINDS.get(article.suffix.lower())
    if kind is None:
        raise ScriptError(f"{article}: cannot read {article.suffix} articles; write .txt, .md or .html")
    document = drafted(read_file(article), kind, language=language, title=title)  # type: ignore[arg-type]
    if target.exists():
        raise OutputError(f"{target}: is there already; name another file")
    scratch = target.with_name(f".{target.name}.part")
    try:
        scratch.write_text(to_yaml(document), "utf-8")
        scratch.replace(target)
    except OSError as error:
        scratch.unlink(missing_ok=True)
        raise OutputError(f"{target}: cannot be written: {error.strerror or error}") from error
    segments = len(document.get("segments", ()))
    out.print(f"{target}: {segments} segments", highlight=False, soft_wrap=True)
    err.print("Look through it, take the line 'review: required' out, and render or broadcast it", highlight=False)


def aired(
    folder: Annotated[Path, typer.Argument(help="The state folder of a show, or one day's file of its log.")],
) -> None:
    """Verify the log of what a show has aired: any line that was changed or taken out is found."""
    from anchor.broadcast.aired import verify
    from anchor.errors import OutputError

    path = folder / "aired" if (folder / "aired").is_dir() else folder
    if not (path.is_file() or any(path.glob("aired-*.jsonl"))):
        raise OutputError(f"{folder}: there is no log of what was aired")
    problems = verify(path)
    for problem in problems:
        err.print(plain(problem), soft_wrap=True)
    if problems:
        raise typer.Exit(1)
    out.print(f"{path}: whole", highlight=False, soft_wrap=True)
