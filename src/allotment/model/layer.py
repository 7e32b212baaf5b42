"""Layers and holdouts: which units an experiment may have at all."""

from __future__ import annotations

from dataclasses import dataclass

from allotment.model.profile import NATIVE
from allotment.model.slots import Ranges


@dataclass(frozen=True, slots=True)
class Reservation:
    """The layer buckets that belong to one experiment.

    On the way in `ranges` may be empty and `share_ppm` say how many buckets to lay: those that the
    experiment has, and free ones, lowest first. In a catalog the ranges say it all and `share_ppm`
    is None.
    """

    experiment: str
    ranges: Ranges = ()
    share_ppm: int | None = None


@dataclass(frozen=True, slots=True)
class Layer:
    """Experiments that never share a unit: one draw, and disjoint reservations of its buckets.

    `profile` says how it draws; with another than the native one, by the salt as it stands.
    `reservations` are sorted by experiment; each of these experiments names this layer. `kept` is
    as in a flag.
    """

    key: str
    salt: str
    name: str = ""
    description: str = ""
    unit: str = "user"
    reservations: tuple[Reservation, ...] = ()
    kept: tuple[tuple[str, str], ...] = ()
    profile: str = NATIVE


@dataclass(frozen=True, slots=True)
class Holdout:
    """Units whose holdout bucket is below `share_ppm` stay out of all experiments that name it.

    `profile` is as in a layer, `kept` as in a flag.
    """

    key: str
    salt: str
    share_ppm: int
    name: str = ""
    description: str = ""
    unit: str = "user"
    kept: tuple[tuple[str, str], ...] = ()
    profile: str = NATIVE
