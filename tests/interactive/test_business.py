"""What the clerk promises beside its words: nothing without a yes, nothing twice, nothing lost."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Any, cast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from anchor.clock import run_virtual
from anchor.dialogue.actions import Action
from anchor.dialogue.http_tool import Outcome
from anchor.dialogue.intents import intent
from anchor.errors import ActionError
from anchor.interactive.business import LAST, QUICK
from anchor.interactive.filling import MASK
from anchor.talk import ToolCall
from tests.interactive.counter import ACTIONS, ANSWERS, Counter, conversed

READY = ("book tomorrow at three in Central, my name is Bob",)
BOOKING = {"branch": "central", "date": "2026-11-27", "time": "15:00", "name": "Bob"}
BOOKED = "It is booked: Central branch, Friday, November 27, 3 PM. Your number is 4 8 2 1."
SHALL_I = "An appointment at the Central branch, Friday, November 27, at 3 PM, for Bob. Shall I book it?"


class Slow:
    """A back-end that answers when it is let."""

    def __init__(self) -> None:
        self.go = asyncio.Event()

    async def __call__(self, action: Action, arguments: Mapping[str, Any]) -> Outcome:
        await self.go.wait()
        return Outcome(ANSWERS[action.name])


async def first(reply: AsyncIterator[str] | None) -> str:
    """The first part of a reply, which is then cut off."""
    assert reply is not None
    part = await anext(reply)
    await cast("AsyncGenerator[str, None]", reply).aclose()
    return part


async def whole(reply: AsyncIterator[str] | None) -> str:
    assert reply is not None
    return " ".join([part async for part in reply])


async def ended(counter: Counter) -> None:
    """Let what was begun come to its end; `hears` of a question aside changes nothing."""
    waiting = counter.clerk.take("yes", "en")
    assert waiting is not None
    async for _ in waiting:
        if counter.records:
            break
    await cast("AsyncGenerator[str, None]", waiting).aclose()


def test_a_reply_cut_off_stops_nothing_and_loses_nothing() -> None:
    async def main() -> None:
        slow = Slow()
        counter = Counter(run=slow)
        await counter.hears(*READY)
        assert await first(counter.clerk.take("yes", "en")) == "One moment, please."
        assert counter.clerk.active and await counter.hears("what are your opening hours?") is None
        slow.go.set()
        await ended(counter)
        assert counter.ran == [("book_appointment", BOOKING)] and not counter.clerk.active
        assert await counter.hears("where do I find a cash machine") is None
        assert counter.clerk.pending_news("en") == BOOKED
        assert counter.clerk.pending_news("en") == ""

    asyncio.run(main())


def test_what_came_of_it_is_told_by_the_next_answer_until_it_was_said() -> None:
    async def main() -> None:
        slow = Slow()
        counter = Counter(run=slow)
        await counter.hears(*READY)
        await first(counter.clerk.take("yes", "en"))
        slow.go.set()
        await ended(counter)
        assert await first(counter.clerk.take("did it work?", "en")) == BOOKED
        assert await counter.hears("好了吗", "zh") == "预约好了：中环支行，11月27日星期五下午3点。您的预约号是4 8 2 1。"
        assert await counter.hears("did it work?") is None

    asyncio.run(main())


def test_a_second_yes_waits_for_the_first() -> None:
    async def main() -> None:
        slow = Slow()
        counter = Counter(run=slow)
        await counter.hears(*READY)
        async with asyncio.TaskGroup() as tasks:
            replies = [
                tasks.create_task(whole(reply))
                for reply in (
                    counter.clerk.take("yes", "en"),
                    counter.clerk.confirm(True, "en"),
                    counter.clerk.take("yes yes", "en"),
                    counter.clerk.take("cancel", "en"),
                )
            ]
            slow.go.set()
        told = [reply.result() for reply in replies]
        assert told[3].startswith("That is already under way, I can no longer stop it.")
        assert sum(BOOKED in reply for reply in told) >= 1
        assert counter.ran == [("book_appointment", BOOKING)]
        assert await whole(counter.clerk.confirm(True, "en")) == "There is nothing to confirm at the moment."

    asyncio.run(main())


def test_waiting_is_announced_only_when_it_takes_long() -> None:
    async def main() -> None:
        slow = Slow()
        counter = Counter(run=slow)
        await counter.hears(*READY)
        reply = counter.clerk.take("yes", "en")
        assert reply is not None
        loop = asyncio.get_running_loop()
        before = loop.time()
        assert await anext(reply) == "One moment, please."
        assert loop.time() - before == pytest.approx(QUICK, abs=0.01)
        slow.go.set()
        assert [part async for part in reply] == [BOOKED]

    run_virtual(main())


def test_a_yes_counts_only_for_what_was_just_read_back() -> None:
    async def main() -> None:
        counter = Counter()
        await first(counter.clerk.take(READY[0], "en"))
        assert await counter.hears("yes") == SHALL_I
        assert await counter.hears("What does an adviser do?") is None
        assert await counter.hears("yes") == SHALL_I
        assert await counter.hears("What does an adviser do?") is None
        assert counter.clerk.reminder("en") == SHALL_I
        assert not counter.ran
        assert await counter.hears("yes") == BOOKED

    asyncio.run(main())


@pytest.mark.parametrize(
    "said",
    ["yes?", "yes but later", "hm", "okay, what is it?", "maybe yes", "not yes", "嗯", "thanks", "yes no"],
)
def test_only_a_plain_yes_agrees(said: str) -> None:
    _, counter = conversed(*READY, said)
    assert not counter.ran


def test_the_button_beside_the_form_agrees_or_refuses() -> None:
    async def main() -> None:
        counter = Counter()
        assert await whole(counter.clerk.confirm(True, "zh")) == "现在没有需要确认的事情。"
        await counter.hears(*READY)
        form = counter.clerk.form
        assert form is not None and form.confirming
        assert [slot.value for slot in form.slots] == ["Central", "Friday, November 27", "3 PM", "Bob"]
        assert await whole(counter.clerk.confirm(False, "en")) == "What would you like to change?"
        assert await counter.hears("four o'clock") == SHALL_I.replace("3 PM", "4 PM")
        assert await whole(counter.clerk.confirm(True, "en")) == BOOKED
        assert counter.clerk.form is None and len(counter.ran) == 1

    asyncio.run(main())


def test_the_form_shows_what_is_known_and_what_may_be_said() -> None:
    async def main() -> None:
        counter = Counter()
        await counter.hears("book an appointment next Friday")
        form = counter.clerk.form
        assert form is not None
        assert (form.asking, form.choices) == ("date", ("Friday, November 27", "Friday, December 4"))
        await counter.hears("the first one")
        form = counter.clerk.form
        assert form is not None and (form.asking, form.choices[1]) == ("branch", "Riverside")

    asyncio.run(main())


@pytest.mark.parametrize(
    ("error", "told", "ending"),
    [
        (ActionError("no"), "I could not book that. Nothing was done.", "failed"),
        (
            ActionError("lost", done=None),
            "I could not book that. I could not find out whether it was done. "
            "Please ask a colleague before you try again.",
            "unknown",
        ),
        (
            RuntimeError("a defect"),
            "I could not book that. I could not find out whether it was done. "
            "Please ask a colleague before you try again.",
            "unknown",
        ),
    ],
)
def test_a_failure_says_whether_anything_was_done(error: Exception, told: str, ending: str) -> None:
    async def fail(action: Action, arguments: Mapping[str, Any]) -> Outcome:
        raise error

    answers, counter = conversed(*READY, "yes", counter=Counter(run=fail))
    assert answers[-1] == told and [record.outcome for record in counter.records] == [ending]


def test_what_may_have_been_done_is_not_done_again() -> None:
    async def lose(action: Action, arguments: Mapping[str, Any]) -> Outcome:
        raise ActionError("lost", done=None)

    answers, counter = conversed(*READY, "yes", *READY, "yes", counter=Counter(run=lose))
    assert answers[-1] == "I have tried that already and do not know whether it was done. Please ask a colleague."
    assert len(counter.ran) == 1


def test_a_value_that_cannot_be_had_is_asked_again_with_what_can() -> None:
    async def taken(action: Action, arguments: Mapping[str, Any]) -> Outcome:
        if arguments["time"] == "15:00":
            return Outcome(done=False, field="time", choices=("14:00", "15:30", "23:00 or so", None))
        return Outcome(ANSWERS[action.name])

    answers, counter = conversed(*READY, "yes", "the second one", "yes", counter=Counter(run=taken))
    assert answers[1:] == [
        "That is not free. I can offer 2 PM or 3:30 PM. At what time?",
        SHALL_I.replace("3 PM", "3:30 PM"),
        BOOKED,
    ]
    assert [record.outcome for record in counter.records] == ["refused", "done"]


@pytest.mark.parametrize("data", [None, {}, [], {"branch_name": "x"}, {"date": 3}, "text", {"branch_name": {}}])
def test_an_answer_that_lacks_what_is_to_be_said_is_no_silence(data: Any) -> None:
    async def odd(action: Action, arguments: Mapping[str, Any]) -> Outcome:
        return Outcome(data)

    answers, counter = conversed(*READY, "yes", counter=Counter(run=odd))
    assert answers[-1] == "That went through, but I cannot read the answer."
    assert [record.outcome for record in counter.records] == ["done"]


def test_closing_waits_for_what_is_under_way_and_begins_nothing() -> None:
    async def main() -> None:
        slow = Slow()
        counter = Counter(run=slow)
        await counter.hears(*READY)
        await first(counter.clerk.take("yes", "en"))
        async with asyncio.TaskGroup() as tasks:
            closing = tasks.create_task(counter.clerk.close())
            assert await counter.hears("I lost my card") is None
            assert not closing.done()
            slow.go.set()
        assert [record.outcome for record in counter.records] == ["done"]
        assert await whole(counter.clerk.begin(ToolCall("exchange_rate", {"currency": "USD"}), "en")) == (
            BOOKED + " I am sorry, I cannot do that here."
        )

    asyncio.run(main())


def test_a_server_that_ends_waits_a_little_and_then_nobody_knows_what_came_of_it() -> None:
    async def main() -> tuple[float, list[str]]:
        counter = Counter(run=Slow())
        await counter.hears(*READY)
        await first(counter.clerk.take("yes", "en"))
        begun = asyncio.get_running_loop().time()
        counter.clerk.hurry()
        await counter.clerk.close()
        return asyncio.get_running_loop().time() - begun, [record.outcome for record in counter.records]

    seconds, outcomes = run_virtual(main())
    assert seconds == pytest.approx(LAST)
    assert outcomes == ["unknown"]


def test_cancelling_drops_what_is_asked_but_not_what_runs() -> None:
    async def main() -> None:
        slow = Slow()
        counter = Counter(run=slow)
        await counter.hears("book an appointment")
        counter.clerk.cancel()
        assert not counter.clerk.active and counter.clerk.form is None
        await counter.hears(*READY)
        await first(counter.clerk.take("yes", "en"))
        counter.clerk.cancel()
        assert counter.clerk.active
        slow.go.set()
        await counter.clerk.close()
        assert counter.clerk.pending_news("en") == BOOKED

    asyncio.run(main())


def test_a_model_may_fill_in_but_neither_agree_nor_prove_who_somebody_is() -> None:
    async def main() -> None:
        counter = Counter()
        arguments = {"branch": "central", "date": "tomorrow", "time": "15:00", "name": "Bob", "confirmed": True}
        assert await whole(counter.clerk.begin(ToolCall("book_appointment", arguments), "en")) == SHALL_I
        assert not counter.ran
        assert await counter.hears("yes") == BOOKED
        for name in ("identity", "transfer_everything"):
            reply = counter.clerk.begin(ToolCall(name, {"card": "4421", "birthday": "1985-05-03"}), "en")
            assert await whole(reply) == "I am sorry, I cannot do that here."
        reply = counter.clerk.begin(ToolCall("balance", {"session": "stolen", "card": "4421"}), "en")
        assert await whole(reply) == "What are the last four digits of your card? You can also type them."
        assert {tool.name for tool in counter.clerk.tools("en")} == {a.name for a in ACTIONS} - {"identity"}

    asyncio.run(main())


def test_a_model_that_changes_what_was_read_back_has_it_read_back_again() -> None:
    async def main() -> None:
        counter = Counter()
        await counter.hears(*READY)
        assert await first(counter.clerk.begin(ToolCall("book_appointment", {"time": "16:00"}), "en")) == (
            SHALL_I.replace("3 PM", "4 PM")
        )
        assert await counter.hears("yes") == SHALL_I.replace("3 PM", "4 PM")
        assert not counter.ran

    asyncio.run(main())


def test_three_failed_identity_checks_are_enough() -> None:
    async def nobody(action: Action, arguments: Mapping[str, Any]) -> Outcome:
        assert action.name == "identity"
        return Outcome({"verified": False})

    tries = ["4421", "May 3rd 1985"] * 3
    answers, counter = conversed("my balance please", *tries, "my balance please", counter=Counter(run=nobody))
    sorry = "I could not verify who you are. A colleague will gladly help you."
    again = "That does not match. Let us try again. What are the last four digits of your card? You can also type them."
    assert answers[2] == answers[4] == again
    assert answers[6] == answers[7] == sorry
    assert len(counter.ran) == 3 and not counter.clerk.active


def test_secrets_are_neither_shown_nor_kept_nor_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        with caplog.at_level(logging.DEBUG):
            counter = Counter()
            await counter.hears("my balance please")
            answer = await counter.hears("4421")
            form = counter.clerk.form
            assert answer is not None and "4" not in answer and form is not None
            assert form.slots[0].value == MASK and not form.choices
            await counter.hears("May 3rd 1985")
            await counter.hears("yes")
            await counter.clerk.close()
        assert [(record.name, dict(record.arguments)) for record in counter.records] == [
            ("identity", {"card": MASK, "birthday": MASK}),
            ("balance", {"session": MASK}),
        ]
        assert counter.ran[1] == ("balance", {"session": "s"})
        assert "4421" not in caplog.text and "1985" not in caplog.text

    asyncio.run(main())


LINES = st.sampled_from(
    [
        "book an appointment", "Central", "tomorrow", "at three", "Anna Lee", "yes", "yes please", "no", "cancel",
        "repeat", "I lost my card", "4421", "one three eight double zero one three eight triple zero", "my balance",
        "May 3rd 1985", "what documents do I need?", "no, Monday", "change the time", "next Friday", "the second one",
        "exchange rate of the dollar", "好的", "我想预约", "中环", "明天下午三点", "算了", "改成四点", "王小明",
        "blah", "",
        "BUTTON YES", "BUTTON NO", "MODEL", "REMIND", "CUT yes", "CUT tomorrow", "cancel my appointment",
        "book tomorrow at three in Central, my name is Bob",
    ]
)  # fmt: skip


@given(st.lists(LINES, max_size=20), st.sampled_from([[], [READY[0]], ["I lost my card", "4421", "13800138000"]]))
@example(
    lines=["book an appointment", "book an appointment", "May 3rd 1985", "no"],
    opening=["book tomorrow at three in Central, my name is Bob"],
)
@settings(max_examples=200, deadline=None)
def test_nothing_that_needs_a_yes_is_done_without_one(lines: list[str], opening: list[str]) -> None:
    async def step(counter: Counter, line: str) -> None:
        clerk, language = counter.clerk, "zh" if not line.isascii() else "en"
        if line == "REMIND":
            clerk.reminder("en")
        elif line.startswith("BUTTON"):
            await whole(clerk.confirm(line == "BUTTON YES", "en"))
        elif line == "MODEL":
            await whole(clerk.begin(ToolCall("book_appointment", BOOKING), "en"))
        elif line.startswith("CUT ") and (reply := clerk.take(line[4:], "en")) is not None:
            async for _ in reply:
                break
            await cast("AsyncGenerator[str, None]", reply).aclose()
        else:
            await counter.hears(line, language)

    async def main() -> None:
        counter = Counter()
        confirmed = {action.name for action in ACTIONS if action.confirm}
        for line in opening + lines:
            form, before = counter.clerk.form, len(counter.ran)
            await step(counter, line)
            ran = [name for name, _ in counter.ran[before:] if name in confirmed]
            if ran:
                assert form is not None and form.confirming and ran == [form.action]
                assert line == "BUTTON YES" or intent(line.removeprefix("CUT ")) == "yes"
        await counter.clerk.close()
        assert len(counter.records) == len(counter.ran)

    asyncio.run(main())
