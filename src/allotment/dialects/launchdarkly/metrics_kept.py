"""The metrics and metric groups of a project, which scripts create before an experiment.

Nothing here measures. They are kept with the catalogs of the project and given back as they were
sent, each field as the type that the vendor's clients read it as.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from allotment.change.commands import Command
from allotment.dialects.launchdarkly.codes import missing, taken
from allotment.dialects.launchdarkly.ids import NOBODY, id_of
from allotment.dialects.launchdarkly.kept import NOTES
from allotment.dialects.launchdarkly.labels import read_description, read_key, read_name
from allotment.dialects.launchdarkly.links import Scene, links, page_links
from allotment.dialects.wire.asked import Asked
from allotment.dialects.wire.place import Place
from allotment.dialects.wire.source import Tree
from allotment.dialects.wire.window import read_window
from allotment.model.catalog import Catalog

KINDS: Final = ("pageview", "click", "custom", "trace")
GROUP_KINDS: Final = ("funnel", "standard")
CRITERIA: Final = ("HigherThanBaseline", "LowerThanBaseline")
AGGREGATIONS: Final = ("average", "sum", "count_distinct")
ANALYSES: Final = ("mean", "percentile")
FILTERS: Final = ("group", "contextAttribute", "eventProperty")

LIMIT: Final = 20
LIMIT_MAX: Final = 1_000
ITEMS_MAX: Final = 100
TEXT_MAX: Final = 1_024

# The kinds of what was not created: a metric of its own events, and a plain group of metrics.
_UNKNOWN: Final = "custom"
_UNKNOWN_GROUP: Final = "standard"
_OURS: Final[Tree] = {"key": "launchdarkly"}
_WHOLE_MAX: Final = 2**53 - 1
_PERCENT: Final = 100

_Reader: TypeAlias = Callable[[Place], Tree]


def _text(place: Place) -> Tree:
    return place.text(0, TEXT_MAX)


def _truth(place: Place) -> Tree:
    return place.truth()


def _texts(place: Place) -> Tree:
    return [item.text(1, TEXT_MAX) for item in place.items(0, ITEMS_MAX)]


def _whole(place: Place) -> Tree:
    return place.whole(-_WHOLE_MAX, _WHOLE_MAX)


def _percentile(place: Place) -> Tree:
    return place.whole(0, _PERCENT)


def _number(place: Place) -> Tree:
    if isinstance(place.value, bool) or not isinstance(place.value, int | float):
        raise place.refusal("a number belongs here")
    return place.value


def _word(*known: str) -> _Reader:
    return lambda place: place.word(known)


def _trees(place: Place) -> Tree:
    return [item.tree() for item in place.items(0, ITEMS_MAX)]


def _object(readers: Mapping[str, _Reader], *required: str) -> _Reader:
    """An object of these fields; others are ignored, as everywhere in this API."""

    def read(place: Place) -> Tree:
        return {
            name: reader(place.at(name))
            for name, reader in readers.items()
            if place.at(name).said or name in required
        }

    return read


def _objects(readers: Mapping[str, _Reader]) -> _Reader:
    read = _object(readers)
    return lambda place: [read(item) for item in place.items(0, ITEMS_MAX)]


_SOURCE: Final = _object(
    {"key": _text, "environmentKey": _text, "_name": _text, "_integrationKey": _text}, "key"
)
_FILTER: Final = _object(
    {
        "type": _word(*FILTERS),
        "attribute": _text,
        "op": _text,
        "values": _trees,
        "contextKind": _text,
        "negate": _truth,
    },
    *("type", "op", "values", "negate"),
)

# What a metric and what it is divided by both have.
_MEASURED: Final[dict[str, _Reader]] = {
    "isNumeric": _truth,
    "dataSource": _SOURCE,
    "unitAggregationType": _word(*AGGREGATIONS),
    "unitAggregationField": _text,
    "valueColumn": _text,
    "filters": _FILTER,
    "windowStartOffset": _whole,
    "windowEndOffset": _whole,
    "winsorLowerPercentile": _number,
    "winsorUpperPercentile": _number,
    "winsorIncludeImputed": _truth,
}
_METRIC: Final[dict[str, _Reader]] = {
    **_MEASURED,
    "selector": _text,
    "urls": _objects(dict.fromkeys(("kind", "url", "substring", "pattern"), _text)),
    "unit": _text,
    "eventKey": _text,
    "successCriteria": _word(*CRITERIA),
    "tags": _texts,
    "randomizationUnits": _texts,
    "analysisUnits": _texts,
    "maintainerId": _text,
    "analysisType": _word(*ANALYSES),
    "percentileValue": _percentile,
    "eventDefault": _object({"disabled": _truth, "value": _number}),
    "traceQuery": _text,
    "traceValueLocation": _text,
    "denominator": _object({**_MEASURED, "eventName": _text}),
}

_METRICS: Final = "metrics"
_GROUPS: Final = "metric-groups"


# Metrics.


def read_create_metric(asked: Asked, catalog: Catalog) -> list[Command]:
    """The command that keeps a new metric."""
    body = asked.body
    read = _object(_METRIC)(body)
    said: dict[str, Tree] = {
        "name": read_name(body.at("name")) if body.at("name").said else "",
        "description": read_description(body.at("description")),
        "kind": body.at("kind").word(KINDS),
        "_creationDate": asked.given.now,
        **(read if isinstance(read, dict) else {}),
    }
    return _keep(_METRICS, "metric", body, said, catalog)


def read_delete_metric(asked: Asked, catalog: Catalog) -> list[Command]:
    """The command that keeps the metric no longer."""
    return _forget(_METRICS, "metric", asked.ids["metricKey"], catalog)


def show_metric(asked: Asked, catalog: Catalog) -> dict[str, Tree]:
    """The metric that the path names."""
    key = asked.ids["metricKey"]
    return _show_metric(key, _find(_METRICS, "metric", key, catalog), Scene.of(asked.ids))


def show_created_metric(asked: Asked, catalog: Catalog) -> dict[str, Tree]:
    """The metric that the body named."""
    key = str(asked.body.at("key").value)
    return _show_metric(key, _find(_METRICS, "metric", key, catalog), Scene.of(asked.ids))


def list_metrics(asked: Asked, catalog: Catalog) -> dict[str, Tree]:
    """The metrics of the project by key, as far as the query's window goes."""
    scene = Scene.of(asked.ids)
    href = scene.of_metric("").rstrip("/")
    return _list(_METRICS, href, lambda key, said: _show_metric(key, said, scene), asked, catalog)


