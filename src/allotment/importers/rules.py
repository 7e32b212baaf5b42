"""What importers have in common: a flag and its rules, each of which becomes an experiment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from allotment.change.apply import apply
from allotment.change.commands import Create, Noun, Replace
from allotment.errors import AllotmentError
from allotment.importers.payload import LeftOut
from allotment.model.catalog import EMPTY, Catalog
from allotment.model.experiment import Allocation, Experiment, Iteration, State, Treatment
from allotment.model.flag import Flag, FlagExperiment, FlagState, Miss, Variation
from allotment.model.layer import Holdout, Layer, Reservation
from allotment.model.limits import BUCKETS
from allotment.model.profile import NATIVE, Draw
from allotment.model.segment import Condition, Segment
from allotment.model.slots import Ranges, Slot, size

_EVERYONE = Draw(NATIVE, "")  # for a rule that gives one variation: what it draws does not matter


class Note(NamedTuple):
    """What was left out or must be known: where in the file, and what."""

    path: str
    message: str


@dataclass(frozen=True, slots=True)
class Reserved:
    """The buckets of a layer that a rule has."""

    layer: str
    ranges: Ranges


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a flag: whom it is for, and how it deals variations.

    key        of the experiment that it becomes, unused elsewhere
    slots      buckets of the draw, each owned by a variation; `whole` for one that gets all
    draw       what variations are dealt by
    buckets    how many buckets that draw has
    audience   whom it is for; None is everyone
    segment    instead, a segment of the file that says so
    enrolment  the share that is enrolled, in parts per million, and what it draws by
    overrides  (unit key, variation)
    unit       the kind of unit: the attribute that the platform hashes
    miss       whether a unit that gets nothing goes on to the next rule
    otherwise  beside a miss that stops, the variation that such a unit gets
    """

    key: str
    slots: tuple[Slot, ...] = ()
    draw: Draw = _EVERYONE
    buckets: int = BUCKETS
    audience: Condition | None = None
    segment: str | None = None
    enrolment: tuple[int, Draw] | None = None
    reserved: Reserved | None = None
    holdout: str | None = None
    overrides: tuple[tuple[str, str], ...] = ()
    unit: str = "user"
    miss: Miss = Miss.NEXT
    otherwise: str | None = None
    name: str = ""


@dataclass(slots=True)
class Imported:
    """The nouns that a file becomes, and what is to be said about it."""

    flags: list[Flag] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)
    layers: dict[str, Layer] = field(default_factory=dict)
    holdouts: list[Holdout] = field(default_factory=list)
    experiments: list[Experiment] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    _tried: Catalog = EMPTY

    @contextmanager
    def attempt(self, path: str, what: str) -> Iterator[None]:
        """Add what the block adds, or nothing of it and a note why: it cannot be said exactly.

        That is so where the block raises LeftOut, and where a catalog would refuse it. Blocks do
        not nest.
        """
        counts = [len(some) for some in self._listed()]
        layers, notes = dict(self.layers), len(self.notes)
        try:
            yield
            self._tried = apply(self._tried, self._since(counts, layers)).catalog
        except LeftOut as error:
            reason = Note(error.path, f"{what} is left out: {error.message}")
        except AllotmentError as error:
            if error.command is None:  # the payload itself is malformed
                raise
            reason = Note(path, f"{what} is left out: {error.message} ({error.path})")
        else:
            return
        for some, count in zip(self._listed(), counts, strict=True):
            del some[count:]
        self.layers = layers
        self.notes[notes:] = [reason]

    def _listed(self) -> tuple[list[Any], ...]:
        return self.segments, self.flags, self.holdouts, self.experiments

    def _since(self, counts: Sequence[int], layers: dict[str, Layer]) -> Iterator[Create | Replace]:
        """The commands for what was added since there was so much."""
        for some, count in zip(self._listed(), counts, strict=True):
            added: Sequence[Noun] = some[count:]
            yield from map(Create, added)
        for key, layer in self.layers.items():
            if layers.get(key) is not layer:
                yield Replace(layer) if key in layers else Create(layer)

    def nouns(self) -> list[Noun]:
        """All of them; what is referred to stands before what refers to it, but for experiments."""
        return [each for some in (*self._listed(), self.layers.values()) for each in some]

    def note(self, path: str, message: str) -> None:
        """Say what was left out, or what must be known."""
        self.notes.append(Note(path, message))

    def add_flag(
        self,
        key: str,
        variations: Sequence[Variation],
        default: str,
        rules: Iterable[Rule] = (),
        *,
        on: bool = True,
    ) -> None:
        """Add a flag, and an experiment for each of its rules, in their order."""
        places: list[FlagExperiment] = []
        for rule in rules:
            self._add_rule(key, rule)
            places.append(FlagExperiment(rule.key, rule.miss, rule.otherwise))
        state = FlagState.ON if on else FlagState.OFF
        self.flags.append(
            Flag(key, tuple(variations), default, state=state, experiments=tuple(places))
        )

    def add_layer(self, key: str, draw: Draw, unit: str) -> None:
        """Add a layer, in which rules then reserve their buckets."""
        self.layers[key] = Layer(key, draw.salt, unit=unit, profile=draw.profile)

    def _add_rule(self, flag: str, rule: Rule) -> None:
        audience = rule.segment
        if rule.audience is not None:
            audience = rule.key
            self.segments.append(Segment(audience, unit=rule.unit, rules=(rule.audience,)))
        if rule.reserved is not None:
            layer = self.layers[rule.reserved.layer]
            own = Reservation(rule.key, rule.reserved.ranges)
            self.layers[layer.key] = _with_reservation(layer, own)
        share, drawn = rule.enrolment or (BUCKETS, None)
        named = dict.fromkeys([slot.owner for slot in rule.slots] + [v for _, v in rule.overrides])
        owned = {v: size([slot for slot in rule.slots if slot.owner == v]) for v in named}
        everyone = Allocation(
            "everyone", tuple(owned.items()), rule.buckets, slots=tuple(rule.slots)
        )
        iteration = Iteration(
            1,
            tuple(Treatment(variation, sets=((flag, variation),)) for variation in named),
            (everyone,),
            state=State.RUNNING,
            salt="" if rule.draw == _EVERYONE else rule.draw.salt,
            audience=audience,
            enrolment_ppm=share,
            profile=rule.draw.profile,
            enrolment_draw=drawn,
        )
        self.experiments.append(
            Experiment(
                rule.key,
                (iteration,),
                rule.name,
                unit=rule.unit,
                layer=rule.reserved.layer if rule.reserved else None,
                holdout=rule.holdout,
                overrides=tuple(sorted(rule.overrides)),
                # One platform's rules often share a salt on purpose.
                shared_salt=rule.draw != _EVERYONE,
            )
        )


def whole(variation: str, buckets: int = BUCKETS) -> tuple[Slot, ...]:
    """All buckets, owned by one variation."""
    return (Slot(0, buckets, variation),)


def _with_reservation(layer: Layer, own: Reservation) -> Layer:
    reservations = sorted([*layer.reservations, own], key=lambda each: each.experiment)
    return Layer(
        layer.key,
        layer.salt,
        unit=layer.unit,
        reservations=tuple(reservations),
        profile=layer.profile,
    )
