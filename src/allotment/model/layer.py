"""Layers and holdouts: which units an experiment may have at all."""

from __future__ import annotations

from dataclasses import dataclass

from allotment.model.slots import Ranges


@dataclass(frozen=True, slots=True)
class Reservation:
    """The layer buckets that belong to one experiment."""

    experiment: str
    ranges: Ranges


@dataclass(frozen=True, slots=True)
class Layer:
    """Experiments that never share a unit: one draw, and disjoint reservations of its buckets.

    `reservations` are sorted by experiment; each of these experiments names this layer.
    """

    key: str
    salt: str
    name: str = ""
    description: str = ""
    unit: str = "user"
    reservations: tuple[Reservation, ...] = ()


@dataclass(frozen=True, slots=True)
class Holdout:
    """The units whose holdout bucket is below `share_ppm` stay out of every experiment that names it."""

    key: str
    salt: str
    share_ppm: int
    name: str = ""
    description: str = ""
    unit: str = "user"
