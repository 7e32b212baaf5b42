"""Adds an experiment to the lists of its flags, and sets the variation for units outside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from allotment.change.commands import Command, OrderExperiments
from allotment.change.lifecycle import Event, Policy, Status, allows, called, iteration_status
from allotment.dialects.launchdarkly.codes import invalid
from allotment.dialects.launchdarkly.ids import find_variation, id_of
from allotment.dialects.launchdarkly.links import Scene, links_to
from allotment.dialects.launchdarkly.schema.changes import LDFlagInput
from allotment.dialects.launchdarkly.schema.experiments import LDIterationFlag
from allotment.dialects.launchdarkly.treatments import Dealt
from allotment.dialects.wire.path import step
from allotment.dialects.wire.source import Tree
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment, Iteration, State
from allotment.model.flag import Flag, FlagExperiment, Miss

_POLICY: Final = Policy.LAUNCHDARKLY

# What it is to change the flags of an experiment.
LISTING_EVENTS: Final = (Event.TREATMENTS, Event.AUDIENCE)

# What an experiment that was made elsewhere shows: the rule that every flag has.
_RULE: Final = "fallthrough"
_PAUSED: Final = "Paused: units get no treatment until the experiment goes on."
_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Listed:
    """What a request says of one flag: which rule, at which version, and what units outside get.

    The model has no rules: the first two are kept. `said` tells whether the request names the
    variation, which otherwise is the baseline's.
    """

    path: str
    rule: str
    version: int
    otherwise: str
    said: bool


def read_listings(
    flags: Mapping[str, LDFlagInput], path: str, dealt: Dealt, catalog: Catalog
) -> dict[str, Listed]:
    """The flags of an iteration, each of which every treatment gives a variation of."""
    found: dict[str, Listed] = {}
    for key, item in flags.items():
        flag, where = catalog.flags.get(key), step(path, key)
        if flag is None:
            raise invalid("there is no such flag", where)
        other = item.notInExperimentVariationId
        otherwise = _read_otherwise(other, where, flag, dealt)
        said = other is not None
        found[key] = Listed(where, item.ruleId, item.flagConfigVersion, otherwise, said)
    for treatment in dealt.treatments:
        if {flag for flag, _ in treatment.sets} != found.keys():
            message = "every treatment has a parameter for each of these flags, and for no other"
            raise invalid(message, path)
    return found


def _read_otherwise(given: str | None, path: str, flag: Flag, dealt: Dealt) -> str:
    """The variation for units outside the experiment: by default, the baseline's."""
    if given is not None:
        variation = find_variation(flag, given)
        if variation is None:
            message = "the flag has no variation with this id"
            raise invalid(message, f"{path}.notInExperimentVariationId")
        return variation.key
    baseline = [dict(one.sets) for one in dealt.treatments if one.key == dealt.control]
    return baseline[0].get(flag.key, flag.default) if baseline else flag.default


def list_in_flags(
    key: str, listed: Mapping[str, Listed], experiment: Experiment | None, catalog: Catalog
) -> Iterator[Command]:
    """The commands after which just these flags list the experiment as they say.

    A list serves the iteration that runs: while one does, the lifecycle is asked whether it may be
    changed, and what the request leaves out is as it is.
    """
    named = catalog.users.get(f"experiment:{key}", frozenset())
    for name in sorted(named | listed.keys()):
        old, asked = catalog.flags[name].experiments, listed.get(name)
        if (
            experiment is not None
            and asked
            and _is_as_shown(asked, experiment, catalog.flags[name])
        ):
            continue
        new = _with(old, key, asked)
        if new != old:
            if experiment is not None:
                _check_editable(experiment, asked)
            yield OrderExperiments(name, new)


def _is_as_shown(asked: Listed, experiment: Experiment, flag: Flag) -> bool:
    """Whether the request wants of a flag of the experiment just what is so already.

    A flag need not list an experiment that was made elsewhere for its treatments to set it.
    """
    listed = any(one.experiment == experiment.key for one in flag.experiments)
    sets = {key for one in experiment.current.treatments for key, _ in one.sets}
    if not listed and flag.key not in sets:
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


def note_of(listed: Mapping[str, Listed]) -> dict[str, Tree]:
    """What is kept of the flags."""
    return {
        key: {"ruleId": one.rule, "flagConfigVersion": one.version} for key, one in listed.items()
    }


def said_flags(
    experiment: Experiment, iteration: Iteration, note: Mapping[str, Tree], catalog: Catalog
) -> dict[str, Tree]:
    """The flags of an iteration as a request would say them."""
    said: dict[str, Tree] = {}
    for key in _flags_of(experiment, iteration, catalog):
        rule, version = _kept(note, key)
        otherwise = _otherwise(experiment, catalog.flags[key])
        said[key] = {
            "ruleId": rule,
            "flagConfigVersion": version,
            "notInExperimentVariationId": id_of("variation", key, otherwise),
        }
    return said


def show_flags(said: Mapping[str, Tree], state: State, scene: Scene) -> dict[str, LDIterationFlag]:
    """The same as they are shown. This API has no word for a pause: the rule's description says it
    of an iteration whose status is running."""
    return {
        key: LDIterationFlag(
            targetingRule=str(one["ruleId"]),
            targetingRuleDescription=_PAUSED if state is State.PAUSED else None,
            flagConfigVersion=int(str(one["flagConfigVersion"])),
            notInExperimentVariationId=str(one["notInExperimentVariationId"]),
            _links=links_to(self=scene.of_flag(key)),
        )
        for key, one in said.items()
        if isinstance(one, dict)
    }


def uses_flag(experiment: Experiment, flag: str, catalog: Catalog) -> bool:
    """Whether an iteration of the experiment gives variations of the flag, or the flag lists it."""
    return flag in catalog.users.get(f"experiment:{experiment.key}", frozenset()) or any(
        flag == key
        for iteration in experiment.iterations
        for treatment in iteration.treatments
        for key, _ in treatment.sets
    )


def _flags_of(experiment: Experiment, iteration: Iteration, catalog: Catalog) -> list[str]:
    """The flags that the treatments set and that are there; without treatments, that list it."""
    sets = {flag for treatment in iteration.treatments for flag, _ in treatment.sets}
    named: frozenset[str] = catalog.users.get(f"experiment:{experiment.key}", frozenset())
    return sorted(flag for flag in sets or named if flag in catalog.flags)


def _otherwise(experiment: Experiment, flag: Flag) -> str:
    """The variation for units outside the experiment; the nearest, where more may follow."""
    for one in flag.experiments:
        if one.experiment == experiment.key and one.otherwise is not None:
            return one.otherwise
    return flag.default


def _kept(note: Mapping[str, Tree], flag: str) -> tuple[Tree, Tree]:
    flags = note.get("flags")
    one = flags.get(flag) if isinstance(flags, dict) else None
    said = one if isinstance(one, dict) else {}
    rule, version = said.get("ruleId"), said.get("flagConfigVersion")
    return rule if isinstance(rule, str) else _RULE, version if type(version) is int else _VERSION
