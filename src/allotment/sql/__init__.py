"""The whole assignment of an experiment as one SELECT, for engines where the units lie.

`select` writes the statement, `lists` the rows of the table that long lists of units are joined
from. Needs `pip install allotment[sql]`.
"""

from allotment.errors import MissingExtra

try:
    import sqlglot as _sqlglot  # noqa: F401
except ModuleNotFoundError as error:
    raise MissingExtra(
        f"SQL is written with {error.name}, which is not installed: pip install 'allotment[sql]'"
    ) from error

from allotment.sql.engines import DIALECTS
from allotment.sql.lists import Listed
from allotment.sql.statement import lists, select

__all__ = ["DIALECTS", "Listed", "lists", "select"]
