"""One attribute in a batch: its values become codes, and each distinct value is decided once.

What decides is the segment's own `Field`, with its memo: the very code of the single call.
"""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING
from cpython.dict cimport PyDict_Check
from cpython.float cimport PyFloat_AS_DOUBLE, PyFloat_CheckExact
from cpython.list cimport PyList_Check, PyList_CheckExact, PyList_GET_SIZE
from cpython.long cimport PyLong_AsLongLongAndOverflow, PyLong_CheckExact
from cpython.tuple cimport PyTuple_Check
from cpython.unicode cimport PyUnicode_CheckExact
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memcpy, memset

from allotment.kernel.cbatch cimport (
    ALLOT_ROWS_BOOL,
    ALLOT_ROWS_FLOAT,
    ALLOT_ROWS_NONE,
    ALLOT_ROWS_SIGNED,
    ALLOT_ROWS_TEXT,
    allot_intern_free,
    allot_intern_init,
    allot_intern_number,
    allot_intern_text,
    allot_intern_texts,
    allot_seed,
    allot_space,
    allot_text,
    allot_value,
    allot_value_text,
)
from allotment.kernel.listed cimport allot_list_texts
from allotment.kernel.segment cimport Field, at_path
from allotment.kernel.unit cimport PyErr_Clear, PyUnicode_AsUTF8AndSize
from allotment.kernel.values cimport value_of

from allotment.errors import InvalidInput
from allotment.values import OPAQUE, mapping_of, plain

# Python's own hash of text is keyed by a secret of the process, and so is the tables' with this.
cdef allot_seed SEED
SEED.one = <uint64_t><Py_hash_t>hash("the first key of a table of values")
SEED.two = <uint64_t><Py_hash_t>hash("the second key of a table of values")


