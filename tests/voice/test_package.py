"""Voice packages: whose voice it is, made to speak by a back-end, and refused wherever something is wrong."""

from __future__ import annotations

import asyncio
import zipfile
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from anchor import registry
from anchor.errors import ConfigError, MissingError, VoiceError
from anchor.ports import Voice
from anchor.testing import collect
from anchor.voice.maker import installed_packages
from anchor.voice.package import MANIFEST, check, open_package, read_manifest
from tests.voice.people import READ, Clone, package, recorded, zipped

opened: list[tuple[str, Mapping[str, Any], Mapping[str, Any]]] = []


def opener(engine: str, options: Mapping[str, Any], meaning: Mapping[str, Any]) -> Voice:
    opened.append((engine, options, meaning))
    voice: Voice = registry.build(registry.load("anchor.voice", engine), options, "voice.options")
    return voice


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recorded(tmp_path_factory.mktemp("recorded") / "maria.wav")


@pytest.fixture
def maria(tmp_path: Path, source: Path, clone: None) -> Path:
    opened.clear()
    return package(tmp_path / "maria", source, engine="clone", languages=["en"], moods={"cheerful": source})


def edit(folder: Path, old: str, new: str) -> None:
    path = folder / MANIFEST
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def problem(path: Path) -> str:
    with pytest.raises(VoiceError) as raised:
        open_package(path, opener)
    assert str(raised.value) in check(path)
    return str(raised.value)


def closed(voice: Voice) -> None:
    asyncio.run(voice.close())


@pytest.mark.parametrize("form", ["folder", "zip", "zip of a folder"])
def test_a_package_gives_its_recordings_to_its_back_end_and_says_what_it_is(maria: Path, form: str) -> None:
    path = maria if form == "folder" else zipped(maria, "maria/" if form != "zip" else "")
    voice = open_package(path, opener)
    (engine, options, _) = opened[-1]
    assert engine == "clone"
    clip, happy = options["reference"]
    assert clip.is_file() and (clip.name, happy.name) == ("reference-1.wav", "cheerful.wav")
    assert options["reference_texts"] == (READ, "") and options["consented"] is True
    assert options["moods"] == {"cheerful": "cheerful"}
    assert (voice.info.name, voice.info.licence, voice.info.languages) == ("maria", "all rights reserved", ("en",))
    assert asyncio.run(collect(voice, "Two words.", "en")).words
    closed(voice)
    assert form == "folder" or not clip.exists(), "what was unpacked is gone with the voice"
    assert check(path) == []


def test_the_same_package_means_the_same_to_a_cache_wherever_it_is_unpacked(maria: Path) -> None:
    path = zipped(maria)
    for one in (maria, path, path):
        closed(open_package(one, opener, options={"url": "http://127.0.0.1:9"}))
    assert opened[0][2] == opened[1][2] == opened[2][2]
    edit(maria, 'until = "2100-01-01"', 'until = "2099-01-01"')
    closed(open_package(maria, opener))
    assert opened[-1][2]["package"] == opened[0][2]["package"], "consent changes no sound"
    (maria / "cheerful.wav").write_bytes((maria / "cheerful.wav").read_bytes()[:-2] + b"\1\0")
    closed(open_package(maria, opener))
    assert opened[-1][2]["package"] != opened[0][2]["package"]


def test_options_are_files_of_the_package_addresses_or_plain_names(maria: Path) -> None:
    (maria / "weights").mkdir()
    (maria / "weights/model.onnx").write_bytes(b"x")
    manifest = (maria / MANIFEST).read_text("utf-8")
    options = '[options]\nmodel = "weights/model.onnx"\nsizes = [1, 2.5, "tts/some/name"]\nurl = "ws://127.0.0.1:1"\n\n'
    (maria / MANIFEST).write_text(manifest.replace("[consent]", f"{options}[consent]"), "utf-8")
    closed(open_package(zipped(maria), opener))
    given = opened[-1][1]
    assert given["model"].endswith("/weights/model.onnx") and Path(given["model"]).is_absolute()
    assert given["sizes"] == [1, 2.5, "tts/some/name"] and given["url"] == "ws://127.0.0.1:1"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ('"/etc/passwd"', "leaves the package"), ('"../other/model.onnx"', "leaves the package"),
        ('"weights/../../x"', "leaves the package"), ('"~/model.onnx"', "leaves the package"),
        ('"C:\\\\model"', "leaves the package"), ('"pyproject.toml"', "not in the package"),
        ('"anchor/cli.py"', "not in the package"), ('"${SECRET}"', "not in the package"),
        ('["a", ["../../x"]]', "leaves the package"), ('{ deep = "/etc/shadow" }', "leaves the package"),
        ("2026-01-01", "must be a text, a number"),
    ],
)  # fmt: skip
def test_an_option_that_leads_out_of_the_package_is_refused(
    maria: Path, monkeypatch: pytest.MonkeyPatch, value: str, reason: str
) -> None:
    monkeypatch.chdir(Path(__file__).parents[2])
    edit(maria, "[consent]", f"[options]\nmodel = {value}\n\n[consent]")
    text = problem(maria)
    assert reason in text and "options.model" in text


