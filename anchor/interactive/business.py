"""Business at the counter: the conversation about actions, without any model.

All decisions fall when `Clerk.take` is called, before anything is said. An action that runs belongs to the clerk, not
to the reply that began it: a visitor who cuts that reply off neither stops it nor loses what came of it.
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
from anchor.dialogue.wording import corrects, normal
from anchor.errors import ActionError
from anchor.interactive.clerk_words import joined, word
from anchor.interactive.desk import Desk
from anchor.interactive.filling import Filling
from anchor.interactive.reading import Heard
from anchor.interactive.telling import report
from anchor.tags import said
from anchor.talk import Form, Tool, ToolCall

logger = logging.getLogger(__name__)

Run = Callable[[Action, Mapping[str, Any]], Awaitable[Outcome]]
"""Does an action. Raises `ActionError`."""

QUICK = 0.7
"""Seconds that a visitor waits in silence; what takes longer is announced."""

LAST = 2.0
"""Seconds that an action has left when the server ends."""

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
        self._checks = {action.identify.action for action in actions if action.identify}
        self._run = run
        self._today = today
        self._on_done = on_done
        self._desk = Desk(self._actions)
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._doubtful: set[str] = set()
        self._language = "en"
        self._last = ""
        self._closed = False

    @property
    def active(self) -> bool:
        """Business is in progress: something is asked, waits for a yes, or runs."""
        return self._desk.top is not None

    @property
    def busy(self) -> bool:
        """Something is being done, which has a time limit of its own."""
        return bool(self._tasks)

    @property
    def asks_secret(self) -> bool:
        """What the visitor says next may be a secret, which nobody keeps."""
        top = self._desk.top
        return top is not None and bool(top.asking) and top.action.parameter(top.asking).secret

    def concerns(self, text: str) -> bool:
        """Whether `take` would do something about a text, rather than leave it to others."""
        return self.active or bool(self._desk.news) or self._triggered(text) is not None

    @property
    def form(self) -> Form | None:
        """What the page shows, in the language of what was last taken."""
        top = self._desk.top
        return top.form(self._language, self._today()) if top else None

    def tools(self, language: str) -> tuple[Tool, ...]:
        """What a dialogue may ask for; identity checks only come by themselves."""
        return tuple(action.tool(language) for action in self._actions.values() if action.name not in self._checks)

    # What a visitor says.

    def take(self, text: str, language: str) -> AsyncIterator[str] | None:
        """Answer what was said, or None when it has nothing to do with business.

        A question aside during business is None as well; answer it, then say the `reminder`.
        """
        if self._closed or not text.strip():
            return None
        self._language = language
        top, meant = self._desk.top, intent(text)
        if top is None:
            return self._take_idle(text, meant)
        if top.state == "running":
            return self._take_running(top, text, meant)
        if meant == "cancel" or (meant == "yes" and top.state == "offering"):
            return self._stop(top)
        if meant == "repeat":
            return self._say(self._last or self._prompt())
        if top.state == "confirming" and meant == "yes":
            return self._start(top) if top.armed else self._say(self._prompt(), arms=top)
        if meant == "no" and top.state == "confirming":
            return self._change(top)
        return self._take_value(top, text, meant)

    def _take_idle(self, text: str, meant: Intent) -> AsyncIterator[str] | None:
        action = self._triggered(text)
        if action is not None:
            return self._begin(action, text)
        if self._desk.news and (meant or wants_news(text)):
            return self._say()
        if meant == "repeat" and self._last:
            return self._say(self._last)
        self._last = ""
        return None

    def _triggered(self, text: str) -> Action | None:
        best, strength = None, 0
        for action in self._actions.values():
            for trigger in (trigger for listed in action.triggers.values() for trigger in listed):
                if (found := trigger.strength(text, looks=not action.changes)) > strength:
                    best, strength = action, found
        return best

    def _begin(self, action: Action, text: str) -> AsyncIterator[str]:
        filling = Filling(action)
        heard = filling.absorb(text, self._language, self._today())
        self._desk.lay(filling)
        return self._go_on(heard)

    def _take_running(self, top: Filling, text: str, meant: Intent) -> AsyncIterator[str] | None:
        if meant == "cancel":
            return self._wait(top, word("under_way" if top.action.changes else "still", self._language))
        if meant or wants_news(text):
            return self._wait(top, word("still", self._language))
        return None

    def _take_value(self, top: Filling, text: str, meant: Intent) -> AsyncIterator[str] | None:
        other = self._triggered(text)
        if other is not None and self._desk.has_room(other.name) and not corrects(normal(text)):
            top.armed = False
            return self._begin(other, text)
        heard = top.absorb(text, self._language, self._today())
        if heard.unclear and not heard.changed and top.miss():
            return self._say(self._prompt())
        if heard:
            return self._go_on(heard)
        if meant == "no" and top.state == "offering":
            return self._go_on(Heard())
        if meant == "no" and top.values:
            return self._change(top)
        if not meant and asks(text):
            top.armed = False
            return None
        return self._missed(top)

    def _change(self, top: Filling) -> AsyncIterator[str]:
        top.state, top.armed = "changing", False
        return self._say(word("change_what", self._language))

    def _missed(self, top: Filling) -> AsyncIterator[str]:
        language = self._language
        if top.miss():
            return self._say(self._prompt())
        if top.state == "confirming":
            return self._say(joined(language, word("say_yes", language), self._prompt()), arms=top)
        if top.state in ("changing", "offering"):
            return self._say(self._prompt())
        return self._say(joined(language, word("missed", language), self._prompt(again=True)))

    def _stop(self, top: Filling) -> AsyncIterator[str]:
        self._desk.drop(top)
        return self._say(word("stopped", self._language), self._resumed(), arms=self._desk.top)

    # Buttons, models and what the conversation calls by itself.

    def begin(self, call: ToolCall, language: str) -> AsyncIterator[str]:
        """Begin or fill in an action that a model asks for; what it gives is checked, and never a secret."""
        self._language = language
        action, top = self._actions.get(call.name), self._desk.top
        if self._closed or action is None or action.name in self._checks:
            return self._say(word("unknown_action", language))
        if top is not None and top.state == "running":
            return self._wait(top, word("still", language))
        known = self._desk.find(action.name)
        if known is None and not self._desk.has_room(action.name):
            return self._say(self._prompt(), arms=top)
        filling = known or Filling(action)
        heard = filling.put(call.arguments, language, self._today())
        if known is None:
            self._desk.lay(filling)
        return self._go_on(heard)

    def confirm(self, yes: bool, language: str) -> AsyncIterator[str]:
        """A button beside the form, which shows all that is to be done: it needs no reading back."""
        self._language = language
        top = self._desk.top
        if top is not None and top.state == "running":
            return self._wait(top, word("still", language))
        if self._closed or top is None or top.state != "confirming":
            return self._say("" if self._desk.news else word("nothing_to_do", language))
        return self._start(top) if yes else self._change(top)

    def cancel(self) -> None:
        """Drop what is not under way."""
        self._desk.clear()

    def reminder(self, language: str) -> str:
        """The open question again, after a question aside; "" when nothing is asked."""
        self._language = language
        top = self._desk.top
        if top is None or top.state == "running":
            return ""
        top.armed = top.state == "confirming"
        self._last = self._prompt()
        return self._last

    def pending_news(self, language: str) -> str:
        """What came of actions and was not told yet, "" for nothing. It counts as told."""
        self._language = language
        told = self._render()
        self._desk.news.clear()
        return told

    def hurry(self) -> None:
        """The server ends: what is under way has `LAST` seconds more, then nobody knows what came of it."""
        loop = asyncio.get_running_loop()
        for task in self._tasks.values():
            loop.call_later(LAST, task.cancel)

    async def close(self) -> None:
        """Wait for what is under way, each as long as its timeout; nothing new is begun."""
        self._closed = True
        self._desk.clear()
        if self._tasks:
            await asyncio.wait(list(self._tasks.values()))

    # What happens next.

    def _go_on(self, heard: Heard) -> AsyncIterator[str]:
        """Ask for what is missing, read back what is known, or do what needs no yes."""
        step, top = self._desk.advance(), self._desk.top
        if step == "barred" or top is None:
            return self._say(word("not_identified", self._language), self._resumed(), arms=top)
        if step == "run":
            return self._start(top)
        if step == "confirm":
            return self._say(self._prompt(), arms=top)
        return self._say(
            joined(self._language, top.acknowledge(heard.changed, self._language, self._today()), self._prompt())
        )

    def _prompt(self, *, again: bool = False) -> str:
        """The open question of what is on top."""
        top, language, today = self._desk.top, self._language, self._today()
        if top is None or top.state == "running":
            return ""
        if top.state == "changing":
            return word("change_what", language)
        if top.state == "offering":
            return word("offer", language)
        return (
            top.read_back(language, today) if top.state == "confirming" else top.question(language, today, again=again)
        )

    def _resumed(self) -> str:
        """What was set aside is on top again: name it, and ask its open question."""
        top = self._desk.top
        if top is None or top.state == "running":
            return ""
        title = said(top.action.title, self._language)
        return joined(self._language, word("back", self._language, title=title), self._prompt())

    def _start(self, top: Filling) -> AsyncIterator[str]:
        """Do it: once, in a task of its own."""
        what = json.dumps([top.action.name, top.arguments], sort_keys=True)
        if what in self._doubtful:
            self._desk.drop(top)
            return self._say(word("tried", self._language), self._resumed(), arms=self._desk.top)
        top.state, top.armed = "running", False
        loop = asyncio.get_running_loop()
        self._tasks[id(top)] = loop.create_task(self._perform(top, what), name=f"action {top.action.name}")
        return self._wait(top)

    async def _perform(self, filling: Filling, what: str) -> None:
        action = filling.action
        ending: Ending
        try:
            outcome = await self._run(action, filling.arguments)
            ending = "done" if outcome.done else "refused"
        except ActionError as error:
            logger.warning("%s", error)
            outcome = Outcome(done=error.done, error=str(error))
            ending = "unknown" if error.done is None else "failed"
        except asyncio.CancelledError:
            outcome, ending = Outcome(done=None, error="cut off"), "unknown"
        except Exception:
            # Whatever broke, the visitor must not be left waiting, nor be told that nothing was done.
            logger.exception("%s broke", action.name)
            outcome, ending = Outcome(done=None, error="broken"), "unknown"
        if ending == "unknown" and action.changes:
            self._doubtful.add(what)
        record = ActionRecord(action.name, filling.masked, ending, wall_time())
        self._desk.conclude(filling, outcome)
        self._tasks.pop(id(filling), None)
        self._on_done(record)

    # What is said.

    async def _say(self, *sentences: str, arms: Filling | None = None) -> AsyncIterator[str]:
        """News first, then the sentences. `arms`: once all is said, a yes counts for this one."""
        news = tuple(self._desk.news)
        for text in (self._render(), *sentences):
            if text:
                self._last = text
                yield text
        self._desk.told(news)
        if arms is not None and arms.state == "confirming" and self._desk.top is arms:
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
        after = self._desk.top
        aside = after is not top and top.lends_to is not after
        async for text in self._say(self._resumed() if aside else self._prompt(), arms=after):
            yield text

    def _render(self) -> str:
        return joined(self._language, *(report(one, self._language, self._today()) for one in self._desk.news))
