from typing import final

@final
class Column:
    """A column that is read in place, in one or more pieces."""

    @property
    def rows(self) -> int: ...
