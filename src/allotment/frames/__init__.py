"""Columns in and out: files of any size, read, assigned and written batch by batch."""

from allotment.errors import MissingExtra

try:
    import pyarrow as _pyarrow  # noqa: F401  # the whole floor stands on it
except ImportError as error:
    raise MissingExtra(
        "reading and writing files needs pyarrow: pip install 'allotment[batch]'"
    ) from error
