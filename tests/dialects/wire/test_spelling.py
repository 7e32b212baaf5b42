"""Ids: one spelling each, in any dialect's digits, and back."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allotment.dialects.wire.spelling import BASE36, BASE58, HEX, Spelling
from allotment.model.catalog import identity

IDS = st.integers(0, 2**96 - 1).map("{:024x}".format)


@pytest.mark.parametrize("spelling", [BASE58, HEX, BASE36])
@given(IDS)
def test_a_spelling_goes_both_ways(spelling: Spelling, known: str) -> None:
    text = spelling.spell(known)
    assert len(text) == spelling.length
    assert spelling.read(text) == known


def test_spellings_look_as_the_vendors_say() -> None:
    known = identity("experiment", "checkout")
    assert re.fullmatch("[A-HJ-NP-Za-km-z1-9]{22}", BASE58.spell(known))
    assert HEX.spell(known) == known
    assert re.fullmatch("[a-z0-9]{20}", BASE36.spell(known))


@pytest.mark.parametrize("spelling", [BASE58, HEX, BASE36])
@pytest.mark.parametrize("another", ["", "{}{}", "{}!", "O{}", "é{}", " {}"])
def test_another_text_spells_nothing(spelling: Spelling, another: str) -> None:
    text = spelling.spell("abcdef0123456789abcdef01")
    assert spelling.read(another.format(text, text)) is None
    assert spelling.read(another.format(text[1:], text)) is None


@pytest.mark.parametrize("spelling", [BASE58, BASE36])
def test_a_number_beyond_96_bits_spells_nothing(spelling: Spelling) -> None:
    assert spelling.read(spelling.digits[-1] * spelling.length) is None
