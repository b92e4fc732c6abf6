from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.rtmp_chunks import ChunkReader, chunks


@given(
    st.lists(st.tuples(st.sampled_from([3, 4, 6, 8]), st.binary(max_size=700), st.integers(0, 2**33)), max_size=6),
    st.integers(1, 300),
)
def test_messages_come_out_whole_whatever_the_pieces(messages: list[tuple[int, bytes, int]], piece: int) -> None:
    sent = b"".join(chunks(number, 20, 1, when, body, size=128) for number, body, when in messages)
    reader = ChunkReader()
    heard = [found for place in range(0, len(sent), piece) for found in reader.feed(sent[place : place + piece])]
    assert heard == [(20, body) for _, body, _ in messages]


@given(st.binary(max_size=400))
def test_any_bytes_are_taken_or_refused(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        ChunkReader().feed(data)


def test_the_senders_chunk_size_is_followed() -> None:
    reader = ChunkReader()
    assert reader.feed(chunks(2, 1, 0, 0, (512).to_bytes(4, "big"), size=128)) == []
    assert reader.feed(chunks(3, 20, 0, 0, bytes(1300), size=512)) == [(20, bytes(1300))]


def test_a_message_that_is_too_large_is_refused_before_it_comes() -> None:
    with pytest.raises(ValueError, match="bytes"):
        ChunkReader().feed(bytes([3, 0, 0, 0, 0xFF, 0xFF, 0xFF, 20, 0, 0, 0, 0]))


def test_times_beyond_24_bits_are_extended_in_every_chunk() -> None:
    sent = chunks(6, 9, 1, 0x01234567, bytes(20), size=10)
    assert sent[1:4] == b"\xff\xff\xff"
    assert sent.count(bytes.fromhex("01234567")) == 2
    assert chunks(6, 9, 1, 0xFFFFFE, b"x")[1:4] == b"\xff\xff\xfe"


def test_times_wrap_after_49_days() -> None:
    assert chunks(6, 9, 1, 2**32 + 40, b"x") == chunks(6, 9, 1, 40, b"x")
