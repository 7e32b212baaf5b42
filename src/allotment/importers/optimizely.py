"""Optimizely's datafile of version 4: flags with experiments and a rollout, and experiments alone.

A unit goes through the holdouts, then the experiments, then the rules of the rollout. One that an
experiment does not take goes on to the next. One that is in the audience of a rule of the rollout
but in none of its buckets goes on to the last of them, so those between are for others only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from allotment.importers.optimizely_audiences import Audiences
from allotment.importers.optimizely_dealing import BUCKETS, PROFILE, dealt, reserved
from allotment.importers.optimizely_file import Datafile, Holdouts, PlacedRule
from allotment.importers.optimizely_payload import OptFlag, OptHoldout, OptRule, OptTraffic
from allotment.importers.optimizely_values import Variations
from allotment.importers.payload import part, refuse, usable_key
from allotment.importers.rules import Imported, Rule, whole
from allotment.importers.values import ids_of
from allotment.model.layer import Holdout
from allotment.model.limits import BUCKETS as MILLION
from allotment.model.segment import AllOf, Condition, InSegment, Not, Segment
from allotment.model.slots import size

# A holdout may pass over an experiment of this type.
_DELIVERY: Final = "td"
# Who is in no bucket of an experiment of this type gets what everyone else gets.
_ROLLOUT: Final = "fr"


def read(payload: Any) -> Imported:
    """What a datafile becomes. Raises InvalidInput with a path where it is none."""
    datafile = Datafile(payload)
    imported = Imported()
    audiences = Audiences(datafile, imported)
    if imported.segments:
        message = (
            "a list is compared by its elements here; Optimizely compares text, numbers and truth "
            "values only: send no lists"
        )
        imported.note("$.audiences", message)
    for given, path, _ in datafile.flags:
        with imported.attempt(path, f"flag {given.get('key')}"):
            flag = part(OptFlag, given, path)
            maker = _Maker(datafile, audiences, Variations(flag, path), imported)
            rules = [*maker.flag_rules(flag, path)]
            imported.add_flag(flag.key, maker.variations.all(), maker.variations.default, rules)
    for given, path, _ in datafile.alone():
        with imported.attempt(path, f"experiment {given.get('key')}"):
            placed = datafile.rule(str(given.get("id")), path)
            maker = _Maker(datafile, audiences, Variations(None, path), imported)
            rules = [*maker.experiment(placed, placed.rule.key)]
            key = usable_key(placed.rule.key, f"{path}.key")
            imported.add_flag(key, maker.variations.all(), maker.variations.default, rules)
    return imported


class _Maker:
    """Makes the rules of one flag, or of one experiment alone."""

    def __init__(
        self, datafile: Datafile, audiences: Audiences, variations: Variations, imported: Imported
    ) -> None:
        self.variations = variations
        self._datafile = datafile
        self._audiences = audiences
        self._imported = imported

    def flag_rules(self, flag: OptFlag, path: str) -> Iterator[Rule]:
        """The holdouts, the experiments and the rollout of a flag."""
        key = usable_key(flag.key, f"{path}.key")
        holdouts = self._datafile.holdouts()
        passed_over = self._passed_over(holdouts)
        yield from self._held(holdouts[:-1] if passed_over else holdouts, key)
        delivery = self._datafile.delivery(flag.rollout_id, f"{path}.rolloutId")
        for index, identity in enumerate(flag.experiment_ids):
            placed = self._datafile.rule(identity, f"{path}.experimentIds[{index}]")
            name = f"{key}.{placed.rule.key}"
            everyone_else = delivery[-1] if delivery and placed.rule.type == _ROLLOUT else None
            if everyone_else and self._datafile.in_flags[identity] > 1:
                refuse(placed.path, "it is a rollout of several flags")
            rules = [
                *self._held(self._datafile.local_holdouts(placed.rule), name),
                *self.experiment(placed, name, everyone_else),
            ]
            if passed_over and placed.rule.type != _DELIVERY:
                rules = [replace(rule, holdout=passed_over) for rule in rules]
            yield from rules
        yield from self._delivered(delivery, key)

    def _passed_over(self, holdouts: Holdouts) -> str | None:
        """The holdout that targeted deliveries pass over, added as one; None where there is none.

        Who is in it is asked for no other holdout, so it must be the last.
        """
        found = [at for at, (each, _) in enumerate(holdouts) if each.exclude_targeted_deliveries]
        if not found:
            return None
        holdout, path = holdouts[-1]
        rule = dealt("", holdout.id, holdout.traffic_allocation, self._off(holdout, path))
        first = len(rule.slots) == 1 and rule.slots[0].start == 0
        if len(found) > 1 or not holdout.exclude_targeted_deliveries:
            refuse(path, "a holdout with excludeTargetedDeliveries stands before others")
        if not first or self._audience(holdout, path) is not None:
            refuse(
                path, "excludeTargetedDeliveries is for the first buckets of everyone only, here"
            )
        key = usable_key(holdout.key, f"{path}.key")
        if key not in {each.key for each in self._imported.holdouts}:
            share = size(rule.slots) * MILLION // rule.buckets
            self._imported.holdouts.append(Holdout(key, holdout.id, share, profile=PROFILE))
        return key

    def _off(self, holdout: OptHoldout, path: str) -> dict[str, str]:
        """The variations of a holdout, which are off."""
        for index, variation in enumerate(holdout.variations):
            if variation.feature_enabled:
                refuse(f"{path}.variations[{index}]", "a holdout does not switch a flag on")
        return self._owners(holdout, path)

    def _held(self, holdouts: Holdouts, name: str) -> Iterator[Rule]:
        """An experiment for each holdout, which gives its units the holdout's own variation."""
        for holdout, path in holdouts:
            key = usable_key(f"{name}.{holdout.key}", f"{path}.key")
            rule = dealt(key, holdout.id, holdout.traffic_allocation, self._off(holdout, path))
            if rule.slots:
                yield replace(rule, audience=self._audience(holdout, path))

    def experiment(
        self, placed: PlacedRule, name: str, everyone_else: PlacedRule | None = None
    ) -> Iterator[Rule]:
        """An experiment that runs: an experiment for each variation that users are forced to, and
        one for the buckets."""
        given, path, group = placed
        if given.status != "Running":
            self._imported.note(path, f"it is {given.status!r}, so nothing is made of it")
            return
        owners = self._owners(given, path)
        forced = {each.key: owners[each.id] for each in given.variations}
        traffic = list(given.traffic_allocation)
        if everyone_else and everyone_else.rule.variations:
            last = everyone_else.rule.variations[0]
            owners[last.id] = self.variations.key(last, everyone_else.rule.key, everyone_else.path)
            forced[last.key] = owners[last.id]
            traffic.append(OptTraffic(last.id, BUCKETS))
        for index, (variation, owner) in enumerate(forced.items()):
            users = [user for user, to in given.forced_variations.items() if to == variation]
            if users:
                key = usable_key(f"{name}.forced-{index}", f"{path}.key")
                listed = ids_of(users, f"{path}.forcedVariations")
                self._imported.segments.append(Segment(f"{key}.users", include=listed))
                yield Rule(key, whole(owner), audience=InSegment(f"{key}.users"))
        rule = dealt(usable_key(name, f"{path}.key"), given.id, traffic, owners)
        part_of = reserved(self._imported, group, given.id, path) if group else None
        if rule.slots and (part_of is None or part_of.ranges):
            yield replace(rule, audience=self._audience(given, path), reserved=part_of)
        else:
            self._imported.note(path, "it has no buckets, so nothing is made of them")

    def _delivered(self, delivery: Sequence[PlacedRule], flag: str) -> Iterator[Rule]:
        """The rules of a rollout; `gone` are those who skip all but the last."""
        gone: list[Condition] = []
        for index, (given, path, _) in enumerate(delivery):
            is_last = index == len(delivery) - 1
            if is_last:
                gone = []
            name = usable_key(f"{flag}.{given.key}", f"{path}.key")
            audience = self._audience(given, path)
            rule = dealt(name, given.id, given.traffic_allocation, self._owners(given, path))
            held = self._held(self._datafile.local_holdouts(given), name)
            for each in (*held, replace(rule, audience=audience)):
                if each.slots:
                    yield replace(each, audience=_but(gone, each.audience))
            if size(rule.slots) < rule.buckets:
                gone.append(AllOf(()) if audience is None else audience)

    def _owners(self, given: OptRule | OptHoldout, path: str) -> dict[str, str]:
        return {
            each.id: self.variations.key(each, given.key, f"{path}.variations[{index}]")
            for index, each in enumerate(given.variations)
        }

    def _audience(self, given: OptRule | OptHoldout, path: str) -> Condition | None:
        return self._audiences.condition(given.audience_conditions, given.audience_ids, path)


def _but(gone: Sequence[Condition], audience: Condition | None) -> Condition | None:
    """An audience without those who are gone."""
    if not gone:
        return audience
    left = tuple(map(Not, gone))
    return AllOf(left if audience is None else (audience, *left))
