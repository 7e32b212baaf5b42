"""The commands from one catalog to another: plan, import and roll back are differences."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from allotment.change.apply import EDITS
from allotment.change.commands import (
    Command,
    Create,
    Delete,
    EndIteration,
    Noun,
    Release,
    Replace,
    Reserve,
)
from allotment.change.edit import edit
from allotment.change.kinds import kind_of, shelf
from allotment.change.laying import lay_noun
from allotment.change.lifecycle import Policy
from allotment.change.place import place
from allotment.change.proposal import Proposal, same
from allotment.change.route import route
from allotment.errors import InvalidChange, NotFound
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment
from allotment.model.layer import Layer, Reservation
from allotment.model.slots import size

__all__ = ["EDITS", "diff"]

# What is referred to stands before what refers to it.
_ORDER: Final = ("segment", "flag", "holdout", "layer", "experiment")


def diff(old: Catalog, target: Catalog) -> tuple[Command, ...]:
    """The finest commands that lead from `old` to `target` under the native policy.

    The target may leave salts "" and slots and ranges (): these are as the old catalog has them,
    reallocated where weights or shares differ, or laid. A noun that the target lacks is deleted.
    What no finer command says, such as running a stopped iteration again, is a `Replace`. Raises
    InvalidInput or InvalidChange where the target cannot be laid; whether its parts fit together
    is checked when the commands are applied.
    """
    walk = _Walk(old)
    goal = {
        (kind, key): lay_noun(noun, shelf(old, kind).get(key))
        for kind in _ORDER
        for key, noun in shelf(target, kind).items()
    }
    for layer in old.layers.values():
        walk.release(layer, goal.get(("layer", layer.key)))
    for noun in goal.values():
        walk.lead_to(noun)
    for noun in goal.values():
        if isinstance(noun, Layer):
            walk.reserve(noun)
    for kind in reversed(_ORDER):
        for key in shelf(old, kind):
            if (kind, key) not in goal:
                walk.delete(kind, key)
    return tuple(walk.commands)


class _Walk:
    """Commands, and what they have made of the catalog so far."""

    def __init__(self, catalog: Catalog) -> None:
        self.commands: list[Command] = []
        self._proposal = Proposal(catalog, Policy.NATIVE)

    def lead_to(self, noun: Noun) -> None:
        """Make the noun so; who is in which layer is not its matter but `reserve`'s."""
        old = self._proposal.find(kind_of(noun), noun.key)
        if old is None:
            self._do([Create(noun)])
            return
        if isinstance(noun, Experiment) and isinstance(old, Experiment):
            noun = replace(noun, layer=old.layer)
        elif isinstance(noun, Layer) and isinstance(old, Layer):
            noun = replace(noun, reservations=old.reservations)
        if same(old, noun):
            return
        steps = list(route(old, noun))
        if self._arrives(steps, noun):
            self.commands += steps
        else:
            self._proposal.put(old)
            self._do([Replace(noun)])

    def _arrives(self, steps: Iterable[Command], noun: Noun) -> bool:
        try:
            for step in steps:
                edit(step, self._proposal)
        except InvalidChange:
            return False
        return same(self._proposal.find(kind_of(noun), noun.key), noun)

    def _do(self, commands: Iterable[Command]) -> None:
        for command in commands:
            edit(command, self._proposal)
            self.commands.append(command)

    def release(self, old: Layer, new: Noun | None) -> None:
        """Take out of a layer whom it no longer reserves for."""
        reservations = new.reservations if isinstance(new, Layer) else ()
        staying = {reservation.experiment for reservation in reservations}
        for reservation in old.reservations:
            if reservation.experiment not in staying:
                self._do([Release(reservation.experiment)])

    def reserve(self, new: Layer) -> None:
        """Give the members of a layer, which are all there by now, what it reserves for them."""
        owned = self._reservations(new.key)
        for reservation in new.reservations:
            member = self._proposal.find("experiment", reservation.experiment)
            if not isinstance(member, Experiment):
                raise NotFound(
                    f"there is no experiment {reservation.experiment!r}",
                    f"{place('layer', new.key)}.reservations.{reservation.experiment}",
                )
            if member.layer != new.key or reservation not in owned:
                ranges = reservation.ranges
                self._do([Reserve(new.key, member.key, size(ranges), ranges)])

    def _reservations(self, layer: str) -> frozenset[Reservation]:
        return frozenset(self._proposal.get(Layer, layer).reservations)

    def delete(self, kind: str, key: str) -> None:
        """Remove the noun; an experiment that runs is ended first."""
        noun = self._proposal.find(kind, key)
        if isinstance(noun, Experiment) and noun.live:
            self._do([EndIteration(key)])
        self._do([Delete(kind, key)])
