"""What each part of the format means."""

import pytest

from allotment.dialects.catalogfile import read_target
from allotment.errors import InvalidInput
from allotment.model.catalog import Catalog
from allotment.model.experiment import Allocation, Iteration, State, Treatment
from allotment.model.flag import FlagExperiment, FlagState, Miss, Variation
from allotment.model.layer import Holdout, Reservation
from allotment.model.segment import (
    AllOf,
    AnyOf,
    Clause,
    Condition,
    InSegment,
    Not,
    Operator,
    Sample,
)
from allotment.model.slots import Range, Slot


def target(text: str) -> Catalog:
    return read_target("allotment: 1\n" + text)


def condition(text: str) -> Condition:
    catalog = target(f"segments: {{vip: {{}}, s: {{rules: [{text}]}}}}")
    return catalog.segments["s"].rules[0]


def allocation(text: str) -> Allocation:
    return iteration(f"treatments: {{a: {{}}, b: {{}}}}, allocations: [{text}]").allocations[0]


def iteration(text: str) -> Iteration:
    catalog = target(f"segments: {{vip: {{}}}}\nexperiments: {{e: {{{text}}}}}")
    return catalog.experiments["e"].current


EXPERIMENT = "{treatments: {a: {}}, allocations: [{weights: {a: 100}}]}"


def test_the_least_catalog_is_its_version() -> None:
    assert read_target("allotment: 1") == Catalog()


def test_a_sample_is_a_share_of_its_own_draw_or_of_a_layer() -> None:
    segments = target(
        "segments: {own: {sample: {share: 5%}}, "
        "its: {sample: {share: 0.0002%, layer: l, tags: [b, a], ranges: [[3, 5]]}}}"
    ).segments
    assert segments["own"].sample == Sample(50_000)
    assert segments["its"].sample == Sample(2, "l", ("a", "b"), ranges=(Range(3, 5),))


def test_the_space_keeps_what_the_file_keeps_at_the_top() -> None:
    assert target("kept: {launchdarkly/x: [1]}").kept == (("launchdarkly/x", "[1]"),)


# Flags.


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ('"#00f"', '"#00f"'),
        ("NO", '"NO"'),
        ("1", "1"),
        ("1.0", "1.0"),
        ("true", "true"),
        ("null", "null"),
        ("[1, {a: é}]", '[1,{"a":"é"}]'),
        ("{value: {b: 1, a: 2}}", '{"b":1,"a":2}'),
        ("{json: '{\"b\": 1.50}'}", '{"b": 1.50}'),
    ],
)
def test_a_variation_is_kept_as_json_text(written: str, value: str) -> None:
    flags = target(f"flags: {{f: {{default: v, variations: {{v: {written}}}}}}}").flags
    assert flags["f"].variations == (Variation("v", value),)


def test_a_flag_names_its_experiments_in_order() -> None:
    flag = target(
        "flags: {f: {default: v, state: off, variations: {v: {value: 1, name: One}},"
        f" experiments: [e, {{experiment: d, miss: stop}}]}}}}\n"
        f"experiments: {{d: {EXPERIMENT}, e: {EXPERIMENT}}}"
    ).flags["f"]
    assert flag.variations == (Variation("v", "1", "One"),)
    assert flag.experiments == (FlagExperiment("e"), FlagExperiment("d", Miss.STOP))
    assert flag.state is FlagState.OFF


# Segments.


@pytest.mark.parametrize("operator", [o for o in Operator if o is not Operator.EXISTS])
def test_every_comparison_has_its_word(operator: Operator) -> None:
    assert condition(f"{{attribute: a, {operator}: '1'}}") == Clause(("a",), operator, ("1",))
    several = condition(f"{{attribute: a, {operator}: ['1', '2']}}")
    assert several == Clause(("a",), operator, ("1", "2"))


def test_equals_is_in_with_one_value() -> None:
    assert condition("{attribute: a, equals: 1}") == Clause(("a",), Operator.IN, (1,))


