"""The operator's side of a show: its rundown, what goes on air next, its outputs, and how it does."""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, replace
from typing import Any, Literal, TypeVar

from fastapi import APIRouter, HTTPException, Query, Request, Response

from anchor.broadcast.document import to_document, to_yaml
from anchor.broadcast.nodes import Fields, Items, NodeError, compose
from anchor.errors import RundownError
from anchor.onair import Desk, Outputs, Problem
from anchor.server.health import Health
from anchor.server.logs import RecentLog
from anchor.server.onair_models import (
    AiredModel,
    BreakingRequest,
    BreakingResponse,
    CheckRequest,
    CheckResponse,
    DraftRequest,
    DraftResponse,
    EditRequest,
    HealthResponse,
    JumpRequest,
    LogResponse,
    OrderModel,
    OutputModel,
    PreviewRequest,
    ProblemModel,
    RecordModel,
    SampleModel,
)
from anchor.server.whip_whep import text_of

YAML = "application/yaml"
YAML_TYPES = (YAML, "text/yaml", "application/x-yaml", "text/x-yaml", "text/plain")
"""RFC 9512 names the first; the others are what programs send."""

_YAML_BODY = {"requestBody": {"required": True, "content": {YAML: {"schema": {"type": "string"}}}}}

T = TypeVar("T")
FindDesk = Callable[[str], Desk]
FindOutputs = Callable[[str], Outputs]


def rundowns(find: FindDesk) -> APIRouter:
    """The routes of a rundown. `find` raises `HTTPException` for a channel without a show."""
    router = APIRouter(prefix="/api/v1/channels/{channel}/rundown", tags=["on air"])

    @router.get("", summary="The running order and its rundown")
    async def order(channel: str, known: int | None = None) -> OrderModel:
        """`known` is a version whose document the asker has: it is left out then."""
        return OrderModel.of(find(channel).order(), known)

    @router.put("", summary="Replace what is not yet on air")
    async def edit(channel: str, body: EditRequest) -> OrderModel:
        desk = find(channel)
        return OrderModel.of(await desk.edit(body.document, body.version))

    @router.post("/check", summary="All that is wrong with a rundown")
    async def check(channel: str, body: CheckRequest) -> CheckResponse:
        desk = find(channel)
        try:
            document = await asyncio.to_thread(to_document, body.yaml) if body.yaml is not None else body.document
            assert document is not None
            text = body.yaml if body.yaml is not None else await asyncio.to_thread(to_yaml, document)
        except RundownError as error:
            found = [ProblemModel.of(problem) for problem in error.problems]
            return CheckResponse(problems=found, document=None, yaml=body.yaml)
        problems = await asyncio.to_thread(placed, await desk.check(document), text, document)
        return CheckResponse(problems=[ProblemModel.of(problem) for problem in problems], document=document, yaml=text)

    @router.get(".yaml", summary="The rundown as a file", response_class=Response)
    async def download(channel: str) -> Response:
        order = find(channel).order()
        text = await asyncio.to_thread(to_yaml, order.document)
        headers = {"ETag": f'"{order.version}"', "Content-Disposition": 'attachment; filename="rundown.yaml"'}
        return Response(text.encode(), headers=headers, media_type=YAML)

    @router.put(".yaml", summary="Replace what is not yet on air by a file", openapi_extra=_YAML_BODY)
    async def upload(channel: str, request: Request) -> OrderModel:
        """``If-Match`` names the version it was made from, as the file's ETag does; without it, any will do."""
        desk = find(channel)
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in YAML_TYPES:
            raise HTTPException(415, f"send {YAML}")
        text = await text_of(request)
        document = await asyncio.to_thread(to_document, text)
        return OrderModel.of(await _placed(desk.edit(document, _version(request, desk)), text, document))

    @router.post("/preview", summary="A picture of a segment, with all its graphics", response_class=Response)
    async def preview(channel: str, body: PreviewRequest) -> Response:
        desk = find(channel)
        try:
            picture = await desk.preview(body.document, body.segment)
        except IndexError:
            raise HTTPException(422, f"segment: there is no segment {body.segment}") from None
        return Response(picture, media_type="image/webp", headers={"Cache-Control": "no-store"})

    @router.post("/draft", summary="A rundown made from an article, for review")
    async def draft(channel: str, body: DraftRequest) -> DraftResponse:
        return DraftResponse(document=dict(await find(channel).draft(body.article, body.kind)))

    return router


