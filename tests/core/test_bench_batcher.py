"""The bench of the batcher at a tiny size: that it measures, not what."""

import asyncio
from pathlib import Path

import numpy as np
import onnx
import pytest

from anchor.bench.batcher import gpu_figures, play, virtual
from anchor.bench.networks import MadeNetwork, lip_network, speech_network
from anchor.clock import LoopClock, run_virtual
from anchor.errors import LateError


@pytest.mark.parametrize(
    "made", [speech_network(), lip_network(32, 1 / 16), lip_network(8, 1 / 16, half=False)], ids=["speech", "half", "8"]
)
def test_made_networks_are_valid_onnx(made: MadeNetwork) -> None:
    model = onnx.load_from_string(made.content)
    onnx.checker.check_model(model, full_check=True)
    weights = [onnx.numpy_helper.to_array(weight) for weight in model.graph.initializer]
    assert sum(weight.size for weight in weights) == made.parameters
    assert all(np.isfinite(weight).all() for weight in weights)


def test_the_full_network_has_the_size_of_real_ones() -> None:
    made = lip_network()
    assert made.parameters == pytest.approx(53.6e6, rel=0.05)
    assert made.flops == pytest.approx(55.6e9, rel=0.05)


def test_what_runs_on_a_gpu_runs_on_the_cpu_at_a_tiny_size(tmp_path: Path) -> None:
    said: list[str] = []
    figures = asyncio.run(gpu_figures(said.append, tmp_path, device="cpu", most=2, seconds=0.2, size=8, wide=1 / 32))
    assert [figure.name for figure in figures] == [
        *(f"gpu_lips_batch_{size}_ms" for size in (1, 2, 4, 8, 16, 32)), "gpu_lips_sessions_min"
    ]  # fmt: skip
    assert all(figure.value > 0 for figure in figures[:-1])


def test_the_figures_of_a_gpu_are_left_out_where_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: ["CPUExecutionProvider"])
    said: list[str] = []
    assert asyncio.run(gpu_figures(said.append, tmp_path)) == []
    assert "left out" in said[0]


def test_in_virtual_time_32_sessions_share_the_simulated_device_and_none_is_late() -> None:
    tally = run_virtual(virtual(32))
    assert tally.late_percent == 0
    assert len(tally.taken) == 32 * 100


def test_late_frames_are_those_refused_and_those_that_took_longer_than_a_frame() -> None:
    async def main() -> tuple[int, int, float]:
        clock = LoopClock()

        async def ask(number: int, due: float) -> None:
            if number == 0:
                raise LateError("late")
            await clock.sleep_until(due - 0.01 if number == 1 else due + 0.01)

        tally = await play(4, ask, seconds=1)
        return tally.late, len(tally.taken), tally.late_percent

    late, answered, percent = run_virtual(main())
    assert (late, answered) == (25, 75)
    assert percent == pytest.approx(75)
