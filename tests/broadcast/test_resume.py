"""A show that falls goes on where it was: at every point, with every kind of change."""

import shutil
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from anchor.broadcast.aired import verify
from anchor.broadcast.journal import Journal
from anchor.clock import run_virtual
from anchor.onair import Breaking
from tests.broadcast.studio import Studio, rundown

TEXTS = ("A one.", "B one. Two.", "C one.", "D one two.", "E one.")


def run(studio_seconds: float, *, state: Path, texts: tuple[str, ...] = TEXTS, loop: bool = False) -> Studio:
    """Run a show for so long, then cut the power."""
    return play(lambda studio: studio.after(studio_seconds), state=state, texts=texts, loop=loop)


def play(
    act: Callable[[Studio], Coroutine[Any, Any, None]], *, state: Path, texts: tuple[str, ...] = TEXTS,
    loop: bool = False,
) -> Studio:  # fmt: skip
    """Run a show while `act` does, then leave its folder as it was when the power went."""
    kept = state.with_name("kept")
    shutil.rmtree(kept, ignore_errors=True)

    async def main() -> Studio:
        studio = Studio([rundown(*texts)], loop=loop, state=state)
        async with studio.on_air():
            await act(studio)
            shutil.copytree(state, kept)
        return studio

    studio = run_virtual(main())
    shutil.rmtree(state)
    kept.rename(state)
    return studio


def test_a_show_goes_on_at_the_segment_that_was_on_air(tmp_path: Path) -> None:
    first = run(2.0, state=tmp_path / "s")
    second = run(20, state=tmp_path / "s")
    assert first.text == "A one.B one. Two."[: len(first.text)] and "B one." in first.text
    assert second.text == "".join(TEXTS[1:])


def test_wherever_a_show_is_cut_every_segment_is_heard_and_only_the_one_cut_comes_twice(tmp_path: Path) -> None:
    for tenths in range(3, 80, 6):
        state = tmp_path / str(tenths) / "s"
        state.parent.mkdir()
        first, second = run(tenths / 10, state=state), run(20, state=state)
        cut = first.text
        whole = [text for text in TEXTS if cut.count(text)]
        again = second.text
        # What was heard to its end but was still on air, in its closing silence, may come again; nothing else does.
        twice = [text for text in whole if text in again]
        assert twice in ([], whole[-1:]), f"cut at {tenths / 10} s"
        assert all((text in cut) or (text in again) for text in TEXTS), f"cut at {tenths / 10} s"
        assert "".join(TEXTS).endswith(again), f"cut at {tenths / 10} s"
        assert verify(state / "aired") == []


def test_whichever_write_of_its_place_is_the_last_nothing_is_lost_or_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = Journal.save
    writes, last, state = 0, -1, tmp_path / "all"

    def counted(self: Journal, *place: Any) -> None:
        nonlocal writes
        save(self, *place)
        writes += 1
        if writes == last:
            shutil.copytree(state, state.with_name(f"{state.name}-cut"))

    monkeypatch.setattr(Journal, "save", counted)

    async def until_written() -> tuple[str, str]:
        studio = Studio([rundown(*TEXTS)], state=state)
        async with studio.on_air() as show:
            await studio.until(lambda: writes >= last)
            return studio.text, show.order().on_air

    run(20, state=state)
    total = writes
    assert total > len(TEXTS), "one for each that begins"
    for last in range(1, total + 1):
        state, writes = tmp_path / str(last), 0
        heard, on_air = run_virtual(until_written())
        again = run(20, state=tmp_path / f"{last}-cut").text
        for text in TEXTS:
            count = (heard + again).count(text)
            assert count == 1 or (count == 2 and text[0] == on_air), f"{text} after write {last}"
        assert "".join(TEXTS).endswith(again)


def test_a_lap_goes_on_and_counts(tmp_path: Path) -> None:
    first = run(25, state=tmp_path / "s", loop=True)
    lap = first.show.order().lap
    second = run(0.5, state=tmp_path / "s", loop=True)
    assert lap >= 2 and second.show.order().lap == lap


