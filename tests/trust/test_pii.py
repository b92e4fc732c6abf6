import asyncio
import io
import logging
import random
from pathlib import Path

import pytest

from anchor.bench import privacy
from anchor.bench.secrets import card, iban, ordinary, resident, utterances
from anchor.trust.digits import runs
from anchor.trust.pii import MASK, MaskingFilter, find, luhn, mask

HIDDEN = """
card: My card's sixteen digit number is five two oh oh, eight two eight two, eight two eight two, eight two one oh
card: four thousand... no wait, four oh oh oh one two three four five six seven eight nine oh one oh
card: 4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1
card: four-one-one-one-one-one-one-one-one-one-one-one-one-one-one-one
card: Visa ending in 4242
card: 四一一一 四一一一，四一一一；四一一一
card: 我念给你听啊，六二二二，零二，嗯，一二三四，五六七八，九零一二，三
card: 尾号是八八六六的那张卡
number: the last four digits are 8 8 1 2
id: last 4 of my social: 6789
id: My SSN is 123-45-6789
id: 身份证是三三零一零六一九八八零七零七二二一叉
id: 身份证11010519491231002X
id: 身份证后六位是072215
id: national insurance QQ123456C
account: Routing number 021000021
account: it goes to account 000123456789
phone: area code two one two, five five five, oh one four seven
phone: +852 9123 4567
phone: number's oh seven nine double one, one two three, four five six
phone: so it's one three nine, one two three four, five six seven eight, did you get that?
phone: call one eight hundred five five five one two three four
phone: (212) 555-0147
phone: 幺三九幺二三四五六七八
phone: 你打零一零 六五五二 九九八八
phone: 0571-88157788
phone: 一三八零零三个八一二三
phone: 微信号就是手机号，一五八零零零零一一一一
phone: １３８００１３８０００
phone: ①③⑧⓪⓪①③⑧⓪⓪⓪
phone: 138_0013_8000
phone: 1\u200b3\u200b8\u200b0\u200b0\u200b1\u200b3\u200b8\u200b0\u200b0\u200b0
code: the text says: 493 027 is your login code
code: the code is 4 8 2 9 1 3
code: my code is 482,913
code: security code's eight oh nine
code: the three digits on the back are 737
code: 短信上写的是九三零二七七
code: 验证码四八二九一三
code: 收到了，9 3 0 2 7 7
code: 482913
code: 卡背面三位数七三七
code: so four one double one then the next bit is one one one one and after that one one and finally one one one one
birthday: My birthday's the fourteenth of July, nineteen eighty
birthday: 生日一九八零年七月十四
birthday: 我属猴，八零年七月十四号生的
birthday: 七月十四号是我生日
id: 身份证号码是一一零一零五一九四九一二三一零零二艾克斯
password: PIN: 0000
password: I just typed nine nine two one at the cash machine, that's my PIN right?
password: my password is hunter2
password: my password is correct horse? no, it's Tr0ub4dor&3
password: 我刚才输的密码是八六四二一零
passport: it's E one two three four five six seven eight, the passport
passport: passport number is AB 123456
passport: 护照E八八一二三四五六
iban: GB29 NWBK 6016 1331 9268 19
iban: DE89370400440532013000
email: jane.doe+bank@mail.example.co.uk
email: jane dot doe at mail dot example dot co dot uk
email: 邮箱是zhangsan艾特163点com
birthday: I was born on March 5th, 1985
birthday: D O B is fifth of the third nineteen eighty-five
birthday: born on the 3rd of May '85, that's my birthday
birthday: 我的生日是一九八五年三月五号
birthday: 我是1985年3月5日出生的
"""

OPEN = """
A transfer costs 5,000 yuan, or 4999 yuan, or $1,299.50.
2025年3月5日
二零二五年五月十二号上午九点半
We are open 9:00-17:00 on 2025-03-05.
In 2008, 2012 and 2016 he won 6-4, 3-6, 7-5.
Prices are 1500, 2500, 3500 and 12000.
The population is 1234567 people.
三点一四一五九二六
three point one four one five nine two six
nineteen eighty five was a good year
twenty five percent of five thousand two hundred is one thousand three hundred
One, two, three, four, five.
我要取50000块钱
我的卡每天限额50000元，能提到1,000,000元吗？
密码输错3次，卡会锁定24小时。
My password is wrong.
my password was reset yesterday
密码是什么
I forgot my PIN, and my transfer is still pending. It's 2018!
My card was opened in 2019.
Mozart was born on 27 January 1756 in Salzburg.
The offer is valid until 2026-12-31.
Please go to counter 5, ticket A012.
1500-2000元
I can come at ten fifteen or eleven thirty.
"""


