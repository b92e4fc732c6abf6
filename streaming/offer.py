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


def reachable(sdp: str) -> str:
    """SDP without the candidates that only cost time. Raises `SignallingError` for too much of it."""
    return "\r\n".join(line for line in _lines(sdp) if not _unreachable(line))


@dataclass(frozen=True, slots=True)
class Offer:
    """An offer fit for aiortc. `sections` are the kinds of its media in the order of their bundle."""

    sdp: str
    sections: tuple[str, ...]
    username: str


def read_offer(text: str) -> Offer:
    """Take an offer apart and leave out the candidates that only cost time.

    Raises `SignallingError` for what is no offer of a viewer: one section each of video, audio (or without one) and
    data (or without one), all in one bundle, as every browser makes it.
    """
    lines = _lines(text)
    if lines[0] != "v=0":
        raise SignallingError("the SDP offer does not begin with v=0")
    kinds = [line[2:].partition(" ")[0] for line in lines if line.startswith("m=")]
    if "video" not in kinds:
        raise SignallingError("the SDP offer asks for no video")
    if any(kind not in _KINDS or kinds.count(kind) > 1 for kind in kinds):
        raise SignallingError("the SDP offer has more than one video, one audio and one data section")
    if sum(line.startswith("a=candidate:") for line in lines) > _MAX_CANDIDATES:
        raise SignallingError(f"the SDP offer has more than {_MAX_CANDIDATES} candidates")
    bundle = _bundle(lines, kinds)
    kept = [line for line in lines if not (_unreachable(line) or line.startswith("a=group:"))]
    first = next(place for place, line in enumerate(kept) if line.startswith("m="))
    kept.insert(first, f"a=group:BUNDLE {' '.join(bundle)}")
    return Offer("\r\n".join(kept), tuple(bundle.values()), _value(lines, "a=ice-ufrag:") or "")


def _bundle(lines: list[str], kinds: list[str]) -> dict[str, str]:
    """The sections' kinds by their mid, in the bundle's order but media first.

    aiortc takes the transport of the bundle's first section and stops the others'; ours all have the same one, so it
    must be the section that aiortc made it for, which is never the data section.
    """
    mids = [line.removeprefix("a=mid:") for line in lines if line.startswith("a=mid:")]
    by_mid = dict(zip(mids, kinds, strict=False))
    groups = [line.split()[1:] for line in lines if line.startswith("a=group:BUNDLE")]
    if len(mids) != len(kinds) or len(by_mid) != len(kinds) or len(groups) != 1 or sorted(groups[0]) != sorted(mids):
        raise SignallingError("the SDP offer must have all its sections in one bundle (max-bundle)")
    ordered = sorted(groups[0], key=lambda mid: by_mid[mid] == "application")
    return {mid: by_mid[mid] for mid in ordered}


def _value(lines: list[str], prefix: str) -> str | None:
    return next((line.removeprefix(prefix).strip() for line in lines if line.startswith(prefix)), None)


@dataclass(frozen=True, slots=True)
class Fragment:
    """What a trickled SDP fragment (RFC 8840 section 9) says."""

    username: str | None
    candidates: tuple[RTCIceCandidate, ...]


def read_fragment(text: str) -> Fragment:
    """Raises `SignallingError`."""
    lines = _lines(text)
    candidates = [line for line in lines if line.startswith("a=candidate:") and not _unreachable(line)]
    if len(candidates) > _MAX_CANDIDATES:
        raise SignallingError(f"the fragment has more than {_MAX_CANDIDATES} candidates")
    return Fragment(_value(lines, "a=ice-ufrag:"), tuple(_candidate(line.partition(":")[2]) for line in candidates))


def _candidate(text: str) -> RTCIceCandidate:
    try:
        return candidate_from_sdp(text)
    except Exception as error:
        raise SignallingError(f"the candidate {text[:80]!r} cannot be read") from error
