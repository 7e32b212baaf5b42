"""The mapping itself, without a server: whatever is sent comes back, whatever the shape."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, get_args

from hypothesis import given, settings
from hypothesis import strategies as st

from allotment.change.apply import apply
from allotment.change.commands import Command
from allotment.change.lifecycle import Policy
from allotment.dialects.auth0 import experiments, flags, segments, variations
from allotment.dialects.auth0.experiments import (
    Auth0ExperimentCreate,
    Auth0ExperimentUpdate,
    said_items,
)
from allotment.dialects.auth0.flags import Auth0FlagCreate, Auth0FlagUpdate
from allotment.dialects.auth0.names import id_of
from allotment.dialects.auth0.segments import Attribute, Auth0SegmentCreate
from allotment.dialects.auth0.variations import Auth0VariationCreate
from allotment.dialects.wire.model import Body, read, read_update
from allotment.dialects.wire.operation import Call, Noun, Read
from allotment.model.catalog import EMPTY, Catalog
from allotment.store.stored import Version

VERSION = Version(1, 0, 0)


class State(NamedTuple):
    """What views see: a catalog, all of whose nouns have one version."""

    catalog: Catalog
    versions: Mapping[str, Version] = defaultdict(lambda: VERSION)


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | st.floats(-9, 9) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
KINDS: dict[str, st.SearchStrategy[Any]] = {
    "string": TEXT,
    "boolean": st.booleans(),
    "number": st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False),
    "array": st.lists(VALUES, max_size=3),
    "object": st.dictionaries(TEXT, VALUES, max_size=3),
}
STRINGS = st.lists(TEXT, min_size=1, max_size=3)
FORMS = ("contains", "starts_with", "ends_with")
EXPRESSIONS = (
    STRINGS
    | st.sampled_from(FORMS).flatmap(lambda form: STRINGS.map(lambda values: {form: values}))
    | st.booleans().map(lambda value: {"exists": value})
)
BLOCKS = st.dictionaries(st.sampled_from(get_args(Attribute)), EXPRESSIONS, min_size=1, max_size=10)
RULES = st.fixed_dictionaries({}, optional={"match": BLOCKS, "not_match": BLOCKS}).filter(bool)


def commands_of(reader: Read, body: Body, catalog: Catalog, **ids: str) -> Sequence[Command]:
    return reader(Call(ids, body, now=0, fresh=lambda size: "0f" * size), catalog)


def done(catalog: Catalog, reader: Read, body: Body, **ids: str) -> Catalog:
    commands = commands_of(reader, body, catalog, **ids)
    return apply(catalog, commands, Policy.AUTH0).catalog


@given(st.lists(RULES, min_size=1, max_size=3))
def test_rules_come_back_as_they_were_sent(rules: list[Any]) -> None:
    body = read(Auth0SegmentCreate, {"name": "A segment", "rules": rules})
    assert segments.show_rules(segments.rules_of(body.rules)) == rules


@st.composite
def typed(draw: st.DrawFn) -> dict[str, Any]:
    """One to ten parameters, some with a description."""
    parameters = {}
    for name in draw(st.sets(TEXT.filter(bool), min_size=1, max_size=10)):
        kind = draw(st.sampled_from(sorted(KINDS)))
        parameters[name] = {"type": kind, "value": draw(KINDS[kind])}
        if draw(st.booleans()):
            parameters[name]["description"] = draw(TEXT)
    return parameters


@given(typed(), st.data())
@settings(max_examples=60)
def test_parameters_and_overrides_come_back_as_they_were_sent(
    parameters: dict[str, Any], data: st.DataObject
) -> None:
    body = {"name": "A flag", "parameters": parameters}
    catalog = done(EMPTY, flags.create_flag, read(Auth0FlagCreate, body))
    (flag,) = catalog.flags.values()
    shown = flags.get_flag(State(catalog), Noun("flag", flag.key)).plain()
    assert shown["parameters"] == parameters
    overrides: dict[str, Any] = {}
    for name in data.draw(st.sets(st.sampled_from(sorted(parameters)))):
        value = data.draw(KINDS[parameters[name]["type"]])
        if value != parameters[name]["value"]:
            overrides[name] = {"value": value}
    ids = {"id": id_of("flag", flag.key)}
    body = {"name": "A variation", "overrides": overrides}
    catalog = done(catalog, variations.create_variation, read(Auth0VariationCreate, body), **ids)
    (flag,) = catalog.flags.values()
    added = Noun("flag", flag.key, flag.variations[-1].key)
    assert variations.get_variation(State(catalog), added).plain()["overrides"] == overrides
    again = read_update(Auth0FlagUpdate, {"parameters": parameters}, shown)
    assert commands_of(flags.update_flag, again, catalog, **ids) == []


def office() -> Catalog:
    """A flag with four variations, and three segments."""
    parameters = {"size": {"type": "number", "value": 0}}
    body = {"name": "Flag", "parameters": parameters}
    catalog = done(EMPTY, flags.create_flag, read(Auth0FlagCreate, body))
    for number in range(4):
        overrides = {"size": {"value": number}} if number else {}
        body = {"name": f"var {number}", "overrides": overrides}
        flag = id_of("flag", "flag")
        variation = read(Auth0VariationCreate, body)
        catalog = done(catalog, variations.create_variation, variation, id=flag)
    for number in range(3):
        body = {"name": f"seg {number}", "rules": [{"match": {"region": [str(number)]}}]}
        catalog = done(catalog, segments.create_segment, read(Auth0SegmentCreate, body))
    return catalog


OFFICE = office()
VARIATIONS = st.integers(0, 3).map(lambda number: id_of("variation", "flag", f"var-{number}"))
SEGMENTS = st.integers(0, 2).map(lambda number: id_of("segment", f"seg-{number}"))
WEIGHTS = st.integers(0, 100) | st.integers(0, 1_000_000).map(lambda part: part / 10_000)
BY_WEIGHT = st.lists(
    st.fixed_dictionaries(
        {"variation_id": VARIATIONS, "is_control": st.booleans()}, optional={"weight": WEIGHTS}
    ),
    min_size=1,
    max_size=20,
)
MATCHING = st.fixed_dictionaries(
    {"variation_id": VARIATIONS, "is_control": st.booleans(), "segment_id": SEGMENTS},
    optional={"priority": st.integers(1, 2**31 - 1)},
)
FALLBACK = st.fixed_dictionaries(
    {"variation_id": VARIATIONS, "is_control": st.booleans(), "is_fallback": st.just(True)},
    optional={"priority": st.integers(1, 9)},
)


@st.composite
def by_segment(draw: st.DrawFn) -> list[dict[str, Any]]:
    items = draw(
        st.lists(MATCHING, max_size=6, unique_by=lambda item: item.get("priority", -id(item)))
    )
    if not items or draw(st.booleans()):
        items.insert(draw(st.integers(0, len(items))), draw(FALLBACK))
    return items


ITEMS = st.tuples(st.just("percentage"), BY_WEIGHT) | st.tuples(st.just("segment"), by_segment())


def sent(shown: Any, items: list[dict[str, Any]]) -> Any:
    """What was sent, as far as it was: a priority that was left out is given."""
    return [
        {name: value for name, value in one.items() if name in item}
        for one, item in zip(shown, items, strict=True)
    ]


def as_whole(shown: list[dict[str, Any]], items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What is shown, with the weights that were sent where these are not all whole and the shown
    ones are whole and less than one away."""
    weights = [item.get("weight", 0) for item in items]
    if all(weight == int(weight) for weight in weights):
        return shown
    for one, weight in zip(shown, weights, strict=True):
        if "weight" in one:
            assert type(one["weight"]) is int
            assert abs(one["weight"] - weight) < 1
    return [
        {**one, "weight": weight} if "weight" in one else one
        for one, weight in zip(shown, weights, strict=True)
    ]


