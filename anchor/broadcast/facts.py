"""Numbers in an article that can be shown: tables, lists, and sentences that can only be read in one way.

A chart that is not made is no loss; one that says what the article does not is. Where labels, units or what a number
counts are in doubt, there is none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from anchor.broadcast.blocks import Block
from anchor.broadcast.charts import MOST_LABELS, MOST_SERIES, MOST_TABLE_COLUMNS, MOST_TABLE_ROWS
from anchor.broadcast.data import Sheet, with_unit
from anchor.errors import ScriptError
from anchor.linebreak import columns

LONGEST_LABEL = 24
"""Half-width columns of a label out of a sentence."""

_YEAR = re.compile(r"(?:1[89]|20)\d\d")
_TIME = re.compile(
    r"(?:(?:1[89]|20)\d\d)(?:\s*年)?(?:[-/.年]?\s*(?:Q[1-4]|\d{1,2}\s*月?|第?[一二三四]季度?))?|\d{1,2}\s*月|Q[1-4]|"
    r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?(?:\s+\d{4})?", re.IGNORECASE,
)  # fmt: skip
_NUMBER = r"(?P<number>[0-9][0-9,]*(?:\.[0-9]+)?)"
_HAN_UNIT = (
    r"(?P<unit>[%％]|(?:万亿|百万|千万|亿|万|千|億|萬)?(?:美元|欧元|日元|港元|元|人次|人|辆|吨|台|家|个|件|户|座|架|艘|"
    r"平方公里|公里|千瓦时|千瓦|桶|票|倍|度|亩|公顷)?)"
)
_WORD_UNIT = (
    r"(?P<unit>\s?%|\s(?:percent|per cent)|(?:\s(?:thousand|million|billion|trillion))?"
    r"(?:\s(?:people|users|dollars|euros|pounds|tonnes|tons|barrels|vehicles|cars|visitors|passengers|votes|seats|"
    r"jobs|cases|homes|students|kilometres|kilometers|km|GW|MW))?)"
)
_CHANGES = re.compile(
    r"同比|环比|增|降|涨|跌|升|减|上调|下调|超过|不足|近|约|\b(?:up|down|rose|fell|grew|rise|fall|by|over|under|nearly|"
    r"about|more|less|than|to|from|increase|decrease|it|they|he|she|this|that|which|who|but|while|when)\b",
    re.IGNORECASE,
)
_ENGLISH_SHARE = re.compile(
    r"(?:and |with |followed by |including |of (?:which|these|them),? )?(?P<label>[A-Za-z][A-Za-z'’ -]*?)"
    r"(?: (?:at|with|had|has|was|is|are|gets?|got|won|"
    r"receives?|received|takes?|took|accounts? for|accounted for|makes? up|made up))?:?,? "
    rf"(?P<money>[$€£]?){_NUMBER}{_WORD_UNIT}(?: of (?:the |all )?[a-z]+(?: [a-z]+)?)?"
)
_HAN_SHARE = re.compile(
    rf"(?:其中|而|和|及|以及)?(?P<label>[\u4e00-\u9fffA-Za-z·-]{{1,12}}?)(?:则)?(?:占比?|为|是|达到?|有|获得?)?[:：]?"
    rf"\s?(?P<money>){_NUMBER}\s?{_HAN_UNIT}"
)
_HAN_TREND = re.compile(
    rf"(?P<subject>[^，,。；;]{{0,24}}?)[从從](?P<year>(?:1[89]|20)\d\d)年的?{_NUMBER}\s?{_HAN_UNIT}[，,]?"
    r"[^，,。；;0-9]{1,8}?(?:到|至)了?"
    + rf"(?P<year2>(?:1[89]|20)\d\d)年的?{_NUMBER}\s?{_HAN_UNIT}".replace("<number>", "<number2>").replace(
        "<unit>", "<unit2>"
    )
)
_ENGLISH_TREND = re.compile(
    r"(?P<subject>[^,.;]{0,80}?)\s+(?:(?:has|have|had)\s+)?(?:rose|rises|grew|grown|risen|fell|fallen|increased|"
    r"decreased|dropped|declined|climbed|went|jumped|slipped|doubled|tripled|expanded|shrank)\s(?:\w+ly\s)?from\s"
    rf"(?P<money>[$€£]?){_NUMBER}{_WORD_UNIT}\sin\s(?P<year>(?:1[89]|20)\d\d)\sto\s"
    + rf"(?P<money2>[$€£]?){_NUMBER}{_WORD_UNIT}\sin\s(?P<year2>(?:1[89]|20)\d\d)".replace(
        "<number>", "<number2>"
    ).replace("<unit>", "<unit2>")
)
_ENTRY = re.compile(
    rf"(?P<label>[^:：\d]{{1,40}}?)\s*[:：–—-]\s*(?P<money>[$€£¥]?)\s?{_NUMBER}(?:{_HAN_UNIT}|"
    + _WORD_UNIT.replace("<unit>", "<unit2>")
    + ")"
)
_ASIDE = re.compile(r"（[^）]*）|\([^)]*\)")
_PARTS = re.compile(r"其中|of (?:which|these|them)\b|including\b", re.IGNORECASE)
_TOTAL = re.compile(r"总|合计|共|(?:in )?total|all\b|overall", re.IGNORECASE)
_PIECES = re.compile(r"[，、；;。]|,\s|\sand\s|[.:：](?:\s|$)")


def table_fact(rows: Sequence[Sequence[str]], title: str = "") -> dict[str, Any] | None:
    """A table of an article as a chart, where it is labels and numbers, else as a table: a part of a segment."""
    headers, *cells = [list(row) for row in rows]
    if not cells or len(headers) < 2:
        return None
    sheet = Sheet("", tuple(headers), tuple(map(tuple, cells)), tuple(range(len(cells))))
    numeric = [column for column in range(1, len(headers)) if _complete(sheet, column)]
    labels = [row[0] for row in cells]
    units = {with_unit(headers[column])[1] or ("%" if sheet.percent(column) else "") for column in numeric}
    if (
        len(numeric) == len(headers) - 1 <= MOST_SERIES
        and 2 <= len(labels) <= min(MOST_LABELS, 24)
        and len(set(labels)) == len(labels)
        and len(units) == 1
        and all(labels)
    ):
        values = {with_unit(headers[c])[0] or f"#{c}": [sheet.number(r, c) for r in range(len(cells))] for c in numeric}
        if len(values) == len(numeric):
            return {"chart": _chart(labels, values, units.pop(), title)}
    if len(headers) <= MOST_TABLE_COLUMNS and len(cells) <= MOST_TABLE_ROWS:
        return {"table": _titled(title) | {"columns": headers, "rows": cells}}
    return None


def _complete(sheet: Sheet, column: int) -> bool:
    try:
        numbers = [sheet.number(row, column) for row in range(len(sheet.rows))]
    except ScriptError:
        return False
    return any(number is not None for number in numbers)


def list_fact(items: Sequence[str], title: str = "") -> dict[str, Any] | None:
    """A list of labels with numbers, all in one unit, as a chart."""
    found = [_ENTRY.fullmatch(item.strip().rstrip("。.;；,，")) for item in items]
    if not 2 <= len(found) <= 12 or any(match is None for match in found):
        return None
    pairs = [
        (match["label"].strip(), match["number"], _unit(match["money"], match["unit"] or match["unit2"]))
        for match in found
        if match is not None
    ]
    return _pairs(pairs, title, least=2)


def sentence_fact(sentence: str, title: str = "") -> dict[str, Any] | None:
    """A sentence that says how a number changed between two years, or what several things have of one unit."""
    return _trend(sentence, title) or _shares(sentence, title)


def _trend(sentence: str, title: str) -> dict[str, Any] | None:
    matches = [*_HAN_TREND.finditer(sentence), *_ENGLISH_TREND.finditer(sentence)]
    if len(matches) != 1:
        return None
    match = matches[0]
    groups = match.groupdict()
    unit = _unit(groups.get("money"), groups["unit"])
    other = _unit(groups.get("money2"), groups["unit2"])
    if unit != other or match["year"] >= match["year2"]:
        return None
    subject = _named(match["subject"])
    subject = re.sub(r"^(?:据[^，]*|数据显示|其中|目前|此外)[，,]?", "", subject)
    if _CHANGES.search(subject) or not 2 < columns(subject) <= 40 or re.match(r"[它他她其这该]", subject):
        subject = title
    values = [_value(match["number"]), _value(match["number2"])]
    return {"chart": _chart([match["year"], match["year2"]], {"": values}, unit, subject) | {"kind": "bar"}}


def _shares(sentence: str, title: str) -> dict[str, Any] | None:
    """The longest run of pieces of a sentence that are a label and a number each, and nothing else."""
    best: list[tuple[str, str, str]] = []
    run: list[tuple[str, str, str]] = []
    pieces = [piece.strip() for piece in _PIECES.split(_ASIDE.sub("", sentence)) if piece.strip()]
    begin = next((number for number, piece in enumerate(pieces) if _PARTS.match(piece)), 0)
    parts = bool(pieces) and _PARTS.match(pieces[begin]) is not None
    for piece in pieces[begin:]:
        match = _HAN_SHARE.fullmatch(piece) or _ENGLISH_SHARE.fullmatch(piece)
        label = _named(match["label"]) if match else ""
        if (
            match
            and not _CHANGES.search(label)
            and not _TOTAL.match(label)
            and columns(label) <= LONGEST_LABEL
            and len(label.split()) <= 3
        ):
            run.append((label, match["number"], _unit(match["money"], match["unit"])))
        else:
            run = []
        best = run if len(run) > len(best) else best
    if not best:
        return None
    # A number of the same kind that is in no pair: then the pairs are not all of them.
    same = re.compile(rf"\d\s?{re.escape(best[0][2].split()[-1] if best[0][2] else '')}(?![\s\w]*/|\d)")
    if best[0][2] and sum(same.search(piece) is not None for piece in pieces[begin:]) != len(best):
        return None
    shares = best[0][2] in ("%", "％", "percent", "per cent")
    return _pairs(best[:12], title, least=2 if shares or parts else 3)


def _pairs(pairs: Sequence[tuple[str, str, str]], title: str, *, least: int) -> dict[str, Any] | None:
    labels = [label for label, _, _ in pairs]
    units = {unit for _, _, unit in pairs}
    if len(pairs) < least or len(units) != 1 or len(set(labels)) != len(labels):
        return None
    unit = units.pop()
    if not unit and all(_YEAR.fullmatch(number) for _, number, _ in pairs):
        return None
    return {"chart": _chart(labels, {"": [_value(number) for _, number, _ in pairs]}, unit, title)}


def _named(text: str) -> str:
    """Words out of a sentence as they stand alone."""
    text = re.sub(r"^(?:the|an?)\s+", "", text.strip(), flags=re.IGNORECASE)
    return text[:1].upper() + text[1:]


def _unit(money: str | None, unit: str | None) -> str:
    return f"{money or ''} {(unit or '').strip()}".strip()


def _value(number: str) -> float | int:
    value = float(number.replace(",", ""))
    return int(value) if value.is_integer() else value


def _chart(labels: Sequence[str], rows: dict[str, list[Any]], unit: str, title: str) -> dict[str, Any]:
    """Times are a line, parts of a hundred a pie, all else bars."""
    unit = {"percent": "%", "per cent": "%", "％": "%"}.get(unit, unit)
    values = [value for row in rows.values() for value in row]
    kind = "bar"
    if len(labels) >= 3 and all(_TIME.fullmatch(label.strip()) for label in labels):
        kind = "line"
    elif len(rows) == 1 and len(labels) >= 3 and unit == "%" and None not in values and 98.5 <= sum(values) <= 101.5:
        kind = "pie"
    numbers = [[int(v) if isinstance(v, float) and v.is_integer() else v for v in row] for row in rows.values()]
    shown: dict[str, Any] = {"kind": kind} | _titled(title) | ({"unit": unit} if unit else {})
    shown["labels"] = list(labels)
    if len(rows) == 1:
        return shown | {"values": numbers[0]}
    return shown | {"series": [{"name": name, "values": row} for name, row in zip(rows, numbers, strict=True)]}


def _titled(title: str) -> dict[str, Any]:
    return {"title": title} if title else {}


def block_fact(block: Block, title: str = "") -> dict[str, Any] | None:
    if block.kind == "table":
        return table_fact(block.rows, title)
    if block.kind == "list":
        return list_fact(block.items, title)
    return None
