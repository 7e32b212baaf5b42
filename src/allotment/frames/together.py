"""Files that are read one after the other, as one table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pyarrow as pa

from allotment.errors import InvalidInput
from allotment.frames.csvvalues import Malformed, values_of
from allotment.frames.form import open_source
from allotment.frames.inputs import InputFile, Inputs
from allotment.frames.rows import Rows, RowSource, Wanted


@contextmanager
def open_inputs(inputs: Inputs, wanted: Wanted) -> Iterator[RowSource]:
    """The rows of all files; what their folders say of the rows are columns, and all are written.

    Such a column is text, and a condition reads it as it reads a value of CSV. Raises InvalidInput
    for files that differ in a wanted column, before any row is read.
    """
    first, *others = inputs.files
    if others or first.keys:
        yield _Together(inputs, wanted)
        return
    with open_source(first.path, wanted, inputs.form) as source:
        yield source


class _Together:
    def __init__(self, inputs: Inputs, wanted: Wanted) -> None:
        self._inputs, self._wanted = inputs, wanted
        keys = inputs.files[0].keys
        self._own = _without(keys, wanted)
        if not self._own.units:
            raise InvalidInput(f"folders say what the units of {inputs.name} are: files hold units")
        self.total = self._before = 0
        self._current: RowSource | None = None
        self.columns: Mapping[str, str] = {}
        for at, file in enumerate(inputs.files):
            with open_source(file.path, self._own, inputs.form) as source:
                if at == 0:
                    self.columns, self.measure = source.columns, source.measure
                    self.absent, types = source.absent, dict(source.types)
                self._check(file, source)
                self.total += source.total or 0
        types |= dict.fromkeys(keys, pa.string())
        self.types = {name: types[name] for name in (*wanted.written, *keys) if name in types}

    def done(self) -> int:
        return self._before + (0 if self._current is None else self._current.done())

    def batches(self) -> Iterator[Rows]:
        for file in self._inputs.files:
            seen = {name: self._seen(file, name) for name in file.keys}
            with open_source(file.path, self._own, self._inputs.form) as source:
                self._check(file, source)
                self._current = source
                for rows in source.batches():
                    yield self._with_keys(file, rows, seen)
                self._before, self._current = self._before + (source.total or 0), None

    def _check(self, file: InputFile, source: RowSource) -> None:
        """Raise InvalidInput for a file whose columns are not those of the first."""
        first = self._inputs.files[0].path
        for name in {**self.columns, **source.columns}:
            here, there = source.columns.get(name), self.columns.get(name)
            if here is None or there is None:
                has, lacks = (file.path, first) if there is None else (first, file.path)
                raise InvalidInput(f"{has} has a column {name!r}, and {lacks} has none")
            if here != there:
                raise InvalidInput(
                    f"{file.path} has the column {name!r} as {here}, and {first} as {there}"
                )

    def _seen(self, file: InputFile, name: str) -> object:
        """What a condition sees of a key."""
        kinds = self._wanted.attributes.get(name, frozenset())
        try:
            [value] = values_of(name, pa.array([file.keys[name]], pa.string()), kinds)
        except Malformed as error:
            raise InvalidInput(f"the folder of {file.path} {error.said}") from error
        return value.as_py() if isinstance(value, pa.Scalar) else value

    def _with_keys(self, file: InputFile, rows: Rows, seen: Mapping[str, object]) -> Rows:
        if not file.keys:
            return rows
        count = len(next(iter(rows.written.values())))
        for name in file.keys:
            there = rows.written.get(name)
            if there is not None and there.null_count < len(there):
                raise InvalidInput(
                    f"{file.path} has a column {name!r}, and its folder says what that is, too"
                )
        keys = {
            name: pa.repeat(pa.scalar(text, pa.string()), count) for name, text in file.keys.items()
        }
        units = {
            kind: keys[column] if column in keys else rows.units[kind]
            for kind, column in self._wanted.units.items()
        }
        asked = {name: seen[name] for name in seen if name in self._wanted.attributes}
        attributes = _joined(rows.attributes, asked, count)
        return Rows(units, {**rows.written, **keys}, attributes)


def _without(keys: Mapping[str, object], wanted: Wanted) -> Wanted:
    """What is wanted of the files themselves; a column that a folder is named for is looked for."""
    return Wanted(
        {kind: column for kind, column in wanted.units.items() if column not in keys},
        {name: kinds for name, kinds in wanted.attributes.items() if name not in keys},
        (*(name for name in wanted.others if name not in keys), *keys),
        wanted.optional | keys.keys(),
    )


def _joined(attributes: object, seen: Mapping[str, object], count: int) -> object:
    """Attributes in any form that `Rows` has, and others that are the same in each of the rows."""
    if not seen:
        return attributes
    if isinstance(attributes, list):
        return [{**row, **seen} for row in attributes]
    if isinstance(attributes, pa.RecordBatch):
        attributes = dict(zip(attributes.schema.names, attributes.columns, strict=True))
    assert isinstance(attributes, dict)
    columns = {
        name: pa.repeat(value, count) if isinstance(value, str | float | bool) else [value] * count
        for name, value in seen.items()
    }
    return {**attributes, **columns}
