"""Tables of data as newsrooms have them: CSV files, and numbers as people write them.

A file has a row of headers; its first column has labels. Commas, semicolons and tabs are told apart, UTF-8 from
GB 18030 (GBK) and UTF-16. ``GDP (亿元)`` is a header with a unit. A cell such as ``=1+1`` is text, never calculated.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from anchor.errors import ScriptError

LARGEST = 2 * 2**20
MOST_ROWS = 10_000
MOST_COLUMNS = 200
LONGEST_CELL = 500

_GAPS = frozenset(("", "na", "n/a", "n.a.", "nan", "null", "none", "-", "--", "–", "—", "——", "－", "…", "..", "...",
                   "无", "暂无", "缺", "不详", "なし"))  # fmt: skip
_NUMBER = re.compile(
    r"(?P<minus>[-−－–(])?\s*(?P<currency>[$€£¥￥]|US\$|HK\$)?\s*(?P<sign>[-−+])?"
    r"(?P<digits>[0-9][0-9.,'\u00a0\u202f\u2009 ]*)\s*(?P<scale>万亿|千亿|百万|亿|万|兆|億|万)?\s*"
    r"(?P<unit>%|％|‰|元|美元|人|人次)?\s*(?P<close>\))?"
)
_GROUPED = re.compile(r"[0-9]{1,3}([,'\u00a0\u202f\u2009 ][0-9]{3})+")
_SCALES = {"万": 1e4, "百万": 1e6, "亿": 1e8, "億": 1e8, "千亿": 1e11, "万亿": 1e12, "兆": 1e12}
_DECIMAL_COMMA = re.compile(r"[-+−]?[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]+|[-+−]?[0-9]+,(?:[0-9]{1,2}|[0-9]{4,})")
_UNIT = re.compile(r"^(?P<name>.*\S)\s*[(（\[［](?P<unit>[^()（）\[\]［］]{1,20})[)）\]］]\s*$", re.DOTALL)
_WIDE = str.maketrans("０１２３４５６７８９．，％（）", "0123456789.,%()")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table as it is written. `lines` are where its rows begin in `where`, a file or what a rundown calls it."""

    where: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]
    decimal_comma: bool = False

    def number(self, row: int, column: int) -> float | None:
        """A cell as a number, None for a gap. Raises `ScriptError` with its line for anything else."""
        text = self.rows[row][column]
        try:
            return to_number(text, decimal_comma=self.decimal_comma)
        except ValueError:
            raise ScriptError(
                f"{self.where}:{self.lines[row]}: {_short(text)!r} in {self.columns[column] or 'column 1'!r} "
                "is not a number; leave a gap empty"
            ) from None

    def numeric(self, column: int) -> bool:
        """Whether most of what stands in a column is numbers."""
        numbers = others = 0
        for row in self.rows:
            try:
                numbers += to_number(row[column], decimal_comma=self.decimal_comma) is not None
            except ValueError:
                others += 1
        return numbers > others

    def percent(self, column: int) -> bool:
        """Whether every number in a column is written with a percent sign."""
        cells = [row[column].strip() for row in self.rows if row[column].strip().lower() not in _GAPS]
        return bool(cells) and all(cell.endswith(("%", "％")) for cell in cells)


def to_number(text: str, *, decimal_comma: bool = False) -> float | None:
    """A number as people write it, None for a gap. Raises `ValueError`.

    Thousands may be parted by commas, apostrophes or spaces; ``(3.2)`` is negative; ``1.2亿`` is 120 million.
    """
    text = text.translate(_WIDE).strip()
    if text.lower() in _GAPS:
        return None
    found = _NUMBER.fullmatch(text)
    if found is None or (found["minus"] == "(") != (found["close"] is not None):
        raise ValueError(text)
    digits = found["digits"].strip()
    if decimal_comma:
        digits = digits.replace(".", "").replace(",", ".") if "," in digits else digits
    whole, dot, fraction = digits.partition(".")
    if not whole.isdigit():
        if not _GROUPED.fullmatch(whole):
            raise ValueError(text)
        whole = re.sub(r"\D", "", whole)
    if (dot and not fraction.isdigit()) or len(whole) > 18:
        raise ValueError(text)
    number = float(f"{whole}.{fraction or 0}") * _SCALES.get(found["scale"] or "", 1.0)
    negative = bool(found["minus"]) != (found["sign"] in ("-", "−"))
    return -number if negative and number else number


