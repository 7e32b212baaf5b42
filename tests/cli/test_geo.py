"""The example: every city on earth with 500 people or more, under a realistic catalog."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import allotment
from allotment import Reason

GEO = Path(__file__).parents[2] / "examples" / "geo"
STOCKHOLM, REYKJAVIK = 2673730, 3413829


@pytest.fixture(scope="module")
def cities() -> pa.Table:
    spec = importlib.util.spec_from_file_location("cities", GEO / "cities.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.cities()


@pytest.fixture(scope="module")
def engine() -> allotment.Engine:
    return allotment.load(GEO / "catalog.yaml")


@pytest.fixture(scope="module")
def table(engine: allotment.Engine, cities: pa.Table) -> allotment.Table:
    return engine.assign_table(cities["geonameid"], attributes=cities, threads=2)


def treated(column: allotment.Column) -> np.ndarray:
    return column.codes >= 0


def test_it_is_about_every_city(cities: pa.Table, table: allotment.Table) -> None:
    assert cities.num_rows > 200_000
    assert set(table) == {"delivery-banner", "express-checkout"}
    assert len(table["delivery-banner"]) == cities.num_rows


def test_no_city_is_in_both_experiments(table: allotment.Table) -> None:
    banner, checkout = table["delivery-banner"], table["express-checkout"]
    assert treated(banner).any()
    assert treated(checkout).any()
    assert not (treated(banner) & treated(checkout)).any()


def test_the_same_cities_are_held_out_of_both(table: allotment.Table, cities: pa.Table) -> None:
    reasons = list(Reason)
    held = [table[key].reasons == reasons.index(Reason.HELD_OUT) for key in table]
    override = cities["geonameid"].to_numpy() == STOCKHOLM
    assert (held[0] | override == held[1] | override).all()
    assert 0.048 < held[1].mean() < 0.052


def test_every_reason_that_the_catalog_gives_cause_for_is_there(table: allotment.Table) -> None:
    found: Iterator[Reason] = (why for key in table for _, why in table[key].counts())
    assert set(found) == {
        Reason.OVERRIDE, Reason.HELD_OUT, Reason.NOT_IN_LAYER, Reason.NOT_IN_AUDIENCE,
        Reason.NOT_ENROLLED, Reason.ALLOCATED, Reason.NOT_ALLOCATED, Reason.FALLBACK,
    }  # fmt: skip


def test_tomorrow_is_promised_in_large_cities_of_the_union_alone(
    table: allotment.Table, cities: pa.Table, engine: allotment.Engine
) -> None:
    names = np.array(table["delivery-banner"].names())
    promised = cities.filter(pa.array(names == "tomorrow")).to_pylist()
    union = engine.catalog.segments["european-union"].rules[0].values
    for city in promised:
        assert city["population"] >= 50_000
        assert city["country"] in union
    assert STOCKHOLM in {city["geonameid"] for city in promised}


def test_the_depot_that_moves_is_not_served(engine: allotment.Engine) -> None:
    known = {"country": "IS", "population": 118_918, "timezone": "Atlantic/Reykjavik"}
    for key in ("delivery-banner", "express-checkout"):
        assert engine.assign(key, REYKJAVIK, known).treatment is None


def test_a_flag_gives_each_city_the_value_of_its_treatment(engine: allotment.Engine) -> None:
    flag = engine.resolve("delivery-banner", STOCKHOLM, {"country": "SE"})
    assert (flag.variation, flag.value) == ("tomorrow", "Delivered tomorrow")
    assert engine.resolve("delivery-banner", 1, {"country": "AQ"}).variation == "none"
