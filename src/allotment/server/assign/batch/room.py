"""How much of something all requests together may still take."""

from __future__ import annotations


class Room:
    """Bytes of memory or disk, shared by all batches of a process."""

    def __init__(self, size: int) -> None:
        self.left = size

    def take(self, size: int) -> bool:
        """Take so many bytes, or none; whether they were there. A negative size gives back."""
        if size > max(0, self.left):
            return False
        self.left -= size
        return True

    def overdraw(self, size: int) -> None:
        """Take so many bytes, whether they are there or not."""
        self.left -= size

    def give(self, size: int) -> None:
        """Give so many bytes back."""
        self.left += size
