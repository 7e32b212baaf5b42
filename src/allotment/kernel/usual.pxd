"""What is usual in a single call, read at once: ASCII, one attribute, a text met before.

Nothing here owns what it returns, and nothing here runs Python code but a hostile key's comparison.
"""

from cpython.object cimport PyObject
from libc.stdint cimport uint8_t

from allotment.kernel.csrc cimport (
    ALLOT_RECENT_BYTES_MAX,
    allot_recent,
    allot_recent_found,
    allot_recent_text,
)


cdef extern from "Python.h":
    # As in cpython.unicode and cpython.dict, of what is borrowed.
    bint is_text "PyUnicode_CheckExact"(PyObject *value) noexcept
    bint is_ascii "PyUnicode_IS_COMPACT_ASCII"(PyObject *text) noexcept
    Py_ssize_t size_of "PyUnicode_GET_LENGTH"(PyObject *text) noexcept
    const uint8_t *bytes_of "PyUnicode_1BYTE_DATA"(PyObject *text) noexcept
    Py_ssize_t dict_size "PyDict_GET_SIZE"(object values) noexcept
    bint PyDict_Next(object values, Py_ssize_t *at, PyObject **key, PyObject **value) noexcept
    # What a hostile key raises is no exception yet: NULL, to be looked at.
    PyObject *PyDict_GetItemWithError(object values, object key) noexcept
    PyObject *item_of "PyDict_GetItemWithError"(object values, PyObject *key) noexcept


# What the dict has for a key that is interned. A dict of one entry, such as a call builds, has it
# nearly always under the same object.
cdef inline PyObject *in_dict(dict values, PyObject *key) noexcept:
    cdef Py_ssize_t at = 0
    cdef PyObject *name
    cdef PyObject *value
    if dict_size(values) == 1 and PyDict_Next(values, &at, &name, &value):
        if name == key:
            return value
    return item_of(values, key)


# What was found lately for a value, NULL where it is no short text, or none that was met lately.
cdef inline void *recent_of(allot_recent *lines, PyObject *value) noexcept:
    cdef allot_recent text
    if lines == NULL or not is_text(value) or not is_ascii(value):
        return NULL
    if size_of(value) > ALLOT_RECENT_BYTES_MAX:
        return NULL
    text = allot_recent_text(bytes_of(value), size_of(value))
    return allot_recent_found(lines, &text)
