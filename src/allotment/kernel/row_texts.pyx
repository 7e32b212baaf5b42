"""Rows as text: each unit, and a word for what it got in each experiment, of which few differ."""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport int16_t, int64_t, uint8_t
from libc.stdlib cimport calloc, free
from libc.string cimport memchr, memcpy

from allotment.kernel.cbatch cimport (
    ALLOT_BLOCK_ROWS,
    allot_answers,
    allot_column_texts,
    allot_row_texts_write,
    allot_row_words_size,
    allot_text,
    allot_words_count,
    allot_words_place,
)
from allotment.kernel.column cimport Column
from allotment.kernel.json_ids cimport Texts

from allotment.errors import InvalidInput


def row_texts(units, columns, word, bytes opening=b"", bytes closing=b"", Py_ssize_t less=0):
    """Each unit with its words behind it, all between the opening and the closing.

    `units` are `Texts`, or lines of text as bytes, each with its line feed. A column is (codes,
    reasons, marks, how many codes): an int16 array from -1 on, a uint8 array of places in REASONS,
    and None or a uint8 array of 0 and 1. `word` gives the word of (place of the column, code,
    reason, mark), and is asked once for each that there is. Of the last word the last `less` bytes
    are left out.

    Raises InvalidInput where the lengths differ, and for a code that the column does not have.
    """
    cdef _Rows rows = _Rows(units, list(columns))
    cdef Py_ssize_t size = rows.size(word) - less
    cdef Py_ssize_t before = PyBytes_GET_SIZE(opening), after = PyBytes_GET_SIZE(closing)
    if less < 0 or size < 0:
        raise InvalidInput("what is left out is of the last word")
    text = PyBytes_FromStringAndSize(NULL, before + size + after)
    cdef uint8_t *out = <uint8_t *>PyBytes_AS_STRING(text)
    memcpy(out, PyBytes_AS_STRING(opening), before)
    if rows.write(out + before, out + before + size) != out + before + size:
        raise InvalidInput("the answers changed while they were read")
    memcpy(out + before + size, PyBytes_AS_STRING(closing), after)
    return text


@cython.final
cdef class _Rows:
    """Units, and columns of answers with the words that were made for them so far."""

    cdef int64_t count
    cdef Column column             # the units: this, or the lines
    cdef bytes lines
    cdef size_t at                 # where the next line begins
    cdef allot_answers *answers
    cdef size_t answers_count
    cdef list held                 # what the answers point into

    def __cinit__(self, units, list columns):
        if type(units) is Texts:
            self.count, self.column = len(units), (<Texts>units).column()
        else:
            self.count, self.lines = units.count(b"\n"), units
        self.held = [columns]
        self.answers = <allot_answers *>calloc(len(columns) + 1, sizeof(allot_answers))
        if self.answers == NULL:
            raise MemoryError
        for codes, reasons, marks, codes_count in columns:
            self.add(codes, reasons, marks, codes_count)

    def __dealloc__(self):
        cdef size_t i
        for i in range(self.answers_count):
            free(self.answers[i].words)
        free(self.answers)

    cdef int add(self, const int16_t[::1] codes, const uint8_t[::1] reasons,
                 const uint8_t[::1] marks, int64_t codes_count) except -1:
        cdef allot_answers *answers = &self.answers[self.answers_count]
        if codes.shape[0] != self.count or reasons.shape[0] != self.count or (
                marks is not None and marks.shape[0] != self.count):
            raise InvalidInput(f"{self.count:,} units stand beside {codes.shape[0]:,} answers")
        answers.codes_count = codes_count
        answers.words = <allot_text *>calloc(allot_words_count(answers), sizeof(allot_text))
        if answers.words == NULL:
            raise MemoryError
        self.answers_count += 1
        if self.count:
            answers.codes, answers.reasons = &codes[0], &reasons[0]
            answers.marks = NULL if marks is None else &marks[0]
        return 0

    # The bytes of all rows. Words that are not there yet are made.
    cdef Py_ssize_t size(self, object word) except -1:
        cdef size_t size = 0, i, k
        cdef int64_t row
        cdef allot_text texts[1024]
        for i in range(self.answers_count):
            row = 0
            while True:
                with nogil:
                    row = allot_row_words_size(&self.answers[i], row, self.count, &size)
                if row == self.count:
                    break
                self.make(i, row, word)
        if self.column is None:
            return size + PyBytes_GET_SIZE(self.lines) - self.count
        for row in range(0, self.count, ALLOT_BLOCK_ROWS):
            for k in range(self.read(row, texts)):
                size += texts[k].size
        return size

    cdef int make(self, size_t place, int64_t row, object word) except -1:
        cdef allot_answers *answers = &self.answers[place]
        cdef size_t at = allot_words_place(answers, row)
        cdef bint mark = answers.marks != NULL and answers.marks[row]
        if at == allot_words_count(answers):
            raise InvalidInput(f"the answer of row {row} is none that its column may have")
        cdef bytes text = word(place, answers.codes[row], answers.reasons[row], mark)
        self.held.append(text)
        answers.words[at].at = <const uint8_t *>PyBytes_AS_STRING(text)
        answers.words[at].size = PyBytes_GET_SIZE(text)
        return 0

    # The units of the block that begins at a row, which lines have in turn; how many they are.
    cdef size_t read(self, int64_t start, allot_text *texts) except? 0:
        cdef int64_t n = min(<int64_t>ALLOT_BLOCK_ROWS, self.count - start), i
        cdef const uint8_t *end
        if self.column is not None:
            if allot_column_texts(self.column.columns, start, n, NULL, texts) != NULL:
                raise InvalidInput("the views of the units are damaged")
            return n
        for i in range(n):
            texts[i].at = <const uint8_t *>PyBytes_AS_STRING(self.lines) + self.at
            end = <const uint8_t *>memchr(
                texts[i].at, b"\n", PyBytes_GET_SIZE(self.lines) - self.at)
            texts[i].size = end - texts[i].at
            self.at += texts[i].size + 1
        return n

    cdef uint8_t *write(self, uint8_t *out, const uint8_t *end) except NULL:
        cdef allot_text texts[1024]
        cdef int64_t row
        cdef size_t n
        for row in range(0, self.count, ALLOT_BLOCK_ROWS):
            n = self.read(row, texts)
            with nogil:
                out = allot_row_texts_write(
                    texts, self.answers, self.answers_count, row, n, out, end)
        return out
