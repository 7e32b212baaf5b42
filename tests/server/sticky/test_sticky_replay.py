"""A sticky answer is replayed at the revision it names; no row of a batch changes an earlier."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from allotment.change.commands import Rename, SetIntake
from server.sticky.shop import SWEDEN, Shop, shop

SEGMENTED = """
allotment: 1
segments:
  swedes: {rules: [{attribute: country, in: [SE]}]}
  finns: {rules: [{attribute: country, in: [FI]}]}
experiments:
  first:
    state: running
    keeps_assignments: true
    treatments: {control: {control: true}, new: {}}
    allocations:
      - {segment: swedes, weights: {control: 100, new: 0}}
      - {segment: finns, weights: {control: 0, new: 100}}
"""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Shop]:
    with shop(tmp_path) as made:
        yield made


def answered(site: Shop, unit: str) -> dict[str, Any]:
    body = {"unit": unit, "attributes": SWEDEN, "experiment": "first"}
    found: dict[str, Any] = site.asked("/v1/assign", body)["assignments"]["first"]
    return found


def replayed(site: Shop, unit: str, revision: int) -> tuple[Any, Any]:
    body = {"unit": unit, "attributes": SWEDEN, "experiment": "first", "revision": revision}
    found = site.asked("/v1/explain", body)["assignment"]
    return found["treatment"], found["reason"]


def by_batch(site: Shop, unit: str) -> tuple[Any, Any, int]:
    """The treatment, the reason and the revision that the batch says they are of."""
    body = {"units": [unit], "attributes": [SWEDEN], "experiments": ["first"]}
    found = site.asked("/v1/assign/batch", body)
    cell = found["units"][0]["assignments"]["first"]
    return cell["treatment"], cell["reason"], found["experiments"]["first"]["revision"]


def test_an_imported_row_is_replayed_at_the_revision_that_its_answers_name(site: Shop) -> None:
    """The import is of a later revision than the plan: other nouns changed in between."""
    site.change(SetIntake("first", open=False))
    planned = site.catalog.revision
    assert answered(site, "ann")["revision"] == planned
    site.change(Rename("experiment", "plain", "Plain"))
    site.change(Rename("experiment", "plain", "Plainer"))
    row = {"experiment": "first", "unit": "ann", "treatment": "new"}
    site.post("/v1/kept", {"rows": [row]})
    for told in (answered(site, "ann"), answered(site, "ann")):
        assert (told["treatment"], told["reason"]) == ("new", "STICKY")
        assert replayed(site, "ann", told["revision"]) == ("new", "STICKY")
    treatment, reason, revision = by_batch(site, "ann")
    assert (treatment, reason) == replayed(site, "ann", revision) == ("new", "STICKY")
    # What was answered before the import is replayed as it was.
    assert replayed(site, "ann", planned) == (None, "INTAKE_CLOSED")


@pytest.mark.parametrize("way", ["one", "batch"])
def test_a_first_answer_and_those_after_it_are_replayed(site: Shop, way: str) -> None:
    for _ in range(3):
        site.change(Rename("experiment", "plain", f"Plain {site.catalog.revision}"))
        for _ in range(2):
            if way == "one":
                told = answered(site, "ann")
                treatment, revision = told["treatment"], told["revision"]
            else:
                treatment, _, revision = by_batch(site, "ann")
            assert replayed(site, "ann", revision)[0] == treatment == "control"
        site.weigh("first", 0)


COUNTRIES = ("NO", "FI", "SE", "NO")
EXPECTED = [
    (None, "NO_MATCH"),
    ("new", "ALLOCATED"),
    ("new", "STICKY"),
    ("new", "STICKY"),
]


@pytest.mark.parametrize("form", ["document", "lines"])
def test_a_later_row_of_a_batch_changes_no_earlier_one(tmp_path: Path, form: str) -> None:
    """Rows of one unit are answered as if they came one by one."""
    with shop(tmp_path, SEGMENTED) as site:
        rows = [{"unit": u, "attributes": {"country": c}} for c in COUNTRIES for u in ("a", "b")]
        if form == "document":
            known = [row["attributes"] for row in rows]
            body = {"units": [row["unit"] for row in rows], "attributes": known}
            found = site.asked("/v1/assign/batch", body)["units"]
        else:
            lines = msgspec.json.Encoder().encode_lines(rows)
            answer = site.send(
                "POST", "/v1/assign/batch", lines, content_type="application/x-ndjson"
            )
            found = msgspec.json.Decoder().decode_lines(answer.content)
        cells = [each["assignments"]["first"] for each in found]
        assert [(c["treatment"], c["reason"]) for c in cells[::2]] == EXPECTED
        assert cells[::2] == cells[1::2]
        one = [
            site.asked("/v1/assign", {"unit": "c", "attributes": {"country": c}})["assignments"]
            for c in COUNTRIES
        ]
        assert [(each["first"]["treatment"], each["first"]["reason"]) for each in one] == EXPECTED
