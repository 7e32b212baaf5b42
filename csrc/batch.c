#include "batch.h"

#include <assert.h>
#include <string.h>

#include "paths.h"
#include "text.h"

/* How far ahead of the row that is decided the lists are fetched into the cache. */
enum { ROWS_AHEAD = 16 };

/* How many rows are read as any other from one on whose value is long or new. */
enum { ROWS_UNMET = 64 };

const char allot_no_memory[] = "does not fit into memory";

/* The piece that holds `row`. */
static int64_t piece_of(const allot_pieces *pieces, int64_t row)
{
    int64_t low = 0, high = pieces->count;
    while (high - low > 1) {
        const int64_t middle = low + (high - low) / 2;
        if (pieces->starts[middle] <= row) {
            low = middle;
        } else {
            high = middle;
        }
    }
    assert(pieces->starts[low] <= row && row < pieces->starts[low + 1]);
    return low;
}

/* Rows of one piece within a block. */
typedef struct {
    int64_t piece;
    int64_t start; /* within the piece */
    int64_t n;
} stretch;

static stretch stretch_from(const allot_pieces *pieces, int64_t row, int64_t n)
{
    assert(n <= ALLOT_BLOCK_ROWS);
    const int64_t piece = piece_of(pieces, row);
    const int64_t left = pieces->starts[piece + 1] - row;
    return (stretch){piece, row - pieces->starts[piece], n < left ? n : left};
}

/* A null text, which is no unit, has size 0 like an empty one. */
static const char *texts_of(const allot_column *column, stretch rows, allot_space *space)
{
    const allot_rows taken = allot_column_rows(column);
    const char *wrong;
    switch (taken) {
    case ALLOT_ROWS_TEXT:
        return allot_column_texts(column, rows.start, rows.n, space->scratch, space->texts);
    case ALLOT_ROWS_DECIMAL:
        if ((column->words ? column->words : column)->scale != 0)
            return "has decimals with places behind the point";
        return allot_column_texts(column, rows.start, rows.n, space->scratch, space->texts);
    case ALLOT_ROWS_SIGNED:
    case ALLOT_ROWS_UNSIGNED:
        wrong = allot_column_numbers(column, rows.start, rows.n, space->numbers, space->valid);
        if (wrong) return wrong;
        allot_decimal_texts(space->numbers, space->valid, taken == ALLOT_ROWS_SIGNED, rows.n,
                            &space->decimals, space->texts);
        return NULL;
    case ALLOT_ROWS_NONE:
        memset(space->texts, 0, (size_t)rows.n * sizeof *space->texts);
        return NULL;
    default: return "has values that are neither text nor whole numbers";
    }
}

const char *allot_units_texts(const allot_pieces *pieces, int64_t start, int64_t *n,
                              allot_space *space)
{
    const stretch rows = stretch_from(pieces, start, *n);
    const char *wrong = texts_of(&pieces->columns[rows.piece], rows, space);
    if (wrong) return wrong;
    for (int64_t k = 0; k < pieces->depth; k++) {
        const allot_column *veil = &pieces->veils[rows.piece * pieces->depth + k];
        if (allot_column_validity(veil, rows.start, rows.n, space->valid)) continue;
        for (int64_t i = 0; i < rows.n; i++) {
            if (!space->valid[i]) space->texts[i] = (allot_text){NULL, 0};
        }
    }
    *n = rows.n;
    return NULL;
}

/* The digests of the first rows, if they are whole numbers that need no text; *done becomes how
 * many. */
static const char *digest_numbers(const allot_column *column, stretch rows, allot_space *space,
                                  uint64_t *h1, uint64_t *h2, uint8_t *ok, int64_t *done)
{
    const allot_rows taken = allot_column_rows(column);
    *done = 0;
    if (taken != ALLOT_ROWS_SIGNED && taken != ALLOT_ROWS_UNSIGNED) return NULL;
    const char *wrong =
        allot_column_numbers(column, rows.start, rows.n, space->numbers, space->valid);
    if (wrong) return wrong;
    *done = allot_digest_numbers(space->numbers, rows.n, h1, h2);
    for (int64_t i = 0; i < *done; i++) {
        ok[i] = space->valid[i];
        h1[i] &= -(uint64_t)ok[i];
        h2[i] &= -(uint64_t)ok[i];
    }
    return NULL;
}

