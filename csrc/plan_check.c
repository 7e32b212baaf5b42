/* What a well-formed specification of a plan is. */
#include <assert.h>
#include <stddef.h>

#include "plan.h"

static const char *check_slots(const allot_slot *slots, uint32_t count, uint32_t treatments,
                               const allot_recipe *recipe)
{
    if (count > ALLOT_RANGES_MAX)
        return "there are at most 1,024 ranges";
    if (count > 0 && slots == NULL)
        return "the ranges are missing";
    uint64_t edge = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (slots[i].start < edge || slots[i].stop <= slots[i].start)
            return "ranges are ascending, disjoint and not empty";
        if (slots[i].stop > allot_stage_buckets(recipe))
            return "a range ends at the last bucket or before";
        if (slots[i].treatment < 0 || (uint32_t)slots[i].treatment >= treatments)
            return "a slot belongs to a treatment that is not there";
        edge = slots[i].stop;
    }
    return NULL;
}

static const char *check_segment(int32_t segment, uint32_t segments)
{
    return segment >= -1 && segment < (int32_t)segments ? NULL : "a segment is not there";
}

static const char *check_overrides(const allot_idset *overrides, uint32_t treatments)
{
    if (overrides == NULL)
        return NULL;
    if (overrides->count > 0 && overrides->values == NULL)
        return "overrides come with a treatment each";
    for (uint32_t i = 0; i < overrides->used; i++)
        if (overrides->values[i] >= treatments)
            return "an override names a treatment that is not there";
    return NULL;
}

static const char *check_stages(const allot_plan_spec *spec)
{
    const allot_recipe *const *recipes = spec->recipes;
    for (uint32_t stage = 0; stage < ALLOT_STAGES; stage++) {
        const char *fault = recipes[stage] ? allot_recipe_check(recipes[stage]) : NULL;
        if (fault)
            return fault;
    }
    if (spec->has_holdout &&
        spec->holdout_bound > allot_stage_buckets(recipes[ALLOT_STAGE_HOLDOUT]))
        return "a holdout's bound is above its buckets";
    if (spec->has_enrolment &&
        spec->enrolment_bound > allot_stage_buckets(recipes[ALLOT_STAGE_ENROLMENT]))
        return "an enrolment bound is above its buckets";
    return spec->has_layer
               ? check_slots(spec->layer, spec->layer_count, 1, recipes[ALLOT_STAGE_LAYER])
               : NULL;
}

const char *allot_plan_check(const allot_plan_spec *spec)
{
    assert(spec != NULL);
    if (spec->state >= ALLOT_STATES)
        return "a state is 0 to 5";
    if (spec->treatments > ALLOT_TREATMENTS_MAX)
        return "there are at most 256 treatments";
    if (spec->segments > ALLOT_SEGMENTS_MAX)
        return "there are at most 257 segments";
    if (spec->shares_count > ALLOT_ALLOCATIONS_MAX)
        return "there are at most 256 allocations";
    if (spec->shares_count > 0 && spec->shares == NULL)
        return "the allocations are missing";

    const allot_recipe *dealt = spec->recipes[ALLOT_STAGE_TREATMENT];
    const char *fault = check_segment(spec->audience, spec->segments);
    for (uint32_t i = 0; !fault && i < spec->shares_count; i++) {
        const allot_share *share = &spec->shares[i];
        fault = check_segment(share->segment, spec->segments);
        if (!fault)
            fault = check_slots(share->slots, share->slots_count, spec->treatments, dealt);
    }
    if (!fault && spec->has_fallback)
        fault = check_slots(spec->fallback.slots, spec->fallback.slots_count, spec->treatments,
                            dealt);
    if (!fault)
        fault = check_stages(spec);
    return fault ? fault : check_overrides(spec->overrides, spec->treatments);
}
