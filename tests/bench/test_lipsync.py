"""The bench of lips on speech: what drivers are given, what is said of them, and what cannot be measured."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from anchor.bench import corpus
from anchor.bench.corpus import Item
from anchor.bench.lipsync import feeding, report, rhubarb
from anchor.bench.lipsync.captured import captures, jaw_correlation
from anchor.bench.lipsync.classes import CLASSES, INDEX, RATE, Classes, face_classes, label_classes
from anchor.bench.lipsync.rhubarb import MOUTHS, Cue
from anchor.bench.lipsync.rows import Row, Track, frames_of, held, rows
from anchor.bench.lipsync.screen import needed
from anchor.errors import ConfigError, LabelError, MissingError
from anchor.events import Phone
from anchor.media import ARKIT, SAMPLE_RATE, Floats
from anchor.ports import Classifies, SpeechChunk
from drivers.phones import PhoneDriver
from drivers.visemes import MATRIX, VISEME_INDEX
from tests.drivers.speech import make_speech

SPEECH = make_speech(
    [("p", 0.1), ("ɑ", 0.2), ("b", 0.1), ("i", 0.2), ("f", 0.12), ("ɔ", 0.2), ("_", 0.9), ("m", 0.1), ("u", 0.3)]
)


def item(text: str = "Bobby for mu", language: str = "en") -> Item:
    return Item("made", SPEECH.audio, SPEECH.phones, language, "by the voice", "made", text)


def exact_track() -> Track:
    """Faces that are each label's own shape."""
    frames = frames_of(len(SPEECH.audio))
    classes = label_classes(SPEECH.phones, frames)
    shapes = MATRIX[[VISEME_INDEX[CLASSES[value]] for value in classes[1::2]]]
    return Track(item(), shapes, classes)


def by_name(found: list[Row], name: str) -> Row:
    return next(row for row in found if row.material == name)


def test_sound_alone_says_nothing_of_phones_or_text() -> None:
    cut = feeding.feed(SPEECH.audio, "audio", item()).chunks
    assert all(not chunk.phones and not chunk.words for chunk in cut)
    assert {len(chunk.audio) for chunk in cut[:-1]} == {1920}
    assert np.array_equal(np.concatenate([chunk.audio for chunk in cut]), SPEECH.audio)


def test_text_comes_with_the_first_sound_and_phones_with_the_sound_they_start_in() -> None:
    (words,) = asyncio.run(feeding.spelled([item()]))
    assert "".join(word.text for word in words) == "Bobby for mu"
    with_text = feeding.feed(SPEECH.audio, "text", item(), words)
    assert with_text.words == words and not any(chunk.phones for chunk in with_text.chunks)
    timed = feeding.feed(SPEECH.audio, "timings", item()).chunks
    assert tuple(phone for chunk in timed for phone in chunk.phones) == SPEECH.phones
    assert all(1920 * at <= phone.start < 1920 * (at + 1) for at, chunk in enumerate(timed) for phone in chunk.phones)


def test_a_perfect_mouth_scores_one() -> None:
    row = by_name(rows("perfect", "timings", [exact_track()]), "en")
    for name in ("accuracy15", "group_recall", "labiodental_recall"):
        assert row.values[name] == 1, name
    assert row.values["bilabial_recall_on_weights"] == row.values["bilabial_precision_on_weights"] == 1
    assert row.values["aperture_correlation_on_weights"] > 0.9
    assert abs(row.values["offset_median_ms_on_weights"]) <= 10
    assert row.values["jitter_percent_on_weights"] == 0


def test_a_mouth_that_is_80_ms_late_is_said_to_be() -> None:
    track = exact_track()
    track.weights, track.classes = np.roll(track.weights, 4, axis=0), np.roll(track.classes, 8)
    row = by_name(rows("late", "timings", [track]), "en")
    assert row.values["lag_ms"] == 80
    assert row.values["accuracy15"] > 0.97
    assert row.values["offset_median_ms_on_weights"] == pytest.approx(80, abs=6)
    assert row.values["bilabial_recall_on_weights"] == 1  # Closures last 100 ms and may come late by 20.


