from __future__ import annotations

import itertools
from fractions import Fraction

import av
import numpy as np
import pytest
from aiortc.codecs.h264 import h264_depayload
from hypothesis import given
from hypothesis import strategies as st

from anchor.media import SAMPLE_RATE, Beat, Picture, VideoFormat
from streaming.encoder import OPUS_DELAY, EncodedBeat, KeyframeGate, LiveEncoder, OpusEncoder, default_bitrate
from tests.streaming.beats import SMALL, beat, moving_picture, tone

NOISE = np.random.default_rng(5)


def h264(encoded: EncodedBeat) -> bytes:
    return b"".join(h264_depayload(payload) for payload in encoded.pictures["H264"].payloads)


def size(encoded: EncodedBeat) -> int:
    return sum(len(payload) for picture in encoded.pictures.values() for payload in picture.payloads)


def grainy(video: VideoFormat, index: int) -> Beat:
    """A beat that no encoder finds easy."""
    picture = moving_picture(video, index)
    picture.y[:] += NOISE.integers(0, 24, picture.y.shape, np.uint8)
    return Beat(index, picture, tone(video, index))


def test_every_beat_gives_a_picture_at_once() -> None:
    encoder = LiveEncoder(SMALL)
    decoder = av.CodecContext.create("h264", "r")
    assert isinstance(decoder, av.VideoCodecContext)
    shown = []
    for index in range(30):
        packet = av.Packet(h264(encoder.encode(beat(SMALL, index), ["H264"])))
        shown += decoder.decode(packet)
        assert len(shown) == index + 1
    last = shown[-1].to_ndarray()[: SMALL.height].astype(int)
    assert np.abs(last - moving_picture(SMALL, 29).y).mean() < 3


def test_stream_is_what_the_answer_promises() -> None:
    """profile-level-id 42e01f: constrained baseline, no B pictures, parameter sets before every keyframe."""
    encoder = LiveEncoder(SMALL)
    data = h264(encoder.encode(beat(SMALL, 0), ["H264"]))
    kinds = [unit[0] & 31 for unit in data.split(b"\x00\x00\x00\x01") if unit]
    parameters = data.split(b"\x00\x00\x00\x01")[kinds.index(7) + 1]
    assert kinds.index(7) < kinds.index(8) < kinds.index(5)
    assert parameters[1] == 66
    assert parameters[2] & 0x40, "constrained"


def test_payloads_fit_into_packets() -> None:
    encoder = LiveEncoder(VideoFormat(640, 360))
    encoded = encoder.encode(grainy(VideoFormat(640, 360), 0), ["H264", "VP8"])
    for picture in encoded.pictures.values():
        assert picture.keyframe
        assert len(picture.payloads) > 1
        assert max(map(len, picture.payloads)) <= 1300


def test_storm_of_keyframe_requests_costs_two_a_second() -> None:
    encoder = LiveEncoder(SMALL)
    keyframes = []
    for index in range(100):
        for _ in range(80):
            encoder.ask_keyframe("H264")
        if encoder.encode(beat(SMALL, index), ["H264"]).pictures["H264"].keyframe:
            keyframes.append(index)
    assert 7 <= len(keyframes) <= 8
    assert all(second - first >= 12 for first, second in itertools.pairwise(keyframes))


def test_keyframe_storm_does_not_break_the_bitrate() -> None:
    video = VideoFormat(320, 240)
    calm, stormy = LiveEncoder(video), LiveEncoder(video)
    calm_size = sum(size(calm.encode(grainy(video, index), ["H264"])) for index in range(150))
    stormy_size = 0
    for index in range(150):
        stormy.ask_keyframe("H264")
        stormy_size += size(stormy.encode(grainy(video, index), ["H264"]))
    assert stormy_size <= 1.1 * calm_size
    assert stormy_size * 8 / 6 <= 1.1 * stormy.bitrate


def test_one_request_is_served_at_once() -> None:
    encoder = LiveEncoder(SMALL)
    for index in range(40):
        encoder.encode(beat(SMALL, index), ["H264"])
    encoder.ask_keyframe("H264")
    assert encoder.encode(beat(SMALL, 40), ["H264"]).pictures["H264"].keyframe


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=200), st.integers(1, 30))
def test_gate_never_gives_keyframes_closer_than_its_gap(steps: list[tuple[int, bool]], gap: int) -> None:
    gate = KeyframeGate(gap)
    index, made, waiting = 0, -gap, 0
    for step, ask in steps:
        index += step + 1
        if ask:
            gate.ask()
            waiting = waiting or index
        if gate.due(index):
            assert index - made >= gap
            gate.made(index)
            made, waiting = index, 0
        elif waiting:
            assert index - made < gap


@pytest.mark.parametrize("fps", [10, 20, 24, 25, 30, 40, 48, 50, 60])
def test_opus_packets_follow_each_other_at_every_frame_rate(fps: int) -> None:
    video = VideoFormat(64, 64, fps)
    encoder = OpusEncoder()
    sounds = [
        sound for index in range(fps) for sound in encoder.encode(tone(video, index), index * video.samples_per_beat)
    ]
    assert [sound.timestamp + OPUS_DELAY for sound in sounds] == [place * 960 for place in range(50)]


def test_opus_decodes_to_what_went_in_at_its_time() -> None:
    encoder = OpusEncoder()
    decoder = av.CodecContext.create("libopus", "r")
    assert isinstance(decoder, av.AudioCodecContext)
    decoder.sample_rate, decoder.layout = SAMPLE_RATE, "mono"
    click = np.zeros(48_000, np.float32)
    click[24_000:24_100] = 0.8
    heard = np.zeros(50_000)
    for sound in encoder.encode(click, 0):
        packet = av.Packet(sound.payload)
        packet.time_base = Fraction(1, SAMPLE_RATE)
        for frame in decoder.decode(packet):
            samples = frame.to_ndarray().ravel()
            start = sound.timestamp + OPUS_DELAY
            heard[start : start + samples.size] = samples
    loudest = int(np.abs(heard).argmax())
    assert abs(loudest - OPUS_DELAY - 24_050) < 100


def test_sound_begins_anew_after_a_gap() -> None:
    encoder = OpusEncoder()
    encoder.encode(np.zeros(1600, np.float32), 0)
    after = encoder.encode(np.zeros(1600, np.float32), 160_000)
    assert [sound.timestamp + OPUS_DELAY for sound in after] == [160_000]


def test_nothing_is_encoded_for_codecs_that_nobody_uses() -> None:
    encoder = LiveEncoder(SMALL)
    encoded = encoder.encode(beat(SMALL, 0), [])
    assert encoded.pictures == {}
    assert len(encoded.sounds) == 2


def test_bitrate_follows_the_size() -> None:
    assert default_bitrate(VideoFormat(1280, 720)) == pytest.approx(1.6e6, rel=0.02)
    assert default_bitrate(VideoFormat(64, 64)) == 300_000
    assert default_bitrate(VideoFormat(3840, 2160, 60)) == 6_000_000


def test_black_costs_next_to_nothing() -> None:
    encoder = LiveEncoder(SMALL)
    sizes = [
        size(encoder.encode(Beat(i, Picture.black(SMALL), np.zeros(1920, np.float32)), ["H264"])) for i in range(9)
    ]
    assert max(sizes[1:]) < 200
