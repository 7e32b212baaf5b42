"""What flags, holdouts and settings keep steers nothing: without it all is as it was."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from allotment.change.commands import Keep
from allotment.change.kinds import CATALOG, KINDS, nouns_of
from allotment.model.catalog import Catalog
from ldproject import BASE
from ldwhole import STAGING, UNITS, Project, project
from tenant import SPACE

FLAGS = "/flags/default"
HOLDOUT = f"{BASE.removeprefix('/api/v2')}/holdouts/quarter"
EXPAND = "?expand=draftIteration,treatments,secondaryMetrics,rel-treatments,rel-draftIteration"

# What is shown and decides nothing. `defaults` are what another environment would begin with.
NOTED = {
    *("tags", "temporary", "defaults", "maintainerId", "maintainerTeamKey", "purpose"),
    *("clientSideAvailability", "includeInSnippet", "customProperties", "_maintainerId"),
    *("attributes", "primaryMetric", "primarySingleMetric", "metrics", "secondaryMetrics"),
    *("hypothesis", "createdAt", "updatedAt", "_version", "version", "lastModified", "type"),
    *("methodology", "dataSource", "flagConfigVersion", "targetingRule", "randomizationUnits"),
}


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Project]:
    """With every kind of kept value."""
    with project(tmp_path) as made:
        colours = [{"value": each} for each in ("red", "green", "blue")]
        texts = dict.fromkeys(("maintainerId", "maintainerTeamKey", "purpose"), "text")
        made.flag(
            variations=colours,
            defaults={"onVariation": 1, "offVariation": 2},
            isFlagOn=True,
            tags=["one"],
            temporary=False,
            includeInSnippet=True,
            clientSideAvailability={"usingMobileKey": True},
            customProperties={"issue": {"name": "Issue", "value": []}},
            **texts,
        )
        made.flag("plain")
        held = made.holdout(
            attributes=["os"],
            metrics=[{"key": "sales"}],
            primarymetrickey="sales",
            prerequisiteflagkey="button",
            maintainerId="member",
        )
        made.layer()
        made.production.running("held", holdoutId=held["_id"])
        made.production.experiment("inside")
        made.reserve("inside", 30)
        units = [{"randomizationUnit": "device", "default": True}]
        made.call(
            "PUT", "/projects/default/experimentation-settings", {"randomizationUnits": units}
        )
        yield made


def kept(catalog: Catalog) -> list[tuple[str, str, str]]:
    nouns = [
        (kind, key, path)
        for kind in KINDS
        for key, noun in nouns_of(catalog, kind).items()
        for path, _ in noun.kept
    ]
    return nouns + [(CATALOG, CATALOG, path) for path, _ in catalog.kept]


def steering(tree: Any) -> Any:
    """What is shown without what decides nothing."""
    if isinstance(tree, list):
        return [steering(each) for each in tree]
    if not isinstance(tree, dict):
        return tree
    return {name: steering(value) for name, value in tree.items() if name not in NOTED}


def shown(api: Project) -> Any:
    paths = (f"{FLAGS}?env=production,staging", "/projects/default/layers", f"{HOLDOUT}{EXPAND}")
    return [steering(api.get(path)) for path in paths]


def answers(api: Project) -> list[Any]:
    found: list[Any] = []
    for space in (SPACE, STAGING):
        engine = api.engine_at(space)
        found += [
            engine.resolve(flag, unit) for flag in ("button", "plain") for unit in UNITS[:300]
        ]
        assigned = (engine.assign("held", unit) for unit in UNITS[:300])
        found += [(one.treatment, one.reason) for one in assigned]
    return found


def test_whatever_is_kept_can_go_and_nothing_is_steered_otherwise(api: Project) -> None:
    of_holdouts = {path for kind, _, path in kept(api.at(SPACE)) if kind == "holdout"}
    assert len(of_holdouts) == 5
    before = shown(api), answers(api), api.engine_at(SPACE).snapshot.fingerprint
    for space in (SPACE, STAGING):
        gone = [Keep(kind, key, path, None) for kind, key, path in kept(api.at(space))]
        assert {each.kind for each in gone} >= {"flag", CATALOG}
        api.apply(*gone, space=space)
        assert kept(api.at(space)) == []
    assert (shown(api), answers(api), api.engine_at(SPACE).snapshot.fingerprint) == before
    # And it was shown before: without it there is only what is usual.
    assert api.get(f"{FLAGS}/button")["tags"] == []
    assert api.get(HOLDOUT)["baseExperiment"]["_maintainerId"] == "0" * 24
