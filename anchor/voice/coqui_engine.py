"""Coqui's models where they run: in the process of `anchor.voice.engine_host`. Nothing else may import this module.

VITS first makes what its decoder takes, for the whole of a sentence, and decodes that piece by piece: the first sound
is there after a fraction of the time, and the pieces joined are what would have come in one. XTTS streams as it does
itself. Other models speak clause by clause.
"""

from __future__ import annotations

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

GAP_SECONDS = 0.06
"""Silence between pieces that are spoken apart, which the voice's own is added to."""

FIRST_SECONDS, LATER_SECONDS = 0.3, 1.2
"""How much sound VITS decodes at once: little, then twice as much every time."""

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
        self._speakers = _Speakers(self._model, self._found.kind, speaker, reference, styles or {})
        coqui_espeak.provide(tuple(self._found.languages.values()))

    @property
    def facts(self) -> dict[str, Any]:
        return {"rate": self._rate, "device": self._device, "speakers": list(self._speakers.names)[:500]}

    def speak(self, request: dict[str, Any]) -> Iterator[tuple[dict[str, Any], Samples]]:
        """``clauses`` are lists of text, language, rate and decibels; ``mood`` is the sentence's."""
        # Both kinds draw random numbers: the same sentence is to sound the same every time.
        torch.manual_seed(zlib.crc32(json.dumps(request, sort_keys=True).encode()))
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
        with closing(
            self._model.inference_stream(
                said.text, said.language, latents, embedding, stream_chunk_size=XTTS_TOKENS, speed=said.rate,
                temperature=config.temperature, length_penalty=config.length_penalty,
                repetition_penalty=config.repetition_penalty, top_k=config.top_k, top_p=config.top_p,
            )
        ) as stream:  # fmt: skip
            for piece in stream:
                yield piece.detach().cpu().numpy()

    def _by_decoding(self, said: _Said, mood: str) -> Generator[Samples, None, None]:
        decoder, withheld = self._model.waveform_decoder, _Withheld()
        self._model.waveform_decoder = withheld
        try:
            self._synthesized(said, mood)
        finally:
            self._model.waveform_decoder = decoder
        latents, condition = withheld.given
        frame = int(np.prod(self._model.args.upsample_rates_decoder))
        margin, length = _reach(self._model.args), latents.shape[-1]
        start, seconds = 0, FIRST_SECONDS
        while start < length:
            end = min(length, start + max(1, round(seconds * self._rate / frame)))
            first, last = max(0, start - margin), min(length, end + margin)
            with torch.inference_mode():
                sound = decoder(latents[:, :, first:last], g=condition)[0, 0].cpu().numpy()
            yield sound[(start - first) * frame : (end - first) * frame]
            start, seconds = end, min(LATER_SECONDS, 2 * seconds)

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


class _Withheld(torch.nn.Module):  # type: ignore[misc]
    """Stands where VITS has its decoder, and keeps what that would be given."""

    def __init__(self) -> None:
        super().__init__()
        self.given: tuple[Any, Any] = (None, None)

    def forward(self, latents: torch.Tensor, g: torch.Tensor | None = None) -> torch.Tensor:
        self.given = (latents, g)
        return latents[:, :1, :1]