@cython.final
cdef class Attribute:
    """The values of one source as one worker meets them. Code 0 is an absent value."""

    @staticmethod
    cdef Attribute of(Source source, list fields):
        cdef Attribute attribute = Attribute.__new__(Attribute)
        cdef Field field
        cdef Py_ssize_t i
        attribute.source = source
        attribute.fields = fields
        attribute.tables = <uint64_t **>calloc(len(fields) + 1, sizeof(void *))
        attribute.words = <Py_ssize_t *>calloc(len(fields) + 1, sizeof(Py_ssize_t))
        if attribute.tables == NULL or attribute.words == NULL:
            raise MemoryError
        for i in range(len(fields)):
            field = fields[i]
            attribute.words[i] = field.size // 8
            attribute.words_all += attribute.words[i]
        attribute.bits = <uint64_t *>calloc(attribute.words_all + 1, sizeof(uint64_t))
        if attribute.bits == NULL or not allot_intern_init(&attribute.intern, SEED):
            raise MemoryError
        attribute.grow()
        return attribute

    def __dealloc__(self):
        cdef Py_ssize_t i
        if self.tables != NULL and self.fields is not None:
            for i in range(len(self.fields)):
                free(self.tables[i])
        free(self.tables)
        free(self.words)
        free(self.bits)
        allot_intern_free(&self.intern)

    cdef int grow(self) except -1:
        cdef uint32_t room = max(64, 2 * self.room, self.intern.count)
        cdef Py_ssize_t i, size
        for i in range(len(self.fields)):
            size = self.words[i] * sizeof(uint64_t)
            grown = realloc(self.tables[i], (room + 1) * size + 1)
            if grown == NULL:
                raise MemoryError
            self.tables[i] = <uint64_t *>grown
            if self.room == 0:
                memset(grown, 0, size)
        self.room = room
        return 0

    cdef int decide(self) except -1:
        cdef allot_value *value
        cdef Field field
        cdef bytes bits
        cdef const uint8_t *own
        cdef uint8_t space[16]
        cdef Py_ssize_t i, size
        if self.intern.count > self.room:
            self.grow()
        while self.decided < self.intern.count:
            value = &self.intern.values[self.decided]
            self.decided += 1
            own = allot_value_text(value, space) if value.taken == ALLOT_ROWS_NONE else NULL
            plain = None if own != NULL else value_of(value)
            for i in range(len(self.fields)):
                size = self.words[i] * sizeof(uint64_t)
                into = &self.tables[i][self.decided * self.words[i]]
                if own != NULL:
                    memcpy(into, own, size)
                    own += size
                else:
                    field = self.fields[i]
                    bits = field.bits_of(plain)
                    memcpy(into, PyBytes_AS_STRING(bits), size)
        return 0

    cdef int read_items(self, int64_t start, int64_t n, allot_space *space,
                        uint32_t *codes) except -1:
        cdef list items = self.source.items
        cdef int64_t i
        cdef Py_ssize_t others
        if self.source.rest:
            return self.read_dicts(start, n, codes)
        others = allot_list_texts(items, start, n, space.texts, space.valid)
        if others < 0:  # another thread changed it
            raise InvalidInput("a list of attributes became shorter while it was read")
        if not allot_intern_texts(&self.intern, ALLOT_ROWS_TEXT, space.texts, n, codes):
            raise MemoryError
        for i in range(n if others else 0):
            if space.valid[i]:
                codes[i] = self.code_of(_item_at(items, start + i))
        return 0

    cdef int read_dicts(self, int64_t start, int64_t n, uint32_t *codes) except -1:
        cdef int64_t i
        for i in range(n):
            row = _item_at(self.source.items, start + i)
            codes[i] = self.code_of(_value_at(row, self.source.rest))
        return 0

    cdef uint32_t code_of(self, object value) except? 0:
        cdef allot_text text
        cdef Py_ssize_t size = 0
        cdef uint64_t number
        cdef double real
        cdef int overflow = 0
        cdef uint32_t code
        if value is None:
            return 0
        if PyUnicode_CheckExact(value):
            text.at = <const uint8_t *>PyUnicode_AsUTF8AndSize(value, &size)
            if text.at == NULL:  # a lone surrogate
                PyErr_Clear()
                return self.code_of_bits(value)
            text.size = size
            code = allot_intern_text(&self.intern, ALLOT_ROWS_TEXT, text)
        elif value is True or value is False:
            code = allot_intern_number(&self.intern, ALLOT_ROWS_BOOL, value is True)
        elif PyLong_CheckExact(value):
            number = <uint64_t>PyLong_AsLongLongAndOverflow(value, &overflow)
            if overflow:
                return self.code_of_bits(value)
            code = allot_intern_number(&self.intern, ALLOT_ROWS_SIGNED, number)
        elif PyFloat_CheckExact(value):
            real = PyFloat_AS_DOUBLE(value)
            if real != real:
                return 0
            memcpy(&number, &real, 8)
            code = allot_intern_number(&self.intern, ALLOT_ROWS_FLOAT, number)
        elif value is OPAQUE or PyList_Check(value) or PyTuple_Check(value):
            return self.code_of_bits(value)
        else:
            value = plain(value)
            return self.code_of_bits(value) if PyList_CheckExact(value) else self.code_of(value)
        if code == 0:
            raise MemoryError
        return code

    # A value with no code of its own (a list, a text that is no Unicode) has that of what was
    # decided of it: the bits of all fields, one after the other.
    cdef uint32_t code_of_bits(self, object value) except? 0:
        cdef Field field
        cdef bytes bits
        cdef Py_ssize_t at = 0
        memset(self.bits, 0, self.words_all * sizeof(uint64_t))
        for field in self.fields:
            bits = field.bits_for(value)
            memcpy(&self.bits[at], PyBytes_AS_STRING(bits), field.size)
            at += field.size // 8
        cdef allot_text text
        text.at = <const uint8_t *>self.bits
        text.size = self.words_all * sizeof(uint64_t)
        cdef uint32_t code = allot_intern_text(&self.intern, ALLOT_ROWS_NONE, text)
        if code == 0:
            raise MemoryError
        return code


cdef object _item_at(list items, int64_t i):
    """An item of a list that other code may change: what decides a value may run some."""
    if i >= PyList_GET_SIZE(items):
        raise InvalidInput("a list of attributes became shorter while it was read")
    return items[i]


cdef object _value_at(object item, tuple path):
    """The value at the end of `path` within a row's mapping, or None."""
    return at_path(<dict>(item if PyDict_Check(item) else mapping_of(item)), path)
