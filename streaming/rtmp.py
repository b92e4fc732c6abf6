"""An RTMP publisher over a plain or TLS socket ("Real-Time Messaging Protocol", Adobe 2012; enough of it to send).

FFmpeg's own client blocks without an end where a receiver hangs, and does not say why it was refused. Here every wait
has a limit, and `close` from another thread ends any.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import ssl
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from anchor.errors import OutputError, RefusedError
from streaming import amf, flv
from streaming.rtmp_chunks import CHUNK, SET_CHUNK_SIZE, ChunkReader, chunks

CONNECT_SECONDS = 2.0
STALL_SECONDS = 5.0
"""A receiver that takes or says nothing for so long is given up."""

_PORTS = {"rtmp": 1935, "rtmps": 443}
_ACKNOWLEDGEMENT, _USER_CONTROL, _WINDOW = 3, 4, 5
_COMMAND, _COMMAND_AMF3 = 20, 17
_PING_REQUEST, _PING_RESPONSE = 6, 7
_HANDSHAKE = 1536


@dataclass(frozen=True, slots=True)
class Place:
    """Where a URL leads: `app` and `key` are what RTMP's connect and publish name, `tc_url` all but the key."""

    host: str
    port: int
    secure: bool
    app: str
    key: str = field(repr=False)
    tc_url: str

    @classmethod
    def parse(cls, url: str) -> Place:
        parts = urlsplit(url)
        path, question, query = url.split("://", 1)[1].partition("/")[2].partition("?")
        app, slash, key = path.rpartition("/")
        if not slash:
            app, key = path, ""
        key += question + query
        app = app.strip("/")
        secure = parts.scheme.lower() == "rtmps"
        host = parts.hostname or ""
        port = parts.port or _PORTS[parts.scheme.lower()]
        named = parts.netloc.rpartition("@")[2]
        return cls(host, port, secure, app, key, f"{parts.scheme.lower()}://{named}/{app}")


