from __future__ import annotations

import sys
from typing import Any, NoReturn

import numpy as np
import pytest

from allotment.kernel.assigner import Assigner
from allotment.model.assignment import REASONS
from kernel.making import HALVES, assigner, make_plan, outcome, segment_in

NAMES = [str(reason) for reason in REASONS]
NO_UNIT = ("source", NAMES.index("NO_UNIT"), -1)


class Refuses(Exception):
    """Raised by everything hostile here."""


def refuse(*_: object) -> NoReturn:
    raise Refuses


class HostileText(str):
    __slots__ = ()
    __eq__ = __hash__ = __str__ = __len__ = __iter__ = __getitem__ = encode = refuse


class HostileInteger(int):
    __eq__ = __hash__ = __str__ = __repr__ = __index__ = __int__ = __pos__ = __add__ = refuse


class HostileFloat(float):
    __eq__ = __hash__ = __float__ = __repr__ = refuse


class HostileList(list[object]):
    __iter__ = __len__ = __getitem__ = refuse  # type: ignore[assignment]


class HostileTuple(tuple[object, ...]):
    __slots__ = ()
    __iter__ = __len__ = __getitem__ = refuse  # type: ignore[assignment]


class HostileObject:
    __eq__ = __hash__ = __bool__ = __index__ = __float__ = __iter__ = refuse


class HostileKey:
    """As a key of a dict it has the hash of "country", and comparing it raises."""

    def __hash__(self) -> int:
        return hash("country")

    __eq__ = refuse  # type: ignore[assignment]


class HostileDict(dict[str, object]):
    __getitem__ = get = __contains__ = keys = __iter__ = refuse  # type: ignore[assignment]


@pytest.fixture
def engine() -> Assigner:
    targeted = make_plan(segments=(segment_in("country", "SE", 1, 2.5),), allocations=[(0, HALVES)])
    return assigner({"exp": targeted})


def both(engine: Assigner, unit: Any, attributes: Any) -> Any:
    """The answer, which the call for all experiments gives as well."""
    answer = engine.assign("exp", unit, attributes)
    assert engine.assign_all(unit, attributes)["exp"] is answer
    return answer


def test_subclasses_count_as_what_they_are_underneath(engine: Assigner) -> None:
    for value, plain in (
        (HostileText("SE"), "SE"),
        (HostileInteger(1), 1),
        (HostileFloat(2.5), 2.5),
        (np.str_("SE"), "SE"),
        (np.float64(2.5), 2.5),
        (np.int32(1), 1),
        (HostileList(["SE"]), "SE"),
        (HostileTuple(["x", HostileText("SE")]), "SE"),
    ):
        served = both(engine, "u", {"country": plain})
        assert served[1] == NAMES.index("ALLOCATED")
        assert both(engine, "u", {"country": value}) is served
        assert both(engine, "u", HostileDict(country=value)) is served


def test_subclasses_of_unit_keys_count_as_what_they_are_underneath(engine: Assigner) -> None:
    home = {"country": "SE"}
    assert both(engine, HostileText("u"), home) is both(engine, "u", home)
    assert both(engine, HostileInteger(7), home) is both(engine, 7, home)
    assert both(engine, HostileInteger(10**40), home) is both(engine, 10**40, home)
    assert both(engine, HostileText(""), home) == NO_UNIT
    assert engine.assign(HostileText("exp"), "u", home) is both(engine, "u", home)


def test_a_lone_surrogate_is_no_unit_and_no_member(engine: Assigner) -> None:
    assert both(engine, "\ud800", {"country": "SE"}) == NO_UNIT
    assert both(engine, "u", {"country": "\udfff"}) is both(engine, "u", {"country": "NO"})
    assert engine.assign("\ud800", "u") == ("\ud800", 0, -1)


@pytest.mark.parametrize(
    "value",
    [
        None,
        HostileObject(),
        [HostileObject(), None, float("nan")],
        {"SE": 1},
        b"\xff",
        float("nan"),
        float("inf"),
        10**5000,
        "\0",
        "SE" * 100_000,
        [[["SE"]]],
        type,
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_no_clause_can_read_matches_nothing(engine: Assigner, value: object) -> None:
    assert both(engine, "u", {"country": value}) is both(engine, "u", {"country": "NO"})


def test_a_hostile_key_in_the_attributes_counts_as_absent(engine: Assigner) -> None:
    known: Any = {HostileKey(): "SE"}
    assert both(engine, "u", known) is both(engine, "u", {})


def test_a_hostile_mapping_has_no_units_and_no_attributes(engine: Assigner) -> None:
    hostile: Any = HostileDict(user="u")
    assert both(engine, hostile, {"country": "SE"}) == NO_UNIT


def test_an_interrupt_is_not_swallowed(engine: Assigner) -> None:
    class Interrupting:
        def __hash__(self) -> int:
            return hash("country")

        def __eq__(self, other: object) -> bool:
            raise KeyboardInterrupt

    known: Any = {Interrupting(): "SE"}
    with pytest.raises(KeyboardInterrupt):
        engine.assign("exp", "u", known)


def test_attributes_that_change_under_the_call_do_no_harm() -> None:
    known: dict[str, Any] = {"country": []}

    def decide(value: object) -> bytes:
        known["country"].clear()
        known.clear()
        known["country"] = []
        return bytes(8)

    segment = segment_in("country", "SE")
    made = type(segment)(b"\0\0\0\0", [(("country",), decide)], [], 1, 0)
    engine = assigner({"exp": make_plan(segments=(made,), audience=0)})
    for i in range(100):
        known["country"] = [f"{i} {j}" for j in range(20)]
        engine.assign("exp", "u", known)
        known["country"] = [object() for j in range(20)]
        engine.assign_all("u", known)


def test_deeply_nested_attributes_are_walked_by_path_alone() -> None:
    path = tuple("abcdefgh")
    segment = type(segment_in("x"))(
        b"\0\0\0\0", [(path, lambda value: (value == 1).to_bytes(8, "little"))], [], 1, 0
    )
    plan = make_plan(segments=(segment,), audience=0)
    for leaf, reason in ((1, "ALLOCATED"), (2, "NOT_IN_AUDIENCE"), (None, "NOT_IN_AUDIENCE")):
        known: Any = leaf
        for key in reversed(path):
            known = HostileDict({key: known})
        assert outcome(plan, "u", known)[0] == NAMES.index(reason)
    known["a"] = [1]
    assert outcome(plan, "u", known)[0] == NAMES.index("NOT_IN_AUDIENCE")


def test_no_reference_is_lost_or_kept_over_many_calls(engine: Assigner) -> None:
    country, unit, other = "S" + "E", "unit-" + "1", ["x", "y"]
    known: dict[str, object] = {"country": country, "other": other}
    listed: dict[str, object] = {"country": [country, 1, None]}
    watched = [country, unit, other, known, listed, engine]
    calls = (
        lambda: engine.assign("exp", unit, known),
        lambda: engine.assign("exp", {"user": unit}, listed),
        lambda: engine.assign_all(unit, known),
        lambda: engine.assign("none", unit, known),
        lambda: engine.assign("exp", "\ud800", known),
        lambda: engine.trace("exp", unit, known),
    )
    for call in calls:
        call()
    before = [sys.getrefcount(value) for value in watched]
    blocks = sys.getallocatedblocks()
    for call in calls:
        for _ in range(20_000):
            call()
    assert [sys.getrefcount(value) for value in watched] == before
    assert sys.getallocatedblocks() - blocks < 200
