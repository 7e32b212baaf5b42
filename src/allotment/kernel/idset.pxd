cimport cython
from libc.stdint cimport uint64_t

from allotment.kernel.csrc cimport allot_idset


@cython.final
cdef class IdSet:
    cdef allot_idset core  # owned; never changes once made
    cdef object __weakref__


cdef uint64_t hash_of(str key) except? 0
