"""Fields of an instance and of its modules, as the vendor's page lists them.

What the page shows as `{}` is a message, a time or the word of an enumeration: it may be anything
but where the page says more. Its lists are of objects. Those are kept as they come; what steers is
read.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final

from pydantic import Field, WithJsonSchema

from allotment.dialects.confidence.fields import Name, Text
from allotment.dialects.confidence.protobuf import As, Message, Open, fields_of
from allotment.dialects.wire.model import INT64, LEFT_OUT, Maybe, Number
from allotment.model.limits import TREATMENTS_MAX

_LINES_MAX: Final = 65_536
_ITEMS_MAX: Final = 10_000
_WEIGHT_MAX: Final = 2**31 - 1


Lines = Annotated[str, Field(max_length=_LINES_MAX)]
Object = Annotated[dict[str, Any], Field(max_length=_ITEMS_MAX)]
Objects = Annotated[list[Object], Field(max_length=_ITEMS_MAX)]
Words = Annotated[list[Lines], Field(max_length=_ITEMS_MAX)]
Anything = Any
Weight = Annotated[
    int,
    Field(ge=0, le=_WEIGHT_MAX),
    INT64,
    WithJsonSchema(
        {
            "description": "Parts of 10,000.",
            "anyOf": [
                {"type": "integer", "minimum": 0, "maximum": _WEIGHT_MAX},
                {"type": "string", "pattern": "^[0-9]{1,10}$"},
            ],
        }
    ),
]


# What is kept as it comes, with the fields that the pages name.


class ConfidenceJob(Open):
    """A scheduled call of a function."""

    key: Any = LEFT_OUT
    func: Any = LEFT_OUT
    runTime: Any = LEFT_OUT
    isActive: Any = LEFT_OUT
    parameters: Any = LEFT_OUT


class ConfidenceJobQueue(Open):
    """Scheduled calls, which are kept and never made."""

    isEnabled: Any = LEFT_OUT
    items: list[ConfidenceJob] | Any = LEFT_OUT


class ConfidenceAudience(Open):
    """An audience of a rollout."""

    id: Any = LEFT_OUT
    displayName: Any = LEFT_OUT
    intakePaused: Any = LEFT_OUT
    launchTime: Any = LEFT_OUT
    materialization: Any = LEFT_OUT
    rule: Any = LEFT_OUT
    segment: Any = LEFT_OUT
    stopTime: Any = LEFT_OUT


# Modules. What of one steers is listed by its class; all else is kept.


class ConfidenceModule(Message):
    """A part of an instance."""

    steering: ClassVar[tuple[str, ...]] = ()

    @property
    def rest(self) -> dict[str, Any]:
        """What of it steers nothing."""
        return {name: each for name, each in self.plain().items() if name not in self.steering}


class ConfidenceTreatment(Message):
    """A treatment: a variant of the flag."""

    variant: Maybe[Name] = LEFT_OUT
    weight: Maybe[Weight] = LEFT_OUT
    displayName: Maybe[Name] = LEFT_OUT
    description: Maybe[Text] = LEFT_OUT
    imageUri: Maybe[Text] = LEFT_OUT
    name: Maybe[Text] = LEFT_OUT


class ConfidenceAbtest(ConfidenceModule):
    """The treatments."""

    steering: ClassVar = ("flag", "treatments")

    flag: Lines | None = LEFT_OUT
    rollout: Lines | None = LEFT_OUT
    treatments: Annotated[list[ConfidenceTreatment], Field(max_length=TREATMENTS_MAX)] | None = (
        LEFT_OUT
    )


class ConfidenceDecision(ConfidenceModule):
    """What was decided."""

    conclusion: Lines | None = LEFT_OUT
    outcome: Anything = LEFT_OUT
    treatment: Lines | None = LEFT_OUT


class ConfidenceExplore(ConfidenceModule):
    """Exploratory analyses."""

    exploratoryAnalyses: Objects | None = LEFT_OUT


class ConfidenceExposure(ConfidenceModule):
    """Exposure."""

    exposure: Objects | None = LEFT_OUT


class ConfidenceFlagModule(ConfidenceModule):
    """Who takes part."""

    steering: ClassVar = (
        *("flag", "segment", "targetingKeySelector"),
        *("stickyAssignments", "ignoreTargetingForSticky", "intakePaused"),
    )

    audiences: (
        Annotated[list[Annotated[Object, As(ConfidenceAudience)]], Field(max_length=_ITEMS_MAX)]
        | None
    ) = LEFT_OUT
    flag: Lines | None = LEFT_OUT
    ignoreTargetingForSticky: bool | None = LEFT_OUT
    intakePaused: bool | None = LEFT_OUT
    materialization: Lines | None = LEFT_OUT
    rule: Lines | None = LEFT_OUT
    segment: Lines | None = LEFT_OUT
    stickyAssignments: bool | None = LEFT_OUT
    targetingKeySelector: Lines | None = LEFT_OUT


class ConfidenceHypothesis(ConfidenceModule):
    """The hypothesis."""

    text: Lines | None = LEFT_OUT


class ConfidenceMetrics(ConfidenceModule):
    """The metrics."""

    bucket: Anything = LEFT_OUT
    metrics: Objects | None = LEFT_OUT
    assignmentTable: Lines | None = LEFT_OUT
    entity: Lines | None = LEFT_OUT
    exposureCalculation: Lines | None = LEFT_OUT
    exposureFilter: Anything = LEFT_OUT
    exposureMetric: Lines | None = LEFT_OUT
    exposureMetricCalculation: Lines | None = LEFT_OUT
    exposureMetricSchedule: Lines | None = LEFT_OUT
    exposureTable: Lines | None = LEFT_OUT
    exposureTableSchedule: Lines | None = LEFT_OUT
    filters: Objects | None = LEFT_OUT


class ConfidencePlanning(ConfidenceModule):
    """Planned and actual times."""

    actual: Anything = LEFT_OUT
    planned: Anything = LEFT_OUT


class ConfidenceRecommendations(ConfidenceModule):
    """Recommendations."""

    recommendations: Objects | None = LEFT_OUT
    treatmentRecommendations: Objects | None = LEFT_OUT


class ConfidenceReport(ConfidenceModule):
    """The report."""

    sections: Objects | None = LEFT_OUT
    name: Lines | None = LEFT_OUT


class ConfidenceReviews(ConfidenceModule):
    """Reviews."""

    approvalRequired: bool | None = LEFT_OUT
    optionalReviews: Objects | None = LEFT_OUT
    requiredReviews: Objects | None = LEFT_OUT
    reviewId: Lines | None = LEFT_OUT
    status: Anything = LEFT_OUT


class ConfidenceSampleSize(ConfidenceModule):
    """The sample size."""

    error: Lines | None = LEFT_OUT
    exposure: Anything = LEFT_OUT
    exposureSource: Anything = LEFT_OUT
    metrics: Objects | None = LEFT_OUT
    requiredSampleSize: Anything = LEFT_OUT
    state: Anything = LEFT_OUT
    statsParameters: Anything = LEFT_OUT


class ConfidenceStats(ConfidenceModule):
    """The statistics."""

    alpha: Number | None = LEFT_OUT
    analysisResult: Lines | None = LEFT_OUT
    analysisResults: Objects | None = LEFT_OUT
    fallbackSampleSize: Lines | None = LEFT_OUT
    metricInformation: Objects | None = LEFT_OUT
    metricMethods: Objects | None = LEFT_OUT
    power: Number | None = LEFT_OUT
    testHorizonStrategy: Anything = LEFT_OUT


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
