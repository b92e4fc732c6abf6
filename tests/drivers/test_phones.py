from __future__ import annotations

import asyncio
import math
import tracemalloc
from collections.abc import AsyncIterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anchor.errors import FormatError
from anchor.events import Phone
from anchor.media import ARKIT_INDEX, SAMPLE_RATE, Blendshapes
from anchor.ports import SpeechChunk
from anchor.testing import check_driver
from drivers.phones import PhoneDriver
from tests.drivers.speech import aperture, cut, drive, make_speech, track

PAPA = make_speech(
    [("p", 0.08), ("ɑ", 0.13, 2), ("p", 0.07), ("ə", 0.07), ("b", 0.06), ("ɔ", 0.14, 2), ("t", 0.08), ("ə", 0.05),
     ("b", 0.06), ("ɪ", 0.08, 2), ("ɡ", 0.07), ("m", 0.07), ("æ", 0.13, 2), ("p", 0.09)]
)  # fmt: skip
CLOSED = 0.05
SYMBOLS = st.sampled_from([*"pbmfvsʃtknlhwaiuəy", "aɪ"])
SOUNDS = st.lists(
    st.tuples(SYMBOLS | st.just("_"), st.floats(0.03, 0.3), st.sampled_from([0, 1, 2])), min_size=1, max_size=25
)


def beats_in(phone: Phone, faces: list[Blendshapes], fps: int = 25, slack: float = 0.0) -> list[int]:
    middles = (np.arange(len(faces)) + 0.5) / fps
    start, end = phone.start / SAMPLE_RATE - slack, phone.end / SAMPLE_RATE + slack
    return [int(beat) for beat in np.flatnonzero((middles >= start) & (middles <= end))]


def between(sound: str, *, first: str = "a", last: str = "a", seconds: float = 0.08) -> SpeechChunk:
    return make_speech([(first, 0.2), (sound, seconds), (last, 0.2)])


def at_middle(speech: SpeechChunk, index: int, name: str, fps: int = 25) -> float:
    phone = speech.phones[index]
    beat = int((phone.start + phone.end) / 2 / SAMPLE_RATE * fps)
    return drive(speech, fps=fps)[beat][name]


def test_it_keeps_the_promises_of_a_driver() -> None:
    asyncio.run(check_driver(PhoneDriver(), cut(PAPA, [5_000, 20_000, 40_001, 60_000]), 25))