def test_exists_may_be_denied() -> None:
    exists = Clause(("a",), Operator.EXISTS)
    assert condition("{attribute: a, exists: true}") == exists
    assert condition("{attribute: a, exists: false}") == Not(exists)


def test_values_keep_their_types() -> None:
    clause = condition("{attribute: a, in: [1, 1.0, true, '1', NO]}")
    assert isinstance(clause, Clause)
    assert [(type(value), value) for value in clause.values] == [
        (int, 1),
        (float, 1.0),
        (bool, True),
        (str, "1"),
        (str, "NO"),
    ]


@pytest.mark.parametrize(
    ("written", "path"),
    [("a", ("a",)), ("a.b", ("a", "b")), ("[a, b.c]", ("a", "b.c")), ("1", None)],
)
def test_an_attribute_is_a_path(written: str, path: tuple[str, ...] | None) -> None:
    if path is None:
        with pytest.raises(InvalidInput, match="in quotes"):
            condition(f"{{attribute: {written}, exists: true}}")
    else:
        assert condition(f"{{attribute: {written}, equals: 1}}") == Clause(path, Operator.IN, (1,))


def test_conditions_nest() -> None:
    assert condition("{all: [{any: []}, {not: {segment: vip}}]}") == AllOf(
        (AnyOf(()), Not(InSegment("vip")))
    )


@pytest.mark.parametrize("file", [b"a\rb\rc", b"a\r", b"a\r\nb\rc\r\n"])
def test_a_lone_carriage_return_in_a_list_is_refused(file: bytes) -> None:
    text = "allotment: 1\nsegments: {s: {include: {file: ids.txt}}}"
    with pytest.raises(InvalidInput, match="holds a carriage return: a line ends in LF or CRLF"):
        read_target(text, lambda _: file)
    with pytest.raises(InvalidInput, match="line 1 holds a carriage return"):
        read_target('allotment: 1\nsegments: {s: {include: "a\\rb\\nc"}}', None)


@pytest.mark.parametrize("written", ["[b, a, b]", '"a\\nb\\n"', '"b\\r\\na"', "{file: ids.txt}"])
def test_ids_come_as_a_list_as_lines_or_from_a_file(written: str) -> None:
    text = f"allotment: 1\nsegments: {{s: {{include: {written}}}}}"
    catalog = read_target(text, {"ids.txt": b"\xef\xbb\xbfb\na\n"}.__getitem__)
    assert list(catalog.segments["s"].include) == ["a", "b"]


def test_an_id_in_a_file_is_refused_with_its_line() -> None:
    text = "allotment: 1\nsegments: {s: {include: {file: ids.txt}}}"
    with pytest.raises(InvalidInput, match="line 2 is empty") as caught:
        read_target(text, lambda _: b"a\n\nb\n")
    assert caught.value.path == "$.segments.s.include.file"


def test_a_list_that_cannot_be_read_is_refused_where_it_is_named() -> None:
    def lists(name: str) -> bytes:
        raise InvalidInput(f"there is no {name}")

    with pytest.raises(InvalidInput, match=r"there is no ids\.txt") as caught:
        read_target("allotment: 1\nsegments: {s: {exclude: {file: ids.txt}}}", lists)
    assert caught.value.path == "$.segments.s.exclude.file"


def test_a_list_in_another_encoding_is_refused() -> None:
    with pytest.raises(InvalidInput, match="not UTF-8"):
        read_target("allotment: 1\nsegments: {s: {exclude: {file: f}}}", lambda _: b"\xff")


# Layers and holdouts.


def test_a_reservation_is_a_share_or_ranges() -> None:
    catalog = target(
        "layers: {l: {reservations: {e: 12.5%, d: [[0, 10], [20, 30]]}}}\n"
        f"experiments: {{d: {EXPERIMENT}, e: {EXPERIMENT}}}"
    )
    assert catalog.layers["l"].reservations == (
        Reservation("d", (Range(0, 10), Range(20, 30))),
        Reservation("e", (), 125_000),
    )
    assert catalog.experiments["e"].layer == "l"


