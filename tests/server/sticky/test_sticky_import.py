"""Assignments that were made elsewhere come in whole, or not at all, and are given from then on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
import pytest

from allotment.change.commands import SetHoldout, SetHoldoutShare, SetOverrides
from allotment.compile import compile_catalog
from allotment.engine import Engine
from allotment.model.assignment import REASONS, Reason
from server.sticky.shop import Shop, shop

LAYERED = """
allotment: 1
flags:
  button: {default: blue, variations: {blue: 1, green: 2}, experiments: [first]}
segments:
  swedes:
    rules: [{attribute: country, in: [SE]}]
layers:
  page:
    reservations: {first: 50%, other: 25%}
holdouts:
  quiet: {share: 0%}
experiments:
  first:
    state: paused
    keeps_assignments: true
    audience: swedes
    holdout: quiet
    treatments: {control: {control: true, sets: {button: blue}}, new: {sets: {button: green}}}
    allocations: [{weights: {control: 100, new: 0}}]
  other:
    state: running
    treatments: {control: {control: true}, new: {}}
    allocations: [{weights: {control: 50, new: 50}}]
  draft:
    keeps_assignments: true
    treatments: {control: {control: true}, new: {}}
    allocations: [{weights: {control: 50, new: 50}}]
"""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Shop]:
    with shop(tmp_path, LAYERED) as made:
        yield made


def units(site: Shop, *, inside: bool, count: int = 4) -> list[str]:
    """Units of the layer's part that is `first`'s, or of the rest."""
    engine = Engine(compile_catalog(site.catalog))
    names = [f"u{number}" for number in range(100)]
    codes = engine.assign_many("first", names).reasons.tolist()
    pairs = zip(names, codes, strict=True)
    return [n for n, code in pairs if (REASONS[code] is Reason.NOT_IN_LAYER) is not inside][:count]


def row(unit: object, treatment: str = "new", experiment: str = "first") -> dict[str, Any]:
    return {"experiment": experiment, "unit": unit, "treatment": treatment}


def sent(site: Shop, *rows: dict[str, Any]) -> Any:
    return site.asked("/v1/kept", {"rows": rows}, content_type="application/json")


def refused(site: Shop, *rows: dict[str, Any]) -> tuple[int, str]:
    body = msgspec.json.encode({"rows": rows})
    answer = site.send("POST", "/v1/kept", body, content_type="application/json")
    return answer.status_code, answer.json()["path"]


def test_a_unit_that_comes_from_elsewhere_keeps_its_treatment(site: Shop) -> None:
    ann, bo, *_ = units(site, inside=True)
    assert site.given(ann) == (None, "PAUSED", False)
    assert sent(site, row(ann)) == {"kept": 1, "already_kept": 0, "differing": 0}
    assert site.given(ann) == ("new", "STICKY", False)
    assert site.given(bo) == (None, "PAUSED", False)
    again = sent(site, row(ann, "control"), row(ann), row(bo), row(bo, "control"))
    assert again == {"kept": 1, "already_kept": 3, "differing": 2}
    shown = site.get(f"/v1/kept/first/{ann}")
    assert {**shown, "at": ""} == {
        "experiment": "first",
        "iteration": 1,
        "unit": ann,
        "treatment": "new",
        "revision": site.catalog.revision,
        "at": "",
    }
    assert site.call("GET", "/v1/kept/first/nobody").status_code == 404
    assert site.call("GET", f"/v1/kept/first/{ann}?iteration=2").status_code == 404
    assert site.call("GET", f"/v1/kept/gone/{ann}").status_code == 404


def test_rows_come_as_lines_too(site: Shop) -> None:
    inside = units(site, inside=True, count=20)
    lines = msgspec.json.Encoder().encode_lines([row(unit) for unit in inside])
    content_type = "application/x-ndjson"
    answer = site.send("POST", "/v1/kept", b"\n" + lines, content_type=content_type)
    assert answer.json()["kept"] == 20
    broken = b'\n{"experiment":"first","unit":"a","treatment":"new"}\n{"unit":1}\n'
    answer = site.send("POST", "/v1/kept", broken, content_type=content_type)
    assert (answer.status_code, answer.json()["path"]) == (400, "$.rows[1]")
    arrow = "application/vnd.apache.arrow.stream"
    assert site.send("POST", "/v1/kept", b"", content_type=arrow).status_code == 415


def test_one_row_that_cannot_be_kept_keeps_all_out(site: Shop) -> None:
    good, outside = row(units(site, inside=True)[0]), units(site, inside=False)[0]
    for bad, status, path in (
        (row(outside), 400, "unit"),
        (row(""), 400, "unit"),
        (row("x" * 1_025), 400, "unit"),
        (row(good["unit"], "gone"), 404, "treatment"),
        (row("a", experiment="gone"), 404, "experiment"),
        (row("a", experiment="draft"), 400, "experiment"),
        (row("a", experiment="other"), 400, "experiment"),
        (row(None), 400, "unit"),
        ({**good, "more": 1}, 400, ""),
    ):
        expected = f"$.rows[1].{path}" if path else "$.rows[1]"
        assert refused(site, good, bad, row(outside)) == (status, expected), bad
    assert site.kept(good["unit"]) == {}


def test_a_unit_outside_is_refused_whatever_else_decides_first(site: Shop) -> None:
    """An override and a holdout come before the layer, and may be gone tomorrow."""
    inside, outside = units(site, inside=True)[0], units(site, inside=False)[0]
    site.change(SetOverrides("first", ((outside, "new"), (inside, "control"))))
    assert site.given(outside) == ("new", "OVERRIDE", False)
    assert refused(site, row(outside)) == (400, "$.rows[0].unit")
    site.change(SetHoldoutShare("quiet", 1_000_000))
    assert site.given(outside)[1] == "OVERRIDE"
    site.change(SetOverrides("first", ()))
    assert site.given(inside)[1] == "HELD_OUT"
    assert refused(site, row(outside)) == (400, "$.rows[0].unit")
    assert sent(site, row(inside))["kept"] == 1
    site.change(SetHoldout("first", None))
    assert site.given(inside) == ("new", "STICKY", False)


def test_a_unit_that_another_of_the_layer_has_by_override_is_refused(site: Shop) -> None:
    inside = units(site, inside=True)[0]
    site.change(SetOverrides("other", ((inside, "new"),)))
    assert refused(site, row(inside)) == (400, "$.rows[0].unit")


def test_a_key_of_any_text_is_found_again(site: Shop) -> None:
    wanted = [f"a/{number}/b c?d#é\0💩" for number in range(8)]
    wanted += [
        "\n",
        "a\n",
        "\n\n",
        " ",
        "a ",
        "\r\n",
        "/",
        "//",
        ".",
        "..",
        "a%0A",
        "%",
        "\t",
        "\x7f",
    ]
    inside = [unit for unit in wanted if site.given(unit)[1] != "NOT_IN_LAYER"]
    assert inside
    sent(site, *(row(unit) for unit in inside))
    assert {"\n", "a\n", "/"} & set(inside)
    for unit in inside:
        written = quote(unit, safe="").replace(".", "%2E")
        assert site.get(f"/v1/kept/first/{written}")["unit"] == unit


def test_what_is_kept_is_read_for_many_units_at_once(site: Shop) -> None:
    one, two, *_ = units(site, inside=True)
    sent(site, row(one), row(two, "control"))
    asked = {"experiment": "first", "iteration": 1, "units": [two, "else", one, one]}
    told = site.post("/v1/kept/read", asked)
    assert told == {"kept": [["control"], [], ["new"], ["new"]]}
    for change in ({"experiment": "gone"}, {"iteration": 2}):
        assert site.post("/v1/kept/read", {**asked, **change}) == {"kept": [[]] * 4}
    for field, value in (("iteration", 0), ("units", [1]), ("units", ["a"] * 10_001), ("more", 1)):
        answer = site.call("POST", "/v1/kept/read", {**asked, field: value})
        assert answer.status_code == 400
    answer = site.send("POST", "/v1/kept/read", b"{}", content_type="text/plain")
    assert answer.status_code == 415


def test_no_path_matches_another_that_ends_with_a_line_feed(site: Shop) -> None:
    for path in ("/healthz", "/v1/kept", "/v1/catalog/experiments", "/v1/journal", "/api/v2/flags"):
        for more in ("%0A", "%0D%0A", "%0A%0A"):
            assert site.send("GET", f"{path}{more}").status_code == 404, (path, more)
