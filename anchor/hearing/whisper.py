"""Whisper, by faster-whisper, on this machine: Mandarin, English and many more; the weights are the user's to bring."""

from __future__ import annotations

import asyncio
import importlib.util
import math
from collections.abc import AsyncGenerator, AsyncIterable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from anchor.errors import ConfigError, MissingError, RecognizerError
from anchor.hearing.whisper_model import INSTALL, Desk, Reading, Request, WhisperModel
from anchor.model_folder import installed, resolve
from anchor.talk import HEARING_RATE, Hearing, RecognizerInfo, Transcript

PARTIAL_SECONDS = 0.7
"""New speech after which it is read again, when nobody else waits."""

LONGEST_SECONDS, EARLIEST_CUT = 28.0, 18.0
"""Longer speech is read in windows, each cut at the quietest place between the two."""

HINT_CHARACTERS = 300

SILENT = -60.0
"""Loudest tenth of a second, in dB of full scale, under which nothing is read: Whisper makes up a text for silence."""

LANGUAGES = (
    "en", "zh", "yue", "de", "es", "ru", "ko", "fr", "ja", "pt", "tr", "pl", "ca", "nl", "ar", "sv", "it", "id", "hi",
    "fi", "vi", "he", "uk", "el", "ms", "cs", "ro", "da", "hu", "ta", "no", "th", "ur", "hr", "bg", "lt", "la", "mi",
    "ml", "cy", "sk", "te", "fa", "lv", "bn", "sr", "az", "sl", "kn", "et", "mk", "br", "eu", "is", "hy", "ne", "mn",
    "bs", "kk", "sq", "sw", "gl", "mr", "pa", "si", "km", "sn", "yo", "so", "af", "oc", "ka", "be", "tg", "sd", "gu",
    "am", "yi", "lo", "uz", "fo", "ht", "ps", "tk", "nn", "mt", "sa", "lb", "my", "bo", "tl", "mg", "as", "tt", "haw",
    "ln", "ha", "ba", "jw", "su",
)  # fmt: skip

# What it says of noise, learnt from the subtitles it was trained on.
MADE_UP = (
    "thank you for watching", "thanks for watching", "please subscribe", "subscribe to my channel", "subtitles by",
    "amara.org", "see you in the next video", "字幕由", "请不吝点赞", "點贊", "订阅", "訂閱", "打赏支持", "明镜与点点",
    "谢谢观看", "謝謝觀看", "字幕志愿者", "字幕製作", "字幕制作", "by索兰娅", "ご視聴ありがとうございました",
)  # fmt: skip


class WhisperRecognizer:
    """`anchor.talk.Recognizer` on a Whisper model: a name such as "small", or a folder.

    A name is the model that ``anchor models pull whisper-small`` has fetched, else one that faster-whisper knows.

    All sessions share one model and one thread (`anchor.hearing.whisper_model.Desk`). `device` and `compute_type` are
    CTranslate2's; `threads` 0 leaves their number to it; `batch` is how many stretches are read at once. What reads
    worse than `least_logprob` a token, repeats itself more than `most_repeated`, or is nobody's speech by more than
    `most_silent`, becomes an empty text. Raises `MissingError` without faster-whisper.
    """

    def __init__(
        self,
        *,
        model: str = "small",
        device: str = "auto",
        compute_type: str = "default",
        beam_size: int = 1,
        threads: int = 0,
        batch: int = 8,
        least_logprob: float = -1.0,
        most_silent: float = 0.8,
        most_repeated: float = 2.4,
    ) -> None:
        if importlib.util.find_spec("faster_whisper") is None:
            raise MissingError(f"the recogniser whisper needs faster-whisper: {INSTALL}")
        for name, value, low, high in (
            ("beam_size", beam_size, 1, 10),
            ("threads", threads, 0, 64),
            ("batch", batch, 1, 64),
        ):
            if not low <= value <= high:
                raise ConfigError(f"talk.recognizer.options.{name} = {value}: choose from {low} to {high}")
        english = model.rstrip("/").endswith(".en")
        self._info = RecognizerInfo(
            "whisper", f"Whisper {model}", ("en",) if english else LANGUAGES, "MIT", partials=True
        )
        self._limits = (least_logprob, most_silent, most_repeated)
        self._hints: dict[str, str] = {}
        place = installed(f"whisper-{model}") or resolve(model)
        self._desk = Desk(
            lambda: WhisperModel(
                str(place), device=device, compute_type=compute_type, threads=threads, beam_size=beam_size
            ),
            batch=batch,
        )  # fmt: skip

    @property
    def info(self) -> RecognizerInfo:
        return self._info

    @property
    def batches(self) -> Sequence[int]:
        """How many stretches the last batches held."""
        return tuple(self._desk.batches)

    @property
    def idle(self) -> bool:
        """Nothing is being read."""
        return self._desk.idle

    def expect(self, phrases: Mapping[str, Sequence[str]]) -> None:
        for tag, said in phrases.items():
            hint = ""
            for phrase in said:
                if len(hint) + len(phrase) < HINT_CHARACTERS:
                    hint += f"{phrase} "
            self._hints[_code(tag)] = hint.strip()

    async def warm(self, languages: Sequence[str] = ("en",)) -> None:
        for tag in languages:
            if _code(tag) in self._info.languages:
                await self._desk.submit(Request(np.zeros(HEARING_RATE, np.float32), _code(tag)))
                return

    async def listen(self, speech: AsyncIterable[Hearing], language: str) -> AsyncGenerator[Transcript, None]:
        code = _code(language)
        if code not in self._info.languages:
            raise RecognizerError(f"{self._info.engine} does not understand {language}")
        reader = _Reader(self._desk, code, self._hints.get(code, ""), self._limits)
        shown = ""
        try:
            async for sound in speech:
                text = await reader.add(sound)
                if text is not None and text != shown:
                    shown = text
                    yield Transcript(_script(text, language), False, language)
            text = await reader.end()
        finally:
            reader.forget()
        yield Transcript(_script(text, language), True, language, round(reader.confidence, 3) if text else 0.0)

    async def close(self) -> None:
        await self._desk.close()


