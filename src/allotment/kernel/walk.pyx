"""One worker's walk over a range of rows: block by block, from columns to outcomes.

Columns in memory are read without the GIL; it is taken only where a value turns up that is not yet
decided, and, once a span, to read columns of Python objects.
"""

cimport cython
from cpython.bytearray cimport PyByteArray_AS_STRING
from libc.stdint cimport int16_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memset

from allotment.kernel.attribute cimport Attribute
from allotment.kernel.cbatch cimport (
    ALLOT_BLOCK_ROWS,
    ALLOT_SCRATCH_BYTES,
    allot_column,
    allot_decide_block,
    allot_drawn,
    allot_field_read,
    allot_members_read,
    allot_no_memory,
    allot_space,
    allot_units_read,
)
from allotment.kernel.columns cimport Columns, Source
from allotment.kernel.members cimport Members, members_of
from allotment.kernel.csrc cimport allot_recipe
from allotment.kernel.plan cimport Plan, needs_digests
from allotment.kernel.recipe cimport Recipe
from allotment.kernel.segment cimport Field, Segment
from allotment.kernel.units cimport Units

from allotment.errors import InvalidInput

cdef enum:
    SPAN_ROWS = 16 * ALLOT_BLOCK_ROWS  # digests of a span stay in the second cache
    WORDS_MAX = 1 << 16                # of a dictionary; what is found of more gains nothing


