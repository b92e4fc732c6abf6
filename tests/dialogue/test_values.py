"""What visitors say and what it is understood as. The day is Thursday, 26 November 2026."""

from __future__ import annotations

from datetime import date, time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anchor.dialogue.choices import Choice
from anchor.dialogue.intents import intent
from anchor.dialogue.values import KINDS, Kind, Spec, Unclear, Value, shown, understand

TODAY = date(2026, 11, 26)
HOURS = (time(9), time(17))
BRANCHES = (
    Choice("central", {"en": ("Central", "Central branch"), "zh": ("中环",)}),
    Choice("river", {"en": ("Riverside", "Riverside branch"), "zh": ("河滨",)}),
    Choice("uni", {"en": ("University", "University branch"), "zh": ("大学",)}),
    Choice("air", {"en": ("Airport", "Airport branch"), "zh": ("机场",)}),
)

DATES = """
tomorrow -> 2026-11-27
next Tuesday -> 2026-12-01
next Thursday -> 2026-12-03
the third of May -> 2027-05-03
May 3rd -> 2027-05-03
5月3号 -> 2027-05-03
下周二 -> 2026-12-01
后天 -> 2026-11-28
大后天 -> 2026-11-29
this Friday -> 2026-11-27
Friday -> 2026-11-27
Thursday -> several: 2026-11-26, 2026-12-03
周四 -> several: 2026-11-26, 2026-12-03
这周二 -> past
the third -> 2026-12-03
3号 -> 2026-12-03
February 30 -> invalid
3/5 -> several: 2027-03-05, 2027-05-03
13/5 -> 2027-05-13
12/12 -> 2026-12-12
in three days -> 2026-11-29
三天后 -> 2026-11-29
a week from today -> 2026-12-03
下下周一 -> 2026-12-07
Tuesday the first -> 2026-12-01
tomorrow, no, the day after tomorrow -> 2026-11-28
December 1, 2026 -> 2026-12-01
二月三十号 -> invalid
明年五月三号 -> 2027-05-03
yesterday -> past
周末 -> incomplete
next week -> incomplete
Monday week -> 2026-12-07
二零二七年一月五号 -> 2027-01-05
thursday next week -> 2026-12-03
the twenty-first -> 2026-12-21
下个月五号 -> 2026-12-05
next Friday -> several: 2026-11-27, 2026-12-04
Tuesday -> 2026-12-01
next Sunday -> several: 2026-11-29, 2026-12-06
on Monday -> 2026-11-30
the 28th -> 2026-11-28
28号 -> 2026-11-28
the twenty-first of December -> 2026-12-21
December twenty first -> 2026-12-21
下周日 -> 2026-12-06
这周六 -> 2026-11-28
本周五 -> 2026-11-27
周日 -> 2026-11-29
礼拜天 -> 2026-11-29
星期一 -> 2026-11-30
in two weeks -> 2026-12-10
两周后 -> 2026-12-10
一个星期后 -> 2026-12-03
day after tomorrow -> 2026-11-28
十二月一号 -> 2026-12-01
12月1日 -> 2026-12-01
十二月二十五日 -> 2026-12-25
2026-12-24 -> 2026-12-24
2026年12月24日 -> 2026-12-24
2/13 -> 2027-02-13
31 June -> invalid
the thirty-second -> invalid
last Tuesday -> past
昨天 -> past
下下周三 -> 2026-12-09
week after next on Monday -> 2026-12-07
next week Tuesday -> 2026-12-01
Monday, no, I mean Wednesday -> 2026-12-02
后天，不对，大后天 -> 2026-11-29
tuesday the second -> several: 2026-12-01, 2026-12-02
any day -> nothing
号 -> nothing
May -> nothing
12/1 -> several: 2026-12-01, 2027-01-12
11/30 -> 2026-11-30
tomorrow or Saturday -> several: 2026-11-27, 2026-11-28
the first -> 2026-12-01
今天 -> 2026-11-26
tonight -> 2026-11-26
明早 -> 2026-11-27
大后天上午 -> 2026-11-29
一月三十一号 -> 2027-01-31
the 30th -> 2026-11-30
three days from now -> 2026-11-29
December 1st at 10 -> 2026-12-01
周五下午 -> 2026-11-27
下个月三号 -> 2026-12-03
上周五 -> past
tues -> 2026-12-01
this Tuesday -> past
"""

