/* Recent texts: each is found as itself or not at all. */
#include "../recent.h"
#include "check.h"

static void a_text_is_told_from_every_other(void)
{
    static allot_recent lines[ALLOT_RECENT_LINES];
    static uint8_t texts[ALLOT_RECENT_BYTES_MAX + 1][2][ALLOT_RECENT_BYTES_MAX];
    static uint8_t found; /* its address is what is found */
    for (size_t size = 0; size <= ALLOT_RECENT_BYTES_MAX; size++) {
        const allot_recent empty = allot_recent_text(texts[size][0], size);
        CHECK(allot_recent_found(lines, &empty) == NULL);
    }
    for (size_t size = 0; size <= ALLOT_RECENT_BYTES_MAX; size++) {
        allot_recent met = allot_recent_text(texts[size][0], size);
        met.found = &found;
        *allot_recent_line(lines, &met) = met;
        CHECK(allot_recent_found(lines, &met) == &found);
        for (size_t at = 0; at < size; at++) {
            texts[size][1][at] = 1;
            const allot_recent other = allot_recent_text(texts[size][1], size);
            CHECK(allot_recent_found(lines, &other) == NULL);
            texts[size][1][at] = 0;
        }
        if (size > 0) {
            const allot_recent shorter = allot_recent_text(texts[size][0], size - 1);
            *allot_recent_line(lines, &shorter) = met; /* on a line that is not its own */
            CHECK(allot_recent_found(lines, &shorter) == NULL);
        }
    }
}

int main(void)
{
    a_text_is_told_from_every_other();
    return checks_report("recent");
}
