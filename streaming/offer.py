"""Reading what a browser offers before aiortc does: aiortc answers odd SDP with whatever Python raises."""

from __future__ import annotations

from dataclasses import dataclass

from aiortc import RTCIceCandidate
from aiortc.sdp import candidate_from_sdp

from anchor.errors import SignallingError

MAX_SDP = 64 * 1024
_MAX_CANDIDATES = 64
_KINDS = ("audio", "video", "application")


def _lines(text: str) -> list[str]:
    if len(text) > MAX_SDP:
        raise SignallingError(f"the SDP is longer than {MAX_SDP} characters")
    return [line.strip("\r") for line in text.split("\n")]


def _unreachable(line: str) -> bool:
    """An mDNS candidate: resolving one that is not of this network takes a second, and checks find the viewer anyway.

    The end of candidates goes too: with none left aioice would give up before the viewer's first check.
    """
    if line.startswith("a=candidate:"):
        fields = line.split()
        return len(fields) > 4 and fields[4].lower().endswith(".local")
    return line.startswith("a=end-of-candidates")


def clean(offer: str) -> str:
    """The offer without candidates that only cost time.

    Raises `SignallingError` for what is no offer of a viewer: one section each of video, audio (or without one) and
    data (or without one).
    """
    lines = _lines(offer)
    if not lines or lines[0] != "v=0":
        raise SignallingError("the SDP offer does not begin with v=0")
    kinds = [line[2:].partition(" ")[0] for line in lines if line.startswith("m=")]
    if "video" not in kinds:
        raise SignallingError("the SDP offer asks for no video")
    if any(kind not in _KINDS or kinds.count(kind) > 1 for kind in kinds):
        raise SignallingError("the SDP offer has more than one video, one audio and one data section")
    if sum(line.startswith("a=candidate:") for line in lines) > _MAX_CANDIDATES:
        raise SignallingError(f"the SDP offer has more than {_MAX_CANDIDATES} candidates")
    return "\r\n".join(line for line in lines if not _unreachable(line))


@dataclass(frozen=True, slots=True)
class Fragment:
    """What a trickled SDP fragment (RFC 8840 section 9) says."""

    username: str | None
    candidates: tuple[RTCIceCandidate, ...]


def read_fragment(text: str) -> Fragment:
    """Raises `SignallingError`."""
    username: str | None = None
    candidates: list[RTCIceCandidate] = []
    for line in _lines(text):
        if line.startswith("a=ice-ufrag:"):
            username = line.partition(":")[2].strip()
        elif line.startswith("a=candidate:") and not _unreachable(line):
            if len(candidates) >= _MAX_CANDIDATES:
                raise SignallingError(f"the fragment has more than {_MAX_CANDIDATES} candidates")
            candidates.append(_candidate(line.partition(":")[2]))
    return Fragment(username, tuple(candidates))


def _candidate(text: str) -> RTCIceCandidate:
    try:
        return candidate_from_sdp(text)
    except Exception as error:
        raise SignallingError(f"the candidate {text[:80]!r} cannot be read") from error
