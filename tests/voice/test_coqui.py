"""Voices of Coqui, by their real path: coqui-tts in its own process, on models with random weights made here."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from anchor.bench.tiny_vits import write_tiny
from anchor.channel import closing
from anchor.errors import ConfigError, MissingError, VoiceError
from anchor.events import Sentence, Span
from anchor.media import SAMPLE_RATE, Samples
from anchor.voice.coqui import CoquiVoice

pytestmark = pytest.mark.skipif(importlib.util.find_spec("TTS") is None, reason="needs the extra tts (coqui-tts)")

TEXT = "Good evening. The council met today, and agreed."


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("coqui")
    write_tiny(
        [
            ("vits", folder / "vits", {"speakers": ["Ann", "Bob"], "languages": ["en", "fr-fr"]}),
            ("vits", folder / "spelled", {"phonemes": True, "languages": ["en-us"]}),
            ("xtts", folder / "xtts", {"speakers": ["Ann", "Bob"], "tokens": 30}),
        ]
    )
    return folder


@pytest.fixture(scope="module")
def vits(models: Path) -> Iterator[CoquiVoice]:
    voice = CoquiVoice(model=models / "vits", speaker="Ann", moods={"cheerful": "Bob"})
    yield voice
    asyncio.run(voice.close())


@pytest.fixture(scope="module")
def xtts(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CoquiVoice]:
    clip = tmp_path_factory.mktemp("clips") / "glad.wav"
    import soundfile

    soundfile.write(clip, 0.3 * np.sin(np.arange(24000) / 20) * np.hanning(24000), 16000)
    voice = CoquiVoice(
        model=models / "xtts", speaker="Ann", reference=(clip,), consented=True, moods={"cheerful": "glad"}, rate=1.25
    )
    yield voice
    asyncio.run(voice.close())


def said(voice: CoquiVoice, text: str, language: str = "en", **more: Any) -> Samples:
    async def main() -> Samples:
        chunks = [chunk.audio async for chunk in voice.speak(Sentence(text, language, **more))]
        return np.concatenate(chunks) if chunks else np.zeros(0, np.float32)

    return asyncio.run(main())


def test_a_model_speaks_and_tells_what_it_is(vits: CoquiVoice) -> None:
    sound = said(vits, TEXT)
    assert sound.dtype == np.float32
    assert 1 < len(sound) / SAMPLE_RATE < 20
    assert 0.05 < float(np.abs(sound).max()) <= 1.0
    info = vits.info
    assert info.languages == ("en", "fr", "fr-FR")
    assert not info.phone_timings
    assert info.version
    assert set(vits.facts["speakers"]) == {"Ann", "Bob"}


def test_the_same_sentence_sounds_the_same_every_time(vits: CoquiVoice) -> None:
    said(vits, TEXT)
    once, again = said(vits, TEXT), said(vits, TEXT)
    assert len(once) == len(again)
    # Its loudness is still being learnt.
    assert np.abs(once / np.abs(once).max() - again / np.abs(again).max()).max() < 0.05


def test_text_with_nothing_to_say_gives_nothing(vits: CoquiVoice) -> None:
    assert len(said(vits, " … ")) == 0


def test_sound_comes_before_all_of_it_is_made(vits: CoquiVoice) -> None:
    async def main() -> list[int]:
        return [len(chunk.audio) async for chunk in vits.speak(Sentence(TEXT, "en"))]

    lengths = asyncio.run(main())
    assert len(lengths) > 3
    assert lengths[0] < 0.5 * SAMPLE_RATE


def test_a_cancelled_sentence_ends_at_once_and_the_next_one_is_whole(vits: CoquiVoice) -> None:
    whole = said(vits, TEXT)

    async def main() -> None:
        async with closing(vits.speak(Sentence(20 * TEXT, "en"))) as chunks:
            async for _ in chunks:
                break
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())
    assert len(said(vits, TEXT)) == len(whole)


def test_numbers_are_read_as_words(vits: CoquiVoice) -> None:
    # This model knows letters and no digits, which it would leave out.
    assert len(said(vits, "It was 2,025 dollars.")) > 1.5 * len(said(vits, "It was dollars."))


def test_a_language_that_it_does_not_speak_is_an_error_that_names_those_it_does(vits: CoquiVoice) -> None:
    with pytest.raises(VoiceError, match=r"does not speak 'zh-CN'; it speaks en, fr, fr-FR"):
        said(vits, "你好。", "zh-CN")


def test_a_mood_changes_the_speaker_that_is_named_for_it_or_else_the_speed(vits: CoquiVoice) -> None:
    usual, glad, grave = (said(vits, TEXT, mood=mood) for mood in ("neutral", "cheerful", "concerned"))
    least = min(len(usual), len(glad))
    assert np.abs(usual[:least] - glad[:least]).max() > 0.01
    assert len(grave) > len(usual)


def test_what_prosody_says_of_a_stretch_is_heeded(vits: CoquiVoice) -> None:
    slow = said(vits, TEXT, spans=(Span(0, len(TEXT), "prosody", rate=0.5),))
    assert len(slow) == pytest.approx(2 * len(said(vits, TEXT)), rel=0.25)


def test_xtts_streams_what_it_says_at_the_rate_it_is_told(xtts: CoquiVoice) -> None:
    async def main() -> list[int]:
        return [len(chunk.audio) async for chunk in xtts.speak(Sentence("Hello there.", "en"))]

    lengths = asyncio.run(main())
    # 30 tokens of 46 ms, of which 20 come first.
    assert sum(lengths) / SAMPLE_RATE == pytest.approx(30 * 1024 / 22050 / 1.25, rel=0.1)
    assert len(lengths) > 2
    assert xtts.info.languages == ("en", "zh", "zh-CN", "de")
    assert "no commercial use" in xtts.info.licence


def test_xtts_speaks_as_the_clip_of_a_mood(xtts: CoquiVoice) -> None:
    usual, glad = said(xtts, "Hello there."), said(xtts, "Hello there.", mood="cheerful")
    assert np.abs(usual[:4000] - glad[:4000]).max() > 0.01


def test_what_cannot_be_loaded_is_told_in_a_line_that_says_what_to_do(models: Path, tmp_path: Path) -> None:
    shutil.copytree(models / "vits", tmp_path / "misfit")
    config = json.loads((tmp_path / "misfit" / "config.json").read_text())
    config["model_args"]["hidden_channels"] = 64
    (tmp_path / "misfit" / "config.json").write_text(json.dumps(config))
    shutil.copytree(models / "vits", tmp_path / "garbage")
    (tmp_path / "garbage" / "model.pth").write_bytes(b"no weights at all")
    shutil.copytree(models / "vits", tmp_path / "pickled")
    cases: dict[str, dict[str, Any]] = {
        "misfit": {"model": str(tmp_path / "misfit"), "speaker": "Ann"},
        "garbage": {"model": str(tmp_path / "garbage"), "speaker": "Ann"},
        "pickled": {"model": str(tmp_path / "pickled"), "speaker": "Ann"},
        "trusted": {"model": str(tmp_path / "pickled"), "speaker": "Ann", "trust": True},
        "stranger": {"model": str(models / "vits"), "speaker": "Zoe"},
        "nobody": {"model": str(models / "vits")},
        "style": {"model": str(models / "vits"), "speaker": "Ann", "styles": {"warm": "soft"}},
        "cloned": {"model": str(models / "vits"), "reference": ["a.wav"]},
        "spelled": {"model": str(models / "spelled")},
        "cuda": {"model": str(models / "vits"), "speaker": "Ann", "device": "cuda"},
    }
    told = _told_by_engines(cases, tmp_path / "pickled" / "model.pth")
    assert "cannot be loaded" in told["misfit"] and "size mismatch" in told["misfit"]
    assert str(tmp_path / "garbage") in told["garbage"]
    assert "voice.options.trust = true" in told["pickled"]
    assert told["trusted"] == "loaded"
    assert told["stranger"] == "voice.options.speaker = 'Zoe': the model has no such speaker; it has Ann, Bob"
    assert told["nobody"].startswith("voice.options.speaker: this model has several speakers")
    assert told["style"].startswith("voice.options.moods.warm = 'soft'")
    assert told["cloned"] == "voice.options.reference: this model cannot speak as somebody else"
    # What is trained on espeak-ng's phones needs no program of that name.
    assert 0.3 < float(told["spelled"].removeprefix("says ")) < 5
    assert "voice.options.device" in told["cuda"] or told["cuda"] == "loaded"
    assert all(message.count("\n") < 2 and len(message) < 600 for message in told.values())


def _told_by_engines(cases: dict[str, dict[str, Any]], pickled: Path) -> dict[str, str]:
    """What the engine says to options, all in one process, as importing coqui-tts takes seconds."""
    program = f"""
