/* Segment programs: what they mean, and which are refused. */
#include "../segment.h"
#include "check.h"

#include <string.h>

#define OP(op, operand) ((uint32_t)ALLOT_OP_##op << 24 | (operand))
#define SEGMENT(...)                                                             \
    {                                                                            \
        .program = (const uint32_t[]){__VA_ARGS__},                              \
        .size = sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t),      \
        .words = 2, .registers = 2, .only = -1,                                  \
    }

static bool holds(const allot_segment *segment, uint64_t low, uint64_t high)
{
    return allot_segment_holds(segment, (const uint64_t[]){low, high}, 0);
}

static void operations_mean_what_they_say(void)
{
    const allot_segment both = SEGMENT(OP(CLAUSE, 0), OP(CLAUSE, 1), OP(AND, 2));
    const allot_segment any = SEGMENT(OP(CLAUSE, 0), OP(CLAUSE, 65), OP(OR, 2));
    const allot_segment none = SEGMENT(OP(OR, 0));
    const allot_segment all = SEGMENT(OP(AND, 0));
    const allot_segment but = SEGMENT(OP(AND, 0), OP(CLAUSE, 0), OP(NOT, 0), OP(AND, 2));
    const allot_segment kept = SEGMENT(OP(CLAUSE, 0), OP(STORE, 1), OP(LOAD, 1), OP(NOT, 0),
                                       OP(LOAD, 1), OP(LOAD, 1), OP(AND, 2), OP(OR, 2));
    CHECK(!allot_segment_check(&both) && holds(&both, 3, 0) && !holds(&both, 1, 0));
    CHECK(!allot_segment_check(&any) && holds(&any, 0, 2) && holds(&any, 1, 0));
    CHECK(!holds(&any, 2, 1));
    CHECK(!allot_segment_check(&none) && !holds(&none, ~UINT64_C(0), 0));
    CHECK(!allot_segment_check(&all) && holds(&all, 0, 0));
    CHECK(!allot_segment_check(&but) && holds(&but, 0, 0) && !holds(&but, 1, 0));
    CHECK(!allot_segment_check(&kept) && holds(&kept, 0, 0) && holds(&kept, 1, 0));
}

static void lists_are_asked_for_the_unit(void)
{
    allot_idset set;
    CHECK(allot_idset_build(&set, (const uint64_t[]){42}, NULL, 1) == ALLOT_IDSET_OK);
    const allot_idset *lists[] = {&set};
    allot_segment listed = SEGMENT(OP(LIST, 0));
    listed.lists = lists;
    CHECK(allot_segment_check(&listed) != NULL); /* the count still says there is none */
    listed.lists_count = 1;
    CHECK(allot_segment_check(&listed) == NULL);
    CHECK(allot_segment_holds(&listed, NULL, 42) && !allot_segment_holds(&listed, NULL, 43));
    allot_idset_free(&set);
}

static void a_full_stack_works_and_one_more_is_refused(void)
{
    uint32_t program[66];
    for (uint32_t i = 0; i < 65; i++)
        program[i] = OP(CLAUSE, 0);
    for (uint32_t op = ALLOT_OP_AND; op <= ALLOT_OP_OR; op++) {
        program[64] = op << 24 | 64;
        const allot_segment full = {.program = program, .size = 65, .words = 1, .only = -1};
        CHECK(allot_segment_check(&full) == NULL);
        CHECK(holds(&full, 1, 0) && !holds(&full, 0, 0));
    }
    program[64] = OP(CLAUSE, 0);
    program[65] = OP(AND, 65);
    const allot_segment over = {.program = program, .size = 66, .words = 1, .only = -1};
    CHECK(allot_segment_check(&over) != NULL);
}

static void malformed_programs_are_refused(void)
{
    const allot_segment wrong[] = {
        SEGMENT(OP(AND, 1)),                               /* the stack runs empty */
        SEGMENT(OP(NOT, 0)),
        SEGMENT(OP(STORE, 0)),
        SEGMENT(OP(AND, 0), OP(AND, 0)),                 /* two results */
        SEGMENT(OP(CLAUSE, 128)),                          /* outside the words */
        SEGMENT(OP(LIST, 0)),
        SEGMENT(OP(LOAD, 0)),                              /* before it is stored */
        SEGMENT(OP(AND, 0), OP(STORE, 0)),                /* no result */
        SEGMENT(OP(AND, 0), OP(AND, 0), OP(STORE, 2)),   /* no such register */
        SEGMENT(UINT32_C(8) << 24),                        /* no such operation */
        SEGMENT(UINT32_C(255) << 24),
        SEGMENT(OP(AND, 0), OP(AND, 0xffffff)),
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        CHECK(allot_segment_check(&wrong[i]) != NULL);
    const allot_segment empty = {.program = NULL, .size = 0};
    CHECK(allot_segment_check(&empty) != NULL);
}

static void a_single_clause_is_recognised(void)
{
    allot_segment one = SEGMENT(OP(CLAUSE, 70));
    const allot_segment two = SEGMENT(OP(CLAUSE, 70), OP(NOT, 0));
    const allot_segment true_ = SEGMENT(OP(AND, 0));
    CHECK(allot_segment_only(&one) == 70);
    CHECK(allot_segment_only(&two) == -1 && allot_segment_only(&true_) == -1);
    CHECK(holds(&one, 0, 64) && !holds(&one, ~UINT64_C(0), ~UINT64_C(64)));
    one.only = allot_segment_only(&one);
    CHECK(holds(&one, 0, 64) && !holds(&one, ~UINT64_C(0), ~UINT64_C(64)));
}

int main(void)
{
    operations_mean_what_they_say();
    lists_are_asked_for_the_unit();
    a_full_stack_works_and_one_more_is_refused();
    malformed_programs_are_refused();
    a_single_clause_is_recognised();
    return checks_report("segment");
}
