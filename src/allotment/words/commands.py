"""Commands as lines that a person reads, and a plan: each command with old values and new."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile, zip_longest
from typing import Any, Final, NamedTuple

from allotment.change import commands as c
from allotment.change.apply import Step, steps
from allotment.change.impact import Move
from allotment.dialects.catalogfile.conditions import show_condition
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment
from allotment.model.flag import FlagExperiment
from allotment.model.layer import Holdout, Layer
from allotment.model.limits import BUCKETS
from allotment.model.number import show_percent
from allotment.model.plain import to_plain
from allotment.model.segment import Condition, Segment
from allotment.model.slots import Ranges, size, subtract
from allotment.words.counts import counted
from allotment.words.differences import Difference, differences, overridden

_RULES_MAX: Final = 5
_CHARACTERS_MAX: Final = 90

# Those that `_shared` and `_details` have more to say of.
_TOLD_BY_BASE: Final = (
    c.SetEnrolment,
    c.SetHoldoutShare,
    c.Reserve,
    c.Replace,
    c.SetOverrides,
    c.SetRules,
)


class Planned(NamedTuple):
    """A command in words, and each difference that it makes which these do not tell."""

    line: str
    details: tuple[str, ...]


def planned(commands: Iterable[c.Command], base: Catalog) -> Iterator[Planned]:
    """The commands of a change that is allowed, in words."""
    for step in steps(commands, base):
        yield Planned(_shared(step) or line_of(step.command), tuple(_details(step)))


def planned_lines(commands: Iterable[c.Command], base: Catalog) -> Iterator[str]:
    """A line for each command, and under it, indented, a line for each difference it makes."""
    for line, details in planned(commands, base):
        yield line
        yield from (f"    {each}" for each in details)


def needs_base(command: c.Command) -> bool:
    """Whether the lines of a command tell more where the catalog before it is known."""
    return isinstance(command, _TOLD_BY_BASE)


def planned_plain(commands: Sequence[c.Command], base: Catalog) -> list[dict[str, Any]]:
    """The commands as plain data; a `Replace` with the differing fields `before` and `after`."""
    plain: list[dict[str, Any]] = []
    for step in steps(commands, base):
        shown = to_plain(step.command)
        if isinstance(step.command, c.Replace) and step.before and step.after:
            found = differences(step.before, step.after)
            shown["before"] = {one.field: one.before for one in found}
            shown["after"] = {one.field: one.after for one in found}
        plain.append(shown)
    return plain


def _shared(step: Step) -> str:
    """The line of a command that sets a share, "" for another.

    It tells from which share to which, and how much of its draw that lets in or out.
    """
    match step:
        case Step(c.SetEnrolment(_, share, number), Experiment() as old, _):
            meant = [one for one in old.iterations if one.number == number] or [old.current]
            was = meant[0].enrolment_ppm
            return _changed(step, was, share, _let(share - was, was - share, "in", "out"))
        case Step(c.SetHoldoutShare(_, share), Holdout(share_ppm=was), _):
            return _changed(step, was, share, _let(share - was, was - share, "out", "in"))
        case Step(c.Reserve(_, experiment, share), Layer() as old, Layer() as new):
            had, has = _owned(old, experiment), _owned(new, experiment)
            grown, lost = size(subtract(has, [had])), size(subtract(had, [has]))
            # Who joins a layer may have had every unit before, so that none is let in.
            let = _let(grown, lost, "in", "out") if had else ""
            return _changed(step, size(had), share, let)
    return ""


def _owned(layer: Layer, experiment: str) -> Ranges:
    return next((r.ranges for r in layer.reservations if r.experiment == experiment), ())


def _changed(step: Step, was: int, now: int, let: str) -> str:
    # No key holds a percent sign, so the share is found where it stands.
    share = show_percent(now)
    return line_of(step.command).replace(share, f"{show_percent(was)} -> {share}", 1) + let


def _let(more: int, less: int, by_more: str, by_less: str) -> str:
    """The shares of the draw, of BUCKETS parts, that a change lets in and out."""
    parts = [(more, by_more), (less, by_less)]
    said = [f"{show_percent(n)} of its draw is let {way}" for n, way in parts if 0 < n <= BUCKETS]
    return f" ({', '.join(said)})" if said else ""


def _details(step: Step) -> Iterator[str]:
    match step:
        case Step(c.Replace(), old, new) if old is not None and new is not None:
            yield from map(_difference_line, differences(old, new))
        case Step(c.SetOverrides(), Experiment() as old, Experiment() as new):
            yield from map(_difference_line, overridden(old.overrides, new.overrides))
        case Step(c.SetRules(), Segment() as old, Segment() as new):
            yield from _rules(old.rules, new.rules)


def _difference_line(one: Difference) -> str:
    if one.before == one.after:  # a count of what is not listed
        return f"{one.field}: {one.after} changed"
    before, after = _cut(one.before, one.after)
    return f"{one.field}: {before} -> {after}"


def _rules(old: Iterable[Condition], new: Iterable[Condition]) -> list[str]:
    """The rules that go and those that come, the first few of them."""
    was, now = ([json.dumps(show_condition(rule)) for rule in rules] for rules in (old, new))
    gone, come = (
        [rule for rule in these if rule not in those] for these, those in ((was, now), (now, was))
    )
    pairs = [_cut(*pair) for pair in zip_longest(gone, come, fillvalue="")]
    lines = [f"- {rule}" for rule, _ in pairs if rule]
    lines += [f"+ {rule}" for _, rule in pairs if rule]
    more = len(lines) - _RULES_MAX
    return lines if more <= 0 else [*lines[:_RULES_MAX], f"and {more:,} more"]


def _cut(before: str, after: str) -> tuple[str, str]:
    """Two texts, of which long ones are shown from a little before they differ."""
    if max(len(before), len(after)) <= _CHARACTERS_MAX:
        return before, after
    same = takewhile(lambda pair: pair[0] == pair[1], zip(before, after, strict=False))
    first = max(0, len(list(same)) - _CHARACTERS_MAX // 3)
    return _part(before, first), _part(after, first)


def _part(text: str, first: int) -> str:
    shown = f"...{text[first:]}" if first else text
    return shown if len(shown) <= _CHARACTERS_MAX else f"{shown[: _CHARACTERS_MAX - 3]}..."


def line_of(command: c.Command) -> str:
    """The line of a command."""
    for write in (_noun, _flag, _grouping, _experiment, _iteration, _run):
        line = write(command)
        if line is not None:
            return line
    raise TypeError(f"no line is written for {type(command).__name__}")


def moved_line(move: Move) -> str:
    """What a change moved in one allocation."""
    share = show_percent(move.moved_ppm)
    return f"{move.experiment} / {move.allocation}: {share} of the treatment draw moves"


def _noun(command: c.Command) -> str | None:
    match command:
        case c.Create(noun):
            return f"+ {type(noun).__name__.lower()} {noun.key}"
        case c.Replace(noun):
            return f"~ {type(noun).__name__.lower()} {noun.key}: replaced"
        case c.Delete(kind, key):
            return f"- {kind} {key}"
        case c.Rename(kind, key, name):
            return f"~ {kind} {key}: name {name!r}"
        case c.Describe(kind, key, description):
            return f"~ {kind} {key}: description {_short(description)!r}"
        case c.Keep(kind, key, path, None):
            return f"~ {kind} {key}: keeps no {path}"
        case c.Keep(kind, key, path, value):
            return f"~ {kind} {key}: keeps {path} {_short(value or '')}"
    return None


def _flag(command: c.Command) -> str | None:
    match command:
        case c.SetVariations(flag, variations, default):
            keys = _joined(variation.key for variation in variations)
            return f"~ flag {flag}: variations {keys}, default {default}"
        case c.SwitchFlag(flag, state):
            return f"~ flag {flag}: {state}"
        case c.OrderExperiments(flag, experiments):
            order = _joined(_place(place) for place in experiments)
            return f"~ flag {flag}: experiments {order}"
    return None


def _place(place: FlagExperiment) -> str:
    end = "" if place.otherwise is None else f", otherwise {place.otherwise}"
    return f"{place.experiment} ({place.miss}{end})"


def _grouping(command: c.Command) -> str | None:
    match command:
        case c.SetRules(segment, rules):
            return f"~ segment {segment}: {counted(len(rules), 'rule')}"
        case c.SetMembers(segment, unit, include, exclude):
            lists = f"{len(include):,} included, {len(exclude):,} excluded"
            return f"~ segment {segment}: {lists}, by {unit}"
        case c.SetSample(segment, None):
            return f"~ segment {segment}: no sample any more"
        case c.SetSample(segment, sample) if sample is not None:
            place = "a draw of its own" if sample.layer is None else f"layer {sample.layer}"
            return f"~ segment {segment}: a sample of {show_percent(sample.share_ppm)} of {place}"
        case c.Reserve(layer, experiment, share, ranges):
            exactly = f", exactly {counted(len(ranges), 'range')}" if ranges else ""
            return f"~ layer {layer}: {show_percent(share)} for {experiment}{exactly}"
        case c.Release(experiment):
            return f"~ experiment {experiment}: leaves its layer"
        case c.SetHoldoutShare(holdout, share):
            return f"~ holdout {holdout}: keeps out {show_percent(share)}"
    return None


def _experiment(command: c.Command) -> str | None:
    match command:
        case c.SetUnit(experiment, unit):
            return f"~ experiment {experiment}: unit {unit}"
        case c.SetHoldout(experiment, holdout):
            return f"~ experiment {experiment}: holdout {holdout or 'none'}"
        case c.SetOverrides(experiment, overrides):
            return f"~ experiment {experiment}: {counted(len(overrides), 'override')}"
        case c.SetKeeping(experiment, keeps, ignores):
            kept = "keeps assignments" if keeps else "keeps no assignments"
            outlive = ", also outside the targeting" if keeps and ignores else ""
            return f"~ experiment {experiment}: {kept}{outlive}"
        case c.SetIntake(experiment, is_open):
            return f"~ experiment {experiment}: intake {'open' if is_open else 'closed'}"
        case c.ArchiveExperiment(experiment):
            return f"~ experiment {experiment}: archived"
        case c.RestoreExperiment(experiment):
            return f"~ experiment {experiment}: restored from the archive"
    return None


def _iteration(command: c.Command) -> str | None:
    match command:
        case c.SetTreatments(experiment, treatments, control):
            keys = _joined(treatment.key for treatment in treatments)
            return f"~ experiment {experiment}: treatments {keys}, control {control or 'none'}"
        case c.SetAllocations(experiment, allocations):
            each = (f"{a.key} ({_weights(a.weights, a.total)})" for a in allocations)
            return f"~ experiment {experiment}: allocations {_joined(each)}"
        case c.SetWeights(experiment, allocation, weights, total):
            return f"~ experiment {experiment} / {allocation}: {_weights(weights, total)}"
        case c.SetAudience(experiment, segment):
            return f"~ experiment {experiment}: audience {segment or 'everyone'}"
        case c.SetEnrolment(experiment, share):
            return f"~ experiment {experiment}: enrolment {show_percent(share)}"
    return None


def _run(command: c.Command) -> str | None:
    match command:
        case c.DraftIteration(experiment, iteration):
            fresh = ", reshuffled" if iteration.reshuffle else ""
            return f"+ experiment {experiment}: a draft iteration{fresh}"
        case c.StartIteration(experiment, justification):
            why = f": {_short(justification)!r}" if justification else ""
            return f"> experiment {experiment}: starts{why}"
        case c.PauseIteration(experiment):
            return f"> experiment {experiment}: pauses"
        case c.ResumeIteration(experiment):
            return f"> experiment {experiment}: resumes"
        case c.EndIteration(experiment, winner, _):
            won = f", won by {winner}" if winner else ""
            return f"> experiment {experiment}: ends{won}"
    return None


def _weights(weights: tuple[tuple[str, int], ...], total: int) -> str:
    parts = _joined(f"{treatment} {weight:,}" for treatment, weight in weights)
    return f"{parts} of {total:,}"


def _joined(items: Iterable[str]) -> str:
    return ", ".join(items) or "none"


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."
