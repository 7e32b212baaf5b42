"""An instance as this API spells it."""

from __future__ import annotations

from typing import Final

from allotment.dialects.confidence.audience import audience_of, show_audience
from allotment.dialects.confidence.fields import MODULES, OWN
from allotment.dialects.confidence.kept import Values, kept
from allotment.dialects.confidence.locks import shown_locks
from allotment.dialects.confidence.names import flag_name, flag_of, instance_name, rule_name
from allotment.dialects.confidence.origin import creator_of, show_origin
from allotment.dialects.confidence.transitions import (
    show_checks,
    show_history,
    shown_state,
    shown_transitions,
)
from allotment.dialects.confidence.treatments import show_treatments
from allotment.dialects.wire.source import Tree
from allotment.dialects.wire.version import Version
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment

# What a request sets and the model lacks is kept as it came: fields under their names, and of each
# module what is not read.
KEPT: Final = tuple(name for name in OWN if name != "displayName")
READ: Final = {
    "abtest": ("flag", "treatments"),
    "flags": (
        "flag",
        "segment",
        "targetingKeySelector",
        "stickyAssignments",
        "ignoreTargetingForSticky",
        "intakePaused",
    ),
}


def show_instance(experiment: Experiment, catalog: Catalog, version: Version) -> Values:
    """The instance: what a request may set of it, and what is told."""
    return {
        "name": instance_name(experiment.key),
        "state": shown_state(experiment),
        **show_origin(version),
        "checks": show_checks(experiment, catalog),
        "stateHistory": show_history(experiment, version.created_at),
        "possibleTransitions": [*shown_transitions(experiment)],
        "lockedDataKeys": [*shown_locks(experiment)],
        # A transition is made at once, and what is deleted is shown nowhere.
        "transitionStatus": {},
        "deleteTime": None,
        **show_document(experiment, catalog, creator_of(version)),
    }


def show_document(experiment: Experiment, catalog: Catalog, creator: str) -> Values:
    """What a request may set, as it stands; the creator owns what has no owner."""
    flag = flag_of(experiment, catalog)
    named: Values = {} if flag is None else {"flag": flag_name(flag)}
    treatments = show_treatments(experiment, catalog)
    read: dict[str, Values] = {
        "abtest": {**named, **({"treatments": [*treatments]} if treatments else {})},
        "flags": {**named, **show_audience(audience_of(experiment))},
    }
    shown: Values = {"displayName": experiment.name or experiment.key}
    for name in KEPT:
        value = kept(experiment, name)
        if value is None:
            value = default(name, creator)
        if value is not None:
            shown[name] = value
    for name in MODULES:
        rest = kept(experiment, name)
        module = {
            **defaults(name, experiment.key, flag),
            **(rest if isinstance(rest, dict) else {}),
        }
        module.update(read.get(name, {}))
        if module:
            shown[name] = module
    return shown


def default(name: str, creator: str) -> Tree:
    """What is shown of a field where nothing is kept."""
    return creator if name == "owner" else None


def defaults(module: str, key: str, flag: str | None) -> Values:
    """What is shown of a module where nothing is kept."""
    if module == "flags" and flag is not None:
        return {"rule": rule_name(flag, key)}
    return {}
