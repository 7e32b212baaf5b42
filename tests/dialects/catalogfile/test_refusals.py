"""Every malformed catalog is refused with the path of the fault and a sentence that helps."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allotment.change.apply import apply
from allotment.dialects import catalogfile
from allotment.dialects.catalogfile.source import parse
from allotment.errors import AllotmentError, InvalidInput
from allotment.matching.check import check_segments
from allotment.model.catalog import EMPTY, Catalog

CATALOG = """
allotment: 1
flags:
  button:
    default: blue
    variations: {blue: "#00f", green: "#0f0"}
    experiments: [checkout]
    state: on
segments:
  staff:
    include: [user-1]
  nordics:
    exclude: [user-9]
    rules:
      - {attribute: country, in: [SE, NO]}
      - {all: [{attribute: age, at_least: 18}, {segment: staff}]}
layers:
  shop:
    reservations: {checkout: 50%, other: [[500000, 800000]]}
holdouts:
  q4: {share: 5%}
experiments:
  checkout:
    state: running
    holdout: q4
    audience: nordics
    enrolment: 50%
    treatments:
      control: {control: true, sets: {button: blue}}
      green: {sets: {button: green}}
    allocations:
      - segment: staff
        weights: {control: 50, green: 50}
      - fallback: true
        weights: {control: 90}
        gap: 10
    overrides: {user-7: green}
  other:
    treatments: {a: {}, b: {}}
    allocations:
      - weights: {a: 1, b: 2}
        of: 3
