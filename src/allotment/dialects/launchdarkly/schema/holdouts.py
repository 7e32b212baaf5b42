"""Fields of holdouts."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field

from allotment.dialects.launchdarkly.schema.experiments import LDExperiment, LDMetricInput, Metrics
from allotment.dialects.launchdarkly.schema.fields import (
    SOME,
    Description,
    Id,
    Key,
    LDBody,
    LDPatch,
    LDUpdateDescription,
    LDUpdateName,
    Links,
    ListedWords,
    Moment,
    Name,
    Word,
    Words,
    words,
)
from allotment.dialects.wire.model import LEFT_OUT, Body, Model

# What may be expanded: of the experiment behind the holdout, and of those under it.
RELATED: Final = "rel-"
EXPANDS: Final = (
    *("draftIteration", "previousIterations", "secondaryMetrics", "treatments"),
    *(f"{RELATED}{name}" for name in ("draftIteration", "metrics", "previousIterations")),
    *(f"{RELATED}{name}" for name in ("secondaryMetrics", "treatments")),
)

HoldoutStatus = Literal["created", "enabled", "running", "ended"]


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


class LDRelated(Model):
    """An experiment under a holdout."""

    key: str
    name: str
    environment: str


class LDHoldoutBase(Model):
    """What every answer with one holdout shows."""

    id: Id = Field(alias="_id")
    status: HoldoutStatus
    description: str
    holdoutAmount: str
    createdAt: Moment
    updatedAt: Moment
    baseExperiment: LDExperiment


class LDHoldout(LDHoldoutBase):
    """A holdout, as it is shown after a change."""

    experiments: list[LDRelated]


class LDHoldoutDetail(LDHoldoutBase):
    """A holdout with the experiments under it."""

    isDirty: bool
    relatedExperiments: list[LDExperiment]


class LDListedHoldout(Model):
    """A holdout in a list."""

    id: Id = Field(alias="_id")
    key: str
    name: str
    status: HoldoutStatus
    createdAt: Moment
    updatedAt: Moment
    experiments: list[LDRelated]


class LDHoldouts(Model):
    """A window of the holdouts of an environment."""

    items: list[LDListedHoldout]
    total_count: int
    links: Links = Field(alias="_links")


class LDHoldoutQuery(Body):
    """What the answer has beside what it always has."""

    expand: Annotated[tuple[str, ...], words(*EXPANDS), ListedWords] | None = LEFT_OUT
