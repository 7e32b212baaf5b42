"""The engine as an embedding program uses it."""

from __future__ import annotations

import copy
import pickle
import threading
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import allotment
import nouns
from allotment.change.apply import apply
from allotment.change.commands import (
    ArchiveExperiment,
    Command,
    Create,
    Delete,
    Describe,
    DraftIteration,
    EndIteration,
    OrderExperiments,
    PauseIteration,
    Rename,
    SetIntake,
    SetRules,
    SetVariations,
    SetWeights,
    StartIteration,
    SwitchFlag,
)
from allotment.compile import compile_catalog, recompile
from allotment.model.assignment import REASONS, Reason
from allotment.model.catalog import Catalog
from allotment.model.experiment import State
from allotment.model.flag import FlagExperiment, FlagState, Miss, Variation
from allotment.model.segment import Clause, Operator, Segment
from allotment.reference import resolve
from allotment.store import Store

GEO = Path(__file__).parents[2] / "examples" / "geo" / "catalog.yaml"
UNITS = [f"user-{number}" for number in range(2_000)]


def test_an_assignment_says_all_that_a_caller_needs() -> None:
    engine = allotment.load(nouns.catalog(nouns.experiment()))
    answer = engine.assign("checkout", "user-1", {})
    assert answer.treatment in {"control", "green"}
    assert answer.reason == "ALLOCATED"
    assert answer.variations == {"button": "blue" if answer.is_control else "green"}
    assert (answer.iteration, answer.revision, answer.to_keep) == (1, 1, False)


def test_an_unknown_experiment_is_answered_and_a_batch_of_one_is_refused() -> None:
    engine = allotment.load(nouns.catalog())
    assert engine.assign("nothing", "user-1").reason is Reason.UNKNOWN_EXPERIMENT
    with pytest.raises(allotment.NotFound, match="nothing"):
        engine.assign_many("nothing", UNITS)
    with pytest.raises(allotment.NotFound):
        engine.explain("nothing", "user-1")


def test_a_mapping_of_kinds_serves_experiments_of_several_kinds() -> None:
    catalog = nouns.catalog(
        nouns.experiment("by-user"), nouns.experiment("by-device", unit="device")
    )
    engine = allotment.load(catalog)
    both = {"user": "u-1", "device": "d-1"}
    assert engine.assign("by-user", both) == engine.assign("by-user", "u-1")
    assert engine.assign("by-device", both) == engine.assign("by-device", "d-1")
    assert engine.assign("by-device", {"user": "u-1"}).reason is Reason.NO_UNIT
    assert dict(engine.assign_all(both)) == {
        "by-user": engine.assign("by-user", "u-1"),
        "by-device": engine.assign("by-device", "d-1"),
    }


def test_a_kept_treatment_stays_and_a_first_one_is_said_to_be_kept() -> None:
    engine = allotment.load(nouns.catalog(nouns.experiment(keeps_assignments=True)))
    first = engine.assign("checkout", "user-1", {})
    assert first.to_keep
    for kept in ("control", "green"):
        again = engine.assign("checkout", "user-1", {}, kept)
        assert (again.treatment, again.reason, again.to_keep) == (kept, "STICKY", False)
    assert engine.assign("checkout", "user-1", {}, "gone") == first
    column = engine.assign_many("checkout", UNITS, stored=["green"] * len(UNITS))
    assert column.counts() == {("green", Reason.STICKY): len(UNITS)}


