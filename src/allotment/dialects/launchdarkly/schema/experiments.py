"""Fields of experiments and their iterations, as answers show them and as they are kept."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field

from allotment.dialects.launchdarkly.ids import NO_MEMBER
from allotment.dialects.launchdarkly.schema.fields import (
    ITEMS_MAX,
    TEXT_MAX,
    Id,
    LDBody,
    LDWindow,
    Links,
    ListedWords,
    Moment,
    Text,
    Word,
    words,
)
from allotment.dialects.launchdarkly.schema.metrics import GroupKind, LDMetricInGroup
from allotment.dialects.wire.model import LEFT_OUT, Body, Maybe, Model

# What an answer has only where it is asked for.
EXPANDS: Final = (
    *("previousIterations", "draftIteration", "secondaryMetrics", "treatments"),
    *("analysisConfig", "mutableFieldsByStatus"),
)

Methodology = Literal["bayesian", "frequentist", "export_only"]
Source = Literal["launchdarkly", "snowflake"]
Kind = Literal["experiment", "mab", "holdout"]
IterationStatus = Literal["not_started", "running", "stopped"]
MetricKind = Literal["pageview", "click", "custom", "trace", "funnel", "standard"]
Operation = Literal["add", "update", "remove"]

Expand = Annotated[tuple[str, ...], words(*EXPANDS), ListedWords]
States = Annotated[tuple[str, ...], words("active", "archived"), ListedWords]


class LDAnalysis(LDBody):
    """The settings of an analysis that is done elsewhere."""

    bayesianThreshold: Text | None = LEFT_OUT
    significanceThreshold: Text | None = LEFT_OUT
    testDirection: Text | None = LEFT_OUT
    multipleComparisonCorrectionMethod: Literal["bonferroni", "benjamini-hochberg"] | None = (
        LEFT_OUT
    )
    multipleComparisonCorrectionScope: (
        Literal["variations", "variations-and-metrics", "metrics"] | None
    ) = LEFT_OUT
    sequentialTestingEnabled: bool | None = LEFT_OUT


class LDMetricInput(LDBody):
    """A metric that an iteration or a holdout measures."""

    key: Word
    isGroup: bool | None = LEFT_OUT
    primary: bool | None = LEFT_OUT
    analysisUnit: Word | None = LEFT_OUT


def _once(metrics: list[LDMetricInput]) -> Any:
    if len({one.key for one in metrics}) < len(metrics):
        raise ValueError("a metric is given twice")
    return metrics


Metrics = Annotated[list[LDMetricInput], Field(max_length=ITEMS_MAX), AfterValidator(_once)]


class LDSingleMetric(Model):
    """A metric as an iteration showed it before there were groups."""

    key: str
    versionId: Id = Field(alias="_versionId")
    name: str
    links: Links = Field(alias="_links")
    kind: MetricKind
    analysisUnit: Maybe[str] = LEFT_OUT


class LDIterationMetric(LDSingleMetric):
    """A metric or a group of metrics of an iteration."""

    isGroup: bool


class LDFunnel(Model):
    """The group of metrics that is an iteration's primary metric."""

    key: str
    name: str
    kind: GroupKind
    links: Links = Field(alias="_links")
    metrics: list[LDMetricInGroup]


class LDPrimary(Model):
    """The primary metric under each of its names."""

    primaryMetric: Maybe[LDIterationMetric] = LEFT_OUT
    primarySingleMetric: Maybe[LDSingleMetric] = LEFT_OUT
    primaryFunnel: Maybe[LDFunnel] = LEFT_OUT


class LDLayerSnapshot(Model):
    """What an iteration had of its layer."""

    key: str
    name: str
    reservationPercent: int
    otherReservationPercent: int


class LDParameter(Model):
    """What a treatment gives of a flag."""

    flagKey: str
    variationId: Id


class LDTreatment(Model):
    """A treatment of an iteration."""

    id: Id = Field(alias="_id")
    name: str
    baseline: bool
    allocationPercent: str
    parameters: list[LDParameter]