TIMES = """
half past three -> several: 03:30, 15:30
三点半 -> several: 03:30, 15:30
下午两点 -> 14:00
3:30pm -> 15:30
noon -> 12:00
three -> several: 03:00, 15:00
three in the afternoon -> 15:00
quarter to four -> several: 03:45, 15:45
15:30 -> 15:30
三点一刻 -> several: 03:15, 15:15
差一刻三点 -> several: 02:45, 14:45
ten thirty -> several: 10:30, 22:30
10:30 am -> 10:30
晚上八点 -> 20:00
at three -> several: 03:00, 15:00
五点二十 -> several: 05:20, 17:20
十二点 -> 12:00
中午 -> 12:00
twelve thirty -> 12:30
两点零五分 -> several: 02:05, 14:05
midnight -> 00:00
零点 -> 00:00
twenty past seven pm -> 19:20
晚上十二点 -> 00:00
凌晨三点 -> 03:00
七点半 -> several: 07:30, 19:30
7 in the evening -> 19:00
0:15 -> 00:15
00:15 -> 00:15
half past twelve -> 12:30
11 at night -> 23:00
1am -> 01:00
13:30 -> 13:30
"""

TIMES_WITHIN_HOURS = """
half past three -> 15:30
三点半 -> 15:30
three -> 15:00
at nine -> 09:00
eight -> outside
下午 -> incomplete
5 -> 17:00
16点 -> 16:00
tomorrow at three -> 15:00
9 -> 09:00
nine am -> 09:00
9am -> 09:00
eight thirty in the morning -> outside
half past eleven -> 11:30
eleven o'clock -> 11:00
17:00 -> 17:00
5pm -> 17:00
10 to 3 -> 14:50
ten past two -> 14:10
5 past four -> 16:05
quarter past nine -> 09:15
上午十点 -> 10:00
下午五点 -> 17:00
九点整 -> 09:00
早上九点 -> 09:00
十点一刻 -> 10:15
两点钟 -> 14:00
14点30分 -> 14:30
中午十二点 -> 12:00
差五分四点 -> 15:55
下午三点四十五 -> 15:45
25:00 -> invalid
3:75 -> invalid
morning -> incomplete
noon please -> 12:00
three thirty -> 15:30
3:30 -> 15:30
four, no, five -> 17:00
三点，不对，四点 -> 16:00
at 3 or 4 -> several: 15:00, 16:00
around ten -> 10:00
12 o'clock -> 12:00
上午 -> incomplete
下午两点半左右 -> 14:30
二十点 -> outside
十七点 -> 17:00
17点 -> 17:00
"""

AMOUNTS = """
fifty dollars -> 50
五百块 -> 500
1,200.50 yuan -> 1200.5
$12.50 -> 12.5
twelve dollars and fifty cents -> 12.5
三块五 -> 3.5
五毛 -> 0.5
两百五十元 -> 250
two fifty -> several
两百五 -> 250
HK$200 -> 200
one hundred and five euros -> 105
500 -> 500
1.5 million yuan -> 1500000
两万五 -> 25000
三百到五百块 -> several
-5 dollars -> invalid
a hundred dollars -> 100
two thousand five hundred yuan -> 2500
€20 -> 20
20 euros -> 20
五百美元 -> 500
一百块五 -> 100.5
十块 -> 10
1千块 -> 1000
两千元 -> 2000
三百五十块 -> 350
五块五毛 -> 5.5
一毛二 -> 0.12
1.5万元 -> 15000
一万五千元 -> 15000
about 500 dollars -> 500
fifty cents -> 0.5
2k dollars -> 2000
300 or 400 yuan -> several
five hundred and fifty bucks -> 550
12.345 yuan -> invalid
$1,000,000 -> 1000000
¥88.8 -> 88.8
RMB 500 -> 500
一亿元 -> 100000000
负五块 -> invalid
100 HKD -> 100
二十英镑 -> 20
half -> nothing
"""

