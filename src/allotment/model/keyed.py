"""A frozen map that changes cheaply: 256 small dicts under one tuple."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Generic, TypeVar

V = TypeVar("V")

SHARDS = 256


class Keyed(Mapping[str, V], Generic[V]):
    """An immutable map from text keys to values.

    Setting one key copies one shard and the tuple over it; the other 255 shards are shared between
    the old map and the new, so a change among 10,000 entries costs about 40 of them. A key lives in
    shard `hash(key) % 256`, which differs between processes; iteration is therefore sorted by key,
    and a map is sent to another process as its items.

    `shards` is public to the kernel, which looks a plan up without calling Python.
    """

    __slots__ = ("_count", "shards")

    shards: tuple[dict[str, V], ...]

    def __init__(self, items: Iterable[tuple[str, V]] = ()) -> None:
        shards: tuple[dict[str, V], ...] = tuple({} for _ in range(SHARDS))
        for key, value in items:
            shards[hash(key) % SHARDS][key] = value
        self.shards = shards
        self._count = sum(map(len, shards))

    def __getitem__(self, key: str) -> V:
        return self.shards[hash(key) % SHARDS][key]

    def get(self, key: str, default: Any = None) -> Any:
        """The value under `key`, or `default`; as of any mapping, without its detour."""
        return self.shards[hash(key) % SHARDS].get(key, default)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(key for shard in self.shards for key in shard))

    def __reduce__(self) -> tuple[type[Keyed[V]], tuple[list[tuple[str, V]]]]:
        return Keyed, (list(self.items()),)

    def __hash__(self) -> int:
        return hash(frozenset(self.items()))

    def __repr__(self) -> str:
        return f"Keyed({dict(self.items())!r})"

    def differing(self, other: Keyed[V]) -> Iterator[tuple[str, V | None, V | None]]:
        """The keys under which the two maps hold other objects, each with both values.

        Shards that the maps share are not looked at.
        """
        for own, theirs in zip(self.shards, other.shards, strict=True):
            if own is not theirs:
                for key in sorted(own.keys() | theirs.keys()):
                    if own.get(key) is not theirs.get(key):
                        yield key, own.get(key), theirs.get(key)

    def change(self, changes: Mapping[str, V | None]) -> Keyed[V]:
        """A new map with `changes` made: a value sets its key, None removes it."""
        shards = list(self.shards)
        fresh: set[int] = set()
        for key, value in changes.items():
            index = hash(key) % SHARDS
            if index not in fresh:
                shards[index] = dict(shards[index])
                fresh.add(index)
            if value is None:
                shards[index].pop(key, None)
            else:
                shards[index][key] = value
        new: Keyed[V] = Keyed.__new__(Keyed)
        new.shards = tuple(shards)
        new._count = self._count + sum(len(shards[i]) - len(self.shards[i]) for i in fresh)
        return new
