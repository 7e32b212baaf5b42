#include "digest.h"

#include "murmur3.h"

allot_digest allot_digest_text(const uint8_t *text, size_t size, uint32_t seed)
{
    return allot_murmur3(text, size, seed);
}
