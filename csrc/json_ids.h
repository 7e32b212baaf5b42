/* A list of plain texts that is a member of a JSON document, read where it lies.
 *
 * Plain is a text without escapes, which is UTF-8. Every other document is left to a
 * library: nothing here says what is wrong with one. */
#ifndef ALLOT_JSON_IDS_H
#define ALLOT_JSON_IDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "column.h"

/* text, size    the document
 * begin, end    the list in it, with its brackets
 * count         the texts in it
 * views, room   where views of the first texts are written, and of how many at most */
typedef struct {
    const uint8_t *text;
    size_t size, begin, end;
    uint64_t count, room;
    uint8_t *views;
} allot_json_ids;

/* Finds the member `name` of the object that the document is, where it is the only member of that
 * name, no name has an escape, and it is a list of plain texts. False where that is not so. `ids`
 * has text, size, views and room.
 *
 * Of the other members no more is looked at than where they end: the document is JSON if it is with
 * `[]` in place of the list. */
bool allot_json_ids_find(allot_json_ids *ids, const char *name);

/* More of the texts of such a list, as Arrow's views into block 0, which is the document.
 *
 * `*at` is where the first of them is looked for, behind the bracket of the list at first. They are
 * no more than `count`, and end where they take `bytes` or more. Returns how many: none at the end
 * of the list. Then *at is where the next ones are. */
int64_t allot_json_ids_views(const allot_json_ids *ids, size_t *at, int64_t count, size_t bytes,
                             uint8_t *views);

#endif
