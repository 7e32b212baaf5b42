"""Iterations: what a request says of one, as a draft of ours and a note of what the model lacks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from allotment.change.commands import (
    Command,
    DraftIteration,
    SetAllocations,
    SetTreatments,
    SetUnit,
)
from allotment.change.lifecycle import Event, Policy, Status, allows, iteration_status
from allotment.dialects.launchdarkly.codes import invalid
from allotment.dialects.launchdarkly.ids import get_experiment
from allotment.dialects.launchdarkly.kept import NOTES
from allotment.dialects.launchdarkly.listings import (
    Listed,
    list_in_flags,
    note_of,
    read_listings,
    said_flags,
)
from allotment.dialects.launchdarkly.metrics import kept_metrics
from allotment.dialects.launchdarkly.schema.changes import LDIterationInput, LDNoteInput
from allotment.dialects.launchdarkly.treatments import (
    Dealt,
    is_as_shown,
    read_treatments,
    said_treatment,
)
from allotment.dialects.wire.given import Given
from allotment.dialects.wire.operation import Call
from allotment.dialects.wire.source import Tree
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment, Iteration

UNIT: Final = "user"

_SALT_BYTES: Final = 12
_PRIMARY: Final = ("primarySingleMetricKey", "primaryFunnelKey")
_OPTIONAL: Final = (*_PRIMARY, "covariateId", "reallocationFrequencyMillis", "attributes")


@dataclass(frozen=True, slots=True)
class Drafted:
    """An iteration as a request says it.

    note  what is kept of it; its path is of the iteration's number
    """

    dealt: Dealt
    listed: Mapping[str, Listed]
    unit: str | None
    reshuffle: bool
    note: dict[str, Tree]


def read_iteration(
    body: LDIterationInput, path: str, catalog: Catalog, old: Iteration | None, given: Given
) -> Drafted:
    """An iteration, in the place of or after the `old` one."""
    dealt = read_treatments(body.treatments, f"{path}.treatments", catalog, old)
    listed = read_listings(body.flags, f"{path}.flags", dealt, catalog)
    return Drafted(
        dealt,
        listed,
        body.randomizationUnit,
        body.canReshuffleTraffic is not False,
        {**note_of_input(body), "flags": note_of(listed), "createdAt": given.now},
    )


def note_of_input(body: LDNoteInput) -> dict[str, Tree]:
    """What is kept of what nothing here acts on."""
    plain = body.plain()
    optional: dict[str, Tree] = {name: plain[name] for name in _OPTIONAL if name in plain}
    return {"hypothesis": body.hypothesis, "metrics": kept_metrics(body.metrics), **optional}


def check_primary(body: LDNoteInput, path: str) -> None:
    """Raise the 400 for a new iteration that names no primary metric."""
    if body.primarySingleMetricKey is None and body.primaryFunnelKey is None:
        raise invalid(f"either {_PRIMARY[0]} or {_PRIMARY[1]} belongs here", path)


def first_of(drafted: Drafted, given: Given) -> Iteration:
    """The first iteration of a new experiment."""
    return Iteration(
        1,
        drafted.dealt.treatments,
        drafted.dealt.allocations,
        salt=given.fresh(_SALT_BYTES),
        control=drafted.dealt.control,
        reshuffle=drafted.reshuffle,
    )


def create_iteration(call: Call[LDIterationInput], catalog: Catalog) -> list[Command]:
    """Draft an iteration, in the place of the draft there is."""
    experiment = get_experiment(catalog, call.ids["experimentKey"])
    check_primary(call.body, "$")
    return draft(call.body, "$", experiment, catalog, Given(call.now, call.fresh))


def draft(
    body: LDIterationInput, path: str, experiment: Experiment, catalog: Catalog, given: Given
) -> list[Command]:
    """The commands after which what the body says is the experiment's draft.

    What this API cannot say, whom it is for and how far it is ramped up, is as it was.
    """
    before = before_draft(experiment)
    there = [one for one in (experiment.draft, before) if one is not None]
    drafted = read_iteration(body, path, catalog, before or experiment.draft, given)
    reshuffle = drafted.reshuffle or not may_carry_over(experiment)
    old, dealt = there[0], drafted.dealt
    for one in there:
        if is_as_shown(body.treatments, one):
            # What this API cannot say of them, segments and priorities, is as it was too.
            allocations = tuple(replace(each, slots=()) for each in one.allocations)
            old, dealt = one, Dealt(one.treatments, allocations, one.control)
            break
    return [
        *_dealt(experiment, old, dealt, reshuffle, given),
        *_counted(experiment, drafted.unit),
        *list_in_flags(experiment.key, drafted.listed, experiment, catalog),
        keep_note(experiment.key, number_of_draft(experiment), drafted.note),
    ]


def _dealt(
    experiment: Experiment, old: Iteration, dealt: Dealt, reshuffle: bool, given: Given
) -> Iterator[Command]:
    """The commands that make the draft, by edits of the one there is where that will do: then its
    salt is as it was, and what it has of buckets too, as far as it can."""
    key = experiment.key
    if old is experiment.draft and reshuffle is old.reshuffle:
        yield SetTreatments(key, dealt.treatments, dealt.control, old.number)
        yield SetAllocations(key, dealt.allocations, old.number)
        return
    iteration = Iteration(
        0,
        dealt.treatments,
        dealt.allocations,
        salt=given.fresh(_SALT_BYTES) if reshuffle or before_draft(experiment) is None else "",
        control=dealt.control,
        audience=old.audience,
        enrolment_ppm=old.enrolment_ppm,
        reshuffle=reshuffle,
    )
    yield DraftIteration(key, iteration)


def _counted(experiment: Experiment, unit: str | None) -> Iterator[Command]:
    """The command that changes who is counted, which all of an experiment's iterations share."""
    if unit not in (None, experiment.unit):
        yield SetUnit(experiment.key, unit)