def test_a_mouth_that_stands_open_or_shut_recalls_nothing() -> None:
    for shape in ("sil", "aa"):
        track = exact_track()
        track.weights = np.tile(MATRIX[VISEME_INDEX[shape]], (len(track.weights), 1))
        track.classes = held(face_classes(track.weights), len(track.classes))
        row = by_name(rows("still", "timings", [track]), "en")
        assert row.values["bilabial_recall_on_weights"] == row.values["labiodental_recall"] == 0
        assert np.isnan(row.values["offset_median_ms_on_weights"])


def test_languages_and_handmade_labels_have_rows_of_their_own() -> None:
    english, chinese = exact_track(), exact_track()
    chinese.item = Item("zh", SPEECH.audio, SPEECH.phones, "zh", "by hand", "zh.TextGrid", "")
    found = rows("perfect", "timings", [english, chinese])
    assert [(row.material, row.values["recordings"]) for row in found] == [("en", 1), ("zh", 1), ("by hand", 1)]


class Knowing(PhoneDriver):
    """A driver that says what it takes each moment for: one u after another."""

    async def classes(self, speech: AsyncIterable[SpeechChunk]) -> NDArray[np.int64]:
        size = sum([chunk.audio.size async for chunk in speech])
        return np.full(frames_of(size), INDEX["U"], np.int64)


def test_a_driver_that_classifies_is_asked_and_others_are_judged_by_their_faces() -> None:
    speech = feeding.feed(SPEECH.audio, "timings", item())
    said: Classes | None = asyncio.run(feeding.classes(Knowing(), speech))
    assert isinstance(Knowing(), Classifies)
    assert said is not None and set(said.tolist()) == {INDEX["U"]} and len(said) == frames_of(len(SPEECH.audio))
    assert asyncio.run(feeding.classes(PhoneDriver(), speech)) is None


def measured(*arguments: str) -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "-m", "anchor", "bench", "lipsync", "--json", *arguments],
        capture_output=True, text=True, check=False, timeout=280,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, object] = json.loads(done.stdout)
    return found


