"""A compiled experiment: it owns its C block and hands out its answers."""

cimport cython
from cpython.mem cimport PyMem_Calloc, PyMem_Free
from cpython.object cimport PyObject
from cpython.tuple cimport PyTuple_GET_ITEM
from cpython.unicode cimport PyUnicode_Check, PyUnicode_FromObject
from libc.stdint cimport int32_t, uint32_t

from allotment.errors import InvalidInput
from allotment.kernel.csrc cimport (
    ALLOT_ALLOCATIONS_MAX,
    ALLOT_RANGES_MAX,
    ALLOT_SEED_SALT,
    ALLOT_STAGE_ENROLMENT,
    ALLOT_STAGE_HOLDOUT,
    ALLOT_STAGE_LAYER,
    ALLOT_STAGE_TREATMENT,
    allot_outcome_place,
    allot_outcome_reason,
    allot_outcome_treatment,
    allot_outcomes,
    allot_plan_check,
    allot_plan_free,
    allot_plan_new,
    allot_plan_spec,
    allot_share,
    allot_slot,
)
from allotment.kernel.digest cimport digest_of
from allotment.kernel.idset cimport IdSet
from allotment.kernel.recipe cimport Recipe
from allotment.kernel.segment cimport Segment


@cython.final
@cython.internal
cdef class Draft:
    """The memory of a specification while a plan is made of it: its slots, freed with it."""

    cdef allot_plan_spec spec
    cdef allot_share shares[ALLOT_ALLOCATIONS_MAX]
    cdef allot_slot *pool
    cdef Py_ssize_t used
    cdef list recipes

    def __cinit__(self, Py_ssize_t slots):
        self.recipes = []
        self.pool = <allot_slot *>PyMem_Calloc(slots + 1, sizeof(allot_slot))
        if self.pool == NULL:
            raise MemoryError

    def __dealloc__(self):
        PyMem_Free(self.pool)

    # How a stage draws: natively by the salt that it is given, or by a recipe.
    cdef int draw_by(self, int stage, object draw) except -1:
        if isinstance(draw, Recipe):
            self.spec.recipes[stage] = &(<Recipe>draw).core
            self.recipes.append(draw)
        else:
            self.spec.salts[stage] = digest_of(draw, ALLOT_SEED_SALT)
        return 0

    cdef const allot_slot *slots(self, list slots):
        cdef const allot_slot *first = self.pool + self.used
        for start, stop, treatment in slots:
            self.pool[self.used].start = start
            self.pool[self.used].stop = stop
            self.pool[self.used].treatment = treatment
            self.used += 1
        return first


cdef list slots_of(object slots):
    cdef list read = [(start, stop, treatment) for start, stop, treatment in slots]
    if len(read) > ALLOT_RANGES_MAX:
        raise InvalidInput(f"there are at most {ALLOT_RANGES_MAX:,} ranges, not {len(read):,}")
    return read


cdef Draft draft_of(
    object state, tuple names, IdSet overrides, IdSet claims, object holdout, object layer,
    bint keeps, bint ignore_targeting, tuple segments, object audience, object enrolment,
    object treatment, object allocations, object fallback,
):
    cdef list shares = [(segment, slots_of(slots)) for segment, slots in allocations]
    cdef list reserved = []
    if layer is not None:
        layer_draw, ranges = layer
        reserved = slots_of([(start, stop, 0) for start, stop in ranges])
    cdef list rest = [] if fallback is None else slots_of(fallback)
    if len(shares) > ALLOT_ALLOCATIONS_MAX:
        raise InvalidInput(f"there are at most {ALLOT_ALLOCATIONS_MAX} allocations")
    cdef Draft draft = Draft(sum([len(slots) for _, slots in shares]) + len(reserved) + len(rest))
    cdef allot_plan_spec *spec = &draft.spec
    cdef Py_ssize_t i
    spec.state = state
    spec.treatments = len(names)
    spec.segments = len(segments)
    spec.audience = audience
    spec.keeps = keeps
    spec.ignore_targeting = ignore_targeting
    spec.overrides = NULL if overrides is None else &overrides.core
    spec.claims = NULL if claims is None else &claims.core
    if holdout is not None:
        spec.has_holdout = True
        draw, spec.holdout_bound = holdout
        draft.draw_by(ALLOT_STAGE_HOLDOUT, draw)
    if layer is not None:
        spec.has_layer = True
        draft.draw_by(ALLOT_STAGE_LAYER, layer_draw)
        spec.layer = draft.slots(reserved)
        spec.layer_count = len(reserved)
    if enrolment is not None:
        spec.has_enrolment = True
        draw, spec.enrolment_bound = enrolment
        draft.draw_by(ALLOT_STAGE_ENROLMENT, draw)
    draft.draw_by(ALLOT_STAGE_TREATMENT, treatment)
    for i, (segment, slots) in enumerate(shares):
        draft.shares[i].segment = segment
        draft.shares[i].slots = draft.slots(slots)
        draft.shares[i].slots_count = len(slots)
    spec.shares = draft.shares
    spec.shares_count = len(shares)
    if fallback is not None:
        spec.has_fallback = True
        spec.fallback.slots = draft.slots(rest)
        spec.fallback.slots_count = len(rest)
    return draft


