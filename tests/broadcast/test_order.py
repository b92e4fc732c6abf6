"""The running order as a machine: a stage that behaves like the performer, and operators who do anything."""

import itertools
import json
import random
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from anchor.broadcast.entry import Entry, Outcome
from anchor.broadcast.order import AHEAD, Order
from anchor.broadcast.position import restore, snapshot
from anchor.broadcast.run import Rundown, identified
from anchor.broadcast.script import Script, Segment
from tests.broadcast.studio import rundown


class Stage:
    """Does with entries what the performer does with their utterances; `now` is in seconds."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.now = 0.0
        self.on_air: Entry | None = None
        self.aside: list[Entry] = []
        self.waiting: list[Entry] = []
        self.said: list[tuple[str, str]] = []
        """Run and segment of what was said to its end."""

    def reconcile(self) -> None:
        self.order.plan(self.now)
        wanted = self.order.wanted()
        held = [*([self.on_air] if self.on_air else []), *self.aside, *self.waiting]
        assert len(set(wanted)) == len(wanted)
        for entry in held:
            if entry not in wanted:
                self._drop(entry)
        self.waiting = [entry for entry in wanted if entry is not self.on_air and entry not in self.aside]

    def _drop(self, entry: Entry) -> None:
        if entry is self.on_air:
            self.on_air = None
        for queue in (self.aside, self.waiting):
            if entry in queue:
                queue.remove(entry)

    def choose(self) -> None:
        """At a sentence end: what is most urgent goes on air."""
        self.reconcile()
        queue = sorted([*self.aside, *self.waiting], key=lambda entry: -entry.level)
        if not queue or (self.on_air is not None and queue[0].level <= self.on_air.level):
            return
        best = queue[0]
        if self.on_air is not None:
            self.aside.append(self.on_air)
        assert best not in self.aside or best.run is None or not best.run.replaced, "it has been replaced"
        for held in (self.aside, self.waiting):
            if best in held:
                held.remove(best)
        self.on_air = best
        self.order.began(best)
        self.reconcile()

    def end(self, outcome: Outcome = "said") -> None:
        """What is on air ends, and what is next begins."""
        entry = self.on_air
        if entry is not None:
            self.on_air = None
            if entry.run is not None:
                assert entry.run.fates[entry.id] == "on air", "what was left for good does not come back"
            if outcome == "said":
                self.said.append((entry.run.name if entry.run else entry.kind, entry.id))
            self.order.ended(entry, outcome, self.now, "it failed" if outcome == "failed" else "")
        self.choose()

    def play(self, seconds: float, each: float) -> None:
        """Let time pass, with something ending every `each` seconds."""
        until = self.now + seconds
        while self.now < until:
            self.now += each
            self.end()


def news(count: int, *, name: str = "news", prefix: str = "S") -> Rundown:
    return rundown(*(f"{prefix}{number} one." for number in range(count)), name=name)


def test_a_rundown_of_500_segments_is_said_once_in_order() -> None:
    stage = Stage(Order([news(500)], loop=False))
    stage.play(600, 1)
    assert stage.said == [("0.0", f"S{number}") for number in range(500)]
    assert stage.order.over


def test_in_72_hours_of_laps_schedule_and_breaking_news_nothing_is_lost_or_repeated() -> None:
    order = Order([news(40), news(25, name="late", prefix="L")], slots=[news(5, name="hourly", prefix="H")], loop=True)
    stage = Stage(order)
    chance = random.Random(7)
    due = told = 0
    for second in range(10, 72 * 3600, 10):
        stage.now = second
        if second % 3600 == 0:
            assert order.due(0, cut_in=bool(second % 7200))
            due += 1
        if chance.random() < 0.01:
            order.news(Segment("Flash.", "en"))
            told += 1
        stage.choose()
        if chance.random() < 0.7:
            stage.end()
    # Nothing new is due any more, and all that was is let out.
    for _ in range(200):
        stage.end()
    counts = Counter(stage.said)
    assert max(counts.values()) == 1 or {name for (name, _), count in counts.items() if count > 1} == {"breaking"}
    assert sum(count for (kind, _), count in counts.items() if kind == "breaking") == told > 100
    assert sum(1 for run, _ in counts if run.startswith("s")) == 5 * due
    laps = sorted({run for run, _ in counts if "." in run}, key=lambda run: tuple(map(int, run.split("."))))
    assert len(laps) > 100
    for run in laps[:-1]:
        names = [name for other, name in stage.said if other == run]
        assert names == ([f"S{n}" for n in range(40)] if run.endswith(".0") else [f"L{n}" for n in range(25)])


def test_segments_without_ids_are_told_apart_and_keep_their_names_when_others_come() -> None:
    texts = ("one", "two", "one", "three")
    before = identified(Segment(text, "en") for text in texts)
    after = identified(Segment(text, "en", line=9) for text in ("zero", *texts))
    assert len(before) == 4 and list(before) == list(after)[1:]


def test_a_scheduled_rundown_comes_after_the_segment_on_air_and_the_show_goes_on_behind_it() -> None:
    stage = Stage(Order([news(3)], slots=[news(2, name="bulletin", prefix="B")], loop=False))
    stage.choose()
    stage.order.due(0, cut_in=False)
    stage.choose()
    assert stage.on_air is not None and stage.on_air.id == "S0", "it is not cut"
    for _ in range(9):
        stage.end()
    assert [name for _, name in stage.said] == ["S0", "B0", "B1", "S1", "S2"]


def test_a_scheduled_rundown_that_cuts_in_sets_aside_what_is_on_air() -> None:
    stage = Stage(Order([news(3)], slots=[news(2, name="bulletin", prefix="B")], loop=False))
    stage.choose()
    stage.order.due(0, cut_in=True)
    stage.choose()
    assert stage.on_air is not None and stage.on_air.id == "B0"
    for _ in range(9):
        stage.end()
    assert [name for _, name in stage.said] == ["B0", "B1", "S0", "S1", "S2"]


def test_a_scheduled_rundown_that_cuts_in_replaces_another_one() -> None:
    slots = [news(3, name="bulletin", prefix="B"), news(2, name="market", prefix="M")]
    stage = Stage(Order([news(2)], slots=slots, loop=False))
    stage.choose()
    stage.order.due(0, cut_in=True)
    stage.choose()
    stage.order.due(1, cut_in=True)
    stage.choose()
    assert stage.on_air is not None and stage.on_air.id == "M0"
    for _ in range(9):
        stage.end()
    assert [name for _, name in stage.said] == ["M0", "M1", "S0", "S1"]


def test_a_slot_that_is_due_while_it_waits_is_not_taken_twice() -> None:
    order = Order([news(2)], slots=[news(2, name="bulletin", prefix="B")])
    assert order.due(0, cut_in=False)
    assert not order.due(0, cut_in=False)


def test_while_a_source_is_down_one_segment_at_a_time_is_tried_and_later_and_later() -> None:
    order = Order([news(50)], loop=True)
    stage = Stage(order)
    tried = []
    for second in range(600):
        stage.now = float(second)
        stage.reconcile()
        for entry in stage.waiting:
            tried.append(second)
            order.ended(entry, "failed", stage.now, "the voice is down")
    gaps = [b - a for a, b in itertools.pairwise(tried)]
    assert 10 < len(tried) < 25 and max(gaps) <= 61 and gaps[-1] >= 50


def test_a_faulty_segment_at_the_end_does_not_keep_a_show_from_ending() -> None:
    order = Order([news(4)], loop=False, tries=1)
    stage = Stage(order)
    for second in range(0, 3600, 10):
        stage.now = float(second)
        stage.choose()
        if stage.on_air is not None:
            stage.end("failed")
    assert order.over


class Operators(RuleBasedStateMachine):
    """Anything in any order; in the end every segment has been said or somebody left it out."""

    @initialize(count=st.integers(1, 6), loop=st.booleans())
    def begin(self, count: int, loop: bool) -> None:
        self.loop = loop
        self.rundowns = [news(count), news(2, name="late", prefix="L")]
        self.slots = [news(2, name="bulletin", prefix="B"), news(1, name="market", prefix="M")]
        self.stage = Stage(self._order())
        self.excused: set[tuple[str, str]] = set()
        """What may be said again: somebody had it cut, or jumped back."""
        self.fresh = itertools.count(100)
        self.told = 0
        self.gone = 0

    def _order(self) -> Order:
        return Order(self.rundowns, slots=self.slots, loop=self.loop, patient=False)

    @property
    def order(self) -> Order:
        return self.stage.order

    def _excuse(self, entries: Sequence[Entry]) -> None:
        self.excused |= {(entry.run.name, entry.id) for entry in entries if entry.run is not None}

    @rule()
    def sentence_end(self) -> None:
        self.stage.choose()

    @rule()
    def end(self) -> None:
        self.stage.end()

    @rule()
    def fail(self) -> None:
        if self.stage.on_air is not None:
            self._excuse([self.stage.on_air])
            self.gone += self.stage.on_air.kind == "breaking"
            self.stage.end("failed")

    @rule()
    def hold(self) -> None:
        self.order.hold()

    @rule()
    def go(self) -> None:
        self.order.go()

    @rule()
    def skip(self) -> None:
        breaking = len(self.order.breaking)
        self.order.skip()
        self.gone += breaking - len(self.order.breaking)
        self.stage.reconcile()

    @rule()
    def kill(self) -> None:
        self._excuse(self.order.air)
        self.gone += len(self.order.breaking)
        self.order.kill()
        self.stage.reconcile()
        assert self.stage.on_air is None and not self.stage.waiting and not self.stage.aside

    @rule()
    def cut(self) -> None:
        self._excuse(self.order.air)
        self.order.cut()
        self.stage.reconcile()

    @precondition(lambda self: self.order.current is not None and self.order.current.segments)
    @rule(data=st.data())
    def jump(self, data: st.DataObject) -> None:
        run = self.order.current
        assert run is not None
        target = data.draw(st.sampled_from(list(run.segments)))
        self.excused |= {(run.name, name) for name in run.segments}
        self.order.jump(target)
        self.stage.reconcile()
        if not (self.order.held or self.order.killed):
            assert target in [entry.id for entry in self.order.planned][:1] + [e.id for e in self.order.air]

    @rule()
    def breaking(self) -> None:
        if not self.order.killed:
            self.told += 1
            self.order.news(Segment("Flash.", "en"))

    @rule(slot=st.integers(0, 1), cut_in=st.booleans())
    def due(self, slot: int, cut_in: bool) -> None:
        self.order.due(slot, cut_in=cut_in)

    @rule(data=st.data())
    def edit(self, data: st.DataObject) -> None:
        run = self.order.current
        if run is None:
            return
        texts = [segment.text for segment in run.rundown.script.segments]
        chosen: list[str] = data.draw(st.permutations(texts))[: data.draw(st.integers(0, 8))]
        chosen += [f"N{next(self.fresh)} new." for _ in range(data.draw(st.integers(0, 2)))]
        if data.draw(st.booleans()) and chosen:
            at = data.draw(st.integers(0, len(chosen) - 1))
            chosen[at] = chosen[at].split()[0] + f" changed {next(self.fresh)}."
        new = rundown(*chosen, name=run.rundown.name)
        before = self.order.version
        gone = {entry.id for entry in self.order.air if entry.run is not None and entry.run.rundown.name == new.name}
        self.excused |= {(other.name, name) for other in self.order.runs for name in gone | other.problems.keys()}
        self.order.edit({new.key: new})
        self.rundowns = [new if old.key == new.key else old for old in self.rundowns]
        self.slots = [new if old.key == new.key else old for old in self.slots]
        assert self.order.version > before
        assert self.stage.on_air is None or self.stage.on_air in self.order.wanted()

    @rule()
    def fall(self) -> None:
        """The process dies and another goes on from what was kept."""
        self._excuse(self.order.air)
        place = json.loads(json.dumps(snapshot(self.order)))
        said, now = self.stage.said, self.stage.now
        self.stage = Stage(self._order())
        restore(self.order, place)
        self.stage.said, self.stage.now = said, now
        assert self.order.held == place["held"] and self.order.killed == place["killed"]

    @invariant()
    def what_is_said_is_wanted(self) -> None:
        order = self.order
        assert len(order.planned) <= AHEAD
        if order.held or order.killed:
            order.plan(self.stage.now)
            assert not order.planned
        if self.stage.on_air is not None:
            assert self.stage.on_air in order.air

    @invariant()
    def nothing_is_said_twice(self) -> None:
        twice = {what for what, count in Counter(self.stage.said).items() if count > 1}
        assert twice <= self.excused

    def teardown(self) -> None:
        if not hasattr(self, "stage"):
            return
        order = self.order
        order.go()
        order.program.loop = False
        runs = [run for run in order.runs if not run.replaced]
        for _ in range(300):
            self.stage.now += 1
            self.stage.end()
        assert order.over and not order.air
        for run in runs:
            for name in run.segments:
                assert run.fates[name] in ("aired", "skipped", "failed"), f"{name} of {run.name} was lost"
                if run.fates[name] == "aired":
                    assert (run.name, name) in self.stage.said
        assert sum(kind == "breaking" for kind, _ in self.stage.said) == self.told - self.gone
        self.what_is_said_is_wanted()
        self.nothing_is_said_twice()


TestOperators = Operators.TestCase
TestOperators.settings = settings(
    max_examples=150, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)


def test_a_jump_to_a_segment_that_is_not_there_is_refused() -> None:
    with pytest.raises(KeyError):
        Order([news(2)]).jump("X")
    with pytest.raises(KeyError):
        Order([]).jump("X")


def test_an_empty_rundown_among_others_is_passed_over() -> None:
    stage = Stage(Order([Rundown("none", Script("none", ())), news(2)], loop=True))
    stage.play(10, 1)
    assert [name for _, name in stage.said[:4]] == ["S0", "S1", "S0", "S1"]
    assert Order([Rundown("none", Script("none", ()))], loop=True).over
