"""The record that a unit was given a treatment: one line of JSON."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from allotment.model.assignment import Assignment


class Exposure(NamedTuple):
    """What is logged of an answer.

    at          milliseconds since the epoch
    space       the space that answered
    kind        the kind of unit that the experiment randomises
    unit        its key, as text
    given       the answer, with a treatment
    allocation  the allocation that dealt it; None where none did
    """

    at: int
    space: str
    kind: str
    unit: str
    given: Assignment
    allocation: str | None

    @property
    def mark(self) -> int:
        """64 bits over what makes two exposures the same: all but the time and the revision."""
        given = self.given
        parts = (self.space, given.experiment, given.iteration, self.unit, given.treatment)
        return hash(parts)

    def line(self, *, nested: bool) -> bytes:
        """The exposure as a line of NDJSON.

        `nested` writes the variations as an object; else they are text that holds the object, as a
        column of a table does.
        """
        given = self.given
        moment = datetime.fromtimestamp(self.at / 1000, UTC).isoformat(timespec="milliseconds")
        variations = dict(given.variations)
        written = {
            "at": moment.replace("+00:00", "Z"),
            "space": self.space,
            "experiment": given.experiment,
            "iteration": given.iteration,
            "allocation": self.allocation,
            "kind": self.kind,
            "unit": self.unit,
            "treatment": given.treatment,
            "reason": given.reason.value,
            "revision": given.revision,
            "variations": variations if nested else msgspec.json.encode(variations).decode(),
        }
        return msgspec.json.encode(written) + b"\n"