NUMBERS = """
twenty-one -> 21
二十一 -> 21
两百五 -> 250
一百零五 -> 105
三四百 -> several
1,234 -> 1234
one two three -> several
two thousand and six -> 2006
一万两千三百 -> 12300
12 -> 12
zero -> 0
one hundred and one -> 101
nineteen -> 19
ninety-nine -> 99
a thousand -> 1000
two point five -> 2.5
三点五 -> 3.5
十 -> 10
一百 -> 100
一百一 -> 110
一千零五 -> 1005
一万 -> 10000
十二万三千 -> 123000
两千零二十 -> 2020
3 -> 3
1.5 million -> 1500000
fifteen hundred -> 1500
twenty five thousand -> 25000
零 -> 0
百 -> several
一百零 -> several
二三 -> several
forty two -> 42
minus -> nothing
"""

LAST_FOUR = """
4421 -> 4421
four four two one -> 4421
forty four twenty one -> 4421
四四二一 -> 4421
double four two one -> 4421
4 4 2 1 -> 4421
it's four four, two one -> 4421
幺三八零 -> 1380
one two three four -> 1234
1 2 3 4 -> 1234
12 34 -> 1234
oh one two three -> 0123
triple five one -> 5551
五五五幺 -> 5551
一二三四 -> 1234
twelve thirty four -> 1234
123 -> invalid
12345 -> invalid
four four two one, no, four four two two -> 4422
尾号是四四二一 -> 4421
it's 4421 thanks -> 4421
卡号后四位是四四二一 -> 4421
"""

PHONES = """
one three eight double zero one three eight triple zero -> 13800138000
幺三八零零幺三八零零零 -> 13800138000
138-0013-8000 -> 13800138000
+86 138 0013 8000 -> +8613800138000
三个八 一二 -> invalid
five five five oh one two three -> 5550123
139 1234 5678 -> 13912345678
一三九一二三四五六七八 -> 13912345678
my number is 555-0123 -> 5550123
(852) 2123 4567 -> 85221234567
one two -> invalid
+1 650 555 0100 -> +16505550100
一三八零零一三八零零零 -> 13800138000
"""

CHOICES = """
central -> central
Riverside please -> river
the second one -> river
第二个 -> river
中还 -> central
universty -> uni
central or airport -> several: central, air
the moon -> nothing
最后一个 -> air
机场那个 -> air
Center -> central
the river side -> river
number three -> uni
第三个 -> uni
at the airport -> air
中环那家 -> central
飞机场 -> air
大学支行 -> uni
first -> central
河边 -> nothing
最后 -> air
the last one -> air
unversity branch -> uni
central central -> central
not sure -> nothing
中环还是机场 -> several: central, air
the ninth -> nothing
number 9 -> outside
第九个 -> nothing
Riversid -> river
合滨 -> river
急场 -> air
"""

NAMES = """
My name is Anna Lee -> Anna Lee
i'm john o'neill -> John O'Neill
王小明 -> 王小明
我叫王小明 -> 王小明
Li Wei -> Li Wei
what do I need? -> nothing
yes -> nothing
我姓王 -> 王
jean-luc picard -> Jean-Luc Picard
123 -> nothing
this is Mary Jane Watson -> Mary Jane Watson
call me Bob -> Bob
O'Brien -> O'Brien
josé garcía -> José García
欧阳娜娜 -> 欧阳娜娜
我姓欧阳 -> 欧阳
我的名字是李雷 -> 李雷
叫我小王 -> 小王
Dr. Smith -> Dr. Smith
anna -> Anna
please -> nothing
cancel -> nothing
Anna please -> Anna
It's Tom. -> Tom
我是张三 -> 张三
tomorrow -> nothing
"""

YES_NO = """
yes please -> True
不对 -> False
好的 -> True
对不对？ -> nothing
yes but later -> nothing
ok -> True
算了 -> nothing
嗯好的 -> True
no -> False
"""

BIRTHDAYS = """
May 3rd 1985 -> 1985-05-03
3 May 1985 -> 1985-05-03
May 3rd -> incomplete
一九八五年五月三号 -> 1985-05-03
1985年5月3日 -> 1985-05-03
1985-05-03 -> 1985-05-03
the third of May nineteen eighty-five -> 1985-05-03
may third two thousand and one -> 2001-05-03
五月三号 -> incomplete
2030-01-01 -> future
03/05/1985 -> several: 1985-03-05, 1985-05-03
13/05/1985 -> 1985-05-13
"""

