"""What is shown reads back as the same catalog; a hand-written file keeps what the store has."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from allotment.change.apply import apply
from allotment.change.commands import EndIteration, Keep, SetWeights
from allotment.change.diff import diff
from allotment.dialects.catalogfile import read, read_target, show
from allotment.errors import AllotmentError
from allotment.model.catalog import EMPTY, Catalog
from allotment.model.experiment import State
from strategies import catalogs, changes, plain

HAND = """
allotment: 1
flags:
  button:
    default: blue
    variations:
      blue: "#00f"
      green: {value: {hex: "#0f0", on: true}, name: "Green: \\"the\\" button"}
      exact: {json: '{"a" : 1.50}'}
    experiments: [checkout, {experiment: other, miss: stop}]
segments:
  staff:
    include: [user-1, " leading", "NO", "1", "käse"]
    exclude: [user-2]
    kept: {auth0/rules: {value: {a: [1]}}, auth0/x: {json: '{"a" : 1}'}, b/y: null}
  nordics:
    name: The north
    description: "two\\nlines"
    rules:
      - {attribute: country, in: [SE, NO, DK, 1, 1.5, true, "true"]}
      - all:
          - {attribute: [a.b, c], exists: false}
          - not: {segment: staff}
          - any: [{attribute: v, semver_at_least: "1.10.0"}, {attribute: n, less_than: -2.5e-7}]
layers:
  shop: {reservations: {checkout: 50%, other: [[500000, 800000]]}}
holdouts:
  q4: {share: 0.5%}
experiments:
  checkout:
    state: running
    started_at: 2026-01-02T03:04:05.678Z
    kept: {auth0/authentication_flow: all}
    holdout: q4
    audience: nordics
    enrolment: 12.5%
    treatments:
      control: {control: true, sets: {button: blue}}
      green: {name: Green, sets: {button: green}}
    allocations:
      - {segment: staff, weights: {green: 33.3333, control: 66.6667}}
      - {weights: {green: 30}, gap: 70}
      - {fallback: true, weights: {control: 1, green: 2}, of: 3}
    overrides: {user-7: green}
  other:
    treatments: {a: {sets: {button: blue}}}
    allocations: [{weights: {a: 100}}]
  begun: {treatments: {}, allocations: []}
  much:
    treatments: {a: {}, b: {}}
    allocations: [{weights: {a: 80, b: 40}, excess: 20}, {fallback: true, weights: {a: 1}, gap: 99}]
