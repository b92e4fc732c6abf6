"""Dialogues: what a visitor says and what the clerk answers. The day is Thursday, 26 November 2026."""

from __future__ import annotations

import asyncio
import re

import pytest

from tests.interactive.counter import Counter, conversed

WHERE = "At which branch: Central, Riverside, University or Airport?"
DIALOGUES = {
    "one thing after another": """
    > I'd like to book an appointment
    < At which branch: Central, Riverside, University or Airport?
    > Central
    < Central. On which day?
    > tomorrow
    < Friday, November 27. At what time?
    > at three
    < 3 PM. What is your name, please?
    > Anna Lee
    < An appointment at the Central branch, Friday, November 27, at 3 PM, for Anna Lee. Shall I book it?
    > yes please
    < It is booked: Central branch, Friday, November 27, 3 PM. Your number is 4 8 2 1.
    > thank you
    < -
    """,
    "several things at once, and a correction of an earlier one": """
    > book tomorrow at three in Central branch
    < Central, Friday, November 27, 3 PM. What is your name, please?
    > my name is John Smith
    < An appointment at the Central branch, Friday, November 27, at 3 PM, for John Smith. Shall I book it?
    > no, Monday
    < An appointment at the Central branch, Monday, November 30, at 3 PM, for John Smith. Shall I book it?
    > no, the day after
    < An appointment at the Central branch, Tuesday, December 1, at 3 PM, for John Smith. Shall I book it?
    > an hour later and in Riverside instead
    < An appointment at the Riverside branch, Tuesday, December 1, at 4 PM, for John Smith. Shall I book it?
    > yes
    < It is booked: Central branch, Friday, November 27, 3 PM. Your number is 4 8 2 1.
    """,
    "what can be read in two ways is asked back": """
    > book an appointment at the airport
    < Airport. On which day?
    > next Friday
    < Do you mean Friday, November 27 or Friday, December 4?
    > the second one
    < Friday, December 4. At what time?
    > three or four
    < Do you mean 3 PM or 4 PM?
    > four
    < 4 PM. What is your name, please?
    """,
    "what cannot be is said": """
    > book an appointment on Sunday
    < We are closed on that day. On which day?
    > yesterday
    < That day is over. On which day?
    > February 30
    < That does not look right. On which day?
    > the thirty-second
    < I am sorry, I do not understand. Shall I stop here? You can also ask for a person.
    > no
    < That does not look right. On which day?
    > Saturday at 8 pm
    < Saturday, November 28. That is outside our hours, 9 AM to 5 PM. At what time?
    > in the morning
    < At what time exactly?
    > ten
    < 10 AM. At which branch: Central, Riverside, University or Airport?
    """,
    "a question aside, and the way back": """
    > book an appointment tomorrow
    < Friday, November 27. At which branch: Central, Riverside, University or Airport?
    > What documents do I need?
    < -
    > what's the exchange rate for dollars?
    < One US dollar is 7.12 yuan today. Back to your request: Book an appointment. At which branch: Central,
      Riverside, University or Airport?
    > where is the airport branch
    < Airport branch, T2. Open Monday to Friday from 9 AM to 5 PM, Saturday from 10 AM to 2 PM. Back to your
      request: Book an appointment. At which branch: Central, Riverside, University or Airport?
    > Airport
    < Airport. At what time?
    """,
    "three misunderstandings offer to stop": """
    > book an appointment
    < At which branch: Central, Riverside, University or Airport?
    > the moon
    < Sorry, I did not get that. At which branch: Central, Riverside, University or Airport?
    > green cheese
    < Sorry, I did not get that. At which branch: Central, Riverside, University or Airport?
    > blah
    < I am sorry, I do not understand. Shall I stop here? You can also ask for a person.
    > yes
    < All right, I have stopped. Nothing was done.
    > Central
    < -
    """,
    "no without saying what": """
    > book tomorrow at three in Central, my name is Bob
    < An appointment at the Central branch, Friday, November 27, at 3 PM, for Bob. Shall I book it?
    > no
    < What would you like to change?
    > the time
    < At what time exactly?
    > four
    < An appointment at the Central branch, Friday, November 27, at 4 PM, for Bob. Shall I book it?
    > change the name to Robert Jones
    < An appointment at the Central branch, Friday, November 27, at 4 PM, for Robert Jones. Shall I book it?
    > maybe
    < Please say yes or no. An appointment at the Central branch, Friday, November 27, at 4 PM, for Robert
      Jones. Shall I book it?
    > cancel
    < All right, I have stopped. Nothing was done.
    """,
    "repeat": """
    > book an appointment
    < At which branch: Central, Riverside, University or Airport?
    > pardon?
    < At which branch: Central, Riverside, University or Airport?
    > University
    < University. On which day?
    > say that again
    < University. On which day?
    > never mind
    < All right, I have stopped. Nothing was done.
    """,
    "a balance needs to know who asks": """
    > What's my balance?
    < What are the last four digits of your card? You can also type them.
    > four four two one
    < And your date of birth, with the year?
    > May 3rd
    < Please say day, month and year.
    > May 3rd 1985
    < I will say your balance aloud, people beside you may hear it. Shall I?
    > go ahead
    < Your balance is ¥12,345.60.
    """,
    "a lost card": """
    > I lost my card!
    < What are the last four digits of the card?
    > double four two one
    < 4 4 2 1. At which number can we call you back?
    > one three eight double zero one three eight triple zero
    < Block the card ending in 4 4 2 1, and call you at 138-0013-8000. Shall I do that?
    > yes, do it
    < Your card ending in 4 4 2 1 will be blocked. Your number is 1 2 3 4. If there was a payment you do not
      know, ask me for a person.
    """,
    "digits that may belong to two things are asked for": """
    > block my card
    < What are the last four digits of the card?
    > 4421, and my phone is 138 0013 8000
    < 4 4 2 1. At which number can we call you back?
    """,
    "an appointment is cancelled only after a yes": """
    > cancel my appointment
    < What is the number of your appointment?
    > four eight two one
    < Cancel the appointment with the number 4 8 2 1. Shall I do that?
    > yes
    < Your appointment 4 8 2 1 is cancelled.
    """,
    "what only asks how is left to the answers": """
    > How do I book an appointment?
    < -
    > What is an exchange rate?
    < -
    > hello there
    < -
    > yes
    < -
    """,
    "zh: 一项一项地问": """
    > 我想预约
    < 在哪个网点？中环、河滨、大学还是机场？
    > 中环
    < 中环。哪一天？
    > 明天
    < 11月27日星期五。几点？
    > 下午三点
    < 下午3点。请问您贵姓？怎么称呼？
    > 我叫王小明
    < 11月27日星期五下午3点，中环支行，姓名王小明。要预约吗？
    > 好的
    < 预约好了：中环支行，11月27日星期五下午3点。您的预约号是4 8 2 1。
    """,
    "zh: 一次说完再改": """
    > 帮我预约后天上午十点在河滨
    < 河滨，11月28日星期六，上午10点。请问您贵姓？怎么称呼？
    > 李雷
    < 11月28日星期六上午10点，河滨支行，姓名李雷。要预约吗？
    > 不对，改成下周二
    < 12月1日星期二上午10点，河滨支行，姓名李雷。要预约吗？
    > 改成下午
    < 具体几点？
    > 三点半
    < 12月1日星期二下午3点半，河滨支行，姓名李雷。要预约吗？
    > 网点换成机场
    < 12月1日星期二下午3点半，机场支行，姓名李雷。要预约吗？
    > 对的
    < 预约好了：中环支行，11月27日星期五下午3点。您的预约号是4 8 2 1。
    """,
    "zh: 说不清就反问": """
    > 预约周四
    < 您是说11月26日星期四还是12月3日星期四？
    > 下周的
    < 12月3日星期四。在哪个网点？中环、河滨、大学还是机场？
    > 中环还是机场来着
    < 您是说中环还是机场？
    > 第二个
    < 机场。几点？
    > 晚上八点
    < 这不在营业时间内，营业时间是上午9点到下午5点。几点？
    > 算了
    < 好的，已经取消，什么都没有办理。
    """,
    "zh: 余额": """
    > 我的余额是多少
    < 请说银行卡的后四位数字，也可以在屏幕上输入。
    > 四四二幺
    < 请说您的出生年月日。
    > 一九八五年五月三号
    < 我会读出您的余额，旁边的人可能会听到。要读吗？
    > 再说一遍
    < 我会读出您的余额，旁边的人可能会听到。要读吗？
    > 可以
    < 您的余额是12,345.6元。
    """,
    "zh: 挂失": """
    > 我的卡丢了
    < 请说卡号的后四位。
    > 四四二一
    < 4 4 2 1。请留一个回电号码。
    > 幺三八零零幺三八零零零
    < 挂失尾号4 4 2 1的卡，回电号码138-0013-8000。要办理吗？
    > 不，号码是一三九零零一三九零零零
    < 挂失尾号4 4 2 1的卡，回电号码139-0013-9000。要办理吗？
    > 确认
    < 尾号4 4 2 1的卡已申请挂失，受理号是1 2 3 4。如果有不明交易，请说“转人工”。
    """,
    "zh: 中间问别的": """
    > 预约明天下午两点
    < 11月27日星期五，下午2点。在哪个网点？中环、河滨、大学还是机场？
    > 需要带什么证件？
    < -
    > 美元汇率是多少
    < 今天1美元兑7.12元人民币。我们继续：预约办理。在哪个网点？中环、河滨、大学还是机场？
    > 大学
    < 大学。请问您贵姓？怎么称呼？
    """,
}


