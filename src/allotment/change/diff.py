"""The commands from one catalog to another: plan, import and roll back are differences."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from typing import Final

from allotment.change.apply import concluded
from allotment.change.commands import (
    Command,
    Create,
    Delete,
    EndIteration,
    Noun,
    Release,
    Replace,
    Reserve,
    SetSample,
)
from allotment.change.defaults import buckets_of, lay_count, lay_noun
from allotment.change.diff_commands import kept_commands, noun_commands
from allotment.change.edits import edit
from allotment.change.edits.nouns import put_new
from allotment.change.impact import Change
from allotment.change.kinds import CATALOG, kind_of, noun_path, nouns_of
from allotment.change.lifecycle import Policy
from allotment.change.proposal import Proposal, same
from allotment.change.sample_layout import name_of, scattered, with_sample
from allotment.errors import InvalidChange, NotFound, did_you_mean
from allotment.model.catalog import EMPTY, Catalog
from allotment.model.experiment import Experiment
from allotment.model.layer import Layer, Reservation
from allotment.model.limits import BUCKETS
from allotment.model.segment import Segment
from allotment.model.slots import Ranges, size, subtract
from allotment.model.stage import profile_of, whole

# What is referred to stands before what refers to it.
_ORDER: Final = ("segment", "flag", "holdout", "layer", "experiment")


def diff(old: Catalog, target: Catalog) -> tuple[Command, ...]:
    """The finest commands that lead from `old` to `target` under the native policy.

    The target may leave salts "" and slots and ranges (): these are as the old catalog has them,
    reallocated where weights or shares differ, or laid. A noun that the target lacks is deleted.
    What no finer command says, such as running a stopped iteration again, is a `Replace`, after the
    finer ones have gone as far as they can. A share that the target gives stays a share where that
    says which ranges are meant. Raises
    InvalidInput or InvalidChange where the target cannot be laid; whether its parts fit together
    is checked when the commands are applied.
    """
    return tuple(_walk(old, target).commands)


def created(target: Catalog) -> Change:
    """What the commands from nothing to `target` make: as to apply them, but each is made once."""
    return concluded(EMPTY, _walk(EMPTY, target).proposal)


def _walk(old: Catalog, target: Catalog) -> _Walk:
    walk = _Walk(old)
    goal = {
        (kind, key): _laid(kind, key, old, target)
        for kind in _ORDER
        for key in _aims(old, target, kind)
    }
    for layer in old.layers.values():
        walk.release(layer, goal.get(("layer", layer.key)))
    for noun in goal.values():
        walk.lead_to(noun)
    for noun in goal.values():
        if isinstance(noun, Layer):
            walk.reserve(noun, target.layers[noun.key], target.experiments)
    walk.sample([noun for noun in goal.values() if isinstance(noun, Segment)])
    walk.do(kept_commands(CATALOG, CATALOG, old.kept, tuple(sorted(target.kept))))
    for kind in reversed(_ORDER):
        for key in _apart(old, target, kind):
            if key not in nouns_of(target, kind):
                walk.delete(kind, key)
    return walk


def _laid(kind: str, key: str, old: Catalog, target: Catalog) -> Noun:
    """The noun that the target means, complete but for the ranges of a sample."""
    noun = nouns_of(target, kind)[key]
    is_open = isinstance(noun, Layer) and any(r.share_ppm is not None for r in noun.reservations)
    taken = _sampled(key, old, target) if is_open else ()
    return lay_noun(noun, nouns_of(old, kind).get(key), taken)


def _sampled(layer: str, old: Catalog, target: Catalog) -> Iterator[Ranges]:
    """What samples have of a layer: the ranges that the target says, else what they keep."""
    for key, segment in target.segments.items():
        sample = segment.sample
        if sample is None or sample.layer != layer:
            continue
        before = old.segments.get(key)
        was = before.sample if before else None
        if sample.ranges:
            yield sample.ranges
        elif was is not None and was.layer == layer:
            yield scattered(was.ranges, sample.share_ppm, name_of(key, sample))


def _aims(old: Catalog, target: Catalog, kind: str) -> list[str]:
    """The nouns of the target that may have to be led to, sorted: of layers all."""
    if kind == "layer":
        return list(target.layers)
    there = nouns_of(target, kind)
    return [key for key in _apart(old, target, kind) if key in there]


def _apart(old: Catalog, target: Catalog, kind: str) -> list[str]:
    """The keys of a kind under which the two do not have the very same noun, sorted."""
    return sorted(key for key, _, _ in nouns_of(old, kind).differing(nouns_of(target, kind)))


class _Walk:
    """Commands, and what they have made of the catalog so far."""

    def __init__(self, catalog: Catalog) -> None:
        self.commands: list[Command] = []
        self.proposal = Proposal(catalog, Policy.NATIVE)

    def lead_to(self, noun: Noun) -> None:
        """Make the noun so; who is in which layer is not its matter but that of `reserve` and
        `sample`."""
        old = self.proposal.find(kind_of(noun), noun.key)
        if isinstance(noun, Segment):
            noun = replace(noun, sample=old.sample if isinstance(old, Segment) else None)
        if old is None:
            self.proposal.command = len(self.commands)
            put_new(noun, self.proposal)  # what `Create` does, but for laying it again
            self.commands.append(Create(noun))
            return
        if isinstance(noun, Experiment) and isinstance(old, Experiment):
            noun = replace(noun, layer=old.layer)
        elif isinstance(noun, Layer) and isinstance(old, Layer):
            noun = replace(noun, reservations=old.reservations)
        if same(old, noun):
            return
        self._try(noun_commands(old, noun))
        if not same(self.proposal.find(kind_of(noun), noun.key), noun):
            self.do([Replace(noun)])

    def _try(self, steps: Iterable[Command]) -> None:
        """Go the steps that the lifecycle allows; what the others say is left to a `Replace`."""
        for step in steps:
            try:
                self.do([step])
            except InvalidChange:
                continue

    def do(self, commands: Iterable[Command]) -> None:
        """Take the steps."""
        for command in commands:
            self.proposal.command = len(self.commands)
            edit(command, self.proposal)
            self.commands.append(command)

    def release(self, old: Layer, new: Noun | None) -> None:
        """Take out of a layer whom it no longer reserves for."""
        reservations = new.reservations if isinstance(new, Layer) else ()
        staying = {reservation.experiment for reservation in reservations}
        for reservation in old.reservations:
            if reservation.experiment not in staying:
                self.do([Release(reservation.experiment)])

    def reserve(self, new: Layer, asked: Layer, experiments: Collection[str]) -> None:
        """Give the members of a layer, which are all there by now, what it reserves for them.

        `asked` is the layer as the target has it, `experiments` whom the target knows. As in
        laying a layer, who gives buckets up comes before who takes them.
        """
        owned = {r.experiment: r.ranges for r in self.proposal.get(Layer, new.key).reservations}
        exact = {r.experiment for r in asked.reservations if r.ranges or r.share_ppm is None}

        def turn(reservation: Reservation) -> tuple[bool, bool]:
            key = reservation.experiment
            return key not in exact, size(reservation.ranges) > size(owned.get(key, ()))

        for reservation in sorted(new.reservations, key=turn):
            key = reservation.experiment
            member = self.proposal.find("experiment", key)
            if not isinstance(member, Experiment):
                near = did_you_mean(key, experiments)
                raise NotFound(
                    f"there is no experiment {key!r}{near}",
                    f"{noun_path('layer', new.key)}.reservations.{key}",
                )
            if member.layer == new.key and owned.get(key) == reservation.ranges:
                continue
            ranges = reservation.ranges
            share = Reserve(new.key, key, size(ranges) * (BUCKETS // size(whole(profile_of(new)))))
            lays_the_same = key not in exact and self._lays(share, ranges)
            self.do([share if lays_the_same else replace(share, ranges=ranges)])

    def _lays(self, share: Reserve, ranges: Ranges) -> bool:
        """Whether the share alone would be laid as these ranges."""
        layer = self.proposal.get(Layer, share.layer)
        owned = {r.experiment: r.ranges for r in layer.reservations}
        free = subtract(whole(profile_of(layer)), owned.values())
        own = owned.get(share.experiment, ())
        count = buckets_of(layer, share.share_ppm, "")
        return count - size(own) <= size(free) and lay_count(own, free, count, "") == ranges

    def sample(self, segments: Iterable[Segment]) -> None:
        """Make segments the samples that they should be; as above, who gives buckets up first."""

        def turn(new: Segment) -> tuple[bool, bool]:
            old, sample = self.proposal.get(Segment, new.key).sample, new.sample
            is_open = sample is not None and not sample.ranges
            return is_open, (sample.share_ppm if sample else 0) > (old.share_ppm if old else 0)

        for segment in sorted(segments, key=turn):
            old = self.proposal.get(Segment, segment.key)
            if with_sample(segment, old, self.proposal).sample != old.sample:
                self.do([SetSample(segment.key, segment.sample)])

    def delete(self, kind: str, key: str) -> None:
        """Remove the noun; an experiment that runs is ended first."""
        noun = self.proposal.find(kind, key)
        if isinstance(noun, Experiment) and noun.live:
            self.do([EndIteration(key)])
        self.do([Delete(kind, key)])
