"""The configuration of one space at one revision."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from allotment.model.experiment import Experiment
from allotment.model.flag import Flag
from allotment.model.keyed import Keyed
from allotment.model.layer import Holdout, Layer
from allotment.model.segment import Segment

_NONE: Final[Keyed[Any]] = Keyed()


@dataclass(frozen=True, slots=True)
class Catalog:
    """Everything that decides assignments, frozen, at one revision.

    `users` is an index kept by `change.users`: for "segment:KEY", "layer:KEY", "holdout:KEY" and
    "flag:KEY" the keys of the experiments whose assignments depend on that noun, through other
    segments too; for "id:KIND:HEX" the key of the noun with that identity, of a variation that of
    its flag; and a few more that only `change` asks for. It is derived, so it takes no part in
    comparing catalogs. `kept` is as in a flag, of the space itself.
    """

    revision: int = 0
    flags: Keyed[Flag] = _NONE
    segments: Keyed[Segment] = _NONE
    layers: Keyed[Layer] = _NONE
    holdouts: Keyed[Holdout] = _NONE
    experiments: Keyed[Experiment] = _NONE
    kept: tuple[tuple[str, str], ...] = ()
    users: Keyed[frozenset[str]] = field(default=_NONE, compare=False, repr=False)


EMPTY = Catalog()