@pytest.mark.parametrize("key", ["reference", "consented", "trust", "download"])
def test_a_package_cannot_grant_itself_what_is_not_its_own_to_say(maria: Path, key: str) -> None:
    edit(maria, "[consent]", f"[options]\n{key} = true\n\n[consent]")
    assert f"options.{key}" in problem(maria)


@pytest.mark.parametrize("key", ["reference", "consented"])
def test_a_configuration_cannot_put_another_recording_in_the_place_of_the_packages(maria: Path, key: str) -> None:
    with pytest.raises(ConfigError, match=f"voice.options.{key}"):
        open_package(maria, opener, options={key: "other.wav"})


def _cut(name: str) -> Callable[[Path], None]:
    def work(folder: Path) -> None:
        (folder / name).unlink()

    return work


def _write(name: str, data: bytes) -> Callable[[Path], None]:
    def work(folder: Path) -> None:
        (folder / name).write_bytes(data)

    return work


def _edit(old: str, new: str) -> Callable[[Path], None]:
    return lambda folder: edit(folder, old, new)


def _link(folder: Path) -> None:
    (folder / "link.wav").symlink_to("/etc/passwd")


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (_cut(MANIFEST), MANIFEST), (_cut("reference-1.wav"), "reference.1.file"), (_link, "link"),
        (_write(MANIFEST, b"name = ["), "not valid TOML"), (_write(MANIFEST, b"\xff"), "not valid TOML"),
        (_write("evil.py", b"x"), "evil.py"), (_write("Reference-1.wav", b"x"), "capitals"),
        (_edit('name = "maria"', 'name = "ma ria"'), "name"), (_edit('engine = "clone"', ""), "engine"),
        (_edit("[consent]", "[agreement]"), "consent: is missing"), (_edit("2100-01-01", "soon"), "soon"),
        (_edit("2100-01-01", "2020-01-01"), "ended on 2020-01-01"),
        (_edit("the voice maria", "the voice of somebody"), "does not name the voice"),
        (_edit('who = "Maria"', 'who = ""'), "consent.who"), (_edit("cheerful", "angry"), "moods.angry"),
        (_edit("licence", "license"), "licence"), (_edit('"reference-1.wav"', '"../x.wav"'), "leaves"),
        (_edit('"cheerful.wav"', '"gone.wav"'), "moods.cheerful: 'gone.wav' is no sound file of this package"),
        (_edit('"reference-1.wav"', f'"{MANIFEST}"'), "no sound file"),
        (_edit('engine = "clone"', 'engine = "espeak"'), "moods"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_package_is_named(maria: Path, spoil: Callable[[Path], None], named: str) -> None:
    spoil(maria)
    assert named in problem(maria)


def test_an_engine_that_does_not_clone_is_given_no_recording(maria: Path) -> None:
    edit(maria, 'engine = "clone"', 'engine = "espeak"')
    edit(maria, '[moods]\ncheerful = "cheerful.wav"\n', "")
    assert "does not speak like a recording" in problem(maria)


def test_a_package_that_is_not_there_and_one_whose_engine_is_not_are_told(tmp_path: Path, maria: Path) -> None:
    with pytest.raises(MissingError, match="no such voice package"):
        open_package(tmp_path / "nobody", opener)
    edit(maria, 'engine = "clone"', 'engine = "nothing"')
    with pytest.raises(MissingError, match="nothing"):
        open_package(maria, opener)


@pytest.mark.parametrize("name", ["../evil.wav", "/evil.wav", "a/../../evil.wav", "C:/evil.wav", "a\\..\\evil.wav"])
def test_a_zip_that_reaches_out_is_refused(maria: Path, tmp_path: Path, name: str) -> None:
    path = zipped(maria)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, "boo")
    assert "evil.wav" in problem(path)
    assert not list(tmp_path.rglob("evil.wav"))


