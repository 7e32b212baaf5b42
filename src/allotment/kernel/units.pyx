"""The units of a batch, from whatever holds a column of texts or whole numbers."""

cimport cython
from libc.stdint cimport int64_t, uint8_t, uint64_t

from allotment.kernel.arrow cimport Arrow, arrow_of
from allotment.kernel.cbatch cimport (
    ALLOT_ROWS_BOOL,
    ALLOT_ROWS_FLOAT,
    ALLOT_ROWS_LIST,
    ALLOT_ROWS_STRUCT,
    allot_digest_texts,
    allot_space,
)
from allotment.kernel.column cimport column_of_array
from allotment.kernel.csrc cimport allot_digest
from allotment.kernel.listed cimport allot_list_texts
from allotment.kernel.unit cimport digest_of_unit

from collections.abc import Sequence

import numpy as np

from allotment.errors import InvalidInput


@cython.final
cdef class Units:
    """One column of units. Rows that are none (null, empty, over-long, no UTF-8) fail alone."""

    cdef int digest_items(self, int64_t start, int64_t n, allot_space *space, uint64_t *h1,
                          uint64_t *h2, uint8_t *ok) except -1:
        cdef list items = self.items
        cdef allot_digest digest
        cdef int64_t i
        cdef Py_ssize_t others = allot_list_texts(items, start, n, space.texts, space.valid)
        if others < 0:  # another thread changed it
            raise InvalidInput("the list of units became shorter while it was read")
        allot_digest_texts(space.texts, n, &space.lanes, h1, h2, ok)
        for i in range(n if others else 0):
            if space.valid[i]:
                digest.h1 = digest.h2 = 0
                ok[i] = digest_of_unit(items[start + i], &digest)
                h1[i] = digest.h1
                h2[i] = digest.h2
        return 0


cdef Units units_of(object source, str path):
    cdef Units units = Units.__new__(Units)
    cdef Arrow arrow
    if isinstance(source, list):
        units.items = source
    elif isinstance(source, np.ndarray):
        units.column = column_of_array(source, path)
        units.items = source.tolist() if units.column is None else None
    else:
        arrow = arrow_of(source, path)
        if arrow is not None:
            units.column = arrow.only()
        elif isinstance(source, Sequence) and not isinstance(source, (str, bytes, bytearray)):
            units.items = list(source)
        else:
            raise InvalidInput(
                "units are a list, a numpy array or Arrow data (an object with __arrow_c_array__ or"
                f" __arrow_c_stream__), not {type(source).__name__}. For one unit, assign", path)
    if units.column is None:
        units.rows = len(units.items)
        return units
    units.rows = units.column.rows
    if units.column.taken() in (ALLOT_ROWS_BOOL, ALLOT_ROWS_FLOAT, ALLOT_ROWS_LIST,
                                ALLOT_ROWS_STRUCT):
        raise InvalidInput("units are text or whole numbers, and this column is neither", path)
    return units
