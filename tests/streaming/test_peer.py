from __future__ import annotations

import asyncio
import itertools
import random
import re
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import pytest
from aiortc.rtp import RTCP_PSFB_PLI, RtcpPsfbPacket

from anchor.errors import CapacityError, FormatError, SignallingError
from anchor.events import Caption
from anchor.media import Beat, VideoFormat
from anchor.ports import Answer
from streaming.encoder import LiveEncoder
from streaming.peer import WebRtcSink
from tests.streaming.beats import beat
from tests.streaming.watching import Watcher, no_task_left, on_air

VIDEO = VideoFormat(160, 96, 25)


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a test's coroutine and make sure that it leaves no task behind."""

    async def checked() -> None:
        with no_task_left():
            await main()
            for _ in range(20):  # aiortc's own tasks end a few steps of the loop later
                await asyncio.wait([asyncio.get_running_loop().create_future()], timeout=0.01)

    asyncio.run(checked())


async def watch(sink: WebRtcSink, watcher: Watcher) -> Answer:
    answer = await sink.join(await watcher.offer())
    await watcher.accept(answer.sdp)
    return answer


def test_viewer_sees_hears_and_leaves() -> None:
    async def main() -> None:
        async with WebRtcSink(VIDEO) as sink, on_air(sink, VIDEO), Watcher() as watcher:
            answer = await watch(sink, watcher)
            await watcher.until_pictures(10)
            await watcher.until(lambda: len(watcher.sounds) >= 20)
            assert sink.viewers == 1
            assert "H264" in answer.sdp
            await sink.leave(answer.viewer)
            assert sink.viewers == 0
            with pytest.raises(KeyError):
                await sink.leave(answer.viewer)
            with pytest.raises(KeyError):
                await sink.trickle(answer.viewer, "")

    run(main)


def test_pictures_and_sound_keep_the_stream_s_own_time() -> None:
    async def main() -> None:
        async with WebRtcSink(VIDEO) as sink, on_air(sink, VIDEO), Watcher() as watcher:
            await watch(sink, watcher)
            await watcher.until_pictures(12)
            video = [frame.pts or 0 for frame in watcher.pictures][-10:]
            audio = [frame.pts or 0 for frame in watcher.sounds][-10:]
            assert {after - before for before, after in itertools.pairwise(video)} == {VIDEO.ticks_per_beat}
            assert {after - before for before, after in itertools.pairwise(audio)} == {960}

    run(main)


def test_counters_run_over_without_a_viewer_noticing(monkeypatch: pytest.MonkeyPatch) -> None:
    """RTP sequence numbers (16 bits) and time stamps (32) of sound and picture start just before their wrap."""
    wrap = (1 << 32) // VIDEO.ticks_per_beat
    monkeypatch.setattr("streaming.tracks.randbits", {15: (1 << 16) - 30, 32: 0}.get)

    async def main() -> None:
        async with (
            WebRtcSink(VIDEO) as sink,
            on_air(sink, VIDEO, lambda video, index: beat(video, index + wrap - 35)),
            Watcher() as watcher,
        ):
            await watch(sink, watcher)
            # 35 pictures before the wrap of one second and a half at most, so it is among these.
            await watcher.until_pictures(45)
            times = [frame.pts or 0 for frame in watcher.pictures]
            steps = [after - before for before, after in itertools.pairwise(times[-40:])]
            assert set(steps) == {VIDEO.ticks_per_beat}

    run(main)


def test_viewers_who_come_and_go_at_once_share_a_keyframe(monkeypatch: pytest.MonkeyPatch) -> None:
    keyframes: list[int] = []
    encode = LiveEncoder.encode

    def noting(self: LiveEncoder, shot: Beat, codecs: Any) -> Any:
        encoded = encode(self, shot, codecs)
        if encoded.pictures and encoded.pictures["H264"].keyframe:
            keyframes.append(shot.index)
        return encoded

    async def main() -> None:
        async with WebRtcSink(VIDEO) as sink, on_air(sink, VIDEO):
            monkeypatch.setattr(LiveEncoder, "encode", noting)
            for _ in range(3):
                async with Watcher() as watcher:
                    answer = await watch(sink, watcher)
                    await watcher.until_pictures(1)
                    await sink.leave(answer.viewer)

    run(main)
    assert all(after - before > 12 for before, after in itertools.pairwise(keyframes))


