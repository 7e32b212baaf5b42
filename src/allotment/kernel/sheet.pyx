"""All plans of a snapshot laid out for one unit: first its segments, then all draws, then plans."""

cimport cython
from cpython.mem cimport PyMem_Calloc, PyMem_Free, PyMem_Malloc
from cpython.tuple cimport PyTuple_GET_ITEM
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memset

from allotment.errors import InvalidInput
from allotment.kernel.csrc cimport (
    allot_decide_all,
    allot_digest,
    allot_draws_over_salts,
    allot_plan,
    allot_recipe,
    allot_recipe_draw,
)
from allotment.kernel.plan cimport Plan
from allotment.kernel.segment cimport Segment
from allotment.kernel.topic cimport Topic
from allotment.kernel.unit cimport digest_of_unit, key_of_kind, key_text, text_of_unit

cdef enum:
    STACK_WORDS = 1024


cdef tuple question(Segment segment, Py_ssize_t kind):
    """What tells distinct questions apart: the segment and, but for a topic's, the kind of unit."""
    cdef bint topical = segment.single is not None and not segment.lists
    return id(segment), -1 if topical else kind


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
        cdef list order = sorted(self.names, key=lambda name: (<Plan>found[name]).unit)
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
        cdef dict members = self.gather()
        cdef Plan plan
        cdef uint32_t i, k, draw = 0, id_ = 0
        cdef Py_ssize_t kind = -1, ids = 0
        for plan in self.plans:
            self.draws += plan.core.draws
            ids += plan.core.members
        self.reserve(ids)
        for i, plan in enumerate(self.plans):
            if kind < 0 or plan.unit != self.kinds[kind]:
                kind += 1
                self.kind_plans[kind], self.kind_draws[kind], self.kind_ids[kind] = i, draw, id_
            self.cores[i] = plan.core
            for k in range(plan.core.draws):
                self.s1[draw], self.s2[draw] = plan.core.salts[k].h1, plan.core.salts[k].h2
                if plan.core.recipes != NULL:
                    self.recipes[draw] = plan.core.recipes[k]
                    self.mixed = True
                draw += 1
            self.ids[id_] = 0
            for segment in plan.segments:
                id_ += 1
                self.ids[id_] = members[question(segment, kind)]
            id_ += 1
        kind += 1
        self.kind_plans[kind], self.kind_draws[kind], self.kind_ids[kind] = self.count, draw, id_
        return 0

    cdef int reserve(self, Py_ssize_t ids) except -1:
        cdef Py_ssize_t kinds = len(self.kinds) + 1
        cdef Py_ssize_t size = 8 * (self.count + 3 * <Py_ssize_t>self.draws) + 4 * (3 * kinds + ids)
        self.block = PyMem_Calloc(size, 1)
        if self.block == NULL:
            raise MemoryError
        self.cores = <const allot_plan **>self.block
        self.s1 = <uint64_t *>(self.cores + self.count)
        self.s2 = self.s1 + self.draws
        self.recipes = <const allot_recipe **>(self.s2 + self.draws)
        self.kind_plans = <uint32_t *>(self.recipes + self.draws)
        self.kind_draws = self.kind_plans + kinds
        self.kind_ids = self.kind_draws + kinds
        self.ids = self.kind_ids + kinds
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
                    self.decide_kind(kind, keys[kind], units[kind], draws, members, outcomes)
                else:
                    for i in range(self.kind_plans[kind], self.kind_plans[kind + 1]):
                        outcomes[i] = self.cores[i].no_unit
            return 0
        finally:
            if draws != few:
                PyMem_Free(draws)

    cdef list digest(self, object unit, allot_digest *units, bint *good):
        """The keys of all kinds, asked once; their digests go into `units`."""
        cdef list keys = [key_of_kind(unit, name) for name in self.kinds]
        cdef Py_ssize_t kind
        memset(units, 0, len(self.kinds) * sizeof(allot_digest))
        for kind in range(len(self.kinds)):
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
            at[i] = (<Segment>PyTuple_GET_ITEM(self.segments, i)).holds(
                attributes, units[<Py_ssize_t>self.segment_kinds[i]].h1
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
        cdef uint32_t first = self.kind_plans[kind], draw = self.kind_draws[kind]
        allot_draws_over_salts(
            unit, self.s1 + draw, self.s2 + draw, self.kind_draws[kind + 1] - draw, draws
        )
        if self.mixed:
            self.draw_by_recipes(kind, key, draws)
        allot_decide_all(
            self.cores + first, self.kind_plans[kind + 1] - first, unit.h1, draws, members,
            self.ids + self.kind_ids[kind], outcomes + first,
        )
        return 0
