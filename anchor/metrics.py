"""What operations staff watch: one Prometheus registry a process, filled by whoever knows."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


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
