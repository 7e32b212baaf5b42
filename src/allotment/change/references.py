"""Who depends on what: the index `Catalog.users`, kept up by difference and never by a rescan.

    segment:KEY          experiments that reach the segment, through other segments too
    flag:KEY             experiments whose treatments set the flag
    layer:KEY            experiments in the layer, by a reservation or by a sample
    sampled:KEY          segments that are a sample of the layer
    holdout:KEY          experiments under the holdout
    experiment:KEY       flags that list the experiment
    inside:KEY           segments that name the segment themselves
    salt:KIND:SALT       nouns of the kind that use the salt; "PROFILE SALT" where not natively
    id:KIND:HEX          the noun whose identity this is; of a variation, its flag
    running:PATH         experiments that run and keep something there: of FLOWING only

Segments and flags count for the iterations that can still answer, those that are not stopped and
the current one, and not for an archived experiment: it may outlive what it named.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from allotment.change.commands import Noun
from allotment.change.fields import differing_within
from allotment.change.kinds import KINDS, kind_of, nouns_of
from allotment.model.catalog import Catalog, identity
from allotment.model.experiment import Experiment, Iteration, State
from allotment.model.flag import Flag
from allotment.model.keyed import Keyed
from allotment.model.layer import Holdout, Layer
from allotment.model.profile import NATIVE
from allotment.model.segment import AllOf, AnyOf, Condition, InSegment, Not, Segment

# Auth0 lets one experiment run at a time, and counts those that carry an authentication flow.
_FLOW: Final = "auth0/authentication_flow"
FLOWING: Final = f"running:{_FLOW}"


# Where Auth0 notes that it edited the allocations of a paused experiment.
_EDITED: Final = "auth0/edited_while_paused"


def was_edited(experiment: Experiment) -> bool:
    """Whether the experiment's allocations were edited through Auth0 since it paused."""
    return any(path == _EDITED for path, _ in experiment.kept)


def has_flow(experiment: Experiment) -> bool:
    """Whether the experiment carries an authentication flow."""
    return any(path == _FLOW for path, _ in experiment.kept)


def flows(experiment: Experiment) -> bool:
    """Whether the experiment carries an authentication flow and runs now."""
    return has_flow(experiment) and experiment.current.state is State.RUNNING


def answering(experiment: Experiment) -> Sequence[Iteration]:
    """The iterations that can still answer, none where the experiment is archived."""
    if experiment.archived:
        return ()
    if len(experiment.iterations) == 1:
        return experiment.iterations
    current = experiment.current
    return [i for i in experiment.iterations if i is current or i.state is not State.STOPPED]


def flags_set(iteration: Iteration) -> set[str]:
    """The flags that the iteration's treatments set."""
    return {flag for treatment in iteration.treatments for flag, _ in treatment.sets}


def named_segments(rules: Iterable[Condition]) -> set[str]:
    """The segments that the rules name themselves."""
    named: set[str] = set()
    pending = list(rules)
    while pending:
        condition = pending.pop()
        if isinstance(condition, AllOf | AnyOf):
            pending.extend(condition.conditions)
        elif isinstance(condition, Not):
            pending.append(condition.condition)
        elif isinstance(condition, InSegment):
            named.add(condition.segment)
    return named


def reach(segments: Mapping[str, Segment], keys: Iterable[str]) -> set[str]:
    """The segments that `keys` lead to, themselves among them."""
    reached: set[str] = set()
    pending = list(keys)
    while pending:
        key = pending.pop()
        if key in reached:
            continue
        reached.add(key)
        if (segment := segments.get(key)) is not None:
            pending.extend(named_segments(segment.rules))
    return reached


def with_users(catalog: Catalog) -> Catalog:
    """The catalog with its index made from nothing: for one that was put together elsewhere."""
    names = Names(catalog)
    users: dict[str, list[str]] = {}
    for kind in KINDS:
        for shard in nouns_of(catalog, kind).shards:
            for key, noun in shard.items():
                for name in names.of(noun):
                    known = users.get(name)
                    if known is None:
                        users[name] = [key]  # and most have no other
                    else:
                        known.append(key)
    index = Keyed((name, frozenset(keys)) for name, keys in users.items())
    return replace(catalog, users=index)