class LDIterationFlag(Model):
    """A flag of an iteration, and what those get who are not in it."""

    targetingRule: str
    targetingRuleDescription: Maybe[str] = LEFT_OUT
    flagConfigVersion: int
    notInExperimentVariationId: Id
    links: Links = Field(alias="_links")


class LDCovariate(Model):
    """The file with what is known of units beside the experiment."""

    id: str
    fileName: str
    createdAt: Moment


class LDIteration(LDPrimary):
    """An iteration of an experiment."""

    id: Id = Field(alias="_id")
    hypothesis: str
    status: IterationStatus
    createdAt: Moment
    canReshuffleTraffic: bool
    flags: dict[str, LDIterationFlag]
    version: int
    randomizationUnit: str
    reallocationFrequencyMillis: Maybe[int] = LEFT_OUT
    attributes: Maybe[list[str]] = LEFT_OUT
    layerSnapshot: Maybe[LDLayerSnapshot] = LEFT_OUT
    startedAt: Maybe[Moment] = LEFT_OUT
    endedAt: Maybe[Moment] = LEFT_OUT
    winningTreatmentId: Maybe[Id] = LEFT_OUT
    winningReason: Maybe[str] = LEFT_OUT
    covariateInfo: Maybe[LDCovariate] = LEFT_OUT
    treatments: Maybe[list[LDTreatment]] = LEFT_OUT
    metrics: Maybe[list[LDIterationMetric]] = LEFT_OUT
    secondaryMetrics: Maybe[list[LDSingleMetric]] = LEFT_OUT


Mutable = dict[str, list[Operation]]


class LDMutableFields(Model):
    """By status and field, what may be done to it."""

    not_started: Mutable
    running: Mutable
    stopped: Mutable


class LDExperiment(Model):
    """An experiment; what is unset, empty or not asked for is left out."""

    id: Id = Field(alias="_id")
    key: str
    name: str
    description: str
    maintainerId: str = Field(alias="_maintainerId")
    creationDate: Moment = Field(alias="_creationDate")
    environmentKey: str
    links: Links = Field(alias="_links")
    methodology: Methodology
    dataSource: Source
    type: Kind
    tags: list[str]
    holdoutId: Maybe[Id] = LEFT_OUT
    archivedDate: Maybe[Moment] = LEFT_OUT
    currentIteration: Maybe[LDIteration] = LEFT_OUT
    draftIteration: Maybe[LDIteration] = LEFT_OUT
    previousIterations: Maybe[list[LDIteration]] = LEFT_OUT
    analysisConfig: Maybe[LDAnalysis] = LEFT_OUT
    mutableFieldsByStatus: Maybe[LDMutableFields] = LEFT_OUT


class LDExperiments(Model):
    """A window of experiments."""

    items: list[LDExperiment]
    total_count: int
    links: Links = Field(alias="_links")


class LDExpandQuery(Body):
    """What an answer has beside what it always has."""

    expand: Expand | None = LEFT_OUT


class LDExperimentQuery(LDWindow):
    """The query of a list of experiments."""

    filter: Annotated[str, Field(max_length=TEXT_MAX)] | None = LEFT_OUT
    expand: Expand | None = LEFT_OUT
    lifecycleState: States | None = LEFT_OUT


class LDKeptExperiment(LDBody):
    """What is kept of an experiment, each field at its own path."""

    methodology: Methodology = "frequentist"
    dataSource: Source = "launchdarkly"
    type: Literal["experiment", "mab"] = "experiment"
    tags: list[str] = Field(default=[])
    maintainerId: str = NO_MEMBER
    archivedDate: int | None = None
    analysisConfig: LDAnalysis | None = None


class LDKeptIteration(LDBody):
    """What is kept of an iteration, all at one path."""

    hypothesis: str = ""
    createdAt: int | None = None
    metrics: list[LDMetricInput] = Field(default=[])
    primarySingleMetricKey: str | None = None
    primaryFunnelKey: str | None = None
    reallocationFrequencyMillis: int | None = None
    attributes: list[str] | None = None
    covariateId: str | None = None
    layerSnapshot: LDLayerSnapshot | None = None

    @property
    def primary(self) -> str | None:
        """The key of the primary metric or group."""
        return self.primarySingleMetricKey or self.primaryFunnelKey