@cython.final
cdef class Walk:
    """Everything one worker needs; made under the GIL, then run over any range of rows."""

    # Zeroed memory that lives as long as the walk.
    cdef void *room(self, Py_ssize_t size):
        held = bytearray(size + 1)
        self.kept.append(held)
        return PyByteArray_AS_STRING(held)

    cdef int fill(self, int64_t start, int64_t stop) except -1:
        cdef int64_t at
        for at in range(start, stop, ALLOT_BLOCK_ROWS):
            self.fill_block(at, min(ALLOT_BLOCK_ROWS, stop - at), at - start)
        self.span_start = start
        self.span_stop = stop
        return 0

    cdef int fill_block(self, int64_t at, int64_t n, int64_t skip) except -1:
        cdef Units units
        cdef Attribute attribute
        cdef Py_ssize_t i
        for i in range(self.kinds_count):
            units = self.units[i]
            if units is not None and units.column is None:
                units.digest_items(self.names[i], at, n, self.space, self.kinds[i].h1,
                                   self.kinds[i].h2, self.kinds[i].ok, self.kinds[i].drawn,
                                   self.kinds[i].recipes, skip)
        for i in range(self.fields_count):
            attribute = self.attributes[i]
            if attribute.source.column is None:
                attribute.read_items(at, n, self.space, self.fields[i].codes + skip)
        return 0

    cdef int decide(self) except -1:
        cdef Attribute attribute
        cdef Members members
        for attribute in self.attributes:
            attribute.decide()
        for members in self.members:
            members.refresh()
        return 0

    cdef int refuse(self, const char *wrong) except -1:
        if wrong == allot_no_memory:
            raise MemoryError
        raise InvalidInput(f"a column {wrong.decode()}")

    cdef const char *read(self, int64_t at, int64_t n) noexcept nogil:
        cdef Py_ssize_t i
        cdef const char *wrong = NULL
        for i in range(self.kinds_count):
            if self.kinds[i].pieces != NULL:
                wrong = allot_units_read(self.kinds[i].pieces, at, n, self.space,
                                         self.kinds[i].h1 if self.kinds[i].digests else NULL,
                                         self.kinds[i].h2, self.kinds[i].ok,
                                         self.kinds[i].drawn, self.kinds[i].recipes)
                if wrong != NULL:
                    return wrong
        for i in range(self.fields_count):
            self.codes[i] = self.fields[i].codes
            if self.fields[i].pieces == NULL:
                self.codes[i] += at - self.span_start
                continue
            wrong = allot_field_read(self.fields[i].pieces, at, n, self.space,
                                     self.fields[i].intern, &self.fields[i].words,
                                     self.fields[i].codes)
            if wrong != NULL:
                return wrong
        return NULL

    cdef bint is_behind(self) noexcept nogil:
        cdef Py_ssize_t i
        for i in range(self.fields_count):
            if self.fields[i].decided[0] < self.fields[i].intern.count:
                return True
        return False

    cdef void write(self, int64_t at, int64_t n) noexcept nogil:
        cdef Py_ssize_t i
        cdef int64_t skip
        cdef segment_rows *segment
        cdef plan_rows *plan
        cdef kind_rows *kind
        cdef const uint64_t *drawn[4]
        cdef int k
        for i in range(self.segments_count):
            segment = &self.segments[i]
            kind = &self.kinds[segment.kind]
            skip = 0 if kind.pieces != NULL else at - self.span_start
            allot_members_read(segment.membership, self.codes, kind.h1 + skip, n, self.bits,
                               segment.members)
        for i in range(self.plans_count):
            plan = &self.plans[i]
            kind = &self.kinds[plan.kind]
            skip = 0 if kind.pieces != NULL else at - self.span_start
            for k in range(4):
                drawn[k] = plan.drawn[k] + skip if plan.drawn[k] != NULL else NULL
            allot_decide_block(plan.plan, kind.h1 + skip, kind.h2 + skip, kind.ok + skip,
                               drawn if plan.plan.recipes != NULL else NULL,
                               self.membership, plan.ids,
                               self.stored + at if self.stored != NULL else NULL, n,
                               &self.space.block, plan.codes + at, plan.reasons + at)

    cdef int run(self, int64_t start, int64_t stop) except -1:
        cdef int64_t at = start, n
        cdef const char *wrong = NULL
        self.span_start = self.span_stop = start
        with nogil:
            while at < stop:
                if at == self.span_stop:
                    n = min(SPAN_ROWS, stop - at)
                    if self.fills:
                        with gil:
                            self.fill(at, at + n)
                    else:
                        self.span_start = at
                        self.span_stop = at + n
                n = min(ALLOT_BLOCK_ROWS, self.span_stop - at)
                wrong = self.read(at, n)
                if wrong != NULL:
                    break
                if self.is_behind():
                    with gil:
                        self.decide()
                self.write(at, n)
                at += n
        if wrong != NULL:
            self.refuse(wrong)
        return 0


    # Room for the digests of each kind of unit that a plan has.
    cdef int lay_kinds(self, list names, dict kinds, tuple plans) except -1:
        cdef Units units
        cdef Py_ssize_t i, rows
        self.names = names
        self.units = [kinds.get(name) for name in names]
        self.kinds_count = len(names)
        self.kinds = <kind_rows *>self.room(len(names) * sizeof(kind_rows))
        for i in range(self.kinds_count):
            units = self.units[i]
            rows = SPAN_ROWS
            if units is not None and units.column is not None:
                rows = ALLOT_BLOCK_ROWS
                self.kinds[i].pieces = &units.column.pieces
                self.lay_scratch(units.column.is_spelled())
            elif units is not None:
                self.fills = True
            self.kinds[i].h1 = <uint64_t *>self.room(rows * sizeof(uint64_t))
            self.kinds[i].h2 = <uint64_t *>self.room(rows * sizeof(uint64_t))
            self.kinds[i].ok = <uint8_t *>self.room(rows)
            self.lay_recipes(i, rows, plans)
        return 0

    # One column of draws for each recipe that a plan of the kind has.
    cdef int lay_recipes(self, Py_ssize_t kind, Py_ssize_t rows, tuple plans) except -1:
        cdef Plan plan
        cdef Recipe recipe
        cdef allot_drawn *drawn
        cdef list recipes = list(dict.fromkeys([
            recipe for plan in plans if plan.unit == self.names[kind] for recipe in plan.recipes]))
        drawn = <allot_drawn *>self.room(len(recipes) * sizeof(allot_drawn))
        for recipe in recipes:
            drawn[self.kinds[kind].recipes].recipe = &recipe.core
            drawn[self.kinds[kind].recipes].draws = <uint64_t *>self.room(rows * sizeof(uint64_t))
            self.kinds[kind].recipes += 1
        self.kinds[kind].drawn = drawn
        self.kinds[kind].digests = any([
            needs_digests(<Plan>plan) for plan in plans if plan.unit == self.names[kind]])
        return 0

    cdef int lay_scratch(self, bint is_spelled) except -1:
        if is_spelled and self.space.scratch == NULL:
            self.space.scratch = <uint8_t *>self.room(ALLOT_SCRATCH_BYTES)
        return 0

    # One attribute for each path that any segment reads and the columns have.
    cdef int lay_fields(self, list segments, Columns columns) except -1:
        cdef Segment segment
        cdef Field field
        cdef Source source
        cdef Attribute attribute
        cdef Py_ssize_t i, rows
        fields = {}
        for segment in segments:
            for field in segment.fields:
                fields.setdefault(field.path, []).append(field)
        self.attributes = []
        self.places = {}
        for path, readers in fields.items():
            source = columns.source(path)
            if source is not None:
                for i, field in enumerate(readers):
                    self.places[field] = (len(self.attributes), i)
                self.attributes.append(Attribute.of(source, readers))
        self.fields_count = len(self.attributes)
        self.fields = <field_rows *>self.room(self.fields_count * sizeof(field_rows))
        self.codes = <const uint32_t **>self.room(self.fields_count * sizeof(void *))
        for i in range(self.fields_count):
            attribute = self.attributes[i]
            rows = SPAN_ROWS
            if attribute.source.column is not None:
                rows = ALLOT_BLOCK_ROWS
                self.fields[i].pieces = &attribute.source.column.pieces
                self.lay_scratch(attribute.source.column.is_spelled())
                self.lay_words(&self.fields[i])
            else:
                self.fills = True
            self.fields[i].intern = &attribute.intern
            self.fields[i].decided = &attribute.decided
            self.fields[i].codes = <uint32_t *>self.room(rows * sizeof(uint32_t))
        return 0

    # Room for the codes of the words of the largest dictionary that is not too large.
    cdef int lay_words(self, field_rows *field) except -1:
        cdef const allot_column *words
        cdef int64_t i
        for i in range(field.pieces.count):
            words = field.pieces.columns[i].words
            if words != NULL and words.rows <= min(WORDS_MAX, field.pieces.columns[i].rows):
                field.words.room = max(field.words.room, words.rows)
        field.words.codes = <uint32_t *>self.room(field.words.room * sizeof(uint32_t))
        return 0

    # One column of members for each segment, and one more, the first, for everyone. A segment with
    # lists asks them for the unit of the plan, so it has a column for each kind of unit.
    cdef int lay_segments(self, list sheets) except -1:
        cdef Segment segment
        cdef Field field
        cdef Members members
        cdef Py_ssize_t i, words = 1
        self.segments_count = len(sheets)
        self.segments = <segment_rows *>self.room(len(sheets) * sizeof(segment_rows))
        self.membership = <uint8_t *>self.room((1 + len(sheets)) * ALLOT_BLOCK_ROWS)
        memset(self.membership, 1, ALLOT_BLOCK_ROWS)
        self.members = []
        for i, (segment, kind) in enumerate(sheets):
            there = [self.places[field] for field in segment.fields if field in self.places]
            members = members_of(segment, [self.attributes[place] for place, _ in there],
                                 [place for place, _ in there], [table for _, table in there])
            self.members.append(members)
            self.segments[i].membership = &members.core
            self.segments[i].kind = kind
            self.segments[i].members = self.membership + (1 + i) * ALLOT_BLOCK_ROWS
            words = max(words, segment.core.words)
        self.bits = <uint64_t *>self.room(words * sizeof(uint64_t))
        return 0

    cdef int lay_plans(self, tuple plans, list names, list sheets, list codes,
                       list reasons) except -1:
        cdef Plan plan
        cdef Py_ssize_t i, k
        columns = {sheet: (1 + i) * ALLOT_BLOCK_ROWS for i, sheet in enumerate(sheets)}
        self.plans_count = len(plans)
        self.plans = <plan_rows *>self.room(len(plans) * sizeof(plan_rows))
        for i in range(self.plans_count):
            plan = plans[i]
            self.plans[i].plan = plan.core
            self.plans[i].kind = names.index(plan.unit)
            for k in range(plan.core.draws if plan.core.recipes != NULL else 0):
                self.plans[i].drawn[k] = draws_by(
                    &self.kinds[self.plans[i].kind], plan.core.recipes[k])
            self.plans[i].ids = <uint32_t *>self.room(plan.core.members * sizeof(uint32_t))
            for k in range(len(plan.segments)):
                self.plans[i].ids[k + 1] = columns[_sheet_of(plan.segments[k], plan.unit, names)]
            self.plans[i].codes = <int16_t *><size_t>codes[i].ctypes.data
            self.plans[i].reasons = <uint8_t *><size_t>reasons[i].ctypes.data
        return 0


