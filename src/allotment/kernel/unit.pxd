from cpython.object cimport PyObject
from libc.stdint cimport uint8_t

from allotment.kernel.csrc cimport (
    ALLOT_SEED_UNIT,
    ALLOT_UNIT_KEY_BYTES_MAX,
    allot_digest,
    allot_murmur3,
)
from allotment.kernel.usual cimport bytes_of, is_ascii, size_of


cdef extern from "Python.h":
    # As in cpython.unicode, but a lone surrogate is no exception here: NULL, to be cleared.
    const char *PyUnicode_AsUTF8AndSize(object text, Py_ssize_t *size) noexcept
    void PyErr_Clear() noexcept
    bint PyUnicode_Check(object value) noexcept


# The key of a unit: UTF-8 in the key itself, or in `own`.
ctypedef struct key_text:
    const uint8_t *at
    Py_ssize_t size
    uint8_t own[ALLOT_UNIT_KEY_BYTES_MAX]


# Writes the text of a key that is no text itself; 0 where it is no good key.
cdef bint text_of_other(object key, key_text *text) except -1


# The one place that says what the key of a unit is: text is its UTF-8, an integer (not a bool) its
# decimal text, 1 to 1,024 bytes. 0 where it is no good key; never raises for its sake.
cdef inline bint text_of_unit(object key, key_text *text) except -1:
    if not PyUnicode_Check(key):
        return text_of_other(key, text)
    if is_ascii(<PyObject *>key):
        text.at, text.size = bytes_of(<PyObject *>key), size_of(<PyObject *>key)
    else:
        text.at = <const uint8_t *>PyUnicode_AsUTF8AndSize(key, &text.size)
        if text.at == NULL:
            PyErr_Clear()
            return False
    return 1 <= text.size <= ALLOT_UNIT_KEY_BYTES_MAX


# Makes the digest of a unit's key; 0 where it is no good key.
cdef inline bint digest_of_unit(object key, allot_digest *made) except -1:
    cdef key_text text
    if not text_of_unit(key, &text):
        return False
    made[0] = allot_murmur3(text.at, text.size, ALLOT_SEED_UNIT)
    return True


# The key of one kind in a mapping from kind to key, None where it has none.
cdef object key_in_mapping(object unit, str kind)


# The key a unit has for a kind: itself, unless it is a mapping from kind to key.
cdef inline object key_of_kind(object unit, str kind):
    return unit if PyUnicode_Check(unit) else key_in_mapping(unit, kind)
