"""NAL units of H.264 with four-byte lengths, as MP4 and FLV have them (ISO/IEC 14496-15)."""

from __future__ import annotations

from collections.abc import Iterator

FILLER = 12
IDR = 5


def units(data: bytes) -> Iterator[bytes]:
    """The NAL units of an access unit. Raises `ValueError` where the lengths do not add up."""
    place = 0
    while place < len(data):
        size = int.from_bytes(data[place : place + 4], "big")
        end = place + 4 + size
        if not size or end > len(data):
            raise ValueError("NAL units whose lengths do not add up")
        yield data[place + 4 : end]
        place = end


def without_filler(data: bytes) -> bytes:
    """An access unit without the bytes that only keep a connection's rate even."""
    kept = [unit for unit in units(data) if unit[0] & 31 != FILLER]
    return b"".join(len(unit).to_bytes(4, "big") + unit for unit in kept)
