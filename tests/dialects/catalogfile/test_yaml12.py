"""The file is YAML 1.2, whatever libraries for older YAML make of it."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allotment.dialects.catalogfile.cursor import Tree
from allotment.dialects.catalogfile.emit import TextBlock, emit
from allotment.dialects.catalogfile.source import parse
from allotment.dialects.catalogfile.yaml12 import compose, resolve


def test_norway_is_text_and_so_is_every_other_word() -> None:
    words = ["NO", "no", "on", "off", "yes", "Y", "tRUE", "nULL", "1:30", "2024-01-01", "1_000"]
    assert compose(f"[{', '.join(words)}]", 9) == words


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *((word, True) for word in ("true", "True", "TRUE")),
        *((word, False) for word in ("false", "False", "FALSE")),
        *((word, None) for word in ("~", "null", "Null", "NULL", "")),
        ("0", 0),
        ("-12", -12),
        ("+12", 12),
        ("0o17", 15),
        ("0x1F", 31),
        ("1.", 1.0),
        (".5", 0.5),
        ("-1.5e3", -1500.0),
        ("1e3", 1000.0),
        ("-.inf", -math.inf),
        ("0b1", "0b1"),
        (".", "."),
        ("-", "-"),
        ("+.e1", "+.e1"),
        ("1.2.3", "1.2.3"),
        ("٣", "٣"),
    ],
)
def test_plain_scalars_mean_what_the_core_schema_says(text: str, value: Tree) -> None:
    assert (type(resolve(text)), resolve(text)) == (type(value), value)


def test_not_a_number_is_a_number() -> None:
    assert math.isnan(float(str(resolve(".nan"))))


def test_quotes_and_blocks_make_text_of_anything() -> None:
    assert compose("['1', \"true\"]", 9) == ["1", "true"]
    assert compose("a: |\n  1\n", 9) == {"a": "1\n"}


def test_keys_are_text_as_they_are_written() -> None:
    assert compose("{1: a, true: b, 0x1F: c, 007: d, NO: e, null: f}", 9) == {
        "1": "a",
        "true": "b",
        "0x1F": "c",
        "007": "d",
        "NO": "e",
        "null": "f",
    }


def test_an_alias_stands_for_what_was_anchored() -> None:
    tree = parse("allotment: 1\na: &shares {control: 50, green: 50}\nb: *shares\n")
    assert tree == {
        "allotment": 1,
        "a": {"control": 50, "green": 50},
        "b": {"control": 50, "green": 50},
    }


def test_a_byte_order_mark_before_the_text_is_no_part_of_it() -> None:
    assert parse("\ufeffallotment: 1".encode()) == {"allotment": 1}


def test_yaml_in_braces_need_not_be_json() -> None:
    assert parse("{allotment: 1, flags: {},}") == {"allotment": 1, "flags": {}}


def test_json_escapes_of_two_halves_are_one_character() -> None:
    assert parse('{"a": "\\ud83d\\ude00"}') == {"a": "😀"}


# Whatever a file could say: text of any kind, and numbers of 64 bits.
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.sampled_from(
    [
        "NO",
        "true",
        "~",
        "1",
        "0x1",
        "- a",
        "a: b",
        "a #b",
        "[",
        "%",
        "é",
        "\x85",
        "\u2028",
        "\ufeff",
        " ",
    ]
)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 63) - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | text
)
trees = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4)
)
tops = st.dictionaries(text, trees, min_size=1, max_size=4)


def typed(tree: Tree) -> str:
    """A spelling that tells 1 from 1.0 and from true."""
    return json.dumps(tree)


@given(tops)
def test_what_is_emitted_reads_back_as_it_was(tree: dict[str, Tree]) -> None:
    assert typed(compose(emit(tree), 99)) == typed(tree)


@given(tops)
def test_json_reads_the_same_by_either_way(tree: dict[str, Tree]) -> None:
    text = json.dumps(tree, ensure_ascii=False)
    if text.isprintable():
        assert typed(compose(text, 99)) == typed(tree) == typed(parse(text))


def test_words_that_older_yaml_misreads_are_emitted_in_quotes() -> None:
    words: list[Tree] = ["NO", "on", "Y", "1:30", "2024-01-01", "1.10", "true"]
    assert emit({"a": words}).count('"') == 2 * len(words)
    assert emit({"a": ["Norway", "none", "50%"]}).count('"') == 0


def test_long_keys_are_emitted_so_that_they_read_back() -> None:
    tree: dict[str, Tree] = {"overrides": {"k" * 1024: "a", "\x01" * 1024: {"b": "c"}}}
    assert compose(emit(tree), 9) == tree


def test_a_block_of_lines_reads_back_as_it_was() -> None:
    lines = TextBlock("# user\n- 1\nuser 2 \nµ\n")
    assert "|\n    # user\n" in emit({"a": {"b": lines}})
    assert compose(emit({"a": {"b": lines}}), 9) == {"a": {"b": str(lines)}}
