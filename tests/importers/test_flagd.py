"""flagd's flag definitions: what each part becomes, and what is left out with a note."""

from __future__ import annotations

from typing import Any

import pytest

from allotment.compile import compile_catalog
from allotment.engine import Engine
from allotment.errors import InvalidInput
from allotment.importers import flagd
from allotment.importers.rules import Imported
from imported import catalog_of

KEYED = {"cat": [{"var": "$flagd.flagKey"}, {"var": "targetingKey"}]}
HALVES = [["a", 50], ["b", 50]]
X = {"var": "x"}


def flag(targeting: Any = None, **fields: Any) -> dict[str, Any]:
    variants = {"a": 1, "b": [2], "true": True, "false": False}
    made = {"state": "ENABLED", "variants": variants, "defaultVariant": "a", **fields}
    return made if targeting is None else {**made, "targeting": targeting}


def read(one: dict[str, Any], version: int = 3, **fields: Any) -> Imported:
    return flagd.read({"flags": {"f": one}, **fields}, version)


def given(one: Any, unit: str = "u", evaluators: Any = None, **attributes: Any) -> Any:
    imported = read(one, **({"$evaluators": evaluators} if evaluators else {}))
    assert len(imported.flags) == 1, imported.notes
    return Engine(compile_catalog(catalog_of(imported))).resolve("f", unit, attributes).variation


def holds(condition: Any, unit: str = "u", **attributes: Any) -> bool:
    """Whether a flag goes the way of a condition."""
    way = given(flag({"if": [condition, "b", "a"]}), unit, **attributes)
    return bool(way == "b")


def note_of(one: dict[str, Any], version: int = 3) -> str:
    """The one note on a flag that is left out whole."""
    imported = read(one, version)
    assert imported.nouns() == []
    (note,) = imported.notes
    return f"{note.path}: {note.message}"


def test_a_flag_without_targeting_is_its_default() -> None:
    imported = read(flag())
    (one,) = imported.flags
    assert (one.default, one.state, one.experiments, imported.notes) == ("a", "on", (), [])
    assert [variation.value for variation in one.variations] == ["1", "[2]", "true", "false"]


def test_without_a_default_the_client_has_one() -> None:
    assert given(flag({"if": [X, "b"]}, defaultVariant=None)) == "client-default"
    assert given(flag({"if": [X, "b"]}, defaultVariant=None), x=1) == "b"
    assert given({**flag(), "defaultVariant": ""}) == "client-default"
    assert given(flag(defaultVariant=False)) == "false"


def test_a_disabled_flag_gives_the_clients_default_and_its_own_when_it_is_enabled() -> None:
    imported = read(flag({"if": [X, "b"]}, state="DISABLED"))
    (one,) = imported.flags
    assert (one.default, one.state) == ("client-default", "off")
    last = imported.experiments[-1]
    assert last.current.audience is None
    assert [slot.owner for slot in last.current.allocations[0].slots] == ["a"]


@pytest.mark.parametrize(
    ("version", "profile", "stops"),
    [
        (1, "flagd-1", (2**30, 2**32)),
        (2, "flagd-2", (50, 100)),
        (3, "flagd-3", (50, 100)),
    ],
)
def test_a_fraction_has_the_hash_of_the_version(
    version: int, profile: str, stops: tuple[int, int]
) -> None:
    imported = read(flag({"fractional": [KEYED, *HALVES]}), version)
    (experiment,) = imported.experiments
    iteration = experiment.current
    assert (experiment.key, iteration.profile, iteration.salt) == ("f.1", profile, "f")
    slots = iteration.allocations[0].slots
    assert [slot.owner for slot in slots] == ["a", "b"]
    assert slots[1].stop == stops[1]
    assert abs(slots[0].stop - stops[0]) <= 1
    (note,) = imported.notes
    assert note.path == "$"
    assert profile in note.message


@pytest.mark.parametrize(
    ("version", "profile"), [(1, "flagd-1"), (2, "flagd-2"), (3, "flagd-pair-3")]
)
def test_a_short_fraction_is_by_the_flag_and_the_key(version: int, profile: str) -> None:
    (experiment,) = read(flag({"fractional": HALVES}), version).experiments
    assert (experiment.current.profile, experiment.current.salt) == (profile, "f")


def test_the_salt_is_the_text_before_the_targeting_key() -> None:
    keyed = {"cat": ["x-", {"var": "$flagd.flagKey"}, "/", {"var": ["targetingKey"]}]}
    (experiment,) = read(flag({"fractional": [keyed, *HALVES]})).experiments
    assert experiment.current.salt == "x-f/"