STORED = {
    "list": list,
    "tuple": tuple,
    "numpy text": lambda keys: np.array(["" if key is None else key for key in keys]),
    "numpy objects": lambda keys: np.array(keys, object),
    "utf8": pa.array,
    "large utf8": lambda keys: pa.array(keys, pa.large_string()),
    "views": lambda keys: pa.array(keys, pa.string_view()),
    "binary": lambda keys: pa.array(keys).cast(pa.binary()),
    "dictionary": lambda keys: pa.array(keys).dictionary_encode(),
    "chunked": lambda keys: pa.chunked_array([pa.array(keys[:7]), pa.array(keys[7:])]),
    "table": lambda keys: pa.table({"kept": keys}),
    "polars": pl.Series,
    "polars category": lambda keys: pl.Series(keys, dtype=pl.Categorical),
    "pandas": lambda keys: pd.Series(keys, dtype="str"),
    "pandas objects": lambda keys: pd.Series(keys, dtype=object),
    "pandas category": lambda keys: pd.Series(keys, dtype="category"),
    "nulls": lambda keys: [key or None for key in keys],
}


@pytest.mark.parametrize("form", STORED)
def test_kept_treatments_count_in_every_form_of_column(form: str) -> None:
    engine = allotment.load(nouns.catalog(nouns.experiment(keeps_assignments=True)))
    kept = ["green", "control", None, "gone", None] * 4
    units = UNITS[: len(kept)]
    column = engine.assign_many("checkout", units, stored=STORED[form](kept))
    single = [engine.assign("checkout", u, None, k) for u, k in zip(units, kept, strict=True)]
    assert column.names() == [each.treatment for each in single]
    assert [REASONS[code] for code in column.reasons] == [each.reason for each in single]
    nothing = engine.assign_many("checkout", units, stored=pa.nulls(len(units)))
    assert nothing.names() == engine.assign_many("checkout", units).names()


@pytest.mark.parametrize(
    "stored",
    ["gg", b"gg", bytearray(b"gg"), 7, {"green", "control"}, {"user-0": "green", "user-1": "green"},
     ["green", 1], ["green", b"green"], ["green", float("nan")], [["green"], ["green"]],
     np.array([["green"], ["green"]]), np.array([1, 2]), np.array(["green", 1], object),
     pa.array([1, 2]), pa.array([["green"], []]), pa.array([{"a": "green", "b": "x"}, None]),
     pl.Series([1.5, None]), iter(["green", "green"])],
    ids=lambda stored: type(stored).__name__,
)  # fmt: skip
def test_kept_treatments_that_cannot_be_understood_are_refused(stored: object) -> None:
    engine = allotment.load(nouns.catalog(nouns.experiment(keeps_assignments=True)))
    with pytest.raises(allotment.InvalidInput, match="stored"):
        engine.assign_many("checkout", UNITS[:2], stored=stored)


@pytest.mark.parametrize("stored", [1, b"green", float("nan"), ["green"], {"checkout": "green"}])
def test_a_kept_treatment_of_one_unit_is_text(stored: Any) -> None:
    engine = allotment.load(nouns.catalog(nouns.experiment(keeps_assignments=True)))
    with pytest.raises(allotment.InvalidInput, match="stored"):
        engine.assign("checkout", "user-1", None, stored)
    with pytest.raises(allotment.InvalidInput, match="stored"):
        engine.explain("checkout", "user-1", None, stored)
    if not isinstance(stored, dict):
        with pytest.raises(allotment.InvalidInput, match="stored"):
            engine.resolve("button", "user-1", None, stored)


def test_a_broken_experiment_fails_alone() -> None:
    """A catalog that was not made by `apply` may name a segment that is not there."""
    good, bad = nouns.experiment("good"), nouns.experiment("bad", nouns.iteration(audience="gone"))
    catalog = nouns.catalog(good)
    broken = replace(catalog, experiments=catalog.experiments.change({"bad": bad}))
    engine = allotment.load(broken)
    assert engine.assign("bad", "user-1").reason is Reason.FAILED
    assert engine.assign("good", "user-1").treatment is not None
    assert engine.assign_many("bad", UNITS).counts() == {(None, Reason.FAILED): len(UNITS)}
    assert list(engine.snapshot.failures()) == ["bad"]
    assert "gone" in engine.snapshot.failures()["bad"]


