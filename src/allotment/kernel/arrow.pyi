from typing import final

@final
class Arrow:
    """Arrow data taken over from a producer: a schema and its chunks, released with this object."""

    @property
    def rows(self) -> int: ...
