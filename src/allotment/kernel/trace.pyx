"""What every check said, in words: the trace of `allot_decide` as Python values."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t

from allotment.kernel.csrc cimport (
    ALLOT_BUCKETS,
    ALLOT_CHECK_ACTIVE,
    ALLOT_CHECK_AUDIENCE,
    ALLOT_CHECK_CLAIM,
    ALLOT_CHECK_ENROLMENT,
    ALLOT_CHECK_HOLDOUT,
    ALLOT_CHECK_INTAKE,
    ALLOT_CHECK_KEPT,
    ALLOT_CHECK_LAYER,
    ALLOT_CHECK_OVERRIDE,
    ALLOT_CHECK_TREATMENT,
    ALLOT_CHECKS,
    ALLOT_GO,
    ALLOT_STAGE_ENROLMENT,
    ALLOT_STAGE_HOLDOUT,
    ALLOT_STAGE_LAYER,
    ALLOT_STAGE_TREATMENT,
    allot_bucket,
    allot_outcome_reason,
    allot_outcome_treatment,
    allot_plan,
    allot_recipe,
    allot_recipe_bucket,
    allot_table,
    allot_trace,
)
from allotment.kernel.plan cimport Plan

# By check: its name, and the stage it draws for or -1.
cdef tuple CHECKS = (
    ("override", -1),
    ("active", -1),
    ("holdout", ALLOT_STAGE_HOLDOUT),
    ("claim", -1),
    ("layer", ALLOT_STAGE_LAYER),
    ("kept", -1),
    ("intake", -1),
    ("audience", -1),
    ("enrolment", ALLOT_STAGE_ENROLMENT),
    ("treatment", ALLOT_STAGE_TREATMENT),
)
assert len(CHECKS) == ALLOT_CHECKS


cdef const allot_recipe *recipe_of(const allot_plan *core, int stage) noexcept:
    """What a stage draws by, NULL where that is the native draw."""
    return NULL if core.recipes == NULL else core.recipes[core.at[stage]]


cdef uint64_t bucket_of(const allot_recipe *recipe, uint64_t draw) noexcept:
    if recipe == NULL:
        return allot_bucket(draw, ALLOT_BUCKETS)
    return allot_recipe_bucket(recipe, draw)


cdef uint64_t buckets_of(const allot_recipe *recipe) noexcept:
    return ALLOT_BUCKETS if recipe == NULL else recipe.buckets


cdef str table_in_words(Plan plan, allot_table table, const allot_recipe *recipe):
    """The bucket ranges of a table with what each gives."""
    cdef list words = []
    cdef uint64_t start = 0, stop
    cdef uint32_t i
    cdef int treatment
    for i in range(table.count):
        stop = buckets_of(recipe)
        if i < table.count - 1:
            stop = bucket_of(recipe, table.lasts[i]) + 1
        treatment = allot_outcome_treatment(table.outcomes[i])
        if table.outcomes[i] == ALLOT_GO:
            words.append(f"[{start}, {stop}) in")
        elif treatment < 0:
            words.append(f"[{start}, {stop}) out")
        else:
            words.append(f"[{start}, {stop}) {plan.names[treatment]}")
        start = stop
    return ", ".join(words)


cdef bint applies(const allot_plan *core, int check, int stage) noexcept:
    """Whether the plan has this check at all."""
    if check == ALLOT_CHECK_OVERRIDE:
        return core.overrides != NULL
    if check == ALLOT_CHECK_CLAIM:
        return core.claims != NULL
    if check == ALLOT_CHECK_KEPT:
        return core.keeps
    if check == ALLOT_CHECK_AUDIENCE:
        return core.audience > 0
    return stage < 0 or (core.stages >> stage & 1) == 1


cdef str detail(Plan plan, int check, int stage, uint32_t pick):
    if check == ALLOT_CHECK_TREATMENT:
        return table_in_words(plan, plan.core.allocations[pick], recipe_of(plan.core, stage))
    if stage >= 0:
        return table_in_words(plan, plan.core.tables[stage][0], recipe_of(plan.core, stage))
    if check == ALLOT_CHECK_AUDIENCE:
        return f"segment {plan.core.audience - 1}"
    return ""


cdef dict stages_of(Plan plan, uint32_t outcome, const allot_trace *trace, const uint64_t *draws,
                    const uint8_t *members):
    cdef list stages = [("unit", True, None, None, None, plan.unit, trace == NULL)]
    cdef const allot_recipe *recipe
    cdef bint open = True, decided
    cdef int check
    if trace != NULL:
        for check, (name, stage) in enumerate(CHECKS):
            decided = open and trace.said[check] != ALLOT_GO
            asked = applies(plan.core, check, stage)
            draw = bucket = buckets = None
            if asked and stage >= 0:
                recipe = recipe_of(plan.core, stage)
                draw = draws[plan.core.at[<int>stage]]
                bucket, buckets = bucket_of(recipe, draw), buckets_of(recipe)
            stages.append((
                name,
                asked,
                draw,
                bucket,
                buckets,
                detail(plan, check, stage, trace.pick) if asked else "",
                decided,
            ))
            open = open and not decided
    return {
        "outcome": (allot_outcome_reason(outcome), allot_outcome_treatment(outcome)),
        "stages": stages,
        "members": [] if trace == NULL else [members[k] == 1 for k in range(1, plan.core.members)],
        "pick": None if trace == NULL else trace.pick,
    }
