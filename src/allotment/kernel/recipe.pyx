"""Recipes: another platform's profile with a salt."""

cimport cython
from libc.stdint cimport int64_t, uint8_t, uint64_t
from libc.stdlib cimport calloc, free, malloc

import numpy as np

from allotment.errors import InvalidInput
from allotment.kernel.cbatch cimport (
    ALLOT_BLOCK_ROWS,
    ALLOT_SCRATCH_BYTES,
    allot_drawn,
    allot_space,
    allot_units_read,
)
from allotment.kernel.csrc cimport (
    allot_recipe_begin,
    allot_recipe_bucket,
    allot_recipe_check,
    allot_recipe_draw,
)
from allotment.kernel.unit cimport key_text, text_of_unit
from allotment.kernel.units cimport Units, units_of


@cython.final
@cython.internal
cdef class Room:
    """The room for a block of rows, freed with it."""

    cdef allot_space *space
    cdef uint64_t h1[ALLOT_BLOCK_ROWS]
    cdef uint64_t h2[ALLOT_BLOCK_ROWS]
    cdef uint64_t draws[ALLOT_BLOCK_ROWS]
    cdef uint8_t ok[ALLOT_BLOCK_ROWS]

    def __cinit__(self):
        self.space = <allot_space *>calloc(1, sizeof(allot_space))
        if self.space != NULL:
            self.space.scratch = <uint8_t *>malloc(ALLOT_SCRATCH_BYTES)
        if self.space == NULL or self.space.scratch == NULL:
            raise MemoryError

    def __dealloc__(self):
        if self.space != NULL:
            free(self.space.scratch)
        free(self.space)


@cython.final
cdef class Recipe:
    def __cinit__(
        self, *, hash, encoding, slice, bucketing, shift, bits, seed, buckets,
        bytes before not None, bytes after not None,
    ):
        cdef const char *fault
        self.before, self.after = before, after
        self.core.before = <const uint8_t *><const char *>before
        self.core.after = <const uint8_t *><const char *>after
        self.core.before_size, self.core.after_size = len(before), len(after)
        try:
            self.core.hash, self.core.encoding, self.core.slice = hash, encoding, slice
            self.core.bucketing, self.core.shift, self.core.bits = bucketing, shift, bits
            self.core.seed, self.core.buckets = seed, buckets
        except (TypeError, OverflowError) as wrong:
            raise InvalidInput(f"a recipe cannot be read: {wrong}") from None
        fault = allot_recipe_check(&self.core)
        if fault != NULL:
            raise InvalidInput(fault.decode())
        allot_recipe_begin(&self.core)

    def bucket(self, unit):
        cdef key_text text
        if not text_of_unit(unit, &text):
            raise InvalidInput("a unit is text or a whole number, 1 to 1,024 bytes of UTF-8",
                               "$.unit")
        return allot_recipe_bucket(&self.core, allot_recipe_draw(&self.core, text.at, text.size))

    def buckets(self, units):
        cdef Units column = units_of(units, "$.units")
        cdef Room room = Room()
        cdef int64_t at, n, i
        found = np.empty(column.rows, np.int64)
        cdef int64_t[::1] out = found
        for at in range(0, column.rows, ALLOT_BLOCK_ROWS):
            n = min(<int64_t>ALLOT_BLOCK_ROWS, column.rows - at)
            self.draw_block(column, at, n, room)
            for i in range(n):
                out[at + i] = -1
                if room.ok[i]:
                    out[at + i] = <int64_t>allot_recipe_bucket(&self.core, room.draws[i])
        return found

    cdef int draw_block(self, object units, int64_t at, int64_t n, object there) except -1:
        cdef Units column = units
        cdef Room room = there
        cdef allot_drawn drawn
        cdef const char *wrong
        drawn.recipe = &self.core
        drawn.draws = room.draws
        if column.column is None:
            column.digest_items("", at, n, room.space, room.h1, room.h2, room.ok, &drawn, 1, 0)
            return 0
        with nogil:
            wrong = allot_units_read(&column.column.pieces, at, n, room.space, room.h1, room.h2,
                                     room.ok, &drawn, 1)
        if wrong != NULL:
            raise InvalidInput(f"a column {wrong.decode()}", "$.units")
        return 0
