cimport cython
from cpython.object cimport PyObject

from allotment.kernel.csrc cimport allot_recent
from allotment.kernel.usual cimport recent_of

cdef enum:
    MEMO_ENTRIES_MAX = 4096
    MEMO_TEXT_MAX = 256  # longer texts would fill the memory; nothing is made of them here


@cython.final
cdef class Memo:
    cdef dict made             # text -> bytes
    cdef Py_ssize_t room       # entries
    cdef allot_recent *recent  # short texts that were met lately: the same bytes; NULL before any

    # What was made of a text, borrowed; NULL if nothing was, or it is forgotten.
    cdef PyObject *find(self, object text) except? NULL
    cdef int put(self, object text, bytes made) except -1
    cdef int meet(self, object text, PyObject *made) except -1


# The same of a value that is a short text and was met lately; NULL of all else.
cdef inline PyObject *found_lately(Memo memo, PyObject *value) noexcept:
    return NULL if memo is None else <PyObject *>recent_of(memo.recent, value)
