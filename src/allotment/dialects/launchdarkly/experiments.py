"""Creates experiments: what a request says of one beside its iteration, and what is kept of it."""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import Field

from allotment.change.commands import Command, Create
from allotment.dialects.launchdarkly.codes import invalid, taken
from allotment.dialects.launchdarkly.experiment_flags import list_in_flags
from allotment.dialects.launchdarkly.fields import (
    UNIT,
    Description,
    Key,
    LDBody,
    Name,
    Tags,
    Text,
    Word,
)
from allotment.dialects.launchdarkly.ids import NO_MEMBER, NOTES, find_holdout
from allotment.dialects.launchdarkly.iterations import (
    LDIterationInput,
    check_primary,
    first_of,
    note_path,
    read_iteration,
)
from allotment.dialects.wire.model import LEFT_OUT
from allotment.dialects.wire.operation import Call
from allotment.dialects.wire.source import Tree
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment

Methodology = Literal["bayesian", "frequentist", "export_only"]
Source = Literal["launchdarkly", "snowflake"]
Correction = Literal["bonferroni", "benjamini-hochberg"]
Corrected = Literal["variations", "variations-and-metrics", "metrics"]


class LDAnalysis(LDBody):
    """The settings of an analysis that is done elsewhere."""

    bayesianThreshold: Text | None = LEFT_OUT
    significanceThreshold: Text | None = LEFT_OUT
    testDirection: Text | None = LEFT_OUT
    multipleComparisonCorrectionMethod: Correction | None = LEFT_OUT
    multipleComparisonCorrectionScope: Corrected | None = LEFT_OUT
    sequentialTestingEnabled: bool | None = LEFT_OUT


class LDNamed(LDBody):
    """The name of an experiment."""

    name: Name


class LDEditable(LDBody):
    """What an experiment has beside its key, its name and its iterations, and can be changed."""

    description: Description | None = LEFT_OUT
    maintainerId: Word | None = LEFT_OUT
    holdoutId: Text | None = LEFT_OUT
    tags: Tags | None = LEFT_OUT
    methodology: Methodology | None = LEFT_OUT
    analysisConfig: LDAnalysis | None = LEFT_OUT


class LDExperimentPost(LDNamed, LDEditable):
    """The body that creates an experiment with its first iteration."""

    key: Key
    iteration: LDIterationInput
    dataSource: Source | None = LEFT_OUT
    type: Literal["experiment", "mab"] | None = LEFT_OUT


class LDKeptExperiment(LDBody):
    """What is kept of an experiment, each field at its own path."""

    methodology: Methodology = "frequentist"
    dataSource: Source = "launchdarkly"
    type: Literal["experiment", "mab"] = "experiment"
    tags: list[str] = Field(default=[])
    maintainerId: str = NO_MEMBER
    archivedDate: int | None = None
    analysisConfig: LDAnalysis | None = None


def create_experiment(call: Call[LDExperimentPost], catalog: Catalog) -> list[Command]:
    """Create an experiment with its first iteration, a draft, and list it with its flags."""
    body = call.body
    if body.key in catalog.experiments:
        raise taken("experiment")
    check_primary(body.iteration, "$.iteration")
    drafted = read_iteration(body.iteration, "$.iteration", catalog, None, call.now)
    kind = body.type or "experiment"
    kept: dict[str, Tree] = {
        "type": kind,
        "dataSource": body.dataSource or "launchdarkly",
        "methodology": "bayesian" if kind == "mab" else "frequentist",
        **kept_of(body),
    }
    experiment = Experiment(
        body.key,
        (first_of(drafted, call),),
        body.name,
        body.description or "",
        unit=drafted.unit or UNIT,
        holdout=holdout_of(body.holdoutId, "$.holdoutId", catalog),
        kept=NOTES.on_new({**kept, note_path(1): drafted.note}),
    )
    return [Create(experiment), *list_in_flags(body.key, drafted.listed, None, catalog)]


_KEPT: Final = {"maintainerId", "tags", "methodology", "analysisConfig"}


def kept_of(body: LDEditable) -> dict[str, Any]:
    """What is said that the model lacks."""
    return body.model_dump(mode="json", include=_KEPT)


def holdout_of(holdout_id: str | None, path: str, catalog: Catalog) -> str | None:
    """The key of the holdout that an id names; None for none."""
    if not holdout_id:
        return None
    holdout = find_holdout(catalog, holdout_id)
    if holdout is None:
        raise invalid("there is no holdout with this id", path)
    return holdout.key
