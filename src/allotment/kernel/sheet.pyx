"""All plans of a snapshot laid out for one unit: first its segments, then all draws, then plans."""

cimport cython
from cpython.mem cimport PyMem_Calloc, PyMem_Free, PyMem_Malloc
from cpython.tuple cimport PyTuple_GET_ITEM
from cpython.unicode cimport PyUnicode_Check
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memset

from allotment.errors import InvalidInput
from allotment.kernel.csrc cimport (
    ALLOT_PLAIN_BYTES,
    allot_decide_all,
    allot_decide_plain,
    allot_digest,
    allot_draws_over_salts,
    allot_is_plain,
    allot_plain_in,
    allot_plain_put,
    allot_plan,
    allot_recipe,
    allot_recipe_draw,
)
from allotment.kernel.plan cimport Plan
from allotment.kernel.segment cimport Segment, segment_holds
from allotment.kernel.topic cimport Topic
from allotment.kernel.unit cimport digest_of_unit, key_of_kind, key_text, text_of_unit

cdef enum:
    STACK_WORDS = 1024


cdef tuple question(Segment segment, Py_ssize_t kind):
    """What tells distinct questions apart: the segment and, but for a topic's, the kind of unit."""
    cdef bint topical = segment.single is not None and not segment.lists
    return id(segment), -1 if topical else kind


cdef tuple place_of(Plan plan):
    """Where a plan lies on the sheet: with those of its kind of unit, and the plain ones first."""
    return plan.unit, not allot_is_plain(plan.core)