def test_viewer_without_h264_gets_vp8_and_others_keep_theirs() -> None:
    async def main() -> None:
        async with (
            WebRtcSink(VIDEO) as sink,
            on_air(sink, VIDEO),
            Watcher() as modern,
            Watcher(codec="video/VP8", audio=False) as other,
        ):
            assert "H264" in (await watch(sink, modern)).sdp
            answer = (await watch(sink, other)).sdp
            assert "VP8" in answer
            assert "H264" not in answer
            await modern.until_pictures(5)
            await other.until_pictures(5)

    run(main)


def test_eight_viewers_share_one_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    encoded: list[int] = []
    encode = LiveEncoder.encode

    def counting(self: LiveEncoder, shot: Beat, codecs: Any) -> Any:
        encoded.append(shot.index)
        return encode(self, shot, codecs)

    monkeypatch.setattr(LiveEncoder, "encode", counting)

    async def main() -> None:
        async with WebRtcSink(VIDEO) as sink, on_air(sink, VIDEO), AsyncExitStack() as stack:
            encoded.clear()
            watchers = [await stack.enter_async_context(Watcher()) for _ in range(8)]
            for watcher in watchers:
                await watch(sink, watcher)
            for watcher in watchers:
                await watcher.until_pictures(5)
            assert sink.viewers == 8
            assert len(encoded) == len(set(encoded))

    run(main)


