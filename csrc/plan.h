/* A compiled experiment: one block of memory that `allot_decide` walks.
 *
 * Every stage is a table over the 64-bit draws: ascending inclusive `lasts` that cover the whole
 * space, and beside each the outcome of the draws up to it. Outcome 0 is ALLOT_GO: the stage lets
 * the unit pass on to the next check. */
#ifndef ALLOT_PLAN_H
#define ALLOT_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "digest.h"
#include "idset.h"
#include "recipe.h"
#include "allot_limits.h"

/* The positions of model.assignment.REASONS. */
typedef enum {
    ALLOT_UNKNOWN_EXPERIMENT = 0,
    ALLOT_NO_UNIT,
    ALLOT_OVERRIDE,
    ALLOT_INACTIVE,
    ALLOT_HELD_OUT,
    ALLOT_NOT_IN_LAYER,
    ALLOT_STICKY,
    ALLOT_PAUSED,
    ALLOT_INTAKE_CLOSED,
    ALLOT_NOT_IN_AUDIENCE,
    ALLOT_NOT_ENROLLED,
    ALLOT_ALLOCATED,
    ALLOT_NOT_ALLOCATED,
    ALLOT_FALLBACK,
    ALLOT_NO_MATCH,
    ALLOT_FAILED,
    ALLOT_REASONS
} allot_reason;

typedef enum {
    ALLOT_STATE_RUNNING = 0,
    ALLOT_STATE_PAUSED,
    ALLOT_STATE_INTAKE_CLOSED,
    ALLOT_STATE_INACTIVE,
    ALLOT_STATE_ARCHIVED,
    ALLOT_STATE_FAILED,
    ALLOT_STATES
} allot_state;

/* The stages that draw, in the order of the checks. */
typedef enum {
    ALLOT_STAGE_HOLDOUT = 0,
    ALLOT_STAGE_LAYER,
    ALLOT_STAGE_ENROLMENT,
    ALLOT_STAGE_TREATMENT,
    ALLOT_STAGES
} allot_stage;

/* An outcome is a reason and a treatment in one number: reason << 16 | the low 16 bits of the
 * treatment's index, -1 (0xffff) where there is none. No outcome is 0. */
enum { ALLOT_GO = 0 };

static inline uint32_t allot_outcome(allot_reason reason, int32_t treatment)
{
    return (uint32_t)reason << 16 | ((uint32_t)treatment & 0xffff);
}

static inline uint8_t allot_outcome_reason(uint32_t outcome) { return (uint8_t)(outcome >> 16); }

static inline int16_t allot_outcome_treatment(uint32_t outcome)
{
    return (int16_t)(uint16_t)(outcome & 0xffff);
}

/* A plan has so many outcomes: one a reason, and four a treatment, for the four reasons that come
 * with one. Every outcome has a place among them. */
static inline uint32_t allot_outcomes(uint32_t treatments)
{
    return ALLOT_REASONS + 4 * treatments;
}

static inline uint32_t allot_outcome_place(uint32_t outcome)
{
    /* The four reasons are numbers of which the upper two bits differ. No branch depends on it. */
    const uint32_t reason = outcome >> 16, with = (outcome >> 15 & 1) - 1;
    const uint32_t among = ALLOT_REASONS + 4 * (outcome & 0xffff) + (reason >> 2);
    return (reason & ~with) | (among & with);
}

_Static_assert(ALLOT_OVERRIDE >> 2 == 0 && ALLOT_STICKY >> 2 == 1 && ALLOT_ALLOCATED >> 2 == 2 &&
                   ALLOT_FALLBACK >> 2 == 3 && ALLOT_REASONS == 16,
               "what comes with a treatment has a place for each of its reasons");

/* `lasts` has at least ALLOT_TABLE_SHORT entries; those from count - 1 on are 2^64 - 1, which no
 * draw exceeds. A table is asked of the units that are `member`; a stage, of everyone, 0. */
enum { ALLOT_TABLE_SHORT = 4 };

