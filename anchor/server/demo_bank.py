"""Harbour Bank, which does not exist: a back-end for the actions of the kiosk demo.

Everything is in memory and bounded, and begins anew every day. Nothing here is real: branches, customers, rates.
"""

from __future__ import annotations

import secrets
import zlib
from collections import OrderedDict
from collections.abc import Callable
from datetime import date, time, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Header, HTTPException
from pydantic import BaseModel, ConfigDict, Field

import anchor.clock

BRANCHES = (
    {"id": "central", "name": "Central", "name_zh": "中环", "district": "central", "address": "1 Harbour Road",
     "address_zh": "海港路1号"},
    {"id": "riverside", "name": "Riverside", "name_zh": "河滨", "district": "riverside", "address": "28 River Street",
     "address_zh": "河滨街28号"},
    {"id": "university", "name": "University", "name_zh": "大学", "district": "university",
     "address": "5 College Avenue", "address_zh": "学院大道5号"},
    {"id": "airport", "name": "Airport", "name_zh": "机场", "district": "airport",
     "address": "Terminal 2, ground floor", "address_zh": "二号航站楼一层"},
)  # fmt: skip
RATES = {"USD": 7.12, "EUR": 7.74, "GBP": 9.03, "HKD": 0.91, "JPY": 0.047}
"""Yuan for one of each; fixed, for a demo."""

CUSTOMERS = {("4421", "1985-05-03"): (12_345.60, "CNY"), ("7730", "1992-11-20"): (880.0, "CNY")}
"""Last four digits of a card and birthday of people who do not exist, and what they have."""

_AHEAD = timedelta(days=90)
_SLOT_MINUTES = 30
_MOST = 500


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class AppointmentRequest(_Body):
    branch: Annotated[str, Field(max_length=40)]
    date: date
    time: time
    name: Annotated[str, Field(min_length=1, max_length=60)]


class IdentityRequest(_Body):
    card: Annotated[str, Field(pattern=r"^\d{4}$")]
    birthday: date


class BlockRequest(_Body):
    card: Annotated[str, Field(pattern=r"^\d{4}$")]
    phone: Annotated[str, Field(pattern=r"^\+?\d{5,15}$")]


class _Bounded(OrderedDict[str, Any]):
    """Forgets the oldest entry when it is full."""

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)
        while len(self) > _MOST:
            self.popitem(last=False)


