"""A voice that gives only sound, all the way to a file: lips and captions come from its text, or else from sound."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from anchor import parts, rendering
from anchor.broadcast.script import Segment
from anchor.media import VideoFormat
from anchor.pipeline.aligned import AlignedVoice
from anchor.ports import Voice
from anchor.voice.espeak import EspeakVoice
from drivers.speechnet.align import SpeechAligner
from tests.drivers.speechnet.test_align import Mute

VIDEO = VideoFormat(320, 180)
TEXT = "Good evening. The bank opens at 9 in the morning, and the museum has been closed for months."


def _render(path: Path, *, aligned: bool | None) -> rendering.Rendered:
    """With the voice's own timings (None), with alignment, or with neither."""

    async def run() -> rendering.Rendered:
        espeak = EspeakVoice()
        mute = Mute(espeak)
        voices: dict[bool | None, Voice] = {
            None: espeak, True: AlignedVoice(mute, espeak, SpeechAligner()), False: mute,
        }  # fmt: skip
        try:
            return await rendering.render(
                [Segment(TEXT, "en")], path, voice=voices[aligned], driver=parts.open_driver("auto"),
                avatar=parts.open_avatar("lin"), video=VIDEO,
            )  # fmt: skip
        finally:
            await espeak.close()

    return asyncio.run(run())


def _captions(path: Path) -> list[tuple[str, float]]:
    """Text and beginning, in seconds, of every caption."""
    blocks = path.with_suffix(".srt").read_text("utf-8").strip().split("\n\n")
    found = []
    for block in blocks:
        _, times, *lines = block.split("\n")
        hours, minutes, seconds = re.split("[:]", times.split(" --> ")[0].replace(",", "."))
        found.append((" ".join(lines), int(hours) * 3600 + int(minutes) * 60 + float(seconds)))
    return found


def test_captions_and_lips_of_a_voice_without_timings_come_from_its_text(tmp_path: Path) -> None:
    timed, aligned = tmp_path / "timed.mp4", tmp_path / "aligned.mp4"
    assert _render(timed, aligned=None).lips == ("voice",)
    assert _render(aligned, aligned=True).lips == ("aligned",)
    wanted, found = _captions(timed), _captions(aligned)
    assert [text for text, _ in found] == [text for text, _ in wanted]
    assert [begin for _, begin in found] == pytest.approx([begin for _, begin in wanted], abs=0.1)


def test_without_alignment_the_mouth_is_heard_and_captions_keep_a_usual_pace(tmp_path: Path) -> None:
    heard, timed = tmp_path / "heard.mp4", tmp_path / "timed.mp4"
    assert _render(heard, aligned=False).lips == ("network",)
    _render(timed, aligned=None)
    found, wanted = _captions(heard), _captions(timed)
    assert "".join(text for text, _ in found).replace(" ", "") == "".join(text for text, _ in wanted).replace(" ", "")
    assert found[0][1] == pytest.approx(wanted[0][1], abs=0.1)
    assert found[-1][1] < wanted[-1][1] + 2