def test_an_archived_experiment_gives_nothing_even_where_what_it_named_is_gone() -> None:
    catalog = nouns.catalog(nouns.experiment("old", nouns.iteration(State.STOPPED)))
    archived = nouns.changed(catalog, ArchiveExperiment("old"), Delete("flag", "button"))
    engine = allotment.load(archived)
    assert engine.assign("old", "user-1").reason is Reason.INACTIVE
    assert engine.snapshot.failures() == {}


def test_a_column_is_codes_with_names_and_the_single_call_a_million_times() -> None:
    engine = allotment.load(nouns.catalog(nouns.experiment()))
    column = engine.assign_many("checkout", UNITS)
    assert column.codes.dtype == np.int16
    assert column.reasons.dtype == np.uint8
    assert column.treatments == ("control", "green")
    assert len(column) == len(UNITS)
    assert column.names() == [engine.assign("checkout", unit).treatment for unit in UNITS]
    assert sum(column.counts().values()) == len(UNITS)


def test_a_table_is_a_mapping_from_experiment_to_column() -> None:
    engine = allotment.load(nouns.catalog(nouns.experiment("a"), nouns.experiment("b")))
    table = engine.assign_table(UNITS)
    assert list(table) == ["a", "b"]
    assert len(table) == 2
    for key, column in table.items():
        assert column.names() == engine.assign_many(key, UNITS).names()
    assert list(engine.assign_table(UNITS, experiments=["b"])) == ["b"]
    assert table.counts()["a"] == table["a"].counts()


def test_publishing_recompiles_only_what_a_change_touched() -> None:
    catalog = nouns.catalog(nouns.experiment("a"), nouns.experiment("b"))
    engine = allotment.load(catalog)
    before = engine.snapshot
    change = apply(catalog, [SetWeights("a", "everyone", (("control", 90), ("green", 10)), 100)])
    engine.publish(recompile(before, change.catalog, change.touched, change.flags))
    assert change.touched == {"a"}
    assert engine.snapshot.plans["b"] is before.plans["b"]
    assert engine.assign("a", "user-1").revision == 2
    assert engine.assign("b", "user-1").revision == 1
    assert engine.snapshot.fingerprint == compile_catalog(change.catalog).fingerprint
    assert engine.snapshot.fingerprint != before.fingerprint


def test_editing_text_leaves_the_fingerprint_and_moves_nothing() -> None:
    catalog = nouns.catalog(nouns.experiment())
    change = apply(
        catalog,
        [
            Rename("experiment", "checkout", "Another name"),
            Describe("flag", "button", "Another description"),
        ],
    )
    old, new = compile_catalog(catalog), compile_catalog(change.catalog)
    assert old.fingerprint == new.fingerprint
    assert change.moves == ()


def test_a_segment_that_changes_reaches_the_experiments_that_ask_it() -> None:
    def nordics(*countries: str) -> Segment:
        clause = Clause(("country",), Operator.IN, countries)
        return Segment("nordics", rules=(clause,))

    catalog = nouns.catalog(
        nordics("SE"), nouns.experiment("checkout", nouns.iteration(audience="nordics"))
    )
    engine = allotment.load(catalog)
    assert engine.assign("checkout", "u", {"country": "NO"}).reason is Reason.NOT_IN_AUDIENCE
    change = apply(catalog, [SetRules("nordics", nordics("SE", "NO").rules)])
    engine.publish(recompile(engine.snapshot, change.catalog, change.touched, change.flags))
    assert engine.assign("checkout", "u", {"country": "NO"}).treatment is not None


def flagged(*places: FlagExperiment) -> Catalog:
    """The flag `button` with these experiments: `paused` gives nothing, `checkout` something."""
    base = nouns.catalog(nouns.experiment("paused"), nouns.experiment("checkout"))
    return nouns.changed(base, PauseIteration("paused"), OrderExperiments("button", places))


