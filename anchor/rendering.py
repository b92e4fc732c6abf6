"""Scripts to files: the same pipeline as a live channel's, on a clock that does not wait."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter, deque
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from anchor import registry
from anchor.broadcast.script import Script, Segment
from anchor.clock import FreeClock
from anchor.config import VoiceConfig
from anchor.errors import OutputError, ScriptError
from anchor.media import Beat, LipSource, Samples, VideoFormat
from anchor.memory import few_heaps, large_blocks_apart, trim
from anchor.parts import open_avatar, open_driver, open_scene, open_voice
from anchor.performing import TakeActor, TakeVoice, fitted
from anchor.pipeline.acting import Actor
from anchor.pipeline.idle import Life
from anchor.pipeline.painting import Painting
from anchor.pipeline.performer import Performer
from anchor.pipeline.playout import Playout
from anchor.pipeline.utterance import LEAD_IN_SECONDS, Performance
from anchor.ports import Avatar, Driver, Sink, Take, Voice
from anchor.segments import Faces, Speakers, Utterer
from anchor.selftest import fit
from anchor.stream import check_pair
from anchor.tags import among, base
from anchor.trust.label import KEY, aigc_label

CaptionMode = Literal["burn", "file", "none"]

HEAD_SECONDS = 0.4
TAIL_SECONDS = 0.8
"""A file begins and ends with the anchor at rest."""

AHEAD = 2
"""Segments that wait, prepared, behind the one that is rendered."""

SEED = 1
"""Of the life of an anchor whose stream is a file, or is to be like one."""


def spoken_in(segments: Sequence[Segment]) -> tuple[str, ...]:
    """The languages of a script in the order they come: fonts follow the first."""
    return tuple(dict.fromkeys(segment.language for segment in segments))


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a render is: characters said of all, and seconds of video so far."""

    said: int
    total: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Rendered:
    """A file's seconds, and what its mouths were made from, the most used first."""

    seconds: float
    lips: tuple[LipSource, ...]


@dataclass(frozen=True, slots=True)
class Settings:
    """How scripts are rendered; what the options of ``anchor render`` say."""

    video: VideoFormat
    avatar: str = registry.DEFAULT_AVATAR
    voice: str = "espeak"
    captions: CaptionMode = "burn"
    backdrop: Path | None = None
    driver: str = registry.DEFAULT_DRIVER
    device: dict[str, Any] = field(default_factory=dict)
    template: str = ""
    """Of graphics; the script's own, else ``house``, when empty."""
    logo: Path | None = None
    second_language: str = ""
    """Of a further line of captions, where a script has the text and names none itself."""


