"""Sources of knowledge: what is read of them, and how mistakes in them are told."""

from pathlib import Path

import pytest

from anchor.dialogue.knowledge.documents import find
from anchor.dialogue.knowledge.entries import Entry
from anchor.dialogue.knowledge.pages import LONGEST_PIECE, read_page, read_pdf
from anchor.dialogue.knowledge.tables import read_csv, read_yaml
from anchor.errors import KnowledgeError


def written(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def csv_of(folder: Path, text: str | bytes) -> list[Entry]:
    return list(read_csv(written(folder, "faq.csv", text)))


HEADER = "topic,language,questions,answer\n"


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_table_is_read_as_spreadsheets_write_it(tmp_path: Path, mark: str, delimiter: str) -> None:
    rows = ["Topic,Language,Question,Answer", 'fees,EN,"How much?|What does it cost?\nPrice?",Five.', ",,,"]
    text = mark + "\r\n".join(rows).replace(",", delimiter) + "\r\n"
    (entry,) = csv_of(tmp_path, text)
    assert entry.asked == ("How much?", "What does it cost?", "Price?")
    assert (entry.topic, entry.language, entry.answer, entry.source) == ("fees", "en", "Five.", "faq.csv#fees")


@pytest.mark.parametrize(
    ("text", "says"),
    [("", "faq.csv:1"), ("topic,language,answer\n", "faq.csv:1: there is no column 'questions'"),
     ("topic,language,questions,answer,price\n", "unknown column 'price'"),
     (HEADER + 'a,en,"x\ny",z\n\nb,en,q,\n', "faq.csv:5: answer is empty"),
     (HEADER + "a,en,q,yes, and no\n", "faq.csv:2: has 5 cells"), (HEADER + "a,english,q,z\n", "'english'"),
     (HEADER + "a,en, | ,z\n", "no question"), (HEADER + 'a,en,"q,z\n', "not proper CSV"),
     (HEADER + f"a,en,q,{'long ' * 500}\n", "characters"),
     ("topic,language,questions,answer\na,zh,问题,答案\n".encode("gbk"), "faq.csv:2: is not UTF-8")],
)  # fmt: skip
def test_a_mistake_in_a_table_is_told_with_its_line(tmp_path: Path, text: str | bytes, says: str) -> None:
    with pytest.raises(KnowledgeError) as raised:
        csv_of(tmp_path, text)
    assert says in str(raised.value)
    assert str(raised.value).count("\n") <= 1


def yaml_of(folder: Path, text: str) -> list[Entry]:
    return list(read_yaml(written(folder, "faq.yaml", text)))


def test_yaml_lists_entries_or_topics_with_languages(tmp_path: Path) -> None:
    listed = yaml_of(tmp_path, "- {topic: a, language: en, questions: [q, r], answer: z}\n")
    grouped = yaml_of(tmp_path, "a:\n  en:\n    questions: |-\n      q\n      r\n    answer: z\n")
    assert listed == grouped
    assert listed[0].asked == ("q", "r")


@pytest.mark.parametrize(
    ("text", "says"),
    [("a: b: c", "faq.yaml:1: is not valid YAML"), ("just text", "faq.yaml:1"), ("a:\n  en: text", "faq.yaml:2"),
     ("a:\n  en:\n    questions: q\n    answer: z\n    price: 5\n", "faq.yaml:5: unknown key 'price'"),
     ("a:\n  en:\n    questions: q\n", "answer is empty"), ("- topic: a\n  topic: b\n", "faq.yaml:2: there are two"),
     ("a:\n  en: {questions: {x: y}, answer: z}", "questions should be texts")],
)  # fmt: skip
def test_a_mistake_in_yaml_is_told_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(KnowledgeError) as raised:
        yaml_of(tmp_path, text)
    assert says in str(raised.value)


def test_one_question_cannot_lead_to_two_topics(tmp_path: Path) -> None:
    written(tmp_path, "a.csv", HEADER + "a,en,How much?,Five.\n")
    written(tmp_path, "b.csv", HEADER + "b,en,how much,Six.\n")
    with pytest.raises(KnowledgeError, match=r"b\.csv:2: .*asks for a \(.*a\.csv:2\)"):
        find([tmp_path]).entries()


def test_a_page_is_cut_at_headings_and_its_markup_left_out(tmp_path: Path) -> None:
    text = (
        "Intro **bold** [link](http://x.y).\n\n# Fees\n\n- first\n- `second`\n\n"
        "## Cards\n\n| card | price |\n|---|---|\n| debit | free |\n\n```\n# no heading\n```\n"
    )
    intro, fees, cards = read_page(written(tmp_path, "fees.md", text))
    assert (intro.answer, intro.title, intro.source) == ("Intro bold link.", "fees.md", "fees.md")
    assert (fees.answer, fees.source, fees.line) == ("first.\nsecond.", "fees.md#Fees", 3)
    assert cards.answer.startswith("debit: price free.") and cards.title == "Fees – Cards"


def test_the_language_of_a_page_is_that_of_its_name_or_its_text(tmp_path: Path) -> None:
    assert next(read_page(written(tmp_path, "a.md", "# 收费\n\n转账免费。"))).language == "zh"
    assert next(read_page(written(tmp_path, "a.txt", "All is free."))).language == "en"
    assert next(read_page(written(tmp_path, "a.fr.md", "Bonjour 你好 你好 你好"))).language == "fr"


def test_a_long_section_is_divided_at_sentences(tmp_path: Path) -> None:
    text = "# Long\n\n" + "This is one sentence of many. " * 100
    pieces = list(read_page(written(tmp_path, "a.md", text)))
    assert len(pieces) > 3
    assert all(len(piece.answer) <= LONGEST_PIECE + 20 and piece.answer.endswith(".") for piece in pieces)


def pdf(folder: Path, *pages: str, password: str = "") -> Path:
    import matplotlib.figure
    from matplotlib.backends.backend_pdf import PdfPages

    path = folder / "leaflet.pdf"
    with PdfPages(path) as out:
        for page in pages:
            figure = matplotlib.figure.Figure(figsize=(4, 3))
            figure.text(0.1, 0.5, page)
            out.savefig(figure)
    if password:
        from pypdf import PdfReader, PdfWriter

        writer = PdfWriter(clone_from=PdfReader(path))
        writer.encrypt(password, algorithm="RC4-128")
        writer.write(path)
    return path


def test_the_pages_of_a_pdf_are_read_with_their_numbers(tmp_path: Path) -> None:
    first, third = read_pdf(pdf(tmp_path, "Stairs are left.", "", "The tower\nTours begin at 11."))
    assert (third.answer, third.asked) == ("Tours begin at 11.", ("The tower",))
    assert (first.answer, first.source) == ("Stairs are left.", "leaflet.pdf#page=1")
    assert third.source == "leaflet.pdf#page=3"


@pytest.mark.parametrize("kind", ["locked", "scanned", "broken", "empty"])
def test_a_pdf_that_cannot_be_read_is_told(tmp_path: Path, kind: str) -> None:
    if kind == "locked":
        path, says = pdf(tmp_path, "Secret.", password="x"), "password"
    elif kind == "scanned":
        path, says = pdf(tmp_path, ""), "OCR"
    else:
        path = written(tmp_path, "a.pdf", b"%PDF-1.7\nnothing of the kind" if kind == "broken" else b"")
        says = "cannot be read as PDF"
    with pytest.raises(KnowledgeError, match=says):
        list(read_pdf(path))


def test_sources_that_are_not_there_or_of_no_known_kind_are_told(tmp_path: Path) -> None:
    for path, says in (
        (tmp_path / "none", "no such file"),
        (written(tmp_path, "a.docx", "x"), "cannot be read"),
        (tmp_path / "sub", "empty"),
    ):
        if says == "empty":
            path.mkdir()
        with pytest.raises(KnowledgeError, match=says):
            find([path])


def test_hidden_and_lock_files_of_a_folder_are_left_alone(tmp_path: Path) -> None:
    written(tmp_path, ".hidden.csv", "x")
    written(tmp_path, "~lock.csv", "x")
    written(tmp_path, "a.md", "# A\n\nText.")
    assert [path.name for path in find([tmp_path]).documents] == ["a.md"]
