"""Networks that somebody brings: from the command line and a configuration to pictures in which the mouth follows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from prometheus_client import generate_latest

from anchor.app import Studio
from anchor.clock import run_virtual
from anchor.config import Config, load_config
from anchor.errors import ConfigError, MissingError, ModelError
from anchor.live import LiveChannel
from anchor.media import Beat
from tests.drivers.image import nets
from tests.end_to_end.test_command_line import anchor, left_over
from tests.end_to_end.test_live_channel import after, listen

SIZE = "320x360"


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return nets.wav2lip(tmp_path_factory.mktemp("net") / "mine.onnx")


def film(path: Path) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Brightness of every picture, (pictures, rows, columns), and the loudness under it."""
    with av.open(str(path)) as container:
        pictures = np.stack([frame.to_ndarray(format="gray") for frame in container.decode(video=0)])
    with av.open(str(path)) as container:
        sound = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
    loud = [float(np.sqrt(np.mean(sound[at : at + 1920] ** 2))) for at in range(0, 1920 * len(pictures), 1920)]
    return pictures.astype(int), np.array(loud)


def test_say_moves_the_mouth_of_a_clip_by_a_brought_network(net: Path, clip_package: Path, tmp_path: Path) -> None:
    target = tmp_path / "a.mp4"
    done = anchor("say", "Papa bought a map of Bohemia.", "-o", target, "--avatar", clip_package, "--driver", net,
                  "--size", SIZE, "--captions", "none", "--voice", "espeak")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "lips: " in done.stdout
    pictures, loud = film(target)
    # Where the mouth is open, it is dark: the middle column of the face, below the middle of the picture.
    mouth = pictures[:, 190:260, 150:170]
    dark = (mouth < 70).sum(axis=(1, 2))
    assert dark.max() > 60
    assert dark[:8].max() < 10
    smooth = np.convolve(loud, np.ones(3) / 3, "same")
    assert np.corrcoef(dark, smooth)[0, 1] > 0.55


def test_a_drawn_avatar_refuses_a_painter_by_name(net: Path, tmp_path: Path) -> None:
    done = anchor("say", "Hello.", "-o", tmp_path / "a.mp4", "--driver", net)
    assert done.returncode == 1
    assert (
        "error: avatar 'lin' is driven by blendshapes, but driver 'wav2lip (mine.onnx)' produces patch" in done.stderr
    )
    assert not left_over(tmp_path)


def test_a_network_that_fails_the_self_test_writes_nothing(clip_package: Path, tmp_path: Path) -> None:
    path = nets.wav2lip(tmp_path / "open.onnx", always=1.0)
    done = anchor("say", "Hello.", "-o", tmp_path / "a.mp4", "--driver", path, "--avatar", clip_package)
    assert done.returncode == 1
    assert "open.onnx: refused by the self-test on avatar 'clip': the lips stay open" in done.stderr
    assert not left_over(tmp_path, "open.onnx")


def test_models_check_tells_what_a_file_is_and_gives_a_verdict(net: Path, tmp_path: Path) -> None:
    done = anchor("models", "check", net)
    assert done.returncode == 0, done.stderr
    for word in ("wav2lip", "mine.onnx, 0.", "mel float32[?,1,80,16]", "sha256 ", "not stated", "shut in 5 of 5 p"):
        assert word in done.stdout
    assert done.stdout.endswith("mine.onnx: good\n")
    bad = anchor("models", "check", nets.audio2face(tmp_path / "late.onnx", lag=3200))
    assert bad.returncode == 1
    assert "refused: " in bad.stderr
    assert "late.onnx: the lips are 200 ms late" in bad.stderr
    (tmp_path / "no.onnx").write_bytes(b"nothing")
    none = anchor("models", "check", tmp_path / "no.onnx")
    assert none.returncode == 1
    assert "no.onnx" in none.stderr
    assert len(none.stderr.strip().splitlines()) <= 2


