"""From what lies in columns to the Python objects it stands for."""

from cpython.unicode cimport PyUnicode_DecodeUTF8
from libc.stdint cimport int64_t, uint8_t, uint64_t
from libc.string cimport memcpy

from allotment.kernel.cbatch cimport (
    ALLOT_ROWS_BOOL,
    ALLOT_ROWS_DECIMAL,
    ALLOT_ROWS_FLOAT,
    ALLOT_ROWS_LIST,
    ALLOT_ROWS_MOMENT,
    ALLOT_ROWS_SIGNED,
    ALLOT_ROWS_TEXT,
    ALLOT_ROWS_UNSIGNED,
    ALLOT_SPELLED_BYTES,
    allot_column,
    allot_column_is_valid,
    allot_column_list,
    allot_column_numbers,
    allot_column_rows,
    allot_column_texts,
    allot_rows,
    allot_text,
    allot_value,
    allot_value_text,
)

from decimal import Decimal

from allotment.errors import InvalidInput


cdef object _number(uint64_t number, allot_rows taken):
    cdef double real
    if taken == ALLOT_ROWS_BOOL:
        return number != 0
    if taken == ALLOT_ROWS_FLOAT:
        memcpy(&real, &number, 8)
        return real
    return <int64_t>number if taken == ALLOT_ROWS_SIGNED else number


cdef object _text(const uint8_t *text, size_t size, allot_rows taken):
    """Text as a str; bytes that are no UTF-8 stay bytes, which no clause but `exists` holds for."""
    try:
        said = PyUnicode_DecodeUTF8(<const char *>text, size, NULL)
    except UnicodeDecodeError:
        return (<const char *>text)[:size]
    return Decimal(said) if taken == ALLOT_ROWS_DECIMAL else said


cdef object value_of(const allot_value *value):
    cdef uint8_t space[16]
    if value.taken in (ALLOT_ROWS_TEXT, ALLOT_ROWS_DECIMAL):
        return _text(allot_value_text(value, space), value.size, value.taken)
    return _number(value.head, value.taken)


cdef list values_of(const allot_column *column, str path):
    cdef allot_rows taken = allot_column_rows(column)
    cdef allot_text text
    cdef uint64_t number
    cdef uint8_t valid
    cdef uint8_t own[ALLOT_SPELLED_BYTES]
    cdef int64_t row
    cdef const char *wrong = NULL
    values = []
    for row in range(column.rows):
        if not allot_column_is_valid(column, row):
            values.append(None)
        elif taken in (ALLOT_ROWS_TEXT, ALLOT_ROWS_DECIMAL, ALLOT_ROWS_MOMENT):
            wrong = allot_column_texts(column, row, 1, own, &text)
            if wrong == NULL:
                values.append(None if text.at == NULL else _text(text.at, text.size, taken))
        elif taken in (ALLOT_ROWS_BOOL, ALLOT_ROWS_SIGNED, ALLOT_ROWS_UNSIGNED, ALLOT_ROWS_FLOAT):
            wrong = allot_column_numbers(column, row, 1, &number, &valid)
            if wrong == NULL:
                values.append(_number(number, taken) if valid else None)
        else:  # a list within a list is passed over; a struct is there, but has no value
            values.append([] if taken == ALLOT_ROWS_LIST else {})
        if wrong != NULL:
            raise InvalidInput(f"the Arrow data {wrong.decode()}", path)
    return values


cdef list lists_of(const allot_column *column, list elements, str path):
    cdef int64_t row, start = 0, stop = 0
    cdef uint8_t valid = 0
    cdef const char *wrong
    lists = []
    for row in range(column.rows):
        wrong = allot_column_list(column, row, len(elements), &start, &stop, &valid)
        if wrong != NULL:
            raise InvalidInput(f"the Arrow data {wrong.decode()}", path)
        lists.append(elements[start:stop] if valid else None)
    return lists
