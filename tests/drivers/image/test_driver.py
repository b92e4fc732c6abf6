"""What a network is given, when, and what its driver does when it is late."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from anchor.clock import FreeClock, LoopClock
from anchor.errors import CapacityError, LateError
from anchor.media import ARKIT_INDEX, SAMPLE_RATE, Blendshapes, Floats
from anchor.ports import Driver, SpeechChunk
from avatars.footage import FootageAvatar
from drivers import features
from drivers.features import RATE
from drivers.image.driver import NumbersNetDriver, PatchNetDriver
from drivers.image.families import open_driver, recognise
from drivers.image.musetalk import positions
from drivers.image.numbers import SequenceNet
from drivers.image.paste import lower_face
from drivers.image.wav2lip import Wav2Lip
from tests.drivers.image import nets

JAW = ARKIT_INDEX["jawOpen"]


def tone(seconds: float, *, level: float = 0.3) -> Floats:
    t = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return (level * np.sin(2 * np.pi * 220 * t)).astype(np.float32)


def silence(seconds: float) -> Floats:
    return np.zeros(round(seconds * SAMPLE_RATE), np.float32)


def drive(driver: Driver, *parts: Floats, fps: int = 25) -> list[Blendshapes]:
    async def speech() -> AsyncIterator[SpeechChunk]:
        for part in parts:
            yield SpeechChunk(part)

    async def main() -> list[Blendshapes]:
        return [face async for face in driver.drive(speech(), fps)]

    return asyncio.run(main())


def test_the_window_of_a_picture_begins_where_the_one_before_it_begins(tmp_path: Path) -> None:
    """Picture i hears spectra from 80 * (i - 1) / 25 on, as in training: the click is in the right ones."""
    click = silence(2.0)
    click[round(1.0 * SAMPLE_RATE) : round(1.01 * SAMPLE_RATE)] = 0.5
    faces = drive(open_driver(nets.wav2lip(tmp_path / "net.onnx")), click)
    # 1.005 s is spectrum 80.4; the window of picture 25 begins at spectrum floor(76.8) = 76.
    assert isinstance(faces[25].cue, np.ndarray)
    assert int(faces[25].cue.mean(axis=0).argmax()) in (4, 5)
    assert faces[25].cue.shape == (80, 16)
    assert isinstance(faces[26].cue, np.ndarray)
    assert int(faces[26].cue.mean(axis=0).argmax()) in (0, 1)


def test_networks_trained_at_other_rates_hear_one_of_their_own_pictures_before(tmp_path: Path) -> None:
    (tmp_path / "driver.json").write_text(json.dumps({"fps": 30}))
    net = recognise(nets.wav2lip(tmp_path / "net.onnx")).net(FreeClock())
    assert isinstance(net, Wav2Lip)
    assert net.hearing().needs(1.0) > Wav2Lip(net.bounds[0], _plain(tmp_path), FreeClock()).hearing().needs(1.0)


def _plain(folder: Path) -> Any:
    from drivers.image.manifest import Manifest

    return Manifest(folder)


def test_silence_has_no_cue_and_asks_no_network(tmp_path: Path) -> None:
    faces = drive(open_driver(nets.wav2lip(tmp_path / "net.onnx")), silence(0.6), tone(0.6), silence(0.8))
    cued = [face.cue is not None for face in faces]
    assert cued == [*[False] * 12, *[True] * 21, *[False] * 17]
    assert [bool(face.lips == "network") for face in faces] == cued


def test_faces_come_before_the_speech_ends(tmp_path: Path) -> None:
    driver = open_driver(nets.wav2lip(tmp_path / "net.onnx"))
    pushed = 0.0
    seen: list[tuple[float, int]] = []

    async def speech() -> AsyncIterator[SpeechChunk]:
        nonlocal pushed
        for _ in range(20):
            pushed += 0.1
            yield SpeechChunk(tone(0.1))

    async def main() -> None:
        number = 0
        async for _ in driver.drive(speech(), 25):
            seen.append((pushed, number))
            number += 1

    asyncio.run(main())
    middle = [known - (number + 0.5) / 25 for known, number in seen[:30]]
    assert max(middle) < driver.info.lookahead_seconds + 0.15


def test_speech_in_small_pieces_gives_the_same_cues(tmp_path: Path) -> None:
    driver = open_driver(nets.wav2lip(tmp_path / "net.onnx"))
    rng = np.random.default_rng(0)
    sound = (tone(1.0) + 0.01 * rng.standard_normal(SAMPLE_RATE)).astype(np.float32)
    whole, pieces = drive(driver, sound), drive(driver, *np.split(sound, range(1000, SAMPLE_RATE, 1700)))
    assert len(whole) == len(pieces) == 25
    for one, other in zip(whole, pieces, strict=True):
        np.testing.assert_allclose(one.cue, other.cue, atol=1e-4)  # type: ignore[call-overload]


def test_colours_go_in_and_come_out_in_the_order_that_is_said(tmp_path: Path) -> None:
    path = nets.wav2lip(tmp_path / "net.onnx", always=0.0)
    crop = np.full((96, 96, 3), (200, 100, 40), np.uint8)
    plain = recognise(path).net(FreeClock())
    (tmp_path / "driver.json").write_text(json.dumps({"colour": "rgb"}))
    swapped = recognise(path).net(FreeClock())
    assert isinstance(plain, Wav2Lip)
    assert isinstance(swapped, Wav2Lip)
    assert plain.faces(crop)[3:, 0, 0] == pytest.approx([200 / 255, 100 / 255, 40 / 255])
    assert swapped.faces(crop)[3:, 0, 0] == pytest.approx([40 / 255, 100 / 255, 200 / 255])
    assert float(np.abs(plain.faces(crop)[:3, 48:]).max()) == 0
    assert float(plain.faces(crop)[:3, :48].min()) > 0
    for net in (plain, swapped):
        painted = asyncio.run(net.paint(np.zeros((80, 16), np.float32), crop, None, float("inf")))
        np.testing.assert_allclose(painted[10, 10], (200, 100, 40), atol=1)


def test_a_net_of_numbers_that_is_late_gives_way_to_the_embedded_lips_and_comes_back(tmp_path: Path) -> None:
    driver = open_driver(nets.audio2face(tmp_path / "net.onnx"))
    assert isinstance(driver, NumbersNetDriver)
    net: Any = driver.net
    asked = 0

    class Hearing:
        def __init__(self) -> None:
            self.inner = type(net).hearing(net)

        def needs(self, middle: float) -> int:
            return int(self.inner.needs(middle))

        async def cue(self, ear: Any, middle: float, deadline: float) -> Any:
            nonlocal asked
            asked += 1
            if 10 <= asked < 15:
                raise LateError("late")
            weights = np.zeros(52, np.float32)
            weights[JAW] = 1.0
            return weights

    net.hearing = Hearing
    embedded = [face.weights[JAW] for face in drive(driver._embedded, tone(1.2))]
    jaws = [float(face.weights[JAW]) for face in drive(driver, tone(1.2))]
    half = [0.5 + 0.5 * float(value) for value in embedded]
    assert jaws[0] == pytest.approx(half[0], abs=0.01)
    assert jaws[1:9] == [1.0] * 8
    assert jaws[9] == pytest.approx(half[9], abs=0.01)
    assert jaws[10:14] == pytest.approx([float(value) for value in embedded[10:14]], abs=0.01)
    assert jaws[14] == pytest.approx(half[14], abs=0.01)
    assert jaws[15:] == [1.0] * 15


def test_a_sequence_says_what_happens_in_each_moment_of_it(tmp_path: Path) -> None:
    driver = open_driver(nets.lam(tmp_path / "net.onnx"))
    assert isinstance(driver.net, SequenceNet)  # type: ignore[attr-defined]
    faces = drive(driver, silence(0.8), tone(0.4), silence(1.0))
    jaws = np.array([face.weights[JAW] for face in faces])
    wide = np.flatnonzero(jaws > 0.4)
    # From 0.8 to 1.2 s, pictures 20 to 29, faded in over two.
    assert wide[0] in (20, 21)
    assert wide[-1] in (29, 30)


def test_places_are_those_of_the_transformer() -> None:
    found = positions(50, 384)
    assert found[0, :4] == pytest.approx([0, 1, 0, 1])
    assert found[7, 0] == pytest.approx(np.sin(7))
    assert found[7, 383] == pytest.approx(np.cos(7 * 10000 ** (-382 / 384)))


def test_painters_of_one_file_share_its_network(tmp_path: Path, clip: FootageAvatar) -> None:
    path = nets.wav2lip(tmp_path / "net.onnx")
    clock = FreeClock()
    one, two = open_driver(path, clock), open_driver(path, clock)
    assert isinstance(one, PatchNetDriver)
    assert isinstance(two, PatchNetDriver)
    nets_: list[Any] = [one.net, two.net]
    assert nets_[0]._batcher is nets_[1]._batcher


def test_the_mask_is_whole_at_the_mouth_and_nothing_at_the_rim(clip: FootageAvatar) -> None:
    c = clip.shape.chin
    box = (-0.64 * c, -0.76 * c, 0.64 * c, 1.07 * c)
    mask = lower_face(clip.shape, box, (96, 96), (0, 0.5, 1, 1))
    x, y = clip.shape.mouth
    column, row = int((x - box[0]) / (box[2] - box[0]) * 96), int((y - box[1]) / (box[3] - box[1]) * 96)
    half = int(0.6 * clip.shape.width / (box[2] - box[0]) * 96)
    assert int(mask[row, column - half : column + half].min()) == 255
    assert not mask[:48].any()
    assert not mask[[0, -1]].any()
    assert not mask[:, [0, -1]].any()
    # Soft everywhere: from nothing to all in three pixels at least, of 96.
    steps = np.abs(np.diff(mask.astype(int), axis=1)).max(), np.abs(np.diff(mask.astype(int), axis=0)).max()
    assert max(steps) < 110


def test_hearing_needs_no_more_than_the_declared_lookahead(tmp_path: Path) -> None:
    for path in (
        nets.wav2lip(tmp_path / "a.onnx"), nets.audio2face(tmp_path / "b.onnx"), nets.lam(tmp_path / "c.onnx"),
        nets.musetalk(tmp_path / "musetalk"),
    ):  # fmt: skip
        net = recognise(path).net(FreeClock())
        hearing = net.hearing()
        ahead = [hearing.needs(middle) / RATE - middle for middle in np.arange(0.02, 4, 0.04)]
        assert max(ahead) <= net.lookahead - features.DECIMATION_SECONDS + 1e-6, path


def test_a_stream_that_would_be_late_is_refused_room_and_room_is_given_back(tmp_path: Path) -> None:
    path = nets.wav2lip(tmp_path / "slow.onnx")

    async def main() -> None:
        drivers = [cast(PatchNetDriver, open_driver(path, LoopClock())) for _ in range(2)]
        batcher = drivers[0].net.batchers[0]
        assert batcher is drivers[1].net.batchers[0], "one batcher for both"
        for size in batcher.buckets * 2:  # The first run of a size is not counted.
            batcher.costs.observe(size, 0.019 * size)
        async with drivers[0].session(25):
            with pytest.raises(CapacityError, match=r"slow on cpu: no room .* 19\.00 ms for each"):
                async with drivers[1].session(25):
                    pass
        async with drivers[1].session(25):
            pass

    asyncio.run(main())
