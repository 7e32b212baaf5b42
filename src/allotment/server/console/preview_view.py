"""What a change would do, as a page shows it: what refuses it, whom it moves, and its commands."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from allotment.change.reallocate import crossings, pairs
from allotment.errors import AllotmentError, InvalidInput
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment
from allotment.model.stage import profile_of, treatment_draw
from allotment.server.assign.reading import read_attributes
from allotment.server.console.effects import dealing, effects_of
from allotment.server.console.words import share_of
from allotment.server.writes.preview import UNITS_MAX, AskedUnits, Preview
from allotment.words.commands import Planned

# A wider table than this is a list of its cells.
_WIDE: Final = 12
CELLS_MAX: Final = 200
_TABLES_MAX: Final = 20
_LINES_MAX: Final = 200

_NOTHING: Final = "nothing"

_Cells = Mapping[tuple[str | None, str | None], int]


@dataclass(frozen=True, slots=True)
class CrossCell:
    """Who has the one and would get the other; `moves` where they differ."""

    before: str
    after: str
    text: str
    moves: bool


@dataclass(frozen=True, slots=True)
class CrossTable:
    """From which treatment to which: `cells` of those that there are, most first.

    `before` and `after` are the names of a table's sides; none where it would be too wide.
    `text_of` has what stands in a table's cell.
    """

    title: str
    moved: str
    cells: tuple[CrossCell, ...]
    more: int
    before: tuple[str, ...]
    after: tuple[str, ...]

    def cell(self, before: str, after: str) -> CrossCell | None:
        """The cell of a table; None where it has no unit."""
        found = (one for one in self.cells if (one.before, one.after) == (before, after))
        return next(found, None)


@dataclass(frozen=True, slots=True)
class PreviewView:
    """What a change would do.

    effects  who begins or ceases to get a treatment, in sentences
    shares   of each allocation that moves units, which part of the draw goes where: exact
    counted  of the units that were asked about, how many go where
    afresh   experiments that would deal everyone afresh
    """

    refusal: AllotmentError | None
    nothing: bool
    lines: tuple[Planned, ...]
    more: int
    effects: tuple[str, ...]
    shares: tuple[CrossTable, ...]
    counted: tuple[CrossTable, ...]
    afresh: tuple[str, ...]


def preview_view(found: Preview, base: Catalog) -> PreviewView:
    """A preview of a change of `base`, as it is shown."""
    after = base if found.after is None else found.after
    live = [(key, *both) for key in found.touched if (both := _running(key, base, after))]
    return PreviewView(
        found.refusal,
        found.refusal is None and after is base,
        found.lines[:_LINES_MAX],
        max(0, len(found.lines) - _LINES_MAX),
        tuple(one for key in found.touched[:_TABLES_MAX] for one in effects_of(key, base, after)),
        tuple(table for each in live[:_TABLES_MAX] for table in _shares(*each)),
        tuple(
            _table(key, moved.cells, moved.units, lambda count, _total: f"{count:,}")
            for key, moved in list(found.units.items())[:_TABLES_MAX]
        ),
        tuple(key for key, was, now in live if _draws(was) != _draws(now)),
    )


def asked_units(fields: Mapping[str, str]) -> AskedUnits | None:
    """The units of a form, one a line, each with the attributes that it gives for all of them."""
    units = [line.strip() for line in fields.get("units", "").splitlines() if line.strip()]
    if not units:
        return None
    if len(units) > UNITS_MAX:
        raise InvalidInput(f"ask about at most {UNITS_MAX:,} units", "units")
    written = fields.get("attributes", "").strip()
    known = read_attributes(written.encode()) if written else {}
    return AskedUnits(units, [known] * len(units) if known else None)


def _running(key: str, base: Catalog, after: Catalog) -> tuple[Experiment, Experiment] | None:
    """The experiment before and after, where it deals units in both."""
    was, now = base.experiments.get(key), after.experiments.get(key)
    if was is None or now is None or dealing(was) is None or dealing(now) is None:
        return None
    return was, now


def _draws(experiment: Experiment) -> object:
    assert experiment.live is not None, "its callers have seen to it"
    return treatment_draw(experiment.live)


def _shares(key: str, was: Experiment, now: Experiment) -> Iterator[CrossTable]:
    if _draws(was) != _draws(now) or was.live is None or now.live is None:
        return
    for one, other in pairs(was.live.allocations, now.live.allocations):
        total = other.total if other else one.total if one else 1
        buckets = profile_of(now.live).count(total)
        cells: dict[tuple[str | None, str | None], int] = {}
        slots = one.slots if one else (), other.slots if other else ()
        for (old, new), count in crossings(*slots, buckets).items():
            cells[old or None, new or None] = count
        if all(old == new for old, new in cells):
            continue
        name = other.key if other else one.key if one else ""
        yield _table(f"{key}, allocation {name}", cells, buckets, share_of)


def _table(title: str, cells: _Cells, total: int, said: Callable[[int, int], str]) -> CrossTable:
    ordered = sorted(cells.items(), key=lambda each: (-each[1], each[0][0] or "", each[0][1] or ""))
    shown = tuple(
        CrossCell(was or _NOTHING, now or _NOTHING, said(count, total), was != now)
        for (was, now), count in ordered
        if count
    )
    moved = sum(count for (was, now), count in cells.items() if was != now)
    names = [tuple(dict.fromkeys(getattr(one, side) for one in shown)) for side in _SIDES]
    before, after = ((), ()) if max(map(len, names), default=0) > _WIDE else map(_last, names)
    kept = shown if before else shown[:CELLS_MAX]
    return CrossTable(title, said(moved, total), kept, len(shown) - len(kept), before, after)


_SIDES: Final = ("before", "after")


def _last(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names in order, that of no treatment last."""
    return tuple(sorted(names, key=lambda name: (name == _NOTHING, name)))
