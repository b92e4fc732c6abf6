"""The kiosk's actions against the demo bank over real HTTP, and what becomes of a bank that misbehaves."""

from __future__ import annotations

import asyncio
import re

import pytest

from anchor.dialogue.http_tool import HttpTool
from anchor.trust.netguard import NetGuard
from anchor.voice.text import read
from tests.back_end import Answer, back_end, floods, resets, says, says_json
from tests.interactive.counter import Counter, open_counter


async def talk(counter: Counter, *lines: str, language: str = "en") -> list[str]:
    return [answer or "-" for answer in [await counter.hears(line, language) for line in lines]]


def test_an_appointment_is_booked_and_cancelled() -> None:
    async def main() -> None:
        async with open_counter() as counter:
            told = await talk(counter, "book tomorrow at 11 in Riverside, my name is Bob", "yes")
            number = re.fullmatch(
                r"It is booked: Riverside branch, Friday, November 27, 11 AM\. Your number is ((?:\d ){3}\d)\.",
                told[-1],
            )
            assert number is not None
            told = await talk(counter, "cancel my appointment", f"it's {number[1]}", "yes")
            assert told[-1] == f"Your appointment {number[1]} is cancelled."
            told = await talk(counter, "cancel my appointment", number[1], "yes", "never mind")
            assert told[2:] == [
                "That is not free. What is the number of your appointment?",
                "All right, I have stopped. Nothing was done.",
            ]
            assert [record.outcome for record in counter.records] == ["done", "done", "refused"]

    asyncio.run(main())


def test_a_time_that_somebody_else_took_is_asked_again() -> None:
    async def main() -> None:
        async with open_counter() as counter:
            first = ["预约明天上午十一点在河滨", "我叫李雷", "好的"]
            await talk(counter, *first, language="zh")
            told = await talk(counter, *first, language="zh")
            assert told[-1].startswith("这个不可以选了。可以选上午")
            told = await talk(counter, "第一个", "对", language="zh")
            assert told[0].endswith("河滨支行，姓名李雷。要预约吗？") and told[1].startswith("预约好了：河滨支行")

    asyncio.run(main())


def test_a_balance_is_read_as_an_amount() -> None:
    async def main() -> None:
        async with open_counter() as counter:
            told = await talk(counter, "my balance", "4421", "May 3rd 1984", "4421", "May 3rd 1985", "yes")
            assert told[2].startswith("That does not match.")
            spoken = " ".join(token.spoken for token in read(told[-1], "en") if token.spoken)
            assert spoken == "Your balance is twelve thousand three hundred and forty five point six zero yuan"
            told = await talk(counter, "查余额", "七七三零", "一九九二年十一月二十号", "好", language="zh")
            spoken = "".join(token.spoken for token in read(told[-1], "zh") if token.spoken)
            assert spoken == "您的余额是八百八十元"

    asyncio.run(main())


def test_branches_times_rates_and_a_lost_card() -> None:
    async def main() -> None:
        async with open_counter() as counter:
            told = await talk(
                counter,
                "where is the university branch",
                "which times are free on Saturday in Central",
                "how much is one euro in yuan",
                "my card was stolen",
                "4421",
                "555 0123",
                "yes",
            )
            assert told[0].startswith("University branch, 5 College Avenue. Open Monday to Friday from 9 AM")
            assert told[1].startswith("Central branch, Saturday, November 28. Free are: 10:30 AM; 11 AM; ")
            assert told[2] == "One euro is 7.74 yuan today."
            assert told[-1].startswith("Your card ending in 4 4 2 1 will be blocked. Your number is ")

    asyncio.run(main())


UNSURE = "I could not book that. I could not find out whether it was done. Please ask a colleague before you try again."


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (resets, UNSURE),
        (floods(b"1," * 50_000), UNSURE),
        (says_json({}, "500 Oops"), UNSURE),
        (says(b"<html>", kind="text/html"), UNSURE),
        (says_json({}, "403 No"), "I could not book that. Nothing was done."),
        (says_json({"thanks": 1}), "That went through, but I cannot read the answer."),
    ],
)
def test_a_bank_that_misbehaves_leaves_no_visitor_waiting(answer: Answer, told: str) -> None:
    async def main() -> None:
        async with back_end(answer) as bank:
            tool = HttpTool(NetGuard(), base=bank.base)
            counter = Counter(run=tool)
            assert (await talk(counter, "book tomorrow at 11 in Riverside, my name is Bob", "yes"))[-1] == told
            assert len(bank.requests) == 1 and not counter.clerk.active
            await tool.close()

    asyncio.run(main())
