"""The published JSON Schema accepts what loads, and refuses what no editor should let pass."""

import json
import re
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft202012Validator

from allotment.change.apply import apply
from allotment.dialects.catalogfile import read, show
from allotment.dialects.catalogfile.cursor import Tree
from allotment.dialects.catalogfile.source import parse
from allotment.matching.check import check_segments
from allotment.model.catalog import EMPTY, Catalog
from allotment.model.limits import (
    ALLOCATIONS_MAX,
    COMPARED_CHARACTERS_MAX,
    KEPT_MAX,
    KEPT_PATH_BYTES_MAX,
    KEY_BYTES_MAX,
    NAME_CHARACTERS_MAX,
    RANGES_MAX,
    RULES_MAX,
    TAGS_MAX,
    TEXT_CHARACTERS_MAX,
    TREATMENTS_MAX,
    WHOLE_MAX,
)
from allotment.model.segment import Operator
from strategies import catalogs

HOUSE = Path(__file__).parents[3]
PAGE = (HOUSE / "docs" / "catalog.md").read_text()
SCHEMA = json.loads(
    files("allotment.dialects.catalogfile").joinpath("catalog.schema.json").read_text()
)
BLOCKS = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
EXAMPLES = [*BLOCKS, *(file.read_text() for file in sorted(HOUSE.glob("examples/*/catalog.yaml")))]


def faults(tree: Tree) -> list[str]:
    return [error.json_path for error in Draft202012Validator(SCHEMA).iter_errors(tree)]


def load(text: str) -> Catalog:
    catalog = apply(EMPTY, read(text, EMPTY)).catalog
    check_segments(catalog.segments)
    return catalog


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_the_page_has_an_example() -> None:
    assert BLOCKS


@pytest.mark.parametrize("text", EXAMPLES)
def test_every_example_loads_and_the_schema_accepts_it_as_written_and_as_shown(text: str) -> None:
    assert faults(parse(text)) == []
    assert faults(parse(show(load(text)))) == []


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(catalogs())
def test_the_schema_accepts_any_catalog_as_it_is_shown(catalog: Catalog) -> None:
    assert faults(parse(show(catalog))) == []


def test_the_page_names_every_field_of_the_schema() -> None:
    named = set(re.findall(r"`([a-z_]+)`", PAGE)) | set(re.findall(r"([a-z_]+):", PAGE))
    fields = set(SCHEMA["properties"])
    for definition in SCHEMA["$defs"].values():
        for shape in (definition, *definition.get("oneOf", ())):
            fields |= set(shape.get("properties", ()))
    assert fields - named == set()


def test_every_object_refuses_fields_it_does_not_know() -> None:
    def objects(schema: object) -> list[dict[str, object]]:
        if isinstance(schema, list):
            return [found for item in schema for found in objects(item)]
        if not isinstance(schema, dict):
            return []
        inner = [found for item in schema.values() for found in objects(item)]
        return [schema, *inner] if schema.get("type") == "object" else inner

    assert len(objects(SCHEMA)) > 15
    assert all("additionalProperties" in found for found in objects(SCHEMA))


def test_the_limits_in_the_schema_are_those_of_the_house() -> None:
    definitions = SCHEMA["$defs"]
    iteration, clause = definitions["iteration"]["properties"], definitions["condition"]["oneOf"][0]
    assert definitions["key"]["pattern"].endswith(f"{{0,{KEY_BYTES_MAX - 1}}}$")
    assert definitions["name"]["maxLength"] == NAME_CHARACTERS_MAX
    assert definitions["description"]["maxLength"] == TEXT_CHARACTERS_MAX
    assert definitions["kept"]["maxProperties"] == KEPT_MAX
    assert definitions["kept"]["propertyNames"]["maxLength"] == KEPT_PATH_BYTES_MAX
    assert definitions["tags"]["maxItems"] == TAGS_MAX
    assert definitions["bucket"]["maximum"] == WHOLE_MAX  # of the widest profile and above
    assert definitions["segment"]["properties"]["rules"]["maxItems"] == RULES_MAX
    assert definitions["allocation"]["properties"]["slots"]["maxItems"] == RANGES_MAX
    assert iteration["treatments"]["maxProperties"] == TREATMENTS_MAX
    assert iteration["allocations"]["maxItems"] == ALLOCATIONS_MAX
    for operator in ("matches", "contains", "starts_with", "ends_with"):
        compared = clause["properties"][operator]["oneOf"][0]
        assert compared["maxLength"] == COMPARED_CHARACTERS_MAX


def test_the_schema_has_every_comparison() -> None:
    clause = SCHEMA["$defs"]["condition"]["oneOf"][0]
    assert set(clause["properties"]) == {"attribute", "equals", *(str(o) for o in Operator)}


FULL = BLOCKS[0]


@pytest.mark.parametrize(
    ("written", "instead", "path"),
    [
        ("allotment: 1", "allotment: 2", "$.allotment"),
        ("allotment: 1 ", "name: 1 ", "$"),
        ("default: blue", "defualt: blue", "$.flags['checkout-button']"),
        ("share: 5%", "share: 5", "$.holdouts.q4.share"),
        ("state: running", "state: runing", "$.experiments['checkout-button'].state"),
        ("enrolment: 50%", "enrolment: 0.5", "$.experiments['checkout-button'].enrolment"),
        ("enrolment: 50%", "iterations: []", "$.experiments['checkout-button']"),
        ("gap: 20", "gab: 20", "$.experiments['checkout-button'].allocations[1]"),
        ("gap: 20", "excess: many", "$.experiments['checkout-button'].allocations[1].excess"),
        ("holdout: q4", "started_at: soon", "$.experiments['checkout-button'].started_at"),
        ("holdout: q4", "kept: {flow: 1}", "$.experiments['checkout-button'].kept"),
        ("{share: 5%}", "{share: 5%, kept: {a/b: {c: 1}}}", "$.holdouts.q4.kept['a/b']"),
        ("one-page: 2}", "one-page: '2'}", "$.experiments['one-page'].allocations[0].weights"),
        ("in: [SE, NO, DK, FI]", "is: SE", "$.segments.nordics.rules[0]"),
        ("in: [SE, NO, DK, FI]", "in: [], exists: true", "$.segments.nordics.rules[0]"),
        ("include: [user-1, user-2]", "include: [1]", "$.segments.staff.include"),
        ("include: [user-1, user-2]", "sample: {share: 5}", "$.segments.staff.sample.share"),
        ("include: [user-1, user-2]", "sample: {share: 5%, tags: [a]}", "$.segments.staff.sample"),
        ("[checkout-button] ", "[{experiment: e, otherwise: v}] ", "$.flags['checkout-button']"),
        ("one-page: 30%", "one-page: [[0]]", "$.layers.checkout.reservations['one-page']"),
    ],
)
def test_the_schema_refuses_what_does_not_load(written: str, instead: str, path: str) -> None:
    assert written in FULL
    found = faults(parse(FULL.replace(written, instead, 1)))
    assert any(fault.startswith(path) for fault in found), found
