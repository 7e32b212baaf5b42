"""`allotment list`: the nouns of a catalog, on a terminal and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from places import Place
from serving import SHOP

KINDS = ["experiments", "flags", "segments", "layers", "holdouts"]


@pytest.fixture
def whole(invoke, place: Place) -> Place:
    invoke("apply", SHOP, *place.options)
    return place


@pytest.mark.parametrize("kind", KINDS)
def test_each_noun_has_a_line(invoke, whole: Place, kind: str) -> None:
    plain = json.loads(invoke("list", kind, "--json", *whole.options).stdout)
    text = invoke("list", kind, *whole.options).stdout
    file = json.loads(invoke("list", kind, "--json", "--catalog", SHOP).stdout)
    assert plain == file
    assert [row["key"] for row in plain] == sorted(row["key"] for row in plain)
    for row in plain:
        (line,) = [each for each in text.splitlines() if each.split()[:1] == [row["key"]]]
        for cell in row.values():
            shown = ", ".join(cell) if isinstance(cell, list) else "" if cell is None else str(cell)
            assert " ".join(shown.split()) in " ".join(line.split())


def test_experiments_are_listed_with_their_state_and_treatments(invoke, tmp_path: Path) -> None:
    catalog = tmp_path / "c.yaml"
    catalog.write_text(
        "allotment: 1\nlayers: {shop: {reservations: {page: 30%}}}\n"
        "holdouts: {year: {share: 5%}}\n"
        "experiments:\n  page:\n    state: running\n    holdout: year\n"
        "    treatments: {old: {control: true}, new: {}}\n"
        "    allocations: [{weights: {old: 50, new: 50}}]\n"
    )
    (row,) = json.loads(invoke("list", "--json", "--catalog", catalog).stdout)
    assert row == {
        "key": "page",
        "state": "running",
        "iteration": 1,
        "unit": "user",
        "layer": "shop",
        "holdout": "year",
        "treatments": ["old", "new"],
    }
    (layer,) = json.loads(invoke("list", "layers", "--json", "--catalog", catalog).stdout)
    assert layer == {"key": "shop", "unit": "user", "reserved": "30%", "experiments": ["page"]}
    (holdout,) = json.loads(invoke("list", "holdouts", "--json", "--catalog", catalog).stdout)
    assert holdout == {"key": "year", "unit": "user", "share": "5%", "experiments": ["page"]}
    assert "usage" in invoke("list", "people", code=64).stderr.lower()
