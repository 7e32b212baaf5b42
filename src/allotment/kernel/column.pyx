"""Columns that the batch reads in place: pieces of Arrow data or numpy arrays."""

cimport cython
from libc.stdint cimport int64_t
from libc.stdlib cimport calloc, free

from allotment.kernel.cbatch cimport (
    ALLOT_COLUMN_BYTES_BOOL,
    ALLOT_COLUMN_FIXED,
    ALLOT_COLUMN_FLOAT16,
    ALLOT_COLUMN_FLOAT32,
    ALLOT_COLUMN_FLOAT64,
    ALLOT_COLUMN_INT8,
    ALLOT_COLUMN_INT16,
    ALLOT_COLUMN_INT32,
    ALLOT_COLUMN_INT64,
    ALLOT_COLUMN_ROWS_MAX,
    ALLOT_COLUMN_UCS4,
    ALLOT_COLUMN_UINT8,
    ALLOT_COLUMN_UINT16,
    ALLOT_COLUMN_UINT32,
    ALLOT_COLUMN_UINT64,
    ALLOT_ROWS_NONE,
    ALLOT_UCS4_WIDTH_MAX,
    allot_column,
    allot_column_is_spelled,
    allot_column_is_valid,
    allot_column_kind,
    allot_column_rows,
    allot_rows,
)

from allotment.errors import InvalidInput

_KINDS = {
    "b1": ALLOT_COLUMN_BYTES_BOOL,
    "i1": ALLOT_COLUMN_INT8,
    "i2": ALLOT_COLUMN_INT16,
    "i4": ALLOT_COLUMN_INT32,
    "i8": ALLOT_COLUMN_INT64,
    "u1": ALLOT_COLUMN_UINT8,
    "u2": ALLOT_COLUMN_UINT16,
    "u4": ALLOT_COLUMN_UINT32,
    "u8": ALLOT_COLUMN_UINT64,
    "f2": ALLOT_COLUMN_FLOAT16,
    "f4": ALLOT_COLUMN_FLOAT32,
    "f8": ALLOT_COLUMN_FLOAT64,
}


@cython.final
cdef class Column:
    """Rows in one or more pieces; whatever owns their buffers lives as long as this."""

    @staticmethod
    cdef Column of_pieces(int64_t count, int64_t depth, object owner):
        cdef Column column = Column.__new__(Column)
        column.columns = <allot_column *>calloc(count + 1, sizeof(allot_column))
        column.words = <allot_column *>calloc(count + 1, sizeof(allot_column))
        column.veils = <allot_column *>calloc(count * depth + 1, sizeof(allot_column))
        column.starts = <int64_t *>calloc(count + 1, sizeof(int64_t))
        if not (column.columns and column.words and column.veils and column.starts):
            raise MemoryError
        column.pieces.columns = column.columns
        column.pieces.veils = column.veils
        column.pieces.starts = column.starts
        column.pieces.count = count
        column.pieces.depth = depth
        column.owner = owner
        return column

    def __dealloc__(self):
        free(self.columns)
        free(self.words)
        free(self.veils)
        free(self.starts)

    cdef Column measured(self):
        cdef int64_t piece
        for piece in range(self.pieces.count):
            self.starts[piece + 1] = self.starts[piece] + self.columns[piece].rows
            if self.starts[piece + 1] > ALLOT_COLUMN_ROWS_MAX:
                raise InvalidInput("a column has more rows than any machine holds")
        self.rows = self.starts[self.pieces.count]
        return self

    # All pieces are of one type, which is that of the first; of no pieces, every row is null.
    cdef allot_rows taken(self) noexcept nogil:
        return allot_column_rows(self.columns) if self.pieces.count else ALLOT_ROWS_NONE

    # Whether a struct around the row is null.
    cdef bint is_veiled(self, int64_t row) noexcept nogil:
        cdef int64_t piece = 0, level
        while self.starts[piece + 1] <= row:
            piece += 1
        for level in range(self.pieces.depth):
            if not allot_column_is_valid(&self.veils[piece * self.pieces.depth + level],
                                         row - self.starts[piece]):
                return True
        return False

    cdef bint is_spelled(self) noexcept nogil:
        return self.pieces.count and allot_column_is_spelled(self.columns)


cdef Column column_of_array(object array, str path):
    import numpy as np

    masked = isinstance(array, np.ma.MaskedArray)
    array = np.asarray(array)  # no subclass, whose attributes may be its own
    if array.ndim != 1:
        raise InvalidInput(f"a column has one dimension; this array has {array.ndim}", path)
    if masked or array.dtype.kind in "OTM":
        return None
    if array.dtype.kind == "f" and array.dtype.itemsize > 8:
        array = array.astype(np.float64)
    kind, width = _layout_of(array.dtype, path)
    if kind == ALLOT_COLUMN_UCS4 and width > ALLOT_UCS4_WIDTH_MAX:
        return None
    array = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("="))
    cdef Column column = Column.of_pieces(1, 0, array)
    column.columns.kind = <allot_column_kind><int>kind
    column.columns.rows = array.shape[0]
    column.columns.values = <const void *><size_t>array.ctypes.data
    column.columns.width = width
    return column.measured()


cdef list objects_of_array(object array):
    # numpy itself makes whole numbers of the dates that Python cannot hold.
    return list(array) if array.dtype.kind == "M" else array.tolist()


def _layout_of(dtype, path):
    """How a numpy type lies in memory, and the width of its texts."""
    if dtype.kind == "U":
        return ALLOT_COLUMN_UCS4, dtype.itemsize // 4
    if dtype.kind == "S":
        return ALLOT_COLUMN_FIXED, dtype.itemsize
    kind = _KINDS.get(f"{dtype.kind}{dtype.itemsize}")
    if kind is None:
        raise InvalidInput(
            f"a column is of text, numbers, truth values or dates; numpy's {dtype} is none of them:"
            " convert it with astype", path)
    return kind, 0