def shows(find: FindDesk, find_outputs: FindOutputs) -> APIRouter:
    """The routes that steer a show and its outputs."""
    router = APIRouter(prefix="/api/v1/channels/{channel}", tags=["on air"])

    @router.post("/show/go", summary="Go on after a hold, a kill or the end")
    async def go(channel: str) -> OrderModel:
        return await _then(find(channel), find(channel).go())

    @router.post("/show/hold", summary="Finish what is on air, and wait")
    async def hold(channel: str) -> OrderModel:
        return await _then(find(channel), find(channel).hold())

    @router.post("/show/skip", summary="Cut what is on air; go on with the next")
    async def skip(channel: str) -> OrderModel:
        return await _then(find(channel), find(channel).skip())

    @router.post("/show/kill", summary="Silence and a card, at once; only go ends it")
    async def kill(channel: str) -> OrderModel:
        return await _then(find(channel), find(channel).kill())

    @router.post("/show/jump", summary="Go on with a segment at the next sentence end")
    async def jump(channel: str, body: JumpRequest) -> OrderModel:
        desk = find(channel)
        try:
            return await _then(desk, desk.jump(body.segment))
        except KeyError:
            raise HTTPException(404, f"there is no segment {body.segment!r}") from None

    @router.post("/breaking", status_code=202, summary="Put news in at the next sentence end")
    async def breaking(channel: str, body: BreakingRequest) -> BreakingResponse:
        return BreakingResponse(item=await find(channel).breaking(body.news()))

    @router.get("/aired", summary="What went out, the latest first")
    async def aired(channel: str, limit: int = Query(default=100, ge=1, le=1000)) -> list[AiredModel]:
        return [AiredModel.of(line) for line in find(channel).aired(limit)]

    @router.get("/outputs", summary="Where the channel is sent besides its viewers")
    async def outputs(channel: str) -> list[OutputModel]:
        return [OutputModel.of(info) for info in find_outputs(channel).outputs()]

    @router.post("/outputs/{output}/{act}", summary="Start or stop an output")
    async def switch(channel: str, output: str, act: Literal["start", "stop"]) -> list[OutputModel]:
        found = find_outputs(channel)
        try:
            await (found.start(output) if act == "start" else found.stop(output))
        except KeyError:
            raise HTTPException(404, f"there is no output {output!r}") from None
        return [OutputModel.of(info) for info in found.outputs()]

    return router


def watching(find: Callable[[str], object], health: Health | None, log: RecentLog | None) -> APIRouter:
    """How a channel does, and the process's log; `find` raises `HTTPException` for an unknown channel."""
    router = APIRouter(prefix="/api/v1", tags=["operations"])

    @router.get("/channels/{channel}/health", summary="The last ten minutes of a channel, second by second")
    async def series(channel: str, after: int = Query(default=0, ge=0)) -> HealthResponse:
        find(channel)
        last, samples = health.after(channel, after) if health is not None else (0, [])
        return HealthResponse(last=last, samples=[SampleModel(**asdict(sample)) for sample in samples])

    @router.get("/log", summary="The last records of the server's log, without secrets")
    async def records(after: int = Query(default=0, ge=0)) -> LogResponse:
        last, found = log.after(after) if log is not None else (0, [])
        return LogResponse(last=last, records=[RecordModel(**asdict(record)) for record in found])

    return router


async def _then(desk: Desk, order: Awaitable[None]) -> OrderModel:
    """What the show is after an order, without its document."""
    await order
    now = desk.order()
    return OrderModel.of(now, now.version)


def _version(request: Request, desk: Desk) -> int:
    given = request.headers.get("if-match", "*").strip().strip('"')
    if given == "*":
        return desk.order().version
    if not given.isdecimal():
        raise HTTPException(400, "If-Match: the version of the rundown is needed, as its ETag has it")
    return int(given)


async def _placed(work: Awaitable[T], text: str, document: Any) -> T:
    """What `work` gives; problems that it raises have their lines in `text`, which says what `document` does."""
    try:
        return await work
    except RundownError as error:
        raise RundownError(str(error), await asyncio.to_thread(placed, error.problems, text, document)) from error


def placed(problems: Sequence[Problem], text: str, document: Any) -> list[Problem]:
    """Problems of a document with the lines that they have in `text`, however it is written.

    A desk knows lines of the document's own YAML, and those are the best where `text` is just that.
    """
    try:
        root = compose(text)
        own = text == to_yaml(document)
    except (NodeError, RundownError):
        return list(problems)
    return [one if own and _fits(root, one) else replace(one, line=_line(root, one)) for one in problems]


def _fits(root: Any, problem: Problem) -> bool:
    """Whether the line of a problem lies in its segment."""
    segments = _segments(root)
    if problem.segment is None or problem.segment >= len(segments):
        return problem.segment is None
    ends = segments[problem.segment + 1].line if problem.segment + 1 < len(segments) else math.inf
    return bool(segments[problem.segment].line <= problem.line < ends)


def _line(root: Any, problem: Problem) -> int:
    """The line of a problem's key, of its segment, or else the one it has."""
    segments = _segments(root)
    if problem.segment is not None and problem.segment >= len(segments):
        return problem.line
    node = root if problem.segment is None else segments[problem.segment]
    if not isinstance(node, Fields):
        return problem.line if problem.segment is None else int(node.line)
    key = node.keys.get(re.split(r"[.:]", problem.key)[0])
    if key is not None:
        return key.line
    return problem.line if problem.segment is None else node.line


def _segments(root: Any) -> Sequence[Any]:
    found = root.values.get("segments") if isinstance(root, Fields) else None
    return found.items if isinstance(found, Items) else ()
