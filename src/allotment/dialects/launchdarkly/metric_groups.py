"""The groups of metrics of a project. Like metrics they are stored and given back."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field, TypeAdapter

from allotment.change.commands import Command
from allotment.dialects.launchdarkly.fields import (
    ITEMS_MAX,
    Description,
    Key,
    LDBody,
    Moment,
    Name,
    Text,
    Word,
    Words,
)
from allotment.dialects.launchdarkly.ids import NO_MEMBER
from allotment.dialects.launchdarkly.metrics import (
    METRICS,
    Aggregation,
    MetricKind,
    Shelf,
    measured,
)
from allotment.dialects.launchdarkly.state import LDPage, LDState, LDWindow, Links, Scene
from allotment.dialects.wire.model import LEFT_OUT, Model
from allotment.dialects.wire.operation import Call, Noun
from allotment.model.catalog import Catalog

GroupKind = Literal["funnel", "standard"]


class LDMember(LDBody):
    """A metric of a group."""

    key: Key
    nameInGroup: Text | None = LEFT_OUT


class LDMetricGroupFields(LDBody):
    """What a metric group says beside its key."""

    name: Name
    kind: GroupKind
    description: Description | None = LEFT_OUT
    tags: Words | None = LEFT_OUT
    metrics: Annotated[list[LDMember], Field(min_length=1, max_length=ITEMS_MAX)]


class LDMetricGroupPost(LDMetricGroupFields):
    """The body that creates a metric group."""

    key: Key
    maintainerId: Word | None = LEFT_OUT


class LDKeptMetricGroup(LDMetricGroupFields):
    """What is kept of a metric group, under its key."""

    maintainer: str
    creationDate: Moment = Field(alias="_creationDate")


class LDMaintainer(Model):
    """Who looks after a metric group."""

    key: str
    kind: Literal["member", "team"]


class LDMetricInGroup(Model):
    """A metric of a group, as it is shown."""

    key: str
    nameInGroup: str | None = LEFT_OUT
    versionId: str = Field(alias="_versionId")
    name: str
    kind: MetricKind
    isNumeric: bool | None = LEFT_OUT
    unitAggregationType: Aggregation | None = LEFT_OUT
    eventKey: str | None = LEFT_OUT
    links: Links = Field(alias="_links")


class LDMetricGroup(Model):
    """A metric group."""

    id: str = Field(alias="_id")
    key: str
    name: str
    description: str
    kind: GroupKind
    tags: list[str]
    creationDate: Moment = Field(alias="_creationDate")
    lastModified: Moment = Field(alias="_lastModified")
    version: int = Field(alias="_version")
    maintainer: LDMaintainer
    metrics: list[LDMetricInGroup]
    links: Links = Field(alias="_links")


GROUPS: Final = Shelf(
    "metric-groups",
    "metric group",
    "metricGroupKey",
    "standard",
    TypeAdapter(LDKeptMetricGroup),
    Scene.of_group,
)


def create_metric_group(call: Call[LDMetricGroupPost], catalog: Catalog) -> list[Command]:
    """Create a metric group."""
    said = {"description": "", "tags": [], "_creationDate": call.now, **call.body.plain()}
    said["maintainer"] = said.pop("maintainerId", NO_MEMBER)
    return GROUPS.create(said, catalog)


def delete_metric_group(call: Call[None], catalog: Catalog) -> list[Command]:
    """Delete a metric group; its metrics stay."""
    return GROUPS.delete(call.ids, catalog)


def get_metric_group(state: LDState, noun: Noun) -> LDMetricGroup:
    """A metric group."""
    return _show(noun.key, GROUPS.get(noun.key, state.catalog), state)


def get_metric_groups(query: LDWindow, state: LDState) -> LDPage[LDMetricGroup]:
    """A window of the metric groups of the project, by key."""
    return GROUPS.page(query, state, lambda key, kept: _show(key, kept, state))


def _show(key: str, kept: LDKeptMetricGroup, state: LDState) -> LDMetricGroup:
    shown = {
        **GROUPS.shown(key, kept, state.scene),
        "_lastModified": kept.creationDate,
        "_version": 1,
        "maintainer": {"key": kept.maintainer, "kind": "member"},
        "metrics": _members(kept, state),
    }
    return LDMetricGroup.model_validate(shown)


def group_metrics(key: str, state: LDState) -> list[LDMetricInGroup]:
    """The metrics of a group, in its order; none of a group that was not created."""
    kept = GROUPS.find(key, state.catalog)
    return _members(kept, state) if kept else []


def _members(kept: LDKeptMetricGroup, state: LDState) -> list[LDMetricInGroup]:
    return [
        LDMetricInGroup.model_validate(
            {
                **each.plain(),
                **METRICS.named(each.key, state),
                **measured(each.key, state.catalog),
            }
        )
        for each in kept.metrics
    ]
