from pathlib import Path

import numpy as np
import pytest

from anchor.clips import ClipVoice, Heard, SilentVoice, heard_with, open_bed, open_clip
from anchor.clock import run_virtual
from anchor.errors import AnchorError
from anchor.events import Sentence
from anchor.graphics import Chart, Graphics, Media
from anchor.loudness import BED_LUFS, VOICE_LUFS, loudness
from anchor.media import SAMPLE_RATE, Samples
from anchor.pipeline.utterance import LEAD_IN_SECONDS
from anchor.ports import Voice
from tests.avatars import odd_clips

TWO_SECONDS = [n / 25 for n in range(50)]


def said(voice: Voice) -> Samples:
    async def main() -> Samples:
        return np.concatenate([chunk.audio async for chunk in voice.speak(Sentence("", "en"))])

    return run_virtual(main())


def test_a_clip_is_as_loud_as_the_voice_and_as_long_as_its_pictures(tmp_path: Path) -> None:
    clip = odd_clips.write(tmp_path / "beep.mp4", TWO_SECONDS, tone=(0.5, 1.5))
    whole = said(open_clip(clip))
    assert whole.size == pytest.approx((2.0 - LEAD_IN_SECONDS) * SAMPLE_RATE, abs=0.05 * SAMPLE_RATE)
    assert loudness([whole]) == pytest.approx(VOICE_LUFS, abs=1.0)


def test_a_clips_sound_lies_where_its_pictures_are(tmp_path: Path) -> None:
    clip = odd_clips.write(tmp_path / "beep.mp4", TWO_SECONDS, tone=(0.5, 1.5))
    loud = np.flatnonzero(np.abs(said(open_clip(clip))) > 0.1) / SAMPLE_RATE + LEAD_IN_SECONDS
    assert loud[0] == pytest.approx(0.5, abs=0.005)
    assert loud[-1] == pytest.approx(1.5, abs=0.005)


def test_a_clip_plays_again_as_it_played_before(tmp_path: Path) -> None:
    voice = open_clip(odd_clips.write(tmp_path / "beep.mp4", TWO_SECONDS, tone=(0.5, 1.5)))
    assert np.array_equal(said(voice), said(voice))


def test_a_clip_without_sound_is_silent_for_as_long(tmp_path: Path) -> None:
    whole = said(open_clip(odd_clips.write(tmp_path / "mute.mp4", TWO_SECONDS)))
    assert not whole.any()
    assert whole.size == pytest.approx((2.0 - LEAD_IN_SECONDS) * SAMPLE_RATE, abs=0.05 * SAMPLE_RATE)
    assert open_bed(tmp_path / "mute.mp4") is None


def test_a_bed_lies_twenty_decibels_under_the_voice(tmp_path: Path) -> None:
    bed = open_bed(odd_clips.write(tmp_path / "beep.mp4", TWO_SECONDS, tone=(0.1, 1.9)))
    assert bed is not None
    assert loudness([bed]) == pytest.approx(BED_LUFS, abs=0.5)
    assert VOICE_LUFS - BED_LUFS == 20


def test_what_is_heard_follows_from_what_is_shown(tmp_path: Path) -> None:
    clip = odd_clips.write(tmp_path / "beep.mp4", TWO_SECONDS, tone=(0.1, 1.9))

    def heard(sound: str, text: str) -> Heard:
        return heard_with(Graphics(inset=Media(clip, clip=True, sound=sound)), text, 3.0)  # type: ignore[arg-type]

    assert heard("off", "Text.") == Heard()
    assert heard("under", "Text.").bed is not None
    assert heard("under", "Text.").voice is None
    assert isinstance(heard("full", "").voice, ClipVoice)
    silent = heard("off", "").voice
    assert isinstance(silent, SilentVoice)
    assert silent.seconds == pytest.approx(2.0, abs=0.05)
    pictures = heard_with(Graphics(inset=Chart("pie", (), ())), "", 3.0).voice
    assert isinstance(pictures, SilentVoice)
    assert pictures.seconds == 3.0
    assert heard_with(Graphics(), "Text.", 3.0) == Heard()


def test_what_is_no_clip_is_refused_before_it_is_on_air(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("no clip")
    for path in (tmp_path / "text.mp4", tmp_path / "none.mp4"):
        with pytest.raises(AnchorError, match=path.name.replace(".", r"\.")):
            open_clip(path)
