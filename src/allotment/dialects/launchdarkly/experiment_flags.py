"""The flags of an experiment: their lists have it, with the variation for units outside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import Field

from allotment.change.commands import Command, OrderExperiments
from allotment.change.lifecycle import Event, Policy, Status, allows, called, iteration_status
from allotment.dialects.launchdarkly.codes import invalid
from allotment.dialects.launchdarkly.fields import Id, LDBody, Whole
from allotment.dialects.launchdarkly.ids import id_of, read_variation
from allotment.dialects.launchdarkly.state import Links, Scene, links_to
from allotment.dialects.launchdarkly.treatments import GivenId
from allotment.dialects.wire.model import LEFT_OUT, Maybe, Model
from allotment.dialects.wire.notes import without_wrong
from allotment.dialects.wire.source import step
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment, Iteration, State
from allotment.model.flag import Flag, FlagExperiment, Miss

_POLICY: Final = Policy.LAUNCHDARKLY

# What it is to change the flags of an experiment.
LISTING_EVENTS: Final = (Event.TREATMENTS, Event.AUDIENCE)

_PAUSED: Final = "Paused: units get no treatment until the experiment goes on."


class LDFlagInput(LDBody):
    """A flag of an iteration, and what those get who are not in it."""

    ruleId: GivenId
    flagConfigVersion: Whole
    notInExperimentVariationId: GivenId | None = LEFT_OUT


class LDKeptFlag(LDBody):
    """What is kept of a flag, as the model has no rules.

    What an experiment that was made elsewhere shows is the rule that every flag has.
    """

    ruleId: str = "fallthrough"
    flagConfigVersion: int = 1


class LDIterationFlag(Model):
    """A flag of an iteration, and what those get who are not in it."""

    targetingRule: str
    targetingRuleDescription: Maybe[str] = LEFT_OUT
    flagConfigVersion: int
    notInExperimentVariationId: Id
    links: Links = Field(alias="_links")


@dataclass(frozen=True, slots=True)
class Listed:
    """What a request says of one flag: its path, and the variation for units outside.

    `said` tells whether the request names the variation, which otherwise is the baseline's.
    """

    path: str
    otherwise: str
    said: bool


def read_listings(
    flags: Mapping[str, LDFlagInput], path: str, dealt: Iteration, catalog: Catalog
) -> dict[str, Listed]:
    """The flags of an iteration, each of which every treatment gives a variation of."""
    found: dict[str, Listed] = {}
    for key, item in flags.items():
        flag, where = catalog.flags.get(key), step(path, key)
        if flag is None:
            raise invalid("there is no such flag", where)
        other = item.notInExperimentVariationId
        if other is None:
            otherwise = _baseline(flag, dealt)
        else:
            otherwise = read_variation(flag, other, f"{where}.notInExperimentVariationId").key
        found[key] = Listed(where, otherwise, other is not None)
    for treatment in dealt.treatments:
        if {flag for flag, _ in treatment.sets} != found.keys():
            message = "every treatment has a parameter for each of these flags, and for no other"
            raise invalid(message, path)
    return found


def _baseline(flag: Flag, dealt: Iteration) -> str:
    """The variation that the baseline gives, or else the flag's default."""
    baseline = next((one for one in dealt.treatments if one.key == dealt.control), None)
    return dict(baseline.sets if baseline else ()).get(flag.key, flag.default)


def list_in_flags(
    key: str, listed: Mapping[str, Listed], experiment: Experiment | None, catalog: Catalog
) -> Iterator[Command]:
    """The commands after which just these flags list the experiment as they say.

    A list serves the iteration that runs: while one does, the lifecycle is asked whether it may be
    changed, and what the request leaves out is as it is.
    """
    named = catalog.users.get(f"experiment:{key}", frozenset())
    for name in sorted(named | listed.keys()):
        flag, asked = catalog.flags[name], listed.get(name)
        if experiment is not None and asked and _is_as_shown(asked, experiment, flag):
            continue
        new = _with(flag.experiments, key, asked)
        if new != flag.experiments:
            if experiment is not None:
                _check_editable(experiment, asked)
            yield OrderExperiments(name, new)