AMOUNTS_IN_YUAN = """
fifty dollars -> currency
五百块 -> 500
500 -> 500
20000 yuan -> outside
0 -> outside
"""

INTENTS = """
cancel -> cancel
算了 -> cancel
say that again -> repeat
再说一遍 -> repeat
what? -> repeat
sorry? -> repeat
forget it -> cancel
please cancel -> cancel
yes yes -> yes
嗯 -> nothing
thanks -> nothing
不是 -> no
不用了谢谢 -> cancel
no thanks -> no
no, Thursday -> nothing
yes -> yes
yeah sure -> yes
that's right -> yes
go ahead -> yes
对的 -> yes
没问题 -> yes
可以 -> yes
好 -> yes
行 -> yes
是 -> yes
yes please do -> yes
确认 -> yes
嗯，对 -> yes
okay, book it -> yes
no -> no
nope -> no
that's wrong -> no
不对 -> no
不是这样 -> nothing
不要 -> no
没有 -> no
wrong -> no
stop it -> cancel
never mind -> cancel
算了吧 -> cancel
取消 -> cancel
不办了 -> cancel
say it again -> repeat
pardon? -> repeat
没听清楚 -> repeat
i don't know -> unsure
不知道 -> unsure
yes, but later -> nothing
yes? -> nothing
对吗 -> nothing
maybe -> nothing
tomorrow -> nothing
hmm -> nothing
thank you -> nothing
谢谢 -> nothing
好像不对 -> nothing
not yet -> no
don't -> no
please stop -> cancel
i want to cancel -> cancel
cancel my appointment -> nothing
ok no -> nothing
what did you say? -> repeat
什么 -> repeat
forget about it -> cancel
好的好的 -> yes
不行 -> no
"""

PIECES = """the no at 31 30 99 3:30 0 /13 first twenty hundred and point half past quarter to may february next friday
week after in a days 五 两 十 百 千 万 亿 点 半 号 月 下 周 星期 块 毛 零 幺 double $ ¥ , . - + am pm 下午 not or 差 刻
三十 2026""".split()  # noqa: SIM905 - a list of 60 quoted words cannot be read

SPECS = {
    "dates": (Spec("date"), DATES),
    "birthdays": (Spec("birthday"), BIRTHDAYS),
    "times": (Spec("time"), TIMES),
    "times within hours": (Spec("time", window=HOURS), TIMES_WITHIN_HOURS),
    "amounts": (Spec("amount"), AMOUNTS),
    "amounts in yuan": (Spec("amount", currency="CNY", least=1, most=10_000), AMOUNTS_IN_YUAN),
    "numbers": (Spec("number"), NUMBERS),
    "last four digits": (Spec("digits", pattern=r"\d{4}"), LAST_FOUR),
    "phones": (Spec("phone"), PHONES),
    "choices": (Spec("choice", choices=BRANCHES), CHOICES),
    "names": (Spec("name"), NAMES),
    "yes or no": (Spec("yes_no"), YES_NO),
}


def rows(table: str) -> list[tuple[str, str]]:
    return [(said, meant) for line in table.strip().splitlines() for said, _, meant in [line.rpartition(" -> ")]]


def tongue(text: str) -> str:
    return "zh" if any("一" <= letter <= "龥" for letter in text) else "en"


def told(result: Value | Unclear) -> str:
    if isinstance(result, Value):
        return str(result.value)
    options = ", ".join(map(str, result.options))
    return f"{result.problem}: {options}" if options else result.problem


@pytest.mark.parametrize(
    ("kind", "said", "meant"), [(kind, *row) for kind, (_, table) in SPECS.items() for row in rows(table)]
)
def test_what_is_said_is_understood_or_asked_back(kind: str, said: str, meant: str) -> None:
    assert told(understand(said, SPECS[kind][0], language=tongue(said), today=TODAY)) == meant


@pytest.mark.parametrize(("said", "meant"), rows(INTENTS))
def test_only_a_whole_and_plain_answer_agrees_refuses_or_stops(said: str, meant: str) -> None:
    assert (intent(said) or "nothing") == meant


