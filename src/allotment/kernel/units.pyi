from typing import final

@final
class Units:
    """One column of units."""

    @property
    def rows(self) -> int: ...
