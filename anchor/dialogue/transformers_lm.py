"""A dialogue by a language model on this machine, through Hugging Face transformers.

The model runs in one thread, a token at a time: sessions take turns, and a reply that nobody wants any more ends after
the token that is under way. Weights are read from safetensors only, and no code that comes with a model is run.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from anchor.dialogue.grounding import Grounded
from anchor.dialogue.prompt import chat
from anchor.errors import ConfigError, DialogueError, MissingError
from anchor.model_folder import offline, resolve
from anchor.talk import DialogueInfo, Question, ReplyPart

T = TypeVar("T")

_PREFILL = 256
"""Tokens of a prompt that are read in one step, between which a reply can be cancelled."""


@dataclass(slots=True)
class _Session:
    """One reply under way. `waiting` are tokens that the model has not read yet."""

    waiting: list[int]
    cache: Any = None
    made: list[int] = field(default_factory=list)
    told: str = ""


class TransformersDialogue:
    """A causal language model: a folder, a name of ``anchor models list``, or one of the hub that was fetched before.

    `max_tokens` is for a reply, `context` for the prompt and the reply together (the model's own limit when 0);
    `threads` is for the processor, all when 0. Without temperature the likeliest token is taken each time.
    """

    def __init__(
        self,
        *,
        model: str = "",
        device: str = "cpu",
        threads: int = 0,
        max_tokens: int = 200,
        context: int = 0,
        temperature: float = 0.0,
        seed: int = 0,
        download: bool = False,
    ) -> None:
        if not model:
            raise ConfigError("dialogue.options.model: is missing; write a folder or a model's name")
        self._name = model
        self._device = device
        self._threads = threads
        self._most = max_tokens
        self._context = context
        self._temperature = temperature
        self._seed = seed
        self._download = download
        self._model: Any = None
        self._tokenizer: Any = None
        self._ends: frozenset[int] = frozenset()
        self._thread: ThreadPoolExecutor | None = ThreadPoolExecutor(1, thread_name_prefix="language-model")

    @property
    def info(self) -> DialogueInfo:
        return DialogueInfo("transformers", Path(self._name).name, "that of the model", tools=False)

    async def warm(self) -> None:
        await self._run(self._load)

    async def reply(self, question: Question) -> AsyncIterator[ReplyPart]:
        """Yield the reply word by word. Raises `DialogueError`."""
        if not question.messages or not question.messages[-1].text.strip():
            raise DialogueError("there is no question to answer")
        await self._run(self._load)
        session = await self._run(lambda: self._opened(question))
        grounded = Grounded(question)
        whole = False
        while not whole:
            whole, text = await self._run(lambda: self._step(session))
            for part in grounded.feed(text):
                yield part
        for part in grounded.end():
            yield part
        if not grounded.answered:
            raise DialogueError(f"{self._name}: answered with nothing")

    async def _run(self, work: Callable[[], T]) -> T:
        if self._thread is None:
            raise DialogueError(f"{self._name} is closed: open a new one to go on")
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except (DialogueError, MissingError):
            raise
        except Exception as error:  # whatever a model's own files make of a question
            raise DialogueError(f"{self._name}: failed: {type(error).__name__}: {str(error)[:200]}") from error

    def _load(self) -> None:
        if self._model is not None:
            return
        try:
            import torch
            import transformers
        except ImportError as error:
            raise MissingError(
                f"a language model here needs {error.name}, which is not installed; "
                "run: .venv/bin/pip install -e '.[neural]'"
            ) from error
        if self._threads:
            torch.set_num_threads(self._threads)
        torch.manual_seed(self._seed)
        where: dict[str, Any] = {
            "local_files_only": offline() or not self._download, "trust_remote_code": False
        }  # fmt: skip
        place = str(resolve(self._name))
        try:
            self._tokenizer = transformers.AutoTokenizer.from_pretrained(place, **where)
            model: Any = transformers.AutoModelForCausalLM.from_pretrained(place, use_safetensors=True, **where)
        except (OSError, ValueError, ImportError) as error:
            first = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
            raise MissingError(
                f"{self._name}: is no language model that can be loaded: {first}; see: anchor models list --task llm"
            ) from error
        self._model = model.to(self._device).eval()
        ends = [self._tokenizer.eos_token_id, getattr(model.generation_config, "eos_token_id", None)]
        flat = [one for end in ends for one in (end if isinstance(end, list) else [end])]
        self._ends = frozenset(int(one) for one in flat if one is not None)

    def _opened(self, question: Question) -> _Session:
        limit = self._context or int(getattr(self._model.config, "max_position_embeddings", 0) or 2048)
        # What was said longest ago is left out first; the rules and the question never are.
        system, *rest = chat(question)
        while True:
            tokens = self._tokens([system, *rest])
            if len(tokens) + min(self._most, limit // 2) <= limit or len(rest) == 1:
                break
            rest = rest[1:]
        if len(tokens) >= limit:
            raise DialogueError(f"{self._name}: the question has {len(tokens)} tokens; the model takes {limit}")
        return _Session(tokens)

    def _tokens(self, messages: list[dict[str, Any]]) -> list[int]:
        plain = [{"role": message["role"], "content": message["content"] or ""} for message in messages]
        if getattr(self._tokenizer, "chat_template", None):
            # Qwen3 and its like think aloud unless told not to; templates of others know nothing of it.
            text = self._tokenizer.apply_chat_template(
                plain, tokenize=False, add_generation_prompt=True, enable_thinking=False
            )
            return list(self._tokenizer(text, add_special_tokens=False)["input_ids"])
        names = {"system": "Instructions", "user": "Visitor", "assistant": "Answer", "tool": "Result"}
        text = "\n".join(f"{names[message['role']]}: {message['content']}" for message in plain) + "\nAnswer:"
        return list(self._tokenizer(text)["input_ids"])

    def _step(self, session: _Session) -> tuple[bool, str]:
        """Read a piece of the prompt, or make one token. Returns whether that was all, and what text it gave."""
        import torch

        piece, session.waiting = session.waiting[:_PREFILL], session.waiting[_PREFILL:]
        with torch.inference_mode():
            found = self._model(
                input_ids=torch.tensor([piece], device=self._device), past_key_values=session.cache, use_cache=True
            )
        session.cache = found.past_key_values
        if session.waiting:
            return False, ""
        token = self._chosen(found.logits[0, -1])
        whole = token in self._ends
        if not whole:
            session.made.append(token)
            session.waiting = [token]
        whole = whole or len(session.made) >= self._most
        return whole, self._told(session, last=whole)

    def _chosen(self, logits: Any) -> int:
        import torch

        if self._temperature <= 0:
            return int(logits.argmax())
        return int(torch.multinomial(torch.softmax(logits.float() / self._temperature, -1), 1))

    def _told(self, session: _Session, *, last: bool) -> str:
        """Text that the newest token completes; a character may need several tokens."""
        text = str(self._tokenizer.decode(session.made, skip_special_tokens=True))
        if (text.endswith("\ufffd") and not last) or not text.startswith(session.told):
            return ""
        new, session.told = text[len(session.told) :], text
        return new

    async def close(self) -> None:
        """Let go of the model; a token that is under way is made first."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        thread.shutdown(wait=False, cancel_futures=True)
        await asyncio.get_running_loop().run_in_executor(None, thread.shutdown)
        self._model = self._tokenizer = None
