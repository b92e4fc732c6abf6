from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming import amf

values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=40),
    lambda inner: st.dictionaries(st.text(min_size=1, max_size=10), inner, max_size=4),
    max_leaves=12,
)


@given(st.lists(values, max_size=5))
def test_what_is_written_is_read_again(found: list[object]) -> None:
    assert amf.decode(amf.encode(*found)) == found


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        amf.decode(data)


def test_a_long_text_has_a_long_length() -> None:
    text = "新" * 30_000
    assert amf.decode(amf.encode(text)) == [text]


def test_nesting_without_an_end_is_refused() -> None:
    with pytest.raises(ValueError, match="too deeply"):
        amf.decode(b"\x03\x00\x01a" * 5000)


def test_an_array_longer_than_its_message_is_refused() -> None:
    with pytest.raises(ValueError, match="longer than its message"):
        amf.decode(b"\x0a" + struct.pack(">I", 0xFFFFFFFF))
