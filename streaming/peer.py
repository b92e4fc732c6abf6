"""WebRTC viewers: one encoder for all, one connection each; and a visitor who is heard as well."""

from __future__ import annotations

import asyncio
import logging
import math
import secrets
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import TracebackType
from typing import Any, Self

import numpy as np
from aioice.ice import Connection
from aiortc import RTCDataChannel, RTCIceServer, RTCRtpTransceiver, RTCSessionDescription
from aiortc.clock import current_ntp_time

from anchor.errors import CapacityError, SignallingError
from anchor.events import Caption
from anchor.media import SAMPLE_RATE, Beat, Picture, Samples, VideoFormat
from anchor.ports import Answer
from anchor.talk import Listener
from streaming import guard
from streaming.encoder import KEYFRAME_GAP_SECONDS, OPUS_SAMPLES, Codec, EncodedBeat, LiveEncoder
from streaming.events import EVENTS, Mailbox, event, tell, written
from streaming.microphone import Microphone
from streaming.offer import Offer, read_fragment, read_offer
from streaming.tracks import BeatTrack, Recent, Shot, Spread
from streaming.viewer import GATHER_SECONDS as GATHER_SECONDS
from streaming.viewer import Viewer, negotiated, new_connection, picture_shot, reason
from streaming.viewer import ice_server as ice_server
from streaming.whip import WhipPush

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 20.0
"""A viewer who has not connected by then is forgotten."""

AVOID_SECONDS = 60.0
"""STUN and TURN servers that did not answer are left out for so long."""

SILENT_SECONDS = 15.0
"""A viewer nothing authentic was heard from for so long is gone; browsers report every second."""

_PENDING_BEATS = 5
"""A busy machine makes the encoder late for a moment; all pictures late are better than some of them lost."""

_NTP_SECOND = 1 << 32


