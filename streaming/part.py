"""One file of a recording, which can be played while it grows and after a crash."""

from __future__ import annotations

import contextlib
import fcntl
import io
import os
import struct
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.error import FFmpegError

from anchor.errors import OutputError
from anchor.media import SAMPLE_RATE, VIDEO_CLOCK
from streaming import flv
from streaming.packets import Header, Packet

LABEL_KEY = "AIGC"
_KEEPS_NO_LABEL = {"mpegts"}

# A growing MP4 is made of fragments, one a keyframe, so that all but the last is there after a crash; when it ends
# well, FFmpeg writes one index for all and hides the fragments. With the index delayed to the first fragment it has the
# edit list that leaves the sound's first 1,024 samples out. A key that MP4 does not know needs the last flag.
_MP4 = "+hybrid_fragmented+frag_keyframe+delay_moov+use_metadata_tags"


class _Disk(io.RawIOBase):
    """A new file that is locked while it is written, and takes nothing any more once it has failed.

    FFmpeg's way of ending a file would otherwise spoil one whose disk is full: it turns fragments into what only an
    index can find, and then has no room for the index.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("xb", buffering=0)
        fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self.error: OSError | None = None

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        view = memoryview(data)
        size = view.nbytes
        if self.error is not None:
            return size
        try:
            while view:
                view = view[self._file.write(view) or 0 :]
        except OSError as error:
            self.error = error
        return size

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def sync(self) -> None:
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            self.error = self.error or error

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._file.close()
        super().close()


class Part:
    """A file at `growing` from the keyframe `first` on; `form` is FFmpeg's name of its container.

    `sound` is any packet of the stream's sound, to look at. Raises `OutputError`; then `abandon` is all that is left.
    """

    def __init__(
        self, growing: Path, form: str, header: Header, *, first: Packet, sound: Packet, metadata: Mapping[str, str]
    ) -> None:
        self.growing = growing
        self.begin = first.pts
        self.end = first.pts
        self._form = form
        self._metadata = dict(metadata)
        self._base = {"video": Fraction(1, VIDEO_CLOCK), "audio": Fraction(1, SAMPLE_RATE)}
        self._origin = {"video": first.pts, "audio": first.pts * SAMPLE_RATE // VIDEO_CLOCK}
        with self._told():
            self._disk = _Disk(growing)
        try:
            with self._told():
                self._open(header, first, sound)
        except BaseException:
            self.abandon()
            growing.unlink(missing_ok=True)
            raise

    def _open(self, header: Header, first: Packet, sound: Packet) -> None:
        options = {"flush_packets": "1"}
        if self._form in ("mp4", "mov"):
            options["movflags"] = _MP4
        self._container: Any = av.open(self._disk, "w", format=self._form, container_options=options)
        self._container.metadata.update(self._metadata)
        # PyAV makes a stream without an encoder after one that was read only; so a few bytes of FLV are.
        look = flv.file_head(header) + flv.tag(flv.VIDEO, flv.body(first)) + flv.tag(flv.AUDIO, flv.body(sound))
        with av.open(io.BytesIO(look), format="flv") as model:
            self._streams = {
                "video": self._container.add_stream_from_template(model.streams.video[0]),
                "audio": self._container.add_stream_from_template(model.streams.audio[0]),
            }
        for kind, stream in self._streams.items():
            stream.time_base = self._base[kind]

    def write(self, packet: Packet) -> None:
        copy = av.Packet(packet.data)
        copy.pts, copy.dts = packet.pts - self._origin[packet.kind], packet.dts - self._origin[packet.kind]
        copy.duration = packet.duration
        copy.time_base = self._base[packet.kind]
        copy.stream = self._streams[packet.kind]
        copy.is_keyframe = packet.keyframe or packet.kind == "audio"
        with self._told():
            self._container.mux_one(copy)
        if packet.kind == "video":
            self.end = max(self.end, packet.pts + packet.duration)

    def finish(self, path: Path) -> None:
        """End the file well and give it its name; `path` is replaced in one step."""
        with self._told():
            self._container.close()
            self._disk.sync()
        self._disk.close()
        with self._told():
            settle(self.growing, path, self._form, self._metadata)

    def abandon(self) -> None:
        """Leave the file as it is: what was written of it can be played."""
        self._disk.error = self._disk.error or OSError("abandoned")
        container = getattr(self, "_container", None)
        if container is not None:
            with contextlib.suppress(OSError, ValueError, FFmpegError):
                container.close()
        self._disk.close()

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
            failed = self._disk.error
        except (OSError, FFmpegError) as error:
            disk = getattr(self, "_disk", None)
            raise _cannot(self.growing, (disk and disk.error) or error) from error
        if failed is not None:
            raise _cannot(self.growing, failed) from failed


def _cannot(path: Path, error: OSError | FFmpegError) -> OutputError:
    return OutputError(f"{path}: cannot write: {error.strerror or error}")


def settle(growing: Path, path: Path, form: str, metadata: Mapping[str, str]) -> None:
    """Give a finished file its name, and the label a file beside it where its container has no place for one."""
    if form in _KEEPS_NO_LABEL and LABEL_KEY in metadata:
        beside = path.with_suffix(".aigc.json")
        new = beside.with_name(f".{beside.name}.part")
        new.write_text(metadata[LABEL_KEY], "utf-8")
        new.replace(beside)
    growing.replace(path)


def abandoned(growing: Path) -> bool:
    """Whether nobody writes this file any more."""
    try:
        with growing.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def trim(path: Path) -> None:
    """Cut an MP4 that did not end well behind its last whole fragment. Raises `OSError`."""
    with path.open("rb+") as file:
        size, place, whole = path.stat().st_size, 0, 0
        while place + 16 <= size:
            file.seek(place)
            length, kind, wide = struct.unpack(">I4sQ", file.read(16))
            length = wide if length == 1 else length
            if length < 8 or place + length > size:
                break
            place += length
            if kind in (b"moov", b"mdat"):
                whole = place
        if whole:
            file.truncate(whole)


def playable(path: Path) -> bool:
    """Whether a file has at least one picture that can be read."""
    try:
        with av.open(str(path)) as container:
            return any(packet.size for packet in container.demux(video=0))
    except (OSError, FFmpegError, IndexError):
        return False