def test_weights_are_1_where_there_is_none_and_0_where_they_are_below() -> None:
    parts = [["a"], ["b", 2], ["true", -5], [None, 1], [True, 0], ["a", 3]]
    (experiment,) = read(flag({"fractional": [KEYED, *parts]}, defaultVariant="false")).experiments
    allocation = experiment.current.allocations[0]
    assert allocation.total == 7
    assert allocation.slots == ((0, 1, "a"), (1, 3, "b"), (3, 4, "false"), (4, 7, "a"))


def test_a_fraction_without_a_weight_is_the_default() -> None:
    assert read(flag({"fractional": [KEYED, ["b", 0]]})).experiments == []


def test_the_first_branch_that_holds_is_final_with_all_that_is_below() -> None:
    inner = {"if": [{"===": [{"var": "y"}, 1]}, "b", {"===": [{"var": "y"}, 2]}, None]}
    one = flag({"if": [{"===": [X, 1]}, inner, {"var": "y"}, True, False]})
    assert [given(one, x=1, y=y) for y in (1, 2, 3)] == ["b", "a", "a"]
    assert [given(one, x=2, y=y) for y in (1, 0)] == ["true", "false"]


def test_a_condition_alone_gives_the_variants_true_and_false() -> None:
    assert [given(flag({"===": [X, 1]}), x=x) for x in (1, 2)] == ["true", "false"]


def test_a_shared_evaluator_stands_where_it_is_named() -> None:
    evaluators = {"one": {"===": [X, 1]}, "two": {"$ref": "one"}}
    one = flag({"if": [{"$ref": "two"}, "b"]})
    assert [given(one, evaluators=evaluators, x=x) for x in (1, 2)] == ["b", "a"]


HOLDS: list[tuple[Any, Any]] = [
    (X, "0"),
    ({"!": X}, 0),
    ({"!": [X]}, ""),
    ({"!!": [X]}, 1.5),
    ({"==": [X, "SE"]}, "SE"),
    ({"==": ["SE", X]}, "SE"),
    ({"==": [X, 5]}, 5.0),
    ({"==": [X, True]}, 1),
    ({"==": [X, 1]}, True),
    ({"!=": [X, "SE"]}, None),
    ({"===": [X, "5"]}, "5"),
    ({"===": [X, False]}, False),
    ({"===": [X, None]}, None),
    ({"!==": [X, None]}, 0),
    ({"<": [X, 18]}, None),
    ({"<=": [X, 0]}, False),
    ({">": [X, 0.5]}, True),
    ({">": [18, X]}, 17),
    ({"<": [1, X, 5]}, 4),
    ({"<=": [0, X, 5]}, None),
    ({"in": [X, ["SE", 5]]}, 5),
    ({"in": ["@example", X]}, "a@example.com"),
    ({"starts_with": [X, "a"]}, "ab"),
    ({"ends_with": [X, "b"]}, "ab"),
    ({"sem_ver": [X, ">=", "v1.2"]}, "1.2.0"),
    ({"sem_ver": [X, "!=", "1.2.0"]}, "1.2.1"),
    ({"sem_ver": [X, "^", "1.2.0"]}, "1.0.0-rc"),
    ({"sem_ver": [X, "~", "1.2.0"]}, "1.2.9"),
    ({"and": [X, {"!==": [X, 2]}]}, 1),
    ({"or": [False, {"===": [X, 2]}]}, 2),
]
FAILS: list[tuple[Any, Any]] = [
    (X, None),
    (X, False),
    ({"==": [X, "SE"]}, None),
    ({"==": [X, True]}, None),
    ({"===": [X, "5"]}, 5),
    ({"===": [X, False]}, None),
    ({"<": [X, 18]}, "x"),
    ({"<": [1, X, 5]}, 5),
    ({"in": [X, []]}, "x"),
    ({"in": ["@", X]}, None),
    ({"starts_with": [X, "a"]}, 5),
    ({"sem_ver": [X, "!=", "1.2.0"]}, "no"),
    ({"sem_ver": [X, "^", "1.2.0"]}, "2.0.0-rc"),
    ({"sem_ver": [X, "~", "1.2.0"]}, "1.3.0-rc"),
    ({"and": [True, X]}, 0),
]


@pytest.mark.parametrize(("condition", "there"), HOLDS)
def test_a_condition_holds(condition: Any, there: Any) -> None:
    assert holds(condition, x=there)


@pytest.mark.parametrize(("condition", "there"), FAILS)
def test_a_condition_fails(condition: Any, there: Any) -> None:
    assert not holds(condition, x=there)


def test_the_targeting_key_is_compared_with_lists_of_units() -> None:
    key = {"var": "targetingKey"}
    for condition in ({"in": [key, ["u", "v", ""]]}, {"==": [key, "u"]}, {"===": [key, "u"]}):
        assert holds(condition)
        assert not holds(condition, "w")
    assert holds({"!=": [key, "v"]})