class _Reader:
    """One stretch of speech: what of it is settled, and what still comes."""

    def __init__(self, desk: Desk, code: str, hint: str, limits: tuple[float, float, float]) -> None:
        self._desk = desk
        self._code = code
        self._hint = hint
        self._limits = limits
        self._sound: Hearing = np.zeros(0, np.float32)
        self._settled: list[str] = []
        self._logprobs: list[float] = []
        self._asked = 0
        self._partial: asyncio.Future[Reading] | None = None

    @property
    def confidence(self) -> float:
        return math.exp(min(self._logprobs)) if self._logprobs else 0.0

    async def add(self, sound: Hearing) -> str | None:
        """All text so far, when there is news of it."""
        self._sound = np.concatenate([self._sound, sound])
        while len(self._sound) > LONGEST_SECONDS * HEARING_RATE:
            self.forget()
            place = quietest(self._sound, EARLIEST_CUT, LONGEST_SECONDS)
            await self._settle(self._sound[:place])
            self._sound, self._asked = self._sound[place:], 0
        if self._partial is not None and self._partial.done():
            reading, self._partial = self._partial.result(), None
            return self._joined(self._believed(reading))
        enough = len(self._sound) - self._asked >= PARTIAL_SECONDS * HEARING_RATE
        # In a pause the end may be near, and the last reading should not have to wait for this one.
        if (
            enough
            and self._partial is None
            and self._desk.idle
            and loudest(self._sound[-HEARING_RATE // 5 :]) > SILENT + 15
        ):
            self._asked = len(self._sound)
            self._partial = self._desk.submit(Request(self._sound, self._code, self._hint))
        return None

    async def end(self) -> str:
        self.forget()
        await self._settle(self._sound)
        return self._joined("")

    def forget(self) -> None:
        if self._partial is not None and not self._partial.cancel() and not self._partial.cancelled():
            self._partial.exception()
        self._partial = None

    async def _settle(self, sound: Hearing) -> None:
        if loudest(sound) <= SILENT:
            return
        reading = await self._desk.submit(Request(sound, self._code, self._hint))
        if text := self._believed(reading):
            self._settled.append(text)
            self._logprobs.append(reading.mean_logprob)

    def _believed(self, reading: Reading) -> str:
        return reading.text if believable(reading, *self._limits) else ""

    def _joined(self, last: str) -> str:
        between = "" if self._code in ("zh", "yue", "ja", "th", "lo", "my") else " "
        return between.join([*self._settled, *([last] if last else [])])


def believable(reading: Reading, least_logprob: float, most_silent: float, most_repeated: float) -> bool:
    """Whether somebody said it, by guards like those of Whisper's authors; nobody reads it over before it counts."""
    if not reading.text or reading.mean_logprob < least_logprob or reading.compression > most_repeated:
        return False
    if reading.no_speech > most_silent or (reading.no_speech > 0.6 and reading.mean_logprob < least_logprob / 2):
        return False
    plain = reading.text.lower().rstrip(".。!！ ")
    return not (len(plain) < 40 and any(made_up in plain for made_up in MADE_UP))


def quietest(sound: Hearing, earliest: float, latest: float) -> int:
    """The sample in the middle of the quietest fifth of a second between two times."""
    step = HEARING_RATE // 50
    first, last = round(earliest * HEARING_RATE) // step, min(len(sound), round(latest * HEARING_RATE)) // step
    power = np.square(sound[first * step : last * step].reshape(-1, step)).mean(axis=1)
    smooth = np.convolve(power, np.ones(10) / 10, "same")
    return (first + int(smooth[5:-5].argmin()) + 5) * step


def loudest(sound: Hearing) -> float:
    """The loudest tenth of a second, in dB of full scale, whatever the offset."""
    size = HEARING_RATE // 10
    if len(sound) == 0:
        return -120.0
    whole = sound[: len(sound) // size * size].reshape(-1, size) if len(sound) >= size else sound[None]
    return float(10 * np.log10(max(1e-12, float(whole.var(axis=1).max()))))


def _code(tag: str) -> str:
    """Whisper's code of a BCP 47 tag."""
    parts = tag.lower().split("-")
    return (
        "yue" if parts[0] == "zh" and "yue" in parts else {"cmn": "zh", "nb": "no", "jv": "jw"}.get(parts[0], parts[0])
    )


def _script(text: str, language: str) -> str:
    """Whisper writes Chinese in either script, as it likes; readers of `language` have one."""
    parts = language.lower().split("-")
    if parts[0] not in ("zh", "cmn"):
        return text
    traditional = bool({"tw", "hk", "mo", "hant"} & set(parts[1:]))
    return str(_converter("s2t" if traditional else "t2s").convert(text))


@cache
def _converter(name: str) -> Any:
    import opencc

    return opencc.OpenCC(name)
