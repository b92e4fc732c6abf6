"""Networks: what they take, where they run, and that sessions which share one never get each other's results."""

import asyncio
import contextlib
import hashlib
import logging
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from anchor.clock import FreeClock, LoopClock, run_virtual
from anchor.errors import ConfigError, ModelError
from anchor.onnx_session import _MEMORY, _PROVIDERS
from drivers.binding import Binding
from drivers.half import halved
from drivers.runtime import OnnxModel, Pixels, TensorSpec, batcher_for, stacked
from drivers.stacking import Layout, example
from tests.drivers.networks import counting, doubling, network, saved, value, weight, with_node


def loaded(model: Any, folder: Path, **options: Any) -> OnnxModel:
    return OnnxModel.load(saved(model, folder / "model.onnx"), device="cpu", **options)


@pytest.fixture(scope="module")
def counter(tmp_path_factory: pytest.TempPathFactory) -> OnnxModel:
    return loaded(counting(), tmp_path_factory.mktemp("counter"))


def ones(*shape: int) -> Any:
    return np.ones(shape, np.float32)


def test_a_network_says_what_it_is_and_runs(tmp_path: Path) -> None:
    model = loaded(doubling(), tmp_path)
    assert model.inputs == {"x": TensorSpec("x", np.dtype(np.float32), ("batch", 4))}
    assert model.outputs["y"].shape == ("batch", 4)
    assert (model.device, model.provider, model.half) == ("cpu", "CPUExecutionProvider", False)
    assert model.sha256 == hashlib.sha256(model.path.read_bytes()).hexdigest()
    assert model.run({"x": ones(3, 4)})["y"].tolist() == [[2.0] * 4] * 3


@pytest.mark.parametrize(
    ("feeds", "reason"),
    [
        ({}, "takes x; was given nothing"),
        ({"x": ones(1, 4), "z": ones(1)}, "takes x; was given x, z"),
        ({"x": ones(1, 5)}, r"takes 'x': float32\[batch, 4\]; was given float32\[1, 5\]"),
        ({"x": ones(4)}, r"was given float32\[4\]"),
        ({"x": np.ones((1, 4))}, r"was given float64\[1, 4\]"),
        ({"x": np.array([["a"] * 4])}, "was given <U1"),
    ],
)
def test_what_a_network_does_not_take_is_said_with_the_files_name(
    feeds: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match=rf"model\.onnx: .*{reason}"):
        loaded(doubling(), tmp_path).run(feeds)


def test_sizes_of_one_name_must_agree(counter: OnnxModel) -> None:
    with pytest.raises(ModelError, match=r"takes 'state': float32\[2, batch, 3\]; was given float32\[2, 3, 3\]"):
        counter.run({"x": ones(2, 3), "state": ones(2, 3, 3), "rate": ones()})


def test_a_network_of_16_bit_numbers_is_fed_and_gives_32(tmp_path: Path) -> None:
    model = loaded(doubling(TensorProto.FLOAT16), tmp_path)
    assert {model.inputs["x"].dtype, model.outputs["y"].dtype} == {np.dtype(np.float32)}
    for kind in (np.float32, np.float16):
        result = model.run({"x": np.full((2, 4), 1.5, kind)})["y"]
        assert result.dtype == np.float32
        assert result.tolist() == [[3.0] * 4] * 2


@pytest.mark.parametrize("kind", [TensorProto.FLOAT, TensorProto.FLOAT16])
def test_pixels_go_in_and_out_as_bytes_and_are_numbers_inside(kind: int, tmp_path: Path) -> None:
    half_open = Pixels(1 / 127.5, -1)
    model = loaded(doubling(kind), tmp_path, pixels={"x": half_open, "y": Pixels()})
    assert {model.inputs["x"].dtype, model.outputs["y"].dtype} == {np.dtype(np.uint8)}
    assert model.inputs["x"].shape == model.outputs["y"].shape == ("batch", 4)
    given = np.array([[0, 128, 160, 255]], np.uint8)
    # Twice a number from -1 to 1, shown as one from 0 to 1: what is outside is cut off.
    expected = np.clip(np.round(2 * (given / 127.5 - 1) * 255), 0, 255)
    assert np.abs(model.run({"x": given})["y"] - expected).max() <= (0 if kind == TensorProto.FLOAT else 1)


