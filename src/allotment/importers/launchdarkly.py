"""LaunchDarkly's SDK payload: flags and segments, as a server SDK's file data source reads them.

The first target or rule that matches is final, and always gives a variation: so each becomes an
experiment, in their order, and the last one is the fallthrough. The flag's default is its off
variation, so that switching it off does what it did.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from allotment.errors import InvalidInput
from allotment.importers.launchdarkly_clauses import USER, all_of
from allotment.importers.launchdarkly_payload import LdFlag, LdRollout, LdServed, LdTarget
from allotment.importers.launchdarkly_segments import LdSegments, one_kind
from allotment.importers.payload import client_default, mapping, part, refuse
from allotment.importers.rules import Imported, Rule, whole
from allotment.importers.values import variations_of
from allotment.model.flag import CLIENT_DEFAULT, Variation
from allotment.model.profile import PROFILES, Draw
from allotment.model.segment import Condition
from allotment.model.slots import Slot

PROFILE: Final = "launchdarkly-1"

_TOTAL: Final = 100_000
_BUCKETS: Final = PROFILES[PROFILE].count(1)
_SECTIONS: Final = ("flags", "segments", "flagValues")


def read(payload: Any) -> Imported:
    """What a payload becomes. Raises InvalidInput with a path where it is none."""
    sections = mapping(payload, "$")
    if not set(_SECTIONS) & set(sections) or set(sections) - set(_SECTIONS):
        raise InvalidInput(f"the payload of an SDK has {', '.join(_SECTIONS)}, and no more", "$")
    flags, segments, values = (mapping(sections.get(each, {}), f"$.{each}") for each in _SECTIONS)
    imported = Imported()
    reader = LdSegments(imported, segments)
    for key in segments:
        reader.kinds(key)
    for key, value in flags.items():
        path = f"$.flags.{key}"
        with imported.attempt(path, f"flag {key}"):
            _Flag(key, part(LdFlag, value, path), path, reader).add(imported)
    for key, value in values.items():
        with imported.attempt(f"$.flagValues.{key}", f"flag {key}"):
            variations = variations_of([value])
            imported.add_flag(key, variations, variations[0].key)
    return imported


class _Flag:
    """One flag on its way to rules."""

    def __init__(self, key: str, given: LdFlag, path: str, segments: LdSegments) -> None:
        self._key = key
        self._given = given
        self._path = path
        self._segments = segments
        self._variations = variations_of(given.variations)

    def add(self, imported: Imported) -> None:
        """Add the flag, with an experiment for each target, each rule and the fallthrough."""
        given, path = self._given, self._path
        if given.deleted:
            refuse(path, "it is deleted")
        if given.prerequisites:
            refuse(f"{path}.prerequisites", "a flag here does not depend on others")
        self._unit = one_kind(self._kinds(), path)
        self._scope = self._segments.scope(self._key, self._unit)
        last = self._served(given.fallthrough or LdServed(), "fallthrough", None)
        if given.off_variation is not None:
            default = self._variation(given.off_variation, f"{path}.offVariation").key
        else:
            known = {variation.key: variation for variation in self._variations}
            self._variations += (client_default(known, f"{path}.variations"),)
            default = CLIENT_DEFAULT
        rules = [*self._targets(), *self._rules()]
        if {slot.owner for slot in last.slots} != {default}:
            rules.append(last)
        imported.add_flag(self._key, self._variations, default, rules, on=given.on)

    def _kinds(self) -> set[str]:
        given = self._given
        rules = given.rules or []
        served = [*rules, given.fallthrough or LdServed()]
        kinds = {one.rollout.context_kind or USER for one in served if one.rollout}
        kinds |= {target.kind for target in self._effective()}
        return kinds | self._segments.of(clause for rule in rules for clause in rule.clauses)

    def _effective(self) -> Sequence[LdTarget]:
        """The targets in the order that counts.

        Where there are targets of contexts, those of users stand among them as places to fill.
        """
        users = self._given.targets or []
        if not self._given.context_targets:
            return [target for target in users if target.values]
        found = []
        for target in self._given.context_targets:
            if target.kind == USER:
                places = [user for user in users if user.variation == target.variation]
                found += places[:1]
            else:
                found.append(target)
        return [target for target in found if target.values]

    def _targets(self) -> Iterator[Rule]:
        for index, target in enumerate(self._effective()):
            path = f"{self._path}.targets"
            slots = whole(self._variation(target.variation, path).key)
            units = self._scope.named(target.values, path)
            key = f"{self._key}.target-{index}"
            yield Rule(key, slots, audience=units, unit=self._unit)

    def _rules(self) -> Iterator[Rule]:
        for index, rule in enumerate(self._given.rules or []):
            path = f"{self._path}.rules[{index}]"
            audience = all_of(rule.clauses, self._scope, path)
            yield self._served(rule, f"rules[{index}]", audience, f"rule-{index}")

    def _served(
        self, served: LdServed, place: str, audience: Condition | None, name: str = "fallthrough"
    ) -> Rule:
        key, path = f"{self._key}.{name}", f"{self._path}.{place}"
        if served.variation is not None:
            slots = whole(self._variation(served.variation, f"{path}.variation").key)
            return Rule(key, slots, audience=audience, unit=self._unit)
        rollout = served.rollout
        if rollout is None or not rollout.variations:
            refuse(path, "it serves no variation")
        # An experiment deals by the key, whatever it says.
        if rollout.bucket_by not in {None, "", "key"} and rollout.kind != "experiment":
            refuse(f"{path}.rollout.bucketBy", "it deals by an attribute; units are dealt here")
        slots = self._dealt(rollout, f"{path}.rollout")
        salt = f"{self._key}.{self._given.salt}" if rollout.seed is None else str(rollout.seed)
        draw = Draw(PROFILE, salt)
        return Rule(key, slots, draw, _BUCKETS, audience=audience, unit=self._unit)

    def _dealt(self, rollout: LdRollout, path: str) -> tuple[Slot, ...]:
        """The buckets of each variation, up to sums of floats; the last has what is left."""
        profile = PROFILES[PROFILE]
        slots: list[Slot] = []
        start, running = 0, 0.0
        last = len(rollout.variations) - 1
        for index, each in enumerate(rollout.variations):
            here = f"{path}.variations[{index}]"
            if each.weight < 0:
                refuse(f"{here}.weight", "a weight is 0 or more")
            running += each.weight / _TOTAL
            stop = _BUCKETS if index == last else profile.edge(running, 1.0)
            if start < stop:
                owner = self._variation(each.variation, here).key
                slots.append(Slot(start, stop, owner))
            start = max(start, stop)
        return tuple(slots)

    def _variation(self, index: int, path: str) -> Variation:
        if not 0 <= index < len(self._given.variations):
            refuse(path, f"there is no variation {index}")
        return self._variations[index]
