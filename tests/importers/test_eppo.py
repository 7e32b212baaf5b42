"""Eppo's flag configuration: what each part becomes, and what is left out with a note."""

from __future__ import annotations

from typing import Any

import pytest

from allotment.compile import compile_catalog
from allotment.engine import Engine
from allotment.errors import InvalidInput
from allotment.importers import eppo
from allotment.importers.rules import Imported
from allotment.model.profile import Draw
from imported import catalog_of


def shard(salt: str, *ranges: tuple[int, int]) -> dict[str, Any]:
    return {"salt": salt, "ranges": [{"start": start, "end": stop} for start, stop in ranges]}


def split(variation: str, *shards: dict[str, Any]) -> dict[str, Any]:
    return {"variationKey": variation, "shards": list(shards)}


def allocation(*splits: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"key": "one", "splits": list(splits or [split("on")]), "doLog": True, **fields}


def flag(*allocations: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "key": "f",
        "enabled": True,
        "variationType": "STRING",
        "variations": {key: {"key": key, "value": key} for key in ("on", "off")},
        "allocations": list(allocations),
        "totalShards": 10_000,
        **fields,
    }


def read(*flags: dict[str, Any], **fields: Any) -> Imported:
    made = "2026-01-02T03:04:05.678Z"
    named = {one["key"]: one for one in flags}
    return eppo.read({"createdAt": made, "format": "SERVER", "flags": named, **fields})


def given(*conditions: tuple[str, str, Any], unit: str = "u", **attributes: Any) -> Any:
    """What a flag gives that is on for whom the conditions hold."""
    listed = [{"attribute": a, "operator": op, "value": value} for a, op, value in conditions]
    imported = read(flag(allocation(rules=[{"conditions": listed}])))
    engine = Engine(compile_catalog(catalog_of(imported)))
    return engine.resolve("f", unit, attributes).variation


def note_of(*allocations: dict[str, Any], **fields: Any) -> str:
    """The one note on a flag that is left out whole."""
    imported = read(flag(*allocations, **fields))
    assert imported.nouns() == []
    (note,) = imported.notes
    return f"{note.path}: {note.message}"


def test_shards_that_all_splits_share_are_the_enrolment_and_the_others_the_treatments() -> None:
    traffic = shard("t", (0, 5_000))
    both = allocation(
        split("on", traffic, shard("s", (0, 2_500))),
        split("off", traffic, shard("s", (2_500, 10_000))),
    )
    (experiment,) = read(flag(both)).experiments
    iteration = experiment.current
    assert (experiment.key, iteration.profile, iteration.salt) == ("f.one", "eppo-1", "s")
    assert (iteration.enrolment_ppm, iteration.enrolment_draw) == (500_000, Draw("eppo-1", "t"))
    assert iteration.allocations[0].slots == ((0, 2_500, "on"), (2_500, 10_000, "off"))


def test_shards_that_are_not_the_first_are_reserved_in_a_layer() -> None:
    traffic = shard("t", (1_000, 2_000), (1_500, 3_000), (9_000, 20_000))
    both = allocation(
        split("on", traffic, shard("s", (0, 10))), split("off", traffic, shard("s", (10, 10_000)))
    )
    (layer,) = read(flag(both)).layers.values()
    assert (layer.key, layer.salt, layer.profile) == ("t", "t", "eppo-1")
    (own,) = layer.reservations
    assert (own.experiment, own.ranges) == ("f.one", ((1_000, 3_000), (9_000, 10_000)))


def test_the_first_split_that_names_a_shard_has_it() -> None:
    both = allocation(split("on", shard("s", (100, 200))), split("off", shard("s", (0, 300))))
    (experiment,) = read(flag(both)).experiments
    slots = experiment.current.allocations[0].slots
    assert slots == ((0, 100, "off"), (100, 200, "on"), (200, 300, "off"))


def test_splits_that_share_no_salt_are_an_experiment_each() -> None:
    both = allocation(split("on", shard("a", (0, 10))), split("off", shard("b", (0, 20))))
    imported = read(flag(both))
    assert [one.key for one in imported.experiments] == ["f.one.1", "f.one.2"]
    assert [one.current.salt for one in imported.experiments] == ["a", "b"]


def test_an_allocation_that_takes_no_one_is_none() -> None:
    imported = read(flag(allocation(split("on", shard("s", (5, 5))))))
    assert (imported.experiments, len(imported.flags), imported.notes) == ([], 1, [])


