"""The record that a unit was given a treatment: one row of the assignment source."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from allotment.model.assignment import Assignment

# The columns of the assignment source, in their order.
COLUMNS: Final = (
    "unit", "unit_kind", "experiment", "iteration", "treatment", "time", "revision", "space",
    "allocation", "reason", "variations",
)  # fmt: skip

_encode: Final = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Exposure:
    """A unit was given a treatment.

    unit        its key, as text
    unit_kind   the kind of unit that the experiment randomises
    experiment  the experiment's key
    iteration   the number of its iteration
    treatment   the treatment's key
    time        when, in UTC, to the millisecond
    revision    the revision of the catalog that decided
    space       the space of the server; None where there is none
    allocation  the allocation that dealt it; None where none did
    reason      the reason of the assignment
    variations  a JSON object as text, flag to variation
    line        the row as a line of NDJSON
    """

    unit: str
    unit_kind: str
    experiment: str
    iteration: int
    treatment: str
    time: datetime
    revision: int
    space: str | None
    allocation: str | None
    reason: str
    variations: str
    line: bytes = field(default=b"", repr=False, compare=False)

    @classmethod
    def of(  # noqa: PLR0913, PLR0917  # what an answer does not say of itself
        cls,
        at: int,
        space: str | None,
        kind: str,
        unit: str,
        given: Assignment,
        allocation: str | None,
    ) -> Exposure:
        """That `given` was shown, `at` milliseconds since the epoch.

        Raises ValueError or OverflowError for what no row can hold, such as a time beyond 9999.
        """
        assert given.treatment is not None, "only a treatment is shown"
        moment = datetime.fromtimestamp(at // 1000, UTC).replace(microsecond=at % 1000 * 1000)
        variations = _encode(dict(given.variations)).decode()
        row = (
            unit, kind, given.experiment, given.iteration, given.treatment, moment, given.revision,
            space, allocation, given.reason.value, variations,
        )  # fmt: skip
        written = dict(zip(COLUMNS, row, strict=True))
        written["time"] = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return cls(*row, _encode(written) + b"\n")

    @property
    def mark(self) -> int:
        """64 bits over what makes two exposures the same: all but the time and the revision."""
        return hash((self.space, self.experiment, self.iteration, self.unit, self.treatment))

    def row(self) -> dict[str, Any]:
        """The columns of the assignment source, by name."""
        return {name: getattr(self, name) for name in COLUMNS}
