from typing import final

@final
class JsonShape:
    """How much a JSON text holds and how deep it nests, read in parts before it is decoded."""

    @property
    def values(self) -> int:
        """Values and names of members so far."""

    @property
    def deepest(self) -> int:
        """The most lists and objects that were open at once."""

    @property
    def crowded(self) -> bool:
        """Whether a line has more than one list or object, or one goes on in the next line."""

    def feed(self, part: bytes | bytearray | memoryview) -> None:
        """Read another part of the text."""
