"""What a change would do, told before it is made: of the catalog that is served, and of units.

Nothing is written here, and nothing asked of the store but what it keeps for the units.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

import msgspec

from allotment.change.apply import apply
from allotment.change.commands import Command
from allotment.change.impact import Move
from allotment.compile import compile_experiments
from allotment.engine import Engine
from allotment.engine.moves import Kept, Moved, compared
from allotment.errors import AllotmentError, InvalidInput, TooLarge
from allotment.matching.index import Work
from allotment.model.catalog import Catalog
from allotment.server.http.limits import REQUEST_NANOSECONDS_MAX
from allotment.server.sync.condition_check import check_commands
from allotment.server.sync.spaces import Served, work_of
from allotment.words.commands import Planned, line_of, planned

# Units are assigned twice, before and after, in each experiment that the change touches.
UNITS_MAX: Final = 10_000
CELLS_MAX: Final = 1_000_000

# What it may take to compare attributes, as it is known before: others wait for the thread.
NANOSECONDS_MAX: Final = REQUEST_NANOSECONDS_MAX // 10

# A page of commands in words; a change of a whole catalog has more than anyone reads.
LINES_MAX: Final = 1_000


@dataclass(frozen=True, slots=True)
class AskedUnits:
    """The units that are asked about; `attributes` as `Engine.assign_table` takes them."""

    units: Sequence[Any]
    attributes: Any = None


@dataclass(frozen=True, slots=True)
class Preview:
    """What commands would do, or why they would be refused.

    lines    the commands in words, LINES_MAX at the most
    touched  the experiments that may answer otherwise
    moves    how much of an allocation changes treatment
    units    by experiment, how many of the units go from which treatment to which
    after    the catalog as it would be; None where it would be refused
    """

    refusal: AllotmentError | None
    lines: tuple[Planned, ...]
    touched: tuple[str, ...] = ()
    moves: tuple[Move, ...] = ()
    units: dict[str, Moved] = field(default_factory=dict)
    after: Catalog | None = None


def preview(
    served: Served, commands: Sequence[Command], asked: AskedUnits | None, kept: Kept
) -> Preview:
    """What the commands would do to what is served.

    Raises InvalidInput for units that cannot be asked about, StoreError where the store is needed
    and away.
    """
    base = served.stored.catalog
    some = commands[:LINES_MAX]
    try:
        check_commands(commands)
        change = apply(base, commands)
    except AllotmentError as error:
        return Preview(error, tuple(Planned(line_of(each), ()) for each in some))
    touched = tuple(sorted(change.touched))
    units = {} if asked is None else _moved(served, change.catalog, touched, asked, kept)
    lines = tuple(islice(planned(some, base), LINES_MAX))
    return Preview(None, lines, touched, change.moves, units, change.catalog)


def _moved(
    served: Served, after: Catalog, touched: Sequence[str], asked: AskedUnits, kept: Kept
) -> dict[str, Moved]:
    if len(asked.units) * len(touched) > CELLS_MAX:
        message = (
            f"the change touches {len(touched):,} experiments; ask about at most "
            f"{CELLS_MAX // len(touched):,} units"
        )
        raise InvalidInput(message, "$.units")
    _check_attributes(asked.attributes, len(asked.units))
    there = [key for key in touched if key in after.experiments]
    engines = (
        Engine(served.engine.snapshot, note=None),
        Engine(compile_experiments(after, there), note=None),
    )
    _check_effort(engines, touched, asked)
    columns = {kind: _column(asked.units, kind) for kind in _kinds(touched, engines)}
    counts: dict[str, Moved] = {}
    for one in compared(*engines, columns, asked.attributes, touched, kept):
        counts[one.experiment] = Moved()
        counts[one.experiment].add(one.before, one.after)
    return counts


def _check_attributes(known: Any, units: int) -> None:
    """Raise InvalidInput unless they are a mapping a unit, or a column an attribute."""
    if isinstance(known, list):
        sound = all(each is None or isinstance(each, dict) for each in known)
        lengths = {len(known)}
    elif isinstance(known, dict):
        sound = all(isinstance(each, list) for each in known.values())
        lengths = {len(each) for each in known.values() if isinstance(each, list)}
    else:
        sound, lengths = known is None, set[int]()
    if not sound:
        message = "a mapping a unit, or a list of values an attribute, belongs here"
        raise InvalidInput(message, "$.attributes")
    if lengths - {units}:
        raise InvalidInput(f"as many as there are units, {units:,}, belong here", "$.attributes")


def _check_effort(engines: Iterable[Engine], experiments: Iterable[str], asked: AskedUnits) -> None:
    """Raise TooLarge where it could take longer than a request may to compare the attributes."""
    if asked.attributes is None:
        return
    text = msgspec.json.encode(asked.attributes)
    work = Work.all(work_of(each.snapshot, key) for each in engines for key in experiments)
    cost = len(asked.units) * work.once + work.cost(1 + text.count(b","), len(text))
    if cost > NANOSECONDS_MAX:
        message = "to compare these attributes may take too long; ask about fewer units"
        raise TooLarge(message, "$.attributes")


def _kinds(experiments: Iterable[str], engines: Iterable[Engine]) -> set[str]:
    found = (each.catalog.experiments.get(key) for each in engines for key in experiments)
    return {experiment.unit for experiment in found if experiment is not None}


def _column(units: Iterable[Any], kind: str) -> list[Any]:
    """The key that each unit has of a kind: a plain key is one of any kind."""
    return [unit.get(kind) if isinstance(unit, dict) else unit for unit in units]
