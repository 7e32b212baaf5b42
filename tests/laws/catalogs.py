"""Random catalogs and questions: every feature, often at its edges, from one seed.

The nouns are built directly and not by commands, so that slots and reservations take any shape that
a long history could have given them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from fractions import Fraction
from itertools import pairwise
from random import Random

import numpy as np

from allotment.change.references import with_users
from allotment.model.catalog import Catalog
from allotment.model.experiment import Allocation, Experiment, Iteration, State, Treatment
from allotment.model.flag import Flag, FlagExperiment, FlagState, Miss, Variation
from allotment.model.keyed import Keyed
from allotment.model.layer import Holdout, Layer, Reservation
from allotment.model.limits import BUCKETS, UNIT_KEY_BYTES_MAX
from allotment.model.profile import NATIVE, PROFILES, Draw, Profile
from allotment.model.segment import (
    AllOf,
    AnyOf,
    Clause,
    Condition,
    IdList,
    InSegment,
    Not,
    Operator,
    Sample,
    Segment,
)
from allotment.model.slots import Range, Slot, Slots, size

ALPHABETS = ["0123456789", "abcdefghijklmnopqrstuvwxyz-", "aé€漢😀\0 ", "AB\u0301\u212b"]

CLAUSES = [
    *(Clause(("country",), Operator.IN, (country,)) for country in ("SE", "NO", "DK")),
    Clause(("country",), Operator.IN, ("FI", "IS", 1, True)),
    Clause(("country",), Operator.EXISTS),
    Clause(("email",), Operator.ENDS_WITH, ("@example.com", ".org")),
    Clause(("email",), Operator.STARTS_WITH, ("a",)),
    Clause(("email",), Operator.CONTAINS, ("+", "é")),
    Clause(("email",), Operator.MATCHES, (r"^[a-m]", r"\d{2}")),
    Clause(("age",), Operator.LESS, (18,)),
    Clause(("age",), Operator.AT_MOST, (65.5, 3)),
    Clause(("age",), Operator.GREATER, (2**53,)),
    Clause(("age",), Operator.AT_LEAST, (18,)),
    Clause(("age",), Operator.IN, (1, 40.0)),
    Clause(("age",), Operator.IN, (True,)),
    Clause(("app", "version"), Operator.SEMVER_EQUALS, ("2.0.0",)),
    Clause(("app", "version"), Operator.SEMVER_LESS, ("2.0.0",)),
    Clause(("app", "version"), Operator.SEMVER_AT_MOST, ("2.0.0-rc.1",)),
    Clause(("app", "version"), Operator.SEMVER_GREATER, ("1.9.0",)),
    Clause(("app", "version"), Operator.SEMVER_AT_LEAST, ("1.10.0",)),
    Clause(("app",), Operator.EXISTS),
]


class Age(IntEnum):
    """A number of a class of its own."""

    GROWN = 18


STRANGE: list[object] = [np.int64(18), np.float64(0.5), np.bool_(True), Age.GROWN, Fraction(1)]
VALUES: dict[str, list[object]] = {
    "country": [
        "SE",
        "NO",
        "DK",
        "FI",
        "",
        1,
        True,
        None,
        ["SE", "IS"],
        [],
        (None, "NO"),
        b"SE",
        np.str_("SE"),
    ],
    "email": [
        "ann@example.com",
        "a+é@b.org",
        "zoe77",
        "",
        "x\ud800",
        7,
        ["a", ["b"]],
        "é" * 300,
        np.str_("a"),
    ],
    "age": [
        17,
        18,
        40,
        40.0,
        1,
        True,
        0.5,
        float("nan"),
        float("inf"),
        2**53 + 1,
        10**40,
        "18",
        np.int64(18),
        np.float64(0.5),
        np.bool_(True),
        Age.GROWN,
        Fraction(1),
    ],
    "app": [
        {"version": "2.0.0"},
        {"version": "2.0.0-rc.1"},
        {"version": "1.10.0+x"},
        {"version": ["1.9.0", "3.0.0"]},
        {"version": "2"},
        {"version": None},
        {},
        "2.0.0",
        [{"version": "2.0.0"}],
    ],
}

VALUES["age"] += STRANGE


@dataclass(frozen=True)
class Question:
    """A unit as one call names it, what is known of it, and what was kept for it by experiment."""

    unit: object
    attributes: dict[str, object] | None
    stored: dict[str, str | None]


def random_key(rng: Random, alphabets: Sequence[str] = ALPHABETS) -> str:
    """A unit key of 1 to 80 characters, seldom as long as a key can be."""
    alphabet = rng.choice(alphabets)
    if rng.random() < 0.005:
        return "".join(rng.choices(alphabet[:1], k=UNIT_KEY_BYTES_MAX - rng.randrange(2)))
    return "".join(rng.choices(alphabet, k=rng.randint(1, rng.choice((3, 16, 40, 80)))))


def random_attributes(rng: Random) -> dict[str, object] | None:
    """Some of the attributes that the clauses look at; seldom none at all."""
    if rng.random() < 0.05:
        return None
    return {name: rng.choice(some) for name, some in VALUES.items() if rng.random() < 0.8}


def has_shares(profile: Profile) -> bool:
    """Whether every whole percent is a share of its buckets."""
    return profile.divisor is not None or (profile.buckets or 7) % 100 == 0


class Maker:
    """Makes one catalog; `pool` are the units that its lists and overrides name."""

    alphabets: Sequence[str] = ALPHABETS
    clauses: Sequence[Clause] = CLAUSES

    def __init__(self, rng: Random, pool: Sequence[str] = (), *, is_native: bool = False) -> None:
        self.rng = rng
        self.is_native = is_native  # every stage draws natively
        self.pool = list(pool) or list(dict.fromkeys(self.text() for _ in range(12)))

    def text(self) -> str:
        return random_key(self.rng, self.alphabets)

    def some(self, of: Sequence[str], most: int) -> list[str]:
        return self.rng.sample(of, self.rng.randint(0, min(most, len(of))))

    def maybe(self, of: Sequence[str], chance: float) -> str | None:
        return self.rng.choice(of) if of and self.rng.random() < chance else None

    def draw(self, salt: str, of: Callable[[Profile], bool]) -> Draw:
        """What a stage draws by: natively, or by a profile of those that are good for it."""
        if self.is_native or self.rng.random() < 0.6:
            return Draw(NATIVE, salt)
        profile = self.rng.choice([one for one in PROFILES.values() if of(one)])
        if profile.seed is None:
            return Draw(profile.name, str(self.rng.choice((0, -1, 7, 2**32 - 1, -(2**31)))))
        return Draw(profile.name, salt)

    def buckets(self, most: int, last: int = BUCKETS) -> list[int]:
        """Distinct ascending edges, of which some are the very ends or one bucket apart."""
        edges = {self.rng.randint(0, last) for _ in range(self.rng.randint(0, most))}
        edges |= {edge + 1 for edge in edges if edge < last and self.rng.random() < 0.1}
        edges |= {edge for edge in (0, last) if self.rng.random() < 0.8}
        return sorted(edges)

    def slots(self, owners: list[str], last: int = BUCKETS) -> Slots:
        edges = self.buckets(self.rng.choice((2, 4, 30)), last)
        owned = [
            Slot(start, stop, self.rng.choice(owners))
            for start, stop in pairwise(edges)
            if owners and self.rng.random() < 0.9
        ]
        return tuple(owned)

    def share_of(self, profile: str) -> int:
        """A share that is a whole number of the profile's buckets."""
        return self.rng.choice((0, 10_000, 500_000, 990_000)) if profile != NATIVE else self.share()

    def share(self) -> int:
        """A share of the buckets: all, none, a little, or anything."""
        return self.rng.choice((BUCKETS, 0, 1, BUCKETS - 1, *self.rng.choices(range(BUCKETS), k=6)))

    def condition(self, below: list[str], depth: int) -> Condition:
        kind = self.rng.random()
        if depth and kind < 0.3:
            parts = tuple(self.condition(below, depth - 1) for _ in range(self.rng.randint(0, 3)))
            return AllOf(parts) if kind < 0.15 else AnyOf(parts)
        if depth and kind < 0.45:
            return Not(self.condition(below, depth - 1))
        if below and kind < 0.65:
            return InSegment(self.rng.choice(below))
        return self.rng.choice(self.clauses)

    def segments(self) -> list[Segment]:
        made: list[Segment] = []
        for index in range(self.rng.randint(0, 6)):
            below = [segment.key for segment in made]
            rules = [self.condition(below, 3) for _ in range(self.rng.randint(0, 3))]
            segment = Segment(
                f"s{index}",
                include=IdList.of(self.some(self.pool, 3)),
                exclude=IdList.of(self.some(self.pool, 3)),
                rules=tuple(rules),
            )
            made.append(segment)
        return made

    def sample(self, key: str, layers: list[str]) -> Segment:
        """A segment that is a sample: of a draw of its own, or of pieces of a layer."""
        rules = [self.condition([], 2)]
        layer = self.maybe(layers, 0.7)
        if layer is None:
            share = self.share()
            ranges = (Range(0, share),) if share else ()
            return Segment(key, rules=tuple(rules), sample=Sample(share, ranges=ranges))
        pieces = [Range(*edges) for edges in pairwise(self.buckets(8)) if self.rng.random() < 0.7]
        tags, exclusive = (tuple(sorted(self.some("xy", 2))) for _ in "ab")
        sample = Sample(size(pieces), layer, tags, exclusive, tuple(pieces))
        return Segment(key, rules=tuple(rules), sample=sample)

    def iteration(
        self, number: int, key: str, state: State, segments: list[str], samples: list[str]
    ) -> Iteration:
        # A draft may have no treatments yet, and then nobody owns a slot.
        counts = (0, 0, 1, 2) if state is State.DRAFT else (1, 2, 3, 20)
        names = [f"t{index}" for index in range(self.rng.choice(counts))]
        treatments = [
            Treatment(name, sets=(("f0", self.rng.choice("ab")),) if key in "e0 e1" else ())
            for name in names
        ]
        salt = f"{key}#{number}" if self.rng.random() < 0.5 else self.text()
        dealt = self.draw(salt, lambda _: True)
        total = self.rng.choice((1, 3, 100, 99_999))
        last = PROFILES[dealt.profile].count(total)
        ramped = self.draw(self.text(), has_shares)
        allocations = [
            Allocation(
                f"a{priority}",
                (),
                total,
                segment=self.maybe(segments, 0.7),
                priority=priority,
                slots=self.slots(names, last),
            )
            for priority in self.rng.sample(range(1, 9), self.rng.choice((0, 1, 1, 2, 4)))
        ]
        if self.rng.random() < 0.5:
            slots = self.slots(names, last)
            rest = Allocation("rest", (), total, priority=0, fallback=True, slots=slots)
            allocations.append(rest)
            self.rng.shuffle(allocations)
        return Iteration(
            number,
            tuple(treatments),
            tuple(allocations),
            state=state,
            salt=dealt.salt,
            control=self.maybe(names, 0.5),
            audience=self.maybe(segments, 0.3) or self.maybe(samples, 0.5),
            enrolment_ppm=BUCKETS if self.rng.random() < 0.5 else self.share_of(ramped.profile),
            profile=dealt.profile,
            enrolment_draw=None if ramped.profile == NATIVE else ramped,
        )

    def experiment(
        self,
        key: str,
        segments: list[str],
        samples: list[str],
        layers: list[str],
        holdouts: list[str],
    ) -> Experiment:
        rng = self.rng
        layer = self.maybe(layers, 0.4)
        if layer is not None:
            samples = []
        ended = [State.STOPPED] * rng.choice((0, 0, 1, 3))
        states = [*ended, *rng.choice(([State.RUNNING],) * 12 + (*_RARE,))]
        iterations = [
            self.iteration(number, key, state, segments, samples)
            for number, state in enumerate(states, 1)
        ]
        current = Experiment(key, tuple(iterations)).current
        names = [treatment.key for treatment in current.treatments]
        overridden = sorted(self.some(self.pool, 2)) if rng.random() < 0.3 else []
        return Experiment(
            key,
            tuple(iterations),
            unit="user" if rng.random() < 0.8 else "device",
            layer=layer,
            holdout=self.maybe(holdouts, 0.4),
            overrides=tuple((unit, rng.choice([*names, "gone"])) for unit in overridden),
            keeps_assignments=rng.random() < 0.4,
            ignore_targeting=rng.random() < 0.5,
            intake_open=rng.random() < 0.9,
            archived=rng.random() < 0.05,
        )

    def layer(self, key: str, experiments: list[Experiment], samples: list[Segment]) -> Layer:
        """Its buckets are cut, and each piece goes to one of its experiments or to none."""
        is_sampled = any(each.sample and each.sample.layer == key for each in samples)
        fit = (BUCKETS,) if is_sampled else (100, 1_000, 10_000, BUCKETS)
        drawn = self.draw(self.text(), lambda one: one.buckets in fit)
        edges = self.buckets(8, PROFILES[drawn.profile].count(BUCKETS))
        pieces: dict[str, list[Range]] = {each.key: [] for each in experiments if each.layer == key}
        for start, stop in pairwise(edges):
            owner = self.maybe(list(pieces), 0.9)
            if owner is not None:
                pieces[owner].append(Range(start, stop))
        reservations = [Reservation(owner, tuple(some)) for owner, some in sorted(pieces.items())]
        return Layer(key, drawn.salt, reservations=tuple(reservations), profile=drawn.profile)

    def holdout(self, key: str) -> Holdout:
        drawn = self.draw(self.text(), has_shares)
        return Holdout(key, drawn.salt, self.share_of(drawn.profile), profile=drawn.profile)

    def flag(self, experiments: list[Experiment]) -> Flag:
        listed = self.some([each.key for each in experiments], 3)
        ends = [(miss, None) for miss in Miss] + [(Miss.STOP, variation) for variation in "ab"]
        places = [FlagExperiment(key, *self.rng.choice(ends)) for key in listed]
        state = self.rng.choice([FlagState.ON] * 8 + [FlagState.OFF, FlagState.ARCHIVED])
        variations = (Variation("a", "1"), Variation("b", '{"x": [null]}'))
        return Flag("f0", variations, self.rng.choice("ab"), state=state, experiments=tuple(places))

    def catalog(self) -> Catalog:
        segments = self.segments()
        layers = [f"l{index}" for index in range(self.rng.randint(0, 2))]
        holdouts = [self.holdout(f"h{index}") for index in range(self.rng.randint(0, 2))]
        samples = [self.sample(f"p{index}", layers) for index in range(self.rng.randint(0, 3))]
        experiments = [
            self.experiment(
                f"e{index}",
                [segment.key for segment in segments],
                [sample.key for sample in samples],
                layers,
                [holdout.key for holdout in holdouts],
            )
            for index in range(self.rng.randint(1, 8))
        ]
        catalog = Catalog(
            revision=self.rng.randint(0, 2**40),
            flags=Keyed([("f0", self.flag(experiments))]),
            segments=Keyed((each.key, each) for each in (*segments, *samples)),
            layers=Keyed((key, self.layer(key, experiments, samples)) for key in layers),
            holdouts=Keyed((each.key, each) for each in holdouts),
            experiments=Keyed((each.key, each) for each in experiments),
        )
        return with_users(catalog)

    def key(self) -> object:
        """What a caller may pass as a key: mostly one, sometimes an integer, seldom none."""
        kind = self.rng.random()
        if kind < 0.25:
            return self.rng.choice(self.pool)
        if kind < 0.85:
            return self.text()
        if kind < 0.97:
            return self.rng.randint(-(10 ** self.rng.randint(0, 18)), 10**18)
        return self.rng.choice(["", "x\ud800", "é" * 513, "a\nb", None, True, 1.5, b"ann"])

    def questions(self, experiments: Sequence[Experiment], count: int) -> list[Question]:
        """Questions that name units plainly, or all by their kind, some with one kind alone."""
        by_kind = self.rng.random() < 0.3
        return [
            Question(
                self.kinds() if by_kind else self.key(),
                random_attributes(self.rng),
                {each.key: self.kept() for each in experiments},
            )
            for _ in range(count)
        ]

    def kinds(self) -> dict[str, object]:
        named = {"user": self.key(), "device": self.key()}
        if self.rng.random() < 0.2:
            del named[self.rng.choice(["user", "device"])]
        return named

    def kept(self) -> str | None:
        """Nothing, a treatment, or one that the iteration does not have."""
        return self.rng.choice((None, "gone", "t0", "t1", "t2", "t19"))


_RARE = (
    [State.PAUSED],
    [State.PAUSED, State.DRAFT],
    [State.RUNNING, State.DRAFT],
    [State.DRAFT],
    [State.STOPPED],
)