def test_a_flag_resolves_to_the_first_treatment_of_its_experiments() -> None:
    engine = allotment.load(flagged(FlagExperiment("paused"), FlagExperiment("checkout")))
    flag = engine.resolve("button", "user-1")
    treatment = engine.assign("checkout", "user-1")
    assert flag.experiment == "checkout"
    assert flag.reason is Reason.ALLOCATED
    assert flag.variation == treatment.variations["button"]
    assert flag.value == {"blue": "#00f", "green": "#0f0"}[flag.variation]


def test_a_miss_that_stops_leaves_the_default() -> None:
    places = FlagExperiment("paused", Miss.STOP), FlagExperiment("checkout")
    flag = allotment.load(flagged(*places)).resolve("button", "user-1")
    assert (flag.variation, flag.value) == ("blue", "#00f")
    assert (flag.experiment, flag.reason) == (None, Reason.PAUSED)


OTHERWISE = FlagExperiment("checkout", Miss.STOP, "green")


def test_a_live_experiment_without_a_treatment_ends_with_what_is_served_otherwise() -> None:
    closed = nouns.changed(flagged(OTHERWISE), SetIntake("checkout", open=False))
    flag = allotment.load(closed).resolve("button", "user-1")
    assert (flag.variation, flag.value) == ("green", "#0f0")
    assert (flag.experiment, flag.reason) == (None, Reason.INTAKE_CLOSED)


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (EndIteration("checkout"), Reason.INACTIVE),
        (SwitchFlag("button", FlagState.OFF), Reason.INACTIVE),
    ],
)
def test_an_experiment_that_is_not_live_is_passed_over_for_the_default(
    command: Command, reason: Reason
) -> None:
    flag = allotment.load(nouns.changed(flagged(OTHERWISE), command)).resolve("button", "user-1")
    assert (flag.variation, flag.reason) == ("blue", reason)


@pytest.mark.parametrize("unit", ["", {"device": "d1"}, "x" * 2_000])
def test_without_a_unit_a_live_experiment_ends_with_what_is_served_otherwise(unit: object) -> None:
    live = flagged(OTHERWISE)
    ended, archived = EndIteration("checkout"), ArchiveExperiment("checkout")
    for catalog, variation in (
        (live, "green"),
        (nouns.changed(live, PauseIteration("checkout")), "green"),
        (nouns.changed(live, ended), "blue"),
        (nouns.changed(live, ended, archived), "blue"),
        (nouns.changed(live, SwitchFlag("button", FlagState.OFF)), "blue"),
    ):
        given = allotment.load(catalog).resolve("button", unit)
        assert (given.variation, given.reason) == (variation, Reason.NO_UNIT)
        assert resolve(catalog, "button", unit) == given


def test_archived_experiments_that_answer_otherwise_have_other_fingerprints() -> None:
    ended = nouns.changed(nouns.catalog(nouns.experiment()), EndIteration("checkout"))
    again = nouns.changed(
        ended,
        DraftIteration("checkout", nouns.iteration(State.DRAFT)),
        StartIteration("checkout"),
        EndIteration("checkout"),
    )
    marks = {}
    for catalog in (ended, again):
        engine = allotment.load(nouns.changed(catalog, ArchiveExperiment("checkout")))
        marks[engine.assign("checkout", "u").iteration] = engine.snapshot.fingerprint
    assert len(set(marks.values())) == len(marks) == 2


def test_a_treatment_goes_before_what_is_served_otherwise() -> None:
    engine = allotment.load(flagged(OTHERWISE))
    for number in range(20):
        treatment = engine.assign("checkout", str(number))
        assert engine.resolve("button", str(number)).variation == treatment.variations["button"]


def test_what_is_served_otherwise_is_in_the_fingerprint() -> None:
    marks = {
        allotment.load(flagged(place)).snapshot.fingerprint
        for place in (OTHERWISE, replace(OTHERWISE, otherwise=None))
    }
    assert len(marks) == 2


