cimport cython
from cpython.object cimport PyObject
from libc.stdint cimport uint8_t

from allotment.kernel.memo cimport Memo
from allotment.kernel.segment cimport Field


@cython.final
cdef class Topic:
    cdef Field field              # of the first segment: the path they all read
    cdef readonly tuple segments
    cdef Py_ssize_t count         # of segments
    cdef Memo memo                # of texts: bytes, one member byte a segment

    # Fills one member byte a segment.
    cdef int ask(self, dict attributes, uint8_t *members) except -1
    cdef int copy(self, PyObject *found, uint8_t *members) except -1
    cdef int ask_each(self, object value, uint8_t *members) except -1
