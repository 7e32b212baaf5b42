"""Over HTTP a unit gets what the engine gives it: random catalogs, units and attributes."""

from __future__ import annotations

from typing import Any

import msgspec
import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from allotment.compile import compile_catalog
from allotment.engine import Engine
from allotment.model.assignment import Assignment
from allotment.model.catalog import Catalog
from allotment.reference import resolve as reference
from server.assign.asking import Paths
from strategies import UNITS, catalogs, values

FORMS = {
    "json": "application/json",
    "ndjson": "application/x-ndjson",
    "arrow": "application/vnd.apache.arrow.stream",
}

keys = st.sampled_from(UNITS) | st.text(max_size=3) | st.integers(-3, 3) | st.integers()
units = keys | st.dictionaries(st.sampled_from(("user", "device", "other")), keys, max_size=2)
nested = st.recursive(values | st.none(), lambda inner: st.lists(inner, max_size=2), max_leaves=3)
attributes = st.fixed_dictionaries(
    {},
    optional={
        "country": nested,
        "age": nested,
        "app": st.fixed_dictionaries({}, optional={"version": nested}),
        "tags": nested,
        "other": nested,
    },
)


def plain(given: object) -> dict[str, Any]:
    assert isinstance(given, Assignment)
    fields = {name: getattr(given, name) for name in Assignment.__slots__ if name != "experiment"}
    return {**fields, "variations": dict(given.variations)}


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    catalogs(), st.lists(st.tuples(units, attributes), max_size=6), st.sampled_from(sorted(FORMS))
)
def test_a_unit_gets_what_the_engine_gives_it(
    catalog: Catalog, asked: list[tuple[Any, dict[str, Any]]], form: str
) -> None:
    paths = Paths(catalog)
    engine = Engine(compile_catalog(catalog))
    expected = []
    for unit, known in asked:
        all_ = {key: plain(each) for key, each in engine.assign_all(unit, known).items()}
        # No store is there: what is to be kept says so.
        expected.append({key: cell(each, each["to_keep"]) for key, each in all_.items()})
        single = paths.ask("POST", "/v1/assign", {"unit": unit, "attributes": known})
        assert single.json == {"revision": catalog.revision, "assignments": all_}
        for flag in catalog.flags:
            body = {"unit": unit, "attributes": known, "flag": flag}
            found = paths.ask("POST", "/v1/resolve", body).json["resolutions"][flag]
            resolution = engine.resolve(flag, unit, known)
            assert found["value"] == resolution.value
            assert found["variation"] == resolution.variation
    batch = paths.ask(
        "POST",
        "/v1/assign/batch",
        {"units": [unit for unit, _ in asked], "attributes": [known for _, known in asked]},
        accept=FORMS[form],
    )
    assert answers(batch.body, form) == expected
    lines = [{"unit": unit, "attributes": known} for unit, known in asked]
    text = msgspec.json.Encoder().encode_lines(lines)
    halves = [text[: len(text) // 2], text[len(text) // 2 :]]
    streamed = paths.ask("POST", "/v1/assign/batch", halves, content_type=FORMS["ndjson"])
    assert answers(streamed.body, "ndjson") == expected


def cell(given: dict[str, Any], to_keep: bool) -> dict[str, Any]:
    """An answer as a batch has it."""
    shown = {name: given[name] for name in ("treatment", "reason")}
    return {**shown, "to_keep": True} if to_keep else shown


def answers(body: bytes, form: str) -> list[Any]:
    """What each unit got, by experiment."""
    if form == "arrow":
        with pa.ipc.open_stream(body) as reader:
            rows = reader.read_all().to_pylist()
        keys = [key.removesuffix(".reason") for key in reader.schema.names if ".reason" in key]
        return [
            {
                key: cell(
                    {"treatment": row[key], "reason": row[f"{key}.reason"]},
                    row.get(f"{key}.to_keep", False),
                )
                for key in keys
            }
            for row in rows
        ]
    if form == "ndjson":
        return [line["assignments"] for line in msgspec.json.Decoder().decode_lines(body)]
    return [each["assignments"] for each in msgspec.json.decode(body)["units"]]


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(catalogs(), units, attributes, st.sampled_from(("red", "blue", "control", "a", "b", "gone")))
def test_a_flag_resolves_as_the_specification_says_with_what_is_kept(
    catalog: Catalog, unit: Any, known: dict[str, Any], treatment: str
) -> None:
    stored = dict.fromkeys(catalog.experiments, treatment)
    engine = Engine(compile_catalog(catalog))
    for flag in catalog.flags:
        expected = reference(catalog, flag, unit, known, stored)
        assert engine.resolve(flag, unit, known, stored) == expected
