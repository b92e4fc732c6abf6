"""How long to wait for the rest of a sentence."""

import pytest

from anchor.hearing.endpoint import COMPLETE, DICTATING, NEUTRAL, UNFINISHED, pause_after

ENGLISH = {
    COMPLETE: """
        How do I open an account?
        how do i open an account
        what are your opening hours
        excuse me where is the nearest a t m
        i lost my card
        I have lost my card. What should I do?
        yes
        yes please
        no thank you
        how much is it
        what time is it
        how much does it cost
        i would like to open a savings account
        i don't know
        that's all
        a person please
        cancel
        my card was stolen
        thank you very much
        what do i need
        can you do that
        I want that.
        Tomorrow at three o'clock.
        is my deposit insured
        what else
        can i talk to a person
        block my card please
        hello""",
    NEUTRAL: """
        savings account
        the blue one
        five thousand
        two hundred dollars
        next week
        my phone
        three
        twenty five
        at three thirty
        credit card
        transfer abroad""",
    UNFINISHED: """
        I would like to
        i want to open a
        i'd like
        and
        um
        so
        how do i
        what is the
        i need to transfer money to
        can you tell me
        Well,
        I would like to open an account and
        because
        i want to know if
        i have a question about
        where is the
        my name is
        first I'd like to...
        what about
        if i
        the second
        I'm looking for
        could you""",
    DICTATING: """
        my phone number is five five five
        one three eight
        the card number is six two two two
        138
        it's oh two one five five
        my account number is 4 4 1 2 0""",
}

MANDARIN = {
    COMPLETE: """
        你们几点开门
        我想开一个账户
        怎么办理信用卡
        我的卡丢了
        可以吗
        好的
        谢谢
        多少钱
        最近的ATM在哪里
        我要转人工
        是的
        定期存款利率是多少
        明天
        我想查一下我的余额
        外汇兑换在几号窗口办理？
        不用了谢谢
        密码忘了怎么办
        你是谁
        我要办一张信用卡
        取消""",
    NEUTRAL: """
        信用卡
        三
        活期
        五千
        贷款业务""",
    UNFINISHED: """
        我想
        那个
        然后
        我想要
        请问
        嗯
        我想问一下
        我的卡丢了，
        因为
        我想开户，然后
        帮我
        我要转账给
        如果
        能不能
        还有
        我想了解一下关于
        就是说
        我叫""",
    DICTATING: """
        我的电话是一三八
        卡号是六二二二
        13800
        我的手机号一三九零
        身份证号是五一零""",
}


def rows(table: dict[float, str], language: str) -> list[tuple[str, str, float]]:
    return [(line.strip(), language, pause) for pause, text in table.items() for line in text.strip().splitlines()]


PHRASES = rows(ENGLISH, "en") + rows(MANDARIN, "zh-CN")


@pytest.mark.parametrize(("text", "language", "pause"), PHRASES)
def test_the_pause_fits_how_complete_a_phrase_is(text: str, language: str, pause: float) -> None:
    assert pause_after(text, language) == pause


def test_a_whole_phone_number_needs_no_more_patience() -> None:
    assert pause_after("my phone number is one three eight zero zero one three eight zero zero zero", "en") < UNFINISHED
    assert pause_after("我的电话是13800138000", "zh") < UNFINISHED


def test_nothing_and_other_languages_get_the_middle() -> None:
    assert pause_after("", "en") == NEUTRAL
    assert pause_after("、、", "zh") in (NEUTRAL, UNFINISHED)
    assert pause_after("Wo ist der Geldautomat?", "de") == COMPLETE


def test_pauses_are_in_order() -> None:
    assert COMPLETE < NEUTRAL < UNFINISHED < DICTATING <= 1.5
