from collections.abc import Iterator
from typing import final

@final
class Texts:
    """A column of texts that lie in a document."""

    @property
    def text(self) -> bytes:
        """The document."""

    @property
    def views(self) -> bytes:
        """Arrow's views of texts, 16 bytes each; their one block is the document."""

    @property
    def start(self) -> int:
        """The first row, as a place in the views."""

    @property
    def rows(self) -> int:
        """How many there are."""

    def __len__(self) -> int: ...
    def __getitem__(self, key: slice, /) -> Texts:
        """Some of the rows, which follow each other."""

@final
class JsonIds:
    """A list of texts without escapes that is a member of a JSON document."""

    @property
    def beside(self) -> int:
        """How many bytes of the document are not of the list."""

    @property
    def rest(self) -> bytes:
        """The document with an empty list in the place of this one."""

    def blocks(self) -> Iterator[Texts]:
        """The texts, some at a time: at least one block, which may be empty."""

def json_ids(document: bytes, name: bytes, rows: int, size: int) -> JsonIds | None:
    """The list of plain texts that is the one member `name` of a document; None for any other.

    Its blocks have at most so many `rows`, and end once they take `size` bytes or more. The
    document is JSON if its `rest` is.
    """
