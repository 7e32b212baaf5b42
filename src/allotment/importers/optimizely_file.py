"""A datafile of Optimizely's: what stands where, by the ids that its parts refer by."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final, NamedTuple, TypeAlias

from allotment.errors import InvalidInput
from allotment.importers.optimizely_payload import OptGroup, OptHoldout, OptRollout, OptRule
from allotment.importers.payload import array, json_text, mapping, part, refuse

_VERSION: Final = "4"
_LISTS: Final = (
    *("experiments", "groups", "featureFlags", "rollouts", "holdouts", "localHoldouts"),
    *("audiences", "typedAudiences"),
)
# They say whose it is, and where to send what happened.
_BESIDE: Final = {
    *("version", "accountId", "projectId", "revision", "sdkKey", "environmentKey", "region"),
    *("events", "attributes", "integrations", "variables", "anonymizeIP", "botFiltering"),
    "sendFlagDecisions",
}


class OptPlace(NamedTuple):
    """An object as it stands, its place, and the group that it stands in."""

    given: dict[str, Any]
    path: str
    group: OptPlace | None = None


class PlacedRule(NamedTuple):
    """A rule, its place, and its group where units are in one experiment of it at most."""

    rule: OptRule
    path: str
    group: OptGroup | None


Holdouts: TypeAlias = list[tuple[OptHoldout, str]]


class Datafile:
    """A datafile, whose parts are read strictly where they are asked for.

    `in_flags` says of how many flags an experiment is.
    """

    def __init__(self, payload: Any) -> None:
        given = mapping(payload, "$")
        if given.get("version") != _VERSION:
            message = f"this reads datafiles of version {_VERSION!r}, not {given.get('version')!r}"
            raise InvalidInput(message, "$.version")
        for key in given:
            if key not in _BESIDE and key not in _LISTS:
                raise InvalidInput(f"a datafile of Optimizely has no {key!r}", f"$.{key}")
        lists = {word: _objects(given.get(word, []), f"$.{word}") for word in _LISTS}
        self.flags = lists["featureFlags"]
        self._rollouts = lists["rollouts"]
        self._holdouts = lists["holdouts"], lists["localHoldouts"]
        in_groups = [each for group in lists["groups"] for each in _inside(group, group)]
        self._experiments = lists["experiments"] + in_groups
        delivering = [each for rollout in self._rollouts for each in _inside(rollout)]
        self._rules: dict[str, list[OptPlace]] = {}
        self._uses: dict[str, set[str]] = {}
        for each in self._experiments + delivering:
            self._rules.setdefault(str(each.given.get("id")), []).append(each)
            for variation, _, _ in _objects(each.given.get("variations", []), each.path):
                used = json_text(variation.get("variables") or [])
                self._uses.setdefault(str(variation.get("id")), set()).add(used)
        self.in_flags = Counter(
            str(identity)
            for flag in self.flags
            for identity in array(flag.given.get("experimentIds", []), flag.path)
        )
        self._named = Counter(str(each.given.get("key")) for each in self._all_rules())
        # Of two audiences with one id the later counts, and the typed ones are later.
        audiences = lists["audiences"] + lists["typedAudiences"]
        self.audiences = {str(each.given.get("id")): each for each in audiences}

    def alone(self) -> list[OptPlace]:
        """The experiments that are in no flag."""
        return [each for each in self._experiments if each.given.get("id") not in self.in_flags]

    def asking(self) -> list[OptPlace]:
        """Everything that may ask for audiences."""
        everywhere, local = self._holdouts
        return self._all_rules() + everywhere + local

    def rule(self, identity: str, path: str) -> PlacedRule:
        """The rule of an id; raises LeftOut where there is not exactly one."""
        found = self._rules.get(identity, [])
        if len(found) != 1 or not identity:
            refuse(path, f"{len(found)} rules have the id {identity!r}")
        given, here, group = found[0]
        rule = part(OptRule, given, here)
        if rule.cmab or rule.type == "cmab":
            refuse(here, "a bandit chooses by a model that is not in the file")
        if rule.forced_variations and self._named[rule.key] > 1:
            refuse(f"{here}.key", f"several rules are called {rule.key!r}, and users are forced")
        keys = Counter(variation.key for variation in rule.variations)
        if len(keys) < len(rule.variations):
            refuse(f"{here}.variations", "two variations have one key")
        for index, variation in enumerate(rule.variations):
            if len(self._uses[variation.id]) > 1:
                message = f"the id {variation.id!r} is also that of a variation with other values"
                refuse(f"{here}.variations[{index}].id", message)
        owner = part(OptGroup, group.given, group.path) if group else None
        # In a group with another policy experiments do not exclude each other.
        return PlacedRule(rule, here, owner if owner and owner.policy == "random" else None)

    def delivery(self, identity: str, path: str) -> list[PlacedRule]:
        """The rules of a rollout, in their order."""
        if not identity:
            return []
        found = [each for each in self._rollouts if each.given.get("id") == identity]
        if len(found) != 1:
            refuse(path, f"{len(found)} rollouts have the id {identity!r}")
        part(OptRollout, found[0].given, found[0].path)
        return [self.rule(str(each.given.get("id")), each.path) for each in _inside(found[0])]

    def holdouts(self) -> Holdouts:
        """Those that run and are for all flags, in their order."""
        return _running(self._holdouts[0])

    def local_holdouts(self, rule: OptRule) -> Holdouts:
        """Those that run and are for this rule, in their order."""
        local = _running(self._holdouts[1])
        return [each for each in local if rule.id in (each[0].included_rules or ())]

    def _all_rules(self) -> list[OptPlace]:
        return [each for found in self._rules.values() for each in found]


def _objects(values: Any, path: str, group: OptPlace | None = None) -> list[OptPlace]:
    places = [f"{path}[{index}]" for index in range(len(array(values, path)))]
    pairs = zip(values, places, strict=True)
    return [OptPlace(dict(mapping(each, place)), place, group) for each, place in pairs]


def _inside(owner: OptPlace, group: OptPlace | None = None) -> list[OptPlace]:
    """The experiments of a group or a rollout."""
    return _objects(owner.given.get("experiments", []), f"{owner.path}.experiments", group)


def _running(found: list[OptPlace]) -> Holdouts:
    return [
        (part(OptHoldout, each.given, each.path), each.path)
        for each in found
        if each.given.get("status") == "Running"
    ]
