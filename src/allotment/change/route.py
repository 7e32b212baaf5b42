"""The finest commands from one flag, segment, layer or holdout to another under the same key.

They are a proposal: `diff` tries them, and replaces the noun where they do not arrive.
"""

from __future__ import annotations

from collections.abc import Iterator

from allotment.change.commands import (
    Command,
    Describe,
    Keep,
    Noun,
    OrderExperiments,
    Rename,
    SetHoldoutShare,
    SetMembers,
    SetRules,
    SetVariations,
    SwitchFlag,
)
from allotment.change.kinds import kind_of
from allotment.change.route_experiment import route_experiment
from allotment.model.experiment import Experiment
from allotment.model.flag import Flag
from allotment.model.layer import Holdout
from allotment.model.segment import Segment


def route(old: Noun, new: Noun) -> Iterator[Command]:
    """Commands from `old` towards `new`, both complete."""
    yield from _labels(old, new)
    if isinstance(old, Flag) and isinstance(new, Flag):
        yield from _flag(old, new)
    elif isinstance(old, Segment) and isinstance(new, Segment):
        yield from _segment(old, new)
    elif isinstance(old, Holdout) and isinstance(new, Holdout):
        if old.share_ppm != new.share_ppm:
            yield SetHoldoutShare(new.key, new.share_ppm)
    elif isinstance(old, Experiment) and isinstance(new, Experiment):
        yield from route_experiment(old, new)


def kept_otherwise(
    kind: str, key: str, old: tuple[tuple[str, str], ...], new: tuple[tuple[str, str], ...]
) -> Iterator[Command]:
    """The commands from what is kept to what should be."""
    was, now = dict(old), dict(new)
    for path in sorted(was.keys() | now.keys()):
        if was.get(path) != now.get(path):
            yield Keep(kind, key, path, now.get(path))


def _labels(old: Noun, new: Noun) -> Iterator[Command]:
    if old.name != new.name:
        yield Rename(kind_of(new), new.key, new.name)
    if old.description != new.description:
        yield Describe(kind_of(new), new.key, new.description)
    yield from kept_otherwise(kind_of(new), new.key, old.kept, new.kept)


def _flag(old: Flag, new: Flag) -> Iterator[Command]:
    if (old.variations, old.default) != (new.variations, new.default):
        yield SetVariations(new.key, new.variations, new.default)
    if old.state is not new.state:
        yield SwitchFlag(new.key, new.state)
    if old.experiments != new.experiments:
        yield OrderExperiments(new.key, new.experiments)


def _segment(old: Segment, new: Segment) -> Iterator[Command]:
    if (old.unit, old.include, old.exclude) != (new.unit, new.include, new.exclude):
        yield SetMembers(new.key, new.unit, new.include, new.exclude)
    # By text, as 1, 1.0 and true are equal values but other clauses.
    if repr(old.rules) != repr(new.rules):
        yield SetRules(new.key, new.rules)
