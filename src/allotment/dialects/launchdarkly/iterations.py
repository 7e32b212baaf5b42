"""Iterations: what a request says of one, as a draft of ours and a note of what the model lacks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Any, Final

from pydantic import Field

from allotment.change.commands import (
    Command,
    DraftIteration,
    SetAllocations,
    SetTreatments,
    SetUnit,
)
from allotment.change.lifecycle import Event, Policy, Status, allows, iteration_status
from allotment.dialects.launchdarkly.codes import invalid
from allotment.dialects.launchdarkly.experiment_flags import (
    LDFlagInput,
    LDKeptFlag,
    Listed,
    list_in_flags,
    read_listings,
    said_flags,
)
from allotment.dialects.launchdarkly.fields import (
    ITEMS_MAX,
    Key,
    LDBody,
    LongText,
    Positive,
    Word,
    Words,
)
from allotment.dialects.launchdarkly.ids import NOTES, get
from allotment.dialects.launchdarkly.layers import LDLayerSnapshot
from allotment.dialects.launchdarkly.metric_groups import LDKeptMeasures, Metrics, kept_metrics
from allotment.dialects.launchdarkly.rollouts import check_shares, new_draw
from allotment.dialects.launchdarkly.treatments import (
    Treatments,
    is_as_shown,
    read_treatments,
    said_treatments,
)
from allotment.dialects.wire.model import LEFT_OUT
from allotment.dialects.wire.notes import without_wrong
from allotment.dialects.wire.operation import Call
from allotment.dialects.wire.source import Tree
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment, Iteration
from allotment.model.profile import NATIVE, Draw


class LDNoteInput(LDBody):
    """What an iteration says that nothing here acts on."""

    hypothesis: LongText
    metrics: Metrics
    primarySingleMetricKey: Word | None = LEFT_OUT
    primaryFunnelKey: Word | None = LEFT_OUT
    covariateId: Word | None = LEFT_OUT
    reallocationFrequencyMillis: Positive | None = LEFT_OUT
    attributes: Words | None = LEFT_OUT


class LDIterationInput(LDNoteInput):
    """An iteration. A new one has primarySingleMetricKey or primaryFunnelKey."""

    treatments: Treatments
    flags: Annotated[dict[str, LDFlagInput], Field(max_length=ITEMS_MAX)]
    canReshuffleTraffic: bool | None = LEFT_OUT
    randomizationUnit: Key | None = LEFT_OUT

    @property
    def reshuffle(self) -> bool:
        """Whether units may move."""
        return self.canReshuffleTraffic is not False


class LDKeptIteration(LDKeptMeasures):
    """What is kept of an iteration, all at one path."""

    hypothesis: str = ""
    createdAt: int | None = None
    reallocationFrequencyMillis: int | None = None
    attributes: list[str] | None = None
    covariateId: str | None = None
    layerSnapshot: LDLayerSnapshot | None = None
    flags: dict[str, Any] = Field(default={})


# What an iteration has that steers, and what it has that is kept.
STEERING: Final = LDIterationInput.model_fields.keys() - LDNoteInput.model_fields.keys()
NOTED: Final = {*LDNoteInput.model_fields}


# Reading.


def read_iteration(
    body: LDIterationInput, path: str, catalog: Catalog, old: Iteration | None, now: int
) -> tuple[Iteration, dict[str, Listed], dict[str, Tree]]:
    """An iteration, in the place of or after the `old` one: treatments, flags, and what is kept."""
    dealt = read_treatments(body.treatments, f"{path}.treatments", catalog, old)
    listed = read_listings(body.flags, f"{path}.flags", dealt, catalog)
    kept = {*LDKeptFlag.model_fields}
    flags: Tree = {key: one.model_dump(include=kept) for key, one in body.flags.items()}
    return dealt, listed, {**note_of_input(body), "flags": flags, "createdAt": now}


def note_of_input(body: LDNoteInput) -> dict[str, Tree]:
    """What is kept of what nothing here acts on."""
    said = body.model_dump(mode="json", include=NOTED)
    return {**said, "metrics": kept_metrics(body.metrics)}


def check_primary(body: LDNoteInput, path: str) -> None:
    """Raise the 400 for a new iteration that names no primary metric."""
    if body.primarySingleMetricKey is None and body.primaryFunnelKey is None:
        message = "either primarySingleMetricKey or primaryFunnelKey belongs here"
        raise invalid(message, path)


def create_iteration(call: Call[LDIterationInput], catalog: Catalog) -> list[Command]:
    """Draft an iteration, in the place of the draft there is."""
    experiment = get("experiment", catalog.experiments, call.ids["experimentKey"])
    check_primary(call.body, "$")
    return draft(call.body, "$", experiment, catalog, call)


def draft(
    body: LDIterationInput, path: str, experiment: Experiment, catalog: Catalog, call: Call[Any]
) -> list[Command]:
    """The commands after which what the body says is the experiment's draft.

    What this API cannot say, whom it is for and how far it is ramped up, is as it was.
    """
    before = before_draft(experiment)
    there = [one for one in (experiment.draft, before) if one is not None]
    dealt, listed, note = read_iteration(body, path, catalog, before or there[0], call.now)
    reshuffle = body.reshuffle or not may_carry_over(experiment)
    old = there[0]
    for one in there:
        if is_as_shown(body.treatments, one):
            # What this API cannot say of them, segments and priorities, is as it was too.
            bare = without_slots(one).allocations
            old, dealt = one, Iteration(0, one.treatments, bare, control=one.control)
            break
    unit, number = body.randomizationUnit, experiment.iterations[-1].number
    return [
        *_dealt(experiment, old, dealt, reshuffle, call),
        # All of an experiment's iterations share who is counted.
        *([] if unit in (None, experiment.unit) else [SetUnit(experiment.key, unit)]),
        *list_in_flags(experiment.key, listed, experiment, catalog),
        keep_note(experiment.key, number if experiment.draft else number + 1, note),
    ]


def _dealt(
    experiment: Experiment, old: Iteration, dealt: Iteration, reshuffle: bool, call: Call[Any]
) -> Iterator[Command]:
    """The commands that make the draft, by edits of the one there is where that will do: then its
    salt is as it was, and what it has of buckets too, as far as it can."""
    key = experiment.key
    if old is experiment.draft and reshuffle is old.reshuffle:
        check_shares(old.profile, dealt.allocations)
        yield SetTreatments(key, dealt.treatments, dealt.control, old.number)
        yield SetAllocations(key, dealt.allocations, old.number)
        return
    before = before_draft(experiment)
    fresh = reshuffle or before is None
    draw = new_draw(call) if fresh else Draw(NATIVE, "")  # which takes over the one before
    profile = draw.profile if fresh or before is None else before.profile
    check_shares(profile, dealt.allocations)
    new = replace(dealt, salt=draw.salt, profile=draw.profile, reshuffle=reshuffle)
    steered = replace(new, audience=old.audience, enrolment_ppm=old.enrolment_ppm)
    yield DraftIteration(key, steered)


def without_slots(iteration: Iteration) -> Iteration:
    """The iteration before its allocations have any slots."""
    bare = tuple(replace(one, slots=()) for one in iteration.allocations)
    return replace(iteration, allocations=bare)


def before_draft(experiment: Experiment) -> Iteration | None:
    """The last iteration that was started."""
    started = experiment.iterations[:-1] if experiment.draft else experiment.iterations
    return started[-1] if started else None


def may_carry_over(experiment: Experiment) -> bool:
    """Whether a draft may keep units where they are: not once the experiment has been stopped,
    however the request has it. So the lifecycle says."""
    before = before_draft(experiment)
    at = iteration_status(experiment, before) if before else Status.DRAFT
    return allows(Policy.LAUNCHDARKLY, Event.CARRY_OVER, at)


def reshuffled(experiment: Experiment, call: Call[Any]) -> list[Command]:
    """The command that deals a draft afresh that was drafted to keep units where they are, and may
    no longer; none where there is nothing to do."""
    old = experiment.draft
    if old is None or old.reshuffle or before_draft(experiment) is None:
        return []
    if may_carry_over(experiment):
        return []
    draw = new_draw(call)
    check_shares(draw.profile, old.allocations)
    new = replace(without_slots(old), salt=draw.salt, profile=draw.profile, reshuffle=True)
    return [DraftIteration(experiment.key, new)]


# What is kept, and what a request would say.


def kept_note(experiment: Experiment, iteration: Iteration) -> dict[str, Tree]:
    """What is kept of an iteration; nothing of one that was made elsewhere."""
    note = NOTES.kept(experiment, note_path(iteration.number))
    return note if isinstance(note, dict) else {}


def kept_iteration(experiment: Experiment, iteration: Iteration) -> LDKeptIteration:
    """The same as its fields."""
    return without_wrong(LDKeptIteration, kept_note(experiment, iteration))


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
    kept = kept_iteration(experiment, iteration)
    return {
        **kept.model_dump(mode="json", include=NOTED, exclude_none=True),
        "canReshuffleTraffic": iteration.reshuffle,
        "treatments": said_treatments(iteration),
        "flags": said_flags(experiment, iteration, kept.flags, catalog),
        "randomizationUnit": experiment.unit,
    }
