from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from anchor.errors import ConfigError, MissingError, ModelError, VoiceError
from anchor.events import Mood, Sentence, Span
from anchor.media import SAMPLE_RATE
from anchor.ports import SpeechChunk
from anchor.testing import check_voice
from anchor.voice import kokoro_files
from anchor.voice.espeak import command
from anchor.voice.kokoro import KokoroVoice
from anchor.voice.kokoro_engine import KokoroEngine
from anchor.voice.kokoro_graph import float_with_durations
from anchor.voice.kokoro_network import Network
from anchor.voice.kokoro_reading import LONGEST, Reader, Reading, Symbol, pieces_of
from anchor.voice.kokoro_symbols import from_espeak, from_kana, from_pinyin, phones_of
from anchor.voice.pronouncing import Pronouncer
from anchor.voice.text import Lexicon
from anchor.workers import WorkerPool

pytest.importorskip("onnx", reason="the network of these tests is made with onnx")

from tests.conftest import REAL_MODELS
from tests.voice import kokoro_shaped

REAL = REAL_MODELS / "kokoro"


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("published")
    kokoro_shaped.network(folder / "kokoro-v1.0.onnx")
    with (folder / "voices-v1.0.bin").open("wb") as file:
        np.savez(file, af_heart=np.ones((510, 1, 256), np.float32))
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, published: Path) -> Path:
    folder = tmp_path_factory.mktemp("kokoro")
    float_with_durations(published / "kokoro-v1.0.onnx", folder / "model.onnx")
    kokoro_shaped.speakers(folder / "voices", "af_heart", "bf_emma", "zf_xiaoxiao", "af_bella")
    return folder


@pytest.fixture(scope="module")
def voice(model: Path) -> Iterator[KokoroVoice]:
    voice = KokoroVoice(model=model, threads=1)
    yield voice
    asyncio.run(voice.close())


@pytest.fixture(scope="module")
def pool() -> Iterator[WorkerPool]:
    pool = WorkerPool("espeak-ng", command, 1)
    yield pool
    asyncio.run(pool.close())


def heard(voice: KokoroVoice, text: str, language: str, mood: Mood = "neutral") -> SpeechChunk:
    async def collected() -> SpeechChunk:
        chunks = [chunk async for chunk in voice.speak(Sentence(text, language, mood=mood))]
        return SpeechChunk(
            np.concatenate([chunk.audio for chunk in chunks]),
            tuple(word for chunk in chunks for word in chunk.words),
            tuple(phone for chunk in chunks for phone in chunk.phones),
        )

    return asyncio.run(collected())


def read(pool: WorkerPool, text: str, language: str, *spans: Span) -> str:
    """Symbols, and of the pieces after the first a bar before them."""
    return "|".join(
        "".join(symbol.letter for symbol in piece) for piece in reading(pool, text, language, *spans).pieces
    )


def reading(pool: WorkerPool, text: str, language: str, *spans: Span) -> Reading:
    reader = Reader(Pronouncer(pool), Lexicon())
    return asyncio.run(pool.run(lambda: reader.read(Sentence(text, language, spans=spans))))


@pytest.mark.parametrize(
    ("syllable", "symbols"),
    [
        ("zhong1", "ꭧʊ→ŋ"), ("xiong2", "ɕjʊ↗ŋ"), ("lv4", "ly↘"), ("yuan2", "ɥɛ↗n"), ("er5", "ɚ"), ("shi4", "ʂɨ↘"),
        ("qu4", "ʨʰy↘"), ("wo3", "wo↓"), ("you3", "jou↓"), ("wen4", "wə↘n"), ("bo1", "pwo→"), ("ng2", "ŋ↗"), ("?1", ""),
    ],
)  # fmt: skip
def test_pinyin_is_written_with_its_tone_behind_the_vowel(syllable: str, symbols: str) -> None:
    assert from_pinyin(syllable) == symbols


