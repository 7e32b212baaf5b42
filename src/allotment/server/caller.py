"""Who calls, as far as it matters: by which token, with which scope, in which space."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from allotment.store import Scope

LOOPBACK: Final = "loopback"


@dataclass(frozen=True, slots=True)
class Caller:
    """`who` is the token's id, or "loopback" for one without, under `insecure_local`.

    `space` is the one that is meant; `reach` are all that might be, as a pattern. `name` is what
    the token was called when it was made.
    """

    who: str
    scope: Scope
    space: str
    reach: str = "*/*"
    name: str = ""
