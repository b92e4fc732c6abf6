"""The bench of readings: its own tables, and what it calls right."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from anchor.bench import readings
from anchor.errors import MissingError

CLASSES = {
    "cardinal", "ordinal", "decimal", "date", "time", "money", "phone", "unit", "percent", "fraction", "range", "mixed",
}  # fmt: skip


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_class_has_fifteen_texts_at_least_and_none_twice(language: str) -> None:
    tables = readings.own(language)
    assert set(tables) == CLASSES
    texts = [text for pairs in tables.values() for text, _ in pairs]
    assert len(texts) == len(set(texts))
    assert all(len(list(pairs)) >= 15 for pairs in tables.values())


def test_the_reader_reads_nearly_all_as_they_were_written_by_hand() -> None:
    figures = {figure.name: figure for figure in asyncio.run(readings.measure(lambda _: None))}
    assert figures["zh_own_right_min"].ok
    assert figures["en_own_right_min"].ok


def test_a_reading_that_differs_counts_as_wrong(tmp_path: Path) -> None:
    (tmp_path / "tn_english").mkdir()
    (tmp_path / "tn_chinese").mkdir()
    (tmp_path / "tn_english" / "cardinal.txt").write_text(
        "5 => six\n7 => seven\n-1 => negative one\nno pair\n", "utf-8"
    )
    (tmp_path / "tn_chinese" / "cardinal.txt").write_text("5 => 五\n", "utf-8")
    told: list[str] = []
    figures = {figure.name: figure.value for figure in asyncio.run(readings.measure(told.append, texts=tmp_path))}
    assert figures["en_published_texts"] == 3
    assert figures["en_published_right_min"] == pytest.approx(200 / 3)
    assert figures["en_published_to_the_letter"] == pytest.approx(100 / 3)
    assert figures["zh_published_right_min"] == 100
    assert any("5 is six, not five" in line for line in told)


def test_a_folder_without_pairs_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="tn_chinese"):
        asyncio.run(readings.measure(lambda _: None, texts=tmp_path))
