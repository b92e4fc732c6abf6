"""Visitors in a process of their own: ``python -m anchor.bench.talkers ADDRESS talk|come COUNT``.

``talk``: COUNT visitors ask a question aloud every ten seconds until stdin is closed. ``come``: COUNT visitors come and
go, four at a time.
"""

from __future__ import annotations

import asyncio
import sys

import aiortc.rtcrtpreceiver
import httpx

from anchor.bench.talking import QUESTIONS, sound_of
from anchor.bench.viewers import Discard
from anchor.bench.virtual import after
from anchor.bench.visitor import visiting
from anchor.channel import Channel

ASK_EVERY = 10.0
AT_ONCE = 4


async def talk(address: str, count: int) -> None:
    sounds = [await sound_of(question) for question in QUESTIONS[:count]]

    async def one(number: int, came: Channel[int]) -> None:
        async with visiting(address, "hall") as visitor:
            await visitor.mode("speaking")
            await came.send(number)
            await after(number * ASK_EVERY / count)
            while True:
                visitor.microphone.say(sounds[number % len(sounds)])
                await after(ASK_EVERY)

    async with asyncio.TaskGroup() as tasks:
        came: Channel[int] = Channel(count)
        talking = [tasks.create_task(one(number, came)) for number in range(count)]
        for _ in talking:
            await came.receive()
        print("ready", flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        for task in talking:
            task.cancel()


async def come(address: str, count: int) -> None:
    """Come, be greeted, ask in writing, and leave."""
    left = count

    async def some() -> None:
        nonlocal left
        async with httpx.AsyncClient() as client:
            while left > 0:
                left -= 1
                async with visiting(address, "hall") as visitor:
                    visitor.tell(type="text", text=QUESTIONS[left % len(QUESTIONS)])
                    await visitor.mode("speaking")
                    await client.delete(
                        f"{address}/api/v1/sessions/{visitor.session}",
                        headers={"Authorization": f"Session {visitor.key}"},
                    )
                    await visitor.until(lambda event: event["type"] == "ended")
                await after(0.6)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(AT_ONCE):
            tasks.create_task(some())
    print("ready", flush=True)


if __name__ == "__main__":
    vars(aiortc.rtcrtpreceiver)["get_decoder"] = lambda _: Discard()
    asyncio.run({"talk": talk, "come": come}[sys.argv[2]](sys.argv[1], int(sys.argv[3])))
