"""Fetching one file from servers that behave, and from ones that do not."""

from __future__ import annotations

import asyncio
import hashlib
import random
import resource
from pathlib import Path

import httpx
import pytest

from anchor.clock import LoopClock
from anchor.errors import FetchError, OutputError
from anchor.models.fetch import Fetched, Fetcher, Patience, declared_digest
from anchor.models.reach import Reach
from tests.models.server import Manner, serving

DATA = random.Random(7).randbytes(900_000)
SHA256 = hashlib.sha256(DATA).hexdigest()
HASTY = Patience(tries=3, wait_seconds=0.01, window_seconds=0.3, least_bytes=60_000)


def fetch(
    base: str, target: Path, path: str = "/m.onnx", *, sha256: str = SHA256, size: int = len(DATA), silence: float = 5.0
) -> Fetched:
    async def main() -> Fetched:
        fetcher = Fetcher(LoopClock(), Reach((base,), silence_seconds=silence), HASTY)
        try:
            return await fetcher.fetch(base + path, target, sha256=sha256, size=size, watch=lambda here, size: None)
        finally:
            await fetcher.close()

    return asyncio.run(main())


def kept(target: Path) -> int:
    part = target.with_name(f"{target.name}.part")
    return part.stat().st_size if part.exists() else 0


def test_a_file_appears_when_it_is_whole_and_right(tmp_path: Path) -> None:
    with serving({"/m.onnx": DATA}) as server:
        fetched = fetch(server.url, tmp_path / "m.onnx")
    assert (fetched.sha256, fetched.size) == (SHA256, len(DATA))
    assert (tmp_path / "m.onnx").read_bytes() == DATA
    assert [path.name for path in tmp_path.iterdir()] == ["m.onnx"]


def test_a_connection_that_is_cut_off_is_taken_up_where_it_ended(tmp_path: Path) -> None:
    with serving({"/m.onnx": DATA}, Manner(cut_at=[300_000, 200_000])) as server:
        fetch(server.url, tmp_path / "m.onnx")
        assert [asked.range for asked in server.asked] == ["", "bytes=300000-", "bytes=500000-"]
        assert sum(asked.sent for asked in server.asked) == len(DATA)
    assert (tmp_path / "m.onnx").read_bytes() == DATA


def test_a_server_without_ranges_begins_anew(tmp_path: Path) -> None:
    with serving({"/m.onnx": DATA}, Manner(ranges=False, cut_at=[300_000])) as server:
        fetch(server.url, tmp_path / "m.onnx")
        assert [asked.sent for asked in server.asked] == [300_000, len(DATA)]
    assert (tmp_path / "m.onnx").read_bytes() == DATA


def test_a_file_that_has_changed_meanwhile_is_fetched_from_its_beginning(tmp_path: Path) -> None:
    with serving({"/m.onnx": b"x" * 900_000}, Manner(cut_at=[300_000, 0, 0, 0])) as server:
        with pytest.raises(FetchError):
            fetch(server.url, tmp_path / "m.onnx", sha256="")
        server.files["/m.onnx"], server.manner.etag = DATA, '"second"'
        server.manner.cut_at = []
        assert kept(tmp_path / "m.onnx") > 0
        fetch(server.url, tmp_path / "m.onnx", sha256="")
    assert (tmp_path / "m.onnx").read_bytes() == DATA


def test_a_beginning_that_was_damaged_on_the_disk_is_noticed_and_fetched_again(tmp_path: Path) -> None:
    part = tmp_path / "m.onnx.part"
    part.write_bytes(b"?" + DATA[1:400_000])
    with serving({"/m.onnx": DATA}) as server:
        fetch(server.url, tmp_path / "m.onnx")
        assert [asked.range for asked in server.asked] == ["bytes=400000-", ""]
    assert (tmp_path / "m.onnx").read_bytes() == DATA


def test_what_was_whole_before_the_end_came_is_checked_and_not_fetched_again(tmp_path: Path) -> None:
    (tmp_path / "m.onnx.part").write_bytes(DATA)
    with serving({"/m.onnx": DATA}) as server:
        fetch(server.url, tmp_path / "m.onnx")
        assert server.asked == []
    assert (tmp_path / "m.onnx").read_bytes() == DATA


def test_a_server_that_always_cuts_off_at_the_same_place_is_given_up(tmp_path: Path) -> None:
    manner = Manner(ranges=False, cut_at=[100_000] * 9)
    with serving({"/m.onnx": DATA}, manner) as server, pytest.raises(FetchError, match="after 100000 of 900000 bytes"):
        fetch(server.url, tmp_path / "m.onnx")
    assert kept(tmp_path / "m.onnx") == 100_000
    assert not (tmp_path / "m.onnx").exists()


