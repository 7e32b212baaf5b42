"""Where in a frame's rows a value stands, and what Arrow calls its type."""

from __future__ import annotations

from typing import Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import types as t

from allotment.errors import InvalidInput, did_you_mean

_PLAIN: Final[dict[type[t.DataType], pa.DataType]] = {
    t.StringType: pa.string(),
    t.CharType: pa.string(),
    t.VarcharType: pa.string(),
    t.BinaryType: pa.binary(),
    t.BooleanType: pa.bool_(),
    t.ByteType: pa.int8(),
    t.ShortType: pa.int16(),
    t.IntegerType: pa.int32(),
    t.LongType: pa.int64(),
    t.FloatType: pa.float32(),
    t.DoubleType: pa.float64(),
    t.DateType: pa.date32(),
    t.TimestampType: pa.timestamp("us", "UTC"),
    t.TimestampNTZType: pa.timestamp("us"),
    t.DayTimeIntervalType: pa.duration("us"),
    t.NullType: pa.null(),
}


class Place(NamedTuple):
    """A column by its number, and the fields that lead to a value within it."""

    column: int
    fields: tuple[str, ...]
    type: t.DataType

    def of(self, batch: pa.RecordBatch) -> pa.Array:
        """The values of a batch."""
        column = batch.column(self.column)
        return pc.struct_field(column, list(self.fields)) if self.fields else column


def place_of(schema: t.StructType, name: str, what: str) -> Place:
    """The place of a column of that name, or else of the field that a dotted name leads to.

    Raises InvalidInput, which says `what` it was to hold, where it is not there or there twice.
    """
    if schema.names.count(name) > 1:
        raise InvalidInput(f"the frame has {schema.names.count(name)} columns {name!r}: rename one")
    if name in schema.names:
        at = schema.names.index(name)
        return Place(at, (), schema.fields[at].dataType)
    first, *fields = name.split(".")
    if fields and first in schema.names:
        found = place_of(schema, first, what)
        kind = found.type
        for field in fields:
            if not isinstance(kind, t.StructType) or field not in kind.names:
                break
            kind = kind[field].dataType
        else:
            return Place(found.column, tuple(fields), kind)
    known = ", ".join(schema.names) or "none"
    raise InvalidInput(
        f"the frame has no column {name!r} for {what}{did_you_mean(name, schema.names)}; "
        f"its columns are: {known}"
    )


def arrow_type(kind: t.DataType) -> pa.DataType:
    """The type in which Spark sends such values to a worker; one that it has none for is text."""
    if isinstance(kind, t.DecimalType):
        return pa.decimal128(kind.precision, kind.scale)
    if isinstance(kind, t.ArrayType):
        return pa.list_(arrow_type(kind.elementType))
    if isinstance(kind, t.MapType):
        return pa.map_(arrow_type(kind.keyType), arrow_type(kind.valueType))
    if isinstance(kind, t.StructType):
        return pa.struct([(field.name, arrow_type(field.dataType)) for field in kind.fields])
    return _PLAIN.get(type(kind), pa.string())