def test_a_net_of_numbers_moves_a_drawn_avatar(tmp_path: Path) -> None:
    path = nets.audio2face(tmp_path / "a2f.onnx")
    done = anchor("say", "Papa.", "-o", tmp_path / "a.mp4", "--driver", path, "--size", "160x90", "--captions", "none")
    assert done.returncode == 0, done.stderr
    assert "network" in done.stdout or "sound" in done.stdout


def test_a_channel_paints_live_and_is_refused_another_avatar_that_cannot_be_painted(
    net: Path, clip_package: Path
) -> None:
    async def main() -> tuple[list[Beat], LiveChannel]:
        table = {"name": "test", "size": SIZE, "avatar": str(clip_package), "driver": str(net)}
        studio = Studio(Config.model_validate({"channels": [table]}))
        async with studio.on_air():
            await after(0.5)
            live = studio.live("test")
            beats = listen(live)
            await live.say("Papa bought a map of Bohemia.")
            await after(3)
            with pytest.raises(ConfigError, match="'lin' is driven by blendshapes"):
                await live.cast("lin")
            assert live.stream.avatar is not None
            assert live.stream.avatar.info.name == "clip"
            return beats, live

    beats, live = run_virtual(main())
    counters = live.stream._painting.counters
    assert counters.painted > 30
    assert counters.failed == 0
    dark = np.array([(beat.picture.y[190:260, 150:170] < 70).sum() for beat in beats])
    assert dark.max() > 60
    assert live.playout is not None
    assert live.playout.counters.slips == 0


def test_a_server_does_not_start_with_a_network_that_fails(clip_package: Path, tmp_path: Path) -> None:
    path = nets.wav2lip(tmp_path / "shut.onnx", always=0.0)

    async def main() -> None:
        table = {"name": "test", "size": SIZE, "avatar": str(clip_package), "driver": str(path)}
        async with Studio(Config.model_validate({"channels": [table]})).on_air():
            pass

    with pytest.raises(ModelError, match=r"shut\.onnx: refused by the self-test"):
        run_virtual(main())


def test_a_configuration_names_files_relative_to_itself_and_their_options(tmp_path: Path) -> None:
    text = '[[channels]]\nname = "a"\ndriver = "./nets/mine.onnx"\ndriver_options = { device = "cpu", half = false }\n'
    (tmp_path / "anchor.toml").write_text(text)
    [channel] = load_config(tmp_path / "anchor.toml").channels
    assert channel.driver == tmp_path / "nets" / "mine.onnx"
    assert channel.driver_options == {"device": "cpu", "half": False}


def test_a_network_that_was_pulled_is_a_driver_by_its_name(
    net: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from anchor.parts import open_driver

    monkeypatch.setenv("ANCHOR_MODELS", str(tmp_path))
    with pytest.raises(MissingError, match="no driver named 'wav2lip-mine'"):
        open_driver("wav2lip-mine")
    (tmp_path / "wav2lip-mine").mkdir()
    (tmp_path / "wav2lip-mine" / "mine.onnx").write_bytes(net.read_bytes())
    (tmp_path / "wav2lip-mine" / "model.json").write_text("{}")
    assert open_driver("wav2lip-mine").info.produces == "patch"


def test_an_unknown_option_of_a_driver_is_named(net: Path) -> None:
    from anchor.parts import open_driver

    with pytest.raises(ConfigError, match="driver_options: unknown key 'speed'; known: device, half"):
        open_driver(net, options={"speed": 3})
    with pytest.raises(ConfigError, match="driver_options: unknown key 'device'; known: none"):
        open_driver("phones", options={"device": "cpu"})


def test_operations_see_the_batcher_that_streams_share(net: Path, clip_package: Path) -> None:
    async def main() -> str:
        table = {"name": "test", "size": SIZE, "avatar": str(clip_package), "driver": str(net)}
        studio = Studio(Config.model_validate({"channels": [table]}))
        async with studio.on_air():
            return generate_latest(studio.metrics.registry).decode()

    text = run_virtual(main())
    assert 'anchor_batcher_admitted_rate{batcher="mine on cpu"} 25.0' in text
