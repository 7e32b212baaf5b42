"""Iterations: one run of an experiment, in the file and back."""

from __future__ import annotations

import re
from typing import Final

from allotment.dialects.catalogfile.allocations import read_allocations, show_allocations
from allotment.dialects.catalogfile.cursor import Alike, Cursor, Readers, Tree
from allotment.errors import did_you_mean
from allotment.model.experiment import Iteration, State, Treatment
from allotment.model.instant import read_instant, show_instant
from allotment.model.limits import BUCKETS
from allotment.model.number import read_percent, show_percent
from allotment.model.profile import NATIVE, PROFILES, Draw

FIELDS: Final = (
    "iteration",
    "state",
    "profile",
    "salt",
    "reshuffle",
    "audience",
    "enrolment",
    "enrolment_profile",
    "enrolment_salt",
    "treatments",
    "allocations",
    "justification",
    "winner",
    "winning_reason",
    "started_at",
    "ended_at",
)
_SHARE: Final = re.compile(r"[0-9]{1,3}(\.[0-9]{1,4})?%\Z")
_TREATMENTS: Final = "a mapping of treatments, such as {control: {control: true}, blue: {}},"
_TREATMENT: Final = ("name", "control", "sets")


def read_iteration(place: Cursor, number: int, alike: Alike) -> Iteration:
    """The iteration whose fields stand at `place`, perhaps among others."""
    treatments, control = alike.read(place.at("treatments"), _read_treatments)
    return Iteration(
        number=number,
        treatments=treatments,
        allocations=alike.read(place.at("allocations"), read_allocations),
        control=control,
        **place.given_of(_READERS),
        enrolment_draw=_read_enrolment_draw(place),
    )


def show_iteration(iteration: Iteration) -> dict[str, Tree]:
    """The fields of the iteration as the file spells them, with its number, salt and slots."""
    shown: dict[str, Tree] = {"iteration": iteration.number}
    if iteration.state is not State.DRAFT:
        shown["state"] = str(iteration.state)
    shown |= _show_draws(iteration)
    if iteration.reshuffle:
        shown["reshuffle"] = True
    if iteration.audience is not None:
        shown["audience"] = iteration.audience
    if iteration.enrolment_ppm != BUCKETS:
        shown["enrolment"] = show_percent(iteration.enrolment_ppm)
    shown["treatments"] = {
        treatment.key: _show_treatment(treatment, iteration.control)
        for treatment in iteration.treatments
    }
    shown["allocations"] = show_allocations(iteration.allocations)
    for field in ("justification", "winner", "winning_reason"):
        if text := getattr(iteration, field):
            shown[field] = text
    for field in ("started_at", "ended_at"):
        if (instant := getattr(iteration, field)) is not None:
            shown[field] = show_instant(instant)
    return shown


def _show_draws(iteration: Iteration) -> dict[str, Tree]:
    profile, salt = iteration.enrolment_draw or ("", "")
    shown: dict[str, Tree] = {
        "profile": show_profile(iteration.profile),
        "salt": iteration.salt,
        "enrolment_profile": profile,
        "enrolment_salt": salt,
    }
    return {field: text for field, text in shown.items() if text}


def read_salt(place: Cursor) -> str:
    """A salt, or "" where the file leaves the usual one to the catalog."""
    if place.value == "":
        raise place.refusal("a salt is not empty; leave it out for the usual one")
    return place.name()


def read_profile(place: Cursor) -> str:
    """The name of a profile; the native one where the file says none."""
    if not place.given:
        return NATIVE
    name = place.name()
    if name not in PROFILES:
        raise place.refusal(f"there is no profile {name!r}{did_you_mean(name, PROFILES)}")
    return name


def show_profile(name: str) -> str:
    """The name of a profile, "" for the native one, which the file leaves out."""
    return "" if name == NATIVE else name


def _read_enrolment_draw(place: Cursor) -> Draw | None:
    """What the enrolment draws by, where that is not native."""
    profile, salt = place.at("enrolment_profile"), place.at("enrolment_salt")
    if profile.given != salt.given:
        raise (salt if profile.given else profile).refusal(
            "enrolment_profile and enrolment_salt go together: name both, or none"
        )
    return Draw(read_profile(profile), read_salt(salt)) if profile.given else None


def read_share(place: Cursor) -> int:
    """A share such as "12.5%", in parts per million."""
    if not isinstance(place.value, str) or not _SHARE.match(place.value):
        raise place.wrong("a share such as 12.5%, with at most four decimals,")
    return read_percent(place.value, place.path)


def _read_state(place: Cursor) -> State:
    return place.choice(State.DRAFT)


def _read_time(place: Cursor) -> int:
    return read_instant(place.value, place.path)


_READERS: Final[Readers] = {
    "state": ("state", _read_state),
    "salt": ("salt", read_salt),
    "audience": ("audience", Cursor.key),
    "enrolment": ("enrolment_ppm", read_share),
    "reshuffle": ("reshuffle", Cursor.truth),
    "justification": ("justification", Cursor.description),
    "winner": ("winner", Cursor.key),
    "winning_reason": ("winning_reason", Cursor.description),
    "started_at": ("started_at", _read_time),
    "ended_at": ("ended_at", _read_time),
    "profile": ("profile", read_profile),
}


def _read_treatments(place: Cursor) -> tuple[tuple[Treatment, ...], str | None]:
    treatments: list[Treatment] = []
    control: str | None = None
    for key, item in place.required(_TREATMENTS).entries():
        item.own_key()
        if item.fields(_TREATMENT).at("control").truth(False):
            if control is not None:
                raise item.at("control").refusal(f"{control!r} is the control already")
            control = key
        treatments.append(Treatment(key, **item.given_of(_TREATMENT_READERS)))
    return tuple(treatments), control


def _read_sets(place: Cursor) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((flag, at.key()) for flag, at in place.entries()))


_TREATMENT_READERS: Final[Readers] = {"name": ("name", Cursor.name), "sets": ("sets", _read_sets)}


def _show_treatment(treatment: Treatment, control: str | None) -> Tree:
    shown: dict[str, Tree] = {}
    if treatment.name:
        shown["name"] = treatment.name
    if treatment.key == control:
        shown["control"] = True
    if treatment.sets:
        shown["sets"] = dict(treatment.sets)
    return shown
