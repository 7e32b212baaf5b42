"""The one slot that holds the current plans, and the calls for one unit."""

from collections.abc import Mapping
from types import GenericAlias

from cpython.dict cimport PyDict_Check, PyDict_GetItemWithError
from cpython.list cimport PyList_GET_ITEM
from cpython.object cimport PyObject, PyObject_Hash
from cpython.tuple cimport PyTuple_GET_ITEM, PyTuple_GET_SIZE
from cpython.unicode cimport PyUnicode_Check, PyUnicode_CheckExact, PyUnicode_FromObject
from libc.stdint cimport int32_t, uint8_t, uint32_t, uint64_t

from allotment.errors import InvalidInput
from allotment.kernel.answers cimport answers_of
from allotment.kernel.csrc cimport (
    ALLOT_GO,
    ALLOT_SEED_UNIT,
    ALLOT_SEGMENTS_MAX,
    ALLOT_STAGES,
    allot_decide,
    allot_digest,
    allot_draw,
    allot_ids_own,
    allot_murmur3,
    allot_plan,
    allot_recipe_draw,
    allot_trace,
)
from allotment.kernel.plan cimport Plan, answer_to
from allotment.kernel.segment cimport Segment, segment_holds
from allotment.kernel.sheet cimport Sheet
from allotment.kernel.trace cimport stages_of
from allotment.kernel.unit cimport key_of_kind, key_text, text_of_unit

cdef enum:
    SHARDS = 256
    LINES = 64  # of plans that were found lately


cdef struct Case:
    # One unit before one plan: what `allot_decide` is given.
    allot_digest unit
    uint64_t draws[4]
    uint8_t members[1 + ALLOT_SEGMENTS_MAX]


cdef dict dict_of_other(object attributes):
    if not isinstance(attributes, Mapping):
        raise InvalidInput("attributes are a mapping from name to value, or None", "$.attributes")
    try:
        return dict(attributes)
    except Exception:
        return None


cdef inline dict dict_of(object attributes):
    """Attributes as a dict or None; a mapping that cannot be copied has none."""
    if attributes is None or PyDict_Check(attributes):
        return <dict>attributes
    return dict_of_other(attributes)


cdef inline bint prepare(Plan plan, object unit, dict attributes, Case *case) except -1:
    """Fills the case; 0 where the unit has no good key of the plan's kind."""
    cdef const allot_plan *core = plan.core
    cdef key_text text
    cdef object key  # it holds the text of a unit that is none
    cdef Py_ssize_t k
    if PyUnicode_Check(unit):
        if not text_of_unit(unit, &text):
            return False
    else:
        key = key_of_kind(unit, plan.unit)
        if not text_of_unit(key, &text):
            return False
    case.unit = allot_murmur3(text.at, text.size, ALLOT_SEED_UNIT)
    for k in range(core.draws):
        if core.recipes == NULL or core.recipes[k] == NULL:
            case.draws[k] = allot_draw(core.salts[k], case.unit)
        else:
            case.draws[k] = allot_recipe_draw(core.recipes[k], text.at, text.size)
    case.members[0] = 1
    for k in range(PyTuple_GET_SIZE(plan.segments)):
        case.members[k + 1] = segment_holds(
            <Segment>PyTuple_GET_ITEM(plan.segments, k), attributes, case.unit.h1
        )
    return True


cdef inline Plan plan_of(Assigner assigner, object experiment):
    """The plan of an experiment, or None: found by the name's own object where it asked lately."""
    cdef size_t at = <size_t><PyObject *>experiment
    cdef Py_ssize_t line = 2 * <Py_ssize_t>((at >> 4 ^ at >> 10) & (LINES - 1))
    if <PyObject *>PyList_GET_ITEM(assigner.lately, line) == <PyObject *>experiment:
        return <Plan>PyList_GET_ITEM(assigner.lately, line + 1)
    return assigner.look_up(experiment, line)


cdef class Assigner:
    def __cinit__(self, *args, **options):
        self.shards = tuple([{} for _ in range(SHARDS)])
        self.lately = [None] * (2 * LINES)

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
        cdef list lately = [None] * (2 * LINES)
        self.lately = lately  # both at once: what is found is of the shards
        self.shards = shards

    cdef Plan look_up(self, object experiment, Py_ssize_t line):
        cdef tuple shards = self.shards
        cdef list lately = self.lately
        cdef object name = experiment
        cdef PyObject *found
        if not PyUnicode_CheckExact(experiment):
            if not PyUnicode_Check(experiment):
                return None
            name = PyUnicode_FromObject(experiment)
        found = PyDict_GetItemWithError(
            <dict>PyTuple_GET_ITEM(shards, PyObject_Hash(name) & (SHARDS - 1)), name
        )
        if found == NULL:
            return None
        cdef Plan plan = <Plan?><object>found
        if name is experiment:  # no text of another type, which may change its mind
            lately[line], lately[line + 1] = experiment, plan
        return plan

    def assign(self, experiment, unit, attributes=None, stored=None):
        """What one unit gets in one experiment, and why; never raises for the sake of data.

        `unit` is text, an integer, or a mapping from kind to key; `attributes` a mapping or None;
        `stored` the key of the treatment that was kept for this unit earlier, or None.
        """
        cdef Case case
        cdef uint32_t outcome
        cdef int32_t kept = -1
        cdef Plan plan = plan_of(self, experiment)
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
        return answer_to(plan, outcome)

    def assign_all(self, unit, attributes=None):
        """What one unit gets in every experiment: a mapping from experiment to assignment.

        All is decided before it returns; the assignment objects are made when they are asked for.
        """
        cdef tuple shards = self.shards
        cdef Sheet sheet = self.sheet
        if sheet is None or sheet.shards is not shards:
            sheet = self.sheet = Sheet(shards)
        return answers_of(sheet, unit, dict_of(attributes))

    def trace(self, experiment, unit, attributes=None, stored=None):
        cdef Case case
        cdef allot_trace trace
        cdef uint32_t outcome
        cdef int32_t kept = -1
        cdef Plan plan = plan_of(self, experiment)
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
