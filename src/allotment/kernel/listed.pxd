"""Texts straight from a list of Python objects, read where they lie."""

from allotment.kernel.cbatch cimport allot_text


cdef extern from *:
    """
    #include "column.h"

    /* The texts of items [start, start + n): those of plain ASCII, the usual kind, which is read
     * without a call that could run any code. An item of another kind has no text, like None, and
     * others[i] 1. Returns how many of these there are, or -1 where the list is shorter than that.
     *
     * The items to come, their headers and the texts behind these, are fetched ahead: a list may
     * lie in memory in any order. */
    static Py_ssize_t allot_list_texts(PyObject *items, Py_ssize_t start, Py_ssize_t n,
                                       allot_text *texts, unsigned char *others) {
        const Py_ssize_t ahead = 128, size = PyList_GET_SIZE(items);
        Py_ssize_t count = 0;
        if (start + n > size) return -1;
        for (Py_ssize_t i = 0; i < n; i++) {
            PyObject *item = PyList_GET_ITEM(items, start + i);
            if (start + i + ahead < size) {
                const char *later = (const char *)PyList_GET_ITEM(items, start + i + ahead);
                __builtin_prefetch(later);
                __builtin_prefetch(later + 64);
            }
            if (PyUnicode_Check(item) && PyUnicode_IS_COMPACT_ASCII(item)) {
                texts[i].at = (const uint8_t *)((PyASCIIObject *)item + 1);
                texts[i].size = (size_t)PyUnicode_GET_LENGTH(item);
                __builtin_prefetch(texts[i].at + texts[i].size);
                others[i] = 0;
            } else {
                texts[i].at = NULL;
                texts[i].size = 0;
                others[i] = item != Py_None;
                count += others[i];
            }
        }
        return count;
    }
    """
    Py_ssize_t allot_list_texts(list items, Py_ssize_t start, Py_ssize_t n, allot_text *texts,
                                unsigned char *others) noexcept
