/* The harness of the C tests: a test file defines cases with CASE, and runs them in main with RUN.
 * CHECK counts; a failed one says where it stands and the case goes on. */
#ifndef ALLOT_CHECK_H
#define ALLOT_CHECK_H

#include <stdio.h>

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
