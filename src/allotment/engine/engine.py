"""The engine: one slot that holds the current snapshot. Publishing swaps it whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from allotment.compile.experiment import Source, unknown
from allotment.compile.snapshot import Snapshot
from allotment.engine.assignment_json import member_of
from allotment.engine.notes import BatchNotes, Note, warn
from allotment.engine.resolve import Known, resolve
from allotment.errors import InvalidInput, NotFound
from allotment.kernel.assigner import Assigner
from allotment.kernel.plan import Plan
from allotment.kernel.unit import unit_key
from allotment.model.assignment import Assignment, Reason, Resolution
from allotment.model.catalog import Catalog
from allotment.values import mapping_of

if TYPE_CHECKING:  # what a single call does not need is imported where it is first asked for
    from allotment.engine.column import Codes, Column, Table
    from allotment.engine.explanation import Explanation

Unit = str | int | Mapping[str, str | int]
Attributes = Mapping[str, object] | None


class Engine(Assigner[Assignment]):
    """Answers what every unit gets, from the snapshot that was published last.

    `load` makes one. Each call sees one snapshot whole, also while another thread publishes.

    A unit (`Unit`) is text, an integer (its decimal text), or a mapping from kind to key where
    experiments randomise different kinds; text is taken as a unit of the experiment's kind.
    `Attributes` are a mapping, nested as they come, or None. `stored` is the key of the treatment
    that was kept for this unit earlier.
    """

    def __init__(self, snapshot: Snapshot, note: Note | None = warn) -> None:
        """`note` is called where a column of a batch can never match a condition; None: nothing."""
        super().__init__(unknown)
        self._note = note
        self.publish(snapshot)

    def __reduce__(self) -> tuple[type[Engine], tuple[Snapshot]]:
        return type(self), (self.snapshot,)

    @property
    def snapshot(self) -> Snapshot:
        """What is answered from: a compiled catalog, which another engine can `publish`."""
        return self._current[0]

    @property
    def catalog(self) -> Catalog:
        """The catalog of the snapshot."""
        return self.snapshot.catalog

    def publish(self, snapshot: Snapshot) -> None:
        """Answer from `snapshot` from now on; calls under way finish with the one they began.

        Raises InvalidInput, and changes nothing, for what is not a snapshot.
        """
        if not isinstance(snapshot, Snapshot):
            raise InvalidInput(f"an engine publishes a Snapshot, not {type(snapshot).__name__}")
        # A call with several assignments, such as resolving, uses an assigner that never changes.
        still = Assigner(unknown)
        still.publish_plans(snapshot.plans)
        notes = None if self._note is None else BatchNotes(snapshot, self._note)
        self._current: tuple[Snapshot, Assigner[Assignment], Known, BatchNotes | None] = (
            snapshot,
            still,
            {},
            notes,
        )
        self.publish_plans(snapshot.plans)

    def assign_all_json(self, unit: Unit, attributes: Attributes = None) -> bytes:
        """The answers of `assign_all` as JSON, ready to be sent: an object, by experiment.

        It is what `POST /v1/assign` shows as `assignments`. The text of an answer is made once.
        """
        return self.assign_all(unit, attributes).json(member_of)

    def resolve(
        self,
        flag: str,
        unit: Unit,
        attributes: Attributes = None,
        stored: Mapping[str, str] | None = None,
    ) -> Resolution:
        """A flag's value for one unit: the first treatment of its experiments, else the default.

        `stored` has the treatments that were kept for this unit earlier, by experiment.
        """
        if stored is not None and not isinstance(stored, Mapping):
            raise InvalidInput("stored treatments are a mapping from experiment to key", "$.stored")
        snapshot, still, known, _ = self._current
        noun = snapshot.catalog.flags.get(flag) if isinstance(flag, str) else None
        if noun is None:
            return Resolution(flag, None, None, None, None)
        kept = stored or {}

        def assign(experiment: str) -> Assignment:
            return still.assign(experiment, unit, attributes, kept.get(experiment))

        def is_live(experiment: str) -> bool:
            return _source(_plan(snapshot, experiment)).live

        return resolve(noun, assign, is_live, known)

    def explain(
        self,
        experiment: str,
        unit: Unit,
        attributes: Attributes = None,
        stored: str | None = None,
    ) -> Explanation:
        """The answer of `assign` with every check, its draw, bucket, bound and outcome.

        Where a segment does not match, the outcome names the condition that fails, and the type of
        a value that it cannot compare.

        Raises NotFound for an unknown experiment.
        """
        from allotment.engine.explanation import explanation  # noqa: PLC0415
        from allotment.matching.why import why_not  # noqa: PLC0415

        snapshot, still, *_ = self._current
        plan = _plan(snapshot, experiment)
        trace = still.trace(experiment, unit, attributes, stored)
        assert trace is not None, "an assigner that never changes has the plan"
        known = mapping_of(attributes)
        key = unit_key(unit, plan.unit)

        def why(segment: str) -> str:
            return why_not(segment, snapshot.catalog.segments, key or "", known)

        return explanation(_source(plan), trace, why)

    def allocation_of(
        self, given: Assignment, unit: Unit, attributes: Attributes = None
    ) -> str | None:
        """The key of the allocation that dealt what `assign` gave this unit.

        None where none did (an override, a sticky assignment, no treatment), and where the
        experiment has changed since. An exposure that holds it can be held against the weights.
        """
        snapshot, still, *_ = self._current
        plan = snapshot.plans.get(given.experiment)
        if given.reason not in (Reason.ALLOCATED, Reason.FALLBACK) or plan is None:
            return None
        source = _source(plan)
        if source.revision != given.revision:
            return None
        from allotment.engine.explanation import asked_in_order  # noqa: PLC0415

        *others, last = asked_in_order(source.iteration)
        if not others or given.reason is Reason.FALLBACK:
            return last.key
        if last.fallback and len(others) == 1:
            return others[0].key
        trace = still.trace(given.experiment, unit, attributes)
        assert trace is not None, "its plan is there"
        pick = trace["pick"]
        assert pick is not None, "an allocation dealt it"
        return [*others, last][pick].key

    def assign_many(
        self,
        experiment: str,
        units: object,
        attributes: object = None,
        *,
        stored: object = None,
        threads: int = 1,
    ) -> Column:
        """What n units get in one experiment.

        units       list[str], a numpy array of text, bytes or integers, or anything with
                    `__arrow_c_array__` or `__arrow_c_stream__`; a null, empty or over-long unit
                    gets NO_UNIT
        attributes  n rows of columns: a mapping from name to column, an Arrow table, or n dicts
        stored      n treatment keys kept earlier, in any form that text units have; null where
                    there is none
        threads     Arrow and numpy input is assigned with the GIL released

        Warns, with NeverMatches and once for each, where the type of an Arrow or numpy column can
        never match a condition that looks at it, such as text under `at_least: 18`.

        Raises NotFound for an unknown experiment, InvalidInput for a column that cannot be read.
        """
        snapshot, *_, notes = self._current
        plan = _plan(snapshot, experiment)
        kept = None if stored is None else _stored_codes(plan, stored)
        return _columns({experiment: plan}, units, attributes, kept, threads, notes)[experiment]

    def assign_table(
        self,
        units: object,
        experiments: Iterable[str] | None = None,
        attributes: object = None,
        *,
        threads: int = 1,
    ) -> Table:
        """What n units get in several experiments (default: all); each unit is hashed once.

        `units` may also be a mapping from kind to column where experiments randomise several kinds.
        """
        from allotment.engine.column import Table  # noqa: PLC0415

        if isinstance(experiments, str):
            raise InvalidInput("experiments are a list of keys, not one text", "$.experiments")
        snapshot, *_, notes = self._current
        keys = snapshot.plans if experiments is None else experiments
        plans = {key: _plan(snapshot, key) for key in keys}
        return Table(_columns(plans, units, attributes, None, threads, notes))


def _plan(snapshot: Snapshot, experiment: str) -> Plan:
    known = isinstance(experiment, str)
    plan: Plan | None = snapshot.plans.get(experiment) if known else None
    if plan is None:
        raise NotFound(f"there is no experiment {experiment!r} in the catalog")
    return plan


def _columns(  # noqa: PLR0913, PLR0917  # what a batch is asked with
    plans: dict[str, Plan],
    units: object,
    attributes: object,
    kept: Codes | None,
    threads: int,
    notes: BatchNotes | None,
) -> dict[str, Column]:
    from allotment.engine.column import Column  # noqa: PLC0415
    from allotment.kernel.batch import assign_columns  # noqa: PLC0415

    note = None if notes is None else partial(notes.on, plans)
    outcomes = assign_columns(list(plans.values()), units, attributes, kept, threads, note)
    return {
        key: Column(codes, reasons, plan.names, _source(plan).revision)
        for (key, plan), (codes, reasons) in zip(plans.items(), outcomes, strict=True)
    }


def _source(plan: Plan) -> Source:
    assert isinstance(plan.source, Source)
    return plan.source


def _stored_codes(plan: Plan, stored: object) -> Codes:
    """Treatment keys to codes; one the iteration does not have is ignored, as in a single call."""
    import numpy as np  # noqa: PLC0415

    from allotment.kernel.units import texts_of  # noqa: PLC0415

    index: dict[str | None, int] = {name: code for code, name in enumerate(plan.names)}
    keys = texts_of(stored, "stored treatments", "$.stored")
    return np.array([index.get(key, -1) for key in keys], np.int16)