def test_only_floats_that_are_there_can_be_bytes(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"model\.onnx: has no floats named z that could be bytes"):
        loaded(doubling(), tmp_path, pixels={"x": Pixels(), "z": Pixels()})


def test_every_byte_comes_out_of_a_network_that_hands_it_through(tmp_path: Path) -> None:
    through = network([helper.make_node("Identity", ["x"], ["y"])], [value("x", ["n"])], [value("y", ["n"])])
    model = loaded(through, tmp_path, pixels={"x": Pixels(), "y": Pixels()})
    every = np.arange(256, dtype=np.uint8)
    assert model.run({"x": every})["y"].tolist() == every.tolist()


def test_weights_that_are_also_inputs_are_left_as_they_are(tmp_path: Path) -> None:
    model = doubling(TensorProto.FLOAT16)
    model.graph.input.append(value("two", [], TensorProto.FLOAT16))
    assert loaded(model, tmp_path).run({"x": ones(1, 4)})["y"].tolist() == [[2.0] * 4]


CIRCLE = network(
    [helper.make_node("Add", ["x", "b"], ["a"]), helper.make_node("Add", ["a", "a"], ["b"])],
    [value("x", ["batch", 4])],
    [value("b", ["batch", 4])],
)


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (CIRCLE, "cannot load it"),
        (with_node(helper.make_node("Add", ["x", "nowhere"], ["y"])), "cannot load it"),
        (with_node(helper.make_node("NoSuchThing", ["x"], ["y"])), "cannot load it"),
        (
            with_node(helper.make_node("Add", ["x", "w"], ["y"]), weights=[weight("w", np.ones(4, np.int64))]),
            "cannot load it",
        ),
        (
            network(
                [helper.make_node("Identity", ["x"], ["y"])],
                [value("x", ["batch"], TensorProto.STRING)],
                [value("y", ["batch"], TensorProto.STRING)],
            ),
            "only tensors of numbers",
        ),
    ],
    ids=["circle", "dangling", "unknown operator", "wrong types", "strings"],
)
def test_what_the_runtime_will_not_have_names_the_file_and_the_reason(model: Any, reason: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=rf"model\.onnx: .*{reason}"):
        loaded(model, tmp_path)


def test_a_file_of_a_few_bytes_that_asks_for_eight_gigabytes_gets_none(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("ConstantOfShape", ["shape"], ["big"]),
        helper.make_node("ReduceSum", ["big"], ["sum"], keepdims=0),
        helper.make_node("Add", ["x", "sum"], ["y"]),
    ]
    bomb = network(
        nodes, [value("x", ["batch", 4])], [value("y", ["batch", 4])], [weight("shape", np.array([40_000, 50_000]))]
    )
    with pytest.raises(ModelError, match=r"model\.onnx: failed on cpu: .*[Aa]vailable memory"):
        loaded(bomb, tmp_path).run({"x": ones(1, 4)})


def test_a_network_that_never_ends_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drivers.runtime.MOST_SECONDS", 0.5)
    monkeypatch.setattr("drivers.watchdog._TICK_SECONDS", 0.1)
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["on"]), helper.make_node("Identity", ["a"], ["b"])],
        "body",
        [value("i", [], TensorProto.INT64), value("go", [], TensorProto.BOOL), value("a", ["batch", 4])],
        [value("on", [], TensorProto.BOOL), value("b", ["batch", 4])],
    )
    endless = with_node(
        helper.make_node("Loop", ["rounds", "yes", "x"], ["y"], body=body),
        weights=[weight("rounds", np.array(1 << 62)), weight("yes", np.array(True))],
    )
    with pytest.raises(ModelError, match=r"model\.onnx: failed on cpu: .*terminate"):
        loaded(endless, tmp_path).run({"x": ones(1, 4)})


SEEDS = [model.SerializeToString() for model in (doubling(), doubling(TensorProto.FLOAT16), counting())]