def _show_metric(key: str, said: Mapping[str, Tree], scene: Scene) -> dict[str, Tree]:
    shown = {
        "_id": id_of("metric", key),
        "_versionId": id_of("metric", key),
        "key": key,
        "_attachedFlagCount": 0,
        "_links": links(self=scene.of_metric(key), parent=scene.of_metric("").rstrip("/")),
        "tags": [],
        "isNumeric": False,
        "dataSource": _OURS,
        **said,
    }
    return {**shown, "name": said["name"] or key}


# Groups of metrics.


def read_create_group(asked: Asked, catalog: Catalog) -> list[Command]:
    """The command that keeps a new group of metrics."""
    body = asked.body
    maintainer = body.at("maintainerId")
    said: dict[str, Tree] = {
        "name": read_name(body.at("name")),
        "description": read_description(body.at("description")),
        "kind": body.at("kind").word(GROUP_KINDS),
        "tags": _texts(body.at("tags")) if body.at("tags").said else [],
        "metrics": [_read_member(item) for item in body.at("metrics").items(1, ITEMS_MAX)],
        "maintainer": maintainer.text(1, TEXT_MAX) if maintainer.said else NOBODY,
        "_creationDate": asked.given.now,
    }
    return _keep(_GROUPS, "metric group", body, said, catalog)


def read_delete_group(asked: Asked, catalog: Catalog) -> list[Command]:
    """The command that keeps the group no longer; its metrics stay."""
    return _forget(_GROUPS, "metric group", asked.ids["metricGroupKey"], catalog)


def show_group(asked: Asked, catalog: Catalog) -> dict[str, Tree]:
    """The group that the path names."""
    return _show_group_at(asked.ids["metricGroupKey"], asked, catalog)


