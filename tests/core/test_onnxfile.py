"""Files that mean harm are refused before a runtime sees them, with a reason that names the file."""

import contextlib
import os
import pickle  # noqa: TID251 - to write one that must be refused
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from anchor.errors import ModelError
from anchor.onnxfile import MOST_DEPTH, read_checked
from anchor.protobuf import Damaged, Reader, varint
from tests.drivers.networks import doubling, external, in_branches, saved, value, weight, with_node

LIMIT = 1 << 20


def refused(path: Path, limit: int = LIMIT) -> str:
    """The reason, without the file's name, that every refusal begins with."""
    with pytest.raises(ModelError) as error:
        read_checked(path, limit)
    name, _, reason = str(error.value).partition(f"{path}: ")
    assert name == ""
    return reason


def test_a_good_file_is_read_as_it_is(tmp_path: Path) -> None:
    path = saved(doubling(), tmp_path / "good.onnx")
    assert read_checked(path, LIMIT) == path.read_bytes()


def test_real_files_are_good(shared: Path) -> None:
    files = sorted((shared / "models").glob("*.onnx"))
    assert len(files) >= 2
    for path in files:
        read_checked(path, 1 << 30)


def constant(tensor: Any) -> Any:
    return with_node(helper.make_node("Constant", [], ["y"], value=tensor))


def weighed(**fields: Any) -> Any:
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, **fields)
    return with_node(helper.make_node("Add", ["x", "w"], ["y"]), weights=[tensor])


def trained() -> Any:
    model = doubling()
    model.training_info.add()
    return model


def with_function() -> Any:
    model = doubling()
    node = helper.make_node("Mul", ["a", "a"], ["b"])
    model.functions.append(helper.make_function("own", "F", ["a"], ["b"], [node], [helper.make_opsetid("", 17)]))
    return model


def sparse() -> Any:
    model = doubling()
    values, places = weight("w", np.ones(1, np.float32)), weight("i", np.zeros((1, 2), np.int64))
    model.graph.sparse_initializer.append(helper.make_sparse_tensor(values, places, [1 << 30, 1 << 30]))
    return model


def foreign(domain: str, operator: str = "Add") -> Any:
    return helper.make_node(operator, ["x", "x"], ["y"], domain=domain)


