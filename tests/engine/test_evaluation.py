"""How a flag's values are written for clients of OpenFeature."""

from __future__ import annotations

import pytest

from allotment.engine.evaluation import shape_of
from allotment.model.flag import Flag, Variation


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        (["1", "2"], ["1", "2"]),
        (["1", "2.5", "-3"], ["1.0", "2.5", "-3.0"]),
        (["1", "1e3"], ["1.0", "1e3"]),
        (["9007199254740993", "0.5"], ["9007199254740993.0", "0.5"]),
        # No value is of no type.
        (["null", "1", "2.5"], [None, "1.0", "2.5"]),
        (["null", "1"], [None, "1"]),
        (['"1"', "2.5", "1"], ['"1"', "2.5", "1"]),
        (['{"a": 1}', '{"a": 1.5}'], ['{"a": 1}', '{"a": 1.5}']),
    ],
)
def test_all_numbers_of_a_flag_are_of_one_type(written: list[str], shown: list[str | None]) -> None:
    variations = tuple(Variation(f"v{at}", text) for at, text in enumerate(written))
    shape = shape_of(Flag("flag", variations, "v0"))
    assert [shape(each) for each in variations] == shown
