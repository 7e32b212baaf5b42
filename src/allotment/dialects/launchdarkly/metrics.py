"""The metrics of a project, which scripts create before an experiment.

Nothing here measures. They are stored with the catalogs of the project and given back as they were
sent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Generic, Literal, TypeVar

from pydantic import Field, TypeAdapter

from allotment.change.commands import Command, Keep
from allotment.change.kinds import CATALOG
from allotment.dialects.launchdarkly.codes import missing, taken
from allotment.dialects.launchdarkly.fields import (
    ITEMS_MAX,
    WHOLE_MAX,
    Description,
    Key,
    LDBody,
    Moment,
    Name,
    Percent,
    Text,
    Words,
)
from allotment.dialects.launchdarkly.ids import NOTES, id_of
from allotment.dialects.launchdarkly.state import LDPage, LDState, LDWindow, Links, Scene, links_to
from allotment.dialects.wire.model import LEFT_OUT, WHOLE, Model, Number
from allotment.dialects.wire.notes import shown_as
from allotment.dialects.wire.operation import Call, Ids, Noun
from allotment.dialects.wire.source import Tree
from allotment.model.catalog import Catalog

# Fields.

MetricKind = Literal["pageview", "click", "custom", "trace"]
Aggregation = Literal["average", "sum", "count_distinct"]
Offset = Annotated[int, Field(ge=-WHOLE_MAX, le=WHOLE_MAX), WHOLE]


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


# Where a project has metrics, and groups of them.


K = TypeVar("K", bound=LDBody)
M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class Shelf(Generic[K]):
    """Where a catalog keeps metrics, or metric groups, by their keys.

    word    what an error calls one
    id      the part of a path that names one
    kind    the kind of one that was not created
    href    where one is, or without a key all
    """

    path: str
    word: str
    id: str
    kind: str
    form: TypeAdapter[K]
    href: Callable[..., str]

    def find(self, key: str, catalog: Catalog) -> K | None:
        """The one with the key."""
        return shown_as(self.form, NOTES.kept(catalog, f"{self.path}/{key}"), None)

    def noun(self, ids: Ids, catalog: Catalog) -> Noun:
        """The one that a path names; raises Refusal, 404."""
        if self.find(ids[self.id], catalog) is None:
            missing(self.word)
        return Noun(self.path, ids[self.id])

    def create(self, said: dict[str, Any], catalog: Catalog) -> list[Command]:
        """The command that keeps one, by its key."""
        key = said.pop("key")
        if self.find(key, catalog) is not None:
            raise taken(self.word)
        return [NOTES.keep(CATALOG, CATALOG, f"{self.path}/{key}", said)]

    def delete(self, ids: Ids, catalog: Catalog) -> list[Command]:
        """The command that deletes the one that a path names."""
        return [NOTES.keep(CATALOG, CATALOG, "/".join(self.noun(ids, catalog)[:2]), None)]

    def page(self, query: LDWindow, state: LDState, view: Callable[..., M]) -> LDPage[M]:
        """A window of all, by key."""
        kept = sorted(NOTES.below(state.catalog, self.path).items())
        found = [key for key, tree in kept if shown_as(self.form, tree, None) is not None]
        href = self.href(state.scene)
        return query.page(href, found, lambda key: view(state, Noun(self.path, key)))

    def shown(self, key: str, state: LDState) -> dict[str, Any]:
        """What is shown of one: what is kept, and where it is."""
        kept = self.find(key, state.catalog) or missing(self.word)
        links = links_to(self=self.href(state.scene, key), parent=self.href(state.scene))
        usual = {"description": "", "tags": []}
        return {"_id": self._id(key), "_links": links, "key": key, **usual, **kept.plain()}

    def named(self, key: str, state: LDState) -> dict[str, Any]:
        """What is shown of one where something names it by its key, which then is its name too if
        it was not created."""
        found = self.find(key, state.catalog)
        kept = found.plain() if found else {}
        return {
            "key": key,
            "_versionId": self._id(key),
            "name": kept.get("name") or key,
            "kind": kept.get("kind", self.kind),
            "_links": links_to(self=self.href(state.scene, key)),
        }

    def _id(self, key: str) -> str:
        return id_of(self.word.replace(" ", "-"), key)


def kept_noun(commands: Sequence[Command]) -> Noun:
    """The metric or metric group that the commands create."""
    (keep,) = (command for command in commands if isinstance(command, Keep))
    _, path, key = keep.path.split("/")
    return Noun(path, key)


# Metrics.

METRICS: Final = Shelf(
    "metrics", "metric", "metricKey", "custom", TypeAdapter(LDKeptMetric), Scene.of_metric
)


def post_metric(call: Call[LDMetricPost], catalog: Catalog) -> list[Command]:
    """Create a metric."""
    usual = {"name": "", "description": "", "_creationDate": call.now}
    return METRICS.create({**usual, **call.body.plain()}, catalog)


def delete_metric(call: Call[None], catalog: Catalog) -> list[Command]:
    """Delete a metric."""
    return METRICS.delete(call.ids, catalog)


def get_metric(state: LDState, noun: Noun) -> LDMetric:
    """A metric."""
    shown = {
        "_versionId": id_of("metric", noun.key),
        "_attachedFlagCount": 0,
        "isNumeric": False,
        "dataSource": {"key": "launchdarkly"},
        **METRICS.shown(noun.key, state),
    }
    return LDMetric.model_validate({**shown, "name": shown["name"] or noun.key})


def get_metrics(query: LDWindow, state: LDState) -> LDPage[LDMetric]:
    """A window of the metrics of the project, by key."""
    return METRICS.page(query, state, get_metric)


def measured(key: str, catalog: Catalog) -> dict[str, Tree]:
    """How a metric counts; nothing of one that was not created."""
    kept = METRICS.find(key, catalog)
    if kept is None:
        return {}
    shown = kept.model_dump(include={"unitAggregationType", "eventKey"})
    return {"isNumeric": kept.isNumeric is True, **shown}
