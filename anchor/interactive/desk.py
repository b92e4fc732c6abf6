"""What lies on the clerk's desk: actions on their way, one on top of another, and what came of those that ended.

A pure state machine: no clock, no tasks, nothing said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from anchor.dialogue.actions import Action
from anchor.dialogue.http_tool import Outcome
from anchor.interactive.filling import Filling

CHECKS = 3
"""Identity checks that may fail in one conversation."""

_DEEPEST = 3
"""Actions that may wait for one another."""

Step = Literal["ask", "confirm", "run", "barred"]


@dataclass(frozen=True, slots=True)
class News:
    """What came of an action, to be told once. `barred`: no further identity check is made."""

    filling: Filling
    outcome: Outcome
    barred: bool = False


class Desk:
    """Actions of one conversation; the one on top is talked about."""

    def __init__(self, actions: Mapping[str, Action]) -> None:
        self._actions = actions
        self._pile: list[Filling] = []
        self._failed_checks = 0
        self.news: list[News] = []

    @property
    def top(self) -> Filling | None:
        return self._pile[-1] if self._pile else None

    @property
    def idle(self) -> bool:
        """Nothing lies here, or what lies on top is under way."""
        return self.top is None or self.top.state == "running"

    @property
    def barred(self) -> bool:
        return self._failed_checks >= CHECKS

    def find(self, name: str) -> Filling | None:
        """The action of that name that is on its way."""
        return next((filling for filling in self._pile if filling.action.name == name), None)

    def has_room(self, name: str) -> bool:
        return self.find(name) is None and len(self._pile) < _DEEPEST

    def lay(self, filling: Filling) -> None:
        self._pile.append(filling)

    def drop(self, filling: Filling) -> None:
        """Take an action off, with what waits for it as its identity check, or is its check."""
        gone = [filling, *(one for one in self._pile if one.lends_to is filling)]
        if filling.lends_to is not None:
            gone.append(filling.lends_to)
        self._pile = [one for one in self._pile if not any(one is other for other in gone)]

    def clear(self) -> None:
        """Drop all that is not under way."""
        self._pile = [filling for filling in self._pile if filling.state == "running"]

    def advance(self) -> Step:
        """What is due for the action on top, after its identity check if it needs one: that is then on top."""
        top = self._pile[-1]
        if top.action.identify is not None and not top.given:
            if self.barred:
                self.drop(top)
                return "barred"
            self.lay(Filling(self._actions[top.action.identify.action], lends_to=top))
            return self.advance()
        top.armed = False
        if top.missing:
            top.state, top.asking = "filling", top.missing[0]
            return "ask"
        top.asking = ""
        if not top.action.confirm:
            return "run"
        top.state = "confirming"
        return "confirm"

    def conclude(self, filling: Filling, outcome: Outcome) -> None:
        """Put away what has ended, and draw from its end what is next for what is below it."""
        if filling.lends_to is not None:
            self._conclude_check(filling, filling.lends_to, outcome)
        elif outcome.field:
            filling.reject(outcome.field, outcome.choices)
        else:
            self.drop(filling)
            self.news.append(News(filling, outcome))

    def _conclude_check(self, check: Filling, lends_to: Filling, outcome: Outcome) -> None:
        if not any(one is lends_to for one in self._pile):
            self.drop(check)
            return
        given = _lent(lends_to, outcome)
        if given is not None:
            self._pile.remove(check)
            lends_to.given = given
            self.advance()
            return
        failed = not outcome.error
        self._failed_checks += failed
        self.news.append(News(check, outcome, barred=failed and self.barred))
        if outcome.error or self.barred:
            self.drop(check)
            return
        check.values.clear()
        self.advance()

    def told(self, news: Sequence[News]) -> None:
        self.news = [one for one in self.news if not any(one is other for other in news)]


def _lent(to: Filling, outcome: Outcome) -> dict[str, Any] | None:
    """What a check's answer lends, None where it lacks anything: then nobody was identified."""
    if to.action.identify is None or not outcome.done or not isinstance(outcome.data, Mapping):
        return None
    given = {name: outcome.data.get(path) for name, path in to.action.identify.gives.items()}
    return given if given and all(value not in (None, "", False) for value in given.values()) else None