def test_nobody_watching_costs_no_encoding(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with WebRtcSink(VIDEO) as sink:
            monkeypatch.setattr(LiveEncoder, "encode", None)
            for index in range(50):
                await sink.send(beat(VIDEO, index))

    run(main)


def test_picture_loss_asks_the_shared_encoder_and_is_throttled(monkeypatch: pytest.MonkeyPatch) -> None:
    keyframes: list[int] = []
    encode = LiveEncoder.encode

    def noting(self: LiveEncoder, shot: Beat, codecs: Any) -> Any:
        encoded = encode(self, shot, codecs)
        if encoded.pictures and encoded.pictures["H264"].keyframe:
            keyframes.append(shot.index)
        return encoded

    monkeypatch.setattr(LiveEncoder, "encode", noting)

    async def main() -> None:
        async with WebRtcSink(VIDEO) as sink, on_air(sink, VIDEO), Watcher() as watcher:
            await watch(sink, watcher)
            await watcher.until_pictures(3)
            keyframes.clear()
            (video, _) = watcher.connection.getReceivers()
            ssrc = int(re.findall(r"a=ssrc:(\d+)", watcher.connection.remoteDescription.sdp)[0])
            plea = bytes(RtcpPsfbPacket(fmt=RTCP_PSFB_PLI, ssrc=1, media_ssrc=ssrc))
            for _ in range(30):
                for _ in range(8):
                    await video.transport._send_rtp(plea)
                await watcher.until_pictures(1)

    run(main)
    assert 2 <= len(keyframes) <= 3
    assert all(second - first > 12 for first, second in itertools.pairwise(keyframes))


def test_lost_packets_are_sent_again_without_a_keyframe() -> None:
    async def main() -> None:
        async with WebRtcSink(VIDEO) as sink, on_air(sink, VIDEO), Watcher() as watcher:
            answer = await watch(sink, watcher)
            await watcher.until_pictures(3)
            sender = sink._viewers[answer.viewer].connection.getTransceivers()[0].sender
            send, lost = sender.transport._send_rtp, set()

            async def lossy(data: bytes) -> None:
                sequence = int.from_bytes(data[2:4], "big")
                if (
                    int.from_bytes(data[8:12], "big") == sender._ssrc
                    and sequence % 6 == 0
                    and not 192 <= data[1] <= 223
                ):
                    lost.add(sequence)
                else:
                    await send(data)

            sender.transport._send_rtp = lossy  # type: ignore[method-assign]
            before = len(watcher.pictures)
            await watcher.until(lambda: len(watcher.pictures) >= before + 40 and len(lost) >= 5)
            times = [frame.pts or 0 for frame in watcher.pictures]
            assert {after - before for before, after in itertools.pairwise(times)} == {VIDEO.ticks_per_beat}

    run(main)


def test_captions_words_and_state_arrive_as_events() -> None:
    caption = Caption(("今天上午，", "学校停课。"), 0, 1, ("Schools are closed.",))

    def telling(video: VideoFormat, index: int) -> Beat:
        said = beat(video, index, said="停课" if index % 10 == 0 else None)
        return replace(said, speaking=index % 20 < 10, utterance="u1", caption=caption if index % 20 < 10 else None)

    async def main() -> None:
        async with WebRtcSink(VIDEO) as sink, on_air(sink, VIDEO, telling), Watcher() as watcher:
            await watch(sink, watcher)

            def kinds() -> set[str]:
                return {event["type"] for event in watcher.events}

            await watcher.until(lambda: kinds() >= {"hello", "caption", "word", "state"} and len(watcher.events) > 12)
            captions = [event["lines"] for event in watcher.events if event["type"] == "caption"][1:]
            assert captions[:2] in ([list(caption.lines), []], [[], list(caption.lines)])
            told = [event for event in watcher.events if event["type"] == "caption"]
            second = {len(event["lines"]): event.get("second") for event in told}
            assert second == {2: ["Schools are closed."], 0: None}
            words = [event for event in watcher.events if event["type"] == "word"]
            assert {event["text"] for event in words} == {"停课"}
            assert all(event["at"] % 10 == 0 for event in words)
            states = [event["speaking"] for event in watcher.events if event["type"] == "state"][1:]
            assert all(before != after for before, after in itertools.pairwise(states))

    run(main)


def test_late_viewer_hears_at_once_what_is_on_screen() -> None:
    caption = Caption(("still here",), 0, 1)

    async def main() -> None:
        async with (
            WebRtcSink(VIDEO) as sink,
            on_air(sink, VIDEO, lambda video, index: replace(beat(video, index), caption=caption)),
            Watcher() as first,
            Watcher() as second,
        ):
            await watch(sink, first)
            await first.until_pictures(5)
            await watch(sink, second)
            await second.until(lambda: any(event.get("lines") == ["still here"] for event in second.events))

    run(main)


def test_vanished_viewer_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streaming.peer.SILENT_SECONDS", 0.5)
    monkeypatch.setattr("streaming.peer.CONNECT_SECONDS", 0.5)

    async def main() -> None:
        async with WebRtcSink(VIDEO) as sink, on_air(sink, VIDEO), Watcher() as never, Watcher() as watcher:
            await sink.join(await never.offer())
            assert sink.viewers == 1
            await watch(sink, watcher)
            await watcher.until_pictures(2)
            # The cable is pulled: no goodbye reaches the server.
            for transceiver in watcher.connection.getTransceivers():
                for protocol in transceiver.receiver.transport.transport._connection._protocols:
                    protocol.transport.abort()
            async with asyncio.timeout(5):
                while sink.viewers:
                    await asyncio.wait([asyncio.get_running_loop().create_future()], timeout=0.05)

    run(main)


def test_viewer_who_hangs_up_is_forgotten_at_once() -> None:
    async def main() -> None:
        async with WebRtcSink(VIDEO) as sink, on_air(sink, VIDEO):
            async with Watcher() as watcher:
                await watch(sink, watcher)
                await watcher.until_pictures(2)
            async with asyncio.timeout(2):
                while sink.viewers:
                    await asyncio.wait([asyncio.get_running_loop().create_future()], timeout=0.02)

    run(main)


def test_full_house_turns_viewers_away_and_has_room_again() -> None:
    async def main() -> None:
        async with WebRtcSink(VIDEO, max_viewers=1) as sink, Watcher() as first, Watcher() as second:
            answer = await sink.join(await first.offer())
            with pytest.raises(CapacityError, match="1 viewer"):
                await sink.join(await second.offer())
            await sink.leave(answer.viewer)
            await sink.join(await second.offer())

    run(main)


def test_nobody_can_join_before_or_after_the_stream() -> None:
    async def main() -> None:
        async with Watcher() as watcher:
            offer = await watcher.offer()
            sink = WebRtcSink(VIDEO)
            with pytest.raises(CapacityError, match="not on air"):
                await sink.join(offer)
            async with sink:
                await sink.join(offer)
            with pytest.raises(CapacityError, match="not on air"):
                await sink.join(offer)
            assert sink.viewers == 0

    run(main)


@pytest.mark.parametrize("order", [{"audio_first": True}, {"data_first": True}, {"audio": False}], ids=str)
def test_sections_of_an_offer_may_come_in_any_order(order: dict[str, bool]) -> None:
    async def main() -> None:
        async with WebRtcSink(VIDEO) as sink, on_air(sink, VIDEO), Watcher(**order) as watcher:  # type: ignore[arg-type]
            await watch(sink, watcher)
            await watcher.until_pictures(3)
            await watcher.until(lambda: bool(watcher.events))
            if order.get("audio", True):
                await watcher.until(lambda: len(watcher.sounds) > 3)

    run(main)


def test_beat_that_cannot_be_encoded_is_told_and_does_not_end_the_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    encode = LiveEncoder.encode
    fail = [True]

    def failing(self: LiveEncoder, shot: Beat, codecs: Any) -> Any:
        if fail:
            fail.clear()
            raise RuntimeError("no memory for this picture")
        return encode(self, shot, codecs)

    async def main() -> None:
        async with WebRtcSink(VIDEO) as sink, Watcher() as watcher:
            raised = 0
            monkeypatch.setattr(LiveEncoder, "encode", failing)
            await watch(sink, watcher)
            async with asyncio.timeout(10):
                for index in range(1000):
                    try:
                        await sink.send(beat(VIDEO, index))
                    except RuntimeError:
                        raised += 1
                    if len(watcher.pictures) >= 3:
                        break
                    await asyncio.wait([asyncio.get_running_loop().create_future()], timeout=0.02)
            assert raised == 1

    run(main)


def test_crowd_at_the_door_fills_the_house_exactly() -> None:
    async def main() -> None:
        async with WebRtcSink(VIDEO, max_viewers=5) as sink, Watcher() as watcher:
            offer = await watcher.offer()
            outcomes = await asyncio.gather(*(sink.join(offer) for _ in range(40)), return_exceptions=True)
            assert sum(isinstance(outcome, Answer) for outcome in outcomes) == sink.viewers == 5
            assert sum(isinstance(outcome, CapacityError) for outcome in outcomes) == 35

    run(main)


def test_stun_server_that_does_not_answer_is_asked_once() -> None:
    asked: list[bytes] = []

    class Silent(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: Any) -> None:
            asked.append(data)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(Silent, local_addr=("127.0.0.1", 0))
        port = transport.get_extra_info("sockname")[1]
        async with WebRtcSink(VIDEO, ice_servers=[f"stun:127.0.0.1:{port}"]) as sink, Watcher() as watcher:
            offer = await watcher.offer()
            await sink.join(offer)
            assert asked
            asked.clear()
            await sink.join(offer)
            assert not asked
        transport.close()

    run(main)


def test_candidates_may_come_later_but_not_a_restart() -> None:
    async def main() -> None:
        async with WebRtcSink(VIDEO) as sink, on_air(sink, VIDEO), Watcher() as watcher:
            offer = await watcher.offer()
            lines = offer.splitlines()
            candidates = [line for line in lines if line.startswith("a=candidate")]
            bare = "\r\n".join(line for line in lines if line not in candidates) + "\r\n"
            answer = await sink.join(bare)
            username = next(line for line in lines if line.startswith("a=ice-ufrag"))
            await sink.trickle(answer.viewer, "\r\n".join([username, "m=video 9 X 0", "a=mid:0", *candidates]))
            with pytest.raises(SignallingError, match="restart"):
                await sink.trickle(answer.viewer, "a=ice-ufrag:other\r\na=ice-pwd:0123456789012345678901\r\n")
            with pytest.raises(SignallingError, match="cannot be read"):
                await sink.trickle(answer.viewer, "a=candidate:1 1 udp\r\n")
            await watcher.accept(answer.sdp)
            await watcher.until_pictures(2)

    run(main)


def test_mdns_candidates_are_left_out() -> None:
    """Resolving one that does not exist takes aioice a second."""

    async def main() -> None:
        async with WebRtcSink(VIDEO) as sink, on_air(sink, VIDEO), Watcher() as watcher:
            offer = re.sub(r"(a=candidate:\S+ 1 udp \d+) \S+ ", r"\1 5a2f-not-here.local ", await watcher.offer())
            assert ".local" in offer
            async with asyncio.timeout(0.9):
                answer = await sink.join(offer)
            await watcher.accept(answer.sdp)
            await watcher.until_pictures(2)

    run(main)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda sdp: "", "v=0"),
        (lambda sdp: "hello", "v=0"),
        (lambda sdp: sdp.replace("m=video", "m=image"), "no video"),
        (lambda sdp: sdp + sdp[sdp.index("m=video") :], "more than one video"),
        (lambda sdp: sdp.replace("a=recvonly", "a=sendonly"), "receive video"),
        (lambda sdp: re.sub("a=rtpmap:.*(H264|VP8).*", "a=rtpmap:99 THEORA/90000", sdp), "cannot be answered"),
        (lambda sdp: sdp.replace("a=ice-pwd", "a=ice-pqd"), "cannot be answered"),
        (lambda sdp: sdp + "a=x\r\n" * 20_000, "longer than"),
        (lambda sdp: sdp + "a=candidate:1 1 udp 1 1.2.3.4 5 typ host\r\n" * 100, "candidates"),
    ],
)
def test_offer_that_cannot_be_answered_is_one_clear_error(change: Callable[[str], str], said: str) -> None:
    async def main() -> None:
        async with WebRtcSink(VIDEO) as sink, Watcher() as watcher:
            offer = await watcher.offer()
            with pytest.raises(SignallingError, match=said):
                await sink.join(change(offer))
            assert sink.viewers == 0

    run(main)


