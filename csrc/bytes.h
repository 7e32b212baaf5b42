/* Numbers out of bytes and into bytes, whatever order the machine has and wherever they lie, and
 * their rotations. */
#ifndef ALLOT_BYTES_H
#define ALLOT_BYTES_H

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

static inline uint32_t allot_left32(uint32_t x, unsigned bits)
{
    return x << bits | x >> (32 - bits);
}

static inline uint32_t allot_right32(uint32_t x, unsigned bits)
{
    return x >> bits | x << (32 - bits);
}

#endif
