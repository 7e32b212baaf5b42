#include "json_shape.h"

#include "json_text.h"

void allot_json_shape_feed(allot_json_shape *shape, const uint8_t *part, size_t size)
{
    allot_json_shape now = *shape;
    uint64_t high = 0;
    for (const uint8_t *at = part, *end = part + size; at < end; at++) {
        if (now.within == ALLOT_JSON_ESCAPE) {
            now.within = ALLOT_JSON_TEXT;
            continue;
        }
        if (now.within == ALLOT_JSON_TEXT) {
            at = allot_json_plain(at, end, &high);
            if (at == end) break;
            if (*at == '"') now.within = ALLOT_JSON_BETWEEN;
            if (*at == '\\') now.within = ALLOT_JSON_ESCAPE;
            continue;
        }
        const uint8_t c = *at;
        switch (c) {
        case '"':
            now.values++;
            now.within = ALLOT_JSON_TEXT;
            break;
        case '[':
        case '{':
            now.values++;
            if (now.depth == 0 && now.begun++) now.crowded = true;
            if (++now.depth > now.deepest) now.deepest = now.depth;
            now.within = ALLOT_JSON_BETWEEN;
            break;
        case ']':
        case '}':
            if (now.depth) now.depth--;
            now.within = ALLOT_JSON_BETWEEN;
            break;
        case '\n':
            if (now.depth) now.crowded = true;
            now.begun = 0;
            now.within = ALLOT_JSON_BETWEEN;
            break;
        case ',':
        case ':':
        case ' ':
        case '\t':
        case '\r':
            now.within = ALLOT_JSON_BETWEEN;
            break;
        default:
            if (now.within != ALLOT_JSON_WORD) now.values++;
            now.within = ALLOT_JSON_WORD;
        }
    }
    *shape = now;
}
