from libc.stdint cimport uint8_t, uint32_t, uint64_t

from allotment.kernel.csrc cimport allot_trace
from allotment.kernel.plan cimport Plan


# What Assigner.trace returns; the pointers are NULL for a unit that has no good key.
cdef dict stages_of(Plan plan, uint32_t outcome, const allot_trace *trace, const uint64_t *draws,
                    const uint8_t *members)
