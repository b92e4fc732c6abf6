"""Sound as servers send it: what it is, and the same however it is cut."""

from __future__ import annotations

import asyncio
import struct
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anchor.media import Samples
from anchor.voice.received import UnsoundError, decoder_for, pieces
from tests.voice.speaker import RATE, encoded, pcm, tone, wav

SOUND = tone(0.7)


def decode(
    data: bytes, *, kind: str = "", asked: str = "pcm", rate: int | None = None, size: int = 4000
) -> tuple[int, Samples]:
    """Rate and sound of what comes in pieces of `size` bytes."""

    async def main() -> tuple[int, Samples]:
        left = [data[start : start + size] for start in range(0, len(data), size)]

        async def pull() -> bytes | None:
            return left.pop(0) if left else None

        decoder, head = await decoder_for(pull, kind=kind, asked=asked, rate=rate)
        found = [sound async for sound in pieces(decoder, head, pull, lambda _: None)]
        return decoder.rate, np.concatenate(found) if found else np.zeros(0, np.float32)

    return asyncio.run(main())


def with_header(
    data: bytes, *, size: int, form: int = 1, channels: int = 1, rate: int = RATE, bits: int = 16, extra: bytes = b""
) -> bytes:
    frame = channels * bits // 8
    fields = struct.pack("<HHIIHH", form, channels, rate, rate * frame, frame, bits) + extra
    return (
        b"RIFF\xff\xff\xff\xffWAVEfmt "
        + struct.pack("<I", len(fields)) + fields + b"LIST\x03\x00\x00\x00abc\x00data" + struct.pack("<I", size) + data
    )  # fmt: skip


@given(size=st.integers(1, 400))
@settings(max_examples=25, deadline=None)
def test_it_makes_no_difference_how_what_comes_is_cut(size: int) -> None:
    sound = tone(0.02)
    for data in (pcm(sound), wav(sound), wav(sound)[:44] + pcm(sound)):
        assert np.abs(decode(data, size=size)[1] - sound).max() < 1e-4


def test_half_a_sample_at_the_end_is_left_out() -> None:
    assert len(decode(pcm(SOUND) + b"\x01")[1]) == len(SOUND)


def test_a_wav_is_read_as_what_its_header_says_whatever_was_asked_for() -> None:
    rate, sound = decode(wav(SOUND, 16_000), kind="audio/pcm", rate=24_000)
    assert (rate, len(sound)) == (16_000, len(SOUND))


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0x7FFFFFFF, 0xFFFFFFDB])
def test_a_wav_that_was_written_before_its_length_was_known_ends_where_it_ends(size: int) -> None:
    assert len(decode(with_header(pcm(SOUND), size=size))[1]) == len(SOUND)


def test_a_wav_that_lacks_a_moment_is_whole_enough() -> None:
    assert len(decode(wav(SOUND)[:-480])[1]) == len(SOUND) - 240


def test_wavs_one_after_another_are_one_sound() -> None:
    assert len(decode(wav(SOUND) + wav(SOUND) + wav(SOUND), size=1000)[1]) == 3 * len(SOUND)


@pytest.mark.parametrize(
    ("form", "bits", "data"),
    [
        (1, 8, (SOUND * 127 + 128).astype("u1").tobytes()),
        (1, 24, np.stack([(SOUND * (2**31 - 1)).astype("<i4")], 1).view("u1")[:, 1:].tobytes()),
        (1, 32, (SOUND * (2**31 - 1)).astype("<i4").tobytes()),
        (3, 32, SOUND.astype("<f4").tobytes()),
        (3, 64, SOUND.astype("<f8").tobytes()),
    ],
)
def test_wavs_of_all_kinds_of_samples_are_read(form: int, bits: int, data: bytes) -> None:
    sound = decode(with_header(data, size=len(data), form=form, bits=bits), size=997)[1]
    assert np.abs(sound - SOUND).max() < 0.01


def test_a_wav_of_two_channels_becomes_one() -> None:
    data = np.stack([SOUND, np.zeros_like(SOUND)], 1)
    sound = decode(with_header(pcm(data), size=data.size * 2, channels=2))[1]
    assert np.abs(sound - SOUND / 2).max() < 1e-3


def test_an_extensible_wav_says_further_back_what_it_is() -> None:
    extra = struct.pack("<HHIH14s", 22, 32, 4, 3, bytes(14))
    data = SOUND.astype("<f4").tobytes()
    assert np.abs(decode(with_header(data, size=len(data), form=0xFFFE, bits=32, extra=extra))[1] - SOUND).max() < 1e-6


