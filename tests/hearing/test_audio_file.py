"""Recordings that somebody uploads, good and bad."""

from __future__ import annotations

import io
import wave

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anchor.errors import FormatError
from anchor.hearing.audio_file import LARGEST_BYTES, LONGEST_SECONDS, read_audio
from anchor.talk import HEARING_RATE, Hearing


def tone(seconds: float, rate: int) -> Hearing:
    return (0.4 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def encoded(kind: str, codec: str, rate: int, channels: int = 1, seconds: float = 2.0) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format=kind) as container:
        stream = container.add_stream(codec, rate=rate, layout="stereo" if channels == 2 else "mono")
        assert isinstance(stream, av.AudioStream)
        sound = tone(seconds, rate)
        frame = av.AudioFrame.from_ndarray(np.repeat(sound[None], channels, 0), "fltp", stream.layout.name)
        frame.sample_rate = rate
        resampler = av.AudioResampler(stream.format.name, stream.layout.name, rate, frame_size=1024)
        for part in (*resampler.resample(frame), *resampler.resample(None)):
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    return file.getvalue()


def pcm(sound: Hearing, rate: int = HEARING_RATE) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes((sound * 32767).astype("<i2").tobytes())
    return file.getvalue()


@pytest.mark.parametrize(
    ("kind", "codec", "rate", "channels"),
    [
        ("wav", "pcm_s16le", 44100, 2),
        ("wav", "pcm_s16le", 8000, 1),
        ("wav", "pcm_f32le", 48000, 1),
        ("wav", "pcm_mulaw", 8000, 1),
        ("mp3", "libmp3lame", 44100, 2),
        ("ogg", "libopus", 48000, 1),
        ("flac", "flac", 48000, 2),
        ("ipod", "aac", 44100, 2),
        ("adts", "aac", 44100, 1),
        ("webm", "libopus", 48000, 1),
    ],
)
def test_a_recording_of_any_make_becomes_16_khz_mono(kind: str, codec: str, rate: int, channels: int) -> None:
    sound = read_audio(encoded(kind, codec, rate, channels))
    assert sound.dtype == np.float32
    assert sound.ndim == 1
    assert len(sound) / HEARING_RATE == pytest.approx(2, abs=0.12)
    assert float(np.abs(sound[4000:-4000]).max()) == pytest.approx(0.4, abs=0.06)
    spectrum = np.abs(np.fft.rfft(sound[8000:24000]))
    assert int(spectrum.argmax()) == pytest.approx(440, abs=2)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "is empty"),
        (b"hello, this is text", "no recording that is known"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "no recording that is known"),
        (b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n", "no recording that is known"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "no recording that is known"),
        (b"RIFF" + bytes(200), "cannot be decoded|no sound"),
        (b"OggS" + bytes(200), "cannot be decoded|no sound"),
        (b"fLaC" + bytes(200), "cannot be decoded|no sound"),
        (b"ID3" + bytes(400), "cannot be decoded|no sound"),
        (b"\xff\xfb" + bytes(400), "cannot be decoded|no sound"),
        (b"\x00\x00\x00\x20ftypM4A " + bytes(200), "cannot be decoded|no sound"),
        (b"\x1aE\xdf\xa3" + bytes(200), "cannot be decoded|no sound"),
        (pcm(tone(0, HEARING_RATE)), "cannot be decoded|no sound"),
    ],
)
def test_what_is_no_recording_is_refused_by_name(data: bytes, why: str) -> None:
    with pytest.raises(FormatError, match=f"question.wav: .*({why})") as caught:
        read_audio(data, "question.wav")
    assert "\n" not in str(caught.value)


def test_more_channels_than_anybody_records_are_refused() -> None:
    many = bytearray(pcm(tone(1, HEARING_RATE)))
    many[22:24] = (200).to_bytes(2, "little")
    many[32:34] = (400).to_bytes(2, "little")
    with pytest.raises(FormatError, match=r"200 channels|cannot be decoded"):
        read_audio(bytes(many))


def test_a_playlist_that_poses_as_sound_reaches_nothing() -> None:
    for disguise in (b"RIFF", b"ID3", b"OggS"):
        with pytest.raises(FormatError):
            read_audio(disguise + b"\n#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n" * 20)


def test_too_many_bytes_and_too_long_a_recording_are_refused() -> None:
    with pytest.raises(FormatError, match="at most 64"):
        read_audio(bytes(LARGEST_BYTES + 1))
    hours = pcm(np.zeros((LONGEST_SECONDS + 10) * 8000, np.float32), rate=8000)
    with pytest.raises(FormatError, match="longer than 30 minutes"):
        read_audio(hours)


def test_a_length_that_the_header_hides_is_found_while_reading() -> None:
    hours = bytearray(pcm(np.zeros((LONGEST_SECONDS + 10) * 4000, np.float32), rate=4000))
    packed = encoded("flac", "flac", 48000, seconds=1)
    assert len(read_audio(packed)) == HEARING_RATE
    hours[40:44] = (0xFFFFFFFF).to_bytes(4, "little")
    with pytest.raises(FormatError, match="longer than 30 minutes"):
        read_audio(bytes(hours))


def test_a_film_gives_its_sound_only_and_a_silent_film_is_refused() -> None:
    def film(sound: bool) -> bytes:
        file = io.BytesIO()
        with av.open(file, "w", format="mp4") as container:
            video = container.add_stream("libx264", rate=5)
            video.width = video.height = 64
            video.pix_fmt = "yuv420p"
            audio = container.add_stream("aac", rate=48000, layout="mono") if sound else None
            for _ in range(5):
                container.mux(video.encode(av.VideoFrame(64, 64, "yuv420p")))
            container.mux(video.encode(None))
            if audio is not None:
                frame = av.AudioFrame.from_ndarray(tone(1, 48000)[None], "fltp", "mono")
                frame.sample_rate = 48000
                for part in av.AudioResampler("fltp", "mono", 48000, frame_size=1024).resample(frame):
                    container.mux(audio.encode(part))
                container.mux(audio.encode(None))
        return file.getvalue()

    assert len(read_audio(film(sound=True))) / HEARING_RATE == pytest.approx(1, abs=0.1)
    with pytest.raises(FormatError, match="has no sound"):
        read_audio(film(sound=False))


def test_what_was_cut_off_is_read_as_far_as_it_goes() -> None:
    whole = encoded("mp3", "libmp3lame", 44100)
    assert len(read_audio(whole[: len(whole) // 2])) / HEARING_RATE == pytest.approx(1, abs=0.2)


MADE = (("wav", "pcm_s16le", 16000), ("ogg", "libopus", 48000), ("flac", "flac", 16000), ("ipod", "aac", 44100))
WHOLE = {kind: encoded(kind, codec, rate) for kind, codec, rate in MADE}


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(sorted(WHOLE)),
    st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), max_size=20),
    st.integers(0, 40000),
)
def test_damaged_recordings_are_read_or_refused_but_never_worse(
    kind: str, damage: list[tuple[int, int]], end: int
) -> None:
    data = bytearray(WHOLE[kind][: max(8, end)])
    for place, byte in damage:
        data[place % len(data)] = byte
    try:
        sound = read_audio(bytes(data))
    except FormatError:
        return
    assert np.isfinite(sound).all()
    assert len(sound) <= (LONGEST_SECONDS + 1) * HEARING_RATE