@settings(deadline=None, max_examples=150)
@given(st.sampled_from(SEEDS), st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=3))
def test_a_changed_file_loads_or_says_what_is_wrong_with_it(
    tmp_path_factory: pytest.TempPathFactory, seed: bytes, changes: list[tuple[int, int]]
) -> None:
    content = bytearray(seed)
    for place, byte in changes:
        content[place % len(content)] = byte
    path = saved(bytes(content), tmp_path_factory.getbasetemp() / "changed.onnx")
    with contextlib.suppress(ModelError):
        OnnxModel.load(path, device="cpu")


def test_a_name_that_is_no_text_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"model\.onnx: is damaged: a name that is no text"):
        loaded(doubling().SerializeToString().replace(b"batch", b"bat\xffh"), tmp_path)


def test_a_device_that_is_not_there_is_replaced_with_a_line_that_says_why(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: ["CPUExecutionProvider"])
    path = saved(doubling(), tmp_path / "model.onnx")
    with caplog.at_level(logging.WARNING):
        assert OnnxModel.load(path, device="tensorrt:1").device == "cpu"
    assert [record.getMessage().split(": ")[0] for record in caplog.records] == [
        f"{path} does not run on tensorrt:1",
        f"{path} does not run on cuda:1",
    ]
    assert "onnxruntime is without CUDAExecutionProvider" in caplog.text
    caplog.clear()
    assert OnnxModel.load(path, device="auto", half=True).half is False
    assert [record.getMessage() for record in caplog.records] == [
        f"{path} runs with 32-bit numbers: a CPU is no faster with 16"
    ]


@pytest.mark.parametrize("name", ["gpu", "cuda:", "cuda:-1", "cpu:0", "CUDA:0", ""])
def test_a_device_of_no_known_name_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="choose auto, cpu, cuda:0 or tensorrt:0"):
        OnnxModel.load(saved(doubling(), tmp_path / "m.onnx"), device=name)


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """The CPU under the names of a GPU, so that all that is done for one is done."""
    monkeypatch.setitem(_PROVIDERS, "cuda", "CPUExecutionProvider")
    monkeypatch.setitem(_MEMORY, "cuda", "cpu")


@pytest.mark.usefixtures("stand_in")
@pytest.mark.parametrize("kind", [TensorProto.FLOAT, TensorProto.FLOAT16])
def test_on_a_gpu_a_network_is_halved_and_fed_through_buffers_in_every_bucket(kind: int, tmp_path: Path) -> None:
    path = saved(doubling(kind), tmp_path / "model.onnx")
    model = OnnxModel.load(path, device="cuda:0", half=True, pixels={"y": Pixels()})
    assert (model.device, model.half) == ("cuda:0", True)
    model.warm((1, 2, 4, 8))
    results = stacked(model)([{"x": np.full(4, n / 255, "f4")} for n in range(32)])
    assert [int(result["y"][3]) for result in results if isinstance(result, dict)] == [2 * n for n in range(32)]


def test_halving_keeps_what_goes_in_and_comes_out(tmp_path: Path) -> None:
    path = saved(doubling(), tmp_path / "model.onnx")
    smaller = halved(path, path.read_bytes())
    assert smaller != path.read_bytes()
    model = loaded(smaller, tmp_path)
    assert model.inputs["x"].dtype == np.float32
    assert model.run({"x": ones(2, 4)})["y"].tolist() == [[2.0] * 4] * 2


def test_halving_without_the_converter_leaves_the_network_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with caplog.at_level(logging.WARNING):
        assert halved(tmp_path / "model.onnx", b"as it was") == b"as it was"
    assert "model.onnx runs with 32-bit numbers: onnx is not installed" in caplog.text


def test_halving_what_cannot_be_halved_leaves_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert halved(tmp_path / "model.onnx", b"no network") == b"no network"
    assert "cannot be converted" in caplog.text


def bound(model: OnnxModel) -> Binding:
    return Binding(model._session, "cpu", 0, model.outputs, model._names)


def test_buffers_on_the_device_give_what_the_plain_way_gives_at_every_size(counter: OnnxModel) -> None:
    binding = bound(counter)
    for count in (1, 3, 1, 32, 3):
        feeds = {"x": np.random.rand(count, 3).astype("f4"), "state": ones(2, count, 3), "rate": np.float32(2)}
        arrays = {name: np.asarray(array) for name, array in feeds.items()}
        plain = counter.run(arrays)
        kept = binding.run(arrays, {"batch": count})
        assert kept.keys() == plain.keys()
        assert all(np.array_equal(kept[name], plain[name]) for name in plain)