async def render_as(
    settings: Settings,
    script: Script,
    path: Path,
    *,
    actor: Actor | None = None,
    tags: Mapping[str, str] | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Rendered:
    """Open what `settings` name, and `render` a script with it."""
    few_heaps()
    large_blocks_apart()
    voice = open_voice(VoiceConfig(engine=settings.voice))
    options = settings.device or ({"eager": False} if settings.driver == registry.DEFAULT_DRIVER else {})
    try:
        return await render(
            script.segments, path, voice=voice, driver=open_driver(settings.driver, options=options),
            avatar=open_avatar(settings.avatar), video=settings.video, captions=settings.captions,
            backdrop=settings.backdrop, title=script.title, actor=actor, tags=tags, on_progress=on_progress,
            template=settings.template or script.template or "house", logo=settings.logo,
        )  # fmt: skip
    finally:
        await voice.close()


async def render(
    segments: Sequence[Segment],
    path: Path,
    *,
    voice: Voice,
    driver: Driver,
    avatar: Avatar,
    video: VideoFormat,
    captions: CaptionMode = "burn",
    backdrop: Path | None = None,
    title: str = "",
    actor: Actor | None = None,
    tags: Mapping[str, str] | None = None,
    template: str = "house",
    logo: Path | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Rendered:
    """Write a script as MP4, with OUT.srt and OUT.vtt beside it unless `captions` is ``none``.

    `tags` are further metadata of the film.
    `actor` drives the face from the first beat on; segments may bring performers of their own (`Segment.mocap`).

    All files appear whole or not at all. Raises `AnchorError` when a segment cannot be said.
    """
    speakers = Speakers(voice)
    scene = open_scene(
        avatar, driver, video,
        {
            "backdrop": backdrop, "languages": spoken_in(segments), "template": template, "logo": logo,
            "second": any(segment.translation for segment in segments),
        },
    )  # fmt: skip
    painting = Painting(video, clock := FreeClock(), scene, await fit(driver, avatar))

    async def stand_by(name: str | Path) -> Callable[[], None]:
        other = avatar if name == avatar.info.name else await asyncio.to_thread(open_avatar, str(name))
        check_pair(other, driver)
        show, painter = await asyncio.to_thread(scene.cast, other), await fit(driver, other)

        def enter() -> None:
            show()
            painting.exchange(painter)

        return enter

    # What opening took for a while would count for the whole film.
    await asyncio.to_thread(trim)
    utterer = Utterer(speakers, Faces(stand_by, avatar.info.name), lead=1, scene=scene)
    await asyncio.to_thread(utterer.check, segments)
    total = sum(len(segment.text) for segment in segments)
    progress = _RenderProgress(total, video, on_progress)
    performer = Performer(
        driver, video, clock, on_end=progress.ended,
        head_beats=round(HEAD_SECONDS * video.fps), tail_beats=round(TAIL_SECONDS * video.fps),
    )  # fmt: skip
    metadata = {**(tags or {}), KEY: aigc_label(), "title": title or path.stem}
    sinks: list[Sink] = [registry.load("anchor.sink", "mp4")(path, video, metadata=metadata)]
    if captions != "none":
        sinks.append(registry.load("anchor.sink", "subtitles")(path, video))
    async with contextlib.AsyncExitStack() as stack:
        # Entered and left in reverse, so that captions are in place before the film they belong to appears.
        for sink in sinks:
            await stack.enter_async_context(sink)
        stack.push_async_callback(speakers.close)
        await stack.enter_async_context(performer.open())
        playout = Playout(
            performer, Life(seed=SEED, fps=video.fps), scene, sinks, clock,
            actor=actor, painting=painting, burn_captions=captions == "burn", on_beat=progress.beat,
        )  # fmt: skip
        await _both(_feed(performer, segments, utterer), playout.run())
        if not progress.said:
            raise ScriptError("there is nothing to say")
    return Rendered(progress.seconds, tuple(source for source, _ in progress.lips.most_common() if source))


async def _feed(performer: Performer, segments: Sequence[Segment], utterer: Utterer) -> None:
    """Hand the performer its utterances, none made much before its time: each holds pictures and a face."""
    waiting: deque[Performance] = deque()
    for segment in segments:
        waiting.append(performer.perform(await utterer.utter(segment, segment.pause)))
        while len(waiting) > AHEAD:
            await waiting.popleft().wait()
    performer.finish()


async def _both(*work: Coroutine[Any, Any, None]) -> None:
    """Run side by side; the first failure is raised as itself and ends the others."""
    try:
        async with asyncio.TaskGroup() as tasks:
            for one in work:
                tasks.create_task(one)
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from None


async def perform(
    take: Take,
    sound: Samples | None,
    path: Path,
    *,
    avatar: str,
    video: VideoFormat,
    backdrop: Path | None = None,
    tell: Callable[[float], None] | None = None,
) -> float:
    """Write a performer's take, sound and whole face, as MP4; return its seconds. Raises `AnchorError`."""
    voice = TakeVoice(fitted(sound, take))
    actor = TakeActor(take, video, begin=round(HEAD_SECONDS * video.fps) / video.fps + LEAD_IN_SECONDS, mouth=True)
    rendered = await render(
        [Segment("take", "en")], path, voice=voice, driver=open_driver("phones"), avatar=open_avatar(avatar),
        video=video, captions="none", backdrop=backdrop, title=path.stem, actor=actor,
        on_progress=None if tell is None else lambda now: tell(now.seconds),
    )  # fmt: skip
    return rendered.seconds


class _RenderProgress:
    """Counts what has been said, and stops the render at the first utterance that failed."""

    def __init__(self, total: int, video: VideoFormat, report: Callable[[Progress], None] | None) -> None:
        self.said = 0
        self.seconds = 0.0
        self.lips = Counter[LipSource]()
        self._total = total
        self._video = video
        self._report = report

    def beat(self, beat: Beat) -> None:
        self.said += sum(len(word.text) for word in beat.words)
        self.seconds = (beat.index + 1) / self._video.fps
        self.lips[beat.lips] += 1
        if self._report is not None and beat.index % self._video.fps == 0:
            self._report(Progress(min(self.said, self._total), self._total, self.seconds))

    @staticmethod
    def ended(performance: Performance) -> None:
        if performance.error is not None:
            raise performance.error


SAMPLES = {
    "en": "Hello. This is how I look, and this is how I speak. Five, four, three, two, one.",
    "zh": "大家好。这是我的样子，这是我说话的声音。五、四、三、二、一。",
    "ja": "こんにちは。これが私の姿で、これが私の話し方です。",
    "ko": "안녕하세요. 저는 이렇게 보이고, 이렇게 말합니다.",
    "es": "Hola. Así me veo y así hablo. Cinco, cuatro, tres, dos, uno.",
    "fr": "Bonjour. Voici mon visage, et voici ma façon de parler. Cinq, quatre, trois, deux, un.",
    "de": "Hallo. So sehe ich aus, und so spreche ich. Fünf, vier, drei, zwei, eins.",
}
"""What an avatar says of itself, by language."""


async def show_avatar(name: str, path: Path, *, clip: bool, voice: Voice) -> list[Path]:
    """Draw an avatar's expressions as a PNG and, with `clip`, an MP4 beside it in which it speaks; return the files.

    It speaks the first of its languages that `voice` speaks too. Raises `OutputError` for a file that cannot be
    written; there is no sheet without its clip then.
    """
    if path.suffix.lower() != ".png":
        raise OutputError(f"{path}: only .png files can be written; the clip goes beside it")
    avatar = await asyncio.to_thread(open_avatar, name)
    films = []
    if clip:
        spoken = [base(tag) for tag in (*avatar.info.languages, "en")]
        language = next((tag for tag in spoken if tag in SAMPLES and among(tag, voice.info.languages)), "en")
        films.append(path.with_suffix(".mp4"))
        await render(
            [Segment(SAMPLES[language], language)], films[0], voice=voice, avatar=avatar,
            driver=open_driver(registry.DEFAULT_DRIVER), video=VideoFormat(1280, 720), captions="none",
            title=avatar.info.title,
        )  # fmt: skip
    await asyncio.to_thread(_write_sheet, avatar, path)
    return [path, *films]


def _write_sheet(avatar: Avatar, path: Path) -> None:
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    sheet = registry.load("anchor.part", "avatars").contact_sheet(avatar)
    label = PngInfo()
    label.add_itxt(KEY, aigc_label())
    scratch = path.with_name(f".{path.name}.part")
    try:
        Image.fromarray(sheet[:, :, ::-1]).save(scratch, "PNG", pnginfo=label)
        scratch.replace(path)
    except OSError as error:
        scratch.unlink(missing_ok=True)
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from error
