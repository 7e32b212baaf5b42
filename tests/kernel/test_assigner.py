from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allotment.errors import InvalidInput
from allotment.kernel.answers import Answers
from allotment.kernel.assigner import Assigner
from allotment.kernel.digest import bucket, draw
from allotment.kernel.idset import IdSet
from allotment.kernel.plan import Plan
from allotment.kernel.segment import Segment
from allotment.model.assignment import REASONS
from kernel.making import (
    CLAUSE,
    HALVES,
    LIST,
    OR,
    assigner,
    keyed,
    make_plan,
    one_of,
    program,
    segment_in,
    units,
)

NAMES = tuple(REASONS)


def test_the_treatment_is_that_of_the_units_bucket() -> None:
    engine = assigner({"it": make_plan()})
    for unit in units(500):
        half = bucket(draw("s/treatment", unit)) >= 500_000
        assert engine.assign("it", unit) == ("source", NAMES.index("ALLOCATED"), half)


def test_an_integer_is_its_decimal_text() -> None:
    engine = assigner({"it": make_plan()})
    for number in (0, 1, -1, 10**9, 2**63 - 1, -(2**63), 2**63, 10**50, -(10**50)):
        assert engine.assign("it", number) == engine.assign("it", str(number))
    treatments = {engine.assign("it", number) for number in range(100)}
    assert len(treatments) == 2


def test_a_unit_key_has_one_to_1024_bytes() -> None:
    engine = assigner({"it": make_plan()})
    no_unit = ("source", NAMES.index("NO_UNIT"), -1)
    for good in ("x", "x" * 1024, "é" * 512, "\0", " x ", 10**1000):
        assert engine.assign("it", good) != no_unit
    for bad in ("", "x" * 1025, "é" * 513, "\ud800", 10**1024, 10**5000):
        assert engine.assign("it", bad) == no_unit
    others: list[Any] = [None, True, 1.0, b"\xff", object(), [], {}, {"user": None}, {"user": True}]
    for bad in others:
        assert engine.assign("it", bad) == no_unit


def test_an_unknown_experiment_is_answered_by_its_own_function() -> None:
    engine = assigner({"it": make_plan()})
    assert engine.assign("other", "u") == ("other", 0, -1)
    assert engine.trace("other", "u") is None
    not_text: Any = 7
    assert engine.assign(not_text, "u") == (7, 0, -1)


def test_a_stage_draws_by_its_own_salt() -> None:
    plan = make_plan(
        holdout=("h/holdout", 100_000),
        layer=("l/layer", [(0, 600_000)]),
        enrolment=("e/enrolment", 500_000),
    )
    engine = assigner({"it": plan})
    for unit in units(2000):
        if bucket(draw("h/holdout", unit)) < 100_000:
            name = "HELD_OUT"
        elif bucket(draw("l/layer", unit)) >= 600_000:
            name = "NOT_IN_LAYER"
        elif bucket(draw("e/enrolment", unit)) >= 500_000:
            name = "NOT_ENROLLED"
        else:
            name = "ALLOCATED"
        found: Any = engine.assign("it", unit)
        assert NAMES[found[1]] == name


def test_the_trace_tells_every_check_and_the_one_that_decided() -> None:
    plan = make_plan(
        segments=(segment_in("country", "SE"),),
        enrolment=("e/enrolment", 400_000),
        allocations=[(0, HALVES)],
        fallback=HALVES[:1],
    )
    trace = assigner({"it": plan}).trace("it", "u", {"country": "NO"})
    assert trace is not None
    stages = {name: rest for name, *rest in trace["stages"]}
    enrolment = draw("e/enrolment", "u")
    ranges = "[0, 400000) in, [400000, 1000000) out"
    assert stages["enrolment"][:5] == [True, enrolment, bucket(enrolment), 1_000_000, ranges]
    assert stages["treatment"][4] == "[0, 500000) a, [500000, 1000000) out"
    assert not stages["holdout"][0]
    assert (trace["members"], trace["pick"]) == ([False], 1)
    decided = [name for name, *_, decided in trace["stages"] if decided]
    assert decided == ["enrolment" if bucket(enrolment) >= 400_000 else "treatment"]


def test_the_trace_of_no_unit_says_so() -> None:
    trace = assigner({"it": make_plan()}).trace("it", "")
    assert trace is not None
    assert trace["outcome"] == (NAMES.index("NO_UNIT"), -1)
    assert [name for name, *_, decided in trace["stages"] if decided] == ["unit"]


segments = st.sampled_from(
    [
        segment_in("country", "SE", "NO"),
        segment_in("country", "NO"),
        segment_in("age", 30, 40),
        Segment(
            program((CLAUSE, 0), (LIST, 0), (OR, 2)), [(("age",), one_of(30))], [IdSet("abc")], 1, 0
        ),
    ]
)
bounds = st.integers(0, 1_000_000)


@st.composite
def slots(make: st.DrawFn) -> list[tuple[int, int, int]]:
    edges = sorted(make(st.lists(bounds, unique=True, max_size=8)))
    pairs = list(zip(edges[::2], edges[1::2], strict=False))
    return [(start, stop, make(st.integers(0, 1))) for start, stop in pairs]


