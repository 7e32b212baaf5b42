"""Random histories through all four APIs and the file; each revision is checked.

A step may be refused. What a revision is must not depend on the way to it: units move as little as
its weights allow, the twin and the engine agree, a file of it leads to the same, what excludes each
other shares nothing, and a plan says what happens. At the end every revision is rebuilt.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import httpx
import pytest

from allotment.change import commands as c
from allotment.change.apply import apply
from allotment.change.check import check_catalog
from allotment.change.diff import diff
from allotment.compile import compile_catalog
from allotment.dialects import catalogfile
from allotment.engine import Engine
from allotment.errors import AllotmentError
from allotment.model.catalog import EMPTY, Catalog
from allotment.model.experiment import Allocation, Experiment, Iteration, State, Treatment
from allotment.model.flag import Flag, Variation
from allotment.model.layer import Holdout, Layer
from allotment.model.plain import to_plain
from allotment.model.segment import AllOf, IdList, Sample, Segment
from allotment.reference import assign
from allotment.store import Store
from laws.machine import three
from laws.machine.keeping import Keeping
from laws.machine.movement import check_moves, movements
from postgres import Postgres
from strategies import plain
from tenant import Vendor, vendor

UNITS = [f"user-{number}" for number in range(12)]
COLORS = three.COLORS
TREATMENTS = tuple(Treatment(color, sets=(("button", color),)) for color in COLORS)
RED = Treatment("red", sets=(("button", "green"),))
TREATED = (TREATMENTS, TREATMENTS[:1], TREATMENTS[1:], (RED, TREATMENTS[1]), (*TREATMENTS, RED))
WAYS = ("vendor", "commands", "file", "treat", "back")
FLAG = Flag("button", tuple(Variation(each, f'{{"color":"{each}"}}') for each in COLORS), "blue")
SAMPLES = {"p0": (("x",), ("x",)), "p1": (("x",), ("x",)), "p2": (("y",), ()), "p3": ((), ("y",))}
BEGIN: tuple[c.Command, ...] = (
    c.Create(FLAG),
    c.Create(Layer("shop", "")),
    c.Create(Layer("tags", "")),
    c.Create(Holdout("held", "", 100_000)),
    c.Create(Segment("few", include=IdList.of(UNITS[:5]))),
    *(
        c.Create(Segment(key, rules=(AllOf(()),), sample=Sample(100_000, "tags", *tags)))
        for key, tags in SAMPLES.items()
    ),
)
Answers = dict[tuple[str, str], tuple[object, ...]]


class History:
    """One history: a store behind a server, and what each revision answered."""

    def __init__(self, api: Vendor, rng: Random) -> None:
        self.api, self.rng = api, rng
        self.made = 0
        self.keeping = Keeping()
        self.known: dict[int, tuple[Catalog, Answers]] = {}
        self.done: dict[str, int] = {}
        api.apply(*BEGIN)
        for place in range(3):
            self.create(three.APIS[place])
        first, second, _ = sorted(self.catalog.experiments)
        api.apply(c.SetKeeping(first, keeps_assignments=True, ignore_targeting=False))
        api.apply(c.StartIteration(first), c.StartIteration(second))
        self.check()

    @property
    def catalog(self) -> Catalog:
        return self.api.catalog

    def key(self) -> str:
        return self.rng.choice(sorted(self.catalog.experiments))

    def weights(self) -> tuple[int, int]:
        one = self.rng.choice((0, 10, 20, 33, 34, 50, 67, 90))
        return one, self.rng.choice((100 - one, self.rng.randint(0, 100 - one)))

    # Ways to change something: each says whether it was let.

    def create(self, api: str) -> bool:
        self.made += 1
        weights = self.rng.choice(((50, 50), (20, 80)))
        asked = three.create(api, f"test-{self.made}", f"Test {self.made}", weights)
        return self.ask(asked)

    def ask(self, asked: three.Asked) -> bool:
        method, path, body, headers = asked
        return self.api.call(method, path, body, **headers).is_success

    def by_vendor(self) -> bool:
        api, key = self.rng.choice(three.APIS), self.key()
        kind = self.rng.choice(
            ("create", "rename", "reweigh", "reweigh", "start", "start", "stop", "draft")
        )
        if kind == "create":
            return len(self.catalog.experiments) < 5 and self.create(api)
        if kind == "rename":
            return self.ask(three.rename(api, key, f"Name {self.rng.randint(0, 99)}"))
        if kind == "reweigh":
            return self.ask(three.reweigh(api, key, self.weights()))
        if kind == "draft":  # beside what is live; Auth0 and Confidence have no such thing
            api = three.LAUNCHDARKLY
            key = self.rng.choice(
                [k for k, e in self.catalog.experiments.items() if e.live] or [key]
            )
            made = self.ask(three.draft(key, self.weights(), reshuffle=self.rng.random() < 0.3))
            return (self.rng.random() < 0.7 and self.ask(three.start(api, key))) or made
        return self.ask({"start": three.start, "stop": three.stop}[kind](api, key))

    def commands(self) -> Sequence[c.Command]:
        rng, key = self.rng, self.key()
        experiment = self.catalog.experiments[key]
        current = experiment.current
        name = rng.choice(current.allocations).key
        sets = [c.SetWeights(key, name, self.parts(current.treatments), 100)]
        if (draft := experiment.draft) is not None:
            mine = rng.choice(draft.allocations).key
            sets += [c.SetWeights(key, mine, self.parts(draft.treatments), 100, draft.number)] * 2
        share = rng.choice((0, 1, 50_000, 100_000, 200_000))
        sample = rng.choice(sorted(SAMPLES))
        at = self.draft_of(experiment)
        ways: list[list[c.Command]] = [
            [c.DraftIteration(key, at)],
            [c.DraftIteration(key, at), c.StartIteration(key, "again")],
            [c.StartIteration(key, "again")],
            [c.StartIteration(key, "again")],
            [rng.choice(sets)],
            [rng.choice(sets)],
            [c.SetAllocations(key, at.allocations)],
            [c.SetAllocations(key, at.allocations)],
            [rng.choice(sets), *[replace(each, weights=sets[0].weights) for each in sets]],
            [c.PauseIteration(key)],
            [c.ResumeIteration(key)],
            [c.EndIteration(key, "blue")],
            [c.SetEnrolment(key, rng.choice((0, 250_000, 1_000_000)))],
            [c.Reserve("shop", key, share)],
            [c.Release(key)],
            [c.SetSample(sample, Sample(share, "tags", *SAMPLES[sample]))],
            [c.SetAudience(key, rng.choice((None, *SAMPLES)))],
            [c.SetHoldout(key, rng.choice((None, "held")))],
            [c.SetKeeping(key, rng.random() < 0.6, rng.random() < 0.5)],
            [c.SetOverrides(key, ((rng.choice(UNITS), "blue"),))],
        ]
        return rng.choice(ways)

    def parts(self, treatments: Sequence[Treatment]) -> tuple[tuple[str, int], ...]:
        """Weights of these treatments, in hundredths; what two do not take, a third may have."""
        one, other = self.weights()
        shares = (one, other, self.rng.choice((0, 100 - one - other)))
        return tuple((each.key, share) for each, share in zip(treatments, shares, strict=False))

    def draft_of(self, experiment: Experiment) -> Iteration:
        reshuffle = self.rng.random() < 0.3
        laid = self.laid(experiment, TREATMENTS)
        return Iteration(1, TREATMENTS, laid, control="blue", reshuffle=reshuffle)

    def laid(
        self, experiment: Experiment, treatments: Sequence[Treatment]
    ) -> tuple[Allocation, ...]:
        """One allocation for all, or one for a segment and one for the rest."""
        key = self.rng.choice((experiment.current.allocations[0].key, "other"))
        all_of_it, few = self.parts(treatments), self.parts(treatments)
        if self.rng.random() < 0.5:
            return (Allocation(key, all_of_it, 100),)
        rest = Allocation(key, all_of_it, 100, priority=0, fallback=True)
        return Allocation("few", few, 100, segment="few"), rest

    def by_commands(self) -> bool:
        return self.take(self.commands())

    def by_treatments(self) -> bool:
        """Take treatments from an iteration, or give it others: what is kept may be replaced."""
        every = self.catalog.experiments
        keeping = [key for key, one in every.items() if one.live and one.keeps_assignments]
        key = self.rng.choice(sorted(keeping)) if keeping else self.key()
        new = self.rng.choice(TREATED)
        return self.take(
            [
                c.SetTreatments(key, new, new[0].key),
                c.SetAllocations(key, self.laid(every[key], new)),
            ]
        )

    def by_native(self, commands: Sequence[c.Command]) -> httpx.Response:
        """The answer of the native API to commands."""
        body = {"commands": to_plain(tuple(commands))}
        return self.api.call("POST", "/v1/commands", body)

    def take(self, commands: Sequence[c.Command]) -> bool:
        """Do them; the plan of them is what happens, and says what moves."""
        before = self.catalog
        answer = self.by_native(commands)
        try:
            planned = apply(before, commands)
        except AllotmentError as error:
            if answer.status_code != error.status_hint:
                raise
            return False
        assert answer.is_success, answer.text
        assert plain(self.catalog) == plain(planned.catalog)
        told = {(move.experiment, move.allocation): move.moved_ppm for move in planned.moves}
        for key, name, count, _ in movements(before, self.catalog):
            assert told.pop((key, name), 0) == count
        assert not told
        return self.catalog.revision > before.revision

    def by_file(self) -> bool:
        """A file of what there is, in which the weights of an iteration are changed by hand."""
        before, key = self.catalog, self.key()
        experiment = before.experiments[key]
        changed = self.rng.choice(experiment.iterations)
        weights = self.parts(changed.treatments)
        changed_allocation = self.rng.choice(changed.allocations)
        allocations = tuple(
            replace(one, weights=weights, total=100, slots=()) if one is changed_allocation else one
            for one in changed.allocations
        )
        state = changed.state
        if state is State.DRAFT and experiment.live is None and self.rng.random() < 0.5:
            state = State.RUNNING
        iterations = tuple(
            replace(one, allocations=allocations, state=state) if one is changed else one
            for one in experiment.iterations
        )
        target = replace(
            before,
            experiments=before.experiments.change(
                {key: replace(experiment, iterations=iterations)}
            ),
        )
        text = catalogfile.show(target)
        try:
            return self.take(catalogfile.read(text, before))
        except AllotmentError:
            return False

    def back(self) -> bool:
        """Roll back to a revision of before: each unit has what it had then."""
        goal, answers = self.known[self.rng.choice(sorted(self.known))]
        then, now = salts(goal), salts(self.catalog)
        if any(then[live] != now[live] for live in then.keys() & now.keys()):
            assert not self.take(diff(self.catalog, goal)), "it would draw every unit again"
            return False
        done = self.take(diff(self.catalog, goal))
        assert plain(self.catalog) == plain(goal)
        assert answered(self.api.engine) == answers
        return done

    # What is so at every revision.

    def step(self, way: str = "") -> None:
        """One change, by a way of chance or by the one that is asked for."""
        ways: dict[str, Callable[[], bool]] = {
            "vendor": self.by_vendor,
            "commands": self.by_commands,
            "file": self.by_file,
            "treat": self.by_treatments,
            "back": self.back,
        }
        way = way or self.rng.choice(
            ("vendor",) * 4 + ("commands",) * 5 + ("file",) * 2 + ("treat", "back")
        )
        before = self.catalog
        if not ways[way]():
            assert plain(self.catalog) == plain(before), way
            return
        self.done[way] = self.done.get(way, 0) + 1
        if way != "back":  # which moves back whom the weights alone would leave
            check_moves(before, self.catalog)
        self.check()

    def check(self) -> None:
        catalog = self.catalog
        check_catalog(catalog)
        answers = answered(self.api.engine)
        for (key, unit), given in answers.items():
            twin = assign(catalog, key, unit)
            assert given[:3] == (twin.treatment, twin.reason, twin.iteration), (key, unit)
        served = self.keeping.ask(self.api, UNITS)
        for one, other in apart(catalog):
            for unit in UNITS:
                both = answers[one, unit][0], answers[other, unit][0]
                assert None in both, (one, other, unit)
                assert None in (served[one, unit], served[other, unit]), (one, other, unit)
        again = apply(EMPTY, catalogfile.read(catalogfile.show(catalog), EMPTY)).catalog
        assert plain(again) == plain(catalog)
        assert catalogfile.read(catalogfile.show(catalog), catalog) == ()
        assert compile_catalog(again).fingerprint == self.api.engine.snapshot.fingerprint
        self.known[catalog.revision] = catalog, answers

    def replay(self, store: Store) -> None:
        """Every revision, rebuilt from the store, is what it was, and answers as it did."""
        for revision, (catalog, answers) in self.known.items():
            rebuilt = store.catalog(revision)
            assert plain(rebuilt) == plain(catalog)
            for (key, unit), given in answered(Engine(compile_catalog(rebuilt))).items():
                assert given == answers[key, unit]
        self.keeping.replay(store)
        assert self.api.node.counters.sticky["replaced"] == self.keeping.replaced


def answered(engine: Engine) -> Answers:
    return {
        (key, unit): (one.treatment, one.reason, one.iteration, one.to_keep)
        for unit in UNITS
        for key, one in engine.assign_all(unit).items()
    }


def salts(catalog: Catalog) -> dict[tuple[str, int], str]:
    """The salts of the live iterations."""
    live = ((key, one.live) for key, one in catalog.experiments.items())
    return {(key, each.number): each.salt for key, each in live if each}


def apart(catalog: Catalog) -> Iterator[tuple[str, str]]:
    """The pairs of experiments that exclude each other: in one layer, or by the tags above."""
    shop = sorted(key for key, one in catalog.experiments.items() if one.layer == "shop")
    yield from ((one, other) for one in shop for other in shop if one < other)
    audience = {key: one.current.audience for key, one in catalog.experiments.items()}
    for one, mine in audience.items():
        for other, theirs in audience.items():
            if {mine, theirs} in ({"p0", "p1"}, {"p2", "p3"}):
                yield one, other


def walk(folder: Path, seed: int, steps: int, database: str = "") -> dict[str, int]:
    database = database or str(folder / "allotment.db")
    with vendor(folder, database=database) as api:
        history = History(api, Random(seed))
        for _ in range(steps):
            history.step()
        for way in WAYS:
            for _ in range(100):
                if way in history.done:
                    break
                history.step(way)  # a step may be refused
        for _ in range(100):
            if history.keeping.replaced:
                break
            history.step(history.rng.choice(("treat", "commands")))
        with Store.open(database) as store:
            history.replay(store)
        return {**history.done, "replaced": history.keeping.replaced}


def test_every_revision_of_any_history_moves_what_it_must_and_nothing_else(
    tmp_path: Path, seed: int
) -> None:
    done = walk(tmp_path, seed, 25)
    assert set(done) == {*WAYS, "replaced"}, done


def test_it_does_on_postgresql(tmp_path: Path, seed: int, postgres: Postgres) -> None:
    url = postgres.fresh()
    walk(tmp_path, seed + 1, 12, url)
    postgres.release(url)


@pytest.mark.soak
def test_it_does_for_half_an_hour_of_histories(tmp_path: Path, seed: int) -> None:
    ends = time.monotonic() + 1_800
    number = 0
    while time.monotonic() < ends:
        folder = tmp_path / str(number)
        folder.mkdir()
        walk(folder, seed + number, 100)
        number += 1
