from __future__ import annotations

from dataclasses import replace

import av
import numpy as np
import pytest

from anchor.errors import FormatError
from anchor.media import SAMPLE_RATE, Picture, VideoFormat
from streaming import flv
from streaming.encoding import ProgramEncoder
from streaming.fitting import Fitting
from streaming.nal import FILLER, units, without_filler
from streaming.packets import Packet, Profile
from streaming.profiles import PROFILES
from tests.streaming.beats import beat, moving_picture, tone

VIDEO = VideoFormat(160, 96, 25)
LIVE = PROFILES["live"]


def encode(
    profile: Profile = LIVE,
    count: int = 130,
    *,
    first: int = 0,
    without: range = range(0),
    ask_at: tuple[int, ...] = (),
) -> list[Packet]:
    """Encode `count` beats, those of `without` by their sound alone."""
    encoder = ProgramEncoder(VIDEO, profile)
    packets: list[Packet] = []
    for index in range(first, first + count):
        if index in ask_at:
            encoder.ask_keyframe()
        shot = beat(VIDEO, index)
        packets += encoder.encode(index, None if index in without else shot.picture, shot.audio)
    return packets + encoder.finish()


def pictures(packets: list[Packet]) -> list[Packet]:
    return [packet for packet in packets if packet.kind == "video"]


def keyframes(packets: list[Packet]) -> list[int]:
    return [packet.pts // 3600 for packet in pictures(packets) if packet.keyframe]


def test_keyframes_come_every_two_seconds_of_the_stream_and_nothing_is_reordered() -> None:
    found = pictures(encode(first=7, count=170))
    assert keyframes(found) == [7, 50, 100, 150]
    assert all(packet.pts == packet.dts for packet in found)
    assert [packet.pts // 3600 for packet in found] == list(range(7, 177))


def test_a_keyframe_asked_for_comes_beside_the_regular_ones_and_a_storm_gives_two_a_second() -> None:
    assert keyframes(encode(ask_at=(70,))) == [0, 50, 70, 100]
    stormed = keyframes(encode(ask_at=tuple(range(130)), count=130))
    assert len(stormed) <= 11
    assert {0, 50, 100} <= set(stormed)


def test_a_keyframe_that_was_left_out_comes_with_the_next_picture() -> None:
    assert keyframes(encode(without=range(48, 53))) == [0, 53, 100]


def test_pictures_that_are_left_out_cost_no_sound() -> None:
    whole = [packet for packet in encode(without=range(20, 60)) if packet.kind == "audio"]
    assert [packet.pts for packet in whole] == list(range(-1024, whole[-1].pts + 1, 1024))
    assert [packet.data for packet in whole] == [packet.data for packet in encode() if packet.kind == "audio"]


def test_sound_that_is_missing_is_silence_of_the_same_length() -> None:
    encoder = ProgramEncoder(VIDEO, LIVE)
    packets: list[Packet] = []
    for index in [*range(10), *range(60, 80)]:
        packets += encoder.encode(index, moving_picture(VIDEO, index), tone(VIDEO, index))
    packets += encoder.finish()
    sounds = [packet.pts for packet in packets if packet.kind == "audio"]
    assert sounds == list(range(-1024, sounds[-1] + 1, 1024))
    assert sounds[-1] + 1024 >= 80 * VIDEO.samples_per_beat - 1024


def test_packets_of_both_kinds_are_in_order_of_decoding() -> None:
    for profile in (LIVE, PROFILES["archive"]):
        seconds = [packet.dts / (90_000 if packet.kind == "video" else SAMPLE_RATE) for packet in encode(profile)]
        assert seconds == sorted(seconds)


def test_the_rate_is_constant_to_the_percent_even_of_a_picture_that_stands_still() -> None:
    profile = replace(LIVE, bitrate=600_000)
    encoder = ProgramEncoder(VIDEO, profile)
    still, packets = moving_picture(VIDEO, 0), []
    for index in range(250):
        packets += encoder.encode(index, still, np.zeros(1920, np.float32))
    found = pictures(packets + encoder.finish())
    rates = [8 * sum(len(packet.data) for packet in found[at : at + 50]) / 2 for at in (50, 100, 150)]
    assert all(rate == pytest.approx(600_000, rel=0.01) for rate in rates)
    assert any(unit[0] & 31 == FILLER for packet in found for unit in units(packet.data))
    bare = sum(len(without_filler(packet.data)) for packet in found)
    assert bare < sum(len(packet.data) for packet in found) / 5


def test_what_is_left_without_filler_is_the_same_pictures() -> None:
    found = pictures(encode(replace(LIVE, bitrate=2_000_000), 60))
    header = ProgramEncoder(VIDEO, LIVE).header
    shown = []
    for packets in (found, [replace(packet, data=without_filler(packet.data)) for packet in found]):
        decoder = av.CodecContext.create("h264", "r")
        decoder.extradata = header.avcc
        frames = [frame for packet in packets for frame in decoder.decode(av.Packet(packet.data))]
        shown.append([frame.to_ndarray().tobytes() for frame in [*frames, *decoder.decode(None)]])
    assert len(shown[0]) == 60
    assert shown[0] == shown[1]


def test_the_header_says_what_decoders_need() -> None:
    header = ProgramEncoder(VIDEO, PROFILES["wechat"]).header
    assert header.avcc[:2] == bytes([1, 77])
    assert (header.channels, header.audio_delay, header.video) == (2, 1024, VIDEO)
    assert flv.file_head(header).startswith(b"FLV\x01\x05")


def test_another_frame_rate_is_refused() -> None:
    with pytest.raises(FormatError, match="30 pictures a second and the program 25"):
        ProgramEncoder(VIDEO, replace(LIVE, video=VideoFormat(160, 96, 30)))


@pytest.mark.parametrize(
    ("source", "target", "inside"),
    [
        ((1280, 720), (640, 360), (0, 0, 640, 360)),
        ((1280, 720), (720, 1280), (0, 438, 720, 404)),
        ((720, 1280), (1280, 720), (438, 0, 404, 720)),
        ((640, 360), (1280, 720), (0, 0, 1280, 720)),
    ],
)
def test_a_picture_is_fitted_whole_and_undistorted(
    source: tuple[int, int], target: tuple[int, int], inside: tuple[int, int, int, int]
) -> None:
    white = Picture.black(VideoFormat(*source))
    white.y[:] = 235
    white.u[:], white.v[:] = 90, 200
    fitted = Fitting(VideoFormat(*source), VideoFormat(*target)).fit(white)
    rows, columns = np.flatnonzero((fitted.y > 200).any(1)), np.flatnonzero((fitted.y > 200).any(0))
    left, top, width, height = inside
    assert (columns[0], rows[0], columns.size, rows.size) == (left, top, width, height)
    assert fitted.u[(top + height // 2) // 2, (left + width // 2) // 2] == 90
    assert (fitted.width, fitted.height) == target
    assert fitted.y[0, 0] == (16 if left or top else 235)
