/* Bytes to a plan and a unit: what the check passes must be decided within range, the same with a
 * trace and without, and as the slow twin does. */
#include "../test/case.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static test_case c;
    take_case(&c, &(source){data, size});
    if (!allot_plan_check(&c.spec)) {
        allot_plan *plan = allot_plan_new(&c.spec);
        if (!plan)
            abort();
        allot_trace trace;
        const uint32_t outcome = decided(plan, &c, NULL);
        const int32_t treatment = allot_outcome_treatment(outcome);
        if (allot_outcome_reason(outcome) >= ALLOT_REASONS || treatment < -1 ||
            treatment >= (int32_t)c.spec.treatments)
            abort();
        if (outcome != decided(plan, &c, &trace) || outcome != expected(&c))
            abort();
        allot_plan_free(plan);
    }
    free_case(&c);
    return 0;
}
