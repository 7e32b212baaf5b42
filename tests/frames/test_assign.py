"""A table's outcomes are the engine's, whatever the check of ratios does beside."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import nouns
from allotment.change.apply import apply
from allotment.change.commands import (
    ArchiveExperiment,
    Create,
    Delete,
    SetWeights,
    StartIteration,
)
from allotment.compile import compile_catalog
from allotment.engine import Engine
from allotment.errors import InvalidInput
from allotment.frames.assign import Tally, assigned, result_schema
from allotment.frames.form import open_source
from allotment.frames.moves import count_moves, joined
from allotment.frames.rows import Rows, Wanted
from allotment.frames.strata import stratified
from allotment.frames.wanted import wanted_columns
from allotment.matching.clause import Compared
from allotment.model.assignment import REASONS, Reason
from allotment.model.catalog import EMPTY, Catalog
from allotment.model.experiment import Allocation, Experiment, Iteration, State, Treatment
from allotment.model.limits import TREATMENTS_MAX
from allotment.model.segment import AllOf, Clause, InSegment, Not, Operator, Segment

SEGMENTS = (
    Segment("nordics", rules=(Clause(("country",), Operator.IN, ("SE", "NO")),)),
    Segment("grown", rules=(Clause(("person", "age"), Operator.AT_LEAST, (18,)),)),
    Segment(
        "grown-nordics",
        rules=(
            AllOf((InSegment("nordics"), InSegment("grown"))),
            Not(Clause(("mixed",), Operator.IN, ("1", 1))),
        ),
    ),
)


def experiment(key: str, treatments: int = 3, unit: str = "user") -> Experiment:
    names = [f"t{number}" for number in range(treatments)]
    return Experiment(
        key,
        (
            Iteration(
                1,
                treatments=tuple(map(Treatment, names)),
                allocations=(
                    Allocation("north", ((names[0], 10), (names[1], 50)), 100, "nordics"),
                    Allocation("grown", ((names[0], 20), (names[2], 80)), 100, "grown", 2),
                    Allocation("rest", ((names[1], 1),), 1, fallback=True, priority=0),
                ),
                audience=None,
                enrolment_ppm=900_000,
            ),
        ),
        overrides=(("7", names[2]),),
        unit=unit,
    )


def catalog(*experiments: Experiment) -> Catalog:
    commands = [*map(Create, SEGMENTS), *map(Create, experiments)]
    return apply(EMPTY, [*commands, *(StartIteration(e.key) for e in experiments)]).catalog


def rows(count: int) -> Rows:
    keys = pa.array([None if n % 1000 == 0 else str(n) for n in range(count)], pa.string())
    people = [
        {"country": ["SE", "DE", None][n % 3], "person": {"age": n % 40}} for n in range(count)
    ]
    return Rows({"user": keys}, {"id": keys}, people)


def test_stratifying_changes_no_outcome() -> None:
    plain = catalog(experiment("a"), experiment("b", treatments=5))
    told, strata = stratified(plain, ["a", "b"])
    batch = rows(20_000)
    expected = Engine(compile_catalog(plain)).assign_table(batch.units, None, batch.attributes)
    tallies = {key: Tally(strata[key]) for key in strata}
    got = assigned(Engine(compile_catalog(told)), batch, tallies)
    for key in ("a", "b"):
        assert got.column(key).to_pylist() == expected[key].names()
        reasons = [REASONS[code].value for code in expected[key].reasons]
        assert got.column(f"{key}.reason").to_pylist() == reasons
        assert tallies[key].counts() == expected[key].counts()
    reached = {reason for tally in tallies.values() for _, reason in tally.counts()}
    assert reached == {
        Reason.NO_UNIT, Reason.OVERRIDE, Reason.NOT_ENROLLED, Reason.ALLOCATED,
        Reason.NOT_ALLOCATED, Reason.FALLBACK,
    }  # fmt: skip


def test_the_check_holds_each_allocation_against_its_own_slots() -> None:
    plain = catalog(experiment("a"))
    told, strata = stratified(plain, ["a"])
    tally = Tally(strata["a"])
    batch = rows(30_000)
    assigned(Engine(compile_catalog(told)), batch, {"a": tally})
    ratios = tally.ratios()
    assert {name: ratio.buckets for name, ratio in ratios.items()} == {
        "north": (100_000, 500_000, 0),
        "grown": (200_000, 0, 800_000),
        "rest": (0, 1_000_000, 0),
    }
    single = Engine(compile_catalog(plain))
    counts = {name: [0, 0, 0] for name in ratios}
    for key, known in zip(batch.units["user"].to_pylist(), batch.attributes, strict=True):
        answer = single.assign("a", key, known) if key else None
        if answer and answer.reason in (Reason.ALLOCATED, Reason.FALLBACK):
            nordic, grown = known["country"] == "SE", known["person"]["age"] >= 18
            name = "north" if nordic else "grown" if grown else "rest"
            counts[name][int(answer.treatment[1:])] += 1
    assert {name: list(ratio.counts) for name, ratio in ratios.items()} == counts
    assert not any(ratio.alarm for ratio in ratios.values())
    assert ratios["rest"].p is None


def test_an_experiment_with_too_many_strata_is_assigned_without_the_check() -> None:
    plain = catalog(experiment("a", treatments=TREATMENTS_MAX // 2))
    told, strata = stratified(plain, ["a"])
    assert told.experiments["a"] == plain.experiments["a"]
    tally = Tally(strata["a"])
    batch = rows(2_000)
    got = assigned(Engine(compile_catalog(told)), batch, {"a": tally})
    expected = Engine(compile_catalog(plain)).assign_table(batch.units, None, batch.attributes)
    assert got.column("a").to_pylist() == expected["a"].names()
    assert tally.ratios() == {}


def test_only_the_columns_that_segments_look_at_are_wanted() -> None:
    wanted = wanted_columns(catalog(experiment("a")), ["a"], {None: "id"})
    assert wanted.units == {"user": "id"}
    assert wanted.attributes == {"country": {Compared.TEXT}, "person": set()}
    audience = experiment("a")
    changed = Experiment(
        "b", (Iteration(1, audience.current.treatments, audience.current.allocations[:1],
                        audience="grown-nordics"),)
    )  # fmt: skip
    wanted = wanted_columns(catalog(changed), ["b"], {None: "id"})
    assert wanted.attributes == {
        "country": {Compared.TEXT},
        "person": set(),
        "mixed": {Compared.TEXT, Compared.NUMBER},
    }


def test_an_archived_experiment_wants_no_column_of_what_it_named() -> None:
    """The segment may be gone, and the catalog is assigned all the same."""
    audience = Segment("nordic", rules=(Clause(("country",), Operator.IN, ("SE",)),))
    catalog = nouns.catalog(
        audience,
        nouns.experiment("old", nouns.iteration(State.STOPPED, audience="nordic")),
        nouns.experiment("new"),
    )
    catalog = nouns.changed(catalog, ArchiveExperiment("old"), Delete("segment", "nordic"))
    wanted = wanted_columns(catalog, ["old", "new"], {None: "id"})
    assert wanted == Wanted({"user": "id"}, {})


def test_a_kind_of_unit_without_a_column_is_refused() -> None:
    mixed = catalog(experiment("a"), experiment("b", unit="device"))
    assert wanted_columns(mixed, ["b"], {None: "id"}).units == {"device": "id"}
    with pytest.raises(InvalidInput, match="kinds device, user"):
        wanted_columns(mixed, ["a", "b"], {None: "id"})
    columns = {"user": "u", "device": "d"}
    assert wanted_columns(mixed, ["a", "b"], columns).units == columns


def test_a_result_cannot_have_two_columns_of_one_name(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a\n1\n")
    _, strata = stratified(catalog(experiment("a")), ["a"])
    wanted = Wanted({"user": "a"}, {})
    refused = pytest.raises(InvalidInput, match="two columns 'a'")
    with open_source(path, wanted) as source, refused:
        result_schema(source, strata)


def nothing(*_asked: object) -> dict[str, str]:
    """Nothing is kept for anybody."""
    return {}


def test_moves_are_counted_by_the_treatment_a_unit_has_and_would_get() -> None:
    before = catalog(experiment("a"))
    weights = SetWeights("a", "north", (("t0", 70), ("t1", 0), ("t2", 20)), 100)
    after = apply(before, [weights, Create(experiment("b")), StartIteration("b")]).catalog
    one, other = Engine(compile_catalog(before)), Engine(compile_catalog(after))
    batches = [rows(5_000), rows(0), rows(5_000)]
    counts = count_moves(one, other, batches, ["a", "b"], nothing)
    a, b = counts["a"], counts["b"]
    assert (a.units, b.units) == (10_000, 10_000)
    then = np.array(one.assign_many("a", batches[0].units, batches[0].attributes).names())
    now = np.array(other.assign_many("a", batches[0].units, batches[0].attributes).names())
    none = np.array(None)
    assert a.moved == 2 * np.count_nonzero((then != none) & (now != none) & (then != now))
    assert a.gained == 2 * np.count_nonzero((then == none) & (now != none)) > 0
    assert a.lost == 2 * np.count_nonzero((then != none) & (now == none)) == 0
    assert (b.moved, b.lost) == (0, 0)
    assert b.gained > 7_500
    assert count_moves(other, one, batches, ["b"], nothing)["b"].lost == b.gained


def test_two_catalogs_want_the_columns_of_both() -> None:
    one = Wanted({"user": "u"}, {"x": {Compared.TEXT}, "y": {Compared.TEXT}})
    other = Wanted({"device": "d"}, {"y": {Compared.NUMBER}, "z": {Compared.NUMBER}})
    assert joined(one, other) == Wanted(
        {"user": "u", "device": "d"},
        {"x": {Compared.TEXT}, "y": {Compared.TEXT, Compared.NUMBER}, "z": {Compared.NUMBER}},
    )