def test_a_zip_with_a_link_a_bomb_a_twin_or_half_of_it_is_refused(maria: Path) -> None:
    whole = zipped(maria).read_bytes()
    path = maria.with_suffix(".zip")

    def add(entry: str | zipfile.ZipInfo, data: bytes) -> str:
        path.write_bytes(whole)
        with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(entry, data)
        return problem(path)

    link = zipfile.ZipInfo("link.wav")
    link.external_attr = 0o120777 << 16
    assert "link" in add(link, b"/etc/passwd")
    assert "bomb" in add("big.wav", bytes(30 << 20))
    assert "twice" in add("VOICE.toml", b"")
    assert "too deep" in add("a/b/c/d/e/f.wav", b"")
    assert "one in another" in add("a/b/c/d/e.wav", b"")
    path.write_bytes(whole[: len(whole) // 2])
    assert "zip" in problem(path)


def test_a_scratch_folder_is_never_named_nor_left(maria: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    edit(maria, 'until = "2100-01-01"', 'until = "2020-01-01"')
    path = zipped(maria)
    assert str(scratch) not in problem(path) and str(path) in problem(path)
    assert list(scratch.iterdir()) == []


def test_consent_is_asked_for_on_the_day_that_is_named(maria: Path) -> None:
    edit(maria, 'until = "2100-01-01"', 'until = "2030-06-30"')
    assert read_manifest(maria, day=date(2030, 6, 30)).consent.who == "Maria"
    with pytest.raises(VoiceError, match="2030-06-30"):
        read_manifest(maria, day=date(2030, 7, 1))


def test_packages_of_a_folder_are_listed_with_what_is_wrong_with_them(
    tmp_path: Path, source: Path, clone: None
) -> None:
    voices = tmp_path / "voices"
    package(voices / "ana", source, engine="clone", title="Ana")
    edit(package(voices / "ended", source), 'until = "2100-01-01"', 'until = "2020-01-01"')
    zipped(package(voices / "zoe", source)).rename(voices / "zoe.zip")
    (voices / "bad.zip").write_bytes(b"x")
    (voices / "notes").mkdir()
    found = {entry.path.name: entry for entry in installed_packages(voices)}
    assert sorted(found) == ["ana", "bad.zip", "ended", "zoe", "zoe.zip"]
    assert (found["ana"].name, found["ana"].engine, found["ana"].until) == ("ana", "clone", "2100-01-01")
    assert "2020-01-01" in found["ended"].problem and "zip" in found["bad.zip"].problem
    assert not found["zoe.zip"].problem
    with pytest.raises(MissingError, match="nowhere"):
        installed_packages(tmp_path / "nowhere")


def test_a_clone_is_what_the_back_end_makes_of_it(maria: Path) -> None:
    made: list[Clone] = []

    def make(engine: str, options: Mapping[str, Any], meaning: Mapping[str, Any]) -> Voice:
        made.append(Clone(**options))
        return made[0]

    voice = open_package(maria, make)
    assert made[0].made_with["consented"] is True
    closed(voice)
    assert made[0].closed


def test_recordings_themselves_are_a_package_with_consent(tmp_path: Path, source: Path, clone: None) -> None:
    maria = package(tmp_path / "maria", source)
    edit(maria, 'engine = "espeak"', 'engine = "readings"')
    edit(maria, "[consent]", '[options]\nfolder = "clips"\n\n[consent]')
    (maria / "clips").mkdir()
    (maria / "clips/a.wav").write_bytes(source.read_bytes())
    (maria / "clips/a.txt").write_text(READ)
    voice = open_package(zipped(maria), opener)
    try:
        assert asyncio.run(collect(voice, READ, "en")).audio.size
        with pytest.raises(VoiceError, match="is not recorded"):
            asyncio.run(collect(voice, "Something else.", "en"))
    finally:
        closed(voice)
