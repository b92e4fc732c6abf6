from pathlib import Path

import pytest

from anchor.broadcast.rundown import check_rundown, read_rundown
from anchor.graphics import Chart, Grid, Series

GDP = '年份,GDP (亿元),增长 (%),备注\n2020,"1,013,567",2.2,a\n2021,1149237,8.4,b\n2022,NA,3.0,c\n2023,1260582,5.2,d\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "gdp.csv").write_text(GDP, "utf-8")
    (tmp_path / "long.csv").write_text("x,y\n" + "".join(f"{n},{n}\n" for n in range(200)))
    (tmp_path / "wide.csv").write_text(",".join("abcdefghij") + "\n" + ",".join("1234567890") + "\n")
    return tmp_path


def shown(folder: Path, kind: str, written: str, language: str | None = None, head: str = "") -> Chart | Grid:
    text = f"{head}segments:\n- text: Hello.\n  language: en\n  {kind}: {written}\n"
    inset = read_rundown(text, folder / "a.yaml", language).segments[0].graphics.inset
    assert isinstance(inset, Chart | Grid)
    return inset


def problem(folder: Path, kind: str, written: str) -> str:
    text = f"segments:\n- text: Hello.\n  {kind}: {written}\n"
    found = check_rundown(text, folder / "a.yaml")
    assert all((one.line, one.segment, one.key) == (3, 0, kind) for one in found)
    return " | ".join(one.message for one in found)


def test_a_chart_may_have_its_numbers_in_the_rundown(folder: Path) -> None:
    written = (
        "{kind: line, labels: [2023, 2024], series: {A: [1, null], B: ['2,500', -3]}, title: T, unit: t, source: S}"
    )
    assert shown(folder, "chart", written) == Chart(
        "line", ("2023", "2024"), (Series("A", (1.0, None)), Series("B", (2500.0, -3.0))), "T", "t", "S"
    )


def test_a_chart_takes_its_numbers_and_their_unit_from_a_file(folder: Path) -> None:
    chart = shown(folder, "chart", "{kind: bar, data: gdp.csv, columns: GDP, highlight: '2021', place: shoulder}")
    assert chart == Chart(
        "bar", ("2020", "2021", "2022", "2023"), (Series("GDP", (1013567.0, 1149237.0, None, 1260582.0)),),
        unit="亿元", highlight="2021", place="shoulder",
    )  # fmt: skip


def test_all_columns_of_numbers_are_taken_unless_some_are_chosen(folder: Path) -> None:
    chart = shown(folder, "chart", "{kind: line, data: gdp.csv}")
    assert isinstance(chart, Chart)
    assert ([series.name for series in chart.series], chart.unit) == (["GDP", "增长"], "")


@pytest.mark.parametrize(
    ("rows", "labels"),
    [("2", ["2020", "2021"]), ("-1", ["2023"]), ("2-3", ["2021", "2022"]), ("3-99", ["2022", "2023"])],
)
def test_rows_are_the_first_the_last_or_a_range(folder: Path, rows: str, labels: list[str]) -> None:
    chart = shown(folder, "chart", f"{{kind: bar, data: gdp.csv, columns: [3], rows: {rows}}}")
    assert isinstance(chart, Chart)
    assert list(chart.labels) == labels


def test_labels_may_come_from_any_column(folder: Path) -> None:
    chart = shown(folder, "chart", "{kind: bar, data: gdp.csv, label_column: 备注, columns: ['增长 (%)']}")
    assert isinstance(chart, Chart)
    assert (chart.labels, chart.unit) == (("a", "b", "c", "d"), "%")


def test_a_chart_may_have_its_data_as_lines(folder: Path) -> None:
    chart = shown(folder, "chart", "\n      kind: pie\n      data: |\n        what,share\n        a,60%\n        b,40%")
    assert chart == Chart("pie", ("a", "b"), (Series("share", (60.0, 40.0)),), unit="%")


