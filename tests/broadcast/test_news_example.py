"""The bulletin that the project brings along."""

from pathlib import Path

import pytest

from anchor.broadcast.document import ensure_ids, to_document, to_yaml
from anchor.broadcast.rundown import check_rundown, read_rundown
from anchor.broadcast.script import languages_of, load_script
from anchor.config import load_config
from anchor.graphics import Chart, Grid, Media

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
BULLETIN = CONFIGS / "news" / "bulletin.yaml"


def test_the_newsroom_can_be_loaded() -> None:
    config = load_config(CONFIGS / "news.toml")
    for channel in config.channels:
        for path in channel.scripts:
            assert load_script(path, channel.language).segments


def test_the_bulletin_has_no_problems_in_any_language() -> None:
    assert check_rundown(BULLETIN.read_text("utf-8"), BULLETIN) == []
    assert languages_of(BULLETIN) == ("zh", "en", "ja")


@pytest.mark.parametrize("language", ["zh", "en", "ja"])
def test_the_bulletin_is_the_same_after_a_round_through_the_console(language: str) -> None:
    text = BULLETIN.read_text("utf-8")
    assert read_rundown(to_yaml(ensure_ids(to_document(text))), BULLETIN, language) == load_script(BULLETIN, language)


def test_the_bulletin_shows_what_a_rundown_can() -> None:
    segments = {segment.id: segment for segment in load_script(BULLETIN, "en", second_language="zh").segments}
    cued = segments["daylight"].cues["chart"].graphics
    assert cued is not None and isinstance(cued.inset, Chart)
    assert [series.name for series in cued.inset.series] == ["Beijing", "London", "Singapore"]
    assert cued.inset.unit == "hours"
    table = segments["light"].cues["table"].graphics
    assert table is not None and isinstance(table.inset, Grid)
    assert isinstance(segments["moon"].graphics.inset, Media)
    assert segments["credits"].graphics.credits[0] == "Two Minutes of Sky"
    assert segments["opening"].translation.startswith("大家好")
