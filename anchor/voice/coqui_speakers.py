"""Who speaks in which mood, in the process of a Coqui model: its own speakers, or the people of reference clips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from anchor.errors import VoiceError


class Speakers:
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
        """The clips of a style; without one those of no style, else the speaker, else all of them."""
        if style:
            return [self._clips[style]] if style in self._clips else []
        own = [clip for name, clip in self._clips.items() if name not in self._styles.values()]
        return own if own or self._speaker else list(self._clips.values())

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
            latents, embedding = self._model.speaker_manager.speakers[speaker].values()
            return latents, embedding
        config = self._model.config
        latents, embedding = self._model.get_conditioning_latents(
            audio_path=list(clips), max_ref_length=config.max_ref_len, gpt_cond_len=config.gpt_cond_len,
            gpt_cond_chunk_len=config.gpt_cond_chunk_len, sound_norm_refs=config.sound_norm_refs,
        )  # fmt: skip
        return latents, embedding
