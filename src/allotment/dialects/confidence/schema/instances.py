"""Fields of instances of the workflow abtest."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import Field

from allotment.dialects.confidence.schema.fields import (
    ConfidenceNothing,
    ConfidenceOrigin,
    ConfidencePage,
    Label,
    Moment,
    pattern,
)
from allotment.dialects.confidence.schema.modules import (
    ConfidenceAbtest,
    ConfidenceDecision,
    ConfidenceExplore,
    ConfidenceExposure,
    ConfidenceFlagModule,
    ConfidenceHypothesis,
    ConfidenceJobQueue,
    ConfidenceMetrics,
    ConfidenceModule,
    ConfidencePlanning,
    ConfidenceRecommendations,
    ConfidenceReport,
    ConfidenceReviews,
    ConfidenceSampleSize,
    ConfidenceStats,
    Lines,
    Object,
    Objects,
    Words,
)
from allotment.dialects.confidence.schema.protobuf import As, Edit, Message, fields_of
from allotment.dialects.wire.model import LEFT_OUT, Maybe, Model

INSTANCES: Final = "workflows/abtest/instances"
ID: Final = "[0-9a-z]{20}"


InstanceState = Literal["draft", "live", "paused", "ended"]

_FILTER_MAX: Final = 4_096


# Instances.


class ConfidenceInstanceFields(Message):
    """What a request may set of an instance beside its name."""

    owner: Lines | None = LEFT_OUT
    jobQueue: Annotated[Object, As(ConfidenceJobQueue)] | None = LEFT_OUT
    workflowVersion: Lines | None = LEFT_OUT
    surfaces: Words | None = LEFT_OUT
    labels: Object | Objects | None = LEFT_OUT
    abtest: ConfidenceAbtest | None = LEFT_OUT
    decision: ConfidenceDecision | None = LEFT_OUT
    explore: ConfidenceExplore | None = LEFT_OUT
    exposure: ConfidenceExposure | None = LEFT_OUT
    flags: ConfidenceFlagModule | None = LEFT_OUT
    hypothesis: ConfidenceHypothesis | None = LEFT_OUT
    metrics: ConfidenceMetrics | None = LEFT_OUT
    planning: ConfidencePlanning | None = LEFT_OUT
    recommendations: ConfidenceRecommendations | None = LEFT_OUT
    report: ConfidenceReport | None = LEFT_OUT
    reviews: ConfidenceReviews | None = LEFT_OUT
    samplesize: ConfidenceSampleSize | None = LEFT_OUT
    stats: ConfidenceStats | None = LEFT_OUT


# The names of the modules.
MODULES: Final = tuple(
    name
    for name, (form, *_) in fields_of(ConfidenceInstanceFields).items()
    if isinstance(form, type) and issubclass(form, ConfidenceModule)
)


class ConfidenceCheck(Model):
    """What keeps an instance from a state."""

    name: str
    displayName: str
    parent: str
    message: str
    state: InstanceState
    persist: bool
    data: bool


class ConfidenceEntry(Model):
    """A state that an instance has been in; a moment that is not known is left out."""

    state: InstanceState
    enteredTime: Maybe[Moment] = LEFT_OUT
    actualEnteredTime: Maybe[Moment] = LEFT_OUT
    exitedTime: Maybe[Moment] = LEFT_OUT
    actualExitedTime: Maybe[Moment] = LEFT_OUT
    checks: list[ConfidenceCheck]


class ConfidenceInstanceOutput(ConfidenceOrigin):
    """What is output only of an instance."""

    name: Annotated[str, pattern(f"^{INSTANCES}/{ID}$")]
    state: InstanceState
    checks: list[ConfidenceCheck]
    stateHistory: list[ConfidenceEntry]
    possibleTransitions: list[InstanceState]
    lockedDataKeys: list[str]
    transitionStatus: dict[str, Any]
    deleteTime: None


class ConfidenceInstance(ConfidenceInstanceFields, ConfidenceInstanceOutput):
    """An instance."""

    displayName: Label


_OUTPUT_ONLY: Final = (*ConfidenceInstanceOutput.model_fields, "pendingTransition")


class ConfidenceInstanceCreate(ConfidenceInstanceFields):
    """The body that creates an instance."""

    output_only: ClassVar = _OUTPUT_ONLY

    displayName: Label


class ConfidenceInstanceEdit(ConfidenceInstanceFields, Edit):
    """The body that changes an instance."""

    output_only: ClassVar = _OUTPUT_ONLY

    displayName: Maybe[Label] = LEFT_OUT


class ConfidenceClone(Message):
    """The body that makes a draft like an instance."""

    displayName: Maybe[Label] = LEFT_OUT
    parameters: Maybe[ConfidenceNothing] = LEFT_OUT


class ConfidenceTransition(Message):
    """The body that moves an instance to another state."""

    targetState: InstanceState


class ConfidenceInstances(Model):
    """A page of instances."""

    abtests: list[ConfidenceInstance]
    nextPageToken: str


class ConfidenceInstancePage(ConfidencePage):
    """The query of the list of instances."""

    filter: Annotated[
        Annotated[str, Field(max_length=_FILTER_MAX)] | None,
        Field(examples=['state:live AND owner:"users/ada"']),
    ] = LEFT_OUT
