import pytest

from anchor.errors import ConfigError, MissingError
from anchor.registry import GROUPS, build, load, names


@pytest.mark.parametrize("group", [*GROUPS, "anchor.part"])
def test_every_listed_back_end_can_be_loaded(group: str) -> None:
    assert names(group)
    for name in names(group):
        assert load(group, name) is not None


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(MissingError, match="espeak"):
        load("anchor.voice", "nobody")


def test_an_option_that_a_back_end_does_not_know_names_the_key() -> None:
    def factory(*, rate: int = 1) -> int:
        return rate

    assert build(factory, {"rate": 3}, "voice.options") == 3
    with pytest.raises(ConfigError, match=r"voice\.options.*'rat'.*rate"):
        build(factory, {"rat": 3}, "voice.options")
