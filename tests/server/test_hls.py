"""Serving an HLS folder: right types, right caching, and nothing outside the folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi import FastAPI, HTTPException
from starlette.testclient import TestClient

from anchor.server.hls import hls


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    folder = tmp_path / "news"
    folder.mkdir()
    (tmp_path / "secret.json").write_text("{}")
    for name in ("index.m3u8", "00000007.m4s", "init-00000000.mp4", "00000007.vtt", "aigc.json", ".00000008.m4s.part"):
        (folder / name).write_text(name)
    (folder / "link.json").symlink_to(tmp_path / "secret.json")
    (folder / "folder.mp4").mkdir()

    def find(channel: str) -> Path:
        if channel != "news":
            raise HTTPException(404, f"there is no channel {channel!r}")
        return folder

    app = FastAPI()
    app.include_router(hls(find))
    return TestClient(app)


@pytest.mark.parametrize(
    ("name", "kind", "kept"),
    [
        ("index.m3u8", "application/vnd.apple.mpegurl", "no-store"),
        ("aigc.json", "application/json", "no-store"),
        ("00000007.m4s", "video/iso.segment", "public, max-age=86400, immutable"),
        ("init-00000000.mp4", "video/mp4", "public, max-age=86400, immutable"),
        ("00000007.vtt", "text/vtt; charset=utf-8", "public, max-age=86400, immutable"),
    ],
)
def test_each_file_has_its_type_and_is_kept_as_long_as_it_holds(
    client: TestClient, name: str, kind: str, kept: str
) -> None:
    response = client.get(f"/hls/news/{name}")
    assert (response.status_code, response.text) == (200, name)
    assert response.headers["content-type"] == kind
    assert response.headers["cache-control"] == kept
    assert response.headers["access-control-allow-origin"] == "*"
    head = client.head(f"/hls/news/{name}")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(name))


@pytest.mark.parametrize(
    "path",
    [
        "news/none.m4s",
        "news/.00000008.m4s.part",
        "news/link.json",
        "news/folder.mp4",
        "news/..%2fsecret.json",
        "news/%2e%2e/secret.json",
        "news/secret.json%00.m4s",
        "news/" + "a" * 300 + ".m4s",
        "other/index.m3u8",
    ],
)
def test_nothing_else_is_served(client: TestClient, path: str) -> None:
    response = client.get(f"/hls/{path}")
    assert response.status_code == 404
    assert "{}" not in response.text
