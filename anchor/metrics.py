"""What operations staff watch: one Prometheus registry a process, filled by whoever knows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from anchor.batching import Batcher, BatcherStatistics
from anchor.onair import VoiceState


class Metrics:
    """The series of one process; every one is labelled with its channel."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        channel = ("channel",)
        self.beats = Counter("anchor_beats", "Beats released", channel, registry=self.registry)
        self.late_pictures = Gauge(
            "anchor_late_pictures", "Beats that repeated a picture because drawing was late", channel,
            registry=self.registry,
        )  # fmt: skip
        self.late_faces = Gauge(
            "anchor_late_faces", "Beats whose face was missing when the sound was due", channel, registry=self.registry
        )
        self.starved = Gauge(
            "anchor_starved_beats", "Idle beats inside an utterance because speech was late", channel,
            registry=self.registry,
        )  # fmt: skip
        self.slips = Gauge(
            "anchor_clock_slips", "Times the stream clock was moved because the process had stood still", channel,
            registry=self.registry,
        )  # fmt: skip
        self.patches = Gauge("anchor_patches", "Mouths asked of a network that paints, by outcome",
                             ("channel", "outcome"), registry=self.registry)  # fmt: skip
        self.utterances = Counter("anchor_utterances", "Utterances by outcome", ("channel", "outcome"),
                                  registry=self.registry)  # fmt: skip
        self.lips = Counter("anchor_lips_beats", "Beats with a moving mouth, by what it was made from",
                            ("channel", "source"), registry=self.registry)  # fmt: skip
        self.viewers = Gauge("anchor_viewers", "Viewers connected", channel, registry=self.registry)
        self.first_beat = Histogram(
            "anchor_first_beat_seconds", "From an utterance's arrival to its first speaking beat", channel,
            buckets=(0.05, 0.1, 0.15, 0.2, 0.25, 0.35, 0.5, 1, 2, 5), registry=self.registry,
        )  # fmt: skip
        self.release_lag = Histogram(
            "anchor_release_lag_seconds", "How late beats were released", channel,
            buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.04, 0.1, 1), registry=self.registry,
        )  # fmt: skip

        self.turns = Histogram(
            "anchor_turn_seconds", "From the end of a visitor's speech to each stage of the answer",
            ("channel", "stage"), buckets=(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.85, 1, 1.2, 1.5, 2, 3, 5),
            registry=self.registry,
        )  # fmt: skip
        self.sessions = Gauge("anchor_sessions", "Conversations that are going on", channel, registry=self.registry)
        self.session_ends = Counter("anchor_session_ends", "Conversations that ended, by why", ("channel", "why"),
                                    registry=self.registry)  # fmt: skip

    def watch_batchers(self, find: Callable[[], Iterable[Batcher[Any, Any]]]) -> None:
        """Tell of the batchers that `find` finds whenever the series are read."""
        self.registry.register(_Batchers(find))

    def watch_voices(self, find: Callable[[], Iterable[VoiceState]]) -> None:
        """Tell of the voices that `find` finds whenever the series are read."""
        self.registry.register(_Voices(find))


_BATCHER_COUNTERS: dict[str, Callable[[BatcherStatistics], float]] = {
    "batches": lambda now: now.batches,
    "requests": lambda now: now.requests,
    "late": lambda now: now.late,
    "cancelled": lambda now: now.cancelled,
    "failed": lambda now: now.failed,
}
_BATCHER_GAUGES: dict[str, Callable[[BatcherStatistics], float]] = {
    "waiting": lambda now: now.waiting,
    "admitted_rate": lambda now: now.admitted_rate,
    "base_seconds": lambda now: now.base_seconds,
    "item_seconds": lambda now: now.item_seconds,
}


class _Batchers(Collector):
    """The series of every batcher; of two that share a name, the last."""

    def __init__(self, find: Callable[[], Iterable[Batcher[Any, Any]]]) -> None:
        self._find = find

    def describe(self) -> list[Metric]:
        return []  # otherwise they would be collected, and batchers looked for, when this is registered

    def collect(self) -> Iterator[Metric]:
        found = {batcher.name: batcher.statistics() for batcher in self._find()}
        for kind, series in ((CounterMetricFamily, _BATCHER_COUNTERS), (GaugeMetricFamily, _BATCHER_GAUGES)):
            for what, read in series.items():
                family = kind(
                    f"anchor_batcher_{what}", f"Of a network that sessions share: {what}", labels=("batcher",)
                )
                for name, now in found.items():
                    family.add_metric((name,), read(now))
                yield family


_VOICE_COUNTERS: dict[str, tuple[str, Callable[[VoiceState], float]]] = {
    "sentences": ("Sentences that a voice has said", lambda now: now.sentences),
    "switches": ("Sentences that went to the next voice because this one failed", lambda now: now.switches),
    "swallowed": ("Sentences of which words were not heard, or others besides", lambda now: now.swallowed),
}


class _Voices(Collector):
    """The series of every voice; those that share a name are counted together."""

    def __init__(self, find: Callable[[], Iterable[VoiceState]]) -> None:
        self._find = find

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        found = tuple(self._find())
        for what, (text, read) in _VOICE_COUNTERS.items():
            family = CounterMetricFamily(f"anchor_voice_{what}", text, labels=("voice",))
            yield _filled(family, found, read)
        resting = GaugeMetricFamily(
            "anchor_voice_resting", "Whether a voice is not asked while another speaks the language", labels=("voice",)
        )
        yield _filled(resting, found, lambda now: now.state != "ready")


def _filled(
    family: CounterMetricFamily | GaugeMetricFamily, found: Iterable[VoiceState], read: Callable[[VoiceState], float]
) -> Metric:
    totals: dict[str, float] = {}
    for now in found:
        totals[now.name] = totals.get(now.name, 0.0) + read(now)
    for name, total in totals.items():
        family.add_metric((name,), total)
    return family
