from typing import final

@final
class Members:
    """A segment over the attributes that a batch has."""
