"""One chat completion as it comes in: a state machine that knows the API's chunks and nothing of connections."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from anchor.dialogue.grounding import Grounded
from anchor.errors import DialogueError
from anchor.talk import Question, ReplyPart, ToolCall

_MOST_CALLS = 16


@dataclass(slots=True)
class _Call:
    id: str = ""
    name: str = ""
    arguments: str = ""


class Completion:
    """Turns events into parts of a reply. `done` once the server has said that nothing more comes."""

    def __init__(self, question: Question, where: str) -> None:
        self._where = where
        self._grounded = Grounded(question)
        self._calls: dict[int, _Call] = {}
        self._finished = ""
        self.done = False

    def take(self, event: str) -> list[ReplyPart]:
        """Parts of one event's data. Raises `DialogueError` for what is no chunk."""
        if event.strip() == "[DONE]":
            self.done = True
            return []
        chunk = self._object(event)
        self._check_error(chunk)
        choice = self._first(chunk)
        if choice is None:
            return []
        delta = choice.get("delta")
        parts = self._delta(delta) if isinstance(delta, dict) else []
        self._finished = str(choice.get("finish_reason") or self._finished)
        return parts

    def whole(self, body: bytes) -> list[ReplyPart]:
        """Parts of an answer that was not streamed."""
        found = self._object(body.decode("utf-8", "replace"))
        self._check_error(found)
        choice = self._first(found)
        message = choice.get("message") if choice is not None else None
        if choice is None or not isinstance(message, dict):
            raise DialogueError(f"{self._where}: sent JSON without choices[0].message")
        calls = message.get("tool_calls") or []
        numbered = [
            call | {"index": at} for at, call in enumerate(calls if isinstance(calls, list) else [])
            if isinstance(call, dict)
        ]  # fmt: skip
        parts = self._delta(message | {"tool_calls": numbered})
        self._finished = str(choice.get("finish_reason") or "stop")
        return [*parts, *self.end()]

    def end(self) -> list[ReplyPart]:
        """The last parts. Raises `DialogueError` for an answer that broke off, or had nothing in it."""
        if not self.done and not self._finished:
            raise DialogueError(f"{self._where}: broke off in the middle of its answer")
        parts = [*self._grounded.end(), *self._called()]
        if not self._grounded.answered and not self._calls:
            why = f" ({self._finished})" if self._finished not in ("", "stop") else ""
            raise DialogueError(f"{self._where}: answered with nothing{why}")
        return parts

    def _object(self, text: str) -> dict[str, Any]:
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise DialogueError(f"{self._where}: sent an event that is not JSON: {text[:80]!r}") from error
        if not isinstance(found, dict):
            raise DialogueError(f"{self._where}: sent an event that is no object: {text[:80]!r}")
        return found

    def _check_error(self, chunk: dict[str, Any]) -> None:
        error = chunk.get("error")
        if error:
            message = error.get("message", error) if isinstance(error, dict) else error
            raise DialogueError(f"{self._where}: failed: {' '.join(str(message).split())[:200]}")

    @staticmethod
    def _first(chunk: dict[str, Any]) -> dict[str, Any] | None:
        choices = chunk.get("choices")
        if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
            return None
        return choices[0]

    def _delta(self, delta: dict[str, Any]) -> list[ReplyPart]:
        calls = delta.get("tool_calls")
        for call in calls if isinstance(calls, list) else []:
            self._gather(call)
        text = delta.get("content")
        return self._grounded.feed(text) if isinstance(text, str) and text else []

    def _gather(self, call: Any) -> None:
        function = call.get("function") if isinstance(call, dict) else None
        if not isinstance(function, dict):
            raise DialogueError(f"{self._where}: sent a tool call that is none: {str(call)[:80]}")
        index = call.get("index")
        index = index if isinstance(index, int) else len(self._calls) - (0 if call.get("id") else 1)
        gathered = self._calls.setdefault(max(0, index), _Call())
        if len(self._calls) > _MOST_CALLS:
            raise DialogueError(f"{self._where}: asks for more than {_MOST_CALLS} tools at once")
        gathered.id = str(call.get("id") or gathered.id)
        gathered.name += str(function.get("name") or "")
        gathered.arguments += str(function.get("arguments") or "")

    def _called(self) -> Iterator[ToolCall]:
        for number, call in sorted(self._calls.items()):
            try:
                arguments = json.loads(call.arguments or "{}")
            except (ValueError, RecursionError) as error:
                raise DialogueError(f"{self._where}: asks for {call.name} with arguments that are not JSON") from error
            if not call.name or not isinstance(arguments, dict):
                raise DialogueError(f"{self._where}: asks for the tool {call.name!r} without a name or arguments")
            yield ToolCall(call.name, arguments, call.id or f"call_{number}")
