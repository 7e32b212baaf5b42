"""The metrics of an iteration: they are kept and given back, and nothing is measured here."""

from __future__ import annotations

from typing import Final

from allotment.dialects.launchdarkly.ids import id_of
from allotment.dialects.launchdarkly.links import Scene, links
from allotment.dialects.launchdarkly.metrics_kept import group_metrics, named_metric
from allotment.dialects.wire.place import Place
from allotment.dialects.wire.source import Tree
from allotment.model.catalog import Catalog

METRICS_MAX: Final = 100
TEXT_MAX: Final = 1024

_FUNNEL: Final = "funnel"


def read_metrics(place: Place) -> list[Tree]:
    """The metrics of an iteration, each by its key and at most once."""
    metrics = [_read(item) for item in place.items(0, METRICS_MAX)]
    keys = [metric["key"] for metric in metrics]
    for index, key in enumerate(keys):
        if key in keys[:index]:
            raise Place(key, f"{place.path}[{index}].key").refusal("this metric is given twice")
    return [*metrics]


def _read(item: Place) -> dict[str, Tree]:
    group, primary, unit = (item.at(name) for name in ("isGroup", "primary", "analysisUnit"))
    found: dict[str, Tree] = {
        "key": item.at("key").text(1, TEXT_MAX),
        "isGroup": group.truth() if group.said else False,
    }
    if primary.said:
        found["primary"] = primary.truth()
    if unit.said:
        found["analysisUnit"] = unit.text(1, TEXT_MAX)
    return found


def show_metrics(note: dict[str, Tree], scene: Scene, catalog: Catalog) -> list[Tree]:
    """All metrics of an iteration, groups among them."""
    return [_show(metric, note, scene, catalog) for metric in _kept(note)]


def show_secondary(note: dict[str, Tree], scene: Scene, catalog: Catalog) -> list[Tree]:
    """The single metrics beside the primary one, as the API showed them before it had `metrics`."""
    primary = _primary_key(note)
    return [
        _show_single(metric, scene, catalog)
        for metric in _kept(note)
        if not metric.get("isGroup") and metric["key"] != primary
    ]


def show_primary(note: dict[str, Tree], scene: Scene, catalog: Catalog) -> dict[str, Tree]:
    """The primary metric under each of its names, none where there is none."""
    key = _primary_key(note)
    if key is None:
        return {}
    known = next((metric for metric in _kept(note) if metric["key"] == key), None)
    metric = known or {"key": key, "isGroup": "primaryFunnelKey" in note}
    shown: dict[str, Tree] = {"primaryMetric": _show(metric, note, scene, catalog)}
    if "primaryFunnelKey" in note:
        named = named_metric(catalog, key, group=True)
        link = links(self=scene.of_metric(key, group=True))
        shown["primaryFunnel"] = {
            "key": key,
            **named,
            "kind": _FUNNEL,
            "_links": link,
            "metrics": [one.plain() for one in group_metrics(key, scene, catalog)],
        }
    else:
        shown["primarySingleMetric"] = _show_single(metric, scene, catalog)
    return shown


def has_metric(note: dict[str, Tree], key: str) -> bool:
    """Whether the iteration measures it."""
    return _primary_key(note) == key or any(metric["key"] == key for metric in _kept(note))


def _show(
    metric: dict[str, Tree], note: dict[str, Tree], scene: Scene, catalog: Catalog
) -> dict[str, Tree]:
    key, group = str(metric["key"]), bool(metric.get("isGroup"))
    shown = {**_show_single(metric, scene, catalog, group=group), "isGroup": group}
    return {**shown, "kind": _FUNNEL} if group and note.get("primaryFunnelKey") == key else shown


def _show_single(
    metric: dict[str, Tree], scene: Scene, catalog: Catalog, *, group: bool = False
) -> dict[str, Tree]:
    key = str(metric["key"])
    return {
        "key": key,
        "_versionId": id_of("metric-group" if group else "metric", key),
        **named_metric(catalog, key, group=group),
        "_links": links(self=scene.of_metric(key, group=group)),
        **_unit(metric),
    }


def _unit(metric: dict[str, Tree]) -> dict[str, Tree]:
    return {"analysisUnit": metric["analysisUnit"]} if "analysisUnit" in metric else {}


def _kept(note: dict[str, Tree]) -> list[dict[str, Tree]]:
    metrics = note.get("metrics")
    return [each for each in metrics if isinstance(each, dict)] if isinstance(metrics, list) else []


def _primary_key(note: dict[str, Tree]) -> str | None:
    for name in ("primarySingleMetricKey", "primaryFunnelKey"):
        key = note.get(name)
        if isinstance(key, str):
            return key
    return None
