"""Unit keys: what a unit is called, as text and as a digest."""

from collections.abc import Mapping

from cpython.long cimport PyLong_AsLongLongAndOverflow, PyLong_CheckExact
from libc.stdint cimport int64_t, uint8_t
from libc.string cimport memcpy

from allotment.values import key_of


cdef extern from "text.h" nogil:
    size_t allot_decimal_signed(int64_t number, uint8_t *out) noexcept


cdef bint text_of_other(object key, key_text *text) except -1:
    cdef key_text digits
    cdef int overflow = 0
    cdef int64_t number
    text.at = text.own
    if not PyLong_CheckExact(key):
        key = key_of(key)
        if key is None:
            return False
    if PyLong_CheckExact(key):
        number = PyLong_AsLongLongAndOverflow(key, &overflow)
        if not overflow:
            text.size = allot_decimal_signed(number, text.own)
            return True
        try:
            # Python's own limit refuses the enormous ones before any work is done on them.
            key = int.__repr__(key)
        except ValueError:
            return False
    if not text_of_unit(key, &digits):
        return False
    memcpy(text.own, digits.at, digits.size)
    text.size = digits.size
    return True


cdef object key_in_mapping(object unit, str kind):
    try:
        return unit.get(kind) if issubclass(type(unit), Mapping) else unit
    except Exception:  # a hostile mapping has no unit of ours
        return None


def unit_key(unit, str kind not None):
    """The key of the unit of `kind` that the caller named, or None where that names none."""
    cdef key_text text
    if not text_of_unit(key_of_kind(unit, kind), &text):
        return None
    return text.at[:text.size].decode("utf-8")
