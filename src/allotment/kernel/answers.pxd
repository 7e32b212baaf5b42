cimport cython
from libc.stdint cimport uint32_t

from allotment.kernel.sheet cimport Sheet


@cython.final
cdef class Answers:
    cdef Sheet sheet
    cdef uint32_t *outcomes  # by place on the sheet

    cdef bytes written(self, object write)


# What a unit gets in every experiment of the sheet; the attributes may be None.
cdef Answers answers_of(Sheet sheet, object unit, dict attributes)
