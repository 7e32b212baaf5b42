"""Arrow data from any producer, by the Arrow C data and stream interfaces.

Nothing of pyarrow is needed: a producer hands over capsules (`__arrow_c_array__`, or
`__arrow_c_stream__` for data in chunks), and what is in them is read here.
"""

cimport cython
from cpython.pycapsule cimport PyCapsule_GetPointer, PyCapsule_IsValid
from libc.stdint cimport int64_t
from libc.stdlib cimport free, realloc
from libc.string cimport memset

from allotment.kernel.cbatch cimport (
    ALLOT_COLUMN_ROWS_MAX,
    ALLOT_COLUMN_STRUCT,
    ALLOT_ROWS_LIST,
    ALLOT_ROWS_NONE,
    ArrowArray,
    ArrowArrayStream,
    ArrowSchema,
    allot_arrow_child,
    allot_arrow_child_named,
    allot_arrow_no_type,
    allot_arrow_read,
    allot_column,
    allot_rows,
)
from allotment.kernel.column cimport Column
from allotment.kernel.values cimport lists_of, values_of

from allotment.errors import InvalidInput


@cython.final
cdef class Arrow:
    """A schema and its chunks, taken over from a producer and released with this object."""

    def __dealloc__(self):
        cdef Py_ssize_t i
        for i in range(self.count):
            if self.chunks[i].release != NULL:
                self.chunks[i].release(&self.chunks[i])
        free(self.chunks)
        if self.schema.release != NULL:
            self.schema.release(&self.schema)

    # Room for one more chunk, which is not yet counted.
    cdef ArrowArray *room(self) except NULL:
        if self.count & (self.count - 1) == 0:  # full at each power of two
            grown = realloc(self.chunks, (2 * self.count + 1) * sizeof(ArrowArray))
            if grown == NULL:
                raise MemoryError
            self.chunks = <ArrowArray *>grown
        memset(&self.chunks[self.count], 0, sizeof(ArrowArray))
        return &self.chunks[self.count]

    cdef int take_array(self, object schema, object array) except -1:
        cdef ArrowSchema *from_schema = <ArrowSchema *>_pointer(schema, b"arrow_schema", self.path)
        cdef ArrowArray *from_array = <ArrowArray *>_pointer(array, b"arrow_array", self.path)
        if from_schema.release == NULL or from_array.release == NULL:
            raise InvalidInput("the Arrow data is released already", self.path)
        # A struct is moved by copying it and clearing the source's release.
        self.schema = from_schema[0]
        from_schema.release = NULL
        self.room()[0] = from_array[0]
        from_array.release = NULL
        self.count += 1
        return 0

    cdef int take_stream(self, object capsule) except -1:
        cdef ArrowArrayStream *stream = <ArrowArrayStream *>_pointer(
            capsule, b"arrow_array_stream", self.path)
        cdef ArrowArray *chunk
        cdef int status
        if stream.release == NULL:
            raise InvalidInput("the Arrow stream is released already", self.path)
        with nogil:  # a producer may wait for threads that need the GIL
            status = stream.get_schema(stream, &self.schema)
        self.check(stream, status)
        while True:
            chunk = self.room()
            with nogil:
                status = stream.get_next(stream, chunk)
            self.check(stream, status)
            if chunk.release == NULL:
                return 0
            self.count += 1

    cdef int check(self, ArrowArrayStream *stream, int status) except -1:
        if status == 0:
            return 0
        cdef const char *why = stream.get_last_error(stream)
        said = (<bytes>why).decode("utf-8", "replace") if why != NULL else f"error {status}"
        raise InvalidInput(f"the Arrow stream failed: {said}", self.path)

    cdef Arrow measured(self):
        cdef Py_ssize_t i
        for i in range(self.count):
            # A count that is no count is refused where the column is read.
            if 0 <= self.chunks[i].length <= ALLOT_COLUMN_ROWS_MAX - self.rows:
                self.rows += self.chunks[i].length
        return self

    # The positions of the structs' children along `path`, or None where there is no such path.
    cdef tuple places(self, tuple path):
        cdef ArrowSchema *schema = &self.schema
        cdef ArrowArray *array = self.chunks if self.count else NULL
        cdef allot_column struct_
        cdef allot_column words
        cdef int64_t place
        places = []
        for name in path:
            if schema.release == NULL or "\0" in name:
                return None
            if schema.format == NULL or schema.format[:] != b"+s":
                return None
            # A schema's count of children is believed only where the data has the same.
            if array != NULL:
                self.read(schema, array, NULL, 0, &struct_, &words)
            place = allot_arrow_child_named(schema, name.encode("utf-8", "surrogatepass"))
            if place < 0:
                return None
            places.append(place)
            schema = schema.children[place]
            if array != NULL:
                array = array.children[place]
        return tuple(places)

    cdef Column column(self, tuple path):
        places = self.places(path)
        if places is None:
            return None
        try:
            return self.at(places)
        except InvalidInput as wrong:
            raise InvalidInput(wrong.message, ".".join((self.path, *path))) from None

    cdef Column only(self):
        alone = (self.schema.release != NULL and self.schema.format != NULL
                 and self.schema.format[:] == b"+s"
                 and self.schema.n_children == 1)
        return self.at((0,) if alone else ())

    cdef Column at(self, tuple places):
        cdef int64_t depth = len(places)
        cdef Column column = Column.of_pieces(self.count, depth, self)
        cdef int64_t chunk, level
        cdef ArrowSchema *schema
        cdef ArrowArray *array
        cdef allot_column *parent
        cdef allot_column *into
        for chunk in range(self.count):
            schema = &self.schema
            array = &self.chunks[chunk]
            parent = NULL
            for level in range(depth + 1):
                into = &column.veils[chunk * depth + level] if level < depth \
                    else &column.columns[chunk]
                self.read(schema, array, parent, places[level - 1] if level else 0, into,
                          &column.words[chunk])
                if level:
                    schema = schema.children[<int64_t>places[level - 1]]
                    array = array.children[<int64_t>places[level - 1]]
                parent = into
        return column.measured()

    cdef int read(self, ArrowSchema *schema, ArrowArray *array, allot_column *parent,
                  int64_t place, allot_column *column, allot_column *words) except -1:
        cdef const char *wrong
        cdef const char *format = schema.format
        if parent != NULL and 0 <= place < schema.n_children and schema.children != NULL \
                and schema.children[place] != NULL:
            format = schema.children[place].format
        if parent == NULL:
            wrong = allot_arrow_read(schema, array, column, words)
        else:
            wrong = allot_arrow_child(schema, array, parent, place, column, words)
        if wrong != NULL:
            kind = "" if format == NULL else (<bytes>format)[:32].decode(errors="replace")
            said = f" (its format is {kind!r})" if kind else ""
            if wrong == allot_arrow_no_type:
                said = f", {_named(kind)}; CAST it to text, a number, a truth value or a date"
            raise InvalidInput(f"the Arrow data {wrong.decode()}{said}", self.path)
        return 0

    cdef list objects(self, tuple path):
        try:
            return self.objects_at(self.places(path))
        except InvalidInput as wrong:
            raise InvalidInput(wrong.message, ".".join((self.path, *path))) from None

    cdef list objects_at(self, tuple places):
        cdef Column column = self.at(places)
        cdef Column child = None
        cdef int64_t i, chunk
        objects = []
        for chunk in range(self.count):
            if column.columns[chunk].kind == ALLOT_COLUMN_STRUCT:
                objects += values_of(&column.columns[chunk], self.path)
                continue
            child = self.elements(column, places, chunk)
            elements = values_of(&child.columns[0], self.path)
            objects += lists_of(&column.columns[chunk], elements, self.path)
        for i in range(column.rows):
            if column.is_veiled(i):
                objects[i] = None
        return objects

    # How the elements of the list column at `path` are taken; those of no list are not.
    cdef allot_rows elements_taken(self, Column column, tuple path) except *:
        if column.taken() != ALLOT_ROWS_LIST:
            return ALLOT_ROWS_NONE
        return self.elements(column, self.places(path), 0).taken()

    # The elements of the list column at `places`, in one chunk.
    cdef Column elements(self, Column lists, tuple places, int64_t chunk):
        cdef ArrowSchema *schema = &self.schema
        cdef ArrowArray *array = &self.chunks[chunk]
        cdef int64_t place
        for place in places:
            schema = schema.children[place]
            array = array.children[place]
        cdef Column elements = Column.of_pieces(1, 0, self)
        self.read(schema, array, &lists.columns[chunk], 0, elements.columns, elements.words)
        return elements.measured()


