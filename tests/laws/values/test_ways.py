"""One value, one answer, whichever way it comes in; and that is the twin's."""

from __future__ import annotations

import re
import time
from pathlib import Path
from random import Random
from typing import Any

import pytest

import allotment
import nouns
from allotment.model.segment import Clause, Not, Operator, Segment
from allotment.reference import assign
from allotment.values import values_of
from laws.values.kinds import KINDS, TEXTS
from laws.values.ways import Asked, Row

ROWS = 9
NUMBERS = (0, 1, 18, 17.5, 0.1, -3, 2**53)


def clauses(rng: Random, values: list[Any]) -> list[Clause]:
    """Clauses that hold for some of the values, and a few that hold for none."""
    seen = [each for value in values for each in values_of(value)]
    scalars = [each for each in seen if isinstance(each, str | int | float)]
    finite = [each for each in scalars if isinstance(each, str) or abs(each) < 2**63]
    pool = [*finite, *TEXTS, *NUMBERS, True]
    texts = [each for each in pool if isinstance(each, str)]
    numbers = [each for each in pool if isinstance(each, int | float) and type(each) is not bool]
    return [
        Clause(("x",), Operator.IN, tuple(rng.choices(pool, k=3))),
        Clause(("x",), Operator.IN, (rng.choice(finite or pool),)),
        Clause(("x",), Operator.EXISTS),
        Clause(("x",), rng.choice((Operator.AT_LEAST, Operator.AT_MOST)), (rng.choice(numbers),)),
        Clause(("x",), rng.choice((Operator.LESS, Operator.GREATER)), (rng.choice(numbers),)),
        Clause(("x",), Operator.STARTS_WITH, (rng.choice(texts)[:5] or "S",)),
        Clause(("x",), Operator.ENDS_WITH, (rng.choice(texts)[-3:] or "Z",)),
        Clause(("x",), Operator.CONTAINS, (rng.choice(("T03", "-", "E", "2")),)),
        Clause(("x",), Operator.MATCHES, (rng.choice(("^2", "Z$", "[0-9]{2}", "^$")),)),
        Clause(("x",), Operator.SEMVER_AT_LEAST, ("1.0.0",)),
    ]


def compare(name: str, rng: Random, folder: Path) -> int:
    """Ask one random column of a kind in every way; returns how many ways there are."""
    kind = KINDS[name]
    nulls = rng.random() < 0.5
    values = [None if nulls and rng.random() < 0.3 else kind.make(rng) for _ in range(ROWS)]
    asked = clauses(rng, values)
    catalog = nouns.catalog(
        *(Segment(f"s{i}", rules=(clause,)) for i, clause in enumerate(asked)),
        Segment("not", rules=(Not(asked[0]),)),
        *(nouns.experiment(f"e{i}", nouns.iteration(audience=f"s{i}")) for i in range(len(asked))),
        nouns.experiment("not", nouns.iteration(audience="not")),
    )
    question = Asked(catalog, kind, values, folder)
    expected: list[Row] = [
        {key: str(assign(catalog, key, unit, {"x": value}).reason) for key in question.keys}
        for unit, value in zip(question.units, values, strict=True)
    ]
    ways = 0
    for way, ask in question.ways():
        assert ask() == expected, f"{name}: {way}: {values}"
        ways += 1
    return ways


@pytest.mark.parametrize("name", KINDS)
def test_one_value_has_one_answer_whichever_way_it_comes_in(
    name: str, seed: int, tmp_path: Path
) -> None:
    for turn in range(2):
        assert compare(name, Random(f"{seed}/{name}/{turn}"), tmp_path) >= 15


def written(value: Any) -> str:
    """As a program writes it to CSV."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def readings(text: str, clause: Clause) -> list[Any]:
    """Decision 22, said once more: what a clause sees of a text, by what it compares with."""
    seen: list[Any] = []
    for value in clause.values or ("",):
        if isinstance(value, str):
            seen.append(text)
        elif isinstance(value, bool):
            spelled = {"true": True, "1": True, "false": False, "0": False}
            seen += [spelled[text]] if text in spelled else []
        elif re.fullmatch(r"-?[0-9]+", text):
            seen.append(int(text))
        elif re.fullmatch(r"-?[0-9.]+(e[+-]?[0-9]+)?", text) and text.count(".") < 2:
            seen.append(float(text))
    return seen


def compare_csv(name: str, rng: Random, folder: Path) -> tuple[int, int]:
    """Ask a column of CSV, condition by condition; how many columns were read and refused."""
    kind = KINDS[name]
    values = [None if rng.random() < 0.2 else kind.make(rng) for _ in range(ROWS)]
    read = refused = 0
    for clause in clauses(rng, values):
        segment = Segment("s", rules=(clause,))
        catalog = nouns.catalog(segment, nouns.experiment("e", nouns.iteration(audience="s")))
        asked = Asked(catalog, kind, values, folder)
        texts = [None if value is None else written(value) for value in values]
        seen = [None if text is None else readings(text, clause) for text in texts]
        if [] in seen:
            with pytest.raises(allotment.InvalidInput, match=r"line [0-9]+ has .* which is no"):
                asked.csv(texts)
            refused += 1
            continue
        expected = [
            {"e": str(assign(catalog, "e", unit, {"x": value}).reason)}
            for unit, value in zip(asked.units, seen, strict=True)
        ]
        assert asked.csv(texts) == expected, f"{name}: {clause}: {texts}"
        read += 1
    return read, refused


@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if kind.text])
def test_a_value_of_csv_is_what_each_condition_compares_it_with(
    name: str, seed: int, tmp_path: Path
) -> None:
    counts = [compare_csv(name, Random(f"{seed}/{name}/csv/{n}"), tmp_path) for n in range(3)]
    assert sum(read for read, _ in counts) >= 10


@pytest.mark.soak
def test_one_value_has_one_answer_for_half_an_hour(seed: int, tmp_path: Path) -> None:
    ends = time.monotonic() + 1_800
    turn = 0
    while time.monotonic() < ends:
        for name in KINDS:
            compare(name, Random(f"{seed}/{name}/soak/{turn}"), tmp_path)
            if KINDS[name].text:
                compare_csv(name, Random(f"{seed}/{name}/csv/soak/{turn}"), tmp_path)
        turn += 1
    assert turn > 10
