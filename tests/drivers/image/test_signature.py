"""Files are told by their shapes, whatever they are called."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from anchor.errors import MissingError, ModelError
from drivers.image.families import recognise
from tests.drivers.image import nets


def model(
    path: Path, inputs: dict[str, tuple[str | int, ...]], outputs: dict[str, tuple[str | int, ...]], kind: int = 1
) -> Path:
    """A network of these shapes that gives zeros."""

    def info(name: str, shape: tuple[str | int, ...]) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, kind, list(shape))

    graph = nets.Graph()
    for name, shape in outputs.items():
        sizes = [size if isinstance(size, int) else 1 for size in shape]
        value = graph.constant(np.zeros(sizes), helper.tensor_dtype_to_np_dtype(kind))
        graph.nodes.append(helper.make_node("Identity", [value], [name]))
    made = helper.make_graph(
        graph.nodes, "shapes", [info(*item) for item in inputs.items()], [info(*item) for item in outputs.items()],
        graph.constants,
    )  # fmt: skip
    onnx.save(helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), str(path))
    return path


@pytest.mark.parametrize("side", [96, 256, 288, 384])
@pytest.mark.parametrize(
    "names", [("mel_spectrogram", "video_frames", "predicted_frames"), ("source", "target", "output")]
)
def test_wav2lip_is_known_at_every_size_and_by_any_names(
    tmp_path: Path, side: int, names: tuple[str, str, str]
) -> None:
    found = recognise(nets.wav2lip(tmp_path / "model.onnx", side, names=names))
    assert found.family.name == "wav2lip"
    assert found.parts["wav2lip"].inputs == {"mel": names[0], "face": names[1]}
    assert found.parts["wav2lip"].spec("face").shape[2] == side


def test_a_batch_of_exactly_one_is_known_too(tmp_path: Path) -> None:
    assert recognise(nets.wav2lip(tmp_path / "model.onnx", batch=1)).family.name == "wav2lip"


def test_a_folder_of_musetalk_is_known_whatever_its_files_are_called(tmp_path: Path) -> None:
    found = recognise(nets.musetalk(tmp_path / "musetalk"))
    assert found.family.name == "musetalk"
    assert sorted(found.parts) == ["positions", "unet", "vae_decoder", "vae_encoder", "whisper"]
    assert found.parts["unet"].model.path.name == "b.onnx"


@pytest.mark.parametrize("hears", ["hubert", "wenet"])
def test_ultralight_is_known_with_what_it_hears_by(tmp_path: Path, hears: str) -> None:
    nets.ultralight(tmp_path / "a.onnx", hears=hears)
    (nets.hubert if hears == "hubert" else nets.wenet)(tmp_path / "b.onnx")
    found = recognise(tmp_path)
    assert found.family.name == "ultralight"
    assert set(found.parts) == {"ultralight", hears}


def test_nets_of_numbers_are_known_by_windows_and_sequences(tmp_path: Path) -> None:
    window = recognise(nets.audio2face(tmp_path / "a.onnx"))
    assert window.family.name == "window-net"
    assert set(window.parts["window_net"].inputs) == {"sound", "emotion"}
    sequence = recognise(nets.lam(tmp_path / "b.onnx"))
    assert sequence.family.name == "sequence-net"
    assert set(sequence.parts["sequence_net"].inputs) == {"sound", "identity"}


def test_a_part_alone_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"ultralight needs hubert or wenet too; there is a\.onnx"):
        recognise(nets.ultralight(tmp_path / "a.onnx"))
    with pytest.raises(ModelError, match="is a hubert alone, which drives nothing"):
        recognise(nets.hubert(tmp_path / "b.onnx"))
    folder = nets.musetalk(tmp_path / "musetalk")
    (folder / "d.onnx").unlink()
    with pytest.raises(ModelError, match="musetalk needs whisper too"):
        recognise(folder)


def test_two_files_for_the_same_part_are_refused_by_name(tmp_path: Path) -> None:
    nets.wav2lip(tmp_path / "a.onnx")
    nets.wav2lip(tmp_path / "b.onnx", 256)
    with pytest.raises(ModelError, match=r"a\.onnx and b\.onnx are both wav2lip"):
        recognise(tmp_path)


def test_an_unknown_network_is_described_by_its_shapes(tmp_path: Path) -> None:
    path = model(tmp_path / "x.onnx", {"a": ("batch", 7)}, {"b": ("batch", 9)})
    with pytest.raises(ModelError, match=r"x\.onnx: is of no known family: a float32\[\?,7\] -> b float32"):
        recognise(path)


def test_colours_last_are_refused_by_their_layout(tmp_path: Path) -> None:
    path = model(tmp_path / "x.onnx", {"mel": (1, 1, 80, 16), "face": (1, 96, 96, 6)}, {"out": (1, 96, 96, 3)})
    with pytest.raises(ModelError, match=r"face has its colours last \(NHWC\)"):
        recognise(path)


def test_an_output_of_another_size_is_refused(tmp_path: Path) -> None:
    path = model(tmp_path / "x.onnx", {"mel": (1, 1, 80, 16), "face": (1, 6, 96, 96)}, {"out": (1, 3, 64, 64)})
    with pytest.raises(ModelError, match="takes faces of 96 pixels a side, but does not give such"):
        recognise(path)


def test_quantised_ends_are_refused_by_name_and_type(tmp_path: Path) -> None:
    path = model(
        tmp_path / "x.onnx", {"mel": (1, 1, 80, 16), "face": (1, 6, 96, 96)}, {"out": (1, 3, 96, 96)}, TensorProto.INT8
    )
    with pytest.raises(ModelError, match=r"x\.onnx: mel is int8; floats are needed"):
        recognise(path)


def test_coefficients_need_a_map_to_arkit(tmp_path: Path) -> None:
    from anchor.clock import FreeClock

    nets.audio2face(tmp_path / "net.onnx", width=301)
    with pytest.raises(ModelError, match="gives 301 numbers a face, not the 52 of ARKit"):
        recognise(tmp_path / "net.onnx").net(FreeClock())
    matrix = np.zeros((301, 52), np.float32)
    matrix[:52] = np.eye(52)
    np.savez(tmp_path / "map.npz", matrix=matrix)
    (tmp_path / "driver.json").write_text(json.dumps({"files": {"net": "net.onnx", "solver": "map.npz"}}))
    assert recognise(tmp_path).net(FreeClock()).family == "window-net"
    np.savez(tmp_path / "map.npz", matrix=matrix[:, :40])
    with pytest.raises(ModelError, match=r"map\.npz: 'matrix' must have 52 columns"):
        recognise(tmp_path).net(FreeClock())


# driver.json


def said(folder: Path, **values: object) -> Path:
    (folder / "driver.json").write_text(json.dumps(values))
    return folder


def test_the_manifest_names_files_family_and_licence(tmp_path: Path) -> None:
    nets.wav2lip(tmp_path / "a.onnx")
    nets.wav2lip(tmp_path / "b.onnx", 256)
    said(tmp_path, family="wav2lip", files={"generator": "b.onnx"}, licence="research only", title="Mine", colour="rgb")
    found = recognise(tmp_path)
    assert found.parts["wav2lip"].model.path.name == "b.onnx"
    assert (found.name, found.manifest.licence, found.manifest.colour) == ("Mine", "research only", "rgb")


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"familly": "x"}, "unknown key 'familly'; known: family, files"),
        ({"family": "wav2lips"}, "family: 'wav2lips' is unknown; there are musetalk"),
        ({"family": "musetalk"}, "musetalk needs unet, vae_encoder"),
        ({"colour": "yuv"}, "colour: 'yuv' is unknown; choose bgr, rgb"),
        ({"audio": "mp3"}, "audio: 'mp3' is unknown"),
        ({"audio": "whisper"}, "audio: wav2lip does not hear 'whisper', but wav2lip-mel"),
        ({"fps": 0.5}, "fps: must be a number from 5 to 120"),
        ({"fps": True}, "fps: must be a number from 5 to 120"),
        ({"licence": 3}, "licence: must be a text"),
        ({"files": {"generator": "../a.onnx"}}, "files.generator: must be the name of a file beside it"),
        ({"files": {"generator": "c.onnx"}}, r"files.generator: there is no file c\.onnx"),
        ({"files": ["a.onnx"]}, "files: must be an object"),
    ],
)
def test_a_wrong_manifest_is_refused_by_its_key(tmp_path: Path, values: dict[str, object], reason: str) -> None:
    nets.wav2lip(tmp_path / "a.onnx")
    with pytest.raises(ModelError, match=reason):
        recognise(said(tmp_path, **values))


@pytest.mark.parametrize("text", ["{", "[]", '"x"', "[" * 100_000, "\udcff"])
def test_a_manifest_that_is_no_object_is_refused(tmp_path: Path, text: str) -> None:
    nets.wav2lip(tmp_path / "a.onnx")
    (tmp_path / "driver.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ModelError, match=r"driver\.json"):
        recognise(tmp_path)


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="there is no such file or folder"):
        recognise(tmp_path / "none.onnx")
    with pytest.raises(ModelError, match=r"holds no \.onnx file"):
        recognise(tmp_path)
