"""How much of something all requests together may still take."""

from __future__ import annotations


class Room:
    """Bytes of memory or disk, shared by all batches of a process."""

    def __init__(self, size: int) -> None:
        self.left = size

    def has(self, size: int) -> bool:
        """Whether so many bytes are left."""
        return size <= max(0, self.left)

    def take(self, size: int) -> bool:
        """Take so many bytes, or none; whether they were there. Fewer than none are given back."""
        if not self.has(size):
            return False
        self.left -= size
        return True

    def give(self, size: int) -> None:
        """Give so many bytes back."""
        self.left += size
