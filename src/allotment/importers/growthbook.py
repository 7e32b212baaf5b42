"""GrowthBook's features, as its SDK endpoint sends them.

A rule that does not take a unit leaves it to the next rule, and so does an experiment here. Every
value is a variation; null stands for the default in the caller's own code, as `get_feature_value`
takes it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from allotment.errors import InvalidInput
from allotment.importers.growthbook_conditions import Reader
from allotment.importers.growthbook_ranges import (
    NAMESPACE,
    Span,
    bucket_ranges,
    buckets_in,
    profile_of,
    slots_of,
)
from allotment.importers.payload import (
    PayloadPart,
    client_default,
    json_text,
    mapping,
    part,
    refuse,
)
from allotment.importers.rules import Imported, Reserved, Rule, whole
from allotment.importers.values import is_key, variations_of
from allotment.model.flag import Variation
from allotment.model.profile import PROFILES, Draw
from allotment.model.slots import Ranges, Slot, join

_KNOWN: Final = {
    *("features", "savedGroups", "experiments", "dateUpdated", "status", "contextualBandits"),
    *("encryptedFeatures", "encryptedExperiments", "encryptedSavedGroups"),
}


class GbMeta(PayloadPart, frozen=True):
    """What is said of a variation; one that passes through leaves the unit to the next rule."""

    key: str | None = None
    name: str | None = None
    passthrough: bool | None = None


class GbFilter(PayloadPart, frozen=True):
    """The part of a layer that a rule has."""

    ranges: list[Span]
    seed: str = ""
    hash_version: int | None = 2
    attribute: str | None = "id"


class GbRule(PayloadPart, frozen=True):
    """A rule; the fields after `parent_conditions` decide nothing without sticky buckets."""

    condition: dict[str, Any] | None = None
    force: Any = None
    variations: list[Any] | None = None
    coverage: float | None = None
    weights: list[float] | None = None
    range: Span | None = None
    ranges: list[Span] | None = None
    namespace: tuple[str, float, float] | None = None
    filters: list[GbFilter] | None = None
    key: str | None = None
    seed: str | None = None
    hash_attribute: str | None = None
    hash_version: int | None = None
    fallback_attribute: str | None = None
    disable_sticky_bucketing: bool | None = None
    meta: list[GbMeta] | None = None
    parent_conditions: list[Any] | None = None
    id: str | None = None
    name: str | None = None
    phase: str | None = None
    bucket_version: int | None = None
    min_bucket_version: int | None = None
    metadata: Any = None

    @property
    def is_dealt(self) -> bool:
        """Whether it asks for the hash of a unit."""
        covered = self.coverage is not None or self.range is not None
        return self.force is None or covered or bool(self.filters)

    @property
    def unit(self) -> str:
        """The attribute that it hashes."""
        return self.hash_attribute or "id"


class GbFeature(PayloadPart, frozen=True):
    """A feature."""

    default_value: Any = None
    rules: list[GbRule] = msgspec.field(default_factory=list)
    metadata: Any = None


def read(payload: Any) -> Imported:
    """What a payload becomes. Raises InvalidInput with a path where it is none."""
    whole_file = mapping(payload, "$")
    for key in whole_file:
        if key not in _KNOWN:
            raise InvalidInput(f"GrowthBook's SDK payload has no {key!r}", f"$.{key}")
        if key.startswith("encrypted") and whole_file[key]:
            raise InvalidInput("this is encrypted; take the payload in plain text", f"$.{key}")
    if "features" not in whole_file:
        raise InvalidInput("GrowthBook's SDK payload has features", "$")
    features = mapping(whole_file["features"], "$.features")
    imported = Imported()
    reader = Reader(mapping(whole_file.get("savedGroups") or {}, "$.savedGroups"))
    for key, value in features.items():
        path = f"$.features.{key}"
        with imported.attempt(path, f"flag {key}"):
            _Feature(key, part(GbFeature, value, path), path, reader).add(imported)
    if reader.elementwise:
        message = (
            "an attribute that is a list is compared by its elements here; in GrowthBook only $in "
            "and $nin do that, and its other operators never match a list"
        )
        imported.note("$.features", message)
    if whole_file.get("experiments"):
        message = "experiments of the visual editor and redirects are left out: they set no flag"
        imported.note("$.experiments", message)
    return imported


class _Feature:
    """One feature on its way to a flag."""

    def __init__(self, key: str, given: GbFeature, path: str, reader: Reader) -> None:
        self._key = key
        self._given = given
        self._path = path
        self._reader = reader
        values = [given.default_value]
        for rule in given.rules:
            values += [rule.force] if rule.force is not None else rule.variations or []
        self._variations = _variations(values, path)
        dealt = (rule.unit for rule in given.rules if rule.is_dealt)
        self._unit = next(dealt, "id")

    def add(self, imported: Imported) -> None:
        """Add the flag, with an experiment for each rule that can take a unit."""
        rules: list[Rule] = []
        for index, rule in enumerate(self._given.rules):
            path = f"{self._path}.rules[{index}]"
            made = self._rule(rule, path, f"{self._key}.rule-{index}", imported)
            if made is None:
                imported.note(path, "this rule takes no unit, so nothing is made of it")
            else:
                rules.append(made)
        default = self._variation(self._given.default_value)
        imported.add_flag(self._key, [*self._variations.values()], default, rules)

    def _variation(self, value: Any) -> str:
        return self._variations[json_text(value)].key

    def _rule(self, rule: GbRule, path: str, key: str, imported: Imported) -> Rule | None:
        """The rule; None where it takes no unit."""
        if rule.parent_conditions:
            refuse(f"{path}.parentConditions", "a flag here does not depend on others")
        profile = profile_of(rule.hash_version)
        if profile is None:
            refuse(f"{path}.hashVersion", f"there is no hash of version {rule.hash_version}")
        unit = rule.unit if rule.is_dealt else self._unit
        audience = None
        if rule.condition:
            audience = self._reader.read(rule.condition, f"{path}.condition")
        reserved = self._reserved(rule, path, unit, imported)
        if reserved is not None and not reserved.ranges:
            return None
        salt = rule.seed or self._key
        if rule.force is not None and rule.coverage is None and rule.range is None:
            slots = whole(self._variation(rule.force))
            return Rule(key, slots, audience=audience, reserved=reserved, unit=unit)
        if rule.force is not None:
            span = self._rollout(rule, path, imported)
            slots = slots_of(profile, [span], [self._variation(rule.force)])
        else:
            salt = rule.seed or rule.key or self._key
            slots = self._dealt(rule, profile, path, imported)
        if not slots:
            return None
        buckets = PROFILES[profile].count(1)
        draw = Draw(profile, salt)
        return Rule(key, slots, draw, buckets, audience, reserved=reserved, unit=unit)

    def _rollout(self, rule: GbRule, path: str, imported: Imported) -> Span:
        """The range of a forced value."""
        if rule.fallback_attribute and not rule.disable_sticky_bucketing:
            refuse(f"{path}.fallbackAttribute", "a unit is of one kind here")
        if rule.range is not None:
            return rule.range
        coverage = 0.0 if rule.coverage is None else rule.coverage
        if 0 < coverage < 1:
            message = (
                "older SDKs of GrowthBook also take in the units whose hash equals the coverage; "
                "here, as in its newer ones, they are out"
            )
            imported.note(f"{path}.coverage", message)
        return 0.0, coverage

    def _dealt(self, rule: GbRule, profile: str, path: str, imported: Imported) -> tuple[Slot, ...]:
        """The buckets of each variation; none where there are fewer than two."""
        variations = rule.variations
        if variations is None or len(variations) < 2:
            return ()
        coverage = 1.0 if rule.coverage is None else rule.coverage
        if any(weight < 0 for weight in rule.weights or []):
            refuse(f"{path}.weights", "a weight is 0 or more")
        ranges = rule.ranges or bucket_ranges(len(variations), coverage, rule.weights)
        owners: list[str | None] = [self._variation(value) for value in variations]
        if len(set(owners)) < len(owners):
            message = "variations of one value become one treatment"
            imported.note(f"{path}.variations", message)
        for index, meta in enumerate(rule.meta or []):
            if meta.passthrough and index < len(owners):
                owners[index] = None
        return slots_of(profile, ranges, owners)

    def _reserved(self, rule: GbRule, path: str, unit: str, imported: Imported) -> Reserved | None:
        """The part of a layer that the rule has; filters count before a namespace."""
        if rule.filters:
            if len(rule.filters) > 1:
                refuse(f"{path}.filters", "an experiment is in one layer")
            one = rule.filters[0]
            profile = profile_of(2 if one.hash_version is None else one.hash_version)
            if profile is None or (one.attribute or "id") != unit:
                refuse(f"{path}.filters[0]", "it hashes another attribute, or in an unknown way")
            return _layer(imported, Draw(profile, one.seed), unit, one.ranges)
        if rule.namespace and rule.force is None:
            salt, *span = rule.namespace
            return _layer(imported, Draw(NAMESPACE, salt), unit, [(span[0], span[1])])
        return None


def _layer(imported: Imported, draw: Draw, unit: str, spans: Iterable[Span]) -> Reserved:
    ranges: Ranges = join(each for span in spans for each in buckets_in(draw.profile, span))
    for layer in imported.layers.values():
        if (layer.profile, layer.salt, layer.unit) == (*draw, unit):
            return Reserved(layer.key, ranges)
    taken = not is_key(draw.salt) or draw.salt in imported.layers
    key = f"layer-{len(imported.layers)}" if taken else draw.salt
    if ranges:
        imported.add_layer(key, draw, unit)
    return Reserved(key, ranges)


def _variations(values: Iterable[Any], path: str) -> dict[str, Variation]:
    """By JSON text, a variation for each value; null is the caller's default."""
    distinct = {json_text(value): value for value in values}
    is_null = distinct.pop("null", 0) is None
    made = dict(zip(distinct, variations_of([*distinct.values()]), strict=True))
    if is_null:
        known = {each.key: each for each in made.values()}
        made["null"] = client_default(known, path)
    return made
