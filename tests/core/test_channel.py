import asyncio

import pytest

from anchor.channel import Channel, ChannelClosedError
from anchor.clock import run_virtual


def test_a_sender_waits_until_there_is_room() -> None:
    async def main() -> list[str]:
        channel: Channel[float] = Channel(1.0, lambda seconds: seconds)
        order: list[str] = []

        async def send() -> None:
            for _ in range(3):
                await channel.send(0.5)
                order.append("sent")
            channel.close()

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(send())
            await asyncio.wait_for(channel.wait_ready(), 1)
            order.append("look")
            async for _ in channel:
                order.append("got")
        return order

    order = run_virtual(main())
    assert order[:3] == ["sent", "sent", "look"]
    assert order.count("got") == 3


def test_an_item_heavier_than_the_channel_still_passes() -> None:
    async def main() -> float:
        channel: Channel[float] = Channel(1.0, lambda seconds: seconds)
        await channel.send(5.0)
        return await channel.receive()

    assert run_virtual(main()) == 5.0


def test_closing_wakes_a_waiting_sender() -> None:
    async def main() -> None:
        channel: Channel[int] = Channel(1)
        await channel.send(1)

        async def send() -> None:
            with pytest.raises(ChannelClosedError):
                await channel.send(2)

        async with asyncio.TaskGroup() as tasks:
            blocked = tasks.create_task(send())
            await asyncio.wait([blocked], timeout=1)
            assert not blocked.done()
            channel.close()

    run_virtual(main())


def test_the_receiver_sees_the_error_after_what_was_sent() -> None:
    async def main() -> list[int]:
        channel: Channel[int] = Channel(4)
        await channel.send(1)
        channel.close(ValueError("broken"))
        got = [await channel.receive()]
        with pytest.raises(ValueError, match="broken"):
            await channel.receive()
        return got

    assert run_virtual(main()) == [1]


def test_statistics_tell_what_went_through() -> None:
    async def main() -> None:
        channel: Channel[int] = Channel(10)
        for number in range(4):
            await channel.send(number)
        channel.take()
        statistics = channel.statistics()
        assert (statistics.items, statistics.sent, statistics.peak) == (3, 4, 4.0)

    run_virtual(main())
