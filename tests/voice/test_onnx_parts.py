"""Networks cut apart on their bytes are networks, and do together what they did as one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper

from anchor.bench.tiny_piper import write_tiny_piper
from anchor.protobuf import Damaged
from anchor.voice.onnx_parts import Network
from anchor.voice.piper_network import NOISE, PACE, plan
from tests.drivers.networks import doubling, in_branches, network, value, weight


def read(model: onnx.ModelProto) -> Network:
    return Network.read(memoryview(model.SerializeToString()))


def session(data: bytes) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])


def chain() -> onnx.ModelProto:
    """``y`` is (2 ``x`` + 1) squared."""
    nodes = [
        helper.make_node("Mul", ["x", "two"], ["twice"]),
        helper.make_node("Add", ["twice", "one"], ["more"]),
        helper.make_node("Mul", ["more", "more"], ["y"]),
        helper.make_node("Add", ["x", "unused"], ["nothing"]),
    ]
    weights = [weight(name, np.array(number, np.float32)) for name, number in (("two", 2), ("one", 1), ("unused", 0))]
    made: onnx.ModelProto = network(nodes, [value("x", ["n"])], [value("y", ["n"])], weights)
    return made


def test_two_parts_do_together_what_the_whole_does() -> None:
    whole = read(chain())
    first, second = session(whole.part(["more"])), session(whole.part(["y"], ["more"]))
    given = np.array([0, 1, 2], np.float32)
    (between,) = first.run(None, {"x": given})
    assert second.run(None, {"more": between})[0].tolist() == [1, 9, 25]


def test_a_part_carries_only_the_weights_it_needs() -> None:
    whole = read(chain())
    held = [{one.name for one in onnx.load_from_string(whole.part(*what)).graph.initializer} for what in (
        (["more"],), (["y"], ["more"]),
    )]  # fmt: skip
    assert held == [{"two", "one"}, set()]


def test_a_network_with_branches_is_not_cut() -> None:
    found = read(in_branches(doubling().graph.node[0], 1))
    assert found.nested


def test_what_is_no_network_is_refused() -> None:
    for data in (b"", b"\x08\x08", b"\xff" * 20, chain().SerializeToString()[:-40]):
        with pytest.raises(Damaged):
            Network.read(memoryview(data))


def test_a_piper_voice_is_cut_at_its_decoder(tmp_path: Path) -> None:
    for speakers, fixed in ((1, ()), (3, ("timbre",))):
        path = write_tiny_piper(tmp_path, speakers=speakers)
        found = plan(Network.read(memoryview(path.read_bytes())))
        assert (found.latent, found.fixed, found.durations) == ("latent", fixed, "durations")
        assert found.paced and found.noises == (f"{NOISE}.0", f"{NOISE}.1")
        encoder, decoder = session(found.encoder()), session(found.decoder())
        assert {PACE, *found.noises, "input", "scales"} <= {one.name for one in encoder.get_inputs()}
        assert [one.name for one in encoder.get_outputs()] == ["latent", *fixed, "durations"]
        assert [one.name for one in decoder.get_inputs()] == ["latent", *fixed]


def test_pace_is_a_factor_on_the_time_of_each_id(tmp_path: Path) -> None:
    path = write_tiny_piper(tmp_path)
    encoder = session(plan(Network.read(memoryview(path.read_bytes()))).encoder())
    ids = np.array([[1, 0, 20, 0, 21, 0, 2]], np.int64)
    feeds = {
        "input": ids, "scales": np.array([0.667, 1, 0], np.float32),
        **{f"{NOISE}.{number}": np.zeros((1, 192, 256), np.float32) for number in range(2)},
    }  # fmt: skip
    pace = np.ones((1, 1, 7), np.float32)
    plain = encoder.run(["durations"], {**feeds, PACE: pace})[0].ravel()
    pace[..., 4] = 2
    slowed = encoder.run(["durations"], {**feeds, PACE: pace})[0].ravel()
    assert slowed[4] == pytest.approx(2 * plain[4], abs=1)
    assert (np.delete(slowed, 4) == np.delete(plain, 4)).all()


def test_a_voice_without_durations_is_used_as_a_whole(tmp_path: Path) -> None:
    path = write_tiny_piper(tmp_path, timings=False)
    found = plan(Network.read(memoryview(path.read_bytes())))
    assert (found.latent, found.durations, found.paced) == ("", "", False)
    assert [one.name for one in session(found.encoder()).get_outputs()] == ["output"]


def test_a_network_of_another_kind_is_no_voice() -> None:
    with pytest.raises(Damaged, match="is no Piper voice: it takes x, not input, input_lengths, scales"):
        plan(read(doubling()))
