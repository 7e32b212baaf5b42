"""The flags of one revision as OFREP shows them. Each answer's text is made once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple, cast

import msgspec
from msgspec import UNSET

from allotment.compile.experiment import Source
from allotment.engine.evaluation import lacks_unit, reason_of, shape_of
from allotment.matching.index import Work
from allotment.model.assignment import Assignment, Reason, Resolution
from allotment.model.flag import Flag
from allotment.server.assign.shown import Shown
from allotment.server.http.answer import Ready
from allotment.server.ofrep.bodies import OfrepEvaluation, OfrepFailure, OfrepMetadata
from allotment.server.ofrep.context import Context
from allotment.server.sync.spaces import Served, work_of

MISSING: Final = "TARGETING_KEY_MISSING"

# Tens of megabytes at the most, as for the other texts of answers.
_TEXTS_MAX: Final = 65_536

# All experiments are asked at once where there are no more than so many for each that is needed.
_FEW: Final = 4

_encode: Final = msgspec.json.Encoder().encode


class Evaluated(NamedTuple):
    """What a flag evaluates to.

    given   the assignment that the value comes from, if it comes from one
    member  its text, as one of a list
    alone   the whole answer to a request for it; None where that is a refusal
    """

    given: Assignment | None
    member: bytes
    alone: Ready | None


class ShownFlag:
    """One flag at one revision.

    one        the experiment, where the flag has one and no more
    is_simple  whether it has no more than one
    is_heavy   whether a small request, too, may take long
    keeps      whether an experiment keeps assignments
    is_live    whether an experiment gives anyone anything
    revision   since when the flag and its experiments are as they are
    known      what it has evaluated to, by what that depends on
    members    of a simple one, the texts of these by the identity of the assignment
    """

    __slots__ = (
        "is_heavy", "is_live", "is_simple", "keeps", "known", "members", "noun", "one", "revision",
        "shape",
    )  # fmt: skip

    def __init__(self, noun: Flag, served: Served) -> None:
        names = [each.experiment for each in noun.experiments]
        plans = served.engine.snapshot.plans
        sources = [plan.source for name in names if (plan := plans.get(name)) is not None]
        found = [each for each in sources if isinstance(each, Source)]
        version = served.stored.versions.get(f"flag:{noun.key}")
        self.noun = noun
        self.one = names[0] if len(names) == 1 else None
        self.is_simple = len(names) <= 1
        self.is_heavy = not served.heavy.isdisjoint(names)
        self.keeps = any(name in served.keeping for name in names)
        self.is_live = any(each.live for each in found)
        self.revision = max((each.revision for each in found), default=0)
        if version is not None:
            self.revision = max(self.revision, version.revision)
        self.shape = shape_of(noun)
        # By the identity of an assignment, which is held so that no other object takes it.
        self.members: dict[int, bytes] = {}
        self.known: dict[object, tuple[Assignment | None, Evaluated]] = {}


class Whole(NamedTuple):
    """All flags of a revision.

    rows         the experiment of each, and the text by the identity of its answer
    keeping      those whose experiments keep assignments
    experiments  what is asked for all of them
    work         what it takes to ask
    is_most      whether these are most experiments: to ask all at once is quicker then
    """

    flags: list[ShownFlag]
    rows: Sequence[tuple[str, Callable[[int], bytes | None]]]
    keeping: list[ShownFlag]
    experiments: list[str]
    work: Work
    is_most: bool


class ShownFlags:
    """The flags of a space at one revision, and the text of what they have evaluated to."""

    def __init__(self, shown: Shown) -> None:
        self.shown = shown
        self.nouns = shown.served.engine.catalog.flags
        self._flags: dict[str, ShownFlag] = {}
        self._whole: Whole | None = None
        self._texts = 0

    def flag(self, key: str) -> ShownFlag | None:
        """One of the flags, made at the first request for it."""
        flag = self._flags.get(key)
        if flag is None and (noun := self.nouns.get(key)) is not None:
            flag = self._flags[key] = ShownFlag(noun, self.shown.served)
        return flag

    @property
    def are_all_made(self) -> bool:
        """Whether all flags were asked for before."""
        return self._whole is not None

    def whole(self) -> Whole:
        """All of them by key, made at the first request for all."""
        if self._whole is None:
            found = (self.flag(key) for key in sorted(self.nouns))
            flags = [each for each in found if each is not None]
            experiments = [each.experiment for one in flags for each in one.noun.experiments]
            snapshot = self.shown.served.engine.snapshot
            is_most = len(snapshot.plans) <= _FEW * len(experiments)
            asked = snapshot.plans if is_most else experiments
            work = Work.all(work_of(snapshot, key) for key in asked)
            keeping = [each for each in flags if each.keeps]
            # A flag of several experiments has no such texts, and one of none is one answer.
            rows = [(each.one or "", each.members.get) for each in flags]
            self._whole = Whole(flags, rows, keeping, experiments, work, is_most)
        return self._whole

    def evaluate(self, flag: ShownFlag, context: Context) -> Evaluated:
        """What a flag evaluates to where nothing is kept."""
        engine = self.shown.served.engine
        given: object = None
        if flag.one is not None:
            given = engine.assign(flag.one, context.unit, context.attributes)
        if flag.is_simple and (known := flag.known.get(id(given))) is not None:
            return known[1]
        resolution = engine.resolve(flag.noun.key, context.unit, context.attributes)
        if resolution.experiment not in (None, flag.one):
            given = engine.assign(resolution.experiment, context.unit, context.attributes)
        assert given is None or isinstance(given, Assignment)
        evaluated = self.evaluated(flag, resolution, given)
        # Of one experiment, or none, a flag resolves alike whenever the answer is the same.
        if flag.is_simple and self._keep(flag, id(given), given, evaluated):
            flag.members[id(given)] = evaluated.member
        return evaluated

    def evaluate_all(
        self, context: Context, kept: Mapping[str, Evaluated] = {}, *, turns: bool = False
    ) -> list[bytes]:
        """The texts of all flags, some of which are known; with `turns` others have theirs.

        To ask for one experiment after the other lets other threads run between two of them.
        """
        whole, engine = self.whole(), self.shown.served.engine
        unit, attributes = context
        if whole.is_most and not turns:
            get = engine.assign_all(unit, attributes).get
            texts = [text(id(get(one))) for one, text in whole.rows]
        else:
            do = engine.assign
            texts = [text(id(one and do(one, unit, attributes))) for one, text in whole.rows]
        if not kept and None not in texts:
            return cast(list[bytes], texts)
        return [
            kept[flag.noun.key].member
            if flag.keeps and kept
            else text or self.evaluate(flag, context).member
            for flag, text in zip(whole.flags, texts, strict=True)
        ]

    def evaluated(
        self, flag: ShownFlag, resolution: Resolution, given: Assignment | None
    ) -> Evaluated:
        """The text of a resolution, and of the assignment that it comes from."""
        if resolution.experiment is None:
            given = None
        asked = (resolution.variation, resolution.reason, id(given))
        known = flag.known.get(asked)
        if known is not None:
            return known[1]
        evaluated = self._made(flag, resolution, given)
        self._keep(flag, asked, given, evaluated)
        return evaluated

    def _keep(
        self, flag: ShownFlag, asked: object, given: Assignment | None, evaluated: Evaluated
    ) -> bool:
        """Keep it while there is room, and say so; unknown experiments have no answer to keep."""
        if given is not None and given.reason is Reason.UNKNOWN_EXPERIMENT:
            return False
        if self._texts >= _TEXTS_MAX:
            self._texts = 0
            for each in list(self._flags.values()):
                each.known.clear()
                each.members.clear()
        self._texts += 1
        flag.known[asked] = (given, evaluated)
        return True

    def _made(self, flag: ShownFlag, resolution: Resolution, given: Assignment | None) -> Evaluated:
        noun = flag.noun
        if flag.is_live and lacks_unit(resolution):
            return Evaluated(None, _encode(failure_of(flag)), None)
        metadata = OfrepMetadata(revision=flag.revision)
        if resolution.reason is not None:
            metadata.reason = str(resolution.reason)
        if given is not None:
            assert given.treatment is not None, "the value is of its treatment"
            metadata.experiment, metadata.treatment = given.experiment, given.treatment
            metadata.iteration, metadata.revision = given.iteration, given.revision
        variation = next(one for one in noun.variations if one.key == resolution.variation)
        value = flag.shape(variation)
        raw = UNSET if value is None else msgspec.Raw(value.encode())
        evaluation = OfrepEvaluation(
            noun.key, reason_of(noun, resolution), variation.key, metadata, raw
        )
        member = _encode(evaluation)
        return Evaluated(given, member, self.shown.ready(member))


def failure_of(flag: ShownFlag) -> OfrepFailure:
    """That a flag's experiments have no unit to randomise."""
    experiments = ", ".join(repr(each.experiment) for each in flag.noun.experiments[:3])
    message = f"the context names no unit of the kind that {experiments} randomises"
    return OfrepFailure(MISSING, f"{message}: send `targetingKey`", flag.noun.key)
