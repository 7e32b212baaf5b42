from libc.stdint cimport uint32_t, uint64_t

from allotment.kernel.cbatch cimport allot_membership
from allotment.kernel.segment cimport Segment


cdef class Members:
    cdef allot_membership core
    cdef Segment segment
    cdef list attributes           # of Attribute: those of its fields that are there
    cdef list tables               # of int: which table of its attribute a field has
    cdef object buffers            # what core points at, kept alive
    cdef const uint64_t **pointers
    cdef bint alone                # at most one field and no lists: a value decides
    cdef object answers            # bytearray
    cdef uint32_t answered         # codes that have an answer

    # Brings the tables and the answers up to what the attributes have decided.
    cdef int refresh(self) except -1
    cdef int answer(self) except -1

# `attributes` and their positions in the walk are those of the segment's fields that have values.
cdef Members members_of(Segment segment, list attributes, list places, list tables)
