"""Holdouts as this API shows them.

It has an experiment of its own behind each holdout, that compares who is held out with who is not.
The model needs none, so one is made up that shows what the holdout is.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from allotment.dialects.launchdarkly.experiment_views import (
    IterationStatus,
    LDExperiment,
    LDIteration,
    show_experiment,
)
from allotment.dialects.launchdarkly.fields import Id, ListedWords, Moment, words
from allotment.dialects.launchdarkly.holdouts import LDKeptHoldout
from allotment.dialects.launchdarkly.ids import NO_MEMBER, NOTES, id_of
from allotment.dialects.launchdarkly.metric_groups import LDKeptMeasures, show_measures
from allotment.dialects.launchdarkly.state import LDCount, LDState, LDWindow, links_to
from allotment.dialects.launchdarkly.treatments import LDTreatment, show_percent
from allotment.dialects.wire.model import LEFT_OUT, Body, Model
from allotment.dialects.wire.operation import Noun
from allotment.model.experiment import Experiment, State
from allotment.model.layer import Holdout
from allotment.model.limits import BUCKETS

HoldoutStatus = Literal["created", "enabled", "running", "ended"]

# What may be expanded: of the experiment behind the holdout, and of those under it.
_RELATED: Final = "rel-"
_EXPANDS: Final = ("draftIteration", "previousIterations", "secondaryMetrics", "treatments")
_THEIRS: Final = ("draftIteration", "metrics", "previousIterations", "secondaryMetrics")
EXPANDS: Final = (*_EXPANDS, *(f"{_RELATED}{name}" for name in (*_THEIRS, "treatments")))

# The status of the iteration that is shown behind a holdout.
_ITERATION: Final[dict[HoldoutStatus, IterationStatus]] = {
    "created": "not_started",
    "enabled": "not_started",
    "running": "running",
    "ended": "stopped",
}


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


class LDHoldoutQuery(Body):
    """What the answer has beside what it always has."""

    expand: Annotated[tuple[str, ...], words(*EXPANDS), ListedWords] | None = LEFT_OUT


def show_holdout(state: LDState, noun: Noun) -> LDHoldout:
    """A holdout, as it is shown after a change."""
    holdout = state.catalog.holdouts[noun.key]
    return LDHoldout(**_shown(holdout, state, ()), experiments=_related(holdout, state))


def get_holdout_by_id(state: LDState, noun: Noun) -> LDHoldout:
    """A holdout, found by its id."""
    return show_holdout(state, noun)


def get_all_holdouts(query: LDWindow, state: LDState) -> LDCount[LDListedHoldout]:
    """A window of the holdouts of an environment, by key."""
    holdouts = [*state.catalog.holdouts.values()]
    return query.count(state.scene.href("holdouts"), holdouts, lambda one: _listed(one, state))


def get_holdout(state: LDState, noun: Noun, query: LDHoldoutQuery) -> LDHoldoutDetail:
    """A holdout with the experiments under it."""
    expanded = query.expand or ()
    own = [each for each in expanded if not each.startswith(_RELATED)]
    theirs = [each.removeprefix(_RELATED) for each in expanded if each.startswith(_RELATED)]
    if "metrics" in theirs:
        theirs.append("secondaryMetrics")  # an experiment is asked for all its metrics so
    holdout = state.catalog.holdouts[noun.key]
    under = _experiments_under(holdout, state)
    return LDHoldoutDetail(
        **_shown(holdout, state, own),
        isDirty=any(one.live is not None for one in under),
        relatedExperiments=[show_experiment(one, state, theirs) for one in under],
    )


def _status(holdout: Holdout, state: LDState) -> HoldoutStatus:
    """Where the holdout stands: it has ended once it holds no unit out any more."""
    if holdout.share_ppm == 0:
        return "ended"
    under = _experiments_under(holdout, state)
    if not under:
        return "created"
    started = any(run.state is not State.DRAFT for one in under for run in one.iterations)
    return "running" if started else "enabled"


def _experiments_under(holdout: Holdout, state: LDState) -> list[Experiment]:
    """The experiments that the holdout keeps units out of, by key."""
    keys = state.catalog.users.get(f"holdout:{holdout.key}", frozenset())
    return [state.catalog.experiments[key] for key in sorted(keys)]


def _dated(holdout: Holdout, state: LDState) -> dict[str, Any]:
    """What lists and whole answers both have of a holdout."""
    version = state.versions[f"holdout:{holdout.key}"]
    return {
        "_id": id_of("holdout", holdout.key),
        "status": _status(holdout, state),
        "createdAt": version.created_at,
        "updatedAt": version.updated_at,
    }


def _shown(holdout: Holdout, state: LDState, expanded: Collection[str]) -> dict[str, Any]:
    return {
        **_dated(holdout, state),
        "description": holdout.description,
        "holdoutAmount": show_percent(holdout.share_ppm, BUCKETS),
        "baseExperiment": _base(holdout, state, expanded),
    }


def _listed(holdout: Holdout, state: LDState) -> LDListedHoldout:
    return LDListedHoldout(
        **_dated(holdout, state),
        key=holdout.key,
        name=holdout.name or holdout.key,
        experiments=_related(holdout, state),
    )


def _related(holdout: Holdout, state: LDState) -> list[LDRelated]:
    return [
        LDRelated(key=one.key, name=one.name or one.key, environment=state.scene.environment)
        for one in _experiments_under(holdout, state)
    ]


def _base(holdout: Holdout, state: LDState, expanded: Collection[str]) -> LDExperiment:
    """The experiment behind the holdout, whose one iteration is where the holdout is."""
    key, scene = holdout.key, state.scene
    status = _ITERATION[_status(holdout, state)]
    name = "draftIteration" if status == "not_started" else "currentIteration"
    kept = NOTES.read_fields(holdout, LDKeptHoldout)
    iterations: dict[str, Any] = {}
    if status != "not_started" or name in expanded:
        iterations[name] = _iteration(holdout, status, kept, state, expanded)
    return LDExperiment(
        _id=id_of("holdout", key),
        key=key,
        name=holdout.name or key,
        description=holdout.description,
        _maintainerId=kept.maintainerId or NO_MEMBER,
        _creationDate=state.versions[f"holdout:{key}"].created_at,
        environmentKey=scene.environment,
        holdoutId=id_of("holdout", key),
        type="holdout",
        methodology="frequentist",
        dataSource="launchdarkly",
        tags=[],
        _links=links_to(parent=scene.href(), self=scene.href("holdouts", key)),
        **iterations,
    )


def _iteration(
    holdout: Holdout,
    status: IterationStatus,
    kept: LDKeptHoldout,
    state: LDState,
    expanded: Collection[str],
) -> LDIteration:
    measures = LDKeptMeasures.model_construct(
        metrics=kept.metrics, primarySingleMetricKey=kept.primarymetrickey
    )
    more: dict[str, Any] = show_measures(measures, state, expanded)
    if "treatments" in expanded:
        shares = ("Held out", holdout.share_ppm), ("Not held out", BUCKETS - holdout.share_ppm)
        more["treatments"] = [
            LDTreatment(
                _id=id_of("holdout", holdout.key, name),
                name=name,
                allocationPercent=show_percent(share, BUCKETS),
                baseline=index == 0,
                parameters=[],
            )
            for index, (name, share) in enumerate(shares)
        ]
    return LDIteration(
        _id=id_of("holdout", holdout.key, "iteration"),
        hypothesis="",
        status=status,
        createdAt=state.versions[f"holdout:{holdout.key}"].created_at,
        canReshuffleTraffic=False,
        flags={},
        version=1,
        randomizationUnit=holdout.unit,
        attributes=kept.attributes,
        **more,
    )
