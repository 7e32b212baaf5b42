cimport cython
from cpython.bytes cimport PyBytes_AS_STRING
from cpython.object cimport PyObject
from libc.stdint cimport uint64_t

from allotment.kernel.csrc cimport allot_idset, allot_segment, allot_segment_holds
from allotment.kernel.memo cimport Memo, found_lately
from allotment.kernel.usual cimport in_dict


# None, where `in_dict` found nothing; also where a hostile key raised.
cdef object nothing()


# What nested mappings hold at a path; None where a step is missing, null or no mapping.
cdef object at_path(dict attributes, tuple path)


@cython.final
cdef class Field:
    """A path to a value, and the memo of what the clauses on it made of each value seen."""

    cdef readonly tuple path
    cdef str key                       # the path, where it has one step; interned
    cdef object decide
    cdef Memo texts                    # None until one is met, as the two that follow
    cdef dict integers, floats         # exact value -> bytes
    cdef bytes yes, no, other          # for True, False, and OPAQUE
    cdef bytes absent                  # all bits 0
    cdef Py_ssize_t size               # of all these bytes
    cdef Py_ssize_t memo_max           # entries a dict

    # What `attributes` has at the path; None where it has nothing.
    cdef object of(self, dict attributes)
    # The clause bits of any value: nothing for None, those of its elements for a list.
    cdef bytes bits_for(self, object value)
    # The clause bits of one present value: `words` * 8 bytes, little-endian. The batch asks this
    # once per distinct value.
    cdef bytes bits_of(self, object value)

    cdef bytes bits_of_elements(self, object values)
    cdef bytes decided(self, object value)
    cdef bytes remembered(self, dict memo, object value)
    cdef bytes bits_of_text(self, object text)


@cython.final
cdef class Segment:
    cdef allot_segment core       # its program and its lists point into the members below
    cdef readonly tuple fields    # of Field
    cdef readonly tuple lists     # of IdSet
    cdef Field single             # its field, where it has just one
    cdef bint quick               # it has just one, of a path of one step
    cdef bytes program
    cdef const allot_idset **pointers

    # 1 if the unit is a member, else 0; `attributes` may be None.
    cdef int holds(self, dict attributes, uint64_t unit_h1) except -1
    # The same where the segment has a single field, of that field's value.
    cdef int holds_value(self, object value, uint64_t unit_h1) except -1
    cdef int holds_fields(self, dict attributes, uint64_t unit_h1) except -1


# As `Segment.holds`, at once for a text that was met lately.
cdef inline int segment_holds(Segment segment, dict attributes, uint64_t unit_h1) except -1:
    cdef PyObject *value
    cdef PyObject *bits
    if not segment.quick or attributes is None:
        return segment.holds(attributes, unit_h1)
    value = in_dict(attributes, <PyObject *>segment.single.key)
    if value == NULL:
        return segment.holds_value(nothing(), unit_h1)
    bits = found_lately(segment.single.texts, value)
    if bits == NULL:
        return segment.holds_value(<object>value, unit_h1)
    return allot_segment_holds(
        &segment.core, <const uint64_t *><const void *>PyBytes_AS_STRING(<object>bits), unit_h1
    )