@given(
    sounds=SOUNDS,
    edges=st.lists(st.integers(0, 200_000), max_size=6),
    fps=st.sampled_from([10, 25, 30, 50, 60]),
    tail=st.sampled_from([0.0, 0.24, 0.6]),
)
@settings(max_examples=60, deadline=None)
def test_how_speech_is_cut_changes_nothing(
    sounds: list[tuple[str, float, int]], edges: list[int], fps: int, tail: float
) -> None:
    speech = make_speech(sounds, lead=0.1, tail=tail)
    whole = drive(speech, fps=fps)
    pieces = drive(*cut(speech, [edge for edge in edges if edge < len(speech.audio)]), fps=fps)
    live = drive(*cut(speech, list(range(960, len(speech.audio), 960))), fps=fps)
    for cut_up in (pieces, live):
        assert len(whole) == len(cut_up) == -(-len(speech.audio) * fps // SAMPLE_RATE)
        for one, other in zip(whole, cut_up, strict=True):
            assert np.allclose(one.weights, other.weights, atol=1e-5)
            assert one.head.pitch == pytest.approx(other.head.pitch, abs=1e-6)
            assert one.head.yaw == pytest.approx(other.head.yaw, abs=1e-6)


@given(SOUNDS)
@settings(max_examples=40, deadline=None)
def test_faces_stay_in_range_whatever_is_said(sounds: list[tuple[str, float, int]]) -> None:
    for face in drive(make_speech(sounds)):
        assert face.weights.dtype == np.float32
        assert float(face.weights.min()) >= 0 and float(face.weights.max()) <= 1
        assert max(abs(face.head.yaw), abs(face.head.pitch), abs(face.head.roll)) < math.radians(3)


def test_the_same_speech_gives_the_same_faces() -> None:
    first, second = drive(PAPA), drive(PAPA)
    assert all(np.array_equal(a.weights, b.weights) and a.head == b.head for a, b in zip(first, second, strict=True))


def test_a_frame_comes_as_soon_as_the_look_ahead_is_known() -> None:
    async def count() -> list[tuple[int, int]]:
        seen: list[tuple[int, int]] = []
        given_out = 0

        async def speech() -> AsyncIterator[SpeechChunk]:
            nonlocal given_out
            for chunk in cut(PAPA, list(range(1920, len(PAPA.audio), 1920))):
                given_out += len(chunk.audio)
                yield chunk

        frames = 0
        async for _ in PhoneDriver().drive(speech(), 25):
            frames += 1
            seen.append((frames, given_out))
        return seen

    for frames, known in asyncio.run(count()):
        middle = (frames - 0.5) / 25
        assert known / SAMPLE_RATE <= middle + PhoneDriver().info.lookahead_seconds + 0.0401 or known == len(PAPA.audio)


@pytest.mark.parametrize("sound", ["p", "b", "m", "pʰ"])
@pytest.mark.parametrize("seconds", [0.03, 0.05, 0.08, 0.12])
@pytest.mark.parametrize("shift", [0.0, 0.01, 0.02, 0.03])
def test_lips_stay_closed_for_two_frames_however_short_the_sound(sound: str, seconds: float, shift: float) -> None:
    speech = make_speech([("a", 0.2, 2), (sound, seconds), ("a", 0.2, 2)], lead=0.4 + shift)
    faces = drive(speech)
    gap = aperture(faces)
    near = beats_in(speech.phones[1], faces, slack=0.05)
    assert int((gap[near] < CLOSED).sum()) >= 2
    assert gap[beats_in(speech.phones[1], faces, slack=0.02)].min() < CLOSED


@pytest.mark.parametrize("fps", [10, 20, 25, 30, 50, 60])
def test_lips_close_at_every_frame_rate(fps: int) -> None:
    speech = between("p", seconds=0.05)
    assert aperture(drive(speech, fps=fps)).argmin() >= 0
    faces = drive(speech, fps=fps)
    assert aperture(faces)[beats_in(speech.phones[1], faces, fps, slack=0.06)].min() < CLOSED


def test_lips_are_closed_when_the_closure_begins() -> None:
    speech = between("p", seconds=0.12)
    fps = 60
    faces = drive(speech, fps=fps)
    gap = aperture(faces)
    first = beats_in(speech.phones[1], faces, fps)[0]
    assert gap[first] < CLOSED
    assert gap[first - 6] > 0.3


def test_closure_does_not_swallow_the_vowels_beside_it() -> None:
    faces = drive(PAPA)
    gap = aperture(faces)
    widest = gap.max()
    for phone in PAPA.phones:
        if phone.symbol in ("ɑ", "ɔ", "æ"):
            assert gap[beats_in(phone, faces)].max() > 0.55 * widest


@pytest.mark.parametrize("sound", ["f", "v"])
@pytest.mark.parametrize("seconds", [0.04, 0.08])
@pytest.mark.parametrize("vowel", ["a", "u", "i"])
def test_the_lower_lip_goes_under_the_teeth(sound: str, seconds: float, vowel: str) -> None:
    speech = between(sound, first=vowel, last=vowel, seconds=seconds)
    faces = drive(speech)
    shown = beats_in(speech.phones[1], faces, slack=0.03)
    assert max(faces[beat]["mouthRollLower"] for beat in shown) > 0.5
    assert min(faces[beat]["jawOpen"] for beat in shown) < 0.12


@pytest.mark.parametrize("sound", ["s", "z", "ʃ", "tʃ"])
def test_sibilants_keep_the_teeth_together_between_open_vowels(sound: str) -> None:
    assert at_middle(between(sound, seconds=0.1), 1, "jawOpen") < 0.2


@pytest.mark.parametrize("vowel", ["u", "y", "o"])
def test_round_vowels_round_the_consonants_before_them(vowel: str) -> None:
    rounded, spread = between("t", first="s", last=vowel), between("t", first="s", last="i")
    early = [at_middle(speech, 1, "mouthPucker") for speech in (rounded, spread)]
    assert early[0] > early[1] + 0.05


def test_rounding_starts_before_the_round_vowel() -> None:
    speech = make_speech([("a", 0.2), ("n", 0.08), ("u", 0.2)])
    faces = drive(speech, fps=50)
    pucker = track(faces, "mouthPucker")
    start = int(speech.phones[2].start / SAMPLE_RATE * 50)
    assert pucker[start - 2] > 0.25 * pucker.max()


def test_vowels_differ_as_they_should() -> None:
    shapes = {vowel: between(vowel, first="t", last="t", seconds=0.18) for vowel in "aiuoy"}
    jaw = {vowel: at_middle(speech, 1, "jawOpen") for vowel, speech in shapes.items()}
    wide = {vowel: at_middle(speech, 1, "mouthStretchLeft") for vowel, speech in shapes.items()}
    pucker = {vowel: at_middle(speech, 1, "mouthPucker") for vowel, speech in shapes.items()}
    assert jaw["a"] > jaw["o"] > jaw["u"] and jaw["a"] > 2 * jaw["i"]
    assert wide["i"] > wide["a"] > wide["u"] - 0.01
    assert min(pucker["u"], pucker["y"]) > 0.4 > pucker["a"] + 0.3


def test_short_unstressed_vowels_open_less() -> None:
    stressed = make_speech([("t", 0.08), ("a", 0.16, 2), ("t", 0.08)])
    fleeting = make_speech([("t", 0.08), ("a", 0.05, 0), ("t", 0.08)])
    assert track(drive(stressed), "jawOpen").max() > 1.25 * track(drive(fleeting), "jawOpen").max()


def test_loud_vowels_open_more_than_faint_ones() -> None:
    speech = make_speech([("a", 0.25), ("t", 0.1), ("a", 0.25)])
    sound = speech.audio.copy()
    sound[speech.phones[2].start :] *= 0.12
    faces = drive(SpeechChunk(sound, phones=speech.phones))
    first, second = (track(faces, "jawOpen")[beats_in(speech.phones[index], faces)].max() for index in (0, 2))
    assert first > 1.2 * second


def test_h_takes_the_mouth_of_the_vowel_after_it() -> None:
    round_, spread = (make_speech([("a", 0.15), ("h", 0.08), (vowel, 0.2)]) for vowel in "ui")
    assert at_middle(round_, 1, "mouthPucker") > at_middle(spread, 1, "mouthPucker") + 0.1


def test_the_mouth_rests_in_pauses_and_before_and_after_speech() -> None:
    speech = make_speech([("a", 0.2), ("_", 0.9), ("a", 0.2)], lead=0.6, tail=0.8)
    faces = drive(speech)
    gap = aperture(faces)
    middles = (np.arange(len(faces)) + 0.5) / 25
    first, second = speech.phones
    pause = (middles > first.end / SAMPLE_RATE + 0.24) & (middles < second.start / SAMPLE_RATE - 0.24)
    assert gap[pause].max() < 0.01 * gap.max()
    assert gap[middles < 0.35].max() < 0.01 * gap.max()
    assert gap[middles > second.end / SAMPLE_RATE + 0.24].max() < 0.01 * gap.max()


def test_lips_do_not_flap_in_a_short_gap() -> None:
    speech = make_speech([("a", 0.2), ("_", 0.08), ("a", 0.2)])
    faces = drive(speech)
    jaw = track(faces, "jawOpen")
    inside = range(beats_in(speech.phones[0], faces)[2], beats_in(speech.phones[1], faces)[-2])
    assert jaw[list(inside)].min() > 0.55 * jaw.max()


def test_lips_part_before_the_first_sound() -> None:
    speech = make_speech([("a", 0.2)], lead=0.8)
    gap = aperture(drive(speech, fps=50))
    assert gap[int(0.8 * 50) - 5] > 0.02
    assert gap[int(0.8 * 50) - 14] < 0.005


def test_nothing_is_open_when_the_speech_has_ended() -> None:
    speech = make_speech([("p", 0.08), ("a", 0.3, 2)], tail=0.05)
    last = drive(speech)[-1]
    assert last.weights.max() < 0.25 and abs(last.head.pitch) < math.radians(0.3)


def test_weights_do_not_jump_outside_of_closure() -> None:
    speech = make_speech([("a", 0.15), ("s", 0.09), ("u", 0.15), ("k", 0.08), ("i", 0.15), ("l", 0.07), ("o", 0.2)])
    mouth = [index for name, index in ARKIT_INDEX.items() if name.startswith(("jaw", "mouth"))]
    weights = np.array([face.weights[mouth] for face in drive(speech)])
    assert np.abs(np.diff(weights, axis=0)).max() <= 9 / 25 + 1e-5


def test_a_voice_without_phones_moves_the_jaw_with_its_loudness() -> None:
    rhythm = make_speech([("a", 0.25), ("_", 0.25)] * 6, lead=0.5)
    faces = drive(SpeechChunk(rhythm.audio))
    jaw = track(faces, "jawOpen")
    loud = np.array([np.sqrt(np.mean(beat**2)) for beat in np.array_split(rhythm.audio, len(faces))])
    assert np.corrcoef(jaw, loud)[0, 1] > 0.8


def test_silence_without_phones_leaves_the_face_alone() -> None:
    for face in drive(SpeechChunk.silence(SAMPLE_RATE)):
        assert not face.weights.any() and face.head.pitch == 0


def test_hissing_without_phones_opens_less_than_a_vowel_as_loud() -> None:
    times = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    vowel = 0.2 * np.sin(2 * np.pi * 700 * times) + 0.2 * np.sin(2 * np.pi * 1100 * times)
    hiss = np.random.default_rng(2).normal(0, 0.2, SAMPLE_RATE)
    jaws = [track(drive(SpeechChunk(sound.astype(np.float32))), "jawOpen")[10:].mean() for sound in (vowel, hiss)]
    assert jaws[0] > 2 * jaws[1]


def sentence(words: int, stress: int, salt: str = "t") -> SpeechChunk:
    return make_speech([(salt, 0.07), ("a", 0.15, stress), ("n", 0.08), ("ə", 0.08)] * words)


def test_head_and_brows_follow_stress() -> None:
    stressed, flat = drive(sentence(14, 2)), drive(sentence(14, 0))
    brows = [float(track(faces, "browInnerUp").max()) for faces in (stressed, flat)]
    assert brows[0] > 0.08 and brows[1] == 0
    nods = [min(face.head.pitch for face in faces[:-20]) for faces in (stressed, flat)]
    assert nods[0] < math.radians(-0.7) and nods[1] == 0


def test_not_every_stress_is_a_nod_and_different_text_moves_differently() -> None:
    pitches = [np.array([face.head.pitch for face in drive(sentence(20, 2, salt))]) for salt in ("t", "k")]
    assert not np.array_equal(pitches[0], pitches[1])
    peaks = [int(((p[1:-1] < p[:-2]) & (p[1:-1] <= p[2:]) & (p[1:-1] < -0.008)).sum()) for p in pitches]
    assert all(3 <= count <= 13 for count in peaks)


def test_gestures_are_smooth() -> None:
    faces = drive(sentence(20, 2))
    pose = np.array([(face.head.yaw, face.head.pitch, face.head.roll) for face in faces])
    assert np.abs(np.diff(pose, axis=0)).max() < math.radians(0.9)
    assert np.abs(np.diff(track(faces, "browInnerUp"))).max() < 0.12


def test_a_frame_rate_that_does_not_divide_the_sound_is_refused() -> None:
    with pytest.raises(FormatError, match="whole number"):
        drive(PAPA, fps=29)


def test_long_speech_does_not_pile_up() -> None:
    speech = sentence(400, 2)
    chunks = cut(speech, list(range(4800, len(speech.audio), 4800)))

    async def listen() -> int:
        async def growing() -> AsyncIterator[SpeechChunk]:
            for chunk in chunks:
                yield chunk

        tracemalloc.start()
        async for _ in PhoneDriver().drive(growing(), 25):
            pass
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    assert asyncio.run(listen()) < 1_000_000
