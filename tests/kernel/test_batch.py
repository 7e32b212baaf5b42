"""The batch: `map` of the single call, whatever the plan, the threads and the number of rows."""

from __future__ import annotations

import itertools
import uuid
from collections import OrderedDict, UserDict, deque
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allotment.errors import InvalidInput
from allotment.kernel.batch import assign_columns
from allotment.kernel.idset import IdSet
from allotment.kernel.plan import Plan
from allotment.kernel.segment import Segment
from kernel.batching import (
    ALLOCATED,
    NO_UNIT,
    SWEDES,
    batched,
    in_sweden,
    plan_of,
    segment_where,
    singly,
)
from kernel.making import CLAUSE

BUCKETS = 1_000_000
UNITS = [f"user-{i}" for i in range(200)]
GROWN = segment_where(("age",), lambda value: type(value) is int and value >= 18)
LISTED = Segment(b"\0\0\0\1", [], [IdSet(UNITS[:20])], 0, 0)


@st.composite
def ranges(draw: st.DrawFn) -> list[tuple[int, int]]:
    """Ascending half-open ranges; some are many, so that long tables are looked up too."""
    most = draw(st.sampled_from([2, 6, 60]))
    edges = sorted(draw(st.sets(st.integers(0, BUCKETS), min_size=2, max_size=most)))
    pairs = list(itertools.pairwise(edges))
    return [pair for pair in pairs if draw(st.integers(0, 3))] or pairs[:1]


@st.composite
def slots(draw: st.DrawFn) -> list[tuple[int, int, int]]:
    return [(*pair, draw(st.integers(0, 2))) for pair in draw(ranges())]


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    segment = st.integers(-1, 2)
    bound = st.sampled_from([1, 300_000, 999_999])
    keys = st.lists(st.sampled_from(UNITS[:40]), unique=True, max_size=20)
    overridden = draw(keys)
    return plan_of(
        state=draw(st.sampled_from([0, 0, 0, 1, 2, 3, 4, 5])),
        treatments=("a", "b", "c"),
        overrides=draw(
            st.sampled_from([None, IdSet(overridden, [i % 3 for i in range(len(overridden))])])
        ),
        claims=draw(st.none() | st.builds(IdSet, keys)),
        holdout=draw(st.none() | st.tuples(st.just("h/holdout"), bound)),
        layer=draw(st.none() | st.tuples(st.just("l/layer"), ranges())),
        keeps=draw(st.booleans()),
        ignore_targeting=draw(st.booleans()),
        segments=(SWEDES, GROWN, LISTED),
        audience=draw(segment),
        enrolment=draw(st.none() | st.tuples(st.just("e/enrolment"), bound)),
        allocations=draw(st.lists(st.tuples(segment, slots()), max_size=4)),
        fallback=draw(st.none() | slots()),
    )


PEOPLE = [
    {"country": country, "age": age}
    for country, age in itertools.islice(
        itertools.cycle(itertools.product(["SE", "NO", None], [17, 18, None, 40])), len(UNITS)
    )
]


@given(plans(), st.lists(st.integers(-1, 5), min_size=200, max_size=200) | st.none())
def test_the_batch_is_the_single_call_of_every_unit(plan: Plan, stored: list[int] | None) -> None:
    kept = None if stored is None else np.array(stored, dtype=np.int16)
    known = None if stored is None else [k if k < 3 else -1 for k in stored]
    expected = singly(plan, UNITS, PEOPLE, known)
    assert batched(plan, UNITS, PEOPLE, kept) == expected
    columns = pa.Table.from_pylist(PEOPLE)
    assert batched(plan, pa.array(UNITS), columns, kept) == expected


