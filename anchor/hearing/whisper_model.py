"""A Whisper model and the one thread that runs it, for all sessions: whatever waits goes through it together."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from anchor.errors import MissingError, RecognizerError
from anchor.model_folder import offline
from anchor.talk import HEARING_RATE, Hearing

WINDOW_SECONDS = 30
"""What the network sees at once, whatever is in it."""

LONGEST_TOKENS = 224
"""Half of Whisper's context; the other half is for what it is told before."""


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """At most `WINDOW_SECONDS` of sound in a language (Whisper's code), and what is likely to be in it."""

    sound: Hearing
    language: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the network makes of it: its mean logarithm of a token's chance, and its chance that nobody speaks."""

    text: str
    mean_logprob: float
    no_speech: float

    @property
    def compression(self) -> float:
        """How often it repeats itself: bytes of the text for one byte of it compressed."""
        data = self.text.encode()
        return len(data) / len(zlib.compress(data)) if data else 0.0


class WhisperModel:
    """A model converted for CTranslate2. Belongs to one thread. Raises `MissingError` when it cannot be loaded."""

    def __init__(self, model: str, *, device: str, compute_type: str, threads: int, beam_size: int) -> None:
        try:
            import faster_whisper
            from faster_whisper.tokenizer import Tokenizer
        except ImportError as error:
            raise MissingError(f"the recogniser whisper needs {error.name}: {INSTALL}") from error
        try:
            self._model = faster_whisper.WhisperModel(
                model,
                device=device,
                compute_type=compute_type,
                cpu_threads=threads,
                num_workers=1,
                local_files_only=offline(),
            )
        except Exception as error:  # from a hub, a file system or CTranslate2: they share no base class
            why = str(error).strip().splitlines() or [repr(error)]
            raise MissingError(
                f"the Whisper model {model!r} cannot be loaded: {why[0]}; "
                "talk.recognizer.options.model is a name such as small (anchor models pull whisper-small), or a folder"
            ) from error
        self._tokenizer: Callable[..., Any] = Tokenizer
        self._tokenizers: dict[str, Any] = {}
        self._beam_size = beam_size

    def read(self, requests: Sequence[Request]) -> list[Reading]:
        """Read a batch, whose requests are all in one language with one hint."""
        from faster_whisper.transcribe import get_suppressed_tokens

        tokenizer = self._tokenizer_of(requests[0].language)
        features = [self._features(request.sound) for request in requests]
        prompt = self._model.get_prompt(
            tokenizer, previous_tokens=[], without_timestamps=True, hotwords=requests[0].hint or None
        )
        results = self._model.model.generate(
            self._model.encode(np.stack(features)),
            [prompt] * len(requests),
            beam_size=self._beam_size,
            max_length=min(self._model.max_length, len(prompt) + LONGEST_TOKENS),
            return_scores=True,
            return_no_speech_prob=True,
            suppress_tokens=get_suppressed_tokens(tokenizer, [-1]),
        )
        return [self._reading(tokenizer, result) for result in results]

    def _tokenizer_of(self, language: str) -> Any:
        if language not in self._tokenizers:
            own = self._model.hf_tokenizer
            many = self._model.model.is_multilingual
            self._tokenizers[language] = self._tokenizer(own, many, task="transcribe", language=language)
        return self._tokenizers[language]

    def _features(self, sound: Hearing) -> Any:
        from faster_whisper.audio import pad_or_trim

        # A second of silence after it: what ends with the last sample is heard better so.
        padded = np.concatenate([sound, np.zeros(HEARING_RATE, np.float32)])[: WINDOW_SECONDS * HEARING_RATE]
        return pad_or_trim(self._model.feature_extractor(padded)[..., :3000])

    @staticmethod
    def _reading(tokenizer: Any, result: Any) -> Reading:
        tokens = result.sequences_ids[0]
        # CTranslate2's score is the mean over the tokens; the end of the text is one more.
        mean = result.scores[0] * len(tokens) / (len(tokens) + 1)
        text = tokenizer.decode([token for token in tokens if token < tokenizer.eot]).strip()
        return Reading(text, float(mean), float(result.no_speech_prob))


INSTALL = ".venv/bin/pip install -e '.[asr]'"


class Desk:
    """Takes requests from any number of sessions on one event loop, and reads them in batches in one thread.

    A batch is whatever came while the last one ran, so nobody waits on a timer. It owns no task: a batch that ends
    starts the next.
    """

    def __init__(self, load: Callable[[], WhisperModel], *, batch: int) -> None:
        self._load = load
        self._batch = batch
        self._model: WhisperModel | None = None
        self._waiting: list[tuple[Request, asyncio.Future[Reading]]] = []
        self._running: asyncio.Future[list[Reading]] | None = None
        self._thread: ThreadPoolExecutor | None = None
        self._closed = False
        self.batches: list[int] = []
        """Sizes of the last batches."""

    @property
    def idle(self) -> bool:
        return self._running is None and not self._waiting

    def submit(self, request: Request) -> asyncio.Future[Reading]:
        """Have it read. Cancelling the future takes it back. The future raises `MissingError` or `RecognizerError`."""
        if self._closed:
            raise RecognizerError("whisper is closed: open a new one to go on")
        future: asyncio.Future[Reading] = asyncio.get_running_loop().create_future()
        self._waiting.append((request, future))
        self._start()
        return future

    async def close(self) -> None:
        """Take back what waits; what runs comes to its end."""
        self._closed = True
        for _, future in self._waiting:
            future.cancel()
        self._waiting.clear()
        if self._thread is not None:
            self._thread.shutdown(wait=False)

    def _start(self) -> None:
        self._waiting = [(request, future) for request, future in self._waiting if not future.done()]
        if self._running is not None or not self._waiting:
            return
        first = self._waiting[0][0]
        alike = [one for one in self._waiting if (one[0].language, one[0].hint) == (first.language, first.hint)]
        taken = alike[: self._batch]
        self._waiting = [one for one in self._waiting if one not in taken]
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="whisper")
        requests = [request for request, _ in taken]
        self.batches = [*self.batches[-99:], len(requests)]
        self._running = asyncio.get_running_loop().run_in_executor(self._thread, self._read, requests)
        self._running.add_done_callback(lambda done: self._ended(done, [future for _, future in taken]))

    def _read(self, requests: Sequence[Request]) -> list[Reading]:
        if self._model is None:
            self._model = self._load()
        try:
            return self._model.read(requests)
        except (RuntimeError, ValueError) as error:
            raise RecognizerError(f"whisper failed: {str(error).splitlines()[0]}") from error

    def _ended(self, done: asyncio.Future[list[Reading]], futures: Sequence[asyncio.Future[Reading]]) -> None:
        self._running = None
        error = None if done.cancelled() else done.exception()
        for place, future in enumerate(futures):
            if future.done():
                continue
            if done.cancelled():
                future.cancel()
            elif error is not None:
                future.set_exception(error)
            else:
                future.set_result(done.result()[place])
        if not self._closed:
            self._start()
