"""A catalog with one experiment, made for a question about SQL."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

from allotment import Catalog
from allotment.change.references import with_users
from allotment.model.experiment import Allocation, Experiment, Iteration, State, Treatment
from allotment.model.keyed import Keyed
from allotment.model.limits import BUCKETS
from allotment.model.profile import Profile
from allotment.model.segment import Condition, Segment
from allotment.model.slots import Slot

HALF = BUCKETS // 2
SLOTS = (Slot(0, HALF, "control"), Slot(HALF, BUCKETS, "green"))


def dealt_by(profile: Profile, salt: str) -> Catalog:
    """The experiment `e` by a profile: three treatments, whose slots are thirds of its buckets."""
    total = 1_000
    count = profile.count(total)
    edges = [0, count // 3, count // 3 * 2, count]
    slots = tuple(Slot(*edge, name) for edge, name in zip(pairwise(edges), "abc", strict=True))
    iteration = {
        "treatments": tuple(map(Treatment, "abc")),
        "allocations": (Allocation("all", (("a", 1), ("b", 1), ("c", 1)), total, slots=slots),),
        "profile": profile.name,
        "salt": salt,
    }
    return one_experiment(iteration=iteration)


def one_experiment(*rules: Condition, **fields: Any) -> Catalog:
    """A catalog with the running experiment `e`: half of its units get `control`, half `green`.

    Its audience is the segment of these rules, if there are any. `fields` are the experiment's own,
    the iteration's (`iteration`) or the segment's (`segment`).
    """
    iteration = Iteration(
        1,
        (Treatment("control"), Treatment("green")),
        (Allocation("everyone", (("control", 1), ("green", 1)), 2, slots=SLOTS),),
        state=State.RUNNING,
        salt="salt",
        profile="md5-1",
        audience="s" if rules else None,
    )
    iteration = replace(iteration, **fields.pop("iteration", {}))
    segments = fields.pop("segments", ()) or [Segment("s", rules=rules)]
    experiment = Experiment("e", (iteration,), **fields)
    return with_users(
        Catalog(
            revision=7,
            segments=Keyed((each.key, each) for each in segments),
            experiments=Keyed([("e", experiment)]),
        )
    )
