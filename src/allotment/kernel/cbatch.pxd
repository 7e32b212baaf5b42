"""Columns, Arrow and the batch in C, as Cython sees them; csrc/ says what everything means."""

from libc.stdint cimport int16_t, int32_t, int64_t, uint8_t, uint32_t, uint64_t

from allotment.kernel.csrc cimport allot_plan, allot_recipe, allot_segment


cdef extern from "spell.h" nogil:
    enum:
        ALLOT_SPELLED_BYTES


cdef extern from "column.h" nogil:
    enum:
        ALLOT_UCS4_WIDTH_MAX
        ALLOT_BLOCK_ROWS
        ALLOT_SCRATCH_BYTES
    const int64_t ALLOT_COLUMN_ROWS_MAX

    ctypedef enum allot_column_kind:
        ALLOT_COLUMN_VIEWS
        ALLOT_COLUMN_BYTES_BOOL
        ALLOT_COLUMN_INT8
        ALLOT_COLUMN_INT16
        ALLOT_COLUMN_INT32
        ALLOT_COLUMN_INT64
        ALLOT_COLUMN_UINT8
        ALLOT_COLUMN_UINT16
        ALLOT_COLUMN_UINT32
        ALLOT_COLUMN_UINT64
        ALLOT_COLUMN_FLOAT16
        ALLOT_COLUMN_FLOAT32
        ALLOT_COLUMN_FLOAT64
        ALLOT_COLUMN_FIXED
        ALLOT_COLUMN_UCS4
        ALLOT_COLUMN_LIST32
        ALLOT_COLUMN_STRUCT

    ctypedef enum allot_rows:
        ALLOT_ROWS_NONE
        ALLOT_ROWS_BOOL
        ALLOT_ROWS_SIGNED
        ALLOT_ROWS_UNSIGNED
        ALLOT_ROWS_FLOAT
        ALLOT_ROWS_TEXT
        ALLOT_ROWS_DECIMAL
        ALLOT_ROWS_MOMENT
        ALLOT_ROWS_LIST
        ALLOT_ROWS_STRUCT

    ctypedef struct allot_column:
        allot_column_kind kind
        int64_t rows
        int64_t offset
        const uint8_t *validity
        const void *values
        const void *const *blocks
        const int64_t *block_sizes
        int64_t block_count
        int64_t width
        const allot_column *words

    ctypedef struct allot_text:
        const uint8_t *at
        size_t size

    allot_rows allot_column_rows(const allot_column *column) noexcept
    bint allot_column_is_spelled(const allot_column *column) noexcept
    bint allot_column_is_valid(const allot_column *column, int64_t row) noexcept
    const char *allot_column_texts(const allot_column *column, int64_t start, int64_t n,
                                   uint8_t *scratch, allot_text *texts) noexcept
    const char *allot_column_numbers(const allot_column *column, int64_t start, int64_t n,
                                     uint64_t *numbers, uint8_t *valid) noexcept
    const char *allot_column_list(const allot_column *column, int64_t row, int64_t child_rows,
                                  int64_t *start, int64_t *stop, uint8_t *valid) noexcept


cdef extern from "arrow.h" nogil:
    struct ArrowSchema:
        const char *format
        const char *name
        int64_t n_children
        ArrowSchema **children
        void (*release)(ArrowSchema *) noexcept nogil
    struct ArrowArray:
        int64_t length
        int64_t n_children
        ArrowArray **children
        void (*release)(ArrowArray *) noexcept nogil
    struct ArrowArrayStream:
        int (*get_schema)(ArrowArrayStream *, ArrowSchema *) noexcept nogil
        int (*get_next)(ArrowArrayStream *, ArrowArray *) noexcept nogil
        const char *(*get_last_error)(ArrowArrayStream *) noexcept nogil
        void (*release)(ArrowArrayStream *) noexcept nogil
    const char *allot_arrow_read(const ArrowSchema *schema, const ArrowArray *array,
                                 allot_column *column, allot_column *words) noexcept
    const char *allot_arrow_child(const ArrowSchema *schema, const ArrowArray *array,
                                  const allot_column *parent, int64_t child, allot_column *column,
                                  allot_column *words) noexcept
    const char *allot_arrow_no_type
    int64_t allot_arrow_child_named(const ArrowSchema *schema, const char *name) noexcept


