"""The finest commands from one noun to another under the same key.

`diff` tries them, and replaces the noun where they do not lead to the new one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from allotment.change.commands import (
    ArchiveExperiment,
    Command,
    Describe,
    DraftIteration,
    EndIteration,
    Keep,
    Noun,
    OrderExperiments,
    PauseIteration,
    Rename,
    RestoreExperiment,
    ResumeIteration,
    SetAllocations,
    SetAudience,
    SetEnrolment,
    SetHoldout,
    SetHoldoutShare,
    SetIntake,
    SetKeeping,
    SetMembers,
    SetOverrides,
    SetRules,
    SetTreatments,
    SetVariations,
    SetWeights,
    StartIteration,
    SwitchFlag,
)
from allotment.change.defaults import carries_on, in_order, known_slots, lay_allocation, order_of
from allotment.change.kinds import kind_of
from allotment.change.reallocate import lay
from allotment.model.experiment import Experiment, Iteration, State
from allotment.model.flag import Flag
from allotment.model.layer import Holdout
from allotment.model.segment import Segment
from allotment.model.slots import Slots
from allotment.model.stage import profile_of


def noun_commands(old: Noun, new: Noun) -> Iterator[Command]:
    """Commands from `old` towards `new`, both complete."""
    yield from _labels(old, new)
    if isinstance(old, Flag) and isinstance(new, Flag):
        yield from _flag(old, new)
    elif isinstance(old, Segment) and isinstance(new, Segment):
        yield from _segment(old, new)
    elif isinstance(old, Holdout) and isinstance(new, Holdout):
        if old.share_ppm != new.share_ppm:
            yield SetHoldoutShare(new.key, new.share_ppm)
    elif isinstance(old, Experiment) and isinstance(new, Experiment):
        yield from _experiment_commands(old, new)


def kept_commands(
    kind: str, key: str, old: tuple[tuple[str, str], ...], new: tuple[tuple[str, str], ...]
) -> Iterator[Command]:
    """The commands from what is kept to what should be."""
    was, now = dict(old), dict(new)
    for path in sorted(was.keys() | now.keys()):
        if was.get(path) != now.get(path):
            yield Keep(kind, key, path, now.get(path))


def _labels(old: Noun, new: Noun) -> Iterator[Command]:
    if old.name != new.name:
        yield Rename(kind_of(new), new.key, new.name)
    if old.description != new.description:
        yield Describe(kind_of(new), new.key, new.description)
    yield from kept_commands(kind_of(new), new.key, old.kept, new.kept)


def _flag(old: Flag, new: Flag) -> Iterator[Command]:
    if (old.variations, old.default) != (new.variations, new.default):
        yield SetVariations(new.key, new.variations, new.default)
    if old.state is not new.state:
        yield SwitchFlag(new.key, new.state)
    if old.experiments != new.experiments:
        yield OrderExperiments(new.key, new.experiments)


def _segment(old: Segment, new: Segment) -> Iterator[Command]:
    if (old.unit, old.include, old.exclude) != (new.unit, new.include, new.exclude):
        yield SetMembers(new.key, new.unit, new.include, new.exclude)
    # By text, as 1, 1.0 and true are equal values but other clauses.
    if repr(old.rules) != repr(new.rules):
        yield SetRules(new.key, new.rules)


def _experiment_commands(old: Experiment, new: Experiment) -> Iterator[Command]:
    """Commands from `old` towards `new`, both complete; its layer is another matter."""
    key = new.key
    if old.archived and not new.archived:
        yield RestoreExperiment(key)
    known = {iteration.number: iteration for iteration in old.iterations}
    for index, iteration in enumerate(new.iterations):
        yield from _iteration(known.get(iteration.number), new.iterations[: index + 1], old, new)
    if old.holdout != new.holdout:
        yield SetHoldout(key, new.holdout)
    if old.overrides != new.overrides:
        yield SetOverrides(key, new.overrides)
    if _keeping(old) != _keeping(new):
        yield SetKeeping(key, *_keeping(new))
    if old.intake_open != new.intake_open:
        yield SetIntake(key, new.intake_open)
    if new.archived and not old.archived:
        yield ArchiveExperiment(key)


def _keeping(experiment: Experiment) -> tuple[bool, bool]:
    return experiment.keeps_assignments, experiment.ignore_targeting


def _iteration(
    before: Iteration | None, up_to: Sequence[Iteration], old: Experiment, new: Experiment
) -> Iterator[Command]:
    """The commands that make the last of the new iterations out of what it was before."""
    goal = up_to[-1]
    if before is None or before.state is State.DRAFT:
        goal = _drafted(up_to)
    if before is None or _needs_drafting(before, goal):
        yield DraftIteration(new.key, goal)
    elif before != goal:
        yield from _edits(new.key, before, goal, known_slots(up_to, old))
    yield from _transitions(before.state if before else State.DRAFT, up_to[-1], new)


def _drafted(up_to: Sequence[Iteration]) -> Iteration:
    """The last iteration as a draft: starting it lays its slots, unless it says other ones."""
    last = up_to[-1]
    if last.state is State.DRAFT:
        return last
    allocations = tuple(
        replace(one, slots=())
        if carries_on(up_to) or one.slots == lay(one.weights, one.total, profile_of(last))
        else one
        for one in last.allocations
    )
    return replace(last, state=State.DRAFT, allocations=allocations)


def _needs_drafting(old: Iteration, new: Iteration) -> bool:
    """Whether a draft differs in what only drafting it again can set."""
    return old.state is State.DRAFT and _frozen(old) != _frozen(new)


def _frozen(iteration: Iteration) -> tuple[object, ...]:
    return iteration.salt, iteration.reshuffle, iteration.profile, iteration.enrolment_draw


def _edits(
    key: str, old: Iteration, new: Iteration, slots: Mapping[str, Slots]
) -> Iterator[Command]:
    number = new.number
    if (old.treatments, old.control) != (new.treatments, new.control):
        yield SetTreatments(key, new.treatments, new.control, number)
    if old.allocations != new.allocations:
        yield from _allocations(key, old, new, slots)
    if old.audience != new.audience:
        yield SetAudience(key, new.audience, number)
    if old.enrolment_ppm != new.enrolment_ppm:
        yield SetEnrolment(key, new.enrolment_ppm, number)


def _allocations(
    key: str, old: Iteration, new: Iteration, slots: Mapping[str, Slots]
) -> Iterator[Command]:
    """One SetWeights for each allocation where these say it all, else SetAllocations."""
    order = order_of(new.treatments)
    finest: list[Command] = []
    for before, now in zip(old.allocations, new.allocations, strict=False):
        was = in_order(before, order)  # as setting the treatments left it
        if was == now:
            continue
        asked = replace(was, weights=now.weights, total=now.total, slots=())
        if lay_allocation(asked, new, slots.get(was.key, ()), "") != now:
            break
        finest.append(SetWeights(key, now.key, now.weights, now.total, new.number))
    else:
        if len(old.allocations) == len(new.allocations):
            yield from finest
            return
    yield SetAllocations(key, new.allocations, new.number)


def _transitions(state: State, new: Iteration, experiment: Experiment) -> Iterator[Command]:
    key = experiment.key
    if state is State.DRAFT and new.state is not State.DRAFT:
        yield StartIteration(key, new.justification, new.started_at)
        state = State.RUNNING
    if state is State.RUNNING and new.state is State.PAUSED:
        yield PauseIteration(key)
    elif state is State.PAUSED and new.state is State.RUNNING:
        yield ResumeIteration(key)
    elif (
        state in (State.RUNNING, State.PAUSED)
        and new.state is State.STOPPED
        and not _is_started_over(new, experiment)
    ):
        yield EndIteration(key, new.winner, new.winning_reason, new.ended_at)


def _is_started_over(stopped: Iteration, experiment: Experiment) -> bool:
    """Whether starting the next iteration is what stops this one: it says why, none won, and the
    one ended as the other began."""
    following = [one for one in experiment.iterations if one.number > stopped.number]
    return (
        bool(following)
        and following[0].state is not State.DRAFT
        and following[0].justification != ""
        and stopped.winner is None
        and stopped.winning_reason == ""
        and stopped.ended_at == following[0].started_at
    )
