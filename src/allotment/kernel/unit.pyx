"""Unit keys: what a unit is called, as a digest."""

from collections.abc import Mapping
from operator import index

from cpython.long cimport PyLong_AsLongLongAndOverflow, PyLong_Check
from cpython.number cimport PyIndex_Check
from libc.stdint cimport int64_t, uint8_t

from allotment.kernel.csrc cimport ALLOT_SEED_UNIT, allot_digest, allot_digest_text


cdef extern from "text.h" nogil:
    enum:
        ALLOT_DECIMAL_BYTES
    size_t allot_decimal_signed(int64_t number, uint8_t *out) noexcept


cdef bint digest_of_integer(object key, allot_digest *made) except -1:
    cdef uint8_t digits[ALLOT_DECIMAL_BYTES]
    cdef int overflow = 0
    cdef int64_t number
    if not PyLong_Check(key):
        # numpy's integers are whole numbers too, though no int.
        if not PyIndex_Check(key):
            return False
        try:
            key = index(key)
        except Exception:
            return False
    if isinstance(key, bool):
        return False
    number = PyLong_AsLongLongAndOverflow(key, &overflow)
    if not overflow:
        made[0] = allot_digest_text(
            digits, allot_decimal_signed(number, digits), ALLOT_SEED_UNIT
        )
        return True
    try:
        # Python's own limit on digits refuses the enormous ones before any work is done on them.
        return digest_of_unit(int.__repr__(key), made)
    except ValueError:
        return False


cdef object key_in_mapping(object unit, str kind):
    if not isinstance(unit, Mapping):
        return unit
    try:
        return unit.get(kind)
    except Exception:  # a hostile mapping has no unit of ours
        return None
