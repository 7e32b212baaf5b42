"""Holdouts: units that are kept out of all experiments of a holdout, to see what these did."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from allotment.change.commands import Command, Create, SetHoldout, SetHoldoutShare
from allotment.dialects.launchdarkly.codes import missing, taken
from allotment.dialects.launchdarkly.fields import UNIT, Description, Key, LDBody, Name, Word, Words
from allotment.dialects.launchdarkly.ids import NOTES, by_key, find_holdout, get
from allotment.dialects.launchdarkly.metric_groups import LDMetricInput, Metrics, kept_metrics
from allotment.dialects.launchdarkly.patch import (
    SOME,
    LDPatch,
    LDUpdateDescription,
    LDUpdateName,
    follow,
)
from allotment.dialects.wire.model import LEFT_OUT
from allotment.dialects.wire.operation import Call, Ids, Noun
from allotment.dialects.wire.spelling import slug
from allotment.errors import InvalidInput
from allotment.model.catalog import Catalog
from allotment.model.layer import Holdout
from allotment.model.limits import BUCKETS
from allotment.model.number import read_weight


class LDHoldoutNotes(LDBody):
    """What a holdout has that the model lacks."""

    attributes: Words | None = LEFT_OUT
    primarymetrickey: Word | None = LEFT_OUT
    prerequisiteflagkey: Word | None = LEFT_OUT
    maintainerId: Word | None = LEFT_OUT


class LDKeptHoldout(LDHoldoutNotes):
    """The same as it is kept."""

    metrics: list[LDMetricInput] = Field(default=[])


class LDHoldoutPost(LDHoldoutNotes):
    """The body that creates a holdout: it has a key, a name, or both."""

    holdoutamount: Annotated[str, Field(min_length=1, max_length=16, examples=["5"])]
    key: Key | None = LEFT_OUT
    name: Name | None = LEFT_OUT
    description: Description | None = LEFT_OUT
    randomizationunit: Key | None = LEFT_OUT
    metrics: Metrics | None = LEFT_OUT


class LDLeaveHoldout(LDBody):
    """Takes an experiment from under the holdout."""

    kind: Literal["removeExperiment"]
    value: Word


class LDEndHoldout(LDBody):
    """Ends the holdout."""

    kind: Literal["endHoldout"]


LDHoldoutStep = LDUpdateName | LDUpdateDescription | LDLeaveHoldout | LDEndHoldout


class LDHoldoutPatch(LDPatch):
    """The instructions that change a holdout."""

    instructions: Annotated[list[Annotated[LDHoldoutStep, Field(discriminator="kind")]], SOME]


def find_by_id(ids: Ids, catalog: Catalog) -> Noun:
    """The holdout whose id a path has."""
    holdout = find_holdout(catalog, ids["holdoutId"]) or missing("holdout")
    return Noun("holdout", holdout.key)


def post_holdout(call: Call[LDHoldoutPost], catalog: Catalog) -> list[Command]:
    """Create a holdout, which no experiment is under yet."""
    body = call.body
    if body.key is None and body.name is None:
        raise InvalidInput("a key or a name is needed", "$.key")
    name = body.name or ""
    kept = body.model_dump(mode="json", include={*LDHoldoutNotes.model_fields})
    if body.metrics is not None:
        kept["metrics"] = kept_metrics(body.metrics)
    holdout = Holdout(
        body.key or slug(name, catalog.holdouts.__contains__, "holdout"),
        "",
        _amount(body.holdoutamount),
        name,
        body.description or "",
        body.randomizationunit or UNIT,
        NOTES.on_new(kept),
    )
    if holdout.key in catalog.holdouts:
        raise taken("holdout")
    return [Create(holdout)]


def _amount(text: str) -> int:
    """The percentage, which is text, as parts of a million."""
    path = "$.holdoutamount"
    share = read_weight(text, path) * (BUCKETS // 100)
    if not 0 < share <= BUCKETS or share != int(share):
        message = "more than 0 and at most 100 percent, with up to four decimals"
        raise InvalidInput(message, path)
    return int(share)


def patch_holdout(call: Call[LDHoldoutPatch], catalog: Catalog) -> list[Command]:
    """Change a holdout."""
    holdout = by_key("holdout")(call.ids, catalog)

    def read(step: LDLeaveHoldout | LDEndHoldout, _path: str, catalog: Catalog) -> list[Command]:
        if isinstance(step, LDEndHoldout):
            # One that holds no unit out has ended: its experiments get these units too.
            return [SetHoldoutShare(holdout.key, 0)]
        experiment = get("experiment", catalog.experiments, step.value)
        return [SetHoldout(experiment.key, None)] if experiment.holdout == holdout.key else []

    return follow(call.body.instructions, holdout, read, catalog)
