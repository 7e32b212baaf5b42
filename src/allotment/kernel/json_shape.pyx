"""How much a JSON text holds and how deep it nests."""

cimport cython
from libc.stdint cimport uint8_t, uint32_t, uint64_t


cdef extern from "json_shape.h" nogil:
    ctypedef struct allot_json_shape:
        uint64_t values
        uint32_t deepest
        bint crowded
    void allot_json_shape_feed(
        allot_json_shape *shape, const uint8_t *part, size_t size
    ) noexcept


@cython.final
cdef class JsonShape:
    cdef allot_json_shape _shape  # all zero: before the first byte

    @property
    def values(self):
        """Values and names of members so far."""
        return self._shape.values

    @property
    def deepest(self):
        """The most lists and objects that were open at once."""
        return self._shape.deepest

    @property
    def crowded(self):
        """Whether a line has more than one list or object, or one goes on in the next line."""
        return self._shape.crowded

    def feed(self, const uint8_t[::1] part not None):
        """Read another part of the text."""
        if part.shape[0]:
            allot_json_shape_feed(&self._shape, &part[0], part.shape[0])
