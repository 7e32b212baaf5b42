from libc.stdint cimport int64_t, uint8_t, uint64_t

from allotment.kernel.cbatch cimport allot_drawn, allot_space
from allotment.kernel.column cimport Column


cdef class Units:
    cdef readonly int64_t rows
    cdef Column column             # read in place, without the GIL; or None
    cdef list items                # Python objects, read under the GIL; or None

    # The digests of a block of rows of `items`, and their draws by `count` recipes, from place
    # `skip` on; a row that is no unit of the kind has ok 0.
    cdef int digest_items(self, str kind, int64_t start, int64_t n, allot_space *space,
                          uint64_t *h1, uint64_t *h2, uint8_t *ok, const allot_drawn *drawn,
                          size_t count, int64_t skip) except -1

    # The keys of all rows.
    cdef list keys(self, str kind)

cdef Units units_of(object source, str path)
