"""The C core as Cython sees it: declarations only; the headers in csrc/ say what everything means."""

from libc.stdint cimport int16_t, int32_t, int64_t, uint8_t, uint32_t, uint64_t


cdef extern from "allot_limits.h" nogil:
    enum:
        ALLOT_BUCKETS
        ALLOT_UNIT_KEY_BYTES_MAX
        ALLOT_TREATMENTS_MAX
        ALLOT_ALLOCATIONS_MAX
        ALLOT_RANGES_MAX
        ALLOT_LISTED_IDS_MAX
        ALLOT_SEGMENTS_MAX
        ALLOT_REGISTERS_MAX
        ALLOT_LISTS_MAX
        ALLOT_WORDS_MAX
        ALLOT_PROGRAM_MAX


cdef extern from "digest.h" nogil:
    enum:
        ALLOT_SEED_UNIT
        ALLOT_SEED_SALT
    ctypedef struct allot_digest:
        uint64_t h1, h2
    allot_digest allot_digest_text(const uint8_t *text, size_t size, uint32_t seed) noexcept


cdef extern from "murmur3.h" nogil:
    allot_digest allot_murmur3(const uint8_t *text, size_t size, uint32_t seed) noexcept


cdef extern from "recent.h" nogil:
    enum:
        ALLOT_RECENT_LINES
        ALLOT_RECENT_BYTES_MAX
    ctypedef struct allot_recent:
        void *found
    allot_recent allot_recent_text(const uint8_t *text, size_t size) noexcept
    allot_recent *allot_recent_line(allot_recent *lines, const allot_recent *text) noexcept
    void *allot_recent_found(allot_recent *lines, const allot_recent *text) noexcept


cdef extern from "draw.h" nogil:
    uint64_t allot_draw(allot_digest salt, allot_digest unit) noexcept
    uint32_t allot_bucket(uint64_t draw, uint32_t buckets) noexcept
    void allot_draws_over_units(allot_digest salt, const uint64_t *u1, const uint64_t *u2,
                                size_t count, uint64_t *out) noexcept
    void allot_draws_over_salts(allot_digest unit, const uint64_t *s1, const uint64_t *s2,
                                size_t count, uint64_t *out) noexcept


cdef extern from "idset.h" nogil:
    ctypedef struct allot_idset:
        uint64_t *slots
        uint8_t *values
        uint32_t count
    ctypedef enum allot_idset_status:
        ALLOT_IDSET_OK
        ALLOT_IDSET_NO_MEMORY
        ALLOT_IDSET_TOO_MANY
        ALLOT_IDSET_AMBIGUOUS
    allot_idset_status allot_idset_build(allot_idset *set, const uint64_t *hashes,
                                         const uint8_t *values, size_t count) noexcept
    allot_idset_status allot_idset_build_lines(allot_idset *set, const uint8_t *text,
                                               size_t size) noexcept
    void allot_idset_free(allot_idset *set) noexcept
    size_t allot_idset_bytes(const allot_idset *set) noexcept
    bint allot_idset_has(const allot_idset *set, uint64_t hash) noexcept
    int32_t allot_idset_value(const allot_idset *set, uint64_t hash) noexcept


cdef extern from "segment.h" nogil:
    ctypedef struct allot_segment:
        const uint32_t *program
        const allot_idset *const *lists
        uint32_t size
        uint32_t lists_count
        uint32_t words
        uint32_t registers
        int32_t only
    const char *allot_segment_check(const allot_segment *segment) noexcept
    int32_t allot_segment_only(const allot_segment *segment) noexcept
    bint allot_segment_holds(const allot_segment *segment, const uint64_t *bits,
                             uint64_t unit_h1) noexcept


cdef extern from "recipe.h" nogil:
    ctypedef struct allot_recipe:
        uint8_t hash, encoding, slice, bucketing, shift, bits
        uint32_t seed
        uint64_t buckets
        const uint8_t *before
        const uint8_t *after
        size_t before_size, after_size
    const char *allot_recipe_check(const allot_recipe *recipe) noexcept
    void allot_recipe_begin(allot_recipe *recipe) noexcept
    uint64_t allot_recipe_draw(const allot_recipe *recipe, const uint8_t *unit,
                               size_t size) noexcept
    uint64_t allot_recipe_bucket(const allot_recipe *recipe, uint64_t draw) noexcept


