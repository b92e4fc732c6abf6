"""Halls: channels whose anchor converses, and the visitors in them, each with a stream of their own."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import hmac
import itertools
import logging
import secrets
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from zlib import crc32

from anchor import registry
from anchor.clock import Clock
from anchor.errors import AnchorError, CapacityError, MissingError, RecognizerError
from anchor.events import Gesture, Mood, State
from anchor.interactive.answers import Turn
from anchor.interactive.conversation import Conversation
from anchor.interactive.handover import HandOver
from anchor.interactive.history import Line as Said
from anchor.interactive.wire import Ending
from anchor.media import Beat, Samples
from anchor.memory import trim
from anchor.onair import Desk, Outputs
from anchor.parts import Cast
from anchor.pipeline.steadfast import trouble
from anchor.pipeline.utterance import Performance
from anchor.ports import Answer, Stage, ViewerSink
from anchor.selftest import fit
from anchor.server.api import ChannelInfo
from anchor.server.takeover import Takeover
from anchor.server.visitors import Button, KioskInfo, Line, SessionInfo, Visit
from anchor.stream import AnchorStream
from anchor.talking import Talk

log = logging.getLogger(__name__)

RECENT_TURNS = 12
"""Turns whose latencies an operator sees."""

LEAVE_SECONDS = 0.4
"""From the last word to a page to the end of its connection."""

TIDY_SECONDS = 5.0

NOBODY_SECONDS = 60.0
"""How long a person is waited for."""


class Session:
    """A visitor: a conversation, the stream it is held on, and the connection to their page."""

    conversation: Conversation

    def __init__(self, hall: Hall, scene: Stage, language: str) -> None:
        self.id = secrets.token_urlsafe(9)
        self.key = secrets.token_urlsafe(24)
        self.latencies: deque[Mapping[str, float]] = deque(maxlen=RECENT_TURNS)
        self.connected = False
        self.ended = asyncio.Event()
        self.why: Ending = "shutdown"
        self.opened_at = hall.clock.now()
        self._hall = hall
        self._wanted: asyncio.TimerHandle | None = None
        self._lost: asyncio.TimerHandle | None = None
        self.sink: ViewerSink = registry.load("anchor.sink", "webrtc")(
            hall.video, ice_servers=hall.ice_servers, max_viewers=2, listener=self
        )
        self.stream: AnchorStream = hall.members.stream(
            [self.sink], scene, seed=crc32(self.id.encode()), on_beat=self._beat, on_end=self._performed
        )
        talk = hall.talk
        self.conversation = Conversation(
            self.id, language, talk.welcome,
            minds=talk.minds(self._acted), manners=talk.manners, ears=talk.ears(language), voice=hall.voice,
            performer=self.stream.performer, manner=self.stream.manner, clock=hall.clock, tell=self.sink.tell,
            on_end=self._over, on_timed=self._timed, on_wanted=self._want,
        )  # fmt: skip

    async def run(self, ready: Callable[[], None]) -> None:
        """Hold the conversation until it ends; `ready` is called when visitors can join."""
        store = self._hall.talk.store
        store.session_opened(self.id, channel=self._hall.name, language=self.conversation.language)
        try:
            await self.stream.prepare(tested=True)
            async with self.sink, asyncio.TaskGroup() as tasks:
                running = [tasks.create_task(self.stream.run()), tasks.create_task(self.conversation.run())]
                await self.stream.opened.wait()
                ready()
                self._wait_for_page()
                await self.ended.wait()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LEAVE_SECONDS):
                        await asyncio.Event().wait()
                for task in running:
                    task.cancel()
        finally:
            for timer in (self._lost, self._wanted):
                if timer is not None:
                    timer.cancel()
            await self.stream.release()
            self._hall.hand_over.release(self.id)
            turn = self.conversation.turn
            store.session_closed(self.id, why=self.why, turns=turn.number if turn is not None else 0)

    # The visitor (a `Listener`).

    def hear(self, sound: Samples, at: float) -> None:
        self.conversation.hear(sound, at)

    def told(self, message: Mapping[str, Any]) -> None:
        self.conversation.told(message)

    def arrived(self) -> None:
        self.connected = True
        if self._lost is not None:
            self._lost.cancel()
        self.sink.tell({"type": "session", **self.conversation.about()})
        self.conversation.arrived()

    def left(self) -> None:
        self.connected = False
        self.conversation.left()
        self._wait_for_page()

    def _wait_for_page(self) -> None:
        """Give a visitor who is lost, or has not come yet, some time."""
        if self._lost is not None:
            self._lost.cancel()
        wait = self._hall.talk.config.return_within
        self._lost = asyncio.get_running_loop().call_later(wait, self.conversation.end, "lost")

    # What happens in it.

    def _beat(self, beat: Beat) -> None:
        self.conversation.beat(beat)

    def _performed(self, performance: Performance) -> None:
        self.conversation.performed(performance)

    def _over(self, why: Ending) -> None:
        self.why = why
        self._hall.metrics.session_ends.labels(self._hall.name, why).inc()
        self.ended.set()

    def _timed(self, turn: Turn) -> None:
        stages = turn.stages()
        parts = itertools.pairwise([0.0, *stages.values()])
        self.latencies.append({stage: max(0.0, b - a) for stage, (a, b) in zip(stages, parts, strict=True)})
        for stage, seconds in stages.items():
            self._hall.metrics.turns.labels(self._hall.name, stage).observe(max(0.0, seconds))

    def _acted(self, name: str, arguments: Mapping[str, Any], outcome: str) -> None:
        turn = self.conversation.turn
        self._hall.talk.store.acted(
            self.id, turn=turn.number if turn is not None else 0, name=name, arguments=arguments, outcome=outcome
        )

    def _want(self, reason: str) -> None:
        self._hall.fetch(self, reason)
        if self._wanted is not None:
            self._wanted.cancel()
        self._wanted = asyncio.get_running_loop().call_later(NOBODY_SECONDS, self.conversation.nobody_came)

    # What an operator sees.

    def info(self) -> SessionInfo:
        conversation = self.conversation
        return SessionInfo(
            self.id, self._hall.name, conversation.mode, conversation.language, self._hall.clock.now() - self.opened_at,
            connected=self.connected, wants_person=bool(conversation.wanted), person=conversation.person,
            lines=self.lines()[-4:], latencies=tuple(self.latencies),
        )  # fmt: skip

    def lines(self) -> tuple[Line, ...]:
        return tuple(self._line(line) for line in self.conversation.history)

    def _line(self, line: Said) -> Line:
        return Line(line.who, line.text, line.language, line.at - self.opened_at)


class Hall:
    """A channel whose anchor converses with visitors: nothing is on air while nobody is there."""

    def __init__(self, cast: Cast, talk: Talk, clock: Clock, ice_servers: Sequence[str] = ()) -> None:
        config = cast.config
        self.name, self.video, self.talk, self.clock = config.name, config.video, talk, clock
        self.members = cast
        self.voice = talk.voice
        self.metrics = cast.metrics
        self.ice_servers = tuple(ice_servers)
        self.sessions: dict[str, Session] = {}
        self.hand_over = HandOver(talk.config.hand_over.webhook, token=talk.config.hand_over.token)
        self._opening = 0
        self._tidying = self._untidy = False
        self._tasks: asyncio.TaskGroup | None = None

    @property
    def languages(self) -> tuple[str, ...]:
        return self.talk.welcome.languages

    async def prepare(self) -> None:
        """Load what visitors would wait for. Raises `AnchorError`."""
        await fit(self.members.driver, self.members.avatar)
        await self.talk.prepare()

    async def release(self) -> None:
        await self.talk.close()
        await self.hand_over.close()

    async def run(self) -> None:
        """Keep the hall open until cancelled; conversations end with it."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            try:
                await asyncio.Event().wait()
            finally:
                self._tasks = None
                for session in list(self.sessions.values()):
                    session.conversation.end("shutdown")

    def ready(self) -> bool:
        return self._tasks is not None

    async def open(self, offer: str, *, language: str | None, session: str | None, key: str | None) -> Visit:
        """Answer a visitor's offer. Raises `CapacityError` and `SignallingError`."""
        known = self.find(session or "", key or "")
        if known is not None:
            answer = await known.sink.join(offer)
            return Visit(known.id, known.key, answer.sdp, resumed=True)
        opened = await self._opened(self.talk.language(language))
        try:
            answer = await opened.sink.join(offer)
        except BaseException:
            opened.conversation.end("lost")
            raise
        return Visit(opened.id, opened.key, answer.sdp)

    async def _opened(self, language: str) -> Session:
        most = self.talk.config.max_sessions
        if self._tasks is None:
            raise CapacityError(f"channel {self.name} is not on air yet")
        if len(self.sessions) + self._opening >= most:
            raise CapacityError(f"channel {self.name}: {most} visitors are talking already")
        self._opening += 1
        try:
            scene = await asyncio.to_thread(self.members.scene)
        finally:
            self._opening -= 1
        if self._tasks is None:
            raise CapacityError(f"channel {self.name} is not on air any more")
        # From here on its place is among the sessions, and is counted there.
        session = Session(self, scene, language)
        self.sessions[session.id] = session
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._tasks.create_task(self._hold(session, ready), name=f"session {session.id}")
        await ready
        return session

    async def _hold(self, session: Session, ready: asyncio.Future[None]) -> None:
        self.metrics.sessions.labels(self.name).set(len(self.sessions))
        try:
            await session.run(functools.partial(_settle, ready))
        except AnchorError as error:
            log.error("channel %s: a conversation could not be held: %s", self.name, error)
            _settle(ready, error)
        except Exception as error:
            log.exception("channel %s: a conversation fell over", self.name)
            _settle(ready, CapacityError(f"channel {self.name}: a conversation could not be opened: {error!r}"))
        finally:
            self.sessions.pop(session.id, None)
            self._tidy()
            self.metrics.sessions.labels(self.name).set(len(self.sessions))
            _settle(ready, CapacityError(f"channel {self.name} is not on air any more"))

    def _tidy(self) -> None:
        """Give back the memory of conversations that are over, some time after the last."""
        self._untidy = True
        if self._tasks is not None and not self._tidying:
            self._tidying = True
            self._tasks.create_task(self._trim())

    async def _trim(self) -> None:
        while self._untidy:
            self._untidy = False
            await self.clock.sleep_until(self.clock.now() + TIDY_SECONDS)
            await asyncio.to_thread(trim)
        self._tidying = False

    def find(self, session: str, key: str) -> Session | None:
        """A session by its key, while it goes on."""
        found = self.sessions.get(session)
        same = hmac.compare_digest((found.key if found is not None else "").encode(), key.encode())
        return found if same and found is not None and not found.ended.is_set() else None

    def fetch(self, session: Session, reason: str) -> None:
        """Put a visitor into the queue for a person, and send word."""
        waiting = self.hand_over.ask(
            session.id, channel=self.name, reason=reason, language=session.conversation.language,
            urgent=reason.startswith("crisis"),
        )  # fmt: skip
        if self._tasks is not None:
            self._tasks.create_task(self.hand_over.tell(waiting, self.talk.transcript(session.conversation)))

    # As a channel of the server (see `anchor.server.api.Channel`).

    @property
    def viewers(self) -> ViewerSink:
        raise MissingError(f"channel {self.name} has no viewers: visitors talk with it at /kiosk/{self.name}")

    @property
    def performance(self) -> NoPerformance:
        return NoPerformance(self.name)

    def hls(self) -> Path | None:
        return None

    @property
    def desk(self) -> Desk:
        raise MissingError(f"channel {self.name} converses with visitors; it has no show")

    @property
    def outputs(self) -> Outputs:
        raise MissingError(f"channel {self.name} converses with visitors; it is sent nowhere else")

    @property
    def takeover(self) -> Takeover:
        raise MissingError(f"channel {self.name} converses; a person takes over in a visitor's conversation")

    async def say(
        self,
        text: str,
        *,
        interrupt: bool = False,
        priority: int = 0,
        language: str | None = None,
        mood: Mood | None = None,
        gestures: Sequence[Gesture] = (),
    ) -> str:
        """Say something to every visitor. Raises `CapacityError` where there is none."""
        if not self.sessions:
            raise CapacityError(f"channel {self.name}: nobody is there to hear it")
        for session in self.sessions.values():
            session.conversation.announce(text, interrupt=interrupt)
        return ""

    async def behave(
        self, *, mood: Mood | None = None, state: State | None = None, gestures: Sequence[Gesture] = ()
    ) -> None:
        for session in self.sessions.values():
            manner = session.stream.manner
            manner.mood = mood or manner.mood
            for gesture in gestures:
                manner.make(gesture)

    async def cast(self, name: str) -> None:
        """Show another avatar to every visitor, and to those who will come. Raises what `Cast.recast` raises."""
        await self.members.recast(name)
        for session in list(self.sessions.values()):
            await session.stream.cast(name, tested=True)

    async def interrupt(self) -> bool:
        speaking = [session for session in self.sessions.values() if session.conversation.mode == "speaking"]
        for session in speaking:
            session.conversation.stop()
        return bool(speaking)

    def state(self) -> ChannelInfo:
        config = self.members.config
        visitors = self.sessions.values()
        return ChannelInfo(
            self.name, config.title or self.name, self.members.avatar.info.name, config.language, self.video,
            sum(session.connected for session in visitors),
            any(session.conversation.mode == "speaking" for session in visitors), talk=True,
            notice=trouble(self.voice),
        )  # fmt: skip

    def kiosk(self) -> KioskInfo:
        config, talk = self.members.config, self.talk.config
        return KioskInfo(
            config.title or self.name, self.languages, talk.privacy,
            tuple(Button(button.label, button.says) for button in talk.buttons), talk.hand_over.contact,
        )  # fmt: skip


