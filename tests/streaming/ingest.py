"""Real RTMP servers for tests: nginx with its RTMP module, and ffmpeg."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import av
import pytest

MODULES = (Path("/usr/lib/nginx/modules"), Path("/usr/lib64/nginx/modules"))

_CONFIGURATION = """
load_module {module};
daemon off; master_process off; worker_processes 1; user root;
pid {folder}/pid; error_log {folder}/error.log info;
events {{ worker_connections 64; }}
rtmp {{
  server {{
    listen 127.0.0.1:{port};
    ping 1s; ping_timeout 3s;
    application live {{ live on; record all; record_path {folder}/records; record_unique on; }}
    application closed {{ live on; deny publish all; }}
  }}
}}
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Nginx:
    """An ingest on this machine that records every connection to a file of its own, killed and started at will."""

    def __init__(self, folder: Path) -> None:
        program = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
        module = next((path / "ngx_rtmp_module.so" for path in MODULES if (path / "ngx_rtmp_module.so").exists()), None)
        if program is None or module is None:
            pytest.skip("nginx with its RTMP module is not installed (Debian: nginx-light libnginx-mod-rtmp)")
        self.port = free_port()
        self.folder = folder
        (folder / "records").mkdir(parents=True)
        configuration = folder / "nginx.conf"
        configuration.write_text(_CONFIGURATION.format(module=module, folder=folder, port=self.port))
        self._command = [program, "-p", str(folder), "-c", str(configuration), "-e", str(folder / "error.log")]
        self._process: subprocess.Popen[bytes] | None = None

    def address(self, key: str = "key", app: str = "live") -> str:
        return f"rtmp://127.0.0.1:{self.port}/{app}/{key}"

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stderr=subprocess.DEVNULL)

    def kill(self) -> None:
        """As `kill -9`; twice does no harm."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def records(self) -> list[Path]:
        """What it has recorded, in order of time."""
        return sorted((self.folder / "records").iterdir(), key=lambda path: path.stat().st_ctime_ns)


@contextmanager
def nginx(folder: Path) -> Iterator[Nginx]:
    server = Nginx(folder)
    server.start()
    try:
        yield server
    finally:
        server.kill()


@dataclass(frozen=True)
class Arrived:
    """What a file holds: decoding times in milliseconds, whether each picture is a keyframe, and the label."""

    video: list[float]
    audio: list[float]
    keyframes: list[bool]
    metadata: dict[str, str]


def arrived(path: Path) -> Arrived:
    """Read a file, as far as it goes."""
    found = Arrived([], [], [], {})
    with av.open(str(path)) as container:
        found.metadata.update(container.metadata)
        try:
            for packet in container.demux():
                if packet.dts is None or packet.time_base is None:
                    continue
                times = found.video if packet.stream.type == "video" else found.audio
                times.append(float(packet.dts * packet.time_base * 1000))
                if packet.stream.type == "video":
                    found.keyframes.append(packet.is_keyframe)
        except av.error.InvalidDataError:
            pass  # the last of a file whose writer was killed
    return found
