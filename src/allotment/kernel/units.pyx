"""The units of a batch, from whatever holds a column of texts or whole numbers."""

cimport cython
from cpython.list cimport PyList_GET_SIZE
from libc.stdint cimport int64_t, uint8_t, uint64_t
from libc.stdlib cimport calloc, free, malloc

from allotment.kernel.arrow cimport Arrow, arrow_of
from allotment.kernel.cbatch cimport (
    ALLOT_BLOCK_ROWS,
    ALLOT_ROWS_BOOL,
    ALLOT_ROWS_FLOAT,
    ALLOT_ROWS_LIST,
    ALLOT_ROWS_MOMENT,
    ALLOT_ROWS_NONE,
    ALLOT_ROWS_STRUCT,
    ALLOT_ROWS_TEXT,
    ALLOT_SCRATCH_BYTES,
    allot_digest_texts,
    allot_drawn,
    allot_recipe_draws,
    allot_space,
    allot_text,
    allot_units_texts,
)
from allotment.kernel.column cimport Column, column_of_array
from allotment.kernel.csrc cimport (
    ALLOT_SEED_UNIT,
    ALLOT_UNIT_KEY_BYTES_MAX,
    allot_digest,
    allot_digest_text,
    allot_recipe_draw,
)
from allotment.kernel.json_ids cimport Texts
from allotment.kernel.listed cimport allot_list_texts
from allotment.kernel.unit cimport key_of_kind, key_text, text_of_unit

from collections.abc import Mapping, Sequence

from allotment.errors import InvalidInput
from allotment.kernel.unit import unit_key
from allotment.values import unpacked


cdef enum:
    LISTED_ROWS = 32


@cython.final
cdef class Units:
    """One column of units. Rows that are none (null, empty, over-long, no UTF-8) fail alone."""

    cdef int digest_items(self, str kind, int64_t start, int64_t n, allot_space *space,
                          uint64_t *h1, uint64_t *h2, uint8_t *ok, const allot_drawn *drawn,
                          size_t count, int64_t skip) except -1:
        cdef list items = self.items
        cdef allot_digest digest
        cdef key_text text
        cdef object key
        cdef int64_t i, some
        cdef size_t k
        cdef Py_ssize_t others = 0, found
        h1 += skip
        h2 += skip
        ok += skip
        # Few at a time: what comes next is on its way from memory while these are hashed.
        for i in range(0, n, LISTED_ROWS):
            some = min(<int64_t>LISTED_ROWS, n - i)
            found = allot_list_texts(items, start + i, some, &space.texts[i], &space.valid[i])
            if found < 0:  # another thread changed it
                raise InvalidInput("the list of units became shorter while it was read")
            others += found
            allot_digest_texts(&space.texts[i], some, h1 + i, h2 + i, ok + i)
        for k in range(count):
            allot_recipe_draws(drawn[k].recipe, space.texts, ok, n, drawn[k].draws + skip)
        for i in range(n if others else 0):
            if not space.valid[i]:
                continue
            digest.h1 = digest.h2 = 0
            key = key_of_kind(_item_at(items, start + i), kind)
            ok[i] = text_of_unit(key, &text)
            if ok[i]:
                digest = allot_digest_text(text.at, text.size, ALLOT_SEED_UNIT)
                for k in range(count):
                    drawn[k].draws[skip + i] = allot_recipe_draw(
                        drawn[k].recipe, text.at, text.size)
            h1[i] = digest.h1
            h2[i] = digest.h2
        return 0

    cdef list keys(self, str kind):
        cdef int64_t i
        if self.column is None:
            return [unit_key(_item_at(self.items, i), kind) for i in range(self.rows)]
        return _texts(self.column, True)


cdef object _item_at(list items, int64_t i):
    """An item of a list that other code may change: asking a unit for its key may run some."""
    if i >= PyList_GET_SIZE(items):
        raise InvalidInput("the list of units became shorter while it was read")
    return items[i]