@pytest.mark.parametrize(
    ("container", "codec", "kind"),
    [
        ("mp3", "libmp3lame", "audio/mpeg"),
        ("ogg", "libopus", "audio/ogg"),
        ("flac", "flac", "audio/flac"),
        ("adts", "aac", "audio/aac"),
        ("ogg", "libopus", "application/octet-stream"),
    ],
)  # fmt: skip
def test_what_ffmpeg_reads_is_decoded_as_it_comes(container: str, codec: str, kind: str) -> None:
    rate, sound = decode(encoded(SOUND, container, codec), kind=kind, asked="mp3", size=1000)
    assert rate in (24_000, 48_000)
    assert len(sound) / rate == pytest.approx(len(SOUND) / RATE, abs=0.12)
    level = np.sqrt(np.mean(sound[rate // 5 : rate // 2] ** 2))
    assert level == pytest.approx(0.2 / np.sqrt(2), rel=0.1)


def test_the_first_compressed_sound_is_there_long_before_the_last() -> None:
    data = encoded(tone(20), "mp3", "libmp3lame")

    async def main() -> int:
        left = [data[start : start + 500] for start in range(0, len(data), 500)]
        total = len(left)

        async def pull() -> bytes | None:
            return left.pop(0) if left else None

        decoder, head = await decoder_for(pull, kind="audio/mpeg", asked="mp3", rate=None)
        sounds = pieces(decoder, head, pull, lambda _: None)
        await anext(sounds)
        await sounds.aclose()
        return 100 * (total - len(left)) // total

    threads = threading.active_count()
    assert asyncio.run(main()) <= 12, "per cent of the file"
    for thread in threading.enumerate():
        if thread.name == "decoding a voice":
            thread.join(5)
    assert threading.active_count() <= threads, "whoever stops listening leaves no thread"


def test_the_rate_of_bare_samples_is_the_users_then_the_servers_then_the_protocols() -> None:
    assert decode(pcm(SOUND), kind="audio/L16; rate=16000", rate=22_050)[0] == 22_050
    assert decode(pcm(SOUND), kind="audio/L16; rate=16000")[0] == 16_000
    assert decode(pcm(SOUND), kind="audio/pcm")[0] == 24_000


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "answered with nothing"),
        (b'{"error": {"message": "no such voice"}}', "JSON instead of sound: no such voice"),
        ('{"detail": "余额不足，请充值后再试一次"}'.encode(), "JSON instead of sound: 余额不足"),
        (b"<!DOCTYPE html><html><title>Sign in</title><style>p{}</style></html>", "a web page .*: Sign in$"),
        (b"Internal error\n", "text instead of sound: Internal error"),
        (wav(SOUND)[:-4800], r"a WAV that breaks off 0.1 s before its end, after 0.6 s"),
        (wav(SOUND)[:44], "a WAV without its sound"),
        (wav(SOUND)[:20], "a WAV without its sound"),
        (with_header(b"", size=0, rate=7), "a WAV of 7 samples a second"),
        (with_header(b"", size=0, bits=12), "of a kind that is not read here"),
        (with_header(b"", size=0, form=0x55), "of a kind that is not read here"),
        (wav(SOUND) + wav(SOUND, 16_000), "WAVs of 24000 and of 16000"),
        (b"RIFF\xff\xff\xff\xffWAVEdata\x10\x00\x00\x00" + bytes(16), "does not say what its samples are"),
        (b"RIFF\xff\xff\xff\xffWAVEfmt \xff\xff\xff\x7f" + bytes(16), "whose parts make no sense"),
        (b"OggS" + bytes(5000), "what cannot be decoded"),
        (b"fLaC" + bytes(5000), "what cannot be decoded"),
    ],
)  # fmt: skip
def test_what_is_no_sound_is_told_by_what_it_is(data: bytes, told: str) -> None:
    with pytest.raises(UnsoundError, match=told):
        decode(data)


def test_another_format_than_was_asked_for_is_an_error_where_it_cannot_be_told() -> None:
    with pytest.raises(UnsoundError, match="asked for wav and sent something else"):
        decode(pcm(SOUND), kind="application/octet-stream", asked="wav")
    assert len(decode(pcm(SOUND), kind="audio/pcm", asked="wav")[1]) == len(SOUND)
