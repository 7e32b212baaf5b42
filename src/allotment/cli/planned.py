"""The lines of a plan: each command with what it changes, old value and new."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from allotment.change import commands as c
from allotment.change.apply import Step, steps
from allotment.cli.differences import Difference, differences, overridden
from allotment.cli.plan_text import line_of
from allotment.dialects.catalogfile.conditions import show_condition
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment
from allotment.model.layer import Holdout, Layer
from allotment.model.limits import BUCKETS
from allotment.model.number import show_percent
from allotment.model.plain import to_plain
from allotment.model.segment import Condition, Segment
from allotment.model.slots import Ranges, size, subtract

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


def planned_lines(commands: Sequence[c.Command], base: Catalog) -> Iterator[str]:
    """A line for each command, and under it, indented, a line for each difference it makes."""
    for step in steps(commands, base):
        yield _shared(step) or line_of(step.command)
        yield from (f"    {line}" for line in _details(step))


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
            yield from map(_line, differences(old, new))
        case Step(c.SetOverrides(), Experiment() as old, Experiment() as new):
            yield from map(_line, overridden(old.overrides, new.overrides))
        case Step(c.SetRules(), Segment() as old, Segment() as new):
            yield from _rules(old.rules, new.rules)


def _line(one: Difference) -> str:
    if one.before == one.after:  # a count of what is not told one by one
        return f"{one.field}: {one.after} changed"
    return f"{one.field}: {_cut(one.before)} -> {_cut(one.after)}"


def _rules(old: Iterable[Condition], new: Iterable[Condition]) -> list[str]:
    """The rules that go and those that come, the first few of them."""
    was, now = ([json.dumps(show_condition(rule)) for rule in rules] for rules in (old, new))
    lines = [f"- {_cut(rule)}" for rule in was if rule not in now]
    lines += [f"+ {_cut(rule)}" for rule in now if rule not in was]
    more = len(lines) - _RULES_MAX
    return lines if more <= 0 else [*lines[:_RULES_MAX], f"and {more:,} more"]


def _cut(text: str) -> str:
    return text if len(text) <= _CHARACTERS_MAX else text[: _CHARACTERS_MAX - 3] + "..."