@st.composite
def plans(make: st.DrawFn) -> Plan:
    chosen = make(st.lists(segments, max_size=3))
    index = st.integers(-1, len(chosen) - 1)
    salt = make(st.sampled_from("xyz"))
    layer = [(start, stop) for start, stop, _ in make(slots())]
    return make_plan(
        state=make(st.sampled_from([0, 0, 0, 0, 1, 2, 3, 4, 5])),
        unit=make(st.sampled_from(["user", "device"])),
        overrides=make(st.sampled_from([None, IdSet(["a", "b"], [0, 1])])),
        claims=make(st.sampled_from([None, IdSet(["c"])])),
        holdout=make(st.none() | st.tuples(st.just("h"), bounds)),
        layer=make(st.sampled_from([None, ("l", layer)])),
        segments=tuple(chosen),
        audience=make(index),
        enrolment=make(st.none() | st.tuples(st.just(f"{salt}/enrolment"), bounds)),
        treatment=f"{salt}/treatment",
        allocations=make(st.lists(st.tuples(index, slots()), max_size=4)),
        fallback=make(st.none() | slots()),
    )


unit_keys = st.sampled_from(["a", "b", "c", "d", "", "\ud800", 7]) | st.text(max_size=5)
any_units = unit_keys | st.dictionaries(st.sampled_from(["user", "device"]), unit_keys)
attributes = st.none() | st.fixed_dictionaries(
    {},
    optional={
        "country": st.sampled_from(["SE", "NO", None, 3, "\ud800"]) | st.lists(st.just("SE")),
        "age": st.sampled_from([30, 30.0, "30", None, True]),
    },
)


@given(st.lists(plans(), max_size=12), st.lists(st.tuples(any_units, attributes), max_size=5))
def test_all_experiments_at_once_are_each_experiment_alone(
    made: list[Plan], asked: list[tuple[Any, Any]]
) -> None:
    engine = assigner({f"exp-{i}": plan for i, plan in enumerate(made)})
    for unit, known in asked:
        answers = engine.assign_all(unit, known)
        alone = {key: engine.assign(key, unit, known) for key in answers}
        assert dict(answers) == alone
        assert len(alone) == len(made)


@given(plans(), any_units, attributes, st.sampled_from([None, "a", "b", "c"]))
def test_the_trace_is_of_the_assignment(plan: Plan, unit: Any, known: Any, stored: Any) -> None:
    engine = assigner({"it": plan})
    trace = engine.trace("it", unit, known, stored)
    assert trace is not None
    found: Any = engine.assign("it", unit, known, stored)
    assert trace["outcome"] == found[1:]


def test_answers_are_a_mapping_in_the_order_of_the_keys() -> None:
    engine = assigner({key: make_plan(source=key) for key in ("b", "c", "a")})
    answers = engine.assign_all("u")
    assert isinstance(answers, Mapping)
    assert list(answers) == list(answers.keys()) == ["a", "b", "c"]
    assert len(answers) == 3
    assert "a" in answers
    assert "d" not in answers
    assert answers == {key: engine.assign(key, "u") for key in "abc"}
    assert answers != {}
    assert dict(answers.items()) == dict(zip("abc", answers.values(), strict=True))
    assert answers.get("a") == answers["a"]
    assert answers.get("d", 7) == 7
    with pytest.raises(KeyError, match="d"):
        answers["d"]
    with pytest.raises(TypeError):
        hash(answers)


def test_answers_stay_those_of_the_snapshot_they_were_given_under() -> None:
    engine = assigner({"it": make_plan()})
    before = engine.assign_all("u")
    engine.publish_plans(keyed({"it": make_plan(state=3), "new": make_plan()}))
    assert list(before) == ["it"]
    assert before["it"] == assigner({"it": make_plan()}).assign("it", "u")
    assert engine.assign_all("u")["it"] == ("source", NAMES.index("INACTIVE"), -1)


def test_a_name_that_asked_before_finds_what_is_published_now() -> None:
    engine = assigner({"it": make_plan()})
    name = "it"
    first = engine.assign(name, "u")
    assert engine.assign(name, "u") is first
    engine.publish_plans(keyed({"it": make_plan(state=3)}))
    assert engine.assign(name, "u") == ("source", NAMES.index("INACTIVE"), -1)
    engine.publish_plans(keyed({}))
    assert engine.assign(name, "u") == ("it", 0, -1)


def test_every_way_of_calling_gives_one_answer() -> None:
    plans = {"it": make_plan(segments=(segment_in("country", "SE"),), audience=0, keeps=True)}
    engine = assigner(plans)
    known = {"country": "SE"}
    for unit in units(50):
        answer = engine.assign("it", unit, known)
        assert engine.assign("it", unit, known, None) is answer
        assert engine.assign("it", unit, attributes=known) is answer
        assert engine.assign(attributes=known, unit=unit, experiment="it") is answer
        assert Assigner.assign(engine, "it", unit, known) is answer
        assert engine.assign("it", unit) is engine.assign("it", unit, None)
        assert engine.assign("it", unit, known, "b") is engine.assign("it", unit, known, stored="b")
    for wrong in ((), ("it",), ("it", "u", known, None, None)):
        with pytest.raises(TypeError, match="assign"):
            engine.assign(*wrong)
    with pytest.raises(TypeError):
        Assigner.assign(object(), "it", "u", known)  # type: ignore[arg-type]
    with pytest.raises(InvalidInput):
        engine.assign("it", "u", 3)