def lines(text: str) -> list[str]:
    return [line for line in text.strip().splitlines() if line]


@pytest.mark.parametrize("line", lines(HIDDEN))
def test_what_nobody_may_keep_is_masked_as_what_it_is(line: str) -> None:
    kind, _, text = line.partition(": ")
    masked = mask(text)
    assert f"[{kind}]" in masked
    # Nothing of a number is left but what says where it was.
    rest = MASK.sub(" ", masked)
    allowed = {"1", "3", "16", "4", "41", "10"}
    assert all(run.digits in allowed or run.form != "digits" or len(run.digits) < 2 for run in runs(rest)), masked


@pytest.mark.parametrize("text", lines(OPEN))
def test_ordinary_numbers_stay(text: str) -> None:
    assert mask(text) == text


def test_recall_on_made_up_utterances_is_what_is_promised() -> None:
    figures = {figure.name: figure for figure in asyncio.run(privacy.measure(lambda _: None, 6_000))}
    for name in ("pii_recall_min", "pii_false_masks_en_max", "pii_false_masks_zh_max"):
        assert figures[name].ok, figures[name]


def test_the_bench_notices_what_is_left() -> None:
    found = list(utterances(500, 3))
    assert all(privacy.kept(utterance, utterance.text) for utterance in found)
    digits = [utterance for utterance in found if utterance.form == "digits" and utterance.kind == "card"]
    for utterance in digits:
        assert privacy.kept(utterance, utterance.text.replace(utterance.secret, f"[card] {utterance.secret[-2:]}"))


def test_made_up_numbers_have_right_check_digits() -> None:
    chance = random.Random(1)
    for _ in range(50):
        assert luhn(card(chance))
        assert not luhn(card(chance, valid=False))
        number = iban(chance)
        assert int("".join(str(int(character, 36)) for character in number[4:] + number[:4])) % 97 == 1
        weights = [pow(2, 17 - place, 11) for place in range(18)]
        values = [10 if character == "X" else int(character) for character in resident(chance)]
        assert sum(a * b for a, b in zip(values, weights, strict=True)) % 11 == 1


def test_masking_twice_is_as_masking_once() -> None:
    for utterance in utterances(2000, 5):
        masked = mask(utterance.text)
        assert mask(masked) == masked


def test_spans_are_in_order_apart_and_inside() -> None:
    for utterance in utterances(1000, 6):
        at = 0
        for span in find(utterance.text):
            assert at <= span.start < span.end <= len(utterance.text)
            at = span.end


@pytest.mark.shared
def test_no_sentence_of_the_news_is_masked(shared: Path) -> None:
    for path in sorted((shared / "texts" / "news").glob("*.txt")):
        texts = path.read_text("utf-8").splitlines()
        assert [mask(text) for text in texts if find(text)] == []


def test_sentences_of_a_banks_hall_stay() -> None:
    chance = random.Random(2)
    masked = [text for _ in range(500) for text in [ordinary(chance, "en"), ordinary(chance, "zh")] if find(text)]
    assert masked == []


@pytest.mark.timeout(30)
def test_no_text_makes_it_slow() -> None:
    pieces = (
        "1", "1 ", "嗯", "号码", "一", "um ", "@", "a.", "a dot ", "one ", "four one, ", "my code is ", "1-", "1,",
        "是", "AB1", "[card]", "password is ", "张三点", "E ", "(", "一二三个", "hundred one ",
    )  # fmt: skip
    for text in pieces:
        for end in ("", "x", "@", "!"):
            mask(text * (2000 // len(text)) + end)


def test_a_log_keeps_no_number() -> None:
    stream = io.StringIO()
    logger = logging.Logger("test")
    handler = logging.StreamHandler(stream)
    handler.addFilter(MaskingFilter())
    logger.addHandler(handler)
    logger.warning("the visitor said %r after %d s", "my card is 4111 1111 1111 1111", 5)
    logger.warning("call me at 13800138000")
    logger.warning("wrong arguments: %d", "13800138000")
    try:
        raise ValueError("cannot read 4111111111111111")
    except ValueError:
        logger.exception("a defect")
    assert "4111" not in stream.getvalue()
    assert "13800138000" not in stream.getvalue()
    assert "the visitor said 'my card is [card]' after 5 s" in stream.getvalue()
    assert "ValueError: cannot read [card]" in stream.getvalue()