cdef extern from "plan.h" nogil:
    enum:
        ALLOT_NO_UNIT
        ALLOT_OVERRIDE
        ALLOT_STICKY
        ALLOT_ALLOCATED
        ALLOT_FALLBACK
        ALLOT_REASONS
        ALLOT_STAGE_HOLDOUT
        ALLOT_STAGE_LAYER
        ALLOT_STAGE_ENROLMENT
        ALLOT_STAGE_TREATMENT
        ALLOT_STAGES
        ALLOT_GO
    uint32_t allot_outcome(int reason, int32_t treatment) noexcept
    uint8_t allot_outcome_reason(uint32_t outcome) noexcept
    int16_t allot_outcome_treatment(uint32_t outcome) noexcept
    uint32_t allot_outcomes(uint32_t treatments) noexcept
    uint32_t allot_outcome_place(uint32_t outcome) noexcept

    ctypedef struct allot_table:
        const uint64_t *lasts
        const uint32_t *outcomes
        uint32_t count, member
    ctypedef struct allot_plan:
        const allot_table *allocations
        const allot_table *rest
        bint ramped, gated, plain, keeps, ignore_targeting
        uint8_t draws
        uint8_t at[4]
        uint8_t stages
        uint32_t audience, members, treatments
        uint32_t active, intake, no_unit
        const allot_digest *salts
        const allot_recipe *const *recipes
        const allot_idset *overrides
        const allot_idset *claims
        const allot_table *tables[3]
        uint32_t bytes
    ctypedef struct allot_slot:
        uint64_t start, stop
        int32_t treatment
    ctypedef struct allot_share:
        const allot_slot *slots
        uint32_t slots_count
        int32_t segment
    ctypedef struct allot_plan_spec:
        uint32_t state, treatments, segments
        int32_t audience
        bint has_holdout, has_layer, has_enrolment, has_fallback, keeps, ignore_targeting
        uint64_t holdout_bound, enrolment_bound
        allot_digest salts[4]
        const allot_recipe *recipes[4]
        const allot_slot *layer
        uint32_t layer_count
        const allot_share *shares
        uint32_t shares_count
        allot_share fallback
        const allot_idset *overrides
        const allot_idset *claims
    const char *allot_plan_check(const allot_plan_spec *spec) noexcept
    allot_plan *allot_plan_new(const allot_plan_spec *spec) noexcept
    void allot_plan_free(allot_plan *plan) noexcept


cdef extern from "decide.h" nogil:
    enum:
        ALLOT_CHECK_OVERRIDE
        ALLOT_CHECK_ACTIVE
        ALLOT_CHECK_HOLDOUT
        ALLOT_CHECK_CLAIM
        ALLOT_CHECK_LAYER
        ALLOT_CHECK_KEPT
        ALLOT_CHECK_INTAKE
        ALLOT_CHECK_AUDIENCE
        ALLOT_CHECK_ENROLMENT
        ALLOT_CHECK_TREATMENT
        ALLOT_CHECKS
    ctypedef struct allot_trace:
        uint32_t said[10]
        uint32_t pick
    const uint32_t *allot_ids_own
    uint32_t allot_decide(const allot_plan *plan, uint64_t h1, const uint64_t *draws,
                          size_t stride, const uint8_t *members, const uint32_t *ids,
                          int32_t stored, allot_trace *trace) noexcept
    uint32_t allot_decide_one(const allot_plan *plan, allot_digest unit,
                              const uint8_t *members) noexcept
    void allot_decide_all(const allot_plan *const *plans, size_t count, uint64_t h1,
                          const uint64_t *draws, const uint8_t *members, const uint32_t *ids,
                          uint32_t *outcomes) noexcept


cdef extern from "plain.h" nogil:
    enum:
        ALLOT_PLAIN_BYTES
    ctypedef struct allot_plain:
        pass
    allot_plain allot_plain_in(void *room, size_t count) noexcept
    bint allot_is_plain(const allot_plan *plan) noexcept
    void allot_plain_put(const allot_plain *plain, size_t at, const allot_plan *plan,
                         uint32_t member) noexcept
    void allot_decide_plain(const allot_plain *plain, size_t first, size_t count,
                            allot_digest unit, const uint8_t *members,
                            uint32_t *outcomes) noexcept
