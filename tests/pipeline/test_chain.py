"""Voices of a configuration, put behind one another."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from anchor.chain import Chain
from anchor.channel import closing
from anchor.clock import run_virtual
from anchor.config import EngineConfig, VoiceConfig
from anchor.errors import ConfigError, MissingError, VoiceError
from anchor.events import Sentence
from anchor.media import SAMPLE_RATE
from anchor.parts import open_voice
from anchor.pipeline.steadfast import SteadfastVoice, states
from anchor.ports import SpeechChunk, Voice, VoiceInfo
from anchor.testing import FakeVoice
from anchor.voice.espeak import EspeakVoice


class ToneVoice(FakeVoice):
    """A tone that says what it was opened with; `away` fails."""

    opened: ClassVar[list[ToneVoice]] = []

    def __init__(self, *, name: str = "tone", languages: Sequence[str] = ("en", "zh"), away: bool = False) -> None:
        super().__init__()
        self.info = replace(self.info, name=name, languages=tuple(languages))
        self.away = away
        ToneVoice.opened.append(self)

    async def speak(self, sentence: Sentence) -> AsyncIterator[SpeechChunk]:
        if self.away:
            raise VoiceError(f"{self.info.name} is away")
        async with closing(super().speak(sentence)) as chunks:
            async for chunk in chunks:
                yield chunk


class SwallowingVoice:
    """The embedded voice without its timings, which leaves a word out as often as `swallows` says."""

    swallows: ClassVar[int] = 0
    word = "million "

    def __init__(self, *, drop: bool = True) -> None:
        self._voice = EspeakVoice(workers=1)
        self.info = VoiceInfo("swallowing", "none", ("en",), "Apache-2.0", phone_timings=False)

    async def warm(self, languages: Sequence[str]) -> None:
        await self._voice.warm(languages)

    async def speak(self, sentence: Sentence) -> AsyncIterator[SpeechChunk]:
        text = sentence.text
        if SwallowingVoice.swallows > 0 and self.word in text:
            SwallowingVoice.swallows -= 1
            text = text.replace(self.word, "")
        async for chunk in self._voice.speak(replace(sentence, text=text)):
            yield SpeechChunk(chunk.audio)

    async def close(self) -> None:
        await self._voice.close()


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The voices above, as a distribution of somebody else's."""
    folder = tmp_path / "site" / "tones-1.0.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: tones\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text(
        f"[anchor.voice]\ntone = {__name__}:ToneVoice\nswallowing = {__name__}:SwallowingVoice\n"
    )
    monkeypatch.syspath_prepend(str(folder.parent))
    monkeypatch.setattr(ToneVoice, "opened", [])


def tone(name: str, **options: Any) -> EngineConfig:
    return EngineConfig(engine="tone", options={"name": name, **options})


FURTHER = {
    "a": tone("a"),
    "b": tone("b"),
    "away": tone("away", away=True),
    "chinese": tone("chinese", languages=["zh"]),
}


def said(voice: Voice, text: str = "one two", language: str = "en") -> list[str]:
    """The names of the voices that have spoken it."""

    async def main() -> list[str]:
        try:
            async with closing(voice.speak(Sentence(text, language))) as chunks:
                words = "".join([word.text async for chunk in chunks for word in chunk.words])
            assert words == text
        finally:
            await voice.close()
        return [one.info.name for one in ToneVoice.opened if one.spoken]

    return run_virtual(main())


def names(voice: Voice) -> list[str]:
    return [state.name for state in states(voice)]


def test_where_people_listen_the_embedded_voice_is_behind_all_others() -> None:
    config = VoiceConfig(engine="tone", fallback=("a", "b"))
    assert names(open_voice(config, further=FURTHER, live=True)) == ["tone", "a", "b", "espeak"]
    assert names(open_voice(VoiceConfig(), live=True)) == ["espeak"]
    assert names(open_voice(VoiceConfig(options={"rate": 1.2}), live=True)) == ["espeak"]


def test_a_file_is_spoken_by_the_configured_voices_alone() -> None:
    assert names(open_voice(VoiceConfig(engine="tone"))) == ["tone"]
    with pytest.raises(VoiceError, match="away"):
        said(open_voice(VoiceConfig(engine="tone", options={"away": True})))
    away = VoiceConfig(engine="tone", options={"away": True}, fallback=("a",))
    assert said(open_voice(away, further=FURTHER)) == ["a"]


def test_each_language_is_spoken_by_its_own_voices_first_and_by_the_others_after_them() -> None:
    config = VoiceConfig(engine="tone", fallback=("b",), languages={"zh": ("away", "chinese")})
    open_here: Callable[[], Voice] = lambda: open_voice(config, further=FURTHER, live=True)  # noqa: E731
    assert said(open_here(), "一二", "zh-CN") == ["chinese"]
    ToneVoice.opened.clear()
    assert said(open_here(), "one") == ["tone"]


def test_who_is_there_for_one_language_does_not_step_in_for_others() -> None:
    config = VoiceConfig(engine="tone", options={"away": True}, languages={"zh": ("a",)}, fallback=("b",))
    assert said(open_voice(config, further=FURTHER, live=True)) == ["b"]


