from libc.stdint cimport int64_t

from allotment.kernel.cbatch cimport allot_column, allot_pieces, allot_rows


cdef class Column:
    cdef allot_pieces pieces
    cdef allot_column *columns     # owned: a piece each
    cdef allot_column *words       # owned: the dictionary of each piece
    cdef allot_column *veils       # owned: `depth` a piece
    cdef int64_t *starts           # owned
    cdef readonly int64_t rows
    cdef object owner              # keeps the buffers alive

    @staticmethod
    cdef Column of_pieces(int64_t count, int64_t depth, object owner)
    # Where the pieces end, once all of them are filled in.
    cdef Column measured(self)
    cdef allot_rows taken(self) noexcept nogil
    cdef bint is_veiled(self, int64_t row) noexcept nogil
    cdef bint is_spelled(self) noexcept nogil

# The column of a one-dimensional numpy array, or None where its values have to be read as Python
# objects. Raises InvalidInput for a type that can be neither.
cdef Column column_of_array(object array, str path)
# The values of such an array as Python objects.
cdef list objects_of_array(object array)
