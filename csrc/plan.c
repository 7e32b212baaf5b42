#include "plan.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "draw.h"

_Static_assert(ALLOT_TREATMENTS_MAX <= INT16_MAX, "a treatment fits the low half of an outcome");
_Static_assert(ALLOT_STAGES <= UINT8_MAX, "a stage's draw fits one byte");
_Static_assert(sizeof(allot_plan) % 8 == 0, "the tables after a plan are aligned");

/* ---- Laying the tables --------------------------------------------------------------------- */

static const uint64_t NEVER[ALLOT_TABLE_SHORT] = {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX};
static const uint32_t GO[] = {ALLOT_GO};
static const uint32_t NO_MATCH[] = {(uint32_t)ALLOT_NO_MATCH << 16 | 0xffff};

/* Where the next entries go. Without arrays (lasts NULL) it only counts, so that one walk over the
 * specification gives the size and, run again, the content. */
typedef struct {
    uint64_t *lasts;
    uint32_t *outcomes;
    uint32_t next_last, next_outcome;
    const allot_recipe *recipe; /* of the stage whose table is written; NULL: it draws natively */
} allot_pen;

static allot_table begin_table(const allot_pen *pen)
{
    if (!pen->lasts)
        return (allot_table){0};
    return (allot_table){.lasts = pen->lasts + pen->next_last,
                         .outcomes = pen->outcomes + pen->next_outcome};
}

static void write_last(allot_pen *pen, uint64_t stop)
{
    if (pen->lasts)
        pen->lasts[pen->next_last] = pen->recipe ? allot_recipe_last(pen->recipe, stop)
                                                 : allot_last_draw((uint32_t)stop, ALLOT_BUCKETS);
    pen->next_last++;
}

static void write_entry(allot_pen *pen, allot_table *table, uint64_t stop, uint32_t outcome)
{
    write_last(pen, stop);
    if (pen->outcomes)
        pen->outcomes[pen->next_outcome] = outcome;
    pen->next_outcome++;
    table->count++;
}

static void end_table(allot_pen *pen, const allot_table *table)
{
    for (uint32_t i = table->count; i < ALLOT_TABLE_SHORT; i++)
        write_last(pen, allot_stage_buckets(pen->recipe));
}

/* The table of slots: their buckets give `hit` with their treatment, the gaps between give `gap`.
 * With hit 0 the slots of a layer, whose treatment is 0, give ALLOT_GO. */
static allot_table write_slots(allot_pen *pen, const allot_slot *slots, uint32_t count,
                               uint32_t hit, uint32_t gap)
{
    allot_table table = begin_table(pen);
    const uint64_t buckets = allot_stage_buckets(pen->recipe);
    uint64_t edge = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (slots[i].start > edge)
            write_entry(pen, &table, slots[i].start, gap);
        edge = slots[i].stop;
        write_entry(pen, &table, edge, hit << 16 | (uint32_t)slots[i].treatment);
    }
    if (edge < buckets)
        write_entry(pen, &table, buckets, gap);
    end_table(pen, &table);
    return table;
}

static allot_table write_bound(allot_pen *pen, uint64_t bound, uint32_t below, uint32_t above)
{
    allot_table table = begin_table(pen);
    const uint64_t buckets = allot_stage_buckets(pen->recipe);
    if (bound > 0)
        write_entry(pen, &table, bound, below);
    if (bound < buckets)
        write_entry(pen, &table, buckets, above);
    end_table(pen, &table);
    return table;
}

/* A table that gives everyone the same, shared by all plans. */
static allot_table table_of_one(const uint32_t *outcome)
{
    return (allot_table){.lasts = NEVER, .outcomes = outcome, .count = 1};
}

static const allot_table PASS = {.lasts = NEVER, .outcomes = GO, .count = 1};

/* Writes the tables of the stages that the plan has, and to `found` where each is; without `room`
 * it only counts. */