@pytest.mark.parametrize(
    ("config", "error", "match"),
    [
        (VoiceConfig(languages={"en": ("chinese",)}), ConfigError,
         r"voice\.languages\.en: voice 'chinese' does not speak 'en'; it speaks zh"),
        (VoiceConfig(fallback=("nobody",)), MissingError,
         r"voice\.fallback: there is no voice named 'nobody'; .*chinese"),
        (VoiceConfig(languages={"en": ("nobody",)}), MissingError, r"voice\.languages\.en: there is no voice"),
        (VoiceConfig(engine="tone", options={"colour": 1}), ConfigError, r"voice\.options: unknown key 'colour'"),
        (VoiceConfig(fallback=("odd",)), ConfigError, r"voices\.odd\.options: unknown key 'colour'"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_chain_is_told_with_its_key(
    config: VoiceConfig, error: type[Exception], match: str
) -> None:
    with pytest.raises(error, match=match):
        open_voice(config, further={**FURTHER, "odd": tone("odd", colour=1)}, live=True)


def test_each_voice_is_opened_once_however_often_it_is_named() -> None:
    config = VoiceConfig(engine="tone", fallback=("a", "tone", "a"), languages={"en": ("a",), "zh": ("a", "tone")})
    chain = Chain(config, FURTHER, live=True)
    assert chain.house() is chain.house()
    assert names(chain.house()) == ["tone", "a", "espeak"]
    assert names(chain.named("a")) == ["a"]
    assert sorted(voice.info.name for voice in ToneVoice.opened) == ["a", "tone"]


def test_behind_a_named_voice_stands_the_house_but_it_is_asked_for_its_own_languages_only() -> None:
    chain = Chain(VoiceConfig(engine="tone"), FURTHER, live=True)
    named = chain.named("chinese")
    assert named.info.languages == ("zh",)
    away = chain.named("away")

    async def main() -> str:
        try:
            return "".join([word.text async for chunk in away.speak(Sentence("one two", "en")) for word in chunk.words])
        finally:
            await away.close()
            await chain.house().close()

    assert run_virtual(main()) == "one two"
    assert [voice.info.name for voice in ToneVoice.opened if voice.spoken] == ["tone"]


def test_in_a_file_nobody_steps_in_for_a_named_voice() -> None:
    with pytest.raises(VoiceError, match="away is away"):
        said(Chain(VoiceConfig(), FURTHER, live=False).named("away"))


TEXT = "The government plans to plant one million trees."


def heard(voice: Voice, times: int = 1) -> tuple[np.ndarray[Any, Any], SteadfastVoice]:
    """Real time, since the embedded voice is a process."""
    import asyncio

    async def main() -> np.ndarray[Any, Any]:
        try:
            for _ in range(times):
                sound = [chunk.audio async for chunk in voice.speak(Sentence(TEXT, "en"))]
        finally:
            await voice.close()
        return np.concatenate(sound)

    assert isinstance(voice, SteadfastVoice)
    return asyncio.run(main()), voice


def test_a_swallowed_word_is_reported_or_said_again_as_is_configured_and_always_said_again_in_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = VoiceConfig(engine="swallowing", cache=tmp_path / "kept")
    whole, voice = heard(open_voice(config, live=True))
    assert voice.states()[0].swallowed == 0
    kept = list((tmp_path / "kept").glob("*.speech"))
    assert len(kept) == 1
    kept[0].unlink()

    monkeypatch.setattr(SwallowingVoice, "swallows", 1)
    short, voice = heard(open_voice(config, live=True))
    assert len(short) < len(whole) - 0.2 * SAMPLE_RATE
    assert voice.states()[0].swallowed == 1
    assert list((tmp_path / "kept").glob("*.speech")) == [], "what is flawed is not kept"

    for again in (open_voice(config.model_copy(update={"swallowed": "retry"}), live=True), open_voice(config)):
        monkeypatch.setattr(SwallowingVoice, "swallows", 1)
        sound, voice = heard(again)
        assert abs(len(sound) - len(whole)) < 0.1 * SAMPLE_RATE
        assert (SwallowingVoice.swallows, voice.states()[0].swallowed) == (0, 0)
        for file in (tmp_path / "kept").glob("*.speech"):
            file.unlink()

    monkeypatch.setattr(SwallowingVoice, "swallows", 1)
    _, voice = heard(open_voice(config.model_copy(update={"swallowed": "off"}), live=True))
    assert voice.states()[0].swallowed == 0


def test_spoken_sentences_are_kept_for_all_who_use_the_same_voice_and_not_for_the_embedded_one(tmp_path: Path) -> None:
    config = VoiceConfig(engine="tone", cache=tmp_path / "kept")
    said(open_voice(config, live=True))
    assert len(list((tmp_path / "kept").glob("*.speech"))) == 1
    ToneVoice.opened.clear()
    assert said(open_voice(config)) == [], "a render takes what a show has spoken"
    ToneVoice.opened.clear()
    other = VoiceConfig(engine="tone", options={"name": "other"}, cache=tmp_path / "kept")
    assert said(open_voice(other)) == ["other"]
    assert names(open_voice(VoiceConfig(cache=tmp_path / "kept"), live=True)) == ["espeak"]
    assert isinstance(open_voice(VoiceConfig(cache=tmp_path / "kept")), EspeakVoice)
