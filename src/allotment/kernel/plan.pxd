cimport cython
from libc.stdint cimport int32_t, uint32_t, uint64_t

from cpython.list cimport PyList_GET_ITEM
from cpython.object cimport PyObject

from allotment.kernel.csrc cimport allot_outcome_place, allot_plan
from allotment.kernel.idset cimport IdSet


@cython.final
cdef class Plan:
    cdef allot_plan *core          # owned; never changes once made
    cdef readonly tuple names      # of the treatments
    cdef readonly str unit         # the unit kind
    cdef readonly tuple recipes    # of Recipe, a stage that draws by one; the core borrows them
    cdef readonly tuple segments   # of Segment; index s is member s + 1 of the core
    cdef readonly object source
    cdef uint64_t fingerprint_high, fingerprint_low
    cdef readonly IdSet overrides
    cdef readonly IdSet claims
    cdef object answer
    cdef list answers              # one place an outcome, None until it is asked for
    cdef list texts                # of these, by the function below; in the same places
    cdef object write              # Assignment -> bytes; None before it is asked for

    # The index of a treatment, by name; -1 if the plan has none of that name.
    cdef int32_t place_of(self, object treatment) except -2
    # Makes the answer to an outcome, unless another call has made it.
    cdef object made(self, uint32_t outcome)
    # Makes its text, likewise.
    cdef bytes written(self, uint32_t outcome, object write)


# The answer to an outcome of a plan: made on first use, then the same object for ever.
cdef inline object answer_to(Plan plan, uint32_t outcome):
    cdef object answer
    if plan.answers is not None:
        answer = <object>PyList_GET_ITEM(plan.answers, allot_outcome_place(outcome))
        if answer is not None:
            return answer
    return plan.made(outcome)


# The text of that answer, borrowed; NULL where it is not written yet.
cdef inline PyObject *text_to(Plan plan, uint32_t outcome, PyObject *write) noexcept:
    cdef PyObject *text
    if <PyObject *>plan.write != write:
        return NULL
    text = <PyObject *>PyList_GET_ITEM(plan.texts, allot_outcome_place(outcome))
    return NULL if text == <PyObject *>None else text


# Whether a plan draws natively, or has lists of ids: whether it asks for the unit's digest.
cdef bint needs_digests(Plan plan) except -1
