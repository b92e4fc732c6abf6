"""What is rendered to a file is, to the bit, what is shown live: pictures, sound, words and captions of every beat."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from anchor.clips import heard_with
from anchor.clock import Clock, FreeClock, LoopClock, run_virtual
from anchor.config import VoiceConfig
from anchor.events import LowerThird
from anchor.graphics import Chart, Graphics, Media, Series
from anchor.media import Beat, VideoFormat
from anchor.parts import open_avatar, open_driver, open_scene, open_voice
from anchor.pipeline.idle import Life
from anchor.pipeline.painting import Painting
from anchor.pipeline.performer import Performer
from anchor.pipeline.playout import Playout
from anchor.pipeline.utterance import Utterance
from anchor.ports import Voice
from anchor.testing import FakeSink
from tests.avatars import odd_clips

VIDEO = VideoFormat(320, 180, 25)
HEAD, TAIL = 5, 12


@dataclass
class Bulletin:
    clip: Path
    photo: Path
    lead: int = 1

    def utterances(self, voice: Voice) -> Sequence[Utterance]:
        pictured = Graphics(headline="A picture", inset=Media(self.photo, "shoulder", credit="Somebody"))
        charted = Graphics(inset=Chart("bar", ("a", "b"), (Series("x", (1.0, 2.0)),), title="Chart"))
        under = Graphics(inset=Media(self.clip, "corner", clip=True, sound="under"), transition="wipe")
        alone = Graphics(inset=Media(self.clip, "full", clip=True, sound="full"), ticker=("one", "two"))
        bed, played = heard_with(under, "Text", 0.0).bed, heard_with(alone, "", 0.0).voice
        assert bed is not None
        assert played is not None
        found = [
            Utterance("Good evening.", "en", voice, lower_third=LowerThird("Lin", "Anchor"), mood="warm"),
            Utterance(
                "One picture here. And two.", "en", voice, graphics=pictured, gestures=("nod", "smile"), pause=0.5
            ),
            Utterance("", "en", played, graphics=alone),
            Utterance("数字在这里。", "zh-CN", voice, graphics=charted, mood="serious"),
            Utterance("Words over a clip.", "en", voice, graphics=under, bed=bed),
        ]
        return [replace(utterance, lead=self.lead) for utterance in found]


def told(beat: Beat) -> tuple[str, str, object, object, object]:
    return (
        hashlib.sha256(beat.picture.data.tobytes()).hexdigest(), hashlib.sha256(beat.audio.tobytes()).hexdigest(),
        beat.words, beat.caption.lines if beat.caption else None, beat.speaking,
    )  # fmt: skip


async def play(bulletin: Bulletin, clock: Clock) -> list[Beat]:
    voice = open_voice(VoiceConfig())
    driver, avatar = open_driver("auto"), open_avatar("lin")
    scene = open_scene(avatar, driver, VIDEO, {"languages": ("en", "zh-CN")})
    performer = Performer(driver, VIDEO, clock, head_beats=HEAD, tail_beats=TAIL)
    sink = FakeSink()
    playout = Playout(
        performer, Life(seed=3, fps=VIDEO.fps), scene, [sink], clock, painting=Painting(VIDEO, clock, scene)
    )
    try:
        async with performer.open():
            for utterance in bulletin.utterances(voice):
                scene.prepare(utterance.graphics)
                performer.perform(utterance)
            performer.finish()
            await playout.run()
    finally:
        await voice.close()
    return sink.beats


@pytest.fixture(scope="module")
def bulletin(tmp_path_factory: pytest.TempPathFactory) -> Bulletin:
    folder = tmp_path_factory.mktemp("bulletin")
    clip = odd_clips.write(folder / "clip.mp4", [n / 30 for n in range(45)], tone=(0.2, 1.2))
    photo = folder / "photo.png"
    Image.fromarray(np.random.default_rng(5).integers(0, 255, (90, 160, 3), np.uint8)).save(photo)
    return Bulletin(clip, photo)


def test_live_is_offline_to_the_bit(bulletin: Bulletin) -> None:
    offline = run_virtual(play(bulletin, FreeClock()))
    live = run_virtual(play(Bulletin(bulletin.clip, bulletin.photo, lead=25), LoopClock()))
    differing = [n for n, (a, b) in enumerate(zip(offline, live, strict=False)) if told(a) != told(b)]
    assert not differing, f"beats {differing[:10]} of {len(offline)}"
    assert len(offline) == len(live)
