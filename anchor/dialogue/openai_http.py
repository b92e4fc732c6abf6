"""A dialogue by any server that speaks OpenAI's chat completions API: vLLM, llama.cpp, Ollama, or a cloud."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any

from anchor.dialogue.completion import Completion
from anchor.dialogue.folding import visible
from anchor.dialogue.prompt import chat, tool
from anchor.dialogue.sse import EventStream
from anchor.errors import ConfigError, DialogueError
from anchor.talk import DialogueInfo, Question, ReplyPart

if TYPE_CHECKING:
    import httpx

LARGEST_REPLY = 4 << 20
"""Bytes of one reply with all that surrounds it."""

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_SHOWN = 200


class OpenAiDialogue:
    """Asks ``{base_url}/chat/completions`` and streams the answer.

    `timeout` is in seconds, until the first byte and between two; `longest` is for the whole reply. `headers` go with
    each request and `body` is added to it. With `probe`, `warm` asks for ``{base_url}/models`` once.
    """

    def __init__(
        self,
        *,
        base_url: str = "http://127.0.0.1:8000/v1",
        model: str = "",
        api_key: str = "",
        temperature: float = 0.2,
        max_tokens: int = 300,
        timeout: float = 10.0,
        longest: float = 60.0,
        headers: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        tools: bool = True,
        probe: bool = True,
    ) -> None:
        import httpx

        url = httpx.URL(base_url)
        if url.scheme not in ("http", "https") or not url.host or url.userinfo:
            raise ConfigError("dialogue.options.base_url: should be like https://host/v1, without a name or password")
        if not model:
            raise ConfigError("dialogue.options.model: is missing; write the model's name as the server knows it")
        self._url = str(url).rstrip("/")
        self._where = f"the dialogue server {url.host}:{url.port or (443 if url.scheme == 'https' else 80)}"
        self._model = model
        self._key = api_key
        self._longest = longest
        self._probe = probe
        self._tools = tools
        self._body = {"temperature": temperature, "max_tokens": max_tokens} | dict(body or {})
        authorization = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._client = httpx.AsyncClient(
            headers={**authorization, **dict(headers or {})},
            timeout=httpx.Timeout(timeout, pool=longest),
            trust_env=url.host not in _LOOPBACK,
            follow_redirects=False,
        )
        self._secrets = [secret for secret in (api_key, *dict(headers or {}).values()) if len(secret) >= 6]

    @property
    def info(self) -> DialogueInfo:
        return DialogueInfo("openai", self._model, "that of the model", tools=self._tools)

    async def warm(self) -> None:
        """Ask the server for its models. Raises `DialogueError` when it does not answer, or not to us."""
        if not self._probe:
            return
        import httpx

        try:
            async with (
                asyncio.timeout(self._longest),
                self._client.stream("GET", f"{self._url}/models") as answer,
            ):
                if answer.status_code in (401, 403) or answer.status_code >= 500:
                    raise DialogueError(await self._refusal(answer))
        except (httpx.HTTPError, TimeoutError) as error:
            raise self._failed(error) from error

    async def reply(self, question: Question) -> AsyncIterator[ReplyPart]:
        """Yield the reply as it streams in. Raises `DialogueError` that says what the server did."""
        if not question.messages or (not question.messages[-1].text.strip() and question.messages[-1].role == "user"):
            raise DialogueError("there is no question to answer")
        import httpx

        completion = Completion(question, self._where)
        body: dict[str, Any] = {"model": self._model, "messages": chat(question), "stream": True, **self._body}
        if question.tools and self._tools:
            body["tools"] = [tool(offered) for offered in question.tools]
        deadline = asyncio.get_running_loop().time() + self._longest
        request = self._client.build_request("POST", f"{self._url}/chat/completions", json=body)
        try:
            async with asyncio.timeout_at(deadline):
                answer = await self._client.send(request, stream=True)
            async with contextlib.aclosing(answer):
                if answer.status_code != 200:
                    async with asyncio.timeout_at(deadline):
                        raise DialogueError(await self._refusal(answer))
                async for part in self._streamed(answer, completion, deadline):
                    yield part
        except (httpx.HTTPError, httpx.StreamError, TimeoutError) as error:
            raise self._failed(error) from error
        except DialogueError as error:
            raise DialogueError(self._without_secrets(str(error))) from error.__cause__

    async def _streamed(
        self, answer: httpx.Response, completion: Completion, deadline: float
    ) -> AsyncIterator[ReplyPart]:
        kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind == "application/json":
            async with asyncio.timeout_at(deadline):
                whole = await self._read(answer, LARGEST_REPLY)
            for part in completion.whole(whole):
                yield part
            return
        if kind not in ("text/event-stream", ""):
            raise DialogueError(f"{self._where}: answered with {kind}, not with a stream of events; check base_url")
        events = EventStream(self._where)
        size = 0
        pieces = answer.aiter_bytes()
        while not completion.done:
            async with asyncio.timeout_at(deadline):
                data = await anext(pieces, None)
            size += len(data or b"")
            if size > LARGEST_REPLY:
                raise DialogueError(f"{self._where}: does not stop answering ({LARGEST_REPLY >> 20} MiB so far)")
            for event in events.end() if data is None else events.feed(data):
                for part in completion.take(event):
                    yield part
            if data is None:
                break
        for part in completion.end():
            yield part

    async def _read(self, answer: httpx.Response, most: int) -> bytes:
        found = b""
        async for data in answer.aiter_bytes():
            found += data
            if len(found) > most:
                break
        return found[:most]

    async def _refusal(self, answer: httpx.Response) -> str:
        """What a status means, with what the server says of it."""
        text = (await self._read(answer, 1 << 16)).decode("utf-8", "replace")
        with contextlib.suppress(ValueError, AttributeError, TypeError):
            found = json.loads(text)
            detail = found.get("error", found.get("detail", found))
            text = str(detail.get("message", detail) if isinstance(detail, dict) else detail)
        text = " ".join(re.sub(r"<[^>]*>", " ", visible(text)).split())[:_SHOWN]
        what = {
            400: "did not accept the request",
            401: "did not accept the key; check api_key",
            403: "refuses this key; check api_key",
            404: "does not know the model or the address; check base_url and model",
            429: "has too much to do, or the quota is used up",
        }.get(answer.status_code, "failed" if answer.status_code >= 500 else "refused")
        return self._without_secrets(f"{self._where}: {what} (HTTP {answer.status_code}{f': {text}' if text else ''})")

    def _failed(self, error: Exception) -> DialogueError:
        import httpx

        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
            what = "cannot be reached; check base_url, and whether it runs"
        elif isinstance(error, httpx.TimeoutException | TimeoutError):
            what = "did not answer in time"
        else:
            what = f"broke the connection off ({type(error).__name__})"
        return DialogueError(self._without_secrets(f"{self._where}: {what}"))

    def _without_secrets(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text

    async def close(self) -> None:
        await self._client.aclose()