@given(st.lists(plans(), max_size=5))
def test_plans_in_one_call_are_as_if_alone(several: list[Plan]) -> None:
    units, people = pa.array([*UNITS, None, ""]), [*PEOPLE, None, {}]
    together = assign_columns(several, units, people)
    for plan, (codes, reasons) in zip(several, together, strict=True):
        [(codes_alone, reasons_alone)] = assign_columns([plan], units, people)
        assert codes.tolist() == codes_alone.tolist()
        assert reasons.tolist() == reasons_alone.tolist()


def test_each_kind_of_unit_has_its_own_column() -> None:
    user = plan_of(segments=(LISTED,), audience=0)
    device = plan_of(unit="device", segments=(LISTED,), audience=0)
    nobody = plan_of(unit="account", segments=(LISTED,), audience=0)
    kinds = {"user": UNITS[:50], "device": pa.array(UNITS[::-1][:50]), "unused": [1] * 50}
    found = [
        list(zip(reasons.tolist(), codes.tolist(), strict=True))
        for codes, reasons in assign_columns([user, device, nobody], kinds)
    ]
    assert found[0] == singly(user, UNITS[:50])
    assert found[1] == singly(device, UNITS[::-1][:50])
    assert found[2] == [(NO_UNIT, -1)] * 50


def test_a_plain_column_serves_plans_of_every_kind() -> None:
    several = [plan_of(), plan_of(unit="device")]
    [(user, _), (device, _)] = assign_columns(several, UNITS)
    assert user.tolist() == device.tolist()


BY_KIND: list[Any] = [{"user": "a", "device": 7}, "b", {"device": "c"}, {}, None,
                      OrderedDict(user="d"), MappingProxyType({"user": "e", "device": "f"}),
                      {"user": {"user": "a"}}, UserDict(device=8)]  # fmt: skip


@pytest.mark.parametrize("form", [list, tuple, deque, lambda units: np.array(units, object)])
def test_a_list_of_mappings_names_each_unit_by_its_kind(form: Callable[..., object]) -> None:
    several = [plan_of(), plan_of(unit="device"), plan_of(unit="account")]
    for plan, (codes, reasons) in zip(several, assign_columns(several, form(BY_KIND)), strict=True):
        assert list(zip(reasons.tolist(), codes.tolist(), strict=True)) == singly(plan, BY_KIND)
        assert batched(plan, form(BY_KIND)) == singly(plan, BY_KIND)


def test_a_list_that_a_unit_shortens_is_refused() -> None:
    units: list[object] = []

    class Shrinking(Mapping[str, str]):
        def __getitem__(self, key: str) -> str:
            units.clear()
            return "a"

        __iter__ = __len__ = None  # type: ignore[assignment]

    units.extend(Shrinking() for _ in range(3_000))
    with pytest.raises(InvalidInput, match="became shorter"):
        batched(plan_of(), units)


@pytest.mark.parametrize("threads", [2, 3, 7])
@pytest.mark.parametrize("form", [list, pa.array, np.array], ids=["list", "arrow", "numpy"])
def test_threads_change_nothing(form: type, threads: int) -> None:
    units = form([f"user-{i}" for i in range(200_001)])
    country = form(["SE", "NO", "DE"] * 66_667)
    plan = plan_of(segments=(SWEDES,), audience=0, enrolment=("e/enrolment", 300_000))
    alone = assign_columns([plan], units, {"country": country})
    shared = assign_columns([plan], units, {"country": country}, None, threads)
    for one, other in zip(alone[0], shared[0], strict=True):
        assert np.array_equal(one, other)