def follow(old: Catalog, new: Catalog, changed: Iterable[tuple[str, str]]) -> Catalog:
    """The new catalog with the old one's index brought up to it; `changed` are (kind, key)."""
    if not any(nouns_of(old, kind) for kind in KINDS):
        return with_users(new)
    before, after = Names(old), Names(new)
    affected: set[tuple[str, str]] = set()
    for kind, key in changed:
        if kind == "segment" and _leads(key, old) != _leads(key, new):
            users = old.users.get(f"segment:{key}", frozenset())
            affected.update(("experiment", user) for user in users)
        if kind != "experiment" or not _names_as_before(
            old.experiments.get(key), new.experiments.get(key)
        ):
            affected.add((kind, key))
    changes: dict[str, set[str]] = {}
    for kind, key in affected:
        was = before.of(nouns_of(old, kind).get(key))
        now = after.of(nouns_of(new, kind).get(key))
        for name in was ^ now:
            users_now = changes.get(name)
            if users_now is None:
                users_now = changes[name] = set(old.users.get(name, ()))
            (users_now.add if name in now else users_now.discard)(key)
    if not changes:
        return new
    index = new.users.change({name: frozenset(keys) or None for name, keys in changes.items()})
    return replace(new, users=index)


def _names_as_before(old: Experiment | None, new: Experiment | None) -> bool:
    """Whether the experiment names what it named, so that only the segments can lead elsewhere."""
    if old is None or new is None:
        return False
    return NAMING.isdisjoint(differing_within(old, new))


# The fields that `Names.add_experiment` reads.
_BELONGS: Final = ("archived", "layer", "holdout", "kept")
_ASKS: Final = ("number", "state", "profile", "salt", "treatments", "audience", "segment")
NAMING: Final = frozenset({*_BELONGS, *_ASKS})


def _leads(key: str, catalog: Catalog) -> tuple[set[str], str | None]:
    """The segments that the segment names, and the layer that it is a sample of."""
    segment = catalog.segments.get(key)
    if segment is None:
        return set(), None
    return named_segments(segment.rules), segment.sample and segment.sample.layer


class Names:
    """What the nouns of a catalog depend on and are found by, spelled as the index has it."""

    def __init__(self, catalog: Catalog) -> None:
        self._segments = catalog.segments
        # Many experiments ask the same.
        self._reached: dict[tuple[str | None, frozenset[str]], list[str]] = {}

    def of(self, noun: Noun | None) -> set[str]:
        """The names of one noun; none where it is not there."""
        if noun is None:
            return set()
        kind = kind_of(noun)
        names = {f"id:{kind}:{identity(kind, noun.key)}"}
        if isinstance(noun, Experiment):
            self.add_experiment(names, noun)
        elif isinstance(noun, Flag):
            names |= {f"experiment:{item.experiment}" for item in noun.experiments}
            ids = (identity("variation", noun.key, each.key) for each in noun.variations)
            names |= {f"id:variation:{each}" for each in ids}
        elif isinstance(noun, Segment):
            names |= {f"inside:{segment}" for segment in named_segments(noun.rules)}
            if noun.sample is not None and noun.sample.layer is not None:
                names.add(f"sampled:{noun.sample.layer}")
        elif isinstance(noun, Layer | Holdout):
            names.add(f"salt:{kind}:{salt_name(noun.profile, noun.salt)}")
        return names

    def add_experiment(self, names: set[str], experiment: Experiment) -> None:
        """Add what an experiment depends on."""
        for iteration in experiment.iterations:
            names.add(f"salt:experiment:{salt_name(iteration.profile, iteration.salt)}")
        if experiment.layer is not None:
            names.add(f"layer:{experiment.layer}")
        if experiment.holdout is not None:
            names.add(f"holdout:{experiment.holdout}")
        if experiment.kept and flows(experiment):
            names.add(FLOWING)
        for iteration in answering(experiment):
            for treatment in iteration.treatments:
                for flag, _ in treatment.sets:
                    names.add(f"flag:{flag}")
            asked = _asked_by(iteration)
            if asked:
                names.update(self._reach(iteration.audience, asked))

    def _reach(self, audience: str | None, asked: frozenset[str]) -> list[str]:
        """The segments that an iteration asks, and the layer that its audience is a sample of."""
        names = self._reached.get((audience, asked))
        if names is None:
            names = [f"segment:{key}" for key in reach(self._segments, asked)]
            segment = None if audience is None else self._segments.get(audience)
            if segment is not None and segment.sample and segment.sample.layer is not None:
                names.append(f"layer:{segment.sample.layer}")
            self._reached[audience, asked] = names
        return names


def salt_name(profile: str, salt: str) -> str:
    """What the index calls a salt under a profile."""
    return salt if profile == NATIVE else f"{profile} {salt}"


def asked_segments(experiment: Experiment) -> set[str]:
    """The segments that the experiment names itself."""
    return {key for iteration in answering(experiment) for key in _asked_by(iteration)}


def _asked_by(iteration: Iteration) -> frozenset[str]:
    asked = [iteration.audience, *[one.segment for one in iteration.allocations]]
    return frozenset([key for key in asked if key is not None])
