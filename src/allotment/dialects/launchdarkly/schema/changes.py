"""Fields of the bodies that create and change experiments and iterations."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from allotment.dialects.launchdarkly.ids import ID_MAX
from allotment.dialects.launchdarkly.schema.experiments import (
    LDAnalysis,
    Methodology,
    Metrics,
    Operation,
    Source,
)
from allotment.dialects.launchdarkly.schema.fields import (
    ITEMS_MAX,
    SOME,
    Description,
    Key,
    LDBody,
    LDPatch,
    LDUpdateDescription,
    LDUpdateName,
    LongText,
    Name,
    Positive,
    Text,
    Whole,
    Word,
    Words,
)
from allotment.dialects.wire.model import LEFT_OUT, not_blank
from allotment.model.limits import KEY_BYTES_MAX, TREATMENTS_MAX
from allotment.model.number import DECIMAL, read_weight


def _percentage(text: str) -> str:
    read_weight(text, "")
    return text


def _each_once(words: list[str]) -> list[str]:
    return [*dict.fromkeys(words)]


# The id of a variation or a rule; which there are is for the catalog to say.
GivenId = Annotated[str, Field(min_length=1, max_length=ID_MAX), AfterValidator(not_blank)]
GivenKey = Annotated[str, Field(min_length=1, max_length=KEY_BYTES_MAX), AfterValidator(not_blank)]
Tags = Annotated[Words, AfterValidator(_each_once)]
Percentage = Annotated[
    str,
    Field(
        min_length=1,
        max_length=37,
        json_schema_extra={"pattern": f"^{DECIMAL}$"},
        description="A percentage as text; together at most 100.",
    ),
    AfterValidator(_percentage),
]


class LDParameterInput(LDBody):
    """What a treatment gives of a flag."""

    flagKey: GivenKey
    variationId: GivenId


class LDTreatmentInput(LDBody):
    """A treatment of an iteration."""

    name: Name
    baseline: bool
    allocationPercent: Percentage
    parameters: Annotated[list[LDParameterInput], Field(max_length=ITEMS_MAX)]


class LDFlagInput(LDBody):
    """A flag of an iteration, and what those get who are not in it."""

    ruleId: GivenId
    flagConfigVersion: Whole
    notInExperimentVariationId: GivenId | None = LEFT_OUT


class LDNoteInput(LDBody):
    """What an iteration says that nothing here acts on."""

    hypothesis: LongText
    metrics: Metrics
    primarySingleMetricKey: Word | None = LEFT_OUT
    primaryFunnelKey: Word | None = LEFT_OUT
    covariateId: Word | None = LEFT_OUT
    reallocationFrequencyMillis: Positive | None = LEFT_OUT
    attributes: Words | None = LEFT_OUT


class LDIterationInput(LDNoteInput):
    """An iteration. A new one has primarySingleMetricKey or primaryFunnelKey."""

    treatments: Annotated[list[LDTreatmentInput], Field(max_length=TREATMENTS_MAX)]
    flags: Annotated[dict[str, LDFlagInput], Field(max_length=ITEMS_MAX)]
    canReshuffleTraffic: bool | None = LEFT_OUT
    randomizationUnit: Key | None = LEFT_OUT


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


class LDEdit(LDBody):
    """An edit of a field."""

    operation: Operation
    value: Any = None


Edits = Annotated[dict[str, LDEdit], Field(min_length=1, max_length=30)]


class LDStartIteration(LDBody):
    """Starts the draft, over the iteration that runs if one does."""

    kind: Literal["startIteration"]
    changeJustification: LongText | None = LEFT_OUT


class LDStopIteration(LDBody):
    """Stops the iteration that runs."""

    kind: Literal["stopIteration"]
    winningTreatmentId: GivenId | None = LEFT_OUT
    winningReason: LongText | None = LEFT_OUT


class LDArchiveExperiment(LDBody):
    """Archives the experiment."""

    kind: Literal["archiveExperiment"]


class LDRestoreExperiment(LDBody):
    """Restores the experiment."""

    kind: Literal["restoreExperiment"]


class LDUpdateFields(LDBody):
    """Changes fields by their names."""

    kind: Literal["updateExperimentFields"]
    value: Edits


class LDSaveAndStart(LDBody):
    """Starts a copy of the current iteration with edits."""

    kind: Literal["saveAndStartNewIteration"]
    changeJustification: LongText | None = LEFT_OUT
    value: Edits | None = LEFT_OUT


LDStep = (
    LDUpdateName
    | LDUpdateDescription
    | LDStartIteration
    | LDStopIteration
    | LDArchiveExperiment
    | LDRestoreExperiment
    | LDUpdateFields
    | LDSaveAndStart
)


class LDExperimentPatch(LDPatch):
    """The instructions that change an experiment."""

    instructions: Annotated[list[Annotated[LDStep, Field(discriminator="kind")]], SOME]
