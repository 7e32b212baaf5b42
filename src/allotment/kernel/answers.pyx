"""The answers of one unit in all experiments: outcomes now, objects when they are asked for."""

from collections.abc import ItemsView, KeysView, Mapping, ValuesView

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from cpython.object cimport PyObject
from cpython.tuple cimport PyTuple_GET_ITEM
from libc.stdint cimport uint32_t
from libc.string cimport memcpy

from allotment.kernel.plan cimport Plan, answer_to, text_to
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


cdef bytes joined(PyObject **texts, Py_ssize_t count, Py_ssize_t size):
    """The texts with commas between, in braces."""
    cdef bytes whole = PyBytes_FromStringAndSize(NULL, size + max(0, count - 1) + 2)
    cdef char *at = PyBytes_AS_STRING(whole)
    cdef Py_ssize_t i, length
    at[0] = b"{"
    at += 1
    for i in range(count):
        if i > 0:
            at[0] = b","
            at += 1
        length = PyBytes_GET_SIZE(<object>texts[i])
        memcpy(at, PyBytes_AS_STRING(<object>texts[i]), length)
        at += length
    at[0] = b"}"
    return whole


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

    def json(self, write not None):
        cdef Sheet sheet = self.sheet
        cdef PyObject **texts = <PyObject **>PyMem_Malloc((sheet.count + 1) * sizeof(PyObject *))
        cdef Py_ssize_t i, size = 0
        cdef uint32_t place, outcome
        cdef Plan plan
        if texts == NULL:
            raise MemoryError
        try:
            for i in range(sheet.count):
                place = sheet.sorted[i]
                outcome = self.outcomes[place]
                plan = <Plan>PyTuple_GET_ITEM(sheet.plans, place)
                texts[i] = text_to(plan, outcome, <PyObject *>write)
                if texts[i] == NULL:
                    return self.written(write)
                size += PyBytes_GET_SIZE(<object>texts[i])
            return joined(texts, sheet.count, size)
        finally:
            PyMem_Free(texts)

    cdef bytes written(self, object write):
        """The same where a text is not written yet: to write it may run any Python code."""
        cdef list texts = []
        cdef Py_ssize_t place
        for name in self.sheet.names:
            place = self.sheet.places[name]
            texts.append((<Plan>self.sheet.plans[place]).written(self.outcomes[place], write))
        return b"{%b}" % b",".join(texts)

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