def test_a_show_that_was_held_or_killed_stays_so(tmp_path: Path) -> None:
    async def hold(studio: Studio) -> None:
        await studio.after(0.5)
        await studio.show.hold()
        await studio.after(5)

    async def kill(studio: Studio) -> None:
        await studio.show.kill()
        await studio.after(5)
        assert studio.scene.looks[-1].graphics.slate == "Back soon"

    play(hold, state=tmp_path / "s")
    second = run(10, state=tmp_path / "s")
    assert second.text == "" and second.show.order().held
    play(kill, state=tmp_path / "s")
    third = run(10, state=tmp_path / "s")
    assert third.text == "" and third.show.order().killed
    assert third.scene.looks[-1].graphics.slate == "Back soon"


def test_breaking_news_that_was_on_air_or_waited_comes_again(tmp_path: Path) -> None:
    async def news(studio: Studio) -> None:
        await studio.after(0.2)
        await studio.show.breaking(Breaking("Flash one two three.", headline="Now"))
        await studio.show.breaking(Breaking("Second."))
        await studio.until(lambda: "Flash" in studio.text)

    play(news, state=tmp_path / "s")
    second = run(20, state=tmp_path / "s")
    assert second.text == "Flash one two three.Second." + "".join(TEXTS[second.text.count("A one.") == 0 :])
    assert any(look.graphics.headline == "Now" for look in second.scene.looks)


def test_an_edit_outlives_a_fall(tmp_path: Path) -> None:
    async def edit(studio: Studio) -> None:
        await studio.after(0.5)
        await studio.show.edit(rundown("A one.", "B new.", "X more.").document, studio.show.order().version)

    play(edit, state=tmp_path / "s")
    second = run(20, state=tmp_path / "s")
    assert second.text == "A one.B new.X more."
    assert [item.id for item in second.show.order().items] == ["A", "B", "X"]


def test_a_script_that_changed_since_goes_on_by_its_segments_ids(tmp_path: Path) -> None:
    async def edit(studio: Studio) -> None:
        await studio.show.edit(rundown("A edited.", *TEXTS[1:]).document, studio.show.order().version)
        await studio.until(lambda: "B" in studio.text)

    play(edit, state=tmp_path / "s")
    second = run(20, state=tmp_path / "s", texts=("A one.", "N new.", "B one. Two.", "Z last."))
    assert second.text == "N new.B one. Two.Z last."


def test_a_script_with_nothing_in_common_begins_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    run(2.0, state=tmp_path / "s")
    second = run(20, state=tmp_path / "s", texts=("P one.", "Q one."))
    assert second.text == "P one.Q one."
    assert "begins anew" in caplog.text


@pytest.mark.parametrize("damage", [b"", b"{", b'{"format": 1, "check": "x", "place": {}}', b"[]", b"\xff\xfe"])
def test_a_damaged_place_is_told_and_the_show_begins_anew(
    tmp_path: Path, damage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    run(2.0, state=tmp_path / "s")
    (tmp_path / "s" / "show.json").write_bytes(damage)
    assert run(20, state=tmp_path / "s").text == "".join(TEXTS)
    assert "begins anew" in caplog.text


def test_a_disk_that_takes_nothing_does_not_stop_the_show_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = True
    save = Journal.save
    failures = 0

    def refused(self: Journal, *place: Any) -> None:
        nonlocal failures
        if full:
            failures += 1
            raise OSError(28, "No space left on device")
        save(self, *place)

    monkeypatch.setattr(Journal, "save", refused)

    async def main() -> None:
        nonlocal full
        studio = Studio([rundown(*TEXTS)], state=tmp_path / "s")
        async with studio.on_air() as show:
            await studio.after(20)
            assert studio.text == "".join(TEXTS)
            assert "No space left" in show.problem
            full = False
            await studio.after(20)
            assert show.problem == ""
            assert Journal(tmp_path / "s").load() is not None
            assert len(show.aired(100)) == len(TEXTS)
        assert verify(tmp_path / "s" / "aired") == []
        assert failures > 1

    run_virtual(main())


def test_a_fall_ends_in_the_log_what_it_cut(tmp_path: Path) -> None:
    run(2.0, state=tmp_path / "s")
    second = run(0.05, state=tmp_path / "s")
    cut = second.show.aired(1)[0]
    assert (cut.segment, cut.outcome) == ("B", "cancelled")
    assert verify(tmp_path / "s" / "aired") == []