class NoPerformance:
    """A camera cannot drive an anchor that converses."""

    def __init__(self, channel: str) -> None:
        self._channel = channel

    async def join(self, offer: str) -> Answer:
        raise CapacityError(f"channel {self._channel} converses: its face cannot be driven by a camera")

    async def leave(self, performer: str) -> None:
        raise KeyError(performer)


class Halls:
    """All halls of a process: `anchor.server.visitors.Visitors`."""

    def __init__(self, halls: Mapping[str, Hall], others: Sequence[str]) -> None:
        self._halls = dict(halls)
        self._others = tuple(others)

    def _hall(self, channel: str) -> Hall:
        if channel in self._others:
            raise MissingError(f"channel {channel!r} is to be watched: open /watch/{channel}")
        return self._halls[channel]

    def kiosk(self, channel: str) -> KioskInfo:
        return self._hall(channel).kiosk()

    async def open(
        self, channel: str, offer: str, *, language: str | None, session: str | None, key: str | None
    ) -> Visit:
        return await self._hall(channel).open(offer, language=language, session=session, key=key)

    def _visitor(self, session: str, key: str) -> Session:
        for hall in self._halls.values():
            if (found := hall.find(session, key)) is not None:
                return found
        raise KeyError(session)

    def _session(self, session: str) -> tuple[Hall, Session]:
        for hall in self._halls.values():
            if session in hall.sessions:
                return hall, hall.sessions[session]
        raise KeyError(session)

    async def close(self, session: str, key: str) -> None:
        self._visitor(session, key).conversation.end("visitor")

    async def say_text(self, session: str, key: str, text: str) -> None:
        self._visitor(session, key).conversation.type(text)

    async def hear_file(self, session: str, key: str, data: bytes) -> str:
        visitor = self._visitor(session, key)
        hall, _ = self._session(session)
        text = await hall.talk.transcribe(data, visitor.conversation.language)
        if not text:
            raise RecognizerError("nothing was understood in the recording")
        visitor.conversation.type(text)
        return text

    def sessions(self) -> Sequence[SessionInfo]:
        return [session.info() for hall in self._halls.values() for session in hall.sessions.values()]

    async def transcript(self, session: str) -> Sequence[Line]:
        return self._session(session)[1].lines()

    async def take(self, session: str, who: str) -> None:
        hall, found = self._session(session)
        hall.hand_over.ask(session, channel=hall.name, reason="taken", language=found.conversation.language)
        if not hall.hand_over.take(session, who):
            raise CapacityError(f"{hall.hand_over.who(session)} talks with this visitor already")
        found.conversation.take_over(who or "operator")

    async def release(self, session: str) -> None:
        hall, found = self._session(session)
        hall.hand_over.release(session)
        found.conversation.give_back()

    async def say_as_person(self, session: str, text: str) -> None:
        _, found = self._session(session)
        if not found.conversation.person:
            raise AnchorError("take the conversation over before you speak in it")
        found.conversation.say_as_person(text)

    async def end(self, session: str) -> None:
        self._session(session)[1].conversation.end("operator")


def _settle(ready: asyncio.Future[None], error: Exception | None = None) -> None:
    if not ready.done():
        if error is None:
            ready.set_result(None)
        else:
            ready.set_exception(error)