def show_created_group(asked: Asked, catalog: Catalog) -> dict[str, Tree]:
    """The group that the body named."""
    return _show_group_at(str(asked.body.at("key").value), asked, catalog)


def list_groups(asked: Asked, catalog: Catalog) -> dict[str, Tree]:
    """The metric groups of the project by key, as far as the query's window goes."""
    scene = Scene.of(asked.ids)
    href = scene.of_project(_GROUPS)
    return _list(
        *(_GROUPS, href, lambda key, said: _show_group(key, said, scene, catalog), asked, catalog)
    )


def _show_group_at(key: str, asked: Asked, catalog: Catalog) -> dict[str, Tree]:
    said = _find(_GROUPS, "metric group", key, catalog)
    return _show_group(key, said, Scene.of(asked.ids), catalog)


def _show_group(
    key: str, said: Mapping[str, Tree], scene: Scene, catalog: Catalog
) -> dict[str, Tree]:
    return {
        "_id": id_of("metric-group", key),
        "key": key,
        **said,
        "_lastModified": said["_creationDate"],
        "_version": 1,
        "maintainer": {"key": said["maintainer"], "kind": "member"},
        "metrics": _show_members(said, scene, catalog),
        "_links": links(self=scene.of_metric(key, group=True), parent=scene.of_project(_GROUPS)),
    }


def _read_member(item: Place) -> dict[str, Tree]:
    within = item.at("nameInGroup")
    named = {"nameInGroup": within.text(0, TEXT_MAX)} if within.said else {}
    return {"key": read_key(item.at("key")), **named}


def group_metrics(key: str, scene: Scene, catalog: Catalog) -> list[Tree]:
    """The metrics of a group, in its order; none of a group that was not created."""
    said = NOTES.kept(catalog, f"{_GROUPS}/{key}")
    return _show_members(said, scene, catalog) if isinstance(said, dict) else []


def _show_members(said: Mapping[str, Tree], scene: Scene, catalog: Catalog) -> list[Tree]:
    members = said["metrics"] if isinstance(said["metrics"], list) else []
    return [_show_member(each, scene, catalog) for each in members if isinstance(each, dict)]


def _show_member(said: dict[str, Tree], scene: Scene, catalog: Catalog) -> dict[str, Tree]:
    key = str(said["key"])
    return {
        **said,
        "_versionId": id_of("metric", key),
        **named_metric(catalog, key),
        "_links": links(self=scene.of_metric(key)),
    }


# Both.


def named_metric(catalog: Catalog, key: str, *, group: bool = False) -> dict[str, Tree]:
    """The name and the kind of a metric or group that something names by its key.

    What was not created has its key as its name.
    """
    said = NOTES.kept(catalog, f"{_GROUPS if group else _METRICS}/{key}")
    known = said if isinstance(said, dict) else {}
    unknown = _UNKNOWN_GROUP if group else _UNKNOWN
    return {"name": known.get("name") or key, "kind": known.get("kind", unknown)}


def _keep(
    path: str, kind: str, body: Place, said: Mapping[str, Tree], catalog: Catalog
) -> list[Command]:
    key = read_key(body.at("key"))
    if NOTES.kept(catalog, f"{path}/{key}") is not None:
        raise taken(kind)
    return [NOTES.keep("catalog", "catalog", f"{path}/{key}", {**said})]


def _forget(path: str, kind: str, key: str, catalog: Catalog) -> list[Command]:
    _find(path, kind, key, catalog)
    return [NOTES.keep("catalog", "catalog", f"{path}/{key}", None)]


def _find(path: str, kind: str, key: str, catalog: Catalog) -> dict[str, Tree]:
    said = NOTES.kept(catalog, f"{path}/{key}")
    return said if isinstance(said, dict) else missing(kind)


def _list(
    path: str,
    href: str,
    show: Callable[[str, dict[str, Tree]], Tree],
    asked: Asked,
    catalog: Catalog,
) -> dict[str, Tree]:
    found = sorted(NOTES.below(catalog, path).items())
    window = read_window(asked.query, LIMIT, LIMIT_MAX)
    return {
        "items": [show(key, said) for key, said in window.of(found) if isinstance(said, dict)],
        "totalCount": len(found),
        "_links": page_links(href, {}, window.limit, window.offset, len(found)),
    }
