"""Creates experiments: what a request says of one beside its iteration."""

from __future__ import annotations

from typing import Final

from allotment.change.commands import Command, Create
from allotment.dialects.launchdarkly.codes import invalid, taken
from allotment.dialects.launchdarkly.ids import find_holdout
from allotment.dialects.launchdarkly.iterations import (
    UNIT,
    check_primary,
    first_of,
    note_path,
    read_iteration,
)
from allotment.dialects.launchdarkly.kept import NOTES
from allotment.dialects.launchdarkly.listings import list_in_flags
from allotment.dialects.launchdarkly.schema.changes import LDEditable, LDExperimentPost
from allotment.dialects.wire.given import Given
from allotment.dialects.wire.operation import Call
from allotment.dialects.wire.source import Tree
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment

_KEPT: Final = {"maintainerId", "tags", "methodology", "analysisConfig"}


def create_experiment(call: Call[LDExperimentPost], catalog: Catalog) -> list[Command]:
    """Create an experiment with its first iteration, a draft, and list it with its flags."""
    body, given = call.body, Given(call.now, call.fresh)
    if body.key in catalog.experiments:
        raise taken("experiment")
    check_primary(body.iteration, "$.iteration")
    drafted = read_iteration(body.iteration, "$.iteration", catalog, None, given)
    kind = body.type or "experiment"
    kept: dict[str, Tree] = {
        "type": kind,
        "dataSource": body.dataSource or "launchdarkly",
        "methodology": "bayesian" if kind == "mab" else "frequentist",
        **kept_of(body),
    }
    experiment = Experiment(
        body.key,
        (first_of(drafted, given),),
        body.name,
        body.description or "",
        unit=drafted.unit or UNIT,
        holdout=holdout_of(body.holdoutId, "$.holdoutId", catalog),
        kept=NOTES.on_new({**kept, note_path(1): drafted.note}),
    )
    return [Create(experiment), *list_in_flags(body.key, drafted.listed, None, catalog)]


def kept_of(body: LDEditable) -> dict[str, Tree]:
    """What is said that the model lacks."""
    return {name: value for name, value in body.plain().items() if name in _KEPT}


def holdout_of(holdout_id: str | None, path: str, catalog: Catalog) -> str | None:
    """The key of the holdout that an id names; None for none."""
    if not holdout_id:
        return None
    holdout = find_holdout(catalog, holdout_id)
    if holdout is None:
        raise invalid("there is no holdout with this id", path)
    return holdout.key