import json, sys, types
import torch
from anchor.voice.coqui_engine import CoquiEngine
from anchor.errors import AnchorError
state = torch.load({str(pickled)!r})
state["more"] = types.SimpleNamespace(run="what it likes")
torch.save(state, {str(pickled)!r})
told = dict()
for name, options in json.loads(sys.stdin.read()).items():
    try:
        engine = CoquiEngine(**options)
        told[name] = "loaded"
        if name == "spelled":
            pieces = engine.speak({{"clauses": [["Good evening.", "en-us", 1.0, 0.0]]}})
            told[name] = f"says {{sum(len(sound) for _, sound in pieces) / engine.facts['rate']}}"
    except AnchorError as error:
        told[name] = str(error)
print(json.dumps(told))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], input=json.dumps(cases), capture_output=True, text=True, check=True
    )
    answer: dict[str, str] = json.loads(done.stdout.strip().splitlines()[-1])
    return answer


def test_a_clip_in_a_configuration_is_refused_since_nobody_has_consented(models: Path, tmp_path: Path) -> None:
    clip = tmp_path / "me.wav"
    clip.write_bytes(b"")
    for options in ({"reference": str(clip)}, {"reference": [str(clip)], "consented": True}, {"reference": (clip,)}):
        with pytest.raises(ConfigError, match="consent"):
            CoquiVoice(model=models / "xtts", **options)
    with pytest.raises(MissingError, match="there is no file"):
        CoquiVoice(model=models / "xtts", reference=(tmp_path / "gone.wav",), consented=True)


def test_options_that_cannot_be_name_their_key(models: Path) -> None:
    for key, value in (("rate", 3.0), ("threads", -1), ("workers", 0), ("device", "tpu"), ("moods", {"sad": "x"})):
        with pytest.raises(ConfigError, match=rf"voice\.options\.{key}"):
            CoquiVoice(model=models / "vits", **{key: value})  # type: ignore[arg-type]
