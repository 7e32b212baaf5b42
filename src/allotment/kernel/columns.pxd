from libc.stdint cimport int64_t

from allotment.kernel.column cimport Column


cdef class Source:
    cdef Column column             # read in place, without the GIL; or None
    cdef list items                # Python objects, read under the GIL; or None
    cdef tuple rest                # the path from an item, a dict, to the value; () the item itself
    cdef str held                  # what its type says that the values are; or None


cdef class Columns:
    cdef int64_t rows              # of the units: every column has as many
    cdef str path
    cdef object given
    cdef dict sources              # path of a field -> Source or None
    cdef dict tables               # path of the argument -> Arrow, read once

    # Where the values of a field are, or None where no row has one.
    cdef Source source(self, tuple path)
    cdef dict held(self, tuple plans)
    cdef Source find(self, tuple path)
    cdef Source within(self, object column, tuple rest, str path)
    cdef Source within_arrow(self, object column, tuple rest, str path)

cdef Columns columns_of(object given, int64_t rows, str path)
