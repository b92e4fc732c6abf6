"""A real HTTP server of files that behaves as badly as it is told."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote


@dataclass(slots=True)
class Manner:
    """How files are served. `cut_at`: bytes of each answer, after which the connection ends; once for each number.

    `hold_at`: bytes of an answer after which it waits for `go`. `statuses` are answered first, one a request.
    """

    ranges: bool = True
    etag: str = '"first"'
    cut_at: list[int] = field(default_factory=list)
    hold_at: int = 0
    kind: str = "application/octet-stream"
    statuses: list[int] = field(default_factory=list)
    redirects: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    encoding: str = ""
    go: threading.Event = field(default_factory=threading.Event)


@dataclass(slots=True)
class Asked:
    path: str
    range: str
    sent: int = 0


class FileServer:
    """`files` by their paths; `asked` is every request so far."""

    def __init__(self, files: dict[str, bytes], manner: Manner) -> None:
        self.files, self.manner = files, manner
        self.asked: list[Asked] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, format: str, *args: object) -> None:
                pass

            def do_GET(self) -> None:
                outer._answer(self)

        class Server(ThreadingHTTPServer):
            daemon_threads = False

            def handle_error(self, request: object, client_address: object) -> None:
                pass  # clients are killed on purpose

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    @contextmanager
    def running(self) -> Iterator[FileServer]:
        self._thread.start()
        try:
            yield self
        finally:
            self.manner.go.set()
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        path, manner = unquote(handler.path), self.manner
        asked = Asked(path, handler.headers.get("Range", ""))
        self.asked.append(asked)
        handler.close_connection = True
        if manner.statuses:
            self._head(handler, manner.statuses.pop(0), {"Content-Length": "0"})
            return
        if path in manner.redirects:
            self._head(handler, 302, {"Location": manner.redirects[path], "Content-Length": "0", **manner.headers})
            return
        data = self.files.get(path)
        if data is None:
            self._head(handler, 404, {"Content-Length": "0"})
            return
        start, whole = 0, len(data)
        fresh = handler.headers.get("If-Range", manner.etag) == manner.etag
        headers = {"Content-Type": manner.kind, "ETag": manner.etag, **manner.headers}
        if manner.encoding:
            headers["Content-Encoding"] = manner.encoding
        if manner.ranges and asked.range and fresh:
            start = int(asked.range.removeprefix("bytes=").partition("-")[0])
            if start >= whole:
                self._head(handler, 416, {"Content-Range": f"bytes */{whole}", "Content-Length": "0"})
                return
            headers["Content-Range"] = f"bytes {start}-{whole - 1}/{whole}"
        body = data[start:]
        self._head(handler, 206 if "Content-Range" in headers else 200, {**headers, "Content-Length": str(len(body))})
        end = manner.cut_at.pop(0) if manner.cut_at else len(body)
        for at in range(0, min(end, len(body)), 50_000):
            if manner.hold_at and at >= manner.hold_at:
                manner.go.wait(20)
            piece = body[at : min(at + 50_000, end)]
            handler.wfile.write(piece)
            asked.sent += len(piece)

    @staticmethod
    def _head(handler: BaseHTTPRequestHandler, status: int, headers: Mapping[str, str]) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Connection", "close")
        handler.end_headers()


@contextmanager
def serving(files: dict[str, bytes], manner: Manner | None = None) -> Iterator[FileServer]:
    with FileServer(files, manner or Manner()).running() as server:
        yield server
