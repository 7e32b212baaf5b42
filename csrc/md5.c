/* MD5, RFC 1321. */
#include "bytes.h"
#include "hashes.h"

const uint32_t allot_md5_start[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};

/* floor(2^32 * |sin(i + 1)|) */
static const uint32_t SINES[64] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a,
    0xa8304613, 0xfd469501, 0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be,
    0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821, 0xf61e2562, 0xc040b340,
    0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8,
    0x676f02d9, 0x8d2a4c8a, 0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c,
    0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70, 0x289b7ec6, 0xeaa127fa,
    0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92,
    0xffeff47d, 0x85845dd1, 0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1,
    0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
};

/* One step; the four words of the state change places from step to step, so that none is moved.
 * Each waits for the word b of the step before: what does not is added up first. */
#define STEP(mixed, a, b, c, d, word, i, bits)                                                     \
    a = b + allot_left32((a + words[word] + SINES[i]) + (mixed), bits)

#define FOUR(MIXED, i, w0, w1, w2, w3, r0, r1, r2, r3)                                             \
    STEP(MIXED(b, c, d), a, b, c, d, w0, i, r0);                                                   \
    STEP(MIXED(a, b, c), d, a, b, c, w1, i + 1, r1);                                               \
    STEP(MIXED(d, a, b), c, d, a, b, w2, i + 2, r2);                                               \
    STEP(MIXED(c, d, a), b, c, d, a, w3, i + 3, r3)

#define ROUND(MIXED, i, first, by, r0, r1, r2, r3)                                                 \
    FOUR(MIXED, i, (first) % 16, (first + by) % 16, (first + 2 * by) % 16, (first + 3 * by) % 16,  \
         r0, r1, r2, r3);                                                                          \
    FOUR(MIXED, i + 4, (first + 4 * by) % 16, (first + 5 * by) % 16, (first + 6 * by) % 16,        \
         (first + 7 * by) % 16, r0, r1, r2, r3);                                                   \
    FOUR(MIXED, i + 8, (first + 8 * by) % 16, (first + 9 * by) % 16, (first + 10 * by) % 16,       \
         (first + 11 * by) % 16, r0, r1, r2, r3);                                                  \
    FOUR(MIXED, i + 12, (first + 12 * by) % 16, (first + 13 * by) % 16, (first + 14 * by) % 16,    \
         (first + 15 * by) % 16, r0, r1, r2, r3)

#define MIX1(x, y, z) ((z) ^ ((x) & ((y) ^ (z))))
#define MIX2(x, y, z) (((y) & ~(z)) + ((x) & (z))) /* no bit is in both */
#define MIX3(x, y, z) ((x) ^ (y) ^ (z))
#define MIX4(x, y, z) ((y) ^ ((x) | ~(z)))

void allot_md5_take(uint32_t *state, const uint8_t *text, size_t count)
{
    for (; count > 0; count--, text += 64) {
        uint32_t words[16];
        for (size_t i = 0; i < 16; i++) words[i] = allot_load_little32(text + 4 * i);
        uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
        ROUND(MIX1, 0, 0, 1, 7, 12, 17, 22);
        ROUND(MIX2, 16, 1, 5, 5, 9, 14, 20);
        ROUND(MIX3, 32, 5, 3, 4, 11, 16, 23);
        ROUND(MIX4, 48, 0, 7, 6, 10, 15, 21);
        state[0] += a;
        state[1] += b;
        state[2] += c;
        state[3] += d;
    }
}
