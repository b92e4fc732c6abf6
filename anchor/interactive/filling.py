"""One action whose values are being collected: a pure state machine, texts in, questions out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from anchor.dialogue.actions import Action, Parameter, accept
from anchor.dialogue.choices import listed
from anchor.dialogue.values import Unclear, shown
from anchor.interactive.clerk_words import joined, word
from anchor.interactive.reading import Heard, Reading, Slots, fits
from anchor.tags import said
from anchor.talk import Form, Slot

MASK = "••••"
"""What stands for a secret on the page and in records."""

MISSES = 3
"""Misunderstandings of one slot after which stopping is offered."""

_LISTED = 6
"""Choices that are said aloud; all are shown."""

State = Literal["filling", "confirming", "changing", "offering", "running"]


@dataclass(slots=True)
class Filling:
    """An action on its way. `given` is what an identity check lent; `lends_to` is who waits for this check."""

    action: Action
    values: dict[str, Any] = field(default_factory=dict)
    given: dict[str, Any] = field(default_factory=dict)
    lends_to: Filling | None = None
    state: State = "filling"
    asking: str = ""
    misses: int = 0
    unclear: dict[str, Unclear] = field(default_factory=dict)
    offered: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    """Values that the back-end would take for a slot."""
    armed: bool = False
    """What is to be done was read back, and nothing else was said since: now a yes counts."""

    @property
    def missing(self) -> list[str]:
        open_slots = [one.name for one in self.action.parameters if one.required and one.name not in self.values]
        reopened = [name for name in self.unclear if name not in open_slots and name not in self.values]
        return [
            *(n for n in open_slots if n in self.unclear),
            *reopened,
            *(n for n in open_slots if n not in self.unclear),
        ]

    @property
    def arguments(self) -> dict[str, Any]:
        return {**self.values, **self.given}

    @property
    def masked(self) -> dict[str, Any]:
        """The arguments as they may be kept."""
        secret = {one.name for one in self.action.parameters if one.secret} | set(self.given)
        return {name: MASK if name in secret else value for name, value in self.arguments.items()}

    def shows(self, language: str, today: date) -> dict[str, str]:
        """Values in the visitor's words, without secrets."""
        return {
            one.name: MASK if one.secret else shown(self.values[one.name], one.spec, language=language, today=today)
            for one in self.action.parameters
            if one.name in self.values
        }

    def form(self, language: str, today: date) -> Form:
        """What the page shows."""
        values = self.shows(language, today)
        slots = tuple(
            Slot(one.name, said(one.label, language), values.get(one.name, ""))
            for one in self.action.parameters
            if one.required or one.name in values
        )
        confirming = self.state == "confirming"
        asking = self.asking if self.state in ("filling", "offering") else ""
        choices = self._options(asking, language, today) if asking else ()
        return Form(self.action.name, said(self.action.title, language), slots, asking, confirming, tuple(choices))

    def _options(self, name: str, language: str, today: date) -> list[str]:
        one = self.action.parameter(name)
        doubt = self.unclear.get(name)
        if one.secret:
            return []
        values: Sequence[Any] = (doubt.options if doubt else ()) or self.offered.get(name, ())
        if not values and one.spec.kind == "choice":
            values = [choice.value for choice in one.spec.choices]
        if not values and one.spec.kind == "yes_no":
            values = (True, False)
        return [shown(value, one.spec, language=language, today=today) for value in values]

    def put(self, given: Mapping[str, Any], language: str, today: date) -> Heard:
        """Take values from a model; what does not fit is left to be asked."""
        changed = []
        for one in self.action.parameters:
            value = accept(one, given.get(one.name), language=language, today=today)
            if value is not None and self.values.get(one.name) != value:
                self.values[one.name] = value
                changed.append(one.name)
        return Heard(tuple(changed))

    def absorb(self, text: str, language: str, today: date) -> Heard:
        """Take what a text gives for any slot: the one asked for leniently, others where they are plain."""
        open_slot = self.asking if self.state in ("filling", "offering") else ""
        reopened = self.state in ("changing", "confirming")
        slots = Slots(self.action.parameters, self.values, open_slot, self.unclear, self.offered, reopened)
        reading = Reading(text, slots, language=language, today=today)
        heard = reading.run()
        for name, value in reading.found.items():
            self.values[name] = value
            self.unclear.pop(name, None)
            self.offered.pop(name, None)
        for name, doubt in reading.doubts.items():
            self.values.pop(name, None)
            self.unclear[name] = doubt
        if heard:
            self.misses = 0 if heard.changed else self.misses
            self.armed = False
        return heard

    def miss(self) -> bool:
        """Something was not understood; whether that was once too often, so that stopping is offered."""
        self.armed = False
        self.misses += 1
        if self.misses < MISSES:
            return False
        self.misses, self.state = 0, "offering"
        return True

    def reject(self, name: str, choices: Sequence[Any]) -> None:
        """The back-end does not take a value, but would take `choices`."""
        one = self.action.parameter(name)
        self.values.pop(name, None)
        fitting = tuple(value for value in choices if isinstance(value, (str, int, float)) and fits(one, value))
        self.offered[name] = fitting
        self.unclear[name] = Unclear("outside", fitting)
        self.state, self.armed, self.asking = "filling", False, name

    def question(self, language: str, today: date, *, again: bool = False) -> str:
        """What to ask now. `again`: it was asked before and not understood."""
        one = self.action.parameter(self.asking)
        doubt = self.unclear.get(self.asking)
        options = self._options(self.asking, language, today)
        ask = said(one.ask, language) or said(one.label, language)
        if doubt is not None:
            return _doubtful(one, doubt, options, ask, language, rejected=self.asking in self.offered)
        if not again or all(option in ask for option in options):
            return ask
        return joined(language, ask, word("choose", language, options=listed(options[:_LISTED], language)))

    def read_back(self, language: str, today: date) -> str:
        """All of what is to be done, and the question whether that is right."""
        values = {name: text for name, text in self.shows(language, today).items() if text != MASK}
        if self.action.read_back:
            template = self.action.read_back.get(language) or said(self.action.read_back, language)
            return template.fill({}, values, language=language, today=today)
        title = said(self.action.title, language)
        labels = {one.name: said(one.label, language) for one in self.action.parameters}
        if not values:
            return joined(language, f"{title}{_stop(language)}", word("shall_i", language))
        comma, colon = ("，", "：") if _zh(language) else (", ", ": ")
        row = comma.join(f"{labels[name]} {text}" for name, text in values.items())
        return joined(language, f"{title}{colon}{row}{_stop(language)}", word("right", language))

    def acknowledge(self, names: Sequence[str], language: str, today: date) -> str:
        """Say what was understood, so that a mistake is noticed at once; never a secret."""
        values = self.shows(language, today)
        row = [values[name] for name in names if values.get(name, MASK) != MASK]
        return ("，" if _zh(language) else ", ").join(row) + _stop(language) if row else ""


