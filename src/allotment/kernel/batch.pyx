"""Many units at once: columns in, a column of codes and one of reasons out for each experiment."""

from libc.stdint cimport int64_t
from posix.unistd cimport getpid, sysconf

from allotment.kernel.columns cimport Columns, columns_of
from allotment.kernel.plan cimport Plan
from allotment.kernel.units cimport Units, units_of
from allotment.kernel.walk cimport Walk, walk_of

from collections.abc import Mapping

import numpy as np

from allotment.errors import InvalidInput

cdef extern from "<unistd.h>":
    int _SC_NPROCESSORS_ONLN  # which POSIX has not, and every system that we know has


# What a worker takes at a time: a quarter of a millisecond's work, so that none waits long for
# the last.
_SHARE_ROWS = 32_768


def assign_columns(plans, units, attributes=None, stored=None, threads=1, seen=None):
    """The outcomes of every plan for every unit.

    `units` is a column, of units of the kind of each plan, or a mapping of kinds to columns.
    `attributes` is None, a mapping of names to columns, an Arrow table or struct, or a list of
    dicts. `stored` is None or, for a single plan, an int16 array of treatment indices, -1 for none.
    `seen` is called before the run with what columns hold: path to "text", "number" or "boolean".

    Returns, a plan each, an int16 array of treatment indices (-1: none) and a uint8 array of reason
    codes. A row whose unit is null or malformed has the reason NO_UNIT; what is wrong with a whole
    column, or a length, raises InvalidInput. The arrays of all plans share their memory.
    """
    cdef tuple all_plans = _plans(plans)
    cdef dict kinds = _kinds(all_plans, units)
    cdef int64_t rows = _rows(kinds)
    cdef Columns columns = columns_of(attributes, rows, "$.attributes")
    kept = _stored(stored, len(all_plans), rows)
    # One stretch of memory for all plans: a large one comes in large pages.
    codes = list(np.empty((len(all_plans), rows), dtype=np.int16))
    reasons = list(np.empty((len(all_plans), rows), dtype=np.uint8))
    if type(threads) is not int or threads < 1:
        raise InvalidInput("threads is how many: 1 or more", "$.threads")

    if seen is not None and attributes is not None:
        seen(columns.held(all_plans))
    starts = iter(range(0, rows, _SHARE_ROWS))

    def work():
        walk = walk_of(all_plans, kinds, columns, codes, reasons, kept)
        for start in starts:  # shared: a free thread takes the next rows
            (<Walk>walk).run(start, min(start + _SHARE_ROWS, rows))

    others = min(threads, -(-rows // _SHARE_ROWS)) - 1
    if others <= 0:
        work()
    else:
        helping = [_helpers().submit(work) for _ in range(others)]
        try:
            work()  # the calling thread is one of the workers
        finally:
            # One that has not begun, as calls at the same time have all threads, is not waited for.
            begun = [helper for helper in helping if not helper.cancel()]
            faults = [helper.exception() for helper in begun]
        for fault in faults:
            if fault is not None:
                raise fault
    return list(zip(codes, reasons, strict=True))


# Threads that outlive a call, as to start one takes as long as a twentieth of a million rows; and
# the process that they are of: a fork has none of them.
_helping = None


def _helpers():
    """The threads that help a call, one less than there are processors, or one."""
    global _helping
    if _helping is None or _helping[0] != getpid():
        from concurrent.futures import ThreadPoolExecutor  # with it comes logging

        most = max(1, sysconf(_SC_NPROCESSORS_ONLN) - 1)
        _helping = getpid(), ThreadPoolExecutor(most, "allotment-batch")
    return _helping[1]


def _plans(plans):
    plans = tuple(plans)
    for plan in plans:
        if not isinstance(plan, Plan):
            raise InvalidInput(f"a batch is of plans; this is {type(plan).__name__}", "$.plans")
    return plans


def _kinds(plans, units):
    """The units by kind. A plain column serves every plan with units of its own kind."""
    if not isinstance(units, Mapping):
        column = units_of(units, "$.units")
        return dict.fromkeys([(<Plan>plan).unit for plan in plans] or ["unit"], column)
    if not units:
        raise InvalidInput("units name no kind", "$.units")
    return {kind: units_of(column, f"$.units.{kind}") for kind, column in units.items()}


def _rows(kinds):
    first = None
    for kind, units in kinds.items():
        rows = (<Units>units).rows
        if first is None:
            first = rows
        if rows != first:
            raise InvalidInput(f"{rows:,} units stand beside {first:,}", f"$.units.{kind}")
    return first


def _stored(stored, plans, rows):
    if stored is None:
        return None
    if plans != 1:
        raise InvalidInput("stored treatments belong to one experiment", "$.stored")
    if isinstance(stored, np.ndarray):
        stored = np.asarray(stored)  # no subclass, whose attributes may be its own
        if stored.dtype == np.int16 and stored.shape == (rows,):
            return np.ascontiguousarray(stored)
    raise InvalidInput("there is one stored treatment for each unit", "$.stored")
