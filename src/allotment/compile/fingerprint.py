"""Fingerprints: 128 bits over what steers assignments, and over nothing else.

A name or a description is not in it; a salt, a slot, a state or a clause is. A snapshot's
fingerprint is the sum of its parts' modulo 2^128, so that one changed part costs one subtraction
and one addition.
"""

from __future__ import annotations

from hashlib import blake2b

import msgspec

from allotment.model.experiment import Experiment, Iteration
from allotment.model.flag import Flag
from allotment.model.profile import NATIVE
from allotment.model.segment import Segment
from allotment.model.stage import Stage

MODULUS = 1 << 128
_encode = msgspec.json.Encoder().encode


def of_parts(*parts: object) -> int:
    """The fingerprint of JSON-like parts: BLAKE2b-128 over their canonical JSON text."""
    return int.from_bytes(blake2b(_encode(parts), digest_size=16).digest(), "big")


def of_segment(segment: Segment) -> str:
    """What a segment's own lists and rules bring to the fingerprint of those that use it."""
    rules = [_condition(rule) for rule in segment.rules]
    lists = (_text(segment.include.text), _text(segment.exclude.text))
    return f"{of_parts('segment', segment.key, segment.unit, rules, lists):x}"


def of_flag(flag: Flag) -> int:
    """The fingerprint of what a flag resolves to; its state is in the experiments' plans."""
    variations = sorted((variation.key, variation.value) for variation in flag.variations)
    order = [
        (place.experiment, place.miss)
        if place.otherwise is None
        else (place.experiment, place.miss, place.otherwise)
        for place in flag.experiments
    ]
    return of_parts("flag", flag.key, flag.default, variations, order)


def of_stage(stage: Stage | None) -> object:
    """What the layer or the sample of an experiment brings to its plan's fingerprint."""
    if stage is None:
        return None
    own = () if stage.name == "layer" else (stage.name,)
    return (stage.salt, stage.ranges, *own, *of_profile(stage.profile))


def of_profile(profile: str) -> tuple[str, ...]:
    """What a profile brings: the native one nothing, as before there were others."""
    return () if profile == NATIVE else (profile,)


def of_iteration(experiment: Experiment, iteration: Iteration) -> list[object]:
    """What an iteration brings to its plan's fingerprint."""
    treatments = [(treatment.key, treatment.sets) for treatment in iteration.treatments]
    allocations = [
        (a.priority, a.fallback, a.segment, a.slots)
        for a in sorted(iteration.allocations, key=lambda a: a.priority)
    ]
    return [
        experiment.unit,
        experiment.overrides,
        experiment.keeps_assignments,
        experiment.ignore_targeting,
        iteration.number,
        iteration.salt,
        treatments,
        iteration.control,
        iteration.audience,
        iteration.enrolment_ppm,
        allocations,
        *of_profile(iteration.profile),
        *([iteration.enrolment_draw] if iteration.enrolment_draw else []),
    ]


def _condition(condition: object) -> object:
    """A condition as nested lists that tell 1, 1.0 and true apart, as JSON text does."""
    slots = getattr(condition, "__slots__", None)
    if slots is not None:
        return [type(condition).__name__, *(_condition(getattr(condition, s)) for s in slots)]
    if isinstance(condition, tuple):
        return [_condition(item) for item in condition]
    return condition


def _text(text: bytes) -> str:
    return blake2b(text, digest_size=16).hexdigest()
