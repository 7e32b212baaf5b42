from allotment.kernel.plan cimport Plan
from allotment.kernel.sheet cimport Sheet


cdef class Assigner:
    cdef object unknown
    cdef tuple shards   # the one slot: what is published now
    cdef list lately    # of these shards: names and plans in turn, by the address of the name
    cdef Sheet sheet    # of these shards, or of older ones until the next call

    cdef Plan look_up(self, object experiment, Py_ssize_t line)
