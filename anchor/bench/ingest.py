"""A real RTMP ingest on this machine, to be killed and started at will: nginx with its RTMP module."""

from __future__ import annotations

import shutil
import socket
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import av
from av.error import InvalidDataError

from anchor.errors import MissingError

_MODULES = ("/usr/lib/nginx/modules", "/usr/lib64/nginx/modules", "/usr/share/nginx/modules")

_CONFIGURATION = """
load_module {module};
daemon off; master_process off; worker_processes 1; {user}
pid {folder}/pid; error_log {folder}/error.log info;
events {{ worker_connections 64; }}
rtmp {{
  server {{
    listen 127.0.0.1:{port};
    application live {{ live on; record all; record_path {folder}/records; record_unique on; }}
  }}
}}
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Ingest:
    """Records every connection to a file of its own below `folder`. Raises `MissingError` without nginx."""

    def __init__(self, folder: Path) -> None:
        program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
        modules = (Path(path) / "ngx_rtmp_module.so" for path in _MODULES)
        module = next((path for path in modules if path.exists()), None)
        if program is None or module is None:
            raise MissingError(
                "nginx with its RTMP module is not installed; on Debian run: apt install nginx-light libnginx-mod-rtmp"
            )
        self.port = free_port()
        self._records = folder / "records"
        self._records.mkdir(parents=True)
        configuration = folder / "nginx.conf"
        user = "user root;" if Path.home() == Path("/root") else ""
        configuration.write_text(_CONFIGURATION.format(module=module, folder=folder, port=self.port, user=user))
        self._command = [program, "-p", str(folder), "-c", str(configuration), "-e", str(folder / "error.log")]
        self._process: subprocess.Popen[bytes] | None = None

    def address(self, key: str = "key", app: str = "live") -> str:
        return f"rtmp://127.0.0.1:{self.port}/{app}/{key}"

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stderr=subprocess.DEVNULL)

    def kill(self) -> None:
        """As `kill -9`; twice does no harm."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def records(self) -> list[Path]:
        """What it has recorded, the oldest first."""
        return sorted(self._records.iterdir(), key=lambda path: path.stat().st_ctime_ns)


@dataclass(frozen=True, slots=True)
class Arrived:
    """What a file holds: decoding times in milliseconds, whether each picture is a keyframe, and metadata."""

    video: list[float] = field(default_factory=list)
    audio: list[float] = field(default_factory=list)
    keyframes: list[bool] = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)


def arrived(path: Path) -> Arrived:
    """Read a file, as far as it goes."""
    found = Arrived()
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
        except InvalidDataError:
            pass  # the last of a file whose writer was killed
    return found
