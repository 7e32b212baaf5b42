/* Numbers out of bytes and into bytes, whatever order the machine has and wherever they lie, and
 * their rotations. */
#ifndef ALLOT_BYTES_H
#define ALLOT_BYTES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define ALLOT_LITTLE32(x) __builtin_bswap32(x)
#define ALLOT_LITTLE64(x) __builtin_bswap64(x)
#define ALLOT_BIG32(x) (x)
#define ALLOT_BIG64(x) (x)
#else
#define ALLOT_LITTLE32(x) (x)
#define ALLOT_LITTLE64(x) (x)
#define ALLOT_BIG32(x) __builtin_bswap32(x)
#define ALLOT_BIG64(x) __builtin_bswap64(x)
#endif

static inline uint32_t allot_load_little32(const uint8_t *at)
{
    uint32_t x;
    memcpy(&x, at, sizeof x);
    return ALLOT_LITTLE32(x);
}

static inline uint64_t allot_load_little64(const uint8_t *at)
{
    uint64_t x;
    memcpy(&x, at, sizeof x);
    return ALLOT_LITTLE64(x);
}

/* The 0 to 8 bytes at `at` as one little-endian number, by loads that may overlap instead of a
 * loop: a byte that is read twice lands in the same place both times. */
static inline uint64_t allot_load_up_to_8(const uint8_t *at, size_t size)
{
    if (size == 8) return allot_load_little64(at);
    if (size >= 4)
        return allot_load_little32(at) |
               (uint64_t)allot_load_little32(at + size - 4) << 8 * (size - 4);
    if (size == 0) return 0;
    return at[0] | (uint64_t)at[size / 2] << 8 * (size / 2) |
           (uint64_t)at[size - 1] << 8 * (size - 1);
}

static inline uint32_t allot_load_big32(const uint8_t *at)
{
    uint32_t x;
    memcpy(&x, at, sizeof x);
    return ALLOT_BIG32(x);
}

static inline void allot_store_little32(uint32_t x, uint8_t *at)
{
    x = ALLOT_LITTLE32(x);
    memcpy(at, &x, sizeof x);
}

static inline void allot_store_little64(uint64_t x, uint8_t *at)
{
    x = ALLOT_LITTLE64(x);
    memcpy(at, &x, sizeof x);
}

static inline void allot_store_big32(uint32_t x, uint8_t *at)
{
    x = ALLOT_BIG32(x);
    memcpy(at, &x, sizeof x);
}

static inline void allot_store_big64(uint64_t x, uint8_t *at)
{
    x = ALLOT_BIG64(x);
    memcpy(at, &x, sizeof x);
}

/* Copies a short text, by copies of fixed sizes that overlap. */
static inline void allot_copy_short(uint8_t *to, const uint8_t *from, size_t size)
{
    if (size >= 16) {
        for (size_t i = 0; i + 16 < size; i += 16) memcpy(to + i, from + i, 16);
        memcpy(to + size - 16, from + size - 16, 16);
    } else if (size >= 8) {
        memcpy(to, from, 8);
        memcpy(to + size - 8, from + size - 8, 8);
    } else if (size >= 4) {
        memcpy(to, from, 4);
        memcpy(to + size - 4, from + size - 4, 4);
    } else {
        for (size_t i = 0; i < size; i++) to[i] = from[i];
    }
}

static inline uint32_t allot_left32(uint32_t x, unsigned bits)
{
    return x << bits | x >> (32 - bits);
}

static inline uint32_t allot_right32(uint32_t x, unsigned bits)
{
    return x >> bits | x << (32 - bits);
}

#endif
