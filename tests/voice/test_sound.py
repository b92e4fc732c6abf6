"""Loudness, limits and joins."""

from __future__ import annotations

import asyncio
import io
import wave

import av
import numpy as np
import pytest

from anchor.media import SAMPLE_RATE, Samples
from anchor.voice import sound
from anchor.voice.espeak import EspeakVoice
from anchor.voice.languages import KLATT
from tests.voice.speech import hear, level

BULLETINS = {
    "en": """Good evening, and welcome to the news. The government announced a new economic policy on Monday.
Prices rose 3.2% in the last year, the largest increase since 2008. Heavy rain is expected in the north tomorrow.
Our team won the match last night, after a long and difficult game. That is all for now. Good night.""",
    "zh-CN": """各位观众晚上好，欢迎收看新闻。今年前三季度，全国经济增长百分之五点二。
北京市将于明天起实施新的交通管理办法。气象部门预计，未来三天北方有大风降温天气。
中国队在昨晚的比赛中以3比1获胜。今天的新闻就到这里，感谢收看，再见。""",
    "ja": """こんばんは、今日のニュースをお伝えします。日本銀行は金利を0.5%引き上げました。
東京都知事は3日、記者会見を開きました。明日は全国的に雨が降るでしょう。以上、ニュースをお伝えしました。""",
    "es": """Buenas noches y bienvenidos a las noticias. El gobierno anunció el lunes una nueva política económica.
Los precios subieron un tres por ciento el año pasado. Mañana se esperan lluvias en el norte del país.""",
    "fr": """Bonsoir et bienvenue dans ce journal. Le gouvernement a annoncé lundi une nouvelle politique économique.
Les prix ont augmenté de trois pour cent cette année. De fortes pluies sont attendues demain dans le nord du pays.""",
    "de": """Guten Abend und willkommen zu den Nachrichten. Die Regierung hat am Montag eine neue Politik angekündigt.
Die Preise sind im letzten Jahr um drei Prozent gestiegen. Morgen wird im Norden mit starkem Regen gerechnet.""",
    "ko": """안녕하세요, 오늘의 뉴스를 전해 드리겠습니다. 대한민국 정부는 새로운 경제 정책을 발표했습니다.
쌀 가격이 작년보다 삼 퍼센트 올랐습니다. 내일은 전국에 비가 내리겠습니다. 감사합니다.""",
}


def measured(audio: Samples) -> tuple[float, float]:
    """Integrated loudness (LUFS) and true peak (dBFS) by FFmpeg's EBU R 128 meter."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, len(audio), "NONE", ""))
        file.writeframes((np.clip(audio, -1, 1) * 32767).astype("<i2").tobytes())
    buffer.seek(0)
    with av.open(buffer, "r") as container:
        stream = container.streams.audio[0]
        graph = av.filter.Graph()
        graph.link_nodes(
            graph.add_abuffer(template=stream),
            graph.add("ebur128", "peak=true:metadata=1"),
            graph.add("abuffersink"),
        ).configure()
        loudness, peak = 0.0, 1e-9
        for frame in [*container.decode(stream), None]:
            graph.push(frame)
            while True:
                try:
                    metadata = graph.pull().metadata
                except (BlockingIOError, EOFError):
                    break
                loudness = float(metadata.get("lavfi.r128.I", loudness))
                peak = max(peak, float(metadata.get("lavfi.r128.true_peak", peak)))
    return loudness, float(20 * np.log10(peak))


async def _bulletin(voice: EspeakVoice, language: str) -> list[Samples]:
    sentences = BULLETINS[language].replace("。", "。|").replace(". ", ". |").replace("\n", "|").split("|")
    return [(await hear(voice, text, language))[0] for text in sentences if text.strip()]


@pytest.mark.parametrize("language", BULLETINS)
def test_a_bulletin_is_as_loud_as_the_next_in_every_language(voice: EspeakVoice, language: str) -> None:
    sentences = asyncio.run(_bulletin(voice, language))
    pause = np.zeros(SAMPLE_RATE * 35 // 100, np.float32)
    loudness, peak = measured(np.concatenate([part for one in sentences for part in (one, pause)]))
    assert loudness == pytest.approx(sound.LOUDNESS, abs=1.0)
    assert peak <= -1.5
    levels = [level(one) for one in sentences if len(one) > SAMPLE_RATE]
    assert max(levels) - min(levels) < 5, "no sentence much softer than another"


def test_a_voice_makes_no_clicks(voice: EspeakVoice) -> None:
    """No jump between samples that the voice's own band (up to 11 kHz) could not make."""
    for audio in asyncio.run(_bulletin(voice, "zh-CN")):
        spectrum = np.abs(np.fft.rfft(audio)) ** 2
        above = np.fft.rfftfreq(len(audio), 1 / SAMPLE_RATE) > 12_000
        assert spectrum[above].sum() < 1e-4 * spectrum.sum()
        assert np.abs(np.diff(audio)).max() < 0.6


def test_a_sample_keeps_its_place_through_the_equaliser_and_resampling() -> None:
    clicks = np.zeros(22_050, np.int16)
    clicks[[5_000, 15_000]] = 20_000
    answer = sound.from_int16(clicks.tobytes(), 22_050, curve=KLATT)
    assert len(answer) == SAMPLE_RATE
    for place in (5_000, 15_000):
        wanted = round(place * SAMPLE_RATE / 22_050)
        around = answer[wanted - 200 : wanted + 200]
        assert abs(int(np.argmax(np.abs(around))) - 200) <= 1


@pytest.mark.parametrize("length", [0, 1, 10, 62, 63, 64])
def test_the_shortest_sounds_are_handled(length: int) -> None:
    answer = sound.from_int16(np.zeros(length, np.int16).tobytes(), 22_050, curve=KLATT)
    assert len(answer) == pytest.approx(length * SAMPLE_RATE / 22_050, abs=1)
    assert len(sound.faded(answer)) == len(answer)


def test_the_limiter_holds_its_ceiling_and_leaves_soft_sound_alone() -> None:
    random = np.random.default_rng(0)
    loud = random.normal(0, 0.5, SAMPLE_RATE).astype(np.float32)
    assert np.abs(sound.limited(loud)).max() <= sound.CEILING + 1e-6
    soft = (0.2 * np.sin(np.arange(SAMPLE_RATE) * 0.05)).astype(np.float32)
    assert sound.limited(soft) is soft
    burst = soft.copy()
    burst[24_000:24_100] *= 10
    limited = sound.limited(burst)
    assert np.abs(limited).max() <= sound.CEILING + 1e-6
    assert np.array_equal(limited[:23_000], soft[:23_000])
    assert np.array_equal(limited[26_000:], soft[26_000:])


def test_fades_touch_only_the_ends() -> None:
    faded = sound.faded(np.ones(SAMPLE_RATE, np.float32))
    assert faded[0] < 0.01
    assert faded[-1] < 0.01
    assert np.all(faded[1_000:-1_000] == 1)