const char *allot_units_read(const allot_pieces *pieces, int64_t start, int64_t n,
                             allot_space *space, uint64_t *h1, uint64_t *h2, uint8_t *ok,
                             const allot_drawn *drawn, size_t count)
{
    for (int64_t done = 0; done < n;) {
        int64_t some = n - done;
        const char *wrong = NULL;
        if (h1 && count == 0 && pieces->depth == 0) {
            const stretch rows = stretch_from(pieces, start + done, n - done);
            wrong = digest_numbers(&pieces->columns[rows.piece], rows, space, h1 + done, h2 + done,
                                   ok + done, &some);
            if (wrong) return wrong;
            done += some;
            some = rows.n - some;
            if (some == 0) continue;
        }
        wrong = allot_units_texts(pieces, start + done, &some, space);
        if (wrong) return wrong;
        if (h1) {
            allot_digest_texts(space->texts, some, h1 + done, h2 + done, ok + done);
        } else {
            allot_check_texts(space->texts, some, ok + done);
        }
        for (size_t k = 0; k < count; k++)
            allot_recipe_draws(drawn[k].recipe, space->texts, ok + done, some,
                               drawn[k].draws + done);
        done += some;
    }
    return NULL;
}

static const char *codes_of_rows(const allot_column *column, stretch rows, allot_space *space,
                                 allot_intern *intern, uint32_t *codes)
{
    const allot_rows taken = allot_column_rows(column);
    const char *wrong;
    switch (taken) {
    case ALLOT_ROWS_NONE: memset(codes, 0, (size_t)rows.n * sizeof *codes); return NULL;
    case ALLOT_ROWS_TEXT:
    case ALLOT_ROWS_DECIMAL:
    case ALLOT_ROWS_MOMENT:
        wrong = allot_column_texts(column, rows.start, rows.n, space->scratch, space->texts);
        if (wrong) return wrong;
        /* A date is text to a clause; a decimal is a number that is spelled. */
        return allot_intern_texts(intern,
                                  taken == ALLOT_ROWS_DECIMAL ? taken : ALLOT_ROWS_TEXT,
                                  space->texts, rows.n, codes)
                   ? NULL
                   : allot_no_memory;
    case ALLOT_ROWS_BOOL:
    case ALLOT_ROWS_SIGNED:
    case ALLOT_ROWS_UNSIGNED:
    case ALLOT_ROWS_FLOAT:
        wrong = allot_column_numbers(column, rows.start, rows.n, space->numbers, space->valid);
        if (wrong) return wrong;
        return allot_intern_numbers(intern, taken, space->numbers, space->valid, rows.n, codes)
                   ? NULL
                   : allot_no_memory;
    default: return "has values that are neither text, numbers nor booleans";
    }
}

/* The codes of the usual texts: the short ones that have been met at once, and with one that is not
 * so, some rows as any other. */
static const char *codes_of_texts(const allot_column *column, stretch rows, allot_space *space,
                                  allot_intern *intern, uint32_t *codes)
{
    const int32_t *offsets = (const int32_t *)column->values + column->offset;
    for (int64_t done = 0; done < rows.n;) {
        stretch left = {rows.piece, rows.start + done, rows.n - done};
        const int64_t met = allot_intern_met(intern, column->text, offsets + left.start,
                                             offsets[column->rows], left.n, codes + done);
        left.start += met;
        left.n = left.n - met < ROWS_UNMET ? left.n - met : ROWS_UNMET;
        const char *wrong = codes_of_rows(column, left, space, intern, codes + done + met);
        if (wrong) return wrong;
        done += met + left.n;
    }
    return NULL;
}