@pytest.mark.parametrize(
    ("said", "kind", "before", "meant"),
    [
        ("no, the day after", "date", "2026-11-27", "2026-11-28"),
        ("a week later", "date", "2026-11-27", "2026-12-04"),
        ("the day before", "date", "2026-11-27", "2026-11-26"),
        ("改成后一天", "date", "2026-11-27", "2026-11-28"),
        ("晚一周吧", "date", "2026-11-27", "2026-12-04"),
        ("提前一天", "date", "2026-11-26", "past"),
        ("an hour later", "time", "15:00", "16:00"),
        ("half an hour earlier", "time", "15:00", "14:30"),
        ("晚半个小时", "time", "15:00", "15:30"),
        ("早一小时", "time", "09:30", "outside"),
        ("改成下午", "time", "10:00", "incomplete"),
    ],
)
def test_a_correction_builds_on_what_was_said_before(said: str, kind: Kind, before: str, meant: str) -> None:
    spec = Spec(kind, window=HOURS)
    assert told(understand(said, spec, language=tongue(said), today=TODAY, before=before)) == meant


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("I need three copies", "time"),
        ("the second one", "date"),
        ("Anna Lee", "name"),
        ("four", "number"),
        ("12", "digits"),
    ],
)
def test_what_was_not_asked_for_must_be_plain(said: str, kind: Kind) -> None:
    assert understand(said, Spec(kind), language="en", today=TODAY, lenient=False) == Unclear("nothing")


@pytest.mark.parametrize(
    ("value", "spec", "en", "zh"),
    [
        ("2026-11-27", Spec("date"), "Friday, November 27", "11月27日星期五"),
        ("1985-05-03", Spec("birthday"), "May 3, 1985", "1985年5月3日"),
        ("15:30", Spec("time"), "3:30 PM", "下午3点半"),
        ("09:05", Spec("time"), "9:05 AM", "上午9点05分"),
        ("12:00", Spec("time"), "12 PM", "中午12点"),
        (1200.5, Spec("amount", currency="CNY"), "¥1,200.50", "1,200.5元"),
        (20, Spec("amount", currency="JPY"), "20 yen", "20日元"),
        ("4421", Spec("digits"), "4 4 2 1", "4 4 2 1"),
        ("13800138000", Spec("phone"), "138-0013-8000", "138-0013-8000"),
        ("uni", Spec("choice", choices=BRANCHES), "University", "大学"),
        (True, Spec("yes_no"), "yes", "是"),
    ],
)
def test_values_are_shown_in_the_visitors_language(value: object, spec: Spec, en: str, zh: str) -> None:
    assert shown(value, spec, language="en-GB", today=TODAY) == en
    assert shown(value, spec, language="zh-CN", today=TODAY) == zh


@pytest.mark.parametrize("kind", ["amount", "number"])
@pytest.mark.parametrize("said", ["9" * 400, "一亿亿亿亿", "nine hundred billion billion", "1" * 30 + ".55"])
def test_numbers_beyond_all_measure_are_refused(said: str, kind: Kind) -> None:
    assert isinstance(understand(said, Spec(kind), language="en", today=TODAY), Unclear)


def test_a_long_hum_is_heard_out_at_once() -> None:
    assert intent("嗯" * 400) == "" and intent("um " * 130) == ""


@given(
    st.lists(
        st.sampled_from(PIECES),
        max_size=12,
    ).flatmap(lambda words: st.sampled_from([" ".join(words), "".join(words)])),
    st.sampled_from(KINDS),
)
@settings(max_examples=400, deadline=2000)
def test_whatever_is_said_gets_an_answer_that_its_own_display_gives_again(text: str, kind: Kind) -> None:
    spec = Spec(kind, choices=BRANCHES, currency="CNY" if kind == "amount" else "")
    result = understand(text, spec, language="en", today=TODAY)
    if isinstance(result, Value) and kind in ("date", "time", "amount", "digits", "choice"):
        for language in ("en", "zh"):
            again = understand(
                shown(result.value, spec, language=language, today=TODAY), spec, language=language, today=TODAY
            )
            assert again == Value(result.value, again.start, again.end)
