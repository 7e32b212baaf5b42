#include "segment.h"

#include <assert.h>

static uint64_t mask_of(uint32_t count)
{
    return count >= 64 ? UINT64_MAX : (UINT64_C(1) << count) - 1;
}

static inline allot_op op_of(uint32_t instruction) { return (allot_op)(instruction >> 24); }
static inline uint32_t operand_of(uint32_t instruction) { return instruction & 0xffffff; }

/* How many values an instruction takes off the stack, and whether it is known. All put one on but
 * the one that stores. */
static bool takes(uint32_t instruction, uint32_t *count)
{
    switch (op_of(instruction)) {
    case ALLOT_OP_CLAUSE:
    case ALLOT_OP_LIST:
    case ALLOT_OP_LOAD:
        *count = 0;
        return true;
    case ALLOT_OP_AND:
    case ALLOT_OP_OR:
        *count = operand_of(instruction);
        return true;
    case ALLOT_OP_NOT:
    case ALLOT_OP_STORE:
        *count = 1;
        return true;
    }
    return false;
}

static const char *check_operand(const allot_segment *segment, uint32_t instruction,
                                 uint64_t *stored)
{
    const uint32_t operand = operand_of(instruction);
    switch (op_of(instruction)) {
    case ALLOT_OP_CLAUSE:
        return operand / 64 < segment->words ? NULL : "a clause lies outside the words";
    case ALLOT_OP_LIST:
        return operand < segment->lists_count ? NULL : "a list is not there";
    case ALLOT_OP_STORE:
        if (operand >= segment->registers)
            return "a register is not there";
        stored[operand / 64] |= UINT64_C(1) << operand % 64;
        return NULL;
    case ALLOT_OP_LOAD:
        if (operand >= segment->registers)
            return "a register is not there";
        if (!(stored[operand / 64] >> operand % 64 & 1))
            return "a register is loaded before it is stored";
        return NULL;
    default:
        return NULL;
    }
}

const char *allot_segment_check(const allot_segment *segment)
{
    assert(segment != NULL);
    if (segment->size < 1 || segment->size > ALLOT_PROGRAM_MAX)
        return "a program has 1 to 16,777,216 instructions";
    if (segment->words > ALLOT_WORDS_MAX)
        return "a segment has at most 262,144 words of clauses";
    if (segment->registers > ALLOT_REGISTERS_MAX)
        return "a segment has at most 4,096 registers";
    if (segment->lists_count > ALLOT_LISTS_MAX)
        return "a segment has at most 4,096 lists";

    uint64_t stored[ALLOT_REGISTERS_MAX / 64] = {0};
    uint32_t depth = 0;
    for (uint32_t i = 0; i < segment->size; i++) {
        uint32_t taken = 0;
        if (!takes(segment->program[i], &taken))
            return "an operation is not known";
        if (taken > depth)
            return "the stack runs empty";
        const char *fault = check_operand(segment, segment->program[i], stored);
        if (fault)
            return fault;
        depth -= taken;
        depth += op_of(segment->program[i]) != ALLOT_OP_STORE;
        if (depth > ALLOT_STACK_MAX)
            return "the stack is deeper than 64";
    }
    return depth == 1 ? NULL : "a program leaves exactly one result";
}

int32_t allot_segment_only(const allot_segment *segment)
{
    const bool single = segment->size == 1 && op_of(segment->program[0]) == ALLOT_OP_CLAUSE;
    return single ? (int32_t)operand_of(segment->program[0]) : -1;
}

bool allot_segment_run(const allot_segment *segment, const uint64_t *bits, uint64_t unit_h1)
{
    /* Written before it is read, which the check has made sure of; so it is not cleared here. */
    bool registers[ALLOT_REGISTERS_MAX];
    uint64_t stack = 0; /* the top is bit 0; what lies below the stack's depth has no meaning */

    for (uint32_t i = 0; i < segment->size; i++) {
        const uint32_t operand = operand_of(segment->program[i]);
        uint64_t mask, result;
        switch (op_of(segment->program[i])) {
        case ALLOT_OP_CLAUSE:
            stack = stack << 1 | (bits[operand >> 6] >> (operand & 63) & 1);
            break;
        case ALLOT_OP_LIST:
            stack = stack << 1 | allot_idset_has(segment->lists[operand], unit_h1);
            break;
        case ALLOT_OP_AND:
        case ALLOT_OP_OR:
            mask = mask_of(operand);
            result = op_of(segment->program[i]) == ALLOT_OP_AND ? (stack & mask) == mask
                                                                : (stack & mask) != 0;
            stack = operand >= 64 ? result : (stack >> operand) << 1 | result;
            break;
        case ALLOT_OP_NOT:
            stack ^= 1;
            break;
        case ALLOT_OP_STORE:
            registers[operand] = stack & 1;
            stack >>= 1;
            break;
        case ALLOT_OP_LOAD:
            stack = stack << 1 | registers[operand];
            break;
        }
    }
    return stack & 1;
}
