from libc.stdint cimport int64_t, uint32_t, uint64_t

from allotment.kernel.cbatch cimport allot_intern, allot_space
from allotment.kernel.columns cimport Source
from allotment.kernel.segment cimport Field


cdef class Attribute:
    cdef Source source
    cdef list fields               # of Field: the segments that read this attribute
    cdef uint64_t **tables         # a field each: its clause bits by code; those of code 0 are 0
    cdef Py_ssize_t *words         # a field each
    cdef Py_ssize_t words_all
    cdef uint64_t *bits            # room for the bits of one value, all fields
    cdef allot_intern intern
    cdef uint32_t decided          # codes whose bits are in the tables
    cdef uint32_t room             # codes the tables have room for

    @staticmethod
    cdef Attribute of(Source source, list fields)
    # Has the values that are new decided: their bits are in the tables afterwards.
    cdef int decide(self) except -1
    # The codes of a block of rows of a source of Python objects.
    cdef int read_items(self, int64_t start, int64_t n, allot_space *space,
                        uint32_t *codes) except -1
    cdef int read_dicts(self, int64_t start, int64_t n, uint32_t *codes) except -1
    cdef int grow(self) except -1
    cdef uint32_t code_of(self, object value) except? 0
    cdef uint32_t code_of_bits(self, object value) except? 0
