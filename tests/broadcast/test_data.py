from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anchor.broadcast.data import read_csv, read_table, to_number, with_unit
from anchor.errors import ScriptError


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12", 12), ("1,234,567.5", 1234567.5), ("1 234", 1234), ("12'345", 12345), ("-3.5", -3.5), ("−3", -3),
        ("+2", 2), ("(3.2)", -3.2), ("12%", 12), ("12.5 ％", 12.5), ("$1,200", 1200), ("¥8", 8), ("3.2亿", 3.2e8),
        ("1.5万", 15000), ("２０２４", 2024), ("0", 0), ("", None), (" NA ", None), ("-", None), ("n/a", None),
        ("无", None), ("—", None),
    ],
)  # fmt: skip
def test_numbers_are_read_as_people_write_them(text: str, number: float | None) -> None:
    assert to_number(text) == number


@pytest.mark.parametrize("text", ["abc", "1,23", "12 km", "1.2.3", "=1+1", "inf", "1e5", "2024-01-02", "(3", "9" * 30])
def test_what_is_no_number_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        to_number(text)


@given(st.text(max_size=30))
def test_any_cell_is_a_number_a_gap_or_refused(text: str) -> None:
    try:
        value = to_number(text)
    except ValueError:
        return
    assert value is None or abs(value) < 1e32


def test_a_unit_stands_in_the_headers_brackets() -> None:
    assert with_unit("GDP (亿元)") == ("GDP", "亿元")
    assert with_unit("产量（万吨）") == ("产量", "万吨")
    assert with_unit("plain") == ("plain", "")


@pytest.mark.parametrize(
    "content",
    [
        "年,值\n甲,1\n乙,2\n".encode(), "\ufeff年,值\r\n甲,1\r\n乙,2\r\n".encode(), "年;值\n甲;1\n乙;2\n".encode(),
        "年\t值\n甲\t1\n乙\t2".encode(), "年,值\n甲,1\n乙,2\n".encode("gbk"), "年,值\n甲,1\n乙,2\n".encode("utf-16"),
        '"年","值"\n"甲", "1"\n\n乙,2,,\n'.encode(),
    ],
)  # fmt: skip
def test_a_table_is_the_same_however_it_was_saved(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    sheet = read_csv(path)
    assert (sheet.columns, sheet.rows) == (("年", "值"), (("甲", "1"), ("乙", "2")))


def test_a_comma_is_a_decimal_point_where_the_file_says_so() -> None:
    sheet = read_table("a;b\nx;1.234,5\ny;2,25\nz;1,234\n", "t")
    assert [sheet.number(row, 1) for row in range(3)] == [1234.5, 2.25, 1.234]
    sheet = read_table('a,b\nx,"1,234"\n', "t")
    assert sheet.number(0, 1) == 1234


def test_gaps_are_gaps_and_percent_signs_are_seen() -> None:
    sheet = read_table("a,b\nx,12%\ny,NA\nz,\nw,3%\n", "t")
    assert [sheet.number(row, 1) for row in range(4)] == [12, None, None, 3]
    assert sheet.percent(1) and sheet.numeric(1)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"a,b\n1,2\n3\n", r"a\.csv:3: has 1 cells, the header 2"),
        (b"a,b\n1,2,3\n", r"a\.csv:2: has 3 cells"),
        (b'a,b\n"x,2\n3,4\n', r"a\.csv:\d: is not proper CSV"),
        (b"a,b\n", r"a\.csv:1: has no data"),
        (b"", r"a\.csv:1: has no data"),
        (b"a,b\n\x00\x01,2\n", r"a\.csv: is not text"),
        (b"\xff\xff\xff\xff,1\n", r"a\.csv: is neither UTF-8 nor GBK"),
        (b"a,b\n" + b"1,2\n" * 10_001, r"a\.csv:10002: has more than 10,000 rows"),
        (b"a,b\n" + b"x" * 600 + b",1\n", r"a\.csv:2: a cell of 600 characters"),
        (b"a," * 300 + b"b\n1,2\n", r"a\.csv:1: has 301 columns"),
        (b"x" * (2 * 2**20 + 1), r"a\.csv: is 2\.0 MiB"),
    ],
)
def test_what_is_not_a_table_is_refused_with_its_line(tmp_path: Path, content: bytes, named: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(ScriptError, match=named):
        read_csv(path)


def test_a_word_among_numbers_is_named_with_its_line() -> None:
    sheet = read_table("year,value\n2020,1\n2021,lots\n", "gdp.csv")
    with pytest.raises(ScriptError, match=r"gdp\.csv:3: 'lots' in 'value' is not a number"):
        sheet.number(1, 1)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_table_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(content)
    try:
        sheet = read_csv(path)
    except ScriptError as error:
        assert str(path) in str(error)
    else:
        assert all(len(row) == len(sheet.columns) for row in sheet.rows)
