"""The metrics of an iteration: they are kept and given back, and nothing is measured here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from allotment.dialects.launchdarkly.ids import id_of
from allotment.dialects.launchdarkly.links import Scene, links_to
from allotment.dialects.launchdarkly.metrics_kept import group_metrics, named_metric
from allotment.dialects.launchdarkly.schema.experiments import (
    LDFunnel,
    LDIterationMetric,
    LDKeptIteration,
    LDMetricInput,
    LDSingleMetric,
)
from allotment.dialects.wire.source import Tree
from allotment.model.catalog import Catalog


def kept_metrics(metrics: Sequence[LDMetricInput]) -> list[Tree]:
    """What is kept of metrics."""
    return [{**one.plain(), "isGroup": one.isGroup is True} for one in metrics]


def show_metrics(kept: LDKeptIteration, scene: Scene, catalog: Catalog) -> list[LDIterationMetric]:
    """All metrics of an iteration, groups among them."""
    return [_show(metric, kept, scene, catalog) for metric in kept.metrics]


def show_secondary(kept: LDKeptIteration, scene: Scene, catalog: Catalog) -> list[LDSingleMetric]:
    """The single metrics beside the primary one, as the API showed them before it had `metrics`."""
    return [
        LDSingleMetric(**_single(metric, scene, catalog))
        for metric in kept.metrics
        if not metric.isGroup and metric.key != kept.primary
    ]


def show_primary(kept: LDKeptIteration, scene: Scene, catalog: Catalog) -> dict[str, Any]:
    """The primary metric under each of its names, none where there is none."""
    key = kept.primary
    if key is None:
        return {}
    known = next((metric for metric in kept.metrics if metric.key == key), None)
    funnel = kept.primaryFunnelKey is not None and kept.primarySingleMetricKey is None
    metric = known or LDMetricInput.model_construct(key=key, isGroup=funnel)
    shown: dict[str, Any] = {"primaryMetric": _show(metric, kept, scene, catalog)}
    if funnel:
        shown["primaryFunnel"] = LDFunnel(
            key=key,
            name=str(named_metric(catalog, key, group=True)["name"]),
            kind="funnel",
            _links=links_to(self=scene.of_metric(key, group=True)),
            metrics=group_metrics(key, scene, catalog),
        )
    else:
        shown["primarySingleMetric"] = LDSingleMetric(**_single(metric, scene, catalog))
    return shown


def _show(
    metric: LDMetricInput, kept: LDKeptIteration, scene: Scene, catalog: Catalog
) -> LDIterationMetric:
    group = metric.isGroup is True
    single = _single(metric, scene, catalog, group=group)
    if group and kept.primaryFunnelKey == metric.key:
        single["kind"] = "funnel"
    return LDIterationMetric(**single, isGroup=group)


def _single(
    metric: LDMetricInput, scene: Scene, catalog: Catalog, *, group: bool = False
) -> dict[str, Any]:
    return {
        "key": metric.key,
        "_versionId": id_of("metric-group" if group else "metric", metric.key),
        **named_metric(catalog, metric.key, group=group),
        "_links": links_to(self=scene.of_metric(metric.key, group=group)),
        "analysisUnit": metric.analysisUnit,
    }
