"""The answers of one unit in all experiments: outcomes now, objects when they are asked for."""

from collections.abc import ItemsView, KeysView, Mapping, ValuesView

cimport cython
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from libc.stdint cimport uint32_t

from allotment.kernel.plan cimport Plan, answer_to
from allotment.kernel.sheet cimport Sheet


cdef Sheet NOTHING = Sheet(())


cdef Answers answers_of(Sheet sheet, object unit, dict attributes):
    """What a unit gets in every experiment of the sheet."""
    cdef Answers answers = Answers.__new__(Answers)
    cdef uint32_t *outcomes = <uint32_t *>PyMem_Malloc((sheet.count + 1) * sizeof(uint32_t))
    if outcomes == NULL:
        raise MemoryError
    answers.outcomes = outcomes
    sheet.decide(unit, attributes, outcomes)
    answers.sheet = sheet
    return answers


# It refers to a sheet alone, which never refers back: the collector has nothing to find here.
@cython.no_gc
@cython.freelist(8)
@cython.final
cdef class Answers:
    def __cinit__(self):
        self.sheet = NOTHING  # `assign_all` makes them; by itself one answers for nothing

    def __dealloc__(self):
        PyMem_Free(self.outcomes)

    def __getitem__(self, experiment):
        cdef Py_ssize_t place = self.sheet.places[experiment]
        return answer_to(<Plan>self.sheet.plans[place], self.outcomes[place])

    def __len__(self):
        return self.sheet.count

    def __iter__(self):
        return iter(self.sheet.names)

    def __contains__(self, experiment):
        return experiment in self.sheet.places

    def get(self, experiment, default=None):
        return self[experiment] if experiment in self.sheet.places else default

    def keys(self):
        return KeysView(self)

    def values(self):
        return ValuesView(self)

    def items(self):
        return ItemsView(self)

    def __eq__(self, other):
        if not isinstance(other, Mapping):
            return NotImplemented
        return dict(self.items()) == dict(other.items())

    __hash__ = None

    def __reduce__(self):
        return dict, (dict(self.items()),)

    def __repr__(self):
        return f"Answers({dict(self.items())!r})"


Mapping.register(Answers)
