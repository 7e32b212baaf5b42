"""Who takes part in an instance: what its `flags` module says of units."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from allotment.change.commands import Command, SetAudience, SetIntake, SetKeeping, SetUnit
from allotment.dialects.confidence.kept import Values
from allotment.dialects.confidence.names import read_segment, segment_name
from allotment.dialects.wire.place import Place
from allotment.errors import InvalidInput
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment
from allotment.model.text import check_key

# The attribute that names the unit where nobody says which, and the kind of unit that it names.
SELECTOR: Final = "targeting_key"
UNIT: Final = "user"


@dataclass(frozen=True, slots=True)
class Audience:
    """The fields of the module that steer.

    unit      the kind of unit
    segment   the segment that may take part; None for everyone
    keeps     whether first assignments are kept, and
    ignoring  whether they outlive the targeting
    open      whether new units are taken in
    """

    unit: str = UNIT
    segment: str | None = None
    keeps: bool = False
    ignoring: bool = False
    open: bool = True


def audience_of(experiment: Experiment) -> Audience:
    """Who takes part in an experiment."""
    return Audience(
        experiment.unit,
        experiment.current.audience,
        experiment.keeps_assignments,
        experiment.ignore_targeting,
        experiment.intake_open,
    )


def show_audience(audience: Audience) -> Values:
    """It in the module's fields."""
    segment = audience.segment
    return {
        **({} if segment is None else {"segment": segment_name(segment)}),
        "targetingKeySelector": SELECTOR if audience.unit == UNIT else audience.unit,
        "stickyAssignments": audience.keeps,
        "ignoreTargetingForSticky": audience.ignoring,
        "intakePaused": not audience.open,
    }


def read_audience(module: Place, catalog: Catalog) -> Audience:
    """It from the module's fields; what is not there is as good as false or empty."""
    selector, segment = module.at("targetingKeySelector"), module.at("segment")
    named = segment.given and segment.value != ""
    return Audience(
        _unit(selector) if selector.given else UNIT,
        read_segment(segment, catalog).key if named else None,
        _truth(module.at("stickyAssignments")),
        _truth(module.at("ignoreTargetingForSticky")),
        not _truth(module.at("intakePaused")),
    )


def write_audience(key: str, old: Audience, new: Audience) -> Iterator[Command]:
    """The commands that make the old audience of an experiment the new one."""
    if new.unit != old.unit:
        yield SetUnit(key, new.unit)
    if new.segment != old.segment:
        yield SetAudience(key, new.segment)
    if (new.keeps, new.ignoring) != (old.keeps, old.ignoring):
        yield SetKeeping(key, new.keeps, new.ignoring)
    if new.open != old.open:
        yield SetIntake(key, new.open)


def _truth(place: Place) -> bool:
    return place.given and place.truth()


def _unit(place: Place) -> str:
    """The kind of unit that an attribute names: itself, but for the usual one."""
    if place.value in ("", SELECTOR):
        return UNIT
    if place.value == UNIT:
        raise place.refusal(f"a unit of the kind {UNIT} is named by {SELECTOR}")
    try:
        return check_key(place.value, place.path)
    except InvalidInput:
        raise place.refusal("the path of an attribute belongs here, such as visitor_id") from None
