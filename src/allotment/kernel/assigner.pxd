from allotment.kernel.plan cimport Plan
from allotment.kernel.sheet cimport Sheet


cdef class Assigner:
    cdef object unknown
    cdef tuple shards   # the one slot: what is published now
    cdef Sheet sheet    # of these shards, or of older ones until the next call

    cdef Plan plan_of(self, object experiment)
