"""Id lists and overrides: sets of unit digests."""

cimport cython
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from cpython.unicode cimport PyUnicode_AsUTF8AndSize
from libc.stdint cimport uint8_t, uint64_t

from allotment.errors import InvalidInput
from allotment.kernel.csrc cimport (
    ALLOT_IDSET_AMBIGUOUS,
    ALLOT_IDSET_OK,
    ALLOT_IDSET_TOO_MANY,
    ALLOT_LISTED_IDS_MAX,
    ALLOT_SEED_UNIT,
    allot_digest_text,
    allot_idset_build,
    allot_idset_build_lines,
    allot_idset_bytes,
    allot_idset_free,
    allot_idset_has,
    allot_idset_status,
    allot_idset_value,
)


cdef uint64_t hash_of(str key) except? 0:
    cdef Py_ssize_t size = 0
    cdef const char *text = PyUnicode_AsUTF8AndSize(key, &size)
    return allot_digest_text(<const uint8_t *>text, size, ALLOT_SEED_UNIT).h1


cdef int check(allot_idset_status status) except -1:
    if status == ALLOT_IDSET_OK:
        return 0
    if status == ALLOT_IDSET_TOO_MANY:
        raise InvalidInput(f"a list holds at most {ALLOT_LISTED_IDS_MAX:,} ids")
    if status == ALLOT_IDSET_AMBIGUOUS:
        raise InvalidInput("an id is listed twice, with two values")
    raise MemoryError


@cython.final
cdef class IdSet:
    def __cinit__(self, keys=(), values=None):
        cdef list listed = list(keys)
        cdef list small_numbers = [] if values is None else list(values)
        cdef Py_ssize_t count = len(listed), i
        cdef uint64_t *hashes
        cdef uint8_t *small = NULL
        if values is not None and len(small_numbers) != count:
            raise InvalidInput(f"{count} ids come with {len(small_numbers)} values")
        hashes = <uint64_t *>PyMem_Malloc((count + 1) * sizeof(uint64_t))
        if values is not None:
            small = <uint8_t *>PyMem_Malloc(count + 1)
        try:
            if hashes == NULL or (values is not None and small == NULL):
                raise MemoryError
            for i in range(count):
                hashes[i] = hash_of(listed[i])
                if small != NULL:
                    small[i] = small_numbers[i]
            check(allot_idset_build(&self.core, hashes, small, count))
        except (TypeError, OverflowError, UnicodeEncodeError) as fault:
            raise InvalidInput(f"ids are text and values 0 to 255: {fault}") from None
        finally:
            PyMem_Free(hashes)
            PyMem_Free(small)

    @classmethod
    def of_lines(cls, bytes text not None):
        cdef IdSet made = IdSet.__new__(IdSet)
        cdef const uint8_t *start = <const uint8_t *><const char *>text
        cdef size_t size = len(text)
        cdef allot_idset_status status
        allot_idset_free(&made.core)
        with nogil:
            status = allot_idset_build_lines(&made.core, start, size)
        check(status)
        return made

    def __dealloc__(self):
        allot_idset_free(&self.core)

    def __len__(self):
        return self.core.count

    @property
    def nbytes(self):
        return allot_idset_bytes(&self.core)

    def __contains__(self, str key not None):
        return allot_idset_has(&self.core, hash_of(key))

    def value(self, str key not None):
        return allot_idset_value(&self.core, hash_of(key))
