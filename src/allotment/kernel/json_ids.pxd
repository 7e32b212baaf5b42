from libc.stdint cimport int64_t, uint8_t

from allotment.kernel.cbatch cimport allot_column
from allotment.kernel.column cimport Column


cdef class Texts:
    cdef readonly bytes text       # what the views point into
    cdef readonly bytes views      # 16 bytes a row, as Arrow has them
    cdef readonly int64_t start    # the first row of the views
    cdef readonly int64_t rows

    # The rows as a batch reads them.
    cdef Column column(self)
