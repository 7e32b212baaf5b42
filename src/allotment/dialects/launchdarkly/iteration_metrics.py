"""The metrics of an iteration: they are kept and given back, and nothing is measured here."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from allotment.dialects.launchdarkly.fields import ITEMS_MAX, Id, LDBody, Word
from allotment.dialects.launchdarkly.metric_groups import (
    GROUPS,
    GroupKind,
    LDMetricInGroup,
    group_metrics,
)
from allotment.dialects.launchdarkly.metrics import METRICS
from allotment.dialects.launchdarkly.state import LDState, Links
from allotment.dialects.wire.model import LEFT_OUT, Maybe, Model

MetricKind = Literal["pageview", "click", "custom", "trace", "funnel", "standard"]


class LDMetricInput(LDBody):
    """A metric that an iteration or a holdout measures. It is kept as it is given."""

    key: Word
    isGroup: bool | None = LEFT_OUT
    primary: bool | None = LEFT_OUT
    analysisUnit: Word | None = LEFT_OUT


def _once(metrics: list[LDMetricInput]) -> Any:
    if len({one.key for one in metrics}) < len(metrics):
        raise ValueError("a metric is given twice")
    return metrics


Metrics = Annotated[list[LDMetricInput], Field(max_length=ITEMS_MAX), AfterValidator(_once)]


class LDSingleMetric(Model):
    """A metric as an iteration showed it before there were groups."""

    key: str
    versionId: Id = Field(alias="_versionId")
    name: str
    links: Links = Field(alias="_links")
    kind: MetricKind
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
        shown["metrics"] = [_show(one, kept, state) for one in kept.metrics]
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
    shown: dict[str, Any] = {"primaryMetric": _show(metric, kept, state)}
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


def _show(metric: LDMetricInput, kept: LDKeptMeasures, state: LDState) -> LDIterationMetric:
    if metric.isGroup is not True:
        return LDIterationMetric(**_single(metric, state), isGroup=False)
    named = {**GROUPS.named(metric.key, state), "analysisUnit": metric.analysisUnit}
    if kept.primaryFunnelKey == metric.key:
        named["kind"] = "funnel"
    return LDIterationMetric(**named, isGroup=True)


def _single(metric: LDMetricInput, state: LDState) -> dict[str, Any]:
    return {**METRICS.named(metric.key, state), "analysisUnit": metric.analysisUnit}
