"""What a type checker knows of the engine's answers; `make lint` has mypy and pyright read this."""

from collections import Counter
from collections.abc import Mapping
from typing import assert_type

import allotment
from allotment import Assignment, Column, Explanation, Reason, Resolution, Table


def answers(engine: allotment.Engine, attributes: dict[str, str]) -> None:
    """Each call of the engine has the type that its page names."""
    one = engine.assign("e", "u", attributes)
    assert_type(one, Assignment)
    assert_type(one.treatment, str | None)
    assert_type(one.reason, Reason)
    assert_type(one.variations, Mapping[str, str])
    everything = engine.assign_all("u", attributes)
    assert_type(everything["e"], Assignment)
    assert_type(everything.get("e"), Assignment | None)
    assert_type([answer.treatment for answer in everything.values()], list[str | None])
    assert_type(dict(everything.items()), dict[str, Assignment])
    assert_type(engine.assign_all_json("u", attributes), bytes)
    assert_type(engine.resolve("f", "u"), Resolution)
    assert_type(engine.explain("e", "u"), Explanation)
    column = engine.assign_many("e", ["u"], {"country": ["SE"]})
    assert_type(column, Column)
    assert_type(column.counts(), dict[tuple[str | None, Reason], int])
    table = engine.assign_table(["u"])
    assert_type(table, Table)
    assert_type(table.counts(), dict[str, Counter[tuple[str | None, Reason]]])