def told(text: str) -> list[tuple[str, str]]:
    """What is said and what is answered; a long answer goes on in the next line."""
    lines = [" ".join(line.split()) for line in re.split(r"\n\s*(?=[<>] )", text) if line.strip()]
    return [(said[2:], answer[2:]) for said, answer in zip(lines[::2], lines[1::2], strict=True)]


@pytest.mark.parametrize("name", DIALOGUES)
def test_a_dialogue_goes_as_written(name: str) -> None:
    lines = told(DIALOGUES[name])
    answers, _ = conversed(*(said for said, _ in lines), language="zh" if name.startswith("zh") else "en")
    for (said, wanted), answer in zip(lines, answers, strict=True):
        assert (said, answer or "-") == (said, wanted)


def test_a_third_language_gets_english() -> None:
    answers, _ = conversed("book an appointment", language="fr")
    assert answers == [WHERE]


def test_the_language_may_change_on_the_way() -> None:
    async def main() -> None:
        counter = Counter()
        await counter.hears("book tomorrow at three", "en")
        assert await counter.hears("中环", "zh") == "中环。请问您贵姓？怎么称呼？"
        form = counter.clerk.form
        assert form is not None and form.title == "预约办理"
        assert [slot.value for slot in form.slots] == ["中环", "11月27日星期五", "下午3点", ""]

    asyncio.run(main())
