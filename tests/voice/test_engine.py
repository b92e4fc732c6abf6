"""A speech engine in a process of its own: what it does there harms nobody here."""

from __future__ import annotations

import asyncio
import functools
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from anchor.errors import VoiceError
from anchor.media import Samples
from anchor.voice import engine as engine_module
from anchor.voice.engine import EngineProcess
from anchor.workers import WorkerPool

TOY = "tests.voice.toy_engine:Toy"


def in_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    @functools.wraps(test)
    def run(*arguments: Any, **named: Any) -> None:
        asyncio.run(test(*arguments, **named))

    return run


@asynccontextmanager
async def toy(*, workers: int = 1, **options: Any) -> AsyncIterator[EngineProcess]:
    engine = EngineProcess("toy", TOY, options, workers=workers)
    try:
        yield engine
    finally:
        await engine.close()


async def said(engine: EngineProcess, **request: Any) -> list[tuple[dict[str, Any], Samples]]:
    return [part async for part in engine.speak({"pieces": 3, **request})]


async def refused(work: Awaitable[Any], reason: str) -> None:
    with pytest.raises(VoiceError, match=reason):
        await work


async def until_gone(pid: int) -> None:
    """Wait for the end of a process, at most as long as the test may take."""
    while alive(pid):
        await asyncio.to_thread(threading.Event().wait, 0.01)


def alive(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


def size_of(path: str) -> int:
    return Path(path).stat().st_size


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@in_loop
async def test_pieces_come_in_order_with_what_is_told_of_them() -> None:
    async with toy() as engine:
        assert (await engine.load())["rate"] == 8_000
        parts = await said(engine)
        assert [told["piece"] for told, _ in parts] == [0, 1, 2]
        assert [sound.tolist() for _, sound in parts] == [[float(piece)] * 10 for piece in range(3)]
        assert all(sound.dtype == np.float32 for _, sound in parts)


@in_loop
async def test_a_sentence_may_wait_but_pictures_may_not() -> None:
    async with toy() as engine:
        assert (await engine.load())["niceness"] > os.nice(0)


@in_loop
async def test_the_first_piece_is_there_before_the_second_is_made() -> None:
    async with toy() as engine, aclosing(engine.speak({"pieces": 2, "at": 1, "do": "hang"})) as parts:
        told, _ = await anext(parts)
        assert told["piece"] == 0
        os.kill(told["pid"], signal.SIGKILL)


@in_loop
async def test_what_an_engine_prints_is_no_answer() -> None:
    async with toy() as engine:
        assert len(await said(engine, do="print", at=1)) == 3
        assert len(await said(engine)) == 3


@pytest.mark.parametrize(
    ("do", "reason"), [("voice error", "no such speaker"), ("error", "ZeroDivisionError: division by zero")]
)
@in_loop
async def test_an_engine_that_raises_is_heard_and_goes_on(do: str, reason: str) -> None:
    async with toy() as engine:
        pid = (await engine.load())["pid"]
        for at in (0, 2):
            with pytest.raises(VoiceError, match=reason):
                await said(engine, do=do, at=at)
        assert [told["pid"] for told, _ in await said(engine)] == [pid] * 3


@pytest.mark.parametrize(
    ("fails", "reason"), [("model", "/voices/toy.bin: is damaged"), ("import", "needs a_package_that_is_nowhere")]
)
@in_loop
async def test_an_engine_that_cannot_be_made_says_why_each_time(fails: str, reason: str) -> None:
    async with toy(fails=fails) as engine:
        for _ in range(2):
            with pytest.raises(VoiceError, match=reason):
                await engine.load()
        with pytest.raises(VoiceError, match=reason):
            await said(engine)


@in_loop
async def test_an_engine_that_dies_before_the_first_piece_is_replaced_unseen(tmp_path: Path) -> None:
    async with toy(marker=str(tmp_path / "has died once")) as engine:
        assert len(await said(engine)) == 3


@in_loop
async def test_an_engine_that_dies_every_time_is_given_up() -> None:
    async with toy() as engine:
        with pytest.raises(VoiceError, match="toy ended"):
            await said(engine, do="die")
        assert len(await said(engine)) == 3, "the next sentence has a new one"


@in_loop
async def test_an_engine_that_dies_in_the_middle_does_not_begin_again() -> None:
    async with toy() as engine:
        heard = []
        with pytest.raises(VoiceError, match="toy ended"):
            async for told, _ in engine.speak({"pieces": 3, "do": "die", "at": 2}):
                heard.append(told["piece"])
        assert heard in ([0], [0, 1]), "nothing twice"


@in_loop
async def test_last_words_are_the_last_ones_however_much_was_written_before() -> None:
    async with toy() as engine:
        with pytest.raises(VoiceError, match="out of memory on the GPU"):
            await said(engine, do="last words", at=1)


@in_loop
async def test_one_killed_from_outside_is_replaced_for_the_next_sentence() -> None:
    async with toy() as engine:
        first = (await engine.load())["pid"]
        async with aclosing(engine.speak({"pieces": 2, "at": 1, "do": "hang"})) as parts:
            await anext(parts)
            os.kill(first, signal.SIGKILL)
            with pytest.raises(VoiceError, match="toy ended"):
                await anext(parts)
        assert (await engine.load())["pid"] != first
        assert len(engine.pids) == 1


@in_loop
async def test_one_that_hangs_is_ended_and_the_next_sentence_spoken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "SPEAKING_SECONDS", 0.2)
    async with toy() as engine:
        hung = (await engine.load())["pid"]
        with pytest.raises(VoiceError, match=r"no answer for 0\.2 seconds"):
            await said(engine, do="hang", at=1)
        assert not alive(hung)
        assert len(await said(engine)) == 3


