def unit_key(unit: object, kind: str) -> str | None:
    """The key of the unit of `kind` that the caller named, or None where that names none."""
