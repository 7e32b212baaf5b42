/* The harness of the C tests: a test file defines cases with CASE, and runs them in main with RUN.
 * CHECK counts; a failed one says where it stands and the case goes on. */
#ifndef ALLOT_CHECK_H
#define ALLOT_CHECK_H

#include <stdio.h>

#include "../paths.h"

/* Runs a statement on every path that this processor has. */
#define ON_EACH_PATH(statement)                                                   \
    do {                                                                          \
        const allot_path before = allot_path_taken;                               \
        for (int path = 0; path < ALLOT_PATHS; path++) {                          \
            if (!allot_path_is_here((allot_path)path)) continue;                  \
            allot_path_taken = (allot_path)path;                                  \
            statement;                                                            \
        }                                                                         \
        allot_path_taken = before;                                                \
    } while (0)

static int checks_passed, checks_failed;

#define CHECK(condition)                                                          \
    do {                                                                          \
        if (condition) {                                                          \
            checks_passed++;                                                      \
        } else {                                                                  \
            checks_failed++;                                                      \
            printf("%s:%d: %s: %s\n", __FILE__, __LINE__, __func__, #condition);  \
        }                                                                         \
    } while (0)

static int checks_report(const char *name)
{
    printf("%s: %d passed, %d failed\n", name, checks_passed, checks_failed);
    return checks_failed > 0 || checks_passed == 0;
}

#endif