cdef extern from "intern.h" nogil:
    ctypedef struct allot_value:
        uint64_t head
        size_t size
        allot_rows taken
    ctypedef struct allot_intern:
        allot_value *values
        uint32_t count
    ctypedef struct allot_seed:
        uint64_t one
        uint64_t two
    bint allot_intern_init(allot_intern *intern, allot_seed seed) noexcept
    void allot_intern_free(allot_intern *intern) noexcept
    uint32_t allot_intern_text(allot_intern *intern, allot_rows taken, allot_text text) noexcept
    uint32_t allot_intern_number(allot_intern *intern, allot_rows taken, uint64_t number) noexcept
    bint allot_intern_texts(allot_intern *intern, allot_rows taken, const allot_text *texts,
                            int64_t n, uint32_t *codes) noexcept
    const uint8_t *allot_value_text(const allot_value *value, uint8_t *space) noexcept


cdef extern from "decide_block.h" nogil:
    ctypedef struct allot_block:
        pass
    void allot_decide_block(const allot_plan *plan, const uint64_t *h1, const uint64_t *h2,
                            const uint8_t *ok, const uint64_t *const *drawn,
                            const uint8_t *members, const uint32_t *ids,
                            const int16_t *stored, int64_t n, allot_block *block, int16_t *codes,
                            uint8_t *reasons) noexcept


cdef extern from "digests.h" nogil:
    void allot_digest_texts(const allot_text *texts, int64_t n, uint64_t *h1, uint64_t *h2,
                            uint8_t *ok) noexcept


cdef extern from "batch.h" nogil:
    ctypedef struct allot_pieces:
        const allot_column *columns
        const allot_column *veils
        const int64_t *starts
        int64_t count
        int64_t depth
    ctypedef struct allot_space:
        allot_text texts[1024]
        uint8_t valid[1024]
        uint8_t *scratch
        allot_block block
    const char *allot_no_memory
    const char *allot_units_texts(const allot_pieces *pieces, int64_t start, int64_t *n,
                                  allot_space *space) noexcept
    ctypedef struct allot_drawn:
        const allot_recipe *recipe
        uint64_t *draws
    void allot_recipe_draws(const allot_recipe *recipe, const allot_text *texts,
                            const uint8_t *ok, int64_t n, uint64_t *out) noexcept
    const char *allot_units_read(const allot_pieces *pieces, int64_t start, int64_t n,
                                 allot_space *space, uint64_t *h1, uint64_t *h2, uint8_t *ok,
                                 const allot_drawn *drawn, size_t count) noexcept
    ctypedef struct allot_words:
        uint32_t *codes
        int64_t room
    const char *allot_field_read(const allot_pieces *pieces, int64_t start, int64_t n,
                                 allot_space *space, allot_intern *intern, allot_words *words,
                                 uint32_t *codes) noexcept
    ctypedef struct allot_membership:
        const allot_segment *segment
        const uint32_t *attributes
        const uint64_t *const *tables
        uint32_t fields
        const uint8_t *answers
        bint few
        uint32_t answers_few[8]
    enum:
        ALLOT_CODES_FEW
    void allot_members_read(const allot_membership *membership, const uint32_t *const *codes,
                            const uint64_t *h1, int64_t n, uint64_t *bits,
                            uint8_t *members) noexcept


cdef extern from "export.h" nogil:
    ctypedef struct allot_names:
        const uint8_t *text
        const int32_t *offsets
        int32_t count
    bint allot_export_column(const int16_t *codes, int64_t rows, const allot_names *names,
                             const char *name, ArrowSchema *schema, ArrowArray *array) noexcept
    bint allot_export_table(ArrowSchema *schemas, ArrowArray *arrays, int64_t count, int64_t rows,
                            ArrowSchema *schema, ArrowArray *array) noexcept


cdef extern from "json_ids.h" nogil:
    ctypedef struct allot_json_ids:
        const uint8_t *text
        size_t size
        size_t begin
        size_t end
        uint64_t count
        uint64_t room
        uint8_t *views
    bint allot_json_ids_find(allot_json_ids *ids, const char *name) noexcept
    int64_t allot_json_ids_views(const allot_json_ids *ids, size_t *at, int64_t count,
                                 size_t bytes, uint8_t *views) noexcept


cdef extern from "row_texts.h" nogil:
    ctypedef struct allot_answers:
        const int16_t *codes
        const uint8_t *reasons
        const uint8_t *marks
        int64_t codes_count
        allot_text *words
    size_t allot_words_count(const allot_answers *of) noexcept
    size_t allot_words_place(const allot_answers *of, int64_t row) noexcept
    int64_t allot_row_words_size(const allot_answers *answers, int64_t start, int64_t stop,
                                 size_t *size) noexcept
    uint8_t *allot_row_texts_write(const allot_text *units, const allot_answers *columns,
                                   size_t columns_count, int64_t start, int64_t n,
                                   uint8_t *out, const uint8_t *end) noexcept
