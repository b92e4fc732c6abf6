"""A dialogue by a language model on this machine: a tiny one with random weights, made here."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from anchor.channel import closing
from anchor.dialogue.transformers_lm import TransformersDialogue
from anchor.errors import ConfigError, DialogueError, MissingError
from anchor.testing import check_dialogue
from tests.dialogue.asking import FEES, HOURS, parts_of, question, text_of

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")

TEMPLATE = "{% for m in messages %}<{{ m['role'] }}>{{ m['content'] }}\n{% endfor %}<assistant>"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    torch: Any = pytest.importorskip("torch", reason="needs the extra neural")
    transformers: Any = pytest.importorskip("transformers", reason="needs the extra neural")
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {letter: number for number, letter in enumerate([*letters, "<end>"])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    folder: Path = tmp_path_factory.mktemp("model")
    transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<end>").save_pretrained(folder)
    torch.manual_seed(1)
    config = transformers.LlamaConfig(
        vocab_size=len(vocabulary), hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        max_position_embeddings=4096, eos_token_id=vocabulary["<end>"], bos_token_id=None, initializer_range=1.0,
    )  # fmt: skip
    transformers.LlamaForCausalLM(config).save_pretrained(folder)
    yield folder


def made(folder: Path, **options: Any) -> TransformersDialogue:
    settings: dict[str, Any] = {"model": str(folder), "threads": 1, "max_tokens": 24} | options
    return TransformersDialogue(**settings)


def test_it_keeps_the_promises_of_dialogues(model: Path) -> None:
    async def main() -> None:
        dialogue = made(model)
        await check_dialogue(dialogue, question("one", FEES), question("two", HOURS))
        await dialogue.close()
        with pytest.raises(DialogueError, match="closed"):
            await dialogue.warm()
        await dialogue.close()

    asyncio.run(main())


def test_what_is_streamed_is_what_the_library_itself_generates(model: Path) -> None:
    import transformers

    async def main() -> tuple[str, list[int]]:
        dialogue = made(model)
        await dialogue.warm()
        session = dialogue._opened(question("one", FEES))
        prompt = list(session.waiting)
        text, whole = "", False
        while not whole:
            whole, new = dialogue._step(session)
            text += new
        await dialogue.close()
        return text, prompt

    text, prompt = asyncio.run(main())
    library: Any = transformers
    network = library.AutoModelForCausalLM.from_pretrained(model)
    import torch

    made_by_library = network.generate(torch.tensor([prompt]), max_new_tokens=24, do_sample=False)
    tokenizer = library.AutoTokenizer.from_pretrained(model)
    assert text == tokenizer.decode(made_by_library[0, len(prompt) :], skip_special_tokens=True)


def test_a_chat_template_of_the_model_is_used(model: Path, tmp_path: Path) -> None:
    for file in model.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    settings = json.loads((tmp_path / "tokenizer_config.json").read_text())
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings | {"chat_template": TEMPLATE}))

    async def main(folder: Path) -> str:
        dialogue = made(folder)
        await dialogue.warm()
        prompt = dialogue._opened(question("How much?", FEES)).waiting
        text = str(dialogue._tokenizer.decode(prompt))
        await dialogue.close()
        return text

    assert asyncio.run(main(tmp_path)).endswith("<user>How much?\n<assistant>")
    assert asyncio.run(main(model)).endswith("Visitor: How much?\nAnswer:")


def test_a_model_that_thinks_aloud_is_told_not_to_and_may_be_named_by_what_was_pulled(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANCHOR_MODELS", str(tmp_path))
    pulled = tmp_path / "thinker"
    pulled.mkdir()
    for file in model.iterdir():
        (pulled / file.name).write_bytes(file.read_bytes())
    settings = json.loads((pulled / "tokenizer_config.json").read_text())
    quiet = TEMPLATE + "{% if enable_thinking is defined and not enable_thinking %}<quiet>{% endif %}"
    (pulled / "tokenizer_config.json").write_text(json.dumps(settings | {"chat_template": quiet}))

    async def main() -> str:
        dialogue = made(Path("thinker"))
        await dialogue.warm()
        text = str(dialogue._tokenizer.decode(dialogue._opened(question("How much?", FEES)).waiting))
        await dialogue.close()
        return text

    assert asyncio.run(main()).endswith("<assistant><quiet>")


def test_a_reply_that_is_not_wanted_any_more_ends_within_a_token(model: Path) -> None:
    async def main() -> int:
        dialogue = made(model, max_tokens=3000)
        await dialogue.warm()
        steps = 0
        step = dialogue._step

        def counted(session: Any) -> tuple[bool, str]:
            nonlocal steps
            steps += 1
            return step(session)

        dialogue._step = counted  # type: ignore[method-assign]
        async with closing(dialogue.reply(question("one"))) as reply:
            await anext(reply)
            before = steps
        await dialogue.close()
        return steps - before

    assert asyncio.run(main()) <= 1


def test_what_cannot_be_loaded_is_told(tmp_path: Path) -> None:
    pytest.importorskip("transformers", reason="needs the extra neural")

    async def main() -> None:
        dialogue = made(tmp_path)
        with pytest.raises(MissingError, match="no language model"):
            await dialogue.warm()
        await dialogue.close()

    asyncio.run(main())
    with pytest.raises(ConfigError, match="model"):
        TransformersDialogue()


def test_what_was_said_longest_ago_is_left_out_first(model: Path) -> None:
    from anchor.talk import Message

    roles = ("user", "assistant")
    earlier = tuple(Message(roles[number % 2], f"line {number} " * 40) for number in range(10))  # type: ignore[arg-type]

    async def main() -> str:
        dialogue = made(model, context=3000)
        await dialogue.warm()
        text = str(dialogue._tokenizer.decode(dialogue._opened(question("the question", earlier=earlier)).waiting))
        await dialogue.close()
        return text

    text = asyncio.run(main())
    assert "line 0" not in text and "line 9" in text and "the question" in text and "Rules" in text


def test_text_of_a_reply_is_what_was_streamed(model: Path) -> None:
    async def main() -> str:
        dialogue = made(model, temperature=1.0, seed=3)
        text = text_of(await parts_of(dialogue, question("one", FEES)))
        await dialogue.close()
        return text

    assert asyncio.run(main()).strip()
