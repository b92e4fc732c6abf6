"""``anchor avatar``: the faces there are, and making more."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.table import Table

from anchor.commands.options import VoiceOption, err, out, plain, run

avatar_app = typer.Typer(help="The faces there are.", no_args_is_help=True)

FolderOption = Annotated[Path | None, typer.Option("--folder", help="A folder of packages to list as well.")]


@avatar_app.command("list")
def avatar_list(folder: FolderOption = None) -> None:
    """List the bundled avatars, and those of a folder: until when consent lasts, and which cannot be used."""
    from anchor import registry

    table = Table("name", "title", "kind", "licence", "consent until", box=None)
    for entry in registry.load("anchor.part", "shelf")(folder).entries():
        if entry.info is None:
            table.add_row(entry.name, "[red]cannot be used[/]", "", plain(entry.problem), "")
        else:
            info = entry.info
            table.add_row(entry.name, plain(info.title), info.kind, plain(info.licence), info.details["until"])
    out.print(table)


@avatar_app.command("show")
def avatar_show(
    name: Annotated[str, typer.Argument(help="Bundled name, folder or zip.")],
    target: Annotated[Path, typer.Option("-o", "--out", help="The PNG to write; the clip is an MP4 beside it.")],
    clip: Annotated[bool, typer.Option("--clip/--no-clip", help="With a clip in which it speaks, or without.")] = True,
    voice: VoiceOption = "auto",
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

    for path in run(work()):
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
        note=lambda text: err.print(plain(text)),
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
    out.print(f"{folder}: {plain(record.who)}, until {until}{ended}", highlight=False, soft_wrap=True)


@avatar_app.command("check")
def avatar_check(path: Annotated[str, typer.Argument(help="Bundled name, folder or zip.")]) -> None:
    """Check an avatar package and say what is wrong with it."""
    from anchor import registry

    problems = registry.load("anchor.part", "avatars").check(path)
    for problem in problems:
        err.print(plain(problem))
    if problems:
        raise typer.Exit(1)
    out.print(f"{path}: good", highlight=False)
