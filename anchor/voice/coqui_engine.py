"""Coqui's models where they run: in the process of `anchor.voice.engine_host`. Nothing else may import this module.

VITS first makes what its decoder takes, for the whole of a sentence, and decodes that piece by piece: the first sound
is there after a fraction of the time, and the pieces joined are what would have come in one. XTTS streams as it does
itself. Other models speak clause by clause.
"""

from __future__ import annotations

import functools
import json
import logging
import os
import tempfile
import warnings
import zlib
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from anchor.errors import AnchorError, ConfigError, MissingError, ModelError, VoiceError
from anchor.media import Samples
from anchor.voice import torch_audio
from anchor.voice.coqui_model import CoquiModel, at_home, find, read_config

torch_audio.provide()

import torch  # noqa: E402
from TTS.api import TTS  # noqa: E402
from TTS.utils.manage import ModelManager  # noqa: E402

from anchor.voice import coqui_espeak  # noqa: E402
from anchor.voice.coqui_decoding import Growing, Withheld, decoded  # noqa: E402
from anchor.voice.coqui_speakers import Speakers  # noqa: E402

GAP_SECONDS = 0.06
"""Silence between pieces that are spoken apart, which the voice's own is added to."""

LONGEST_WHOLE = 400
"""Characters of a sentence that VITS is given at once."""

FIRST_CLAUSE = 12
"""Characters that other models are given first at least; later ones may be up to twice as long as what is said."""

XTTS_TOKENS = 20
"""Of XTTS before each piece of sound: 0.93 s. Fewer are sooner there, and less even."""


@dataclass(frozen=True, slots=True)
class _Said:
    """A text in one of the model's languages. `gap`: whether silence is due before it."""

    text: str
    language: str
    rate: float
    volume: float
    gap: bool


