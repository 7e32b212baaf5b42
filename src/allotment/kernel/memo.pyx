"""What was made of texts, in bounded memory: a dict, and before it the short ones met lately."""

cimport cython
from cpython.dict cimport PyDict_SetItem
from cpython.mem cimport PyMem_Calloc, PyMem_Free
from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF, Py_XDECREF

from allotment.kernel.csrc cimport (
    ALLOT_RECENT_BYTES_MAX,
    ALLOT_RECENT_LINES,
    allot_recent,
    allot_recent_line,
    allot_recent_text,
)
from allotment.kernel.usual cimport bytes_of, is_ascii, PyDict_GetItemWithError, size_of

cdef enum:
    ENTRIES_MIN = 16


@cython.final
cdef class Memo:
    def __cinit__(self, Py_ssize_t room):
        self.made = {}
        self.room = min(MEMO_ENTRIES_MAX, max(ENTRIES_MIN, room))

    def __dealloc__(self):
        cdef Py_ssize_t i
        if self.recent != NULL:
            for i in range(ALLOT_RECENT_LINES):
                Py_XDECREF(<PyObject *>self.recent[i].found)
            PyMem_Free(self.recent)

    cdef PyObject *find(self, object text) except? NULL:
        # The keys are exact texts: comparing them cannot raise.
        cdef PyObject *found = PyDict_GetItemWithError(self.made, text)
        if found != NULL:
            self.meet(text, found)
        return found

    cdef int put(self, object text, bytes made) except -1:
        if len(self.made) >= self.room:
            self.made.clear()
        PyDict_SetItem(self.made, text, made)
        return self.meet(text, <PyObject *>made)

    cdef int meet(self, object text, PyObject *made) except -1:
        """Has a short text found at once the next time."""
        cdef allot_recent line
        cdef allot_recent *place
        cdef PyObject *old
        if not is_ascii(<PyObject *>text) or size_of(<PyObject *>text) > ALLOT_RECENT_BYTES_MAX:
            return 0
        if self.recent == NULL:
            self.recent = <allot_recent *>PyMem_Calloc(ALLOT_RECENT_LINES, sizeof(allot_recent))
            if self.recent == NULL:
                raise MemoryError
        line = allot_recent_text(bytes_of(<PyObject *>text), size_of(<PyObject *>text))
        line.found = made
        Py_INCREF(<object>made)
        place = allot_recent_line(self.recent, &line)
        old = <PyObject *>place.found
        place[0] = line
        Py_XDECREF(old)
        return 0