def test_another_file_is_named_with_both_checksums_and_removed(tmp_path: Path) -> None:
    other = DATA[:-1] + bytes([DATA[-1] ^ 1])
    with serving({"/m.onnx": other}) as server, pytest.raises(FetchError) as caught:
        fetch(server.url, tmp_path / "m.onnx")
    assert SHA256 in str(caught.value)
    assert hashlib.sha256(other).hexdigest() in str(caught.value)
    assert "removed" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("size", [len(DATA) - 5, len(DATA) + 5])
def test_a_file_of_another_size_is_refused_before_it_is_fetched(size: int, tmp_path: Path) -> None:
    with serving({"/m.onnx": DATA}) as server:
        with pytest.raises(FetchError, match=f"has 900000 bytes, and must have {size}"):
            fetch(server.url, tmp_path / "m.onnx", size=size)
        assert len(server.asked) == 1
    assert not (tmp_path / "m.onnx").exists()


def test_a_wrong_server_does_not_cost_what_a_right_one_has_given(tmp_path: Path) -> None:
    (tmp_path / "m.onnx.part").write_bytes(DATA[:500_000])
    with serving({"/m.onnx": DATA[:-9]}) as server, pytest.raises(FetchError):
        fetch(server.url, tmp_path / "m.onnx")
    assert kept(tmp_path / "m.onnx") == 500_000


def test_a_web_page_is_no_model(tmp_path: Path) -> None:
    page = b"<!DOCTYPE html><html><body>Log in to the network</body></html>"
    with serving({"/m.onnx": page}, Manner(kind="text/html; charset=utf-8")) as server:
        with pytest.raises(FetchError, match="web page instead of a model: is a login"):
            fetch(server.url, tmp_path / "m.onnx")
        server.manner.kind = "application/octet-stream"
        with pytest.raises(FetchError, match="web page came instead of a model"):
            fetch(server.url, tmp_path / "m.onnx", sha256="", size=0)
    assert list(tmp_path.iterdir()) == []


def test_a_pointer_of_git_lfs_is_no_model(tmp_path: Path) -> None:
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n"
    with serving({"/m.onnx": pointer}) as server, pytest.raises(FetchError, match="pointer of Git LFS"):
        fetch(server.url, tmp_path / "m.onnx", sha256="", size=0)


def test_a_compressed_answer_is_refused(tmp_path: Path) -> None:
    with serving({"/m.onnx": DATA}, Manner(encoding="gzip")) as server, pytest.raises(FetchError, match="compressed"):
        fetch(server.url, tmp_path / "m.onnx")


@pytest.mark.parametrize(
    ("status", "text"), [(404, "does not have it"), (401, "asks for a password"), (403, "refuses")]
)
def test_a_refusal_is_not_tried_again(status: int, text: str, tmp_path: Path) -> None:
    with serving({"/m.onnx": DATA}, Manner(statuses=[status])) as server:
        with pytest.raises(FetchError, match=rf"{text} \(status {status}\)"):
            fetch(server.url, tmp_path / "m.onnx")
        assert len(server.asked) == 1


def test_a_server_that_is_busy_is_tried_again(tmp_path: Path) -> None:
    with serving({"/m.onnx": DATA}, Manner(statuses=[503, 429])) as server:
        fetch(server.url, tmp_path / "m.onnx")
        assert len(server.asked) == 3
    assert (tmp_path / "m.onnx").read_bytes() == DATA


def test_a_server_that_stays_busy_is_given_up(tmp_path: Path) -> None:
    with serving({}, Manner(statuses=[502] * 9)) as server:
        with pytest.raises(FetchError, match="status 502; what came is kept"):
            fetch(server.url, tmp_path / "m.onnx")
        assert len(server.asked) == HASTY.tries


def test_a_server_that_falls_silent_is_left(tmp_path: Path) -> None:
    manner = Manner(hold_at=50_000)
    with serving({"/m.onnx": DATA}, manner) as server, pytest.raises(FetchError, match="has stopped sending"):
        fetch(server.url, tmp_path / "m.onnx", silence=0.1)
    assert kept(tmp_path / "m.onnx") == 150_000


