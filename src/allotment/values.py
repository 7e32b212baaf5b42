"""What a value of Python, numpy, pandas or Arrow counts as: the one table (docs/values.md).

A clause sees text, whole numbers, numbers, truth values, and lists of these. Everything that
reads attributes or units in Python asks here; csrc/spell.h does the same to columns.
"""

from __future__ import annotations

import math
import operator
import sys
from collections import UserString
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast
from uuid import UUID

if TYPE_CHECKING:
    import numpy as np


class Opaque(Enum):
    """A value that is there and that no clause but `exists` reads."""

    OPAQUE = "opaque"


OPAQUE: Final = Opaque.OPAQUE

Value: TypeAlias = str | int | float | bool | Opaque
Plain: TypeAlias = Value | list[object] | None

# Decimals below this are exact where they are whole; others are the nearest float.
_WHOLE_DIGITS: Final = 100

# The most elements that are taken of a sequence that is not Python's own, which may have no end.
_ELEMENTS_MAX: Final = 1_000_000

_EPOCH: Final = datetime(1970, 1, 1)  # a moment without a zone, like the columns'
_NANOS: Final = {"h": 3_600 * 10**9, "m": 60 * 10**9, "s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}


def values_of(value: object) -> Iterator[Value]:
    """The values that a clause looks at: the value, or a list itself and each of its elements.

    What is absent has none. A list within a list is passed over.
    """
    found = plain(value)
    if not isinstance(found, list):
        if found is not None:
            yield found
        return
    yield OPAQUE  # the list is there, whatever is in it
    for element in found:
        each = plain(element)
        if each is not None and not isinstance(each, list):
            yield each


def plain(value: object) -> Plain:
    """`value` as an exact str, bool, int or float, as a list of what is in it, as OPAQUE where it
    is there and no clause can read it, or None where it is absent; never raises.

    A subclass of Python's own types counts as what it is underneath, and nothing that it overrides
    is called. The true type is asked, never `__class__`, which can lie.
    """
    try:
        return _plain(value, type(value))
    except Exception:  # noqa: BLE001  # a foreign method may raise anything; then it is no value
        return OPAQUE


def _plain(value: Any, kind: type) -> Plain:
    if value is None or kind is str or kind is bool or kind is int or value is OPAQUE:
        return cast("Plain", value)
    for known, read in _OWN:
        if issubclass(kind, known):
            return read(value)
    for known, read in _others("numpy" in sys.modules):
        if issubclass(kind, known):
            return read(value)
    if _is_missing(value):
        return None
    if issubclass(kind, _named("pyarrow", "Scalar")):
        return plain(value.as_py())
    if issubclass(kind, Mapping):
        return OPAQUE
    if issubclass(kind, (Sequence, AbstractSet, *_columns())):
        elements = list(islice(iter(value), _ELEMENTS_MAX + 1))
        return OPAQUE if len(elements) > _ELEMENTS_MAX else elements
    return int.__pos__(operator.index(value))


def mapping_of(value: object) -> dict[str, object] | None:
    """`value` as a dict, where it is a mapping that can be read; a dict is taken as it is."""
    kind = type(value)
    if issubclass(kind, dict):
        return cast("dict[str, object]", value)
    try:
        return dict(cast("Mapping[str, object]", value)) if issubclass(kind, Mapping) else None
    except Exception:  # noqa: BLE001  # a foreign mapping may raise anything
        return None


def key_of(unit: object) -> str | int | None:
    """What a unit's key is spelled from: text, or a whole number, whose decimal digits it is.

    Text is its own key, and so are the UTF-8 in bytes and a UUID in its canonical form; a number is
    an int, what only has `__index__`, as numpy's, or a Decimal without a place behind the point.
    Anything else, a truth value too, is no key: None.
    """
    try:
        return _key(unit, type(unit))
    except Exception:  # noqa: BLE001  # a foreign method may raise anything; then it is no key
        return None


def _key(unit: Any, kind: type) -> str | int | None:
    if issubclass(kind, str):
        return str.__str__(unit)
    if issubclass(kind, bool):
        return None
    if issubclass(kind, int):
        return int.__pos__(unit)
    if issubclass(kind, UUID):
        return UUID.__str__(unit)
    if issubclass(kind, (bytes, bytearray, memoryview)):
        return bytes(memoryview(unit)).decode()
    if issubclass(kind, Decimal):
        return Decimal.__int__(unit) if Decimal.as_tuple(unit).exponent == 0 else None
    if issubclass(kind, _named("pyarrow", "Scalar")):
        return key_of(unit.as_py())
    if issubclass(kind, _named("numpy", "ndarray")):
        return key_of(unit[()]) if unit.ndim == 0 else None
    return int.__pos__(operator.index(unit))


def unpacked(source: object) -> object:
    """What is in a column of pandas: a frame as its columns by name, a Series whose type is one of
    numpy's as that array (pyarrow cannot make one type of mixed ones); all else as it is."""
    kind = type(source)
    if issubclass(kind, _named("pandas", "DataFrame")):
        frame = cast(Any, source)
        return {name: frame[name] for name in frame.columns if isinstance(name, str)}
    if issubclass(kind, _named("pandas", "Series")):
        import numpy as np  # noqa: PLC0415  # see `_numpy_readers`

        dtype = cast(Any, source).dtype
        is_own = isinstance(dtype, np.dtype) and dtype.kind in "Obiuf"
        return np.asarray(source) if is_own else source
    return source


def _float(value: float) -> float | None:
    number = float.__float__(value)
    return None if math.isnan(number) else number


def _decimal(value: Decimal) -> Plain:
    if not Decimal.is_finite(value) or Decimal.adjusted(value) >= _WHOLE_DIGITS:
        return None if Decimal.is_nan(value) else Decimal.__float__(value)
    _, digits, exponent = Decimal.as_tuple(value)
    is_whole = cast(int, exponent) >= 0 or not any(digits[cast(int, exponent) :])
    return Decimal.__int__(value) if is_whole else Decimal.__float__(value)


def _text_in(value: bytes | bytearray | memoryview) -> str | Opaque:
    try:
        return bytes(memoryview(value)).decode()
    except UnicodeDecodeError:
        return OPAQUE


def _moment(value: datetime) -> str | None:
    if _is_missing(value):
        return None
    exact = datetime.combine(datetime.date(value), datetime.time(value))
    is_pandas = issubclass(type(value), _named("pandas", "Timestamp"))
    if is_pandas and value.year != exact.year:
        raise OverflowError("pandas has this year elsewhere")
    nanos = 1_000 * exact.microsecond + (cast(Any, value).nanosecond if is_pandas else 0)
    offset = datetime.utcoffset(value)
    if offset is not None:
        exact -= offset
    return _spelled(exact, nanos) + ("" if offset is None else "Z")


def _moment64(value: np.datetime64) -> str | Opaque | None:
    import numpy as np  # noqa: PLC0415  # see `_numpy_readers`

    if np.isnat(value):
        return None
    unit, count = np.datetime_data(value.dtype)
    if unit in ("Y", "M", "W", "D"):
        found = value.astype("M8[D]").item()
        return date.isoformat(found) if isinstance(found, date) else OPAQUE
    seconds, nanos = divmod(int(value.astype(np.int64)) * count * _NANOS[unit], 10**9)
    return _spelled(_EPOCH + timedelta(seconds=seconds), nanos)


def _spelled(moment: datetime, nanos: int) -> str:
    """A moment as `isoformat` has it: no fraction, six digits, or nine where six are not enough."""
    text = datetime.isoformat(moment, timespec="seconds")
    fraction = f"{nanos:09d}" if nanos % 1_000 else f"{nanos // 1_000:06d}"
    return f"{text}.{fraction}" if nanos else text


def _array(value: np.ndarray[Any, Any]) -> Plain:
    import numpy as np  # noqa: PLC0415  # see `_numpy_readers`

    if value.ndim == 0:
        return None if value is np.ma.masked else plain(value[()])
    return list(value)


def _opaque(_: object) -> Opaque:
    return OPAQUE


_Readers: TypeAlias = tuple[tuple[Any, Callable[[Any], Plain]], ...]

# What reads the values of a type; np.float64 is a float, too.
_OWN: Final[_Readers] = (
    (str, str.__str__),
    (int, int.__pos__),
    (float, _float),
    (list, list.copy),
    (tuple, lambda value: list(tuple.__iter__(value))),
)


@cache
def _others(with_numpy: bool) -> _Readers:
    """The same of other types, in this order: a datetime is a date, a timedelta64 an integer.

    Where numpy is not imported, no value is of its types.
    """
    return (
        *(_numpy_readers() if with_numpy else ()),
        (Decimal, _decimal),
        (UUID, UUID.__str__),
        (datetime, _moment),
        (date, date.isoformat),
        (time, time.isoformat),
        ((bytes, bytearray, memoryview), _text_in),
        (UserString, lambda value: plain(value.data)),
        (set, lambda value: list(set.__iter__(value))),
        (frozenset, lambda value: list(frozenset.__iter__(value))),
    )


def _numpy_readers() -> _Readers:
    import numpy as np  # noqa: PLC0415  # to import it takes a tenth of a second

    return (
        (np.bool_, bool),
        (np.floating, lambda value: _float(float(value))),
        (np.timedelta64, _opaque),
        (np.datetime64, _moment64),
        (np.ndarray, _array),
    )


def _named(module: str, name: str) -> Any:
    """A type of a library, where that is loaded; else no type at all."""
    return getattr(sys.modules.get(module), name, ())


def _is_missing(value: object) -> bool:
    """Whether it is what pandas has in an empty cell."""
    return value is _named("pandas", "NA") or value is _named("pandas", "NaT")


def _columns() -> Iterator[type]:
    """The types of columns, which a cell may be: polars has one for each list."""
    names = (("polars", "Series"), ("pandas", "Series"), ("pyarrow", "Array"))
    found = (_named(*name) for name in (*names, ("pyarrow", "ChunkedArray")))
    return (kind for kind in found if kind != ())
