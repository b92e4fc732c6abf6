"""Business at the counter: the conversation about actions, without any model.

All decisions fall when `Clerk.take` is called, before anything is said. An action that runs belongs to the clerk, not to
the reply that began it: a visitor who cuts that reply off neither stops it nor loses what came of it.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from anchor.clock import wall_time
from anchor.dialogue.actions import Action
from anchor.dialogue.http_tool import Outcome
from anchor.dialogue.intents import Intent, asks, intent, wants_news
from anchor.dialogue.wording import base, corrects, normal, said
from anchor.errors import ActionError
from anchor.interactive.clerk_words import joined, word
from anchor.interactive.filling import MISSES, Filling, Heard, said_template
from anchor.talk import Form, Tool, ToolCall

logger = logging.getLogger(__name__)

Run = Callable[[Action, Mapping[str, Any]], Awaitable[Outcome]]
"""Does an action. Raises `ActionError`."""

QUICK = 0.7
"""Seconds that a visitor waits in silence; what takes longer is announced."""

CHECKS = 3
"""Identity checks that may fail in one conversation."""

_DEEPEST = 3
"""Actions that may wait for one another."""

Ending = Literal["done", "refused", "failed", "unknown"]


@dataclass(frozen=True, slots=True)
class ActionRecord:
    """What was asked of a back-end. `arguments` are in JSON form with secrets masked.

    `outcome`: done; refused (nothing was done, a value was not to be had); failed (nothing was done); unknown.
    """

    name: str
    arguments: Mapping[str, Any]
    outcome: Ending
    at: datetime


@dataclass(frozen=True, slots=True)
class _News:
    """What came of an action, to be told once."""

    filling: Filling
    outcome: Outcome


class Clerk:
    """The business of one conversation: collects what an action needs, reads it back, does it after a yes.

    `run` does an action, `on_done` learns of each that was tried. All methods are called on the event loop.
    """

    def __init__(
        self,
        actions: Sequence[Action],
        run: Run,
        *,
        today: Callable[[], date],
        on_done: Callable[[ActionRecord], None],
    ) -> None:
        self._actions = {action.name: action for action in actions}
        self._lent = {action.identify.action for action in actions if action.identify}
        self._run = run
        self._today = today
        self._on_done = on_done
        self._stack: list[Filling] = []
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._news: list[_News] = []
        self._doubtful: set[str] = set()
        self._failed_checks = 0
        self._language = "en"
        self._last = ""
        self._closed = False

    @property
    def active(self) -> bool:
        """Business is in progress: something is asked, waits for a yes, or runs."""
        return bool(self._stack)

    @property
    def busy(self) -> bool:
        """Something is being done, which has a time limit of its own."""
        return bool(self._tasks)

    def concerns(self, text: str) -> bool:
        """Whether `take` would do something about a text, rather than leave it to others."""
        return bool(self._stack or self._news) or self._triggered(text) is not None

    @property
    def form(self) -> Form | None:
        """What the page shows, in the language of what was last taken."""
        return self._stack[-1].form(self._language, self._today()) if self._stack else None

    def tools(self, language: str) -> tuple[Tool, ...]:
        """What a dialogue may ask for; identity checks only come by themselves."""
        return tuple(action.tool(language) for action in self._actions.values() if action.name not in self._lent)

    # What a visitor says.

    def take(self, text: str, language: str) -> AsyncIterator[str] | None:
        """Answer what was said, or None when it has nothing to do with business.

        A question aside during business is None as well; answer it, then say the `reminder`.
        """
        if self._closed or not text.strip():
            return None
        self._language = language
        if not self._stack:
            return self._take_idle(text, language)
        top = self._stack[-1]
        meant = intent(text)
        if top.state == "running":
            return self._take_running(top, text, meant)
        if meant == "cancel":
            return self._stop()
        if meant == "repeat":
            return self._say(self._last or self._prompt())
        if top.state == "confirming":
            return self._take_confirming(top, text, meant)
        if top.state == "offering" and meant == "yes":
            return self._stop()
        return self._take_value(top, text, meant)

    def _take_idle(self, text: str, language: str) -> AsyncIterator[str] | None:
        action = self._triggered(text)
        if action is not None:
            return self._begin(action, text)
        if self._news and (wants_news(text) or intent(text)):
            return self._say()
        if intent(text) == "repeat" and self._last:
            return self._say(self._last)
        self._last = ""
        return None

    def _triggered(self, text: str) -> Action | None:
        best, strength = None, 0
        for action in self._actions.values():
            for trigger in (trigger for listed in action.triggers.values() for trigger in listed):
                if (found := trigger.strength(text)) > strength:
                    best, strength = action, found
        return best

    def _begin(self, action: Action, text: str) -> AsyncIterator[str]:
        filling = Filling(action)
        heard = filling.absorb(text, self._language, self._today())
        self._stack.append(filling)
        return self._go_on(heard)

    def _take_running(self, top: Filling, text: str, meant: Intent) -> AsyncIterator[str] | None:
        if meant == "cancel":
            return self._wait(top, word("under_way" if top.action.changes else "still", self._language))
        if meant or wants_news(text):
            return self._wait(top, word("still", self._language))
        return None

    def _take_confirming(self, top: Filling, text: str, meant: Intent) -> AsyncIterator[str] | None:
        if meant == "yes":
            return self._start(top) if top.armed else self._say(self._prompt(), arms=top)
        if meant == "no":
            top.state, top.armed = "changing", False
            return self._say(word("change_what", self._language))
        return self._take_value(top, text, meant)

    def _others(self, top: Filling, text: str) -> Action | None:
        """Another action that a text begins, if there is room for it."""
        action = self._triggered(text)
        waiting = {filling.action.name for filling in self._stack}
        return action if action is not None and action.name not in waiting and len(self._stack) < _DEEPEST else None

    def _take_value(self, top: Filling, text: str, meant: Intent) -> AsyncIterator[str] | None:
        language, today = self._language, self._today()
        other = self._others(top, text)
        if other is not None and not corrects(normal(text)):
            return self._begin(other, text)
        heard = top.absorb(text, language, today)
        if heard:
            return self._go_on(heard)
        if meant == "no" and top.state == "offering":
            top.state = "filling" if top.missing else "confirming"
            return self._say(self._prompt(), arms=top)
        if meant == "no" and top.state in ("changing", "filling") and top.values:
            top.state = "changing"
            return self._say(word("change_what", language))
        if not meant and asks(text):
            top.armed = False
            return None
        return self._missed(top)

    def _missed(self, top: Filling) -> AsyncIterator[str]:
        language = self._language
        top.misses += 1
        if top.misses >= MISSES:
            top.misses, top.state = 0, "offering"
            return self._say(word("offer", language))
        if top.state == "confirming":
            top.armed = False
            return self._say(joined(language, word("say_yes", language), self._prompt()), arms=top)
        if top.state == "changing":
            return self._say(word("change_what", language))
        return self._say(joined(language, word("missed", language), self._prompt(again=True)))

    # Buttons, models and the lead's calls.

    def begin(self, call: ToolCall, language: str) -> AsyncIterator[str]:
        """Begin or fill in an action that a model asks for; what it gives is checked, and never a secret."""
        self._language = language
        action = self._actions.get(call.name)
        if self._closed or action is None or action.name in self._lent:
            return self._say(word("unknown_action", language))
        top = self._stack[-1] if self._stack else None
        if top is not None and top.state == "running":
            return self._wait(top, word("still", language))
        known = next((filling for filling in self._stack if filling.action.name == action.name), None)
        if known is None and len(self._stack) >= _DEEPEST:
            return self._say(self._prompt())
        filling = known or Filling(action)
        heard = filling.put(call.arguments, language, self._today())
        filling.armed = False
        if known is None:
            self._stack.append(filling)
        return self._go_on(heard)

    def confirm(self, yes: bool, language: str) -> AsyncIterator[str]:
        """A button beside the form, which shows all that is to be done: it needs no reading back."""
        self._language = language
        top = self._stack[-1] if self._stack else None
        if top is not None and top.state == "running":
            return self._wait(top, word("still", language))
        if top is None or top.state != "confirming":
            return self._say("" if self._news else word("nothing_to_do", language))
        if yes:
            return self._start(top)
        top.state, top.armed = "changing", False
        return self._say(word("change_what", language))

    def cancel(self) -> None:
        """Drop what is not under way."""
        self._stack = [filling for filling in self._stack if filling.state == "running"]

    def reminder(self, language: str) -> str:
        """The open question again, after a question aside; "" when nothing is asked."""
        self._language = language
        if not self._stack or self._stack[-1].state == "running":
            return ""
        top = self._stack[-1]
        if top.state == "confirming":
            top.armed = True
        self._last = self._prompt()
        return self._last

    def pending_news(self, language: str) -> str:
        """What came of actions and was not told yet, "" for nothing. It counts as told."""
        self._language = language
        told = self._render()
        self._news.clear()
        return told

    async def close(self) -> None:
        """Wait for what is under way, each as long as its timeout; nothing new is begun."""
        self._closed = True
        self._stack = [filling for filling in self._stack if filling.state == "running"]
        if self._tasks:
            await asyncio.wait(list(self._tasks.values()))

    # What happens next.

    def _go_on(self, heard: Heard) -> AsyncIterator[str]:
        """Ask for what is missing, read back what is known, or do what needs no yes."""
        language, today = self._language, self._today()
        top = self._stack[-1]
        if top.action.identify is not None and not top.given:
            if self._failed_checks >= CHECKS:
                self._drop(top)
                return self._say(word("not_identified", language), self._resumed())
            check = Filling(self._actions[top.action.identify.action], lends_to=top)
            self._stack.append(check)
            return self._go_on(Heard())
        if top.missing:
            top.state, top.armed, top.asking = "filling", False, top.missing[0]
            return self._say(joined(language, top.acknowledge(heard.changed, language, today), self._prompt()))
        top.asking = ""
        if top.action.confirm:
            top.state, top.armed = "confirming", False
            return self._say(self._prompt(), arms=top)
        return self._start(top)

    def _prompt(self, *, again: bool = False) -> str:
        """The open question of what is on top."""
        top = self._stack[-1]
        language, today = self._language, self._today()
        if top.state == "running":
            return word("still", language)
        if top.state == "changing":
            return word("change_what", language)
        if top.state == "confirming":
            return top.read_back(language, today)
        return top.question(language, today, again=again) if top.asking else ""

    def _resumed(self) -> str:
        """What was set aside is on top again: name it, and ask its open question."""
        if not self._stack or self._stack[-1].state == "running":
            return ""
        title = said(self._stack[-1].action.title, self._language)
        return joined(self._language, word("back", self._language, title=title), self._prompt())

    def _stop(self) -> AsyncIterator[str]:
        self._drop(self._stack[-1])
        return self._say(word("stopped", self._language), self._resumed(), arms=self._stack[-1] if self._stack else None)

    def _drop(self, filling: Filling) -> None:
        """Take an action off, with what waits for it as its identity check, or is its check."""
        gone = [filling]
        if filling.lends_to is not None:
            gone.append(filling.lends_to)
        gone += [one for one in self._stack if one.lends_to is filling]
        self._stack = [one for one in self._stack if not any(one is other for other in gone)]

    def _start(self, top: Filling) -> AsyncIterator[str]:
        """Do it: once, in a task of its own."""
        print_of_it = json.dumps([top.action.name, top.arguments], sort_keys=True)
        if print_of_it in self._doubtful:
            self._drop(top)
            return self._say(word("tried", self._language), self._resumed())
        top.state, top.armed = "running", False
        loop = asyncio.get_running_loop()
        task = loop.create_task(self._perform(top, print_of_it), name=f"action {top.action.name}")
        self._tasks[id(top)] = task
        return self._wait(top)

    async def _perform(self, filling: Filling, print_of_it: str) -> None:
        action = filling.action
        ending: Ending
        try:
            outcome = await self._run(action, dict(filling.arguments))
            ending = "done" if outcome.done else "refused"
        except ActionError as error:
            logger.warning("%s", error)
            outcome = Outcome(done=error.done, error=str(error))
            ending = "unknown" if error.done is None else "failed"
        except Exception:
            # Whatever broke, the visitor must not be left waiting, nor be told that nothing was done.
            logger.exception("%s broke", action.name)
            outcome, ending = Outcome(done=None, error="broken"), "unknown"
        if ending == "unknown":
            self._doubtful.add(print_of_it)
        record = ActionRecord(action.name, filling.masked, ending, wall_time())
        self._conclude(filling, outcome)
        self._tasks.pop(id(filling), None)
        self._on_done(record)

    def _conclude(self, filling: Filling, outcome: Outcome) -> None:
        """Put away what has ended, and what its end means for what is below it."""
        if filling.lends_to is not None:
            self._conclude_check(filling, filling.lends_to, outcome)
            return
        if outcome.field:
            filling.reject(outcome.field, outcome.choices)
            filling.asking = outcome.field
            return
        self._drop(filling)
        self._news.append(_News(filling, outcome))

    def _conclude_check(self, check: Filling, lends_to: Filling, outcome: Outcome) -> None:
        identify = lends_to.action.identify
        assert identify is not None
        if not any(one is lends_to for one in self._stack):
            self._drop(check)
            return
        data = outcome.data if outcome.done and isinstance(outcome.data, Mapping) else {}
        given = {name: data.get(path) for name, path in identify.gives.items()}
        if outcome.done and all(value not in (None, "", False) for value in given.values()):
            self._stack = [one for one in self._stack if one is not check]
            lends_to.given = given
            missing = lends_to.missing
            lends_to.asking = missing[0] if missing else ""
            lends_to.state = "filling" if missing else "confirming"
            return
        if outcome.error:
            self._drop(check)
            self._news.append(_News(check, outcome))
            return
        self._failed_checks += 1
        if self._failed_checks >= CHECKS:
            self._drop(check)
            self._news.append(_News(check, outcome))
            return
        check.values.clear()
        check.state, check.asking = "filling", check.missing[0]
        self._news.append(_News(check, outcome))

    # What is said.

    async def _say(self, *sentences: str, arms: Filling | None = None) -> AsyncIterator[str]:
        """News first, then the sentences. `arms`: once all is said, a yes counts for this one."""
        news = tuple(self._news)
        for text in (self._render(), *sentences):
            if text:
                self._last = text
                yield text
        self._told(news)
        if arms is not None and arms.state == "confirming" and self._stack and self._stack[-1] is arms:
            arms.armed = True

    async def _wait(self, top: Filling, announcement: str = "") -> AsyncIterator[str]:
        """Tell what comes of an action as soon as it is known, and ask what is open then."""
        task = self._tasks.get(id(top))
        if announcement:
            yield announcement
        elif task is not None:
            done, _ = await asyncio.wait({task}, timeout=QUICK)
            if not done:
                yield word("moment", self._language)
        if task is not None:
            await asyncio.wait({task})
        news = tuple(self._news)
        told = self._render()
        if told:
            self._last = told
            yield told
        self._told(news)
        if self._stack and self._stack[-1].state != "running":
            after = self._stack[-1]
            resumes = after is not top and top.lends_to is not after
            self._last = joined(self._language, told, text := self._resumed() if resumes else self._prompt())
            yield text
            if after.state == "confirming":
                after.armed = True

    def _told(self, news: Sequence[_News]) -> None:
        self._news = [one for one in self._news if not any(one is other for other in news)]

    def _render(self) -> str:
        return joined(self._language, *(self._report(one.filling, one.outcome) for one in self._news))

    def _report(self, filling: Filling, outcome: Outcome) -> str:
        language, action = self._language, filling.action
        if filling.lends_to is not None and not outcome.error:
            return word("not_identified" if self._failed_checks >= CHECKS else "not_verified", language)
        if outcome.error or not outcome.done:
            failed = said(action.say_error, language) or word("failed", language)
            if outcome.done is None:
                return joined(language, failed, word("not_known", language))
            return joined(language, failed, word("nothing_done", language) if action.changes else "")
        template = said_template(action.say, language)
        if template.empty(outcome.data) and action.say_empty:
            return said(action.say_empty, language)
        slots = filling.shows(language, self._today())
        try:
            return str(template.fill(outcome.data, slots, language=base(language), today=self._today()))
        except ValueError as error:
            logger.warning("%s: %s", action.name, error)
            return word("done_unread" if action.changes else "failed", language)
