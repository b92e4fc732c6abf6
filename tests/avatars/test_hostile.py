"""Packages made to do harm: each is refused in a second and little memory, by one line that names what is wrong."""

from __future__ import annotations

import io
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import warnings
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from anchor.errors import AnchorError, AvatarError
from avatars.check import check
from avatars.package import library, load_avatar
from tests.avatars.test_package import edit, zipped

LIN = library()["lin"]
MOST_MB, MOST_SECONDS = 64, 1.0

# Checks each package of its arguments; what it cost is measured from the moment before.
MEASURE = """
import json, re, sys, time
from pathlib import Path
from avatars.check import check
import PIL.Image, PIL.PngImagePlugin, PIL.WebPImagePlugin, avatars.puppet, avatars.footage

def memory(key):
    return int(re.search(key + r":\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024

for path in sys.argv[1:]:
    Path("/proc/self/clear_refs").write_text("5")
    before, start = memory("VmRSS"), time.process_time()
    found = check(Path(path))
    print(json.dumps([found, time.process_time() - start, memory("VmHWM") - before]))
"""


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, body: bytes = b"", *, bits: int = 8) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, 6, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def npy(shape: str, kind: str = "<f4", data: bytes = b"") -> bytes:
    header = f"{{'descr': {kind!r}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header + data


