#include "paths.h"

#include <stdlib.h>
#include <string.h>

static const char *const NAMES[ALLOT_PATHS] = {"plain", "avx2", "avx512"};

allot_path allot_path_taken = ALLOT_PATH_PLAIN;

const char *allot_path_name(allot_path path) { return NAMES[path]; }

allot_path allot_path_named(const char *name)
{
    allot_path path = ALLOT_PATH_PLAIN;
    while (path < ALLOT_PATHS && strcmp(name, NAMES[path]) != 0) path++;
    return path;
}

bool allot_path_is_here(allot_path path)
{
#ifdef ALLOT_X86
    __builtin_cpu_init();
    const bool two = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
                     __builtin_cpu_supports("bmi2");
    if (path == ALLOT_PATH_AVX2) return two;
    if (path == ALLOT_PATH_AVX512)
        return two && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#endif
    return path == ALLOT_PATH_PLAIN;
}

/* Each library that holds this asks as it is loaded, before a thread can run any of it. */
__attribute__((constructor)) static void choose(void)
{
    const char *asked = getenv("ALLOTMENT_CPU");
    allot_path path = asked ? allot_path_named(asked) : ALLOT_PATHS;
    if (path == ALLOT_PATHS || !allot_path_is_here(path)) {
        path = ALLOT_PATH_AVX512;
        while (!allot_path_is_here(path)) path--;
    }
    allot_path_taken = path;
}
