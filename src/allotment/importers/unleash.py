"""Unleash's client features: strategies, any of which switches a feature on, and variants.

The first strategy that takes a unit decides. It becomes a rule, with the rollout as its enrolment
and the variants as its treatments. A feature that is on without a variant is `enabled`; one that
is off is `disabled`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, Final

from allotment.errors import InvalidInput
from allotment.importers.payload import (
    PayloadPart,
    array,
    json_text,
    mapping,
    part,
    refuse,
    usable_key,
)
from allotment.importers.rules import Imported, Rule, whole
from allotment.importers.unleash_constraints import Constraints
from allotment.model.flag import Variation
from allotment.model.limits import BUCKETS
from allotment.model.number import read_whole
from allotment.model.profile import Draw
from allotment.model.segment import AllOf, Condition
from allotment.model.slots import Slot

_ON: Final = "enabled"
_OFF: Final = "disabled"
_PERCENT: Final = BUCKETS // 100
_BY_USER: Final = (None, "default", "userId")


class _Payload(PayloadPart, frozen=True):
    type: str
    value: str


class _Override(PayloadPart, frozen=True):
    context_name: str
    values: list[str]


class _Variant(PayloadPart, frozen=True):
    name: str
    weight: int
    weight_type: str | None = None
    stickiness: str | None = None
    payload: _Payload | None = None
    overrides: list[_Override] | None = None


class _Strategy(PayloadPart, frozen=True):
    name: str
    parameters: dict[str, Any] | None = None
    constraints: list[Any] | None = None
    segments: list[int] | None = None
    variants: list[_Variant] | None = None
    id: str | None = None
    title: str | None = None


class _Feature(PayloadPart, frozen=True):
    name: str
    enabled: bool
    strategies: list[_Strategy] | None = None
    variants: list[_Variant] | None = None
    dependencies: list[Any] | None = None
    type: str | None = None
    description: str | None = None
    project: str | None = None
    stale: bool | None = None
    impression_data: bool | None = None
    created_at: str | None = None
    last_seen_at: str | None = None


def read(payload: Any) -> Imported:
    """What client features become.

    Raises InvalidInput with the path of the first thing that is not as Unleash sends it.
    """
    sent = mapping(payload, "$")
    if "features" not in sent:
        raise InvalidInput("client features of Unleash have `features`", "$")
    segments = array(sent.get("segments") or [], "$.segments")
    imported = Imported()
    for index, value in enumerate(array(sent["features"], "$.features")):
        path = f"$.features[{index}]"
        name = mapping(value, path).get("name")
        with imported.attempt(path, f"feature {name!r}"):
            _add(imported, part(_Feature, value, path), segments, path)
    return imported


def _add(imported: Imported, feature: _Feature, segments: Sequence[Any], path: str) -> None:
    key = usable_key(feature.name, f"{path}.name")
    if feature.dependencies:
        refuse(f"{path}.dependencies", "a flag here does not depend on others")
    constraints = Constraints(key, segments)
    strategies = feature.strategies or [_Strategy("default")]
    rules: list[Rule] = []
    for index, strategy in enumerate(strategies):
        here = f"{path}.strategies[{index}]"
        audience = _audience(strategy, constraints, here)
        rules.extend(_rules(key, feature, strategy, audience, constraints, here))
    variations = _variations(feature, strategies, path)
    imported.segments.extend(constraints.segments)
    numbered = [replace(rule, key=f"{key}.{n}") for n, rule in enumerate(rules, 1)]
    imported.add_flag(key, variations, _OFF, numbered, on=feature.enabled)
    imported.notes.extend(constraints.notes)


def _audience(strategy: _Strategy, constraints: Constraints, path: str) -> list[Condition]:
    found = constraints.all_of(strategy.constraints or [], f"{path}.constraints")
    for number in strategy.segments or []:
        found += constraints.segment(number)
    parameters = strategy.parameters or {}
    if strategy.name == "userWithId":
        text = parameters.get("userIds")
        if not isinstance(text, str):
            refuse(f"{path}.parameters.userIds", "these are user ids with commas between them")
        users = [user.strip() for user in text.split(",")]
        found.append(constraints.among("userId", users, f"{path}.parameters.userIds"))
    return found


def _rules(  # noqa: PLR0913, PLR0917  # what a strategy stands in
    key: str,
    feature: _Feature,
    strategy: _Strategy,
    audience: list[Condition],
    constraints: Constraints,
    path: str,
) -> Iterator[Rule]:
    """What a strategy becomes: a rule for each override of a variant, and one for all others."""
    group, percent = _rollout(key, strategy, path)
    if percent == 0:
        return
    enrolment = (percent * _PERCENT, Draw("unleash-rollout-1", group)) if percent < 100 else None
    if not strategy.variants:
        for variant in feature.variants or []:
            for override in variant.overrides or []:
                name, listed = override.context_name, override.values
                own = constraints.among(name, listed, f"{path}.variants")
                both = AllOf((*audience, own))
                yield Rule(key, whole(variant.name), audience=both, enrolment=enrolment)
    elif any(variant.overrides for variant in (*strategy.variants, *(feature.variants or []))):
        refuse(f"{path}.variants", "a strategy with variants goes with no overrides")
    variants = strategy.variants or feature.variants
    condition = AllOf(tuple(audience)) if audience else None
    rule = Rule(key, whole(_ON), audience=condition, enrolment=enrolment)
    if variants:
        salt = group if strategy.variants else key
        owner = path if strategy.variants else path.rpartition(".strategies")[0]
        edges = _edges(variants, f"{owner}.variants")
        named = zip(variants, pairwise(edges), strict=True)
        slots = tuple(Slot(*pair, one.name) for one, pair in named if pair[0] < pair[1])
        draw = Draw("unleash-variant-1", salt)
        rule = replace(rule, slots=slots, draw=draw, buckets=edges[-1])
    yield rule


def _edges(variants: Sequence[_Variant], path: str) -> list[int]:
    """Where the buckets of each variant end."""
    edges = [0]
    for index, variant in enumerate(variants):
        if variant.weight < 0:
            raise InvalidInput("a weight is 0 or more", f"{path}[{index}].weight")
        if variant.stickiness not in _BY_USER:
            message = "variants are dealt by the user's id here, and by nothing else"
            refuse(f"{path}[{index}].stickiness", message)
        edges.append(edges[-1] + variant.weight)
    if not edges[-1]:
        refuse(path, "no variant has a weight")
    return edges


def _rollout(key: str, strategy: _Strategy, path: str) -> tuple[str, int]:
    """The group whose name is the salt, and the percentage that is in."""
    parameters = strategy.parameters or {}
    group = parameters.get("groupId", key)
    if strategy.name in ("default", "userWithId"):
        return group if isinstance(group, str) and group else key, 100
    name = {"flexibleRollout": "rollout", "gradualRolloutUserId": "percentage"}.get(strategy.name)
    if name is None:
        refuse(f"{path}.name", f"strategy {strategy.name!r} is not known here")
    if parameters.get("stickiness") not in _BY_USER:
        refuse(f"{path}.parameters.stickiness", "a rollout is by the user's id here")
    if not isinstance(group, str) or not group:
        refuse(f"{path}.parameters.groupId", "the group has a name")
    text = str(parameters.get(name))
    percentage = read_whole(text)
    if percentage is None or percentage > 100:
        refuse(f"{path}.parameters.{name}", f"{text!r} is no whole percentage")
    return group, percentage


def _variations(feature: _Feature, strategies: Sequence[_Strategy], path: str) -> list[Variation]:
    """The two states, and each variant; one name means one value."""
    found = {_OFF: Variation(_OFF, "false"), _ON: Variation(_ON, "true")}
    for variants in (feature.variants, *(strategy.variants for strategy in strategies)):
        for variant in variants or []:
            here = f"{path}.variants.{variant.name}"
            made = Variation(usable_key(variant.name, here), _value(variant, here))
            if found.setdefault(variant.name, made) != made:
                refuse(here, f"there are two meanings of {variant.name!r}")
    return list(found.values())


def _value(variant: _Variant, path: str) -> str:
    """The payload as JSON; without one, the variant's name."""
    payload = variant.payload
    if payload is None:
        return json_text(variant.name)
    if payload.type in ("string", "csv"):
        return json_text(payload.value)
    if payload.type in ("json", "number"):
        try:
            return json_text(json.loads(payload.value))
        except ValueError:
            refuse(f"{path}.payload", f"this is no {payload.type}")
    return refuse(f"{path}.payload", f"a payload of type {payload.type!r} is not known here")
