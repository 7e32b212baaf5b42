#include "json_ids.h"

#include <string.h>

#include "json_text.h"
#include "text.h"

/* A plain text that begins behind its quote: where it ends, or NULL where it is none. */
static inline const uint8_t *plain_end(const uint8_t *at, const uint8_t *end)
{
    uint64_t high = 0;
    const uint8_t *stop = allot_json_plain(at, end, &high);
    if (stop == end || *stop != '"') return NULL;
    return !high || allot_utf8_valid_from(at, (size_t)(stop - at)) ? stop : NULL;
}

/* Behind a text of any kind that begins behind its quote, or NULL. */
static const uint8_t *text_end(const uint8_t *at, const uint8_t *end)
{
    uint64_t high = 0;
    for (;;) {
        at = allot_json_plain(at, end, &high);
        if (at == end) return NULL;
        if (*at == '"') return at + 1;
        /* What is escaped belongs to the text, be it a quote. */
        at += *at == '\\' ? 2 : 1;
        if (at > end) return NULL;
    }
}

/* Behind the value that begins here, up to the comma or the bracket that ends it; or NULL. */
static const uint8_t *value_end(const uint8_t *at, const uint8_t *end)
{
    size_t depth = 0;
    while (at < end) {
        switch (*at) {
        case '"':
            at = text_end(at + 1, end);
            if (!at) return NULL;
            continue;
        case '[':
        case '{': depth++; break;
        case ']':
        case '}':
            if (depth == 0) return at;
            depth--;
            break;
        case ',':
            if (depth == 0) return at;
            break;
        }
        at++;
    }
    return NULL;
}

/* A view has up to 12 bytes itself; of a longer text its first four, its block and its place. */
static inline void write_view(const uint8_t *text, const uint8_t *from, int32_t size, uint8_t *view)
{
    int32_t parts[4] = {size, 0, 0, 0};
    if (size <= 12) {
        memcpy(&parts[1], from, (size_t)size);
    } else {
        memcpy(&parts[1], from, 4);
        parts[3] = (int32_t)(from - text);
    }
    memcpy(view, parts, sizeof parts);
}

/* Behind a list of plain texts that begins behind its bracket, or NULL. */
static const uint8_t *list_end(allot_json_ids *ids, const uint8_t *at, const uint8_t *end)
{
    at = allot_json_blank(at, end);
    if (at < end && *at == ']') return at + 1;
    while (at < end && *at == '"') {
        const uint8_t *from = at + 1, *stop = plain_end(from, end);
        if (!stop) return NULL;
        if (ids->count < ids->room)
            write_view(ids->text, from, (int32_t)(stop - from), ids->views + 16 * ids->count);
        ids->count++;
        at = allot_json_blank(stop + 1, end);
        if (at == end) return NULL;
        if (*at == ']') return at + 1;
        if (*at != ',') return NULL;
        at = allot_json_blank(at + 1, end);
    }
    return NULL;
}

bool allot_json_ids_find(allot_json_ids *ids, const char *name)
{
    const size_t length = strlen(name);
    const uint8_t *text = ids->text, *end = text + ids->size, *at = allot_json_blank(text, end);
    ids->begin = ids->end = 0;
    ids->count = 0;
    if (ids->size > INT32_MAX) return false; /* a view has places of 32 bits */
    if (at == end || *at != '{') return false;
    do {
        at = allot_json_blank(at + 1, end);
        if (at == end || *at != '"') return false;
        const uint8_t *key = at + 1, *close = plain_end(key, end);
        if (!close) return false;
        at = allot_json_blank(close + 1, end);
        if (at == end || *at != ':') return false;
        at = allot_json_blank(at + 1, end);
        if ((size_t)(close - key) == length && memcmp(key, name, length) == 0) {
            if (ids->end || at == end || *at != '[') return false;
            ids->begin = (size_t)(at - text);
            at = list_end(ids, at + 1, end);
            if (!at) return false;
            ids->end = (size_t)(at - text);
            at = allot_json_blank(at, end);
        } else {
            at = value_end(at, end);
        }
        if (!at || at == end) return false;
    } while (*at == ',');
    return *at == '}' && allot_json_blank(at + 1, end) == end && ids->end;
}

int64_t allot_json_ids_views(const allot_json_ids *ids, size_t *at, int64_t count, size_t bytes,
                             uint8_t *views)
{
    const uint8_t *end = ids->text + ids->end, *here = allot_json_blank(ids->text + *at, end);
    const uint8_t *first = here;
    int64_t done = 0;
    while (done < count && (size_t)(here - first) < bytes && here < end && *here == '"') {
        uint64_t high = 0;
        const uint8_t *from = here + 1, *stop = allot_json_plain(from, end, &high);
        write_view(ids->text, from, (int32_t)(stop - from), views + 16 * done++);
        here = allot_json_blank(stop + 1, end); /* at the comma, or at the list's bracket */
        here = allot_json_blank(here + 1, end);
    }
    *at = (size_t)(here - ids->text);
    return done;
}
