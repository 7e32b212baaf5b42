"""The groups of metrics of a project, and the metrics of an iteration or a holdout.

Like metrics they are stored and given back, and nothing is measured here.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Any, Final, Literal

from pydantic import Field, TypeAdapter

from allotment.change.commands import Command
from allotment.dialects.launchdarkly.fields import (
    ITEMS_MAX,
    Description,
    Id,
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
from allotment.dialects.wire.model import LEFT_OUT, Maybe, Model, must
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
    kept = GROUPS.shown(noun.key, state)
    shown = {
        "_lastModified": kept["_creationDate"],
        "_version": 1,
        "maintainer": {"key": kept["maintainer"], "kind": "member"},
        "metrics": group_metrics(noun.key, state),
    }
    return LDMetricGroup.model_validate({**kept, **shown})


def get_metric_groups(query: LDWindow, state: LDState) -> LDPage[LDMetricGroup]:
    """A window of the metric groups of the project, by key."""
    return GROUPS.page(query, state, get_metric_group)


def group_metrics(key: str, state: LDState) -> list[LDMetricInGroup]:
    """The metrics of a group, in its order; none of a group that was not created."""
    kept = GROUPS.find(key, state.catalog)
    shown = (
        {**each.plain(), **METRICS.named(each.key, state), **measured(each.key, state.catalog)}
        for each in (kept.metrics if kept else ())
    )
    return [LDMetricInGroup.model_validate(each) for each in shown]


MeasureKind = Literal["pageview", "click", "custom", "trace", "funnel", "standard"]


class LDMetricInput(LDBody):
    """A metric that an iteration or a holdout measures. It is kept as it is given."""

    key: Word
    isGroup: bool | None = LEFT_OUT
    primary: bool | None = LEFT_OUT
    analysisUnit: Word | None = LEFT_OUT


Metrics = Annotated[
    list[LDMetricInput],
    Field(max_length=ITEMS_MAX),
    must(lambda given: len({one.key for one in given}) == len(given), "a metric is given twice"),
]


class LDSingleMetric(Model):
    """A metric as an iteration showed it before there were groups."""

    key: str
    versionId: Id = Field(alias="_versionId")
    name: str
    links: Links = Field(alias="_links")
    kind: MeasureKind
    analysisUnit: Maybe[str] = LEFT_OUT


class LDIterationMetric(LDSingleMetric):
    """A metric or a group of metrics of an iteration."""

    isGroup: bool


class LDFunnel(Model):
    """The group of metrics that is an iteration's primary metric."""

    key: str
    name: str
    kind: GroupKind
    links: Links = Field(alias="_links")
    metrics: list[LDMetricInGroup]


class LDPrimary(Model):
    """The primary metric under each of its names."""

    primaryMetric: Maybe[LDIterationMetric] = LEFT_OUT
    primarySingleMetric: Maybe[LDSingleMetric] = LEFT_OUT
    primaryFunnel: Maybe[LDFunnel] = LEFT_OUT


class LDKeptMeasures(LDBody):
    """What is kept of the metrics of an iteration, or of a holdout."""

    metrics: list[LDMetricInput] = Field(default=[])
    primarySingleMetricKey: str | None = None
    primaryFunnelKey: str | None = None

    @property
    def primary(self) -> str | None:
        """The key of the primary metric or group."""
        return self.primarySingleMetricKey or self.primaryFunnelKey


def kept_metrics(metrics: list[LDMetricInput]) -> list[Any]:
    """What is kept of metrics."""
    return [{**one.plain(), "isGroup": one.isGroup is True} for one in metrics]


def show_measures(kept: LDKeptMeasures, state: LDState, expand: Collection[str]) -> dict[str, Any]:
    """The primary metric, and if they are asked for all metrics, groups among them, and those that
    the API showed before it had `metrics`: the single ones beside the primary one."""
    shown = _primary(kept, state)
    if "secondaryMetrics" in expand:
        shown["metrics"] = [_show_metric(one, kept, state) for one in kept.metrics]
        shown["secondaryMetrics"] = [
            LDSingleMetric(**_single(one, state))
            for one in kept.metrics
            if not one.isGroup and one.key != kept.primary
        ]
    return shown


def _primary(kept: LDKeptMeasures, state: LDState) -> dict[str, Any]:
    """The primary metric under each of its names, none where there is none."""
    key = kept.primary
    if key is None:
        return {}
    known = next((metric for metric in kept.metrics if metric.key == key), None)
    funnel = kept.primaryFunnelKey is not None and kept.primarySingleMetricKey is None
    metric = known or LDMetricInput.model_construct(key=key, isGroup=funnel)
    shown: dict[str, Any] = {"primaryMetric": _show_metric(metric, kept, state)}
    if funnel:
        group = GROUPS.named(key, state)
        shown["primaryFunnel"] = LDFunnel(
            key=key,
            name=group["name"],
            kind="funnel",
            _links=group["_links"],
            metrics=group_metrics(key, state),
        )
    else:
        shown["primarySingleMetric"] = LDSingleMetric(**_single(metric, state))
    return shown


def _show_metric(metric: LDMetricInput, kept: LDKeptMeasures, state: LDState) -> LDIterationMetric:
    if metric.isGroup is not True:
        return LDIterationMetric(**_single(metric, state), isGroup=False)
    named = {**GROUPS.named(metric.key, state), "analysisUnit": metric.analysisUnit}
    if kept.primaryFunnelKey == metric.key:
        named["kind"] = "funnel"
    return LDIterationMetric(**named, isGroup=True)


def _single(metric: LDMetricInput, state: LDState) -> dict[str, Any]:
    return {**METRICS.named(metric.key, state), "analysisUnit": metric.analysisUnit}
