"""One text against all slots of an action: what it gives, changes, or leaves in doubt."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, time
from typing import Any

from anchor.dialogue.actions import Parameter
from anchor.dialogue.choices import Choice, chosen
from anchor.dialogue.intents import asks
from anchor.dialogue.values import Spec, Unclear, Value, shown, understand
from anchor.dialogue.wording import corrects, normal

_EARLIER = re.compile(r"\b(?:earlier|sooner|this week|former)\b|前面|早一点|这周|本周|前一个")
_LATER = re.compile(r"\b(?:later|next week|latter)\b|后面|晚一点|下周|后一个")
_MORNING = re.compile(r"\b(?:morning|a\.?m)\b|上午|早上|凌晨|早晨")
_AFTERNOON = re.compile(r"\b(?:afternoon|evening|night|p\.?m)\b|下午|晚上|傍晚")
_INTO = re.compile(r"^\W*(?:(?:to|is|into|should be)\b|改成|改为|改到|换成|换到|应该是|成|为|是)?\W*")
_ABOUT = re.compile(r"^(?:and |so |well )*(?:how|what) about\s+|(?:怎么样|可以吗|行吗|好吗|行不行|可不可以)[？?。]*$")


@dataclass(frozen=True, slots=True)
class Heard:
    """What a text gave: names of values that are new or changed, and of those that are unclear."""

    changed: tuple[str, ...] = ()
    unclear: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.changed or self.unclear)


@dataclass(frozen=True, slots=True)
class Slots:
    """What a text is held against. `offered`: values that a back-end would take.

    `reopened`: everything was known already, so whatever is said of a slot changes it.
    """

    parameters: Sequence[Parameter]
    values: Mapping[str, Any]
    asking: str
    unclear: Mapping[str, Unclear]
    offered: Mapping[str, tuple[Any, ...]]
    reopened: bool


class Reading:
    """One text against all slots."""

    def __init__(self, text: str, slots: Slots, *, language: str, today: date) -> None:
        about = _ABOUT.sub("", normal(text))
        self._text = about if about != normal(text) else text
        self._plain = about
        self._slots = slots
        self._language = language
        self._today = today
        self._spans: list[tuple[int, int]] = []
        self._corrects = corrects(self._plain) or slots.reopened
        self.found: dict[str, Any] = {}
        self.doubts: dict[str, Unclear] = {}

    def run(self) -> Heard:
        slots = self._slots
        asked = [one for one in slots.parameters if one.name == slots.asking]
        others = [one for one in slots.parameters if one.name != slots.asking]
        for one in asked:
            if (options := self._doubted(one)) is not None:
                self._take(one, Value(options, 0, len(self._plain)))
            else:
                self._take(one, self._understand(one, lenient=False))
        for one in others:
            if one.name not in slots.values or self._corrects:
                self._take(one, self._understand(one, lenient=False))
        for one in asked:
            if one.name not in self.found and one.name not in self.doubts:
                self._leniently(one)
        if not self.found and not self.doubts and self._corrects:
            self._correct(others)
        if not self.found and not self.doubts:
            # A value for another slot is a correction even without a word that says so.
            self._corrects = not any(one.spec.kind in ("text", "name") for one in asked)
            for one in others:
                self._take(one, self._understand(one, lenient=False))
        return Heard(tuple(self.found), tuple(self.doubts))

    def _understand(self, one: Parameter, *, lenient: bool, text: str | None = None) -> Value | Unclear:
        return understand(
            self._text if text is None else text,
            _among(one.spec, self._slots.offered.get(one.name, ())),
            language=self._language,
            today=self._today,
            lenient=lenient,
            before=self._slots.values.get(one.name),
        )

    def _take(self, one: Parameter, result: Value | Unclear) -> bool:
        if isinstance(result, Unclear):
            loud = one.name == self._slots.asking or one.name not in self._slots.values or self._corrects
            if result.problem != "nothing" and loud and self._free(result.start, result.end):
                self.doubts[one.name] = result
                self._spans.append((result.start, result.end))
            return False
        if not self._free(result.start, result.end):
            return False
        if not fits(one, result.value):
            self.doubts[one.name] = Unclear("outside" if one.spec.kind in ("amount", "number") else "invalid")
            return False
        self._spans.append((result.start, result.end))
        if self._slots.values.get(one.name) != result.value:
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
        doubt = self._slots.unclear.get(one.name)
        if doubt is None or len(doubt.options) < 2:
            return None
        options = list(doubt.options)
        texts = [shown(value, one.spec, language=self._language, today=self._today) for value in options]
        plain = understand(self._text, one.spec, language=self._language, today=self._today, lenient=False)
        if isinstance(plain, Value):
            return plain.value
        named = [Choice(value, {self._language: (text,)}) for value, text in zip(options, texts, strict=True)]
        pick = chosen(self._plain, named, lenient=True)
        if pick is not None and len(pick.values) == 1:
            return pick.values[0]
        if one.spec.kind == "time":
            for pattern, late in ((_MORNING, False), (_AFTERNOON, True)):
                fitting = [value for value in options if (value >= "12:00") is late]
                if pattern.search(self._plain) and len(fitting) == 1:
                    return fitting[0]
        loose = understand(self._text, one.spec, language=self._language, today=self._today)
        if isinstance(loose, Value):
            return loose.value
        if len(common := [value for value in loose.options if value in options]) == 1:
            return common[0]
        if _LATER.search(self._plain):
            return options[-1]
        return options[0] if _EARLIER.search(self._plain) else None

    def _correct(self, others: Sequence[Parameter]) -> None:
        """A correction without a plain value: "change the time", "no, four"."""
        for one in others:
            labels = [normal(label) for label in one.label.values() if normal(label) in self._plain]
            if labels:
                rest = self._plain.partition(labels[0])[2]
                rest = _INTO.sub("", rest)
                if not self._take(one, self._understand(one, lenient=True, text=rest)) and one.name not in self.doubts:
                    kinds: Any = "incomplete" if one.spec.kind in ("date", "time", "birthday") else "nothing"
                    self.doubts[one.name] = Unclear(kinds)
                return
        if not self._slots.reopened:
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
        ends = sorted(time.fromisoformat(str(value)) for value in offered)
        return replace(spec, window=(ends[0], ends[-1]))
    return spec


def fits(parameter: Parameter, value: Any) -> bool:
    """A value in JSON form is one that the action takes and that can be shown."""
    from jsonschema import Draft202012Validator

    try:
        shown(value, parameter.spec, language="en", today=date.min)
    except (ValueError, TypeError, ArithmeticError):
        return False
    return bool(Draft202012Validator(parameter.schema).is_valid(value))
