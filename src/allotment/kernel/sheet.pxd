cimport cython
from libc.stdint cimport uint8_t, uint32_t, uint64_t

from allotment.kernel.csrc cimport allot_digest, allot_plain, allot_plan, allot_recipe
from allotment.kernel.plan cimport Plan

cdef enum:
    KINDS_MAX = 16  # of units in one snapshot; two or three are usual


@cython.final
cdef class Sheet:
    cdef readonly tuple shards       # what it was made of
    cdef readonly tuple names        # the experiments, sorted
    cdef dict places                 # name -> position in the three that follow
    cdef tuple plans                 # those of one kind of unit together, of these the plain first
    cdef const allot_plan **cores
    cdef allot_plain plain           # [count] the plain ones; the rows of others are not used
    cdef uint32_t *sorted            # [count] the places in the order of the names
    cdef uint32_t count

    cdef tuple kinds                 # unit kinds, sorted
    cdef uint32_t *kind_plans        # [kinds + 1] where the plans of each kind begin
    cdef uint32_t *kind_others       # [kinds] where those of them begin that are not plain
    cdef uint32_t *kind_draws        # [kinds + 1] where the draws of these begin
    cdef uint32_t *kind_ids          # [kinds + 1] where the ids of these begin

    cdef uint32_t draws              # of all plans together that are not plain
    cdef uint64_t *s1                # [draws] their salts
    cdef uint64_t *s2
    cdef const allot_recipe **recipes  # [draws] NULL where a draw is native
    cdef bint mixed                  # some draw is by a recipe
    cdef uint32_t *ids               # where each member of each plan lies among the members
    cdef uint32_t members            # everyone, then the topics' segments, then the others
    cdef tuple topics                # of Topic: segments that are asked by path, for all kinds
    cdef tuple segments              # the other distinct ones, once for each kind that asks them
    cdef tuple segment_kinds         # parallel: the kind, an index
    cdef void *block                 # owns the arrays

    # The outcomes of one unit in all experiments, by place.
    cdef int decide(self, object unit, dict attributes, uint32_t *outcomes) except -1

    cdef dict gather(self)
    cdef int lay(self) except -1
    cdef int reserve(self, Py_ssize_t ids) except -1
    cdef int begin(self, Py_ssize_t kind, uint32_t plan, Py_ssize_t ids) except -1
    cdef int put_draws(self, Plan plan) except -1
    cdef list digest(self, object unit, allot_digest *units, bint *good)
    cdef int draw_by_recipes(self, Py_ssize_t kind, object key, uint64_t *draws) except -1
    cdef int ask(self, dict attributes, const allot_digest *units, uint8_t *members) except -1
    cdef int decide_kind(
        self, Py_ssize_t kind, object key, allot_digest unit, uint64_t *draws,
        const uint8_t *members, uint32_t *outcomes,
    ) except -1
