/* One build serves every x86-64: a loop that gains from wide registers is compiled more than once,
 * and the widest body that the processor has is taken. */
#ifndef ALLOT_CLONES_H
#define ALLOT_CLONES_H

#include <stdbool.h>

/* The loader picks the body. A sanitised build keeps to one, as its runtime starts later than the
 * loader asks. */
#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__) && !defined(__clang__) &&       \
    !defined(ALLOT_SANITIZE)
#define ALLOT_CLONES __attribute__((target_clones("arch=x86-64-v4", "avx2", "default")))
#else
#define ALLOT_CLONES
#endif

/* For what only AVX-512 gains from, which multiplies eight 64-bit numbers at once: what AVX2 would
 * take in the place of that one instruction is slower than one number after the other. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define ALLOT_WIDE __attribute__((target("arch=x86-64-v4")))
static inline bool allot_is_wide(void) { return __builtin_cpu_supports("x86-64-v4"); }
#else
#define ALLOT_WIDE
static inline bool allot_is_wide(void) { return false; }
#endif

/* For the instructions that processors have for SHA-1 and SHA-256. A sanitised build tests the
 * plain C that other processors run. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(ALLOT_SANITIZE)
#include <cpuid.h>
#include <immintrin.h>
#define ALLOT_SHA __attribute__((target("sha,sse4.1,ssse3")))
static inline bool allot_has_sha(void)
{
    static int known; /* 0: not asked yet, 1: no, 2: yes; all threads find the same */
    int found = __atomic_load_n(&known, __ATOMIC_RELAXED);
    if (!found) {
        unsigned a, b = 0, c, d;
        found = __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b >> 29 & 1) ? 2 : 1;
        __atomic_store_n(&known, found, __ATOMIC_RELAXED);
    }
    return found == 2;
}
#endif

#endif
