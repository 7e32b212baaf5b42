"""Assignments that were made elsewhere, as they come in: all of them can be kept, or none is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from allotment.engine import Engine
from allotment.errors import AllotmentError, InvalidChange, InvalidInput, NotFound, did_you_mean
from allotment.kernel.unit import unit_key
from allotment.model.assignment import REASONS, Reason
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment, Iteration, State
from allotment.model.limits import ITERATIONS_MAX
from allotment.server.http.decoding import MALFORMED, refusal
from allotment.server.sync.one_experiment import engine_of
from allotment.store import StickyKey

UNITS_MAX: Final = 10_000

_OUTSIDE: Final = (
    "the unit lies outside the part of the layer, or of the sample, that is this experiment's:"
    " another one may have it"
)
_WHY: Final = {
    Reason.NO_UNIT: (InvalidInput, "unit", "a unit's key has 1 to 1,024 bytes"),
    Reason.NOT_IN_LAYER: (InvalidChange, "unit", _OUTSIDE),
}


class StickyRow(Struct, forbid_unknown_fields=True, gc=False):
    """One unit, and the treatment that it has in an experiment."""

    experiment: str
    unit: str | int
    treatment: str


class StickyImport(Struct, forbid_unknown_fields=True):
    """Assignments that were made elsewhere."""

    rows: list[StickyRow]


class StickyRequest(Struct, forbid_unknown_fields=True):
    """The units whose kept treatments are asked for, in one iteration."""

    experiment: str
    iteration: Annotated[int, Meta(ge=1, le=ITERATIONS_MAX)]
    units: Annotated[list[str], Meta(max_length=UNITS_MAX)]


_asked: Final = msgspec.json.Decoder(StickyRequest)
_document: Final = msgspec.json.Decoder(StickyImport)
_row: Final = msgspec.json.Decoder(StickyRow)


def read_document(body: bytes | bytearray) -> list[StickyRow]:
    """The rows of a JSON document; raises InvalidInput with the place of the fault."""
    try:
        return _document.decode(body).rows
    except MALFORMED as error:
        raise refusal(error, body, StickyImport) from None


def read_asked(body: bytes | bytearray) -> StickyRequest:
    """What a body asks; raises InvalidInput with the place of the fault."""
    try:
        return _asked.decode(body)
    except MALFORMED as error:
        raise refusal(error, body, StickyRequest) from None


def read_lines(body: bytes | bytearray) -> list[StickyRow]:
    """The rows of NDJSON, one a line; empty lines are passed over."""
    rows: list[StickyRow] = []
    for line in body.split(b"\n"):
        if not line.strip():
            continue
        try:
            rows.append(_row.decode(line))
        except MALFORMED as error:
            fault = refusal(error, line, StickyRow)
            place = f"$.rows[{len(rows)}]{fault.path.removeprefix('$')}"
            raise InvalidInput(fault.message, place) from None
    return rows


def checked(catalog: Catalog, rows: Sequence[StickyRow]) -> list[tuple[StickyKey, str]]:
    """What is to be kept, in the order of the rows; raises for the first row that cannot be."""
    places: dict[str, list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        places[row.experiment].append(place)
    sticky_keys: list[tuple[StickyKey, str] | None] = [None] * len(rows)
    faults: list[tuple[int, AllotmentError]] = []
    for key, of_it in places.items():
        try:
            experiment, live = keeping_of(catalog, key, f"$.rows[{of_it[0]}].experiment")
        except AllotmentError as error:
            faults.append((of_it[0], error))
            continue
        asked = [rows[place] for place in of_it]
        for place, row, reason in zip(
            of_it, asked, _reasons(catalog, experiment, asked), strict=True
        ):
            if reason is not Reason.STICKY:
                faults.append((place, _fault(live, row, reason, f"$.rows[{place}]")))
                break
            unit = unit_key(row.unit, experiment.unit)
            assert unit is not None, "it was assigned just now"
            sticky_keys[place] = (StickyKey(key, live.number, unit), row.treatment)
    if faults:
        raise min(faults, key=lambda fault: fault[0])[1]
    return [each for each in sticky_keys if each is not None]


def keeping_of(catalog: Catalog, key: str, path: str = "") -> tuple[Experiment, Iteration]:
    """The experiment of a row and its live iteration, in which the row's treatment can be kept.

    Raises NotFound or InvalidChange, with `path`, where it cannot.
    """
    experiment = catalog.experiments.get(key)
    if experiment is None:
        near = did_you_mean(key, catalog.experiments)
        raise NotFound(f"there is no such experiment{near}", path)
    if experiment.archived or experiment.live is None:
        raise InvalidChange("no iteration of this experiment runs; start one first", path)
    if not experiment.keeps_assignments:
        raise InvalidChange("this experiment keeps no assignments; say that it does first", path)
    return experiment, experiment.live


def _reasons(catalog: Catalog, experiment: Experiment, rows: Sequence[StickyRow]) -> list[Reason]:
    """STICKY where a unit may have its treatment as far as the experiment's slots are concerned."""
    engine = bare_engine(catalog, experiment)
    units = [row.unit for row in rows]
    stored = [row.treatment for row in rows]
    column = engine.assign_many(experiment.key, units, stored=stored)
    return [REASONS[code] for code in column.reasons.tolist()]


def bare_engine(catalog: Catalog, experiment: Experiment) -> Engine:
    """The experiment with nothing but its slots: overrides and holdouts come and go."""
    live = experiment.live
    assert live is not None
    treatments = tuple(replace(treatment, sets=()) for treatment in live.treatments)
    bare = replace(
        experiment,
        iterations=(replace(live, state=State.RUNNING, treatments=treatments),),
        holdout=None,
        overrides=(),
        ignore_targeting=True,
    )
    experiments = catalog.experiments.change({experiment.key: bare})
    return engine_of(replace(catalog, experiments=experiments), experiment.key)


def _fault(live: Iteration, row: StickyRow, reason: Reason, path: str) -> AllotmentError:
    if reason in _WHY:
        error, field, message = _WHY[reason]
        return error(message, f"{path}.{field}")
    near = did_you_mean(row.treatment, [treatment.key for treatment in live.treatments])
    return NotFound(f"the iteration has no such treatment{near}", f"{path}.treatment")
