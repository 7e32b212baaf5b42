"""Which registers of the processor the kernel works with."""

from libc.stdlib cimport getenv

from allotment.errors import InvalidInput


cdef extern from "paths.h":
    ctypedef enum allot_path:
        ALLOT_PATHS
    allot_path allot_path_taken
    const char *allot_path_name(allot_path path) noexcept
    bint allot_path_is_here(allot_path path) noexcept


def paths_here():
    """The paths that this processor has, the widest last."""
    return tuple([
        allot_path_name(<allot_path>path).decode() for path in range(<int>ALLOT_PATHS)
        if allot_path_is_here(<allot_path>path)
    ])


def path_taken():
    """The path that this process takes."""
    return allot_path_name(allot_path_taken).decode()


def check_asked(asked, here):
    """Refuses a path that is not `here`; None and an empty text ask for the widest."""
    if asked and asked not in here:
        raise InvalidInput(
            f"ALLOTMENT_CPU is {asked!r}, and this processor has {', '.join(here)}: name one of"
            " these, or unset it")


cdef const char *asked_of_all = getenv("ALLOTMENT_CPU")
if asked_of_all != NULL:
    check_asked(asked_of_all.decode("utf-8", "replace"), paths_here())
