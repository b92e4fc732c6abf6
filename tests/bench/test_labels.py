"""Label files: what Praat, HTS and aligners write is read, and what they do not write is refused where it stands."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anchor.bench.labels import read_labels, to_phones
from anchor.bench.labels.label import Label
from anchor.bench.labels.sphinx import read_many
from anchor.bench.labels.symbols import PINYIN, alphabet
from anchor.errors import LabelError
from anchor.events import Phone
from drivers.visemes import visemes_of

LONG = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 0.9
tiers? <exists>
size = 2
item []:
    item [1]:
        class = "IntervalTier"
        name = "Word"
        xmin = 0
        xmax = 0.9
        intervals: size = 2
        intervals [1]:
            xmin = 0
            xmax = 0.4
            text = ""
        intervals [2]:
            xmin = 0.4
            xmax = 0.9
            text = "ma ""so"" mi"
    item [2]:
        class = "IntervalTier"
        name = "Phone"
        xmin = 0
        xmax = 0.9
        intervals: size = 3
        intervals [1]:
            xmin = 0
            xmax = 0.4
            text = ""
        intervals [2]:
            xmin = 0.4
            xmax = 0.5
            text = "M"
        intervals [3]:
            xmin = 0.5
            xmax = 0.9
            text = "AA1"
"""
SHORT = """File type = "ooTextFile"
Object class = "TextGrid"

0
0.9
<exists>
1
"IntervalTier"
"phones"
0
0.9
3
0
0.4
"[SIL]"
0.4
0.5
"m"
0.5
0.9
"iang3"
"""