def test_words_on_a_chart_are_by_language(folder: Path) -> None:
    written = (
        "{kind: bar, title: {zh: 题, en: T}, labels: {zh: [甲, 乙], en: [A, B]}, "
        "series: [{name: {zh: 列, en: Row}, values: [1, 2]}]}"
    )
    head = "languages: [zh, en]\n"
    assert shown(folder, "chart", written, "zh", head) == Chart("bar", ("甲", "乙"), (Series("列", (1.0, 2.0)),), "题")
    assert shown(folder, "chart", written, "en", head) == Chart("bar", ("A", "B"), (Series("Row", (1.0, 2.0)),), "T")


def test_a_table_may_stand_in_the_rundown_or_in_a_file(folder: Path) -> None:
    grid = shown(folder, "table", "{columns: [A, B], rows: [[x, 1], [y, null]], title: T, highlight: y}")
    assert grid == Grid(("A", "B"), (("x", "1"), ("y", "")), "T", highlight="y")
    grid = shown(folder, "table", "{data: gdp.csv, columns: [年份, 增长], rows: -2}")
    assert grid == Grid(("年份", "增长 (%)"), (("2022", "3.0"), ("2023", "5.2")))


@pytest.mark.parametrize(
    ("kind", "written", "named"),
    [
        ("chart", "{labels: [a], values: [1]}", "kind is needed"),
        ("chart", "{kind: bar, values: [1]}", "labels and either values or series"),
        ("chart", "{kind: bar, labels: [a, b], values: [1]}", "1 numbers for 2 labels"),
        ("chart", "{kind: bar, labels: [a], values: [many]}", "'many' is not a number"),
        ("chart", "{kind: bar, labels: [a], values: [null]}", "no number in it"),
        ("chart", "{kind: line, labels: [a], values: [1]}", "two labels or more"),
        ("chart", "{kind: pie, labels: [a, b], values: [1, -1]}", "numbers above nothing"),
        ("chart", "{kind: pie, labels: [a], series: {x: [1], y: [2]}}", "a pie has one row"),
        ("chart", "{kind: bar, labels: [a], values: [1], highlight: c}", "'c' is none of its labels"),
        ("chart", "{kind: bar, data: gdp.csv, columns: [GDB]}", "has no column 'GDB'; it has 年份"),
        ("chart", "{kind: bar, data: gdp.csv, columns: [备注]}", r"gdp.csv:2: 'a' in '备注' is not a number"),
        ("chart", "{kind: bar, data: gdp.csv, rows: some}", "rows: 'some' of 4 rows"),
        ("chart", "{kind: bar, data: gdp.csv, labels: [a]}", "labels is in the data already"),
        ("chart", "{kind: bar, data: none.csv}", "there is no file"),
        ("chart", "{kind: line, data: long.csv}", "has 200 rows, a chart takes 60; choose with rows: 1-60"),
        (
            "chart",
            "{kind: bar, data: wide.csv}",
            "9 columns of numbers, a chart takes 6; choose with columns: [b, c, d]",
        ),
        ("chart", "{kind: bar, labels: [" + "a, " * 61 + "], values: [" + "1, " * 61 + "]}", "has 61 labels"),
        ("chart", "gdp.csv", "a chart is a mapping of"),
        ("table", "{columns: [a, b], rows: [[1]]}", "a row of 1 cells under 2 columns"),
        ("table", "{columns: [a]}", "columns and rows are needed"),
        ("table", "{data: long.csv}", "has 200 rows; 20 can be read"),
        ("table", "{data: wide.csv}", "has 10 columns; 8 can be read"),
        ("table", "{columns: [a], rows: [[x]], highlight: z}", "no row begins with 'z'"),
    ],
)
def test_a_faulty_chart_or_table_says_what_to_do(folder: Path, kind: str, written: str, named: str) -> None:
    assert named in problem(folder, kind, written)


def test_a_formula_in_a_cell_is_text(folder: Path) -> None:
    (folder / "evil.csv").write_text('a,b\n"=cmd|calc",1\n')
    grid = shown(folder, "table", "{data: evil.csv}")
    assert isinstance(grid, Grid) and grid.rows == (("=cmd|calc", "1"),)
