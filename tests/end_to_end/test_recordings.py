"""A person's recording in a rundown, all the way to a file: their sound, with the captions and lips of its text."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from anchor import parts, rendering
from anchor.batch import Job, fingerprint
from anchor.broadcast.script import Segment, load_script
from anchor.config import VoiceConfig
from anchor.errors import RundownError, VoiceError
from anchor.media import SAMPLE_RATE, Samples, VideoFormat
from anchor.rendering import Rendered, Settings
from anchor.segments import Faces, Speakers, Utterer
from anchor.testing import FakeScene, FakeVoice
from anchor.voice.maker import write_wav
from tests.drivers.speech import lag
from tests.voice.people import likeness, said, shift

VIDEO = VideoFormat(320, 180)
TEXT = "Good evening, and welcome. Prices rose by 5 percent in March, the bank said. Papa bought a big map of Bohemia."
STEP_MS = 4
Spoken = tuple[Samples, list[tuple[str, float, float]]]


@pytest.fixture(scope="module")
def spoken() -> Spoken:
    return said(TEXT)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, spoken: Spoken) -> Path:
    place = tmp_path_factory.mktemp("show")
    write_wav(place / "news.wav", spoken[0] * np.float32(0.3))
    return place


def rundown(folder: Path, text: str = TEXT, *, recording: str = "news.wav", more: str = "") -> Path:
    path = folder / "show.yaml"
    path.write_text(f"segments:\n  - text: >\n      {text}\n    recording: {recording}\n{more}", "utf-8")
    return path


def film(segments: tuple[Segment, ...], path: Path) -> Rendered:
    async def run() -> Rendered:
        voice = parts.open_voice(VoiceConfig())
        try:
            return await rendering.render(
                segments, path, voice=voice, driver=parts.open_driver("auto"), avatar=parts.open_avatar("lin"),
                video=VIDEO, captions="file",
            )  # fmt: skip
        finally:
            await voice.close()

    return asyncio.run(run())


def captions(path: Path) -> list[tuple[str, float, float]]:
    found = []
    for block in path.with_suffix(".srt").read_text("utf-8").strip().split("\n\n"):
        _, times, *lines = block.split("\n")
        begin, end = (
            sum(
                float(part) * unit
                for part, unit in zip(re.split(":", side.replace(",", ".")), (3600, 60, 1), strict=True)
            )
            for side in times.split(" --> ")
        )
        found.append((" ".join(lines), begin, end))
    return found


def watched(path: Path) -> tuple[Samples, list[float]]:
    """The sound of a film, and how much the mouth is moved in every picture."""
    with av.open(str(path)) as container:
        pieces = [frame.to_ndarray().mean(axis=0) for frame in container.decode(audio=0)]
    with av.open(str(path)) as container:
        pictures = [
            frame.to_ndarray(format="gray")[84:104, 146:174].astype(float) for frame in container.decode(video=0)
        ]
    return np.concatenate(pieces).astype(np.float32), [float(np.abs(one - pictures[0]).mean()) for one in pictures]


def finer(values: list[float]) -> NDArray[np.float64]:
    """One a picture made one every `STEP_MS`."""
    steps = np.arange(len(values) * 1000 // VIDEO.fps // STEP_MS) * STEP_MS * VIDEO.fps / 1000
    return np.interp(steps, np.arange(len(values)), values)


def test_a_segment_is_said_by_its_recording_with_captions_and_lips_in_step(folder: Path, spoken: Spoken) -> None:
    sound, times = spoken
    script = load_script(rundown(folder))
    rendered = film(script.segments, folder / "film.mp4")
    assert rendered.lips == ("aligned",)
    heard, mouth = watched(folder / "film.mp4")
    assert likeness(heard, sound) > 0.98, "it is that very sound, pauses and all"
    start = shift(heard, sound) / SAMPLE_RATE
    assert abs(start - rendering.HEAD_SECONDS - 0.08) < 0.08
    found = captions(folder / "film.mp4")
    assert " ".join(text for text, _, _ in found).replace("  ", " ") == TEXT
    for sentence, begin, _ in times:
        nearest = min(found, key=lambda one: abs(one[1] - start - begin))
        assert sentence.startswith(nearest[0].split()[0]) and abs(nearest[1] - start - begin) < 0.12
    # The same film with the voice's own timings: how far lips are from sound, against that.
    film((Segment(TEXT, "en"),), folder / "own.mp4")
    offsets = []
    for own_sound, own_mouth in ((heard, mouth), watched(folder / "own.mp4")):
        loudness = [float(np.sqrt(np.mean(part**2))) for part in np.array_split(own_sound, len(own_mouth))]
        offsets.append(lag(finer(own_mouth), finer(loudness), reach=200 // STEP_MS) * STEP_MS)
    assert abs(offsets[0] - offsets[1]) <= 20


def test_cues_in_the_text_part_the_recording_where_they_stand(folder: Path, spoken: Spoken) -> None:
    sound, times = spoken
    script = load_script(rundown(folder, TEXT.replace("Prices", "[mood: serious] Prices")))
    assert [segment.mood for segment in script.segments] == [None, "serious"]
    film(script.segments, folder / "parts.mp4")
    heard, _ = watched(folder / "parts.mp4")
    second = sound[round((times[1][1] - 0.1) * SAMPLE_RATE) :]
    first = sound[: round(times[0][2] * SAMPLE_RATE)]
    assert likeness(heard, first) > 0.98 and likeness(heard, second) > 0.98
    assert shift(heard, second) > shift(heard, first) + first.size


def test_other_segments_are_said_by_the_voice_and_what_is_said_changes_the_film(folder: Path) -> None:
    path = rundown(folder, more="  - text: And now the weather.\n")
    script = load_script(path)
    assert [segment.recording is not None for segment in script.segments] == [True, False]
    settings = Settings(VIDEO)
    before = fingerprint(Job(path, None, folder / "f.mp4"), settings)
    data = (folder / "news.wav").read_bytes()
    (folder / "news.wav").write_bytes(data[:-2] + b"\1\0")
    assert fingerprint(Job(path, None, folder / "f.mp4"), settings) != before
    (folder / "news.wav").write_bytes(data)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        ({}, "show.yaml:4: recording: there is no file .*other.wav"),
        ({"other.wav": b""}, "show.yaml:4: recording: .*is empty"),
        ({"other.wav": b"hello"}, "show.yaml:4: recording: .*is text, not a recording"),
        ({"other.wav": b"\x89PNG\r\n\x1a\nx"}, "show.yaml:4: recording: .*is a PNG file"),
    ],
)
def test_a_file_that_is_no_recording_is_refused_by_its_line(
    tmp_path: Path, make: dict[str, bytes], reason: str
) -> None:
    for name, data in make.items():
        (tmp_path / name).write_bytes(data)
    with pytest.raises(RundownError, match=reason):
        load_script(rundown(tmp_path, recording="other.wav"))


def test_a_recording_needs_the_text_that_is_read_in_it(folder: Path) -> None:
    path = folder / "bare.yaml"
    path.write_text("segments:\n  - recording: news.wav\n    pause: 3\n    headline: News\n", "utf-8")
    with pytest.raises(RundownError, match=r"bare\.yaml:2: recording: text is needed"):
        load_script(path)


def broken(folder: Path, tmp_path: Path) -> tuple[Segment, ...]:
    (tmp_path / "news.wav").write_bytes((folder / "news.wav").read_bytes()[:60_000])
    return load_script(rundown(tmp_path)).segments


def test_half_a_recording_stops_a_film_before_it_begins(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(VoiceError, match=r"line 2: recording: .*news\.wav: is cut off"):
        film(broken(folder, tmp_path), tmp_path / "film.mp4")
    assert not (tmp_path / "film.mp4").exists()


def utterer(*, lenient: bool) -> Utterer:
    async def stand_by(name: Any) -> Any:
        return lambda: None

    return Utterer(Speakers(FakeVoice()), Faces(stand_by, "lin"), lead=1, scene=FakeScene(VIDEO), lenient=lenient)


def test_on_air_the_voice_says_what_a_broken_recording_cannot(folder: Path, tmp_path: Path) -> None:
    async def main() -> None:
        made = utterer(lenient=True)
        try:
            utterance = await made.utter(broken(folder, tmp_path)[0], 0.0)
        finally:
            await made.speakers.close()
        assert utterance.voice.info.name == "fake" and utterance.gate is None and utterance.text == TEXT

    asyncio.run(main())


def test_a_recording_that_says_something_else_is_told_with_its_line(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    other = "The museum opens at nine. Many visitors came from abroad, and some of them stayed for weeks in the city."

    async def main() -> None:
        made = utterer(lenient=False)
        try:
            (segment,) = load_script(rundown(folder, other)).segments
            await made.utter(segment, 0.0)
        finally:
            await made.speakers.close()

    asyncio.run(main())
    assert re.search(r"line 2: recording: .*news\.wav does not say its text", caplog.text)


def test_each_language_of_a_rundown_has_its_own_recording(folder: Path) -> None:
    (folder / "zh.wav").write_bytes((folder / "news.wav").read_bytes())
    path = folder / "both.yaml"
    path.write_text(
        "languages: [en, zh-CN]\nsegments:\n  - text: {en: Good evening., zh-CN: 大家好。}\n"
        "    recording: {en: news.wav, zh-CN: zh.wav}\n",
        "utf-8",
    )
    found = [load_script(path, language).segments[0].recording for language in ("en", "zh-CN")]
    assert [(one.path.name, one.text) for one in found if one] == [
        ("news.wav", "Good evening."),
        ("zh.wav", "大家好。"),
    ]