def test_an_attribute_may_lie_within_another() -> None:
    assert holds({"===": [{"var": "x.y"}, 1]}, x={"y": 1})


LEFT_OUT: list[tuple[str, Any]] = [
    ("targeting.if[1]: there is no variant 'c'", {"if": [True, "c"]}),
    ("targeting.cat: ", {"cat": ["a", "b"]}),
    ("targeting.if[0].==: ", {"if": [{"==": [X, "5"]}, "a"]}),
    ("targeting.if[0].==: ", {"if": [{"==": [X, ""]}, "a"]}),
    ("targeting.if[0].==: ", {"if": [{"==": [X, False]}, "a"]}),
    ("targeting.if[0].==: ", {"if": [{"==": [X, None]}, "a"]}),
    ("targeting.if[0].==: ", {"if": [{"==": [X, X]}, "a"]}),
    ("targeting.if[0].<: ", {"if": [{"<": [X, "b"]}, "a"]}),
    ("targeting.if[0].<: ", {"if": [{"<": [X]}, "a"]}),
    ("targeting.if[0].in: ", {"if": [{"in": [X, [None, 1]]}, "a"]}),
    ("targeting.if[0].in: ", {"if": [{"in": [X, "SE,NO"]}, "a"]}),
    ("targeting.if[0].%: ", {"if": [{"%": [X, 2]}, "a"]}),
    ("targeting.if[0].and: ", {"if": [{"and": []}, "a"]}),
    ("targeting.if[0].sem_ver[1]: ", {"if": [{"sem_ver": [X, "?", "1.0.0"]}, "a"]}),
    ("targeting.if[0].sem_ver[2]: ", {"if": [{"sem_ver": [X, "=", "x"]}, "a"]}),
    ("targeting.if[0].var: ", {"if": [{"var": "$flagd.timestamp"}, "a"]}),
    ("targeting.if[0].var: ", {"if": [{"var": "x.0"}, "a"]}),
    ("targeting.if[0].var: ", {"if": [{"var": ["x", 1]}, "a"]}),
    ("targeting.if[0].var: ", {"if": [{"var": "targetingKey"}, "a"]}),
    ("targeting.if[0].$ref: ", {"if": [{"$ref": "none"}, "a"]}),
    ("targeting.fractional: ", {"fractional": []}),
    ("targeting.fractional: ", {"fractional": [KEYED, ["c", 1]]}),
    ("targeting.fractional: ", {"fractional": [KEYED, ["a", 2**31]]}),
    ("targeting.fractional[0]: ", {"fractional": [{"var": "targetingKey"}, *HALVES]}),
    ("targeting.fractional[0]: ", {"fractional": [{"cat": ["s", {"var": "email"}]}, *HALVES]}),
    ("targeting.fractional[1]: ", {"fractional": [KEYED, "a", "b"]}),
    ("targeting.fractional[1][0]: ", {"fractional": [KEYED, [{"var": "x"}, 1]]}),
    ("targeting.fractional[1][1]: ", {"fractional": [KEYED, ["a", 50.5]]}),
]


@pytest.mark.parametrize(("place", "targeting"), LEFT_OUT)
def test_what_cannot_be_said_leaves_the_flag_out(place: str, targeting: Any) -> None:
    said = note_of(flag(targeting))
    assert said.startswith(f"$.flags.f.{place.partition(': ')[0]}: flag 'f' is left out: ")
    assert place.partition(": ")[2] in said


def test_the_first_hash_had_neither_weights_below_0_nor_variants_but_names() -> None:
    for parts in (["a", -1], [None, 1]):
        assert "fractional[1]" in note_of(flag({"fractional": [KEYED, parts]}), 1)


def test_flags_with_names_or_fields_that_are_not_known_are_left_out() -> None:
    assert note_of({**flag(), "what": 1}).startswith("$.flags.f: flag 'f' is left out: ")
    assert "defaultVariant" in note_of(flag(defaultVariant="c"))
    assert "variants" in note_of(flag(variants={"å": 1}))


@pytest.mark.parametrize(
    ("payload", "path"),
    [
        ([], "$"),
        ({}, "$"),
        ({"flags": []}, "$.flags"),
        ({"flags": {}, "$evaluators": 1}, "$.$evaluators"),
        ({"flags": {"f": {**flag(), "state": "on"}}}, "$.flags.f.state"),
        ({"flags": {"f": flag("a")}}, "$.flags.f.targeting"),
        ({"flags": {"f": flag(variants={})}}, "$.flags.f.variants"),
    ],
)
def test_what_flagd_does_not_read_is_refused(payload: Any, path: str) -> None:
    with pytest.raises(InvalidInput) as fault:
        flagd.read(payload)
    assert fault.value.path == path


def test_a_version_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidInput, match="1 to 3"):
        flagd.read({"flags": {}}, 4)