def npz(**arrays: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in arrays.items():
            archive.writestr(f"{name}.npy", data)
    return packed.getvalue()


def animation(kind: str) -> bytes:
    frames = [Image.new("RGBA", (64, 64), colour) for colour in ("red", "green")]
    out = io.BytesIO()
    frames[0].save(out, kind, save_all=True, append_images=frames[1:])
    return out.getvalue()


def overwrite(name: str, data: bytes | Callable[[bytes], bytes]) -> Callable[[Path], Path]:
    def spoil(folder: Path) -> Path:
        path = folder / name
        if name == "face.png":
            edit(folder, '"face.webp"', '"face.png"')
            (folder / "face.webp").unlink()
        path.write_bytes(data if isinstance(data, bytes) else data(path.read_bytes()))
        return folder

    return spoil


def entry(name: str, data: bytes = b"x", **settings: int) -> Callable[[Path], Path]:
    """A good package as a zip, and one more entry in it."""

    def spoil(folder: Path) -> Path:
        path = zipped(folder)
        item = zipfile.ZipInfo(name)
        item.compress_type = zipfile.ZIP_DEFLATED
        for key, value in settings.items():
            setattr(item, key, value)
        with warnings.catch_warnings(), zipfile.ZipFile(path, "a") as archive:
            warnings.simplefilter("ignore")  # of a name that is there already
            archive.writestr(item, data)
        return path

    return spoil


def patched_zip(patch: Callable[[bytearray], None]) -> Callable[[Path], Path]:
    def spoil(folder: Path) -> Path:
        path = zipped(folder)
        data = bytearray(path.read_bytes())
        patch(data)
        path.write_bytes(data)
        return path

    return spoil


def _encrypt(data: bytearray) -> None:
    at = int.from_bytes(data[-6:-2], "little")
    data[at + 8] |= 1


def _many_entries(data: bytearray) -> None:
    data[-14:-10] = b"\xff\xff\xff\xff"


def _zip64(data: bytearray) -> None:
    data[-22:-22] = b"PK\6\7" + bytes(16)


def nul_in_name(folder: Path) -> Path:
    path = entry("evil.txt~.webp")(folder)
    path.write_bytes(path.read_bytes().replace(b"evil.txt~", b"evil.txt\0"))
    return path


def bomb_10_gb(folder: Path) -> Path:
    """Ten gigabytes of zeros in ten megabytes: forty entries that share the packed bytes of one."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    megabyte = bytes(1 << 20)
    packed = b"".join([*(packer.compress(megabyte) for _ in range(256)), packer.flush()])
    size = 256 << 20
    local = struct.pack("<4sHHHHHIIIHH", b"PK\3\4", 20, 0, 8, 0, 0, 0, len(packed), size, 6, 0) + b"z.webp"
    table = b"".join(
        struct.pack("<4sHHHHHHIIIHHHHHII", b"PK\1\2", 20, 20, 0, 8, 0, 0, 0, len(packed), size, 8, 0, 0, 0, 0, 0, 0)
        + f"{index:03}.webp"[-8:].encode()
        for index in range(40)
    )
    end = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 40, 40, len(table), len(local) + len(packed), 0)
    path = folder.with_suffix(".zip")
    path.write_bytes(local + packed + table + end)
    return path


def nested_bomb(folder: Path) -> Path:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.webp", bytes(40 << 20))
    return entry("inner.zip", inner.getvalue())(folder)


def many_files(folder: Path) -> Path:
    for index in range(300):
        (folder / f"{index}.txt").touch()
    return folder


def sparse_file(folder: Path) -> Path:
    with (folder / "film.txt").open("wb") as file:
        file.truncate(10 << 30)
    return folder


def pipe(folder: Path) -> Path:
    (folder / "hair.webp").unlink()
    os.mkfifo(folder / "hair.webp")
    return folder


def plug(folder: Path) -> Path:
    with socket.socket(socket.AF_UNIX) as listening:
        here = Path.cwd()
        os.chdir(folder)  # the path of a socket has to be short
        listening.bind("a.webp")
        os.chdir(here)
    return folder


def pipe_for_a_package(folder: Path) -> Path:
    os.mkfifo(folder.with_suffix(".zip"))
    return folder.with_suffix(".zip")


def manifest_pipe(folder: Path) -> Path:
    (folder / "avatar.toml").unlink()
    os.mkfifo(folder / "avatar.toml")
    return folder


def twins(folder: Path) -> Path:
    shutil.copy(folder / "hair.webp", folder / "HAIR.webp")
    return folder


def folder_inside(folder: Path) -> Path:
    (folder / "more").mkdir()
    return folder


def link_outside(folder: Path) -> Path:
    (folder / "notes.txt").symlink_to("/etc/passwd")
    return folder


def too_much_art(folder: Path) -> Path:
    Image.new("RGBA", (2400, 2400)).save(folder / "large.png")
    path = folder / "avatar.toml"
    lines = [
        line.split("=", 1)[0] + '= { file = "large.png", at = [0, 0] }' if "webp" in line else line
        for line in path.read_text("utf-8").splitlines()
    ]
    path.write_text("\n".join(lines), "utf-8")
    return folder


def wide_grid(folder: Path) -> Path:
    edit(folder, "grid = [-448, -592, 448, 688, 16]", "grid = [-2400, -2400, 2400, 2400, 1]")
    return folder


def written(old: str, new: str) -> Callable[[Path], Path]:
    def spoil(folder: Path) -> Path:
        edit(folder, old, new)
        return folder

    return spoil


def nan_fields(value: float) -> Callable[[bytes], bytes]:
    def spoil(_: bytes) -> bytes:
        return npz(head=npy("(4, 4)", "<f8", np.full(16, value, "<f8").tobytes()))

    return spoil


ATTACKS: dict[str, tuple[Callable[[Path], Path], str]] = {
    "30,000-pixel png": (overwrite("face.png", png(30_000, 30_000)), "30000x30000"),
    "png by the name of a webp": (overwrite("face.webp", png(64, 64)), "face.webp"),
    "large webp": (overwrite("face.webp", b"RIFF\x40\0\0\0WEBPVP8X\n\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff"), "face"),
    "png of 16 bits": (overwrite("face.png", png(64, 64, bits=16)), "16 bits"),
    "png cut off": (overwrite("face.png", png(2000, 2000, zlib.compress(bytes(4000)))), "damaged"),
    "png of more rows than it has": (overwrite("face.png", png(2500, 2500, zlib.compress(bytes(1 << 20)))), "damaged"),
    "webp cut off": (overwrite("body.webp", lambda data: data[: len(data) // 2]), "body.webp"),
    "animated webp": (overwrite("face.webp", animation("WEBP")), "animation"),
    "animated png": (overwrite("face.png", animation("PNG")), "animation"),
    "text as a picture": (overwrite("face.webp", b"#EXTM3U\nfile:///etc/passwd\n"), "face.webp"),
    "10^12 elements": (overwrite("fields.npz", npz(head=npy("(1000000, 1000000)"))), "head"),
    "negative shape": (overwrite("fields.npz", npz(head=npy("(-1, -16)", data=bytes(64)))), "head"),
    "shape of 10^400": (overwrite("fields.npz", npz(head=npy(f"({10**400},)"))), "head"),
    "code for a shape": (overwrite("fields.npz", npz(head=npy("__import__('os').getpid()"))), "fields.npz"),
    "deep shape": (overwrite("fields.npz", npz(head=npy("(" * 3000 + ")" * 3000))), "fields.npz"),
    "objects": (overwrite("fields.npz", npz(head=npy("(1,)", "|O", b"cos\nsystem\n"))), "head"),
    "records": (overwrite("fields.npz", npz(head=npy("(1,)", "|V8", bytes(8)))), "head"),
    "nan": (overwrite("fields.npz", nan_fields(float("nan"))), "finite"),
    "inf": (overwrite("fields.npz", nan_fields(float("inf"))), "finite"),
    "huge numbers": (overwrite("fields.npz", nan_fields(1e300)), "finite"),
    "packed zeros": (overwrite("fields.npz", npz(head=npy("(15728640,)", data=bytes(60 << 20)))), "bomb"),
    "no arrays": (overwrite("fields.npz", npz()), "fields.npz"),
    "arrays cut off": (overwrite("fields.npz", lambda data: data[:9000]), "fields.npz"),
    "arrays without names": (overwrite("fields.npz", npz(**{"": b"", "x": b"\x93NUMPY"})), "fields.npz"),
    "manifest of 2 MB": (overwrite("avatar.toml", lambda data: data + b"#" * (2 << 20)), "64 kB"),
    "manifest of lists in lists": (overwrite("avatar.toml", lambda data: b"x = " + b"[" * 60_000 + data), "TOML"),
    "manifest of long keys": (overwrite("avatar.toml", b".".join([b"a"] * 30_000) + b"=1\n"), "avatar.toml"),
    "manifest of long keys of digits": (overwrite("avatar.toml", b".".join([b"1"] * 30_000) + b"=1\n"), "avatar.toml"),
    "manifest of long quoted keys": (overwrite("avatar.toml", b" . ".join([b'"1"'] * 9_000) + b"=1\n"), "avatar.toml"),
    "manifest of a long number": (written("crown = -514", f"crown = {'9' * 5000}"), "TOML"),
    "number above all floats": (written("crown = -514", f"crown = {10**400}"), "figure.crown"),
    "infinite number": (written("crown = -514", "crown = inf"), "figure.crown"),
    "name with slashes": (written('name = "lin"', 'name = "../lin"'), "name"),
    "name too long": (written('name = "lin"', f'name = "{"a" * 65}"'), "name"),
    "title of two lines": (written('title = "Lin"', r'title = "Lin\nerror: all is well"'), "title"),
    "key of two lines": (written('title = "Lin"', 'title = "Lin"\n"a\\u001b[2J\\n" = 1'), "unknown key"),
    "language that is none": (written('languages = ["zh"', 'languages = ["<script>"'), "languages"),
    "grid of 23 million nodes": (wide_grid, "head"),
    "too much art": (too_much_art, "40 million"),
    "script beside": (overwrite("run.py", b"print()"), "run.py"),
    "pickle beside": (overwrite("state.pkl", b"\x80\4."), "state.pkl"),
    "playlist as a film": (overwrite("film.mp4", b"#EXTM3U\nfile:///etc/passwd\n"), "film.mp4"),
    "zip in the folder": (overwrite("more.zip", b"PK\3\4"), "more.zip"),
    "many files": (many_files, "200"),
    "10 GB file": (sparse_file, "larger than"),
    "pipe": (pipe, "hair.webp"),
    "socket": (plug, "a.webp"),
    "pipe for a package": (pipe_for_a_package, "neither"),
    "pipe for a manifest": (manifest_pipe, "avatar.toml"),
    "names that differ in capitals": (twins, "capitals"),
    "folder inside": (folder_inside, "more"),
    "link to the outside": (link_outside, "notes.txt"),
    "10 GB zip": (bomb_10_gb, "128 MB"),
    "zip bomb": (entry("x.webp", bytes(60 << 20)), "bomb"),
    "zip in a zip": (nested_bomb, "inner.zip"),
    "encrypted zip": (patched_zip(_encrypt), "encrypted"),
    "zip of 65,535 entries by its end": (patched_zip(_many_entries), "200 files"),
    "zip of 64 bits": (patched_zip(_zip64), "200 files"),
    "zip with a comment": (patched_zip(lambda data: data.extend(b"PK\5\6" * 20)), "neither"),
    "zip cut off": (patched_zip(lambda data: data.__delitem__(slice(-30, None))), "neither"),
    "zip damaged": (patched_zip(lambda data: data.__setitem__(slice(9000, 9100), bytes(100))), "unpacked"),
    "zip slip": (entry("../evil.txt"), "leaves"),
    "zip slip by backslash": (entry("..\\evil.txt"), "leaves"),
    "zip slip by root": (entry("/tmp/evil.txt"), "leaves"),
    "zip slip by drive": (entry("C:evil.txt"), "leaves"),
    "zip with a NUL in a name": (nul_in_name, "evil"),
    "zip with a link": (entry("a.txt", b"/etc/passwd", external_attr=0o120777 << 16), "link"),
    "zip with a device": (entry("a.txt", b"", external_attr=0o020666 << 16), "no plain file"),
    "zip with a name twice": (entry("hair.webp"), "twice"),
    "zip with a name in capitals": (entry("HAIR.WEBP"), "twice"),
    "zip with folders in folders": (entry("a/b/c.webp"), "deep"),
    "zip with two folders": (entry("a/c.webp"), "more than one folder"),
    "zip packed by LZMA": (entry("a.webp", compress_type=zipfile.ZIP_LZMA), "packed"),
}  # fmt: skip


def test_attacks_are_refused_in_a_second_and_64_megabytes_by_one_line_that_names_them(tmp_path: Path) -> None:
    made = {}
    for number, (name, (spoil, _)) in enumerate(ATTACKS.items()):
        made[name] = spoil(Path(shutil.copytree(LIN, tmp_path / str(number) / "lin")))
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, *map(str, made.values())], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert not list(tmp_path.rglob("evil*"))
    wrong = []
    for (name, (_, named)), line in zip(ATTACKS.items(), done.stdout.splitlines(), strict=True):
        found, seconds, megabytes = json.loads(line)
        if not any(named in text for text in found) or any("\n" in text or "\x1b" in text for text in found):
            wrong.append(f"{name}: {found}")
        if seconds > MOST_SECONDS or megabytes > MOST_MB:
            wrong.append(f"{name}: {seconds:.2f} s, {megabytes:.0f} MB")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", ATTACKS)
def test_what_check_refuses_is_not_loaded(name: str, tmp_path: Path) -> None:
    path = ATTACKS[name][0](Path(shutil.copytree(LIN, tmp_path / "lin")))
    with pytest.raises(AvatarError):
        load_avatar(path)


def test_a_file_that_nobody_reads_is_named_by_check_and_a_poster_is_not(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(LIN, tmp_path / "lin"))
    for name in ("poster.webp", "README.md", ".DS_Store"):
        (folder / name).write_bytes((LIN / "iris.webp").read_bytes())
    assert check(folder) == []
    (folder / "old.png").write_bytes(png(30_000, 30_000))
    assert len(check(folder)) == 1 and "old.png" in check(folder)[0]
    load_avatar(folder)


def test_check_reports_all_that_is_wrong_at_once(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(LIN, tmp_path / "lin"))
    edit(folder, 'title = "Lin"', "title = 3")
    edit(folder, 'licence = "Apache-2.0"', "")
    edit(folder, 'until = "unlimited"', 'until = "2020-01-01"')
    edit(folder, "at = [-430, -570]", "at = [-430]")
    (folder / "neck.webp").unlink()
    (folder / "face.webp").write_bytes((LIN / "face.webp").read_bytes()[:20_000])
    (folder / "fields.npz").write_bytes(npz(head=npy("(2,)", data=bytes(4))))
    found = "\n".join(check(folder))
    for named in ("title", "licence", "2020-01-01", "layers.hair.at", "neck.webp", "face.webp", "fields.npz"):
        assert named in found


@pytest.mark.parametrize("mode", ["P", "L", "LA", "1", "RGB"])
def test_pictures_of_other_colour_models_are_read_as_they_look(mode: str, tmp_path: Path) -> None:
    from avatars.files import read_image

    picture = Image.radial_gradient("L").resize((40, 30)).convert(mode)
    picture.save(tmp_path / "a.png")
    expected = np.asarray(picture.convert("RGBA"))[..., [2, 1, 0, 3]]
    assert np.array_equal(read_image(tmp_path, "a.png"), expected)


# Damage by chance

WORDS = st.sampled_from(
    ["nan", "inf", "-1", "0", "1e300", "[]", "{}", '""', "true", "[[1, 2]]", "[1, 2, 3, 4, 5]", "1e5", "-99999",
     '"a.webp"', '"lids_left.webp"', "1979-05-27", "[0, 0, 1, 1]", "9" * 400, '"jawOpen"', "{ file = 3, at = [0, 0] }"]
)  # fmt: skip
GENTLE = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


def survives(folder: Path) -> None:
    """Loading and checking end well or with an error of ours; warnings are errors in these tests."""
    try:
        load_avatar(folder)
    except AnchorError as error:
        assert len(str(error).splitlines()) == 1
    check(folder)


@GENTLE
@given(data=st.data())
def test_a_manifest_with_any_field_changed_gives_an_error_of_ours_or_an_avatar(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = Path(shutil.copytree(LIN, tmp_path_factory.mktemp("fuzz") / "lin"))
    path = folder / "avatar.toml"
    lines = path.read_text("utf-8").splitlines()
    fields = [number for number, line in enumerate(lines) if " = " in line]
    for number in data.draw(st.lists(st.sampled_from(fields), min_size=1, max_size=2)):
        key = lines[number].partition(" = ")[0]
        kept = lines[number].partition(" = ")[2]
        at = data.draw(st.integers(0, len(kept)))
        value = data.draw(st.one_of(WORDS, st.just(kept[:at] + data.draw(WORDS) + kept[at + 1 :]), st.just(kept[:at])))
        lines[number] = f"{key} = {value}"
    if data.draw(st.booleans()):
        del lines[data.draw(st.integers(0, len(lines) - 1))]
    path.write_text("\n".join(lines), "utf-8")
    survives(folder)


@GENTLE
@given(data=st.data(), name=st.sampled_from(["fields.npz", "face.webp", "lids_left.webp", "avatar.toml", "lin.zip"]))
def test_a_package_with_any_bytes_changed_gives_an_error_of_ours_or_an_avatar(
    data: st.DataObject, name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = Path(shutil.copytree(LIN, tmp_path_factory.mktemp("fuzz") / "lin"))
    path = zipped(folder) if name == "lin.zip" else folder / name
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        # Heads and ends are where it hurts.
        near = data.draw(st.sampled_from([40, 400, len(content)]))
        at = data.draw(st.integers(0, near)) % len(content)
        at = len(content) - 1 - at if data.draw(st.booleans()) else at
        content[at] = data.draw(st.integers(0, 255))
    if data.draw(st.integers(0, 5)) == 0:
        del content[data.draw(st.integers(0, len(content))) :]
    path.write_bytes(content)
    survives(path if name == "lin.zip" else folder)
