from typing import final

@final
class Units:
    """One column of units."""

    @property
    def rows(self) -> int: ...

def unit_keys(units: object, kind: str) -> list[str | None]:
    """The key of each unit of `kind` in what a batch takes as units, None for what is none."""

def texts_of(source: object, noun: str, path: str) -> list[str | None]:
    """The texts of a column, None for each that is null or not UTF-8."""
