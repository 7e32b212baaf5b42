"""Fields of metrics and metric groups, which are kept and given back."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field, WithJsonSchema

from allotment.dialects.launchdarkly.schema.fields import (
    ITEMS_MAX,
    Description,
    Key,
    LDBody,
    LDWindowed,
    Links,
    Moment,
    Name,
    Percent,
    Text,
    Word,
    Words,
)
from allotment.dialects.wire.model import LEFT_OUT, WHOLE, Model

_WHOLE_MAX: Final = 2**53 - 1

MetricKind = Literal["pageview", "click", "custom", "trace"]
GroupKind = Literal["funnel", "standard"]
Aggregation = Literal["average", "sum", "count_distinct"]


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("a number belongs here")
    return value


Offset = Annotated[int, Field(ge=-_WHOLE_MAX, le=_WHOLE_MAX), WHOLE]
# A number that is given back as it was sent, whole or not.
Number = Annotated[Any, AfterValidator(_number), WithJsonSchema({"type": "number"})]


class LDSource(LDBody):
    """Where the events of a metric come from."""

    key: Text
    environmentKey: Text | None = LEFT_OUT
    name: Annotated[Text | None, Field(alias="_name")] = LEFT_OUT
    integrationKey: Annotated[Text | None, Field(alias="_integrationKey")] = LEFT_OUT


class LDFilter(LDBody):
    """Which events a metric is about."""

    type: Literal["group", "contextAttribute", "eventProperty"]
    attribute: Text | None = LEFT_OUT
    op: Text
    values: Annotated[list[Any], Field(max_length=ITEMS_MAX)]
    contextKind: Text | None = LEFT_OUT
    negate: bool


class LDMeasured(LDBody):
    """What a metric and what it is divided by both have."""

    isNumeric: bool | None = LEFT_OUT
    dataSource: LDSource | None = LEFT_OUT
    unitAggregationType: Aggregation | None = LEFT_OUT
    unitAggregationField: Text | None = LEFT_OUT
    valueColumn: Text | None = LEFT_OUT
    filters: LDFilter | None = LEFT_OUT
    windowStartOffset: Offset | None = LEFT_OUT
    windowEndOffset: Offset | None = LEFT_OUT
    winsorLowerPercentile: Number | None = LEFT_OUT
    winsorUpperPercentile: Number | None = LEFT_OUT
    winsorIncludeImputed: bool | None = LEFT_OUT


class LDDenominator(LDMeasured):
    """What a metric is divided by."""

    eventName: Text | None = LEFT_OUT


class LDUrl(LDBody):
    """A page of a pageview or click metric."""

    kind: Text | None = LEFT_OUT
    url: Text | None = LEFT_OUT
    substring: Text | None = LEFT_OUT
    pattern: Text | None = LEFT_OUT


class LDEventDefault(LDBody):
    """What counts for a unit without events."""

    disabled: bool | None = LEFT_OUT
    value: Number | None = LEFT_OUT


class LDMetricFields(LDMeasured):
    """What a metric says beside its key."""

    name: Name | None = LEFT_OUT
    description: Description | None = LEFT_OUT
    kind: MetricKind
    selector: Text | None = LEFT_OUT
    urls: Annotated[list[LDUrl], Field(max_length=ITEMS_MAX)] | None = LEFT_OUT
    unit: Text | None = LEFT_OUT
    eventKey: Text | None = LEFT_OUT
    successCriteria: Literal["HigherThanBaseline", "LowerThanBaseline"] | None = LEFT_OUT
    tags: Words | None = LEFT_OUT
    randomizationUnits: Words | None = LEFT_OUT
    analysisUnits: Words | None = LEFT_OUT
    maintainerId: Text | None = LEFT_OUT
    analysisType: Literal["mean", "percentile"] | None = LEFT_OUT
    percentileValue: Percent | None = LEFT_OUT
    eventDefault: LDEventDefault | None = LEFT_OUT
    traceQuery: Text | None = LEFT_OUT
    traceValueLocation: Text | None = LEFT_OUT
    denominator: LDDenominator | None = LEFT_OUT


class LDMetricPost(LDMetricFields):
    """The body that creates a metric."""

    key: Key


class LDKeptMetric(LDMetricFields):
    """What is kept of a metric, under its key."""

    name: str
    creationDate: Moment = Field(alias="_creationDate")


class LDMetric(LDMetricFields, Model):
    """A metric."""

    id: str = Field(alias="_id")
    versionId: str = Field(alias="_versionId")
    key: str
    attachedFlagCount: int = Field(alias="_attachedFlagCount")
    creationDate: Moment = Field(alias="_creationDate")
    links: Links = Field(alias="_links")
    name: str
    description: str
    isNumeric: bool
    dataSource: LDSource
    tags: list[str]


class LDMetrics(LDWindowed):
    """A window of the metrics of a project."""

    items: list[LDMetric]


class LDMember(LDBody):
    """A metric of a group."""

    key: Key
    nameInGroup: Text | None = LEFT_OUT


class LDMetricGroupFields(LDBody):
    """What a metric group says beside its key."""

    name: Name
    kind: GroupKind
    description: Description | None = LEFT_OUT
    tags: Words | None = LEFT_OUT
    metrics: Annotated[list[LDMember], Field(min_length=1, max_length=ITEMS_MAX)]


class LDMetricGroupPost(LDMetricGroupFields):
    """The body that creates a metric group."""

    key: Key
    maintainerId: Word | None = LEFT_OUT


class LDKeptMetricGroup(LDMetricGroupFields):
    """What is kept of a metric group, under its key."""

    maintainer: str
    creationDate: Moment = Field(alias="_creationDate")


class LDMaintainer(Model):
    """Who looks after a metric group."""

    key: str
    kind: Literal["member", "team"]


class LDMetricInGroup(Model):
    """A metric of a group, as it is shown."""

    key: str
    nameInGroup: str | None = LEFT_OUT
    versionId: str = Field(alias="_versionId")
    name: str
    kind: MetricKind
    isNumeric: bool | None = LEFT_OUT
    unitAggregationType: Aggregation | None = LEFT_OUT
    eventKey: str | None = LEFT_OUT
    links: Links = Field(alias="_links")


class LDMetricGroup(Model):
    """A metric group."""

    id: str = Field(alias="_id")
    key: str
    name: str
    description: str
    kind: GroupKind
    tags: list[str]
    creationDate: Moment = Field(alias="_creationDate")
    lastModified: Moment = Field(alias="_lastModified")
    version: int = Field(alias="_version")
    maintainer: LDMaintainer
    metrics: list[LDMetricInGroup]
    links: Links = Field(alias="_links")


class LDMetricGroups(LDWindowed):
    """A window of the metric groups of a project."""

    items: list[LDMetricGroup]