def test_a_flag_without_experiments_and_an_unknown_one_still_answer() -> None:
    engine = allotment.load(nouns.catalog())
    assert engine.resolve("button", "user-1").value == "#00f"
    unknown = engine.resolve("nothing", "user-1")
    assert (unknown.value, unknown.variation, unknown.reason) == (None, None, None)


def test_a_flag_that_is_off_makes_its_experiments_inactive() -> None:
    catalog = nouns.changed(nouns.catalog(nouns.experiment()), SwitchFlag("button", FlagState.OFF))
    assert allotment.load(catalog).assign("checkout", "user-1").reason is Reason.INACTIVE


def test_explaining_agrees_with_assigning_and_names_the_check_that_decided() -> None:
    engine = allotment.load(GEO)
    for number in range(500):
        attributes = {"country": "SE", "population": number * 1_000}
        told = engine.explain("delivery-banner", str(number), attributes)
        assert told.assignment == engine.assign("delivery-banner", str(number), attributes)
        deciding = [check for check in told.checks if check.decided]
        assert len(deciding) == 1
        assert told.assignment.reason in deciding[0].outcome
        for check in told.checks:
            if check.draw is not None:
                assert check.bucket == check.draw * 1_000_000 >> 64
        assert told.assignment.reason in str(told)


def test_a_call_sees_one_snapshot_while_another_thread_publishes() -> None:
    catalog = nouns.catalog(nouns.experiment("a"), nouns.experiment("b"))
    engine = allotment.load(catalog)
    change = apply(
        catalog, [Rename("flag", "button", "x"), PauseIteration("a"), PauseIteration("b")]
    )
    snapshots = [engine.snapshot, compile_catalog(change.catalog)]
    done = threading.Event()

    def publish() -> None:
        number = 0
        while not done.is_set():
            number += 1
            engine.publish(snapshots[number % 2])

    publisher = threading.Thread(target=publish)
    publisher.start()
    try:
        for _ in range(2_000):
            answers = engine.assign_all("user-1")
            assert len({answer.reason for answer in answers.values()}) == 1
            table = engine.assign_table(UNITS[:10])
            assert len({column.revision for column in table.values()}) == 1
    finally:
        done.set()
        publisher.join()


def test_resolving_stays_with_the_snapshot_it_began_with() -> None:
    """The catalog changes while the first experiment's attributes are being read."""
    places = FlagExperiment("paused"), FlagExperiment("checkout")
    catalog = flagged(*places)
    engine = allotment.load(catalog)
    before = engine.resolve("button", "user-1")
    other = nouns.changed(
        catalog,
        SetVariations("button", (Variation("red", '"#f00"'),), "red"),
        OrderExperiments("button", ()),
        EndIteration("paused"),
        Delete("experiment", "paused"),
        EndIteration("checkout"),
        Delete("experiment", "checkout"),
    )

    class Attributes(Mapping[str, object]):
        def __getitem__(self, key: str) -> object:
            raise KeyError(key)

        def __len__(self) -> int:
            return 0

        def __iter__(self) -> Iterator[str]:
            engine.publish(compile_catalog(other))
            return iter(())

    assert engine.resolve("button", "user-1", Attributes()) == before
    assert engine.resolve("button", "user-1").variation == "red"


def test_what_is_no_snapshot_is_not_published() -> None:
    engine = allotment.load(nouns.catalog(nouns.experiment()))
    before = engine.assign("checkout", "user-1")
    with pytest.raises(allotment.InvalidInput, match="NoneType"):
        engine.publish(None)  # type: ignore[arg-type]
    assert engine.assign("checkout", "user-1") == before
    assert engine.explain("checkout", "user-1").assignment == before


def test_answers_can_be_copied_hashed_and_sent_to_another_process() -> None:
    engine = allotment.load(nouns.catalog(nouns.experiment()))
    answer = engine.assign("checkout", "user-1")
    assert pickle.loads(pickle.dumps(answer)) == answer
    assert copy.deepcopy(answer) == answer
    assert hash(answer) == hash(copy.copy(answer))
    assert asdict(answer)["variations"] == dict(answer.variations)
    everything = engine.assign_all("user-1")
    assert pickle.loads(pickle.dumps(everything)) == dict(everything)


