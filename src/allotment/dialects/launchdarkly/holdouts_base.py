"""Where a holdout stands, and the experiment behind it.

This API has an experiment of its own behind each holdout, that compares who is held out with who is
not. Ours need none, so one is made up that shows what the holdout is.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from allotment.dialects.launchdarkly.experiments import METHODOLOGIES, SOURCES
from allotment.dialects.launchdarkly.holdouts import ATTRIBUTES, MAINTAINER, METRICS, PRIMARY
from allotment.dialects.launchdarkly.ids import NOBODY, id_of
from allotment.dialects.launchdarkly.kept import NOTES
from allotment.dialects.launchdarkly.links import Scene, links
from allotment.dialects.launchdarkly.metrics import show_metrics, show_primary, show_secondary
from allotment.dialects.wire.source import Tree
from allotment.dialects.wire.version import Version
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment, State
from allotment.model.layer import Holdout
from allotment.model.limits import BUCKETS
from allotment.model.number import show_percent

# What a holdout is called, and the iteration of the experiment behind it.
CREATED: Final = "created"
ENABLED: Final = "enabled"
RUNNING: Final = "running"
ENDED: Final = "ended"
STATUSES: Final = {
    CREATED: "not_started",
    ENABLED: "not_started",
    RUNNING: "running",
    ENDED: "stopped",
}


def status_of(holdout: Holdout, catalog: Catalog) -> str:
    """Where the holdout stands: it has ended once it holds nobody out any more."""
    if holdout.share_ppm == 0:
        return ENDED
    under = experiments_under(holdout, catalog)
    if not under:
        return CREATED
    started = any(run.state is not State.DRAFT for one in under for run in one.iterations)
    return RUNNING if started else ENABLED


def experiments_under(holdout: Holdout, catalog: Catalog) -> list[Experiment]:
    """The experiments that the holdout keeps units out of, by key."""
    keys = catalog.users.get(f"holdout:{holdout.key}", frozenset())
    return [catalog.experiments[key] for key in sorted(keys)]


def show_base(
    holdout: Holdout, catalog: Catalog, version: Version, scene: Scene, expanded: Collection[str]
) -> dict[str, Tree]:
    """The experiment behind the holdout, whose one iteration is where the holdout is."""
    state = STATUSES[status_of(holdout, catalog)]
    name = "draftIteration" if state == "not_started" else "currentIteration"
    maintainer = NOTES.kept(holdout, MAINTAINER)
    base: dict[str, Tree] = {
        "_id": id_of("holdout", holdout.key),
        "key": holdout.key,
        "name": holdout.name or holdout.key,
        "description": holdout.description,
        "_maintainerId": maintainer if isinstance(maintainer, str) else NOBODY,
        "_creationDate": version.created_at,
        "environmentKey": scene.environment,
        "holdoutId": id_of("holdout", holdout.key),
        "type": "holdout",
        "methodology": METHODOLOGIES[1],
        "dataSource": SOURCES[0],
        "tags": [],
        "_links": links(parent=scene.href(), self=scene.href("holdouts", holdout.key)),
    }
    if name == "currentIteration" or name in expanded:
        base[name] = _iteration(holdout, catalog, version, state, scene, expanded)
    return base


def _iteration(  # noqa: PLR0913, PLR0917  # what is shown, and of where
    holdout: Holdout,
    catalog: Catalog,
    version: Version,
    state: str,
    scene: Scene,
    expanded: Collection[str],
) -> dict[str, Tree]:
    iteration: dict[str, Tree] = {
        "_id": id_of("holdout", holdout.key, "iteration"),
        "hypothesis": "",
        "status": state,
        "createdAt": version.created_at,
        "canReshuffleTraffic": False,
        "flags": {},
        "version": 1,
        "randomizationUnit": holdout.unit,
    }
    attributes = NOTES.kept(holdout, ATTRIBUTES)
    if attributes is not None:
        iteration["attributes"] = attributes
    note = {
        "metrics": NOTES.kept(holdout, METRICS),
        "primarySingleMetricKey": NOTES.kept(holdout, PRIMARY),
    }
    iteration |= show_primary(note, scene, catalog)
    if "secondaryMetrics" in expanded:
        iteration["metrics"] = show_metrics(note, scene, catalog)
        iteration["secondaryMetrics"] = show_secondary(note, scene, catalog)
    if "treatments" in expanded:
        shares = ("Held out", holdout.share_ppm), ("Not held out", BUCKETS - holdout.share_ppm)
        iteration["treatments"] = [
            {
                "_id": id_of("holdout", holdout.key, name),
                "name": name,
                "allocationPercent": show_amount(share),
                "baseline": index == 0,
                "parameters": [],
            }
            for index, (name, share) in enumerate(shares)
        ]
    return iteration


def show_amount(share_ppm: int) -> str:
    """A share as a percentage, in the text that this API has for it."""
    return show_percent(share_ppm).removesuffix("%")
