"""What ``/metrics`` tells of networks that sessions share."""

from collections.abc import Sequence

from prometheus_client import generate_latest

from anchor.batching import Batcher
from anchor.clock import LoopClock, run_virtual
from anchor.metrics import Metrics
from anchor.onair import VoiceState


def test_metrics_tell_of_the_batchers_there_are_when_they_are_read() -> None:
    def run(batch: Sequence[int]) -> Sequence[int]:
        return batch

    async def main() -> str:
        metrics, there = Metrics(), list[Batcher[int, int]]()
        metrics.watch_batchers(lambda: there)
        assert "anchor_batcher_requests_total{" not in generate_latest(metrics.registry).decode()
        batcher: Batcher[int, int] = Batcher(run, LoopClock(), name="lips on cuda:0")
        there.append(batcher)
        async with batcher:
            batcher.admit(25)
            await batcher.submit(1, deadline=LoopClock().now() + 1)
            return generate_latest(metrics.registry).decode()

    told = run_virtual(main())
    assert 'anchor_batcher_requests_total{batcher="lips on cuda:0"} 1.0' in told
    assert 'anchor_batcher_late_total{batcher="lips on cuda:0"} 0.0' in told
    assert 'anchor_batcher_admitted_rate{batcher="lips on cuda:0"} 25.0' in told


def test_voices_are_counted_by_name_and_those_that_rest_are_seen() -> None:
    metrics = Metrics()
    metrics.watch_voices(
        lambda: [
            VoiceState("kokoro", "onnx", ("en",), "Apache-2.0", True, state="resting", switches=2, sentences=5),
            VoiceState("espeak", "espeak-ng", ("en",), "GPL-3.0", True, sentences=3, swallowed=1),
            VoiceState("espeak", "espeak-ng", ("zh",), "GPL-3.0", True, sentences=4),
        ]
    )
    text = generate_latest(metrics.registry).decode()
    for line in (
        'anchor_voice_switches_total{voice="kokoro"} 2.0', 'anchor_voice_resting{voice="kokoro"} 1.0',
        'anchor_voice_resting{voice="espeak"} 0.0', 'anchor_voice_sentences_total{voice="espeak"} 7.0',
        'anchor_voice_swallowed_total{voice="espeak"} 1.0',
    ):  # fmt: skip
        assert line in text
