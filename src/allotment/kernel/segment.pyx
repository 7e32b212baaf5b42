"""Segments: from what is known of a unit to one bit, each value's clauses decided once."""

from sys import intern

cimport cython
from cpython.bool cimport PyBool_Check
from cpython.bytearray cimport PyByteArray_AS_STRING
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_CheckExact, PyBytes_GET_SIZE
from cpython.dict cimport PyDict_Check, PyDict_SetItem
from cpython.exc cimport PyErr_Clear, PyErr_ExceptionMatches, PyErr_Occurred
from cpython.float cimport PyFloat_CheckExact
from cpython.list cimport PyList_Check, PyList_CheckExact, PyList_GET_SIZE, PyList_GetSlice
from cpython.long cimport PyLong_AsLongLongAndOverflow, PyLong_CheckExact
from cpython.mem cimport PyMem_Calloc, PyMem_Free, PyMem_Malloc
from cpython.object cimport PyObject
from cpython.tuple cimport PyTuple_Check, PyTuple_GET_SIZE, PyTuple_GetSlice
from cpython.unicode cimport PyUnicode_CheckExact
from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memcpy, memset

from allotment.errors import InvalidInput
from allotment.kernel.csrc cimport (
    ALLOT_LISTS_MAX,
    ALLOT_PROGRAM_MAX,
    ALLOT_WORDS_MAX,
    allot_idset,
    allot_segment_check,
    allot_segment_holds,
    allot_segment_only,
)
from allotment.kernel.idset cimport IdSet, hash_of
from allotment.kernel.memo cimport MEMO_ENTRIES_MAX, MEMO_TEXT_MAX, Memo
from allotment.kernel.usual cimport PyDict_GetItemWithError
from allotment.values import OPAQUE, mapping_of, plain

cdef enum:
    MEMO_BYTES_MAX = 1 << 20
    ELEMENTS_MEMO_MAX = 16  # a longer list is decided as a whole
    STACK_WORDS = 64


cdef int raise_what_is_set() except -1:
    return -1


cdef object nothing():
    """None, where a look for an attribute found nothing; also where a hostile key raised."""
    if PyErr_Occurred() != NULL:
        if not PyErr_ExceptionMatches(Exception):
            raise_what_is_set()
        PyErr_Clear()
    return None


cdef object at_key(dict values, str key):
    """What `values` has for `key`, or None."""
    cdef PyObject *found = PyDict_GetItemWithError(values, key)
    return nothing() if found == NULL else <object>found


cdef object at_path(dict attributes, tuple path):
    cdef object value = attributes
    for key in path:
        if not PyDict_Check(value):
            value = mapping_of(value)
            if value is None:
                return None
        value = at_key(<dict>value, <str>key)
    return value


cdef void add_bits(uint64_t *bits, bytes more, Py_ssize_t words) noexcept:
    cdef const char *at = PyBytes_AS_STRING(more)
    cdef uint64_t word
    cdef Py_ssize_t i
    for i in range(words):
        memcpy(&word, at + 8 * i, sizeof(word))
        bits[i] |= word


cdef inline object plain_of(object value):
    """What `values.plain` says, without asking it of what is usual."""
    if PyUnicode_CheckExact(value) or PyLong_CheckExact(value) or PyBool_Check(value):
        return value
    if PyFloat_CheckExact(value) and value == value:
        return value
    return plain(value)


