"""Rows as text: each unit, and a word for what it got."""

from typing import Any

import numpy as np
import pytest

from allotment.errors import InvalidInput
from allotment.kernel.json_ids import json_ids
from allotment.kernel.row_texts import row_texts


def column(codes: list[int], reasons: list[int], marks: list[int] | None = None) -> Any:
    marked = None if marks is None else np.array(marks, np.uint8)
    return np.array(codes, np.int16), np.array(reasons, np.uint8), marked, 2


def word(place: int, code: int, reason: int, mark: bool) -> bytes:
    return b"<%d %d %d %d>" % (place, code, reason, mark)


def test_each_row_is_its_unit_and_its_words() -> None:
    columns = [column([0, -1, 1], [2, 0, 15]), column([1, 1, 1], [3, 3, 3], [0, 1, 0])]
    found = row_texts(b"a\n\nccc\n", columns, word, b"begin:", b":end")
    rows = b"a<0 0 2 0><1 1 3 0><0 -1 0 0><1 1 3 1>ccc<0 1 15 0><1 1 3 0>"
    assert found == b"begin:" + rows + b":end"
    less = row_texts(b"a\n\nccc\n", columns, word, b"begin:", b":end", 4)
    assert less == b"begin:" + rows[:-4] + b":end"


def test_a_word_is_made_once_for_all_rows_that_have_it() -> None:
    asked = []

    def note(*outcome: Any) -> bytes:
        asked.append(outcome)
        return b"."

    rows = 5_000
    columns = [column([0, 1] * (rows // 2), [1] * rows)]
    assert row_texts(b"u\n" * rows, columns, note) == b"u." * rows
    assert asked == [(0, 0, 1, False), (0, 1, 1, False)]


def test_units_of_a_document_are_rows_too() -> None:
    units = [f"unit-{number:09d}" for number in range(3_000)]
    ids = json_ids(b'{"u":["%b"]}' % '", "'.join(units).encode(), b"u", 2_500, 1 << 20)
    assert ids is not None
    found = [
        row_texts(block[1:], [column([0] * (len(block) - 1), [0] * (len(block) - 1))], _comma)
        for block in ids.blocks()
    ]
    assert b"".join(found).decode().split(",")[:-1] == units[1:2_500] + units[2_501:]


def _comma(*_: Any) -> bytes:
    return b","


def test_rows_of_no_columns_are_their_units() -> None:
    assert row_texts(b"a\nb\n", [], word) == b"ab"
    assert row_texts(b"", [column([], [])], word, b"(", b")") == b"()"


def test_what_does_not_belong_together_is_refused() -> None:
    units = b"a\nb\n"
    for columns in (
        [column([0], [0])],
        [column([0, 0], [0])],
        [column([0, 0], [0, 0], [0])],
        [column([0, 2], [0, 0])],
        [column([0, -2], [0, 0])],
        [column([0, 0], [0, 16])],
    ):
        with pytest.raises(InvalidInput):
            row_texts(units, columns, word)
    good = [column([0, 0], [0, 0])]
    for less in (-1, 100):
        with pytest.raises(InvalidInput):
            row_texts(units, good, word, less=less)
    for wrong in (lambda *_: "text", lambda *_: 1):
        with pytest.raises(TypeError):
            row_texts(units, good, wrong)
    for other in ("a\nb\n", None):
        with pytest.raises((TypeError, AttributeError)):
            row_texts(other, good, word)  # type: ignore[arg-type]
    with pytest.raises(InvalidInput):
        row_texts(b"a\nb", good, word)  # a line that does not end is none


@pytest.mark.parametrize(("before", "after"), [(1, 0), (0, 1)])
def test_answers_that_change_while_they_are_read_write_nothing_beyond(
    before: int, after: int
) -> None:
    """The words of the first column are measured when that of the second changes their codes."""
    codes, reasons, marks, count = column([before, 0, 1], [0, 0, 0])

    def meddle(place: int, code: int, *_: Any) -> bytes:
        if place == 1:
            codes[0] = after
        return b"x" * (1 + 999 * code)

    columns = [(codes, reasons, marks, count), column([0, 0, 0], [0, 0, 0])]
    units = b"a\nb\nc\n"
    if before > after:
        with pytest.raises(InvalidInput, match="changed"):
            row_texts(units, columns, meddle)
    else:
        assert len(row_texts(units, columns, meddle)) == 3 + 3 + 1 + 1 + 1_000
