"""Recipes: another platform's profile with a salt."""

cimport cython
from libc.stdint cimport int64_t, uint8_t, uint64_t
from libc.stdlib cimport calloc, free, malloc

from allotment.errors import InvalidInput
from allotment.kernel.cbatch cimport (
    ALLOT_BLOCK_ROWS,
    ALLOT_SCRATCH_BYTES,
    allot_drawn,
    allot_space,
    allot_units_read,
)
from allotment.kernel.csrc cimport (
    ALLOT_BUCKETS,
    ALLOT_SEED_SALT,
    allot_bucket,
    allot_digest,
    allot_draws_over_units,
    allot_recipe,
    allot_recipe_begin,
    allot_recipe_bucket,
    allot_recipe_check,
    allot_recipe_draw,
)
from allotment.kernel.digest cimport digest_of
from allotment.kernel.unit cimport key_text, text_of_unit
from allotment.kernel.units cimport Units, units_of


@cython.final
@cython.internal
cdef class Room:
    """A column of units, and the room for a block of its rows."""

    cdef Units units
    cdef allot_space *space
    cdef allot_drawn drawn
    cdef size_t recipes
    cdef uint64_t h1[ALLOT_BLOCK_ROWS]
    cdef uint64_t h2[ALLOT_BLOCK_ROWS]
    cdef uint64_t draws[ALLOT_BLOCK_ROWS]
    cdef uint8_t ok[ALLOT_BLOCK_ROWS]

    def __dealloc__(self):
        if self.space != NULL:
            free(self.space.scratch)
        free(self.space)

    # Reads a block of rows; returns how many.
    cdef int64_t read(self, int64_t at) except -1:
        cdef int64_t n = min(<int64_t>ALLOT_BLOCK_ROWS, self.units.rows - at)
        cdef const char *wrong
        if self.units.column is None:
            self.units.digest_items("", at, n, self.space, self.h1, self.h2, self.ok,
                                    &self.drawn, self.recipes, 0)
            return n
        with nogil:
            wrong = allot_units_read(&self.units.column.pieces, at, n, self.space,
                                     NULL if self.recipes else self.h1, self.h2, self.ok,
                                     &self.drawn, self.recipes)
        if wrong != NULL:
            raise InvalidInput(f"a column {wrong.decode()}", "$.units")
        return n


# The room for a column whose draws by a recipe are wanted, or only digests where that is NULL.
cdef Room room_for(object units, const allot_recipe *recipe):
    cdef Room room = Room.__new__(Room)
    room.units = units_of(units, "$.units")
    room.space = <allot_space *>calloc(1, sizeof(allot_space))
    if room.space != NULL:
        room.space.scratch = <uint8_t *>malloc(ALLOT_SCRATCH_BYTES)
    if room.space == NULL or room.space.scratch == NULL:
        raise MemoryError
    room.drawn.recipe = recipe
    room.drawn.draws = room.draws
    room.recipes = recipe != NULL
    return room


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
        import numpy as np

        cdef Room room = room_for(units, &self.core)
        cdef int64_t at, n, i
        found = np.empty(room.units.rows, np.int64)
        cdef int64_t[::1] out = found
        for at in range(0, room.units.rows, ALLOT_BLOCK_ROWS):
            n = room.read(at)
            for i in range(n):
                out[at + i] = -1
                if room.ok[i]:
                    out[at + i] = <int64_t>allot_recipe_bucket(&self.core, room.draws[i])
        return found


def native_buckets(str salt not None, units):
    import numpy as np

    cdef allot_digest salted = digest_of(salt, ALLOT_SEED_SALT)
    cdef Room room = room_for(units, NULL)
    cdef int64_t at, n, i
    found = np.empty(room.units.rows, np.int64)
    cdef int64_t[::1] out = found
    for at in range(0, room.units.rows, ALLOT_BLOCK_ROWS):
        n = room.read(at)
        allot_draws_over_units(salted, room.h1, room.h2, n, room.draws)
        for i in range(n):
            out[at + i] = allot_bucket(room.draws[i], ALLOT_BUCKETS) if room.ok[i] else -1
    return found