class RtmpConnection:
    """A connection that publishes one stream. Belongs to one thread; only `close` may come from another.

    All methods raise `OutputError`: `RefusedError` where the receiver says no. Texts name `shown`, never the key.
    """

    def __init__(self, url: str, shown: str, *, patience_seconds: float = STALL_SECONDS) -> None:
        self._place = Place.parse(url)
        self._shown = shown
        self._patience = patience_seconds
        self._socket: socket.socket | None = None
        self._poll = select.poll()
        self._reader = ChunkReader()
        self._awaited = 0
        self._result: tuple[str, list[Any]] | None = None
        self._statuses: list[dict[str, Any]] = []
        self._transaction = 0
        self._stream = 0
        self._received = 0
        self._acknowledged = 0
        self._window = 2_500_000
        self._closed = False

    def open(self) -> None:
        """Connect and begin to publish; a few round trips, each within the patience."""
        with self._told("cannot be reached"):
            self._connect()
            self._shake_hands()
        with self._told("broke off while it was being opened"):
            self._begin()

    def send(self, kind: int, timestamp: int, body: bytes) -> None:
        """Send a message of the published stream, and hear what the receiver has to say meanwhile."""
        with self._told("broke off"):
            self._write(chunks(6 if kind == flv.VIDEO else 4, kind, self._stream, timestamp, body))
            self._hear(0)
            for status in self._statuses:
                if status.get("level") == "error":
                    raise RefusedError(f"{self._shown}: the receiver ended it: {_reason(status)}")
            self._statuses.clear()

    def end(self) -> None:
        """Say that the stream is over."""
        with self._told("broke off at its end"):
            self._command("FCUnpublish", None, self._place.key)
            self._command("deleteStream", None, self._stream)

    def close(self) -> None:
        self._closed = True
        if self._socket is not None:
            with contextlib.suppress(OSError):
                # The plain socket's shutdown wakes a thread that blocks in TLS as well.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
            with contextlib.suppress(OSError):
                self._socket.close()

    @contextlib.contextmanager
    def _told(self, what: str) -> Iterator[None]:
        try:
            yield
        except OutputError:
            raise
        except ssl.SSLCertVerificationError as error:
            raise RefusedError(f"{self._shown}: its certificate is not trusted: {error.verify_message}") from error
        except TimeoutError as error:
            raise OutputError(f"{self._shown}: {what}: no answer within {self._patience:g} s") from error
        except (OSError, ValueError, EOFError) as error:
            told = "given up" if self._closed else getattr(error, "strerror", None) or str(error) or "end of stream"
            raise OutputError(f"{self._shown}: {what}: {told}") from error

    def _connect(self) -> None:
        place = self._place
        plain = socket.create_connection((place.host, place.port), CONNECT_SECONDS)
        self._socket = plain
        self._poll.register(plain, select.POLLIN)
        plain.settimeout(self._patience)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            # Without it, what is sent to a machine that has gone piles up in the kernel for many seconds first.
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(self._patience * 1000))
        if place.secure:
            self._socket = ssl.create_default_context().wrap_socket(plain, server_hostname=place.host)
        if self._closed:
            raise OSError("given up")

    def _shake_hands(self) -> None:
        """The simple handshake: the receiver's random bytes are given back (section 5.2)."""
        ours = bytes(8) + os.urandom(_HANDSHAKE - 8)
        self._write(b"\x03" + ours)
        version = self._exactly(1)
        if version[0] != 3:
            raise ValueError(f"speaks RTMP version {version[0]}, or no RTMP at all")
        theirs = self._exactly(_HANDSHAKE)
        self._write(theirs)
        self._exactly(_HANDSHAKE)

    def _begin(self) -> None:
        place = self._place
        self._write(chunks(2, SET_CHUNK_SIZE, 0, 0, struct.pack(">I", CHUNK), size=128))
        self._call(
            "connect",
            {
                "app": place.app, "type": "nonprivate", "flashVer": "FMLE/3.0 (compatible; anchor)",
                "tcUrl": place.tc_url,
            },
        )  # fmt: skip
        self._command("releaseStream", None, place.key)
        self._command("FCPublish", None, place.key)
        created = self._call("createStream", None)
        number = created[1] if len(created) > 1 else None
        if not isinstance(number, float):
            raise ValueError("no stream was created")
        self._stream = int(number)
        self._command("publish", None, place.key, "live", stream=self._stream)
        while True:
            for status in self._statuses:
                if status.get("code") == "NetStream.Publish.Start":
                    self._statuses.clear()
                    return
                if status.get("level") == "error" or status.get("code") == "NetStream.Publish.BadName":
                    raise RefusedError(f"{self._shown}: does not take the stream: {_reason(status)}")
            self._statuses.clear()
            self._hear(self._patience)

    def _call(self, name: str, *values: Any) -> list[Any]:
        """Send a command and wait for its result."""
        self._result = None
        self._awaited = self._command(name, *values)
        while self._result is None:
            self._hear(self._patience)
        outcome, found = self._result
        if outcome == "_error":
            status = next((value for value in found if isinstance(value, dict)), {})
            raise RefusedError(f"{self._shown}: refuses to {name}: {_reason(status)}")
        return found

    def _command(self, name: str, *values: Any, stream: int = 0) -> int:
        self._transaction += 1
        body = amf.encode(name, self._transaction, *values)
        self._write(chunks(3 if not stream else 8, _COMMAND, stream, 0, body))
        return self._transaction

    def _write(self, data: bytes) -> None:
        if self._socket is None or self._closed:
            raise OSError("given up")
        self._socket.sendall(data)

    def _hear(self, seconds: float) -> None:
        """Take what has come, waiting up to `seconds` for it; without any, raise `TimeoutError` if that was awaited."""
        assert self._socket is not None
        while self._readable(seconds):
            data = self._socket.recv(1 << 16)
            if not data:
                raise EOFError("the receiver closed the connection")
            self._received += len(data)
            for kind, body in self._reader.feed(data):
                self._heard(kind, body)
            if self._received - self._acknowledged >= self._window // 2:
                self._acknowledged = self._received
                self._write(chunks(2, _ACKNOWLEDGEMENT, 0, 0, struct.pack(">I", self._received & 0xFFFFFFFF)))
            seconds = 0
        if seconds:
            raise TimeoutError

    def _readable(self, seconds: float) -> bool:
        assert self._socket is not None
        if isinstance(self._socket, ssl.SSLSocket) and self._socket.pending():
            return True
        return bool(self._poll.poll(seconds * 1000))

    def _exactly(self, size: int) -> bytes:
        assert self._socket is not None
        data = b""
        while len(data) < size:
            part = self._socket.recv(size - len(data))
            if not part:
                raise EOFError("the receiver closed the connection")
            data += part
        return data

    def _heard(self, kind: int, body: bytes) -> None:
        if kind == _WINDOW and len(body) >= 4:
            self._window = max(1, int.from_bytes(body[:4], "big"))
        elif kind == _USER_CONTROL and len(body) >= 6 and int.from_bytes(body[:2], "big") == _PING_REQUEST:
            self._write(chunks(2, _USER_CONTROL, 0, 0, struct.pack(">H", _PING_RESPONSE) + body[2:6]))
        elif kind in (_COMMAND, _COMMAND_AMF3):
            values = amf.decode(body[1:] if kind == _COMMAND_AMF3 else body)
            if values[:1] in (["_result"], ["_error"]) and values[1:2] == [self._awaited]:
                self._result = (values[0], values[2:])
            elif values[:1] == ["onStatus"] and isinstance(values[-1], dict):
                self._statuses.append(values[-1])


def _reason(status: dict[str, Any]) -> str:
    told = [str(status[key]) for key in ("code", "description") if status.get(key)]
    return ": ".join(told)[:200] or "without a reason"
