from typing import final

@final
class Source:
    """The values of one path."""

@final
class Columns:
    """What was given as attributes."""
