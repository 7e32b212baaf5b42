"""DuckDB: what an engine answers, as functions of SQL.

A query calls a function with at most 2,048 rows at a time, each time as whole Arrow columns.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final

import numpy as np

from allotment.engine import Engine
from allotment.engine.column import Column
from allotment.errors import InvalidInput, MissingExtra

try:
    import duckdb
    import pyarrow as pa
    import pyarrow.compute as pc
    from duckdb.func import ARROW, SPECIAL
except ImportError as error:
    raise MissingExtra(
        f"functions of DuckDB need {error.name}: pip install 'allotment[duckdb]'"
    ) from error

from allotment.frames.rows import reason_names

_DETAIL: Final = "STRUCT(treatment VARCHAR, reason VARCHAR, revision BIGINT)"


def register(con: duckdb.DuckDBPyConnection, engine: Engine, *, name: str = "assign") -> None:
    """Make two functions of SQL, for this connection and the others of its database.

    assign         `assign(experiment, unit)` or `assign(experiment, unit, attributes)`: the
                   treatment as VARCHAR, null where the unit gets none
    assign_detail  the same as STRUCT(treatment VARCHAR, reason VARCHAR, revision BIGINT)

    A unit is text, a blob of UTF-8 or a whole number. Attributes are a struct such as
    `{'country': country, 'age': age}`. `name` is another name for `assign`, and the beginning of
    the other's.

    Both answer from what the engine answers from now, so that no query sees two revisions; after a
    change, register again. Kept assignments are not looked up.

    Raises InvalidInput where another connection of the database has registered such a function. A
    query fails for an unknown experiment and for attributes that are no struct; a null, empty or
    over-long unit gets null, with the reason NO_UNIT.
    """
    still = Engine(engine.snapshot)
    made: dict[str, tuple[Callable[[Column], pa.Array], str]] = {
        name: (Column.to_arrow, "VARCHAR"),
        f"{name}_detail": (_detail, _DETAIL),
    }
    for each, (shown, kind) in made.items():
        with suppress(duckdb.InvalidInputException):  # it was not registered before
            con.remove_function(each)
        try:
            con.create_function(
                each,
                _function(still, each, shown),
                None,
                kind,
                type=ARROW,
                null_handling=SPECIAL,  # null is no unit, and has a reason
            )
        except duckdb.CatalogException as error:
            raise InvalidInput(
                f"the database has a function {each!r} that another connection registered: "
                "choose another name, as in name='assign_b'"
            ) from error


def _function(
    engine: Engine, name: str, shown: Callable[[Column], pa.Array]
) -> Callable[..., pa.Array]:
    def function(*columns: pa.ChunkedArray) -> pa.Array:
        if len(columns) not in {2, 3}:
            raise InvalidInput(
                f"{name} takes an experiment, a unit and, if need be, attributes, as in "
                f"{name}('checkout', user_id, {{'country': country}})"
            )
        experiments, units, *rest = map(_whole, columns)
        attributes = _attributes(name, rest)
        keys = pc.unique(experiments).to_pylist()
        if len(keys) == 1:
            return shown(engine.assign_many(keys[0], units, attributes))
        return _of_each(engine, keys, (experiments, units, attributes), shown)

    return function


def _whole(column: pa.ChunkedArray) -> pa.Array:
    """A column in one piece, which is read in half the time."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _attributes(name: str, given: Sequence[pa.Array]) -> pa.Array | None:
    if not given or pa.types.is_null(given[0].type):
        return None
    if not pa.types.is_struct(given[0].type):
        raise InvalidInput(
            f"the attributes that {name} takes are a struct, as {{'country': country}}, and not "
            f"{given[0].type}"
        )
    return given[0]


def _of_each(
    engine: Engine,
    keys: Sequence[Any],
    columns: tuple[pa.Array, pa.Array, pa.Array | None],
    shown: Callable[[Column], pa.Array],
) -> pa.Array:
    """The answers where the rows name several experiments."""
    experiments, units, attributes = columns
    experiments = experiments.cast(pa.string())  # DuckDB may hold them as an enumeration
    found, places = [], []
    for key in keys:
        at = pc.indices_nonzero(pc.equal(experiments, key))
        known = None if attributes is None else attributes.take(at)
        found.append(shown(engine.assign_many(key, units.take(at), known)))
        places.append(at.to_numpy())
    order = np.argsort(np.concatenate(places))
    texts = [
        each.dictionary_decode() if pa.types.is_dictionary(each.type) else each for each in found
    ]
    return pa.concat_arrays(texts).take(pa.array(order))


def _detail(column: Column) -> pa.Array:
    return pa.StructArray.from_arrays(
        [
            column.to_arrow().dictionary_decode(),
            reason_names().take(pa.array(column.reasons)),
            pa.array(np.full(len(column), column.revision, np.int64)),
        ],
        ["treatment", "reason", "revision"],
    )