def test_results_in_buffers_are_not_written_over_by_the_next_run(counter: OnnxModel) -> None:
    binding = bound(counter)
    first, second = (
        binding.run({"x": ones(1, 3) * n, "state": ones(2, 1, 3), "rate": ones()}, {"batch": 1}) for n in (1, 2)
    )
    assert first["sum"].tolist() == [12.0]
    assert second["sum"].tolist() == [18.0]


def test_results_of_a_size_nobody_knows_before_come_out_of_buffers_too(tmp_path: Path) -> None:
    model = loaded(
        network([helper.make_node("NonZero", ["x"], ["y"])], [value("x", ["n"])],
                [value("y", [1, "found"], TensorProto.INT64)]), tmp_path,
    )  # fmt: skip
    binding = bound(model)
    for expected in ([0, 2], [1], []):
        x = np.zeros(3, np.float32)
        x[expected] = 1
        assert binding.run({"x": x}, {"n": 3})["y"].tolist() == [expected]


def test_results_of_known_and_unknown_sizes_keep_their_names(tmp_path: Path) -> None:
    nodes = [helper.make_node("NonZero", ["x"], ["where"]), helper.make_node("NonZero", ["one"], ["other"]),
             helper.make_node("Neg", ["x"], ["minus"])]  # fmt: skip
    outputs = [value("where", [1, "a"], TensorProto.INT64), value("minus", ["n"]),
               value("other", [1, "b"], TensorProto.INT64)]  # fmt: skip
    model = loaded(network(nodes, [value("x", ["n"]), value("one", ["n"])], outputs), tmp_path)
    feeds = {"x": np.array([0, 1, 1], "f4"), "one": np.array([1, 0, 0], "f4")}
    for _ in range(2):
        found = bound(model).run(feeds, {"n": 3})
        assert {name: array.tolist() for name, array in found.items()} == {
            "where": [[1, 2]], "other": [[0]], "minus": [0, -1, -1]
        }  # fmt: skip


def test_the_batch_axis_is_found_where_it_is_named(counter: OnnxModel) -> None:
    layout = Layout.of(counter)
    assert layout == Layout({"x": 0, "state": 1, "rate": None, "sum": 0, "next": 1})


def test_a_batch_axis_that_is_not_certain_must_be_given(tmp_path: Path) -> None:
    model = loaded(
        network([helper.make_node("Identity", ["x"], ["y"])], [value("x", [None, None])], [value("y", [None, None])]),
        tmp_path,
    )
    with pytest.raises(ModelError, match=r"model\.onnx: 'y': float32\[\?, \?\]: which axis is the batch"):
        stacked(model)
    [result] = stacked(model, {"y": 0})([{"x": ones(5)}])
    assert isinstance(result, dict)
    assert result["y"].shape == (5,)


def request(number: int, rate: float = 1.0) -> dict[str, Any]:
    return {"x": np.full(3, number, "f4"), "state": np.full((2, 3), 10 * number, "f4"), "rate": np.float32(rate)}


def answer(number: int, rate: float = 1.0) -> float:
    return 6 * (10 * number + rate * number)


def test_a_batch_gives_each_request_its_own_and_a_bad_one_only_itself_an_error(counter: OnnxModel) -> None:
    bad = {"x": ones(4), "state": ones(2, 3), "rate": ones()}
    nonsense: Any = {"x": None}
    results = stacked(counter)([request(1), bad, request(2, rate=3), nonsense, request(3)])
    assert [type(result).__name__ for result in results] == ["dict", "ModelError", "dict", "AttributeError", "dict"]
    good = [result for result in results if isinstance(result, dict)]
    assert [float(result["sum"]) for result in good] == [answer(1), answer(2, 3), answer(3)]
    assert good[1]["next"].shape == (2, 3)


def test_what_a_network_hands_through_is_not_written_over_by_the_next_batch(tmp_path: Path) -> None:
    model = loaded(
        network([helper.make_node("Identity", ["x"], ["y"])], [value("x", ["b", 2])], [value("y", ["b", 2])]), tmp_path
    )
    run = stacked(model)
    [first] = run([{"x": ones(2)}])
    run([{"x": 7 * ones(2)}])
    assert isinstance(first, dict)
    assert first["y"].tolist() == [1, 1]