def before_draft(experiment: Experiment) -> Iteration | None:
    """The last iteration that was started."""
    started = experiment.iterations[:-1] if experiment.draft else experiment.iterations
    return started[-1] if started else None


def number_of_draft(experiment: Experiment) -> int:
    """The number that a draft has, or would have."""
    last = experiment.iterations[-1]
    return last.number if experiment.draft else last.number + 1


def may_carry_over(experiment: Experiment) -> bool:
    """Whether a draft may keep units where they are: not once the experiment has been stopped,
    however the request has it. So the lifecycle says."""
    before = before_draft(experiment)
    at = iteration_status(experiment, before) if before else Status.DRAFT
    return allows(Policy.LAUNCHDARKLY, Event.CARRY_OVER, at)


def reshuffled(experiment: Experiment, given: Given) -> list[Command]:
    """The command that deals a draft afresh that was drafted to keep units where they are, and may
    no longer; none where there is nothing to do."""
    old = experiment.draft
    if old is None or old.reshuffle or before_draft(experiment) is None:
        return []
    if may_carry_over(experiment):
        return []
    allocations = tuple(replace(one, slots=()) for one in old.allocations)
    salt = given.fresh(_SALT_BYTES)
    new = replace(old, allocations=allocations, salt=salt, reshuffle=True)
    return [DraftIteration(experiment.key, new)]


def kept_note(experiment: Experiment, iteration: Iteration) -> dict[str, Tree]:
    """What is kept of an iteration; nothing of one that was made elsewhere."""
    note = NOTES.kept(experiment, note_path(iteration.number))
    return note if isinstance(note, dict) else {}


def keep_note(key: str, number: int, note: dict[str, Tree]) -> Command:
    """The command that keeps a note of an iteration."""
    return NOTES.keep("experiment", key, note_path(number), note)


def note_path(number: int) -> str:
    """Where the note of an iteration is kept."""
    return f"iteration/{number}"


def said_iteration(
    experiment: Experiment, iteration: Iteration, catalog: Catalog
) -> dict[str, Tree]:
    """An iteration as a request would say it."""
    note = kept_note(experiment, iteration)
    return {
        "hypothesis": note.get("hypothesis", ""),
        "canReshuffleTraffic": iteration.reshuffle,
        "metrics": note.get("metrics", []),
        "treatments": [said_treatment(iteration, one) for one in iteration.treatments],
        "flags": said_flags(experiment, iteration, note, catalog),
        "randomizationUnit": experiment.unit,
        **{name: note[name] for name in _OPTIONAL if name in note},
    }
