"""The paths of metrics and metric groups, which are kept and given back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from allotment.change.commands import Command
from allotment.dialects.launchdarkly import metrics_kept as kept
from allotment.dialects.wire.asked import Asked
from allotment.dialects.wire.source import Tree
from allotment.dialects.wire.version import Versions
from allotment.model.catalog import Catalog
from allotment.server.launchdarkly.api import VENDOR
from allotment.server.launchdarkly.operation import BASE, PROJECT, WINDOW, add
from allotment.server.launchdarkly.schemas import ref
from allotment.server.vendor import Endpoint, Noun, Read
from allotment.store import Stored

_Shown = Callable[[Asked, Catalog], Tree]


def _shown(show: _Shown, *known: str) -> Endpoint:
    def now(asked: Asked, catalog: Catalog, _versions: Versions) -> Tree:
        return show(asked, catalog)

    return VENDOR.listing(now, known)


def _created(read: Read, show: _Shown) -> Endpoint:
    def then(asked: Asked, _noun: Noun, stored: Stored, _done: Sequence[Command]) -> Tree:
        return show(asked, stored.catalog)

    return VENDOR.changing(read, None, then, status=201)


_METRICS: Final = f"{BASE}/metrics/{{projectKey}}"
_METRIC: Final = f"{_METRICS}/{{metricKey}}"
_GROUPS: Final = f"{PROJECT}/metric-groups"
_GROUP: Final = f"{_GROUPS}/{{metricGroupKey}}"

add(
    "POST",
    _METRICS,
    "post_metric",
    _created(kept.read_create_metric, kept.show_created_metric),
    "Create a metric",
    {201: ref("KeptMetric")},
    body=ref("MetricPost"),
)
add(
    "GET",
    _METRICS,
    "get_metrics",
    _shown(kept.list_metrics, *WINDOW),
    "List metrics",
    {200: ref("KeptMetrics")},
    query=WINDOW,
)
add(
    "GET",
    _METRIC,
    "get_metric",
    _shown(kept.show_metric),
    "Get a metric",
    {200: ref("KeptMetric")},
)
add(
    "DELETE",
    _METRIC,
    "delete_metric",
    VENDOR.changing(kept.read_delete_metric, None, None, status=204),
    "Delete a metric",
    {204: None},
)
add(
    "POST",
    _GROUPS,
    "create_metric_group",
    _created(kept.read_create_group, kept.show_created_group),
    "Create a metric group",
    {201: ref("MetricGroup")},
    body=ref("MetricGroupPost"),
)
add(
    "GET",
    _GROUPS,
    "get_metric_groups",
    _shown(kept.list_groups, *WINDOW),
    "List metric groups",
    {200: ref("MetricGroups")},
    query=WINDOW,
)
add(
    "GET",
    _GROUP,
    "get_metric_group",
    _shown(kept.show_group),
    "Get a metric group",
    {200: ref("MetricGroup")},
)
add(
    "DELETE",
    _GROUP,
    "delete_metric_group",
    VENDOR.changing(kept.read_delete_group, None, None, status=204),
    "Delete a metric group",
    {204: None},
)