@pytest.mark.parametrize("change", ["update", "pop", "clear", "setdefault", "__setitem__"])
def test_what_an_answer_sets_cannot_be_changed(change: str) -> None:
    answer = allotment.load(nouns.catalog(nouns.experiment())).assign("checkout", "user-1")
    with pytest.raises(TypeError, match="frozen"):
        getattr(answer.variations, change)("button", "x")


def test_a_number_of_numpy_is_a_unit_as_an_int_is() -> None:
    engine = allotment.load(nouns.catalog(nouns.experiment()))
    for number in (np.int64(5), np.uint8(5), np.int64(-(2**63))):
        assert engine.assign("checkout", number) == engine.assign("checkout", int(number))
        assert engine.assign_many("checkout", [number]).names() == [
            engine.assign("checkout", int(number)).treatment
        ]
    for wrong in (np.float64(5), np.bool_(True), True, 5.0, b"\xff", None):
        assert engine.assign("checkout", wrong).reason is Reason.NO_UNIT


def test_help_shows_how_to_assign() -> None:
    for method in (allotment.Engine.assign, allotment.Engine.assign_all):
        assert "attributes=None" in (method.__doc__ or "")


def test_an_engine_is_loaded_from_a_store_too(tmp_path: Path) -> None:
    file = tmp_path / "allotment.db"
    when = datetime(2026, 11, 21, tzinfo=UTC)
    with Store.open(file) as store:
        store.commit([Create(nouns.FLAG)], who="me", when=when, dialect="test")
        store.commit([Create(nouns.experiment())], who="me", when=when, dialect="test")
        by_store = allotment.load(store)
    assert allotment.load(file).snapshot.fingerprint == by_store.snapshot.fingerprint


@pytest.mark.parametrize("wrong", [None, b"catalog.yaml", 7])
def test_what_cannot_be_loaded_from_is_refused(wrong: object) -> None:
    with pytest.raises(allotment.InvalidInput):
        allotment.load(wrong)  # type: ignore[arg-type]


def test_one_text_is_no_list_of_experiments() -> None:
    engine = allotment.load(nouns.catalog(nouns.experiment()))
    with pytest.raises(allotment.InvalidInput, match="list of keys"):
        engine.assign_table(UNITS, "checkout")


def test_a_column_of_the_wrong_length_or_kind_is_refused() -> None:
    engine = allotment.load(nouns.catalog(nouns.experiment(keeps_assignments=True)))
    with pytest.raises(allotment.InvalidInput, match="one stored treatment for each unit"):
        engine.assign_many("checkout", UNITS, stored=["green"])
    with pytest.raises(allotment.InvalidInput):
        engine.assign_many("checkout", UNITS[:2], stored="ab")
    with pytest.raises(allotment.InvalidInput):
        engine.assign_many("checkout", UNITS, stored=7)
    with pytest.raises(allotment.InvalidInput):
        engine.assign_many("checkout", "user-1")


def test_loading_takes_a_file_a_catalog_and_what_keeps_one() -> None:
    class Keeper:
        def catalog(self) -> Catalog:
            return nouns.catalog(nouns.experiment())

    by_keeper = allotment.load(Keeper())
    by_catalog = allotment.load(Keeper().catalog())
    assert by_keeper.snapshot.fingerprint == by_catalog.snapshot.fingerprint
    with pytest.raises(OSError, match="nowhere"):
        allotment.load("nowhere.yaml")


def test_creating_a_noun_publishes_it() -> None:
    catalog = nouns.catalog()
    engine = allotment.load(catalog)
    change = apply(catalog, [Create(nouns.experiment("new"))])
    engine.publish(recompile(engine.snapshot, change.catalog, change.touched, change.flags))
    assert engine.assign("new", "user-1").treatment is not None
