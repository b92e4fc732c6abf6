import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anchor.broadcast.aired import AiredLog, Airing, begun_line, ended_line, verify
from anchor.errors import StoreError

NOON = 1_780_000_000.0
DAY = 86_400.0


def airing(number: int, text: str = "Some news.", *, at: float = NOON) -> Airing:
    return Airing(number, "show", f"S{number}", "news", text, "en", "fake", "lin", at)


def write(folder: Path, count: int, *, at: float = NOON, first: int = 1, text: str = "Some news.") -> AiredLog:
    log = AiredLog(folder, at)
    for number in range(first, first + count):
        one = airing(number, text, at=at + number)
        log.append([begun_line(one)], at + number)
        log.append([ended_line(one, "said", seconds=1.5, at=at + number + 1, heard=text, problem="")], at + number + 1)
    return log


def lines(folder: Path) -> list[dict[str, Any]]:
    files = sorted(folder.glob("aired-*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text("utf-8").split("\n") if line]


def test_what_went_out_is_kept_with_its_text_and_hash(tmp_path: Path) -> None:
    log = write(tmp_path, 2, text="新闻\u2028第二行。")
    assert verify(tmp_path) == []
    assert [line["event"] for line in lines(tmp_path)] == ["started", "ended"] * 2
    assert lines(tmp_path)[1]["text"] == "新闻\u2028第二行。" and len(lines(tmp_path)[1]["text_sha256"]) == 64
    assert [(aired.segment, aired.seconds, aired.outcome) for aired in log.recent] == [
        ("S1", 1.5, "said"),
        ("S2", 1.5, "said"),
    ]


@given(
    number=st.integers(0, 11),
    change=st.sampled_from(["delete", "double", "swap", "text", "time", "hash"]),
)
@settings(max_examples=40, deadline=None)
def test_any_edit_deletion_or_insertion_is_found(
    tmp_path_factory: pytest.TempPathFactory, number: int, change: str
) -> None:
    folder = tmp_path_factory.mktemp("aired")
    write(folder, 6)
    path = next(folder.glob("aired-*.jsonl"))
    texts = path.read_text("utf-8").split("\n")[:-1]
    line = json.loads(texts[number])
    if change == "delete":
        del texts[number]
    elif change == "double":
        texts.insert(number, texts[number])
    elif change == "swap":
        texts[number], texts[number - 1] = texts[number - 1], texts[number]
    else:
        key = {"text": "text", "time": "started", "hash": "previous"}[change]
        texts[number] = json.dumps(line | {key: line[key][:-1] + "x"}, ensure_ascii=False)
    path.write_text("\n".join(texts) + "\n", "utf-8")
    assert verify(folder) != []


def test_lines_cut_off_at_the_end_are_missed(tmp_path: Path) -> None:
    write(tmp_path, 5)
    path = next(tmp_path.glob("aired-*.jsonl"))
    path.write_text("".join(path.read_text("utf-8").splitlines(keepends=True)[:-3]), "utf-8")
    assert "3 lines are missing" in verify(tmp_path)[0]
    path.unlink()
    assert verify(tmp_path) != []


def test_each_day_has_a_file_and_the_chain_goes_on_over_them(tmp_path: Path) -> None:
    for day in range(4):
        write(tmp_path, 3, at=NOON + day * DAY, first=1 + 3 * day)
    assert len(list(tmp_path.glob("aired-*.jsonl"))) == 4
    assert verify(tmp_path) == []
    sorted(tmp_path.glob("aired-*.jsonl"))[1].unlink()
    assert verify(tmp_path) != []


def test_a_clock_set_back_over_midnight_goes_on_in_the_same_file(tmp_path: Path) -> None:
    log = write(tmp_path, 1, at=NOON + DAY)
    log.append([begun_line(airing(2, at=NOON))], NOON)
    assert len(list(tmp_path.glob("aired-*.jsonl"))) == 1
    assert verify(tmp_path) == []


def test_old_days_are_swept_and_the_rest_still_verifies(tmp_path: Path) -> None:
    for day in range(4):
        log = write(tmp_path, 2, at=NOON + day * DAY, first=1 + 2 * day)
    assert log.sweep(NOON + 2 * DAY) == 2
    assert verify(tmp_path) == []
    write(tmp_path, 1, at=NOON + 4 * DAY, first=20)
    assert verify(tmp_path) == []


def test_with_a_rule_of_retention_old_days_go_when_another_begins(tmp_path: Path) -> None:
    log = AiredLog(tmp_path, NOON, retention_days=3)
    for day in range(10):
        log.append([begun_line(airing(day + 1, at=NOON + day * DAY))], NOON + day * DAY)
    assert len(list(tmp_path.glob("aired-*.jsonl"))) == 4
    assert verify(tmp_path) == []


@pytest.mark.parametrize("cut", [1, 20, 200])
def test_a_line_that_a_fall_cut_off_is_mended_and_no_other_is_lost(tmp_path: Path, cut: int) -> None:
    write(tmp_path, 3)
    path = next(tmp_path.glob("aired-*.jsonl"))
    whole = path.read_bytes()
    head = json.loads((tmp_path / "head.json").read_text())
    log = AiredLog(tmp_path, NOON + 50)
    log.append([begun_line(airing(9))], NOON + 50)
    path.write_bytes(path.read_bytes()[:-cut])
    (tmp_path / "head.json").write_text(json.dumps(head))
    AiredLog(tmp_path, NOON + 60)
    assert path.read_bytes() == whole
    assert verify(tmp_path) == []


def test_what_a_fall_left_on_air_is_ended_by_the_next_start(tmp_path: Path) -> None:
    log = write(tmp_path, 2)
    log.append([begun_line(airing(7, "Cut here."))], NOON + 20)
    again = AiredLog(tmp_path, NOON + 30)
    left = again.left()
    assert [(line["segment"], line["outcome"], line["problem"]) for line in left] == [("S7", "cancelled", "fell over")]
    again.append(left, NOON + 30)
    assert again.number == 7 and verify(tmp_path) == []
    assert AiredLog(tmp_path, NOON + 40).left() == []


def test_a_disk_that_is_full_leaves_no_half_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = write(tmp_path, 2)

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full)
        with pytest.raises(OSError, match="No space"):
            log.append([begun_line(airing(3))], NOON + 10)
    assert len(lines(tmp_path)) == 4
    log.append([begun_line(airing(3))], NOON + 10)
    assert len(lines(tmp_path)) == 5 and verify(tmp_path) == []


def test_lines_that_are_no_lines_are_found(tmp_path: Path) -> None:
    write(tmp_path, 2)
    path = next(tmp_path.glob("aired-*.jsonl"))
    for junk in ("null", "[]", "{}", "x", '"text"'):
        path.write_text(path.read_text("utf-8") + junk + "\n", "utf-8")
    assert len(verify(tmp_path)) >= 5


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be"):
        AiredLog(tmp_path / "file" / "aired", NOON)