static void write_stages(allot_pen *pen, const allot_plan_spec *spec, allot_table *room,
                         const allot_table **found)
{
    const bool has[] = {spec->has_holdout, spec->has_layer, spec->has_enrolment};
    for (uint32_t stage = 0; stage < ALLOT_STAGE_TREATMENT; stage++) {
        allot_table table;
        pen->recipe = spec->recipes[stage];
        if (found)
            found[stage] = has[stage] ? room : &PASS;
        if (!has[stage])
            continue;
        if (stage == ALLOT_STAGE_HOLDOUT)
            table = write_bound(pen, spec->holdout_bound, allot_outcome(ALLOT_HELD_OUT, -1),
                                ALLOT_GO);
        else if (stage == ALLOT_STAGE_LAYER)
            table = write_slots(pen, spec->layer, spec->layer_count, ALLOT_GO,
                                allot_outcome(ALLOT_NOT_IN_LAYER, -1));
        else
            table = write_bound(pen, spec->enrolment_bound, ALLOT_GO,
                                allot_outcome(ALLOT_NOT_ENROLLED, -1));
        if (room)
            *room++ = table;
    }
}

/* The first share that everyone is a member of, or the number of shares: what comes after it is
 * never asked. */
static uint32_t last_asked(const allot_plan_spec *spec)
{
    uint32_t i = 0;
    while (i < spec->shares_count && spec->shares[i].segment >= 0)
        i++;
    return i;
}

static void write_allocations(allot_pen *pen, const allot_plan_spec *spec, allot_table *allocations)
{
    const uint32_t gap = allot_outcome(ALLOT_NOT_ALLOCATED, -1), last = last_asked(spec);
    pen->recipe = spec->recipes[ALLOT_STAGE_TREATMENT];
    for (uint32_t i = 0; i <= last; i++) {
        const bool rest = i == spec->shares_count;
        const allot_share *share = rest ? &spec->fallback : &spec->shares[i];
        allot_table table = table_of_one(NO_MATCH);
        if (!rest || spec->has_fallback)
            table = write_slots(pen, share->slots, share->slots_count,
                                rest ? ALLOT_FALLBACK : ALLOT_ALLOCATED, gap);
        table.member = rest ? 0 : (uint32_t)(share->segment + 1);
        if (allocations)
            allocations[i] = table;
    }
}

/* ---- The plan ------------------------------------------------------------------------------ */

static void set_state(allot_plan *plan, uint32_t state)
{
    plan->active = ALLOT_GO;
    plan->intake = ALLOT_GO;
    plan->no_unit = allot_outcome(ALLOT_NO_UNIT, -1);
    switch ((allot_state)state) {
    case ALLOT_STATE_PAUSED:
        plan->intake = allot_outcome(ALLOT_PAUSED, -1);
        break;
    case ALLOT_STATE_INTAKE_CLOSED:
        plan->intake = allot_outcome(ALLOT_INTAKE_CLOSED, -1);
        break;
    case ALLOT_STATE_ARCHIVED:
        plan->overrides = NULL;
        plan->active = allot_outcome(ALLOT_INACTIVE, -1);
        break;
    case ALLOT_STATE_INACTIVE:
        plan->active = allot_outcome(ALLOT_INACTIVE, -1);
        break;
    case ALLOT_STATE_FAILED:
        plan->overrides = NULL;
        plan->active = allot_outcome(ALLOT_FAILED, -1);
        plan->no_unit = plan->active;
        break;
    default:
        break;
    }
}

static uint8_t stages_of(const allot_plan_spec *spec)
{
    return (uint8_t)((spec->has_holdout ? 1 << ALLOT_STAGE_HOLDOUT : 0) |
                     (spec->has_layer ? 1 << ALLOT_STAGE_LAYER : 0) |
                     (spec->has_enrolment ? 1 << ALLOT_STAGE_ENROLMENT : 0) |
                     1 << ALLOT_STAGE_TREATMENT);
}

static bool has_recipes(const allot_plan_spec *spec)
{
    const uint8_t stages = stages_of(spec);
    for (uint32_t stage = 0; stage < ALLOT_STAGES; stage++)
        if ((stages >> stage & 1) && spec->recipes[stage])
            return true;
    return false;
}