def test_a_network_of_one_fixed_batch_size_is_filled_up_to_it(tmp_path: Path) -> None:
    model = loaded(doubling(batch=3), tmp_path)
    results = stacked(model)([{"x": np.full(4, n, "f4")} for n in range(5)])
    assert [float(result["y"][0]) for result in results if isinstance(result, dict)] == [0, 2, 4, 6, 8]
    assert batcher_for(model, LoopClock()).buckets == (3,)


def test_warming_runs_every_size_and_needs_an_example_where_sizes_are_open(tmp_path: Path) -> None:
    loaded(doubling(), tmp_path).warm((1, 2, 4))
    open_size = loaded(
        network([helper.make_node("Neg", ["x"], ["y"])], [value("x", ["b", "t"])], [value("y", ["b", "t"])]), tmp_path
    )
    with pytest.raises(ModelError, match="give an example"):
        open_size.warm((1,))
    open_size.warm((1, 8), {"x": ones(5)})
    with pytest.raises(ModelError, match="was given"):
        open_size.warm((1,), {"x": ones(5, 5)})


def test_one_network_has_one_batcher_for_all_sessions(tmp_path: Path) -> None:
    model, same = (loaded(doubling(), tmp_path) for _ in range(2))
    shared = batcher_for(model, LoopClock())
    assert batcher_for(same, LoopClock()) is shared
    (tmp_path / "other").mkdir()
    assert batcher_for(loaded(doubling(TensorProto.FLOAT16), tmp_path / "other"), LoopClock()) is not shared
    assert batcher_for(model, FreeClock()) is not shared
    assert shared.name == "model on cpu"


@settings(deadline=None, max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 100), st.sampled_from([1.0, 2.0])), min_size=1, max_size=40))
def test_interleaved_sessions_with_state_never_mix(counter: OnnxModel, plans: list[tuple[int, float]]) -> None:
    async def session(number: int, rate: float) -> None:
        state = np.full((2, 3), number, "f4")
        for frame in range(3):
            feeds: dict[str, Any] = {"x": np.full(3, number + frame, "f4"), "state": state, "rate": np.float32(rate)}
            result = await batcher.submit(feeds, deadline=LoopClock().now() + 60)
            assert np.array_equal(result["next"], state + rate * (number + frame))
            state = result["next"]

    async def main() -> None:
        async with batcher, asyncio.TaskGroup() as tasks:
            for number, rate in plans:
                tasks.create_task(session(number, rate))

    batcher = batcher_for(counter, LoopClock())
    run_virtual(main())


def test_speech_is_told_from_silence_alike_alone_and_in_a_batch(shared: Path) -> None:
    model = OnnxModel.load(shared / "models" / "silero_vad.onnx", device="cpu")
    axes = {"output": 0, "stateN": 1}
    generator = np.random.default_rng(7)

    def feeds(loud: float) -> dict[str, Any]:
        sound = (loud * generator.standard_normal(576)).astype("f4")
        return {"input": sound, "state": np.zeros((2, 128), "f4"), "sr": np.int64(16000)}

    requests = [feeds(loud) for loud in (0.0, 0.01, 0.1, 0.5)]
    run = stacked(model, axes)
    together, alone = run(requests), [run([one])[0] for one in requests]
    for one, other in zip(together, alone, strict=True):
        assert isinstance(one, dict)
        assert isinstance(other, dict)
        assert one["stateN"].shape == (2, 128)
        assert np.allclose(one["stateN"], other["stateN"], atol=1e-5)
        assert np.allclose(one["output"], other["output"], atol=1e-5)
    with pytest.raises(ModelError, match=r"'stateN'.*which axis is the batch"):
        stacked(model)


def test_a_real_face_network_runs_in_every_bucket(shared: Path) -> None:
    model = OnnxModel.load(shared / "models" / "openseeface_mnv3_gaze32_split_opt.onnx", device="cpu")
    model.warm((1, 2, 4, 8, 16, 32))
    [result] = stacked(model)([example(model)])
    assert isinstance(result, dict)
    assert result["output"].shape == (3, 8, 8)