def test_a_holdout_has_a_share() -> None:
    assert target("holdouts: {h: {share: 0.5%, unit: device}}").holdouts["h"] == Holdout(
        "h", "", 5_000, unit="device"
    )


# Experiments.


def test_an_iteration_has_the_usual_fields() -> None:
    assert iteration(
        "state: paused, salt: s, audience: vip, enrolment: 0.0001%, reshuffle: true,"
        "treatments: {b: {name: B}, a: {control: true}}, allocations: [{weights: {a: 1, b: 99}}],"
        "justification: why, winner: a, winning_reason: won"
    ) == Iteration(
        number=1,
        treatments=(Treatment("b", "B"), Treatment("a")),
        allocations=(Allocation("everyone", (("a", 1), ("b", 99)), 100),),
        state=State.PAUSED,
        salt="s",
        control="a",
        audience="vip",
        enrolment_ppm=1,
        reshuffle=True,
        justification="why",
        winner="a",
        winning_reason="won",
    )


def test_a_treatment_sets_flags_in_the_order_of_their_keys() -> None:
    catalog = target(
        "flags: {g: {default: v, variations: {v: 1}}, f: {default: v, variations: {v: 1}}}\n"
        "experiments: {e: {treatments: {a: {sets: {g: v, f: v}}},"
        " allocations: [{weights: {a: 100}}]}}"
    )
    (treatment,) = catalog.experiments["e"].current.treatments
    assert treatment.sets == (("f", "v"), ("g", "v"))


@pytest.mark.parametrize(
    ("written", "parts", "total"),
    [
        ("weights: {a: 50, b: 50}", (50, 50), 100),
        ("weights: {a: 33.5, b: 66.5}", (335, 665), 1000),
        ("weights: {a: 0.1, b: 0.2}, of: 0.3", (1, 2), 3),
        ("weights: {a: 1, b: 2}, of: 3", (1, 2), 3),
        ("weights: {a: 500, b: 500}, of: 1000", (500, 500), 1000),
        ("weights: {a: 0, b: 30}, gap: 70", (0, 30), 100),
        ("weights: {a: 1e1, b: 90}", (10, 90), 100),
        ("weights: {b: 1, a: 10000000000000}, of: 10000000000001", (1, 10**13), 10**13 + 1),
    ],
)
def test_weights_are_exact_parts(written: str, parts: tuple[int, ...], total: int) -> None:
    found = allocation(f"{{{written}}}")
    assert ([found.total, *dict(found.weights).values()]) == [total, *parts]


def test_a_treatment_may_have_no_weight() -> None:
    assert allocation("{weights: {b: 100}}").weights == (("b", 100),)


def test_allocations_are_asked_in_the_order_of_the_file() -> None:
    found = iteration(
        "treatments: {a: {}}, allocations: ["
        "{fallback: true, weights: {a: 100}}, {segment: vip, weights: {a: 100}},"
        "{weights: {a: 100}}, {key: last, priority: 9, weights: {a: 100}}]"
    ).allocations
    assert [(each.key, each.priority, each.fallback) for each in found] == [
        ("fallback", 0, True),
        ("vip", 1, False),
        ("everyone", 2, False),
        ("last", 9, False),
    ]


def test_slots_may_be_given() -> None:
    found = allocation("{weights: {a: 50}, gap: 50, slots: [[0, 400000, a], [500000, 600000, a]]}")
    assert found.slots == (Slot(0, 400_000, "a"), Slot(500_000, 600_000, "a"))


def dealing(*weights: str) -> str:
    """Experiments e0, e1 ... with such weights."""
    dealt = (
        f"treatments: {{a: {{}}, b: {{}}}}, allocations: [{{weights: {{{w}}}}}]" for w in weights
    )
    return f"experiments: {{{', '.join(f'e{i}: {{{each}}}' for i, each in enumerate(dealt))}}}"


