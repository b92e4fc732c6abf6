"""What can be done for a visitor: a strict TOML file of HTTP calls, each with what it asks, confirms and says.

Texts are given by language tag. A property of ``parameters`` is a JSON schema (2020-12) with a few keys of ours:
``x-ask``, ``x-label`` (texts), ``x-kind``, ``x-choices`` (value and names by language), ``x-between`` (times of day),
``x-weekdays`` (0 is Monday), ``x-currency`` and ``x-secret``. ``${NAME}`` in a header is an environment variable.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from anchor.config import read_toml
from anchor.dialogue.action_file import ActionTable, FileTable, PropertyTable, describe
from anchor.dialogue.choices import Choice, warm
from anchor.dialogue.templates import Template
from anchor.dialogue.triggers import Trigger
from anchor.dialogue.values import Spec, Value, understand
from anchor.errors import ConfigError
from anchor.tags import base, said
from anchor.talk import Tool

Texts = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value that an action takes. A `secret` is never said again, shown masked and never kept."""

    name: str
    spec: Spec
    schema: Mapping[str, Any]
    ask: Texts
    label: Texts
    required: bool
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Identify:
    """An action that must succeed first; `gives` names what its answer lends to this one (argument: field)."""

    action: str
    gives: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Action:
    """Something that can be done. `parameters` leaves out what an identity check gives; `schema` has all.

    `confirm`: it is read back and waits for a yes.
    """

    name: str
    title: Texts
    description: Texts
    triggers: Mapping[str, tuple[Trigger, ...]]
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    url: str
    headers: Mapping[str, str] = field(repr=False)
    parameters: tuple[Parameter, ...]
    schema: Mapping[str, Any]
    confirm: bool
    read_back: Mapping[str, Template]
    say: Mapping[str, Template]
    say_empty: Texts
    say_error: Texts
    timeout: float
    identify: Identify | None = None

    def phrases(self, language: str) -> list[str]:
        """What begins it in a language and answers its questions, as somebody would say it."""
        begun = [
            trigger.phrase for tag, all_ in self.triggers.items() if base(tag) == base(language) for trigger in all_
        ]
        chosen = list[str]()
        for parameter in self.parameters:
            label = said(parameter.label, language).lower()
            listed = [names for choice in parameter.spec.choices for names in choice.names.items()]
            for name in (name for tag, names in listed if base(tag) == base(language) for name in names):
                chosen.append(name)
                if base(language) == "en":
                    chosen += [f"the {name}", f"{name} please", f"at {name}", f"{name} {label}", f"the {name} {label}"]
        return [phrase for phrase in (*begun, *chosen) if phrase]

    @property
    def changes(self) -> bool:
        """It does something, rather than only look something up."""
        return self.method != "GET"

    def parameter(self, name: str) -> Parameter:
        """Raises `KeyError`."""
        return {one.name: one for one in self.parameters}[name]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(one.name for one in self.parameters)

    def tool(self, language: str = "en") -> Tool:
        """What a dialogue is told: no secrets, for visitors say those themselves, and nothing is required of it."""
        properties = {one.name: _plain(one, language) for one in self.parameters if not one.secret}
        schema = {"type": "object", "properties": properties, "additionalProperties": False}
        return Tool(self.name, said(self.description, language), schema)


def _plain(parameter: Parameter, language: str) -> dict[str, Any]:
    return {"description": said(parameter.label, language), **parameter.schema}


def load_actions(path: Path) -> tuple[Action, ...]:
    """Read and check a file of actions. Raises `ConfigError` naming the file and the key at fault."""
    tables = read_toml(path)
    try:
        listed = FileTable.model_validate(tables).actions
    except ValidationError as error:
        problems = [describe(problem, tables) for problem in error.errors()[:3]]
        raise ConfigError("\n".join(f"{path}: {problem}" for problem in problems)) from error
    actions: dict[str, Action] = {}
    for number, table in enumerate(listed, start=1):
        if table.name in actions:
            raise ConfigError(f"{path}: actions.{number}.name: there are two actions named {table.name!r}")
        try:
            actions[table.name] = _action(table)
        except ValueError as error:
            raise ConfigError(f"{path}: actions.{table.name}.{error}") from error
    for action in actions.values():
        _check_identity(path, action, actions)
        warm(choice for parameter in action.parameters for choice in parameter.spec.choices)
    return tuple(actions.values())


def _check_identity(path: Path, action: Action, actions: Mapping[str, Action]) -> None:
    if action.identify is None:
        return
    check = actions.get(action.identify.action)
    where = f"{path}: actions.{action.name}.identify.action"
    if check is None:
        raise ConfigError(f"{where}: there is no action {action.identify.action!r}")
    if check.identify is not None or check.confirm:
        raise ConfigError(f"{where}: {check.name!r} must neither be confirmed nor need an identity check itself")