# What formats that are not read are called, by how they begin.
_NAMES = {
    "tD": "a duration", "ti": "an interval", "w": "binary of a fixed size", "+m": "a map",
    "+u": "a union", "+r": "run-end encoded", "+v": "a view of lists",
}


def _named(kind):
    name = next((name for start, name in _NAMES.items() if kind.startswith(start)), None)
    return f"{name} (format {kind!r})" if name else f"format {kind!r}"


cdef Arrow arrow_of(object source, str path):
    """The data of an object with `__arrow_c_array__` or `__arrow_c_stream__`; None of any other."""
    cdef Arrow arrow = Arrow.__new__(Arrow)
    arrow.path = path
    if hasattr(source, "__arrow_c_array__"):
        schema, array = _exported(source.__arrow_c_array__, path)
        arrow.take_array(schema, array)
    elif hasattr(source, "__arrow_c_stream__"):
        arrow.take_stream(_exported(source.__arrow_c_stream__, path))
    else:
        return None
    return arrow.measured()


def _exported(export, path):
    try:
        return export()
    except Exception as error:  # each library has errors of its own
        raise InvalidInput(
            f"it cannot be had as Arrow data: {error}. CAST it to one type", path) from error


cdef void *_pointer(object capsule, const char *name, str path) except NULL:
    if not PyCapsule_IsValid(capsule, name):
        raise InvalidInput(f"expected a capsule named {name.decode()}", path)
    return PyCapsule_GetPointer(capsule, name)
