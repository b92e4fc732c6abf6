"""Where a channel goes besides the viewers who come to it: its program's outputs, and servers it is pushed to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from anchor import registry
from anchor.clock import wall_time
from anchor.config import ChannelConfig, OutputConfig
from anchor.errors import ConfigError, MissingError
from anchor.onair import OutputInfo
from anchor.ports import PushesOutputs, Sink, ViewerSink
from anchor.trust.label import KEY, aigc_label


class Outlets:
    """The outputs of one channel: `anchor.onair.Outputs`. Entered after the viewers' sink, whose stream is pushed.

    `sinks` take the channel's beats beside that one. Raises `ConfigError` for an output that cannot be.
    """

    def __init__(
        self,
        config: ChannelConfig,
        viewers: ViewerSink,
        *,
        live: bool = True,
        wall: Callable[[], datetime] = wall_time,
    ) -> None:
        where: Callable[[str], Any] = registry.load("anchor.part", "destination")
        found = [(output, where(output.to)) for output in config.outputs]
        self._pushed: list[tuple[OutputConfig, Any]] = [one for one in found if one[1].kind == "whip"]
        self.folders = tuple(Path(to.address) for _, to in found if to.kind == "hls")
        """Of its HLS outputs."""
        wishes = [output for output, to in found if to.kind != "whip"]
        metadata = {KEY: aigc_label(), "title": config.title or config.name}
        open_program: Callable[..., Any] = registry.load("anchor.part", "open_program")
        self._program = open_program(config.video, wishes, live=live, metadata=metadata, wall=wall) if wishes else None
        self._viewers = viewers
        self._pushes: dict[str, Any] = {}
        names = [output.name for output in config.outputs if output.name]
        for name in names:
            if names.count(name) > 1:
                raise ConfigError(f"two outputs are named {name!r}: give each a name of its own")

    @property
    def sinks(self) -> tuple[Sink, ...]:
        return (self._program,) if self._program is not None else ()

    def outputs(self) -> Sequence[OutputInfo]:
        own = self._program.outputs() if self._program is not None else ()
        return (*own, *(push.info() for push in self._pushes.values()))

    async def start(self, name: str) -> None:
        if name in self._pushes:
            self._pushes[name].start()
        elif self._program is not None:
            await self._program.start(name)
        else:
            raise KeyError(name)

    async def stop(self, name: str) -> None:
        if name in self._pushes:
            self._pushes[name].stop()
        elif self._program is not None:
            await self._program.stop(name)
        else:
            raise KeyError(name)

    async def __aenter__(self) -> Self:
        self._stack = AsyncExitStack()
        if self._program is not None:
            await self._stack.enter_async_context(self._program)
        taken = {info.name for info in self.outputs()}
        for output, to in self._pushed:
            if not isinstance(self._viewers, PushesOutputs):
                raise MissingError(f"{to.shown}: this stream cannot be pushed")
            name = output.name or next(
                name for name in ("whip", *(f"whip-{number}" for number in range(2, 1000))) if name not in taken
            )
            taken.add(name)
            self._pushes[name] = self._viewers.push(to.address, token=output.token, name=name, start=output.start)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.__aexit__(kind, error, trace)