@cython.final
cdef class Field:
    def __cinit__(self, path, decide, Py_ssize_t words):
        self.path = tuple(path)
        if not self.path or not all(type(key) is str for key in self.path):
            raise InvalidInput("a field's path is one or more texts")
        if not callable(decide):
            raise InvalidInput("a field has a function that decides its clauses")
        if not 0 <= words <= ALLOT_WORDS_MAX:
            raise InvalidInput(f"a segment has at most {ALLOT_WORDS_MAX:,} words of clauses")
        self.key = intern(self.path[0]) if len(self.path) == 1 else None
        self.decide = decide
        self.size = words * 8
        self.absent = bytes(self.size)
        self.memo_max = min(MEMO_ENTRIES_MAX, max(16, MEMO_BYTES_MAX // max(8, self.size)))

    cdef bytes decided(self, object value):
        cdef object bits = self.decide(value)
        if not PyBytes_CheckExact(bits) or PyBytes_GET_SIZE(bits) != self.size:
            raise InvalidInput(f"a decision is {self.size} bytes; this one is {bits!r}")
        return <bytes>bits

    cdef bytes remembered(self, dict memo, object value):
        cdef PyObject *found = PyDict_GetItemWithError(memo, value)
        if found != NULL:  # the keys are exact builtins: comparing them cannot raise
            return <bytes>found
        cdef bytes bits = self.decided(value)
        if len(memo) >= self.memo_max:
            memo.clear()
        PyDict_SetItem(memo, value, bits)
        return bits

    cdef bytes bits_of_text(self, object text):
        if self.texts is None:
            self.texts = Memo(self.memo_max)
        cdef PyObject *found = self.texts.find(text)
        if found != NULL:
            return <bytes>found
        cdef bytes bits = self.decided(text)
        self.texts.put(text, bits)
        return bits

    cdef bytes bits_of(self, object value):
        cdef int overflow = 0
        if PyUnicode_CheckExact(value):
            if len(<str>value) > MEMO_TEXT_MAX:
                return self.decided(value)
            return self.bits_of_text(value)
        if value is True:
            if self.yes is None:
                self.yes = self.decided(True)
            return self.yes
        if value is False:
            if self.no is None:
                self.no = self.decided(False)
            return self.no
        if PyLong_CheckExact(value):
            PyLong_AsLongLongAndOverflow(value, &overflow)
            if overflow:
                return self.decided(value)
            if self.integers is None:
                self.integers = {}
            return self.remembered(self.integers, value)
        if PyFloat_CheckExact(value):
            if value != value:
                return self.absent
            if self.floats is None:
                self.floats = {}
            return self.remembered(self.floats, value)
        if value is OPAQUE:
            if self.other is None:
                self.other = self.decided(OPAQUE)
            return self.other
        return self.bits_for(plain(value))

    cdef bytes bits_of_elements(self, object values):
        # A copy, since deciding an element may run code that changes the list; made by size, so
        # that no subclass's __iter__ is called.
        cdef object copy
        cdef bytearray all_bits
        if PyTuple_Check(values):
            copy = PyTuple_GetSlice(values, 0, PyTuple_GET_SIZE(values))
        else:
            copy = PyList_GetSlice(values, 0, PyList_GET_SIZE(values))
        if len(copy) > ELEMENTS_MEMO_MAX:
            return self.decided(copy)
        all_bits = bytearray(self.bits_of(OPAQUE))  # the list itself is there
        for value in copy:
            value = plain_of(value)
            if not (value is None or PyList_CheckExact(value)):
                add_bits(
                    <uint64_t *><void *>PyByteArray_AS_STRING(all_bits),
                    self.bits_of(value),
                    self.size // 8,
                )
        return bytes(all_bits)

    cdef bytes bits_for(self, object value):
        if value is None:
            return self.absent
        if PyList_Check(value) or PyTuple_Check(value):
            return self.bits_of_elements(value)
        return self.bits_of(value)

    cdef object of(self, dict attributes):
        if self.key is not None:
            return at_key(attributes, self.key)
        return at_path(attributes, self.path)

    def bits(self, value):
        return self.bits_for(value)


@cython.final
cdef class Segment:
    def __cinit__(self, program, fields, lists, words, registers):
        cdef Py_ssize_t i
        cdef uint32_t size
        cdef IdSet listed
        if type(program) is not bytes or len(program) % 4:
            raise InvalidInput("a program is bytes, four an instruction")
        try:
            size = words  # read once: what is no int may say another number the next time
            self.core.words = size
            self.core.registers = registers
            self.fields = tuple([Field(path, decide, size) for path, decide in fields])
            self.single = self.fields[0] if len(self.fields) == 1 else None
            self.quick = self.single is not None and self.single.key is not None
            self.lists = tuple(lists)
        except (TypeError, ValueError, OverflowError) as fault:
            raise InvalidInput(f"a segment cannot be read: {fault}") from None
        if len(program) // 4 > ALLOT_PROGRAM_MAX or len(self.lists) > ALLOT_LISTS_MAX:
            raise InvalidInput(f"a segment has at most {ALLOT_PROGRAM_MAX:,} instructions and"
                               f" {ALLOT_LISTS_MAX:,} lists")
        self.program = program
        self.core.program = <const uint32_t *><const void *>PyBytes_AS_STRING(self.program)
        self.core.size = <uint32_t>(len(program) // 4)
        self.core.lists_count = <uint32_t>len(self.lists)
        self.pointers = <const allot_idset **>PyMem_Calloc(len(self.lists) + 1, sizeof(void *))
        if self.pointers == NULL:
            raise MemoryError
        for i in range(len(self.lists)):
            if not isinstance(self.lists[i], IdSet):
                raise InvalidInput("a segment's lists are id sets")
            listed = self.lists[i]
            self.pointers[i] = &listed.core
        self.core.lists = self.pointers
        cdef const char *fault_text = allot_segment_check(&self.core)
        if fault_text != NULL:
            raise InvalidInput(fault_text.decode())
        self.core.only = allot_segment_only(&self.core)

    def __dealloc__(self):
        PyMem_Free(self.pointers)

    cdef int holds(self, dict attributes, uint64_t unit_h1) except -1:
        if self.single is None:
            return self.holds_fields(attributes, unit_h1)
        return self.holds_value(
            None if attributes is None else self.single.of(attributes), unit_h1
        )

    cdef int holds_value(self, object value, uint64_t unit_h1) except -1:
        cdef bytes bits = self.single.bits_for(value)
        return allot_segment_holds(
            &self.core, <const uint64_t *><const void *>PyBytes_AS_STRING(bits), unit_h1
        )

    cdef int holds_fields(self, dict attributes, uint64_t unit_h1) except -1:
        cdef uint64_t few[STACK_WORDS]
        cdef uint64_t *bits = few
        cdef Py_ssize_t words = self.core.words
        cdef Field field
        if words > STACK_WORDS:
            bits = <uint64_t *>PyMem_Malloc(words * sizeof(uint64_t))
            if bits == NULL:
                raise MemoryError
        try:
            memset(bits, 0, words * sizeof(uint64_t))
            if attributes is not None:
                for field in self.fields:
                    add_bits(bits, field.bits_for(field.of(attributes)), words)
            return allot_segment_holds(&self.core, bits, unit_h1)
        finally:
            if bits != few:
                PyMem_Free(bits)

    def matches(self, str unit not None, attributes):
        if attributes is not None and not PyDict_Check(attributes):
            raise InvalidInput("attributes are a dict or None")
        return segment_holds(self, <dict>attributes, hash_of(unit)) == 1
