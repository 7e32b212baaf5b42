cimport cython

from allotment.kernel.csrc cimport allot_recipe


@cython.final
cdef class Recipe:
    cdef allot_recipe core         # borrows the two texts
    cdef bytes before
    cdef bytes after
