cimport cython
from libc.stdint cimport int64_t

from allotment.kernel.csrc cimport allot_recipe


@cython.final
cdef class Recipe:
    cdef allot_recipe core         # borrows the two texts
    cdef bytes before
    cdef bytes after

    # The draws of a block of rows, into the room.
    cdef int draw_block(self, object column, int64_t at, int64_t n, object room) except -1
