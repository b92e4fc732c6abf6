"""Marked-up sentences through the built-in voice: heard by measuring."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from anchor.broadcast.ssml import parse_ssml
from anchor.events import Phone, Sentence, Span, Word
from anchor.media import SAMPLE_RATE, Samples
from anchor.ports import SpeechChunk, Voice
from anchor.testing import FakeVoice
from anchor.voice.espeak import EspeakVoice
from anchor.voice.spoken import spoken
from anchor.voice.text import Lexicon, say_as
from anchor.voice.text.ipa import mnemonics
from tests.voice.speech import level


def hear(voice: Voice, text: str, language: str) -> tuple[Samples, list[Word], list[Phone]]:
    marked = parse_ssml(text, language)

    async def listen() -> list[SpeechChunk]:
        sentence = Sentence(marked.text, language, spans=marked.spans)
        return [chunk async for chunk in spoken(voice, sentence)]

    chunks = asyncio.run(listen())
    words = [word for chunk in chunks for word in chunk.words]
    assert "".join(word.text for word in words) == marked.text, "words are those that viewers read"
    audio = np.concatenate([chunk.audio for chunk in chunks])
    assert all(a.end <= b.start for a, b in pairwise(words))
    assert words[-1].end <= len(audio)
    return audio, words, [phone for chunk in chunks for phone in chunk.phones]


def sounds(voice: Voice, text: str, language: str) -> str:
    return "".join(phone.symbol for phone in hear(voice, text, language)[2])


def seconds(audio: Samples) -> float:
    return len(audio) / SAMPLE_RATE


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ('I see a<break time="1s"/> moon.', "en"),
        ('Fish<break time="1s"/> shop, now.', "en"),
        ('Stop,<break time="1s"/> police.', "en"),
        ('人<break time="1s"/>民。', "zh-CN"),
    ],
)
def test_a_break_of_a_second_is_a_second_of_silence(voice: EspeakVoice, text: str, language: str) -> None:
    audio, _, phones = hear(voice, text, language)
    before, after = max(pairwise(phones), key=lambda pair: pair[1].start - pair[0].end)
    assert (after.start - before.end) / SAMPLE_RATE == pytest.approx(1.0, abs=0.02)
    assert level(audio[before.end + 2400 : after.start - 1200]) < -60


def test_breaks_begin_and_end_a_sentence_and_add_up(voice: EspeakVoice) -> None:
    plain, _, _ = hear(voice, "Hello.", "en")
    audio, words, _ = hear(voice, '<break time="500ms"/>Hello<break time="1s"/><break time="250ms"/>.', "en")
    assert seconds(audio) - seconds(plain) == pytest.approx(1.75, abs=0.06)
    assert [word.text for word in words] == ["Hello."]
    assert words[0].start / SAMPLE_RATE == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize(("rate", "share"), [("150%", 2 / 3), ("200%", 1 / 2), ("80%", 1.25), ("60%", 1.67)])
@pytest.mark.parametrize(
    ("text", "language"),
    [("The price of bread went up today in most of the towns.", "en"), ("今天面包的价格在大部分城市上涨。", "zh-CN")],
)
def test_a_rate_shortens_speech_by_what_it_says(
    voice: EspeakVoice, text: str, language: str, rate: str, share: float
) -> None:
    plain, _, _ = hear(voice, text, language)
    changed, _, _ = hear(voice, f'<prosody rate="{rate}">{text}</prosody>', language)
    assert len(changed) / len(plain) == pytest.approx(share, rel=0.07)


def test_a_rate_holds_for_its_words_alone(voice: EspeakVoice) -> None:
    text = "The price of bread {}went up{} today in all towns."
    _, plain, _ = hear(voice, text.format("", ""), "en")
    _, slowed, _ = hear(voice, text.format('<prosody rate="50%">', "</prosody>"), "en")
    lengths = [(b.end - b.start) / (a.end - a.start) for a, b in zip(plain, slowed, strict=True)]
    words = [word.text.strip() for word in plain]
    assert min(lengths[words.index("went")], lengths[words.index("up")]) > 1.6
    assert all(0.85 < length < 1.2 for word, length in zip(words, lengths, strict=True) if word not in ("went", "up"))


def test_six_decibels_less_are_half_the_amplitude(voice: EspeakVoice) -> None:
    plain, words, _ = hear(voice, "The price of bread went up today.", "en")
    soft, _, _ = hear(voice, '<prosody volume="-6.02dB">The price of bread went up today.</prosody>', "en")
    assert np.abs(soft).max() == pytest.approx(np.abs(plain).max() / 2, rel=0.01)
    part, _, _ = hear(voice, 'The price of <prosody volume="-6.02dB">bread</prosody> went up today.', "en")
    bread = slice(words[3].start + 960, words[3].end - 960)
    assert level(part[bread]) - level(plain[bread]) == pytest.approx(-6.02, abs=0.2)
    assert np.array_equal(part[: words[2].start], plain[: words[2].start])


def pitch_of(audio: Samples) -> float:
    """Hertz, by the strongest autocorrelation of a stretch between 80 and 500 Hz."""
    audio = audio - audio.mean()
    spectrum = np.abs(np.fft.rfft(audio, 1 << 17)) ** 2
    correlation = np.fft.irfft(spectrum)[: SAMPLE_RATE // 80]
    low = SAMPLE_RATE // 500
    return SAMPLE_RATE / (low + int(np.argmax(correlation[low:])))


@pytest.mark.parametrize(("pitch", "factor"), [("+25%", 1.25), ("-20%", 0.8), ("+3st", 2 ** (3 / 12))])
def test_a_pitch_raises_or_lowers_the_voice(voice: EspeakVoice, pitch: str, factor: float) -> None:
    text = "No one will ever row more or run lower now."
    plain, _, phones = hear(voice, text, "en")
    changed, _, moved = hear(voice, f'<prosody pitch="{pitch}">{text}</prosody>', "en")
    ratios = [
        pitch_of(changed[b.start : b.end]) / pitch_of(plain[a.start : a.end])
        for a, b in zip(phones, moved, strict=True) if a.end - a.start > 2400
    ]  # fmt: skip
    assert float(np.median(ratios)) == pytest.approx(factor, rel=0.04)


def test_emphasis_is_slower_and_louder_and_reduced_is_not(voice: EspeakVoice) -> None:
    def bread(level_name: str) -> tuple[float, float]:
        audio, words, _ = hear(voice, f'We had <emphasis level="{level_name}">bread</emphasis> for all.', "en")
        word = next(word for word in words if "bread" in word.text)
        return (word.end - word.start) / SAMPLE_RATE, level(audio[word.start : word.end])

    lengths, levels = zip(*(bread(name) for name in ("reduced", "none", "moderate", "strong")), strict=True)
    assert list(lengths) == sorted(lengths) and lengths[3] > 1.15 * lengths[1]
    assert list(levels) == sorted(levels) and levels[3] > levels[0] + 3


def test_one_sentence_does_not_change_how_the_next_is_said(voice: EspeakVoice) -> None:
    before, _, _ = hear(voice, "The price of bread.", "en")
    hear(voice, '<prosody rate="200%" pitch="+50%" volume="-20dB">All of it.</prosody>', "en")
    after, _, _ = hear(voice, "The price of bread.", "en")
    assert np.array_equal(before, after)


def test_a_sentence_sounds_the_same_in_every_process(voice: EspeakVoice) -> None:
    hear(voice, "Something else before it.", "en")
    here, _, _ = hear(voice, "The price of bread.", "en")
    another = EspeakVoice(workers=1)
    try:
        there, _, _ = hear(another, "The price of bread.", "en")
    finally:
        asyncio.run(another.close())
    assert np.array_equal(here, there)


@pytest.mark.parametrize(
    ("marked", "plain", "language"),
    [
        ('The <sub alias="World Wide Web">WWW</sub> is old.', "The World Wide Web is old.", "en"),
        ('<sub alias="世界贸易组织">WTO</sub>开会。', "世界贸易组织开会。", "zh-CN"),
        ('Dial <say-as interpret-as="digits">1984</say-as>.', "Dial one nine eight four.", "en"),
        ('<say-as interpret-as="cardinal">1984</say-as> men.', "One thousand nine hundred and eighty four men.", "en"),
        ('The <say-as interpret-as="ordinal">21</say-as> day.', "The twenty first day.", "en"),
        ('Louis <say-as interpret-as="ordinal">XIV</say-as>.', "Louis fourteenth.", "en"),
        (
            'On <say-as interpret-as="date" format="dmy">3/4/2025</say-as>.',
            "On April third, twenty twenty five.", "en",
        ),
        ('At <say-as interpret-as="time">1430</say-as>.', "At fourteen thirty.", "en"),
        ('<say-as interpret-as="fraction">2 3/4</say-as> hours.', "Two and three quarters hours.", "en"),
        ('It is <say-as interpret-as="unit">5 in</say-as> long.', "It is five inches long.", "en"),
        ('<say-as interpret-as="currency" format="EUR">5.50</say-as>.', "Five euros and fifty cents.", "en"),
        ('电话<say-as interpret-as="telephone">1380</say-as>。', "电话幺三八零。", "zh-CN"),
        ('密码<say-as interpret-as="digits">2025</say-as>。', "密码二零二五。", "zh-CN"),
        ('<say-as interpret-as="cardinal">2025</say-as>人。', "两千零二十五人。", "zh-CN"),
        ('第<say-as interpret-as="ordinal">3</say-as>名。', "第三名。", "zh-CN"),
        ('<say-as interpret-as="date" format="mdy">3/4/2025</say-as>。', "二零二五年三月四日。", "zh-CN"),
        ('<say-as interpret-as="fraction">3/4</say-as>。', "四分之三。", "zh-CN"),
        ('<say-as interpret-as="time">14:05</say-as>开始。', "十四点零五分开始。", "zh-CN"),
        ('<say-as interpret-as="unit">2 km</say-as>。', "两公里。", "zh-CN"),
        ('Marca <say-as interpret-as="digits">12</say-as>.', "Marca 1 2.", "es"),
    ],
)  # fmt: skip
def test_what_text_is_said_as_sounds_as_if_it_were_written_so(
    voice: EspeakVoice, marked: str, plain: str, language: str
) -> None:
    assert sounds(voice, marked, language) == sounds(voice, plain, language)


def test_characters_are_spelled_signs_too(voice: EspeakVoice) -> None:
    assert sounds(voice, '<say-as interpret-as="characters">A1-x</say-as>.', "en") == "eɪwʌndæʃɛks"
    chinese = sounds(voice, '编号<say-as interpret-as="spell-out">B-2</say-as>。', "zh-CN")
    assert chinese == "piɛnxɑu" + "bi" + sounds(voice, "杠二。", "zh-CN")


@pytest.mark.parametrize(
    ("ipa", "language", "phones"),
    [
        ("təˈmɑːtəʊ", "en", "təmɑɾoʊ"),
        ("t͡ʃiːz", "en", "tʃiz"),
        ("ˈθɪŋkɚ", "en", "θɪŋkɚ"),
        ("ˈdʒɔɪ ðʌs", "en", "dʒɔɪðʌs"),
        ("ˈʃøːn", "de", "ʃøn"),
        ("ˈbuːxɐ", "de", "buxɜ"),
        ("bɔ̃ʒuʁ", "fr", "bɔ̃ʒuʁ"),
        ("ˈkaʎe", "es", "kaʎe"),
    ],
)
def test_phonemes_are_sounded_as_written(voice: EspeakVoice, ipa: str, language: str, phones: str) -> None:
    assert sounds(voice, f'<phoneme ph="{ipa}">xyz</phoneme>.', language) == phones


def test_pinyin_is_sounded_as_written(voice: EspeakVoice) -> None:
    said = sounds(voice, '<phoneme alphabet="x-pinyin" ph="chang2 xing2">长行</phoneme>。', "zh-CN")
    assert said == sounds(voice, "常型。", "zh-CN") != sounds(voice, "长行。", "zh-CN")


def test_sounds_that_a_language_lacks_are_left_out_and_nothing_is_injected() -> None:
    assert mnemonics("ʘǃ]]", "en") == ""
    assert "[" not in mnemonics("a[[b]]", "en")


def test_another_language_is_read_by_its_own_rules(voice: EspeakVoice) -> None:
    said = sounds(voice, 'He said <lang xml:lang="fr">bonjour</lang> to us.', "en")
    assert "bɔ̃ʒuʁ" in said
    british = sounds(voice, '<lang xml:lang="en-GB">water</lang>', "en-US")
    assert british == sounds(voice, "water", "en-GB") != sounds(voice, "water", "en-US")


def test_a_language_that_no_voice_speaks_is_read_as_the_text_around_it(voice: EspeakVoice) -> None:
    assert sounds(voice, 'He said <lang xml:lang="sw">jambo</lang>.', "en") == sounds(voice, "He said jambo.", "en")


class Plain(FakeVoice):
    """A voice that heeds nothing, speaks two languages and tells what it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.given: list[tuple[str, str]] = []

    async def speak(self, sentence: Sentence) -> AsyncIterator[SpeechChunk]:
        assert not sentence.spans
        self.given.append((sentence.text, sentence.language))
        async for chunk in super().speak(sentence):
            yield chunk