def mutated(offer: str, chance: random.Random) -> str:
    """An offer with a few of its lines, fields or characters lost, doubled, swapped or replaced."""
    lines = offer.split("\r\n")
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(lines))
        line = lines[place]
        kind = chance.randrange(7)
        if kind == 0:
            del lines[place]
        elif kind == 1:
            lines.insert(place, chance.choice(lines))
        elif kind == 2:
            lines[place] = line[: chance.randint(0, len(line))]
        elif kind == 3:
            fields = re.split(r"([ :;=])", line)
            fields[chance.randrange(len(fields))] = chance.choice(["", "-1", "99999999999", "é\x00", "a" * 300, "0"])
            lines[place] = "".join(fields)
        elif kind == 4:
            other = chance.randrange(len(lines))
            lines[place], lines[other] = lines[other], lines[place]
        elif kind == 5 and line:
            spot = chance.randrange(len(line))
            lines[place] = line[:spot] + chr(chance.randrange(1, 0x250)) + line[spot + 1 :]
        else:
            lines[place] = line.replace("a=", chance.choice(["m=", "b=", "a=a=", ""]), 1)
        if not lines:
            break
    return "\r\n".join(lines)


def test_mutated_offers_are_answered_or_refused_and_leave_nothing() -> None:
    chance = random.Random(20)
    refused = 0

    async def main() -> None:
        nonlocal refused
        async with WebRtcSink(VIDEO, max_viewers=10) as sink, Watcher() as watcher:
            offer = await watcher.offer()
            for _ in range(300):
                try:
                    answer = await sink.join(mutated(offer, chance))
                except SignallingError as error:
                    assert len(str(error)) < 300
                    refused += 1
                else:
                    await sink.leave(answer.viewer)
                assert sink.viewers == 0

    run(main)
    assert 60 < refused < 290


@pytest.mark.parametrize("url", ["http://x", "stun:", "turn:user:word@", "x"])
def test_ice_server_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(FormatError, match="ICE server"):
        WebRtcSink(VIDEO, ice_servers=[url])
