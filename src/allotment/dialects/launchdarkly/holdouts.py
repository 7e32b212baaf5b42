"""Holdouts: units that are kept out of all experiments of a holdout, to see what these did.

This API has an experiment of its own behind each holdout, that compares who is held out with who is
not. The model needs none, so one is made up that shows what the holdout is.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from allotment.change.commands import (
    Command,
    Create,
    Describe,
    SetHoldout,
    SetHoldoutShare,
)
from allotment.dialects.launchdarkly.codes import missing, taken
from allotment.dialects.launchdarkly.ids import NO_MEMBER, find_holdout, get_experiment, id_of
from allotment.dialects.launchdarkly.ids import get_holdout as holdout_named
from allotment.dialects.launchdarkly.kept import NOTES
from allotment.dialects.launchdarkly.links import links_of_window, links_to
from allotment.dialects.launchdarkly.metrics import (
    kept_metrics,
    show_metrics,
    show_primary,
    show_secondary,
)
from allotment.dialects.launchdarkly.patch import follow, renamed
from allotment.dialects.launchdarkly.schema.experiments import (
    IterationStatus,
    LDExperiment,
    LDIteration,
    LDKeptIteration,
    LDTreatment,
)
from allotment.dialects.launchdarkly.schema.fields import (
    LDUpdateDescription,
    LDUpdateName,
    LDWindow,
)
from allotment.dialects.launchdarkly.schema.holdouts import (
    RELATED,
    HoldoutStatus,
    LDHoldout,
    LDHoldoutDetail,
    LDHoldoutNotes,
    LDHoldoutPatch,
    LDHoldoutPost,
    LDHoldoutQuery,
    LDHoldouts,
    LDHoldoutStep,
    LDKeptHoldout,
    LDLeaveHoldout,
    LDListedHoldout,
    LDRelated,
)
from allotment.dialects.launchdarkly.state import LDState
from allotment.dialects.launchdarkly.views import show_experiment
from allotment.dialects.wire.operation import Call, Ids, Noun
from allotment.dialects.wire.slug import slug
from allotment.errors import InvalidInput
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment, State
from allotment.model.layer import Holdout
from allotment.model.limits import BUCKETS
from allotment.model.number import read_weight, show_percent

_UNIT: Final = "user"

# The status of the iteration that is shown behind a holdout.
_ITERATION: Final[dict[HoldoutStatus, IterationStatus]] = {
    "created": "not_started",
    "enabled": "not_started",
    "running": "running",
    "ended": "stopped",
}

# An experiment is asked for all its metrics by this name.
_THEIRS: Final = {f"{RELATED}metrics": "secondaryMetrics"}


def find_by_key(ids: Ids, catalog: Catalog) -> Noun:
    """The holdout whose key a path has."""
    return Noun("holdout", holdout_named(catalog, ids["holdoutKey"]).key)


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
    kept = {name: getattr(body, name) for name in LDHoldoutNotes.model_fields}
    metrics = None if body.metrics is None else kept_metrics(body.metrics)
    holdout = Holdout(
        body.key or slug(name, catalog.holdouts.__contains__, "holdout"),
        "",
        _amount(body.holdoutamount),
        name,
        body.description or "",
        body.randomizationunit or _UNIT,
        NOTES.on_new({**kept, "metrics": metrics}),
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
    key = holdout_named(catalog, call.ids["holdoutKey"]).key

    def read(step: LDHoldoutStep, catalog: Catalog) -> list[Command]:
        match step:
            case LDUpdateName():
                return renamed(catalog.holdouts[key], step.value)
            case LDUpdateDescription():
                return [Describe("holdout", key, step.value)]
            case LDLeaveHoldout():
                experiment = get_experiment(catalog, step.value)
                return [SetHoldout(experiment.key, None)] if experiment.holdout == key else []
        # A holdout that holds no unit out has ended: its experiments get these units too.
        return [SetHoldoutShare(key, 0)]

    return follow(call.body.instructions, read, catalog)


def show_holdout(state: LDState, noun: Noun) -> LDHoldout:
    """A holdout, as it is shown after a change."""
    holdout = state.catalog.holdouts[noun.key]
    return LDHoldout(**_shown(holdout, state, ()), experiments=_related(holdout, state))


def get_holdout_by_id(state: LDState, noun: Noun) -> LDHoldout:
    """A holdout, found by its id."""
    return show_holdout(state, noun)


def get_all_holdouts(query: LDWindow, state: LDState) -> LDHoldouts:
    """A window of the holdouts of an environment, by key."""
    keys = sorted(state.catalog.holdouts)
    return LDHoldouts(
        items=[_listed(state.catalog.holdouts[key], state) for key in query.of(keys)],
        total_count=len(keys),
        _links=links_of_window(state.scene.href("holdouts"), query, len(keys), {}),
    )


def get_holdout(state: LDState, noun: Noun, query: LDHoldoutQuery) -> LDHoldoutDetail:
    """A holdout with the experiments under it."""
    expanded = query.expand or ()
    own = [each for each in expanded if not each.startswith(RELATED)]
    theirs = [
        _THEIRS.get(each, each.removeprefix(RELATED))
        for each in expanded
        if each.startswith(RELATED)
    ]
    holdout, catalog = state.catalog.holdouts[noun.key], state.catalog
    under = experiments_under(holdout, catalog)
    return LDHoldoutDetail(
        **_shown(holdout, state, own),
        isDirty=any(one.live is not None for one in under),
        relatedExperiments=[
            show_experiment(
                one, catalog, state.versions[f"experiment:{one.key}"], state.scene, theirs
            )
            for one in under
        ],
    )


def status_of(holdout: Holdout, catalog: Catalog) -> HoldoutStatus:
    """Where the holdout stands: it has ended once it holds no unit out any more."""
    if holdout.share_ppm == 0:
        return "ended"
    under = experiments_under(holdout, catalog)
    if not under:
        return "created"
    started = any(run.state is not State.DRAFT for one in under for run in one.iterations)
    return "running" if started else "enabled"


def experiments_under(holdout: Holdout, catalog: Catalog) -> list[Experiment]:
    """The experiments that the holdout keeps units out of, by key."""
    keys = catalog.users.get(f"holdout:{holdout.key}", frozenset())
    return [catalog.experiments[key] for key in sorted(keys)]


def _shown(holdout: Holdout, state: LDState, expanded: Collection[str]) -> dict[str, Any]:
    version = state.versions[f"holdout:{holdout.key}"]
    return {
        "_id": id_of("holdout", holdout.key),
        "status": status_of(holdout, state.catalog),
        "description": holdout.description,
        "holdoutAmount": show_amount(holdout.share_ppm),
        "createdAt": version.created_at,
        "updatedAt": version.updated_at,
        "baseExperiment": _base(holdout, state, expanded),
    }


def _listed(holdout: Holdout, state: LDState) -> LDListedHoldout:
    version = state.versions[f"holdout:{holdout.key}"]
    return LDListedHoldout(
        _id=id_of("holdout", holdout.key),
        key=holdout.key,
        name=holdout.name or holdout.key,
        status=status_of(holdout, state.catalog),
        createdAt=version.created_at,
        updatedAt=version.updated_at,
        experiments=_related(holdout, state),
    )


def _related(holdout: Holdout, state: LDState) -> list[LDRelated]:
    return [
        LDRelated(key=one.key, name=one.name or one.key, environment=state.scene.environment)
        for one in experiments_under(holdout, state.catalog)
    ]


def _base(holdout: Holdout, state: LDState, expanded: Collection[str]) -> LDExperiment:
    """The experiment behind the holdout, whose one iteration is where the holdout is."""
    key, scene = holdout.key, state.scene
    is_draft = _ITERATION[status_of(holdout, state.catalog)] == "not_started"
    name = "draftIteration" if is_draft else "currentIteration"
    kept = NOTES.read_fields(holdout, LDKeptHoldout)
    iterations: dict[str, Any] = {}
    if not is_draft or name in expanded:
        iterations[name] = _iteration(holdout, kept, state, expanded)
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
    holdout: Holdout, kept: LDKeptHoldout, state: LDState, expanded: Collection[str]
) -> LDIteration:
    note = LDKeptIteration.model_construct(
        metrics=kept.metrics, primarySingleMetricKey=kept.primarymetrickey
    )
    more: dict[str, Any] = show_primary(note, state.scene, state.catalog)
    if "secondaryMetrics" in expanded:
        more["metrics"] = show_metrics(note, state.scene, state.catalog)
        more["secondaryMetrics"] = show_secondary(note, state.scene, state.catalog)
    if "treatments" in expanded:
        shares = ("Held out", holdout.share_ppm), ("Not held out", BUCKETS - holdout.share_ppm)
        more["treatments"] = [
            LDTreatment(
                _id=id_of("holdout", holdout.key, name),
                name=name,
                allocationPercent=show_amount(share),
                baseline=index == 0,
                parameters=[],
            )
            for index, (name, share) in enumerate(shares)
        ]
    return LDIteration(
        _id=id_of("holdout", holdout.key, "iteration"),
        hypothesis="",
        status=_ITERATION[status_of(holdout, state.catalog)],
        createdAt=state.versions[f"holdout:{holdout.key}"].created_at,
        canReshuffleTraffic=False,
        flags={},
        version=1,
        randomizationUnit=holdout.unit,
        attributes=kept.attributes,
        **more,
    )


def show_amount(share_ppm: int) -> str:
    """A share as a percentage, in the text that this API has for it."""
    return show_percent(share_ppm).removesuffix("%")
