from allotment.kernel.cbatch cimport allot_column, allot_value

# One value that a batch met, as the Python object that a single call would be given.
cdef object value_of(const allot_value *value)
# The rows of a view: None where a row is null, an empty dict for a struct.
cdef list values_of(const allot_column *column, str path)
# The rows of a list view as lists of `elements`, the rows of its child.
cdef list lists_of(const allot_column *column, list elements, str path)