def _action(table: ActionTable) -> Action:
    given = set(table.identify.gives) if table.identify else set()
    required = set(table.parameters.required)
    unknown = (given | required) - set(table.parameters.properties)
    if unknown:
        raise ValueError(f"parameters: there is no property {sorted(unknown)[0]!r}")
    parameters = tuple(
        _parameter(name, one, name in required)
        for name, one in table.parameters.properties.items()
        if name not in given
    )
    secret = {one.name for one in parameters if one.secret} | given
    properties = {name: _schema(one) for name, one in table.parameters.properties.items()}
    action = Action(
        name=table.name,
        title=table.title,
        description=table.description or table.title,
        triggers={tag: tuple(_trigger(text, tag) for text in texts) for tag, texts in table.triggers.items()},
        method=table.method,
        url=table.url,
        headers=table.headers,
        parameters=parameters,
        schema={
            "type": "object",
            "properties": properties,
            "required": list(table.parameters.required),
            "additionalProperties": False,
        },
        confirm=table.confirm,
        read_back=_templates("read_back", table.read_back, set(table.parameters.properties), secret),
        say=_templates("say", table.say, set(table.parameters.properties), secret),
        say_empty=table.say_empty,
        say_error=table.say_error,
        timeout=table.timeout,
        identify=Identify(table.identify.action, table.identify.gives) if table.identify else None,
    )
    in_path = set(re.findall(r"\{(\w+)\}", table.url))
    if lost := in_path - set(table.parameters.required):
        raise ValueError(f"url: {{{sorted(lost)[0]}}} must be a required property of parameters")
    _check_confirmed(action, is_check=table.identity_check)
    return action


def _schema(table: PropertyTable) -> dict[str, Any]:
    choices = {"enum": [choice.value for choice in table.choices]} if table.choices else {}
    return table.schema_part() | choices


def _check_confirmed(action: Action, *, is_check: bool) -> None:
    """What changes something or reads private data needs a yes; an identity check is the exception."""
    private = action.identify is not None or any(one.secret for one in action.parameters)
    if (action.changes or private) and not action.confirm and not is_check:
        raise ValueError("confirm: must be true, for it changes something or reads private data")


def _trigger(text: str, tag: str) -> Trigger:
    try:
        return Trigger.parse(text)
    except ValueError as error:
        raise ValueError(f"triggers.{tag}: {error}") from error


def _templates(key: str, texts: Texts, names: set[str], secret: set[str]) -> dict[str, Template]:
    templates = {}
    for tag, text in texts.items():
        try:
            templates[tag] = Template.parse(text)
        except ValueError as error:
            raise ValueError(f"{key}.{tag}: {error}") from error
        for name in sorted(templates[tag].slots):
            if name not in names:
                raise ValueError(f"{key}.{tag}: there is no property {name!r} for {{${name}}}")
            if name in secret:
                raise ValueError(f"{key}.{tag}: {name!r} is secret and never said")
    return templates


def _parameter(name: str, table: PropertyTable, required: bool) -> Parameter:
    spec = Spec(
        kind=table.kind,
        choices=tuple(Choice(one.value, one.names) for one in table.choices),
        window=table.between,
        currency=table.currency,
        pattern=str(table.rest.get("pattern", "")),
        least=table.rest.get("minimum"),
        most=table.rest.get("maximum"),
        weekdays=table.weekdays,
    )
    if spec.kind == "choice" and not spec.choices:
        raise ValueError(f"parameters.properties.{name}.x-choices: a choice needs something to choose from")
    if required and not table.ask:
        raise ValueError(f"parameters.properties.{name}.x-ask: is missing; how is it asked for?")
    label = table.label or {"en": name.replace("_", " ")}
    return Parameter(name, spec, _schema(table), table.ask, label, required, table.secret)


def accept(parameter: Parameter, given: Any, *, language: str, today: date) -> Any:
    """A value that a model gave for a slot: in its JSON form or in words. None for one that cannot be used."""
    from jsonschema import Draft202012Validator

    if parameter.secret or given is None:
        return None
    if isinstance(given, (str, int, float)) and not isinstance(given, bool):
        understood = understand(str(given), parameter.spec, language=language, today=today)
        given = understood.value if isinstance(understood, Value) else None
    elif not (isinstance(given, bool) and parameter.spec.kind == "yes_no"):
        return None
    return given if given is not None and Draft202012Validator(parameter.schema).is_valid(given) else None
