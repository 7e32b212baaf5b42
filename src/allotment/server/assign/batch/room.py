"""How much of something all requests together may still take."""

from __future__ import annotations


class Room:
    """Bytes of memory or disk, shared by all batches of a process."""

    def __init__(self, size: int) -> None:
        self.left = size

    def take(self, size: int) -> bool:
        """Take so many bytes, or none; whether they were there. A negative size gives back."""
        if size > self.left:
            return False
        self.left -= size
        return True
