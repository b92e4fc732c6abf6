"""Spoken sentences kept on disk."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anchor.channel import closing
from anchor.errors import VoiceError
from anchor.events import Phone, Sentence, Span, Word
from anchor.ports import SpeechChunk
from anchor.testing import FakeVoice, check_voice
from anchor.voice.cache import CachedVoice, packed, unpacked


async def said(voice: CachedVoice, text: str, language: str = "en", spans: tuple[Span, ...] = ()) -> list[SpeechChunk]:
    async with closing(voice.speak(Sentence(text, language, spans=spans))) as chunks:
        return [chunk async for chunk in chunks]


def run(work: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        await work()

    asyncio.run(main())


def kept(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.speech"))


def everything(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir()]


def same(a: list[SpeechChunk], b: list[SpeechChunk]) -> bool:
    return len(a) == len(b) and all(
        np.array_equal(one.audio, other.audio)
        and (one.words, one.phones, one.source) == (other.words, other.phones, other.source)
        for one, other in zip(a, b, strict=True)
    )


def test_a_sentence_is_spoken_once_and_then_read_to_the_last_bit(tmp_path: Path) -> None:
    async def work() -> None:
        first = FakeVoice()
        fresh = await said(CachedVoice(first, tmp_path, megabytes=10), "one two three")
        second = FakeVoice()
        again = CachedVoice(second, tmp_path, megabytes=10)
        assert same(fresh, await said(again, "one two three"))
        assert (again.hits, again.misses, second.spoken) == (1, 0, [])

    run(work)


@pytest.mark.parametrize(
    ("text", "language", "spans", "options"),
    [
        ("one three", "en", (), {}),
        ("one two", "zh", (), {}),
        ("one two", "en", (Span(0, 3, "emphasis", "strong"),), {}),
        ("one two", "en", (), {"rate": 1.2}),
    ],
)
def test_what_would_sound_otherwise_is_another_sentence(
    tmp_path: Path, text: str, language: str, spans: tuple[Span, ...], options: dict[str, object]
) -> None:
    async def work() -> None:
        await said(CachedVoice(FakeVoice(), tmp_path, megabytes=10), "one two")
        other = CachedVoice(FakeVoice(), tmp_path, megabytes=10, options=options)
        await said(other, text, language, spans)
        assert other.misses == 1
        assert len(kept(tmp_path)) == 2

    run(work)


def test_a_mark_changes_no_sound_and_needs_no_other_file(tmp_path: Path) -> None:
    async def work() -> None:
        voice = CachedVoice(FakeVoice(), tmp_path, megabytes=10)
        await said(voice, "one two")
        await said(voice, "one two", spans=(Span(4, 4, "mark", "here"),))
        assert voice.hits == 1

    run(work)


def test_another_lexicon_is_another_voice(tmp_path: Path) -> None:
    async def work() -> None:
        lexicon = tmp_path / "words.txt"
        for text, misses in (("a\tb\n", 1), ("a\tb\n", 0), ("a\tc\n", 1)):
            lexicon.write_text(text)
            voice = CachedVoice(FakeVoice(), tmp_path / "kept", megabytes=10, options={"lexicon": str(lexicon)})
            await said(voice, "one two")
            assert voice.misses == misses

    run(work)


def test_a_sentence_that_is_cut_off_or_fails_is_not_kept(tmp_path: Path) -> None:
    async def work() -> None:
        voice = CachedVoice(FakeVoice(), tmp_path, megabytes=10)
        async with closing(voice.speak(Sentence("one two three", "en"))) as chunks:
            async for _ in chunks:
                break
        with pytest.raises(VoiceError):
            await said(voice, "one FAIL three")
        await said(voice, "")
        assert everything(tmp_path) == []

    run(work)


@pytest.mark.parametrize(
    "damage", [lambda d: d[:100], lambda d: b"", lambda d: d[:-1], lambda d: d[:50] + b"?" + d[51:]]
)
def test_a_damaged_file_is_ignored_and_replaced(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    async def work() -> None:
        voice = CachedVoice(FakeVoice(), tmp_path, megabytes=10)
        fresh = await said(voice, "one two")
        (file,) = kept(tmp_path)
        whole = file.read_bytes()
        file.write_bytes(damage(whole))
        assert same(fresh, await said(voice, "one two"))
        assert file.read_bytes() == whole
        assert voice.misses == 2

    run(work)


def test_the_folder_stays_within_its_size_and_keeps_what_is_asked_for(tmp_path: Path) -> None:
    async def work() -> None:
        # A sentence of this voice takes some 190 kB.
        voice = CachedVoice(FakeVoice(word_samples=48_000), tmp_path, megabytes=1)
        for number in range(12):
            await said(voice, "favourite")
            for age, file in enumerate(sorted(kept(tmp_path), key=lambda file: file.stat().st_mtime_ns, reverse=True)):
                os.utime(file, (1_000_000_000 - age, 1_000_000_000 - age))
            await said(voice, f"word{number}")
        assert sum(file.stat().st_size for file in kept(tmp_path)) <= 2**20
        assert len(kept(tmp_path)) == 5
        assert voice.hits == 11

    run(work)


def test_a_sentence_larger_than_half_the_folder_is_not_kept(tmp_path: Path) -> None:
    async def work() -> None:
        voice = CachedVoice(FakeVoice(word_samples=480_000), tmp_path, megabytes=1)
        await said(voice, "one")
        assert kept(tmp_path) == []

    run(work)


def test_without_a_place_to_write_the_voice_speaks_and_says_so_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def work() -> None:
        (tmp_path / "file").write_text("in the way")
        voice = CachedVoice(FakeVoice(), tmp_path / "file", megabytes=10)
        assert len(await said(voice, "one two")) == 2
        assert len(await said(voice, "one two")) == 2
        assert len(caplog.records) == 1
        assert "not kept" in caplog.text

    run(work)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work() -> None:
        voice = CachedVoice(FakeVoice(), tmp_path, megabytes=10)
        write = Path.write_bytes

        def full(self: Path, data: bytes) -> int:
            write(self, data[: len(data) // 2])
            with Path("/dev/full").open("wb", buffering=0) as device:
                return device.write(data)

        monkeypatch.setattr(Path, "write_bytes", full)
        assert len(await said(voice, "one two")) == 2
        assert everything(tmp_path) == []
        monkeypatch.undo()
        await said(voice, "one two")
        assert len(kept(tmp_path)) == 1

    run(work)


def test_what_a_process_left_unfinished_is_removed_when_it_is_old(tmp_path: Path) -> None:
    async def work() -> None:
        old, new = tmp_path / ".a.1.1.part", tmp_path / ".b.1.1.part"
        for file in (old, new):
            file.write_bytes(b"half")
        os.utime(old, (1_000_000_000, 1_000_000_000))
        await said(CachedVoice(FakeVoice(), tmp_path, megabytes=10), "one")
        assert not old.exists() and new.exists()

    run(work)


def test_two_who_want_the_same_at_once_both_get_it(tmp_path: Path) -> None:
    async def work() -> None:
        voices = [CachedVoice(FakeVoice(), tmp_path, megabytes=10) for _ in range(8)]
        answers = await asyncio.gather(*(said(voice, "one two three") for voice in voices))
        assert all(same(answers[0], answer) for answer in answers)
        assert len(kept(tmp_path)) == 1 == len(everything(tmp_path))

    run(work)


def test_a_voice_that_is_kept_keeps_its_promises(tmp_path: Path) -> None:
    voice = CachedVoice(FakeVoice(), tmp_path, megabytes=10)
    asyncio.run(check_voice(voice, "one two three", "four five", "en"))
    asyncio.run(check_voice(voice, "one two three", "four five", "en"))


CHUNKS = st.lists(
    st.builds(
        SpeechChunk,
        st.lists(st.floats(-1, 1, width=32), max_size=20).map(lambda values: np.array(values, np.float32)),
        st.lists(st.builds(Word, st.text(st.characters(exclude_categories=["Cs"])), st.integers(0), st.integers(0)),
                 max_size=3).map(tuple),
        st.lists(st.builds(Phone, st.text("aʃ̃", max_size=3), st.integers(0), st.integers(0), st.integers(0, 2)),
                 max_size=3).map(tuple),
        st.sampled_from(["voice", "aligned"]),
    ),
    max_size=4,
)  # fmt: skip


@given(CHUNKS)
def test_chunks_come_back_as_they_were(chunks: list[SpeechChunk]) -> None:
    assert same(chunks, unpacked(packed(chunks)))


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(CHUNKS, st.integers(0, 400), st.integers(1, 255))
def test_no_altered_byte_goes_unnoticed(chunks: list[SpeechChunk], place: int, change: int) -> None:
    data = bytearray(packed(chunks))
    data[place % len(data)] ^= change
    with pytest.raises(ValueError):
        unpacked(bytes(data))
