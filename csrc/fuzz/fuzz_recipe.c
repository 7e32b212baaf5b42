/* Bytes to a recipe and a unit: what the check passes must draw within its buckets, the same each
 * time, alone and in a block. */
#include <stdlib.h>

#include "../allot_limits.h"
#include "../recipe.h"
#include "../text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 12) return 0;
    const size_t affixes = size - 12;
    const size_t before = affixes ? data[6] % (affixes + 1) : 0;
    const size_t after = data[7] % (affixes - before + 1);
    allot_recipe recipe = {
        .hash = data[0], .encoding = data[1], .slice = data[2], .bucketing = data[3],
        .shift = data[4] % 8, .bits = data[5], .seed = data[8],
        .buckets = (uint64_t)data[9] << (data[10] % 56),
        .before = data + 12, .before_size = before,
        .after = data + 12 + before, .after_size = after};
    const uint8_t *unit = data + 12 + before + after;
    size_t length = affixes - before - after;
    if (length > ALLOT_UNIT_KEY_BYTES_MAX) length = ALLOT_UNIT_KEY_BYTES_MAX;
    /* The texts of a catalog and the keys of units are UTF-8 by the time they come here. */
    if (!length || !allot_utf8_valid(recipe.before, before) ||
        !allot_utf8_valid(recipe.after, after) || !allot_utf8_valid(unit, length) ||
        allot_recipe_check(&recipe))
        return 0;
    allot_recipe_begin(&recipe);
    const uint64_t draw = allot_recipe_draw(&recipe, unit, length);
    const allot_text text = {unit, length};
    const uint8_t ok = 1;
    uint64_t again = 0;
    allot_recipe_draws(&recipe, &text, &ok, 1, &again);
    if (again != draw) abort();
    const uint64_t last = allot_recipe_last(&recipe, data[11] % recipe.buckets + 1);
    if (recipe.bucketing == ALLOT_BUCKETING_MODULO && draw >= recipe.buckets) abort();
    if (last != UINT64_MAX &&
        allot_recipe_bucket(&recipe, last) != data[11] % recipe.buckets) abort();
    return 0;
}
