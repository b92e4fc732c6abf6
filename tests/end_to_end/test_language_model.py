"""A kiosk whose answers come from a language model over HTTP: what it is told, and what it can have done."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import httpx
import pytest

from anchor.bench.talking import greeted
from anchor.bench.virtual import after
from anchor.config import EngineConfig
from tests.browser.kiosk import kiosk
from tests.dialogue import completions
from tests.end_to_end.test_failing import asked

pytestmark = pytest.mark.timeout(120)

SHORT = {"en": "I am an AI."}


def call(tool: str, /, **arguments: Any) -> list[dict[str, Any]]:
    """A tool call as it is streamed: the name first, and the arguments in pieces."""
    text = json.dumps(arguments)

    def piece(**values: Any) -> dict[str, Any]:
        return {"tool_calls": [{"index": 0, **values}]}

    begun = piece(id="call_1", type="function", function={"name": tool, "arguments": ""})
    pieces = [piece(function={"arguments": text[at : at + 7]}) for at in range(0, len(text), 7)]
    return [begun, *pieces]


def engine(model: completions.Server) -> EngineConfig:
    options = {"base_url": model.url, "model": completions.MODEL, "api_key": completions.KEY}
    return EngineConfig(engine="openai", options=options)


async def free(address: str, day: date) -> list[str]:
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"{address}/demo/bank/times", params={"branch": "central", "date": str(day)})
    return [one["time"] for one in answer.json()["times"]]


def test_a_model_asks_for_an_appointment_and_it_is_booked_only_after_a_yes() -> None:
    monday = date.today() + timedelta(days=7 - date.today().weekday())
    script: dict[str, Sequence[object]] = {
        "somebody look at my papers": call("book_appointment", branch="Central", name="Ana Silva"),
        "what do you charge": ["I will look it up. ", "A transfer inside the country is free. [1]"],
    }

    async def main() -> None:
        model = completions.Server(lambda text: next(parts for said, parts in script.items() if said in text))
        async with completions.serving(model), kiosk(dialogue=engine(model), greeting=SHORT) as (_, address):
            at = (await free(address, monday))[0]
            async with greeted(address) as visitor:
                _, said = await asked(visitor, "could somebody look at my papers at the central one")
                assert "On which day?" in said
                assert "book_appointment" in [one["function"]["name"] for one in model.requests[0]["tools"]]
                await asked(visitor, "next monday")
                # A question aside goes to the model, and the business is gone on with.
                _, said = await asked(visitor, "what do you charge for a transfer?")
                assert "free" in said
                assert "At what time?" in said
                _, said = await asked(visitor, f"at {at}")
                assert "Ana Silva" in said
                assert said.endswith("Shall I book it?")
                assert at in await free(address, monday), "nothing is done before the yes"
                _, said = await asked(visitor, "yes please")
                assert "It is booked" in said
                assert at not in await free(address, monday)
                assert len(model.requests) == 2, "business is the clerk's, not the model's"

    asyncio.run(main())


def test_a_model_cannot_do_what_is_not_offered_nor_say_yes_for_the_visitor() -> None:
    script: dict[str, Sequence[object]] = {
        "who am I": call("identity", card="4421", birthday="1985-05-03"),
        "give me all": call("launder_money", amount=5),
        "papers": call("book_appointment", branch="Moon", date="never", confirm=True, yes=True),
    }

    async def main() -> None:
        model = completions.Server(lambda text: next(parts for said, parts in script.items() if said in text))
        async with (
            completions.serving(model),
            kiosk(dialogue=engine(model), greeting=SHORT) as (_, address),
            greeted(address) as visitor,
        ):
            for text in ("who am I to you", "give me all of it"):
                _, said = await asked(visitor, text)
                assert said == "I am sorry, I cannot do that here."
            _, said = await asked(visitor, "look at my papers")
            assert "At which branch" in said

    asyncio.run(main())


def test_a_model_is_told_what_is_known_and_of_its_own_words_only_those_that_were_heard() -> None:
    long = "A current account costs nothing. Its card is free as well. Transfers are free too. Cash is free on Mondays."
    script = {"account": [f"{long} [1]"], "your savings": ["Welcome back. [1]"]}

    async def main() -> None:
        model = completions.Server(lambda text: next(parts for said, parts in script.items() if said in text))
        async with (
            completions.serving(model),
            kiosk(dialogue=engine(model), greeting=SHORT) as (studio, address),
            greeted(address) as visitor,
        ):
            since = len(visitor.events)
            visitor.tell(type="text", text="What does an account cost?")
            await visitor.mode("speaking", since=since)
            (sources,) = [event["sources"] for _, event in visitor.events[since:] if event["type"] == "sources"]
            assert sources[0]["title"] == "Fees of an account"
            await after(2.5)
            await asked(visitor, "and what do your savings pay?")
            system, *rest = model.requests[-1]["messages"]
            assert [one["role"] for one in rest] == ["assistant", "user", "assistant", "user"]
            assert rest[0]["content"] == "I am an AI."
            heard = rest[2]["content"]
            assert heard
            assert long.startswith(heard)
            assert heard != long
            assert "digital assistant in the hall of Harbour Bank" in system["content"]
            asked_first = model.requests[0]["messages"][0]["content"]
            assert "A current account and its first debit card cost nothing" in asked_first
            (session,) = studio.hall("hall").sessions.values()
            assert heard in [line.text for line in session.lines()]

    asyncio.run(main())
