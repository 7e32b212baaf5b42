from typing import final

@final
class Walk:
    """Everything one worker needs to walk over a range of rows."""