"""


def load(text: str | bytes) -> Catalog:
    """What a face does with a file: read it, apply it, have the clauses checked."""
    catalog = apply(EMPTY, catalogfile.read(text, EMPTY)).catalog
    check_segments(catalog.segments)
    return catalog


def refusal(text: str | bytes) -> AllotmentError:
    with pytest.raises(AllotmentError) as caught:
        load(text)
    return caught.value


def test_the_catalog_that_the_rows_spoil_is_fine() -> None:
    assert set(load(CATALOG).experiments) == {"checkout", "other"}


FLAG = "$.flags.button"
STAFF = "$.segments.staff"
RULE = "$.segments.nordics.rules[0]"
SHOP = "$.layers.shop.reservations"
CHECKOUT = "$.experiments.checkout"
SERVED = "$.experiments.checkout.allocations[0]"
FALLBACK = "$.experiments.checkout.allocations[1]"

# What is written, what is written instead, where the fault is, and words that help.
SPOILT = [
    # The top and the sections.
    ("allotment: 1", "allotment: 2", "$.allotment", "`allotment: 1`"),
    ("allotment: 1", "allotment: '1'", "$.allotment", "a whole number"),
    ("allotment: 1", "", "$.allotment", "`allotment: 1`"),
    ("holdouts:", "holdout:", "$.holdout", '"holdouts"'),
    ("  button:\n", "  -button:\n", '$.flags["-button"]', "begins with a letter or digit"),
    ("  q4: {share: 5%}", "", "$.holdouts", "empty"),
    # Flags.
    ("default: blue", "defualt: blue", f"{FLAG}.defualt", '"default"'),
    ("default: blue", "default: red", f"{FLAG}.default", "'red' is not a variation"),
    ("default: blue", "default: 1", f"{FLAG}.default", "in quotes"),
    ("    default: blue\n", "", f"{FLAG}.default", "missing"),
    ("state: on", "state: open", f"{FLAG}.state", "off, on, archived"),
    ("state: on", "state: true", f"{FLAG}.state", "the word true"),
    ('blue: "#00f", ', "", f"{FLAG}.default", "'blue' is not a variation"),
    ('blue: "#00f"', "blue: {hex: 1}", f"{FLAG}.variations.blue.hex", "value"),
    ('blue: "#00f"', "blue: {}", f"{FLAG}.variations.blue", "`value`"),
    ('blue: "#00f"', "blue: {json: '{'}", f"{FLAG}.variations.blue.json", "JSON text"),
    ('blue: "#00f"', "blue: {json: NaN}", f"{FLAG}.variations.blue.json", "JSON text"),
    ('blue: "#00f"', "blue: .nan", f"{FLAG}.variations.blue", "NaN"),
    ('blue: "#00f"', "blue: 1e999", f"{FLAG}.variations.blue", "1e308"),
    ('blue: "#00f"', 'blue: "\\ud800"', f"{FLAG}.variations.blue", "surrogate"),
    ('blue: "#00f"', '"bl\\ud800": 1', f'{FLAG}.variations["bl\\ud800"]', "surrogate"),
    ("experiments: [checkout]", "experiments: checkout", f"{FLAG}.experiments", "a list"),
    ("experiments: [checkout]", "experiments: [shop]", f"{FLAG}.experiments[0]", "no experiment"),
    ("experiments: [checkout]", "experiments: [other]", f"{FLAG}.experiments[0]", "button"),
    ("[checkout]", "[{experiment: other, miss: end}]", f"{FLAG}.experiments[0].miss", "next, stop"),
    ("[checkout]", "[{miss: stop}]", f"{FLAG}.experiments[0].experiment", "missing"),
    (
        "[checkout]",
        "[{experiment: checkout, miss: stop, otherwise: red}]",
        f"{FLAG}.experiments[0].otherwise",
        "'red' is not a variation",
    ),
    (
        "[checkout]",
        "[{experiment: checkout, otherwise: blue}]",
        f"{FLAG}.experiments[0].otherwise",
        "goes on at a miss",
    ),
    # Segments and conditions.
    ("include: [user-1]", "sample: 5%", f"{STAFF}.sample", "a mapping"),
    ("include: [user-1]", "sample: {layer: shop}", f"{STAFF}.sample.share", "a share such as"),
    ("include: [user-1]", "sample: {share: 5%, tag: [a]}", f"{STAFF}.sample.tag", '"tags"'),
    ("include: [user-1]", "sample: {share: 5%, tags: [a]}", f"{STAFF}.sample.layer", "layer"),
    ("include: [user-1]", "sample: {share: 21%, layer: shop}", f"{STAFF}.sample.share", "free"),
    ("include: [user-1]", "sample: {share: 1%, ranges: [[0, 1]]}", f"{STAFF}.sample.ranges", "1"),
    ("include: [user-1]", "include: [1]", f"{STAFF}.include[0]", 'in quotes, "1"'),
    ("include: [user-1]", "include: [007]", f"{STAFF}.include[0]", "leading zeros"),
    ("include: [user-1]", "include: {}", f"{STAFF}.include.file", "missing"),
    ("include: [user-1]", "include: {file: vip.txt}", f"{STAFF}.include.file", "in a file"),
    ("include: [user-1]", 'include: [""]', f"{STAFF}.include[0]", "1 to 1,024"),
    ("include: [user-1]", 'include: "a\\n\\nb"', f"{STAFF}.include", "line 2 is empty"),
    ("rules:", "rule:", "$.segments.nordics.rule", '"rules"'),
    ("{attribute: country, in: [SE, NO]}", "{}", RULE, "attribute, segment, all, any, not"),
    ("{attribute: country, in: [SE, NO]}", "staff", RULE, "a mapping"),
    ("attribute: country, ", "", RULE, "attribute, segment, all, any, not"),
    ("attribute: country, in: [SE, NO]", "any: [], all: []", RULE, "one of"),
    ("attribute: country", "segment: staff", RULE, "has one of"),
    ("in: [SE, NO]", "is: SE", f"{RULE}.is", "no field"),
    ("in: [SE, NO]", "in: [SE], exists: true", RULE, "in and exists"),
    (", in: [SE, NO]", "", RULE, "has none"),
    ("in: [SE, NO]", "in: []", f"{RULE}.in", "never holds"),
    ("in: [SE, NO]", "in: [null]", f"{RULE}.in[0]", "empty"),
    ("in: [SE, NO]", "equals: {a: 1}", f"{RULE}.equals", "a mapping"),
    ("in: [SE, NO]", "in: [18446744073709551616]", f"{RULE}.in[0]", "64 bits"),
    ("in: [SE, NO]", f"in: [{'9' * 5000}]", f"{RULE}.in[0]", "64 bits"),
    ("in: [SE, NO]", "exists: maybe", f"{RULE}.exists", "true or false"),
    ("in: [SE, NO]", "at_least: old", RULE, "number"),
    ("in: [SE, NO]", "contains: 5", RULE, "text"),
    ("in: [SE, NO]", "semver_at_least: 1.10", RULE, "text"),
    ("in: [SE, NO]", "semver_at_least: 1.x", f"{RULE}.semver_at_least", "version"),
    ("in: [SE, NO]", "matches: '(a'", f"{RULE}.matches", "missing )"),
    ("in: [SE, NO]", f"matches: {'a' * 1025}", RULE, "1,024 characters"),
    ("attribute: country", "attribute: a..b", f"{RULE}.attribute", "none of them empty"),
    ("attribute: country", "attribute: []", f"{RULE}.attribute", "none of them empty"),
    ("segment: staff}", "segment: stuff}", "$.segments.nordics.rules[1].all[1]", "'stuff'"),
    ("segment: staff}", "segment: nordics}", "$.segments.nordics.rules[1].all[1]", "leads back"),
    ("all: [", "not: [", "$.segments.nordics.rules[1].not", "a mapping"),
    # Layers and holdouts.
    ("share: 5%", "share: 5", "$.holdouts.q4.share", "12.5%"),
    ("share: 5%", "share: 101%", "$.holdouts.q4.share", "0% to 100%"),
    ("share: 5%", "share: 1_0%", "$.holdouts.q4.share", "12.5%"),
    ("{share: 5%}", "{}", "$.holdouts.q4.share", "12.5%"),
    ("checkout: 50%", "chekout: 50%", f"{SHOP}.chekout", "'chekout'"),
    ("checkout: 50%", "checkout: 71%", f"{SHOP}.checkout", "free"),
    ("checkout: 50%", "checkout: [[0, 500001]]", f"{SHOP}.other", "500,000"),
    ("[[500000,", "[[800000,", f"{SHOP}.other", "ascend"),
    ("[[500000, 800000]]", "[500000]", f"{SHOP}.other[0]", "a list"),
    ("[[500000, 800000]]", "[[500000]]", f"{SHOP}.other[0]", "[start, stop]"),
    ("800000]]", "1000001]]", f"{SHOP}.other[0][1]", "1,000,000"),
    ("layers:", "layers:\n  a: {reservations: {other: 1%}}", f"{SHOP}.other", "a already"),
    # Experiments.
    ("holdout: q4", "holdout: q5", f"{CHECKOUT}.holdout", "'q5'"),
    ("holdout: q4", "layer: shop", f"{CHECKOUT}.layer", "no field"),
    ("holdout: q4", "unit: 7", f"{CHECKOUT}.unit", "in quotes"),
    ("holdout: q4", "unit: device", f"{SHOP}.checkout", "'device'"),
    ("holdout: q4", "archived: yes", f"{CHECKOUT}.archived", '"yes"'),
    ("holdout: q4", "iterations: []", f"{CHECKOUT}.iteration", "the number"),
    ("holdout: q4", "iteration: 0", f"{CHECKOUT}.iteration", "1 or more"),
    ("holdout: q4", 'name: "\\0"', f"{CHECKOUT}.name", "NUL"),
    ("holdout: q4", 'salt: ""', f"{CHECKOUT}.salt", "not empty"),
    ("holdout: q4", "holdout: q4\n    holdout: q4", f"{CHECKOUT}.holdout", "line 26"),
    ("audience: nordics", "audience: nordic", f"{CHECKOUT}.audience", "'nordic'"),
    ("audience: nordics", "audience:", f"{CHECKOUT}.audience", "empty"),
    ("enrolment: 50%", "enrolment: 0.5", f"{CHECKOUT}.enrolment", "12.5%"),
    ("enrolment: 50%", "winner: red", f"{CHECKOUT}.winner", "'red'"),
    ("green: {sets", "green: {control: true, sets", f"{CHECKOUT}.treatments.green.control", "is"),
    ("{sets: {button: green}}", "{}", f"{FLAG}.experiments[0]", "does not set it"),
    (
        "button: green}}",
        "button: green, b: 1}}",
        f"{CHECKOUT}.treatments.green.sets.b",
        "in quotes",
    ),
    ("button: green}}", "button: green, b: x}}", f"{CHECKOUT}.treatments.green.sets.b", "'b'"),
    ("{button: green}", "{button: red}", f"{CHECKOUT}.treatments.green.sets.button", "'red'"),
    ("{user-7: green}", "{user-7: red}", f"{CHECKOUT}.overrides.user-7", "'red'"),
    ("{user-7: green}", '{"": green}', f'{CHECKOUT}.overrides[""]', "1 to 1,024"),
    ("{a: {}, b: {}}", "{}", "$.experiments.other.allocations[0].weights", "'a'"),
    ("{a: {}, b: {}}", "[a, b]", "$.experiments.other.treatments", "a mapping"),
    ("    treatments: {a: {}, b: {}}\n", "", "$.experiments.other.treatments", "a mapping of"),
    # Allocations.
    ("{control: 50,", "{control: 40,", f"{SERVED}.weights", "add 10 to"),
    ("{control: 50,", "{control: 40,", f"{SERVED}.weights", "`gap: 10`"),
    ("{control: 50,", "{control: 60,", f"{SERVED}.weights", "take 10 from"),
    ("{control: 50,", "{control: 50.1,", f"{SERVED}.weights", "100.1"),
    (": 50, green: 50}", ": 0.5, green: 0.5}", f"{SERVED}.weights", "or `of: 1` where they are"),
    ("{control: 50,", "{control: -1,", f"{SERVED}.weights.control", "0 or more"),
    ("{control: 50,", "{control: '50',", f"{SERVED}.weights.control", "number"),
    ("{control: 50,", "{control: true,", f"{SERVED}.weights.control", "number"),
    ("{control: 50,", "{control: .inf,", f"{SERVED}.weights.control", "infinit"),
    ("{control: 50,", "{contrl: 50,", f"{SERVED}.weights", "'contrl'"),
    (
        "        weights: {control: 50, green: 50}",
        "",
        f"{SERVED}.weights",
        "{control: 50, blue: 50}",
    ),
    ("    enrolment: 50%", "    rollout: 50%", f"{CHECKOUT}.rollout", 'do you mean "enrolment"?'),
    ("    enrolment: 50%", "    variants: {}", f"{CHECKOUT}.variants", 'do you mean "treatments"?'),
    ("    enrolment: 50%", "    weights: {}", f"{CHECKOUT}.weights", "stand in `allocations`"),
    ("    enrolment: 50%", "    xyz: {}", f"{CHECKOUT}.xyz", "treatments, unit, winner"),
    ("    enrolment: 50%", "    layer: pages", f"{CHECKOUT}.layer", "`reservations`"),
    ("- segment: staff", "- segment: stfaf", f"{SERVED}.segment", "do you mean 'staff'?"),
    ("holdout: q4", "holdout: q44", f"{CHECKOUT}.holdout", "do you mean 'q4'?"),
    (
        "green: {sets: {button: green}}",
        "green: {sets: {buton: green}}",
        f"{CHECKOUT}.treatments.green.sets.buton",
        "do you mean 'button'?",
    ),
    ("gap: 10", "gap: 5", f"{FALLBACK}.weights", "and the gap to 5"),
    ("gap: 10", "excess: 5", f"{FALLBACK}.weights", "drop the excess"),
    ("gap: 10", "gap: 15\n        excess: 5", f"{FALLBACK}.excess", "not both"),
    ("{control: 50,", "{control: 70,", f"{SERVED}.weights", "say `of: 120`"),
    (
        "weights: {a: 1, b: 2}",
        "excess: 1\n        weights: {a: 1, b: 4}",
        "$.experiments.other.allocations[0].weights",
        "say `excess: 2`",
    ),
    (
        "weights: {control: 50,",
        "excess: 10\n        weights: {control: 60,",
        f"{SERVED}.weights",
        "above their total",
    ),
    # A running iteration is whole, and has times that are times.
    ("    audience: nordics", "    ended_at: 2026-01-01T00:00:00Z", f"{CHECKOUT}.ended_at", "not"),
    ("    audience: nordics", "    started_at: 2026-01-01", f"{CHECKOUT}.started_at", "such as"),
    ("    audience: nordics", "    started_at: 5", f"{CHECKOUT}.started_at", "a time is text"),
    (
        "  other:\n",
        "  other:\n    started_at: 2026-01-01T00:00:00Z\n",
        "$.experiments.other.started_at",
        "has not started",
    ),
    (
        "  other:\n",
        "  other:\n    state: running\n    control: a\n",
        "$.experiments.other.control",
        "no field",
    ),
    # What is kept.
    ("    default: blue", "    default: blue\n    kept: 1", f"{FLAG}.kept", "a mapping"),
    ("    default: blue", "    default: blue\n    kept: {flow: 1}", f"{FLAG}.kept", "the dialect"),
    ("{share: 5%}", "{share: 5%, kept: {a/b: {}}}", '$.holdouts.q4.kept["a/b"]', "`value`"),
    ("{share: 5%}", "{share: 5%, kept: {a/b: {c: 1}}}", '$.holdouts.q4.kept["a/b"].c', "value"),
    (
        "{share: 5%}",
        "{share: 5%, kept: {a/b: {json: ','}}}",
        '$.holdouts.q4.kept["a/b"].json',
        "JSON text",
    ),
    ("of: 3", "of: 0", "$.experiments.other.allocations[0].of", "above 0"),
    ("- segment: staff", "- segment: stuff", f"{SERVED}.segment", "'stuff'"),
    ("- segment: staff", "- priority: 0", f"{SERVED}.priority", "1 or more"),
    ("- segment: staff", "- key: fallback", FALLBACK, "another `key`"),
    (
        "segment: staff\n        w",
        "fallback: true\n        key: a\n        w",
        f"{FALLBACK}.fallback",
        "at most one fallback",
    ),
    ("90}\n        gap: 10", "100}\n        segment: nordics", f"{FALLBACK}.segment", "everyone"),
    ("- segment: staff", "- slots: [[0, 1]]", f"{SERVED}.slots[0]", "[start, stop, treatment]"),
    ("- segment: staff", "- slots: [[0, 1, green]]", f"{SERVED}.slots", "buckets"),
    ("- segment: staff", "- slots: [[9, 5, green]]", f"{SERVED}.slots", "ascend"),
]


@pytest.mark.parametrize(("written", "instead", "path", "words"), SPOILT)
def test_a_spoilt_catalog_is_refused_where_it_is_spoilt(
    written: str, instead: str, path: str, words: str
) -> None:
    assert CATALOG.count(written) >= 1, "the row no longer spoils anything"
    error = refusal(CATALOG.replace(written, instead, 1))
    assert (error.path, words in error.message) == (path, True), error


# A whole text, where the fault is, and words that help.
BROKEN: list[tuple[str | bytes, str, str]] = [
    ("", "$", "empty"),
    ("# nothing yet\n", "$", "a mapping"),
    ("- allotment", "$", "a mapping"),
    ("allotment", "$", "a mapping"),
    ("allotment: 1\n---\nallotment: 1\n", "$", "line 2: a catalog is one document"),
    ("%YAML 1.1\n---\nallotment: 1\n", "$", "YAML 1.2"),
    ("allotment: 1\nflags:\n\tbutton: 1\n", "$.flags", "line 3"),
    ("allotment: 1\nflags: {a: [1\n", "$.flags.a[0]", "not YAML"),
    ("allotment: 1\nflags: 'a\n", "$.flags", "not YAML"),
    ("allotment: 1\nflags: !!set {a}\n", "$.flags", "line 2: tags"),
    ("allotment: 1\nflags: {!!str a: 1}\n", "$.flags", "a key is plain text"),
    ("allotment: 1\nflags: {[a]: 1}\n", "$.flags", "a key is plain text"),
    ("allotment: 1\nflags: *here\n", "$.flags", "&here"),
    ("allotment: 1\nflags: &here {a: *here}\n", "$.flags.a", "&here"),
    ("allotment: 1\nallotment: 1\n", "$.allotment", "line 2: the key"),
    ('{"allotment": 1, "flags": {"a": 1, "a": 1}}', "$.flags.a", "given twice"),
    ('{"allotment": 1, "flags": {"a\\u0022": 1, "a\\"": 1}}', '$.flags["a\\""]', "given twice"),
    ('{"allotment": 1, "flags": {"a": 1, "a": "\\u0022\\u0022"}}', "$.flags.a", "given twice"),
    ('{"allotment": 1, "flags": {"a": NaN}}', "$.flags.a", "NaN"),
    ('{"allotment": 1, "flags": {"a": 1e999}}', "$.flags.a", "beyond 1e308"),
    ('{"allotment": 1, "flags": {"a": 9223372036854775808}}', "$.flags.a", "64 bits"),
    ('{"allotment": 1, "flags": {"a": ' + "9" * 30 + "}}", "$.flags.a", "64 bits"),
    ('{"allotment": 1, "flags": {"a": "\\ud800"}}', "$.flags.a", "surrogate"),
    ('{"allotment": 1, "flags": {"a": ' + "9" * 5000 + "}}", "$.flags.a", "64 bits"),
    ('{"allotment": 1, "flags": ' + "[" * 100_000, "$", "nested"),
    ('{"allotment": 1, "flags": ' + "[" * 120 + "]" * 120 + "}", "$.flags" + "[0]" * 95, "nested"),
    ("allotment: 1\nflags: " + "[" * 100_000, "$.flags" + "[0]" * 95, "nested"),
    ("allotment: 1\nname: \0", "$", "line 2: a NUL"),
    ("allotment: 1\nname: \ud800", "$", "not YAML"),
    (b"allotment: 1\nname: \xff\n", "$", "line 2: the catalog is not UTF-8"),
    ("allotment: 1\n".encode("utf-16"), "$", "not UTF-8"),
    ("allotment: 1\nflags: []\n", "$.flags", "a mapping belongs here; this is a list"),
    (
        "allotment: 1\nexperiments: {a: }\n",
        "$.experiments.a",
        "a mapping belongs here; this is empty",
    ),
]


@pytest.mark.parametrize(("text", "path", "words"), BROKEN)
def test_a_broken_text_is_refused_where_it_breaks(text: str | bytes, path: str, words: str) -> None:
    error = refusal(text)
    assert isinstance(error, InvalidInput)
    assert (error.path, words in error.message) == (path, True), error


def test_aliases_of_aliases_are_refused_before_they_fill_the_memory() -> None:
    layers = ["a: &a0 [" + ", ".join(["x"] * 10) + "]"]
    layers += [f"b{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    error = refusal("allotment: 1\n" + "\n".join(layers))
    assert "aliases repeat more than 100,000 values" in error.message
    assert error.path.startswith("$.b4")


def test_a_catalog_larger_than_the_limit_is_refused_unread() -> None:
    error = refusal(b"#" * ((64 << 20) + 1))
    assert (error.path, "64 MiB" in error.message) == ("$", True)


def test_conditions_nested_deeper_than_the_limit_are_refused() -> None:
    deep: object = {"segment": "a"}
    for _ in range(32):
        deep = {"not": deep}
    text = json.dumps({"allotment": 1, "segments": {"a": {}, "b": {"rules": [deep]}}})
    assert "at most 32 deep" in refusal(text).message


def test_the_first_fault_in_the_file_is_the_one_that_is_told() -> None:
    text = CATALOG.replace("state: on", "state: open").replace("share: 5%", "share: 5")
    assert refusal(text).path == "$.flags.button.state"


def test_a_long_value_is_cut_in_the_sentence() -> None:
    text = CATALOG.replace("default: blue", f"default: {'x' * 10_000}")
    assert len(refusal(text).message) < 300


def fault(text: str) -> AllotmentError | None:
    """What a text is refused for, if it is."""
    try:
        load(text)
    except AllotmentError as error:
        return error
    return None


SNIPPETS = st.sampled_from(
    [
        *"\n\t:-{}[],'\"|>#?%~0\0\x7f\u2028\ud800",
        *("", ": ", "- ", "&a ", "*a", "!x ", "? ", "---\n", "1e9", "true", ".nan", "50%"),
    ]
)


@settings(deadline=None, max_examples=300)
@given(st.integers(0, len(CATALOG)), st.integers(0, 12), SNIPPETS)
def test_no_garbled_text_gets_past_the_errors_that_say_where(at: int, gone: int, put: str) -> None:
    error = fault(CATALOG[:at] + put + CATALOG[at + gone :])
    assert error is None or error.path.startswith("$")


STRAYS: Any = st.sampled_from(
    [
        *(None, True, 0, -1, 1.5, 1e308, 10**30, float("nan")),
        *("", "a", "50%", "a\nb", "\ud800"),
        *([], [[]], [None], [[0, 1, "a"]]),
        *({}, {"": 1}, {"a": {}}, {"file": "a"}, {"value": 1}, {"control": 1}),
    ]
)


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_no_value_in_the_wrong_place_gets_past_the_errors_that_say_where(
    data: st.DataObject,
) -> None:
    tree: Any = parse(CATALOG)
    inside, depth = tree, data.draw(st.integers(0, 6))
    while True:
        steps = sorted(inside) if isinstance(inside, dict) else range(len(inside))
        step = data.draw(st.sampled_from(steps))
        if depth == 0 or not inside[step] or not isinstance(inside[step], dict | list):
            break
        inside, depth = inside[step], depth - 1
    inside[step] = data.draw(STRAYS)
    error = fault(json.dumps(tree))
    assert error is None or error.path.startswith("$")
