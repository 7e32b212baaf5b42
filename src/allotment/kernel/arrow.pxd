from libc.stdint cimport int64_t

from allotment.kernel.cbatch cimport (
    ArrowArray,
    ArrowArrayStream,
    ArrowSchema,
    allot_column,
    allot_rows,
)
from allotment.kernel.column cimport Column


cdef class Arrow:
    cdef ArrowSchema schema
    cdef ArrowArray *chunks
    cdef Py_ssize_t count
    cdef readonly int64_t rows
    cdef str path                  # where the data stands among the arguments

    # The column at the end of `path` through structs, or None where there is none. Raises
    # InvalidInput for arrays that are malformed.
    cdef Column column(self, tuple path)
    # The only column of a struct of one; else the data itself.
    cdef Column only(self)
    # The values at the end of `path` as Python objects: for lists and structs, which are rare.
    cdef list objects(self, tuple path)
    cdef list objects_at(self, tuple places)

    cdef ArrowArray *room(self) except NULL
    cdef int take_array(self, object schema, object array) except -1
    cdef int take_stream(self, object capsule) except -1
    cdef int check(self, ArrowArrayStream *stream, int status) except -1
    cdef Arrow measured(self)
    cdef tuple places(self, tuple path)
    cdef Column at(self, tuple places)
    cdef allot_rows elements_taken(self, Column column, tuple path) except *
    cdef Column elements(self, Column lists, tuple places, int64_t chunk)
    cdef int read(self, ArrowSchema *schema, ArrowArray *array, allot_column *parent,
                  int64_t place, allot_column *column, allot_column *words) except -1

# The data of an object with `__arrow_c_array__` or `__arrow_c_stream__`; None of any other.
cdef Arrow arrow_of(object source, str path)
