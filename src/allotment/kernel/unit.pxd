from libc.stdint cimport uint8_t

from allotment.kernel.csrc cimport (
    ALLOT_SEED_UNIT,
    ALLOT_UNIT_KEY_BYTES_MAX,
    allot_digest,
    allot_digest_text,
)


cdef extern from "Python.h":
    # As in cpython.unicode, but a lone surrogate is no exception here: NULL, to be cleared.
    const char *PyUnicode_AsUTF8AndSize(object text, Py_ssize_t *size) noexcept
    void PyErr_Clear() noexcept
    bint PyUnicode_Check(object value) noexcept


# Makes the digest of a unit key that is no text; 0 where it is no good key.
cdef bint digest_of_integer(object key, allot_digest *made) except -1


# Makes the digest of a unit key: text as UTF-8, an integer (not a bool) as its decimal text, 1 to
# 1,024 bytes. 0 where it is no good key; never raises for its sake.
cdef inline bint digest_of_unit(object key, allot_digest *made) except -1:
    cdef Py_ssize_t size = 0
    cdef const char *text
    if not PyUnicode_Check(key):
        return digest_of_integer(key, made)
    text = PyUnicode_AsUTF8AndSize(key, &size)
    if text == NULL:
        PyErr_Clear()
        return False
    if size < 1 or size > ALLOT_UNIT_KEY_BYTES_MAX:
        return False
    made[0] = allot_digest_text(<const uint8_t *>text, size, ALLOT_SEED_UNIT)
    return True


# The key of one kind in a mapping from kind to key, None where it has none.
cdef object key_in_mapping(object unit, str kind)


# The key a unit has for a kind: itself, unless it is a mapping from kind to key.
cdef inline object key_of_kind(object unit, str kind):
    return unit if PyUnicode_Check(unit) else key_in_mapping(unit, kind)