def test_a_unit_that_no_allocation_takes_gets_the_default_of_the_client() -> None:
    (one,) = read(flag(allocation(), enabled=False)).flags
    assert (one.default, one.state) == ("client-default", "off")


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("STRING", "å", '"å"'),
        ("BOOLEAN", True, "true"),
        ("INTEGER", 3, "3"),
        ("NUMERIC", 1.5, "1.5"),
        ("JSON", '{"a": [1]}', '{"a": [1]}'),
    ],
)
def test_each_type_of_variation_keeps_its_value(kind: str, value: Any, text: str) -> None:
    variations = {"on": {"key": "on", "value": value}}
    (one,) = read(flag(allocation(), variationType=kind, variations=variations)).flags
    assert one.variations[1].value == text


HOLDS: list[tuple[str, str, Any, Any]] = [
    ("plan", "ONE_OF", ["pro", "x"], "pro"),
    ("plan", "ONE_OF", ["5"], 5),
    ("plan", "ONE_OF", ["5"], 5.0),
    ("plan", "ONE_OF", ["true"], True),
    ("plan", "NOT_ONE_OF", ["5"], 6),
    ("plan", "NOT_ONE_OF", [], "x"),
    ("plan", "MATCHES", "^t", True),
    ("plan", "MATCHES", "^t", "to"),
    ("plan", "NOT_MATCHES", "^t", "no"),
    ("plan", "IS_NULL", False, 0),
    ("plan", "IS_NULL", True, None),
    ("age", "GTE", 18, 18),
    ("age", "GT", "17.5", 18),
    ("age", "LTE", 18, 17.5),
    ("age", "LT", 18, -1),
    ("app", "GTE", "1.2.3", "1.10.0"),
    ("app", "LT", "2.0.0", "2.0.0-rc.1"),
]
FAILS: list[tuple[str, str, Any, Any]] = [
    ("plan", "ONE_OF", ["05", "5.0", "1e3"], 5),
    ("plan", "ONE_OF", ["-0"], 0),
    ("plan", "ONE_OF", [], "x"),
    ("plan", "NOT_ONE_OF", ["5"], None),
    ("plan", "NOT_ONE_OF", ["true"], True),
    ("plan", "NOT_MATCHES", "^t", None),
    ("plan", "NOT_MATCHES", "^t", True),
    ("plan", "IS_NULL", True, "x"),
    ("age", "GTE", 18, None),
    ("age", "LT", 18, True),
    ("app", "GT", "1.2.3", "1.2"),
]


@pytest.mark.parametrize(("attribute", "operator", "value", "there"), HOLDS)
def test_a_condition_holds(attribute: str, operator: str, value: Any, there: Any) -> None:
    assert given((attribute, operator, value), **{attribute: there}) == "on"


@pytest.mark.parametrize(("attribute", "operator", "value", "there"), FAILS)
def test_a_condition_fails(attribute: str, operator: str, value: Any, there: Any) -> None:
    assert given((attribute, operator, value), **{attribute: there}) == "client-default"


def test_all_conditions_of_a_rule_hold() -> None:
    both = ("plan", "ONE_OF", ["pro"]), ("age", "GTE", 18)
    assert given(*both, plan="pro", age=18) == "on"
    assert given(*both, plan="pro", age=17) == "client-default"


def test_the_id_is_the_subjects_key_where_no_attribute_is_so_called() -> None:
    one_of = ("id", "ONE_OF", ["u", ""])
    assert given(one_of) == "on"
    assert given(one_of, unit="v") == "client-default"
    assert given(one_of, unit="v", id="u") == "on"
    assert given(one_of, id="v") == "client-default"
    assert given(("id", "NOT_ONE_OF", ["u"]), unit="v") == "on"


def test_what_is_compared_more_strictly_here_has_a_note() -> None:
    conditions = [
        {"attribute": "a", "operator": "GTE", "value": 5},
        {"attribute": "a", "operator": "GTE", "value": "1.2.3"},
        {"attribute": "a", "operator": "MATCHES", "value": r"\d"},
    ]
    imported = read(flag(allocation(rules=[{"conditions": conditions}])))
    here = "$.flags.f.allocations[0].rules[0].conditions"
    paths = [note.path for note in imported.notes]
    assert paths == [f"{here}[{n}].value" for n in (0, 1, 2, 2)]
    assert len(imported.flags) == 1


