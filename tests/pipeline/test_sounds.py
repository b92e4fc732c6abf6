"""Sound besides the voice: a bed under it, and clips that play alone."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import numpy as np
import pytest

from anchor.clips import SilentVoice
from anchor.clock import FreeClock, run_virtual
from anchor.events import Sentence
from anchor.loudness import loudness
from anchor.media import SAMPLE_RATE, Beat, Samples
from anchor.pipeline.performer import Performer
from anchor.pipeline.utterance import BED_FADE_SECONDS, LEAD_IN_SECONDS, Utterance
from anchor.ports import SpeechChunk
from anchor.testing import FakeVoice
from tests.pipeline.stage import VIDEO, Stage, free_stage

BEAT = VIDEO.samples_per_beat


def hum(seconds: float, peak: float = 0.05) -> Samples:
    return (peak * np.sin(2 * np.pi * 100 * np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE)).astype(np.float32)


def told(bed: Samples | None, text: str = "alpha beta gamma", pause: float = 0.0) -> list[Beat]:
    async def main() -> list[Beat]:
        stage = free_stage()
        async with stage.performer.open():
            stage.performer.perform(Utterance(text, "en", stage.voice, bed=bed, pause=pause))
            return await stage.play()

    return run_virtual(main())


def sound(beats: list[Beat]) -> Samples:
    return np.concatenate([beat.audio for beat in beats])


def test_a_bed_lies_under_the_voice_from_the_first_sample_to_the_end() -> None:
    bare, bed = sound(told(None)), hum(60)
    under = sound(told(bed))
    assert under.size == bare.size
    added = under - bare
    assert np.allclose(added[: SAMPLE_RATE // 2], bed[: SAMPLE_RATE // 2], atol=1e-5)


def test_a_bed_dies_away_in_the_silence_after_the_last_word() -> None:
    under, bare = sound(told(hum(60), pause=3.0)), sound(told(None, pause=3.0))
    added = np.abs(under - bare).reshape(-1, BEAT).max(axis=1)
    end = int(np.flatnonzero(added > 1e-4)[-1])
    fade = round(BED_FADE_SECONDS * VIDEO.fps)
    assert added[end - fade - 2] == pytest.approx(0.05, abs=0.002)
    assert added[end] < 0.01
    assert np.all(np.diff(added[end - fade : end]) < 1e-3)


def test_a_bed_that_is_shorter_ends_and_the_voice_goes_on() -> None:
    under, bare = sound(told(hum(0.5))), sound(told(None))
    assert np.array_equal(under[SAMPLE_RATE:], bare[SAMPLE_RATE:])


def test_a_loud_bed_clips_nothing() -> None:
    assert np.abs(sound(told(hum(60, peak=2.0)))).max() < 1.0


def test_a_bed_moves_no_lips_and_is_no_speech() -> None:
    bare, under = told(None), told(hum(60, peak=0.5))
    assert [beat.speaking for beat in bare] == [beat.speaking for beat in under]
    assert [int(beat.picture.y[0, 0]) for beat in bare] == [int(beat.picture.y[0, 0]) for beat in under]


def test_a_bed_goes_on_from_the_place_where_it_was_hushed() -> None:
    async def main() -> Samples:
        stage = Stage(clock=FreeClock())
        ramp = np.linspace(0, 0.5, 60 * SAMPLE_RATE, dtype=np.float32)
        async with stage.performer.open():
            stage.performer.perform(Utterance("alpha beta gamma delta", "en", stage.voice, bed=ramp))
            stage.performer.finish()
            beats: list[Samples] = []
            while (step := await stage.performer.next()) is not None:
                beats.append(stage.performer.release(step)[0])
                if len(beats) == 12:
                    stage.performer.hush()
                if len(beats) == 16:
                    stage.performer.resume()
        return np.array([float(np.median(beat)) for beat in beats])

    medians = run_virtual(main())
    assert np.allclose(medians[13:16], 0), "silent while hushed"
    assert 0 < medians[17] < 0.02, "and then from the word that was cut"


@dataclass
class Playing:
    """Plays a loud tone that nobody in the picture says."""

    seconds: float
    info = FakeVoice().info

    async def warm(self, languages: object) -> None:
        pass

    async def speak(self, sentence: Sentence) -> AsyncIterator[SpeechChunk]:
        for _ in range(round(self.seconds * 2)):
            yield SpeechChunk(hum(0.5, 0.8), spoken=False)

    async def close(self) -> None:
        pass


def test_a_clip_alone_has_no_words_no_captions_and_a_face_at_rest() -> None:
    async def main() -> list[Beat]:
        stage = free_stage()
        async with stage.performer.open():
            performance = stage.performer.perform(Utterance("", "en", Playing(2.0)))
            beats = await stage.play()
            assert performance.outcome == "said"
            assert performance.heard == []
        return beats

    beats = run_virtual(main())
    assert loudness([sound(beats)]) > -10
    assert not any(beat.words or beat.caption or beat.speaking for beat in beats)
    assert {int(beat.picture.y[0, 0]) for beat in beats} == {16}
    assert len(beats) == pytest.approx((LEAD_IN_SECONDS + 2.0 + 0.24) * VIDEO.fps, abs=1)


def test_breaking_news_need_not_wait_for_the_end_of_a_clip() -> None:
    async def main() -> list[str]:
        stage = Stage()
        async with stage.running():
            stage.performer.perform(Utterance("", "en", Playing(20.0), id="clip"))
            await stage.after(3)
            news = stage.performer.perform(Utterance("News.", "en", stage.voice, priority=5, id="news"))
            await news.wait()
            await stage.after(20)
        return [beat.utterance or "" for beat in stage.sink.beats]

    said = run_virtual(main())
    first = said.index("news")
    assert first < 5 * VIDEO.fps
    assert said[first:].count("clip") + said[:first].count("clip") == pytest.approx(20.3 * VIDEO.fps, abs=3)


def test_beats_know_how_far_into_their_utterance_they_are() -> None:
    async def main() -> list[int]:
        performer = Performer(Stage().driver, VIDEO, FreeClock(), head_beats=2)
        found = []
        async with performer.open():
            for text in ("one", "two"):
                performer.perform(Utterance(text, "en", FakeVoice()))
            performer.finish()
            while (step := await performer.next()) is not None:
                found.append(step.since)
                performer.release(step)
        return found

    found = run_virtual(main())
    assert found[:5] == [0, 0, 0, 1, 2]
    assert found.count(3) == 2, "each utterance counts from its own beginning"


def test_silence_lasts_as_long_as_it_is_to() -> None:
    async def main() -> int:
        stage = free_stage()
        async with stage.performer.open():
            stage.performer.perform(Utterance("", "en", SilentVoice(1.3)))
            return len(await stage.play())

    assert run_virtual(main()) == pytest.approx((LEAD_IN_SECONDS + 1.3 + 0.24) * VIDEO.fps, abs=1)