def test_a_voice_that_heeds_nothing_is_given_words_that_are_mapped_back() -> None:
    voice = Plain()
    _, words, _ = hear(
        voice, 'The <sub alias="World Wide Web">W3</sub> has <say-as interpret-as="digits">12</say-as> parts.', "en"
    )
    assert voice.given == [("The World Wide Web has one two parts.", "en")]
    assert [word.text for word in words] == ["The ", "W3 ", "has ", "12 ", "parts."]
    assert [(word.start, word.end) for word in words[:2]] == [(0, 9600), (9600, 19200)]


def test_a_voice_that_heeds_nothing_gets_pieces_at_breaks_languages_and_loudness() -> None:
    voice = Plain()
    audio, words, _ = hear(
        voice,
        'One <break time="1s"/>two <lang xml:lang="zh-CN">你好</lang> <prosody volume="-6.02dB">soft</prosody> end.',
        "en",
    )
    assert voice.given == [("One ", "en"), ("two ", "en"), ("你好 ", "zh-CN"), ("soft", "en"), (" end.", "en")]
    assert words[1].start - words[0].end == pytest.approx(SAMPLE_RATE, abs=2)
    soft = next(word for word in words if word.text == "soft")
    assert level(audio[soft.start : soft.end]) - level(audio[: words[0].end]) == pytest.approx(-6.02, abs=0.1)


