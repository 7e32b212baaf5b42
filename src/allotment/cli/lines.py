"""Commands as lines that a person reads: a verb, the noun it is done to, and what it becomes."""

from __future__ import annotations

from collections.abc import Iterable

from allotment.change import commands as c
from allotment.change.impact import Move
from allotment.model.flag import FlagExperiment
from allotment.model.number import show_percent


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


def counted(count: int, noun: str) -> str:
    """The number with its noun: 1 rule, 2 rules."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."
