"""RE2: linear time, bounded memory, silence, and refusals that help."""

from __future__ import annotations

import pytest

from allotment.errors import InvalidInput
from allotment.matching.pattern import compile_pattern
from allotment.model.limits import SUBJECT_CHARACTERS_MAX
from timing import cpu_seconds


def test_a_pattern_is_looked_for_anywhere_in_the_text() -> None:
    holds = compile_pattern("Firefox/[0-9]+").holds
    assert holds("Mozilla/5.0 Firefox/128.0")
    assert not holds("Mozilla/5.0 firefox/128.0")
    assert compile_pattern("^a").holds("abc")
    assert not compile_pattern("^b").holds("abc")
    assert compile_pattern("").holds("")


def test_patterns_read_characters_not_bytes() -> None:
    assert compile_pattern("^.$").holds("é")
    assert compile_pattern("^.$").holds("😀")
    assert compile_pattern(r"^\pL+$").holds("Ærø")


def test_the_pattern_that_hangs_others_takes_linear_time() -> None:
    holds = compile_pattern("^(a+)+$").holds
    subject = "a" * (SUBJECT_CHARACTERS_MAX - 1) + "b"
    assert not holds(subject)
    assert cpu_seconds(lambda: holds(subject)) < 0.1


@pytest.mark.parametrize(
    "text",
    ["a\ud800", "\udfff", pytest.param("a" * (SUBJECT_CHARACTERS_MAX + 1), id="too long")],
)
def test_a_text_that_is_not_unicode_or_too_long_matches_nothing(text: str) -> None:
    assert not compile_pattern("").holds(text)


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("(", "missing )"),
        (r"(a)\1", "back-references"),
        ("(?=a)", "look-around"),
        ("((a{100}){100}){100}", "repetition"),
        (r"\pL{80}", "too large"),  # for the memory cap, and not for RE2's own
        ("\ud800", "lone surrogate"),
    ],
)
def test_what_re2_does_not_take_is_refused_at_its_path_and_in_silence(
    pattern: str, said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InvalidInput, match=r"\$\.here") as refusal:
        compile_pattern(pattern, "$.here")
    assert said in refusal.value.message
    assert capfd.readouterr() == ("", "")