typedef struct {
    const uint64_t *lasts;
    const uint32_t *outcomes; /* count */
    uint32_t count;           /* at least 1 */
    uint32_t member;
} allot_table;

/* Members: one byte (0 or 1) for everyone, which is always 1, then one for each of the plan's
 * segments. Segment index s of the specification is member s + 1; -1, everyone, is member 0.
 *
 * Everyone is a member of the last allocation: one without a segment, or the fallback or, where
 * there is none, the outcome NO_MATCH. What comes after it is never asked and not in the plan. */
typedef struct {
    /* Holdout, layer, enrolment; what a plan lacks is one table that all share: everyone passes. */
    const allot_table *tables[ALLOT_STAGE_TREATMENT];
    const allot_digest *salts;      /* `draws` of them, in the order of the stages the plan has */
    const allot_recipe *const *recipes; /* NULL: all native; else one a draw, NULL: native */
    const allot_idset *overrides;   /* NULL: none, or archived */
    const allot_idset *claims;      /* NULL: none */
    uint32_t bytes;                 /* of the whole block */
    uint32_t treatments;
    uint32_t active;                /* ALLOT_GO, or the outcome of a plan that does not assign */
    uint32_t no_unit;               /* the outcome for a unit that is missing or malformed */
    bool keeps, ignore_targeting;
    uint8_t stages;                 /* bit s: the plan has stage s */
    /* What every unit needs comes last, next to the tables of the allocations: all experiments of
     * a unit then read two or three cache lines each, and a hundred of them fit the first cache. */
    uint8_t draws;                  /* 1..4: how many draws a unit needs */
    uint8_t at[ALLOT_STAGES];       /* which of these a stage reads; 0 for a stage it lacks */
    bool ramped;                    /* the enrolment can decide */
    bool gated;                     /* the intake, or a check before it, can decide */
    bool plain;                     /* one native draw, one table, and no check but the audience */
    uint32_t audience;              /* member */
    uint32_t intake;                /* ALLOT_GO, or the outcome of a plan that takes no new units */
    uint32_t members;               /* 1 + the segments */
    const allot_table *allocations; /* the first asked; at most `rest` */
    const allot_table *rest;        /* the last asked */
} allot_plan;

/* What a plan is made of. Slots and ranges are half-open in buckets of their stage, ascending,
 * disjoint. */
typedef struct {
    uint64_t start, stop;
    int32_t treatment; /* 0 in a layer's ranges */
} allot_slot;

typedef struct {
    const allot_slot *slots;
    uint32_t slots_count;
    int32_t segment; /* index, -1 everyone; not read in a fallback */
} allot_share;

typedef struct {
    uint32_t state, treatments, segments;
    int32_t audience; /* segment index, -1 everyone */
    bool has_holdout, has_layer, has_enrolment, has_fallback, keeps, ignore_targeting;
    uint64_t holdout_bound, enrolment_bound; /* buckets below the bound are in */
    allot_digest salts[ALLOT_STAGES];        /* by stage; seed 1 */
    const allot_recipe *recipes[ALLOT_STAGES]; /* by stage; NULL: the native draw of the salt */
    const allot_slot *layer;
    uint32_t layer_count;
    const allot_share *shares;
    uint32_t shares_count;
    allot_share fallback;
    const allot_idset *overrides, *claims; /* or NULL */
} allot_plan_spec;

/* NULL if the specification is well formed, else a sentence that says what is wrong. */
const char *allot_plan_check(const allot_plan_spec *spec);

/* The buckets of a stage that draws by the recipe, or natively where that is NULL. */
static inline uint64_t allot_stage_buckets(const allot_recipe *recipe)
{
    return recipe ? recipe->buckets : ALLOT_BUCKETS;
}

/* The plan of a specification that allot_plan_check passed, in one block; NULL without memory.
 * It borrows the id sets and the recipes. Freed with allot_plan_free. */
allot_plan *allot_plan_new(const allot_plan_spec *spec);

void allot_plan_free(allot_plan *plan);

#endif