@pytest.mark.parametrize(
    ("kana", "symbols"),
    [
        ("トーキョー", "toːkʲoː"),
        ("しんぶん", "ɕimbɯɴ"),
        ("ガッコー", "ɡaʔkoː"),
        ("ニッポン", "ɲiʔpoɴ"),
        ("パーティー", "paːtʲiː"),
    ],
)
def test_kana_are_written_as_they_sound_before_their_neighbours(kana: str, symbols: str) -> None:
    assert from_kana(kana) == symbols


def test_a_diphthong_is_one_capital_and_american_r_stays() -> None:
    assert [from_espeak(name, "en-US") for name in ("ˈeɪ", "oʊ", "ɜː", "ɚ", "dʒ", "ɾ")] == [
        "ˈA", "O", "ɜɹ", "əɹ", "ʤ", "T",
    ]  # fmt: skip
    assert from_espeak("əʊ", "en-GB") == "Q"
    assert phones_of("A") == ("e", "ɪ")
    assert phones_of("→") == ()


def test_words_that_espeak_says_in_one_are_parted(pool: WorkerPool) -> None:
    assert read(pool, "In the city of London.", "en") == "ɪn ðə sˈɪTi ʌv lˈʌndən."


def test_small_words_are_words_of_their_own(pool: WorkerPool) -> None:
    assert read(pool, "He said that it was on a list.", "en") == "hi sˈɛd ðæt ɪt wʌz ɔn ɐ lˈɪst."
    assert "T " not in read(pool, "What a pity about it all.", "en")


def test_numbers_are_read_in_words(pool: WorkerPool) -> None:
    assert "twˈɛnti fˈIv pəɹsˈɛnt" in read(pool, "25%", "en")
    assert read(pool, "25%", "zh-CN") == "pai↓fə→nꭧɨ→ɚ↘ʂɨ↗u↓."


def test_english_in_chinese_is_read_by_english_rules(pool: WorkerPool) -> None:
    assert read(pool, "使用ChatGPT。", "zh-CN").startswith("ʂɨ↓jʊ↘ŋ ʧˈæt")


def test_tone_sandhi_is_heard(pool: WorkerPool) -> None:
    assert read(pool, "你好，不是。", "zh") == "ni↗xau↓, pu↗ʂɨ↘."


def test_marks_are_kept_and_a_sentence_ends_with_one(pool: WorkerPool) -> None:
    assert read(pool, "¿Qué pasa, Ana", "es") == "kˈe pˈasa, ˈana."
    assert read(pool, "...", "en") == ""


def test_a_stretch_in_another_language_is_read_in_it(pool: WorkerPool) -> None:
    assert "ɑ̃" in read(pool, "She said enfant twice.", "en", Span(9, 15, "lang", "fr"))


def test_a_long_text_is_cut_at_marks_with_a_short_piece_first() -> None:
    text = ("a" * 30 + ", ") * 20 + "b" * 700
    pieces = ["".join(one.letter for one in piece) for piece in pieces_of([Symbol(letter) for letter in text])]
    assert len(pieces[0]) < len(pieces[2])
    assert max(map(len, pieces)) <= LONGEST
    assert "".join(pieces).replace(" ", "") == text.replace(" ", "")


def test_keeps_the_promises_of_a_voice(voice: KokoroVoice) -> None:
    asyncio.run(check_voice(voice, "It rains in the north, and 25% of us are wet.", "The sun shines.", "en"))


def test_speaks_chinese_with_a_time_for_each_word(voice: KokoroVoice) -> None:
    speech = heard(voice, "今天下雨，出门带伞。", "zh-CN")
    assert [word.text for word in speech.words] == ["今天", "下雨，", "出门", "带伞。"]
    assert all(word.end > word.start for word in speech.words)
    assert [phone.symbol for phone in speech.phones][:4] == ["tɕ", "i", "n", "tʰ"]


