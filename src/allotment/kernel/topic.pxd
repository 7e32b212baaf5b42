cimport cython
from libc.stdint cimport uint8_t

from allotment.kernel.segment cimport Field


@cython.final
cdef class Topic:
    cdef Field field              # of the first segment: the path they all read
    cdef readonly tuple segments
    cdef Py_ssize_t count         # of segments
    cdef dict texts               # text -> bytes: one member byte a segment
    cdef Py_ssize_t memo_max      # entries

    # Fills one member byte a segment.
    cdef int ask(self, dict attributes, uint8_t *members) except -1
    cdef int ask_each(self, object value, uint8_t *members) except -1
