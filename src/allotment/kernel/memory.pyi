def keep_memory(size: int) -> bool:
    """Keep so many bytes of what was freed, twice at the most, and give back the rest.

    By itself glibc gives back what one large request took, and each page that the next one touches
    is had from the system again, which takes longer than to read or write it. False where there is
    no glibc.
    """
