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
    allot_decide_one,
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
    bint good
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


cdef uint32_t decide(
    Plan plan, object unit, dict attributes, int32_t kept, Case *case, allot_trace *trace
) except 0:
    """The outcome of a unit; without a good key of the plan's kind the case is not filled."""
    cdef const allot_plan *core = plan.core
    cdef key_text text
    cdef object key  # it holds the text of a unit that is none
    cdef allot_digest digest
    cdef Py_ssize_t k
    case.good = False
    if PyUnicode_Check(unit):
        if not text_of_unit(unit, &text):
            return core.no_unit
    else:
        key = key_of_kind(unit, plan.unit)
        if not text_of_unit(key, &text):
            return core.no_unit
    digest = allot_murmur3(text.at, text.size, ALLOT_SEED_UNIT)
    case.good = True
    case.members[0] = 1
    for k in range(PyTuple_GET_SIZE(plan.segments)):
        case.members[k + 1] = segment_holds(
            <Segment>PyTuple_GET_ITEM(plan.segments, k), attributes, digest.h1
        )
    if core.plain and trace == NULL:
        return allot_decide_one(core, digest, case.members)
    for k in range(core.draws):
        if core.recipes == NULL or core.recipes[k] == NULL:
            case.draws[k] = allot_draw(core.salts[k], digest)
        else:
            case.draws[k] = allot_recipe_draw(core.recipes[k], text.at, text.size)
    if trace == NULL:
        return allot_decide(
            core, digest.h1, case.draws, 1, case.members, allot_ids_own, kept, NULL
        )
    return allot_decide(core, digest.h1, case.draws, 1, case.members, allot_ids_own, kept, trace)


cdef inline Plan plan_of(Assigner assigner, object experiment):
    """The plan of an experiment, or None: found by the name's own object where it asked lately."""
    cdef size_t at = <size_t><PyObject *>experiment
    cdef Py_ssize_t line = 2 * <Py_ssize_t>((at >> 4 ^ at >> 10) & (LINES - 1))
    if <PyObject *>PyList_GET_ITEM(assigner.lately, line) == <PyObject *>experiment:
        return <Plan>PyList_GET_ITEM(assigner.lately, line + 1)
    return assigner.look_up(experiment, line)


cdef object answer_of(
    Assigner self, object experiment, object unit, object attributes, object stored
):
    """What `assign` gives."""
    cdef Case case
    cdef int32_t kept = -1
    cdef Plan plan = plan_of(self, experiment)
    if plan is None:
        return self.unknown(experiment)
    if stored is not None:
        kept = plan.place_of(stored)
    return answer_to(plan, decide(plan, unit, dict_of(attributes), kept, &case, NULL))


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
        return answer_of(self, experiment, unit, attributes, stored)

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
        outcome = decide(plan, unit, dict_of(attributes), kept, &case, &trace)
        if not case.good:
            return stages_of(plan, outcome, NULL, NULL, NULL)
        return stages_of(plan, outcome, &trace, case.draws, case.members)


cdef extern from *:
    """
    /* Most calls of `assign` have two or three arguments and no keyword. What Cython does to tell
     * all calls apart, and to count references that the caller holds anyway, is a tenth of such a
     * call, so it goes straight to `answer_of`. Any other goes to the method that Cython made. */
    typedef PyObject *direct_answer(PyObject *, PyObject *, PyObject *, PyObject *, PyObject *);
    typedef PyObject *direct_method(PyObject *, PyObject *const *, Py_ssize_t, PyObject *);
    static direct_answer *direct_answer_of;
    static direct_method *direct_made;

    static PyObject *direct_assign(PyObject *self, PyObject *const *args, Py_ssize_t count,
                                   PyObject *names)
    {
        if (names != NULL || count < 2 || count > 3)
            return direct_made(self, args, count, names);
        return direct_answer_of(self, args[0], args[1], count == 3 ? args[2] : Py_None, Py_None);
    }

    static void direct_from(PyObject *method, void *answer_of)
    {
        PyMethodDef *def = ((PyMethodDescrObject *)method)->d_method;
        if (def->ml_flags != (METH_FASTCALL | METH_KEYWORDS) || direct_made)
            return; /* Cython passes arguments otherwise, or the module is made a second time */
        direct_made = (direct_method *)(void *)def->ml_meth;
        direct_answer_of = (direct_answer *)answer_of;
        def->ml_meth = (PyCFunction)(void *)direct_assign;
    }
    """
    void direct_from(object method, void *answer_of)

direct_from(Assigner.__dict__["assign"], <void *>answer_of)
