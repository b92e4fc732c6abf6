"""What there is to choose from: listed without being loaded, broken ones with the reason, posters drawn once."""

from __future__ import annotations

import gc
import io
import shutil
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from anchor.errors import AvatarError, MissingError
from avatars.package import library
from avatars.package import watch as watched
from avatars.shelf import Shelf
from tests.avatars.figures import relative, renew
from tests.avatars.test_package import zipped


def spoil(package: Path) -> None:
    (package / "face.webp").write_bytes((package / "face.webp").read_bytes()[:20_000])


def test_bundled_avatars_come_first_and_every_package_of_the_folder_after_them(tmp_path: Path) -> None:
    mei = relative(tmp_path, "mei", until="2100-01-01")
    zipped(relative(tmp_path, "ana")).rename(tmp_path / "another.zip")
    shutil.rmtree(tmp_path / "ana")
    (tmp_path / "notes.txt").touch()
    (tmp_path / ".hidden").mkdir()
    entries = Shelf(tmp_path).entries()
    assert [entry.name for entry in entries] == [*library(), "ana", "mei"]
    assert all(entry.info and not entry.problem for entry in entries)
    found = Shelf(tmp_path).entry("mei")
    assert found.path == mei and found.info is not None
    assert (found.info.title, found.info.details["until"]) == ("Mei", "2100-01-01")


def test_a_broken_package_is_listed_with_its_reason_and_hinders_no_other(tmp_path: Path) -> None:
    relative(tmp_path, "ended", until="2020-01-01")
    (relative(tmp_path, "gone") / "avatar.toml").unlink()
    (tmp_path / "not a zip.zip").write_bytes(b"x")
    (tmp_path / "empty").mkdir()
    (tmp_path / "pipe.zip").touch()
    relative(tmp_path, "well")
    (tmp_path / "zz-copy").symlink_to(tmp_path / "well")
    entries = {entry.name: entry for entry in Shelf(tmp_path).entries()}
    assert not entries["well"].problem
    for name, reason in {
        "ended": "2020-01-01", "gone": "avatar.toml", "not-a-zip": "zip", "empty": "avatar.toml", "pipe": "zip",
        "well-2": "another avatar named 'well'",
    }.items():  # fmt: skip
        assert reason in entries[name].problem
        assert entries[name].info is None
    with pytest.raises(AvatarError, match="2020-01-01"):
        Shelf(tmp_path).entry("ended")


def test_a_package_may_not_take_the_name_of_a_bundled_one(tmp_path: Path) -> None:
    shutil.copytree(library()["lin"], tmp_path / "mine")
    shelf = Shelf(tmp_path)
    assert shelf.entry("lin").path == library()["lin"]
    (other,) = [entry for entry in shelf.entries() if entry.path == tmp_path / "mine"]
    assert other.problem and other.name == "lin-2"


@pytest.mark.parametrize("name", ["nobody", "../lin", "", "/etc/passwd", "avatars/library/lin"])
def test_only_what_is_listed_can_be_asked_for(tmp_path: Path, name: str) -> None:
    with pytest.raises(MissingError, match="lin"):
        Shelf(tmp_path).entry(name)


def test_a_package_outside_the_folder_can_be_listed_by_its_path(tmp_path: Path) -> None:
    mei = relative(tmp_path, "mei")
    shelf = Shelf(None, [mei])
    assert shelf.entry(mei) == shelf.entry("mei")


def test_what_is_added_changed_and_removed_is_seen_at_the_next_look(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    assert [entry.name for entry in shelf.entries()] == [*library()]
    mei = relative(tmp_path, "mei")
    first = shelf.entry("mei").version
    renew(mei, "2099-01-01")
    info = shelf.entry("mei").info
    assert info is not None and info.details["until"] == "2099-01-01"
    assert shelf.entry("mei").version != first
    shutil.rmtree(mei)
    assert [entry.name for entry in shelf.entries()] == [*library()]


def test_a_poster_is_drawn_once_and_again_when_the_package_has_changed(tmp_path: Path) -> None:
    mei = relative(tmp_path, "mei")
    shelf = Shelf(tmp_path)
    first = shelf.poster("mei")
    assert shelf.poster("mei") is first
    with Image.open(io.BytesIO(first)) as picture, Image.open(io.BytesIO(shelf.poster("lin"))) as other:
        assert (picture.format, picture.size) == ("WEBP", (288, 360))
        assert np.abs(np.asarray(picture, int) - np.asarray(other, int)).mean() > 3
    shutil.copy(library()["lin"] / "hair.webp", mei / "hair.webp")
    assert shelf.poster("mei") != first


def test_listing_does_not_open_pictures_but_what_a_poster_finds_wrong_is_told_from_then_on(tmp_path: Path) -> None:
    spoil(relative(tmp_path, "mei"))
    shelf = Shelf(tmp_path)
    assert not shelf.entry("mei").problem
    with pytest.raises(AvatarError, match=r"face\.webp"):
        shelf.poster("mei")
    with pytest.raises(AvatarError, match=r"face\.webp"):
        shelf.entry("mei")


def test_what_is_loaded_is_shared_while_it_is_used_and_let_go_after(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    entry = shelf.entry("lin")
    first = shelf.load(entry)
    assert shelf.load(entry) is first
    shelf.poster("lin")
    del first
    gc.collect()
    assert not shelf._loaded


def test_a_folder_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="none"):
        Shelf(tmp_path / "none").entries()


# Consent while an avatar is shown


def test_consent_ends_with_the_day_it_names(tmp_path: Path) -> None:
    days = [date(2030, 6, 30)]
    watch = watched(relative(tmp_path, "mei", until="2030-06-30"), lambda: days[0])
    assert watch.problem() == ""
    days[0] = date(2030, 7, 1)
    assert "2030-06-30" in watch.problem() and "nobody" in watch.problem()


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
def test_a_record_that_is_changed_or_gone_is_noticed_and_a_renewed_one_is_good(tmp_path: Path, packed: bool) -> None:
    mei = relative(tmp_path, "mei")

    def written(until: str) -> Path:
        renew(mei, until)
        return zipped(mei) if packed else mei

    watch = watched(written("2100-01-01"))
    assert watch.problem() == ""
    written("2020-01-01")
    assert "2020-01-01" in watch.problem()
    assert "2020-01-01" in watch.problem(), "it is remembered"
    path = written("unlimited")
    assert watch.problem() == ""
    if packed:
        path.unlink()
    else:
        shutil.rmtree(path)
    assert "gone" in watch.problem()
