"""Three visitors at once, by voice and in writing, in two languages: what one says reaches nobody else, and no log."""

from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path

import pytest

from anchor.bench.talking import greeted, kiosk, sound_of
from anchor.bench.visitor import Visitor
from anchor.config import HandOverConfig
from anchor.media import Samples
from tests.end_to_end.test_failing import answer, asked

pytestmark = [pytest.mark.alone, pytest.mark.timeout(120)]

CARD = {"marmalade": "4111 1111 1111 1111", "periwinkle": "5500 0000 0000 0004", "向日葵": "6011 0000 0000 0004"}


async def talks(visitor: Visitor, canary: str, question: Samples | None, rounds: int) -> None:
    for number in range(rounds):
        if question is not None and number % 2:
            since = len(visitor.events)
            _, ended = visitor.microphone.say(question)
            await answer(visitor, since, ended)
        elif canary.isascii():
            await asked(visitor, f"I am {canary} {number}, my card is {CARD[canary]}, where can I park?")
        else:
            await asked(visitor, f"我叫{canary}，卡号{CARD[canary]}，营业时间是几点？")


def test_no_canary_is_found_anywhere_but_with_its_own_visitor(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    file = tmp_path / "kiosk.db"

    async def main() -> None:
        question = await sound_of("what are your opening hours")
        async with (
            kiosk(tmp_path, store=f"sqlite:///{file}", hand_over=HandOverConfig(failures=10)) as (studio, address),
            greeted(address) as ana,
            greeted(address) as bo,
            greeted(address, "zh-CN") as wei,
        ):
            visitors = dict(zip(CARD, (ana, bo, wei), strict=True))
            async with asyncio.TaskGroup() as tasks:
                for canary, visitor in visitors.items():
                    spoken = question if visitor is not wei else None
                    tasks.create_task(talks(visitor, canary, spoken, 4))
            sessions = {session.id: session for session in studio.hall("hall").sessions.values()}
            for canary, visitor in visitors.items():
                session = sessions[visitor.session]
                told = json.dumps([event for _, event in visitor.events], ensure_ascii=False)
                lines = " ".join(line.text for line in session.lines())
                kept = " ".join(line.text for line in await studio.store.transcript(visitor.session))
                assert canary in told
                assert canary in lines
                assert canary in kept
                assert CARD[canary] not in kept
                for other in set(CARD) - {canary}:
                    assert other not in told + lines + kept
                    assert CARD[other] not in told + lines + kept
            assert ("营业" in json.dumps([e for _, e in wei.events], ensure_ascii=False)) is True
            for visitor in (ana, bo):
                assert "营业" not in json.dumps([event for _, event in visitor.events], ensure_ascii=False)

    asyncio.run(main())
    written = b"".join(path.read_bytes() for path in tmp_path.glob("kiosk.db*")).decode("utf-8", "replace")
    digits = "".join(letter for letter in written if letter.isdigit())
    for canary, card in CARD.items():
        assert card not in written
        assert card.replace(" ", "") not in digits
        named = [one.name for one in caplog.records if canary in one.getMessage() or card in one.getMessage()]
        # aiortc and aioice write packets down where somebody asks for them; nothing of ours does.
        assert [name for name in named if name.partition(".")[0] in ("anchor", "streaming", "drivers", "avatars")] == []
