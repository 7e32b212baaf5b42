/* Rows as text: each unit with the words for what it got. */
#include "../row_texts.h"
#include "check.h"

#include <stdlib.h>
#include <string.h>

#define TEXT(text) ((allot_text){(const uint8_t *)(text), sizeof(text) - 1})

enum { ROWS = 3, WORDS = 2 * ALLOT_REASONS * 2 };

static const allot_text UNITS[ROWS] = {{(const uint8_t *)"a", 1}, {NULL, 0},
                                       {(const uint8_t *)"ccc", 3}};
static const int16_t CODES[ROWS] = {0, -1, 0};
static const uint8_t REASONS[ROWS] = {1, 0, 1}, MARKS[ROWS] = {0, 0, 1};

static void a_word_is_asked_for_once(void)
{
    allot_text words[WORDS] = {{0}};
    allot_answers answers = {CODES, REASONS, MARKS, 1, words};
    size_t size = 0;
    CHECK(allot_words_count(&answers) == WORDS);
    CHECK(allot_row_words_size(&answers, 0, ROWS, &size) == 0);
    words[allot_words_place(&answers, 0)] = TEXT("=one;");
    CHECK(allot_row_words_size(&answers, 0, ROWS, &size) == 1 && size == 5);
    words[allot_words_place(&answers, 1)] = TEXT("=none;");
    CHECK(allot_row_words_size(&answers, 1, ROWS, &size) == 2 && size == 11);
    answers.marks = NULL;
    CHECK(allot_row_words_size(&answers, 2, ROWS, &size) == ROWS && size == 16);
}

static void what_no_column_has_is_no_word(void)
{
    allot_text words[WORDS] = {{0}};
    static const int16_t codes[] = {-2, 1, 0, 0};
    static const uint8_t reasons[] = {0, 0, ALLOT_REASONS, 255};
    allot_answers answers = {codes, reasons, NULL, 1, words};
    uint8_t out[1];
    for (int64_t row = 0; row < 4; row++) {
        CHECK(allot_words_place(&answers, row) == WORDS);
        CHECK(allot_row_texts_write(UNITS + 1, &answers, 1, row, 1, out, out + 1) == out);
    }
}

static void rows_are_written_up_to_an_end(void)
{
    allot_text words[WORDS] = {{0}}, others[WORDS] = {{0}};
    allot_answers columns[] = {{CODES, REASONS, MARKS, 1, words},
                               {CODES, REASONS, NULL, 1, others}};
    words[allot_words_place(columns, 0)] = TEXT("=one;");
    words[allot_words_place(columns, 1)] = TEXT("=none;");
    words[allot_words_place(columns, 2)] = TEXT("=kept;");
    others[allot_words_place(columns + 1, 0)] = TEXT("+");
    others[allot_words_place(columns + 1, 1)] = TEXT("-");
    static const char whole[] = "a=one;+=none;-ccc=kept;+";
    for (size_t room = 0; room < sizeof whole; room++) {
        uint8_t *out = malloc(room ? room : 1);
        if (!out) abort();
        CHECK(allot_row_texts_write(UNITS, columns, 2, 0, ROWS, out, out + room) == out + room);
        CHECK(memcmp(out, whole, room) == 0);
        free(out);
    }
}

int main(void)
{
    a_word_is_asked_for_once();
    what_no_column_has_is_no_word();
    rows_are_written_up_to_an_end();
    return checks_report("row_texts");
}