class _Books:
    """What happened today."""

    def __init__(self, today: Callable[[], date]) -> None:
        self._today = today
        self._day = today()
        self._clear()

    def _clear(self) -> None:
        self.appointments = _Bounded()
        self.answers = _Bounded()
        self.sessions = _Bounded()
        self.blocks = _Bounded()

    @property
    def today(self) -> date:
        """The day; a new one begins with empty books."""
        if self._today() != self._day:
            self._day = self._today()
            self._clear()
        return self._day

    def once(self, key: str | None, asked: Any, answer: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Do something, or answer as before when it comes again under the same key."""
        if key is None:
            return answer()
        before = self.answers.get(key)
        if before is None:
            before = (asked, answer())
            self.answers[key] = before
        if before[0] != asked:
            raise HTTPException(422, "this idempotency key was used for something else")
        found: dict[str, Any] = before[1]
        return found

    def free(self, branch: str, day: date) -> list[str]:
        """Times that can be had; some were taken by people who do not exist either."""
        taken = {
            one["time"] for one in self.appointments.values() if (one["branch"], one["date"]) == (branch, str(day))
        }
        return [at for at in _times(day) if at not in taken and zlib.crc32(f"{branch}{day}{at}".encode()) % 9]


def _times(day: date) -> list[str]:
    """Monday to Friday 9 to 17, Saturday 10 to 14; the last appointment begins half an hour before."""
    opens, closes = (9, 17) if day.weekday() < 5 else (10, 14) if day.weekday() == 5 else (0, 0)
    return [f"{minute // 60:02d}:{minute % 60:02d}" for minute in range(opens * 60, closes * 60, _SLOT_MINUTES)]


def _branch(name: str) -> dict[str, str]:
    found = next((branch for branch in BRANCHES if branch["id"] == name), None)
    if found is None:
        raise HTTPException(404, {"field": "branch", "choices": [branch["id"] for branch in BRANCHES]})
    return found


Key = Annotated[str | None, Header(alias="Idempotency-Key", max_length=100)]


def router(*, today: Callable[[], date] = anchor.clock.today) -> APIRouter:
    """Everything under ``/demo/bank``. A refusal names the field that it is about, and what can be had instead."""
    routes = APIRouter(prefix="/demo/bank", include_in_schema=False)
    books = _Books(today)

    def checked_day(day: date) -> None:
        if not books.today <= day <= books.today + _AHEAD or not _times(day):
            raise HTTPException(409, {"field": "date", "choices": []})

    @routes.get("/branches")
    def branches(district: str = "") -> dict[str, Any]:
        return {"branches": [one for one in BRANCHES if not district or one["district"] == district]}

    @routes.get("/times")
    def times(branch: str, date: date) -> dict[str, Any]:
        _branch(branch)
        checked_day(date)
        return {"times": [{"time": at} for at in books.free(branch, date)]}

    @routes.post("/appointments")
    def book(wanted: AppointmentRequest, key: Key = None) -> dict[str, Any]:
        return books.once(key, wanted.model_dump(mode="json"), lambda: booked(wanted))

    def booked(wanted: AppointmentRequest) -> dict[str, Any]:
        branch, at = _branch(wanted.branch), wanted.time.strftime("%H:%M")
        checked_day(wanted.date)
        free = books.free(branch["id"], wanted.date)
        if at not in free:
            raise HTTPException(409, {"field": "time", "choices": _nearest(free, at)})
        reference = _reference()
        while reference in books.appointments:
            reference = _reference()
        entry = {"reference": reference, "branch": branch["id"], "date": str(wanted.date), "time": at}
        books.appointments[reference] = entry
        return {**entry, "branch_name": branch["name"], "branch_name_zh": branch["name_zh"]}

    @routes.delete("/appointments/{reference}")
    def cancel(reference: str) -> dict[str, Any]:
        _ = books.today
        if books.appointments.pop(reference, None) is None:
            raise HTTPException(404, {"field": "reference", "choices": []})
        return {"reference": reference, "cancelled": True}

    @routes.post("/identity")
    def identity(claimed: IdentityRequest) -> dict[str, Any]:
        _ = books.today
        account = CUSTOMERS.get((claimed.card, str(claimed.birthday)))
        if account is None:
            return {"verified": False}
        session = secrets.token_urlsafe(16)
        books.sessions[session] = account
        return {"verified": True, "session": session}

    @routes.get("/balance")
    def balance(session: str) -> dict[str, Any]:
        """A session is good for one look."""
        day = books.today
        account = books.sessions.pop(session, None)
        if account is None:
            raise HTTPException(401, "there is no such session")
        return {"balance": account[0], "currency": account[1], "on": str(day)}

    @routes.get("/rates")
    def rates(currency: str) -> dict[str, Any]:
        if currency not in RATES:
            raise HTTPException(404, {"field": "currency", "choices": list(RATES)})
        return {"currency": currency, "rate": RATES[currency], "base": "CNY"}

    @routes.post("/cards/block")
    def block(wanted: BlockRequest, key: Key = None) -> dict[str, Any]:
        def answer() -> dict[str, Any]:
            _ = books.today
            reference = _reference()
            books.blocks[reference] = wanted.card
            return {"reference": reference, "card": wanted.card}

        return books.once(key, wanted.model_dump(mode="json"), answer)

    return routes


def _reference() -> str:
    return f"{secrets.randbelow(9000) + 1000}"


def _nearest(free: list[str], at: str) -> list[str]:
    """The four free times that lie closest, in order."""

    def minutes(text: str) -> int:
        return int(text[:2]) * 60 + int(text[3:])

    return sorted(sorted(free, key=lambda text: abs(minutes(text) - minutes(at)))[:4])
