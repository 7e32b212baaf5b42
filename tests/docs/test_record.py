"""The record names tests that are there, and leaves out no part of the hostile corpus."""

import re
from pathlib import Path

HOUSE = Path(__file__).parents[2]
RECORD = (HOUSE / "docs" / "record.md").read_text()


def test_every_file_the_record_names_is_there() -> None:
    named = set(re.findall(r"\b(?:tests|csrc)/[\w/.]*\w", RECORD))
    assert len(named) > 15
    assert [each for each in sorted(named) if not (HOUSE / each).exists()] == []


def test_every_test_the_record_names_is_there() -> None:
    written = "".join(file.read_text() for file in (HOUSE / "tests").rglob("test_*.py"))
    named = set(re.findall(r"`(test_\w+)`", RECORD))
    assert len(named) > 15
    assert [each for each in sorted(named) if f"def {each}(" not in written] == []


def test_every_test_of_hostile_input_is_in_the_record() -> None:
    tests = (HOUSE / "tests" / "hostile").glob("test_*.py")
    assert [file.name for file in tests if file.name not in RECORD] == []
    for name in re.findall(
        r"^def (test_hostile\w*|test_a_hostile\w*|test_what\w*)\(",
        (HOUSE / "tests" / "hostile" / "test_corpus.py").read_text(),
        flags=re.MULTILINE,
    ):
        assert name in RECORD