def test_equal_names_find_one_plan_however_many_objects_they_are() -> None:
    plans = {f"exp-{i}": make_plan(source=i) for i in range(300)}
    engine = assigner(plans)
    for _ in range(2):
        for i in range(300):
            assert engine.assign(f"exp-{i}", "u")[0] == i
    held = [f"exp-{i}" for i in range(300)]
    for _ in range(2):
        assert [engine.assign(name, "u")[0] for name in held] == list(range(300))


def test_answers_that_no_call_made_are_of_no_experiment() -> None:
    assert dict(Answers()) == {}
    assert Answers().json(str.encode) == b"{}"


def test_the_text_of_an_answer_is_made_once() -> None:
    engine = assigner({"b": make_plan(source="b"), "a": make_plan(source="a", treatment="s/x")})
    written: list[object] = []

    def write(answer: tuple[str, int, int]) -> bytes:
        written.append(answer)
        return b"%b%d" % (answer[0].encode(), answer[2])

    for unit in units(200):
        answers = engine.assign_all(unit)
        expected = b",".join(b"%b%d" % (key.encode(), each[2]) for key, each in answers.items())
        assert answers.json(write) == b"{%b}" % expected
    assert len(written) == 4
    assert engine.assign_all("u").json(lambda _: b"") == b"{,}"
    with pytest.raises(InvalidInput, match="bytes, not str"):
        engine.assign_all("u").json(repr)


def test_a_text_that_asks_for_others_while_it_is_made_is_no_matter() -> None:
    engine = assigner({f"exp-{i}": make_plan(treatment=f"s/{i}") for i in range(20)})

    def other(answer: object) -> bytes:
        return b"other"

    def write(answer: tuple[str, int, int]) -> bytes:
        assert engine.assign_all("u").json(other).count(b"other") == 20
        return b"own"

    for unit in units(5):
        assert engine.assign_all(unit).json(write) == b"{%b}" % b",".join([b"own"] * 20)


def test_an_empty_assigner_has_no_answers() -> None:
    engine = Assigner(lambda experiment: None)
    assert engine.assign("it", "u") is None
    assert dict(engine.assign_all("u")) == {}


def test_each_kind_of_unit_draws_for_its_own_experiments() -> None:
    made = {
        f"{kind}-{i}": make_plan(unit=kind, treatment=f"{i}") for i in range(9) for kind in "xyz"
    }
    engine = assigner(made)
    unit: dict[str, str | int] = {"x": "u1", "z": 12}
    answers = engine.assign_all(unit)
    for key, found in answers.items():
        if key.startswith("y"):
            assert found == ("source", NAMES.index("NO_UNIT"), -1)
        else:
            assert found == engine.assign(key, unit[key[0]])


class Lazy(Mapping[str, object]):
    """Attributes that are computed when they are asked for."""

    def __getitem__(self, key: str) -> object:
        return {"country": "SE"}[key]

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[str]:
        yield "country"


def test_any_mapping_serves_as_attributes_and_nothing_else_does() -> None:
    engine = assigner({"it": make_plan(segments=(segment_in("country", "SE"),), audience=0)})
    assert engine.assign("it", "u", Lazy()) == engine.assign("it", "u", {"country": "SE"})
    wrong: Any = [("country", "SE")]
    with pytest.raises(InvalidInput, match="mapping"):
        engine.assign("it", "u", wrong)


@pytest.mark.parametrize("shards", [(), ({},) * 255, [{}] * 256, (1,) * 256])
def test_what_is_no_256_shards_is_not_published(shards: Any) -> None:
    engine = assigner({"it": make_plan()})
    plans: Any = keyed({})
    plans.shards = shards
    with pytest.raises(InvalidInput):
        engine.publish_plans(plans)
    assert engine.assign("it", "u") == assigner({"it": make_plan()}).assign("it", "u")


def test_a_call_sees_one_snapshot_while_others_publish() -> None:
    engine = Assigner(lambda experiment: None)
    snapshots = [
        keyed({f"exp-{i}": make_plan(source=mark) for i in range(50)}) for mark in ("old", "new")
    ]
    engine.publish_plans(snapshots[0])
    stop = threading.Event()

    def publish() -> None:
        turn = 0
        while not stop.is_set():
            turn ^= 1
            engine.publish_plans(snapshots[turn])

    thread = threading.Thread(target=publish)
    thread.start()
    try:
        for _ in range(300):
            answers: list[Any] = list(engine.assign_all("u").values())
            assert len({source for source, *_ in answers}) == 1
    finally:
        stop.set()
        thread.join()
