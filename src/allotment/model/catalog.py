"""The configuration of one space at one revision."""

from __future__ import annotations

from dataclasses import dataclass, field

from allotment.model.experiment import Experiment
from allotment.model.flag import Flag
from allotment.model.keyed import Keyed
from allotment.model.layer import Holdout, Layer
from allotment.model.segment import Segment


@dataclass(frozen=True, slots=True)
class Catalog:
    """Everything that decides assignments, frozen, at one revision.

    `users` is an index kept by `change.apply`: for "segment:KEY", "layer:KEY", "holdout:KEY" and
    "flag:KEY" the keys of the experiments whose assignments depend on that noun, through other
    segments too. It is derived, so it takes no part in comparing catalogs.
    """

    revision: int = 0
    flags: Keyed[Flag] = Keyed()
    segments: Keyed[Segment] = Keyed()
    layers: Keyed[Layer] = Keyed()
    holdouts: Keyed[Holdout] = Keyed()
    experiments: Keyed[Experiment] = Keyed()
    users: Keyed[frozenset[str]] = field(default=Keyed(), compare=False, repr=False)


EMPTY = Catalog()
