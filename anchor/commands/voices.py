"""``anchor voice``: voices of people, made of their recordings and with their consent."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, get_args

import typer
from rich.table import Table

from anchor.commands.options import err, out, plain
from anchor.errors import AnchorError

voice_app = typer.Typer(help="Voices of people who agreed to it.", no_args_is_help=True)

PackageArgument = Annotated[Path, typer.Argument(help="The folder or zip of a voice.")]
WhoOption = Annotated[str, typer.Option("--consent-who", "--consent-by", help="Whose voice it is, who agreed.")]
ScopeOption = Annotated[str, typer.Option("--consent-scope", help="What they agreed to, in words; it names the voice.")]
UntilOption = Annotated[
    str, typer.Option("--consent-until", help="Until when: a date such as 2030-12-31, or unlimited.")
]


def voices() -> None:
    """List what can speak, and who would be chosen by itself in each language."""
    from anchor import registry
    from anchor.models.catalogue import catalogue
    from anchor.voice.choice import preferred

    table = Table("engine", "languages", "words and phones", "moods", "licence", box=None)
    for engine in registry.names("anchor.voice"):
        try:
            info = registry.build(registry.load("anchor.voice", engine), {}, "options").info
        except AnchorError as error:
            models = [model.name for model in catalogue() if model.task == "voice" and model.engine == engine]
            pull = f"; anchor models pull {models[0]}" if models else ""
            table.add_row(engine, f"[dim]{plain(str(error))}{pull}[/]", "", "", "")
            continue
        moods = ", ".join(info.moods) or "none"
        timed = "its own" if info.phone_timings else "found in the sound"
        table.add_row(engine, ", ".join(info.languages), timed, moods, info.licence)
    out.print(table)
    chosen = ", ".join(f"{tag} {' > '.join(preferred(tag))}" for tag in ("zh", "en", "ja", "es", "fr", "de", "ko"))
    out.print(f"auto: {chosen}", highlight=False, soft_wrap=True)


@voice_app.command("list")
def voice_list(folder: Annotated[Path, typer.Argument(help="A folder of voice packages.")]) -> None:
    """List the voice packages in a folder: until when consent lasts, and which cannot be used."""
    from anchor.voice.maker import installed_packages

    table = Table("name", "title", "engine", "languages", "licence", "consent until", box=None)
    for entry in installed_packages(folder):
        if entry.problem:
            table.add_row(plain(entry.name), "[red]cannot be used[/]", "", "", "", plain(entry.problem))
        else:
            table.add_row(
                entry.name, plain(entry.title), entry.engine, ", ".join(entry.languages), plain(entry.licence),
                entry.until,
            )  # fmt: skip
    out.print(table)


@voice_app.command("make")
def voice_make(
    folder: Annotated[Path, typer.Argument(help="The folder to write; it must not be there yet.")],
    engine: Annotated[str, typer.Option("--engine", help="Who speaks like it; see 'anchor voices'.")],
    who: WhoOption,
    scope: ScopeOption,
    until: UntilOption,
    reference: Annotated[
        list[Path] | None, typer.Option("--reference", help="A recording of 6 to 30 s; give one or more.")
    ] = None,
    text: Annotated[
        list[str] | None, typer.Option("--text", help="What is said in it, or a .txt that says so; one for each.")
    ] = None,
    mood: Annotated[
        list[str] | None, typer.Option("--mood", help="MOOD=FILE: how it speaks in a mood, e.g. cheerful=happy.wav.")
    ] = None,
    option: Annotated[list[str] | None, typer.Option("--option", help="KEY=VALUE of the engine.")] = None,
    file: Annotated[
        list[Path] | None, typer.Option("--file", help="A file that an option names, such as weights; it is copied.")
    ] = None,
    language: Annotated[list[str] | None, typer.Option("--language", help="What it speaks; one or more tags.")] = None,
    name: Annotated[str, typer.Option("--name", help="A short name; the folder's, if not given.")] = "",
    title: Annotated[str, typer.Option("--title", help="The name that is shown.")] = "",
    licence: Annotated[str, typer.Option("--licence", help="Under what terms the voice may be used.")] = (
        "all rights reserved"
    ),
) -> None:
    """Make a voice like that of a person who agreed to it, from recordings of theirs."""
    from anchor.voice import maker

    references, consent = _pairs(reference or [], text or []), maker.consent_of(who, scope, until)
    maker.check_references(references)
    for spoken in references:
        for note in _heard(spoken, (language or [""])[0]):
            err.print(plain(note), soft_wrap=True)
    maker.make_voice(
        folder, engine=engine, references=references, moods=_moods(mood or []),
        consent=consent, name=name, title=title, languages=language or (),
        licence=licence, options=_options(option or []), files=file or (),
    )  # fmt: skip
    out.print(f"{folder}: made. Hear it with: anchor say --voice {folder} ...", highlight=False, soft_wrap=True)


@voice_app.command("check")
def voice_check(package: PackageArgument) -> None:
    """Check a voice package and say what is wrong with it, its recordings included."""
    from anchor.errors import VoiceError
    from anchor.packages.archive import unpacked
    from anchor.voice.maker import problems_of
    from anchor.voice.package import VOICE, check, read_manifest

    problems = check(package)
    if not problems:
        with unpacked(package, VOICE) as folder:
            for clip in read_manifest(folder).references:
                try:
                    problems += [text.replace(str(folder), str(package)) for text in problems_of(clip.file)]
                except VoiceError as error:
                    problems.append(str(error).replace(str(folder), str(package)))
    for problem in problems:
        err.print(plain(problem), soft_wrap=True)
    if problems:
        raise typer.Exit(1)
    out.print(f"{package}: good", highlight=False, soft_wrap=True)


@voice_app.command("consent")
def voice_consent(
    package: PackageArgument,
    until: UntilOption,
    who: Annotated[str, typer.Option("--consent-who", help="Who agreed; as it was, if not given.")] = "",
    scope: Annotated[str, typer.Option("--consent-scope", help="To what; as it was, if not given.")] = "",
) -> None:
    """Renew the record of consent. A date that is past revokes it: the voice falls silent within a second."""
    from anchor.voice.maker import record_consent

    record = record_consent(package, until=until, who=who, scope=scope)
    ended = "; it has ended: the voice cannot be used" if record.ended else ""
    out.print(f"{package}: {plain(record.who)}, until {until}{ended}", highlight=False, soft_wrap=True)


@voice_app.command("revoke")
def voice_revoke(package: PackageArgument) -> None:
    """End the consent at once: wherever the voice is on air, it falls silent within a second."""
    from anchor.voice.maker import revoke

    record = revoke(package)
    out.print(f"{package}: the consent of {plain(record.who)} is revoked", highlight=False, soft_wrap=True)


def _pairs(references: list[Path], texts: list[str]) -> list[Any]:
    from anchor.voice.maker import Spoken

    if len(references) != len(texts):
        raise typer.BadParameter(
            f"{len(references)} recordings and {len(texts)} texts; give one --text for each --reference",
            param_hint="--text",
        )
    return [Spoken(path, _written(text)) for path, text in zip(references, texts, strict=True)]


def _written(text: str) -> str:
    if text.lower().endswith(".txt") and Path(text).is_file():
        try:
            text = Path(text).read_text("utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise typer.BadParameter(f"{text}: cannot be read: {error}", param_hint="--text") from error
    text = " ".join(text.split())
    if not text:
        raise typer.BadParameter("what is said in a recording is needed", param_hint="--text")
    return text


def _heard(spoken: Any, language: str) -> list[str]:
    """Whether what is said in a recording is its text, as far as the aligner can tell."""
    import asyncio

    from anchor.broadcast.prose import guess_language
    from anchor.voice.reading import Reading
    from anchor.voice.recorded import open_spotter

    async def fits() -> bool:
        spotter = open_spotter()
        try:
            return await Reading(spoken.path, spoken.text, language or guess_language(spoken.text)).fits(spotter)
        finally:
            await spotter.close()

    return [] if asyncio.run(fits()) else [f"{spoken.path}: what is said in it does not seem to be its --text"]


def _moods(given: list[str]) -> dict[Any, Path]:
    from anchor.events import Mood

    found: dict[Any, Path] = {}
    for text in given:
        mood, _, path = text.partition("=")
        if mood not in get_args(Mood) or not path:
            raise typer.BadParameter(
                f"{text}: write MOOD=FILE, the mood one of {', '.join(get_args(Mood))}", param_hint="--mood"
            )
        found[mood] = Path(path)
    return found


def _options(given: list[str]) -> dict[str, Any]:
    """KEY=VALUE as TOML values, where they are some, else as text."""
    import tomllib

    found: dict[str, Any] = {}
    for text in given:
        key, _, value = text.partition("=")
        if not key or not value:
            raise typer.BadParameter(f"{text}: write KEY=VALUE", param_hint="--option")
        try:
            found[key] = tomllib.loads(f"x = {value}")["x"]
        except tomllib.TOMLDecodeError:
            found[key] = value
    return found