@cython.final
cdef class Sheet:
    def __cinit__(self, tuple shards not None):
        cdef dict found = {}
        for shard in shards:
            found.update(shard)
        for plan in found.values():
            if not isinstance(plan, Plan):
                raise InvalidInput("a snapshot maps experiments to plans")
        self.shards = shards
        self.names = tuple(sorted(found))
        self.kinds = tuple(sorted({(<Plan>plan).unit for plan in found.values()}))
        if len(self.kinds) > KINDS_MAX:
            raise InvalidInput(f"a snapshot randomises at most {KINDS_MAX} kinds of units")
        cdef list order = sorted(self.names, key=lambda name: place_of(<Plan>found[name]))
        self.places = {name: place for place, name in enumerate(order)}
        self.plans = tuple([found[name] for name in order])
        self.count = <uint32_t>len(order)
        self.lay()

    def __dealloc__(self):
        PyMem_Free(self.block)

    cdef dict gather(self):
        """Sorts the distinct segments into topics and others; the member of each question."""
        cdef dict by_path = {}, others = {}, members = {}
        cdef list topics = []
        cdef Plan plan
        cdef Segment segment
        for plan in self.plans:
            kind = self.kinds.index(plan.unit)
            for segment in plan.segments:
                key = question(segment, kind)
                if key[1] >= 0:
                    others[key] = segment
                else:
                    by_path.setdefault(segment.single.path, {})[key] = segment
        for asked in by_path.values():
            topics.append(Topic(tuple(asked.values())))
            for key in asked:
                members[key] = 1 + len(members)
        for key in others:
            members[key] = 1 + len(members)
        self.topics = tuple(topics)
        self.segments = tuple(others.values())
        self.segment_kinds = tuple([kind for _, kind in others])
        self.members = <uint32_t>(1 + len(members))
        return members

    cdef int lay(self) except -1:
        """Fills the arrays."""
        cdef dict asked = self.gather()
        cdef Plan plan
        cdef Py_ssize_t kind = -1, ids = 0
        cdef uint32_t i
        for plan in self.plans:
            if not allot_is_plain(plan.core):
                self.draws += plan.core.draws
                ids += plan.core.members
        self.reserve(ids)
        self.draws = ids = 0
        for i, name in enumerate(self.names):
            self.sorted[i] = self.places[name]
        for i, plan in enumerate(self.plans):
            while kind < 0 or plan.unit != self.kinds[kind]:
                kind += 1
                self.begin(kind, i, ids)
            members = [0, *[asked[question(segment, kind)] for segment in plan.segments]]
            self.cores[i] = plan.core
            if allot_is_plain(plan.core):
                allot_plain_put(&self.plain, i, plan.core, members[plan.core.audience])
                self.kind_others[kind] = i + 1
                continue
            self.put_draws(plan)
            for member in members:
                self.ids[ids] = member
                ids += 1
        self.begin(kind + 1, self.count, ids)
        return 0

    cdef int begin(self, Py_ssize_t kind, uint32_t plan, Py_ssize_t ids) except -1:
        self.kind_plans[kind] = self.kind_others[kind] = plan
        self.kind_draws[kind], self.kind_ids[kind] = self.draws, <uint32_t>ids
        return 0

    cdef int put_draws(self, Plan plan) except -1:
        cdef uint32_t k
        for k in range(plan.core.draws):
            self.s1[self.draws] = plan.core.salts[k].h1
            self.s2[self.draws] = plan.core.salts[k].h2
            if plan.core.recipes != NULL:
                self.recipes[self.draws] = plan.core.recipes[k]
                self.mixed = True
            self.draws += 1
        return 0

    cdef int reserve(self, Py_ssize_t ids) except -1:
        cdef Py_ssize_t kinds = len(self.kinds) + 1
        cdef Py_ssize_t plans = (ALLOT_PLAIN_BYTES * self.count + 7) // 8 * 8
        cdef Py_ssize_t long_ones = self.count + 3 * <Py_ssize_t>self.draws
        cdef Py_ssize_t short_ones = 4 * kinds + ids + self.count
        self.block = PyMem_Calloc(plans + 8 * long_ones + 4 * short_ones, 1)
        if self.block == NULL:
            raise MemoryError
        self.plain = allot_plain_in(self.block, self.count)
        self.cores = <const allot_plan **>(<char *>self.block + plans)
        self.s1 = <uint64_t *>(self.cores + self.count)
        self.s2 = self.s1 + self.draws
        self.recipes = <const allot_recipe **>(self.s2 + self.draws)
        self.kind_plans = <uint32_t *>(self.recipes + self.draws)
        self.kind_others = self.kind_plans + kinds
        self.kind_draws = self.kind_others + kinds
        self.kind_ids = self.kind_draws + kinds
        self.sorted = self.kind_ids + kinds
        self.ids = self.sorted + self.count
        return 0

    cdef int decide(self, object unit, dict attributes, uint32_t *outcomes) except -1:
        cdef uint64_t few[STACK_WORDS]
        cdef uint64_t *draws = few
        cdef Py_ssize_t size = self.draws * sizeof(uint64_t) + self.members
        cdef allot_digest units[KINDS_MAX]
        cdef bint good[KINDS_MAX]
        cdef uint8_t *members
        cdef list keys
        cdef Py_ssize_t kind
        cdef uint32_t i
        if size > <Py_ssize_t>sizeof(few):
            draws = <uint64_t *>PyMem_Malloc(size)
            if draws == NULL:
                raise MemoryError
        try:
            members = <uint8_t *>(draws + self.draws)
            keys = self.digest(unit, units, good)
            self.ask(attributes, units, members)
            for kind in range(len(self.kinds)):
                if good[kind]:
                    key = unit if keys is None else keys[kind]
                    self.decide_kind(kind, key, units[kind], draws, members, outcomes)
                else:
                    for i in range(self.kind_plans[kind], self.kind_plans[kind + 1]):
                        outcomes[i] = self.cores[i].no_unit
            return 0
        finally:
            if draws != few:
                PyMem_Free(draws)

    cdef list digest(self, object unit, allot_digest *units, bint *good):
        """The keys of all kinds, asked once; their digests go into `units`.

        A text is the key of every kind: for it, the list is None.
        """
        cdef list keys
        cdef Py_ssize_t kind, count = len(self.kinds)
        memset(units, 0, count * sizeof(allot_digest))
        if PyUnicode_Check(unit):
            for kind in range(count):
                good[kind] = digest_of_unit(unit, &units[kind]) if kind == 0 else good[0]
                units[kind] = units[0]
            return None
        keys = [key_of_kind(unit, name) for name in self.kinds]
        for kind in range(count):
            good[kind] = digest_of_unit(keys[kind], &units[kind])
        return keys

    cdef int ask(self, dict attributes, const allot_digest *units, uint8_t *members) except -1:
        cdef Topic topic
        cdef Py_ssize_t i
        cdef uint8_t *at = members + 1
        members[0] = 1
        for i in range(len(self.topics)):
            topic = <Topic>PyTuple_GET_ITEM(self.topics, i)
            topic.ask(attributes, at)
            at += topic.count
        for i in range(len(self.segments)):
            at[i] = segment_holds(
                <Segment>PyTuple_GET_ITEM(self.segments, i), attributes,
                units[<Py_ssize_t>self.segment_kinds[i]].h1,
            )
        return 0

    cdef int draw_by_recipes(self, Py_ssize_t kind, object key, uint64_t *draws) except -1:
        cdef uint32_t first = self.kind_draws[kind], i
        cdef key_text text
        if text_of_unit(key, &text):
            for i in range(first, self.kind_draws[kind + 1]):
                if self.recipes[i] != NULL:
                    draws[i - first] = allot_recipe_draw(self.recipes[i], text.at, text.size)
        return 0

    cdef int decide_kind(
        self, Py_ssize_t kind, object key, allot_digest unit, uint64_t *draws,
        const uint8_t *members, uint32_t *outcomes,
    ) except -1:
        cdef uint32_t first = self.kind_plans[kind], others = self.kind_others[kind]
        cdef uint32_t draw = self.kind_draws[kind]
        if others > first:
            allot_decide_plain(
                &self.plain, first, others - first, unit, members, outcomes + first
            )
        if others == self.kind_plans[kind + 1]:
            return 0
        allot_draws_over_salts(
            unit, self.s1 + draw, self.s2 + draw, self.kind_draws[kind + 1] - draw, draws
        )
        if self.mixed:
            self.draw_by_recipes(kind, key, draws)
        allot_decide_all(
            self.cores + others, self.kind_plans[kind + 1] - others, unit.h1, draws, members,
            self.ids + self.kind_ids[kind], outcomes + others,
        )
        return 0