def create(items: list[dict[str, Any]], strategy: str, **more: Any) -> Catalog:
    body = {
        "name": "One",
        "feature_flag_id": id_of("flag", "flag"),
        "authentication_flow": "all",
        "allocation_strategy": strategy,
        "allocations": items,
        **more,
    }
    return done(OFFICE, experiments.create_experiment, read(Auth0ExperimentCreate, body))


ONE = {"id": id_of("experiment", "one")}


def shown_in(catalog: Catalog) -> dict[str, Any]:
    return experiments.get_experiment(State(catalog), Noun("experiment", "one")).plain()


def update(catalog: Catalog, allocations: Any) -> Sequence[Command]:
    body = read_update(Auth0ExperimentUpdate, {"allocations": allocations}, shown_in(catalog))
    return commands_of(experiments.update_experiment, body, catalog, **ONE)


@given(ITEMS)
def test_allocations_come_back_as_they_were_sent(asks: tuple[str, list[dict[str, Any]]]) -> None:
    strategy, items = asks
    catalog = create(items, strategy)
    shown = shown_in(catalog)
    assert shown["allocation_strategy"] == strategy
    assert as_whole(sent(shown["allocations"], items), items) == items
    assert update(catalog, said_items(shown["allocations"])) == []


@given(ITEMS, st.data())
@settings(max_examples=60)
def test_allocations_that_replace_others_come_back_as_they_were_sent(
    asks: tuple[str, list[dict[str, Any]]], data: st.DataObject
) -> None:
    strategy, items = asks
    catalog = create(items, strategy)
    others = data.draw(BY_WEIGHT if strategy == "percentage" else by_segment())
    catalog = apply(catalog, update(catalog, others), Policy.AUTH0).catalog
    shown = shown_in(catalog)
    assert as_whole(sent(shown["allocations"], others), others) == others
    fresh = create(others, strategy)
    alone = shown_in(fresh)
    assert shown == {**alone, "allocation_strategy": shown["allocation_strategy"]}


@given(st.permutations([0, 1, 2, 3]), st.permutations([0, 1, 2, 3]))
def test_an_order_of_items_moves_nobody(first: list[int], second: list[int]) -> None:
    """The same variations with the same weights in another order are the same treatments."""

    def items(order: list[int]) -> list[dict[str, Any]]:
        return [
            {
                "variation_id": id_of("variation", "flag", f"var-{number}"),
                "weight": 10 * (number + 1),
                "is_control": number == 0,
            }
            for number in order
        ]

    catalog = create(items(first), "percentage")
    after = apply(catalog, update(catalog, items(second)), Policy.AUTH0).catalog
    was, now = (each.experiments["one"].current.allocations[0].slots for each in (catalog, after))
    assert sorted(was) == sorted(now)
