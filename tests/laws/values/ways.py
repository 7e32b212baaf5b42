"""Every way in: the reasons of all experiments for a column of values."""

from __future__ import annotations

import io
from collections import UserDict
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb
import msgspec
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from allotment.compile import compile_catalog
from allotment.engine import Engine
from allotment.frames.form import open_source
from allotment.frames.wanted import wanted_columns
from allotment.model.assignment import REASONS
from allotment.model.catalog import Catalog
from laws.values.kinds import Kind
from server.assign.asking import Paths

# Reasons by experiment of one row.
Row = dict[str, str]
Way = tuple[str, Callable[[], list[Row]]]

ARROW = "application/vnd.apache.arrow.stream"
NDJSON = "application/x-ndjson"


class Asked:
    """One column of values under one catalog, asked in every way that can hold it."""

    def __init__(self, catalog: Catalog, kind: Kind, values: list[Any], folder: Path) -> None:
        # Columns that match nothing are asked, too.
        self.engine = Engine(compile_catalog(catalog), note=None)
        self.kind, self.values, self.folder = kind, values, folder
        self.keys = list(catalog.experiments)
        self.units = [f"user-{number}" for number in range(len(values))]
        self.whole = None not in values

    def singly(self, values: Any) -> list[Row]:
        """By one call a unit and experiment; all experiments of a unit are the same."""
        found = []
        for unit, value in zip(self.units, values, strict=True):
            known = {"x": value}
            row = {key: str(self.engine.assign(key, unit, known).reason) for key in self.keys}
            every = self.engine.assign_all(unit, UserDict(known))
            assert row == {key: str(each.reason) for key, each in every.items()}
            found.append(row)
        return found

    def batch(self, attributes: Any, units: Any = None) -> list[Row]:
        """By one call for all units."""
        table = self.engine.assign_table(self.units if units is None else units, None, attributes)
        return [
            {key: str(REASONS[table[key].reasons[number]]) for key in self.keys}
            for number in range(len(table[self.keys[0]]))
        ]

    def ways(self) -> Iterator[Way]:
        """The name of each way, and what asks in it."""
        values = self.values
        yield "single", lambda: self.singly(values)
        yield "rows", lambda: self.batch([{"x": value} for value in values])
        yield "mappings", lambda: self.batch([UserDict(x=value) for value in values])
        yield "list", lambda: self.batch({"x": values})
        yield "tuple", lambda: self.batch({"x": tuple(values)})
        yield "objects", lambda: self.batch({"x": _objects(values)})
        yield "series of objects", lambda: self.batch({"x": pd.Series(values, dtype=object)})
        yield "frame of objects", lambda: self.batch(pd.DataFrame({"x": _objects(values)}))
        yield "sets", lambda: self.singly([value if _nests(value) else {value} for value in values])
        if self.whole:
            for name in self.kind.numpy:
                array = _objects(values) if name == "O" else np.array(values, _numpy(name))
                yield f"numpy {name}", lambda array=array: self.batch({"x": array})
                yield f"cells of numpy {name}", lambda array=array: self.singly(list(array))
        for kind in self.kind.arrow:
            array = _arrow(values, kind)
            yield from self.arrow(f"arrow {kind}", array)
        if self.kind.json:
            yield from self.json()

    def arrow(self, name: str, array: pa.Array) -> Iterator[Way]:
        """Arrow data of several producers, and files and requests with it."""
        table = pa.table({"x": array})
        yield name, lambda: self.batch(table)
        yield f"{name}, its cells", lambda: self.singly(list(array))
        yield (
            f"{name}, chunked",
            lambda: self.batch({"x": pa.chunked_array([array[:3], array[3:]])}),
        )
        nested = pa.table({"deep": pa.StructArray.from_arrays([array], ["x"])})
        yield (
            f"{name}, in a struct",
            lambda: self.batch({"x": nested["deep"].combine_chunks().field(0)}),
        )
        if not pa.types.is_nested(array.type):
            offsets = pa.array(range(len(array) + 1), pa.int32())
            mask = pa.array([value is None for value in self.values])
            lists = pa.ListArray.from_arrays(offsets, array, mask=mask)
            yield f"{name}, in lists", lambda: self.batch({"x": lists})
        if not isinstance(array.type, pa.BaseExtensionType):
            yield (
                f"{name}, pandas",
                lambda: self.batch(
                    pd.DataFrame({"x": pd.Series(array, dtype=pd.ArrowDtype(array.type))})
                ),
            )
            yield from self.others(name, table)
        file = self.folder / "rows.parquet"

        def by_parquet() -> list[Row]:
            pq.write_table(table.append_column("id", [self.units]), file)
            return self.file(file)

        yield f"{name}, Parquet", by_parquet
        yield f"{name}, HTTP", lambda: self.posted(_stream(table, self.units), ARROW)

    def others(self, name: str, table: pa.Table) -> Iterator[Way]:
        """What polars and DuckDB make of a column, where they have such a type."""
        kind = table["x"].type
        # Polars panics at decimals of 256 bits, and makes moments of dates of 64.
        if not (pa.types.is_decimal256(kind) or pa.types.is_date64(kind)):
            with suppress(pl.exceptions.PolarsError, ValueError):
                frame = pl.DataFrame(table)
                yield f"{name}, polars", lambda: self.batch(frame)
                yield f"{name}, cells of polars", lambda: self.singly(list(frame["x"]))
        with suppress(duckdb.NotImplementedException):
            duckdb.from_arrow(table).fetchall()
            yield f"{name}, DuckDB", lambda: self.batch(duckdb.from_arrow(table))

    def json(self) -> Iterator[Way]:
        """Requests and a file of JSON."""
        lines = [
            {"unit": unit, "attributes": {"x": value}}
            for unit, value in zip(self.units, self.values, strict=True)
        ]
        document = {"units": self.units, "attributes": {"x": self.values}}
        yield "HTTP JSON", lambda: self.posted(msgspec.json.encode(document), "application/json")
        body = msgspec.json.Encoder().encode_lines(lines)
        yield "HTTP NDJSON", lambda: self.posted(body, NDJSON)

        def by_file() -> list[Row]:
            file = self.folder / "rows.ndjson"
            rows = [{"id": each["unit"], **each["attributes"]} for each in lines]
            file.write_bytes(msgspec.json.Encoder().encode_lines(rows))
            return self.file(file)

        yield "NDJSON", by_file

    def csv(self, texts: list[str | None]) -> list[Row]:
        """By a CSV file of the values as they are written; null is an empty field."""
        file = self.folder / "rows.csv"
        lines = (f"{unit},{_field(text)}\n" for unit, text in zip(self.units, texts, strict=True))
        file.write_text("id,x\n" + "".join(lines))
        return self.file(file)

    def file(self, path: Path) -> list[Row]:
        """As `allotment assign` reads a file."""
        wanted = wanted_columns(self.engine.catalog, self.keys, {"user": "id"})
        found: list[Row] = []
        with open_source(path, wanted) as source:
            for rows in source.batches():
                found += self.batch(rows.attributes, rows.units)
        return found

    def posted(self, body: bytes, form: str) -> list[Row]:
        """By one request, answered in JSON."""
        with closing(Paths(self.engine.catalog)) as paths:
            answer = paths.ask(
                "POST", "/v1/assign/batch", body, content_type=form, accept="application/json"
            )
        assert answer.status == 200, answer.body
        return [
            {key: each["reason"] for key, each in unit["assignments"].items()}
            for unit in answer.json["units"]
        ]


