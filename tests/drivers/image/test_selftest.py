"""Every family moves the lips of a real avatar, and what moves them wrongly is refused with what was measured."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from anchor import selftest
from anchor.clock import FreeClock
from anchor.errors import ModelError
from anchor.events import Phone
from anchor.media import SAMPLE_RATE, Floats
from anchor.ports import Avatar, Driver
from anchor.selftest import Verdict
from avatars.footage import FootageAvatar
from drivers.image.driver import PatchNetDriver
from drivers.image.families import open_driver
from tests.drivers.image import nets


def test_on(path: Path, avatar: Avatar) -> Verdict:
    driver = open_driver(path)
    painter = driver.painter(cast(FootageAvatar, avatar)) if isinstance(driver, PatchNetDriver) else None
    return asyncio.run(selftest.check_lips(driver, avatar, painter))


test_on.__test__ = False  # type: ignore[attr-defined]


def ultralight(folder: Path, hears: str, column: int = 0) -> Path:
    nets.ultralight(folder / "a.onnx", hears=hears, column=column)
    (nets.hubert if hears == "hubert" else nets.wenet)(folder / "b.onnx")
    return folder


@pytest.mark.parametrize(
    "make",
    [
        lambda folder: nets.wav2lip(folder / "net.onnx"),
        lambda folder: nets.wav2lip(folder / "net.onnx", 256, batch=1),
        lambda folder: nets.musetalk(folder / "musetalk"),
        lambda folder: ultralight(folder, "hubert"),
        lambda folder: ultralight(folder, "wenet"),
    ],
    ids=["wav2lip", "wav2lip-256", "musetalk", "ultralight-hubert", "ultralight-wenet"],
)
def test_painters_pass_on_a_clip(make: Callable[[Path], Path], tmp_path: Path, clip: FootageAvatar) -> None:
    verdict = test_on(make(tmp_path), clip)
    assert verdict.problem == ""
    assert verdict.closed >= verdict.closures - 1 >= 4
    assert abs(verdict.lag_seconds) <= 0.04


@pytest.mark.parametrize(
    "make",
    [lambda folder: nets.audio2face(folder / "net.onnx"), lambda folder: nets.lam(folder / "net.onnx")],
    ids=["audio2face", "lam"],
)
def test_nets_of_numbers_pass_on_a_drawn_avatar(make: Callable[[Path], Path], tmp_path: Path, lin: Avatar) -> None:
    verdict = test_on(make(tmp_path), lin)
    assert verdict.problem == ""
    assert abs(verdict.lag_seconds) <= 0.04


def test_a_mouth_that_is_always_open_is_refused(tmp_path: Path, clip: FootageAvatar) -> None:
    verdict = test_on(nets.wav2lip(tmp_path / "net.onnx", always=1.0), clip)
    assert verdict.shut > 0.15
    assert "the lips stay open: 0." in verdict.problem


def test_lips_that_come_early_are_refused_by_their_lead(tmp_path: Path, clip: FootageAvatar) -> None:
    verdict = test_on(nets.wav2lip(tmp_path / "net.onnx", column=14), clip)
    assert verdict.problem == "the lips are 120 ms early; at most 80 ms are allowed"


def test_lips_that_come_200_ms_late_are_refused_by_their_lag(tmp_path: Path, lin: Avatar) -> None:
    verdict = test_on(nets.lam(tmp_path / "net.onnx", lag=6), lin)
    assert verdict.problem == "the lips are 200 ms late; at most 80 ms are allowed"


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: nets.wav2lip(path, broken=True), "net.onnx: gives numbers that are not finite"),
        (lambda path: nets.wav2lip(path, scale=255.0), r"net.onnx: gives a picture from \S+ to \d+, not from 0 to 1"),
        (lambda path: nets.wav2lip(path, swapped=True), "net.onnx: gives red and blue in each other's place"),
        (lambda path: nets.audio2face(path, scale=100.0), r"net.onnx: gives weights up to \d+"),
    ],
)
def test_numbers_that_cannot_be_are_refused_with_the_file(
    make: Callable[[Path], Path], reason: str, tmp_path: Path, clip: FootageAvatar
) -> None:
    with pytest.raises(ModelError, match=reason):
        test_on(make(tmp_path / "net.onnx"), clip)


def test_the_refusal_names_the_file_and_the_avatar(tmp_path: Path, clip: FootageAvatar) -> None:
    driver = open_driver(nets.wav2lip(tmp_path / "net.onnx", always=0.0))
    with pytest.raises(ModelError, match=r"net\.onnx: refused by the self-test on avatar 'clip': the lips stay shut"):
        asyncio.run(selftest.fit(driver, clip))


def test_the_embedded_driver_needs_no_test_and_no_painter(lin: Avatar) -> None:
    from drivers.phones import PhoneDriver

    assert asyncio.run(selftest.fit(PhoneDriver(), lin)) is None


# The verdict itself

FPS = 25
SAID = tuple(
    Phone("pa"[index % 2], round((0.4 + 0.16 * index) * SAMPLE_RATE), round((0.56 + 0.16 * index) * SAMPLE_RATE))
    for index in range(12)
)


def mouth(*, shut: float = 0.01, wide: float = 0.25, late: float = 0.0) -> Floats:
    """Openings of a mouth that says `SAID` so."""
    middles = (np.arange(70) + 0.5) / FPS - late
    is_wide = [any(p.symbol == "a" and p.start <= m * SAMPLE_RATE < p.end for p in SAID) for m in middles]
    return np.where(is_wide, wide, shut).astype(np.float32)


def test_a_good_mouth_is_good_whatever_its_size() -> None:
    for wide in (0.09, 0.25, 0.6):
        assert selftest.judge(mouth(wide=wide), SAID, FPS).problem == ""


@pytest.mark.parametrize(
    ("gaps", "reason"),
    [
        (mouth(shut=0.20, wide=0.24), "stay open"),
        (mouth(wide=0.03), "stay shut"),
        (mouth(shut=0.1, wide=0.3), "do not close: 0.100 eye distances apart in p, at most 0.07"),
        (mouth(late=0.2), "200 ms late"),
        (mouth(late=-0.2), "200 ms early"),
        (np.where(np.arange(70) < 41, mouth(), mouth(shut=0.15)), "close in 4 of 6 p only"),
        (np.where(np.arange(70) < 38, mouth(), 0.01).astype(np.float32), r"open in \d of 6 a only"),
    ],
)
def test_a_wrong_mouth_is_refused_for_what_is_wrong(gaps: Floats, reason: str) -> None:
    with pytest.raises(AssertionError, match=reason):
        assert selftest.judge(gaps, SAID, FPS).problem == "", selftest.judge(gaps, SAID, FPS).problem


def open_embedded() -> Driver:
    from anchor.parts import open_driver as named

    return named("auto")


def test_lookahead_covers_what_each_family_hears(tmp_path: Path) -> None:
    def lookahead(path: Path) -> float:
        return open_driver(path, clock=FreeClock()).info.lookahead_seconds

    nets.wav2lip(tmp_path / "wav2lip.onnx")
    nets.audio2face(tmp_path / "a2f.onnx")
    nets.lam(tmp_path / "lam.onnx")
    embedded = open_embedded().info.lookahead_seconds
    assert lookahead(tmp_path / "wav2lip.onnx") == max(embedded, 0.153)
    assert lookahead(tmp_path / "a2f.onnx") == pytest.approx(max(embedded, 0.261), abs=0.001)
    assert lookahead(tmp_path / "lam.onnx") == pytest.approx(max(embedded, 0.401), abs=0.001)
