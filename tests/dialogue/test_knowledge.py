"""What a knowledge base finds, and how sure it is."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from anchor.dialogue.knowledge import KNOWN, KnowledgeBase
from anchor.dialogue.knowledge.segment import Analyser, Synonyms
from anchor.dialogue.knowledge.stemming import stem
from anchor.errors import KnowledgeError

FAQ = """topic,language,questions,answer,title
hours,en,When are you open?|What are your opening hours?,We are open from 9 to 17.,Opening hours
hours,zh,营业时间是几点|你们几点开门,我们9点到17点营业。,营业时间
lost_card,en,I lost my card|My card was stolen,Lock it in the app.,A lost card
lost_card,zh,我的银行卡丢了|卡被偷了怎么办,请在手机银行里锁卡。,卡片丢失
transfer_fee,en,What does a transfer cost?|Is there a fee for transfers?,A transfer costs 5 yuan.,Fees
transfer_fee,zh,转账手续费多少|转账收费吗,转账收5元。,转账费用
loan,en,How do I get a loan?|Can I borrow money?,Ask at desk 2.,Loans
coins,zh,哪里可以换硬币|零钱兑换,在1号柜台。,换零钱
"""
PAGE = """# Safe boxes

Boxes are in the basement.

## Prices

A small box costs 300 yuan a year. A large box costs 1,200 yuan a year.
"""

Make = Callable[..., KnowledgeBase]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def made(database: Path | None = None, **files: str) -> KnowledgeBase:
        folder = tmp_path / "knowledge"
        folder.mkdir(exist_ok=True)
        for name, text in ({"faq__csv": FAQ, "boxes__md": PAGE} | files).items():
            (folder / name.replace("__", ".")).write_text(text, "utf-8")
        return KnowledgeBase([folder], database)

    return made


def topic(base: KnowledgeBase, text: str, language: str) -> str:
    found = base.search(text, language)
    return found[0].topic if found and found[0].score >= KNOWN else ""


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [("when do you open", "en", "hours"), ("几点开门", "zh", "hours"), ("營業時間", "zh", "hours"),
     ("somebody has stolen my card", "en", "lost_card"), ("MY CARD WAS STOLEN!!!", "en", "lost_card"),
     ("i lots my card", "en", "lost_card"), ("is there a fee for transferring", "en", "transfer_fee"),
     ("我要换硬币", "zh", "coins"), ("转账的手续费", "zh", "transfer_fee"), ("银行卡丢失", "zh", "lost_card")],
)  # fmt: skip
def test_questions_find_their_topic_in_other_words(make: Make, text: str, language: str, expected: str) -> None:
    assert topic(make(), text, language) == expected


@pytest.mark.parametrize("text", ["营业实践是几点", "银航卡丢了", "转帐手续费"])
def test_characters_of_the_same_sound_do_not_mislead(make: Make, text: str) -> None:
    expected = {"营": "hours", "银": "lost_card", "转": "transfer_fee"}[text[0]]
    assert topic(make(), text, "zh") == expected


@pytest.mark.parametrize(
    ("text", "language"),
    [("What is the capital of France?", "en"), ("法国的首都是哪里", "zh"), ("", "en"), ("???", "zh"),
     ('"OR NEAR(', "en"), ("the of and", "en"), ("明天天气怎么样", "zh"), ("x" * 10_000, "en")],
)  # fmt: skip
def test_what_nobody_wrote_down_is_not_known(make: Make, text: str, language: str) -> None:
    assert topic(make(), text, language) == ""


def test_a_known_question_asked_word_for_word_is_certain(make: Make) -> None:
    assert make().search("What does a transfer cost?", "en")[0].score > 0.95
    assert make().search("转账收费吗", "zh")[0].score > 0.95


def test_answers_come_in_the_visitors_language_and_otherwise_in_another(make: Make) -> None:
    base = make()
    assert base.search("opening hours", "zh-CN")[0].answer == "我们9点到17点营业。"
    assert base.search("零钱兑换", "en")[0].language == "zh"


def test_a_topic_is_told_once_and_the_best_comes_first(make: Make) -> None:
    found = make().search("fee for a transfer when I lost my card", "en", limit=3)
    assert len({passage.topic or passage.source for passage in found}) == len(found) <= 3
    assert [passage.score for passage in found] == sorted((passage.score for passage in found), reverse=True)


def test_pages_are_found_by_section(make: Make) -> None:
    found = make().search("How much does a small safe box cost a year?", "en")[0]
    assert found.source == "boxes.md#Prices" and found.title == "Safe boxes – Prices"
    assert found.answer.startswith("A small box costs 300 yuan") and found.topic == ""


def test_synonyms_of_the_folder_are_used(make: Make) -> None:
    assert topic(make(), "monetary advance", "en") == ""
    assert (
        topic(make(synonyms__txt="loan, monetary advance # the bank's own word\n"), "monetary advance", "en") == "loan"
    )
    assert topic(make(synonyms__txt="转账, 飞钱\n"), "飞钱手续费多少", "zh") == "transfer_fee"


def test_questions_are_those_of_a_language(make: Make) -> None:
    assert make().questions("zh-TW")[:2] == ["营业时间是几点", "你们几点开门"]
    assert "I lost my card" in make().questions("en")
    assert make().questions("fr") == []


def test_an_index_in_a_file_is_kept_until_a_source_changes(make: Make, tmp_path: Path) -> None:
    database = tmp_path / "index.sqlite"
    make(database).close()
    first = database.stat().st_ino
    make(database).close()
    assert database.stat().st_ino == first
    changed = make(database, more__csv="topic,language,question,answer\nwifi,en,What is the wifi code?,Ask us.\n")
    assert database.stat().st_ino != first
    assert topic(changed, "wifi code", "en") == "wifi"
    changed.close()


def test_a_file_that_is_no_index_is_built_anew_and_a_folder_cannot_be_one(make: Make, tmp_path: Path) -> None:
    database = tmp_path / "index.sqlite"
    database.write_bytes(b"not a database at all" * 100)
    assert topic(make(database), "opening hours", "en") == "hours"
    with pytest.raises(KnowledgeError, match="cannot be written"):
        make(tmp_path / "missing" / "index.sqlite")


def test_many_threads_may_ask_at_once(make: Make) -> None:
    base = make()
    wrong: list[str] = []

    def ask(text: str, language: str, expected: str) -> None:
        for _ in range(30):
            if topic(base, text, language) != expected:
                wrong.append(text)

    asked = [("opening hours", "en", "hours"), ("卡被偷了", "zh", "lost_card"), ("transfer fee", "en", "transfer_fee")]
    threads = [threading.Thread(target=ask, args=one) for one in asked * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize(
    ("words", "same"),
    [("charge charges charged charging", "charg"), ("cancel cancelled cancelling", "cancel"), ("fee fees", "fee"),
     ("lost lose", "lose"), ("topped topping", "top"), ("verify verified verifies", "verify"), ("address", "address"),
     ("stolen steal stole", "steal"), ("pass passes", "pass"), ("is", "is")],
)  # fmt: skip
def test_forms_of_a_word_have_one_stem(words: str, same: str) -> None:
    assert {stem(word) for word in words.split()} == {same}


def test_numbers_and_signs_are_one_however_they_are_written() -> None:
    terms = Analyser(Synonyms()).terms
    assert terms("1,000 yuan") == terms("1000 yuan")
    assert "5" in terms("five percent") and terms("five percent") == terms("5%")
    assert "not" in terms("it doesn't work") and "not" in terms("it doesnt work")
