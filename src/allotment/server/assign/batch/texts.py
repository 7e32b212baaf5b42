"""How much text a column of Arrow names: a few megabytes may be named in every row."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from allotment.model.limits import UNIT_KEY_BYTES_MAX

# Types of text, and those of the same bytes without the claim that they are UTF-8.
AS_BYTES: Final = {pa.string(): pa.binary(), pa.large_string(): pa.large_binary()}
_TEXTS: Final = {*AS_BYTES, *AS_BYTES.values()}


def viewed_bytes(column: pa.Array) -> int:
    """What the texts of views have together: each is looked at to see whether it is UTF-8.

    So this is asked before. A view may name one text of a few megabytes in every row.
    """
    kind = column.type
    if _is_view(kind):
        return int(np.maximum(_sizes(column), 0).sum())
    if pa.types.is_struct(kind) or pa.types.is_union(kind):
        return sum(viewed_bytes(column.field(n)) for n in range(kind.num_fields))
    for within in ("dictionary", "storage", "values"):  # of lists of all kinds, maps, run ends
        if hasattr(column, within):
            return viewed_bytes(getattr(column, within))
    return 0


def _is_view(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string_view(kind) or pa.types.is_binary_view(kind))


def spare_bytes(column: pa.Array) -> int:
    """What texts have beyond the longest key, together, once each row has its own.

    A dictionary and a view may name one text of a few megabytes in every row.
    """
    if column.type in _TEXTS:
        return 0  # all of it is in the batch
    if pa.types.is_dictionary(column.type):
        sizes = _sizes(column.dictionary)
        rows = column.indices.drop_null().to_numpy(zero_copy_only=False)
        sizes = sizes[rows] if len(sizes) else sizes
    else:
        sizes = _sizes(column)
    return int(np.maximum(sizes - UNIT_KEY_BYTES_MAX, 0).sum())


def _sizes(texts: pa.Array) -> np.ndarray[Any, np.dtype[np.int64]]:
    """The bytes of each text; none for what is no text."""
    if _is_view(texts.type):
        views = np.frombuffer(texts.buffers()[1], np.int32)[::4]  # each begins with its size
        return views[texts.offset : texts.offset + len(texts)].astype(np.int64)
    if texts.type in _TEXTS:
        sizes = pc.fill_null(pc.binary_length(texts), 0)
        return np.asarray(sizes.to_numpy(zero_copy_only=False), np.int64)
    return np.zeros(len(texts), np.int64)