/* The codes of rows that are positions in a dictionary for which there is room. */
static const char *codes_of_words(const allot_column *column, stretch rows, allot_space *space,
                                  allot_intern *intern, allot_words *words, uint32_t *codes)
{
    allot_column positions = *column;
    positions.words = NULL;
    if (words->of != column->words) {
        words->of = column->words;
        memset(words->codes, 0, (size_t)words->of->rows * sizeof *words->codes);
    }
    uint64_t at[ALLOT_BLOCK_ROWS];
    uint8_t valid[ALLOT_BLOCK_ROWS];
    const char *wrong = allot_column_numbers(&positions, rows.start, rows.n, at, valid);
    if (wrong) return wrong;
    for (int64_t i = 0; i < rows.n; i++) {
        codes[i] = 0;
        if (!valid[i]) continue;
        if (at[i] >= (uint64_t)words->of->rows) return allot_no_word;
        uint32_t *code = &words->codes[at[i]];
        if (!*code) {
            const stretch one = {rows.piece, (int64_t)at[i], 1};
            wrong = codes_of_rows(words->of, one, space, intern, code);
            if (wrong) return wrong;
            ++*code;
        }
        codes[i] = *code - 1;
    }
    return NULL;
}

static const char *codes_of_stretch(const allot_column *column, stretch rows, allot_space *space,
                                    allot_intern *intern, allot_words *words, uint32_t *codes)
{
    /* A dictionary of more words than the column has rows would cost more than it saves. */
    const bool fits = column->words && words->room > 0 && column->words->rows <= words->room &&
                      column->words->rows <= column->rows;
    if (fits && allot_column_rows(column) != ALLOT_ROWS_NONE)
        return codes_of_words(column, rows, space, intern, words, codes);
    if (allot_column_is_simple_text(column))
        return codes_of_texts(column, rows, space, intern, codes);
    return codes_of_rows(column, rows, space, intern, codes);
}

const char *allot_field_read(const allot_pieces *pieces, int64_t start, int64_t n,
                             allot_space *space, allot_intern *intern, allot_words *words,
                             uint32_t *codes)
{
    for (int64_t done = 0; done < n;) {
        const stretch rows = stretch_from(pieces, start + done, n - done);
        const char *wrong = codes_of_stretch(&pieces->columns[rows.piece], rows, space, intern,
                                             words, codes + done);
        if (wrong) return wrong;
        for (int64_t k = 0; k < pieces->depth; k++) {
            const allot_column *veil = &pieces->veils[rows.piece * pieces->depth + k];
            if (allot_column_validity(veil, rows.start, rows.n, space->valid)) continue;
            for (int64_t i = 0; i < rows.n; i++) codes[done + i] *= space->valid[i];
        }
        done += rows.n;
    }
    return NULL;
}

/* How many of the rows are read many at a time. */
static int64_t members_of_few(const allot_membership *membership, const uint32_t *code, int64_t n,
                              uint8_t *members)
{
#ifdef ALLOT_X86
    const uint32_t *answers = membership->answers_few;
    if (membership->few && allot_path_taken == ALLOT_PATH_AVX512)
        return allot_members_avx512(answers, code, n, members);
    if (membership->few && allot_path_taken == ALLOT_PATH_AVX2)
        return allot_members_avx2(answers, code, n, members);
#else
    (void)membership, (void)code, (void)n, (void)members;
#endif
    return 0;
}

void allot_members_read(const allot_membership *membership, const uint32_t *const *codes,
                        const uint64_t *h1, int64_t n, uint64_t *bits, uint8_t *members)
{
    if (membership->answers) {
        const uint32_t *code = codes[membership->attributes[0]];
        for (int64_t i = members_of_few(membership, code, n, members); i < n; i++)
            members[i] = membership->answers[code[i]];
        return;
    }
    const allot_segment *segment = membership->segment;
    const size_t words = segment->words;
    if (membership->fields == 0 && segment->lists_count == 0) {
        memset(bits, 0, words * sizeof *bits);
        memset(members, allot_segment_holds(segment, bits, 0), (size_t)n);
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        for (uint32_t list = 0; list < segment->lists_count && i + ROWS_AHEAD < n; list++)
            allot_idset_prefetch(segment->lists[list], h1[i + ROWS_AHEAD]);
        memset(bits, 0, words * sizeof *bits);
        for (uint32_t field = 0; field < membership->fields; field++) {
            const uint32_t code = codes[membership->attributes[field]][i];
            const uint64_t *more = membership->tables[field] + words * code;
            for (size_t word = 0; word < words; word++) bits[word] |= more[word];
        }
        members[i] = allot_segment_holds(segment, bits, h1[i]);
    }
}
