"""Charts and tables of a rundown: from numbers written there, or from a CSV file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from anchor.broadcast.data import Sheet, read_table, to_number, with_unit
from anchor.broadcast.nodes import Fields, Items, Node, Scalar
from anchor.broadcast.reading import Reading
from anchor.errors import ScriptError
from anchor.graphics import Chart, ChartKind, Grid, Place, Series

MOST_LABELS = 60
MOST_SERIES = 6
MOST_TABLE_ROWS = 20
MOST_TABLE_COLUMNS = 8

_SHOWN = {"title", "source", "highlight", "place"}
_DATA = {"data", "label_column", "columns", "rows"}
CHART_KEYS = _SHOWN | _DATA | {"kind", "labels", "series", "values", "unit"}
TABLE_KEYS = _SHOWN | _DATA


@dataclass(frozen=True, slots=True)
class _Numbers:
    labels: tuple[str, ...]
    series: tuple[Series, ...]
    unit: str = ""


def read_chart(reading: Reading, node: Node, key: str = "chart") -> Chart | None:
    """None where something is wrong, which the reading then knows."""
    before = len(reading.problems)
    fields = reading.fields(node, "a chart", CHART_KEYS, key)
    kind: ChartKind | None = None
    if "kind" in fields:
        kind = reading.choice(fields["kind"], f"{key}: kind", get_args(ChartKind))
    elif isinstance(node, Fields):
        reading.fault(node, f"{key}: kind is needed: {', '.join(get_args(ChartKind))}", key)
    numbers = _from_data(reading, fields, key) if "data" in fields else _written(reading, node, fields, key)
    if kind is None or numbers is None or len(reading.problems) > before:
        return None
    _check(reading, node, kind, numbers, key)
    title, source, highlight, place = _shown(reading, fields, key, "full")
    unit = reading.text(fields["unit"], f"{key}: unit") if "unit" in fields else numbers.unit
    if highlight and highlight not in numbers.labels:
        reading.fault(fields["highlight"], f"{key}: highlight: {highlight!r} is none of its labels", key)
    if len(reading.problems) > before:
        return None
    return Chart(kind, numbers.labels, numbers.series, title, unit, source, highlight, place)


def _shown(reading: Reading, fields: dict[str, Node], key: str, place: Place) -> tuple[str, str, str, Place]:
    title, source, highlight = (
        reading.text(fields[name], f"{key}: {name}") if name in fields else ""
        for name in ("title", "source", "highlight")
    )
    if "place" in fields:
        place = reading.choice(fields["place"], f"{key}: place", get_args(Place)) or place
    return title, source, highlight, place


def _written(reading: Reading, node: Node, fields: dict[str, Node], key: str) -> _Numbers | None:
    """Numbers in the rundown itself."""
    for needless in ("label_column", "columns", "rows"):
        if needless in fields:
            reading.fault(fields[needless], f"{key}: {needless} goes with data, a CSV file", key)
    if "labels" not in fields or ("series" in fields) == ("values" in fields):
        if isinstance(node, Fields):
            reading.fault(node, f"{key}: labels and either values or series are needed, or data: FILE.csv", key)
        return None
    labels = tuple(reading.text(item, f"{key}: labels") for item in reading.items(fields["labels"], key, "labels"))
    if "values" in fields:
        rows: list[tuple[str, Node]] = [("", fields["values"])]
    else:
        rows = _rows(reading, fields["series"], key)
    series = []
    for name, values in rows:
        numbers = tuple(_number(reading, item, key) for item in reading.items(values, f"{key}: values", "numbers"))
        if numbers and len(numbers) != len(labels):
            what = f"{name!r} has" if name else "there are"
            reading.fault(values, f"{key}: {what} {len(numbers)} numbers for {len(labels)} labels", key)
        series.append(Series(name, numbers))
    return _Numbers(labels, tuple(series))


def _rows(reading: Reading, node: Node, key: str) -> list[tuple[str, Node]]:
    """Names and numbers of ``{NAME: [..]}`` or ``[{name: NAME, values: [..]}]``."""
    if isinstance(node, Fields):
        return [(name, values) for name, values in node.values.items()]
    found = []
    for item in reading.items(node, f"{key}: series", "series, each with name and values,"):
        fields = reading.fields(item, "a series", {"name", "values"}, key)
        if "values" in fields:
            name = reading.text(fields["name"], f"{key}: name") if "name" in fields else ""
            found.append((name, fields["values"]))
        elif isinstance(item, Fields):
            reading.fault(item, f"{key}: a series needs values", key)
    return found


def _number(reading: Reading, node: Node, key: str) -> float | None:
    if isinstance(node, Scalar):
        if node.empty:
            return None
        try:
            return to_number(node.value)
        except ValueError:
            pass
    shown = f"{node.value!r}" if isinstance(node, Scalar) else "this"
    reading.fault(node, f"{key}: {shown} is not a number; a gap is null", key)
    return None


def _from_data(reading: Reading, fields: dict[str, Node], key: str) -> _Numbers | None:
    """Numbers in a table."""
    for needless in ("labels", "series", "values"):
        if needless in fields:
            reading.fault(fields[needless], f"{key}: {needless} is in the data already", key)
    sheet = _sheet(reading, fields["data"], key)
    if sheet is None:
        return None
    label = _label_column(reading, sheet, fields, key)
    if "columns" in fields:
        columns = _columns(reading, sheet, fields["columns"], key)
    else:
        columns = [column for column in range(len(sheet.columns)) if column != label and sheet.numeric(column)]
        if not columns:
            reading.fault(fields["data"], f"{key}: {sheet.where} has no column of numbers", key)
    chosen = _chosen(reading, sheet, fields, key)
    if len(columns) > MOST_SERIES:
        names = ", ".join(sheet.columns[column] for column in columns[:3])
        reading.fault(
            fields["data"],
            f"{key}: {sheet.where} has {len(columns)} columns of numbers, a chart takes {MOST_SERIES}; "
            f"choose with columns: [{names}]",
            key,
        )
        return None
    if len(chosen) > MOST_LABELS:
        reading.fault(
            fields["data"],
            f"{key}: {sheet.where} has {len(chosen)} rows, a chart takes {MOST_LABELS}; "
            f"choose with rows: 1-{MOST_LABELS}, or rows: -12 for the last twelve",
            key,
        )
        return None
    try:
        heads = [with_unit(sheet.columns[column]) for column in columns]
        series = tuple(
            Series(name, tuple(sheet.number(row, column) for row in chosen))
            for column, (name, _) in zip(columns, heads, strict=True)
        )
    except ScriptError as error:
        reading.fault(fields["data"], f"{key}: {error}", key)
        return None
    units = {unit or ("%" if sheet.percent(column) else "") for column, (_, unit) in zip(columns, heads, strict=True)}
    return _Numbers(tuple(sheet.rows[row][label] for row in chosen), series, units.pop() if len(units) == 1 else "")


def _sheet(reading: Reading, node: Node, key: str) -> Sheet | None:
    found = reading.local(node, f"{key}: data")
    if found is None:
        return None
    try:
        if isinstance(found, Scalar) and "\n" in found.value.strip():
            return read_table(found.value, str(reading.path), first_line=found.line + found.block)
        path: Path | None = reading.file(found, f"{key}: data")
        return reading.sheet(path) if path is not None else None
    except ScriptError as error:
        reading.fault(found, f"{key}: {error}", key)
        return None


def _label_column(reading: Reading, sheet: Sheet, fields: dict[str, Node], key: str) -> int:
    if "label_column" not in fields:
        return 0
    found = _column(reading, sheet, fields["label_column"], f"{key}: label_column")
    return found if found is not None else 0


def _columns(reading: Reading, sheet: Sheet, node: Node, key: str) -> list[int]:
    found = reading.local(node, f"{key}: columns")
    if found is None:
        return []
    items = found.items if isinstance(found, Items) else [found]
    columns = [_column(reading, sheet, item, f"{key}: columns") for item in items]
    return [column for column in columns if column is not None]


def _column(reading: Reading, sheet: Sheet, node: Node, key: str) -> int | None:
    """A column by its header, with its unit or without, or by its number, from 1."""
    name = reading.text(node, key)
    if not name:
        return None
    bare = [with_unit(header)[0] for header in sheet.columns]
    for headers in (list(sheet.columns), bare):
        if headers.count(name) == 1:
            return headers.index(name)
        if headers.count(name) > 1:
            reading.fault(node, f"{key}: {sheet.where} has several columns {name!r}; choose one by its number", key)
            return None
    if name.isascii() and name.isdigit() and 1 <= int(name[:6]) <= len(sheet.columns):
        return int(name) - 1
    reading.fault(node, f"{key}: {sheet.where} has no column {name!r}; it has {', '.join(sheet.columns[:12])}", key)
    return None


def _chosen(reading: Reading, sheet: Sheet, fields: dict[str, Node], key: str) -> range:
    """Rows: the first ten of ``10``, the last ten of ``-10``, the fifth to the tenth of ``5-10``."""
    count = len(sheet.rows)
    if "rows" not in fields:
        return range(count)
    text = reading.word(fields["rows"], f"{key}: rows").replace(" ", "")
    first, dash, last = text.partition("-")
    if text.isascii() and first.isdigit() and not dash and int(first[:6]) > 0:
        return range(min(int(first[:6]), count))
    if text.isascii() and not first and last.isdigit() and int(last[:6]) > 0:
        return range(max(0, count - int(last[:6])), count)
    if text.isascii() and first.isdigit() and last.isdigit() and 0 < int(first[:6]) <= min(int(last[:6]), count):
        return range(int(first[:6]) - 1, min(int(last[:6]), count))
    reading.fault(fields["rows"], f"{key}: rows: {text!r} of {count} rows: write 10, -10 (the last ten) or 5-10", key)
    return range(0)


def _check(reading: Reading, node: Node, kind: ChartKind, numbers: _Numbers, key: str) -> None:
    if not numbers.labels or not numbers.series:
        reading.fault(node, f"{key}: there is nothing to draw", key)
        return
    if len(numbers.labels) > MOST_LABELS:
        reading.fault(node, f"{key}: has {len(numbers.labels)} labels; a chart takes {MOST_LABELS}", key)
    if len(numbers.series) > MOST_SERIES:
        reading.fault(node, f"{key}: has {len(numbers.series)} series; a chart takes {MOST_SERIES}", key)
    values = [value for one in numbers.series for value in one.values if value is not None]
    if not values:
        reading.fault(node, f"{key}: there is no number in it", key)
    elif kind == "line" and len(numbers.labels) < 2:
        reading.fault(node, f"{key}: a line needs two labels or more; take a bar", key)
    elif kind == "pie":
        if len(numbers.series) > 1:
            reading.fault(node, f"{key}: a pie has one row of numbers, not {len(numbers.series)}; choose one", key)
        if min(values) < 0 or not sum(values):
            reading.fault(node, f"{key}: a pie needs numbers above nothing; take a bar", key)


def read_grid(reading: Reading, node: Node, key: str = "table") -> Grid | None:
    """None where something is wrong, which the reading then knows."""
    before = len(reading.problems)
    fields = reading.fields(node, "a table", TABLE_KEYS, key)
    if "data" in fields:
        columns, rows = _cells(reading, fields, key)
    elif "columns" in fields and "rows" in fields:
        columns = tuple(
            reading.text(item, f"{key}: columns") for item in reading.items(fields["columns"], key, "headers")
        )
        rows = tuple(
            _row(reading, item, len(columns), key) for item in reading.items(fields["rows"], f"{key}: rows", "rows")
        )
    else:
        if isinstance(node, Fields):
            reading.fault(node, f"{key}: columns and rows are needed, or data: FILE.csv", key)
        return None
    if len(reading.problems) == before:
        if not columns or not rows:
            reading.fault(node, f"{key}: there is nothing in it", key)
        if len(columns) > MOST_TABLE_COLUMNS:
            reading.fault(
                node, f"{key}: has {len(columns)} columns; {MOST_TABLE_COLUMNS} can be read: choose with columns", key
            )
        if len(rows) > MOST_TABLE_ROWS:
            reading.fault(node, f"{key}: has {len(rows)} rows; {MOST_TABLE_ROWS} can be read: choose with rows", key)
    title, source, highlight, place = _shown(reading, fields, key, "full")
    if highlight and highlight not in {row[0] for row in rows if row}:
        reading.fault(fields["highlight"], f"{key}: highlight: no row begins with {highlight!r}", key)
    if len(reading.problems) > before:
        return None
    return Grid(columns, rows, title, source, highlight, place)


def _cells(reading: Reading, fields: dict[str, Node], key: str) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    sheet = _sheet(reading, fields["data"], key)
    if sheet is None:
        return (), ()
    columns = list(range(len(sheet.columns)))
    if "columns" in fields:
        columns = _columns(reading, sheet, fields["columns"], key)
    if "label_column" in fields:
        label = _label_column(reading, sheet, fields, key)
        columns = [label, *(column for column in columns if column != label)]
    return (
        tuple(sheet.columns[column] for column in columns),
        tuple(tuple(sheet.rows[row][column] for column in columns) for row in _chosen(reading, sheet, fields, key)),
    )


def _row(reading: Reading, node: Node, width: int, key: str) -> tuple[str, ...]:
    cells = []
    for item in reading.items(node, f"{key}: rows", "cells"):
        if isinstance(item, Scalar):
            cells.append("" if item.empty else " ".join(item.value.split()))
        else:
            cells.append(reading.text(item, f"{key}: rows"))
    if cells and len(cells) != width:
        reading.fault(node, f"{key}: a row of {len(cells)} cells under {width} columns", key)
    return tuple(cells)