class _Speakers:
    """Who speaks in which mood: speakers of the model, or the people of reference clips."""

    def __init__(
        self, model: Any, kind: str, speaker: str, reference: Sequence[str], styles: Mapping[str, str]
    ) -> None:
        self._model, self._kind, self._speaker, self._styles = model, kind, speaker, styles
        self._clips = {Path(clip).stem: clip for clip in reference}
        self._latents: dict[str, tuple[Any, Any]] = {}
        manager = getattr(model, "speaker_manager", None)
        self.names: tuple[str, ...] = tuple(manager.speaker_names) if manager is not None else ()
        self._clones = kind == "xtts" or getattr(manager, "encoder", None) is not None
        if self._clips and not self._clones:
            raise VoiceError("voice.options.reference: this model cannot speak as somebody else")
        self._check("voice.options.speaker", speaker)
        for mood, style in styles.items():
            if style not in self._clips:
                self._check(f"voice.options.moods.{mood}", style)
        if not speaker and not self._clips and (kind == "xtts" or len(self.names) > 1):
            raise VoiceError(f"voice.options.speaker: this model has several speakers: name one of {self._few()}")
        if self._clones and kind != "xtts":
            model.clone_voice = self._cloned
            self._original = type(model).clone_voice
            self._vectors: dict[tuple[str, ...], Any] = {}

    def _check(self, where: str, speaker: str) -> None:
        if speaker and speaker not in self.names:
            raise VoiceError(f"{where} = {speaker!r}: the model has no such speaker; it has {self._few()}")

    def _few(self) -> str:
        more = f" and {len(self.names) - 8} more" if len(self.names) > 8 else ""
        return ", ".join(self.names[:8]) + more or "none with a name"

    def _clips_of(self, style: str) -> list[str]:
        """The clips of a style; without one all that are no style's."""
        if style:
            return [self._clips[style]] if style in self._clips else []
        own = [clip for name, clip in self._clips.items() if name not in self._styles.values()]
        return own or list(self._clips.values())

    def told(self, mood: str) -> dict[str, Any]:
        """What a model other than XTTS is told of the speaker."""
        style = self._styles.get(mood, "")
        if clips := self._clips_of(style):
            return {"speaker_wav": clips}
        return {"speaker": style or self._speaker or (self.names[0] if len(self.names) == 1 else None)}

    def _cloned(self, speaker_wav: Any, *others: Any, **more: Any) -> Any:
        key = tuple(speaker_wav or ())
        if key not in self._vectors:
            self._vectors[key] = self._original(self._model, speaker_wav, *others, **more)
        return self._vectors[key]

    def latents(self, mood: str) -> tuple[Any, Any]:
        """What XTTS takes for a speaker; of clips it is computed once."""
        style = self._styles.get(mood, "")
        if style not in self._latents:
            self._latents[style] = self._heard(self._clips_of(style), style or self._speaker)
        return self._latents[style]

    def _heard(self, clips: Sequence[str], speaker: str) -> tuple[Any, Any]:
        if not clips:
            known = self._model.speaker_manager.speakers[speaker]
            return known["gpt_cond_latent"], known["speaker_embedding"]
        config = self._model.config
        latents, embedding = self._model.get_conditioning_latents(
            audio_path=list(clips), max_ref_length=config.max_ref_len, gpt_cond_len=config.gpt_cond_len,
            gpt_cond_chunk_len=config.gpt_cond_chunk_len, sound_norm_refs=config.sound_norm_refs,
        )  # fmt: skip
        return latents, embedding


def _be_quiet() -> None:
    """What its libraries say on stderr would be logged as the engine's last words."""
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    os.environ["TOKENIZERS_PARALLELISM"] = "false"


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


def _reach(arguments: Any) -> int:
    """How many frames around it the sound of one depends on, in HiFi-GAN (Kong et al. 2020)."""
    reach, rate = 3.0, 1.0
    blocks = zip(
        arguments.resblock_kernel_sizes_decoder, arguments.resblock_dilation_sizes_decoder, strict=False
    )  # fmt: skip
    second = 1 if str(arguments.resblock_type_decoder) == "1" else 0
    widest = max(sum((size - 1) // 2 * (dilation + second) for dilation in dilations) for size, dilations in blocks)
    sizes = zip(arguments.upsample_rates_decoder, arguments.upsample_kernel_sizes_decoder, strict=True)
    for factor, size in sizes:
        reach += size / factor / 2 / rate
        rate *= factor
        reach += widest / rate
    return int(np.ceil(reach + 3 / rate)) + 1


def _cut(text: str, limit: int) -> Iterator[str]:
    """A text in parts of fewer characters than `limit`, at spaces where it has any."""
    while len(text) >= limit:
        place = text.rfind(" ", limit // 2, limit - 1)
        place = place if place > 0 else limit - 1
        yield text[:place].strip()
        text = text[place:].strip()
    if text:
        yield text
