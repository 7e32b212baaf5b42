"""The patterns of vendors' fields find what ECMAScript's own engine finds."""

import json
import subprocess

import pytest

from allotment.dialects.auth0.fields import LINE, ecmascript
from allotment.model.text import is_blank

PATTERNS = [LINE, r"^\S+$", r"^\s*$", r"^a.b$", r"^[A-Za-z0-9._-]+$", r"^\w\d?$", r"^a\.b|\$$"]
SHAPES = ["{}", "a{}b", "{}ab", "ab{}", "a{}"]

# Every character of two bytes but surrogates, and some beyond them.
CHARACTERS = [chr(each) for each in range(0x10000) if not 0xD800 <= each < 0xE000] + ["\U0001f600"]

ASK = """
const [patterns, texts] = JSON.parse(require("fs").readFileSync(0, "utf8"));
const all = (each) => texts.map((text) => +new RegExp(each, "u").test(text)).join("");
const found = patterns.map(all);
console.log(JSON.stringify(found));
"""


def asked(patterns: list[str], texts: list[str]) -> list[str]:
    """By pattern, one digit a text: whether Node finds the pattern in it."""
    given = json.dumps([patterns, texts])
    command = ["node", "--eval", ASK]
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=True)
    answer: list[str] = json.loads(done.stdout)
    return answer


def test_a_pattern_finds_what_node_finds_for_every_character() -> None:
    texts = [shape.format(each) for each in CHARACTERS for shape in SHAPES]
    for pattern, found in zip(PATTERNS, asked(PATTERNS, texts), strict=True):
        ours = ecmascript(pattern)
        wrong = [
            text
            for text, digit in zip(texts, found, strict=True)
            if (ours.search(text) is not None) is not (digit == "1")
        ]
        assert wrong == [], pattern


def test_white_space_is_what_node_takes_for_it() -> None:
    (found,) = asked([r"^\s$"], CHARACTERS)
    assert [is_blank(each) for each in CHARACTERS] == [digit == "1" for digit in found]
    assert is_blank("")
    assert not is_blank("\u001f")


def test_white_space_in_a_set_is_not_taken() -> None:
    with pytest.raises(ValueError, match="white space in a set"):
        ecmascript(r"^[^\s]$")
