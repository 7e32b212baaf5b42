from libc.stdint cimport int16_t, int64_t, uint8_t, uint32_t, uint64_t

from allotment.kernel.cbatch cimport (
    allot_drawn,
    allot_intern,
    allot_membership,
    allot_pieces,
    allot_space,
    allot_words,
)
from allotment.kernel.columns cimport Columns
from allotment.kernel.csrc cimport allot_plan


# The units of one kind: read from `pieces`, or, where that is NULL, filled in from Python objects
# a span at a time. A kind that is missing has no ok row ever.
ctypedef struct kind_rows:
    const allot_pieces *pieces
    uint64_t *h1
    uint64_t *h2
    uint8_t *ok
    allot_drawn *drawn             # draws by the recipes of the plans of this kind
    size_t recipes                 # how many
    bint digests                   # whether anything asks for the digests

# One attribute: likewise.
ctypedef struct field_rows:
    const allot_pieces *pieces
    allot_intern *intern
    allot_words words              # where pieces of it are dictionaries
    const uint32_t *decided
    uint32_t *codes

# One segment: its column of members, and the kind of unit its lists name.
ctypedef struct segment_rows:
    const allot_membership *membership
    Py_ssize_t kind
    uint8_t *members

# One plan and where its outcomes go, from row 0 of the batch.
ctypedef struct plan_rows:
    const allot_plan *plan
    Py_ssize_t kind
    uint64_t *drawn[4]             # by draw: where its recipe's draws are, NULL for a native one
    uint32_t *ids
    int16_t *codes
    uint8_t *reasons


cdef class Walk:
    cdef list kept                 # what the pointers below point at
    cdef list names                # of the kinds
    cdef list units                # of Units or None: a kind each
    cdef list attributes           # of Attribute
    cdef list members              # of Members
    cdef dict places               # Field -> its attribute and its table there
    cdef kind_rows *kinds
    cdef field_rows *fields
    cdef segment_rows *segments
    cdef plan_rows *plans
    cdef const uint32_t **codes    # by attribute: the block's
    cdef const int16_t *stored     # from row 0 of the batch, or NULL
    cdef allot_space *space
    cdef uint8_t *membership       # a block of bytes for everyone, then one for each segment
    cdef uint64_t *bits
    cdef Py_ssize_t kinds_count, fields_count, segments_count, plans_count
    cdef bint fills                # some column is of Python objects
    cdef int64_t span_start, span_stop

    cdef void *room(self, Py_ssize_t size)
    cdef int lay_kinds(self, list names, dict kinds, tuple plans) except -1
    cdef int lay_recipes(self, Py_ssize_t kind, Py_ssize_t rows, tuple plans) except -1
    cdef int lay_scratch(self, bint is_spelled) except -1
    cdef int lay_words(self, field_rows *field) except -1
    cdef int lay_fields(self, list segments, Columns columns) except -1
    cdef int lay_segments(self, list sheets) except -1
    cdef int lay_plans(self, tuple plans, list names, list sheets, list codes,
                       list reasons) except -1
    cdef int fill(self, int64_t start, int64_t stop) except -1
    cdef int fill_block(self, int64_t at, int64_t n, int64_t skip) except -1
    cdef int decide(self) except -1
    cdef int refuse(self, const char *wrong) except -1
    cdef const char *read(self, int64_t at, int64_t n) noexcept nogil
    cdef bint is_behind(self) noexcept nogil
    cdef void write(self, int64_t at, int64_t n) noexcept nogil
    cdef int run(self, int64_t start, int64_t stop) except -1

cdef Walk walk_of(tuple plans, dict kinds, Columns columns, list codes, list reasons,
                  object stored)