def test_a_million_rows_in_every_form_agree_with_each_other_and_with_single_calls() -> None:
    ids = [
        str(uuid.UUID(int=k * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128)) for k in range(10**6)
    ]
    country = ["SE", "NO", "US", "DE"] * 250_000
    plan = plan_of(segments=(SWEDES,), allocations=[(0, [(0, 500_000, 0), (600_000, 900_000, 1)])])
    [(codes, reasons)] = assign_columns([plan], ids, {"country": country})
    arrow = pa.chunked_array([pa.array(ids[:333_333]), pa.array(ids[333_333:])])
    for units in (arrow, np.array(ids), np.array(ids, dtype="S")):
        [(same_codes, same_reasons)] = assign_columns(
            [plan], units, {"country": pa.array(country)}, None, 2
        )
        assert np.array_equal(codes, same_codes)
        assert np.array_equal(reasons, same_reasons)
    some = range(0, 10**6, 997)
    expected = singly(plan, [ids[k] for k in some], [{"country": country[k]} for k in some])
    assert expected == [(int(reasons[k]), int(codes[k])) for k in some]
    assert abs(int((reasons == ALLOCATED).sum()) - 200_000) < 2_000


@pytest.mark.parametrize("count", [1, 127, 128, 129, 1023, 1024, 1025, 16_383, 16_384, 16_385])
def test_the_edges_of_blocks_and_spans_lose_no_row(count: int) -> None:
    units = [f"user-{i}" for i in range(count)]
    plan = plan_of(enrolment=("e/enrolment", 500_000))
    expected = singly(plan, units)
    assert batched(plan, units) == expected
    assert batched(plan, pa.array(units)) == expected


def test_an_error_while_deciding_reaches_the_caller() -> None:
    def fails(value: object) -> bytes:
        raise KeyError(value)

    plan = plan_of(segments=(Segment(b"\0\0\0\0", [(("x",), fails)], [], 1, 0),), audience=0)
    assert CLAUSE == 0
    for column in (["a"] * 140_000, pa.array(["a"] * 140_000), [["a"]] * 140_000):
        for threads in (1, 2):
            with pytest.raises(KeyError):
                batched(plan, range(140_000), {"x": column}, threads=threads)


@pytest.mark.parametrize(
    ("plans", "units", "stored", "threads", "place"),
    [
        ([object()], ["a"], None, 1, "plans"),
        ([plan_of()], {}, None, 1, "units"),
        ([plan_of()], {"user": ["a"], "device": []}, None, 1, "units.device"),
        ([plan_of()], ["a"], None, 0, "threads"),
        ([plan_of()], ["a"], None, True, "threads"),
        ([plan_of()], ["a"], None, "2", "threads"),
        ([plan_of()], ["a"], [0], 1, "stored"),
        ([plan_of()], ["a"], np.array([0]), 1, "stored"),
        ([plan_of()], ["a"], np.array([0, 0], dtype=np.int16), 1, "stored"),
        ([plan_of(), plan_of()], ["a"], np.array([0], dtype=np.int16), 1, "stored"),
    ],
)
def test_an_argument_that_does_not_fit_is_refused_with_its_place(
    plans: list[Plan], units: object, stored: object, threads: int, place: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        assign_columns(plans, units, None, stored, threads)
    assert refusal.value.path == f"$.{place}"


def test_no_plans_have_no_columns() -> None:
    assert assign_columns([], ["a", "b"]) == []


def test_a_strided_column_of_stored_treatments_is_read_as_it_is() -> None:
    plan = plan_of(keeps=True)
    stored = np.array([1, 9, 0, 9, -1, 9], dtype=np.int16)[::2]
    assert batched(plan, UNITS[:3], None, stored) == singly(plan, UNITS[:3], None, [1, 0, -1])


def test_attributes_may_be_shared_by_plans_that_read_different_ones() -> None:
    swedes, grown = plan_of(segments=(SWEDES,), audience=0), plan_of(segments=(GROWN,), audience=0)
    again = plan_of(segments=(segment_where(("country",), in_sweden), GROWN), audience=0)
    found = assign_columns([swedes, grown, again], UNITS, pa.Table.from_pylist(PEOPLE))
    for plan, (codes, reasons) in zip([swedes, grown, again], found, strict=True):
        assert list(zip(reasons.tolist(), codes.tolist(), strict=True)) == singly(
            plan, UNITS, PEOPLE
        )