class CoquiEngine:
    """`anchor.voice.engine_host.Engine`; options as those of `anchor.voice.coqui.CoquiVoice`."""

    def __init__(
        self,
        *,
        model: str,
        language: str = "",
        speaker: str = "",
        reference: Sequence[str] = (),
        styles: Mapping[str, str] | None = None,
        device: str = "auto",
        threads: int = 0,
        download: bool = False,
        trust: bool = False,
    ) -> None:
        _be_quiet()
        os.environ["HF_HUB_OFFLINE"] = "0" if download else "1"
        torch.set_num_threads(threads or max(1, min(8, (os.cpu_count() or 1) - 1)))
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        if device == "cuda" and not torch.cuda.is_available():
            raise ConfigError("voice.options.device = 'cuda': PyTorch finds no CUDA device here")
        self._found = _fetched(model, language) if download else find(model, language=language)
        self._api = _loaded(self._found, device, trust)
        self._synthesizer = self._api.synthesizer
        self._model = self._synthesizer.tts_model
        self._rate = int(self._synthesizer.output_sample_rate)
        self._device = device
        self._slow = float(getattr(self._model, "length_scale", 1.0) or 1.0)
        self._speakers = Speakers(self._model, self._found.kind, speaker, reference, styles or {})
        coqui_espeak.provide(tuple(self._found.languages.values()))

    @property
    def facts(self) -> dict[str, Any]:
        return {"rate": self._rate, "device": self._device, "speakers": list(self._speakers.names)[:500]}

    def speak(self, request: dict[str, Any]) -> Iterator[tuple[dict[str, Any], Samples]]:
        """``clauses`` are lists of text, language, rate and decibels; ``mood`` is the sentence's."""
        # Both kinds draw random numbers: the same sentence is to sound the same every time.
        torch.manual_seed(zlib.crc32("".join(clause[0] for clause in request["clauses"]).encode()))
        for said in self._pieces(request["clauses"]):
            if said.gap:
                yield {}, np.zeros(round(GAP_SECONDS * self._rate), np.float32)
            gain = np.float32(10 ** (said.volume / 20))
            speech = self._streamed(said, request.get("mood", "neutral"))
            with closing(speech):
                for sound in speech:
                    yield {}, np.asarray(sound * gain, np.float32)

    def _pieces(self, clauses: Sequence[Sequence[Any]]) -> Iterator[_Said]:
        """Clauses put together again, as far as the model takes them and its sound is not late."""
        said = 0
        for (language, rate, volume), group in groupby(clauses, key=lambda clause: tuple(clause[1:])):
            space = "" if language.lower().partition("-")[0] in ("zh", "ja", "cmn") else " "
            limit = self._limit(language)
            text = ""
            for clause in (part for one in group for part in _cut(one[0], limit)):
                least = 0 if self._streams else max(FIRST_CLAUSE, min(2 * said, limit))
                if text and (len(text) + len(clause) >= limit or (not self._streams and len(text) >= least)):
                    yield _Said(text, language, rate, volume, said > 0)
                    said, text = said + len(text), ""
                text += (space if text else "") + clause
            if text:
                yield _Said(text, language, rate, volume, said > 0)
                said += len(text)

    @property
    def _streams(self) -> bool:
        return self._found.kind in ("vits", "xtts")

    def _limit(self, language: str) -> int:
        if self._found.kind != "xtts":
            return LONGEST_WHOLE
        limits: Mapping[str, int] = self._model.tokenizer.char_limits
        return limits.get(language.partition("-")[0], 200)

    def _streamed(self, said: _Said, mood: str) -> Generator[Samples, None, None]:
        if self._found.kind == "xtts":
            return self._by_tokens(said, mood)
        if self._found.kind == "vits":
            return self._by_decoding(said, mood)
        return self._whole(said, mood)

    def _by_tokens(self, said: _Said, mood: str) -> Generator[Samples, None, None]:
        """XTTS, with the settings of its configuration."""
        latents, embedding = self._speakers.latents(mood)
        config = self._synthesizer.tts_config
        decoder = self._model.hifigan_decoder
        self._model.hifigan_decoder = Growing(decoder)
        try:
            with closing(
                self._model.inference_stream(
                    said.text, said.language, latents, embedding, stream_chunk_size=XTTS_TOKENS, speed=said.rate,
                    temperature=config.temperature, length_penalty=config.length_penalty,
                    repetition_penalty=config.repetition_penalty, top_k=config.top_k, top_p=config.top_p,
                )
            ) as stream:  # fmt: skip
                for piece in stream:
                    yield piece.detach().cpu().numpy()
        finally:
            self._model.hifigan_decoder = decoder

    def _by_decoding(self, said: _Said, mood: str) -> Generator[Samples, None, None]:
        decoder, withheld = self._model.waveform_decoder, Withheld()
        self._model.waveform_decoder = withheld
        try:
            self._synthesized(said, mood)
        finally:
            self._model.waveform_decoder = decoder
        yield from decoded(decoder, *withheld.given, self._rate)

    def _whole(self, said: _Said, mood: str) -> Generator[Samples, None, None]:
        outputs = self._synthesized(said, mood)
        if self._synthesizer.vocoder_model is None:
            sound = outputs["wav"]
        else:
            with torch.inference_mode():
                sound = self._synthesizer._run_vocoder(outputs["outputs"]["model_outputs"][0], self._device)
        yield np.asarray(sound.cpu() if isinstance(sound, torch.Tensor) else sound, np.float32).reshape(-1)

    def _synthesized(self, said: _Said, mood: str) -> dict[str, Any]:
        if hasattr(self._model, "length_scale"):
            self._model.length_scale = self._slow / said.rate
        try:
            outputs: dict[str, Any] = self._model.synthesize(
                text=said.text, language=said.language, use_griffin_lim=self._synthesizer.vocoder_model is None,
                **self._speakers.told(mood),
            )  # fmt: skip
        except AnchorError:
            raise
        except Exception as error:
            raise VoiceError(f"{self._found.name} cannot speak {said.text[:60]!r}: {error}") from error
        return outputs


