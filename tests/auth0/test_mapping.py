"""The mapping itself, without a server: whatever is sent comes back, whatever the shape."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from allotment.change.apply import apply
from allotment.change.commands import Command
from allotment.change.lifecycle import Policy
from allotment.dialects.auth0.experiments import read_create_experiment, read_update_experiment
from allotment.dialects.auth0.flags import read_create_flag, read_update_flag, show_flag
from allotment.dialects.auth0.ids import id_of
from allotment.dialects.auth0.items import said
from allotment.dialects.auth0.rules import ATTRIBUTES, read_rules, show_rules
from allotment.dialects.auth0.segments import read_create_segment
from allotment.dialects.auth0.shown import show_experiment
from allotment.dialects.auth0.variations import read_create_variation, show_variation
from allotment.dialects.wire.asked import Asked
from allotment.dialects.wire.given import Given
from allotment.dialects.wire.place import Place
from allotment.model.catalog import EMPTY, Catalog
from allotment.store.stored import Version

VERSION = Version(1, 0, 0)
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
BLOCKS = st.dictionaries(st.sampled_from(ATTRIBUTES), EXPRESSIONS, min_size=1, max_size=10)
RULES = st.fixed_dictionaries({}, optional={"match": BLOCKS, "not_match": BLOCKS}).filter(bool)


def asked(body: Any = None, **ids: str) -> Asked:
    return Asked(ids, Place({}, "query"), Place(body), Given(now=0, fresh=lambda size: "0f" * size))


def done(catalog: Catalog, commands: list[Command]) -> Catalog:
    return apply(catalog, commands, Policy.AUTH0).catalog


@given(st.lists(RULES, min_size=1, max_size=3))
def test_rules_come_back_as_they_were_sent(rules: list[Any]) -> None:
    assert show_rules(read_rules(Place(rules))) == rules


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
    catalog = done(EMPTY, read_create_flag(asked(body), EMPTY))
    (flag,) = catalog.flags.values()
    assert show_flag(flag, VERSION)["parameters"] == parameters
    overrides: dict[str, Any] = {}
    for name in data.draw(st.sets(st.sampled_from(sorted(parameters)))):
        value = data.draw(KINDS[parameters[name]["type"]])
        if value != parameters[name]["value"]:
            overrides[name] = {"value": value}
    ids = {"id": id_of("flag", flag.key)}
    body = {"name": "A variation", "overrides": overrides}
    catalog = done(catalog, read_create_variation(asked(body, **ids), catalog))
    (flag,) = catalog.flags.values()
    shown = show_variation(flag, flag.variations[-1], VERSION)
    assert shown["overrides"] == overrides
    assert read_update_flag(asked({"parameters": parameters}, **ids), catalog) == []


def office() -> Catalog:
    """A flag with four variations, and three segments."""
    parameters = {"size": {"type": "number", "value": 0}}
    body = {"name": "Flag", "parameters": parameters}
    catalog = done(EMPTY, read_create_flag(asked(body), EMPTY))
    for number in range(4):
        overrides = {"size": {"value": number}} if number else {}
        body = {"name": f"var {number}", "overrides": overrides}
        flag = id_of("flag", "flag")
        catalog = done(catalog, read_create_variation(asked(body, id=flag), catalog))
    for number in range(3):
        body = {"name": f"seg {number}", "rules": [{"match": {"region": [str(number)]}}]}
        catalog = done(catalog, read_create_segment(asked(body), catalog))
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
    return done(OFFICE, read_create_experiment(asked(body), OFFICE))


ONE = {"id": id_of("experiment", "one")}


@given(ITEMS)
def test_allocations_come_back_as_they_were_sent(asks: tuple[str, list[dict[str, Any]]]) -> None:
    strategy, items = asks
    catalog = create(items, strategy)
    shown = show_experiment(catalog.experiments["one"], catalog, VERSION)
    assert shown["allocation_strategy"] == strategy
    assert as_whole(sent(shown["allocations"], items), items) == items
    again = {"allocations": said(shown["allocations"])}
    assert read_update_experiment(asked(again, **ONE), catalog) == []


@given(ITEMS, st.data())
@settings(max_examples=60)
def test_allocations_that_replace_others_come_back_as_they_were_sent(
    asks: tuple[str, list[dict[str, Any]]], data: st.DataObject
) -> None:
    strategy, items = asks
    catalog = create(items, strategy)
    others = data.draw(BY_WEIGHT if strategy == "percentage" else by_segment())
    commands = read_update_experiment(asked({"allocations": others}, **ONE), catalog)
    catalog = done(catalog, commands)
    shown = show_experiment(catalog.experiments["one"], catalog, VERSION)
    assert as_whole(sent(shown["allocations"], others), others) == others
    fresh = create(others, strategy)
    alone = show_experiment(fresh.experiments["one"], fresh, VERSION)
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
    after = done(
        catalog, read_update_experiment(asked({"allocations": items(second)}, **ONE), catalog)
    )
    was, now = (each.experiments["one"].current.allocations[0].slots for each in (catalog, after))
    assert sorted(was) == sorted(now)