static void set_draws(allot_plan *plan, const allot_plan_spec *spec, allot_digest *salts,
                      const allot_recipe **recipes)
{
    plan->recipes = has_recipes(spec) ? recipes : NULL;
    plan->stages = stages_of(spec);
    plan->draws = 0;
    for (uint32_t stage = 0; stage < ALLOT_STAGES; stage++) {
        plan->at[stage] = 0;
        if (!(plan->stages >> stage & 1))
            continue;
        plan->at[stage] = plan->draws;
        if (plan->recipes)
            recipes[plan->draws] = spec->recipes[stage];
        salts[plan->draws++] = spec->salts[stage];
    }
    assert(plan->draws >= 1 && plan->draws <= ALLOT_STAGES);
}

/* The parts of the block: after the plan, what every unit reads. */
typedef struct {
    size_t allocations, stages, lasts, outcomes, salts, recipes, bytes;
} allot_layout;

static uint32_t count_of(uint8_t stages)
{
    uint32_t count = 0;
    for (; stages; stages &= (uint8_t)(stages - 1))
        count++;
    return count;
}

static allot_layout layout_of(const allot_plan_spec *spec)
{
    allot_pen pen = {0};
    write_allocations(&pen, spec, NULL);
    write_stages(&pen, spec, NULL, NULL);

    const uint32_t draws = count_of(stages_of(spec)); /* one of them the treatment's */
    allot_layout layout;
    layout.allocations = sizeof(allot_plan);
    layout.stages = layout.allocations + (last_asked(spec) + (size_t)1) * sizeof(allot_table);
    layout.lasts = layout.stages + (draws - 1) * sizeof(allot_table);
    layout.outcomes = layout.lasts + pen.next_last * sizeof(uint64_t);
    layout.salts = (layout.outcomes + pen.next_outcome * sizeof(uint32_t) + 7) / 8 * 8;
    layout.recipes = layout.salts + draws * sizeof(allot_digest);
    layout.bytes = layout.recipes + (has_recipes(spec) ? draws * sizeof(allot_recipe *) : 0);
    return layout;
}

allot_plan *allot_plan_new(const allot_plan_spec *spec)
{
    assert(allot_plan_check(spec) == NULL);
    const allot_layout layout = layout_of(spec);
    char *block = malloc(layout.bytes);
    if (!block)
        return NULL;

    allot_plan *plan = (allot_plan *)(void *)block;
    allot_digest *salts = (allot_digest *)(void *)(block + layout.salts);
    allot_table *allocations = (allot_table *)(void *)(block + layout.allocations);
    allot_pen pen = {.lasts = (uint64_t *)(void *)(block + layout.lasts),
                     .outcomes = (uint32_t *)(void *)(block + layout.outcomes)};
    memset(plan, 0, sizeof *plan);
    plan->bytes = (uint32_t)layout.bytes;
    plan->allocations = allocations;
    plan->rest = allocations + last_asked(spec);
    plan->salts = salts;
    plan->overrides = spec->overrides;
    plan->claims = spec->claims;
    plan->audience = (uint32_t)(spec->audience + 1);
    plan->members = spec->segments + 1;
    plan->treatments = spec->treatments;
    plan->keeps = spec->keeps;
    plan->ignore_targeting = spec->ignore_targeting;
    set_state(plan, spec->state);
    set_draws(plan, spec, salts, (const allot_recipe **)(void *)(block + layout.recipes));
    write_allocations(&pen, spec, allocations);
    write_stages(&pen, spec, (allot_table *)(void *)(block + layout.stages), plan->tables);
    plan->gated = plan->active != ALLOT_GO || plan->intake != ALLOT_GO || plan->overrides ||
                  plan->claims || plan->keeps || spec->has_holdout || spec->has_layer;
    plan->ramped = spec->has_enrolment;
    plan->plain = plan->draws == 1 && !plan->recipes && !plan->gated && !plan->ramped &&
                  plan->allocations == plan->rest;
    assert(layout.outcomes + pen.next_outcome * sizeof(uint32_t) <= layout.salts);
    return plan;
}

void allot_plan_free(allot_plan *plan) { free(plan); }
