"""How an engine stands that follows a server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """What is answered from, and how sure it is that nothing newer is there.

    revision     the revision of the catalog; 0 where there is none yet
    age_seconds  how long ago the server was last known to have nothing newer; counted from when the
                 last good file was written where the server was not reached since
    source       where the catalog comes from: "server", "last good" for the file, "none"
    error        why the server could not be asked the last time; None while all is well
    """

    revision: int
    age_seconds: float
    source: Literal["server", "last good", "none"]
    error: str | None
