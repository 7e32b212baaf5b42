"""Results as Arrow data: capsules of the C data interface, which any consumer reads in place."""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from cpython.pycapsule cimport PyCapsule_GetPointer, PyCapsule_New
from libc.stdint cimport int16_t, int32_t, int64_t, uint8_t

from allotment.kernel.cbatch cimport (
    ArrowArray,
    ArrowSchema,
    allot_export_column,
    allot_export_table,
    allot_names,
)

from itertools import accumulate

import numpy as np

from allotment.errors import InvalidInput

_TEXT_BYTES_MAX = 2**31 - 1  # of int32 offsets
_NAMES_MAX = 2**15  # of int16 codes


def export_column(codes, names):
    """A column of codes as (schema capsule, array capsule): dictionary<int16, utf8>.

    `codes` is an int16 array of indices into `names`, null where it is -1. The capsules own copies
    of everything, and the consumer that takes over their content releases it.
    """
    cdef Capsules capsules = Capsules()
    _export(_codes(codes), names, "", capsules.schema, capsules.array)
    return capsules.pair()


def export_table(names, columns):
    """Columns of equal length as (schema capsule, array capsule) of one struct: a record batch.

    `names` are the fields' names; `columns` has (codes, names of the treatments) for each.
    """
    # Read once: what else counts and hands out its items may do the two differently.
    names = list(names)
    columns = [(_codes(codes), treatments) for codes, treatments in columns]
    cdef Py_ssize_t count = len(columns), done = 0, i
    cdef int64_t rows = len(columns[0][0]) if count else 0
    cdef Capsules capsules = Capsules()
    if len(names) != count:
        raise InvalidInput(f"{len(names)} names stand beside {count} columns")
    schemas = <ArrowSchema *>PyMem_Malloc((count + 1) * sizeof(ArrowSchema))
    arrays = <ArrowArray *>PyMem_Malloc((count + 1) * sizeof(ArrowArray))
    try:
        if schemas == NULL or arrays == NULL:
            raise MemoryError
        for name, (codes, treatments) in zip(names, columns):
            if len(codes) != rows:
                raise InvalidInput(f"{len(codes):,} codes stand beside {rows:,}", f"$.{name}")
            _export(codes, treatments, name, &schemas[done], &arrays[done])
            done += 1
        i, done = done, 0  # the table takes the columns over, come what may
        if not allot_export_table(schemas, arrays, i, rows, capsules.schema, capsules.array):
            raise MemoryError
    finally:
        for i in range(done):
            schemas[i].release(&schemas[i])
            arrays[i].release(&arrays[i])
        PyMem_Free(schemas)
        PyMem_Free(arrays)
    return capsules.pair()


cdef object _codes(object codes):
    """A copy of the codes, which no other code can change after it was looked at."""
    if not isinstance(codes, np.ndarray):
        raise InvalidInput("codes are an int16 array", "$.codes")
    codes = np.array(codes, order="C")  # and no subclass, whose attributes may be its own
    if codes.dtype != np.int16 or codes.ndim != 1:
        raise InvalidInput("codes are an int16 array", "$.codes")
    return codes


cdef bytes _encoded(object name):
    """A name's UTF-8. What a subclass of str overrides is not called."""
    try:
        return str.encode(name)
    except (TypeError, UnicodeEncodeError) as wrong:
        raise InvalidInput(f"names are text: {wrong}", "$.names") from None


# Of codes that `_codes` made.
cdef int _export(object codes, object names, object name, ArrowSchema *schema,
                 ArrowArray *array) except -1:
    cdef allot_names texts
    cdef bytes title = _encoded(name)
    parts = [_encoded(part) for part in names]
    if len(codes) and not -1 <= int(codes.min()) <= int(codes.max()) < len(parts):
        raise InvalidInput(f"codes are -1 or below {len(parts)}, the number of names", "$.codes")
    if len(parts) > _NAMES_MAX:
        raise InvalidInput(f"codes of 16 bits tell {_NAMES_MAX:,} names apart", "$.names")
    if b"\0" in title:
        raise InvalidInput("Arrow has no name of a column with a NUL in it", "$.names")
    ends = list(accumulate(map(len, parts), initial=0))
    if ends[len(ends) - 1] > _TEXT_BYTES_MAX:
        raise InvalidInput("the names are more text than one Arrow array holds", "$.names")
    offsets = np.array(ends, dtype=np.int32)
    text = b"".join(parts)
    texts.text = <const uint8_t *>PyBytes_AS_STRING(text)
    texts.offsets = <const int32_t *><size_t>offsets.ctypes.data
    texts.count = <int32_t>len(parts)
    if not allot_export_column(<const int16_t *><size_t>codes.ctypes.data, codes.shape[0], &texts,
                               title, schema, array):
        raise MemoryError
    return 0


@cython.final
cdef class Capsules:
    """Two structs on the heap, released with their capsules unless a consumer took them over."""

    cdef object schema_capsule, array_capsule
    cdef ArrowSchema *schema
    cdef ArrowArray *array

    def __cinit__(self):
        self.schema = <ArrowSchema *>PyMem_Malloc(sizeof(ArrowSchema))
        if self.schema == NULL:
            raise MemoryError
        self.schema.release = NULL
        self.schema_capsule = PyCapsule_New(self.schema, "arrow_schema", _end_schema)
        self.array = <ArrowArray *>PyMem_Malloc(sizeof(ArrowArray))
        if self.array == NULL:
            raise MemoryError
        self.array.release = NULL
        self.array_capsule = PyCapsule_New(self.array, "arrow_array", _end_array)

    cdef tuple pair(self):
        return self.schema_capsule, self.array_capsule


cdef void _end_schema(object capsule) noexcept:
    schema = <ArrowSchema *>PyCapsule_GetPointer(capsule, "arrow_schema")
    if schema.release != NULL:
        schema.release(schema)
    PyMem_Free(schema)


cdef void _end_array(object capsule) noexcept:
    array = <ArrowArray *>PyCapsule_GetPointer(capsule, "arrow_array")
    if array.release != NULL:
        array.release(array)
    PyMem_Free(array)