@in_loop
async def test_loading_may_take_longer_than_a_piece_of_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    # Starting Python and importing takes longer than this; only the first answer may.
    monkeypatch.setattr(engine_module, "SPEAKING_SECONDS", 0.01)
    async with toy() as engine:
        assert (await engine.load())["rate"] == 8_000


@in_loop
async def test_one_that_hangs_while_it_loads_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "LOADING_SECONDS", 0.2)
    async with toy(fails="hang") as engine:
        with pytest.raises(VoiceError, match=r"no answer for 0\.2 seconds"):
            await engine.load()


@in_loop
async def test_closing_a_sentence_returns_at_once_and_the_next_one_is_whole() -> None:
    async with toy() as engine:
        pid = (await engine.load())["pid"]
        async with aclosing(engine.speak({"pieces": 10**9})) as parts:
            assert (await anext(parts))[0]["piece"] == 0
        parts_after = await said(engine)
        assert [told["piece"] for told, _ in parts_after] == [0, 1, 2]
        assert parts_after[0][0]["pid"] == pid, "it was told to stop, not ended"


@in_loop
async def test_a_stop_that_crosses_the_end_of_a_sentence_harms_nothing() -> None:
    async with toy() as engine:
        for pieces in (1, 2, 3, 1, 2, 3):
            async with aclosing(engine.speak({"pieces": pieces})) as parts:
                await anext(parts)
            assert [told["piece"] for told, _ in await said(engine)] == [0, 1, 2]


@in_loop
async def test_closing_before_the_first_piece_makes_no_sound_and_leaves_the_engine() -> None:
    async with toy() as engine:
        pid = (await engine.load())["pid"]
        async with asyncio.TaskGroup() as group:
            speaking = group.create_task(said(engine, pieces=10**9))
            await asyncio.to_thread(lambda: None)
            speaking.cancel()
        assert (await said(engine))[0][0]["pid"] == pid


@in_loop
async def test_a_sentence_that_waits_when_the_engine_is_closed_is_told_so() -> None:
    async with toy() as engine:
        async with aclosing(engine.speak({"pieces": 2, "at": 1, "do": "hang"})) as parts:
            await anext(parts)
            async with asyncio.TaskGroup() as group:
                group.create_task(refused(said(engine), "toy is closed"))
                await asyncio.to_thread(lambda: None)
                await engine.close()
            await refused(anext(parts), "toy ended")
        await refused(said(engine), "toy is closed")
        assert engine.pids == ()


@in_loop
async def test_work_that_waits_when_its_pool_closes_is_not_taken_for_cancelled() -> None:
    begun, end = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        end.wait()

    async def waiting() -> None:
        await refused(pool.run(lambda: None), "toy is closed")
        end.set()

    pool = WorkerPool("toy", lambda: ["true"], 1)
    async with asyncio.TaskGroup() as group:
        group.create_task(pool.run(work))
        await asyncio.to_thread(begun.wait)
        group.create_task(waiting())
        await asyncio.to_thread(lambda: None)
        await pool.close()


@in_loop
async def test_an_engine_ends_when_who_started_it_is_gone_even_in_the_middle_of_work() -> None:
    source = (
        "import asyncio, os, signal, sys\n"
        "from anchor.voice.engine import EngineProcess\n"
        "async def main():\n"
        f"    engine = EngineProcess('toy', {TOY!r}, {{}})\n"
        "    async for told, _ in engine.speak({'pieces': 2, 'at': 1, 'do': 'hang'}):\n"
        "        print(told['pid'], flush=True)\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(main())\n"
    )
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", source, stdout=asyncio.subprocess.PIPE)
    out, _ = await parent.communicate()
    await asyncio.wait_for(until_gone(int(out)), 20)


@in_loop
async def test_modules_in_the_folder_one_stands_in_are_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('not this one')\n")
    (tmp_path / "numpy.py").write_text("raise SystemExit('not this one')\n")
    monkeypatch.setattr(sys, "path", [str(Path(place).resolve()) for place in sys.path if place])  # noqa: ASYNC240
    monkeypatch.chdir(tmp_path)
    async with toy() as engine:
        assert (await engine.load())["rate"] == 8_000


@in_loop
async def test_what_a_chatty_engine_writes_does_not_fill_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    async with toy() as engine:
        for _ in range(3):
            await said(engine, do="chatter")
        (pid,) = engine.pids
        assert size_of(f"/proc/{pid}/fd/2") < 1 << 20


@in_loop
async def test_two_workers_speak_side_by_side() -> None:
    async with toy(workers=2) as engine, aclosing(engine.speak({"pieces": 2, "at": 1, "do": "hang"})) as parts:
        held = (await anext(parts))[0]["pid"]
        assert (await said(engine))[0][0]["pid"] != held
        os.kill(held, signal.SIGKILL)


@in_loop
async def test_a_thousand_sentences_begun_and_cancelled_leave_nothing_behind() -> None:
    async with toy(workers=2) as engine:
        for _ in range(2):
            await asyncio.gather(said(engine), said(engine))
        before = (engine.pids, threading.active_count(), descriptors(), len(asyncio.all_tasks()))
        for cycle in range(1_000):
            async with aclosing(engine.speak({"pieces": 1 + cycle % 4})) as parts:
                if cycle % 3:
                    await anext(parts)
        await asyncio.gather(said(engine), said(engine))
        assert (engine.pids, threading.active_count(), descriptors(), len(asyncio.all_tasks())) == before
    assert not any(map(alive, before[0]))