def _is_as_shown(asked: Listed, experiment: Experiment, flag: Flag) -> bool:
    """Whether the request wants of a flag of the experiment just what is so already.

    A flag need not list an experiment that was made elsewhere for its treatments to set it.
    """
    listed = any(one.experiment == experiment.key for one in flag.experiments)
    if not listed and flag.key not in _set_by(experiment.current):
        return False
    if not asked.said:
        return experiment.live is not None
    return asked.otherwise == _otherwise(experiment, flag)


def _with(
    old: tuple[FlagExperiment, ...], key: str, listed: Listed | None
) -> tuple[FlagExperiment, ...]:
    """The list with the experiment where it stands, or at the end; without it for None."""
    if listed is None:
        return tuple(one for one in old if one.experiment != key)
    new = FlagExperiment(key, Miss.STOP, listed.otherwise)
    if any(one.experiment == key for one in old):
        return tuple(new if one.experiment == key else one for one in old)
    return (*old, new)


def _check_editable(experiment: Experiment, listed: Listed | None) -> None:
    live = experiment.live
    at = iteration_status(experiment, live) if live else Status.DRAFT
    if not all(allows(_POLICY, event, at) for event in LISTING_EVENTS):
        message = f"the flags of an experiment cannot be changed while {called(_POLICY, at)}"
        raise invalid(message, listed.path if listed else "$.flags")


def said_flags(
    experiment: Experiment, iteration: Iteration, kept: Mapping[str, Any], catalog: Catalog
) -> dict[str, Any]:
    """The flags of an iteration as a request would say them; `kept` is what is kept of them."""
    said = {}
    # Those that the treatments set and that are there; without treatments, those that list it.
    for key in sorted(_set_by(iteration) or _listing(experiment, catalog)):
        if key in catalog.flags:
            note = kept.get(key)
            otherwise = _otherwise(experiment, catalog.flags[key])
            said[key] = {
                **without_wrong(LDKeptFlag, note if isinstance(note, dict) else {}).plain(),
                "notInExperimentVariationId": id_of("variation", key, otherwise),
            }
    return said


def show_flags(said: Mapping[str, Any], state: State, scene: Scene) -> dict[str, LDIterationFlag]:
    """The same as they are shown. This API has no word for a pause: the rule's description says it
    of an iteration whose status is running."""
    return {
        key: LDIterationFlag(
            targetingRule=one["ruleId"],
            targetingRuleDescription=_PAUSED if state is State.PAUSED else None,
            flagConfigVersion=one["flagConfigVersion"],
            notInExperimentVariationId=one["notInExperimentVariationId"],
            _links=links_to(self=scene.of_flag(key)),
        )
        for key, one in said.items()
    }


def uses_flag(experiment: Experiment, flag: str, catalog: Catalog) -> bool:
    """Whether an iteration of the experiment gives variations of the flag, or the flag lists it."""
    return flag in _listing(experiment, catalog) or any(
        flag in _set_by(iteration) for iteration in experiment.iterations
    )


def _set_by(iteration: Iteration) -> set[str]:
    """The flags that an iteration gives variations of."""
    return {flag for treatment in iteration.treatments for flag, _ in treatment.sets}


def _listing(experiment: Experiment, catalog: Catalog) -> frozenset[str]:
    """The flags that list the experiment."""
    found: frozenset[str] = catalog.users.get(f"experiment:{experiment.key}", frozenset())
    return found


def _otherwise(experiment: Experiment, flag: Flag) -> str:
    """The variation for units outside the experiment; the nearest, where more may follow."""
    for one in flag.experiments:
        if one.experiment == experiment.key and one.otherwise is not None:
            return one.otherwise
    return flag.default