def write_labelled(folder: Path) -> None:
    """A folder as people keep one: a recording, its labels by an aligner, its words."""
    import wave

    with wave.open(str(folder / "a.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes((SPEECH.audio * 32767).astype("<i2").tobytes())
    rows = [f"{round(p.start / 0.0048)} {round(p.end / 0.0048)} {p.symbol}" for p in SPEECH.phones]
    (folder / "a.lab").write_text("\n".join(rows))
    (folder / "a.txt").write_text("Bobby for mu")


def test_a_folder_of_recordings_is_read_with_its_words(tmp_path: Path) -> None:
    write_labelled(tmp_path)
    (found,) = corpus.items(tmp_path)
    assert (found.name, found.language, found.origin, found.text) == ("a.wav", "en", "by an aligner", "Bobby for mu")
    assert found.phones[0] == Phone("p", 19200, 24000)
    assert len(found.audio()) == len(SPEECH.audio)


def test_a_list_made_elsewhere_finds_its_recordings_by_the_ends_of_their_paths(tmp_path: Path) -> None:
    speech, labels = tmp_path / "speech" / "lj", tmp_path / "aligned"
    speech.mkdir(parents=True)
    labels.mkdir()
    write_labelled(speech)
    entry = {"phones": [["P", 0.4, 0.5], ["AA1", 0.5, 0.7]]}
    (labels / "auto_phones.json").write_text(json.dumps({"../../x/shared/lj/a.wav": entry, "../none.wav": entry}))
    (tmp_path / "speech" / "transcripts.jsonl").write_text(
        '{"file": "x/shared/lj/a.wav", "lang": "fr", "text": "pa"}\n'
    )
    (found,) = corpus.items(labels)
    assert (found.name, found.language, found.text) == ("lj/a.wav", "fr", "pa")


def test_a_path_in_a_list_does_not_lead_out_of_the_folders(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    (tmp_path / "secret.wav").write_bytes(b"")
    assert corpus.locate([folder], "../../secret.wav") is None
    assert corpus.locate([folder], str(tmp_path / "secret.wav")) is None


def test_what_lies_beside_the_folder_is_not_read_unless_a_list_names_it(tmp_path: Path) -> None:
    here, beside = tmp_path / "here", tmp_path / "beside"
    here.mkdir()
    beside.mkdir()
    write_labelled(here)
    (beside / "transcripts.jsonl").write_text("broken")
    assert len(corpus.items(here)) == 1


def test_a_folder_without_labels_says_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"")
    with pytest.raises(MissingError, match=r"put NAME\.TextGrid"):
        corpus.items(tmp_path)


def test_a_recording_that_is_none_and_a_transcript_that_is_none_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"nothing")
    (tmp_path / "a.lab").write_text("0 100 a")
    (found,) = corpus.items(tmp_path)
    with pytest.raises(LabelError, match=r"a\.wav: no sound"):
        found.audio()
    (tmp_path / "transcripts.jsonl").write_text('{"file": "a.wav", "text": "pa"}\n7\n')
    with pytest.raises(LabelError, match=r"transcripts\.jsonl:2"):
        corpus.items(tmp_path)


def write_capture(folder: Path, jaw: Floats, names: tuple[str, ...] = ("brow", "mouth_stretch_c")) -> None:
    np.save(folder / "bs_name.npy", np.array(names))
    np.save(folder / "bs_value_a.npy", np.stack([np.zeros_like(jaw), jaw], axis=1))
    (folder / "a.wav").write_bytes(b"")


def test_a_jaw_that_moves_as_the_captured_one_100_ms_later_correlates_fully(tmp_path: Path) -> None:
    jaw = np.abs(np.sin(np.arange(300) / 7)).astype(np.float32)
    write_capture(tmp_path, jaw)
    (capture,) = captures(tmp_path)
    assert len(capture.jaw) == 10 * RATE
    fit, lag = jaw_correlation([np.roll(capture.jaw, 10)], [capture])
    assert lag == 10 and fit > 0.99


def test_captures_that_are_no_numbers_or_hide_programs_are_refused(tmp_path: Path) -> None:
    write_capture(tmp_path, np.full(30, np.nan, np.float32))
    with pytest.raises(LabelError, match="bs_value_a"):
        captures(tmp_path)
    write_capture(tmp_path, np.zeros(30, np.float32), ("brow", "jaw"))
    with pytest.raises(LabelError, match="mouth_stretch_c"):
        captures(tmp_path)
    np.save(tmp_path / "bs_name.npy", np.array([{"a": 1}], dtype=object))
    with pytest.raises(LabelError, match=r"bs_name\.npy: cannot be read"):
        captures(tmp_path)


def test_rhubarbs_later_cue_wins_and_each_mouth_counts_as_its_best_class() -> None:
    said = [Cue("X", 0, 0.1), Cue("B", 0.1, 0.4), Cue("A", 0.3, 0.4)]
    shown = rhubarb.mouths(said, 40)
    names = list(MOUTHS)
    assert [names[value] for value in shown[[5, 15, 35]]] == ["X", "B", "A"]
    labels = np.repeat([INDEX["sil"], INDEX["kk"], INDEX["PP"]], [10, 20, 10])
    (classes,) = rhubarb.best_classes([shown], [labels])
    assert classes.tolist() == labels.tolist()


def test_rhubarbs_closed_mouth_closes_our_lips() -> None:
    faces = rhubarb.faces([Cue("D", 0, 0.1), Cue("A", 0.1, 0.2)], 0.2)
    assert faces.shape == (10, len(ARKIT))
    assert [CLASSES[value] for value in face_classes(faces)] == ["aa"] * 5 + ["PP"] * 5


def test_rhubarb_is_left_out_with_the_reason_where_node_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(MissingError, match="needs node"):
        rhubarb.install()


def test_a_face_that_stands_still_is_drawn_only_until_it_is_found() -> None:
    weights = np.zeros((8, len(ARKIT)), np.float32)
    weights[5:, 17] = 0.5
    assert needed(weights).tolist() == [True, True, True, False, False, True, True, True]


def test_drivers_are_chosen_by_name_and_way() -> None:
    with pytest.raises(ConfigError, match="a driver is given audio, text, timings"):
        asyncio.run(report.measure(print, drivers=["phones:video"]))
    with pytest.raises(MissingError, match="no driver named 'none'"):
        asyncio.run(report.measure(print, drivers=["none"]))


def test_the_bench_measures_lips_of_what_the_project_says_itself(tmp_path: Path) -> None:
    """Everything at once and without options, but for the pixels, which need a minute."""
    found = measured("--no-pixels", "--no-rhubarb", "--plots", str(tmp_path))
    figures = {figure["name"]: figure for figure in found["figures"]}  # type: ignore[attr-defined]
    assert found["material"]["speech"] == "embedded voice"  # type: ignore[index]
    assert figures["phones_timings_en_bilabial_recall_on_weights"]["value"] >= 0.97
    assert figures["phones_timings_en_labiodental_recall"]["value"] >= 0.95
    assert abs(figures["phones_timings_en_offset_median_ms_on_weights"]["value"]) <= 20
    assert figures["phones_timings_zh_accuracy15"]["value"] > 2 * figures["loudness_audio_zh_accuracy15"]["value"]
    assert figures["loudness_audio_en_bilabial_recall_on_weights"]["value"] < 0.75
    assert all(figures[name]["goal"] is None for name in figures if name.startswith("loudness"))
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"lipsync-{name}.png" for name in ("classes", "lips", "offsets", "scores")
    ]
    assert all(path.read_bytes()[:4] == b"\x89PNG" for path in tmp_path.iterdir())


