from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import numpy as np
import pytest
from aiortc import VideoStreamTrack
from aiortc.rtp import RtpPacket
from av import AudioFrame, CodecContext

from anchor.errors import SignallingError
from anchor.media import SAMPLE_RATE, VideoFormat
from streaming.events import LONGEST_MESSAGE, MESSAGES_A_SECOND, Mailbox, read_object
from streaming.microphone import PATIENCE_SECONDS, Microphone
from streaming.peer import WebRtcSink
from tests.streaming.beats import beat
from tests.streaming.talking import FRAME, Note, Tone
from tests.streaming.test_peer import run, watch
from tests.streaming.watching import Watcher, on_air

VIDEO = VideoFormat(160, 96, 25)


async def until(true: Callable[[], bool], seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.wait([asyncio.get_running_loop().create_future()], timeout=0.005)


def level(sound: np.ndarray[Any, Any]) -> float:
    return float(np.sqrt(np.mean(sound**2)))


def test_a_visitor_is_heard_as_loud_as_they_are_and_at_once() -> None:
    async def main() -> None:
        note, tone = Note(), Tone(begins=25)
        async with (
            WebRtcSink(VIDEO, listener=note) as sink,
            on_air(sink, VIDEO),
            Watcher(microphone=tone) as visitor,
        ):
            await watch(sink, visitor)
            await visitor.until_pictures(3)
            await until(lambda: any(level(sound) > 0.1 for sound, _ in note.sounds))
            first = next(at for sound, at in note.sounds if level(sound) > 0.1)
            assert tone.began_at is not None
            # A frame of 20 ms is sent when it is whole; the encoder looks 6.5 ms ahead.
            assert first - tone.began_at < 0.06
            await until(lambda: level(note.sound[-SAMPLE_RATE // 4 :]) > 0.2)
            assert level(note.sound[-SAMPLE_RATE // 8 :]) == pytest.approx(0.3 / np.sqrt(2), rel=0.1)
            assert note.sounds[0][0].dtype == np.float32
            assert note.sounds[0][0].shape == (FRAME,)
            await visitor.until(lambda: len(visitor.sounds) > 10)

    run(main)


def test_messages_go_both_ways_and_comings_and_goings_are_told() -> None:
    async def main() -> None:
        note = Note()
        async with WebRtcSink(VIDEO, listener=note) as sink, on_air(sink, VIDEO):
            async with Watcher(microphone=Tone()) as visitor:
                await watch(sink, visitor)
                await until(lambda: note.comings == ["arrived"])
                visitor.channel.send('{"type": "text", "text": "转账要多久？"}')
                await until(lambda: note.messages == [{"type": "text", "text": "转账要多久？"}])
                sink.tell({"type": "mode", "mode": "thinking"})
                await visitor.until(lambda: {"type": "mode", "mode": "thinking"} in visitor.events)
            await until(lambda: note.comings == ["arrived", "left"])

    run(main)


def test_what_is_told_keeps_its_place_among_the_events_of_beats() -> None:
    async def main() -> None:
        async with WebRtcSink(VIDEO, listener=Note()) as sink, Watcher() as visitor:
            await watch(sink, visitor)
            await visitor.until(lambda: len(visitor.events) == 3)
            for index in range(40):
                await sink.send(beat(VIDEO, index, said=str(index)))
                sink.tell({"type": "after", "at": index})
            await visitor.until(lambda: visitor.events[-1] == {"type": "after", "at": 39})
            kinds = [(one["type"], one["at"]) for one in visitor.events if one["type"] in ("word", "after")]
            assert kinds == [(kind, index) for index in range(40) for kind in ("word", "after")]

    run(main)


def test_a_visitor_without_a_microphone_sees_and_is_read() -> None:
    async def main() -> None:
        note = Note()
        async with WebRtcSink(VIDEO, listener=note) as sink, on_air(sink, VIDEO), Watcher() as visitor:
            await watch(sink, visitor)
            await visitor.until_pictures(5)
            await visitor.until(lambda: len(visitor.sounds) > 5)
            visitor.channel.send('{"type": "here"}')
            await until(lambda: bool(note.messages))
            assert note.sounds == []

    run(main)


def test_who_comes_back_takes_the_place_of_the_lost_connection() -> None:
    async def main() -> None:
        note = Note()
        async with (
            WebRtcSink(VIDEO, listener=note, max_viewers=1) as sink,
            on_air(sink, VIDEO),
            Watcher(microphone=Tone()) as lost,
        ):
            await watch(sink, lost)
            await until(lambda: len(note.sounds) > 3)
            async with Watcher(microphone=Tone()) as again:
                answer = await watch(sink, again)
                await again.until_pictures(3)
                assert sink.viewers == 1
                assert note.comings == ["arrived", "arrived"]
                await sink.leave(answer.viewer)
            assert note.comings == ["arrived", "arrived", "left"]

    run(main)


def test_pictures_of_a_visitor_are_not_taken_and_a_second_microphone_is_refused() -> None:
    async def main() -> None:
        note = Note()
        async with WebRtcSink(VIDEO, listener=note) as sink, on_air(sink, VIDEO), Watcher(microphone=Tone()) as visitor:
            camera = visitor.connection.getTransceivers()[0]
            camera.direction = "sendrecv"
            camera.sender.replaceTrack(VideoStreamTrack())
            answer = await watch(sink, visitor)
            assert "a=sendonly" in answer.sdp.partition("m=video")[2].partition("m=")[0]
            await visitor.until_pictures(5)
            await until(lambda: len(note.sounds) > 5)
            async with Watcher(microphone=Tone()) as other:
                other.connection.addTransceiver(Tone(), direction="sendonly")
                with pytest.raises(SignallingError, match="one audio"):
                    await sink.join(await other.offer())
            assert note.comings == ["arrived"]

    run(main)


def test_a_viewer_of_a_broadcast_is_not_heard() -> None:
    async def main() -> None:
        async with WebRtcSink(VIDEO) as sink, on_air(sink, VIDEO), Watcher(microphone=Tone()) as viewer:
            answer = await watch(sink, viewer)
            assert "a=sendrecv" not in answer.sdp.partition("m=audio")[2]
            await viewer.until(lambda: bool(viewer.events))
            viewer.channel.send('{"type": "text", "text": "hello"}')
            await viewer.until_pictures(3)

    run(main)


@pytest.mark.parametrize(
    "junk",
    [
        b"bytes", "", "{", "null", "[]", '"x"', "[" * 15_000, '{"a": NaN}', '{"a": "\\ud800"}',
        '{"a": ' + "9" * 9000 + "}",
        json.dumps({"text": "x" * LONGEST_MESSAGE}), json.dumps({"text": "語" * 6000}, ensure_ascii=False),
    ],
    ids=lambda junk: repr(junk[:12]),
)  # fmt: skip
def test_what_is_no_short_json_object_is_dropped(junk: object) -> None:
    assert read_object(junk) is None


def test_messages_in_a_flood_are_dropped_and_counted() -> None:
    now, told = [100.0], list[Mapping[str, Any]]()
    box = Mailbox(told.append, lambda: now[0])
    for _ in range(3 * MESSAGES_A_SECOND):
        box.take('{"type": "here"}')
    assert (len(told), box.dropped) == (MESSAGES_A_SECOND, 2 * MESSAGES_A_SECOND)
    now[0] += 0.5
    for _ in range(MESSAGES_A_SECOND):
        box.take('{"type": "here"}')
    assert len(told) == pytest.approx(1.5 * MESSAGES_A_SECOND, abs=1)


def test_a_message_that_cannot_be_treated_does_not_end_the_connection(caplog: pytest.LogCaptureFixture) -> None:
    def fails(_: object) -> None:
        raise RuntimeError("a defect")

    Mailbox(fails, lambda: 0.0).take("{}")
    assert "could not be treated" in caplog.text


def opus(count: int, level: float = 0.3) -> list[bytes]:
    """Packets of 20 ms of a tone."""
    encoder = CodecContext.create("libopus", "w")
    encoder.format, encoder.layout, encoder.sample_rate = "s16", "mono", SAMPLE_RATE
    packets: list[bytes] = []
    for index in range(count + 1):
        when = np.arange(index * FRAME, (index + 1) * FRAME) / SAMPLE_RATE
        wave = (level * 32767 * np.sin(2 * np.pi * 440 * when)).astype(np.int16)
        frame = AudioFrame.from_ndarray(wave[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts = SAMPLE_RATE, index * FRAME
        packets += [bytes(packet) for packet in encoder.encode(frame)]
    return packets[:count]


def packet(sequence: int, payload: bytes, *, ssrc: int = 7, time: int | None = None) -> RtpPacket:
    made = RtpPacket(
        payload_type=96,
        sequence_number=sequence & 0xFFFF,
        timestamp=(sequence * FRAME if time is None else time) & 0xFFFFFFFF,
        ssrc=ssrc,
    )
    made._data = payload  # type: ignore[attr-defined]
    return made


def hearing(main: Callable[[Microphone, Note], Coroutine[Any, Any, None]]) -> None:
    async def inside() -> None:
        note = Note()
        microphone = Microphone(note.hear)
        await main(microphone, note)
        microphone.close()

    asyncio.run(inside())


@pytest.mark.parametrize("start", [0, 0xFFFA])
def test_packets_in_line_are_heard_at_once_and_in_order_even_over_the_wrap(start: int) -> None:
    async def main(microphone: Microphone, note: Note) -> None:
        for index, payload in enumerate(opus(12)):
            microphone.add(packet(start + index, payload))
            assert len(note.sounds) == index + 1
        assert level(note.sound[4 * FRAME :]) == pytest.approx(0.3 / np.sqrt(2), rel=0.1)

    hearing(main)


def test_packets_that_overtook_each_other_are_put_in_order() -> None:
    async def main(microphone: Microphone, note: Note) -> None:
        packets = opus(8)
        for index in (0, 1, 3, 2, 4, 5, 7, 6):
            microphone.add(packet(index, packets[index]))
        assert len(note.sounds) == 8
        assert microphone.lost == 0

    hearing(main)


def test_a_lost_packet_is_silence_soon_and_nothing_waits_for_it() -> None:
    async def main(microphone: Microphone, note: Note) -> None:
        packets = opus(10)
        for index in (0, 1, 2, 3, 5):
            microphone.add(packet(index, packets[index]))
        assert len(note.sounds) == 4
        before = asyncio.get_running_loop().time()
        await until(lambda: len(note.sounds) == 6)
        assert asyncio.get_running_loop().time() - before < PATIENCE_SECONDS + 0.05
        assert not note.sounds[4][0].any() and len(note.sounds[4][0]) == FRAME
        microphone.add(packet(4, packets[4]))
        assert (len(note.sounds), microphone.lost) == (6, 2)

    hearing(main)


def test_a_long_gap_is_not_made_up_for() -> None:
    async def main(microphone: Microphone, note: Note) -> None:
        packets = opus(3)
        microphone.add(packet(0, packets[0]))
        microphone.add(packet(1, packets[1], time=60 * SAMPLE_RATE))
        assert len(note.sound) == 2 * FRAME

    hearing(main)


def test_sound_that_comes_faster_than_time_passes_is_left_out() -> None:
    async def main(microphone: Microphone, note: Note) -> None:
        payload = opus(5)[-1]
        for index in range(500):
            microphone.add(packet(index, payload))
        assert len(note.sound) <= 1.2 * SAMPLE_RATE
        assert microphone.lost > 400

    hearing(main)


@pytest.mark.parametrize("junk", [b"", b"\xff" * 5, bytes(range(256)) * 5, b"\x00"])
def test_a_packet_that_is_no_sound_is_silence_and_the_next_is_heard(junk: bytes) -> None:
    async def main(microphone: Microphone, note: Note) -> None:
        packets = opus(12)
        microphone.add(packet(0, junk))
        for index, payload in enumerate(packets[:10], start=1):
            microphone.add(packet(index, payload))
        assert level(note.sound[-4 * FRAME :]) > 0.1

    hearing(main)


def test_a_second_source_is_not_mixed_in() -> None:
    async def main(microphone: Microphone, note: Note) -> None:
        packets = opus(10)
        for index in range(5):
            microphone.add(packet(index, packets[index]))
            microphone.add(packet(9000 + index, packets[index], ssrc=8))
        assert len(note.sounds) == 5

    hearing(main)


def test_many_who_come_and_go_leave_nothing_behind() -> None:
    async def main() -> None:
        note = Note()
        async with WebRtcSink(VIDEO, listener=note) as sink, on_air(sink, VIDEO):
            for _ in range(8):
                async with Watcher(microphone=Tone()) as visitor:
                    answer = await watch(sink, visitor)
                    await until(lambda: len(note.sounds) > 2)
                    await sink.leave(answer.viewer)
                note.sounds.clear()
            assert sink.viewers == 0
            assert note.comings == ["arrived", "left"] * 8

    run(main)
