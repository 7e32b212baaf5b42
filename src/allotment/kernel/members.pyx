"""The members of one segment in a batch: which attributes it reads and what they decide."""

cimport cython
from cpython.bytearray cimport PyByteArray_AS_STRING
from libc.stdint cimport uint8_t, uint32_t, uint64_t

from allotment.kernel.attribute cimport Attribute
from allotment.kernel.cbatch cimport ALLOT_CODES_FEW
from allotment.kernel.csrc cimport allot_segment_holds
from allotment.kernel.segment cimport Segment


@cython.final
cdef class Members:
    """A segment over the attributes that are there; a field without values holds no clause."""

    cdef int refresh(self) except -1:
        cdef Attribute attribute
        cdef Py_ssize_t i
        for i in range(len(self.attributes)):
            attribute = self.attributes[i]
            self.pointers[i] = attribute.tables[<Py_ssize_t>self.tables[i]]
        if self.alone:
            self.answer()
        return 0

    cdef int answer(self) except -1:
        cdef Attribute attribute = self.attributes[0]
        cdef uint32_t code
        if len(self.answers) <= attribute.decided:
            self.answers = self.answers + bytearray(attribute.room + 1)
        cdef uint8_t *answers = <uint8_t *>PyByteArray_AS_STRING(self.answers)
        for code in range(self.answered, attribute.decided + 1):
            answers[code] = allot_segment_holds(
                &self.segment.core, &self.pointers[0][<size_t>code * self.segment.core.words], 0)
            if code < ALLOT_CODES_FEW:
                self.core.answers_few[code >> 5] |= <uint32_t>answers[code] << (code & 31)
        self.answered = attribute.decided + 1
        self.core.answers = answers
        self.core.few = attribute.decided < ALLOT_CODES_FEW
        return 0


cdef Members members_of(Segment segment, list attributes, list places, list tables):
    cdef Members members = Members.__new__(Members)
    cdef Py_ssize_t i
    members.segment = segment
    members.attributes = attributes
    members.tables = tables
    members.answers = bytearray()
    members.alone = len(attributes) == 1 and not segment.lists
    positions = bytearray(4 * len(places) + 4)
    pointers = bytearray(8 * len(places) + 8)
    members.buffers = (positions, pointers)
    members.pointers = <const uint64_t **><void *>PyByteArray_AS_STRING(pointers)
    for i in range(len(places)):
        (<uint32_t *><void *>PyByteArray_AS_STRING(positions))[i] = places[i]
    members.core.segment = &segment.core
    members.core.attributes = <const uint32_t *><void *>PyByteArray_AS_STRING(positions)
    members.core.tables = members.pointers
    members.core.fields = <uint32_t>len(places)
    members.refresh()
    return members
