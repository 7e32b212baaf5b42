"""An engine in which a test forces treatments and flags."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from typing import Any, Final

import msgspec

from allotment.compile import Snapshot, compile_catalog, recompile
from allotment.engine import Engine
from allotment.engine.column import Column, Table
from allotment.engine.engine import Attributes, Unit
from allotment.engine.explanation import Explanation
from allotment.errors import InvalidInput, did_you_mean
from allotment.kernel.answers import Answers
from allotment.model.assignment import Assignment, Resolution
from allotment.model.catalog import EMPTY, Catalog
from allotment.model.experiment import Allocation, Experiment, Iteration, State, Treatment
from allotment.model.flag import Flag, FlagExperiment, FlagState, Variation
from allotment.model.limits import BUCKETS
from allotment.model.slots import Slot
from allotment.model.text import check_key

_FORCED: Final = "forced"

_encode: Final = msgspec.json.Encoder(order="sorted").encode


class ForcedEngine(Engine):
    """An engine in which a test says who gets what.

        engine = ForcedEngine()
        with engine.forced(checkout="green", flags={"button": "red"}):
            assert engine.assign("checkout", "user-1").treatment == "green"
            assert engine.resolve("button", "user-1").value == "red"

    Without a catalog any treatment and any value can be forced, and nothing else is known. With
    one, what is not forced is answered as in production, and what it lacks cannot be forced.

    What is forced holds in the thread or task that forces it, and in the tasks that it starts.
    Blocks nest.
    """

    def __init__(self, catalog: Catalog | None = None) -> None:
        """`catalog` is what is answered from where nothing is forced."""
        self._given = catalog
        self._forced: ContextVar[Engine | None] = ContextVar(_FORCED, default=None)
        super().__init__(compile_catalog(catalog or EMPTY), note=None)

    def __reduce__(self) -> tuple[type[Engine], tuple[Any, ...]]:
        return type(self), (self._given,)

    @contextmanager
    def forced(
        self,
        treatments: Mapping[str, str] | None = None,
        /,
        *,
        flags: Mapping[str, Any] | None = None,
        unit: str = "user",
        **more: str,
    ) -> Iterator[None]:
        """Give every unit these treatments, by experiment, and these values, by flag.

        `treatments` is for keys that Python cannot name: forced({"checkout-page": "green"}). A flag
        that a forced treatment sets resolves to what it sets. `unit` is the kind that experiments
        randomise which the catalog lacks.

        Raises InvalidInput for what the catalog lacks, where there is one, and for a value that is
        no JSON.
        """
        wanted = {**(treatments or {}), **more}
        base = self._now.snapshot
        catalog, before = base.catalog, base.catalog.flags
        for key, treatment in wanted.items():
            catalog = _with_treatment(catalog, key, treatment, unit, free=self._given is None)
        for key, value in (flags or {}).items():
            catalog = _with_value(catalog, key, value, free=self._given is None)
        touched = [key for key, flag in catalog.flags.items() if flag is not before.get(key)]
        token = self._forced.set(Engine(recompile(base, catalog, wanted, touched), note=None))
        try:
            yield
        finally:
            self._forced.reset(token)

    @property
    def _now(self) -> Engine:
        return self._forced.get() or self._base

    @property
    def snapshot(self) -> Snapshot:
        """What is answered from, with what is forced."""
        return self._now.snapshot

    def publish(self, snapshot: Snapshot) -> None:
        """Answer from `snapshot` where nothing is forced."""
        super().publish(snapshot)
        self._base = Engine(snapshot, note=None)

    def assign(
        self,
        experiment: str,
        unit: Unit,
        attributes: Attributes = None,
        stored: str | None = None,
    ) -> Assignment:
        """As `Engine.assign`, with what is forced."""
        return self._now.assign(experiment, unit, attributes, stored)

    def assign_all(self, unit: Unit, attributes: Attributes = None) -> Answers[Assignment]:
        """As `Engine.assign_all`, with what is forced."""
        return self._now.assign_all(unit, attributes)

    def assign_many(
        self,
        experiment: str,
        units: object,
        attributes: object = None,
        *,
        stored: object = None,
        threads: int = 1,
    ) -> Column:
        """As `Engine.assign_many`, with what is forced."""
        now = self._now
        return now.assign_many(experiment, units, attributes, stored=stored, threads=threads)

    def assign_table(
        self,
        units: object,
        experiments: Iterable[str] | None = None,
        attributes: object = None,
        *,
        threads: int = 1,
    ) -> Table:
        """As `Engine.assign_table`, with what is forced."""
        return self._now.assign_table(units, experiments, attributes, threads=threads)

    def resolve(
        self,
        flag: str,
        unit: Unit,
        attributes: Attributes = None,
        stored: Mapping[str, str] | None = None,
    ) -> Resolution:
        """As `Engine.resolve`, with what is forced."""
        return self._now.resolve(flag, unit, attributes, stored)

    def explain(
        self,
        experiment: str,
        unit: Unit,
        attributes: Attributes = None,
        stored: str | None = None,
    ) -> Explanation:
        """As `Engine.explain`, with what is forced."""
        return self._now.explain(experiment, unit, attributes, stored)

    def allocation_of(
        self, given: Assignment, unit: Unit, attributes: Attributes = None
    ) -> str | None:
        """As `Engine.allocation_of`, with what is forced."""
        return self._now.allocation_of(given, unit, attributes)


def _with_treatment(
    catalog: Catalog, key: str, treatment: str, unit: str, *, free: bool
) -> Catalog:
    """The catalog in which an experiment gives every unit the treatment.

    `free` says that what is not there is made.
    """
    path = f"$.{key}"
    check_key(key, path)
    check_key(treatment, path)
    experiment = catalog.experiments.get(key)
    if experiment is None:
        if not free:
            near = did_you_mean(key, catalog.experiments)
            raise InvalidInput(f"there is no experiment {key!r} in the catalog{near}", path)
        experiment = Experiment(key, (Iteration(1, (), ()),), unit=unit)
    old = experiment.current
    found = {each.key: each for each in old.treatments}
    if treatment not in found:
        if not free:
            raise InvalidInput(f"its treatments are {', '.join(found)}, not {treatment}", path)
        found[treatment] = Treatment(treatment)
    everyone = Allocation(_FORCED, ((treatment, 1),), 1, slots=(Slot(0, BUCKETS, treatment),))
    new = replace(
        old,
        treatments=tuple(found.values()),
        allocations=(everyone,),
        state=State.RUNNING,
        salt=old.salt or key,
        audience=None,
        enrolment_ppm=BUCKETS,
    )
    free_of_others = replace(
        experiment,
        iterations=tuple(new if each is old else each for each in experiment.iterations),
        layer=None,
        holdout=None,
        overrides=(),
        keeps_assignments=False,
        intake_open=True,
        archived=False,
    )
    flags = {flag: _asking_first(catalog.flags[flag], key) for flag, _ in found[treatment].sets}
    return replace(
        catalog,
        experiments=catalog.experiments.change({key: free_of_others}),
        flags=catalog.flags.change(flags),
    )


def _asking_first(flag: Flag, experiment: str) -> Flag:
    others = (each for each in flag.experiments if each.experiment != experiment)
    asked = (FlagExperiment(experiment), *others)
    return replace(flag, state=FlagState.ON, experiments=asked)


def _with_value(catalog: Catalog, key: str, value: Any, *, free: bool) -> Catalog:
    """The catalog in which a flag has the value for every unit."""
    path = f"$.flags.{key}"
    check_key(key, path)
    try:
        text = _encode(value)
        same = msgspec.json.decode(text) == value
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInput(f"this is no value of JSON: {error}", path) from error
    if not same:
        raise InvalidInput("this is no value of JSON", path)
    flag = None if free else catalog.flags.get(key)
    if free:
        flag = Flag(key, (Variation(_FORCED, text.decode()),), _FORCED)
    elif flag is None:
        near = did_you_mean(key, catalog.flags)
        raise InvalidInput(f"there is no flag {key!r} in the catalog{near}", path)
    values = {_encode(msgspec.json.decode(each.value)): each.key for each in flag.variations}
    if text not in values:
        known = ", ".join(each.decode() for each in values)
        raise InvalidInput(f"its values are {known}, not {text.decode()}", path)
    forced = replace(flag, default=values[text], experiments=())
    return replace(catalog, flags=catalog.flags.change({key: forced}))
