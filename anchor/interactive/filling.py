"""One action whose values are being collected: a pure state machine, texts in, questions out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from anchor.dialogue.actions import Action, Parameter, accept
from anchor.dialogue.choices import Choice, chosen, listed
from anchor.dialogue.intents import asks
from anchor.dialogue.values import Spec, Unclear, Value, shown, understand
from anchor.dialogue.wording import corrects, normal, said
from anchor.interactive.clerk_words import joined, word
from anchor.talk import Form, Slot

MASK = "••••"
"""What stands for a secret on the page and in records."""

MISSES = 3
"""Misunderstandings of one slot after which stopping is offered."""

_LISTED = 6
"""Choices that are said aloud; all are shown."""

State = Literal["filling", "confirming", "changing", "offering", "running"]
_EARLIER = re.compile(r"\b(?:earlier|sooner|this week|former)\b|前面|早一点|这周|本周|前一个")
_LATER = re.compile(r"\b(?:later|next week|latter)\b|后面|晚一点|下周|后一个")
_MORNING = re.compile(r"\b(?:morning|a\.?m)\b|上午|早上|凌晨|早晨")
_AFTERNOON = re.compile(r"\b(?:afternoon|evening|night|p\.?m)\b|下午|晚上|傍晚")
_ABOUT = re.compile(r"^(?:and |so |well )*(?:how|what) about\s+|(?:怎么样|可以吗|行吗|好吗|行不行|可不可以)[？?。]*$")


@dataclass(frozen=True, slots=True)
class Heard:
    """What a text gave: names of values that are new or changed, and of those that are unclear."""

    changed: tuple[str, ...] = ()
    unclear: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.changed or self.unclear)


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
        return [*(n for n in open_slots if n in self.unclear), *reopened, *(n for n in open_slots if n not in self.unclear)]

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
        about = _ABOUT.sub("", normal(text))
        text = about if about != normal(text) else text
        reading = _Reading(self, text, language, today)
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

    def reject(self, name: str, choices: Sequence[Any]) -> None:
        """The back-end does not take a value, but would take `choices`."""
        one = self.action.parameter(name)
        self.values.pop(name, None)
        fitting = tuple(value for value in choices if isinstance(value, (str, int, float)) and _fits(one, value))
        self.offered[name] = fitting
        self.unclear[name] = Unclear("outside", fitting)
        self.state, self.armed = "filling", False

    def question(self, language: str, today: date, *, again: bool = False) -> str:
        """What to ask now. `again`: it was asked before and not understood."""
        one = self.action.parameter(self.asking)
        doubt = self.unclear.get(self.asking)
        options = self._options(self.asking, language, today)
        ask = said(one.ask, language) or said(one.label, language)
        if doubt is not None:
            return _doubtful(one, doubt, options, ask, language, rejected=self.asking in self.offered)
        if not again or not options:
            return ask
        return joined(language, ask, word("choose", language, options=listed(options[:_LISTED], language)))

    def read_back(self, language: str, today: date) -> str:
        """All of what is to be done, and the question whether that is right."""
        values = {name: text for name, text in self.shows(language, today).items() if text != MASK}
        if self.action.read_back:
            template = self.action.read_back.get(language) or said_template(self.action.read_back, language)
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


def said_template(templates: Mapping[str, Any], language: str) -> Any:
    """The template for a language, as `said` does for texts."""
    for tag in (language, language.split("-")[0], "en"):
        if tag in templates:
            return templates[tag]
    return next(iter(templates.values()))


def _zh(language: str) -> bool:
    return language.lower().startswith("zh")


def _stop(language: str) -> str:
    return "。" if _zh(language) else "."


def _fits(parameter: Parameter, value: Any) -> bool:
    from jsonschema import Draft202012Validator

    return bool(Draft202012Validator(parameter.schema).is_valid(value))


def _doubtful(
    one: Parameter, doubt: Unclear, options: Sequence[str], ask: str, language: str, *, rejected: bool
) -> str:
    spec = one.spec
    row = listed(list(options)[:_LISTED], language)
    if rejected:
        return joined(language, word("taken", language), word("free", language, options=row) if row else "", ask)
    if doubt.problem == "several":
        return word("which", language, options=row) if options else joined(language, word("several", language), ask)
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
    return joined(language, word(doubt.problem if doubt.problem != "nothing" else "missed", language), ask)


class _Reading:
    """One text against all slots."""

    def __init__(self, filling: Filling, text: str, language: str, today: date) -> None:
        self._filling = filling
        self._text = text
        self._plain = normal(text)
        self._language = language
        self._today = today
        self._spans: list[tuple[int, int]] = []
        self._corrects = corrects(self._plain) or filling.state in ("changing", "confirming")
        self.found: dict[str, Any] = {}
        self.doubts: dict[str, Unclear] = {}

    def run(self) -> Heard:
        filling, parameters = self._filling, self._filling.action.parameters
        asked = [one for one in parameters if one.name == filling.asking and filling.state in ("filling", "offering")]
        others = [one for one in parameters if one not in asked]
        for one in asked:
            if (options := self._doubted(one)) is not None:
                self._take(one, Value(options, 0, len(self._plain)))
            else:
                self._take(one, self._understand(one, lenient=False))
        for one in others:
            if one.name not in filling.values or self._corrects:
                self._take(one, self._understand(one, lenient=False))
        for one in asked:
            if one.name not in self.found and one.name not in self.doubts:
                self._leniently(one)
        if not self.found and not self.doubts and self._corrects:
            self._correct(others)
        if not self.found and not self.doubts:
            for one in others:
                self._take(one, self._understand(one, lenient=False))
        return Heard(tuple(self.found), tuple(self.doubts))

    def _understand(self, one: Parameter, *, lenient: bool, text: str | None = None) -> Value | Unclear:
        return understand(
            self._text if text is None else text,
            _among(one.spec, self._filling.offered.get(one.name, ())),
            language=self._language,
            today=self._today,
            lenient=lenient,
            before=self._filling.values.get(one.name),
        )

    def _take(self, one: Parameter, result: Value | Unclear) -> bool:
        if isinstance(result, Unclear):
            loud = one.name == self._filling.asking or one.name not in self._filling.values or self._corrects
            if result.problem != "nothing" and loud and self._free(result.start, result.end):
                self.doubts[one.name] = result
                self._spans.append((result.start, result.end))
            return False
        if not self._free(result.start, result.end):
            return False
        if not _fits(one, result.value):
            self.doubts[one.name] = Unclear("outside" if one.spec.kind in ("amount", "number") else "invalid")
            return False
        self._spans.append((result.start, result.end))
        if self._filling.values.get(one.name) != result.value:
            self.found[one.name] = result.value
        return True

    def _free(self, start: int, end: int) -> bool:
        return not any(start < taken_end and end > taken for taken, taken_end in self._spans)

    def _leniently(self, one: Parameter) -> None:
        if one.spec.kind in ("text", "name") and (self._spans or asks(self._text)):
            return
        if self._spans:
            letters = list(self._plain)
            for start, end in self._spans:
                letters[start:end] = " " * (end - start)
            rest = "".join(letters)
            # What is left of a sentence is rarely an answer by itself; only what is plain in it counts.
            result = self._understand(one, lenient=True, text=rest)
            if isinstance(result, Value):
                self._take(one, Value(result.value))
            return
        self._take(one, self._understand(one, lenient=True))

    def _doubted(self, one: Parameter) -> Any:
        """Which of the readings that were asked back is meant, if the answer says so."""
        doubt = self._filling.unclear.get(one.name)
        if doubt is None or len(doubt.options) < 2:
            return None
        options = list(doubt.options)
        texts = [shown(value, one.spec, language=self._language, today=self._today) for value in options]
        plain = understand(self._text, one.spec, language=self._language, today=self._today)
        if isinstance(plain, Value):
            return plain.value
        if isinstance(plain, Unclear) and len(common := [value for value in plain.options if value in options]) == 1:
            return common[0]
        if one.spec.kind == "time":
            for pattern, late in ((_MORNING, False), (_AFTERNOON, True)):
                fitting = [value for value in options if (value >= "12:00") is late]
                if pattern.search(self._plain) and len(fitting) == 1:
                    return fitting[0]
        named = [Choice(value, {self._language: (text,)}) for value, text in zip(options, texts, strict=True)]
        pick = chosen(self._plain, named, lenient=True)
        if pick is not None and len(pick.values) == 1:
            return pick.values[0]
        if _LATER.search(self._plain):
            return options[-1]
        return options[0] if _EARLIER.search(self._plain) else None

    def _correct(self, others: Sequence[Parameter]) -> None:
        """A correction without a plain value: "change the time", "no, four"."""
        for one in others:
            if any(normal(label) in self._plain for label in one.label.values()):
                if not self._take(one, self._understand(one, lenient=True)) and one.name not in self.doubts:
                    kinds: Any = "incomplete" if one.spec.kind in ("date", "time", "birthday") else "nothing"
                    self.doubts[one.name] = Unclear(kinds)
                return
        if self._filling.state not in ("changing", "confirming"):
            return
        ways = []
        for one in others:
            if one.spec.kind not in ("text", "name", "yes_no"):
                result = self._understand(one, lenient=True)
                if isinstance(result, Value):
                    ways.append((one, result))
        if len(ways) == 1:
            self._take(*ways[0])


def _among(spec: Spec, offered: Sequence[Any]) -> Spec:
    """Times that the back-end offers say which half of the day is meant."""
    if spec.kind == "time" and offered and spec.window is None:
        from datetime import time

        ends = sorted(time.fromisoformat(str(value)) for value in offered)
        return Spec("time", window=(ends[0], ends[-1]))
    return spec
