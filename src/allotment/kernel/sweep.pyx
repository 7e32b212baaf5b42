"""A plan held against given draws, for those who check a law on every bucket."""

from libc.stdint cimport int16_t, int32_t, uint8_t, uint32_t, uint64_t

import numpy as np

from allotment.errors import InvalidInput
from allotment.kernel.csrc cimport (
    ALLOT_SEGMENTS_MAX,
    ALLOT_STAGES,
    allot_decide,
    allot_ids_own,
    allot_outcome_reason,
    allot_outcome_treatment,
)
from allotment.kernel.plan cimport Plan


def sweep(Plan plan not None, const uint64_t[:, ::1] draws not None, members=(), stored=None):
    cdef uint8_t held[1 + ALLOT_SEGMENTS_MAX]
    cdef uint64_t row[4]
    cdef Py_ssize_t i, stage, n = draws.shape[1]
    cdef uint32_t outcome
    cdef int32_t kept = -1 if stored is None else plan.place_of(stored)
    members = tuple(members)
    if draws.shape[0] != ALLOT_STAGES:
        raise InvalidInput(f"draws come in {ALLOT_STAGES} rows, one a stage", "$.draws")
    if len(members) != len(plan.segments):
        raise InvalidInput("members say one thing of each of the plan's segments", "$.members")
    held[0] = 1
    for i, member in enumerate(members):
        held[i + 1] = bool(member)
    codes = np.empty(n, np.int16)
    reasons = np.empty(n, np.uint8)
    cdef int16_t[::1] code = codes
    cdef uint8_t[::1] reason = reasons
    with nogil:
        for i in range(n):
            for stage in range(ALLOT_STAGES):
                if plan.core.stages >> stage & 1:
                    row[plan.core.at[stage]] = draws[stage, i]
            # No unit has this digest: neither overrides nor claims meet it.
            outcome = allot_decide(plan.core, 0, row, 1, held, allot_ids_own, kept, NULL)
            code[i] = allot_outcome_treatment(outcome)
            reason[i] = allot_outcome_reason(outcome)
    return codes, reasons