class WebRtcSink:
    """Send beats to any number of WebRTC viewers; see `anchor.ports.ViewerSink`.

    Nothing is encoded while nobody watches. `ice_servers` are ``stun:`` and ``turn:`` URLs, the latter as
    ``turn:user:password@host:port``; without any, no server outside is ever asked.

    With a `listener` the sink is one visitor's: it hears their microphone and page, and whoever joins next takes the
    place of who was there, who is then not told to have left. `Listener.left` follows when nobody is there any more.
    """

    def __init__(
        self,
        video: VideoFormat,
        *,
        ice_servers: Sequence[str] = (),
        bitrate: int | None = None,
        max_viewers: int = 50,
        listener: Listener | None = None,
    ) -> None:
        self.video = video
        self.max_viewers = max_viewers
        self.skipped = 0
        """Pictures left out because the encoder was behind."""
        self._ice_servers = [ice_server(url) for url in ice_servers]
        self._encoder = LiveEncoder(video, bitrate)
        self._listener = listener
        self._viewers: dict[str, Viewer] = {}
        self._pushes: list[WhipPush] = []
        self._on_air = False
        self._answering = 0
        self._pending = 0
        self._failure: BaseException | None = None
        span = math.ceil(KEYFRAME_GAP_SECONDS * video.fps) * video.ticks_per_beat
        self._recent: dict[Codec, Recent] = {"H264": Recent(span), "VP8": Recent(span)}
        self._now = 0
        self._avoid_servers_until = -math.inf
        self._sounds = Spread(OPUS_SAMPLES / SAMPLE_RATE, self._send_sound)
        self._caption: Caption | None = None
        self._state: tuple[bool, str | None] = (False, None)

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        # Receivers compare our reports with each other and with their own clock's pace, never with the time of day:
        # one reading, carried on by the monotonic clock, does not jump when somebody sets the clock.
        self._ntp_origin = current_ntp_time() - round(self._loop.time() * _NTP_SECOND)
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="live-encoder")
        try:
            await self._loop.run_in_executor(self._executor, self._warm_up)
        except BaseException:
            self._executor.shutdown()
            raise
        self._stopping = asyncio.Event()
        self._tasks = asyncio.TaskGroup()
        await self._tasks.__aenter__()
        self._tasks.create_task(self._watch_viewers())
        self._on_air = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._on_air = False
        self._stopping.set()
        self._sounds.close()
        for push in self._pushes:
            push.end()
        for viewer in list(self._viewers.values()):
            if not viewer.pushed:
                self._forget(viewer)
        try:
            await self._tasks.__aexit__(None, None, None)
        finally:
            self._executor.shutdown()

    def _warm_up(self) -> None:
        # The first use of a codec loads and allocates for tens of milliseconds; not while the first viewer waits.
        samples = np.zeros(self.video.samples_per_beat, np.float32)
        LiveEncoder(self.video).encode(Beat(0, Picture.black(self.video), samples), ("H264",))

    # Beats out.

    async def send(self, beat: Beat) -> None:
        """Encode a beat for those who watch, and return at once; both halves of it leave together.

        A beat that could not be encoded raises with the next one, which is lost too; the stream can go on after it.
        """
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure
        self._tell_changes(beat)
        self._now = beat.index * self.video.ticks_per_beat
        codecs = self._codecs_in_use()
        if not codecs:
            return
        if self._pending >= _PENDING_BEATS:
            self.skipped += 1
            codecs = frozenset()
        self._pending += 1
        work = self._loop.run_in_executor(self._executor, self._encoder.encode, beat, codecs)
        work.add_done_callback(self._release)

    def _codecs_in_use(self) -> frozenset[Codec]:
        return frozenset(viewer.codec for viewer in self._viewers.values() if viewer.video.open)

    def _release(self, work: asyncio.Future[EncodedBeat]) -> None:
        self._pending -= 1
        if work.cancelled():
            return
        failure = work.exception()
        if failure is not None:
            self._failure = failure
            return
        beat = work.result()
        now = self._ntp_origin + round(self._loop.time() * _NTP_SECOND)
        pictures = {codec: picture_shot(beat, codec, now, self.video) for codec in beat.pictures}
        for codec, shot in pictures.items():
            self._recent[codec].add(shot)
        for viewer in self._viewers.values():
            if viewer.codec in pictures:
                shot = pictures[viewer.codec]
                viewer.video.put(shot)
                if shot.keyframe:
                    viewer.pleas.served(self._loop.time())
        start = beat.index * self.video.samples_per_beat
        self._sounds.put([Shot(now, start, ((one.timestamp, one.payload, False),)) for one in beat.sounds])

    def _send_sound(self, shot: Shot) -> None:
        for viewer in self._viewers.values():
            viewer.audio.put(shot)

    def _tell_changes(self, beat: Beat) -> None:
        if (beat.speaking, beat.utterance) != self._state:
            self._state = (beat.speaking, beat.utterance)
            self._tell_all(self._state_event(beat.index))
        if beat.caption != self._caption:
            self._caption = beat.caption
            self._tell_all(self._caption_event(beat.index))
        for word in beat.words:
            self._tell_all(event("word", beat.index, text=word.text))

    def tell(self, message: Mapping[str, Any]) -> None:
        """Send a JSON object to every viewer's page, after the events of the beat sent last."""
        self._tell_all(written(message))

    def _tell_all(self, message: str) -> None:
        for viewer in self._viewers.values():
            tell(viewer.events, message)

    def _caption_event(self, index: int) -> str:
        caption = self._caption
        second = {"second": caption.second} if caption and caption.second else {}
        return event("caption", index, lines=caption.lines if caption else (), **second)

    def _state_event(self, index: int) -> str:
        speaking, utterance = self._state
        return event("state", index, speaking=speaking, utterance=utterance)

    # Viewers in and out.

    @property
    def viewers(self) -> int:
        return sum(not viewer.pushed for viewer in self._viewers.values())

    async def join(self, offer: str) -> Answer:
        """Answer an SDP offer. Raises `SignallingError`, and `CapacityError` when `max_viewers` watch."""
        self._require_on_air()
        there = self.viewers if self._listener is None else 0
        if there + self._answering >= self.max_viewers:
            raise CapacityError(f"{self.max_viewers} viewers are watching already")
        wish = read_offer(offer)
        self._answering += 1
        viewer = self._new_viewer()
        try:
            sdp = await self._answer(viewer, wish)
            self._require_on_air()
        except BaseException:
            await viewer.close()
            raise
        finally:
            self._answering -= 1
        if self._listener is not None:
            for former in list(self._viewers.values()):
                self._forget(former, told=False)
        self._viewers[viewer.name] = viewer
        return Answer(viewer.name, sdp)

    def _require_on_air(self) -> None:
        if not self._on_air:
            raise CapacityError("the stream is not on air")

    def _new_viewer(self, *, pushed: bool = False, ice_servers: Sequence[RTCIceServer] | None = None) -> Viewer:
        if ice_servers is None:
            ice_servers = self._ice_servers if self._loop.time() >= self._avoid_servers_until else []
        name = secrets.token_urlsafe(12)
        video = BeatTrack(
            "video",
            self.video.fps,
            on_begin=partial(self._welcome, name),
            ask_keyframe=partial(self._ask_keyframe, name),
        )
        audio = BeatTrack("audio", self.video.fps)
        return Viewer(name, new_connection(ice_servers), video, audio, self._loop.time(), pushed)

    async def _answer(self, viewer: Viewer, wish: Offer) -> str:
        connection = viewer.connection
        try:
            # In the order of the bundle: aiortc makes the one transport for the first.
            media = {kind: self._add_track(viewer, kind) for kind in wish.sections if kind != "application"}
            connection.on("datachannel", partial(self._open_events, viewer))
            connection.on("connectionstatechange", partial(self._connection_changed, viewer))
            await connection.setRemoteDescription(RTCSessionDescription(wish.sdp, "offer"))
            video = media["video"]
            viewer.codec = negotiated(video)
            viewer.username = wish.username
            ice = viewer.ice
            viewer.seen = guard.watch(ice, self._loop.time, gather_seconds=GATHER_SECONDS)
            await connection.setLocalDescription(await connection.createAnswer())
            self._note_servers(ice)
            return str(connection.localDescription.sdp)
        except SignallingError:
            raise
        except Exception as error:
            # aiortc's parser and negotiation raise AssertionError, IndexError, KeyError, ... for what they do not like.
            logger.debug("an offer could not be answered", exc_info=True)
            raise SignallingError(f"the SDP offer cannot be answered: {reason(error)}") from error

    def _note_servers(self, ice: Connection) -> None:
        """Leave STUN and TURN servers alone for a while when they did not answer: every viewer would wait for them."""
        asked = ice.stun_server is not None or ice.turn_server is not None
        if asked and all(candidate.type == "host" for candidate in ice.local_candidates):
            logger.warning("no STUN or TURN server answers; doing without for %.0f s", AVOID_SECONDS)
            self._avoid_servers_until = self._loop.time() + AVOID_SECONDS

    def _add_track(self, viewer: Viewer, kind: str) -> RTCRtpTransceiver:
        heard = kind == "audio" and self._listener is not None
        codecs = ("video/h264", "video/vp8", "video/rtx") if kind == "video" else ("audio/opus",)
        transceiver = viewer.add(kind, "sendrecv" if heard else "sendonly", codecs)
        if heard:
            viewer.microphone = Microphone(partial(self._hear, viewer))
            viewer.microphone.listen(transceiver.receiver)
        return transceiver

    def _hear(self, viewer: Viewer, sound: Samples, at: float) -> None:
        if self._listener is not None and viewer.name in self._viewers:
            self._listener.hear(sound, at)

    def _welcome(self, name: str) -> None:
        """Give a viewer whose connection stands a picture at once, or as soon as the encoder makes a keyframe."""
        viewer = self._viewers.get(name)
        if viewer is None:
            return
        recent = self._recent[viewer.codec].squeezed(self._now)
        for shot in recent:
            viewer.video.put(shot)
        if not recent:
            self._encoder.ask_keyframe(viewer.codec)

    def _ask_keyframe(self, name: str) -> None:
        viewer = self._viewers.get(name)
        if viewer is not None and viewer.pleas.grants(self._loop.time()):
            self._encoder.ask_keyframe(viewer.codec)

    def _open_events(self, viewer: Viewer, channel: RTCDataChannel) -> None:
        if channel.label != EVENTS or viewer.events is not None:
            return
        viewer.events = channel
        video = self.video
        tell(viewer.events, event("hello", None, fps=video.fps, width=video.width, height=video.height))
        tell(viewer.events, self._caption_event(-1))
        tell(viewer.events, self._state_event(-1))
        if self._listener is not None:
            channel.on("message", Mailbox(partial(self._told, viewer), self._loop.time).take)
            if viewer.name in self._viewers:
                self._listener.arrived()

    def _told(self, viewer: Viewer, message: Mapping[str, Any]) -> None:
        if self._listener is not None and viewer.name in self._viewers:
            self._listener.told(message)

    def _connection_changed(self, viewer: Viewer) -> None:
        if viewer.connection.connectionState in ("failed", "closed"):
            self._forget(viewer)

    async def trickle(self, viewer: str, fragment: str) -> None:
        """Take candidates of a viewer. Raises `KeyError`, and `SignallingError` also for an ICE restart."""
        found = self._viewers[viewer]
        read = read_fragment(fragment)
        transport = found.connection.getTransceivers()[0].sender.transport.transport
        if read.username not in (None, found.username):
            raise SignallingError("an ICE restart is not possible here: make a new offer")
        for candidate in read.candidates:
            await transport.addRemoteCandidate(candidate)

    async def leave(self, viewer: str) -> None:
        """End a viewer. Raises `KeyError` for an unknown one."""
        found = self._viewers.pop(viewer)
        self._note_left()
        await found.close()

    def _forget(self, viewer: Viewer, *, told: bool = True) -> None:
        if self._viewers.pop(viewer.name, None) is not None:
            self._tasks.create_task(viewer.close())
            if told:
                self._note_left()

    def _note_left(self) -> None:
        if self._listener is not None and self._on_air and not self._viewers:
            self._listener.left()

    # Servers that the stream is pushed to.

    def push(self, url: str, *, token: str | None = None, name: str = "", start: bool = True) -> WhipPush:
        """Send the stream to a WHIP endpoint as well, until the sink ends. Raises `FormatError` for an odd address."""
        self._require_on_air()
        push = WhipPush(self, url, token=token, name=name)
        self._pushes.append(push)
        self._tasks.create_task(push.run())
        if start:
            push.start()
        return push

    def new_pushed(self, ice_servers: Sequence[RTCIceServer]) -> Viewer:
        """A receiver that is not connected yet; see `streaming.whip.Source`."""
        return self._new_viewer(pushed=True, ice_servers=[*self._ice_servers, *ice_servers])

    def admit(self, viewer: Viewer) -> None:
        self._viewers[viewer.name] = viewer

    async def drop(self, viewer: Viewer) -> None:
        self._viewers.pop(viewer.name, None)
        await viewer.close()

    async def _watch_viewers(self) -> None:
        """Forget viewers who never connect or have fallen silent."""
        while not self._stopping.is_set():
            try:
                async with asyncio.timeout(1):
                    await self._stopping.wait()
            except TimeoutError:
                for viewer in [one for one in self._viewers.values() if not one.pushed and self._is_gone(one)]:
                    self._forget(viewer)

    def _is_gone(self, viewer: Viewer) -> bool:
        now = self._loop.time()
        if not viewer.video.open:
            return now - viewer.joined > CONNECT_SECONDS
        return viewer.seen is not None and now - viewer.seen.heard > SILENT_SECONDS
