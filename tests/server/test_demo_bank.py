from __future__ import annotations

import asyncio
from datetime import date, timedelta

import httpx
from fastapi import FastAPI

from anchor.server.demo_bank import _MOST, BRANCHES, CUSTOMERS, RATES, router

TODAY = date(2026, 11, 26)
BOOKING = {"branch": "central", "date": "2026-11-27", "time": "14:00", "name": "Bob"}


class Bank:
    """The bank's routes, on a day that may pass."""

    def __init__(self) -> None:
        self.today = TODAY
        app = FastAPI()
        app.include_router(router(today=lambda: self.today))
        self._client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bank/demo/bank")

    def ask(self, method: str, url: str, **values: object) -> httpx.Response:
        async def main() -> httpx.Response:
            return await self._client.request(method, url, **values)  # type: ignore[arg-type]

        return asyncio.run(main())


def test_branches_are_found_by_district() -> None:
    bank = Bank()
    assert len(bank.ask("GET", "/branches").json()["branches"]) == len(BRANCHES)
    (airport,) = bank.ask("GET", "/branches?district=airport").json()["branches"]
    assert airport["name_zh"] == "机场"
    assert bank.ask("GET", "/branches?district=moon").json() == {"branches": []}


def test_a_booking_under_one_key_is_made_once() -> None:
    bank = Bank()
    key = {"Idempotency-Key": "k1"}
    first = bank.ask("POST", "/appointments", json=BOOKING, headers=key)
    again = bank.ask("POST", "/appointments", json=BOOKING, headers=key)
    assert first.status_code == 200 and again.json() == first.json()
    other = bank.ask("POST", "/appointments", json={**BOOKING, "name": "Eve"}, headers=key)
    assert other.status_code == 422


def test_a_time_that_is_taken_comes_with_those_that_are_free() -> None:
    bank = Bank()
    free = [one["time"] for one in bank.ask("GET", "/times?branch=central&date=2026-11-27").json()["times"]]
    assert free and bank.ask("POST", "/appointments", json={**BOOKING, "time": free[0]}).status_code == 200
    refused = bank.ask("POST", "/appointments", json={**BOOKING, "time": free[0]})
    assert refused.status_code == 409
    assert refused.json()["detail"] == {"field": "time", "choices": free[1:5]}


def test_closed_days_past_days_and_odd_times_are_refused() -> None:
    bank = Bank()
    for day in ("2026-11-29", "2026-11-25", str(TODAY + timedelta(days=91))):
        refused = bank.ask("POST", "/appointments", json={**BOOKING, "date": day})
        assert (refused.status_code, refused.json()["detail"]["field"]) == (409, "date")
    for at in ("08:00", "17:00", "15:10"):
        refused = bank.ask("POST", "/appointments", json={**BOOKING, "time": at})
        assert (refused.status_code, refused.json()["detail"]["field"]) == (409, "time")
    saturday = bank.ask("GET", "/times?branch=central&date=2026-11-28").json()["times"]
    assert all("10:00" <= one["time"] < "14:00" for one in saturday)
    refused = bank.ask("POST", "/appointments", json={**BOOKING, "branch": "moon"})
    assert refused.json()["detail"]["field"] == "branch"


def test_an_appointment_is_cancelled_once() -> None:
    bank = Bank()
    reference = bank.ask("POST", "/appointments", json=BOOKING).json()["reference"]
    assert bank.ask("DELETE", f"/appointments/{reference}").json() == {"reference": reference, "cancelled": True}
    refused = bank.ask("DELETE", f"/appointments/{reference}")
    assert (refused.status_code, refused.json()["detail"]["field"]) == (404, "reference")


def test_a_balance_needs_an_identity_and_is_read_once() -> None:
    bank = Bank()
    assert bank.ask("POST", "/identity", json={"card": "4421", "birthday": "1985-05-04"}).json() == {"verified": False}
    assert bank.ask("GET", "/balance?session=guess").status_code == 401
    (card, birthday), (amount, currency) = next(iter(CUSTOMERS.items()))
    session = bank.ask("POST", "/identity", json={"card": card, "birthday": birthday}).json()["session"]
    answer = bank.ask("GET", f"/balance?session={session}").json()
    assert answer == {"balance": amount, "currency": currency, "on": "2026-11-26"}
    assert bank.ask("GET", f"/balance?session={session}").status_code == 401


def test_rates_are_fixed() -> None:
    bank = Bank()
    assert bank.ask("GET", "/rates?currency=USD").json() == {"currency": "USD", "rate": RATES["USD"], "base": "CNY"}
    assert bank.ask("GET", "/rates?currency=XYZ").json()["detail"] == {"field": "currency", "choices": list(RATES)}


def test_a_new_day_begins_with_empty_books() -> None:
    bank = Bank()
    reference = bank.ask("POST", "/appointments", json=BOOKING).json()["reference"]
    bank.today += timedelta(days=1)
    assert bank.ask("DELETE", f"/appointments/{reference}").status_code == 404


def test_the_books_are_bounded() -> None:
    bank = Bank()

    async def main() -> int:
        app = FastAPI()
        app.include_router(router(today=lambda: TODAY))
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://bank/demo/bank") as client:
            body = {"card": "4421", "birthday": "1985-05-03"}
            sessions = [(await client.post("/identity", json=body)).json()["session"] for _ in range(_MOST + 1)]
            return (await client.get("/balance", params={"session": sessions[0]})).status_code

    assert asyncio.run(main()) == 401
    assert bank.ask("POST", "/identity", json={"card": "44211", "birthday": "1985-05-03"}).status_code == 422