@cython.final
cdef class Plan:
    def __cinit__(
        self, *, state, treatments, str unit not None, IdSet overrides, IdSet claims, holdout,
        layer, bint keeps, bint ignore_targeting, segments, audience, enrolment,
        treatment not None, allocations, fallback, source, answer, fingerprint=0,
    ):
        cdef Draft draft
        cdef const char *fault
        self.unit = unit
        self.source = source
        self.overrides = overrides
        self.claims = claims
        self.answer = answer
        try:
            self.fingerprint_high = fingerprint >> 64
            self.fingerprint_low = fingerprint & 0xffffffffffffffff
            self.names = tuple(treatments)
            self.segments = tuple(segments)
            draft = draft_of(
                state, self.names, overrides, claims, holdout, layer, keeps, ignore_targeting,
                self.segments, audience, enrolment, treatment, allocations, fallback,
            )
            self.recipes = tuple(draft.recipes)
        except InvalidInput:
            raise
        except (TypeError, ValueError, OverflowError, LookupError) as wrong:
            raise InvalidInput(f"a plan cannot be read: {wrong}") from None
        if not all(type(name) is str for name in self.names):
            raise InvalidInput("a plan's treatments are named by text")
        if not all(isinstance(segment, Segment) for segment in self.segments):
            raise InvalidInput("a plan's segments are compiled segments")
        fault = allot_plan_check(&draft.spec)
        if fault != NULL:
            raise InvalidInput(fault.decode())
        self.core = allot_plan_new(&draft.spec)
        if self.core == NULL:
            raise MemoryError

    def __dealloc__(self):
        allot_plan_free(self.core)

    @property
    def fingerprint(self):
        return <object>self.fingerprint_high << 64 | self.fingerprint_low

    @property
    def nbytes(self):
        cdef Py_ssize_t size = self.core.bytes + object.__sizeof__(self)
        if self.answers is not None:
            size += self.answers.__sizeof__()
        return size + self.segments.__sizeof__() + self.names.__sizeof__()

    cdef int32_t place_of(self, object treatment) except -2:
        cdef int32_t place
        if not PyUnicode_Check(treatment):
            raise InvalidInput(
                f"a stored treatment is a key or None, not {type(treatment).__name__}", "$.stored")
        cdef str name = PyUnicode_FromObject(treatment)
        for place in range(<int32_t>self.core.treatments):
            if name == <str>PyTuple_GET_ITEM(self.names, place):
                return place
        return -1

    cdef object made(self, uint32_t outcome):
        cdef Py_ssize_t place = allot_outcome_place(outcome)
        if self.answers is None:
            self.answers = [None] * allot_outcomes(self.core.treatments)
        cdef object answer = self.answer(
            self.source, allot_outcome_reason(outcome), allot_outcome_treatment(outcome)
        )
        # Another call may have made it while this one ran: the first one stays.
        if self.answers[place] is None:
            self.answers[place] = answer
        return self.answers[place]

    cdef bytes written(self, uint32_t outcome, object write):
        cdef PyObject *known = text_to(self, outcome, <PyObject *>write)
        if known != NULL:
            return <bytes>known
        cdef object text = write(answer_to(self, outcome))
        if type(text) is not bytes:
            raise InvalidInput(f"an answer is written as bytes, not {type(text).__name__}")
        if self.write is not write:
            self.texts = [None] * allot_outcomes(self.core.treatments)
            self.write = write
        self.texts[<Py_ssize_t>allot_outcome_place(outcome)] = text
        return text


cdef bint needs_digests(Plan plan) except -1:
    cdef Segment segment
    cdef int k
    if plan.core.recipes == NULL or plan.overrides is not None or plan.claims is not None:
        return True
    for k in range(plan.core.draws):
        if plan.core.recipes[k] == NULL:
            return True
    for segment in plan.segments:
        if segment.lists:
            return True
    return False