def test_the_file_says_which_allocations_have_begun_and_which_are_over() -> None:
    over = allocation(startAt="2025-01-01T00:00:00Z", endAt="2025-02-01T00:00:00Z")
    begun = {**allocation(startAt="2025-01-01T00:00:00Z"), "key": "two"}
    imported = read(flag(over, begun))
    assert [one.key for one in imported.experiments] == ["f.two"]
    assert [note.path for note in imported.notes] == ["$.flags.f.allocations[0].endAt"]


def ruled(**condition: Any) -> dict[str, Any]:
    return allocation(rules=[{"conditions": [{"attribute": "a", "operator": "GT", **condition}]}])


LEFT_OUT: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("allocations[0].endAt: ", allocation(endAt="2027-01-01T00:00:00Z"), {}),
    ("allocations[0].startAt: ", allocation(startAt="2027-01-01T00:00:00Z"), {}),
    ("allocations[0]: ", allocation(what=1), {}),
    ("allocations[0].splits: ", allocation(split("no")), {}),
    ("allocations[0].key: ", allocation(key="a b"), {}),
    ("allocations[0].splits[0].shards[0].salt: ", allocation(split("on", shard("", (0, 1)))), {}),
    ("totalShards: ", allocation(), {"totalShards": 100}),
    ("variationType: ", allocation(), {"variationType": "DATE"}),
    ("variations.on: ", allocation(), {"variationType": "BOOLEAN"}),
    ("key: ", allocation(), {"key": "f g"}),
    ("variations: ", allocation(), {"variations": {"client-default": {"key": "", "value": 1}}}),
    ("allocations[0].rules[0].conditions[0]: ", ruled(operator="NEW", value=1), {}),
    ("allocations[0].rules[0].conditions[0]: ", ruled(value=["a"]), {}),
    ("allocations[0].rules[0].conditions[0].value: ", ruled(value="1.2.3+b"), {}),
    ("allocations[0].rules[0].conditions[0].value: ", ruled(value=True), {}),
    ("allocations[0].rules[0].conditions[0].value: ", ruled(operator="MATCHES", value="(?=a)"), {}),
    (
        "allocations[0].rules[0].conditions[0].operator: ",
        ruled(attribute="id", operator="MATCHES", value="a"),
        {},
    ),
    (
        "allocations[0].splits: ",
        allocation(split("on", *(shard(f"s{n}", (5, 9)) for n in range(3)))),
        {},
    ),
]


@pytest.mark.parametrize(("place", "one", "fields"), LEFT_OUT)
def test_what_cannot_be_said_leaves_the_flag_out(
    place: str, one: dict[str, Any], fields: dict[str, Any]
) -> None:
    key = fields.get("key", "f")
    assert note_of(one, **fields).startswith(f"$.flags.{key}.{place}flag {key!r} is left out: ")


def test_two_allocations_that_take_the_same_shards_of_a_layer_leave_the_flag_out() -> None:
    traffic = shard("t", (1_000, 2_000)), shard("s", (5, 9))
    assert "t" in note_of(
        allocation(split("on", *traffic)), {**allocation(split("on", *traffic)), "key": "two"}
    )


def test_the_other_flags_stay_where_one_is_left_out() -> None:
    imported = read(flag(allocation(), key="g"), flag(ruled(operator="NEW", value=1)))
    assert [one.key for one in imported.flags] == ["g"]


def test_bandits_are_left_out_with_a_note() -> None:
    assert [note.path for note in read(bandits={"b": {}}).notes] == ["$.bandits"]


@pytest.mark.parametrize(
    ("payload", "path"),
    [
        ([], "$"),
        ({}, "$"),
        ({"flags": []}, "$.flags"),
        ({"flags": {}, "format": "CLIENT"}, "$.format"),
        ({"flags": {}, "createdAt": "today"}, "$.createdAt"),
        ({"flags": {"f": 1}}, "$.flags.f"),
        ({"flags": {"f": flag(allocation(rules=[{"conditions": 1}]))}}, None),
        ({"flags": {"f": {**flag(), "enabled": "yes"}}}, "$.flags.f.enabled"),
        ({"flags": {"f": flag({"key": "one"})}}, "$.flags.f.allocations[0]"),
    ],
)
def test_what_eppo_does_not_send_is_refused(payload: Any, path: str | None) -> None:
    with pytest.raises(InvalidInput) as fault:
        eppo.read(payload)
    assert fault.value.path == (path or "$.flags.f.allocations[0].rules[0].conditions")
