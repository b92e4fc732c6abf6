"""Recordings that people bring: read where they are sound, and else refused by what is wrong with them."""

from __future__ import annotations

import io
import os
import struct
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from anchor.errors import VoiceError
from anchor.media import SAMPLE_RATE, Samples
from anchor.voice.recording import heard, judge, read_recording, speakers, trimmed
from tests.voice.people import READ, said


@pytest.fixture(scope="module")
def speech() -> Samples:
    return said(READ)[0]


def wav(sound: Samples, rate: int = SAMPLE_RATE, *, channels: int = 1) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((np.repeat(sound, channels) * 32767).astype("<i2").tobytes())
    return out.getvalue()


def encoded(path: Path, sound: Samples, codec: str, rate: int = 48_000) -> Path:
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=rate)
        frame = av.AudioFrame.from_ndarray((sound * 32767).astype(np.int16)[None, :], "s16", "mono")
        frame.rate = SAMPLE_RATE
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    return path


@pytest.mark.parametrize(
    ("ending", "codec"), [("flac", "flac"), ("mp3", "libmp3lame"), ("ogg", "libopus"), ("m4a", "aac")]
)
def test_a_recording_of_any_usual_kind_is_read_at_the_projects_rate(
    tmp_path: Path, speech: Samples, ending: str, codec: str
) -> None:
    found = read_recording(encoded(tmp_path / f"a.{ending}", speech, codec))
    assert found.seconds == pytest.approx(speech.size / SAMPLE_RATE, abs=0.1)
    start, end = heard(found.sound)
    wanted = heard(speech)
    assert abs(start - wanted[0]) < 0.1 * SAMPLE_RATE and abs(end - wanted[1]) < 0.1 * SAMPLE_RATE


@pytest.mark.parametrize("channels", [1, 2])
def test_another_rate_and_two_channels_are_the_same_sound(tmp_path: Path, speech: Samples, channels: int) -> None:
    (tmp_path / "a.wav").write_bytes(wav(speech[::3], 16_000, channels=channels))
    found = read_recording(tmp_path / "a.wav")
    assert (found.rate, found.channels) == (16_000, channels)
    assert found.seconds == pytest.approx(speech.size / SAMPLE_RATE, abs=0.01)
    assert np.sqrt(np.mean(found.sound**2)) == pytest.approx(float(np.sqrt(np.mean(speech**2))), rel=0.1)


def _patched(data: bytes, at: int, kind: str, value: int) -> bytes:
    return data[:at] + struct.pack(kind, value) + data[at + struct.calcsize(kind) :]


BROKEN: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "empty": (lambda _: b"", "is empty"),
    "text": (lambda _: b"hello " * 1000, "cannot be read"),
    "page": (lambda _: b"<!doctype html><title>404</title>", "cannot be read"),
    "playlist": (lambda _: b"#EXTM3U\n#EXTINF:5,\n/etc/passwd\n", "cannot be read"),
    "half": (lambda data: data[: len(data) // 2], "cut off"),
    "head only": (lambda data: data[:44], "cut off|no sound"),
    "slow": (lambda data: _patched(data, 24, "<I", 100), "100 samples a second"),
    "fast": (lambda data: _patched(data, 24, "<I", 4_000_000_000), "samples a second|cannot be read"),
    "many channels": (lambda data: _patched(data, 22, "<H", 60), "channels|cannot be read"),
    "no channels": (lambda data: _patched(data, 22, "<H", 0), "channels|cannot be read"),
    "no codec": (lambda data: _patched(data, 20, "<H", 0xBEEF), "can(not)? be read"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_file_is_refused_by_its_name_and_what_is_wrong(tmp_path: Path, speech: Samples, kind: str) -> None:
    spoil, reason = BROKEN[kind]
    path = tmp_path / "a.wav"
    path.write_bytes(spoil(wav(speech)))
    with pytest.raises(VoiceError, match=reason) as raised:
        read_recording(path)
    assert str(path) in str(raised.value) and "\n" not in str(raised.value)


def test_a_stream_without_an_end_in_its_header_is_read_as_far_as_it_goes(tmp_path: Path, speech: Samples) -> None:
    """As recorders that were switched off and encoders that write to a pipe leave it."""
    path = tmp_path / "a.wav"
    path.write_bytes(_patched(_patched(wav(speech), 40, "<I", 0xFFFFFFFF), 4, "<I", 0xFFFFFFFF))
    assert read_recording(path).seconds == pytest.approx(speech.size / SAMPLE_RATE, abs=0.01)


def test_what_is_longer_than_allowed_is_refused_before_all_of_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(wav(np.zeros(SAMPLE_RATE, np.float32)))
    with path.open("r+b") as file:
        file.truncate(8 << 30)
        file.seek(4)
        file.write(b"\xff" * 4)
        file.seek(40)
        file.write(b"\xff" * 4)
    with pytest.raises(VoiceError, match="longer than 5 s"):
        read_recording(path, longest=5)


def test_pipes_folders_and_files_that_are_not_there_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    for path in (tmp_path / "pipe.wav", tmp_path, tmp_path / "gone.wav"):
        with pytest.raises(VoiceError, match="no such file"):
            read_recording(path)


def judged(tmp_path: Path, sound: Samples, rate: int = SAMPLE_RATE) -> str:
    (tmp_path / "a.wav").write_bytes(wav(np.clip(sound, -1, 1), rate))
    return "; ".join(judge(read_recording(tmp_path / "a.wav")))


def test_a_good_clip_has_nothing_wrong_with_it(tmp_path: Path, speech: Samples) -> None:
    assert judged(tmp_path, speech) == ""
    assert judged(tmp_path, speech * np.float32(0.15)) == ""


def test_what_is_wrong_with_a_clip_is_told(tmp_path: Path, speech: Samples) -> None:
    noise = np.random.default_rng(1).normal(0, 0.05, speech.size).astype(np.float32)
    assert "record 6 to 30 s" in judged(tmp_path, speech[: 3 * SAMPLE_RATE])
    assert "cut it to 6 to 30 s" in judged(tmp_path, np.tile(speech, 6))
    assert "as on a telephone" in judged(tmp_path, speech[::6], 8000)
    assert "too quiet" in judged(tmp_path, speech * np.float32(0.02))
    assert "overdriven" in judged(tmp_path, speech * 12)
    assert "dB below the voice" in judged(tmp_path, speech + noise)
    assert "0.0 s of speech" in judged(tmp_path, np.zeros(8 * SAMPLE_RATE, np.float32))


@pytest.mark.shared
def test_two_people_in_one_clip_are_told_and_one_is_not(shared: Path) -> None:
    woman = read_recording(shared / "speech/lj/LJ001-0001.wav").sound
    man = read_recording(shared / "speech/vosk_digits.wav").sound
    assert speakers(woman) is None and speakers(man) is None
    assert judge(read_recording(shared / "speech/lj/LJ001-0001.wav")) == []
    both = speakers(np.concatenate([woman, man]))
    assert both is not None and both[0] < 130 < 180 < both[1]


def test_silence_at_the_ends_is_left_out_but_for_a_margin(speech: Samples) -> None:
    start, end = heard(speech)
    core = speech[start:end]
    wide = np.concatenate([np.zeros(SAMPLE_RATE, np.float32), core, np.zeros(2 * SAMPLE_RATE, np.float32)])
    assert abs(trimmed(wide, margin=0.1).size - core.size - 0.2 * SAMPLE_RATE) <= 0.04 * SAMPLE_RATE
