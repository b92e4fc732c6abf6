"""Doing an action: one HTTP call, checked before it leaves and bounded when it comes back."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote

import httpx

from anchor.dialogue.actions import Action
from anchor.errors import ActionError, AddressError

LARGEST_ANSWER = 1_000_000
"""Bytes of a back-end's answer."""

_CHUNK = 65_536
_HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "anchor"}


class Pinned(Protocol):
    """An address that was checked: `url` with the numeric address, its ``Host`` header, the name in its certificate."""

    @property
    def url(self) -> str: ...
    @property
    def host(self) -> str: ...
    @property
    def name(self) -> str: ...


class Guard(Protocol):
    """Says whether an absolute address may be reached, and pins it. Raises `AddressError`."""

    async def __call__(self, url: str) -> Pinned: ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a back-end answered. `data` is its JSON; with `field` nothing was done, for that argument cannot be had.

    `choices` are values that it would take instead; `done`: None is "nobody knows".
    """

    data: Any = None
    done: bool | None = True
    field: str = ""
    choices: tuple[Any, ...] = ()
    error: str = ""


class HttpTool:
    """Runs actions. `base` is this server's own address, for urls that are only a path: ``http://127.0.0.1:8010``.

    `guard` checks all others. One client serves all sessions; nothing of a call is kept.
    """

    def __init__(self, guard: Guard, *, base: str = "") -> None:
        self._guard = guard
        self._base = base.rstrip("/")
        # Proxies of the environment would look names up again, behind the guard's back.
        # No connection is kept: a kept one may be dead when it is needed, and belongs to another name of the address.
        limits = httpx.Limits(max_connections=64, max_keepalive_connections=0)
        self._client = httpx.AsyncClient(trust_env=False, follow_redirects=False, limits=limits)

    async def close(self) -> None:
        await self._client.aclose()

    async def __call__(self, action: Action, arguments: Mapping[str, Any]) -> Outcome:
        """Do it. Raises `ActionError`, whose `done` says whether anything was.

        A connection that could not be made is tried a second time; nothing else is.
        """
        check_arguments(action, arguments)
        key = uuid.uuid4().hex
        deadline = asyncio.get_running_loop().time() + action.timeout
        try:
            async with asyncio.timeout_at(deadline):
                request = await self._request(action, arguments, key)
        except AddressError as error:
            raise ActionError(f"{action.name}: {error}; nothing was done") from error
        except TimeoutError as error:
            raise ActionError(f"{action.name}: its host was not found in time; nothing was done") from error
        try:
            async with asyncio.timeout_at(deadline):
                response, body = await self._fetch(request)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise ActionError(f"{action.name}: the back-end cannot be reached; nothing was done") from error
        except TimeoutError as error:
            raise _lost(action, f"no answer within {action.timeout:g} s") from error
        except httpx.HTTPError as error:
            raise _lost(action, f"the connection broke ({type(error).__name__})") from error
        return _outcome(action, response, body)

    async def _fetch(self, request: httpx.Request) -> tuple[httpx.Response, bytes]:
        try:
            response = await self._client.send(request, stream=True)
        except httpx.ConnectError:
            response = await self._client.send(request, stream=True)
        try:
            body = b""
            async for chunk in response.aiter_raw(_CHUNK):
                body += chunk
                if len(body) > LARGEST_ANSWER:
                    raise httpx.DecodingError("the answer is too large")
            return response, body
        finally:
            await response.aclose()

    async def _request(self, action: Action, arguments: Mapping[str, Any], key: str) -> httpx.Request:
        path, rest = _address(action.url, arguments)
        headers = {**_HEADERS, **action.headers}
        extensions: dict[str, Any] = {}
        if path.startswith("/"):
            if not self._base:
                raise AddressError(f"{action.url!r} is a path, and this server's own address is not known")
            url = self._base + path
        else:
            pinned = await self._guard(path)
            url, headers["Host"] = pinned.url, pinned.host
            extensions["sni_hostname"] = pinned.name
        if action.changes:
            headers["Idempotency-Key"] = key
        inside = action.method in ("GET", "DELETE")
        return self._client.build_request(
            action.method,
            url,
            params={name: _query(value) for name, value in rest.items()} if inside and rest else None,
            json=None if inside else rest,
            headers=headers,
            extensions=extensions,
            # Reading and writing end with the whole; not being connected is told apart, for then nothing was done.
            timeout=httpx.Timeout(None, connect=0.6 * action.timeout, pool=0.6 * action.timeout),
        )


def check_arguments(action: Action, arguments: Mapping[str, Any]) -> None:
    """Raises `ActionError` naming the argument that does not fit the action's schema, but not its value."""
    from jsonschema import Draft202012Validator

    for error in Draft202012Validator(action.schema).iter_errors(dict(arguments)):
        where = ".".join(str(part) for part in error.absolute_path) or "arguments"
        raise ActionError(f"{action.name}: {where}: does not fit ({error.validator}); nothing was done")


def _address(url: str, arguments: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The url with arguments in its path, and those that are left."""
    rest = dict(arguments)
    for name in arguments:
        if f"{{{name}}}" in url:
            part = quote(str(rest.pop(name)), safe="")
            if not part.strip("."):
                raise AddressError(f"{name}: {part!r} is no part of a path")
            url = url.replace(f"{{{name}}}", part)
    return url, rest


def _query(value: Any) -> str:
    return json.dumps(value) if isinstance(value, (bool, dict, list)) else str(value)


def _lost(action: Action, why: str) -> ActionError:
    if action.changes:
        return ActionError(f"{action.name}: {why}; whether it was done is not known", done=None)
    return ActionError(f"{action.name}: {why}; nothing was done")


def _outcome(action: Action, response: httpx.Response, body: bytes) -> Outcome:
    status = response.status_code
    if status >= 500:
        raise _lost(action, f"the back-end failed with status {status}")
    if status < 200 or 300 <= status < 400:
        raise ActionError(f"{action.name}: the back-end sends us elsewhere (status {status}); nothing was done")
    if status >= 400:
        return _refused(action, status, response, body)
    if status in (204, 205):
        return Outcome()
    try:
        return Outcome(_parsed(response, body))
    except ValueError as error:
        raise _lost(action, f"the answer cannot be read: {error}") from error


def _refused(action: Action, status: int, response: httpx.Response, body: bytes) -> Outcome:
    """A refusal may name the argument that it is about, and what it would take instead."""
    try:
        data = _parsed(response, body)
    except ValueError:
        data = None
    detail = data.get("detail", data) if isinstance(data, dict) else None
    if isinstance(detail, dict) and detail.get("field") in action.names:
        listed = detail.get("choices")
        choices = tuple(listed[:20]) if isinstance(listed, list) else ()
        return Outcome(done=False, field=detail["field"], choices=choices)
    raise ActionError(f"{action.name}: the back-end refused with status {status}; nothing was done")


def _parsed(response: httpx.Response, body: bytes) -> Any:
    """Raises `ValueError`."""
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        raise ValueError(f"it is {kind or 'of no kind'}, not JSON")
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise ValueError("it is packed, which was not asked for")
    try:
        return json.loads(body.decode("utf-8"), parse_constant=_no_constant)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