def test_a_piece_comes_in_stretches_that_add_up(model: Path) -> None:
    engine = KokoroEngine(model=str(model))
    symbols = "ə bˈa " * 12 + "."
    each = [1.0] * len(symbols)
    piece = {"symbols": symbols, "speed": each, "pitch": each, "volume": [0.0] * len(symbols), "pause": 0.1}
    parts = list(engine.speak({"speaker": {"af_heart": 1.0}, "pieces": [piece]}))
    assert len(parts) == 3
    assert parts[0][0]["samples"] == sum(len(sound) for _, sound in parts)
    assert len(parts[0][0]["durations"]) == len(symbols) + 2
    assert not any(told for told, _ in parts[1:])


def test_speed_and_pitch_are_those_of_each_symbol(model: Path) -> None:
    network = Network(model / "model.onnx", threads=1, device="cpu")
    style, ones = np.ones((1, 256), np.float32), np.ones(4, np.float32)
    slow = network.plan("ab", style, speed=np.array([1, 0.5, 1, 1], np.float32), pitch=ones)
    high = network.plan("ab", style, speed=ones, pitch=np.array([1, 1, 1.5, 1], np.float32))
    assert slow.durations.tolist() == [12, 12, 6, 12]
    plain = network.plan("ab", style, speed=ones, pitch=ones)
    rise = (high.tune / plain.tune)[0]
    assert np.allclose(rise[24:36], 1.0)
    assert np.allclose(rise[36:48], 1.5)


def test_float_weights_are_what_the_quantised_ones_stood_for(published: Path, model: Path) -> None:
    style = np.ones((1, 256), np.float32)
    before = Network(published / "kokoro-v1.0.onnx", threads=1, device="cpu").whole("abc", style, 1.0)
    ones = np.ones(5, np.float32)
    network = Network(model / "model.onnx", threads=1, device="cpu")
    after = network.sound(network.plan("abc", style, speed=ones, pitch=ones), style)
    assert len(before) == len(after)
    # Integer products round what they take to 8 bits, which moves the phase a little.
    assert np.corrcoef(before[:12_000], after[:12_000])[0, 1] > 0.9


def test_a_network_as_it_is_published_speaks_without_times(published: Path) -> None:
    voice = KokoroVoice(model=published)
    try:
        assert not voice.info.phone_timings
        speech = heard(voice, "Hello there.", "en")
        assert len(speech.audio) > SAMPLE_RATE // 4
        assert not speech.words
    finally:
        asyncio.run(voice.close())


def test_a_mood_is_heard_in_speed(voice: KokoroVoice) -> None:
    lengths = dict[str, int]()
    for mood in get_args(Mood):
        lengths[mood] = len(heard(voice, "It rains in the north of the country.", "en", mood).audio)
    assert lengths["cheerful"] < lengths["concerned"]


def test_rate_shortens_speech(model: Path, voice: KokoroVoice) -> None:
    fast = KokoroVoice(model=model, rate=1.5, speaker="af_heart:0.6+af_bella:0.4", speakers={"zh": "zf_xiaoxiao"})
    try:
        text = "It rains in the north of the country."
        assert len((heard(fast, text, "en")).audio) < 0.8 * len((heard(voice, text, "en")).audio)
    finally:
        asyncio.run(fast.close())


def test_another_language_is_refused_by_name(voice: KokoroVoice) -> None:
    with pytest.raises(VoiceError, match=r"speaks en, zh.*not 'de'"):
        heard(voice, "Hallo.", "de")


def test_a_missing_folder_is_named_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MissingError, match="nowhere"):
        KokoroVoice(model=tmp_path / "nowhere")
    monkeypatch.setenv("ANCHOR_MODELS", str(tmp_path))
    with pytest.raises(MissingError, match=r"kokoro.*anchor models pull kokoro"):
        KokoroVoice()


