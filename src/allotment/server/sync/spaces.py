"""What a process serves: one revision of each space, and never an earlier one than before.

A revision goes back only where an operator adopts a restored store.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from allotment.change.impact import Change, touched_between
from allotment.compile import Snapshot, compile_catalog, recompile
from allotment.compile.experiment import Source
from allotment.engine import Engine
from allotment.matching.index import NO_WORK, Work
from allotment.model.catalog import Catalog
from allotment.server.http.limits import ON_LOOP, SMALL_BYTES
from allotment.store import Stored


@dataclass(frozen=True, slots=True)
class Served:
    """One space at one revision. It never changes: a node puts a later one in its place.

    An answer that holds one is of one revision, however long it takes. `headers` say
    which, as raw ASGI pairs. `keeping` has the experiments that keep assignments and are live,
    `heavy` those of which a small request, too, may take longer than the event loop can spare.
    `since` is when it was published, by the monotonic clock.
    """

    space: str
    revision: int
    engine: Engine
    stored: Stored
    headers: tuple[tuple[bytes, bytes], ...]
    keeping: frozenset[str]
    heavy: frozenset[str]
    since: float = field(default_factory=time.monotonic, compare=False)

    @property
    def fingerprint(self) -> int:
        """128 bits over all that steers assignments."""
        return self.engine.snapshot.fingerprint


def serve_stored(stored: Stored) -> Served:
    """What is served of a space that was not served before; compiles all of it."""
    snapshot = compile_catalog(stored.catalog)
    return _served(stored, snapshot, _keeping(stored.catalog), _heavy(snapshot, snapshot.plans))


def follow_stored(served: Served, stored: Stored, change: Change | None) -> Served:
    """What is served next. `change` is what led from one to the other, where that is known."""
    old, new = served.engine.snapshot, stored.catalog
    if change is not None and new.revision == old.revision + 1:
        experiments, flags = change.touched, change.flags
    else:
        experiments, flags = touched_between(old.catalog, new)
    keeping = (served.keeping - experiments) | _keeping(new, experiments)
    snapshot = recompile(old, new, experiments, flags)
    heavy = (served.heavy - experiments) | _heavy(snapshot, experiments)
    return _served(stored, snapshot, keeping, heavy)


def _served(
    stored: Stored, snapshot: Snapshot, keeping: frozenset[str], heavy: frozenset[str]
) -> Served:
    revision = snapshot.revision
    headers = ((b"allotment-revision", b"%d" % revision),)
    engine = Engine(snapshot, note=None)
    return Served(stored.space, revision, engine, stored, headers, keeping, heavy)


def _keeping(catalog: Catalog, among: Iterable[str] | None = None) -> frozenset[str]:
    """The experiments that keep assignments and are live: of some of them, or of all."""
    known = catalog.experiments
    found = (known.get(key) for key in (known if among is None else among))
    return frozenset(
        each.key for each in found if each and each.keeps_assignments and each.live is not None
    )


def _heavy(snapshot: Snapshot, among: Iterable[str]) -> frozenset[str]:
    works = ((key, work_of(snapshot, key)) for key in among)
    return frozenset(key for key, work in works if work.cost(SMALL_BYTES, SMALL_BYTES) > ON_LOOP)


def work_of(snapshot: Snapshot, experiment: str) -> Work:
    """What it takes to ask an experiment's segments; nothing where there is no such experiment."""
    plan = snapshot.plans.get(experiment)
    return plan.source.work if plan is not None and isinstance(plan.source, Source) else NO_WORK


class Spaces:
    """The spaces by name. The map is replaced and never changed, so any thread may read it.

    Writers and the follower publish at the same time, in any order: the later revision stays.
    """

    def __init__(self) -> None:
        self.spaces: Mapping[str, Served] = {}
        # Called after each publish, in any thread.
        self.on_publish: Callable[[], None] = lambda: None
        self._lock = threading.Lock()

    def publish(self, stored: Stored, change: Change | None = None) -> bool:
        """Serve what is stored; False where that, or something later, is served already.

        `change` is what led to it from the revision before, where that is known: only what it
        touched is compiled.
        """
        with self._lock:
            served = self.spaces.get(stored.space)
            if served is None:
                fresh = serve_stored(stored)
            elif served.revision < stored.catalog.revision:
                fresh = follow_stored(served, stored, change)
            else:
                return False
            self.spaces = {**self.spaces, stored.space: fresh}
        self.on_publish()
        return True

    def replace(self, every: Iterable[Stored]) -> None:
        """Serve these and nothing else, though a revision may go back: an operator said so."""
        fresh = {stored.space: serve_stored(stored) for stored in every}
        with self._lock:
            self.spaces = fresh
        self.on_publish()