HOSTILE: dict[str, tuple[Callable[[], Any], str]] = {
    "external": (lambda: constant(external(weight("w", np.ones(4, np.float32)))), "weights in another file"),
    "external in a branch": (
        lambda: in_branches(
            helper.make_node("Constant", [], ["c"], value=external(weight("w", np.ones(4, np.float32)), "beside.bin")),
            2,
        ),
        "weights in another file",
    ),
    "custom operator": (lambda: with_node(foreign("evil.corp", "Run")), "'Run' of 'evil.corp'"),
    "custom operator in a branch": (lambda: in_branches(foreign("evil.corp"), 3), "'evil.corp'"),
    "training domain": (lambda: with_node(foreign("ai.onnx.preview.training", "Adam")), "'Adam'"),
    "gradient": (lambda: with_node(foreign("com.microsoft", "SoftmaxGrad")), "not for inference"),
    "another file as operator": (lambda: with_node(foreign("com.microsoft", "EPContext")), "not for inference"),
    "training": (trained, "for training"),
    "functions": (with_function, "functions of its own"),
    "sparse": (sparse, "sparse"),
    "too deep": (lambda: in_branches(helper.make_node("Identity", ["x"], ["c"]), MOST_DEPTH + 1), "networks in"),
    "huge dimensions": (lambda: weighed(dims=[1 << 40, 4], raw_data=b"\0" * 16), "claims a size that cannot be"),
    "huge product": (lambda: weighed(dims=[1 << 20] * 3, raw_data=b"\0" * 16), "claims a size that cannot be"),
    "negative dimension": (lambda: weighed(dims=[-1, 4], raw_data=b"\0" * 16), "claims a size that cannot be"),
    "more than it holds": (lambda: weighed(dims=[1000], raw_data=b"\0" * 16), "does not hold"),
    "more than it lists": (lambda: weighed(dims=[1000], float_data=[1.0, 2.0]), "does not hold"),
    "unknown type": (
        lambda: with_node(
            helper.make_node("Add", ["x", "w"], ["y"]), weights=[TensorProto(name="w", data_type=99, dims=[1])]
        ),
        "unknown type",
    ),
    "no network": (lambda: onnx.ModelProto(ir_version=8), "not an ONNX file"),
    "empty": (lambda: b"", "is empty"),
    "text": (lambda: b"#!/bin/sh\necho hello\n", "damaged"),
    "zeros": (lambda: b"\0" * 100, "damaged"),
    "own format": (lambda: b"\x00\x00\x00\x00ORTM" + b"\0" * 100, "own format"),
    "cut short": (lambda: doubling().SerializeToString()[:-3], "cut short"),
    "two networks": (lambda: doubling().SerializeToString() * 2, "comes twice"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused(name: str, tmp_path: Path) -> None:
    make, reason = HOSTILE[name]
    assert reason in refused(saved(make(), tmp_path / "hostile.onnx"))


def test_a_place_of_weights_that_a_parser_cuts_down_to_external_is_refused(tmp_path: Path) -> None:
    whole = constant(weight("w", np.ones(4, np.float32))).SerializeToString()
    tensor = weight("w", np.ones(4, np.float32)).SerializeToString()
    # data_location as a number of 33 bits, of which protobuf keeps the lowest 32: EXTERNAL.
    longer = tensor + b"\x70\x81\x80\x80\x80\x10"
    assert TensorProto.FromString(longer).data_location == TensorProto.EXTERNAL
    odd = _resized(whole, tensor, longer)
    assert onnx.ModelProto.FromString(odd).graph.node[0].attribute[0].t.data_location == TensorProto.EXTERNAL
    assert "weights in another file" in refused(saved(odd, tmp_path / "odd.onnx"))


def _resized(whole: bytes, old: bytes, new: bytes) -> bytes:
    """`whole` with an innermost message replaced and the lengths around it mended."""
    path = []
    data = whole
    while data != old:
        at = 0
        while at < len(data):
            tag, body = varint(memoryview(data), at)
            size, inner = varint(memoryview(data), body) if tag & 7 == 2 else (0, varint(memoryview(data), body)[1])
            if old in data[inner : inner + size]:
                path.append((data[:body], data[inner + size :]))
                data = data[inner : inner + size]
                break
            at = inner + size
    for before, after in reversed(path):
        size, head = len(new), b""
        while size >= 0x80:
            head, size = head + bytes([size & 0x7F | 0x80]), size >> 7
        new = before + head + bytes([size]) + new + after
    return new


def test_a_zip_or_pickle_by_another_name_is_told_so(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model.onnx", doubling().SerializeToString())
    assert "is a zip" in refused(path)
    assert "is a pickle" in refused(saved(pickle.dumps([1]), path))


def test_what_is_no_plain_file_is_refused_and_nothing_waits(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.onnx")
    assert "is no file" in refused(tmp_path / "pipe.onnx")
    assert "is no file" in refused(tmp_path)
    assert "is no file" in refused(Path("/dev/zero"))
    assert "cannot be read" in refused(tmp_path / "missing.onnx")
    (tmp_path / "circle.onnx").symlink_to("circle.onnx")
    assert "cannot be read" in refused(tmp_path / "circle.onnx")


def test_a_link_may_stay_in_its_folder_and_not_lead_out_of_it(tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    outside = saved(doubling(), tmp_path / "outside.onnx")
    inside = saved(doubling(), tmp_path / "inside" / "model.onnx")
    good, bad = tmp_path / "inside" / "good.onnx", tmp_path / "inside" / "bad.onnx"
    good.symlink_to(inside)
    bad.symlink_to(outside)
    assert read_checked(good, LIMIT)
    assert "leads out of its folder" in refused(bad)


def test_a_file_larger_than_the_limit_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large.onnx"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    assert "larger than 1 MB" in refused(path)


def test_weights_that_take_more_than_the_limit_are_refused(tmp_path: Path) -> None:
    # A number takes one byte in the file and eight in memory.
    numbers = TensorProto(name="w", data_type=TensorProto.INT64, dims=[200_000], int64_data=[0] * 200_000)
    model = with_node(helper.make_node("Identity", ["x"], ["y"]), weights=[numbers])
    assert "weights of more than 1 MB" in refused(saved(model, tmp_path / "w.onnx"))


def test_a_file_of_too_many_nodes_or_parts_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(doubling(), tmp_path / "model.onnx")
    with monkeypatch.context() as patch:
        patch.setattr("anchor.onnxfile.MOST_NODES", 0)
        assert "more than 0 nodes" in refused(path)
    monkeypatch.setattr("anchor.onnxfile.MOST_FIELDS", 5)
    assert "too many parts" in refused(path)


GOOD = in_branches(helper.make_node("Constant", [], ["c"], value=weight("w", np.ones(4, np.float32))), 1)


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_no_change_of_a_file_makes_the_check_fail_in_another_way(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    content = bytearray(GOOD.SerializeToString())
    for place, byte in data.draw(
        st.lists(st.tuples(st.integers(0, len(content) - 1), st.integers(0, 255)), max_size=4)
    ):
        content[place] = byte
    path = saved(bytes(content[: data.draw(st.integers(1, len(content)))]), tmp_path_factory.getbasetemp() / "f.onnx")
    with contextlib.suppress(ModelError):
        read_checked(path, LIMIT)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_fields_or_damaged(content: bytes) -> None:
    try:
        fields = list(Reader(1000).fields(memoryview(content)))
    except Damaged:
        return
    assert all(1 <= number < 1 << 29 for number, _ in fields)


@settings(deadline=None)
@given(st.integers(0, (1 << 64) - 1))
def test_numbers_are_read_as_protobuf_writes_them(number: int) -> None:
    written = onnx.ModelProto(model_version=number if number < 1 << 63 else number - (1 << 64)).SerializeToString()
    [(field, read)] = Reader(10).fields(memoryview(written))
    assert (field, read) == (5, number)


def test_what_onnx_itself_writes_is_read_the_same(tmp_path: Path) -> None:
    model = onnx.ModelProto(producer_name="p", model_version=3)
    model.graph.input.append(value("x", [1]))
    fields = [(number, field if isinstance(field, int) else bytes(field)) for number, field in
              Reader(10).fields(memoryview(model.SerializeToString()))]  # fmt: skip
    assert fields == [(2, b"p"), (5, 3), (7, model.graph.SerializeToString())]
