"""An output to real RTMP servers: nginx's and ffmpeg's."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import signal
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from anchor.bench.ingest import Ingest, arrived, free_port
from anchor.clock import LoopClock, wall_time
from anchor.config import OutputConfig
from anchor.media import SAMPLE_RATE, Beat, VideoFormat
from anchor.onair import OutputInfo
from streaming.destinations import Destination
from streaming.outputs import Wish, open_program
from streaming.packets import Writer
from streaming.program import Program
from streaming.rtmp_writer import RtmpWriter
from tests.streaming.beats import click_and_flash
from tests.streaming.ingest import nginx
from tests.streaming.watching import on_air

VIDEO = VideoFormat(320, 192, 25)
LABEL = '{"Label":"1","ContentProducer":"anchor"}'


def impatient(to: Destination, wish: Wish, labels: Mapping[str, str]) -> Writer:
    return RtmpWriter(to, metadata=labels, patience_seconds=1.0)


def program(*addresses: str) -> Program:
    wishes = [OutputConfig(to=address) for address in addresses]
    return open_program(VIDEO, wishes, metadata={"AIGC": LABEL}, writers={"rtmp": impatient})


def info(program: Program, kind: str = "rtmp") -> OutputInfo:
    return next(found for found in program.outputs() if found.kind == kind)


async def until(condition: Callable[[], bool], seconds: float = 15.0) -> float:
    """Wait for a condition; how long it took."""
    clock = LoopClock()
    start = clock.now()
    while not condition():
        assert clock.now() - start < seconds, "waited in vain"
        await clock.sleep_until(clock.now() + 0.02)
    return clock.now() - start


async def sends(program: Program, seconds: float) -> float:
    """Wait until so much more has been written; how long it took."""
    goal = info(program).sent_seconds + seconds
    return await until(lambda: info(program).sent_seconds >= goal)


def rising(times: list[float]) -> bool:
    return all(later > earlier for earlier, later in pairwise(times))


def test_nginx_gets_every_picture_and_the_label_from_time_zero(tmp_path: Path) -> None:
    async def main(server: Ingest) -> Program:
        sent = program(server.address())
        async with sent, on_air(sent, VIDEO):
            await until(lambda: info(sent).sent_seconds >= 4.5)
        return sent

    with nginx(tmp_path / "nginx") as server:
        sent = asyncio.run(main(server))
        (record,) = server.records
    found = arrived(record)
    assert len(found.video) == round(info(sent).sent_seconds * VIDEO.fps)
    assert found.video[0] == 0
    indices = [round(time / 40) for time in found.video]
    (encoded,) = sent.encoded()
    assert indices[-1] + 1 - len(indices) <= encoded.dropped
    assert rising(found.video) and rising(found.audio)
    if not encoded.dropped:
        assert [index for index, key in zip(indices, found.keyframes, strict=True) if key][:3] == [0, 50, 100]
    assert abs(found.audio[0]) <= 22
    assert info(sent).state == "stopped"


def test_a_server_killed_again_and_again_is_back_within_two_seconds_and_others_notice_nothing(tmp_path: Path) -> None:
    rounds = 3

    async def main(server: Ingest) -> tuple[Program, list[float]]:
        sent = program(server.address(), f"file:{tmp_path / 'archive.mp4'}")
        back = []
        async with sent, on_air(sent, VIDEO):
            await until(lambda: info(sent).sent_seconds >= 1)
            for _ in range(rounds):
                server.kill()
                await until(lambda: info(sent).state == "waiting")
                await LoopClock().sleep_until(LoopClock().now() + 1.3)
                server.start()
                back.append(await sends(sent, 0.04))
                await sends(sent, 0.6)
        return sent, back

    with nginx(tmp_path / "nginx") as server:
        sent, back = asyncio.run(main(server))
        records = server.records
    assert max(back) <= 2.0
    assert len(records) == rounds + 1
    for record in records:
        found = arrived(record)
        assert found.keyframes[0] and found.video[0] == 0
        assert rising(found.video) and rising(found.audio)
    whole = arrived(tmp_path / "archive.mp4")
    assert len(whole.video) == sent.encoded()[1].beats
    assert info(sent, "file").dropped == 0
    assert all(encoded.blocked_seconds_max < 0.5 for encoded in sent.encoded())
    assert info(sent, "file").attempts == 1


def test_a_flash_and_its_click_arrive_together(tmp_path: Path) -> None:
    def shot(video: VideoFormat, index: int) -> Beat:
        return click_and_flash(video, index, every=25)

    async def main(server: Ingest) -> None:
        sent = program(server.address())
        async with sent, on_air(sent, VIDEO, shot):
            await until(lambda: info(sent).sent_seconds >= 3.5)

    with nginx(tmp_path / "nginx") as server:
        asyncio.run(main(server))
        (record,) = server.records
    flashes, clicks = [], []
    with av.open(str(record)) as container:
        for frame in container.decode(container.streams.video[0], container.streams.audio[0]):
            assert isinstance(frame, av.VideoFrame | av.AudioFrame) and frame.time is not None
            if isinstance(frame, av.VideoFrame) and frame.to_ndarray(format="gray").mean() > 128:
                flashes.append(frame.time)
            elif isinstance(frame, av.AudioFrame):
                loud = np.flatnonzero(np.abs(frame.to_ndarray()[0]) > 0.3)
                clicks += [frame.time + loud[0] / SAMPLE_RATE] if loud.size else []
    assert len(flashes) >= 3
    for flash in flashes[1:]:
        assert min(abs(click - flash) for click in clicks) <= 0.02


def test_times_beyond_24_bits_arrive(tmp_path: Path) -> None:
    """After four hours and forty minutes, times of a connection have a field of their own."""
    begin = 0xFFFFFF - 1500

    async def main(server: Ingest) -> None:
        def late(to: Destination, wish: Wish, labels: Mapping[str, str]) -> Writer:
            return RtmpWriter(to, metadata=labels, first_timestamp=begin)

        sent = open_program(VIDEO, [OutputConfig(to=server.address())], writers={"rtmp": late})
        async with sent, on_air(sent, VIDEO):
            await until(lambda: info(sent).sent_seconds >= 3)

    with nginx(tmp_path / "nginx") as server:
        asyncio.run(main(server))
        found = arrived(server.records[0])
    assert rising(found.video) and rising(found.audio)
    assert max(later - earlier for earlier, later in pairwise(found.video)) < 1000


def certificate(folder: Path) -> Path:
    """A key and a certificate of its own for localhost, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = wall_time()
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "certificate.pem"
    path.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    return path


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def served(handler: Handler, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server on a port; whoever is still being served at its end is let go."""
    serving: set[asyncio.Task[Any]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        serving.add(task)
        try:
            with contextlib.suppress(ConnectionError, OSError):
                await handler(reader, writer)
        finally:
            writer.transport.abort()
            with contextlib.suppress(ConnectionError, OSError):
                await writer.wait_closed()

    async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context) as server:
        yield server.sockets[0].getsockname()[1]
    for task in serving:
        task.cancel()
    await asyncio.gather(*serving, return_exceptions=True)


@asynccontextmanager
async def behind_tls(port: int, certificate: Path) -> AsyncIterator[int]:
    """A port whose connections are decrypted and passed on to another."""

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(1 << 16):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(copy(reader, inner_writer))
                group.create_task(copy(inner_reader, writer))
        finally:
            inner_writer.transport.abort()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    async with served(serve, context) as inner:
        yield inner


def test_a_stream_goes_through_tls_and_only_to_whom_it_trusts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = certificate(tmp_path)

    async def main(server: Ingest) -> OutputInfo:
        async with behind_tls(server.port, own) as port:
            address = f"rtmps://localhost:{port}/live/key"
            distrusting = program(address)
            async with distrusting, on_air(distrusting, VIDEO):
                await until(lambda: info(distrusting).problem != "")
                refused = info(distrusting)
            monkeypatch.setenv("SSL_CERT_FILE", str(own))
            sent = program(address)
            async with sent, on_air(sent, VIDEO):
                await until(lambda: info(sent).sent_seconds >= 2)
        return refused

    with nginx(tmp_path / "nginx") as server:
        refused = asyncio.run(main(server))
        found = arrived(server.records[0])
    assert refused.state == "failed"
    assert "certificate is not trusted" in refused.problem
    assert len(found.video) >= 50 and found.keyframes[0]


def test_a_server_that_stands_still_slows_nobody_and_is_left_for_a_new_connection(tmp_path: Path) -> None:
    async def main(server: Ingest) -> Program:
        sent = program(server.address(), f"file:{tmp_path / 'archive.mp4'}")
        async with sent, on_air(sent, VIDEO):
            await until(lambda: info(sent).state == "live")
            os.kill(server.pid, signal.SIGSTOP)
            try:
                await until(lambda: info(sent).state == "waiting")
            finally:
                os.kill(server.pid, signal.SIGCONT)
            await until(lambda: info(sent).state == "live")
        return sent

    with nginx(tmp_path / "nginx") as server:
        sent = asyncio.run(main(server))
    assert info(sent).attempts >= 2
    assert info(sent, "file").dropped == 0
    assert all(encoded.blocked_seconds_max < 0.5 for encoded in sent.encoded())


def test_a_key_that_is_refused_is_told_and_tried_again_but_seldom(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def main(server: Ingest) -> OutputInfo:
        sent = program(server.address("s3cret", app="nowhere"))
        async with sent, on_air(sent, VIDEO):
            await until(lambda: info(sent).problem != "")
            return info(sent)

    with caplog.at_level(logging.DEBUG), nginx(tmp_path / "nginx") as server:
        found = asyncio.run(main(server))
    assert found.state in ("failed", "waiting")
    assert "/nowhere/***" in found.problem
    assert "s3cret" not in caplog.text + found.problem + found.address


def test_ffmpeg_listening_gets_the_stream(tmp_path: Path) -> None:
    ffmpeg = shutil.which("ffmpeg")
    if ffmpeg is None:
        pytest.skip("ffmpeg is not installed")
    address, target = f"rtmp://127.0.0.1:{free_port()}/live/key", tmp_path / "heard.flv"
    command = [ffmpeg, "-v", "error", "-y", "-listen", "1", "-f", "flv", "-i", address, "-c", "copy", str(target)]

    async def main() -> None:
        sent = program(address)
        async with sent, on_air(sent, VIDEO):
            await until(lambda: info(sent).sent_seconds >= 3)

    with subprocess.Popen(command) as server:
        asyncio.run(main())
        assert server.wait(20) == 0
    found = arrived(target)
    assert len(found.video) >= 75
    assert found.keyframes[0] and rising(found.video) and rising(found.audio)
    assert found.metadata["AIGC"] == LABEL


@pytest.mark.parametrize("greeting", [b"HTTP/1.1 400 Bad Request\r\n\r\n" + bytes(1600), b"", b"\x03" + bytes(3073)])
def test_what_speaks_no_rtmp_is_told_within_seconds(greeting: bytes) -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        await writer.drain()
        if greeting:
            await reader.read()

    async def main() -> OutputInfo:
        async with served(greet) as port:
            sent = program(f"rtmp://127.0.0.1:{port}/live/key")
            async with sent, on_air(sent, VIDEO):
                await until(lambda: info(sent).problem != "")
                return info(sent)

    found = asyncio.run(main())
    assert found.state in ("waiting", "connecting")
    assert found.problem.startswith("rtmp://127.0.0.1:")


def test_a_name_that_leads_nowhere_is_told() -> None:
    async def main() -> OutputInfo:
        sent = program("rtmp://nowhere.invalid/live/key")
        async with sent, on_air(sent, VIDEO):
            await until(lambda: info(sent).problem != "")
            return info(sent)

    assert "rtmp://nowhere.invalid/live/***: cannot be reached" in asyncio.run(main()).problem


def test_an_output_ends_within_seconds_while_its_server_says_nothing() -> None:
    async def main(port: int) -> float:
        sent = program(f"rtmp://127.0.0.1:{port}/live/key")
        clock = LoopClock()
        async with sent:
            async with on_air(sent, VIDEO):
                await until(lambda: info(sent).state == "connecting")
                await clock.sleep_until(clock.now() + 0.3)
            ended = clock.now()
        return clock.now() - ended

    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert asyncio.run(main(silent.getsockname()[1])) < 4
