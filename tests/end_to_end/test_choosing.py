"""Who is on air: another avatar takes over while the stream goes on, and one without consent leaves at once."""

from __future__ import annotations

import contextlib
import itertools
import shutil
from collections.abc import AsyncIterator, Callable
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from anchor.app import Studio
from anchor.clock import run_virtual
from anchor.config import Config
from anchor.errors import AvatarError, ConfigError, MissingError
from anchor.live import LiveChannel
from anchor.media import Beat, Picture
from avatars.package import watch
from tests.avatars.figures import relative, renew
from tests.end_to_end.test_live_channel import after, listen

SENTENCE = "This sentence goes on for quite a while, so that there is time to change who says it."


@contextlib.asynccontextmanager
async def channel(folder: Path, avatar: object = "lin", **settings: object) -> AsyncIterator[LiveChannel]:
    table = {"name": "test", "size": "320x180", "captions": "burn", "avatar": avatar, **settings}
    studio = Studio(Config.model_validate({"server": {"avatars": folder}, "channels": [table]}))
    async with studio.on_air():
        await after(0.5)
        yield studio.live("test")


def face_of(picture: Picture) -> np.ndarray[tuple[int, int], np.dtype[np.int16]]:
    """Colours of the middle of the picture, where the face is."""
    rows, columns = slice(20, 45), slice(60, 100)
    return np.stack([picture.u[rows, columns], picture.v[rows, columns]]).reshape(2, -1).astype(np.int16)


def apart(a: Picture, b: Picture) -> float:
    return float(np.abs(face_of(a) - face_of(b)).mean())


def test_another_avatar_takes_over_in_the_middle_of_a_sentence_and_nothing_stops(tmp_path: Path) -> None:
    relative(tmp_path, "mei")

    async def main() -> tuple[list[Beat], int, LiveChannel]:
        async with channel(tmp_path) as live:
            beats = listen(live)
            await live.say(SENTENCE)
            await after(2)
            at = len(beats)
            await live.cast("mei")
            await after(5)
            assert live.playout is not None and live.playout.counters.slips == 0
            return beats, at, live

    beats, at, live = run_virtual(main())
    assert live.state().avatar == "mei"
    assert [beat.index for beat in beats] == list(range(beats[0].index, beats[0].index + len(beats)))
    assert "".join(word.text for beat in beats for word in beat.words) == SENTENCE
    assert beats[at - 1].speaking and beats[at + 5].speaking
    changes = [apart(a.picture, b.picture) for a, b in itertools.pairwise(beats)]
    assert max(range(len(changes)), key=changes.__getitem__) in range(at - 1, at + 3)
    assert sorted(changes)[-1] > 5 > sorted(changes)[-2], "one cut, from one picture to the next"
    assert min(float(beat.picture.y.mean()) for beat in beats) > 40, "no picture is black"
    caption = [beat.picture.y[150:175].max() for beat in beats if beat.caption is not None]
    assert min(caption[10:]) > 200, "captions go on"


def test_a_name_that_is_not_there_and_one_that_cannot_be_used_change_nothing(tmp_path: Path) -> None:
    relative(tmp_path, "ended", until="2020-01-01")
    spoilt = relative(tmp_path, "spoilt")
    (spoilt / "face.webp").write_bytes((spoilt / "face.webp").read_bytes()[:20_000])

    async def main() -> None:
        async with channel(tmp_path) as live:
            for name, error, named in [
                ("nobody", MissingError, "lin"),
                (str(tmp_path / "spoilt"), MissingError, "lin"),
                ("ended", AvatarError, "2020-01-01"),
                ("spoilt", AvatarError, "face.webp"),
            ]:
                with pytest.raises(error, match=named):
                    await live.cast(name)
            assert live.state().avatar == "lin"

    run_virtual(main())


def _revoked(package: Path, _: LiveChannel) -> None:
    renew(package, "2020-01-01")


def _no_manifest(package: Path, _: LiveChannel) -> None:
    (package / "avatar.toml").unlink()


def _no_package(package: Path, _: LiveChannel) -> None:
    shutil.rmtree(package)


def _another_day(package: Path, live: LiveChannel) -> None:
    live.stream._consent = watch(package, lambda: date(2100, 1, 2))


@pytest.mark.parametrize("revoke", [_revoked, _no_manifest, _no_package, _another_day])
def test_an_avatar_whose_consent_ends_leaves_within_a_second_and_the_stream_goes_on(
    tmp_path: Path, revoke: Callable[[Path, LiveChannel], None], caplog: pytest.LogCaptureFixture
) -> None:
    package = relative(tmp_path, "mei", until="2100-01-01")

    async def main() -> list[Beat]:
        async with channel(tmp_path, "mei") as live:
            beats = listen(live)
            await live.say(SENTENCE)
            await after(2)
            assert live.state().avatar == "mei"
            revoke(package, live)
            with_her = len(beats)
            await after(1)
            state = live.state()
            assert (state.avatar, state.notice.partition(":")[0]) == ("", "mei was taken off air")
            gone = beats[with_her:]
            assert any(apart(beat.picture, beats[with_her - 1].picture) > 5 for beat in gone)
            assert all(apart(beat.picture, gone[-1].picture) < 1 for beat in gone[-5:]), "an empty studio stands still"
            await live.cast("lin")
            assert (live.state().avatar, live.state().notice) == ("lin", "")
            await after(4)
            return beats

    beats = run_virtual(main())
    assert [beat.index for beat in beats] == list(range(beats[0].index, beats[0].index + len(beats)))
    assert "".join(word.text for beat in beats for word in beat.words) == SENTENCE
    assert caplog.text.count("taken off air") == 1


def test_a_channel_does_not_start_with_an_avatar_whose_consent_has_ended(tmp_path: Path) -> None:
    package = relative(tmp_path, "mei", until="2020-01-01")
    for avatar in ("mei", package):
        table = {"name": "test", "avatar": avatar}
        with pytest.raises(AvatarError, match="2020-01-01"):
            Studio(Config.model_validate({"server": {"avatars": tmp_path}, "channels": [table]}))


def test_a_package_named_by_a_path_in_a_configuration_lies_beside_it_and_can_be_chosen_again(tmp_path: Path) -> None:
    from anchor.config import load_config

    relative(tmp_path / "own", "mei")
    path = tmp_path / "anchor.toml"
    path.write_text('[[channels]]\nname = "test"\navatar = "own/mei"\n', "utf-8")

    async def main() -> None:
        studio = Studio(load_config(path))
        async with studio.on_air():
            assert "mei" in [entry.name for entry in await studio.avatars()]
            await studio.live("test").cast("lin")
            await studio.live("test").cast("mei")

    run_virtual(main())


def test_a_folder_of_avatars_that_is_not_there_is_a_mistake_in_the_configuration(tmp_path: Path) -> None:
    from anchor.config import load_config

    path = tmp_path / "anchor.toml"
    path.write_text('[server]\navatars = "none"\n[[channels]]\nname = "test"\n', "utf-8")
    with pytest.raises(ConfigError, match=r"server\.avatars.*none"):
        load_config(path)