def _zh(language: str) -> bool:
    return language.lower().startswith("zh")


def _stop(language: str) -> str:
    return "。" if _zh(language) else "."


def _doubtful(
    one: Parameter, doubt: Unclear, options: Sequence[str], ask: str, language: str, *, rejected: bool
) -> str:
    spec = one.spec
    row = listed(list(options)[:_LISTED], language)
    if rejected:
        return joined(language, word("taken", language), word("free", language, options=row) if row else "", ask)
    if doubt.problem == "several" and spec.kind == "birthday":
        return word("incomplete_birthday", language)
    if doubt.problem == "several":
        which = listed(list(options)[:_LISTED], language, asked=True)
        return word("which", language, options=which) if options else joined(language, word("several", language), ask)
    if doubt.problem == "outside" and spec.kind == "time" and spec.window:
        ends = [shown(end.strftime("%H:%M"), spec, language=language, today=date.min) for end in spec.window]
        return joined(language, word("outside_time", language, open=ends[0], close=ends[1]), ask)
    if doubt.problem == "outside" and spec.kind == "date":
        return joined(language, word("outside_day", language), ask)
    if doubt.problem == "incomplete":
        kind = spec.kind if spec.kind in ("date", "birthday", "time") else "date"
        return word(f"incomplete_{kind}", language)
    if doubt.problem == "currency":
        return joined(language, word("currency", language, currency=spec.currency), ask)
    if doubt.problem == "nothing":
        return ask
    return joined(language, word(doubt.problem, language), ask)
