"""The tables of a file of actions, as pydantic checks them."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from datetime import time
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from anchor.dialogue.values import KINDS, Kind

_ADDRESS = re.compile(r"(?:/(?![/\\])|https?://[^\s/\\?#@]+(?:[/?]|$))[^\s\\#]*")


def _texts(value: dict[str, str]) -> dict[str, str]:
    for tag, text in value.items():
        if not re.fullmatch(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*", tag):
            raise ValueError(f"{tag!r} is no language tag")
        if not text.strip():
            raise ValueError(f"the text for {tag} is empty")
    return value


def _expand(value: Any) -> Any:
    """Put environment variables into the values of headers."""
    if not isinstance(value, dict):
        return value
    return {key: _expanded(text) if isinstance(text, str) else text for key, text in value.items()}


def _expanded(text: str) -> str:
    def look_up(match: re.Match[str]) -> str:
        found = os.environ.get(match[1])
        if not found:
            raise ValueError(f"the environment has no {match[1]}")
        return found

    return re.sub(r"\$\{(\w+)\}", look_up, text)


def _header(value: dict[str, str]) -> dict[str, str]:
    for name, text in value.items():
        if not re.fullmatch(r"[A-Za-z0-9-]+", name) or not text.isascii() or not text.isprintable():
            raise ValueError(f"{name!r} is no header with a plain value")
        if name.lower() in ("host", "content-length", "transfer-encoding", "connection", "idempotency-key"):
            raise ValueError(f"{name!r} is set by us")
    return value


def _address(value: str) -> str:
    if not _ADDRESS.fullmatch(value):
        raise ValueError('must be "https://host/path" or a path on this server that begins with one /')
    if "{" in re.sub(r"\{\w+\}", "", value) or "{" in value.split("://")[-1].split("/")[0]:
        raise ValueError("only a part of the path may be a {property}")
    return value


Texts = Annotated[dict[str, str], AfterValidator(_texts)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ChoiceTable(_Table):
    """``x-choices``: a value with the names it goes by; the first of each language is shown."""

    value: str | int
    names: dict[str, tuple[str, ...]] = Field(min_length=1)


class PropertyTable(BaseModel):
    """A property of ``parameters``: a JSON schema with keys of ours; unknown ``x-`` keys are refused."""

    model_config = ConfigDict(extra="allow", frozen=True, populate_by_name=True)

    type: Literal["string", "number", "integer", "boolean"] = "string"
    kind: Kind = Field(default="text", alias="x-kind")
    ask: Texts = Field(default_factory=dict, alias="x-ask")
    label: Texts = Field(default_factory=dict, alias="x-label")
    choices: tuple[ChoiceTable, ...] = Field(default=(), alias="x-choices")
    between: tuple[time, time] | None = Field(default=None, alias="x-between")
    weekdays: tuple[Annotated[int, Field(ge=0, le=6)], ...] = Field(default=(), alias="x-weekdays")
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | Literal[""] = Field(default="", alias="x-currency")
    secret: bool = Field(default=False, alias="x-secret")

    @model_validator(mode="after")
    def _fits(self) -> PropertyTable:
        allowed = {
            "description", "title", "default", "examples", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
            "multipleOf", "minLength", "maxLength", "pattern", "format", "enum", "const",
        }  # fmt: skip
        unknown = [key for key in self.rest if key not in allowed]
        if unknown:
            raise ValueError(f"unknown key {unknown[0]}")
        needed = {"amount": ("number",), "number": ("number", "integer"), "yes_no": ("boolean",)}
        if self.kind != "choice" and self.type not in needed.get(self.kind, ("string",)):
            raise ValueError(
                f"a property of kind {self.kind} must have the type {needed.get(self.kind, ('string',))[0]}"
            )
        return self

    @property
    def rest(self) -> Mapping[str, Any]:
        """The keys of JSON schema besides the type."""
        return self.model_extra or {}

    def schema_part(self) -> dict[str, Any]:
        return {"type": self.type, **self.rest}


class ParametersTable(_Table):
    """``parameters``: a JSON schema of type object."""

    type: Literal["object"] = "object"
    properties: dict[Name, PropertyTable] = Field(default_factory=dict)
    required: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _is_schema(self) -> ParametersTable:
        from jsonschema import Draft202012Validator
        from jsonschema.exceptions import SchemaError

        for name, one in self.properties.items():
            try:
                Draft202012Validator.check_schema(one.schema_part())
            except SchemaError as error:
                raise ValueError(f"properties.{name} is no JSON schema: {error.message}") from error
            if pattern := one.rest.get("pattern"):
                re.compile(pattern)
        return self


class IdentifyTable(_Table):
    """``identify``: an identity check that comes first, and what its answer lends (property: field)."""

    action: Name
    gives: dict[Name, str] = Field(default_factory=dict)


class ActionTable(_Table):
    """``[[actions]]``."""

    name: Name
    title: Annotated[Texts, Field(min_length=1)]
    description: Texts = Field(default_factory=dict)
    triggers: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    url: Annotated[str, AfterValidator(_address)]
    headers: Annotated[dict[str, str], BeforeValidator(_expand), AfterValidator(_header)] = Field(default_factory=dict)
    parameters: ParametersTable = ParametersTable()
    confirm: bool = False
    identity_check: bool = False
    """It only proves who somebody is, for other actions to build on, and needs no yes."""
    read_back: Texts = Field(default_factory=dict)
    say: Annotated[Texts, Field(min_length=1)]
    say_empty: Texts = Field(default_factory=dict)
    say_error: Texts = Field(default_factory=dict)
    timeout: float = Field(default=8.0, gt=0, le=60)
    """Seconds until the back-end is given up."""
    identify: IdentifyTable | None = None


class FileTable(_Table):
    actions: tuple[ActionTable, ...] = Field(min_length=1)


def describe(problem: Any, tables: Mapping[str, Any]) -> str:
    """One line for an error of pydantic's; an action is called by its name."""
    parts = [str(part + 1) if isinstance(part, int) else part for part in problem["loc"]]
    if len(parts) > 1 and parts[0] == "actions":
        table = tables["actions"][int(parts[1]) - 1]
        parts[1] = str(table.get("name", parts[1])) if isinstance(table, dict) else parts[1]
    key = ".".join(parts)
    if problem["type"] == "extra_forbidden":
        return f"unknown key {key}"
    if problem["type"] == "literal_error" and parts[-1] == "x-kind":
        return f"{key}: must be one of {', '.join(KINDS)}"
    return f"{key}: {problem['msg'].removeprefix('Value error, ')}"
