"""What the commands share: their options, and how they print."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console

out = Console()
if not out.is_terminal and "COLUMNS" not in os.environ:
    out.width = 200  # into a file or another program, tables go whole
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
TemplateOption = Annotated[
    str, typer.Option("--template", help="Of graphics: house, newsroom, market, or a .toml; the script's if not given.")
]
LogoOption = Annotated[Path | None, typer.Option("--logo", help="A PNG or WebP picture in the corner.")]
SecondOption = Annotated[
    str, typer.Option("--second-language", help="A further line of the captions, where the script has the text.")
]
MocapOption = Annotated[
    Path | None, typer.Option("--mocap", help="A take whose performer drives all of the face but the mouth.")
]
TakeFpsOption = Annotated[
    int | None, typer.Option("--take-fps", min=1, max=1000, help="Rate of a take that only numbers its frames.")
]
OutOption = Annotated[Path, typer.Option("-o", "--out", help="The MP4 to write.")]


def plain(text: str) -> str:
    return text.replace("[", r"\[")


def run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)


def device_options(text: str) -> dict[str, Any]:
    """``cuda+half`` as options of a driver."""
    device, _, half = text.partition("+")
    if half not in ("", "half"):
        raise typer.BadParameter(f"{text}: write a device, or a device and +half", param_hint="--device")
    return ({"device": device} if device else {}) | ({"half": True} if half else {})
