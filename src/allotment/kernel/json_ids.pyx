"""A list of plain texts in a JSON document, read where it lies: no object is made of a text."""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport int64_t, uint8_t

from allotment.kernel.cbatch cimport (
    ALLOT_COLUMN_VIEWS,
    allot_json_ids,
    allot_json_ids_find,
    allot_json_ids_views,
)
from allotment.kernel.column cimport Column

cdef enum:
    _VIEW_BYTES = 16
    _TEXT_BYTES_MIN = 3  # two quotes and a comma


@cython.final
cdef class Texts:
    def __len__(self):
        return self.rows

    def __getitem__(self, place):
        cdef Py_ssize_t start, stop, step
        start, stop, step = place.indices(self.rows)
        if step != 1:
            raise IndexError("a part of texts is of rows that follow each other")
        return _texts(self.text, self.views, self.start + start, max(0, stop - start))

    cdef Column column(self):
        cdef Column column = Column.of_pieces(1, 0, _Block(self.text, self.views))
        cdef _Block block = column.owner
        column.columns.kind = ALLOT_COLUMN_VIEWS
        column.columns.rows = self.rows
        column.columns.offset = self.start
        column.columns.values = PyBytes_AS_STRING(self.views)
        column.columns.blocks = &block.at
        column.columns.block_sizes = &block.size
        column.columns.block_count = 1
        return column.measured()


cdef Texts _texts(bytes text, bytes views, int64_t start, int64_t rows):
    cdef Texts texts = Texts.__new__(Texts)
    texts.text, texts.views, texts.start, texts.rows = text, views, start, rows
    return texts


@cython.final
cdef class _Block:
    """What the views of a column point into, and the two numbers that say so."""

    cdef bytes text, views
    cdef const void *at
    cdef int64_t size

    def __cinit__(self, bytes text, bytes views):
        self.text, self.views = text, views
        self.at = PyBytes_AS_STRING(text)
        self.size = PyBytes_GET_SIZE(text)


@cython.final
cdef class JsonIds:
    cdef allot_json_ids _ids
    cdef bytes _document, _views
    cdef int64_t _rows
    cdef size_t _size

    @property
    def beside(self):
        """How many bytes of the document are not of the list."""
        return self._ids.size - (self._ids.end - self._ids.begin)

    @property
    def rest(self):
        """The document with an empty list in the place of this one."""
        return self._document[:self._ids.begin] + b"[]" + self._document[self._ids.end:]

    def blocks(self):
        """The texts, some at a time: at least one block, which may be empty."""
        cdef size_t at = self._ids.begin + 1
        cdef int64_t left = self._ids.count, found
        if self._ids.count <= self._ids.room and self._ids.end - self._ids.begin < self._size:
            yield _texts(self._document, self._views, 0, left)
            return
        while left:
            views = PyBytes_FromStringAndSize(NULL, _VIEW_BYTES * self._rows)
            found = self.more(&at, views)
            yield _texts(self._document, views, 0, found)
            left -= found

    cdef int64_t more(self, size_t *at, bytes views) noexcept:
        cdef uint8_t *place = <uint8_t *>PyBytes_AS_STRING(views)
        with nogil:
            return allot_json_ids_views(&self._ids, at, self._rows, self._size, place)


def json_ids(bytes document not None, bytes name not None, int64_t rows, size_t size):
    """The list of plain texts that is the one member `name` of a document; None for any other.

    Its blocks have at most so many `rows`, and end once they take `size` bytes or more. The
    document is JSON if its `rest` is.
    """
    cdef JsonIds ids = JsonIds.__new__(JsonIds)
    cdef const char *member = PyBytes_AS_STRING(name)
    cdef bint found
    ids._document, ids._rows, ids._size = document, rows, size
    ids._ids.text = <const uint8_t *>PyBytes_AS_STRING(document)
    ids._ids.size = PyBytes_GET_SIZE(document)
    ids._ids.room = min(<size_t>rows, ids._ids.size // _TEXT_BYTES_MIN)
    ids._views = PyBytes_FromStringAndSize(NULL, _VIEW_BYTES * ids._ids.room)
    ids._ids.views = <uint8_t *>PyBytes_AS_STRING(ids._views)
    with nogil:
        found = allot_json_ids_find(&ids._ids, member)
    return ids if found else None