def test_experiments_that_deal_alike_share_what_was_read() -> None:
    read = target(dealing("a: 100", "a: 100", "a: 100.0", "b: 100", "a: 100")).experiments
    one, same, spelled, other, last = (read[f"e{i}"].current for i in range(5))
    assert one.allocations is same.allocations is last.allocations
    assert one.treatments is other.treatments
    assert one.allocations == spelled.allocations != other.allocations


def test_what_is_read_once_is_refused_where_it_stands() -> None:
    with pytest.raises(InvalidInput) as refusal:
        target(dealing("a: 100", "a: 9", "a: 9", "a: 100"))
    assert refusal.value.path == "$.experiments.e1.allocations[0].weights"


def test_overrides_are_sorted_by_unit() -> None:
    catalog = target(
        "experiments: {e: {overrides: {u2: a, 10: a}, treatments: {a: {}},"
        " allocations: [{weights: {a: 100}}]}}"
    )
    assert catalog.experiments["e"].overrides == (("10", "a"), ("u2", "a"))


# What is kept.


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("all", '"all"'),
        ("[1, {a: 2}]", '[1,{"a":2}]'),
        ("null", "null"),
        ("{value: {json: 1}}", '{"json":1}'),
        ("{json: '{ }'}", "{ }"),
    ],
)
def test_every_noun_keeps_json_text_by_path(written: str, value: str) -> None:
    kept = f"kept: {{b/x: {written}, a/y.z/w: 1}}"
    catalog = target(
        f"flags: {{f: {{default: v, variations: {{v: 1}}, {kept}}}}}\n"
        f"segments: {{s: {{{kept}}}}}\n"
        f"layers: {{l: {{{kept}}}}}\n"
        f"holdouts: {{h: {{share: 1%, {kept}}}}}\n"
        f"experiments: {{e: {{treatments: {{}}, allocations: [], {kept}}}}}"
    )
    nouns = (catalog.flags["f"], catalog.segments["s"], catalog.layers["l"], catalog.holdouts["h"])
    for noun in (*nouns, catalog.experiments["e"]):
        assert noun.kept == (("a/y.z/w", "1"), ("b/x", value))


# Unfinished drafts.


def test_a_draft_may_have_neither_treatments_nor_allocations() -> None:
    assert iteration("treatments: {}, allocations: []") == Iteration(1, (), ())


def test_an_excess_is_weights_above_their_total() -> None:
    found = allocation("{weights: {a: 80, b: 40.5}, excess: 20.5}")
    assert (found.weights, found.total) == ((("a", 800), ("b", 405)), 1000)
    assert allocation("{weights: {a: 4}, excess: 1, of: 3}").total == 3
    assert allocation("{weights: {a: 100}, excess: 0, gap: 0}").total == 100


# Times.


def test_times_are_read_in_any_zone() -> None:
    found = iteration(
        "state: stopped, started_at: 1970-01-01T01:00:00.005+01:00, ended_at: 1970-01-01T00:00:01Z,"
        " treatments: {a: {}}, allocations: [{weights: {a: 100}}]"
    )
    assert (found.started_at, found.ended_at) == (5, 1000)


RAN = "treatments: {a: {}}, allocations: [{weights: {a: 100}}]"


@pytest.mark.parametrize(
    ("had", "wanted", "times"),
    [
        ("running", "running", (5, None)),
        ("running", "paused", (5, None)),
        ("running", "stopped", (5, None)),
        ("stopped", "stopped", (5, 7)),
        ("stopped", "running", (None, None)),
        ("stopped", "draft", (None, None)),
    ],
)
def test_a_file_by_hand_leaves_times_as_they_are(
    had: str, wanted: str, times: tuple[int | None, int | None]
) -> None:
    ended = ", ended_at: 1970-01-01T00:00:00.007Z" if had == "stopped" else ""
    there = target(
        f"experiments: {{e: {{state: {had}, started_at: 1970-01-01T00:00:00.005Z{ended}, {RAN}}}}}"
    )
    text = f"allotment: 1\nexperiments: {{e: {{state: {wanted}, {RAN}}}}}"
    found = read_target(text, None, there).experiments["e"].iterations[-1]
    assert (found.started_at, found.ended_at) == times


