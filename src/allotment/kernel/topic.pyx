"""Segments that ask the same one attribute and nothing else, asked together."""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cpython.object cimport PyObject
from cpython.tuple cimport PyTuple_GET_ITEM
from cpython.unicode cimport PyUnicode_CheckExact
from libc.stdint cimport uint8_t
from libc.string cimport memcpy

from allotment.kernel.memo cimport MEMO_TEXT_MAX, Memo, found_lately
from allotment.kernel.segment cimport Segment, nothing
from allotment.kernel.usual cimport in_dict

cdef enum:
    MEMO_BYTES_MAX = 1 << 22


@cython.final
cdef class Topic:
    """What a text makes of all its segments is remembered as a whole: one look for all of them.

    The segments have one field, of the same path, and no lists.
    """

    def __cinit__(self, tuple segments not None):
        self.segments = segments
        self.count = len(segments)
        self.field = (<Segment>segments[0]).single
        self.memo = Memo(MEMO_BYTES_MAX // self.count)

    cdef int ask(self, dict attributes, uint8_t *members) except -1:
        cdef PyObject *found
        cdef PyObject *given
        cdef object value = None
        if attributes is not None:
            if self.field.key is not None:
                given = in_dict(attributes, <PyObject *>self.field.key)
                if given != NULL:
                    found = found_lately(self.memo, given)
                    if found != NULL:
                        return self.copy(found, members)
                value = nothing() if given == NULL else <object>given
            else:
                value = self.field.of(attributes)
        if not PyUnicode_CheckExact(value) or len(<str>value) > MEMO_TEXT_MAX:
            return self.ask_each(value, members)
        found = self.memo.find(value)
        if found != NULL:
            return self.copy(found, members)
        self.ask_each(value, members)
        return self.memo.put(value, PyBytes_FromStringAndSize(<char *>members, self.count))

    cdef int copy(self, PyObject *found, uint8_t *members) except -1:
        memcpy(members, PyBytes_AS_STRING(<object>found), self.count)
        return 0

    cdef int ask_each(self, object value, uint8_t *members) except -1:
        cdef Py_ssize_t i
        for i in range(self.count):
            members[i] = (<Segment>PyTuple_GET_ITEM(self.segments, i)).holds_value(value, 0)
        return 0
