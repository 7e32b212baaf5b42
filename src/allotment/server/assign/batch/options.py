"""What a batch asks for by its head: the forms of body and answer, and how large it may be.

It is read before the body is received. What reads a body, `pipeline`, is imported with the first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from allotment.errors import InvalidInput
from allotment.server.assign.reading import read_query
from allotment.server.http.asgi import Scope
from allotment.server.http.limits import BATCH_BYTES_MAX
from allotment.server.http.media import MediaForm, form_given, form_wanted
from allotment.server.http.requests import header, joined_header

# All large bodies of a process together; lines and record batches are read one by one.
DISK_BYTES: Final = 4 << 30

# Of a document so many values are read at a time: no more than a small one can hold.
PIECE_VALUES_MAX: Final = 1 << 19

# What a value or a name takes once it is read, on the average of the kinds that take most.
_VALUE_BYTES: Final = 64

# What is read of lines at a time, with what is made of it: one long line, and some short ones. Two
# bytes of text hold a value.
_LINES_HELD: Final = 4 << 20
_MADE_OF_A_BYTE: Final = 1 + _VALUE_BYTES // 2

# Units times experiments that are answered at a time: some megabytes, however many of either.
CELLS: Final = 1 << 15


class _Limits(NamedTuple):
    """What holds for bodies of one form.

    parameters  what the query may have: a document says all that itself
    size        the most bytes that a body has
    """

    parameters: frozenset[str]
    size: int


_LIMITS: Final = {
    MediaForm.JSON: _Limits(frozenset(), BATCH_BYTES_MAX),
    MediaForm.NDJSON: _Limits(frozenset({"experiment"}), DISK_BYTES),
    MediaForm.ARROW: _Limits(frozenset({"experiment", "unit"}), DISK_BYTES),
}


class BatchOptions(NamedTuple):
    """What the head of a request says.

    given, wanted  the forms of the body and of the answer
    experiments    None is all; a document names its own
    columns        of an Arrow stream: kinds of units to columns; under "" the only one
    """

    given: MediaForm
    wanted: MediaForm
    experiments: list[str] | None
    columns: Mapping[str, str]

    @staticmethod
    def of(scope: Scope) -> BatchOptions:
        """Read it; raises InvalidInput, UnsupportedMedia or NotAcceptable."""
        content_type = header(scope["headers"], b"content-type")
        accept = joined_header(scope["headers"], b"accept")
        return _options(content_type, accept, scope["query_string"])

    @property
    def limits(self) -> _Limits:
        """What holds for the body."""
        return _LIMITS[self.given]

    def held(self, size: int, values: int) -> int:
        """The most bytes that a body takes while it is read, with what is made of it at a time.

        `size` is that of the body, and a document holds so many `values`.
        """
        match self.given:
            case MediaForm.JSON:
                return size + _VALUE_BYTES * min(values, PIECE_VALUES_MAX)
            case MediaForm.NDJSON:
                return min(_MADE_OF_A_BYTE * size, _LINES_HELD)
            case MediaForm.ARROW:
                return min(size, BATCH_BYTES_MAX)

    @property
    def too_large(self) -> str:
        """What is said of a body that is larger."""
        most = f"a batch of {self.given.name} has at most {self.limits.size:,} bytes; "
        more = "NDJSON and Arrow may have more" if self.given is MediaForm.JSON else "send several"
        return most + more


@lru_cache(64)  # most batches ask alike
def _options(content_type: bytes | None, accept: str | None, text: bytes) -> BatchOptions:
    given = form_given(None if content_type is None else content_type.decode("latin-1"))
    wanted = form_wanted(accept, given)
    query = read_query(text)
    allowed = _LIMITS[given].parameters
    for name, value in query:
        if name not in allowed or not value:
            known = " and ".join(sorted(allowed)) or "none, for the document says it all"
            raise InvalidInput(f"the query parameters of such a batch: {known}", "query")
    experiments = [value for name, value in query if name == "experiment"] or None
    columns = _columns([value for name, value in query if name == "unit"])
    return BatchOptions(given, wanted, experiments, columns)


def _columns(named: Sequence[str]) -> Mapping[str, str]:
    """Kinds of units to columns; under "" the only column, where no kind is named."""
    if not named:
        return {"": "unit"}
    if len(named) == 1 and "=" not in named[0]:
        return {"": named[0]}
    columns: dict[str, str] = {}
    for each in named:
        kind, _, column = each.partition("=")
        if not kind or not column or kind in columns or column in columns.values():
            raise InvalidInput(
                "name one column of units, or for each kind its own as in unit=KIND=COLUMN",
                "query.unit",
            )
        columns[kind] = column
    return columns
