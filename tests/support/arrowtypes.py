"""The Arrow types that a column of units may have."""

from __future__ import annotations

import pyarrow as pa

WIDTHS = [getattr(pa, f"{sign}int{bits}")() for sign in ("", "u") for bits in (8, 16, 32, 64)]
BYTES = [pa.binary(), pa.large_binary(), pa.binary_view()]
VIEWS = [pa.string_view(), pa.binary_view()]  # Arrow indexes none of these
_PLAIN = [pa.string(), pa.large_string(), pa.string_view(), *BYTES, *WIDTHS]

UNIT_TYPES = [
    *_PLAIN,
    *(pa.dictionary(pa.int16(), kind) for kind in _PLAIN if kind not in VIEWS),
]


def plain_of(kind: pa.DataType) -> pa.DataType:
    """The type of what a column holds, whether it holds it in place or in a dictionary."""
    return kind.value_type if pa.types.is_dictionary(kind) else kind