"""


def load(text: str, catalog: Catalog = EMPTY) -> Catalog:
    return apply(catalog, read(text, catalog)).catalog


# Drawing a catalog takes a while, and takes many choices.
SLOW = settings(
    deadline=None,
    max_examples=50,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@SLOW
@given(catalogs())
def test_any_catalog_reads_back_as_it_was_shown(catalog: Catalog) -> None:
    text = show(catalog)
    assert read(text, catalog) == ()
    assert plain(load(text)) == plain(catalog)


@SLOW
@given(st.data())
def test_after_any_changes_a_catalog_still_reads_back_as_it_was_shown(data: st.DataObject) -> None:
    catalog = data.draw(catalogs())
    for _ in range(data.draw(st.integers(1, 8))):
        try:
            catalog = apply(catalog, [data.draw(changes(catalog))]).catalog
        except AllotmentError:
            continue
    assert read(show(catalog), catalog) == ()
    assert plain(load(show(catalog))) == plain(catalog)


def test_a_shown_catalog_changes_nothing_where_it_comes_from() -> None:
    catalog = load(HAND)
    assert read(show(catalog), catalog) == ()


def test_a_shown_catalog_loads_into_nothing_as_the_same_catalog() -> None:
    catalog = load(HAND)
    loaded = load(show(catalog))
    assert loaded == catalog
    assert show(loaded) == show(catalog)


def test_what_is_kept_and_when_it_ran_survive_an_export_and_rolling_back() -> None:
    catalog = load(HAND)
    there = catalog.experiments["checkout"]
    assert (there.kept, there.current.started_at) == (
        (("auth0/authentication_flow", '"all"'),),
        1_767_323_045_678,
    )
    ended = apply(
        catalog,
        [
            EndIteration("checkout", at=1_767_323_046_000),
            Keep("experiment", "checkout", "auth0/authentication_flow", None),
        ],
    ).catalog
    exported = load(show(ended)).experiments["checkout"]
    assert (exported.kept, exported.current.ended_at) == ((), 1_767_323_046_000)
    back = apply(ended, diff(ended, catalog)).catalog
    assert plain(back) == plain(catalog)


def test_reading_the_same_file_again_changes_nothing() -> None:
    assert read(HAND, load(HAND)) == ()


def test_a_noun_that_the_file_drops_is_deleted() -> None:
    catalog = load("allotment: 1", load(HAND))
    assert catalog == Catalog(revision=catalog.revision)


def test_an_edited_weight_is_one_command() -> None:
    catalog = load(HAND)
    text = HAND.replace("{green: 30}, gap: 70", "{green: 60}, gap: 40")
    assert read(text, catalog) == (
        SetWeights("checkout", "everyone", (("green", 60),), 100, iteration=1),
    )


def test_weights_changed_by_hand_three_times_export_to_what_the_store_has() -> None:
    catalog = load(HAND)
    for weight in (60, 20, 45):
        text = HAND.replace("{green: 30}, gap: 70", f"{{green: {weight}}}, gap: {100 - weight}")
        catalog = load(text, catalog)
    fresh = load(text)
    slots = catalog.experiments["checkout"].current.allocations[1].slots
    assert slots != fresh.experiments["checkout"].current.allocations[1].slots
    exported = show(catalog)
    assert load(exported).experiments["checkout"].current.allocations[1].slots == slots
    assert read(exported, catalog) == ()


def test_a_share_of_a_layer_keeps_its_buckets() -> None:
    catalog = load(HAND)
    grown = load(HAND.replace("checkout: 50%", "checkout: 60%"), catalog)
    reservations = {each.experiment: each.ranges for each in grown.layers["shop"].reservations}
    assert reservations["checkout"] == ((0, 500_000), (800_000, 900_000))


def test_starting_pausing_and_stopping_by_hand() -> None:
    catalog = load(HAND)
    wanted = [("paused", 1), ("running", 1), ("stopped", 1), ("running", 2), ("stopped", 2)]
    for state, number in wanted:
        catalog = load(HAND.replace("state: running", f"state: {state}"), catalog)
        current = catalog.experiments["checkout"].current
        assert (current.state, current.number) == (State(state), number)
    assert [each.number for each in catalog.experiments["checkout"].iterations] == [1, 2]
    assert plain(load(show(catalog))) == plain(catalog)


def test_a_long_list_of_ids_is_shown_as_lines(tmp_path: Path) -> None:
    ids = [f"user-{n}" for n in range(1000)]
    text = "allotment: 1\nsegments: {s: {include: {file: ids.txt}}}"
    (tmp_path / "ids.txt").write_text("\n".join(ids))
    target = read_target(text, lambda name: (tmp_path / name).read_bytes())
    shown = show(target)
    assert "    include: |\n      user-0\n      user-1\n" in shown
    assert read_target(shown) == target


@pytest.mark.parametrize("key", ["line\rreturn", " space", "\x85", "k" * 1024, "# a", "a: b", "1"])
def test_any_unit_key_survives_in_a_list_and_as_an_override(key: str) -> None:
    experiment = {
        "treatments": {"a": {}},
        "allocations": [{"weights": {"a": 100}}],
        "overrides": {key: "a"},
    }
    for ids in ([key], [key, *(f"user-{n}" for n in range(20))]):
        sections = {"segments": {"s": {"include": ids}}, "experiments": {"e": experiment}}
        target = read_target(json.dumps({"allotment": 1, **sections}))
        assert key in target.segments["s"].include
        assert read_target(show(target)) == target