def _be_quiet() -> None:
    """What its libraries say on stderr would be logged as the engine's last words."""
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    os.environ |= {"TOKENIZERS_PARALLELISM": "false", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}


def _fetched(model: str, language: str) -> CoquiModel:
    found = find(model, language=language, download=True)
    if found.folder is not None:
        return found
    item, _, _ = ModelManager()._set_model_item(model)
    if item.get("tos_required") and os.environ.get("COQUI_TOS_AGREED") != "1":
        raise VoiceError(
            f"{model} is under the Coqui Public Model License, which allows no commercial use: "
            "read https://coqui.ai/cpml and set COQUI_TOS_AGREED=1 in the environment to agree"
        )
    try:
        TTS(progress_bar=False).download_model_by_name(model)
    except Exception as error:
        raise MissingError(f"{model} cannot be downloaded: {error}") from error
    return find(model, language=language)


def _loaded(found: CoquiModel, device: str, trust: bool) -> TTS:
    assert found.folder is not None
    if trust:
        _trust()
    if found.kind == "xtts":
        _know_the_cache()
    coqui_espeak.provide(tuple(found.languages.values()))
    vocoder = _vocoder(found.vocoder) if found.vocoder is not None else {}
    try:
        with tempfile.TemporaryDirectory() as place:
            config = Path(place, "config.json")
            config.write_text(json.dumps(at_home(read_config(found.folder / "config.json"), found.folder)), "utf-8")
            api = TTS(model_path=str(found.weights), config_path=str(config), progress_bar=False, **vocoder)
    except AnchorError:
        raise
    except Exception as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()
        if type(error).__name__ == "UnpicklingError":
            raise ModelError(
                f"{found.weights}: holds more than weights, and what it holds could run code on this machine when "
                "it is loaded; if you trust whoever made it, set voice.options.trust = true"
            ) from error
        raise ModelError(f"{found.folder}: cannot be loaded: {' '.join(reason[:2])}") from error
    model = api.synthesizer.tts_model
    if hasattr(model, "disc"):
        del model.disc  # only needed to train
    for module in api.modules():
        if torch.nn.utils.parametrize.is_parametrized(module):
            for name in list(module.parametrizations):
                torch.nn.utils.parametrize.remove_parametrizations(module, name)
    return api.to(device).eval()


def _know_the_cache() -> None:
    """What transformers calls `cache` since 5.24, XTTS of coqui-tts 0.28 only knows as `past_key_values`."""
    from TTS.tts.layers.xtts.gpt_inference import GPT2InferenceModel

    forward = GPT2InferenceModel.forward

    @functools.wraps(forward)
    def knowing(self: Any, *arguments: Any, cache: Any = None, **options: Any) -> Any:
        return forward(self, *arguments, **(options if cache is None else {**options, "past_key_values": cache}))

    GPT2InferenceModel.forward = knowing


def _vocoder(folder: Path) -> dict[str, str]:
    weights = sorted(path for path in folder.iterdir() if path.name.endswith((".pth", ".pth.tar", ".pt")))
    if not weights or not (folder / "config.json").is_file():
        raise MissingError(f"{folder}: a vocoder needs its config.json and weights")
    return {"vocoder_path": str(weights[0]), "vocoder_config_path": str(folder / "config.json")}


def _trust() -> None:
    load = torch.load

    def trusting(*arguments: Any, **options: Any) -> Any:
        return load(*arguments, **{**options, "weights_only": False})

    torch.load = trusting


def _cut(text: str, limit: int) -> Iterator[str]:
    """A text in parts of fewer characters than `limit`, at spaces where it has any."""
    while len(text) >= limit:
        place = text.rfind(" ", limit // 2, limit - 1)
        place = place if place > 0 else limit - 1
        yield text[:place].strip()
        text = text[place:].strip()
    if text:
        yield text