cdef uint64_t *draws_by(const kind_rows *kind, const allot_recipe *recipe) noexcept:
    """Where the kind's draws by a recipe are; NULL for a native draw, which has none."""
    cdef size_t k
    for k in range(kind.recipes):
        if kind.drawn[k].recipe == recipe:
            return kind.drawn[k].draws
    return NULL


cdef tuple _sheet_of(Segment segment, str unit, list names):
    return segment, names.index(unit) if segment.lists else 0


cdef Walk walk_of(tuple plans, dict kinds, Columns columns, list codes, list reasons,
                  object stored):
    """A walk over `kinds` (of unit, to Units) that writes a column of codes and one of reasons for
    each plan. A kind no units are given for has no rows that are a unit."""
    cdef Walk walk = Walk.__new__(Walk)
    walk.kept = [plans, codes, reasons, stored]
    walk.space = <allot_space *>walk.room(sizeof(allot_space))
    if stored is not None:
        walk.stored = <const int16_t *><size_t>stored.ctypes.data
    names = list(dict.fromkeys([(<Plan>plan).unit for plan in plans]))
    sheets = list(dict.fromkeys([
        _sheet_of(segment, (<Plan>plan).unit, names)
        for plan in plans for segment in (<Plan>plan).segments]))
    walk.lay_kinds(names, kinds, plans)
    walk.lay_fields(list(dict.fromkeys([segment for segment, _ in sheets])), columns)
    walk.lay_segments(sheets)
    walk.lay_plans(plans, names, sheets, codes, reasons)
    return walk
