from typing import Self, final

@final
class Memo:
    """What was made of texts, in bounded memory; only the kernel asks it."""

    def __new__(cls, room: int) -> Self: ...
