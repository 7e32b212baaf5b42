from libc.stdint cimport uint32_t

from allotment.kernel.csrc cimport allot_digest


# The digest of a text that must have a UTF-8 form; InvalidInput otherwise.
cdef allot_digest digest_of(str text, uint32_t seed) except *