def write(folder: Path, name: str, text: str, encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_text(text, encoding=encoding)
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_praats_long_form_is_read_in_every_encoding_it_writes(tmp_path: Path, encoding: str) -> None:
    labels = read_labels(write(tmp_path, "a_phones.TextGrid", LONG, encoding))
    assert [(label.symbol, label.start, label.end) for label in labels.phones] == [
        ("", 0, 0.4), ("M", 0.4, 0.5), ("AA1", 0.5, 0.9)
    ]  # fmt: skip
    assert labels.text == 'ma "so" mi'
    assert labels.by_hand


def test_praats_short_form_is_read_and_an_aligners_marks_are_known(tmp_path: Path) -> None:
    labels = read_labels(write(tmp_path, "a.TextGrid", SHORT))
    phones, written = to_phones(labels.phones)
    assert written == "pinyin" and not labels.by_hand
    assert phones == (Phone("m", 19200, 24000), Phone("iɑŋ", 24000, 43200))


def test_a_full_context_label_gives_its_middle_phone(tmp_path: Path) -> None:
    lines = "0 1300000 x^x-sil+hh=iy@x_x/A:0_0\n1300000 2050000 x^sil-hh+iy=t@1_2\n2050000 2700000 iy\n"
    labels = read_labels(write(tmp_path, "a_phone.lab", lines))
    assert [label.symbol for label in labels.phones] == ["sil", "hh", "iy"]
    assert [phone.symbol for phone in to_phones(labels.phones)[0]] == ["h", "i"]
    assert labels.phones[1].start == pytest.approx(0.13)


def test_pocketsphinx_phones_are_found_inside_their_words(tmp_path: Path) -> None:
    word = {"t": "mom", "b": 0.1, "d": 0.3, "w": [{"t": "M", "b": 0.1, "d": 0.1}, {"t": "AA", "b": 0.2, "d": 0.2}]}
    labels = read_labels(write(tmp_path, "a.phone.json", json.dumps({"t": "mom", "w": [word]})))
    assert [(label.symbol, label.end) for label in labels.phones] == [("M", 0.2), ("AA", pytest.approx(0.4))]
    assert labels.text == "mom"


def test_a_list_of_alignments_names_its_recordings(tmp_path: Path) -> None:
    path = write(tmp_path, "auto_phones.json", json.dumps({"a.wav": {"phones": [["SIL", 0, 0.2], ["P", 0.2, 0.3]]}}))
    ((name, labels),) = read_many(path)
    assert name == "a.wav" and labels.phones[1] == Label("P", 0.2, 0.3)


def test_stress_digits_of_arpabet_become_stress() -> None:
    labels = [Label("AH0", 0, 0.1), Label("OW1", 0.1, 0.2), Label("IY2", 0.2, 0.3)]
    phones, written = to_phones(labels)
    assert written == "arpabet" and [phone.stress for phone in phones] == [0, 2, 1]


def test_symbols_of_no_other_alphabet_are_taken_for_ipa() -> None:
    assert alphabet(["m", "ə", "r", "o"]) == "ipa"
    assert alphabet(["b", "ao4"]) == "pinyin"
    assert alphabet(["B", "AO1", "SIL"]) == "arpabet"


def test_letters_that_pinyin_and_ipa_share_are_ipa_without_tones() -> None:
    assert alphabet(["m", "a", "n", "o"]) == "ipa"


def test_a_sound_that_no_alphabet_has_does_not_change_what_the_others_mean() -> None:
    labels = [
        Label(symbol, at, at + 1)
        for at, symbol in enumerate(("B", "AA1", "PT", "DH", "AH0", "L", "EH1", "JH", "ER0", "<laugh>"))
    ]
    phones, written = to_phones(labels)
    assert written == "arpabet"
    assert [phone.symbol for phone in phones] == ["b", "ɑ", "pt", "ð", "ʌ", "l", "ɛ", "dʒ", "ɝ", "<laugh>"]


def test_a_symbol_of_endless_length_is_not_taken_apart() -> None:
    labels = [Label("T" * 3000, 0, 1), *(Label("AA", at, at + 1) for at in range(1, 9))]
    assert to_phones(labels)[0][0].symbol == "T" * 3000


def test_every_pinyin_initial_and_final_has_a_mouth() -> None:
    assert [symbol for symbol, ipa in PINYIN.items() if visemes_of(ipa)[0][0] == "sil"] == []


BROKEN = [
    ("a.TextGrid", "", ":1: is no TextGrid"),
    ("a.TextGrid", 'File type = "ooTextFile"\nObject class = "Pitch"\n', ":1: is no TextGrid"),
    ("a.TextGrid", LONG.replace('"Phone"', '"Notes"'), "its tiers are word, notes"),
    ("a.TextGrid", LONG.replace("xmax = 0.5", "xmax = wide"), ":36: 'M' stands where the end of a label"),
    ("a.TextGrid", LONG.replace("intervals: size = 3", "intervals: size = 999999999"), ":28: the number of labels"),
    ("a.TextGrid", LONG.replace("intervals: size = 3", "intervals: size = -1"), ":28: the number of labels"),
    ("a.TextGrid", LONG.replace("size = 3", "size = 1e400"), ":28: the number of labels"),
    ("a.TextGrid", "\n".join(LONG.splitlines()[:-2]), ":38: the file ends where the end of a label"),
    ("a.TextGrid", LONG.replace("xmin = 0.5", "xmin = 0.45"), ":38: 'AA1' starts at 0.45 s, before"),
    ("a.TextGrid", LONG.replace("xmax = 0.5", "xmax = 0.3"), ":34: 'M' goes from 0.4 s to 0.3 s"),
    ("a.TextGrid", LONG.replace("IntervalTier", "PitchTier"), "'Word' is a 'PitchTier'"),
    ("a.lab", "0 100 a\nx 200 b\n", ":2: write start, end"),
    ("a.lab", "0 100\n", ":1: write start, end"),
    ("a.lab", "0 99999999999999999999999 a\n", ":1: write start, end"),
    ("a.lab", "0 ٣٣ a\n", ":1: write start, end"),
    ("a.lab", "100 50 a\n", ":1: 'a' goes from"),
    ("a.lab", "\n\n", "holds no labels"),
    ("a.phone.json", '{"w": [\n}', ":2: is no JSON"),
    ("a.phone.json", "[" * 100_000, ": is "),
    ("a.phone.json", "[]", ":1: holds no JSON object"),
    ("a.phone.json", '{"w": 3}', "w: is no list"),
    ("a.phone.json", '{"w": [3]}', "w[0].w: is no list"),
    ("a.phone.json", '{"w": [{"w": [{"t": "P", "b": 0}]}]}', "w[0]: a phone needs t, b and d"),
    ("a.phone.json", '{"w": [{"w": [{"t": "P", "b": NaN, "d": 1}]}]}', "'P' goes from nan"),
    ("a.phone.json", '{"w": [{"w": [{"t": "P", "b": %s, "d": 1}]}]}' % (10**400), "out of all time"),
    ("a.phone.json", '{"w": [{"w": [{"t": 7, "b": 0, "d": 1}]}]}', "w[0]: is no symbol"),
    ("a.txt", "0 1 a", "labels are read from"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "complaint"), BROKEN, ids=range(len(BROKEN)))
def test_a_broken_file_is_refused_where_it_is_broken(tmp_path: Path, name: str, text: str, complaint: str) -> None:
    path = write(tmp_path, name, text)
    with pytest.raises(LabelError) as raised:
        read_labels(path)
    assert str(raised.value).startswith(str(path)) and complaint in str(raised.value)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ('{"a.wav": 3}', "a.wav: phones: is no list"),
        ('{"a.wav": {"phones": [["P", 0]]}}', "a.wav: phones[0]: write [symbol, start, end]"),
        ('{"a.wav": {"phones": [["P", true, 1]]}}', "a.wav: phones[0]: is no symbol"),
        ('{"a.wav": {"phones": []}}', "holds no labels"),
    ],
)
def test_a_broken_list_is_refused_by_the_name_of_the_recording(tmp_path: Path, content: str, complaint: str) -> None:
    path = write(tmp_path, "auto_phones.json", content)
    with pytest.raises(LabelError, match=r"auto_phones\.json") as raised:
        list(read_many(path))
    assert complaint in str(raised.value)


def test_bytes_of_no_text_are_refused_by_their_line(tmp_path: Path) -> None:
    path = tmp_path / "a.lab"
    path.write_bytes(b"0 100 a\n100 200 \xff\xfe\n")
    with pytest.raises(LabelError, match=r"a\.lab:2: is neither UTF-8 nor UTF-16"):
        read_labels(path)


def test_a_file_that_is_not_there_is_an_error_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="cannot be read"):
        read_labels(tmp_path / "none.lab")


@given(st.text(alphabet=st.sampled_from(list('"<>=0.5e+-[] \nMxs!')), max_size=80), st.integers(0, len(LONG)))
def test_no_scribble_in_a_textgrid_does_more_than_be_refused(
    tmp_path_factory: pytest.TempPathFactory, text: str, place: int
) -> None:
    path = tmp_path_factory.mktemp("scribble") / "a.TextGrid"
    path.write_text(LONG[:place] + text + LONG[place:])
    try:
        labels = read_labels(path)
    except LabelError:
        return
    assert all(0 <= label.start <= label.end for label in labels.phones)