def test_lips_are_looked_at_in_rendered_pictures() -> None:
    """One short made-up utterance with the bundled avatar: what closes in the weights closes in the picture."""
    from anchor.bench.lipsync.screen import Screen

    speech = make_speech([("ɑ", 0.2), ("p", 0.1), ("ɑ", 0.3)], lead=0.3, tail=0.3)
    said = Item("apa", speech.audio, speech.phones, "en", "by the voice", "made", "apa")
    weights = asyncio.run(feeding.faces(PhoneDriver(), feeding.feed(speech.audio, "timings", said)))
    track = Track(said, weights, held(face_classes(weights), frames_of(len(speech.audio))))
    Screen(report.AVATAR).fill([track])
    (row,) = rows("phones", "timings", [track])
    assert row.values["bilabial_recall_on_pixels"] == 1
    assert row.values["aperture_correlation_on_pixels"] > 0.6
    assert row.score("bilabial_recall") == row.values["bilabial_recall_on_pixels"]


@pytest.mark.shared
def test_two_real_recordings_are_scored_by_their_labels(shared: Path, tmp_path: Path) -> None:
    for name in ("mary.wav", "mary.TextGrid", "bobby.wav", "bobby_phones.TextGrid", "bobby_words.TextGrid"):
        (tmp_path / name).write_bytes((shared / "aligned" / "praatio" / name).read_bytes())
    assert [each.text for each in corpus.items(tmp_path)] == ["BOBBY RIPPED THE LEDGER", "mary rolled the barrel"]
    found = measured(
        "--no-pixels", "--no-rhubarb", "--driver", "phones", "--driver", "energy", "--speech", str(tmp_path)
    )
    figures = {figure["name"]: figure["value"] for figure in found["figures"]}  # type: ignore[attr-defined]
    assert found["material"]["labels"] == {"en by hand": 2}  # type: ignore[index]
    assert figures["phones_timings_by_hand_recordings"] == 2
    assert figures["phones_timings_en_bilabial_recall_on_weights"] == 1
    assert figures["phones_timings_en_accuracy15"] > figures["loudness_audio_en_accuracy15"]
