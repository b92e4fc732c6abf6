"""Templates are strict: what is wrong in one is told with its file and key."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from anchor.errors import ConfigError, MissingError
from avatars.template import CONTRAST, FOLDER, bundled, contrast, load_template

HOUSE = (FOLDER / "house.toml").read_text("utf-8")


def test_every_bundled_template_loads_and_is_legible() -> None:
    assert set(bundled()) >= {"house", "market", "newsroom"}
    for name in bundled():
        template = load_template(name)
        assert template.name == name
        colours = template.colours
        for letters, ground in product((colours.text, colours.dim, colours.highlight), (colours.ground,)):
            assert contrast(letters, ground) >= CONTRAST


def test_contrast_is_that_of_wcag() -> None:
    assert contrast((255, 255, 255), (0, 0, 0)) == pytest.approx(21)
    assert contrast((119, 119, 119), (255, 255, 255)) == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("caption = 0.053", "caption = 0.053\ncapton = 1", r"own\.toml: unknown key sizes\.capton"),
        ('accent = "#ffb03b"', 'accent = "amber"', r"own\.toml: colours\.accent: 'amber' is no colour"),
        ('text = "#ffffff"', 'text = "#203060"', r"own\.toml: colours: text on plate has a contrast of 1\.\d"),
        ("chart = 0.036", "chart = 0.02", r"own\.toml: sizes\.chart: .*0\.033"),
        ("gap = 0.02", "", r"own\.toml: places\.gap is missing"),
        ("safe = 0.05", "safe = 0.01", r"own\.toml: places\.safe"),
        ("[shapes]", "[shapes", r"own\.toml: is not valid TOML"),
    ],
)
def test_a_faulty_template_is_refused_by_file_and_key(tmp_path: Path, before: str, after: str, message: str) -> None:
    assert before in HOUSE
    path = tmp_path / "own.toml"
    path.write_text(HOUSE.replace(before, after, 1), "utf-8")
    with pytest.raises(ConfigError, match=message):
        load_template(path)


def test_an_own_template_is_loaded_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(HOUSE.replace('name = "house"', 'name = "own"'), "utf-8")
    assert load_template(str(path)).name == "own"


def test_a_template_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(MissingError, match="template huose: there is none; choose house, market, newsroom"):
        load_template("huose")