def with_unit(header: str) -> tuple[str, str]:
    """A header and the unit in its brackets: ``GDP (亿元)`` is GDP in 亿元."""
    found = _UNIT.match(header)
    return (found["name"], found["unit"]) if found else (header, "")


def read_csv(path: Path) -> Sheet:
    """Read a file. Raises `ScriptError` with file and line for what is not a table."""
    try:
        size = path.stat().st_size
        if size > LARGEST:
            raise ScriptError(f"{path}: is {size / 2**20:.1f} MiB; a table of at most {LARGEST // 2**20} MiB is taken")
        data = path.read_bytes()
    except OSError as error:
        raise ScriptError(f"{path}: cannot be read: {error.strerror}") from error
    return read_table(_decoded(data, path), str(path))


def _decoded(data: bytes, path: Path) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        codecs = ["utf-16"]
    else:
        codecs = ["utf-8-sig", "gb18030"]
        if b"\0" in data:
            raise ScriptError(f"{path}: is not text; save the table as CSV")
    for codec in codecs:
        try:
            return data.decode(codec)
        except UnicodeDecodeError:
            continue
    raise ScriptError(f"{path}: is neither UTF-8 nor GBK text; save it as UTF-8")


def read_table(text: str, where: str, *, first_line: int = 1) -> Sheet:
    """Read CSV from a text that begins in `first_line` of `where`. Raises `ScriptError`."""
    delimiter = _delimiter(text)
    columns: tuple[str, ...] = ()
    rows: list[tuple[str, ...]] = []
    lines: list[int] = []
    for line, cells in _rows(text, delimiter, where, first_line):
        if not columns:
            while cells and not cells[-1]:
                cells.pop()
            if len(cells) > MOST_COLUMNS:
                raise ScriptError(f"{where}:{line}: has {len(cells)} columns; at most {MOST_COLUMNS} are taken")
            columns = tuple(cells)
            continue
        if any(cells[len(columns) :]) or len(cells) < len(columns):
            raise ScriptError(
                f"{where}:{line}: has {len(cells)} cells, the header {len(columns)}; put quotes around commas in text"
            )
        if len(rows) == MOST_ROWS:
            raise ScriptError(f"{where}:{line}: has more than {MOST_ROWS:,} rows")
        rows.append(tuple(cells[: len(columns)]))
        lines.append(line)
    if not rows:
        raise ScriptError(f"{where}:{first_line}: has no data; a row of headers and a row of numbers are the least")
    comma = delimiter != "," and any(_DECIMAL_COMMA.fullmatch(cell) for row in rows for cell in row)
    return Sheet(where, columns, tuple(rows), tuple(lines), comma)


def _rows(text: str, delimiter: str, where: str, first_line: int) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not blank, with the lines where they begin."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True, skipinitialspace=True)
    line = first_line
    try:
        for row in reader:
            begun, line = line, first_line + reader.line_num
            cells = [re.sub(r"\s+", " ", cell).strip() for cell in row]
            for cell in cells:
                if len(cell) > LONGEST_CELL:
                    raise ScriptError(f"{where}:{begun}: a cell of {len(cell):,} characters; is a quote not closed?")
            if any(cells):
                yield begun, cells
    except csv.Error as error:
        raise ScriptError(f"{where}:{line}: is not proper CSV: {error}") from error


def _delimiter(text: str) -> str:
    """What parts the first rows into as many cells each, the most of them; a comma where nothing does."""
    best, most = ",", 0
    sample = [line for line in text[:20_000].splitlines() if line.strip()][:12]
    for delimiter in (",", ";", "\t", "，"):
        try:
            counts = [len(row) for row in csv.reader(sample, delimiter=delimiter)]
        except csv.Error:
            continue
        alike = sum(count == counts[0] for count in counts) if counts and counts[0] > 1 else 0
        if alike * counts[0] > most if counts else False:
            best, most = delimiter, alike * counts[0]
    return best


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"
