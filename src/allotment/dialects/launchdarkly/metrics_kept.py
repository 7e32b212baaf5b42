"""The metrics and metric groups of a project, which scripts create before an experiment.

Nothing here measures. They are stored with the catalogs of the project and given back as they were
sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from pydantic import TypeAdapter

from allotment.change.commands import Command, Keep
from allotment.change.kinds import CATALOG
from allotment.dialects.launchdarkly.codes import missing, taken
from allotment.dialects.launchdarkly.ids import NO_MEMBER, id_of
from allotment.dialects.launchdarkly.kept import NOTES
from allotment.dialects.launchdarkly.links import Scene, links_of_window, links_to
from allotment.dialects.launchdarkly.schema.fields import LDWindow
from allotment.dialects.launchdarkly.schema.metrics import (
    LDKeptMetric,
    LDKeptMetricGroup,
    LDMetric,
    LDMetricGroup,
    LDMetricGroupPost,
    LDMetricGroups,
    LDMetricInGroup,
    LDMetricPost,
    LDMetrics,
)
from allotment.dialects.launchdarkly.state import LDState
from allotment.dialects.wire.model import Model
from allotment.dialects.wire.notes import shown_as
from allotment.dialects.wire.operation import Call, Ids, Noun
from allotment.dialects.wire.source import Tree
from allotment.model.catalog import Catalog

K = TypeVar("K", bound=Model)


@dataclass(frozen=True, slots=True)
class _Shelf(Generic[K]):
    """Where a catalog keeps metrics, or metric groups, by their keys."""

    path: str
    word: str
    id: str
    form: TypeAdapter[K]

    def find(self, key: str, catalog: Catalog) -> K | None:
        return shown_as(self.form, NOTES.kept(catalog, f"{self.path}/{key}"), None)

    def get(self, key: str, catalog: Catalog) -> K:
        return self.find(key, catalog) or missing(self.word)

    def all(self, catalog: Catalog) -> list[tuple[str, K]]:
        kept = sorted(NOTES.below(catalog, self.path).items())
        found = ((key, shown_as(self.form, tree, None)) for key, tree in kept)
        return [(key, one) for key, one in found if one is not None]

    def create(self, key: str, said: dict[str, Tree], catalog: Catalog) -> list[Command]:
        if self.find(key, catalog) is not None:
            raise taken(self.word)
        return [NOTES.keep(CATALOG, CATALOG, f"{self.path}/{key}", said)]

    def delete(self, call: Call[None], catalog: Catalog) -> list[Command]:
        key = call.ids[self.id]
        self.get(key, catalog)
        return [NOTES.keep(CATALOG, CATALOG, f"{self.path}/{key}", None)]

    def noun(self, ids: Ids, catalog: Catalog) -> Noun:
        self.get(ids[self.id], catalog)
        return Noun(self.path, ids[self.id])


_METRICS: Final = _Shelf("metrics", "metric", "metricKey", TypeAdapter(LDKeptMetric))
_GROUPS: Final = _Shelf(
    "metric-groups", "metric group", "metricGroupKey", TypeAdapter(LDKeptMetricGroup)
)

find_metric: Final = _METRICS.noun
find_metric_group: Final = _GROUPS.noun


def kept_noun(commands: Sequence[Command]) -> Noun:
    """The metric or metric group that the commands create."""
    (keep,) = (command for command in commands if isinstance(command, Keep))
    _, path, key = keep.path.split("/")
    return Noun(path, key)


# Metrics.


def post_metric(call: Call[LDMetricPost], catalog: Catalog) -> list[Command]:
    """Create a metric."""
    said = {"name": "", "description": "", "_creationDate": call.now, **call.body.plain()}
    return _METRICS.create(said.pop("key"), said, catalog)


def delete_metric(call: Call[None], catalog: Catalog) -> list[Command]:
    """Delete a metric."""
    return _METRICS.delete(call, catalog)


def get_metric(state: LDState, noun: Noun) -> LDMetric:
    """A metric."""
    return _show_metric(noun.key, _METRICS.get(noun.key, state.catalog), state.scene)


def get_metrics(query: LDWindow, state: LDState) -> LDMetrics:
    """A window of the metrics of the project, by key."""
    found, scene = _METRICS.all(state.catalog), state.scene
    return LDMetrics(
        items=[_show_metric(key, kept, scene) for key, kept in query.of(found)],
        totalCount=len(found),
        _links=links_of_window(scene.of_metric("").rstrip("/"), query, len(found), {}),
    )


def _show_metric(key: str, kept: LDKeptMetric, scene: Scene) -> LDMetric:
    shown = {
        "_id": id_of("metric", key),
        "_versionId": id_of("metric", key),
        "key": key,
        "_attachedFlagCount": 0,
        "_links": links_to(self=scene.of_metric(key), parent=scene.of_metric("").rstrip("/")),
        "description": "",
        "tags": [],
        "isNumeric": False,
        "dataSource": {"key": "launchdarkly"},
        **kept.plain(),
        "name": kept.name or key,
    }
    return LDMetric.model_validate(shown)


# Metric groups.


def create_metric_group(call: Call[LDMetricGroupPost], catalog: Catalog) -> list[Command]:
    """Create a metric group."""
    said = {"description": "", "tags": [], "_creationDate": call.now, **call.body.plain()}
    said["maintainer"] = said.pop("maintainerId", NO_MEMBER)
    return _GROUPS.create(said.pop("key"), said, catalog)


def delete_metric_group(call: Call[None], catalog: Catalog) -> list[Command]:
    """Delete a metric group; its metrics stay."""
    return _GROUPS.delete(call, catalog)


def get_metric_group(state: LDState, noun: Noun) -> LDMetricGroup:
    """A metric group."""
    return _show_group(noun.key, _GROUPS.get(noun.key, state.catalog), state)


def get_metric_groups(query: LDWindow, state: LDState) -> LDMetricGroups:
    """A window of the metric groups of the project, by key."""
    found = _GROUPS.all(state.catalog)
    href = state.scene.of_project(_GROUPS.path)
    return LDMetricGroups(
        items=[_show_group(key, kept, state) for key, kept in query.of(found)],
        totalCount=len(found),
        _links=links_of_window(href, query, len(found), {}),
    )


def _show_group(key: str, kept: LDKeptMetricGroup, state: LDState) -> LDMetricGroup:
    scene = state.scene
    shown = {
        "_id": id_of("metric-group", key),
        "key": key,
        "description": "",
        "tags": [],
        **kept.plain(),
        "_lastModified": kept.creationDate,
        "_version": 1,
        "maintainer": {"key": kept.maintainer, "kind": "member"},
        "metrics": _show_members(kept, scene, state.catalog),
        "_links": links_to(
            self=scene.of_metric(key, group=True), parent=scene.of_project(_GROUPS.path)
        ),
    }
    return LDMetricGroup.model_validate(shown)


def group_metrics(key: str, scene: Scene, catalog: Catalog) -> list[LDMetricInGroup]:
    """The metrics of a group, in its order; none of a group that was not created."""
    kept = _GROUPS.find(key, catalog)
    return _show_members(kept, scene, catalog) if kept else []


def _show_members(kept: LDKeptMetricGroup, scene: Scene, catalog: Catalog) -> list[LDMetricInGroup]:
    return [
        LDMetricInGroup.model_validate(
            {
                **each.plain(),
                "_versionId": id_of("metric", each.key),
                **named_metric(catalog, each.key),
                **_measured(catalog, each.key),
                "_links": links_to(self=scene.of_metric(each.key)),
            }
        )
        for each in kept.metrics
    ]


def _measured(catalog: Catalog, key: str) -> dict[str, Tree]:
    """How a metric of a group counts; nothing of one that was not created."""
    kept = _METRICS.find(key, catalog)
    if kept is None:
        return {}
    said = {"unitAggregationType": kept.unitAggregationType, "eventKey": kept.eventKey}
    shown = {name: value for name, value in said.items() if value is not None}
    return {"isNumeric": kept.isNumeric is True, **shown}


def named_metric(catalog: Catalog, key: str, *, group: bool = False) -> dict[str, Tree]:
    """The name and the kind of a metric or group that something names by its key.

    One that was not created has its key as its name.
    """
    kept = (_GROUPS if group else _METRICS).find(key, catalog)
    if kept is None:
        return {"name": key, "kind": "standard" if group else "custom"}
    return {"name": kept.name or key, "kind": kept.kind}
