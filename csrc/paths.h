/* One build serves every x86-64: a loop that gains from wide registers is compiled more than once,
 * and the widest body that the processor has is taken. */
#ifndef ALLOT_PATHS_H
#define ALLOT_PATHS_H

#include <stdbool.h>

typedef enum {
    ALLOT_PATH_PLAIN,  /* any processor */
    ALLOT_PATH_AVX2,   /* four 64-bit numbers at a time; what it has no instruction for, in parts */
    ALLOT_PATH_AVX512, /* eight, with F, BW, DQ and VL */
    ALLOT_PATHS
} allot_path;

/* The path that is taken: the widest there is, or what the environment's ALLOTMENT_CPU names as the
 * library is loaded. A name that is none, or none here, changes nothing; kernel/cpu.pyx refuses
 * it. */
extern allot_path allot_path_taken;

/* "plain", "avx2" or "avx512"; the path of a name, or ALLOT_PATHS. */
const char *allot_path_name(allot_path path);
allot_path allot_path_named(const char *name);

/* Whether this processor has the path. */
bool allot_path_is_here(allot_path path);

#define ALLOT_INLINE static inline __attribute__((always_inline))

#if defined(__x86_64__) && defined(__GNUC__)
#define ALLOT_X86
#define ALLOT_AVX2 __attribute__((target("avx2,bmi,bmi2")))
#define ALLOT_AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,bmi,bmi2")))

/* Defines `name`, which runs name##_body with the registers of the path. The bodies stay out of the
 * callers, which would have no registers left for their own work. */
#define ALLOT_APART __attribute__((noinline))
#define ALLOT_CLONES(name, parameters, arguments)                                                  \
    ALLOT_APART ALLOT_AVX512 static void name##_avx512 parameters { name##_body arguments; }       \
    ALLOT_APART ALLOT_AVX2 static void name##_avx2 parameters { name##_body arguments; }           \
    ALLOT_APART static void name##_plain parameters { name##_body arguments; }                     \
    static void name parameters                                                                    \
    {                                                                                              \
        switch (allot_path_taken) {                                                                \
        case ALLOT_PATH_AVX512: name##_avx512 arguments; return;                                   \
        case ALLOT_PATH_AVX2: name##_avx2 arguments; return;                                       \
        default: name##_plain arguments;                                                           \
        }                                                                                          \
    }
#else
#define ALLOT_CLONES(name, parameters, arguments)                                                  \
    static void name parameters { name##_body arguments; }
#endif

/* For the instructions that processors have for SHA-1 and SHA-256. A sanitised build tests the
 * plain C that other processors run. */
#if defined(ALLOT_X86) && !defined(ALLOT_SANITIZE)
#include <cpuid.h>
#include <immintrin.h>
#define ALLOT_SHA __attribute__((target("sha,sse4.1,ssse3")))
static inline bool allot_has_sha(void)
{
    static int known; /* 0: not asked yet, 1: no, 2: yes; all threads find the same */
    int found = __atomic_load_n(&known, __ATOMIC_RELAXED);
    if (!found) {
        unsigned a, b = 0, c, d;
        found = allot_path_taken != ALLOT_PATH_PLAIN &&
                __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b >> 29 & 1) ? 2 : 1;
        __atomic_store_n(&known, found, __ATOMIC_RELAXED);
    }
    return found == 2;
}
#endif

#endif
