"""One channel on the air: its show, its outputs, what people ask it to say, and its viewers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path
from zlib import crc32
from zoneinfo import ZoneInfo

from anchor import registry
from anchor.broadcast.prose import read_marked
from anchor.broadcast.run import Rundown
from anchor.broadcast.script import Segment, speakable
from anchor.broadcast.show import Show
from anchor.clock import Clock, LoopClock, wall_time
from anchor.config import ChannelConfig
from anchor.errors import CapacityError, ConfigError, ScriptError
from anchor.events import Gesture, Mood, State
from anchor.graphics import Graphics
from anchor.media import Beat
from anchor.metrics import Metrics
from anchor.newsroom import Newsroom
from anchor.outlets import Outlets
from anchor.parts import Cast, check_language
from anchor.performing import LivePerformance
from anchor.pipeline.performer import Performer
from anchor.pipeline.playout import Playout
from anchor.pipeline.steadfast import trouble
from anchor.pipeline.utterance import Utterance
from anchor.ports import Shelf, ViewerSink
from anchor.segments import Faces, Speakers, Utterer
from anchor.server.api import ChannelInfo
from anchor.takeover import LiveTakeover

SHOW_LEAD = 25
TALK_LEAD = 3
"""Beats prepared before an utterance begins: a script can wait a second, a conversation cannot."""

SAY_PRIORITY = 10
LONGEST_QUEUE = 100


class LiveChannel:
    """One anchor on one stream.

    `speakers` are its voices, shared with other channels and closed by whoever opened them. With `ends` it goes off air
    when a show that does not loop has been aired; it begins and ends at rest, for so many seconds.
    `clock` and `wall` are given for virtual time, in which outputs that are not `live` are waited for, so that nothing
    is lost; `seed` makes the anchor's idle life.
    """

    def __init__(
        self,
        config: ChannelConfig,
        speakers: Speakers,
        metrics: Metrics,
        shelf: Shelf,
        ice_servers: Sequence[str] = (),
        *,
        ends: bool = False,
        clock: Clock | None = None,
        wall: Callable[[], datetime] = wall_time,
        live: bool = True,
        seed: int | None = None,
        head_seconds: float = 0.0,
        tail_seconds: float = 0.0,
    ) -> None:
        self.config = config
        self.name = config.name
        self.video = config.video
        self._clock = clock or LoopClock()
        self._wall = wall
        self.voice = speakers.voice
        check_language(self.voice, config.language)
        self.newsroom = Newsroom(config, check=self._check, scene=lambda avatar: self._cast.still(avatar))
        rundowns, slots, filler = self.newsroom.rundowns(), self.newsroom.slots(), self.newsroom.filler()
        segments = [*_segments([*rundowns, *(slot.rundown for slot in slots)]), *filler]
        self.languages = tuple(dict.fromkeys([config.language, *(segment.language for segment in segments)]))
        self.viewers: ViewerSink = registry.load("anchor.sink", "webrtc")(
            self.video, ice_servers=tuple(ice_servers), max_viewers=config.max_viewers
        )
        self.outputs = Outlets(config, self.viewers, live=live, wall=wall)
        self.performance = LivePerformance(self._clock, ice_servers)
        self._cast = Cast(config, self.languages, shelf, self._clock, metrics)
        scene = self._cast.scene(live=live)
        self.stream = self._cast.stream(
            [self.viewers, *self.outputs.sinks], scene, seed=crc32(self.name.encode()) if seed is None else seed,
            actor=self.performance, on_beat=self._count, time_of_day=_clock_of(config, wall),
            head_beats=round(head_seconds * self.video.fps), tail_beats=round(tail_seconds * self.video.fps),
        )  # fmt: skip
        self._metrics = metrics
        standing = Graphics(ticker=config.graphics.ticker)
        self._utterer = Utterer(
            speakers, Faces(self.stream.stand_by, config.avatar), lead=SHOW_LEAD, scene=scene,
            ticker=config.graphics.ticker, lenient=True,
        )  # fmt: skip
        self._check(segments)
        self.desk = Show(
            self.performer, self._utterer.utter, self._clock,
            rundowns=rundowns, loop=config.loop, pause=config.pause, slots=slots, filler=filler,
            state=config.show.state, retention_days=config.show.retention_days,
            standing=standing, slate=config.show.slate, ends=ends, language=config.language,
            avatar=lambda: self.stream.avatar.info.name if self.stream.avatar else "",
            wall=lambda: wall().timestamp(),
            reader=self.newsroom.edited, checker=self.newsroom.problems,
            previewer=self.newsroom.preview, drafter=self.newsroom.draft,
        )  # fmt: skip
        self.takeover = LiveTakeover(
            self.performer, self._clock, language=config.language, ice_servers=ice_servers, perform=self.desk.takeover,
            lookahead_seconds=self.stream.driver.info.lookahead_seconds,
        )  # fmt: skip

    def _check(self, segments: Sequence[Segment]) -> None:
        self._utterer.check(segments)

    @property
    def performer(self) -> Performer:
        return self.stream.performer

    @property
    def playout(self) -> Playout | None:
        return self.stream.playout

    async def prepare(self) -> None:
        """Raises `ModelError` for a driver that does not pass its self-test, `CapacityError` where there is no room."""
        await self.stream.prepare()

    async def release(self) -> None:
        await self.stream.release()

    async def run(self) -> None:
        """Keep the channel on air until `stop`, or until its show `ends`."""
        async with AsyncExitStack() as stack:
            for part in (self.viewers, self.outputs, self.performance, self.takeover):
                await stack.enter_async_context(part)
            await self.stream.run(self._present)

    async def _present(self) -> None:
        await self.desk.run()
        self.performer.finish()

    async def stop(self, *, finish: bool) -> None:
        """Go off air, with `finish` after the sentence that is being said; next time the show goes on at its segment.

        `run` returns then.
        """
        await self.desk.stop(finish=finish)

    async def say(
        self,
        text: str,
        *,
        interrupt: bool = False,
        priority: int = SAY_PRIORITY,
        language: str | None = None,
        mood: Mood | None = None,
        gestures: Sequence[Gesture] = (),
    ) -> str:
        """Say `text` at the next sentence end, or at once; return the utterance's id.

        Raises `ScriptError` for text with nothing to say, `VoiceError` for a language that the voice does not speak
        and `CapacityError` when `LONGEST_QUEUE` utterances wait or the channel is not on air yet.
        """
        marked = read_marked(text, language or self.config.language, "text", 1)
        if not speakable(marked.text):
            raise ScriptError("text: there is nothing to say in it")
        chosen = language or self.config.language
        check_language(self.voice, chosen)
        if not self.performer.is_open:
            raise CapacityError(f"channel {self.name} is not on air yet")
        if len(self.performer.waiting) >= LONGEST_QUEUE:
            raise CapacityError(f"channel {self.name}: {LONGEST_QUEUE} utterances are waiting already")
        utterance = Utterance(
            marked.text, chosen, self.voice, priority=priority, lead=TALK_LEAD, mood=mood,
            gestures=tuple(gestures), spans=marked.spans, graphics=self.performer.standing,
        )  # fmt: skip
        performance = self.desk.say(utterance)
        if interrupt:
            self.performer.cancel()
        return performance.id

    async def behave(
        self, *, mood: Mood | None = None, state: State | None = None, gestures: Sequence[Gesture] = ()
    ) -> None:
        """Change the mood of all that brings none of its own, or what the anchor does in silence; make gestures now."""
        manner = self.stream.manner
        manner.mood = mood or manner.mood
        manner.state = state or manner.state
        for gesture in gestures:
            manner.make(gesture)

    async def cast(self, name: str) -> None:
        """Show another avatar from the next beat on. Raises what `AnchorStream.cast` raises."""
        await self.stream.cast(name)
        self._utterer.faces.house = name

    async def interrupt(self) -> bool:
        """Cut what is being said; whether there was something to cut."""
        return self.performer.cancel() is not None

    def hls(self) -> Path | None:
        """The folder of its HLS output, where it has one."""
        return next(iter(self.outputs.folders), None)

    def state(self) -> ChannelInfo:
        on_air, avatar = self.performer.on_air, self.stream.avatar
        return ChannelInfo(
            self.name, self.config.title or self.name, avatar.info.name if avatar else "",
            self.config.language, self.video, self.viewers.viewers, on_air is not None, on_air.id if on_air else None,
            len(self.performer.waiting), burned_captions=self.config.captions == "burn", notice=self._notice(),
            performing=self.performance.state, lips=self.stream.lips, show=True, speaker=self.takeover.state,
        )  # fmt: skip

    def _notice(self) -> str:
        return self.stream.notice or self.desk.problem or trouble(self.voice)

    def ready(self) -> bool:
        """Whether beats go out."""
        return self.playout is not None and self.playout.counters.beats > 0

    def _count(self, beat: Beat) -> None:
        if beat.index % self.video.fps == 0:
            self._metrics.viewers.labels(self.name).set(self.viewers.viewers)


def _segments(rundowns: Sequence[Rundown]) -> list[Segment]:
    return [segment for rundown in rundowns for segment in rundown.script.segments]


def _clock_of(config: ChannelConfig, wall: Callable[[], datetime]) -> Callable[[int], str] | None:
    """What a clock in the picture shows."""
    if not config.graphics.clock:
        return None
    try:
        zone = ZoneInfo(config.graphics.clock)
    except (KeyError, ValueError, OSError) as error:
        raise ConfigError(
            f"channel {config.name}: graphics.clock: there is no time zone {config.graphics.clock!r}; "
            "write one such as Asia/Shanghai"
        ) from error
    return lambda _: wall().astimezone(zone).strftime("%H:%M")
