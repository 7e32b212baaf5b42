"""What stands in Optimizely's datafile of version 4. Fields that decide nothing are marked so."""

from __future__ import annotations

from typing import Any

import msgspec

from allotment.importers.payload import PayloadPart


class OptUsage(PayloadPart, frozen=True):
    """What a variation gives for a variable."""

    id: str
    value: str


class OptVariation(PayloadPart, frozen=True):
    """A variation; its name decides nothing."""

    id: str
    key: str
    feature_enabled: bool = False
    variables: list[OptUsage] = msgspec.field(default_factory=list)
    name: str | None = None


class OptTraffic(PayloadPart, frozen=True):
    """The buckets up to an end, and what has them; an empty id is nothing."""

    entity_id: str
    end_of_range: int


class OptRule(PayloadPart, frozen=True):
    """A rule of a flag, or an experiment without one; the layer's id and the name decide nothing.

    `type` says whether a bandit deals, whether a holdout may pass it over (`td`), and whether what
    it does not take gets what everyone else does (`fr`).
    """

    id: str
    key: str
    status: str
    variations: list[OptVariation]
    traffic_allocation: list[OptTraffic]
    audience_ids: list[str]
    forced_variations: dict[str, str] = msgspec.field(default_factory=dict)
    audience_conditions: Any = None
    cmab: Any = None
    type: str | None = None
    layer_id: str | None = None
    name: str | None = None


class OptHoldout(PayloadPart, frozen=True):
    """Whom all flags, or some rules, leave out."""

    id: str
    key: str
    status: str
    variations: list[OptVariation]
    traffic_allocation: list[OptTraffic]
    audience_ids: list[str]
    audience_conditions: Any = None
    included_rules: list[str] | None = None
    exclude_targeted_deliveries: bool = False
    layer_id: str | None = None
    name: str | None = None


class OptVariable(PayloadPart, frozen=True):
    """A variable of a flag; its value is text of its type."""

    id: str
    key: str
    type: str
    default_value: str
    sub_type: str | None = None


class OptFlag(PayloadPart, frozen=True):
    """A flag."""

    id: str
    key: str
    experiment_ids: list[str]
    rollout_id: str
    variables: list[OptVariable]


class OptGroup(PayloadPart, frozen=True):
    """Experiments of which a unit is in one at most, if the policy is `random`."""

    id: str
    policy: str
    traffic_allocation: list[OptTraffic]
    experiments: list[dict[str, Any]]


class OptRollout(PayloadPart, frozen=True):
    """The rules that deliver a flag to whom no experiment of it took."""

    id: str
    experiments: list[dict[str, Any]]


class OptAudience(PayloadPart, frozen=True):
    """Units, by conditions on their attributes; the name decides nothing."""

    id: str
    name: str
    conditions: Any