def _field(text: str | None) -> str:
    return "" if text is None else '"' + text.replace('"', '""') + '"'


def _objects(values: list[Any]) -> Any:
    array = np.empty(len(values), object)
    array[:] = values
    return array


def _numpy(name: str) -> Any:
    return np.dtypes.StringDType() if name == "T" else name


def _arrow(values: list[Any], kind: pa.DataType) -> pa.Array:
    if pa.types.is_dictionary(kind):
        return pa.array(values, kind.value_type).dictionary_encode().cast(kind)
    if isinstance(kind, pa.UuidType):
        raw = [value.bytes if isinstance(value, UUID) else None for value in values]
        return pa.ExtensionArray.from_storage(kind, pa.array(raw, pa.binary(16)))
    if isinstance(kind, pa.Bool8Type):
        return pa.ExtensionArray.from_storage(kind, pa.array(values, pa.bool_()).cast(pa.int8()))
    return pa.array(values, kind)


def _nests(value: object) -> bool:
    return value is None or isinstance(value, list | dict)


def _stream(table: pa.Table, units: list[str]) -> bytes:
    sink = io.BytesIO()
    whole = table.append_column("unit", [units])
    with pa.ipc.new_stream(sink, whole.schema) as writer:
        writer.write_table(whole)
    return sink.getvalue()