def test_a_drip_is_as_good_as_silence(tmp_path: Path) -> None:
    async def main() -> None:
        async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 900000\r\nConnection: close\r\n\r\n")
            try:
                while not done.is_set():
                    writer.write(b"x")
                    await writer.drain()
                    await LoopClock().sleep_until(LoopClock().now() + 0.02)
            except ConnectionError:
                pass
            finally:
                writer.close()

        done = asyncio.Event()
        async with await asyncio.start_server(drip, "127.0.0.1", 0) as server:
            base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            fetcher = Fetcher(LoopClock(), Reach((base,)), HASTY)
            try:
                with pytest.raises(FetchError, match="sends too slowly"):
                    await fetcher.fetch(f"{base}/m", tmp_path / "m", sha256=SHA256, size=900_000, watch=lambda *_: None)
            finally:
                done.set()
                await fetcher.close()

    asyncio.run(main())


def test_an_endless_answer_ends_at_the_size_that_it_must_have(tmp_path: Path) -> None:
    async def main() -> None:
        async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
            try:
                while True:
                    writer.write(b"x" * 65_536)
                    await writer.drain()
            except ConnectionError:
                pass
            finally:
                writer.close()

        async with await asyncio.start_server(pour, "127.0.0.1", 0) as server:
            base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            fetcher = Fetcher(LoopClock(), Reach((base,)), HASTY)
            try:
                with pytest.raises(FetchError, match="more than the 900000 bytes"):
                    await fetcher.fetch(f"{base}/m", tmp_path / "m", sha256=SHA256, size=900_000, watch=lambda *_: None)
            finally:
                await fetcher.close()

    asyncio.run(main())
    assert list(tmp_path.iterdir()) == []


def test_a_redirect_is_followed_on_the_mirrors_own_host(tmp_path: Path) -> None:
    with serving({"/m.onnx": DATA}, Manner(redirects={"/old": "/m.onnx"})) as server:
        fetch(server.url, tmp_path / "m.onnx", "/old")
    assert (tmp_path / "m.onnx").read_bytes() == DATA


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("http://models.example/m", "only https is fetched from"),
        ("ftp://models.example/m", "only https is fetched from"),
        ("https://127.0.0.1:9/m", "no public address"),
        ("https://169.254.169.254/latest", "no public address"),
    ],
)
def test_a_redirect_to_a_plain_or_inner_address_is_refused(
    place: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with serving({}, Manner(redirects={"/m.onnx": place})) as server, pytest.raises(FetchError, match=text):
        fetch(server.url, tmp_path / "m.onnx")


def test_redirects_without_end_are_left(tmp_path: Path) -> None:
    with serving({}, Manner(redirects={"/m.onnx": "/m.onnx"})) as server:
        with pytest.raises(FetchError, match="redirects without end"):
            fetch(server.url, tmp_path / "m.onnx")
        assert len(server.asked) < 20


def test_the_checksum_that_a_server_declares_on_the_way_counts_where_none_is_published(tmp_path: Path) -> None:
    manner = Manner(redirects={"/hub": "/m.onnx"}, headers={"X-Linked-ETag": f'"{SHA256}"'})
    with serving({"/m.onnx": DATA}, manner) as server:
        fetched = fetch(server.url, tmp_path / "m.onnx", "/hub", sha256="", size=0)
        assert (fetched.sha256, fetched.declared) == (SHA256, True)
        server.files["/m.onnx"] = DATA[::-1]
        with pytest.raises(FetchError, match=f"must be {SHA256}"):
            fetch(server.url, tmp_path / "n.onnx", "/hub", sha256="", size=0)


@pytest.mark.parametrize(
    ("headers", "digest"),
    [
        ({"ETag": f'"{SHA256}"'}, SHA256),
        ({"ETag": f'W/"{SHA256}"'}, SHA256),
        ({"ETag": '"9eb98c817f04b051b3bcca591bcd4e03cec88018"'}, ""),
        ({"X-Linked-ETag": f'"{SHA256}"', "ETag": '"other"'}, SHA256),
        ({"Repr-Digest": "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"}, hashlib.sha256(b"").hexdigest()),
        ({}, ""),
    ],
)
def test_declared_checksums_are_read(headers: dict[str, str], digest: str) -> None:
    assert declared_digest(httpx.Headers(headers)) == digest


def test_a_full_disk_is_told_and_what_came_is_kept(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with serving({"/m.onnx": DATA}) as server:
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, hard))
        try:
            with pytest.raises(OutputError, match="the disk is full; what came is kept"):
                fetch(server.url, tmp_path / "m.onnx")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert 0 < kept(tmp_path / "m.onnx") <= 400_000
        fetch(server.url, tmp_path / "m.onnx")
        assert server.asked[-1].range
    assert (tmp_path / "m.onnx").read_bytes() == DATA


def test_nobody_who_answers_is_told_as_such(tmp_path: Path) -> None:
    with serving({}) as server:
        gone = server.url
    with pytest.raises(FetchError, match="cannot be reached"):
        fetch(gone, tmp_path / "m.onnx")
