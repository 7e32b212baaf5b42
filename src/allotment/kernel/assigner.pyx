"""The one slot that holds the current plans, and the calls for one unit."""

from collections.abc import Mapping
from types import GenericAlias

from cpython.dict cimport PyDict_Check, PyDict_GetItemWithError
from cpython.object cimport PyObject, PyObject_Hash
from cpython.tuple cimport PyTuple_GET_ITEM, PyTuple_GET_SIZE
from cpython.unicode cimport PyUnicode_Check, PyUnicode_CheckExact, PyUnicode_FromObject
from libc.stdint cimport int32_t, uint8_t, uint32_t, uint64_t

from allotment.errors import InvalidInput
from allotment.kernel.answers cimport Answers
from allotment.kernel.csrc cimport (
    ALLOT_GO,
    ALLOT_SEED_UNIT,
    ALLOT_SEGMENTS_MAX,
    ALLOT_STAGES,
    allot_decide,
    allot_digest,
    allot_draw,
    allot_digest_text,
    allot_ids_own,
    allot_plan,
    allot_recipe_draw,
    allot_trace,
)
from allotment.kernel.plan cimport Plan
from allotment.kernel.segment cimport Segment
from allotment.kernel.sheet cimport Sheet
from allotment.kernel.trace cimport stages_of
from allotment.kernel.unit cimport key_of_kind, key_text, text_of_unit

cdef enum:
    SHARDS = 256


cdef struct Case:
    # One unit before one plan: what `allot_decide` is given.
    allot_digest unit
    uint64_t draws[4]
    uint8_t members[1 + ALLOT_SEGMENTS_MAX]


cdef dict dict_of(object attributes):
    """Attributes as a dict or None; a mapping that cannot be copied has none."""
    if attributes is None:
        return None
    if PyDict_Check(attributes):
        return <dict>attributes
    if not isinstance(attributes, Mapping):
        raise InvalidInput("attributes are a mapping from name to value, or None", "$.attributes")
    try:
        return dict(attributes)
    except Exception:
        return None


cdef inline bint prepare(Plan plan, object unit, dict attributes, Case *case) except -1:
    """Fills the case; 0 where the unit has no good key of the plan's kind."""
    cdef const allot_plan *core = plan.core
    cdef key_text text
    cdef object key = key_of_kind(unit, plan.unit)  # it holds the text
    cdef Py_ssize_t k
    if not text_of_unit(key, &text):
        return False
    case.unit = allot_digest_text(text.at, text.size, ALLOT_SEED_UNIT)
    for k in range(core.draws):
        if core.recipes == NULL or core.recipes[k] == NULL:
            case.draws[k] = allot_draw(core.salts[k], case.unit)
        else:
            case.draws[k] = allot_recipe_draw(core.recipes[k], text.at, text.size)
    case.members[0] = 1
    for k in range(PyTuple_GET_SIZE(plan.segments)):
        case.members[k + 1] = (<Segment>PyTuple_GET_ITEM(plan.segments, k)).holds(
            attributes, case.unit.h1
        )
    return True


cdef class Assigner:
    def __cinit__(self, *args, **options):
        self.shards = tuple([{} for _ in range(SHARDS)])

    @classmethod
    def __class_getitem__(cls, answer):
        return GenericAlias(cls, answer)

    def __init__(self, unknown):
        self.unknown = unknown

    def publish_plans(self, plans):
        shards = plans.shards
        if type(shards) is not tuple or len(shards) != SHARDS:
            raise InvalidInput(f"plans come in {SHARDS} shards")
        if not all(type(shard) is dict for shard in shards):
            raise InvalidInput("a shard is a dict from experiment to plan")
        self.shards = shards

    cdef Plan plan_of(self, object experiment):
        cdef PyObject *found
        if not PyUnicode_CheckExact(experiment):
            if not PyUnicode_Check(experiment):
                return None
            experiment = PyUnicode_FromObject(experiment)
        found = PyDict_GetItemWithError(
            <dict>PyTuple_GET_ITEM(self.shards, PyObject_Hash(experiment) & (SHARDS - 1)),
            experiment,
        )
        return None if found == NULL else <Plan?><object>found

    def assign(self, experiment, unit, attributes=None, stored=None):
        """What one unit gets in one experiment, and why; never raises for the sake of data.

        `unit` is text, an integer, or a mapping from kind to key; `attributes` a mapping or None;
        `stored` the key of the treatment that was kept for this unit earlier, or None.
        """
        cdef Case case
        cdef uint32_t outcome
        cdef int32_t kept = -1
        cdef Plan plan = self.plan_of(experiment)
        if plan is None:
            return self.unknown(experiment)
        if stored is not None:
            kept = plan.place_of(stored)
        if prepare(plan, unit, dict_of(attributes), &case):
            outcome = allot_decide(
                plan.core, case.unit.h1, case.draws, 1, case.members, allot_ids_own, kept, NULL
            )
        else:
            outcome = plan.core.no_unit
        return plan.answer_to(outcome)

    def assign_all(self, unit, attributes=None):
        """What one unit gets in every experiment: a mapping from experiment to assignment.

        All is decided before it returns; the assignment objects are made when they are asked for.
        """
        cdef tuple shards = self.shards
        cdef Sheet sheet = self.sheet
        if sheet is None or sheet.shards is not shards:
            sheet = self.sheet = Sheet(shards)
        return Answers(sheet, unit, dict_of(attributes))

    def trace(self, experiment, unit, attributes=None, stored=None):
        cdef Case case
        cdef allot_trace trace
        cdef uint32_t outcome
        cdef int32_t kept = -1
        cdef Plan plan = self.plan_of(experiment)
        if plan is None:
            return None
        if stored is not None:
            kept = plan.place_of(stored)
        if not prepare(plan, unit, dict_of(attributes), &case):
            return stages_of(plan, plan.core.no_unit, NULL, NULL, NULL)
        outcome = allot_decide(
            plan.core, case.unit.h1, case.draws, 1, case.members, allot_ids_own, kept, &trace
        )
        return stages_of(plan, outcome, &trace, case.draws, case.members)
