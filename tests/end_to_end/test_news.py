"""Real news, in English and in both Chinese scripts: nothing is skipped, nothing is silent, captions are in step."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from anchor import parts
from anchor.clock import FreeClock, run_virtual
from anchor.config import VoiceConfig
from anchor.events import Caption
from anchor.media import SAMPLE_RATE, Beat, VideoFormat
from anchor.pipeline.performer import Performer
from anchor.pipeline.playout import Playout
from anchor.pipeline.utterance import Utterance
from anchor.testing import FakeScene, FakeSink, StillLife

VIDEO = VideoFormat(64, 64, 25)
LINES = 40

BULLETIN = {
    "en": [
        "The council met at 14:30 on 5 March 2025 and agreed to spend $1.2 billion, up 3.2 percent.",
        "\u201cWe must act now,\u201d said Dr. Smith of the U.S. team; nobody disagreed... or did they?",
    ],
    "zh-CN": [
        "2025年3月5日14:30，市政府宣布投资12.5亿元，同比增长3.2%，覆盖约1,200个社区。",
        "“我们使用WebRTC技术，”李博士说，“延迟只有0.2秒。”详情请拨打400-810-8888。",
    ],
}


@dataclass
class Aired:
    """What went out for one line."""

    text: str
    heard: str
    beats: list[Beat]

    @property
    def sound(self) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
        return np.concatenate([beat.audio for beat in self.beats])


async def air(lines: list[str], language: str) -> list[Aired]:
    voice = parts.open_voice(VoiceConfig())
    clock, sink = FreeClock(), FakeSink()
    performer = Performer(parts.open_driver("phones"), VIDEO, clock)
    try:
        async with performer.open():
            performances = [performer.perform(Utterance(line, language, voice)) for line in lines]
            performer.finish()
            await Playout(performer, StillLife(), FakeScene(VIDEO), [sink], clock).run()
    finally:
        await voice.close()
    assert [performance.error for performance in performances] == [None] * len(lines)
    return [
        Aired(line, performance.heard_text, [beat for beat in sink.beats if beat.utterance == performance.id])
        for line, performance in zip(lines, performances, strict=True)
    ]


def check(aired: list[Aired]) -> None:
    for line in aired:
        assert "".join(line.heard.split()) == "".join(line.text.split()), "every character was said"
        level = 20 * np.log10(np.sqrt(np.mean(line.sound**2)) + 1e-9)
        assert -40 < level < -10, f"{line.text!r} is audible: {level:.1f} dBFS"
        assert np.abs(line.sound).max() < 0.99, f"{line.text!r} is not clipped"
        check_captions(line)


def check_captions(line: Aired) -> None:
    """Captions show the whole text, each while its words are spoken."""
    shown: list[Caption] = []
    for beat in line.beats:
        if beat.caption is not None and (not shown or beat.caption is not shown[-1]):
            shown.append(beat.caption)
    assert "".join("".join("".join(page.lines) for page in shown).split()) == "".join(line.text.split())
    said = ""
    for beat in line.beats:
        said += "".join("".join(word.text for word in beat.words).split())
        if beat.words and beat.caption is not None:
            through = "".join("".join("".join(p.lines) for p in shown[: shown.index(beat.caption) + 1]).split())
            assert len(said) <= len(through) + len(beat.words[-1].text), "no word is heard before its caption"


@pytest.mark.parametrize("language", BULLETIN)
def test_our_own_bulletin_is_said_in_full(language: str) -> None:
    check(run_virtual(air(BULLETIN[language], language)))


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "language"),
    [("pud_en_first200.txt", "en"), ("gsdsimp_zh_first200.txt", "zh-CN"), ("pud_zh_first200.txt", "zh-TW")],
)
def test_forty_lines_of_real_news_are_said_in_full(shared: Path, name: str, language: str) -> None:
    lines = [line.strip() for line in (shared / "texts/news" / name).read_text("utf-8").splitlines() if line.strip()]
    aired = run_virtual(air(lines[:LINES], language))
    check(aired)
    assert sum(len(line.sound) for line in aired) > LINES * 2 * SAMPLE_RATE
