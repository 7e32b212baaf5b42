"""Holdouts as they are shown: after a change, in a list, and with the experiments under them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from allotment.dialects.launchdarkly.holdouts_base import (
    experiments_under,
    show_amount,
    show_base,
    status_of,
)
from allotment.dialects.launchdarkly.ids import id_of
from allotment.dialects.launchdarkly.links import Scene, page_links
from allotment.dialects.launchdarkly.lists import read_expand
from allotment.dialects.launchdarkly.shown import show_experiment
from allotment.dialects.wire.asked import Asked
from allotment.dialects.wire.source import Tree
from allotment.dialects.wire.version import Version
from allotment.dialects.wire.window import read_window
from allotment.model.catalog import Catalog
from allotment.model.layer import Holdout

# What may be expanded: of the experiment behind the holdout, and of those under it.
RELATED: Final = "rel-"
EXPANDED: Final = (
    *("draftIteration", "previousIterations", "secondaryMetrics", "treatments"),
    *(f"{RELATED}{name}" for name in ("draftIteration", "metrics", "previousIterations")),
    *(f"{RELATED}{name}" for name in ("secondaryMetrics", "treatments")),
)

# An experiment is asked for all its metrics by this name.
_THEIRS: Final = {f"{RELATED}metrics": "secondaryMetrics"}

LIMIT: Final = 20
LIMIT_MAX: Final = 1000


def show_holdout(
    holdout: Holdout, catalog: Catalog, version: Version, scene: Scene
) -> dict[str, Tree]:
    """The holdout, as it is shown after a change."""
    return {
        **_shown(holdout, catalog, version, scene, ()),
        "experiments": _related(holdout, catalog, scene),
    }


def _show_simple(
    holdout: Holdout, catalog: Catalog, version: Version, scene: Scene
) -> dict[str, Tree]:
    return {
        "_id": id_of("holdout", holdout.key),
        "key": holdout.key,
        "name": holdout.name or holdout.key,
        "status": status_of(holdout, catalog),
        "createdAt": version.created_at,
        "updatedAt": version.updated_at,
        "experiments": _related(holdout, catalog, scene),
    }


def list_holdouts(
    asked: Asked, catalog: Catalog, versions: Mapping[str, Version]
) -> dict[str, Tree]:
    """The holdouts of an environment by key, as far as the query's window goes."""
    scene, window = Scene.of(asked.ids), read_window(asked.query, LIMIT, LIMIT_MAX)
    keys = sorted(catalog.holdouts)
    items: list[Tree] = [
        _show_simple(catalog.holdouts[key], catalog, versions[f"holdout:{key}"], scene)
        for key in window.of(keys)
    ]
    href = scene.href("holdouts")
    return {
        "items": items,
        "total_count": len(keys),
        "_links": page_links(href, {}, window.limit, window.offset, len(keys)),
    }


def show_holdout_detail(
    holdout: Holdout, catalog: Catalog, versions: Mapping[str, Version], asked: Asked
) -> dict[str, Tree]:
    """The holdout with the experiments under it, as it is shown where it is asked for by key."""
    scene, expanded = Scene.of(asked.ids), read_expand(asked.query.at("expand"), EXPANDED)
    own = [each for each in expanded if not each.startswith(RELATED)]
    theirs = [
        _THEIRS.get(each, each.removeprefix(RELATED))
        for each in expanded
        if each.startswith(RELATED)
    ]
    under = experiments_under(holdout, catalog)
    shown = _shown(holdout, catalog, versions[f"holdout:{holdout.key}"], scene, own)
    return {
        **shown,
        "isDirty": any(one.live is not None for one in under),
        "relatedExperiments": [
            show_experiment(one, catalog, versions[f"experiment:{one.key}"], scene, theirs)
            for one in under
        ],
    }


def _shown(
    holdout: Holdout, catalog: Catalog, version: Version, scene: Scene, expanded: Collection[str]
) -> dict[str, Tree]:
    return {
        "_id": id_of("holdout", holdout.key),
        "status": status_of(holdout, catalog),
        "description": holdout.description,
        "holdoutAmount": show_amount(holdout.share_ppm),
        "createdAt": version.created_at,
        "updatedAt": version.updated_at,
        "baseExperiment": show_base(holdout, catalog, version, scene, expanded),
    }


def _related(holdout: Holdout, catalog: Catalog, scene: Scene) -> list[Tree]:
    return [
        {"key": one.key, "name": one.name or one.key, "environment": scene.environment}
        for one in experiments_under(holdout, catalog)
    ]
