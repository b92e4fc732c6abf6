"""Avatar packages: what is wrong with one is said by name, and nothing in one can do harm."""

from __future__ import annotations

import os
import pickle  # noqa: TID251 - only to build the file that must be refused
import shutil
import struct
import zipfile
import zlib
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from anchor.errors import AvatarError, MissingError
from anchor.media import VideoFormat
from anchor.packages.archive import unpacked
from anchor.testing import check_avatar
from avatars.files import AVATAR
from avatars.package import check, contact_sheet, library, load_avatar, read_image, read_manifest
from tests.avatars.mouths import face


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the bundled package to spoil."""
    return Path(shutil.copytree(library()["lin"], tmp_path / "lin"))


def edit(folder: Path, old: str, new: str) -> None:
    path = folder / "avatar.toml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def problem(folder: Path) -> str:
    """The one error that loading gives, after checking that `check` says the same."""
    with pytest.raises(AvatarError) as raised:
        load_avatar(folder)
    assert check(folder) == [str(raised.value)]
    return str(raised.value)


def zipped(folder: Path, prefix: str = "") -> Path:
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for item in sorted(folder.iterdir()):
            archive.write(item, prefix + item.name)
    return path


def test_the_library_holds_lin_and_she_keeps_the_promises_of_an_avatar() -> None:
    assert "lin" in library()
    lin = load_avatar("lin")
    assert (lin.info.name, lin.info.kind, lin.info.licence, lin.info.accepts) == (
        "lin",
        "puppet",
        "Apache-2.0",
        ("blendshapes",),
    )
    assert "depicts no real person" in lin.info.details["consent"]
    check_avatar(lin, VideoFormat(160, 90), [face(), face(jawOpen=0.6), face(gaze=(0.3, 0.0)), face(breath=1.0)])
    assert check("lin") == []


def test_the_bundled_package_is_small() -> None:
    assert sum(path.stat().st_size for path in library()["lin"].iterdir()) < 3_000_000


@pytest.mark.parametrize("prefix", ["", "lin/"], ids=["flat", "in a folder"])
def test_a_zip_of_the_folder_is_as_good(folder: Path, prefix: str) -> None:
    assert load_avatar(zipped(folder, prefix)).info == load_avatar("lin").info


def test_nothing_of_a_zip_stays_behind(folder: Path) -> None:
    with unpacked(zipped(folder), AVATAR) as scratch:
        assert (scratch / "avatar.toml").is_file()
    assert not scratch.exists()


def test_an_avatar_that_is_not_there_names_those_that_are() -> None:
    with pytest.raises(MissingError, match="lin"):
        load_avatar("nobody")


def test_a_missing_image_is_named(folder: Path) -> None:
    (folder / "hair.webp").unlink()
    assert "hair.webp" in problem(folder)


@pytest.mark.parametrize("data", [b"", b"not a picture", b"RIFF\xff\xff\xff\xffWEBPVP8 "])
def test_a_corrupt_image_is_named(folder: Path, data: bytes) -> None:
    (folder / "face.webp").write_bytes(data)
    assert "face.webp" in problem(folder)


def test_a_cut_off_image_is_named(folder: Path) -> None:
    data = (folder / "body.webp").read_bytes()
    (folder / "body.webp").write_bytes(data[: len(data) // 2])
    assert "body.webp" in problem(folder)


def test_an_oversized_image_is_refused_by_its_header(folder: Path) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 6, 0, 0, 0))
    (folder / "huge.png").write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IEND", b""))
    with pytest.raises(AvatarError, match=r"huge\.png.*60000x60000.*4096"):
        read_image(folder, "huge.png")


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('title = "Lin"', "title = 3", "title"),
        ('title = "Lin"', 'title = ""', "title"),
        ('licence = "Apache-2.0"', "", "licence"),
        ('kind = "puppet"', 'kind = "hologram"', "hologram"),
        ('title = "Lin"', 'title = "Lin"\ncolour = "red"', "colour"),
        ("lift = ", "elevator = 3\nlift = ", "figure.elevator"),
        ("crown = -514", 'crown = "top"', "figure.crown"),
        ("crown = -514", "crown = nan", "figure.crown"),
        ("crown = -514", "crown = 480", "figure.chin"),
        ("neck = [500, 770]", "neck = [770, 500]", "figure.neck"),
        ('"jawOpen"', '"jawSlack"', "jawSlack"),
        ("closures = [-0.35", "closures = [7", "eyes.closures"),
        ("box = [-120", "box = [-121", "lids_left"),
        ("left = [127", "left = [270", "eyes.box"),
        ("at = [-430, -570]", "at = [-43000, -570]", "layers.hair.at"),
        ("[layers]", "[extra]\na = 1\n[layers]", "extra"),
        ('hair = { file = "hair.webp"', 'hat = { file = "hair.webp"', "layers.hat"),
        ('hair = { file = "hair.webp"', 'hair = { file = "hair.webp", blur = 2', "layers.hair.blur"),
        ('title = "Lin"', "title = ", "avatar.toml"),
    ],
)
def test_a_wrong_manifest_is_refused_by_key(folder: Path, old: str, new: str, named: str) -> None:
    edit(folder, old, new)
    text = problem(folder)
    assert named in text and "avatar.toml" in text
    assert len(text.splitlines()) <= 2


def test_a_manifest_that_is_not_text_is_refused(folder: Path) -> None:
    (folder / "avatar.toml").write_bytes(b"\xff\xfe\x00bad")
    assert "avatar.toml" in problem(folder)


@pytest.mark.parametrize("name", ["../hair.webp", "/etc/passwd", "a/b.webp", "..", ".", "", "C:\\\\x.webp"])
def test_a_file_outside_the_folder_is_refused(folder: Path, name: str) -> None:
    edit(folder, 'file = "hair.webp"', f'file = "{name}"')
    assert "layers.hair.file" in (text := problem(folder)) or "plain name" in text


def test_a_link_is_refused(folder: Path) -> None:
    (folder / "hair.webp").unlink()
    (folder / "hair.webp").symlink_to(library()["lin"] / "hair.webp")
    assert "link" in problem(folder)


def test_pickled_objects_are_refused_unopened(folder: Path, tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(tmp_path / "sprung"),)

    np.savez(folder / "fields.npz", head=np.array([Trap()], object))
    assert "fields.npz" in problem(folder)
    (folder / "fields.npz").write_bytes(pickle.dumps(Trap()))
    assert "fields.npz" in problem(folder)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("spoiled", ["nan", "shape", "missing"])
def test_fields_that_do_not_fit_are_refused(folder: Path, spoiled: str) -> None:
    with np.load(folder / "fields.npz") as found:
        arrays = {key: found[key] for key in found.files}
    if spoiled == "nan":
        arrays["depth_hair"] = np.full_like(arrays["depth_hair"], np.nan)
    elif spoiled == "shape":
        arrays["depth_hair"] = arrays["depth_hair"][1:]
    else:
        del arrays["depth_hair"]
    np.savez(folder / "fields.npz", allow_pickle=False, **arrays)
    text = problem(folder)
    assert "fields.npz" in text and "depth_hair" in text


def test_consent_is_required_and_ends(folder: Path) -> None:
    edit(folder, 'until = "unlimited"', 'until = "2030-06-30"')
    assert read_manifest(folder, day=date(2030, 6, 30)).consent.until == date(2030, 6, 30)
    with pytest.raises(AvatarError, match=r"avatar\.toml: consent\.until: .*2030-06-30"):
        read_manifest(folder, day=date(2030, 7, 1))
    edit(folder, 'until = "2030-06-30"', 'until = "soon"')
    assert "consent.until" in problem(folder)
    edit(folder, "[consent]", "[agreement]")
    assert "consent" in problem(folder)


def test_an_empty_folder_and_a_file_that_is_no_zip_are_refused(tmp_path: Path) -> None:
    assert "avatar.toml" in problem(tmp_path)
    (tmp_path / "lin.zip").write_bytes(b"PK\x03\x04 not really")
    assert "lin.zip" in problem(tmp_path / "lin.zip")


@pytest.mark.parametrize("name", ["../evil.txt", "/evil.txt", "a/../../evil.txt", "C:/evil.txt"])
def test_a_zip_that_reaches_out_is_refused(folder: Path, tmp_path: Path, name: str) -> None:
    path = zipped(folder)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, "boo")
    assert "evil.txt" in problem(path)
    assert not list(tmp_path.rglob("evil.txt"))


def test_a_zip_with_a_link_in_it_is_refused(folder: Path) -> None:
    path = zipped(folder)
    entry = zipfile.ZipInfo("link")
    entry.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(entry, "/etc/passwd")
    assert "link" in problem(path)


def test_a_zip_bomb_is_refused_by_its_table(folder: Path) -> None:
    path = zipped(folder)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        for index in range(5):
            archive.writestr(f"{index}.bin", bytes(60 << 20))
    assert "bomb" in problem(path)


def test_the_contact_sheet_shows_different_faces() -> None:
    sheet = contact_sheet(load_avatar("lin"))
    assert sheet.dtype == np.uint8 and sheet.ndim == 3 and min(sheet.shape[:2]) > 1000
    cell = sheet[:360, -5 * 320 :].reshape(360, 5, 320, 3).swapaxes(0, 1)
    assert all((cell[0] != other).any() for other in cell[1:])
