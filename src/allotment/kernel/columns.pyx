"""The attributes of a batch: where each path's values are, one for each unit.

They come as a mapping of names to columns, as one Arrow table or struct, or as a list of dicts.
"""

cimport cython
from libc.stdint cimport int64_t

from allotment.kernel.arrow cimport Arrow, arrow_of
from allotment.kernel.cbatch cimport (
    ALLOT_ROWS_BOOL,
    ALLOT_ROWS_DECIMAL,
    ALLOT_ROWS_FLOAT,
    ALLOT_ROWS_LIST,
    ALLOT_ROWS_MOMENT,
    ALLOT_ROWS_SIGNED,
    ALLOT_ROWS_STRUCT,
    ALLOT_ROWS_TEXT,
    ALLOT_ROWS_UNSIGNED,
)
from allotment.kernel.column cimport Column, column_of_array, objects_of_array
from allotment.kernel.plan cimport Plan
from allotment.kernel.segment cimport Field, Segment

from collections.abc import Mapping, Sequence

import numpy as np

from allotment.errors import InvalidInput
from allotment.values import unpacked

# What the rows of a column are compared as.
_HELD = {
    <int>ALLOT_ROWS_BOOL: "boolean",
    <int>ALLOT_ROWS_SIGNED: "number",
    <int>ALLOT_ROWS_UNSIGNED: "number",
    <int>ALLOT_ROWS_FLOAT: "number",
    <int>ALLOT_ROWS_DECIMAL: "number",
    <int>ALLOT_ROWS_TEXT: "text",
    <int>ALLOT_ROWS_MOMENT: "text",
}


@cython.final
cdef class Source:
    """The values of one path: a column read in place, or Python objects."""


@cython.final
cdef class Columns:
    """What was given as attributes; a column is read once, however many segments ask for it."""

    cdef Source source(self, tuple path):
        if path not in self.sources:
            self.sources[path] = self.find(path)
        return self.sources[path]

    # What the columns hold that the plans' segments look at, where their types say it.
    cdef dict held(self, tuple plans):
        cdef Plan plan
        cdef Segment segment
        cdef Field field
        cdef Source source
        found = {}
        for plan in plans:
            for segment in plan.segments:
                for field in segment.fields:
                    source = self.source(field.path)
                    if source is not None and source.held is not None:
                        found[field.path] = source.held
        return found

    cdef Source find(self, tuple path):
        if self.given is None:
            return None
        if not isinstance(self.given, Mapping):
            return self.within(self.given, path, self.path)
        if path[0] not in self.given:
            return None
        return self.within(self.given[path[0]], path[1:], f"{self.path}.{path[0]}")

    cdef Source within(self, object column, tuple rest, str path):
        cdef Column read
        column = unpacked(column)
        if type(column) is list:
            return _items(column, rest, self.rows, path)
        if isinstance(column, np.ndarray):
            read = column_of_array(column, path)
            if read is None:
                return _items(objects_of_array(column), rest, self.rows, path)
            return None if rest else _column(read, self.rows, path)
        if isinstance(column, Mapping):
            if not rest:  # a dict has no value of its own
                return _items([{}] * self.rows, (), self.rows, path)
            return self.within(column[rest[0]], rest[1:], f"{path}.{rest[0]}") \
                if rest[0] in column else None
        if hasattr(column, "__arrow_c_array__") or hasattr(column, "__arrow_c_stream__"):
            return self.within_arrow(column, rest, path)
        if isinstance(column, Sequence) and not isinstance(column, (str, bytes, bytearray)):
            return _items(list(column), rest, self.rows, path)
        raise InvalidInput(
            "attributes are columns: lists, numpy arrays or Arrow data, one value for each unit;"
            f" this is {type(column).__name__}", path)

    cdef Source within_arrow(self, object column, tuple rest, str path):
        cdef Arrow arrow
        cdef Column read
        cdef Source source
        if path not in self.tables:
            self.tables[path] = arrow_of(column, path)
        arrow = self.tables[path]
        _check_rows(arrow.rows, self.rows, path)
        read = arrow.column(rest)
        if read is None:
            return None
        if read.taken() in (ALLOT_ROWS_LIST, ALLOT_ROWS_STRUCT):
            source = _items(arrow.objects(rest), (), self.rows, path)
            source.held = _HELD.get(arrow.elements_taken(read, rest))
            return source
        return _column(read, self.rows, path)


cdef Columns columns_of(object given, int64_t rows, str path):
    cdef Columns columns = Columns.__new__(Columns)
    columns.given = unpacked(given)
    columns.rows = rows
    columns.path = path
    columns.sources = {}
    columns.tables = {}
    return columns


cdef Source _items(list items, tuple rest, int64_t rows, str path):
    _check_rows(len(items), rows, path)
    cdef Source source = Source.__new__(Source)
    source.items = items
    source.rest = rest
    return source


cdef Source _column(Column column, int64_t rows, str path):
    _check_rows(column.rows, rows, path)
    cdef Source source = Source.__new__(Source)
    source.column = column
    source.held = _HELD.get(column.taken())
    return source


cdef int _check_rows(int64_t found, int64_t rows, str path) except -1:
    if found != rows:
        raise InvalidInput(f"{found:,} values stand beside {rows:,} units", path)
    return 0
