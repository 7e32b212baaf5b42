"""Who takes part in an instance: what its `flags` module says of units."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from allotment.change.commands import (
    Command,
    DraftIteration,
    SetAudience,
    SetIntake,
    SetKeeping,
    SetUnit,
)
from allotment.dialects.confidence.dealing import VARIANT
from allotment.dialects.confidence.names import read_segment, segment_name
from allotment.dialects.confidence.schema.modules import ConfidenceFlagModule
from allotment.errors import InvalidInput
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment
from allotment.model.text import check_key

# The attribute that names the unit where a request names none, and the kind of unit that it names.
SELECTOR: Final = "targeting_key"
UNIT: Final = "user"

_PATH: Final = "$.flags"


@dataclass(frozen=True, slots=True)
class Audience:
    """The fields of the module that steer.

    unit      the kind of unit
    segment   the segment that may take part; None for everyone
    keeps     whether first assignments are kept, and
    ignoring  whether they outlive the targeting
    open      whether new units are taken in
    """

    unit: str
    segment: str | None
    keeps: bool
    ignoring: bool
    open: bool


def selector_of(kind: str) -> str:
    """Where in an evaluation context the unit of a kind stands."""
    return SELECTOR if kind == UNIT else kind


def show_audience(experiment: Experiment) -> dict[str, Any]:
    """The module's fields of an experiment."""
    segment = experiment.current.audience
    return {
        "segment": None if segment is None else segment_name(segment),
        "targetingKeySelector": selector_of(experiment.unit),
        "stickyAssignments": experiment.keeps_assignments,
        "ignoreTargetingForSticky": experiment.ignore_targeting,
        "intakePaused": not experiment.intake_open,
    }


def read_audience(module: ConfidenceFlagModule, catalog: Catalog) -> Audience:
    """It from the module's fields; what is not set is as good as false or empty."""
    segment = module.segment
    return Audience(
        _unit(module.targetingKeySelector),
        read_segment(segment, f"{_PATH}.segment", catalog).key if segment else None,
        module.stickyAssignments is True,
        module.ignoreTargetingForSticky is True,
        module.intakePaused is not True,
    )


def write_audience(
    experiment: Experiment, module: ConfidenceFlagModule, catalog: Catalog
) -> Iterator[Command]:
    """The commands that make the audience of an experiment what the module says."""
    key, shown = experiment.key, ConfidenceFlagModule(**show_audience(experiment))
    old, new = read_audience(shown, catalog), read_audience(module, catalog)
    if new.unit != old.unit:
        yield SetUnit(key, new.unit)
    if new.segment != old.segment:
        yield from _set_segment(experiment, new.segment)
    if (new.keeps, new.ignoring) != (old.keeps, old.ignoring):
        yield SetKeeping(key, new.keeps, new.ignoring)
    if new.open != old.open:
        yield SetIntake(key, new.open)


def _set_segment(experiment: Experiment, segment: str | None) -> Iterator[Command]:
    """The commands that give it another segment, whose id it may draw by."""
    draft = experiment.draft
    if draft is None or draft.profile != VARIANT:
        yield SetAudience(experiment.key, segment)
        return
    if segment is None:
        message = "its variants are drawn by the id of a segment; name another one"
        raise InvalidInput(message, f"{_PATH}.segment")
    bare = tuple(replace(one, slots=()) for one in draft.allocations)
    new = replace(draft, audience=segment, salt=segment, allocations=bare, reshuffle=True)
    yield DraftIteration(experiment.key, new)


def _unit(selector: str | None) -> str:
    """The kind of unit that an attribute names: itself, but for the usual one."""
    path = f"{_PATH}.targetingKeySelector"
    if not selector or selector == SELECTOR:
        return UNIT
    if selector == UNIT:
        raise InvalidInput(f"a unit of the kind {UNIT} is named by {SELECTOR}", path)
    try:
        return check_key(selector, path)
    except InvalidInput:
        message = "the path of an attribute belongs here, such as visitor_id"
        raise InvalidInput(message, path) from None
