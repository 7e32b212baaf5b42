#include "digests.h"

#include "allot_limits.h"
#include "digest.h"
#include "paths.h"
#include "text.h"

static inline uint8_t is_key(allot_text text)
{
    return text.size - 1 < ALLOT_UNIT_KEY_BYTES_MAX && allot_utf8_valid(text.at, text.size);
}

void allot_check_texts(const allot_text *texts, int64_t n, uint8_t *ok)
{
    for (int64_t i = 0; i < n; i++) ok[i] = is_key(texts[i]);
}

void allot_digest_texts(const allot_text *texts, int64_t n, uint64_t *h1, uint64_t *h2, uint8_t *ok)
{
    int64_t i = 0;
#ifdef ALLOT_X86
    if (allot_path_taken == ALLOT_PATH_AVX512) i = allot_digest_avx512(texts, n, h1, h2, ok);
    if (allot_path_taken == ALLOT_PATH_AVX2) i = allot_digest_avx2(texts, n, h1, h2, ok);
#endif
    for (; i < n; i++) {
        allot_digest digest = {0, 0};
        if (i + ALLOT_TEXTS_AHEAD < n) __builtin_prefetch(texts[i + ALLOT_TEXTS_AHEAD].at);
        ok[i] = is_key(texts[i]);
        if (ok[i]) digest = allot_digest_text(texts[i].at, texts[i].size, ALLOT_SEED_UNIT);
        h1[i] = digest.h1;
        h2[i] = digest.h2;
    }
}

int64_t allot_digest_numbers(const uint64_t *numbers, int64_t n, uint64_t *h1, uint64_t *h2)
{
#ifdef ALLOT_X86
    if (allot_path_taken == ALLOT_PATH_AVX512)
        return allot_digest_numbers_avx512(numbers, n, h1, h2);
    if (allot_path_taken == ALLOT_PATH_AVX2) return allot_digest_numbers_avx2(numbers, n, h1, h2);
#else
    (void)numbers, (void)n, (void)h1, (void)h2;
#endif
    return 0;
}