cdef list _texts(Column column, bint keys):
    """The texts of a column, None for what is null or not UTF-8, and for what is no key of a unit
    where they are `keys`."""
    cdef allot_space *space = <allot_space *>calloc(1, sizeof(allot_space))
    cdef const char *wrong
    cdef int64_t at = 0, n, i
    cdef list texts = []
    try:
        if space != NULL and column.is_spelled():
            space.scratch = <uint8_t *>malloc(ALLOT_SCRATCH_BYTES)
        if space == NULL or (column.is_spelled() and space.scratch == NULL):
            raise MemoryError
        while at < column.rows:
            n = min(<int64_t>ALLOT_BLOCK_ROWS, column.rows - at)
            wrong = allot_units_texts(&column.pieces, at, &n, space)
            if wrong != NULL:
                raise InvalidInput(f"a column {wrong.decode()}")
            texts += [_text_of(space.texts[i], keys) for i in range(n)]
            at += n
        return texts
    finally:
        if space != NULL:
            free(space.scratch)
        free(space)


cdef object _text_of(allot_text text, bint key):
    if text.at == NULL or key and not 1 <= text.size <= ALLOT_UNIT_KEY_BYTES_MAX:
        return None
    try:
        return text.at[:text.size].decode("utf-8")
    except UnicodeDecodeError:
        return None


def unit_keys(units, str kind not None):
    """The key of each unit of `kind` in what a batch takes as units, None for what is none.

    It is what the batch digests: `unit_key` of each in a list, the same text in any other column.
    """
    if not isinstance(units, Mapping):
        return units_of(units, "$.units").keys(kind)
    columns = {name: units_of(units[name], f"$.units.{name}") for name in units}
    if kind in columns:
        return (<Units>columns[kind]).keys(kind)
    return [None] * max([(<Units>column).rows for column in columns.values()], default=0)


def texts_of(source, str noun not None, str path not None):
    """The texts of a column, None for each that is null.

    Raises InvalidInput, in which `noun` says what they are, for a column of anything else.
    """
    cdef Units column = column_of(source, noun, path)
    if column.column is not None:
        if column.column.taken() not in (ALLOT_ROWS_TEXT, ALLOT_ROWS_NONE):
            raise InvalidInput(f"{noun} are text, and this column is not", path)
        return _texts(column.column, False)
    for i, key in enumerate(column.items):
        if key is not None and not isinstance(key, str):
            raise InvalidInput(
                f"{noun} are text, or None where there is none; this is {type(key).__name__}",
                f"{path}[{i}]")
    return column.items


cdef Units units_of(object source, str path):
    cdef Units units = column_of(source, "units", path)
    if units.column is not None and units.column.taken() in (
            ALLOT_ROWS_BOOL, ALLOT_ROWS_FLOAT, ALLOT_ROWS_MOMENT, ALLOT_ROWS_LIST,
            ALLOT_ROWS_STRUCT):
        raise InvalidInput("units are text or whole numbers, and this column is neither: CAST it",
                           path)
    return units


cdef Units column_of(object source, str noun, str path):
    import numpy as np  # here, as a single call starts without it

    cdef Units units = Units.__new__(Units)
    cdef Arrow arrow
    source = unpacked(source)
    if type(source) is list:
        units.items = source
    elif type(source) is Texts:
        units.column = (<Texts>source).column()
    elif isinstance(source, np.ndarray):
        if source.dtype.kind == "M":
            raise InvalidInput(f"{noun} are no dates: convert them to text", path)
        units.column = column_of_array(source, path)
        units.items = source.tolist() if units.column is None else None
    else:
        arrow = arrow_of(source, path)
        if arrow is not None:
            units.column = arrow.only()
        elif isinstance(source, Sequence) and not isinstance(source, (str, bytes, bytearray)):
            units.items = list(source)
        else:
            raise InvalidInput(
                f"{noun} are a list, a numpy array or Arrow data (an object with __arrow_c_array__"
                f" or __arrow_c_stream__), not {type(source).__name__}. For one unit, assign", path)
    units.rows = len(units.items) if units.column is None else units.column.rows
    return units