def test_a_damaged_network_is_named(tmp_path: Path, model: Path) -> None:
    kokoro_shaped.speakers(tmp_path / "voices", "af_heart")
    (tmp_path / "model.onnx").write_bytes((model / "model.onnx").read_bytes()[:5000])
    with pytest.raises(ModelError, match=r"model\.onnx: is no ONNX file, or not all of one"):
        KokoroVoice(model=tmp_path)
    (tmp_path / "model.onnx").write_bytes(b"<html>not found</html>")
    with pytest.raises(ModelError, match=r"model\.onnx"):
        KokoroVoice(model=tmp_path)
    with pytest.raises(ModelError, match=r"model\.onnx"):
        float_with_durations(tmp_path / "model.onnx", tmp_path / "new.onnx")
    assert not list(tmp_path.glob("new*"))


def test_a_damaged_speaker_is_named(tmp_path: Path, published: Path) -> None:
    kokoro_shaped.network(tmp_path / "model.onnx")
    (tmp_path / "voices").mkdir()
    (tmp_path / "voices" / "af_heart.bin").write_bytes(b"short")
    with pytest.raises(ModelError, match=r"af_heart\.bin: has 5 bytes"):
        kokoro_files.find(tmp_path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rate": 3.0}, "voice.options.rate"), ({"threads": 0}, "voice.options.threads"),
        ({"device": "gpu"}, "voice.options.device"), ({"speaker": "nobody"}, "there is no speaker 'nobody'.*af_heart"),
        ({"speaker": "af_heart:"}, "voice.options.speaker"), ({"speakers": {"de": "af_heart"}}, "speakers.de"),
        ({"moods": {"cheerful": "nobody"}}, "voice.options.moods.cheerful"),
    ],
)  # fmt: skip
def test_a_wrong_option_is_named(model: Path, options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        KokoroVoice(model=model, **options)  # type: ignore[arg-type]


def test_another_network_is_another_version(model: Path, tmp_path: Path) -> None:
    before = kokoro_files.find(model).version
    assert before == kokoro_files.find(model).version
    kokoro_shaped.network(tmp_path / "model.onnx")
    kokoro_shaped.speakers(tmp_path / "voices", "af_heart")
    assert kokoro_files.find(tmp_path).version != before


@pytest.mark.skipif(not (REAL / "model.onnx").is_file(), reason="Kokoro is not pulled: anchor models pull kokoro")
def test_the_real_network_says_words_where_it_tells() -> None:
    voice = KokoroVoice(model=REAL)
    try:
        if not voice.info.phone_timings:
            pytest.skip("the network that was pulled is not prepared")
        speech = heard(voice, "Stop. Stop. Stop.", "en")
        level = np.array([np.abs(part).max() for part in np.array_split(speech.audio, len(speech.audio) // 480)])
        loud = np.flatnonzero(level > 0.1) * 480
        for word in speech.words:
            assert np.any((loud >= word.start) & (loud < word.end))
        assert abs(loud[0] - speech.words[0].start) < 0.15 * SAMPLE_RATE
    finally:
        asyncio.run(voice.close())


@pytest.mark.skipif(not (REAL / "model.onnx").is_file(), reason="Kokoro is not pulled: anchor models pull kokoro")
@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("今天上午，沿岸学校停课，预计明天恢复。", "zh-CN"),
        ("我们明天再见。", "zh-CN"),
        ("I lost my card yesterday.", "en"),
    ],
)
def test_no_stretch_of_the_real_voice_fades_away(text: str, language: str) -> None:
    voice = KokoroVoice(model=REAL)
    try:
        if not voice.info.phone_timings:
            pytest.skip("the network that was pulled is not prepared")
        speech = heard(voice, text, language)
    finally:
        asyncio.run(voice.close())
    words = [speech.audio[word.start : word.end] for word in speech.words if word.end > word.start]
    levels = [20 * np.log10(np.sqrt(np.mean(word**2))) for word in words]
    assert max(levels) - min(levels) < 12
