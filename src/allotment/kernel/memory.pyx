"""How much memory the C library keeps for later, where it is glibc."""

cdef extern from *:
    """
    #include <stdlib.h>
    #ifdef __GLIBC__
    #include <malloc.h>
    static int allot_keep_memory(int bytes)
    {
        return mallopt(M_ARENA_MAX, 2) && mallopt(M_TRIM_THRESHOLD, bytes) &&
               mallopt(M_MMAP_THRESHOLD, bytes / 2);
    }
    #else
    static int allot_keep_memory(int bytes) { return (void)bytes, 0; }
    #endif
    """
    bint allot_keep_memory(int size)


def keep_memory(int size):
    """Keep so many bytes of what was freed, twice at the most, and give back the rest.

    By itself glibc gives back what one large request took, and each page that the next one touches
    is had from the system again, which takes longer than to read or write it. False where there is
    no glibc.
    """
    return allot_keep_memory(size)