def test_marks_alone_change_nothing_for_a_voice(voice: EspeakVoice) -> None:
    plain, _, _ = hear(voice, "Good evening.", "en")
    marked, _, _ = hear(voice, 'Good <mark name="a"/>evening.<mark name="b"/>', "en")
    assert np.array_equal(plain, marked)


def test_japanese_is_marked_up_too(voice: EspeakVoice) -> None:
    said = sounds(voice, '<sub alias="にほん">N</sub>の<say-as interpret-as="digits">12</say-as>です。', "ja")
    assert said == sounds(voice, "にほんのイチニです。", "ja")


def test_nonsense_spans_are_passed_over(voice: EspeakVoice) -> None:
    spans = (
        Span(0, 99, "sub", "beyond the end"), Span(3, 3, "sub", "empty"), Span(0, 4, "emphasis", "wild"),
        Span(0, 4, "lang", "??"), Span(0, 2, "say-as", "poem"), Span(1, 3, "say-as", "digits"),
        Span(0, 4, "phoneme", "1234"),
    )  # fmt: skip

    async def listen(sentence: Sentence) -> str:
        return "".join([word.text async for chunk in spoken(voice, sentence) for word in chunk.words])

    sentence = Sentence("Good evening.", "en", spans=spans)
    assert asyncio.run(listen(sentence)) == "Good evening."
    assert asyncio.run(listen(replace(sentence, text=""))) == ""


@pytest.mark.parametrize("kind", say_as.KINDS)
@pytest.mark.parametrize("language", ["en", "zh", "ja", "es", "fr", "de", "ko"])
def test_every_kind_of_say_as_takes_any_text(kind: str, language: str) -> None:
    from anchor.voice.text.marked import read_marked

    for text in (
        "",
        "12",
        "3/4",
        "99/99/9999",
        "XIV",
        "½",
        "+49 (0) 30-1",
        "abc",
        "你好",
        "٣",
        "²",
        "1e9",
        "12:99",
        "-0.5",
    ):
        for form in ("", ":mdy", ":zzz"):
            span = Span(0, len(text), "say-as", kind + form)
            tokens = read_marked(text, language, Lexicon(), [span], lambda _: None)
            assert "".join(token.text for token in tokens) == text