def test_a_file_with_numbers_says_all_times() -> None:
    there = target(
        f"experiments: {{e: {{state: running, started_at: 2026-01-01T00:00:00Z, {RAN}}}}}"
    )
    text = f"allotment: 1\nexperiments: {{e: {{iteration: 1, state: running, {RAN}}}}}"
    assert read_target(text, None, there).experiments["e"].current.started_at is None


# Iterations that the file does not number.


def catalog_with(*states: str) -> Catalog:
    """A catalog whose experiment e has iterations 1, 2, ... in these states."""
    others = list(enumerate(states, start=1))
    current = next((each for each in others if each[1] in ("running", "paused")), others[-1])
    others.remove(current)
    fields = "treatments: {a: {}}, allocations: [{weights: {a: 100}}]"
    listed = ", ".join(f"{{iteration: {n}, state: {state}, {fields}}}" for n, state in others)
    number, state = current
    return target(
        f"experiments: {{e: {{iteration: {number}, state: {state}, {fields},"
        f" iterations: [{listed}]}}}}"
    )


@pytest.mark.parametrize(
    ("had", "wanted", "has"),
    [
        ("draft", "draft", "draft"),
        ("draft", "running", "running"),
        ("running", "running", "running"),
        ("running", "paused", "paused"),
        ("running", "stopped", "stopped"),
        ("running", "draft", "running draft"),
        ("stopped", "stopped", "stopped"),
        ("stopped", "running", "stopped running"),
        ("stopped", "draft", "stopped draft"),
        ("stopped running", "paused", "stopped paused"),
        ("stopped running draft", "running", "stopped running draft"),
        ("stopped paused draft", "stopped", "stopped stopped draft"),
        ("stopped stopped draft", "running", "stopped stopped running"),
    ],
)
def test_without_a_number_the_state_says_which_iteration_is_meant(
    had: str, wanted: str, has: str
) -> None:
    text = (
        f"allotment: 1\nexperiments: {{e: {{state: {wanted}, treatments: {{a: {{}}}},"
        " allocations: [{weights: {a: 100}}]}}"
    )
    found = read_target(text, None, catalog_with(*had.split())).experiments["e"].iterations
    assert " ".join(each.state for each in found) == has
    assert [each.number for each in found] == list(range(1, len(found) + 1))


def test_with_a_number_the_file_says_all_iterations() -> None:
    text = (
        "allotment: 1\nexperiments: {e: {iteration: 2, treatments: {a: {}},"
        " allocations: [{weights: {a: 100}}]}}"
    )
    found = read_target(text, None, catalog_with("stopped", "running")).experiments["e"].iterations
    assert [each.number for each in found] == [2]


def test_the_current_iteration_stands_at_the_top() -> None:
    fields = "treatments: {a: {}}, allocations: [{weights: {a: 100}}]"
    with pytest.raises(InvalidInput, match="iteration 1 is the current one"):
        target(
            f"experiments: {{e: {{iteration: 2, {fields}, iterations: ["
            f"{{iteration: 1, state: running, {fields}}}]}}}}"
        )


def test_iterations_have_ascending_numbers_of_their_own() -> None:
    fields = "treatments: {a: {}}, allocations: [{weights: {a: 100}}]"
    for numbers in ([4], [3, 1], [1, 1]):
        others = ", ".join(f"{{iteration: {number}, {fields}}}" for number in numbers)
        with pytest.raises(InvalidInput, match="ascending"):
            target(f"experiments: {{e: {{iteration: 4, {fields}, iterations: [{others}]}}}}")
