"""The file is YAML 1.2, whatever libraries for older YAML make of it."""

import json
import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allotment.dialects.catalogfile.cursor import Tree
from allotment.dialects.catalogfile.emit import TextBlock, emit
from allotment.dialects.catalogfile.source import parse
from allotment.dialects.catalogfile.yaml12 import compose, compose_purely, resolve
from allotment.errors import InvalidInput


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


TEXTS = [
    (
        'allotment: 1\nflags:\n  a: {variations: {x: 1, y: [1, 2, "NO"]}, default: x}\n'
        "  b:\n    - hello world\n    - 'it''s'\n    - \"a\\n\\u00e9\\/\"\n"
    ),
    (
        "a: |\n  text\n  more\nb: >-\n  folded\n  text\n\n  end\n? c\n: d\n# comment\n"
        'e: [a:b, {k: v, "q":1}, -1, 0x1f, 1e3]\n'
    ),
    "key: value # c\nlist:\n- 1\n- - 2\n  - 3\n",
    '{"a":[1,2,{"b":null}],\'c\':~}\n',
    'a: "x\n  y"\nb: plain\n  goes on\n',
    "a: &one {k: v}\nb: *one\n",
]
PARTS = [*":-?,[]{}#&*!|>'\"%@` \n\t.ab01~é\r\x85\u2028\ufeff\x7f\x1b", "😀"]
PARTS += ["\n  ", "- ", ": ", "---\n", "...\n", "<<", "\\", "\\x41", "!!str ", "! ", "\ud800"]


def changed(text: str, dice: Random) -> str:
    """The text with a few pieces put in, taken out or moved."""
    for _ in range(dice.randrange(1, 5)):
        at, to = sorted(dice.randrange(len(text) + 1) for _ in range(2))
        match dice.randrange(5):
            case 0:
                text = text[:at] + text[at + dice.randrange(1, 4) :]
            case 1:
                text = text[:to] + text[at:]
            case _:
                text = text[:at] + dice.choice(PARTS) + text[at:]
    return text


def differing(seed: int, count: int) -> tuple[int, list[str]]:
    """How many texts were read, and those that the parser of YAML 1.2 alone reads otherwise.

    A few that it refuses and YAML 1.2 allows, such as `["a":1]`, are read by the other one only.
    """
    dice, read, wrong = Random(seed), 0, list[str]()
    for _ in range(count):
        text = changed(dice.choice(TEXTS), dice)
        try:
            tree = compose(text, 96)
            spelled = repr(compose_purely(text, 96))
        except InvalidInput:
            continue
        read += 1
        if repr(tree) != spelled:
            wrong.append(text)
    return read, wrong


def test_both_parsers_read_the_same(seed: int) -> None:
    read, wrong = differing(seed, 3_000)
    assert read > 300
    assert not wrong


@pytest.mark.soak
def test_both_parsers_read_the_same_for_long(seed: int) -> None:
    read, wrong = differing(seed, 300_000)
    assert read > 30_000
    assert not wrong
