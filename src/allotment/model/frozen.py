"""A dict that nobody changes: it can be shared, hashed, copied and sent to another process."""

from __future__ import annotations

from typing import Any, NoReturn


class Frozen(dict[str, str]):
    """Text by text, for good. Every way to change it raises TypeError."""

    __slots__ = ()

    def _refuse(self, *_arguments: Any, **_options: Any) -> NoReturn:
        raise TypeError("this mapping is frozen; dict(it) makes a copy that can be changed")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[type[Frozen], tuple[dict[str, str]]]:
        return Frozen, (dict(self),)


NOTHING = Frozen()
